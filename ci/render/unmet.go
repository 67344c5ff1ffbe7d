package render

import (
	"cmp"
	"fmt"
	"path"
	"slices"

	chartv2 "helm.sh/helm/v4/pkg/chart/v2"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
)

// Unmet gives the dependencies that a chart or one of its subcharts declares, and that none of its charts meets by name
// and version: Helm renders such a chart without them and says nothing. It also gives those that Helm's linter refuses:
// charts in the charts folder that Chart.yaml does not declare, and entries of one name.
func Unmet(c *chartv2.Chart) []string { return append(undeclared(c), unmet(c, c.Name())...) }

func undeclared(c *chartv2.Chart) []string {
	var all, names []string
	for _, d := range c.Metadata.Dependencies {
		if d == nil {
			continue
		}
		name := cmp.Or(d.Alias, d.Name)
		if slices.Contains(names, name) {
			all = append(all, fmt.Sprintf("%s declares two dependencies as %s, and Helm's linter refuses it; give one of them "+
				"an alias of its own, or remove it", c.Name(), name))
		}
		names = append(names, name)
	}
	for _, have := range c.Dependencies() {
		if !slices.ContainsFunc(c.Metadata.Dependencies, func(d *chartv2.Dependency) bool {
			return d != nil && d.Name == have.Name()
		}) {
			all = append(all, fmt.Sprintf("%s holds the chart %s %s in its charts folder and does not declare it, and Helm's "+
				"linter refuses it; add it to the dependencies in Chart.yaml, or remove it from the folder", c.Name(), have.Name(),
				have.Metadata.Version))
		}
	}
	slices.Sort(all)
	return all
}

func unmet(c *chartv2.Chart, at string) []string {
	var all []string
	for _, d := range c.Metadata.Dependencies {
		if d == nil || slices.ContainsFunc(c.Dependencies(), func(have *chartv2.Chart) bool {
			return have.Name() == d.Name && chartutil.IsCompatibleRange(d.Version, have.Metadata.Version)
		}) {
			continue
		}
		all = append(all, fmt.Sprintf("%s declares the dependency %s %s, and holds none that meets it; add that chart to its "+
			"charts folder, or remove the entry", at, d.Name, d.Version))
	}
	for _, sub := range c.Dependencies() {
		all = append(all, unmet(sub, path.Join(at, "charts", sub.Name()))...)
	}
	return all
}
