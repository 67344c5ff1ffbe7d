package version

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/operator-release/operator-release/ci/refusal"
)

// DefaultPattern gives every minor version a branch of its own.
const DefaultPattern = "release-{major}.{minor}"

// Pattern names the branch of a release line: release-{major}.{minor} or release-{major}.x.
type Pattern struct {
	text   string
	branch *regexp.Regexp
}

var (
	placeholder = regexp.MustCompile(`\{[^{}]*\}`)
	branchChars = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/-]*$`)
)

// ParsePattern reads a branch pattern. It needs {major} once, may have {minor} once after it,
// and has no other placeholder.
func ParsePattern(s string) (Pattern, error) {
	refuse := func(why string) (Pattern, error) {
		return Pattern{}, refusal.New("read branch pattern %q: %s; write something like %s or release-{major}.x", s, why, DefaultPattern)
	}
	found := placeholder.FindAllString(s, -1)
	switch {
	case len(found) == 0:
		return refuse("it has no placeholder, so every line would share one branch")
	case found[0] != "{major}", len(found) == 2 && found[1] != "{minor}", len(found) > 2:
		return refuse("its placeholders are " + strings.Join(found, ", ") + " where {major}, or {major} and then {minor}, belong")
	case strings.Contains(s, "{major}{minor}"):
		return refuse("nothing stands between {major} and {minor}")
	}
	sample := strings.NewReplacer("{major}", "1", "{minor}", "5").Replace(s)
	if !branchChars.MatchString(sample) || strings.Contains(sample, "..") || strings.Contains(sample, "//") ||
		strings.HasSuffix(sample, "/") || strings.HasSuffix(sample, ".") || strings.HasSuffix(sample, ".lock") {
		return refuse("it does not yield branch names that git takes")
	}
	expr := strings.NewReplacer(`\{major\}`, `(0|[1-9][0-9]*)`, `\{minor\}`, `(0|[1-9][0-9]*)`).Replace(regexp.QuoteMeta(s))
	return Pattern{text: s, branch: regexp.MustCompile("^" + expr + "$")}, nil
}

// String is the pattern as written.
func (p Pattern) String() string { return p.text }

// PerMinor tells whether each minor version has a line of its own.
func (p Pattern) PerMinor() bool { return strings.Contains(p.text, "{minor}") }

// Line is the line that v belongs to: "1.5", or "1" where the pattern has no {minor}.
func (p Pattern) Line(v Version) string {
	line := strconv.FormatUint(v.Major(), 10)
	if p.PerMinor() {
		line += "." + strconv.FormatUint(v.Minor(), 10)
	}
	return line
}

// Branch is the branch that v is released from.
func (p Pattern) Branch(v Version) string {
	return strings.NewReplacer(
		"{major}", strconv.FormatUint(v.Major(), 10),
		"{minor}", strconv.FormatUint(v.Minor(), 10),
	).Replace(p.text)
}

// LineOf is the line whose branch this is; ok is false where the branch belongs to none.
func (p Pattern) LineOf(branch string) (line string, ok bool) {
	m := p.branch.FindStringSubmatch(branch)
	if m == nil {
		return "", false
	}
	return strings.Join(m[1:], "."), true
}
