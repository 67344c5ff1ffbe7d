package rollback

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/floating"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/version"
)

// Options are all that marking a version needs.
type Options struct {
	Published bundle.Bundle // release artifact and record; more of it is not looked at, and statements are added to its layout
	State     journal.State // what the version is to be
	Because   string
	By        git.Person // who says so, and when
	Remote    *git.Remote
	// Floating leads the tags that move; nil where no registry was named.
	Floating *floating.Mover
	// Refer brings statements to where what they speak of lies.
	Refer func(ctx context.Context, statements []ocispec.Descriptor) ([]Write, error)
	// Check refuses what Elsewhere could not do, before anything is written. It is nil where nothing has to be asked.
	Check func(ctx context.Context) error
	// Elsewhere brings the mark to whatever else users look at: release page, chart index.
	Elsewhere func(ctx context.Context, m journal.Mark) ([]Write, error)
}

// Write is one write, in the order in which they were made.
type Write struct {
	Step    int    `json:"step"`
	Target  string `json:"target"`
	What    string `json:"what"`
	Outcome string `json:"outcome"`
}

// Outcomes of a write.
const (
	written = "written"
	there   = "there already"
)

// Plan is what would be done.
type Plan struct {
	Version version.Version `json:"version"`
	Name    string          `json:"name"`
	Is      journal.Mark    `json:"is"` // the newest mark
	State   journal.State   `json:"state"`
	Because string          `json:"because"`
	Before  version.Version `json:"before"` // the newest good version that users can go back to; none for a first one
	Moves   []floating.Move `json:"moves"`
	Hash    string          `json:"hash"` // of all above
}

// Report is what was done.
type Report struct {
	Version version.Version `json:"version"`
	Name    string          `json:"name"`
	Mark    journal.Mark    `json:"mark"`
	Writes  []Write         `json:"writes"`
}

// Changed tells whether anything had to be written.
func (r Report) Changed() bool {
	return slices.ContainsFunc(r.Writes, func(w Write) bool { return w.Outcome == written })
}

// Before is the newest good final that users of v can go back to: one of its own line, else the newest below; ok is false where there is none.
func Before(line func(version.Version) string, v version.Version, out []version.Version, marks map[version.Version]journal.Mark) (before version.Version, ok bool) {
	for _, e := range out {
		_, candidate := e.Candidate()
		if m, marked := marks[e]; candidate || e.Compare(v) >= 0 || marked && m.State != journal.Good {
			continue
		}
		own, best := line(e) == line(v), ok && line(before) == line(v)
		if !ok || own && !best || own == best && e.Compare(before) > 0 {
			before, ok = e, true
		}
	}
	return before, ok
}

// Look tells what marking would do. It writes nothing.
func Look(ctx context.Context, o Options) (Plan, error) {
	record := o.Published.Record
	p := Plan{Version: record.Version, Name: record.Name, State: o.State, Moves: []floating.Move{}}
	out, marks, err := journal.Out(ctx, o.Remote)
	if err != nil {
		return p, err
	}
	p.Is = journal.Mark{State: journal.Good}
	if m, ok := marks[p.Version]; ok {
		p.Is = m
	}
	if p.Because, err = o.follows(ctx, p.Is); err != nil {
		return p, err
	}
	p.Before, _ = Before(record.Config.Pattern().Line, p.Version, out, marks)
	if o.Floating != nil && o.State != journal.Withdrawn {
		m := *o.Floating
		m.Lead = func(context.Context) (map[string]version.Version, error) {
			return floating.Lead(m.Forms, out, func(v version.Version) bool {
				if v == p.Version {
					return o.State == journal.RolledBack
				}
				return marks[v].State == journal.RolledBack
			}), nil
		}
		if p.Moves, err = m.Plan(ctx, p.Version); err != nil {
			return p, err
		}
	}
	content, err := json.Marshal(p)
	p.Hash = fmt.Sprintf("sha256:%x", sha256.Sum256(content))
	return p, err
}

// follows gives the reason, checked, or refuses what cannot follow what a version is, and what cannot be done.
func (o Options) follows(ctx context.Context, is journal.Mark) (string, error) {
	v, to := o.Published.Record.Version, o.State
	reason, err := journal.Reason(o.Because)
	if err != nil {
		return "", err
	}
	switch {
	case to == journal.Good && is.ID == "":
		return "", refusal.New("undo the withdrawal of %s: it was never withdrawn", v)
	case to == journal.Withdrawn && is.State == journal.RolledBack:
		return "", refusal.New("withdraw %s: it is rolled back, which is more (%s); undo that first, if it is to be less", v, is.Because)
	case to == is.State && is.ID != "" && reason != is.Because:
		return "", refusal.New("mark %s as %s: it is so already, because %q; give that reason to complete what a stopped run left, or undo it first", v, to, is.Because)
	}
	if o.Check != nil {
		return reason, o.Check(ctx)
	}
	return reason, nil
}

// Do marks the version: the mark, statements beside what was published, floating tags. Run again with the same reason it completes what a stopped run left.
func Do(ctx context.Context, o Options) (Report, error) {
	record := o.Published.Record
	r := Report{Version: record.Version, Name: record.Name, Writes: []Write{}}
	is, err := journal.FindMark(ctx, o.Remote, record.Version)
	if err != nil {
		return r, err
	}
	because, err := o.follows(ctx, is)
	if err != nil {
		return r, err
	}
	outcome := there
	if r.Mark = is; is.State != o.State || is.ID == "" {
		if r.Mark, err = journal.Add(ctx, o.Remote, record.Version, is, journal.Mark{State: o.State, Because: because}, o.By); err != nil {
			return r, err
		}
		outcome = written
	}
	r.Writes = append(r.Writes, Write{1, journal.MarkRef(record.Version), "mark: " + string(o.State), outcome})
	statements, err := state(ctx, o, r.Mark)
	if err != nil {
		return r, r.stopped(err)
	}
	referred, err := o.Refer(ctx, statements)
	for _, w := range referred {
		r.Writes = append(r.Writes, Write{2, w.Target, "statements beside what was published", w.Outcome})
	}
	if err != nil {
		return r, r.stopped(err)
	}
	// Asked of the state, not of what it was: a run that stopped after the mark goes on here.
	if o.Floating != nil && o.State != journal.Withdrawn {
		moves, err := o.Floating.Do(ctx, record.Version, true)
		for _, move := range moves {
			w := Write{3, move.Target, "floating tag to " + move.To.String(), there}
			switch {
			case move.To.IsZero():
				w.What = "floating tag: nothing is left that it could lead to, it stays"
			case move.Changes():
				w.Outcome = written
			}
			r.Writes = append(r.Writes, w)
		}
		if err != nil {
			return r, r.stopped(err)
		}
	}
	elsewhere, err := o.Elsewhere(ctx, r.Mark)
	for _, w := range elsewhere {
		r.Writes = append(r.Writes, Write{4, w.Target, w.What, w.Outcome})
	}
	if o.State != journal.Good {
		for _, m := range record.Modules {
			what := fmt.Sprintf("tag of Go module %s: it stays, and the go command finds it; "+
				"write retract %s into its go.mod for the next version", m.Path, record.Version)
			r.Writes = append(r.Writes, Write{4, m.Ref(), what, there})
		}
	}
	return r, r.stopped(err)
}

func (r Report) stopped(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("mark %s as %s: %w\nThe mark stands; run it again with the same reason to complete it", r.Version, r.Mark.State, err)
}

// state makes a statement for everything that was published of the version. The same mark gives the same bytes.
func state(ctx context.Context, o Options, m journal.Mark) ([]ocispec.Descriptor, error) {
	history, err := journal.History(ctx, o.Remote.Local(), m)
	if err != nil {
		return nil, err
	}
	record := o.Published.Record
	predicate := bundle.Withdrawal{Version: record.Version, State: string(m.State), Because: m.Because, By: m.By, Time: m.Time, Marks: history}
	var statements []ocispec.Descriptor
	for repository, subjects := range record.Subjects(o.Published.Identity) {
		for _, subject := range subjects {
			root, err := o.Published.Layout.State(subject, repository+":"+record.Version.String(), bundle.WithdrawalPredicate, predicate)
			if err != nil {
				return nil, err
			}
			statements = append(statements, root)
		}
	}
	return statements, nil
}
