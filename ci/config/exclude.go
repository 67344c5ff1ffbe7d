package config

import (
	"github.com/operator-release/operator-release/ci/refusal"
)

// Excluded gives a function that tells whether the settings exclude a slash path from the surfaces. It must not be
// called by several goroutines at once.
func (c Config) Excluded() func(path string) bool {
	var paths []string
	for _, s := range c.Surfaces {
		if s.Exclude {
			paths = append(paths, s.Path)
		}
	}
	excluded, err := matcher(paths)
	if err != nil || len(paths) == 0 { // Load has refused a pattern that cannot be parsed
		return func(string) bool { return false }
	}
	return excluded
}

// checkExclude refuses a surface that has neither or both of pattern and exclude.
func checkExclude(where string, s Surface) error {
	switch _, err := matcher([]string{s.Path}); {
	case s.Pattern == "" && !s.Exclude:
		return refusal.New("%s: it has no pattern; write one, with a group around the version, or exclude: true", where)
	case s.Pattern != "":
		return refusal.New("%s: it has a pattern and exclude; a path either follows the version or it does not", where)
	case err != nil:
		return refusal.New("%s.path: %w; write a path, or a pattern such as ui/**/version.py", where, err)
	}
	return nil
}
