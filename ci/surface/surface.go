package surface

import (
	"bytes"
	"errors"
	"slices"

	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/version"
)

// Value is one occurrence of the version in a file.
type Value struct {
	Name  string // what carries it: version, appVersion, newTag of IMAGE, …
	Line  int    // from 1
	Start int    // byte offsets of Text
	End   int
	Text  string
	Form  Form
	// Always tells that the value follows the version, also if it said another one before: a pattern of the settings, and the
	// version of a released chart.
	Always bool
	Image  bool   // it is an image's tag, or shows it
	Badge  string // of a chart's value: the badge that shows it, and of a badge: its own name
}

// Says tells whether the value is v in its form.
func (v Value) Says(want version.Version) bool { return v.Text == v.Form.Write(want) }

// Means tells whether the value is v in any form.
func (v Value) Means(want version.Version) bool {
	said, _, ok := Parse(v.Text)
	return ok && said == want
}

// Surface is a file that carries the version.
type Surface struct {
	Kind string // VERSION file, chart, values, kustomization, README badge, Python, Go module, pattern
	Path string

	pattern string // of the settings; empty where the file's format tells
	locate  func(content []byte) ([]Value, error)
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

// Edit writes the version into the file's content and changes nothing but the bytes of the values that follow; all
// follow where follows is nil. It reads the result back: where that does not say what was written, the edit is refused.
func (s Surface) Edit(content []byte, v version.Version, follows func(Value) (Form, bool)) ([]byte, error) {
	values, err := s.Read(content)
	if err != nil {
		return nil, err
	}
	if follows == nil {
		follows = func(value Value) (Form, bool) { return value.Form, true }
	}
	var out []byte
	var want []string
	at := 0
	for _, value := range values {
		text := value.Text
		if form, ok := follows(value); ok {
			text = form.Write(v)
		}
		out = append(append(out, content[at:value.Start]...), text...)
		want, at = append(want, text), value.End
	}
	out = append(out, content[at:]...)
	again, err := s.Read(out)
	var bad *badPattern
	if errors.As(err, &bad) {
		err = bad.error // the advice is for what is written now
	}
	if err != nil {
		return nil, refusal.New("write %s into %s: the edited file could not be read back: %w; %s", v, s.Path,
			err, s.advice(content))
	}
	if len(again) != len(values) {
		return nil, refusal.New("write %s into %s: the edited file reads back with %d values where %d were; %s",
			v, s.Path, len(again), len(values), s.advice(content))
	}
	for i, value := range again {
		if value.Text != want[i] {
			return nil, refusal.New("write %s into %s: line %d reads back as %q where %q was written; %s",
				v, s.Path, value.Line, value.Text, want[i], s.advice(content))
		}
	}
	return out, nil
}

// advice says what to do about a file that does not say what was written.
func (s Surface) advice(content []byte) string {
	if s.pattern == "" {
		return "write the version there as a plain scalar on one line"
	}
	return patternAdvice(s.pattern, content)
}
