package backport

import (
	"regexp"
	"slices"

	"github.com/operator-release/operator-release/ci/config"
)

var placeholder = regexp.MustCompile(`\\{[a-z]+\\}`)

// isChangelog matches the changelog that the settings name; it may have placeholders of the version in its path.
func isChangelog(c config.Config) func(path string) bool {
	if c.Changelog == "" || c.Changelog == config.NoChangelog {
		return nil
	}
	pattern := placeholder.ReplaceAllString(regexp.QuoteMeta(c.Changelog), `[^/]+`)
	return regexp.MustCompile("^" + pattern + "$").MatchString
}

// unmerged matches what a pick never merges by its lines: generated files and the changelog.
func unmerged(c config.Config) (func(path string) bool, error) {
	rules, err := rulesOf(c.Generated)
	changelog := isChangelog(c)
	return func(path string) bool {
		return changelog != nil && changelog(path) || slices.ContainsFunc(rules, func(r rule) bool { return r.makes(path) })
	}, err
}
