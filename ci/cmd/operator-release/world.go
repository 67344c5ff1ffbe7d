package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/gate"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/pipeline"
	"github.com/operator-release/operator-release/ci/plan"
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
	source, err := git.Open(ctx, c.trees[pipeline.Repository])
	if err != nil {
		return nil, err
	}
	to, err := destinations(ctx, source, spec.To)
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
	claim, ok, err := publish.FindClaim(ctx, scratch, to.Remote.URL, v)
	switch {
	case err != nil && spec.Optional:
		return pipeline.Claimed{Note: fmt.Sprintf("whether %s is claimed could not be asked: %v", v, err)}, nil
	case err != nil || !ok:
		return pipeline.Claimed{}, err
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

// runKept compares the record of what lies there with what the plan would make.
func runKept(_ context.Context, c call, spec pipeline.KeptSpec) (any, error) {
	var p plan.Plan
	if err := json.Unmarshal(spec.Plan, &p); err != nil {
		return nil, fmt.Errorf("read the plan: %w", err)
	}
	b, err := bundle.Load(c.trees[pipeline.Bundled])
	if err != nil {
		return pipeline.Claimed{}, nil // no bundle, or a broken one: it is made
	}
	if _, err := b.GateResult(); err != nil || b.Record.Differs(recordOf(p)) != "" || b.Verify() != nil {
		return pipeline.Claimed{}, nil
	}
	said, err := thereAlready(b)
	said.Note = fmt.Sprintf("%s holds this very commit, version and settings, tested: nothing is built", filepath.ToSlash(c.trees[pipeline.Bundled]))
	return said, err
}

// runOpen says what a bundle says of itself; one that no gate was asked about lacks its answer.
func runOpen(_ context.Context, c call, _ pipeline.OpenSpec) (any, error) {
	b, err := bundle.Load(c.trees[pipeline.Bundled])
	if err != nil {
		return nil, err
	}
	if err := b.Verify(); err != nil {
		return nil, err
	}
	return thereAlready(b)
}

// thereAlready is what a release says of a bundle that need not be made.
func thereAlready(b bundle.Bundle) (pipeline.Claimed, error) {
	var said pipeline.Claimed
	var errs []error
	marshal := func(v any) json.RawMessage {
		content, err := json.Marshal(v)
		errs = append(errs, err)
		return content
	}
	said.Plan, said.Bundle = marshal(planOf(b.Record)), marshal(bundled{Identity: b.Identity.Digest.String(), Record: b.Record})
	if result, err := gateOf(b); err == nil {
		said.Test = marshal(result)
	}
	return said, errors.Join(errs...)
}

// gateOf is what the gate said about a bundle, as far as the attached test result tells.
func gateOf(b bundle.Bundle) (gate.Result, error) {
	var r gate.Result
	result, err := b.GateResult()
	if err != nil {
		return r, err
	}
	for _, group := range []struct {
		status gate.Status
		names  []string
	}{{gate.Passed, result.PassedTests}, {gate.NotChecked, result.WarnedTests}} {
		for _, name := range group.names {
			check, subject, _ := strings.Cut(name, ": ")
			r.Checks = append(r.Checks, gate.Check{Name: check, Subject: subject, Status: group.status})
		}
	}
	return r, nil
}

// planOf is what a record tells of its plan.
func planOf(r bundle.Record) plan.Plan {
	p := plan.Plan{Version: r.Version, Name: r.Name, Line: r.Line, Branch: r.Branch, Previous: r.Previous, Exists: true, Base: r.Base, Commit: r.Commit, Tree: r.Tree,
		Tag: r.Tag, Time: r.Time, Toolchain: r.Toolchain, Platforms: r.Platforms, Config: r.Config, Subject: "claimed"}
	for _, s := range r.Surfaces {
		p.Surfaces = append(p.Surfaces, plan.Surface{Path: s.Path, Line: s.Line, Name: s.Name, Now: s.Value, Then: s.Value})
	}
	return p
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
	source, err := git.Open(ctx, c.trees[pipeline.Repository])
	if err != nil {
		return nil, err
	}
	to, err := destinations(ctx, source, spec.To)
	if err != nil {
		return nil, err
	}
	r, err := publish.Publish(ctx, b, to)
	return published{b.Record.Name, r}, err
}

// destinations are those that were named, which replace all configured ones, or the configured ones.
func destinations(ctx context.Context, source *git.Repository, d pipeline.Destinations) (publish.Destinations, error) {
	var to publish.Destinations
	remote, backup := d.Remote, d.Backup
	if d.Configured {
		settings, err := settings(ctx, source, d.Config)
		if err != nil {
			return to, err
		}
		if settings.Destinations != nil {
			remote, backup = settings.Destinations.Remote, settings.Destinations.Backup
		}
		if remote == "" {
			if remote, err = source.Git(ctx, "config", "--get", "remote.origin.url"); err != nil {
				return to, refusal.New("publish to the configured destinations: the settings name no destinations.remote, and %s has no remote origin", source.Dir())
			}
		}
	}
	if d.Registry != "" || d.Own || d.Configured {
		to.Registry = &publish.Registry{Prefix: d.Registry, PlainHTTP: d.PlainHTTP}
	}
	if remote != "" {
		to.Remote = &publish.Remote{URL: absolute(remote), Source: source}
	}
	if backup != "" {
		to.Backup = publish.ParseBackup(backup, d.PlainHTTP)
	}
	return to, nil
}

// absolute makes a path that is there absolute: git runs elsewhere. A URL stays.
func absolute(remote string) string {
	if _, err := os.Stat(remote); err == nil {
		if abs, err := filepath.Abs(remote); err == nil {
			return abs
		}
	}
	return remote
}

// settings are those of the commit that is checked out, or the content of a file instead.
func settings(ctx context.Context, source *git.Repository, content *string) (config.Config, error) {
	tree, err := source.Tree(ctx, "HEAD")
	if err != nil {
		return config.Config{}, err
	}
	defer tree.Close()
	if content == nil {
		return config.Load(tree, "", nil)
	}
	return config.Load(tree, "the settings of --config", []byte(*content))
}
