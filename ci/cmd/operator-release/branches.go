package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/report"
)

// branching makes branches in the repository, for pull requests, and pushes them where that is asked for.
type branching struct {
	push   bool
	remote string
	leave  bool              // a branch that is on the remote with other content is somebody's work: it stays, and is no refusal
	left   map[string]string // what stayed so, with its commit there
}

func (b *branching) flags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&b.push, "push", false, "push the branch too; one that is there with other content is refused")
	cmd.Flags().StringVar(&b.remote, "remote", "", "the git remote to push to: "+remoteForms)
}

// make makes each branch at its commit, unless it is there with this very commit, and pushes them all. One that is there with another commit is somebody's work: it is
// refused, and none is made. The objects are those of a stage's folder, which may have made none. What was made is told by name.
func (b *branching) make(ctx context.Context, source string, branches map[string]string, made string) (map[string]bool, error) {
	if b.remote != "" && !b.push {
		return nil, refusal.New("push to %s: add --push; without it branches are made here only", b.remote)
	}
	repository, err := git.Open(ctx, source)
	if err != nil {
		return nil, err
	}
	var to git.NamedRemote
	if b.push {
		if to, err = repository.FindWritable(ctx, b.remote); err != nil {
			return nil, err
		}
		if to.URL == "" {
			return nil, refusal.New("push branches: %s has no git remote; name one with --remote", repository.Dir())
		}
	}
	heads, err := repository.Refs(ctx, "refs/heads/")
	if err != nil {
		return nil, err
	}
	missing := map[string]bool{}
	for _, branch := range slices.Sorted(maps.Keys(branches)) {
		if found, ok := heads[branch]; ok && found != branches[branch] {
			return nil, refusal.New("make branch %s at %.12s: it is there already, at %.12s; keep it, or take it away (git branch -D %s) and run this again", branch, branches[branch], found, branch)
		} else if !ok {
			missing[branch] = true
		}
	}
	if len(missing) > 0 && made != "" {
		objects, err := git.ReadObjectsFile(filepath.Join(made, bundle.ObjectsFile))
		if err != nil {
			return nil, err
		}
		if err := repository.Import(ctx, objects); err != nil {
			return nil, err
		}
	}
	for branch := range missing {
		if _, err := repository.Git(ctx, "update-ref", "refs/heads/"+branch, branches[branch], ""); err != nil {
			return nil, fmt.Errorf("make branch %s: %w", branch, err)
		}
	}
	if b.push {
		return missing, b.pushAll(ctx, repository, to.URL, branches)
	}
	return missing, nil
}

// pushAll creates the branches on the remote, or finds them there with these very commits; others are refused, or left.
func (b *branching) pushAll(ctx context.Context, repository *git.Repository, url string,
	branches map[string]string) error {
	dir, err := os.MkdirTemp("", "release-push-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	from, err := repository.Scratch(ctx, dir)
	if err != nil {
		return err
	}
	remote := from.Remote(url)
	refs := map[string]string{}
	for branch, commit := range branches {
		refs["refs/heads/"+branch] = commit
	}
	names := slices.Sorted(maps.Keys(refs))
	b.left = map[string]string{}
	// All are looked at before any is written; who comes in between is refused by git itself.
	there := func() (map[string]string, error) {
		found, err := remote.Refs(ctx, names...)
		for _, ref := range names {
			at, ok := found[ref]
			switch {
			case !ok || at == refs[ref]:
			case b.leave:
				b.left[strings.TrimPrefix(ref, "refs/heads/")] = at
			default:
				return nil, refusal.New("push branch %s at %.12s to %s: it is there already, at %.12s; keep it, or take it away there and run this again", strings.TrimPrefix(ref, "refs/heads/"), refs[ref], url, at)
			}
		}
		return found, err
	}
	found, err := there()
	if err != nil || len(names) == 0 {
		return err
	}
	for _, ref := range names {
		if found[ref] != "" {
			continue
		}
		if err := remote.Create(ctx, ref, refs[ref]); err != nil {
			if found, other := there(); refusal.Is(other) {
				return other
			} else if other == nil && found[ref] != "" && b.leave {
				continue
			}
			return err
		}
	}
	return nil
}

// say tells what became of a branch.
func (b *branching) say(page *report.Page, branch, commit string, made bool) {
	there := ""
	if !made {
		there = ", there already"
	}
	if b.push {
		there += ", pushed"
	}
	page.Line(report.Done, "branch %s at %.12s%s", branch, commit, there)
}

// quarantined gives the repository with new objects going to a scratch folder, and what writes those that commits need into a stage's folder and takes the scratch
// folder away.
func (c call) quarantined(ctx context.Context, repository *git.Repository) (quiet *git.Repository, keep func(commits ...string) error, err error) {
	scratch, err := os.MkdirTemp("", "release-objects-")
	if err != nil {
		return nil, nil, err
	}
	if quiet, err = repository.Quarantine(ctx, scratch); err != nil {
		return nil, nil, errors.Join(err, os.RemoveAll(scratch))
	}
	return quiet, func(commits ...string) error {
		defer os.RemoveAll(scratch)
		objects, err := quiet.Reachable(ctx, commits)
		if err != nil {
			return err
		}
		f, err := os.Create(filepath.Join(c.out, bundle.ObjectsFile))
		if err != nil {
			return err
		}
		return errors.Join(git.WriteObjects(f, objects), f.Close())
	}, nil
}
