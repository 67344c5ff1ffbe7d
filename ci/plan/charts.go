package plan

import (
	"context"
	"maps"
	"slices"
	"strings"

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
	var told []string
	sources := map[string]*render.Source{} // of the released charts, by what an OCI registry calls them
	for _, chart := range m.plan.Config.Charts {
		source, err := render.Read(ctx, released, chart.Path, chart.Fetch)
		if refusal.Is(err) {
			m.against("%v", err)
			continue
		}
		if err != nil {
			return err
		}
		for _, p := range source.Problems {
			if !slices.Contains(told, p.String()) { // two charts may read one that has it
				told = append(told, p.String())
				m.against("%s", p)
			}
		}
		if len(source.Problems) == 0 {
			c, err := source.Chart()
			if err != nil {
				return err
			}
			for _, what := range render.Unmet(c) {
				m.against("chart %s: %s", chart.Path, what)
			}
		}
		for _, copied := range source.Replaced {
			m.notice("%s is not packaged: the chart reads this dependency by file:// from the release commit", copied)
		}
		m.replaced = append(m.replaced, source.Replaced...)
		if err := m.checkLacking(ctx, source); err != nil {
			return err
		}
		sources["oci://"+chart.Repository+"/"+source.Name()] = source
	}
	m.tellPublished(sources)
	return nil
}

// tellPublished tells of dependencies on charts released here that come from where these were published before.
func (m *maker) tellPublished(sources map[string]*render.Source) {
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		source := sources[name]
		for _, d := range source.Dependencies() {
			if sibling := sources[strings.TrimSuffix(d.Repository, "/")+"/"+d.Name]; sibling != nil {
				m.notice("chart %s is packaged with %s %s as it was published before; %s is released here at %s, too: "+
					"to package that one, name its folder by repository: file://", source.Folder(), d.Name, d.Version,
					sibling.Folder(), m.plan.Version.SemVer())
			}
		}
	}
}
