package backport

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/operator-release/operator-release/ci/change"
	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/tags"
	"github.com/operator-release/operator-release/ci/version"
)

// Ledger tells which fixes of the development branch are on which line, and what is on a line alone.
type Ledger struct {
	Development string        `json:"development"` // the branch
	Tip         string        `json:"tip"`
	Lines       []Line        `json:"lines"` // the newest first
	Fixes       []Fix         `json:"fixes"` // the newest first
	Alone       []AloneOnLine `json:"alone"` // by line, the newest first

	WithoutBranch []LineWithoutBranch `json:"withoutBranch"` // supported lines that it does not cover, the newest first
	Beside        []VersionBeside     `json:"beside"`        // newest versions that are not on the branches of their lines
}

// VersionBeside is the newest version of a line whose branch does not contain it.
type VersionBeside struct {
	Line    string          `json:"line"`
	Version version.Version `json:"version"`
	Commit  string          `json:"commit"`
}

// FindBeside finds the lines whose newest tagged version is not in the history of their branch.
func FindBeside(ctx context.Context, r *git.Repository, pattern version.Pattern, lines []Line) ([]VersionBeside, error) {
	tagged, err := tags.Read(ctx, r)
	if err != nil {
		return nil, err
	}
	newest := newestVersions(tagged, pattern)
	beside := []VersionBeside{}
	for _, line := range lines {
		v, ok := newest[line.Name]
		if !ok {
			continue
		}
		contains, err := r.Descends(ctx, line.Tip, tagged[v])
		if err != nil {
			return nil, err
		}
		if !contains {
			beside = append(beside, VersionBeside{line.Name, v, tagged[v]})
		}
	}
	return beside, nil
}

// newestVersions are the newest tagged versions of lines, by line.
func newestVersions(tagged tags.Tags, pattern version.Pattern) map[string]version.Version {
	newest := map[string]version.Version{}
	for _, v := range tagged.Versions() { // the newest first
		if _, found := newest[pattern.Line(v)]; !found {
			newest[pattern.Line(v)] = v
		}
	}
	return newest
}

// LineWithoutBranch is a line with tagged versions of which the clone knows no branch.
type LineWithoutBranch struct {
	Name   string          `json:"name"`
	Branch string          `json:"branch"` // the name that it has by the pattern
	Newest version.Version `json:"newest"` // the newest tagged version of the line
}

// Fix is a fix of the development branch.
type Fix struct {
	Commit  string             `json:"commit"`
	Subject string             `json:"subject"`
	On      map[string]Present `json:"on"` // by line; one that lacks it is missing here
	// Lacking is by line a path of the code that the fix repairs, and that the line does not have.
	Lacking map[string]string `json:"lacking,omitempty"`
}

// Present tells by what a fix was recognized on a line.
type Present struct {
	By    string `json:"by"`
	Found string `json:"found"` // the line's commit
}

// AloneOnLine is a commit of a line that the development branch has not: the next line will lack it.
type AloneOnLine struct {
	Line    string      `json:"line"`
	Commit  string      `json:"commit"`
	Kind    change.Kind `json:"kind"`
	Subject string      `json:"subject"`
}

// Missing are the fixes that a line lacks. One that repairs code which the line does not have is none.
func (l Ledger) Missing(line string) (missing []Fix) {
	for _, f := range l.Fixes {
		_, lacking := f.Lacking[line]
		if _, ok := f.On[line]; !ok && !lacking {
			missing = append(missing, f)
		}
	}
	return missing
}

// Supported are the names of the supported lines, the newest first. Only lines with a branch here or at the default
// remote count.
func Supported(ctx context.Context, r *git.Repository, pattern version.Pattern, lines int) ([]string, error) {
	branches, err := branchesOf(ctx, r, pattern)
	if err != nil {
		return nil, err
	}
	return newestLines(branches, pattern, lines), nil
}

// FindWithoutBranch finds the lines with tagged versions and without a branch among the newest lines, at most so many
// as are supported.
func FindWithoutBranch(ctx context.Context, r *git.Repository, pattern version.Pattern, lines int) (
	[]LineWithoutBranch, error) {
	branches, err := branchesOf(ctx, r, pattern)
	if err != nil {
		return nil, err
	}
	tagged, err := tags.Read(ctx, r)
	if err != nil {
		return nil, err
	}
	newest := newestVersions(tagged, pattern)
	all := maps.Clone(branches)
	for line, v := range newest {
		all[line] = pattern.Branch(v)
	}
	without := []LineWithoutBranch{}
	for _, line := range newestLines(all, pattern, lines) {
		if _, ok := branches[line]; !ok {
			without = append(without, LineWithoutBranch{line, all[line], newest[line]})
		}
	}
	return without, nil
}

// newestLines are the newest keys of branches by line, at most so many.
func newestLines(branches map[string]string, pattern version.Pattern, most int) []string {
	names := slices.SortedFunc(maps.Keys(branches), func(a, b string) int {
		if pattern.LineLess(b, a) {
			return -1
		}
		return 1
	})
	return names[:min(most, len(names))]
}

// Keep makes the ledger of these lines. A fix that was taken back again on the development branch is none. The
// repository needs a quarantine.
func Keep(ctx context.Context, r *git.Repository, c config.Config, lines []Line) (Ledger, error) {
	development := c.Development
	l := Ledger{Development: development, Lines: lines, Fixes: []Fix{}, Alone: []AloneOnLine{},
		WithoutBranch: []LineWithoutBranch{}, Beside: []VersionBeside{}}
	var err error
	if l.Tip, err = r.DevelopmentTip(ctx, development); err != nil {
		return l, fmt.Errorf("compare lines with the development branch: %w", err)
	}
	books := make([]book, len(lines))
	var all []git.Commit
	for i, line := range lines {
		if books[i], err = open(ctx, r, line, l.Tip); err != nil {
			return l, fmt.Errorf("compare line %s with %s: %w", line.Name, development, err)
		}
		all = slices.Concat(all, books[i].onLine, books[i].onMain)
	}
	if err := r.CompleteChanges(ctx, all); err != nil {
		return l, err
	}
	oldest := 0
	for i, line := range lines {
		if err := books[i].read(ctx, r); err != nil {
			return l, fmt.Errorf("compare line %s with %s: %w", line.Name, development, err)
		}
		if len(books[i].newer) > len(books[oldest].newer) {
			oldest = i
		}
	}
	if len(lines) == 0 {
		return l, nil
	}
	fixes := slices.DeleteFunc(slices.Clone(books[oldest].main.Changes), func(c change.Change) bool { return !c.Message.Kind.IsFix() })
	patches, err := r.PatchIDs(ctx, change.Commits(fixes))
	if err != nil {
		return l, err
	}
	for _, c := range slices.Backward(fixes) {
		f := Fix{Commit: c.Commit.ID, Subject: c.Title, On: map[string]Present{}}
		for i, line := range lines {
			by, found := change.ByHistory, c.Commit.ID
			if books[i].newer[c.Commit.ID] {
				by, found = books[i].line.Find(c, patches)
			}
			if by != "" {
				f.On[line.Name] = Present{by, found}
			}
		}
		l.Fixes = append(l.Fixes, f)
	}
	keep, err := unmerged(c)
	if err != nil {
		return l, err
	}
	for i := range books {
		if err := l.leaveOut(ctx, r, &books[i], fixes, keep); err != nil {
			return l, fmt.Errorf("compare line %s with %s: %w", lines[i].Name, development, err)
		}
	}
	for _, b := range books {
		alone, err := b.alone(ctx, r)
		if err != nil {
			return l, err
		}
		l.Alone = append(l.Alone, alone...)
	}
	return l, nil
}

// leaveOut notes the fixes that repair code which a line does not have.
func (l *Ledger) leaveOut(ctx context.Context, r *git.Repository, b *book, fixes []change.Change, keep func(string) bool) error {
	missing := map[string]bool{}
	for _, f := range l.Missing(b.name) {
		missing[f.Commit] = true
	}
	open := slices.DeleteFunc(slices.Clone(fixes), func(c change.Change) bool { return !missing[c.Commit.ID] })
	lacking, err := b.lacking(ctx, r, open, keep)
	for i, f := range l.Fixes {
		if path, ok := lacking[f.Commit]; ok && missing[f.Commit] {
			if f.Lacking == nil {
				l.Fixes[i].Lacking = map[string]string{}
			}
			l.Fixes[i].Lacking[b.name] = path
		}
	}
	return err
}

// book is what a line and the development branch have each since they parted.
type book struct {
	name, tip      string
	onLine, onMain []git.Commit    // the oldest first
	line, main     *change.Set     // of these
	newer          map[string]bool // commits of the development branch
}

// open finds the commits of a book.
func open(ctx context.Context, r *git.Repository, line Line, tip string) (book, error) {
	b := book{name: line.Name, tip: line.Tip, newer: map[string]bool{}}
	fork, ok, err := r.MergeBase(ctx, line.Tip, tip)
	if err != nil {
		return b, err
	}
	if !ok {
		return b, refusal.New("their histories have nothing in common")
	}
	if b.onLine, err = r.Between(ctx, fork, line.Tip); err != nil {
		return b, err
	}
	b.onMain, err = r.Between(ctx, fork, tip)
	return b, err
}

// read reads what the commits change.
func (b *book) read(ctx context.Context, r *git.Repository) error {
	var err error
	if b.line, err = change.WithPatches(ctx, r, b.onLine); err != nil {
		return err
	}
	if b.main, err = change.WithPatches(ctx, r, b.onMain); err != nil {
		return err
	}
	for _, c := range change.Commits(b.main.Changes) {
		b.newer[c.ID] = true
	}
	return nil
}

// alone are the line's commits that the development branch has not, versions aside.
func (b book) alone(ctx context.Context, r *git.Repository) ([]AloneOnLine, error) {
	patches, err := r.PatchIDs(ctx, change.Commits(b.line.Changes))
	if err != nil {
		return nil, err
	}
	var alone []AloneOnLine
	for _, c := range slices.Backward(b.line.Changes) {
		if c.Message.Kind == change.Release {
			continue
		}
		if by, _ := b.main.Find(c, patches); by != "" {
			continue
		}
		alone = append(alone, AloneOnLine{b.name, c.Commit.ID, c.Message.Kind, c.Title})
	}
	return alone, nil
}
