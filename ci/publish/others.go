package publish

import (
	"cmp"
	"context"
	"maps"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/tags"
	"github.com/operator-release/operator-release/ci/version"
)

// otherVersions refuses a clone without all versions and release lines of the remote: the bundle was then built without
// them. It does not check a version that is claimed already or is restored.
func (p *publication) otherVersions(ctx context.Context) error {
	to, record := p.to.Remote, p.bundle.Record
	if to.Again || p.refs[p.claimRef()] != "" {
		return nil
	}
	listing, err := p.remote.List(ctx)
	if err != nil {
		return err
	}
	there := tags.Remote{NamedRemote: git.NamedRemote{Name: to.Name, URL: to.URL}, Refs: git.ParseListing(listing)}
	for _, own := range append(p.moduleRefs(), p.tagRef()) {
		delete(there.Refs, own) // whether that is this version's tag was looked at before
	}
	known, err := tags.ReadClone(ctx, to.Source, there.NamedRemote)
	if err != nil {
		return err
	}
	pattern, err := linesOf(record)
	if err != nil {
		return err
	}
	line := ""
	if to.Alone {
		line = record.Line
	}
	missing := there.Missing(known, pattern, line)
	if missing == "" {
		if missing, err = p.missingModules(ctx, there, pattern, line); err != nil {
			return err
		}
	}
	if missing != "" {
		command, err := to.Source.FetchCommand(ctx, there.NamedRemote)
		if err != nil {
			return err
		}
		return refusal.New("publish %s to %s: this clone does not have what that remote has: %s; run: %s",
			p.version, there, missing, command)
	}
	if err := p.otherPrevious(ctx, there.Tags(), pattern); err != nil {
		return err
	}
	return p.otherBranch(ctx)
}

// linesOf is the pattern of a record's release lines.
func linesOf(r bundle.Record) (version.Pattern, error) {
	return version.ParsePattern(cmp.Or(r.Config.Branches, version.DefaultPattern))
}

// otherPrevious refuses a bundle that was built without the previous version of the remote.
func (p *publication) otherPrevious(ctx context.Context, there tags.Tags, pattern version.Pattern) error {
	record := p.bundle.Record
	base, err := p.to.Remote.Source.Commit(ctx, record.Base)
	if err != nil {
		return err
	}
	maps.DeleteFunc(there, func(v version.Version, _ string) bool {
		return v.Compare(record.Version) >= 0 || p.to.Remote.Alone && pattern.Line(v) != record.Line
	})
	place, err := there.Place(ctx, p.to.Remote.Source, pattern, record.Version, base)
	if err != nil && !refusal.Is(err) {
		return err
	}
	if place.Previous.IsZero() || place.Previous.Compare(record.Previous) <= 0 {
		return nil
	}
	as := "the first version"
	if !record.Previous.IsZero() {
		as = "the version after " + record.Previous.String()
	}
	return refusal.New("publish %s to %s: the bundle was built as %s, but %s has the earlier version %s; "+
		"build it again: operator-release release --version %s",
		p.version, p.remote.URL, as, p.remote.URL, place.Previous, p.version)
}

// otherBranch refuses a release commit that has diverged from the branch of the remote.
func (p *publication) otherBranch(ctx context.Context) error {
	tip, commit := p.refs[p.branchRef()], p.bundle.Record.Commit
	if tip == "" || tip == commit {
		return nil
	}
	if there, err := p.scratch.HasCommit(ctx, tip); err != nil {
		return err
	} else if !there {
		if err := p.remote.Fetch(ctx, p.branchRef()); err != nil {
			return err
		}
	}
	for _, pair := range [][2]string{{commit, tip}, {tip, commit}} {
		if ok, err := p.scratch.Descends(ctx, pair[0], pair[1]); ok || err != nil {
			return err
		}
	}
	return refusal.New("publish %s to %s: branch %s is at %.12s there, "+
		"which is not in the history of the release commit %.12s; "+
		"release from the branch's tip",
		p.version, p.remote.URL, p.bundle.Record.Branch, tip, commit)
}

// otherClaim names both identities.
func (p *publication) otherClaim(ctx context.Context, found string) error {
	says := "object " + found
	if err := p.remote.Fetch(ctx, p.claimRef()); err == nil {
		if c, err := journal.ReadClaim(ctx, p.scratch, found); err == nil {
			says = "identity " + c.Identity.String()
		}
	}
	return refusal.New("publish %s to %s: the version is claimed already by other content (%s; this bundle has identity %s); a version never changes: release the next one",
		p.version, p.remote.URL, says, p.bundle.Identity.Digest)
}
