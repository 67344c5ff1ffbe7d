package backport

import (
	"context"
	"slices"
	"strings"

	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/version"
)

// FindLines finds the branches of the lines of these names: the local one, or origin's where that is ahead or alone. A line without a branch,
// and one whose branches went apart, is refused.
func FindLines(ctx context.Context, r *git.Repository, pattern version.Pattern, names []string) ([]Line, error) {
	heads, err := r.Refs(ctx, "refs/heads/")
	if err != nil {
		return nil, err
	}
	remote, err := r.Refs(ctx, "refs/remotes/origin/")
	if err != nil {
		return nil, err
	}
	known := map[string]Line{}
	for _, refs := range []map[string]string{heads, remote} {
		for branch, tip := range refs {
			name, ok := pattern.LineOf(branch)
			if !ok {
				continue
			}
			seen, twice := known[name]
			if twice && seen.Tip != tip && slices.Contains(names, name) {
				ahead, err := r.Descends(ctx, tip, seen.Tip)
				if err != nil {
					return nil, err
				}
				behind, err := r.Descends(ctx, seen.Tip, tip)
				if err != nil {
					return nil, err
				}
				switch {
				case behind:
					continue
				case !ahead:
					return nil, refusal.New("backport onto %s: branch %s is at %.12s here and at %.12s at origin, and neither contains the other; bring them together first", name, branch, seen.Tip, tip)
				}
			}
			known[name] = Line{Name: name, Branch: branch, Tip: tip}
		}
	}
	var lines []Line
	for _, name := range names {
		line, ok := known[name]
		if !ok {
			var all []string
			for n := range known {
				all = append(all, n)
			}
			slices.Sort(all)
			if len(all) == 0 {
				all = []string{"none"}
			}
			return nil, refusal.New("backport onto %q: there is no branch of that line (pattern %s)%s; there is %s", name, pattern, refusal.Meant(name, all), strings.Join(all, ", "))
		}
		if !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return lines, nil
}
