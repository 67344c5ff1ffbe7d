package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/pipeline"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/tags"
	"github.com/operator-release/operator-release/ci/version"
)

// This file compares a clone with its git remote. Commands that read a clone need it, because a clone may be
// incomplete.

// remoteWait limits how long a command waits for a remote that the user did not name.
const remoteWait = 10 * time.Second

// offline is the reason why a command with --offline did not ask the remote.
const offline = "--offline"

// noRemote is the reason why a command in a clone without a remote did not ask one.
const noRemote = "this clone has no git remote; name one with --remote"

// askRemote lists the refs of a git remote: the one that the user names, else the default one. It is no error if the
// default remote cannot be reached. The answer then says why.
func (a *app) askRemote(ctx context.Context, source *git.Repository, given string) (*pipeline.RemoteRefs, error) {
	if a.offline {
		return &pipeline.RemoteRefs{NotAsked: offline}, nil
	}
	found, err := source.FindRemote(ctx, given)
	if err != nil {
		return nil, err
	}
	if found.URL == "" {
		return &pipeline.RemoteRefs{NotAsked: noRemote}, nil
	}
	dir, err := os.MkdirTemp("", "release-ask-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	scratch, err := source.Scratch(ctx, dir)
	if err != nil {
		return nil, err
	}
	bounded, cancel := ctx, context.CancelFunc(func() {})
	if given == "" {
		bounded, cancel = context.WithTimeout(ctx, remoteWait)
	}
	defer cancel()
	listing, err := scratch.Remote(found.URL).List(bounded, journal.ClaimRefs+"*")
	switch {
	case err == nil:
		return &pipeline.RemoteRefs{Name: found.Name, URL: found.URL, Listing: listing}, nil
	case ctx.Err() != nil || given != "":
		return nil, err
	case bounded.Err() != nil:
		return &pipeline.RemoteRefs{NotAsked: fmt.Sprintf("%s did not answer within %s", found, remoteWait)}, nil
	}
	return &pipeline.RemoteRefs{NotAsked: firstLine(err)}, nil
}

// askOwnRemote asks the clone's default remote, and only in a clone without remotes the one that the user named to push
// to. That one may be a fork, which has no release lines.
func (a *app) askOwnRemote(ctx context.Context, source *git.Repository, given string) (*pipeline.RemoteRefs, error) {
	name, err := source.DefaultRemote(ctx)
	if err != nil {
		return nil, err
	}
	if name != "" {
		given = ""
	}
	return a.askRemote(ctx, source, given)
}

// cloneNeeds are the parts of its remote that a clone needs for a command.
type cloneNeeds struct {
	lines   []string // release lines whose branches and versions must be in the clone; none: all lines
	current bool     // the development branch and those of reads must have every commit that the remote has
	reads   []string // release lines
	remote  string   // the one that the user named, to be asked if the clone itself has none
	makes   string   // a release line whose branch the command makes; it may be at the remote already
}

// covered refuses a shallow clone, and a clone that does not have what a command needs of its remote. Other
// differences become a remark after the command's output.
func (a *app) covered(ctx context.Context, what string, needs cloneNeeds) error {
	source, err := git.Open(ctx, a.source)
	if err != nil {
		return err
	}
	if shallow, err := source.Shallow(ctx); err != nil || shallow {
		return errors.Join(err, fmt.Errorf("%s: %w", what, source.CutOff(ctx)))
	}
	missing, err := a.compareWithRemote(ctx, source, needs)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if missing != "" {
		return refusal.New("%s: %s", what, missing)
	}
	return nil
}

// noted remarks what the remote has and the clone does not, and gives it. It is for a command that reads the clone as
// it is.
func (a *app) noted(ctx context.Context) (missing string, err error) {
	source, err := git.Open(ctx, a.source)
	if err != nil {
		return "", err
	}
	missing, err = a.compareWithRemote(ctx, source, cloneNeeds{})
	if refusal.Is(err) {
		a.remark = "the git remote was not asked which versions and release lines it has: " + err.Error()
		return "", nil
	}
	if missing != "" {
		a.remark = missing
	}
	return missing, err
}

// compareWithRemote says what a command needs of the default remote and the clone does not have, and the command that
// fetches it. The text is empty if the clone has it. It is also empty if the remote was not asked; a remark then says
// so. Commits that the clone does not have and the command does not need become a remark.
func (a *app) compareWithRemote(ctx context.Context, source *git.Repository, needs cloneNeeds) (string, error) {
	settings, err := a.settings(ctx, source)
	if err != nil {
		return "", err
	}
	refs, err := a.askOwnRemote(ctx, source, needs.remote)
	if err != nil {
		return "", err
	}
	remote, why := answered(refs)
	if remote == nil {
		a.remark = "the git remote was not asked which versions and release lines it has: " + why
		return "", a.remarkNarrow(ctx, source)
	}
	known, err := tags.ReadClone(ctx, source, remote.NamedRemote)
	if err != nil {
		return "", err
	}
	pattern := settings.Pattern()
	released := slices.ContainsFunc(remote.Tags().Versions(), func(v version.Version) bool { return pattern.Line(v) == needs.makes })
	branch := remote.Lines(pattern)[needs.makes]
	if branch != "" && !released && !slices.Contains(known.Branches, branch) {
		cut, err := source.BranchContains(ctx, settings.Development, remote.Refs["refs/heads/"+branch])
		if err != nil {
			return "", err
		}
		if cut { // and has no commit of its own: the command finds it at the remote
			known.Branches, needs.reads = append(known.Branches, branch), nil
		}
	}
	lines := needs.lines
	if len(lines) == 0 {
		lines = []string{""}
	}
	var missing []string
	for _, line := range lines {
		if text := remote.Missing(known, pattern, line); text != "" {
			missing = append(missing, text)
		}
	}
	if len(missing) > 0 {
		run, err := source.FetchCommand(ctx, remote.NamedRemote)
		return fmt.Sprintf("this clone does not have what %s has: %s; run: %s",
			remote, strings.Join(missing, "; "), run), err
	}
	if needs.current {
		found, run, err := behind(ctx, source, remote, settings, needs.reads)
		if err != nil || found != "" {
			return found + "; run: " + run, err
		}
	}
	lines = needs.lines
	if len(lines) == 0 {
		lines = slices.Collect(maps.Keys(remote.Lines(pattern)))
	}
	found, run, err := behind(ctx, source, remote, settings, lines)
	if found != "" {
		a.remark = found + ", and this report does not cover them; run: " + run
	}
	return "", err
}

// behind names the branches of which the remote has commits that the clone's own and fetched branch do not have. It
// also gives the command that fetches them. It compares the development branch and those of these lines. Both are
// empty if there are none.
func behind(ctx context.Context, source *git.Repository, remote *tags.Remote, c config.Config, lines []string) (
	found, run string, err error) {
	there := remote.Lines(c.Pattern())
	branches := []string{c.Development}
	for _, line := range lines {
		branches = append(branches, there[line])
	}
	slices.Sort(branches)
	var ahead []string
	for _, branch := range slices.Compact(branches) {
		tip := remote.Refs["refs/heads/"+branch]
		if tip == "" {
			continue
		}
		contained, err := source.BranchContains(ctx, branch, tip)
		if err != nil {
			return "", "", err
		}
		if !contained {
			ahead = append(ahead, branch)
		}
	}
	if len(ahead) == 0 {
		return "", "", nil
	}
	run, err = source.FetchCommand(ctx, remote.NamedRemote)
	return fmt.Sprintf("%s has commits on %s that this clone does not have", remote, strings.Join(ahead, ", ")), run, err
}

// refuseBehind refuses to prepare a version in a clone that does not have every commit of the remote's development
// branch and of the version's line. It compares nothing if the remote was not asked.
func (a *app) refuseBehind(ctx context.Context, source *git.Repository, refs *pipeline.RemoteRefs, name string) error {
	remote, _ := answered(refs)
	if remote == nil {
		return nil
	}
	settings, err := a.settings(ctx, source)
	if err != nil {
		return err
	}
	v, err := version.Parse(name)
	if err != nil {
		return err
	}
	found, run, err := behind(ctx, source, remote, settings, []string{settings.Pattern().Line(v)})
	if err == nil && found != "" {
		err = refusal.New("prepare %s: %s; run: %s", v, found, run)
	}
	return err
}

// remarkNarrow adds to a remark that the clone's settings fetch only a part of the remote.
func (a *app) remarkNarrow(ctx context.Context, source *git.Repository) error {
	name, err := source.DefaultRemote(ctx)
	if err != nil || name == "" {
		return err
	}
	f, err := source.Fetching(ctx, name)
	if err != nil || len(f.Specs) == 0 || f.Covers("refs/heads/") && !f.NoTags {
		return err
	}
	a.remark += "; this clone fetches only a part of it; to fetch all, " + source.FetchAdvice(ctx)
	return nil
}

// answered is what a remote answered, or why it was not asked.
func answered(r *pipeline.RemoteRefs) (remote *tags.Remote, notAsked string) {
	if r == nil || r.NotAsked != "" {
		if r != nil {
			notAsked = r.NotAsked
		}
		return nil, notAsked
	}
	return &tags.Remote{NamedRemote: git.NamedRemote{Name: r.Name, URL: r.URL}, Refs: git.ParseListing(r.Listing)}, ""
}

// firstLine is an error on one line.
func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
