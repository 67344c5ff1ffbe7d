package backport

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/operator-release/operator-release/ci/change"
	"github.com/operator-release/operator-release/ci/git"
)

// What the search for prerequisites may cost.
const (
	maxTrials = 20
	maxSearch = 10 * time.Second
)

// search looks for the commits that a conflicting one needs on the line before it.
type search struct {
	repository *git.Repository
	fork       string
	on         git.Commit
	there      *change.Set
	picker     *git.Picker
	keep       func(path string) bool // what is regenerated: it is no conflict, and no trial regenerates it
	order      map[string]int         // place in history between fork and the commit
	commits    map[string]git.Commit
	trials     int
}

// prerequisites are commits, in the order to be picked, behind which c applies: each was tried, and without any one of them it does not. None
// where no such set is found within the limits.
func (l *lining) prerequisites(ctx context.Context, c, on git.Commit, conflicts []git.Conflict) ([]git.Commit, error) {
	within, cancel := context.WithTimeout(ctx, maxSearch)
	defer cancel()
	found, err := l.search(within, c, on, conflicts)
	if err != nil && within.Err() != nil && ctx.Err() == nil {
		return nil, nil // it takes too long
	}
	return found, err
}

func (l *lining) search(ctx context.Context, c, on git.Commit, conflicts []git.Conflict) ([]git.Commit, error) {
	fork, _, err := l.Repository.MergeBase(ctx, c.ID, l.line.Tip) // there is one: they were picked from
	if err != nil {
		return nil, err
	}
	between, err := l.Repository.Between(ctx, fork, c.ID)
	if err != nil {
		return nil, err
	}
	s := &search{repository: l.Repository, fork: fork, on: on, there: l.there, picker: l.picker, keep: l.generated, order: map[string]int{}, commits: map[string]git.Commit{}}
	for i, b := range between {
		s.order[b.ID], s.commits[b.ID] = i, b
	}
	// What its change stands on, then what that stands on, until all of it applies.
	var set []string
	if set, err = s.add(ctx, set, c, conflicts); err != nil {
		return nil, err
	}
	for {
		if len(set) == 0 || s.spent() {
			return nil, nil
		}
		failed, at, err := s.try(ctx, set, c)
		if err != nil {
			return nil, err
		}
		if failed == nil {
			break
		}
		more, err := s.add(ctx, set, *failed, at)
		if err != nil || len(more) == len(set) {
			return nil, err
		}
		set = more
	}
	// None that can be left out stays: the newest are tried first, for the older may serve them.
	for i := len(set) - 1; i >= 0; i-- {
		if s.spent() {
			return nil, nil
		}
		without := slices.Delete(slices.Clone(set), i, i+1)
		failed, _, err := s.try(ctx, without, c)
		if err != nil {
			return nil, err
		}
		if failed == nil {
			set = without
		}
	}
	var found []git.Commit
	for _, id := range set {
		found = append(found, s.commits[id])
	}
	return found, nil
}

// needed tells what a prerequisite brings.
func (l *lining) needed(ctx context.Context, c git.Commit) (Needed, error) {
	n := Needed{Commit: c.ID, Subject: change.Title(c.Message)}
	changes, err := l.Repository.Changes(ctx, c.Parents[0], c.ID)
	if err != nil {
		return n, err
	}
	for _, one := range change.Changes([]git.Commit{c}) {
		why, _ := one.IsFeature(slices.Sorted(maps.Keys(changes)))
		n.Feature = n.Feature || why != ""
	}
	return n, nil
}

func (s *search) spent() bool { return s.trials >= maxTrials }

// add adds to the set what the commit's change stands on at the paths where it conflicted; what is on the line already is left out.
func (s *search) add(ctx context.Context, set []string, c git.Commit, conflicts []git.Conflict) ([]string, error) {
	set = slices.Clone(set)
	for _, conflict := range conflicts {
		touched, err := s.picker.Touched(ctx, s.fork, c, conflict.Path)
		if err != nil {
			return nil, err
		}
		for _, id := range touched {
			t, ok := s.commits[id]
			if !ok || len(t.Parents) != 1 || slices.Contains(set, id) {
				continue
			}
			patches, err := s.repository.PatchIDs(ctx, []git.Commit{t})
			if err != nil {
				return nil, err
			}
			if by, _ := s.there.FindCommit(t, patches); by == "" {
				set = append(set, id)
			}
		}
	}
	slices.SortFunc(set, func(a, b string) int { return s.order[a] - s.order[b] })
	return set, nil
}

// try picks the set and then c; it gives the commit that does not apply, and where.
func (s *search) try(ctx context.Context, set []string, c git.Commit) (failed *git.Commit, at []git.Conflict, err error) {
	s.trials++
	on := s.on
	for _, id := range append(slices.Clone(set), c.ID) {
		next := c
		if id != c.ID {
			next = s.commits[id]
		}
		picked, err := s.picker.Pick(ctx, on, next, s.keep)
		if err != nil {
			return nil, nil, err
		}
		if len(picked.Conflicts) > 0 {
			return &next, picked.Conflicts, nil
		}
		on.Tree = picked.Tree // what is picked next looks at the tree alone
	}
	return nil, nil, nil
}
