package catalog

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/tags"
	"github.com/operator-release/operator-release/ci/version"
)

// Options are all that a catalog is made of.
type Options struct {
	Repository  *git.Repository // with the refs and the history of all lines
	Name        string
	URL         string // of the source
	Site        string // where the site will be, with a slash at its end; empty where that is not known
	Development string
	Pattern     version.Pattern
	Supported   int // how many lines are, the newest ones
	Audit       Audit
	Versions    []Version // as far as records, audit, notes and guides tell of each; in any order
}

// Make adds to what is known of each version what git tells: its place among the others, its line, when it was made, and what was picked into it. A clone whose history is
// cut off is refused.
func Make(ctx context.Context, o Options) (Catalog, error) {
	c := Catalog{Schema: Schema, Name: o.Name, URL: o.URL, Site: o.Site, Development: o.Development, Audit: o.Audit, Lines: []Line{}, Versions: slices.Clone(o.Versions)}
	if shallow, err := o.Repository.Shallow(ctx); err != nil {
		return c, err
	} else if shallow {
		return c, fmt.Errorf("make the catalog of %s: %w", o.Name, o.Repository.CutOff(ctx))
	}
	slices.SortFunc(c.Versions, func(a, b Version) int { return b.Version.Compare(a.Version) })
	tagged, err := tags.Read(ctx, o.Repository)
	if err != nil {
		return c, err
	}
	created, err := o.Repository.Created(ctx, "refs/tags/")
	if err != nil {
		return c, err
	}
	before := map[string]version.Version{} // by line
	for i := range slices.Backward(c.Versions) {
		v := &c.Versions[i]
		v.Kind, v.Line = kindOf(v.Version), o.Pattern.Line(v.Version)
		v.Previous, before[v.Line] = before[v.Line], v.Version
		if v.Commit == "" {
			v.Commit = tagged[v.Version]
		}
		if v.Time.IsZero() {
			v.Time = created[v.Version.String()]
		}
		v.Time = written(v.Time)
		if v.Mark != nil {
			mark := *v.Mark
			mark.Time, v.Mark = written(mark.Time), &mark
		}
	}
	if err := c.addHistory(ctx, o, tagged); err != nil {
		return c, fmt.Errorf("make the catalog of %s: %w", o.Name, err)
	}
	c.support(o.Supported)
	c.Updated = c.updated()
	return c, nil
}

func kindOf(v version.Version) Kind {
	if _, candidate := v.Candidate(); candidate {
		return Candidate
	}
	if v.Patch() == 0 {
		return Final
	}
	return Patch
}

// Good tells whether the version is not marked as bad.
func (v Version) Good() bool {
	return v.Mark == nil || v.Mark.State == journal.Good || v.Mark.State == ""
}

// updated is the time of the newest version or mark.
func (c Catalog) updated() time.Time {
	var newest time.Time
	for _, v := range c.Versions {
		newest = later(newest, v.Time)
		if v.Mark != nil {
			newest = later(newest, v.Mark.Time)
		}
	}
	return newest
}

// written is a time that can be written as RFC 3339 has it; git takes years beyond, which somebody's wrong clock made, and then the time is not known.
func written(t time.Time) time.Time {
	if year := t.UTC().Year(); year < 1 || year > 9999 {
		return time.Time{}
	}
	return t
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// support marks the newest lines that have a branch; where no line has one, the newest lines.
func (c *Catalog) support(lines int) {
	branches := slices.ContainsFunc(c.Lines, func(l Line) bool { return l.Tip != "" })
	for i := range c.Lines {
		if l := &c.Lines[i]; lines > 0 && (l.Tip != "" || !branches) {
			l.Supported = true
			lines--
		}
	}
}

// addHistory adds the lines, and what was picked into which version.
func (c *Catalog) addHistory(ctx context.Context, o Options, tagged tags.Tags) error {
	h, development, branches, err := read(ctx, o, c.Versions, tagged)
	if err != nil {
		return err
	}
	lines := map[string]Line{}
	for name, tip := range branches {
		branch, err := o.Pattern.BranchOf(name)
		if err != nil {
			return err
		}
		lines[name] = Line{Name: name, Branch: branch, Tip: tip}
	}
	for _, v := range c.Versions { // the newest first
		l, ok := lines[v.Line]
		if !ok {
			l = Line{Name: v.Line, Branch: o.Pattern.Branch(v.Version)}
		}
		if l.Newest.IsZero() && v.Kind != Candidate && v.Good() {
			l.Newest = v.Version
		}
		lines[v.Line] = l
	}
	trunk := h.trunk(development)
	for name, l := range lines {
		from := l.Tip
		if from == "" {
			from = c.newestCommit(name)
		}
		if fork, ok := h.fork(from, trunk); ok {
			l.Forked = written(fork.Committer.Time.UTC())
		}
		c.Lines = append(c.Lines, l)
	}
	slices.SortFunc(c.Lines, func(a, b Line) int {
		if o.Pattern.LineLess(b.Name, a.Name) {
			return -1
		}
		return 1
	})
	c.addPicks(h, h.History(development))
	return nil
}

// newestCommit is the commit of a line's newest version; empty where there is none.
func (c Catalog) newestCommit(line string) string {
	for _, v := range c.Versions {
		if v.Line == line && v.Commit != "" {
			return v.Commit
		}
	}
	return ""
}

// read reads the history of all lines: the tip of the development branch, empty where there is none, and those of the lines' branches, by line. Commits of records that the
// repository lacks are passed over.
func read(ctx context.Context, o Options, versions []Version, tagged tags.Tags) (h history, development string, lines map[string]string, err error) {
	known, err := o.Repository.Branches(ctx)
	if err != nil {
		return h, "", nil, err
	}
	candidates := map[string][]string{} // tips by branch, here and at the default remote
	for _, refs := range []map[string]string{known.Own, known.Fetched} {
		for branch, tip := range refs {
			if _, line := o.Pattern.LineOf(branch); line || branch == o.Development {
				candidates[branch] = append(candidates[branch], tip)
			}
		}
	}
	tips := map[string]bool{}
	for _, all := range candidates {
		for _, tip := range all {
			tips[tip] = true
		}
	}
	for _, v := range versions {
		if v.Commit != "" && v.Commit != tagged[v.Version] {
			if _, err := o.Repository.Commit(ctx, v.Commit); refusal.Is(err) {
				continue // no ref leads to it: the audit tells
			} else if err != nil {
				return h, "", nil, err
			}
		}
		if v.Commit != "" {
			tips[v.Commit] = true
		}
	}
	commits, err := o.Repository.History(ctx, slices.Sorted(maps.Keys(tips)))
	if err != nil {
		return h, "", nil, err
	}
	h = history{git.NewGraph(commits), commits}
	lines = map[string]string{}
	for branch, all := range candidates {
		tip := h.ahead(all)
		if name, ok := o.Pattern.LineOf(branch); ok {
			lines[name] = tip
		}
		if branch == o.Development {
			development = tip
		}
	}
	return h, development, lines, nil
}
