package site

import (
	"html/template"

	"github.com/operator-release/operator-release/ci/catalog"
	"github.com/operator-release/operator-release/ci/version"
)

// indexPage answers which version to run, and lists all of them.
type indexPage struct {
	page
	Run      *catalog.Version   // nil where there is none
	Others   []*catalog.Version // the newest of the other lines that are supported
	Picture  template.HTML
	Sections []section
	Heard    []string // about no version of its own
	Unheard  int      // how many more of these there are
	Indexed  []string // names of charts that the chart index lists
}

// section is a line with its versions.
type section struct {
	catalog.Line
	Rows   []row
	Passed []row // candidates of versions that are out
}

// row is a version in a list.
type row struct {
	catalog.Version
	State shownState
	Audit audited
}

func (s *site) index() ([]byte, error) {
	p := indexPage{page: page{s, s.Name + ": which version to run", "index", ""}, Run: s.run(), Picture: Picture(s.Catalog)}
	for _, l := range s.lines {
		if newest := s.newest(func(v catalog.Version) bool { return v.Line == l.Name }); newest != nil && l.Supported && newest != p.Run {
			p.Others = append(p.Others, newest)
		}
		p.Sections = append(p.Sections, s.section(l))
	}
	seen := map[string]bool{}
	for _, v := range s.Versions {
		for _, c := range v.Charts {
			if c.Indexed && !seen[c.Name] {
				seen[c.Name] = true
				p.Indexed = append(p.Indexed, c.Name)
			}
		}
	}
	return fitting("index.html", func(b bounds) any {
		p.Heard = within(b, s.Catalog.Audit.Notes)
		p.Unheard = len(s.Catalog.Audit.Notes) - len(p.Heard)
		return p
	})
}

// run is the version to run: the newest that one may run on a line that is supported, else the newest at all.
func (s *site) run() *catalog.Version {
	supported := map[string]bool{}
	for _, l := range s.lines {
		supported[l.Name] = l.Supported
	}
	if v := s.newest(func(v catalog.Version) bool { return supported[v.Line] }); v != nil {
		return v
	}
	return s.newest(func(catalog.Version) bool { return true })
}

func (s *site) section(l catalog.Line) section {
	out := section{Line: l}
	final := map[version.Version]bool{}
	versions := s.ofLine(l.Name)
	for _, v := range versions {
		final[v.Version] = true
	}
	for _, v := range versions {
		r := row{v, stateOf(v), auditOf(v)}
		if _, candidate := v.Version.Candidate(); candidate && final[v.Version.Final()] {
			out.Passed = append(out.Passed, r)
		} else {
			out.Rows = append(out.Rows, r)
		}
	}
	return out
}
