package main

// The stages that lead back: look-back, try-back, rollback.

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/committer"
	"github.com/operator-release/operator-release/ci/compare"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/pipeline"
	"github.com/operator-release/operator-release/ci/publish"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/rollback"
	"github.com/operator-release/operator-release/ci/upgrade"
	"github.com/operator-release/operator-release/ci/version"
)

// rollbackOptions reads what was published of a version; end takes the folders away that hold it.
func (c call) rollbackOptions(ctx context.Context, spec pipeline.RollbackSpec) (o rollback.Options, to publish.Destinations, end func(), err error) {
	dir, err := os.MkdirTemp("", "release-rollback-")
	if err != nil {
		return o, to, nil, err
	}
	end = func() { os.RemoveAll(dir) }
	defer func() {
		if err != nil {
			end()
		}
	}()
	v, err := version.Parse(spec.Version)
	if err != nil {
		return o, to, end, err
	}
	source, to, err := c.destinations(ctx, spec.To, (*git.Repository).FindWritable)
	if err != nil {
		return o, to, end, err
	}
	scratch, err := source.Scratch(ctx, filepath.Join(dir, "scratch"))
	if err != nil {
		return o, to, end, err
	}
	o.State, o.Because, o.Remote = journal.State(spec.State), spec.Because, scratch.Remote(to.Remote.URL)
	claim, ok, err := journal.FindClaim(ctx, o.Remote, v)
	if err != nil {
		return o, to, end, err
	}
	if !ok {
		return o, to, end, refusal.New("mark %s as %s: %s has no claim of it, so nothing says what was published; only what was published with one can be marked", v, spec.State, to.Remote.URL)
	}
	if o.Published, err = publish.FetchRecord(ctx, to.Registry, claim, filepath.Join(dir, "published")); err != nil {
		return o, to, end, err
	}
	by, ok := o.Remote.Identity(ctx)
	if !ok { // as release commits have it, where nobody is at the keyboard
		commit, err := scratch.Commit(ctx, o.Published.Record.Commit)
		if err != nil {
			return o, to, end, err
		}
		by = committer.Of(o.Published.Record.Config, commit).Person
		by.Time = time.Now().UTC()
	}
	o.By = by
	o.Refer = func(ctx context.Context, statements []ocispec.Descriptor) ([]rollback.Write, error) {
		return rollbackWrites(publish.Refer(ctx, o.Published, statements, to))
	}
	o.Check = func(ctx context.Context) error {
		return publish.CheckMark(ctx, o.Published, o.State, o.Remote, to)
	}
	o.Elsewhere = func(ctx context.Context, m journal.Mark) ([]rollback.Write, error) {
		return rollbackWrites(publish.Marked(ctx, o.Published, m, o.Remote, o.By, to))
	}
	mover := publish.Floating(o.Published.Record, to.Registry.Open, o.Remote)
	o.Floating = &mover
	return o, to, end, nil
}

// rollbackWrites are a publication's writes as those of a rollback.
func rollbackWrites(writes []publish.Write, err error) ([]rollback.Write, error) {
	var all []rollback.Write
	for _, w := range writes {
		all = append(all, rollback.Write(w))
	}
	return all, err
}

func runRollback(ctx context.Context, c call, spec pipeline.RollbackSpec) (any, error) {
	o, _, end, err := c.rollbackOptions(ctx, spec)
	if err != nil {
		return nil, err
	}
	defer end()
	return rollback.Do(ctx, o)
}

func runLookBack(ctx context.Context, c call, spec pipeline.RollbackSpec) (any, error) {
	o, to, end, err := c.rollbackOptions(ctx, spec)
	if err != nil {
		return nil, err
	}
	defer end()
	var l looked
	if l.Plan, err = rollback.Look(ctx, o); err != nil || l.Before.IsZero() || o.State == journal.Good {
		return l, err
	}
	l.Guide, err = backGuide(ctx, o, to, l.Plan, spec.Config)
	return l, err
}

// backGuide compares what was published with the version before, and says what users have to do. The digests are those of that version's record, where it has one.
func backGuide(ctx context.Context, o rollback.Options, to publish.Destinations, p rollback.Plan, settings *string) (string, error) {
	tag := "refs/tags/" + p.Before.String()
	if err := o.Remote.Fetch(ctx, tag+":"+tag); err != nil {
		return "", err
	}
	repository := o.Remote.Local()
	older, newer, found, err := differences(ctx, repository, tag, o.Published.Record.Commit, settings)
	if err != nil {
		return "", err
	}
	defer older.Tree.Close()
	defer newer.Tree.Close()
	g := upgrade.Options{Name: p.Name, From: p.Before, To: p.Version, Findings: found, Digests: map[string]string{}}
	if g.Charts, err = chartsOf(older.Tree, older.Config); err != nil {
		return "", err
	}
	if g.Manifests, err = compare.Applied(older.Tree, older.Config); err != nil {
		return "", err
	}
	claim, ok, err := journal.FindClaim(ctx, o.Remote, p.Before)
	if err != nil {
		return "", err
	}
	if !ok {
		for _, image := range older.Config.Images {
			g.Images = append(g.Images, image.Repository)
		}
		if g.ImageTag, g.Foreign.From, err = imageTag(older.Tree, older.Config, p.Before); err != nil {
			return "", err
		}
	} else {
		dir, err := os.MkdirTemp("", "release-before-")
		if err != nil {
			return "", err
		}
		defer os.RemoveAll(dir)
		before, err := publish.FetchRecord(ctx, to.Registry, claim, dir)
		if err != nil {
			return "", err
		}
		for _, a := range before.Record.OfKind(bundle.KindImage) {
			g.Images, g.Digests[a.Repository] = append(g.Images, a.Repository), a.Digest.String()
		}
		for i, c := range g.Charts {
			for _, a := range before.Record.OfKind(bundle.KindChart) {
				if a.Repository == c.Repository+"/"+c.Name {
					g.Charts[i].Digest = a.Digest.String()
				}
			}
		}
	}
	return upgrade.Back(g, p.Because), nil
}

// runTryBack publishes both versions to throwaway destinations, marks the one there as it is to be marked, does it again, and takes it back.
func runTryBack(ctx context.Context, c call, spec pipeline.RollbackSpec) (any, error) {
	source, err := git.Open(ctx, c.trees[pipeline.Repository])
	if err != nil {
		return nil, err
	}
	format, err := source.Format(ctx)
	if err != nil {
		return nil, err
	}
	throwaway, err := publish.NewThrowaway(ctx, c.out, format)
	if err != nil {
		return nil, err
	}
	defer throwaway.Close()
	to := throwaway.Destinations(source)
	var b bundle.Bundle
	for _, name := range []string{pipeline.Before, pipeline.Bundled} {
		if c.trees[name] == "" {
			continue
		}
		if b, err = bundle.Load(c.trees[name]); err != nil {
			return nil, err
		}
		if _, err := publish.Publish(ctx, b, to); err != nil {
			return nil, fmt.Errorf("publish %s to throwaway destinations: %w", b.Record.Version, err)
		}
	}
	scratch, err := source.Scratch(ctx, filepath.Join(c.out, "scratch"))
	if err != nil {
		return nil, err
	}
	mark := func(state journal.State) (rollback.Report, error) {
		copied, err := b.Clone(filepath.Join(c.out, "published", string(state)))
		if err != nil {
			return rollback.Report{}, err
		}
		remote := scratch.Throwaway(throwaway.Remote)
		mover := publish.Floating(b.Record, to.Registry.Open, remote)
		by := git.Person{Name: b.Record.Name, Email: "rehearsal@example.com", Time: b.Record.Time}
		return rollback.Do(ctx, rollback.Options{
			Published: copied, State: state, Because: spec.Because, By: by, Remote: remote, Floating: &mover,
			Refer: func(ctx context.Context, statements []ocispec.Descriptor) ([]rollback.Write, error) {
				return rollbackWrites(publish.Refer(ctx, copied, statements, to))
			},
			Elsewhere: func(ctx context.Context, m journal.Mark) ([]rollback.Write, error) {
				return rollbackWrites(publish.Marked(ctx, b, m, remote, by, to))
			},
		})
	}
	state, undone := journal.State(spec.State), journal.Good
	if state == journal.Good { // an undoing is tried on what it undoes
		is, err := journal.FindMark(ctx, scratch.Throwaway(throwaway.Remote), b.Record.Version)
		if err != nil {
			return nil, err
		}
		if is.State != journal.RolledBack { // what was published may hold the mark already
			if _, err := mark(journal.RolledBack); err != nil {
				return nil, err
			}
		}
		undone = journal.RolledBack
	}
	start, err := throwaway.Tags()
	if err != nil {
		return nil, err
	}
	var t tried
	first, err := mark(state)
	if err != nil {
		return nil, err
	}
	again, err := mark(state)
	if err != nil {
		return nil, err
	}
	if _, err := mark(undone); err != nil {
		return nil, err
	}
	end, err := throwaway.Tags()
	t.Writes, t.Again, t.Back = first.Writes, !again.Changed(), slices.Equal(start, end)
	for i := range t.Writes {
		t.Writes[i].Target = strings.TrimPrefix(t.Writes[i].Target, throwaway.Registry+"/")
	}
	if err == nil && (!t.Again || !t.Back) {
		err = fmt.Errorf("try to mark %s as %s on throwaway destinations: a second run found nothing to do: %v; undone all was as before: %v", spec.Version, state, t.Again, t.Back)
	}
	return t, err
}
