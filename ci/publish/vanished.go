package publish

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/version"
)

// checkVanished refuses an index without entries on a branch where an earlier commit has some: a new index in its place
// would take every version from those who use it. An index may be empty if each version in it was marked: rollback
// removes versions.
func (x *Index) checkVanished(ctx context.Context, remote *git.Remote, tip string) error {
	earlier, err := x.earlier(ctx, remote, tip)
	if err != nil {
		return err
	}
	for _, commit := range earlier {
		index, err := x.at(ctx, remote, commit)
		if refusal.Is(err) {
			continue // nothing that Helm could read either
		}
		if err != nil {
			return err
		}
		listed := index.Versions()
		if len(listed) == 0 {
			continue
		}
		vanished, err := withoutMark(ctx, remote, listed)
		if err != nil || len(vanished) == 0 {
			return err
		}
		moved, err := x.elsewhere(ctx, remote, tip)
		if err != nil {
			return err
		}
		return refusal.New("read %s on branch %s of %s: it lists no chart, and in commit %.12s it listed %s%s; "+
			"bring it back: git checkout %.12s -- %s, and commit; or name the branch where it is now",
			indexFile, x.Branch, remote.URL, commit, strings.Join(vanished, ", "), moved, commit, indexFile)
	}
	return nil
}

// withoutMark are those charts and versions of an index that were never withdrawn or rolled back.
func withoutMark(ctx context.Context, remote *git.Remote, listed map[string][]string) ([]string, error) {
	_, marks, err := journal.Out(ctx, remote)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, chart := range slices.Sorted(maps.Keys(listed)) {
		versions := slices.DeleteFunc(listed[chart], func(name string) bool {
			v, err := version.Parse("v" + strings.TrimPrefix(name, "v"))
			_, marked := marks[v]
			return err == nil && marked
		})
		switch n := len(versions); {
		case n == 0:
		case n > 3:
			all = append(all, fmt.Sprintf("%s %s and %d more", chart, strings.Join(versions[:3], ", "), n-3))
		default:
			all = append(all, chart+" "+strings.Join(versions, ", "))
		}
	}
	return all, nil
}

// elsewhere says where on the branch another index is.
func (x *Index) elsewhere(ctx context.Context, remote *git.Remote, tip string) (string, error) {
	tree, err := remote.Local().Tree(ctx, tip)
	if err != nil {
		return "", err
	}
	defer tree.Close()
	var found []string
	for _, e := range tree.Entries() {
		if path.Base(e.Path) == indexFile && e.Path != indexFile {
			found = append(found, e.Path)
		}
	}
	if len(found) == 0 {
		return "", nil
	}
	return " (" + strings.Join(found, ", ") + " is on the branch)", nil
}
