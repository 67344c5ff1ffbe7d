package publish

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/registry"
	"github.com/operator-release/operator-release/ci/version"
	"github.com/operator-release/operator-release/ci/writes"
)

// lookBack is how many earlier commits of an index are looked at for a chart that it does not list.
const lookBack = 100

// A past is a commit of an index's branch that changed the index.
type past struct {
	commit string
	bring  string // the command that brings it into a clone, with " && " after it; empty: the branch or the clone has it
	begin  string // the command that forgets it, so that the index begins anew; empty: the branch itself has it
}

// earlier are the commits that changed the index: at most so many of the branch, then of its record, the newest first.
// Last is the commit that the clone fetched.
func (x *Index) earlier(ctx context.Context, remote *git.Remote, tip string, most int) ([]past, error) {
	ref := journal.IndexRef(x.Branch)
	refs, err := remote.Refs(ctx, ref)
	if err != nil {
		return nil, err
	}
	of := past{}
	var all []past
	add := func(revisions ...string) error {
		args := append([]string{"rev-list", fmt.Sprintf("--max-count=%d", most), "--first-parent"}, revisions...)
		out, err := remote.Local().Git(ctx, append(args, "--", indexFile)...)
		for _, of.commit = range strings.Fields(out) {
			all = append(all, of)
		}
		return err
	}
	if tip != "" {
		if err := add(tip); err != nil {
			return nil, err
		}
	}
	if recorded := refs[ref]; recorded != "" {
		if err := remote.Fetch(ctx, ref); err != nil {
			return nil, err
		}
		of.bring, of.begin = "git fetch "+remote.URL+" "+ref+" && ", "git push "+remote.URL+" :"+ref
		revisions := []string{recorded}
		if tip != "" {
			revisions = append(revisions, "^"+tip)
		}
		if err := add(revisions...); err != nil {
			return nil, err
		}
	}
	if x.Fetched != "" {
		all = append(all, past{commit: x.Fetched, begin: "git fetch --prune"})
	}
	return all, nil
}

// checkVanished refuses an index that lists no version of a chart although an earlier commit of its branch, or one that
// its record or the clone knows, lists some. Without a chart it refuses an index that lists none at all. tip is empty
// if the branch does not exist. A new list in its place would take every version from those who use it. A list may be
// empty if each version in it was marked: rollback removes versions.
func (x *Index) checkVanished(ctx context.Context, remote *git.Remote, tip, chart string) error {
	what, most := "it lists no chart", maxEarlier
	switch {
	case chart != "":
		what, most = "it lists no version of chart "+chart, lookBack
	case tip == "":
		what = "the branch does not exist"
	}
	earlier, err := x.earlier(ctx, remote, tip, most)
	if err != nil {
		return err
	}
	for _, was := range earlier {
		index, err := x.at(ctx, remote, was.commit)
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
		wayOut := fmt.Sprintf("bring it back: %sgit checkout %.12s -- %s, and commit", was.bring, was.commit, indexFile)
		if tip == "" {
			wayOut = fmt.Sprintf("bring it back: %sgit push %s %s:%s", was.bring, remote.URL, was.commit, x.ref())
		}
		wayOut += "; or name the branch where it is now"
		if was.begin != "" {
			wayOut += "; or, if the index really begins anew, forget the old one: " + was.begin
		}
		return refusal.New("read %s on branch %s of %s: %s, and in commit %.12s it listed %s%s; %s",
			indexFile, x.Branch, remote.URL, what, was.commit, strings.Join(vanished, ", "), moved, wayOut)
	}
	return nil
}

// firstEntry says of a chart that it is new in the index, where that was looked up, and which other index lists it.
func (p *publication) firstEntry(ctx context.Context, chart string) (string, error) {
	x := p.index
	where := "its commits and its record " + journal.IndexRef(x.Branch)
	if x.Fetched != "" {
		where = "its commits, its record " + journal.IndexRef(x.Branch) + " and the branch as this clone fetched it"
	}
	note := fmt.Sprintf("chart index on branch %s: %s list no version of chart %s; this one is the first",
		x.Branch, where, chart)
	others, err := p.otherRecords(ctx, chart)
	if others != "" {
		note += " on this branch; " + others
	}
	return note, err
}

// record makes the record of the index lead to the branch's commit. An index without charts is not recorded, and the
// record of a branch that has moved on meanwhile stays.
func (x *Index) record(ctx context.Context, remote *git.Remote) ([]Write, error) {
	ref := journal.IndexRef(x.Branch)
	write := Write{writes.Index, ref, "record of the chart index", There}
	for attempt := 0; ; attempt++ {
		refs, err := remote.Refs(ctx, x.ref(), ref)
		if err != nil || refs[x.ref()] == "" {
			return nil, err
		}
		tip, recorded := refs[x.ref()], refs[ref]
		if tip == recorded {
			return []Write{write}, nil
		}
		if err := remote.Fetch(ctx, slices.Sorted(maps.Keys(refs))...); err != nil {
			return nil, err
		}
		if index, err := x.at(ctx, remote, tip); err != nil || len(index.Versions()) == 0 {
			return nil, err
		}
		if recorded != "" {
			if newer, err := remote.Local().Descends(ctx, recorded, tip); err != nil || newer {
				return []Write{write}, err
			}
		}
		failed := remote.Swap(ctx, ref, recorded, tip)
		if failed == nil {
			write.Outcome = Written
			return []Write{write}, nil
		}
		if attempt >= maxEdits || !errors.Is(failed, git.ErrStale) && attempt >= editTries {
			return nil, failed
		}
		if err := registry.Usual.Wait(ctx, 0); err != nil {
			return nil, errors.Join(failed, err)
		}
	}
}

// openIndex checks the branch of the index, and finds what the clone knows of it.
func (p *publication) openIndex(ctx context.Context) error {
	if err := p.checkIndexBranch(); err != nil || p.to.Remote.Throwaway {
		return err
	}
	from := p.to.Remote
	ref, fetched, err := from.Source.FetchedBranch(ctx, git.NamedRemote{Name: from.Name, URL: from.URL}, p.index.Branch)
	if err != nil || fetched == "" {
		return err
	}
	if _, err := p.index.at(ctx, p.remote, fetched); err != nil && !refusal.Is(err) {
		p.report.Notes = append(p.report.Notes, fmt.Sprintf("%s of this clone was not looked at: %v", ref, err))
		return nil
	}
	p.index = &Index{Branch: p.index.Branch, Fetched: fetched}
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
		if len(versions) > 0 {
			all = append(all, chart+" "+shortList(versions))
		}
	}
	return all, nil
}

// elsewhere says where on the branch another index is.
func (x *Index) elsewhere(ctx context.Context, remote *git.Remote, tip string) (string, error) {
	if tip == "" {
		return "", nil
	}
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
