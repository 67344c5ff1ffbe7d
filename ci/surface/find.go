package surface

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/version"
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
		if excluded(path.Join(chart.Path, "Chart.yaml")) {
			locate = chartVersionAlone
		}
		add(Surface{Kind: chartKind, Path: path.Join(chart.Path, "Chart.yaml"), locate: locate})
		for _, of := range []Surface{
			{Kind: badgeKind, Path: path.Join(chart.Path, "README.md"),
				locate: func(content []byte) ([]Value, error) { return badges(content), nil }},
			{Kind: valuesKind, Path: path.Join(chart.Path, "values.yaml"), locate: valueTags(repositories)},
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
			found = append(found, Surface{Kind: patternKind, Path: p.Path, pattern: p.Pattern, locate: pattern(p.Pattern)})
		}
	}
	modules, err := goModules(tree)
	if err != nil {
		return nil, err
	}
	for _, s := range modules {
		add(s)
	}
	err = fs.WalkDir(tree, ".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || excluded(file) {
			return err
		}
		var s Surface
		switch entry.Name() {
		case "kustomization.yaml", "kustomization.yml":
			s = Surface{Kind: "kustomization", Path: file, locate: newTags(repositories)}
		case "__init__.py", "_version.py", "__version__.py", "version.py":
			s = Surface{Kind: "Python", Path: file, locate: pythonVersion}
		default:
			return nil
		}
		content, err := fs.ReadFile(tree, file)
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

// Values reads all values of a tree's surfaces. What cannot be read is in the errors, by path.
func Values(tree fs.FS, c config.Config) (all []Occurrence, unread map[string]error, err error) {
	surfaces, err := Find(tree, c)
	if err != nil {
		return nil, nil, err
	}
	unread = map[string]error{}
	for _, s := range surfaces {
		content, err := fs.ReadFile(tree, s.Path)
		var values []Value
		if err == nil {
			values, err = s.Read(content)
		}
		if err != nil {
			unread[s.Path] = err
		}
		for _, value := range values {
			all = append(all, Occurrence{s, value})
		}
	}
	return all, unread, nil
}

// ImageTag is the image tag that a tree asks for, if it is the version at all: with or without v. The chart decides; a
// tree whose chart does not say is read by its other image tags.
func ImageTag(values []Occurrence, v version.Version) string {
	tag := ""
	for _, value := range values {
		if value.Image && value.Means(v) && (tag == "" || value.Kind == chartKind) {
			tag = value.Text
		}
	}
	if tag == v.SemVer() {
		return tag
	}
	return v.String()
}

// Foreign tells whether another tool published a version that has no record: its tree asks for an image tag that is not
// the version. Where its charts were published is not known then.
func Foreign(values []Occurrence, v version.Version) bool { return ImageTag(values, v) != v.String() }
