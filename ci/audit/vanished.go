package audit

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/version"
)

// listed are the entries of a chart in an earlier commit of the chart index.
type listed struct {
	commit  string
	entries []entry
}

// maxEarlier bounds how many earlier commits of the index are looked at: of its branch, and of its record.
const maxEarlier = 100

// earlierIndexes are the commits that changed the index: those of its branch, then those that only its record has. Both
// have the newest first.
func (a *auditor) earlierIndexes(ctx context.Context, x chartIndex) ([]string, error) {
	var all []string
	for _, revisions := range [][]string{{x.tip}, {x.record, "^" + x.tip}} {
		if revisions[0] == "" {
			continue
		}
		revisions = slices.DeleteFunc(revisions, func(r string) bool { return r == "^" })
		args := append([]string{"rev-list", fmt.Sprintf("--max-count=%d", maxEarlier), "--first-parent"}, revisions...)
		out, err := a.refs.repository.Git(ctx, append(args, "--", indexFile)...)
		if err != nil {
			return nil, err
		}
		all = append(all, strings.Fields(out)...)
	}
	return all, nil
}

// listedBefore are the entries of a chart in the newest earlier commit of the index that has any. The index of now has
// none.
func (a *auditor) listedBefore(ctx context.Context, chart string) (listed, error) {
	if found, ok := a.index.before.Load(chart); ok {
		return found.(listed), nil
	}
	commits, err := a.earlierIndexes(ctx, a.index)
	if err != nil {
		return listed{}, err
	}
	var found listed
	for _, commit := range commits {
		entries, err := a.entriesAt(ctx, commit)
		if err == nil && len(entries[chart]) > 0 { // an index that cannot be read listed nothing
			found = listed{commit, entries[chart]}
			break
		}
	}
	a.index.before.Store(chart, found)
	return found, nil
}

// unlisted is about a version of a chart of which the index has no entry at all. It is a difference if the index had
// one of this version before, or if the version belongs there.
func (a *auditor) unlisted(ctx context.Context, v version.Version, k *known, c released, out *Version) error {
	was, err := a.listedBefore(ctx, c.name)
	if err != nil {
		return err
	}
	had := slices.ContainsFunc(was.entries, func(e entry) bool {
		of, ok := e.of()
		return ok && of == v
	})
	switch {
	case !had && a.belongs(v, k, out):
		out.compare(KindIndex, c.name+" "+v.SemVer(), v.SemVer(), "", "it lists no version of chart "+c.name)
		return nil
	case !had || out.Mark != nil && out.Mark.State == journal.RolledBack:
		out.note("the chart index has no chart %s", c.name)
		return nil
	case a.index.tip == "":
		out.compare(KindIndex, c.name+" "+v.SemVer(), v.SemVer(), "", fmt.Sprintf(
			"branch %s does not exist; commit %.12s of its record %s listed it",
			a.index.branch, was.commit, journal.IndexRef(a.index.branch)))
		return nil
	}
	of := "its branch"
	if on, err := a.refs.repository.Descends(ctx, a.index.tip, was.commit); err != nil {
		return err
	} else if !on {
		of = "its record " + journal.IndexRef(a.index.branch)
	}
	out.compare(KindIndex, c.name+" "+v.SemVer(), v.SemVer(), "",
		fmt.Sprintf("commit %.12s of %s listed it", was.commit, of))
	return nil
}

// noIndex is about a version where there is no index to look at.
func (a *auditor) noIndex(v version.Version, k *known, t *tagged, out *Version) {
	if !a.belongs(v, k, out) {
		return
	}
	for _, c := range a.charts(v, k, t) {
		out.compare(KindIndex, c.name+" "+v.SemVer(), v.SemVer(), "", a.index.why)
	}
}

// belongs tells whether the index has to list the charts of a version although nothing tells that it did. The call then
// names the index, and the version is a final with a record that is not rolled back.
func (a *auditor) belongs(v version.Version, k *known, out *Version) bool {
	_, candidate := v.Candidate()
	return a.IndexNamed && a.refs.noBranches == "" && k != nil && !candidate &&
		(out.Mark == nil || out.Mark.State != journal.RolledBack)
}
