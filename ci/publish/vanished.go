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

// lookBack is how many earlier commits of an index are looked at for a chart that it does not list.
const lookBack = 100

// checkVanished refuses an index that lists no version of a chart although an earlier commit of its branch lists some.
// Without a chart it refuses an index that lists none at all. A new list in its place would take every version from
// those who use it. A list may be empty if each version in it was marked: rollback removes versions.
func (x *Index) checkVanished(ctx context.Context, remote *git.Remote, tip, chart string) error {
	earlier, err := x.earlier(ctx, remote, tip)
	if err != nil {
		return err
	}
	what := "chart"
	if chart != "" {
		what, earlier = "version of chart "+chart, earlier[:min(lookBack, len(earlier))]
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
		if chart != "" {
			maps.DeleteFunc(listed, func(name string, _ []string) bool { return name != chart })
		}
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
		return refusal.New("read %s on branch %s of %s: it lists no %s, and in commit %.12s it listed %s%s; "+
			"bring it back: git checkout %.12s -- %s, and commit; or name the branch where it is now",
			indexFile, x.Branch, remote.URL, what, commit, strings.Join(vanished, ", "), moved, commit, indexFile)
	}
	return nil
}

// checkIndexBranch refuses to keep the chart index on a branch that releases are made of.
func (p *publication) checkIndexBranch() error {
	pattern, err := linesOf(p.bundle.Record)
	if err != nil {
		return err
	}
	line, isLine := pattern.LineOf(p.index.Branch)
	switch {
	case isLine:
		return refusal.New("publish %s to the chart index on branch %s: that is the branch of release line %s; "+
			"name another one, such as gh-pages", p.version, p.index.Branch, line)
	case p.index.Branch == p.bundle.Record.Config.Development:
		return refusal.New("publish %s to the chart index on branch %s: that is the development branch; "+
			"name another one, such as gh-pages", p.version, p.index.Branch)
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
