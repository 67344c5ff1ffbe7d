package render

import (
	"slices"
	"testing"

	chartv2 "helm.sh/helm/v4/pkg/chart/v2"
)

// TestUnmet: each entry of the dependencies has to be met, at every depth.
func TestUnmet(t *testing.T) {
	chart := func(name, version string, declared []*chartv2.Dependency, held ...*chartv2.Chart) *chartv2.Chart {
		c := &chartv2.Chart{Metadata: &chartv2.Metadata{Name: name, Version: version, Dependencies: declared}}
		c.SetDependencies(held...)
		return c
	}
	two := []*chartv2.Dependency{{Name: "crds", Version: ">=0.0.0-0", Alias: "one"}, {Name: "crds", Version: "^0.9", Alias: "two"}}
	sub := []*chartv2.Dependency{{Name: "sub", Version: "1.0.0"}}
	missing := " declares the dependency crds ^0.9, and holds none that meets it; add that chart to its charts folder, or remove the entry"
	for name, test := range map[string]struct {
		chart *chartv2.Chart
		want  []string
	}{
		"met":             {chart("pi", "1.0.0", two, chart("crds", "0.9.1", nil)), nil},
		"another version": {chart("pi", "1.0.0", two, chart("crds", "1.0.0", nil)), []string{"pi" + missing}},
		"in a subchart":   {chart("pi", "1.0.0", sub, chart("sub", "1.0.0", two[1:])), []string{"pi/charts/sub" + missing}},
		"not declared": {chart("pi", "1.0.0", sub, chart("sub", "1.0.0", nil), chart("crds", "1.0.0", nil)),
			[]string{"pi holds the " +
				"chart crds 1.0.0 in its charts folder and does not declare it, and Helm's linter refuses it; add it to the " +
				"dependencies in Chart.yaml, or remove it from the folder"}},
		"declared twice": {chart("pi", "1.0.0", append(sub, sub...), chart("sub", "1.0.0", nil)), []string{
			"pi declares two " +
				"dependencies as sub, and Helm's linter refuses it; give one of them an alias of its own, or remove it"}},
	} {
		if got := Unmet(test.chart); !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}
