package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/spf13/cobra"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/pipeline"
	"github.com/operator-release/operator-release/ci/publish"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/report"
	"github.com/operator-release/operator-release/ci/rollback"
	"github.com/operator-release/operator-release/ci/upgrade"
	"github.com/operator-release/operator-release/ci/version"
)

// marking are the flags of the commands that mark a version.
type marking struct {
	destining
	because string
	undo    bool
}

func (m *marking) flags(cmd *cobra.Command) {
	m.destining.flags(cmd)
	cmd.Flags().StringVar(&m.because, "because", "", "why; users read it")
	cmd.Flags().BoolVar(&m.undo, "undo", false, "mark the version as good again")
}

// spec asks for the state, or for a good version where it is undone.
func (m *marking) spec(a *app, v string, state journal.State) (pipeline.RollbackSpec, error) {
	to, err := m.destinations(a)
	if err != nil {
		return pipeline.RollbackSpec{}, err
	}
	if (to.Registry == "" || to.Remote == "") && !to.Configured {
		return pipeline.RollbackSpec{}, refusal.New("mark %s: the git remote decides, and the registry has the record; name both, --remote and --registry, or go where the settings say with --to-configured", v)
	}
	if m.undo {
		state = journal.Good
	}
	return pipeline.RollbackSpec{Version: v, State: string(state), Because: m.because, To: to, Config: to.Config}, nil
}

func (a *app) withdrawCommand() *cobra.Command {
	var m marking
	cmd := &cobra.Command{
		Use: "withdraw VERSION --because TEXT", Short: "Mark a published version as bad, for all to see; nothing of it is deleted",
		Long: "Whoever uses the version goes on. The mark is kept on the git remote; statements beside images, chart and release artifact say so at the registry, and in the backup that is named. " +
			"To lead floating tags to the version before as well, roll back. --undo marks the version as good again, also one that was rolled back.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.backward(&m, args[0], journal.Withdrawn, func(flow *pipeline.Flow[string], spec pipeline.RollbackSpec) error {
				said, err := flow.Mark(cmd.Context(), spec)
				if err != nil {
					return err
				}
				return a.printMarked(said)
			})
		},
	}
	m.flags(cmd)
	return cmd
}

func (a *app) rollbackCommand() *cobra.Command {
	var m marking
	var hash string
	cmd := &cobra.Command{
		Use: "rollback VERSION --because TEXT", Short: "Withdraw a version, and lead floating tags to the one before",
		Long: "Shows what would be written and what users have to do, tries it on throwaway destinations with what was published, and names the plan. With that plan, --plan HASH, it is done.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.backward(&m, args[0], journal.RolledBack, func(flow *pipeline.Flow[string], spec pipeline.RollbackSpec) error {
				b, err := flow.RollBack(cmd.Context(), spec, hash)
				switch {
				case err != nil:
					return err
				case hash != "":
					return a.printMarked(b.Done)
				}
				return a.printBack(b)
			})
		},
	}
	m.flags(cmd)
	cmd.Flags().StringVar(&hash, "plan", "", "do what was shown, as long as the plan has this hash")
	return cmd
}

func (a *app) backward(m *marking, v string, state journal.State, do func(*pipeline.Flow[string], pipeline.RollbackSpec) error) error {
	spec, err := m.spec(a, v, state)
	if err != nil {
		return err
	}
	return a.flowing(func(flow *pipeline.Flow[string]) error { return do(flow, spec) })
}

func (a *app) printMarked(said json.RawMessage) error {
	var r rollback.Report
	if err := json.Unmarshal(said, &r); err != nil {
		return fmt.Errorf("read what was marked: %w", err)
	}
	return a.print(r, func(page *report.Page) {
		if r.Changed() {
			page.Title("%s %s is %s: %s", r.Name, r.Version, r.Mark.State, r.Mark.Because)
		} else {
			page.Title("%s %s is %s already: nothing to do", r.Name, r.Version, r.Mark.State)
		}
		markedTable(page, r.Writes, "")
		page.Line(report.None, "said by %s, %s", r.Mark.By, r.Mark.Time.Format(time.RFC3339))
	})
}

func markedTable(page *report.Page, writes []rollback.Write, prefix string) {
	var all []publish.Write
	for _, w := range writes {
		all = append(all, publish.Write(w))
	}
	writesTable(page, all, prefix)
}

// looked is what the stage look-back says.
type looked struct {
	rollback.Plan
	Guide string `json:"guide,omitempty"` // what users have to do, in Markdown
}

// tried is what the stage try-back says.
type tried struct {
	Writes []rollback.Write `json:"writes"`
	Again  bool             `json:"again"` // a second run found nothing to do
	Back   bool             `json:"back"`  // undone, all pointers are as they were
}

func (a *app) printBack(b pipeline.Back) error {
	var l looked
	var t tried
	if err := errors.Join(json.Unmarshal(b.Look, &l), json.Unmarshal(b.Try, &t)); err != nil {
		return fmt.Errorf("read what rolling back would do: %w", err)
	}
	return a.print(struct {
		looked
		Tried tried `json:"tried"`
	}{l, t}, func(page *report.Page) {
		page.Title("%s %s would be %s: %s", l.Name, l.Version, l.State, l.Because)
		page.Line(report.None, "now it is %s", l.Is.State)
		for _, m := range l.Moves {
			switch {
			case m.To.IsZero():
				page.Line(report.Note, "%s stays: nothing is left that it could lead to", m.Target)
			case m.Changes():
				page.Line(report.Done, "%s leads to %s: from %s to %s", m.Target, m.To, orNone(m.Was.String()), orNone(m.Is.String()))
			default:
				page.Line(report.None, "%s stays at %s", m.Target, orNone(m.Was.String()))
			}
		}
		page.Heading("Tried on throwaway destinations")
		markedTable(page, t.Writes, "")
		if t.Again && t.Back {
			page.Line(report.Done, "a second run found nothing to do, and undone all was as it had been")
		}
		if l.Guide != "" {
			page.Heading("What users have to do")
			page.Text("%s", l.Guide)
		}
		page.Heading("Nothing was written. Do it by adding: --plan %s", l.Hash)
	})
}

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
	source, to, err := c.destinations(ctx, spec.To)
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
		by = commit.Committer
		if author := o.Published.Record.Config.Author; author != nil {
			by.Name, by.Email = author.Name, author.Email
		}
		by.Time = time.Now().UTC()
	}
	o.By = by
	o.Refer = func(ctx context.Context, statements []ocispec.Descriptor) ([]rollback.Write, error) {
		return refer(ctx, o.Published, statements, to)
	}
	mover := publish.Floating(o.Published.Record, to.Registry.Open, o.Remote)
	o.Floating = &mover
	return o, to, end, nil
}

func refer(ctx context.Context, b bundle.Bundle, statements []ocispec.Descriptor, to publish.Destinations) ([]rollback.Write, error) {
	writes, err := publish.Refer(ctx, b, statements, to)
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
	claim, ok, err := journal.FindClaim(ctx, o.Remote, p.Before)
	if err != nil {
		return "", err
	}
	if !ok {
		for _, image := range older.Config.Images {
			g.Images = append(g.Images, image.Repository)
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
	throwaway, err := publish.NewThrowaway(ctx, c.out)
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
		remote := scratch.Remote(throwaway.Remote)
		mover := publish.Floating(b.Record, to.Registry.Open, remote)
		return rollback.Do(ctx, rollback.Options{
			Published: copied, State: state, Because: spec.Because, By: git.Person{Name: b.Record.Name, Email: "rehearsal@example.com", Time: b.Record.Time}, Remote: remote, Floating: &mover,
			Refer: func(ctx context.Context, statements []ocispec.Descriptor) ([]rollback.Write, error) {
				return refer(ctx, copied, statements, to)
			},
		})
	}
	state, undone := journal.State(spec.State), journal.Good
	if state == journal.Good { // an undoing is tried on what it undoes
		if _, err := mark(journal.RolledBack); err != nil {
			return nil, err
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
