package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/forge"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/pipeline"
	"github.com/operator-release/operator-release/ci/publish"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/version"
)

// The stages that ask the world, or write to it: claim, fetch, publish.

func runClaim(ctx context.Context, c call, spec pipeline.ClaimSpec) (any, error) {
	v, err := version.Parse(spec.Version)
	if err != nil {
		return nil, err
	}
	source, to, err := c.destinations(ctx, spec.To, (*git.Repository).FindRemote)
	if err != nil {
		return nil, err
	}
	if to.Remote == nil {
		return pipeline.Claimed{}, nil // no remote, so nobody to have claimed it there
	}
	scratchDir, err := os.MkdirTemp("", "release-claim-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(scratchDir)
	scratch, err := source.Scratch(ctx, scratchDir)
	if err != nil {
		return nil, err
	}
	remote := scratch.Remote(to.Remote.URL)
	claim, ok, err := journal.FindClaim(ctx, remote, v)
	switch {
	case err != nil && spec.Optional:
		why := firstLine(err)
		return pipeline.Claimed{Note: fmt.Sprintf("the git remote was not asked whether %s is claimed: %s", v, why),
			Remote: &pipeline.RemoteRefs{NotAsked: why}}, nil
	case err != nil || !ok && !spec.List:
		return pipeline.Claimed{}, err
	case !ok:
		listing, err := remote.List(ctx, journal.ClaimRefs+"*")
		return pipeline.Claimed{Remote: &pipeline.RemoteRefs{Name: to.Remote.Name, URL: to.Remote.URL, Listing: listing}}, err
	case to.Registry == nil:
		return nil, refusal.New("fetch %s, claimed with identity %s: from where? name the registry it was published to by --registry, or restore it from a backup", v, claim.Identity)
	}
	b, err := publish.Fetch(ctx, to.Registry, claim, c.out)
	if err != nil {
		return nil, fmt.Errorf("fetch %s, claimed with identity %s: %w", v, claim.Identity, err)
	}
	said, err := thereAlready(b)
	said.Note = fmt.Sprintf("%s is claimed: its bytes are those of identity %s; nothing is built", v, claim.Identity)
	return said, err
}

func runFetch(ctx context.Context, c call, spec pipeline.FetchSpec) (any, error) {
	b, err := publish.FetchBackup(ctx, spec.Reference, spec.PlainHTTP, c.out)
	return bundled{Identity: b.Identity.Digest.String(), Record: b.Record}, err
}

// published is what the stage publish says.
type published struct {
	Name   string         `json:"name"`
	Report publish.Report `json:"report"`
}

func runPublish(ctx context.Context, c call, spec pipeline.PublishSpec) (any, error) {
	b, err := bundle.Load(c.trees[pipeline.Bundled])
	if err != nil {
		return nil, err
	}
	if spec.Commit != "" && spec.Commit != b.Record.Commit {
		return nil, refusal.New("publish %s by its plan: the plan is for release commit %s, the bundle is of %s; release again from the planned commit", b.Record.Version, spec.Commit, b.Record.Commit)
	}
	source, to, err := c.destinations(ctx, spec.To, (*git.Repository).FindWritable)
	if err != nil {
		return nil, err
	}
	if err := required(ctx, source, b, to.Remote, spec); err != nil {
		return nil, err
	}
	if to.Remote != nil {
		to.Remote.Alone, to.Remote.Again = spec.Alone, spec.Again
	}
	r, err := publish.Publish(ctx, b, to)
	return published{b.Record.Name, r}, err
}

// findRemote finds the git remote that a user names: FindRemote to read there, FindWritable to write there.
type findRemote func(source *git.Repository, ctx context.Context, given string) (git.NamedRemote, error)

// destinations opens the repository that is released, and says where to.
func (c call) destinations(ctx context.Context, d pipeline.Destinations, find findRemote) (*git.Repository,
	publish.Destinations, error) {
	source, err := git.Open(ctx, c.trees[pipeline.Repository])
	if err != nil {
		return nil, publish.Destinations{}, err
	}
	to, err := destinations(ctx, source, d, find)
	return source, to, err
}

// destinations are those that were named, which replace all configured ones, or the configured ones.
func destinations(ctx context.Context, source *git.Repository, d pipeline.Destinations, find findRemote) (
	publish.Destinations, error) {
	var to publish.Destinations
	if d.Configured {
		settings, err := settings(ctx, source, d.Config)
		if err != nil {
			return to, err
		}
		d = d.Resolve(settings.Destinations)
	}
	if d.Registry != "" || d.Own || d.Configured {
		to.Registry = &publish.Registry{Prefix: d.Registry, PlainHTTP: d.PlainHTTP}
	}
	if d.Remote != "" || d.Configured {
		found, err := find(source, ctx, d.Remote)
		if err != nil {
			return to, err
		}
		if found.URL == "" {
			return to, refusal.New("publish to the configured destinations: the settings name no destinations.remote, "+
				"and %s has no git remote; name one with --remote", source.Dir())
		}
		to.Remote = &publish.Remote{Name: found.Name, URL: found.URL, Source: source}
	}
	if d.Backup != "" {
		to.Backup = publish.ParseBackup(d.Backup, d.PlainHTTP)
	}
	if d.Index != "" {
		to.Index = &publish.Index{Branch: d.Index}
	}
	if d.GitHub != "" {
		client, err := openGitHub(d.GitHub, d.GitHubURL, d.PlainHTTP)
		if err != nil {
			return to, err
		}
		to.Forge = &publish.Forge{Client: client, Name: d.GitHub}
	}
	return to, nil
}

// openGitHub opens a repository at GitHub by the token of the environment.
func openGitHub(repository, url string, plainHTTP []string) (*forge.GitHub, error) {
	return forge.NewGitHub(repository, forge.Options{URL: url, Token: forge.Token(cmp.Or(os.Getenv("GITHUB_TOKEN"), os.Getenv("GH_TOKEN"))), PlainHTTP: plainHTTP})
}

// absolute makes a path that is there absolute: stages run elsewhere. What names no file stays.
func absolute(name string) string {
	if _, err := os.Stat(name); err == nil {
		if abs, err := filepath.Abs(name); err == nil {
			return abs
		}
	}
	return name
}

// settings are those of the commit that is checked out, or the content of a file instead.
func settings(ctx context.Context, source *git.Repository, content *string) (config.Config, error) {
	head, _, err := source.Head(ctx)
	if err != nil {
		return config.Config{}, err
	}
	tree, err := source.Tree(ctx, head.ID)
	if err != nil {
		return config.Config{}, err
	}
	defer tree.Close()
	return settingsOf(tree, content)
}

// settingsOf are those of a tree, or the content of a file instead.
func settingsOf(tree *git.Tree, content *string) (config.Config, error) {
	if content == nil {
		return config.Read(tree, "", nil)
	}
	return config.Read(tree, "the settings of --config", []byte(*content))
}
