package publish

import (
	"bytes"
	"context"
	"fmt"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/refusal"
)

// Remote is a git remote, and the repository whose history the release commit stands on.
type Remote struct {
	Name      string // in the settings of Source; empty where only the URL is known
	URL       string
	Source    *git.Repository
	Throwaway bool // we made it: the user's settings of git do not apply
	Alone     bool // Source is one branch, without the tags of others
	Again     bool // the bundle was published before, and is restored
}

// open reaches the remote from a repository whose objects are pushed.
func (r *Remote) open(from *git.Repository) *git.Remote {
	if r.Throwaway {
		return from.Throwaway(r.URL)
	}
	return from.Remote(r.URL)
}

// openRemote makes a scratch repository that holds the release commit, its tag, and the claim.
func (p *publication) openRemote(ctx context.Context, r *Remote, dir string) error {
	err := p.checkHistory(ctx, r)
	if err != nil {
		return err
	}
	if p.scratch, err = r.Source.Scratch(ctx, dir); err != nil {
		return err
	}
	record := p.bundle.Record
	for _, a := range record.OfKind(bundle.KindObjects) {
		content, err := p.bundle.Layout.Read(a.Descriptor())
		if err != nil {
			return err
		}
		objects, err := git.ReadObjects(bytes.NewReader(content))
		if err != nil {
			return err
		}
		if err := p.scratch.Import(ctx, objects); err != nil {
			return err
		}
	}
	commit, err := p.scratch.Commit(ctx, record.Commit)
	if err != nil {
		return err
	}
	if commit.Tree != record.Tree {
		return refusal.New("publish %s: the record says that commit %s has tree %s; it has tree %s", p.version,
			record.Commit, record.Tree, commit.Tree)
	}
	if p.claimID, err = p.scratch.NewTag(ctx, "releases/"+p.version, record.Commit, commit.Committer,
		p.claimed().Message(record.Name, record.Version)); err != nil {
		return err
	}
	if err := p.openTag(ctx); err != nil {
		return err
	}
	p.remote = r.open(p.scratch)
	p.remote.Silence = p.patience.Answer
	p.refs, err = p.remote.Refs(ctx, append(p.moduleRefs(), p.claimRef(), p.tagRef(), p.branchRef(),
		journal.MarkRef(record.Version))...)
	if err == nil && len(p.refs) == 0 {
		err = p.remote.CheckFormat(ctx)
	}
	return err
}

// checkHistory refuses a clone without the history of the release commit: git could not push from it.
func (p *publication) checkHistory(ctx context.Context, r *Remote) error {
	base := p.bundle.Record.Base
	cut, err := r.Source.Shallow(ctx)
	if err != nil {
		return err
	}
	there, err := r.Source.HasCommit(ctx, base)
	if err != nil || there && !cut {
		return err
	}
	what := fmt.Sprintf("the clone %s does not have commit %s, which the release commit needs", r.Source.Dir(), base)
	if there {
		what = fmt.Sprintf("the clone %s is shallow", r.Source.Dir())
	}
	from := git.NamedRemote{Name: r.Name, URL: r.URL}
	if r.Name == "" || r.Again { // the destination may be empty: the clone's own remote has the history
		if from, err = r.Source.FindRemote(ctx, ""); err != nil {
			return fmt.Errorf("publish %s: %s: %w", p.version, what, err)
		}
	}
	if from.URL == "" {
		return refusal.New("publish %s: %s, and has no git remote; publish from a clone with the whole history",
			p.version, what)
	}
	command, err := r.Source.FetchCommand(ctx, from)
	if err != nil {
		return err
	}
	return refusal.New("publish %s: %s; run: %s", p.version, what, command)
}
