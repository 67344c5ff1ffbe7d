package backport

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/version"
)

// FindLines finds the branches of the lines of these names: the local one, or the default remote's where that is ahead
// or the only one. A line without a branch,
// and one whose branches went apart, is refused.
func FindLines(ctx context.Context, r *git.Repository, pattern version.Pattern, names []string) ([]Line, error) {
	branches, err := branchesOf(ctx, r, pattern)
	if err != nil {
		return nil, err
	}
	var lines []Line
	for _, name := range names {
		branch, ok := branches[name]
		if !ok {
			all := slices.Sorted(maps.Keys(branches))
			if len(all) == 0 {
				all = []string{"none"}
			}
			return nil, refusal.New("backport onto %q: there is no branch of that line (pattern %s)%s; there is %s", name, pattern, refusal.Meant(name, all), strings.Join(all, ", "))
		}
		tip, err := r.Newest(ctx, branch)
		if err != nil {
			return nil, fmt.Errorf("backport onto %s: %w", name, err)
		}
		if line := (Line{Name: name, Branch: branch, Tip: tip}); !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return lines, nil
}

// branchesOf are the branches of the lines, by line, here and at the default remote.
func branchesOf(ctx context.Context, r *git.Repository, pattern version.Pattern) (map[string]string, error) {
	all, err := r.Branches(ctx)
	if err != nil {
		return nil, err
	}
	branches := map[string]string{}
	for _, branch := range all.Names() {
		if name, ok := pattern.LineOf(branch); ok {
			branches[name] = branch
		}
	}
	return branches, nil
}
