package config

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
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

// Unmatched are the patterns of Paths that match none of the files; those that take out again do not count.
func (g Generated) Unmatched(files []string) ([]string, error) {
	var unmatched []string
	for _, pattern := range g.Paths {
		if strings.HasPrefix(strings.TrimSpace(pattern), "!") {
			continue
		}
		makes, err := matcher([]string{pattern})
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(files, makes) {
			unmatched = append(unmatched, pattern)
		}
	}
	return unmatched, nil
}

// generatedIn leaves out the rules of which the tree has no file.
func generatedIn(tree fs.FS, rules []Generated) ([]Generated, error) {
	var files []string
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, name)
		}
		return err
	})
	var all []Generated
	for _, g := range rules {
		makes, bad := g.Matcher()
		if bad != nil {
			return nil, bad
		}
		if slices.ContainsFunc(files, makes) {
			all = append(all, g)
		}
	}
	return all, err
}

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
