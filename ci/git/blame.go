package git

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// largeFile makes git take a file of this size and more as a binary where it only compares: to go through its lines takes long.
const largeFile = "core.bigFileThreshold=2m"

var hunk = regexp.MustCompile(`(?m)^@@ -([0-9]+)(?:,([0-9]+))? `)

// Touched are the commits after fork that last touched the lines that commit changes at a path, and the few around them: what its change
// stands on there. Of a binary, and of a file that is large, it is whatever touched it. A path that the commit's parent does not have has none.
func (p *Picker) Touched(ctx context.Context, fork string, commit Commit, path string) ([]string, error) {
	r, parent := p.repository, commit.Parents[0]
	if parent == fork { // there are none; of an empty range, git blame would speak of HEAD
		return nil, nil
	}
	// Git reads files of all commits between where it looks for what was renamed.
	if err := r.Complete(ctx, fork); err != nil {
		return nil, err
	}
	if err := r.completeRange(ctx, []string{commit.ID}, []string{fork}); err != nil {
		return nil, err
	}
	if _, err := r.Git(ctx, "cat-file", "-e", parent+":"+path); err != nil {
		return nil, nil
	}
	if err := p.neutral.show(ctx, commit.Tree); err != nil {
		return nil, err
	}
	patch, err := p.neutral.run(ctx, "", "-c", largeFile, "diff-tree", "-p", "-U3", "--no-ext-diff", "--no-textconv",
		parent, commit.ID, "--", path)
	if err != nil {
		return nil, err
	}
	args := []string{"blame", "-s", "-l"}
	for _, m := range hunk.FindAllStringSubmatch(string(patch), -1) {
		if m[2] == "0" { // added to an empty file
			continue
		}
		n := 1
		if m[2] != "" {
			if n, err = strconv.Atoi(m[2]); err != nil {
				return nil, err
			}
		}
		args = append(args, "-L", m[1]+",+"+strconv.Itoa(n))
	}
	if len(args) == 3 {
		out, err := r.Git(ctx, "rev-list", "--reverse", fork+".."+parent, "--", path)
		return strings.Fields(out), err
	}
	out, err := r.Git(ctx, append(args, fork+".."+parent, "--", path)...)
	if err != nil {
		return nil, err
	}
	var found []string
	for line := range strings.Lines(out) {
		id, _, _ := strings.Cut(line, " ")
		if !strings.HasPrefix(id, "^") && id != fork && !slices.Contains(found, id) {
			found = append(found, id)
		}
	}
	return found, nil
}
