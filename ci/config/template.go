package config

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/version"
)

// Values are what the placeholders of ldflags and build arguments stand for.
type Values struct {
	Version version.Version
	Line    string
	Commit  string    // id of the release commit
	Time    time.Time // of the release commit
}

var placeholders = []string{"version", "semver", "major", "minor", "patch", "line", "commit", "date", "epoch"}

var placeholder = regexp.MustCompile(`\{[a-z]+\}`)

// Expand puts the values in place of {version} (v1.5.0), {semver} (1.5.0), {major}, {minor}, {patch},
// {line}, {commit}, {date} (RFC 3339, UTC) and {epoch} (Unix seconds).
func (v Values) Expand(s string) string {
	return strings.NewReplacer(
		"{version}", v.Version.String(),
		"{semver}", v.Version.SemVer(),
		"{major}", strconv.FormatUint(v.Version.Major(), 10),
		"{minor}", strconv.FormatUint(v.Version.Minor(), 10),
		"{patch}", strconv.FormatUint(v.Version.Patch(), 10),
		"{line}", v.Line,
		"{commit}", v.Commit,
		"{date}", v.Time.UTC().Format(time.RFC3339),
		"{epoch}", strconv.FormatInt(v.Time.Unix(), 10),
	).Replace(s)
}

// ExpandAll expands every value of a map.
func (v Values) ExpandAll(m map[string]string) map[string]string {
	out := make(map[string]string, len(m))
	for key, value := range m {
		out[key] = v.Expand(value)
	}
	return out
}

// linePlaceholders are those of a changelog's name.
var linePlaceholders = []string{"major", "minor"}

// ChangelogOf is the file that the notes of a version are added to; empty if there is none.
func (c Config) ChangelogOf(v version.Version) string {
	if c.Changelog == NoChangelog {
		return ""
	}
	return Values{Version: v}.Expand(c.Changelog)
}

// checkChangelog refuses braces in the name of a changelog that are no placeholder.
func checkChangelog(where, file string) error {
	rest := file
	for _, name := range linePlaceholders {
		rest = strings.ReplaceAll(rest, "{"+name+"}", "")
	}
	if strings.ContainsAny(rest, "{}") {
		return refusal.New("%s: %q has other placeholders than {major} and {minor}; write CHANGELOG.md, or a file for each "+
			"line such as CHANGELOG/CHANGELOG-{major}.{minor}.md", where, file)
	}
	return nil
}

// checkPlaceholders refuses {anything} that Expand would leave standing.
func checkPlaceholders(where, s string) error {
	for _, found := range placeholder.FindAllString(s, -1) {
		name := strings.Trim(found, "{}")
		if !slices.Contains(placeholders, name) {
			return refusal.New("%s: there is no placeholder %s%s (all: %s)", where, found, refusal.Meant(name, placeholders), strings.Join(placeholders, ", "))
		}
	}
	return nil
}
