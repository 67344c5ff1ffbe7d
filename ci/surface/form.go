package surface

import (
	"fmt"
	"regexp"

	"github.com/operator-release/operator-release/ci/version"
)

// Form is how a surface writes a version.
type Form struct {
	V         bool   // a v comes first
	Candidate string // what stands before the number of a candidate; empty: the place shows a final, which does not tell
}

// The forms: v1.5.0-rc.0, 1.5.0-rc.0, and both with the dashes that a badge's address needs.
var (
	Tag      = Form{true, "-rc."}
	SemVer   = Form{false, "-rc."}
	TagBadge = Form{true, "--rc."}
	Badge    = Form{false, "--rc."}
)

// Write is the version in this form.
func (f Form) Write(v version.Version) string {
	text := v.Final().SemVer()
	if f.V {
		text = v.Final().String()
	}
	if n, ok := v.Candidate(); ok {
		candidate := f.Candidate
		if candidate == "" {
			candidate = SemVer.Candidate
		}
		text += fmt.Sprint(candidate, n)
	}
	return text
}

// written is a version as files write it: SemVer, PEP 440 (1.5.0rc0), and the dashes of a badge's address.
var written = regexp.MustCompile(`^(v?)((?:0|[1-9][0-9]*)\.(?:0|[1-9][0-9]*)\.(?:0|[1-9][0-9]*))` +
	`(?:([-._]?-?[rR][cC][-._]?)(0|[1-9][0-9]*))?$`)

// Parse reads a version in any form that files write, and tells the form. ok is false for all other texts.
func Parse(text string) (v version.Version, form Form, ok bool) {
	m := written.FindStringSubmatch(text)
	if m == nil {
		return v, form, false
	}
	name := "v" + m[2]
	if m[4] != "" {
		name += "-rc." + m[4]
	}
	v, err := version.Parse(name)
	return v, Form{V: m[1] != "", Candidate: m[3]}, err == nil
}

// formOf is the form of a text. A place that shows no version gets a tag's form.
func formOf(text string) Form {
	if _, form, ok := Parse(text); ok {
		return form
	}
	return Form{V: text == "" || text[0] < '0' || text[0] > '9'}
}
