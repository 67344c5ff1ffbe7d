package policy

import (
	"context"
	"maps"
	"slices"

	"github.com/operator-release/operator-release/ci/change"
	"github.com/operator-release/operator-release/ci/git"
)

// Changes are the changes of a commit's history since another commit, the oldest first; of those that break something, with the paths that they change.
func Changes(ctx context.Context, r *git.Repository, since, commit string) ([]Change, error) {
	commits, err := r.Between(ctx, since, commit)
	if err != nil {
		return nil, err
	}
	commits = change.Remaining(change.Fold(commits))
	var breaking []string
	for _, c := range commits {
		if change.Read(c.Message).Breaking && len(c.Parents) > 0 {
			breaking = append(breaking, c.ID, c.Parents[0])
		}
	}
	if err := r.CompleteTrees(ctx, breaking...); err != nil {
		return nil, err
	}
	var changes []Change
	for _, c := range commits {
		made := Change{Commit: c.ID, Title: change.Title(c.Message), Message: change.Read(c.Message)}
		if made.Message.Breaking && len(c.Parents) > 0 {
			changed, err := r.Changes(ctx, c.Parents[0], c.ID)
			if err != nil {
				return nil, err
			}
			made.Paths = slices.Sorted(maps.Keys(changed))
		}
		changes = append(changes, made)
	}
	return changes, nil
}
