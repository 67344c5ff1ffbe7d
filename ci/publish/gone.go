package publish

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/chartindex"
	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/version"
)

// A goneEntry is a version of a chart that an earlier commit of the index lists and the index does not.
type goneEntry struct{ chart, version string }

func (e goneEntry) String() string { return e.chart + " " + e.version }

// checkGone refuses an index that lists some versions of the bundle's charts no more. A version may be gone if it was
// rolled back. A version without claim cannot be rolled back: the report has a note of it. Nothing is checked if the
// bundle's own entry is gone, since its publication brings it back, or if the index has it already.
func (p *publication) checkGone(ctx context.Context) error {
	if p.to.Remote.Throwaway || p.state() == journal.RolledBack {
		return nil
	}
	index, tip, err := p.index.read(ctx, p.remote)
	if err != nil || tip.ID == "" {
		return err
	}
	here, own := index.Versions(), map[goneEntry]bool{}
	for _, chart := range p.bundle.Record.OfKind(bundle.KindChart) {
		if name := path.Base(chart.Repository); len(here[name]) > 0 && !index.Has(name, chart.Tag) {
			own[goneEntry{name, chart.Tag}] = true
		}
	}
	if len(own) == 0 {
		return nil
	}
	earlier, err := p.index.earlier(ctx, p.remote, tip.ID, lookBack)
	if err != nil {
		return err
	}
	listed := map[goneEntry]bool{}
	for chart, versions := range here {
		for _, v := range versions {
			listed[goneEntry{chart, v}] = true
		}
	}
	last := map[goneEntry]past{} // the newest commit that lists it
	for _, was := range earlier {
		old, err := p.index.at(ctx, p.remote, was.commit)
		if refusal.Is(err) {
			continue // nothing that Helm could read either
		}
		if err != nil {
			return err
		}
		versions := old.Versions()
		for e := range own {
			for _, v := range versions[e.chart] {
				one := goneEntry{e.chart, v}
				if own[one] {
					return nil
				}
				if _, known := last[one]; !known && !listed[one] {
					last[one] = was
				}
			}
		}
	}
	return p.refuseGone(ctx, index, last)
}

// refuseGone refuses entries that are gone and were published by a claim. It notes the others.
func (p *publication) refuseGone(ctx context.Context, index *chartindex.Index, last map[goneEntry]past) error {
	if len(last) == 0 {
		return nil
	}
	claims, err := p.remote.Refs(ctx, journal.ClaimRefs+"*")
	if err != nil {
		return err
	}
	_, marks, err := journal.Out(ctx, p.remote)
	if err != nil {
		return err
	}
	claimed, foreign := map[past][]string{}, map[past][]string{}
	rollback := ""
	var most past // the commit that lists most of them
	byName := func(a, b goneEntry) int { return strings.Compare(a.String(), b.String()) }
	for _, e := range slices.SortedFunc(maps.Keys(last), byName) {
		was := last[e]
		v, err := version.Parse("v" + strings.TrimPrefix(e.version, "v"))
		switch {
		case err == nil && marks[v].State == journal.RolledBack:
		case err == nil && claims[journal.ClaimRef(v)] != "":
			claimed[was] = append(claimed[was], e.String())
			if len(claimed[was]) > len(claimed[most]) || most == was {
				most, rollback = was, "operator-release rollback "+v.String()
			}
		default:
			foreign[was] = append(foreign[was], e.String())
		}
	}
	for was, names := range foreign {
		p.report.Notes = append(p.report.Notes, fmt.Sprintf("chart index on branch %s lists no more %s, which commit %.12s "+
			"listed; no claim of it is on the remote; if it has to stay, %s",
			p.index.Branch, shortList(names), was.commit, was.bringBack()))
	}
	slices.Sort(p.report.Notes)
	if len(claimed) == 0 {
		return nil
	}
	wayOut := "bring it back: " + most.bringBack()
	if whole, err := p.holdsAll(ctx, most, index); err != nil {
		return err
	} else if whole {
		wayOut = fmt.Sprintf("bring it back: %sgit checkout %.12s -- %s, and commit", most.bring, most.commit, indexFile)
	}
	if most.begin != "" {
		wayOut += "; or, if the index really begins anew, forget the old one: " + most.begin
	}
	var others []string // one commit need not list all of them
	for was, names := range claimed {
		if was != most {
			others = append(others, fmt.Sprintf(", commit %.12s listed %s", was.commit, shortList(names)))
		}
	}
	slices.Sort(others)
	return refusal.New("read %s on branch %s of %s: entries are gone: commit %.12s listed %s%s; %s; "+
		"or, if users must not get it, say so: %s --because TEXT", indexFile, p.index.Branch, p.remote.URL,
		most.commit, shortList(claimed[most]), strings.Join(others, ""), wayOut, rollback)
}

// bringBack says where the entries are that have to be copied.
func (w past) bringBack() string {
	return fmt.Sprintf("copy its entry into %s from: %sgit show %.12s:%s", indexFile, w.bring, w.commit, indexFile)
}

// holdsAll tells whether a commit has every entry of an index as the index has it. Then the commit's index can stand in
// its place: no entry, mark or address is lost.
func (p *publication) holdsAll(ctx context.Context, was past, index *chartindex.Index) (bool, error) {
	old, err := p.index.at(ctx, p.remote, was.commit)
	if err != nil {
		return false, err
	}
	for chart, versions := range index.Versions() {
		for _, v := range versions {
			if !index.Same(old, chart, v) {
				return false, nil
			}
		}
	}
	return true, nil
}

// shortList joins names: at most three of them.
func shortList(names []string) string {
	if n := len(names); n > 3 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:3], ", "), n-3)
	}
	return strings.Join(names, ", ")
}

// otherRecords names the charts' versions that the records of other indexes on the remote list. A branch whose index
// moved to another branch is found there.
func (p *publication) otherRecords(ctx context.Context, chart string) (string, error) {
	refs, err := p.remote.Refs(ctx, journal.Indexes+"*", "refs/heads/*")
	if err != nil {
		return "", err
	}
	var found []string
	for _, ref := range slices.Sorted(maps.Keys(refs)) {
		branch, isRecord := strings.CutPrefix(ref, journal.Indexes)
		if !isRecord || branch == p.index.Branch {
			continue
		}
		if err := p.remote.Fetch(ctx, ref); err != nil {
			return "", err
		}
		index, err := p.index.at(ctx, p.remote, refs[ref])
		if err != nil && !refusal.Is(err) {
			return "", err
		}
		if err != nil || len(index.Versions()[chart]) == 0 {
			continue
		}
		exists := ""
		if refs["refs/heads/"+branch] == "" {
			exists = ", a branch that does not exist any more,"
		}
		found = append(found, fmt.Sprintf("the index of branch %s%s lists %s %s: if it moved here, copy its entries from: "+
			"git fetch %s %s && git show %.12s:%s", branch, exists, chart, shortList(index.Versions()[chart]),
			p.remote.URL, ref, refs[ref], indexFile))
	}
	return strings.Join(found, "; "), nil
}
