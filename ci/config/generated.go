package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/moby/patternmatcher"
)

// Generated are files that a command makes of others.
type Generated struct {
	// Paths are patterns as in .dockerignore: * stays within a folder, ** crosses folders, a folder means all below it, ! takes out again.
	Paths []string `json:"paths"`
	// Command is a shell command that makes them, run at the repository's root.
	Command string `json:"command"`
}

// Matcher gives a function that tells whether a slash path is one of these. It must not be called by several goroutines at once. A pattern
// that cannot be parsed is an error; Load has refused it.
func (g Generated) Matcher() (func(path string) bool, error) { return matcher(g.Paths) }

func matcher(paths []string) (func(path string) bool, error) {
	for _, p := range paths {
		// A pattern is compiled when it is first asked, and one that takes out may never be.
		alone, err := patternmatcher.New([]string{strings.TrimPrefix(strings.TrimSpace(p), "!")})
		if err == nil && len(alone.Patterns()) == 0 {
			err = errors.New("it is empty")
		}
		if err == nil {
			_, err = alone.MatchesOrParentMatches("x")
		}
		if err != nil {
			return nil, fmt.Errorf("the pattern %q: %w", p, err)
		}
	}
	all, err := patternmatcher.New(paths)
	if err != nil {
		return nil, fmt.Errorf("the patterns %q: %w", paths, err)
	}
	return func(path string) bool {
		matched, err := all.MatchesOrParentMatches(path)
		return err == nil && matched // every pattern compiles
	}, nil
}
