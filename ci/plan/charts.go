package plan

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"path/filepath"
	"slices"

	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/render"
)

// checkCharts speaks against charts of the release commit that cannot be packaged: those whose dependencies the commit
// does not have as they are declared.
func (m *maker) checkCharts(ctx context.Context, _ *git.Tree) error {
	if len(m.plan.Config.Charts) == 0 {
		return nil
	}
	released, err := m.quiet.Tree(ctx, m.plan.Commit)
	if err != nil {
		return err
	}
	defer released.Close()
	sources := map[string]*render.Source{} // of the released charts, by name
	var inOrder []*render.Source
	for _, chart := range m.plan.Config.Charts {
		source, err := render.Read(ctx, released, chart.Path, chart.Fetch)
		if refusal.Is(err) {
			m.against("%v", err)
			continue
		}
		if err != nil {
			return err
		}
		sources[source.Name()] = source
		inOrder = append(inOrder, source)
	}
	var told []string
	against := func(problem string) {
		if !slices.Contains(told, problem) { // two charts may read one that has it
			told = append(told, problem)
			m.against("%s", problem)
		}
	}
	for _, source := range inOrder {
		for _, p := range source.Problems {
			problem := p.String()
			if sibling := sources[p.Name]; sibling != nil {
				problem += fmt.Sprintf("; chart %s is released here: to package that one, write repository: %s", p.Name,
					addressOf(sibling, source))
			}
			against(problem)
		}
		for _, fault := range source.OutOfSync() {
			against(fault)
		}
		if len(source.Problems) == 0 {
			c, err := source.Chart()
			if err != nil {
				return err
			}
			for _, what := range render.Unmet(c) {
				m.against("chart %s: %s", source.Folder(), what)
			}
		}
		for _, copied := range source.Replaced {
			m.notice("%s is not packaged: the chart reads this dependency by file:// from the release commit", copied)
		}
		m.replaced = append(m.replaced, source.Replaced...)
		if err := m.checkLacking(ctx, source); err != nil {
			return err
		}
	}
	m.tellOld(inOrder, sources)
	return nil
}

// addressOf is how the entry of a dependency names a chart of the same tree.
func addressOf(chart, by *render.Source) string {
	relative, err := filepath.Rel(by.Folder(), chart.Folder())
	if err != nil { // both are paths of the tree
		relative = chart.Folder()
	}
	return "file://" + filepath.ToSlash(relative)
}

// tellOld tells of dependencies that keep their version: those on charts released here that come from elsewhere, and
// charts of the tree that the settings do not release.
func (m *maker) tellOld(released []*render.Source, byName map[string]*render.Source) {
	var told []string
	tell := func(format string, args ...any) {
		if text := fmt.Sprintf(format, args...); !slices.Contains(told, text) {
			told = append(told, text)
			m.notice("%s", text)
		}
	}
	for _, source := range released {
		for i, chart := range source.All() {
			if i > 0 && !slices.ContainsFunc(released, func(r *render.Source) bool { return r.Folder() == chart.Folder() }) {
				tell("chart %s is packaged with %s at version %s, since the settings do not release that chart; to let it "+
					"follow the version, name it under charts in %s", source.Folder(), chart.Folder(), chart.Version(), config.File)
			}
			for _, d := range chart.Dependencies() {
				sibling := byName[d.Name]
				if before := m.plan.Previous; !before.IsZero() && sibling == nil && d.Repository == "" &&
					chart.Holds(d.Name, before.SemVer()) {
					tell("chart %s is packaged with %s at version %s, since the settings do not release that chart; to let it "+
						"follow the version, name it under charts in %s", source.Folder(), path.Join(chart.Folder(), "charts", d.Name),
						before.SemVer(), config.File)
				}
				if slices.ContainsFunc(chart.Problems, func(p render.Problem) bool { return p.Name == d.Name }) {
					continue // it is told
				}
				_, local := render.Local(chart.Folder(), d.Repository)
				if sibling == nil || local || sibling.Folder() == path.Join(chart.Folder(), "charts", d.Name) {
					continue
				}
				tell("chart %s is packaged with %s %s as it was published before (%s); %s is released here at %s, too: to package "+
					"that one, write repository: %s", chart.Folder(), d.Name, d.Version, cmp.Or(d.Repository,
					path.Join(chart.Folder(), "charts")), sibling.Folder(), m.plan.Version.SemVer(), addressOf(sibling, chart))
			}
		}
	}
}
