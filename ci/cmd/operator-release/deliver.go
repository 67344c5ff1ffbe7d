package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/output"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/report"
)

// replaces tells whether there is a folder of the kind that a new one takes the place of. A folder that holds anything
// else is refused.
func replaces(k output.Kind, target string) (bool, error) {
	if filepath.Clean(target) == "." {
		return false, refusal.New("write %s to %q: that is the folder in which the command runs; name another with -o",
			k.Name, target)
	}
	entries, err := os.ReadDir(target)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		return false, nil
	}
	if err != nil {
		return false, refusal.New("write %s to %s: it is no folder that can be read: %w; name another with -o",
			k.Name, target, err)
	}
	is, err := k.Is(target)
	if err != nil {
		return false, fmt.Errorf("write %s to %s: find out what is there: %w", k.Name, target, err)
	}
	if !is {
		return false, refusal.New("write %s to %s: the folder is not empty and holds no %s; name another with -o",
			k.Name, target, k.Name)
	}
	if _, err := os.Lstat(filepath.Join(target, ".git")); err == nil {
		return false, refusal.New("write %s to %s: the folder is a work tree of git, which would be lost; "+
			"name another with -o, and copy it there", k.Name, target)
	}
	return true, nil
}

// deliver moves a finished folder to where it was asked for. Only one of its kind, or an empty folder, is replaced.
func deliver(k output.Kind, from, target string) error {
	if from == target {
		return nil // kept
	}
	replaces, err := replaces(k, target)
	if err != nil {
		return err
	}
	if target, err = place(target); err != nil {
		return err
	}
	if !replaces {
		if err := os.Remove(target); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return os.Rename(from, target)
	}
	old := filepath.Join(filepath.Dir(from), "replaced")
	if err := os.Rename(target, old); err != nil {
		return fmt.Errorf("put the old %s in %s aside: %w", k.Name, target, err)
	}
	if err := os.Rename(from, target); err != nil {
		return errors.Join(err, os.Rename(old, target))
	}
	return nil
}

// deliver delivers a folder, and tells the line for .gitignore where a commit of everything would hold it.
func (a *app) deliver(ctx context.Context, k output.Kind, from, target string) error {
	if err := deliver(k, from, target); err != nil {
		return err
	}
	a.tellUnignored(ctx, k.Name, target)
	return nil
}

// tellUnignored tells the line for .gitignore if a folder lies in the work tree and git does not ignore it.
func (a *app) tellUnignored(ctx context.Context, what, target string) {
	source, err := git.Open(ctx, a.source)
	if err != nil || a.quiet {
		return // a command that needs the repository says so
	}
	at, err := place(target)
	if err != nil {
		return
	}
	folder, err := filepath.Rel(source.Dir(), at)
	if err != nil || !filepath.IsLocal(folder) || folder == "." {
		return
	}
	folder = filepath.ToSlash(folder)
	if ignored, err := source.Ignored(ctx, folder); err != nil || ignored {
		return
	}
	report.New(a.stderr).Line(report.Note, "%s: git does not ignore this %s, and `git add --all` "+
		"would take it into a commit; add this line to .gitignore: %s", folder, what, output.IgnoreLine(folder))
}
