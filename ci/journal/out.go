package journal

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/version"
)

// Out are the versions that a git remote has tags of, and the newest marks of those that have one.
func Out(ctx context.Context, remote *git.Remote) ([]version.Version, map[version.Version]Mark, error) {
	refs, err := remote.Refs(ctx, "refs/tags/*", Marks+"*")
	if err != nil {
		return nil, nil, err
	}
	var out []version.Version
	for _, ref := range slices.Sorted(maps.Keys(refs)) {
		name, isTag := strings.CutPrefix(ref, "refs/tags/")
		if !isTag {
			continue
		}
		delete(refs, ref)
		if v, err := version.Parse(name); err == nil {
			out = append(out, v)
		}
	}
	marks, err := read(ctx, remote, refs)
	return out, marks, err
}
