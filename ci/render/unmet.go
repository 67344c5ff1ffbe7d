package render

import (
	"fmt"
	"path"
	"slices"

	chartv2 "helm.sh/helm/v4/pkg/chart/v2"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
)

// Unmet gives the dependencies that a chart or one of its subcharts declares, and that none of its charts meets by name
// and version. Helm renders such a chart without them and says nothing.
func Unmet(c *chartv2.Chart) []string { return unmet(c, c.Name()) }

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
