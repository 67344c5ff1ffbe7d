package backport

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/process"
	"github.com/operator-release/operator-release/ci/toolchain"
)

// lastLines is how much of what a failed command printed a conflict shows.
const lastLines = 10

// rule is a command, and what it makes.
type rule struct {
	command string
	makes   func(path string) bool
}

func rulesOf(generated []config.Generated) ([]rule, error) {
	var rules []rule
	for _, g := range generated {
		makes, err := g.Matcher()
		if err != nil {
			return nil, fmt.Errorf("read what `%s` generates: %w", g.Command, err)
		}
		rules = append(rules, rule{g.Command, makes})
	}
	return rules, nil
}

// generated tells whether a path is made by a command.
func (l *lining) generated(path string) bool {
	return slices.ContainsFunc(l.rules, func(r rule) bool { return r.makes(path) })
}

// regenerate runs, in a checkout of start, the commands that make the kept paths, and gives the tree with what each of them left at the paths that
// it makes. A command that fails is a conflict of made, at the first of its paths.
func (l *lining) regenerate(ctx context.Context, start git.Commit, kept []string, made *applied) (tree string, err error) {
	scratch, err := os.MkdirTemp("", "release-regenerate-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(scratch)
	dir := filepath.Join(scratch, "tree")
	when := start.Committer.Time
	if err := l.Repository.Checkout(ctx, dir, nil, start.ID, "", "", when); err != nil {
		return "", err
	}
	tree = start.Tree
	objects, err := l.Repository.Tree(ctx, tree)
	if err != nil {
		return "", err
	}
	defer objects.Close()
	made.ran = slices.DeleteFunc(slices.Clone(l.rules), func(r rule) bool { return !slices.ContainsFunc(kept, r.makes) })
	if err := older(dir, objects, made.ran, when); err != nil {
		return "", err
	}
	env, envErr := environment(objects)
	for _, r := range made.ran {
		err := envErr
		if err == nil {
			err = l.run(ctx, dir, env, r.command)
		}
		if err == nil {
			var taken string
			if taken, err = l.Repository.Take(ctx, tree, dir, r.makes); err == nil {
				tree = taken
			}
		}
		if ctx.Err() != nil {
			return "", fmt.Errorf("regenerate by `%s`: stopped: %w", r.command, context.Cause(ctx))
		}
		if err != nil {
			made.failed = append(made.failed, r.command)
			made.conflicts = append(made.conflicts, git.Conflict{Path: kept[slices.IndexFunc(kept, r.makes)], Why: fmt.Sprintf("regenerate by `%s`: %v", r.command, err)})
		}
	}
	return tree, nil
}

// environment is what the commands of a tree run in, as the gate's do.
func environment(tree *git.Tree) ([]string, error) {
	named, err := toolchain.Named(tree)
	if err != nil {
		return nil, err
	}
	return toolchain.Env(named)
}

// older makes what the rules make older than what it is made of: make passes over what is not.
func older(dir string, tree *git.Tree, rules []rule, when time.Time) error {
	when = when.Add(-time.Hour)
	for _, e := range tree.Entries() {
		if !strings.HasPrefix(e.Mode, "100") || !slices.ContainsFunc(rules, func(r rule) bool { return r.makes(e.Path) }) {
			continue
		}
		if err := os.Chtimes(filepath.Join(dir, filepath.FromSlash(e.Path)), when, when); err != nil {
			return err
		}
	}
	return nil
}

// run runs a command; its error tells how it ended, with the last of what it printed.
func (l *lining) run(ctx context.Context, dir string, env []string, command string) error {
	fmt.Fprintf(l.Log, "$ %s\n", command)
	out := &process.Tail{Log: l.Log}
	err := process.Run(ctx, dir, env, out, "sh", "-c", command)
	ended, ran := process.Ended(err)
	if !ran {
		return err
	}
	last := out.Last()
	if len(last) == 0 {
		last = []string{"it printed nothing"}
	}
	return fmt.Errorf("%s: %s", ended, strings.Join(last[max(0, len(last)-lastLines):], "\n"))
}

// regenerated are the paths that the commands that ran make, where they differ from what all was applied onto.
func (l *lining) regenerated(ctx context.Context, on git.Commit, made applied) ([]string, error) {
	if len(made.ran) == 0 {
		return nil, nil
	}
	changes, err := l.Repository.Changes(ctx, on.Tree, made.commit.Tree)
	if err != nil {
		return nil, err
	}
	var paths []string
	for path := range changes {
		if slices.ContainsFunc(made.ran, func(r rule) bool { return r.makes(path) }) {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return paths, nil
}

// shared is a log that several lines write to.
type shared struct {
	mu sync.Mutex
	w  io.Writer
}

func (s *shared) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.w.Write(p)
}
