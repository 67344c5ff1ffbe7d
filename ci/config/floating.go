package config

import (
	"regexp"
	"strings"

	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/version"
)

// tagForm is an image tag, as the OCI distribution specification writes it.
var tagForm = regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$`)

// checkFloating refuses a form of a floating tag that yields no tag, or one that names a version: those never move.
func checkFloating(where, form string) error {
	sample := strings.NewReplacer("{major}", "1", "{minor}", "5").Replace(form)
	switch {
	case !tagForm.MatchString(sample):
		return refusal.New("%s: %q yields no image tag; write latest, v{major} or v{major}.{minor}, or the like", where, form)
	case strings.Contains(form, "{minor}") && !strings.Contains(form, "{major}"):
		return refusal.New("%s: %q would stand for one minor of every major version; put {major} in it, too", where, form)
	}
	for _, v := range []string{sample, "v" + sample} {
		if _, err := version.Parse(v); err == nil {
			return refusal.New("%s: %q yields %s, which is a version: its tag never moves", where, form, sample)
		}
	}
	return nil
}
