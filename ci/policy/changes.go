package policy

import (
	"context"
	"maps"
	"slices"

	"github.com/operator-release/operator-release/ci/change"
	"github.com/operator-release/operator-release/ci/git"
)

// Change is a change since the version that users come from.
type Change struct {
	change.Change
	Paths     []string // that it changes; only of what may change what the operator does
	TakesBack []string // titles of what the version before has, and this takes back
}

// Changes are the changes of a commit's history since another commit, the oldest first.
func Changes(ctx context.Context, r *git.Repository, since, commit string) ([]Change, error) {
	commits, err := r.Between(ctx, since, commit)
	if err != nil {
		return nil, err
	}
	all := change.Remaining(change.Changes(commits))
	var asked []git.Commit
	var trees []string
	takesBack := false
	for _, c := range all {
		why, _ := c.IsFeature(nil)
		takesBack = takesBack || c.TakesBack()
		if len(c.Commit.Parents) == 0 || why == "" && !c.Message.Breaking && !c.TakesBack() && !c.MayChangeBehaviour() {
			continue
		}
		asked = append(asked, c.Commit)
		trees = append(trees, c.Commit.ID, c.Commit.Parents[0])
	}
	if err := r.CompleteTrees(ctx, trees...); err != nil {
		return nil, err
	}
	paths, err := r.ChangesOf(ctx, asked)
	if err != nil {
		return nil, err
	}
	for _, c := range asked {
		if len(c.Parents) > 1 {
			if paths[c.ID], err = r.Changes(ctx, c.Parents[0], c.ID); err != nil {
				return nil, err
			}
		}
	}
	var before *change.History
	if takesBack {
		older, err := r.History(ctx, []string{since})
		if err != nil {
			return nil, err
		}
		before = change.NewHistory(older)
	}
	var changes []Change
	for _, c := range all {
		made := Change{Change: c, Paths: slices.Sorted(maps.Keys(paths[c.Commit.ID]))}
		if c.TakesBack() {
			made.TakesBack = before.TakenBack(c)
		}
		changes = append(changes, made)
	}
	return changes, nil
}
