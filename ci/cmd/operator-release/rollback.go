package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/pipeline"
	"github.com/operator-release/operator-release/ci/publish"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/report"
	"github.com/operator-release/operator-release/ci/rollback"
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
	to, err := m.destinations(a, "mark "+v)
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
