// Package policy judges what a version may contain: a patch takes fixes, a minor may break what somebody explains. It looks at nothing itself: commits and findings
// are given to it, and what speaks against a version is for the plan to say.
package policy

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/operator-release/operator-release/ci/change"
	"github.com/operator-release/operator-release/ci/compare"
	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/version"
)

// Question is what is judged.
type Question struct {
	Version  version.Version
	Before   version.Version // the final that users come from
	Policy   config.Policy
	Changes  []Change
	Findings []compare.Finding
	Accept   map[string]string // id of a point to why it is accepted
	Explain  map[string]string // id of a finding, or the beginning of ids followed by *, to what users have to know
}

// Verdict is how a point stands.
type Verdict string

// The verdicts.
const (
	Refused     Verdict = "refused"     // it may not be in this version
	Unexplained Verdict = "unexplained" // it may be, once somebody explains it; of a final it is as good as refused
	Accepted    Verdict = "accepted"    // somebody has said that it may be
	Explained   Verdict = "explained"
	ToKnow      Verdict = "to know"
)

// Point is a commit or a finding, and how it stands.
type Point struct {
	ID       string           `json:"id"`
	Verdict  Verdict          `json:"verdict"`
	Severity compare.Severity `json:"severity"`
	What     string           `json:"what"`
	Title    string           `json:"title,omitempty"`   // of a commit
	Where    string           `json:"where,omitempty"`   // file and line, or commit
	Because  string           `json:"because,omitempty"` // why it is accepted, or what explains it
	Breaks   []string         `json:"breaks,omitempty"`  // what a commit says that it breaks, each by a footer
	// Behaviour are the files with webhooks, validation or defaults that a commit changes.
	Behaviour []string `json:"behaviour,omitempty"`
	final     bool
}

// Judgement is what became of a question.
type Judgement struct {
	Rule   config.Allowance `json:"rule"`
	Points []Point          `json:"points"` // findings as they were given, behind the commits
}

// Rule is the allowance for a version.
func Rule(p config.Policy, v version.Version) config.Allowance {
	switch {
	case v.Patch() > 0:
		return p.Patch
	case v.Minor() > 0:
		return p.Minor
	}
	return p.Major
}

// CommitID is the id of a commit as a point.
func CommitID(commit string) string { return "commit/" + commit[:min(12, len(commit))] }

// Judge judges. What is accepted and is not there is refused: it is a mistake, or of another version.
func Judge(q Question) (Judgement, error) {
	j := Judgement{Rule: Rule(q.Policy, q.Version), Points: []Point{}}
	_, candidate := q.Version.Candidate()
	ids := map[string]bool{}
	add := func(p Point) {
		p.final = !candidate
		ids[p.ID] = true
		if because, ok := q.Accept[p.ID]; ok {
			p.Verdict, p.Because, p.Breaks = Accepted, because, nil
		}
		j.Points = append(j.Points, p)
	}
	for _, c := range q.Changes {
		if p, ok := j.commit(c, q.Before, q.Explain); ok {
			add(p)
		}
	}
	for _, f := range q.Findings {
		add(j.finding(f, q))
	}
	for _, id := range slices.Sorted(maps.Keys(q.Accept)) {
		if !ids[id] {
			return j, refusal.New("accept %q for %s: there is no such point%s; operator-release plan %s --why-not lists them", id, q.Version,
				refusal.Meant(id, slices.Sorted(maps.Keys(ids))), q.Version)
		}
	}
	return j, nil
}

// commit is the point that a commit makes by what it says and touches; most make none.
func (j Judgement) commit(c Change, before version.Version, explain map[string]string) (Point, bool) {
	id := c.Commit.ID
	p := Point{ID: CommitID(id), Severity: compare.Notable, Where: id, Title: c.Title, Verdict: ToKnow}
	if c.MayChangeBehaviour() {
		p.Behaviour = change.Behaviour(c.Paths)
	}
	feature, none := c.IsFeature(c.Paths)
	removes := ""
	switch {
	case len(c.TakesBack) > 0:
		removes = fmt.Sprintf("takes back what %s has, %q", before, strings.Join(c.TakesBack, `", "`))
	case c.Message.Kind == change.Revert && c.Change.TakesBack() && !change.Inward(c.Paths):
		removes = "takes back " + strings.Join(c.Removes, ", ")
	}
	if change.Inward(c.Paths) {
		removes = ""
	}
	what := cmp.Or(removes, feature)
	switch {
	case c.Message.Breaking:
		p.Severity, what = compare.Breaking, "says that it breaks something"
	case what == "" && none != "":
		p.Severity, what = compare.Info, none
	case what == "" && len(p.Behaviour) > 0:
		p.Severity, what = compare.Info, "changes webhooks, validation or defaults"
	case what == "":
		return p, false
	case j.Rule == config.Fixes:
		p.Verdict = Refused
	}
	p.What = fmt.Sprintf("commit %.12s %s: %s", id, what, c.Title)
	switch {
	case !c.Message.Breaking:
	case j.Rule == config.Fixes:
		p.Verdict = Refused
	case j.Rule == config.Anything:
	case len(c.Message.Breaks) > 0:
		p.Verdict, p.Because, p.Breaks = Explained, strings.Join(c.Message.Breaks, "; "), c.Message.Breaks
	default:
		p.Verdict = Unexplained
		if text := explained(explain, p.ID); text != "" {
			p.Verdict, p.Because = Explained, text
		}
	}
	return p, true
}

func (j Judgement) finding(f compare.Finding, q Question) Point {
	p := Point{ID: f.ID, Severity: f.Severity, What: f.What, Where: place(f), Verdict: ToKnow}
	if f.Adds && f.Severity != compare.Breaking && j.Rule == config.Fixes {
		p.What, p.Verdict = p.What+", which is a feature", Refused
		return p
	}
	if f.Severity != compare.Breaking || j.Rule == config.Anything {
		return p
	}
	text := explained(q.Explain, f.ID)
	for _, c := range q.Changes {
		if text == "" {
			text = explained(c.Message.Explains, f.ID)
		}
	}
	for _, c := range q.Changes {
		for _, said := range c.Message.Breaks {
			if text == "" && names(said, f.ID) && slices.Contains(c.Paths, f.File) {
				text = said
			}
		}
	}
	switch {
	case j.Rule == config.Fixes:
		p.Verdict = Refused
	case text != "":
		p.Verdict, p.Because = Explained, text
	default:
		p.Verdict = Unexplained
	}
	return p
}

// names tells whether a text says what a finding is about: the part of its id before the last, such as controller.jobsConfigMap, or the end of that behind its last dot.
// One commit that breaks something does not excuse all else in the file.
func names(text, id string) bool {
	parts := strings.Split(id, "/")
	if text == "" || len(parts) < 3 {
		return false
	}
	about := parts[len(parts)-2]
	for _, word := range []string{about, about[strings.LastIndex(about, ".")+1:]} {
		if at := strings.Index(text, word); len(word) > 2 && at >= 0 {
			before, after := text[:at], text[at+len(word):]
			if !endsInWord(before) && !beginsWithWord(after) {
				return true
			}
		}
	}
	return false
}

func endsInWord(s string) bool     { return s != "" && isWord(s[len(s)-1]) }
func beginsWithWord(s string) bool { return s != "" && isWord(s[0]) }
func isWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
}

// explained finds the text for an id: its own, or that of the longest beginning followed by *.
func explained(explain map[string]string, id string) string {
	if text, ok := explain[id]; ok {
		return text
	}
	best, text := -1, ""
	for pattern, t := range explain {
		if begin, ok := strings.CutSuffix(pattern, "*"); ok && strings.HasPrefix(id, begin) && len(begin) > best {
			best, text = len(begin), t
		}
	}
	return text
}

func place(f compare.Finding) string {
	at := f.File
	if f.Line > 0 {
		at += fmt.Sprintf(":%d", f.Line)
	}
	if f.Gone {
		at += " (before)"
	}
	return at
}

// Against is what speaks against the version, with its evidence and the ways out.
func (j Judgement) Against(v version.Version) []string {
	var against []string
	for _, p := range j.Points {
		where := ""
		if p.Where != "" && !strings.HasPrefix(p.ID, "commit/") {
			where = " (" + p.Where + ")"
		}
		switch {
		case p.Verdict == Refused:
			against = append(against, fmt.Sprintf("%s is a patch, and takes fixes only: %s%s; leave it to the next minor, or accept it: --accept %s --because TEXT", v, p.What, where, p.ID))
		case p.Verdict == Unexplained && p.final:
			against = append(against, fmt.Sprintf("nobody has explained to users that %s%s; say what they have to do: under explain in %s, as %s: TEXT, or accept it: --accept %s --because TEXT",
				p.What, where, config.File, p.ID, p.ID))
		}
	}
	return against
}

// Notices are what one should know of a candidate: what its final will be refused for.
func (j Judgement) Notices() []string {
	var notices []string
	for _, p := range j.Points {
		if p.Verdict == Unexplained && !p.final {
			notices = append(notices, fmt.Sprintf("nobody has explained to users that %s (%s); the final will need it: explain: {%s: TEXT} in %s", p.What, p.Where, p.ID, config.File))
		}
	}
	return notices
}

// Texts are what explains points, by id: also why what is accepted is.
func (j Judgement) Texts() map[string]string {
	texts := map[string]string{}
	for _, p := range j.Points {
		if p.Because != "" {
			texts[p.ID] = p.Because
		}
	}
	return texts
}
