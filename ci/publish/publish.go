package publish

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/registry"
	"github.com/operator-release/operator-release/ci/writes"
)

// Destinations are where a bundle goes. What is nil is skipped, and said so.
type Destinations struct {
	Registry *Registry
	Remote   *Remote
	Backup   *Backup
	Forge    *Forge
	Index    *Index
	Patience registry.Patience // with all of them; zero is registry.Usual
}

// Outcomes of a write.
const (
	Written = "written"
	There   = "there already"
)

// Write is one write of a publication, in the order in which they were made.
type Write struct {
	Step    int    `json:"step"`
	Target  string `json:"target"`
	What    string `json:"what"`
	Outcome string `json:"outcome"`
}

// Report is what a publication did.
type Report struct {
	Version  string   `json:"version"`
	Identity string   `json:"identity"`
	Writes   []Write  `json:"writes"`
	Skipped  []string `json:"skipped,omitempty"` // destinations that were not named
	Notes    []string `json:"notes,omitempty"`   // what was found before the first write, and is no fault
	Read     int      `json:"read"`              // manifests, blobs and refs that were read back and compared
	// Omitted are what the settings name and the bundle lacks.
	Omitted []bundle.Omission `json:"omitted,omitempty"`
	// Mark is set where the version is, or was, marked as bad: publishing it again does not make it good.
	Mark *journal.Mark `json:"mark,omitempty"`
}

// Changed tells whether anything had to be written.
func (r Report) Changed() bool {
	for _, w := range r.Writes {
		if w.Outcome == Written {
			return true
		}
	}
	return false
}

// Publish verifies the bundle, looks whether anything at the destinations contradicts it (then it is refused and nothing is written),
// writes, and reads everything back. Running it again completes what a stopped run left.
func Publish(ctx context.Context, b bundle.Bundle, d Destinations) (Report, error) {
	p := &publication{to: d, bundle: b, version: b.Record.Version.String(),
		report: Report{Version: b.Record.Version.String(), Identity: b.Identity.Digest.String(), Omitted: b.Record.Omitted}}
	if p.patience = d.Patience; p.patience == (registry.Patience{}) {
		p.patience = registry.Usual
	}
	if err := b.Verify(); err != nil {
		return p.report, err
	}
	if _, err := b.GateResult(); err != nil {
		return p.report, err
	}
	if p.backup = d.Backup; d.Backup == nil {
		p.report.Skipped = append(p.report.Skipped, "backup")
	}
	if d.Registry == nil {
		p.report.Skipped = append(p.report.Skipped, "registry")
	} else {
		var err error
		if p.registry, err = newTarget(b, d.Registry.name, p.patience, d.Registry.PlainHTTP); err != nil {
			return p.report, err
		}
	}
	if d.Remote == nil {
		p.report.Skipped = append(p.report.Skipped, "git remote")
	} else {
		scratch, err := os.MkdirTemp("", "release-publish-")
		if err != nil {
			return p.report, err
		}
		defer os.RemoveAll(scratch)
		if err := p.openRemote(ctx, d.Remote, scratch); err != nil {
			return p.report, err
		}
	}
	if p.forge = d.Forge; d.Forge == nil {
		p.report.Skipped = append(p.report.Skipped, "release page")
	}
	if p.index = d.Index; p.index == nil {
		p.report.Skipped = append(p.report.Skipped, "chart index")
	} else if p.remote == nil {
		return p.report, refusal.New("publish %s to the chart index on branch %s: the branch is on the git remote; name that, too", p.version, p.index.Branch)
	} else if err := p.openIndex(ctx); err != nil {
		return p.report, err
	}
	for _, step := range []func(context.Context) error{
		p.contradictions, p.content, p.claim, p.mark, p.branch, p.imageTags, p.chartTags, p.moduleTags, p.tag, p.page, p.chartIndex, p.floatingTags, p.readBack,
	} {
		if err := step(ctx); err != nil {
			return p.report, p.stopped(err)
		}
	}
	return p.report, nil
}

type publication struct {
	to       Destinations
	bundle   bundle.Bundle
	version  string
	patience registry.Patience
	registry *target
	backup   *Backup
	forge    *Forge
	index    *Index
	remote   *git.Remote
	scratch  *git.Repository
	refs     map[string]string // of the remote, as found
	claimID  string            // id of the claim's object
	tagID    string            // id of what the tag points at: the record's tag object, that one signed, or a person's tag
	report   Report
}

func (p *publication) wrote(step int, target, what, outcome string) {
	p.report.Writes = append(p.report.Writes, Write{step, target, what, outcome})
}

// stopped adds to a failure what is visible already. A refusal before the first write stays as it is.
func (p *publication) stopped(err error) error {
	var visible []string
	for _, w := range p.report.Writes {
		if w.Step > writes.Claim {
			visible = append(visible, w.Target)
		}
	}
	switch {
	case len(p.report.Writes) == 0:
		return err
	case len(visible) == 0:
		return fmt.Errorf("publish %s: %w\nNo branch and no tag is visible yet; run it again to go on", p.version, err)
	}
	return fmt.Errorf("publish %s: %w\nVisible already: %s; run it again to complete it", p.version, err, strings.Join(visible, ", "))
}

// claimed is what the bundle's claim says.
func (p *publication) claimed() journal.Claim {
	return journal.Claim{Identity: p.bundle.Identity.Digest, Repository: p.bundle.Record.Config.Artifacts}
}

func (p *publication) claimRef() string  { return journal.ClaimRef(p.bundle.Record.Version) }
func (p *publication) tagRef() string    { return "refs/tags/" + p.version }
func (p *publication) branchRef() string { return "refs/heads/" + p.bundle.Record.Branch }

// contradictions looks at every pointer before anything is written.
func (p *publication) contradictions(ctx context.Context) error {
	if p.remote != nil {
		if found := p.refs[p.claimRef()]; found != "" && found != p.claimID {
			return p.otherClaim(ctx, found)
		}
		if err := p.otherTag(ctx); err != nil {
			return err
		}
		if err := p.otherModules(ctx); err != nil {
			return err
		}
		if err := p.otherVersions(ctx); err != nil {
			return err
		}
	}
	if err := errors.Join(p.otherPage(ctx), p.otherEntry(ctx)); err != nil || p.registry == nil {
		return err
	}
	for _, a := range append(p.bundle.Record.OfKind(bundle.KindImage), p.bundle.Record.OfKind(bundle.KindChart)...) {
		if _, err := p.registry.tagged(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

// content brings everything by digest, and the backup: whatever becomes visible has one.
func (p *publication) content(ctx context.Context) error {
	if p.backup != nil {
		w, err := p.backup.keep(ctx, p.bundle, p.patience)
		if err != nil {
			return err
		}
		p.wrote(w.Step, w.Target, w.What, w.Outcome)
	}
	if p.registry == nil {
		return nil
	}
	written, err := p.registry.pushContent(ctx)
	for _, w := range written {
		p.wrote(writes.Content, w.Target, w.What, w.Outcome)
	}
	return err
}

// create makes a ref only if absent; equal content is there already, other content is what it gives back. Where the push failed in
// another way (two at once contend for a lock, a connection breaks) the remote is asked what it has, and tried again.
func (p *publication) create(ctx context.Context, step int, ref, id, what string) (taken string, err error) {
	found := p.refs[ref]
	outcome := There
	for attempt := 0; found == ""; attempt++ {
		pushed := p.remote.Create(ctx, ref, id)
		refs, err := p.remote.Refs(ctx, ref)
		if err != nil {
			return "", errors.Join(pushed, err)
		}
		if found = refs[ref]; found == id && pushed == nil {
			outcome = Written
		}
		if found == "" {
			if err := p.pause(ctx, attempt, pushed); err != nil {
				return "", err
			}
		}
	}
	if found != id {
		return found, nil
	}
	p.wrote(step, ref, what, outcome)
	return "", nil
}

// pause waits before another attempt at the remote, or gives up with what went wrong.
func (p *publication) pause(ctx context.Context, attempt int, failed error) error {
	if failed == nil {
		failed = fmt.Errorf("%s took a push and does not have it", p.remote.URL)
	}
	if attempt+1 >= p.patience.Tries || ctx.Err() != nil {
		return failed
	}
	return p.patience.Wait(ctx, attempt)
}

func (p *publication) claim(ctx context.Context) error {
	if p.remote == nil {
		return nil
	}
	taken, err := p.create(ctx, writes.Claim, p.claimRef(), p.claimID, "claim")
	if taken != "" {
		return p.otherClaim(ctx, taken)
	}
	return err
}

// mark brings back the marks that a backup holds and the remote has lost, before any tag is there again.
func (p *publication) mark(ctx context.Context) error {
	if p.remote == nil {
		return nil
	}
	v := p.bundle.Record.Version
	ref := journal.MarkRef(v)
	if p.refs[ref] != "" {
		m, err := journal.FindMark(ctx, p.remote, v)
		p.report.Mark = &m
		return err
	}
	w, ok, err := p.bundle.Withdrawal()
	if err != nil || !ok {
		return err
	}
	m, wrote, err := journal.Bring(ctx, p.remote, v, w.Marks)
	if err != nil {
		return err
	}
	p.report.Mark = &m
	outcome := There
	if wrote {
		outcome = Written
	}
	p.wrote(writes.Claim, ref, "mark: "+string(m.State), outcome)
	return nil
}

func (p *publication) branch(ctx context.Context) error {
	if p.remote == nil {
		return nil
	}
	commit, ref := p.bundle.Record.Commit, p.branchRef()
	what := writes.BranchAt(commit)
	if p.refs[ref] == commit {
		p.wrote(writes.Branch, ref, what, There)
		return nil
	}
	for attempt := 0; ; attempt++ {
		failed := p.remote.Forward(ctx, ref, commit)
		if failed == nil {
			p.wrote(writes.Branch, ref, what, Written)
			return nil
		}
		contains, err := p.contains(ctx, ref, commit)
		switch {
		case err != nil:
			return errors.Join(failed, err)
		case contains:
			p.wrote(writes.Branch, ref, what, There)
			return nil
		case errors.Is(failed, git.ErrStale):
			return fmt.Errorf("%w: %s has moved and does not contain commit %s; nobody sees the version yet: withdraw its claim (git push %s :%s) and release from the branch's tip",
				failed, ref, commit[:12], p.remote.URL, p.claimRef())
		}
		if err := p.pause(ctx, attempt, failed); err != nil {
			return err
		}
	}
}

// contains tells whether a branch of the remote is there and has the commit in its history.
func (p *publication) contains(ctx context.Context, ref, commit string) (bool, error) {
	refs, err := p.remote.Refs(ctx, ref)
	if err != nil || refs[ref] == "" {
		return false, err
	}
	if err := p.remote.Fetch(ctx, ref); err != nil {
		return false, err
	}
	return p.scratch.Descends(ctx, refs[ref], commit)
}

func (p *publication) imageTags(ctx context.Context) error {
	return p.registryTags(ctx, writes.ImageTags, bundle.KindImage)
}

func (p *publication) chartTags(ctx context.Context) error {
	return p.registryTags(ctx, writes.ChartTags, bundle.KindChart)
}

func (p *publication) registryTags(ctx context.Context, step int, kind string) error {
	if p.registry == nil {
		return nil
	}
	for _, a := range p.bundle.Record.OfKind(kind) {
		outcome, err := p.registry.tag(ctx, a)
		if err != nil {
			return err
		}
		p.wrote(step, p.registry.name(a.Repository)+":"+a.Tag, kind+" tag", outcome)
	}
	return nil
}

// readBack compares what the destinations give with the bundle.
func (p *publication) readBack(ctx context.Context) error {
	if p.registry != nil {
		n, err := p.registry.readBack(ctx)
		p.report.Read += n
		if err != nil {
			return err
		}
	}
	if err := errors.Join(p.readPage(ctx), p.readIndex(ctx)); err != nil || p.remote == nil {
		return err
	}
	refs, err := p.remote.Refs(ctx, append(p.moduleRefs(), p.claimRef(), p.tagRef(), p.branchRef())...)
	if err != nil {
		return err
	}
	if err := p.readModules(ctx, refs); err != nil {
		return err
	}
	if found := refs[p.claimRef()]; found != p.claimID {
		return fmt.Errorf("read back %s of %s: it is %q where %s was written", p.claimRef(), p.remote.URL, found, p.claimID)
	}
	if err := p.readTag(ctx, refs[p.tagRef()]); err != nil {
		return err
	}
	p.report.Read += 2
	contains, err := p.contains(ctx, p.branchRef(), p.bundle.Record.Commit)
	if err != nil {
		return err
	}
	if !contains {
		return fmt.Errorf("read back %s of %s: it does not contain the release commit %s", p.branchRef(), p.remote.URL, p.bundle.Record.Commit)
	}
	p.report.Read++
	return nil
}
