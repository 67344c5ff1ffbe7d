package version

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/Masterminds/semver/v3"

	"github.com/operator-release/operator-release/ci/refusal"
)

// maxLength is the longest image tag that the OCI distribution specification allows,
// in characters. Git tag and image tag are the same string.
const maxLength = 128

var form = regexp.MustCompile(`^v(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(?:-rc\.(0|[1-9][0-9]*))?$`)

// Version is a candidate (v1.5.0-rc.0), a final (v1.5.0) or a patch (v1.5.1).
// The zero value is no version; Parse makes one.
//
// Versions may be compared with == and used as keys.
type Version struct {
	text                string
	major, minor, patch uint64
	rc                  int64 // -1 for finals
}

// Parse reads a version in its one written form. Anything else is refused with what is wrong in it.
func Parse(s string) (Version, error) {
	if len(s) > maxLength {
		return Version{}, refusal.New("read version %q…: it has %d characters, an image tag may have %d; write vX.Y.Z or vX.Y.Z-rc.N", s[:16], len(s), maxLength)
	}
	if !form.MatchString(s) {
		return Version{}, refusal.New("read version %q: %s; write vX.Y.Z or vX.Y.Z-rc.N, such as v1.5.0 or v1.5.0-rc.0", s, complaint(s))
	}
	sem, err := semver.StrictNewVersion(s[1:])
	if err != nil {
		return Version{}, refusal.New("read version %q: one of its numbers is too large (%w); write vX.Y.Z or vX.Y.Z-rc.N", s, err)
	}
	v := Version{text: s, major: sem.Major(), minor: sem.Minor(), patch: sem.Patch(), rc: -1}
	if pre := sem.Prerelease(); pre != "" {
		if _, err := fmt.Sscanf(pre, "rc.%d", &v.rc); err != nil {
			return Version{}, refusal.New("read version %q: the number of the candidate is too large", s)
		}
	}
	return v, nil
}

// MustParse is Parse for versions known to be good, such as those in tests.
func MustParse(s string) Version {
	v, err := Parse(s)
	if err != nil {
		panic(err)
	}
	return v
}

// complaint says what keeps s from being a version.
func complaint(s string) string {
	rest, hasV := strings.CutPrefix(s, "v")
	core, pre, hasPre := strings.Cut(rest, "-")
	numbers := strings.Split(core, ".")
	switch {
	case s == "":
		return "it is empty"
	case strings.TrimSpace(s) != s:
		return "it has white space around it"
	case !hasV:
		return `it does not begin with "v"`
	case strings.Contains(s, "+"):
		return "build metadata (+…) cannot be part of an image tag"
	case len(numbers) != 3:
		return fmt.Sprintf("it has %d numbers where three belong", len(numbers))
	}
	for _, n := range numbers {
		if n == "" || strings.Trim(n, "0123456789") != "" {
			return fmt.Sprintf("%q is not a number", n)
		}
		if len(n) > 1 && n[0] == '0' {
			return fmt.Sprintf("%q has a leading zero", n)
		}
	}
	if n, ok := strings.CutPrefix(pre, "rc."); hasPre && ok && n != "" && strings.Trim(n, "0123456789") == "" {
		return fmt.Sprintf("%q has a leading zero", n)
	}
	return fmt.Sprintf("%q is no candidate; only -rc.N is", "-"+pre)
}

// String is the tag: the same string in git and for images.
func (v Version) String() string { return v.text }

// SemVer is the version without the leading v: a chart's version.
func (v Version) SemVer() string { return strings.TrimPrefix(v.text, "v") }

// IsZero tells whether v is no version at all.
func (v Version) IsZero() bool { return v.text == "" }

// Major, Minor and Patch are the three numbers.
func (v Version) Major() uint64 { return v.major }

// Minor is the second number.
func (v Version) Minor() uint64 { return v.minor }

// Patch is the third number.
func (v Version) Patch() uint64 { return v.patch }

// Candidate tells whether v is a release candidate, and its number.
func (v Version) Candidate() (number int64, ok bool) { return v.rc, v.rc >= 0 }

// Final is v without the candidate's number; for a final it is v itself.
func (v Version) Final() Version {
	if v.rc < 0 {
		return v
	}
	return core(v.Major(), v.Minor(), v.Patch())
}

// NextPatch is the final that comes after v on its line: of a candidate its own final.
func (v Version) NextPatch() Version {
	if v.rc >= 0 {
		return v.Final()
	}
	return core(v.major, v.minor, v.patch+1)
}

// Compare orders versions as SemVer does: candidates before their final.
func (v Version) Compare(o Version) int { return v.sem().Compare(o.sem()) }

func (v Version) sem() *semver.Version {
	pre := ""
	if v.rc >= 0 {
		pre = fmt.Sprintf("rc.%d", v.rc)
	}
	return semver.New(v.major, v.minor, v.patch, pre, "")
}

// MarshalText writes the tag.
func (v Version) MarshalText() ([]byte, error) { return []byte(v.text), nil }

// UnmarshalText reads a tag; an empty text gives the zero value.
func (v *Version) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*v = Version{}
		return nil
	}
	parsed, err := Parse(string(text))
	if err != nil {
		return err
	}
	*v = parsed
	return nil
}

func core(major, minor, patch uint64) Version {
	return MustParse(fmt.Sprintf("v%d.%d.%d", major, minor, patch))
}
