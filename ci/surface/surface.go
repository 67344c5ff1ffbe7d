package surface

import (
	"bytes"
	"errors"
	"io/fs"
	"slices"
	"strings"

	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/version"
)

// Form is how a surface writes a version.
type Form string

// The forms: v1.5.0-rc.0, 1.5.0-rc.0, and both with the dashes that a badge's address needs.
const (
	Tag      Form = "tag"
	SemVer   Form = "semver"
	TagBadge Form = "tag badge"
	Badge    Form = "semver badge"
)

// Write is the version in this form.
func (f Form) Write(v version.Version) string {
	switch f {
	case SemVer:
		return v.SemVer()
	case Badge:
		return strings.ReplaceAll(v.SemVer(), "-", "--")
	case TagBadge:
		return strings.ReplaceAll(v.String(), "-", "--")
	}
	return v.String()
}

// formOf keeps the form that a place has: with or without v.
func formOf(text string) Form {
	if text != "" && text[0] >= '0' && text[0] <= '9' {
		return SemVer
	}
	return Tag
}

// Value is one occurrence of the version in a file.
type Value struct {
	Name  string // what carries it: version, appVersion, newTag of IMAGE, …
	Line  int    // from 1
	Start int    // byte offsets of Text
	End   int
	Text  string
	Form  Form
}

// Says tells whether the value is v in its form.
func (v Value) Says(want version.Version) bool { return v.Text == v.Form.Write(want) }

// Surface is a file that carries the version.
type Surface struct {
	Kind string // VERSION file, chart, kustomization, README badge, Python, pattern
	Path string

	locate func(content []byte) ([]Value, error)
}

// Read finds the values in the file's content, in their order. A file that must carry a version and does not is refused.
func (s Surface) Read(content []byte) ([]Value, error) {
	values, err := s.locate(content)
	if err != nil {
		return nil, refusal.New("read the version in %s: %w", s.Path, err)
	}
	for i := range values {
		values[i].Text = string(content[values[i].Start:values[i].End])
		values[i].Line = 1 + bytes.Count(content[:values[i].Start], []byte("\n"))
	}
	slices.SortFunc(values, func(a, b Value) int { return a.Start - b.Start })
	return values, nil
}

// Edit writes the version into the file's content and changes nothing but the values' bytes. It reads the result
// back: where that does not say the version everywhere, the edit is refused.
func (s Surface) Edit(content []byte, v version.Version) ([]byte, error) {
	values, err := s.Read(content)
	if err != nil {
		return nil, err
	}
	var out []byte
	at := 0
	for _, value := range values {
		out = append(out, content[at:value.Start]...)
		out = append(out, value.Form.Write(v)...)
		at = value.End
	}
	out = append(out, content[at:]...)
	again, err := s.Read(out)
	if err != nil {
		return nil, refusal.New("write %s into %s: the edited file could not be read back: %w; write the version there as a plain scalar on one line", v, s.Path, err)
	}
	if len(again) != len(values) {
		return nil, refusal.New("write %s into %s: the edited file reads back with %d values where %d were; write the version there as a plain scalar on one line", v, s.Path, len(again), len(values))
	}
	for _, value := range again {
		if !value.Says(v) {
			return nil, refusal.New("write %s into %s: line %d reads back as %q; write the version there as a plain scalar on one line", v, s.Path, value.Line, value.Text)
		}
	}
	return out, nil
}

// Occurrence is a value of a surface.
type Occurrence struct {
	Surface
	Value
}

// Rewrite gives every value of a tree's surfaces as it is, and the contents of the files that change where all say the version, by path. A file that is, or lies
// behind, a symbolic link is refused.
func Rewrite(tree *git.Tree, c config.Config, v version.Version) (found []Occurrence, edits map[string][]byte, err error) {
	surfaces, err := Find(tree, c)
	if err != nil {
		return nil, nil, err
	}
	edits = map[string][]byte{}
	for _, s := range surfaces {
		content, ok := edits[s.Path]
		if !ok {
			if content, err = tree.ReadFile(s.Path); err != nil {
				return nil, nil, refusal.New("read surface %s: %w", s.Path, err)
			}
		}
		if e, ok := tree.Entry(s.Path); !ok || e.Mode == "120000" {
			return nil, nil, refusal.New("edit surface %s: it is, or lies behind, a symbolic link; name the file itself", s.Path)
		}
		values, err := s.Read(content)
		if err != nil {
			return nil, nil, err
		}
		after, err := s.Edit(content, v)
		if err != nil {
			return nil, nil, err
		}
		if string(after) != string(content) {
			edits[s.Path] = after
		}
		for _, value := range values {
			found = append(found, Occurrence{s, value})
		}
	}
	relock(tree, c, edits)
	return found, edits, nil
}

// Find gives the surfaces of a tree, ordered by path.
func Find(tree fs.FS, c config.Config) ([]Surface, error) {
	var found []Surface
	if _, err := fs.Stat(tree, "VERSION"); err == nil {
		found = append(found, Surface{Kind: "VERSION file", Path: "VERSION", locate: wholeFile})
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, chart := range c.Charts {
		found = append(found, Surface{Kind: "chart", Path: chart.Path + "/Chart.yaml", locate: chartVersions})
		if content, err := fs.ReadFile(tree, chart.Path+"/README.md"); err == nil && len(badges(content)) > 0 {
			found = append(found, Surface{Kind: "README badge", Path: chart.Path + "/README.md",
				locate: func(content []byte) ([]Value, error) { return badges(content), nil }})
		}
	}
	found = append(found, dependencies(tree, c)...)
	for _, p := range c.Surfaces {
		found = append(found, Surface{Kind: "pattern", Path: p.Path, locate: pattern(p.Pattern)})
	}
	var repositories []string
	for _, image := range c.Images {
		repositories = append(repositories, image.Repository)
	}
	err := fs.WalkDir(tree, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
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
