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
	line = strings.Join(m[1:], ".")
	if _, _, err := p.parseLine(line); err != nil { // a number too large
		return "", false
	}
	return line, true
}

var lineForm = regexp.MustCompile(`^(0|[1-9][0-9]*)(?:\.(0|[1-9][0-9]*))?$`)

// BranchOf is the branch of a line, such as release-1.5 of 1.5; what is no line of this pattern is refused.
func (p Pattern) BranchOf(line string) (string, error) {
	major, minor, err := p.parseLine(line)
	if err != nil {
		return "", err
	}
	return p.Branch(Version{major: major, minor: minor}), nil
}

func (p Pattern) parseLine(line string) (major, minor uint64, err error) {
	m := lineForm.FindStringSubmatch(line)
	if m == nil || p.PerMinor() != (m[2] != "") {
		form := "X, such as 1"
		if p.PerMinor() {
			form = "X.Y, such as 1.5"
		}
		return 0, 0, refusal.New("read line %q: with branches named %q a line is written %s", line, p, form)
	}
	if major, err = strconv.ParseUint(m[1], 10, 64); err == nil && m[2] != "" {
		minor, err = strconv.ParseUint(m[2], 10, 64)
	}
	if err != nil {
		return 0, 0, refusal.New("read line %q: %w", line, err)
	}
	return major, minor, nil
}

// FollowLine refuses a line that may not be opened after those that exist: it is the next minor of the newest, or the first of the next major. A project's first
// line may be any.
func (p Pattern) FollowLine(existing []string, line string) error {
	major, minor, err := p.parseLine(line)
	if err != nil || len(existing) == 0 {
		return err
	}
	var newestMajor, newestMinor uint64
	newest := ""
	for _, e := range existing {
		x, y, err := p.parseLine(e)
		if err != nil {
			return err
		}
		if newest == "" || x > newestMajor || x == newestMajor && y > newestMinor {
			newest, newestMajor, newestMinor = e, x, y
		}
	}
	next := strconv.FormatUint(newestMajor+1, 10)
	if p.PerMinor() {
		next = strconv.FormatUint(newestMajor, 10) + "." + strconv.FormatUint(newestMinor+1, 10) + " or " + next + ".0"
		if major == newestMajor && minor == newestMinor+1 {
			return nil
		}
	}
	if major == newestMajor+1 && minor == 0 {
		return nil
	}
	return refusal.New("open line %s: the newest line is %s, so the next is %s", line, newest, next)
}

// LineLess tells whether a line comes before another one.
func (p Pattern) LineLess(a, b string) bool {
	x, y, _ := p.parseLine(a) // what is no line comes first
	u, v, _ := p.parseLine(b)
	return x < u || x == u && y < v
}
