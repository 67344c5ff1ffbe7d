package site

import (
	"fmt"
	"html/template"
	"slices"
	"strings"

	"github.com/operator-release/operator-release/ci/catalog"
	"github.com/operator-release/operator-release/ci/version"
)

// upgradePage is every step there is, from one minor version to the next. The script of the page only hides what does not belong to a way, and names where it ends.
type upgradePage struct {
	page
	Run    *catalog.Version
	Steps  []step
	Groups []choice // the newest first
	Index  bool     // some charts come from the chart index alone
}

// step brings one to a minor version.
type step struct {
	Series string           // 1.4
	To     *catalog.Version // where one stops: its newest final that is good; nil where there is none
	Ways   []way
	Items  []item // the oldest first
}

// Known tells whether it is known how to upgrade the charts to where one stops.
func (s step) Known() bool { return slices.ContainsFunc(s.Ways, func(w way) bool { return w.Here }) }

// way is how the charts of some versions of a minor are upgraded; they have other charts than the others.
type way struct {
	In     string // numbers of the versions
	Here   bool   // the step's version is one of them
	To     version.Version
	Charts []chartWay
}

// chartWay upgrades a chart.
type chartWay struct {
	Name      string
	Reference string // as one word of a shell
	CRDs      bool
}

// item is a version that one passes, or comes to.
type item struct {
	catalog.Version
	N         int // its place in the order of versions
	Candidate bool
	Bad       bool
	State     shownState
	Because   string // where it is bad
	Asks      []template.HTML
	More      int    // things that it asks and that are not shown
	Way       string // to its guide
	Back      string // to the part of its guide about going back
}

// choice are the versions of a line, to choose from.
type choice struct {
	Line     string
	Versions []item
}

// maxAsks bounds what is shown of one version's demands.
const maxAsks = 8

func (s *site) upgrade() ([]byte, error) {
	ordered := slices.SortedFunc(slices.Values(s.Versions), func(a, b catalog.Version) int { return a.Version.Compare(b.Version) })
	var all []item
	asks := make([][]template.HTML, len(ordered))
	for i, v := range ordered {
		_, candidate := v.Version.Candidate()
		it := item{Version: v, N: i + 1, Candidate: candidate, Bad: !v.Good(), State: stateOf(v), Way: pageOf(v.Version)}
		if v.Guide != "" {
			it.Way += "#upgrade"
			if strings.Contains(string(s.guide[s.at[v.Version]]().HTML), ` id="going-back"`) {
				it.Back = pageOf(v.Version) + "#going-back"
			}
		}
		for _, a := range first(v.Asks, maxAsks) {
			asks[i] = append(asks[i], line(a, 400))
		}
		all = append(all, it)
	}
	return fitting("upgrade.html", func(b bounds) any {
		most := maxAsks
		for ; most > 0 && asked(asks, most) > b.Text; most-- {
		}
		for i := range all {
			it := &all[i]
			it.Asks = first(asks[i], most)
			it.More = len(it.Version.Asks) - len(it.Asks)
			if it.Bad {
				it.Because = short(it.Mark.Because, b.Words)
			}
		}
		return s.steps(all)
	})
}

// steps sorts versions, the oldest first, into steps and choices.
func (s *site) steps(all []item) upgradePage {
	p := upgradePage{page: page{s, s.Name + ": upgrade", "upgrade", ""}, Run: s.run()}
	lines := map[string][]item{}
	for _, it := range all {
		v := it.Version
		lines[v.Line] = append(lines[v.Line], it)
		series := fmt.Sprintf("%d.%d", v.Version.Major(), v.Version.Minor())
		if n := len(p.Steps); n == 0 || p.Steps[n-1].Series != series {
			p.Steps = append(p.Steps, step{Series: series})
		}
		at := &p.Steps[len(p.Steps)-1]
		at.Items = append(at.Items, it)
		p.Index = p.Index || slices.ContainsFunc(v.Charts, s.IndexAlone)
		if canRun(v) {
			at.To = &v
		}
	}
	for i := range p.Steps {
		p.Steps[i].Ways = s.ways(p.Steps[i])
	}
	for _, l := range s.lines {
		if all := lines[l.Name]; len(all) > 0 {
			slices.Reverse(all)
			p.Groups = append(p.Groups, choice{l.Name, all})
		}
	}
	return p
}

// asked is how large so many demands of each version are, in bytes.
func asked(asks [][]template.HTML, most int) int {
	n := 0
	for _, all := range asks {
		for _, a := range first(all, most) {
			n += len(a) + len("<li></li>\n")
		}
	}
	return n
}

// ways are the different ways to upgrade the charts of a step's versions.
func (s *site) ways(at step) []way {
	var all []way
	for _, it := range at.Items {
		var charts []chartWay
		for _, c := range it.Charts {
			if from := s.from(c); from != "" {
				charts = append(charts, chartWay{c.Name, word(from), c.CRDs})
			}
		}
		if len(charts) == 0 {
			continue
		}
		n := slices.IndexFunc(all, func(w way) bool { return slices.Equal(w.Charts, charts) })
		if n < 0 {
			n = len(all)
			all = append(all, way{Charts: charts})
		}
		w := &all[n]
		w.In = strings.TrimSpace(fmt.Sprintf("%s %d", w.In, it.N))
		w.To = it.Version.Version
		w.Here = w.Here || at.To != nil && at.To.Version == it.Version.Version
	}
	for i := range all {
		if all[i].Here {
			all[i].To = at.To.Version
		}
	}
	return all
}
