package backport

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/sourcegraph/conc/pool"

	"github.com/operator-release/operator-release/ci/change"
	"github.com/operator-release/operator-release/ci/committer"
	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/refusal"
)

// Options are what is picked, and onto what.
type Options struct {
	Repository *git.Repository // with a quarantine, where objects go
	Commits    []string        // revisions, and ranges FROM..TO, in the order in which they apply
	Lines      []Line
	Config     config.Config      // its author and signOff decide who commits picks
	Together   bool               // all commits as one branch per line, instead of one per commit
	WithNeeds  bool               // a commit that conflicts takes along what it needs
	Generated  []config.Generated // what is regenerated instead of being merged
	Log        io.Writer          // what commands print that regenerate; nil discards it
}

// Line is a release line to pick onto.
type Line struct {
	Name   string `json:"name"`   // such as 1.5
	Branch string `json:"branch"` // such as release-1.5
	Tip    string `json:"tip"`    // the commit that it is at
}

// Outcome is what came of a commit on a line.
type Outcome string

const (
	Clean    Outcome = "clean"         // it applies, and what it makes stale was regenerated; Tip has it
	There    Outcome = "already there" // by By, as Found
	Empty    Outcome = "empty"         // it applies, and changes nothing
	Conflict Outcome = "conflict"      // Conflicts says where, or what could not be regenerated
)

// Result is one commit on one line.
type Result struct {
	Commit      string         `json:"commit"`
	Subject     string         `json:"subject"`
	Line        string         `json:"line"`
	Outcome     Outcome        `json:"outcome"`
	By          string         `json:"by,omitempty"`
	Found       string         `json:"found,omitempty"`
	Conflicts   []git.Conflict `json:"conflicts,omitempty"`
	Failed      []string       `json:"failed,omitempty"`      // the commands that could not regenerate; Conflicts says why
	Changelogs  []string       `json:"changelogs,omitempty"`  // that conflicted, and stay as they are on the line
	Merge       bool           `json:"merge,omitempty"`       // the commit is a merge: by hand it is picked against its first parent
	Regenerated []string       `json:"regenerated,omitempty"` // generated files that are other than on the line, by path
	Needs       []Needed       `json:"needs,omitempty"`       // what it applies behind, none of which can be left out; taken along where the outcome is clean
	Branch      string         `json:"branch,omitempty"`      // what holds it, when it is made
	Tip         string         `json:"tip,omitempty"`         // the commit that Branch is to point at
	SignOff     bool           `json:"signOff,omitempty"`     // the settings ask for a sign-off
}

// Needed is a commit that another one needs on a line before it.
type Needed struct {
	Commit  string `json:"commit"`
	Subject string `json:"subject"`
	Feature bool   `json:"feature,omitempty"` // it brings a feature into the line
}

// Run picks every commit onto every line. Results come by line, then in the order of the commits. A commit that cannot be picked anywhere
// (unknown, a root) is refused before anything is tried. A command that cannot regenerate makes that pick a conflict, and is no error.
func Run(ctx context.Context, o Options) ([]Result, error) {
	if o.Log == nil {
		o.Log = io.Discard
	}
	o.Log = &shared{w: o.Log}
	commits, err := o.named(ctx)
	if err != nil {
		return nil, err
	}
	var tips []string
	for _, line := range o.Lines {
		tips = append(tips, line.Tip)
	}
	if err := o.Repository.CompleteChanges(ctx, commits, tips...); err != nil {
		return nil, err
	}
	patches, err := o.Repository.PatchIDs(ctx, commits)
	if err != nil {
		return nil, err
	}
	changes, err := o.Repository.ChangesOf(ctx, commits)
	if err != nil {
		return nil, err
	}
	work := pool.NewWithResults[[]Result]().WithContext(ctx).WithCancelOnError().WithFirstError().WithMaxGoroutines(4)
	for _, line := range o.Lines {
		work.Go(func(ctx context.Context) ([]Result, error) {
			rules, err := rulesOf(o.Generated) // matchers are for one goroutine
			if err != nil {
				return nil, err
			}
			return (&lining{Options: o, line: line, patches: patches, changes: changes, rules: rules}).pick(ctx, commits)
		})
	}
	byLine, err := work.Wait()
	if err != nil {
		return nil, err
	}
	var all []Result
	for _, line := range o.Lines { // the order in which they were named, not in which they were done
		for _, results := range byLine {
			if len(results) > 0 && results[0].Line == line.Name {
				all = append(all, results...)
			}
		}
	}
	return all, nil
}

// named are the commits that the revisions name; a range A..B names those of B that A has not, a merge as the one change that it brought.
func (o Options) named(ctx context.Context) ([]git.Commit, error) {
	var revisions []string
	for _, revision := range o.Commits {
		from, to, isRange := strings.Cut(revision, "..")
		if !isRange {
			revisions = append(revisions, revision)
			continue
		}
		if from == "" || to == "" || strings.HasPrefix(to, ".") {
			return nil, refusal.New("backport %s: a range is written FROM..TO, and means what TO has and FROM has not", revision)
		}
		ends, err := o.Repository.Commits(ctx, []string{from, to})
		if err != nil {
			return nil, err
		}
		ids, err := o.Repository.Git(ctx, "rev-list", "--reverse", "--topo-order", "--first-parent", ends[1].ID, "^"+ends[0].ID)
		if err != nil {
			return nil, err
		}
		if ids == "" {
			return nil, refusal.New("backport %s: the range is empty: %s has nothing that %s has not; is it the other way round?", revision, to, from)
		}
		revisions = append(revisions, strings.Fields(ids)...)
	}
	commits, err := o.Repository.Commits(ctx, revisions)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, c := range commits {
		if len(c.Parents) == 0 {
			return nil, refusal.New("backport %s: it is a root commit, so there is nothing that it changes; name another", short(c.ID))
		}
		if seen[c.ID] {
			return nil, refusal.New("backport %s: it is named twice", short(c.ID))
		}
		seen[c.ID] = true
	}
	return commits, nil
}

// lining picks onto one line.
type lining struct {
	Options
	line    Line
	patches map[string]string
	changes map[string]map[string]git.Change
	rules   []rule
	picker  *git.Picker
	there   *change.Set           // what is on the line, since the oldest of the commits may have left it
	outside map[string]bool       // of the commits, those that are not in the line's history
	picked  map[string]git.Picked // onto the line's tip
}

func (l *lining) pick(ctx context.Context, commits []git.Commit) ([]Result, error) {
	tip, err := l.Repository.Commit(ctx, l.line.Tip)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, c := range commits {
		ids = append(ids, c.ID)
	}
	fork, ok, err := l.Repository.Fork(ctx, tip.ID, ids...)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, refusal.New("backport %s onto %s: their histories have nothing in common", short(ids[0]), l.line.Branch)
	}
	if l.there, err = change.Since(ctx, l.Repository, fork, tip.ID); err != nil {
		return nil, err
	}
	if l.outside, err = l.Repository.Outside(ctx, tip.ID, ids); err != nil {
		return nil, err
	}
	if l.picker, err = l.Repository.Picker(ctx, l.changes); err != nil {
		return nil, err
	}
	defer l.picker.Close()
	l.picker.KeepOurs(isChangelog(l.Config))
	if !l.Together {
		if err := l.pickEach(ctx, commits, tip); err != nil {
			return nil, err
		}
	}
	var results []Result
	on := tip
	for _, c := range commits {
		r, made, err := l.one(ctx, c, on)
		if err != nil {
			return nil, fmt.Errorf("backport %s onto %s: %w", short(c.ID), l.line.Branch, err)
		}
		if l.Together && r.Outcome == Clean {
			on = made
		}
		results = append(results, r)
	}
	if l.Together {
		together(results, on, tip, l.line)
	}
	return results, nil
}

// pickEach picks at once all that is not there.
func (l *lining) pickEach(ctx context.Context, commits []git.Commit, tip git.Commit) error {
	var open []git.Commit
	for _, c := range commits {
		if by, _ := l.there.FindCommit(c, l.patches); by == "" && l.outside[c.ID] {
			open = append(open, c)
		}
	}
	picked, err := l.picker.PickEach(ctx, tip, open, l.generated)
	l.picked = map[string]git.Picked{}
	for i := range picked {
		l.picked[open[i].ID] = picked[i]
	}
	return err
}

// one picks a commit onto a commit of the line.
func (l *lining) one(ctx context.Context, c, on git.Commit) (Result, git.Commit, error) {
	r := Result{Commit: c.ID, Subject: change.Title(c.Message), Line: l.line.Name, SignOff: l.Config.SignOff, Merge: len(c.Parents) > 1}
	if !l.outside[c.ID] {
		r.Outcome, r.By, r.Found = There, change.ByHistory, c.ID
		return r, on, nil
	}
	if r.By, r.Found = l.there.FindCommit(c, l.patches); r.By != "" {
		r.Outcome = There
		return r, on, nil
	}
	made, err := l.apply(ctx, c, on)
	if err != nil {
		return r, on, err
	}
	if len(made.conflicts) > 0 && len(made.failed) == 0 {
		needs, err := l.prerequisites(ctx, c, on, made.conflicts)
		if err != nil {
			return r, on, err
		}
		for _, n := range needs {
			needed, err := l.needed(ctx, n)
			if err != nil {
				return r, on, err
			}
			r.Needs = append(r.Needs, needed)
		}
		if len(needs) > 0 && l.WithNeeds {
			if made, err = l.sequence(ctx, append(needs, c), on); err != nil {
				return r, on, err
			}
		}
	}
	if len(made.conflicts) > 0 {
		r.Outcome, r.Conflicts, r.Failed = Conflict, made.conflicts, made.failed
		return r, on, nil
	}
	if made.commit.ID == on.ID {
		r.Outcome = Empty
		return r, on, nil
	}
	if r.Regenerated, err = l.regenerated(ctx, on, made); err != nil {
		return r, on, err
	}
	r.Changelogs = made.changelogs
	r.Outcome, r.Tip, r.Branch = Clean, made.commit.ID, fmt.Sprintf("backport/%s-%s", short(c.ID), l.line.Name)
	return r, made.commit, nil
}

// sequence applies commits that applied one behind the other when they were tried.
func (l *lining) sequence(ctx context.Context, commits []git.Commit, on git.Commit) (applied, error) {
	made := applied{commit: on}
	for _, c := range commits {
		next, err := l.apply(ctx, c, made.commit)
		if err != nil || len(next.failed) > 0 {
			return next, err
		}
		if len(next.conflicts) > 0 { // the search has tried this very sequence
			return next, fmt.Errorf("take along %s: it applied when it was tried, and conflicts now at %s", short(c.ID), next.conflicts[0].Path)
		}
		made.commit = next.commit
		made.ran = append(made.ran, next.ran...)
		for _, file := range next.changelogs {
			if !slices.Contains(made.changelogs, file) {
				made.changelogs = append(made.changelogs, file)
			}
		}
	}
	return made, nil
}

// applied is what came of one commit, or of several.
type applied struct {
	commit    git.Commit // what it was applied onto, where nothing changes or something conflicts
	conflicts []git.Conflict
	failed    []string // commands; conflicts says why
	ran       []rule
	// changelogs conflicted, and stay as they are.
	changelogs []string
}

// apply picks a commit onto another one, regenerates what is generated, and commits what comes of it.
func (l *lining) apply(ctx context.Context, c, on git.Commit) (applied, error) {
	made := applied{commit: on}
	picked, done := l.picked[c.ID]
	var err error
	if !done || on.ID != l.line.Tip {
		picked, err = l.picker.Pick(ctx, on, c, l.generated)
	}
	if err != nil || len(picked.Conflicts) > 0 {
		made.conflicts = picked.Conflicts
		return made, err
	}
	made.changelogs = picked.Ours
	by := committer.Of(l.Config, c)
	if on.Committer.Time.After(by.Time) { // no younger parent; and nothing of a clock, so that twice is the same commit
		by.Time = on.Committer.Time
	}
	commit := func(tree string) (git.Commit, error) {
		return l.picker.Commit(on, tree, c, by.Person, by.Message(WithOrigin(c.Message, c.ID)))
	}
	tree := picked.Tree
	if len(picked.Kept) > 0 {
		start, err := commit(tree)
		if err != nil {
			return made, err
		}
		if tree, err = l.regenerate(ctx, start, picked.Kept, &made); err != nil || len(made.conflicts) > 0 {
			return made, err
		}
	}
	if tree != on.Tree {
		made.commit, err = commit(tree)
	}
	return made, err
}

// together gives all that is clean one branch, or none where something of it conflicts.
func together(results []Result, last, tip git.Commit, line Line) {
	clean, conflict := 0, false
	first := ""
	for _, r := range results {
		conflict = conflict || r.Outcome == Conflict
		if r.Outcome == Clean {
			if clean++; first == "" {
				first = short(r.Commit)
			}
		}
	}
	name := fmt.Sprintf("backport/%s-%s", first, line.Name)
	if clean > 1 {
		name = fmt.Sprintf("backport/%s+%d-%s", first, clean-1, line.Name)
	}
	for i := range results {
		results[i].Branch, results[i].Tip = "", ""
		if results[i].Outcome == Clean && !conflict && last.ID != tip.ID {
			results[i].Branch, results[i].Tip = name, last.ID
		}
	}
}

// WithOrigin adds the line that git cherry-pick -x adds.
func WithOrigin(message, commit string) string {
	line := "(cherry picked from commit " + commit + ")"
	if strings.Contains(message, line) {
		return strings.TrimRight(message, "\n") + "\n"
	}
	return change.WithTrailer(message, line)
}

func short(id string) string { return id[:min(12, len(id))] }
