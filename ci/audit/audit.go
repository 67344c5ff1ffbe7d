package audit

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/sourcegraph/conc/pool"
	"oras.land/oras-go/v2/registry/remote"

	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/forge"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/sign"
	"github.com/operator-release/operator-release/ci/surface"
	"github.com/operator-release/operator-release/ci/version"
)

// Options are which versions, and where to look.
type Options struct {
	Versions []version.Version // empty: all
	Since    version.Version   // of all, this one and those after it

	// Repository has the refs to look at, and their objects: a clone as far as it has them, or, with All, whatever the git remote has.
	Repository *git.Repository
	All        bool
	Name       string // of where the refs are from, for people
	Failed     error  // why the refs cannot be read: nothing about them can be told, and Repository is not looked at

	// Registry opens repositories where they lie; nil where no registry was named.
	Registry     func(repository string) (*remote.Repository, error)
	RegistryName string // for people

	Backup *Backup // nil where none was named

	Forge     forge.Forge // whose release pages are looked at; nil where none was named
	ForgeName string      // OWNER/REPO

	Index string // branch of the chart index; empty: the one that is so by custom
	// IndexNamed tells that the call names the index: a version is missing in an index that does not exist.
	IndexNamed bool
	// Bundle is the folder where a version's bundle would lie that was made here.
	Bundle func(version.Version) string

	Verifier    *sign.Verifier  // of what is signed; nil where nobody is trusted: no signature is asked for
	Unverified  error           // why nobody can be trusted now: whether anything is signed cannot be told, and Verifier is nil
	SignedSince version.Version // versions before it need no signatures; the zero version: all do

	Pattern    version.Pattern // of release branches, by the settings of now
	ConfigName string
	Config     []byte // settings that replace those of the tagged trees; nil: each tree's own

	Signers Signers // of git tags
}

// Backup is where copies of bundles are kept: one repository at a registry, or a folder with a folder for each version.
type Backup struct {
	Name string
	Open func() (*remote.Repository, error) // of the repository
	Dir  string                             // of folders; Open is nil then
}

// abreast is how many versions are looked at side by side.
const abreast = 4

// Run reads every surface of the versions and compares. A version that nothing names is refused; what one surface's place answers is in the report, whatever it is.
func Run(ctx context.Context, o Options) (Report, error) {
	a := &auditor{Options: o, registries: registries{open: o.Registry, down: map[string]error{}}}
	var err error
	if o.Failed != nil {
		a.refs = unread(o.Repository, o.Failed)
	} else if a.refs, err = readRefs(ctx, o.Repository, o.All); err != nil {
		return Report{}, err
	}
	if a.index, err = a.readIndex(ctx); err != nil {
		return Report{}, err
	}
	a.pages = a.readPages(ctx)
	if a.chartNames, err = a.namesOfCharts(ctx); err != nil {
		return Report{}, err
	}
	versions, err := a.versions()
	if err != nil {
		return Report{}, err
	}
	var commits []string
	for _, v := range versions {
		if commit := a.refs.tags[v].commit; commit != "" {
			commits = append(commits, commit)
		}
	}
	if err := o.Repository.Complete(ctx, commits...); err != nil {
		return Report{}, err
	}
	r := Report{Git: o.Name, Registry: o.RegistryName, Forge: o.ForgeName, Versions: make([]Version, len(versions))}
	all := pool.New().WithContext(ctx).WithMaxGoroutines(abreast).WithCancelOnError().WithFirstError()
	for i, v := range versions {
		all.Go(func(ctx context.Context) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			var err error
			r.Versions[i], err = a.version(ctx, v)
			return err
		})
	}
	if err := all.Wait(); err != nil {
		return r, err
	}
	if len(o.Versions) == 0 && a.refs.noTags != "" {
		r.Notes = append(r.Notes, "there may be more versions: "+a.refs.noTags)
	}
	if len(o.Versions) == 0 && a.refs.others > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("%d tags were skipped: they are no versions of the form vX.Y.Z or vX.Y.Z-rc.N", a.refs.others))
	}
	if len(o.Versions) == 0 && a.pages.others > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("%d release pages were skipped: they are of no version of this form", a.pages.others))
	}
	r.Notes = append(r.Notes, a.index.notes(len(o.Versions) == 0)...)
	if a.Verifier == nil && a.Unverified == nil && a.Registry != nil && slices.ContainsFunc(r.Versions, func(v Version) bool { return v.Record != "" }) {
		r.Notes = append(r.Notes, "signatures were not verified: no key and no identity is trusted; name a key with --public-key, or write signatures into the settings")
	}
	if a.refs.badMarks != "" {
		r.Notes = append(r.Notes, a.refs.badMarks)
	}
	return r, nil
}

type auditor struct {
	Options
	refs       refs
	registries registries
	index      chartIndex
	pages      pages
	chartNames []string // of charts that are this project's
}

// versions are those asked for, the newest first: of all, those that a tag, a claim, the chart index or a release page names.
func (a *auditor) versions() ([]version.Version, error) {
	switch {
	case a.Failed != nil && len(a.Versions) > 0:
		return a.Versions, nil // of each what else can be read
	case a.Failed != nil:
		return nil, fmt.Errorf("audit all versions: the list of versions cannot be read: %w", a.Failed)
	}
	known := map[version.Version]bool{}
	for v := range a.refs.tags {
		known[v] = true
	}
	for v := range a.refs.claims {
		known[v] = true
	}
	for _, v := range append(a.index.versions(a.chartNames), a.pages.versions()...) {
		known[v] = true
	}
	if len(a.Versions) == 0 {
		maps.DeleteFunc(known, func(v version.Version, _ bool) bool { return !a.Since.IsZero() && v.Compare(a.Since) < 0 })
		if len(known) == 0 && a.refs.noTags != "" {
			return nil, a.refs.noVersions()
		}
		return slices.SortedFunc(maps.Keys(known), func(x, y version.Version) int { return y.Compare(x) }), nil
	}
	var names []string
	for v := range known {
		names = append(names, v.String())
	}
	slices.Sort(names) // of several that are as near the first is meant
	for _, v := range a.Versions {
		if !known[v] {
			where := a.Name
			if !a.All {
				where += ","
			}
			return nil, refusal.New("audit %s: %s has neither a tag nor a claim of it, "+
				"and no chart index or release page names it%s%s",
				v, where, refusal.Meant(v.String(), names), a.refs.wayOut())
		}
	}
	return a.Versions, nil
}

// oldest is the first version that is tagged or claimed.
func (a *auditor) oldest() version.Version {
	var oldest version.Version
	for _, of := range []map[version.Version]ref{a.refs.tags, a.refs.claims} {
		for v := range of {
			if oldest.IsZero() || v.Compare(oldest) < 0 {
				oldest = v
			}
		}
	}
	return oldest
}

// version reads every surface of one version.
func (a *auditor) version(ctx context.Context, v version.Version) (Version, error) {
	out := Version{Version: v, Surfaces: []Surface{}}
	if m, ok := a.refs.marks[v]; ok {
		out.Mark = &m
		switch m.State {
		case journal.Good:
		case journal.Unreadable:
			out.compare(KindMark, journal.MarkRef(v), "a mark", m.Because, "")
		default:
			out.note("%s by %s: %s", m.State, m.By, m.Because)
		}
	}
	t, err := a.tagged(ctx, v, &out)
	if err != nil {
		return out, err
	}
	defer t.close()
	known, err := a.record(ctx, v, t, &out)
	if err != nil {
		return out, err
	}
	if known != nil {
		out.Identity, out.Record, out.Made = known.identity.String(), known.from, &Made{known.record, known.file, known.read}
		a.byRecord(ctx, known, t, &out)
	} else if err := a.byEachOther(ctx, v, t, &out); err != nil {
		return out, err
	}
	if err := a.tagSignature(ctx, v, t, &out); err != nil {
		return out, err
	}
	if err := a.branch(ctx, v, known, t, &out); err != nil {
		return out, err
	}
	a.page(ctx, v, known, &out)
	if err := a.indexed(ctx, v, known, t, &out); err != nil {
		return out, err
	}
	slices.SortStableFunc(out.Surfaces, func(x, y Surface) int { return slices.Index(kinds, x.Kind) - slices.Index(kinds, y.Kind) })
	return out, ctx.Err()
}

// tagged is what a version's git tag leads to.
type tagged struct {
	ref
	there    bool
	files    *git.Tree // nil where the tag is not there, or leads to no commit
	settings config.Config
	refused  error // why the settings cannot be read
}

func (t *tagged) close() {
	if t.files != nil {
		t.files.Close() // of a process that only read
	}
}

func (a *auditor) tagged(ctx context.Context, v version.Version, out *Version) (*tagged, error) {
	t := &tagged{}
	if t.ref, t.there = a.refs.tags[v]; t.commit == "" {
		return t, nil
	}
	if !t.annotated {
		out.note("the git tag is lightweight: it has no tagger and no date")
	}
	var err error
	if t.files, err = a.refs.repository.Tree(ctx, t.commit); err != nil {
		return t, err
	}
	t.settings, t.refused = config.Read(t.files, a.ConfigName, a.Config)
	return t, nil
}

// values reads the values of a tree's surfaces, by the settings. What cannot be read is in the errors, by path.
func (t *tagged) values(c config.Config) (all []surface.Occurrence, unread map[string]error, err error) {
	for _, s := range c.Surfaces { // those of a record were checked by whoever wrote it, if at all
		if _, err := regexp.Compile(s.Pattern); err != nil {
			return nil, nil, fmt.Errorf("read the version in %s: %w", s.Path, err)
		}
	}
	return surface.Values(t.files, c)
}

// branch compares where a version was released from: the release branch has to contain its commit, and the version before on its line is in its history.
func (a *auditor) branch(ctx context.Context, v version.Version, known *known, t *tagged, out *Version) error {
	name, commit := a.Pattern.Branch(v), t.commit
	if known != nil {
		name, commit = known.record.Branch, known.record.Commit
	}
	if commit == "" {
		return nil
	}
	if a.refs.noHistory != "" {
		out.unseen(KindBranch, name, "", a.refs.noHistory)
		return nil
	}
	want := "contains " + short(commit)
	if commit != t.commit {
		switch _, err := a.refs.repository.Commit(ctx, commit); {
		case refusal.Is(err) && a.refs.noBranches != "":
			out.unseen(KindBranch, name, want, a.refs.noBranches)
			return nil
		case refusal.Is(err): // the record's, and no ref leads to it
			out.compare(KindBranch, name, want, "", "no branch contains the commit")
			return nil
		case err != nil:
			return err
		}
	}
	in := a.refs.containing(commit, a.Pattern)
	_, exists := a.refs.branches[name]
	switch {
	case slices.Contains(in, name):
		out.compare(KindBranch, name, want, want, "")
	case a.refs.noBranches != "":
		out.unseen(KindBranch, name, want, a.refs.noBranches)
	case len(in) == 0 && exists:
		out.compare(KindBranch, name, want, fmt.Sprintf("no branch contains it; %s is at %s", name, short(a.refs.branches[name])), "")
	case len(in) == 0:
		out.compare(KindBranch, name, want, "", "no branch contains the commit")
	case exists:
		out.compare(KindBranch, name, want, "it is on "+few(in), "")
	case known == nil && !a.hasLines():
		out.unseen(KindBranch, name, want, fmt.Sprintf("no branch has a name of the pattern %s", a.Pattern))
	default:
		out.compare(KindBranch, name, want, "there is no such branch; it is on "+few(in), "")
	}
	return a.order(ctx, v, commit, out)
}

// hasLines tells whether any branch is one of a release line.
func (a *auditor) hasLines() bool {
	for name := range a.refs.branches {
		if _, ok := a.Pattern.LineOf(name); ok {
			return true
		}
	}
	return false
}

// order compares a version's history with the version before it on its line.
func (a *auditor) order(ctx context.Context, v version.Version, commit string, out *Version) error {
	place, err := a.Pattern.Follow(slices.Collect(maps.Keys(a.refs.tags)), v)
	if err != nil && !refusal.Is(err) {
		return err
	}
	before := a.refs.tags[place.OnLine].commit
	if place.OnLine.IsZero() || before == "" {
		return nil
	}
	descends := a.refs.graph.Descends(commit, before)
	if _, ok := a.refs.graph.At(commit); !ok { // the record's, and no ref leads to it
		if descends, err = a.refs.repository.Descends(ctx, commit, before); err != nil {
			return err
		}
	}
	want := "descends from " + place.OnLine.String()
	found := want
	if !descends {
		at, ok, err := a.refs.repository.MergeBase(ctx, commit, before)
		if err != nil {
			return err
		}
		found = fmt.Sprintf("their histories part at %s", short(at))
		if !ok {
			found = "they have no history in common"
		}
	}
	out.compare(KindHistory, v.String(), want, found, "")
	return nil
}

// short is a commit's or object's id as people write it.
func short(id string) string { return id[:min(12, len(id))] }
