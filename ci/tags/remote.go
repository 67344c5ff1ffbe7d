package tags

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/version"
)

// Remote is a git remote, and what it answered that it has.
type Remote struct {
	git.NamedRemote
	Refs map[string]string // as git.ParseListing reads them
}

// Tags are the versions that the remote's tags name.
func (r Remote) Tags() Tags {
	t := Tags{}
	for name, commit := range r.Refs {
		if tag, ok := strings.CutPrefix(name, "refs/tags/"); ok {
			if v, err := version.Parse(tag); err == nil {
				t[v] = commit
			}
		}
	}
	return t
}

// Lines are the branches of release lines that the remote has, by line.
func (r Remote) Lines(pattern version.Pattern) map[string]string {
	lines := map[string]string{}
	for name := range r.Refs {
		if branch, ok := strings.CutPrefix(name, "refs/heads/"); ok {
			if line, ok := pattern.LineOf(branch); ok {
				lines[line] = branch
			}
		}
	}
	return lines
}

// Clone is what a clone knows of versions and release lines.
type Clone struct {
	Tags     Tags
	Branches []string // its own, and those of the remote as they were last fetched
}

// ReadClone reads what a clone knows, of the branches of a remote as well.
func ReadClone(ctx context.Context, r *git.Repository, remote git.NamedRemote) (c Clone, err error) {
	if c.Tags, err = Read(ctx, r); err != nil {
		return c, err
	}
	c.Branches, err = r.KnownBranches(ctx, remote)
	return c, err
}

// Missing describes the versions and release lines of a remote that a clone does not have, and the versions whose tag
// is on another commit. With a line it describes that line only. It is empty if the clone has all.
func (r Remote) Missing(c Clone, pattern version.Pattern, line string) string {
	about := func(l string) bool { return line == "" || line == l }
	var missing, moved, branches []string
	there := r.Tags()
	for _, v := range there.Versions() { // the newest first
		if here, ok := c.Tags[v]; !about(pattern.Line(v)) {
			continue
		} else if !ok {
			missing = append(missing, v.String())
		} else if here != there[v] {
			moved = append(moved, movedTag(v.String(), there[v], here))
		}
	}
	lines := r.Lines(pattern)
	for _, l := range slices.SortedFunc(maps.Keys(lines), func(a, b string) int {
		if pattern.LineLess(b, a) {
			return -1
		}
		return 1
	}) {
		if about(l) && !slices.Contains(c.Branches, lines[l]) {
			branches = append(branches, lines[l])
		}
	}
	return listMissing(missing, moved, branches)
}

// movedTag describes a tag that is on another commit at the remote.
func movedTag(tag, there, here string) string {
	return fmt.Sprintf("%s (%.12s there, %.12s here)", tag, there, here)
}

// listMissing describes tags and branches that a clone does not have, and tags that are on another commit.
func listMissing(missing, moved, branches []string) string {
	var parts []string
	for _, part := range []struct {
		what  string
		names []string
	}{{"no tag of ", missing}, {"another commit for ", moved}, {"no branch ", branches}} {
		if len(part.names) > 0 {
			parts = append(parts, part.what+few(part.names))
		}
	}
	return strings.Join(parts, "; ")
}

// few are names that one can read, at most six of them.
func few(names []string) string {
	const most = 6
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}
