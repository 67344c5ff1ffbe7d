package surface

import (
	"errors"
	"io/fs"
	"slices"
	"strings"

	"github.com/operator-release/operator-release/ci/config"
)

// The kinds of places that others depend on.
const (
	chartKind   = "chart"
	badgeKind   = "README badge"
	patternKind = "pattern"
)

// Find gives the surfaces of a tree, ordered by path. Of the paths that the settings exclude it gives the charts alone.
func Find(tree fs.FS, c config.Config) ([]Surface, error) {
	var found []Surface
	excluded := c.Excluded()
	add := func(s Surface) {
		if s.Kind == chartKind || !excluded(s.Path) {
			found = append(found, s)
		}
	}
	if _, err := fs.Stat(tree, "VERSION"); err == nil {
		add(Surface{Kind: "VERSION file", Path: "VERSION", locate: wholeFile})
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var repositories []string
	for _, image := range c.Images {
		repositories = append(repositories, image.Repository)
	}
	for _, chart := range c.Charts {
		locate := chartVersions
		if excluded(chart.Path + "/Chart.yaml") {
			locate = chartVersionAlone
		}
		add(Surface{Kind: chartKind, Path: chart.Path + "/Chart.yaml", locate: locate})
		for _, of := range []Surface{
			{badgeKind, chart.Path + "/README.md", func(content []byte) ([]Value, error) { return badges(content), nil }},
			{valuesKind, chart.Path + "/values.yaml", valueTags(repositories)},
		} {
			if content, err := fs.ReadFile(tree, of.Path); err == nil {
				if values, err := of.locate(content); err == nil && len(values) > 0 {
					add(of)
				}
			}
		}
	}
	found = append(found, dependencies(tree, c)...) // they name the version of a released chart
	for _, p := range c.Surfaces {
		if !p.Exclude {
			found = append(found, Surface{Kind: patternKind, Path: p.Path, locate: pattern(p.Pattern)})
		}
	}
	modules, err := goModules(tree)
	if err != nil {
		return nil, err
	}
	for _, s := range modules {
		add(s)
	}
	err = fs.WalkDir(tree, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || excluded(path) {
			return err
		}
		var s Surface
		switch entry.Name() {
		case "kustomization.yaml", "kustomization.yml":
			s = Surface{Kind: "kustomization", Path: path, locate: newTags(repositories)}
		case "__init__.py", "_version.py", "__version__.py", "version.py":
			s = Surface{Kind: "Python", Path: path, locate: pythonVersion}
		default:
			return nil
		}
		content, err := fs.ReadFile(tree, path)
		if err != nil {
			return err
		}
		if values, err := s.Read(content); err != nil || len(values) > 0 {
			found = append(found, s)
			return err
		}
		return nil
	})
	slices.SortFunc(found, func(a, b Surface) int { return strings.Compare(a.Path+a.Kind, b.Path+b.Kind) })
	return found, err
}
