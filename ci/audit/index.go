package audit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/chartindex"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/version"
)

// UsualIndex is the branch where a chart index is kept by custom: GitHub serves it as a project's pages (https://helm.sh/docs/topics/chart_repository).
const UsualIndex = "gh-pages"

const (
	indexFile = "index.yaml"
	maxIndex  = 32 << 20 // bytes
)

// entry is one version of a chart in an index.
type entry struct {
	Version    string   `yaml:"version"`
	AppVersion string   `yaml:"appVersion"`
	Created    string   `yaml:"created"`
	Digest     string   `yaml:"digest"` // of the package: sha256 in hexadecimal
	URLs       []string `yaml:"urls"`
	Deprecated bool     `yaml:"deprecated"`

	Description string `yaml:"description"`
}

// of is the version that the entry is of; ok is false where it is one of another form.
func (e entry) of() (v version.Version, ok bool) {
	v, err := version.Parse("v" + strings.TrimPrefix(e.Version, "v"))
	return v, err == nil
}

// created is when the entry was made; ok is false where it does not say.
func (e entry) created() (at time.Time, ok bool) {
	at, err := time.Parse(time.RFC3339Nano, e.Created)
	return at.UTC(), err == nil
}

// chartIndex is Helm's index.yaml on a branch.
type chartIndex struct {
	why    string // there is none to look at; empty where there is
	charts map[string][]entry
	older  int // entries that came before the first version of this scheme

	tip    string    // of the branch; empty: it does not exist
	record string    // a commit that the branch was at when a publication wrote it; empty: none is known
	branch string    // name of the branch
	before *sync.Map // what was listed of a chart that is listed no more, by its name
}

// readIndex reads the chart index, where there is one.
func (a *auditor) readIndex(ctx context.Context) (chartIndex, error) {
	var index chartIndex
	branch := cmp.Or(a.Index, UsualIndex)
	tip := a.refs.branches[branch]
	index.branch, index.tip, index.record, index.before = branch, tip, a.refs.indexes[branch], &sync.Map{}
	if tip == "" && index.record != "" && a.refs.noBranches == "" {
		return index, nil // each chart that was listed is missing
	}
	if tip == "" {
		index.why = "no branch " + branch
		if others := slices.Sorted(maps.Keys(a.refs.indexes)); len(others) > 0 && !a.IndexNamed {
			index.why += "; a publication wrote one to branch " + few(others) + ": name it by --index"
		}
		if a.refs.noBranches != "" {
			index.why = "no branch " + branch + " is here: " + a.refs.noBranches
		}
		return index, nil
	}
	entries, err := a.entriesAt(ctx, tip)
	if errors.Is(err, fs.ErrNotExist) {
		earlier, err := a.earlierIndexes(ctx, index)
		if len(earlier) == 0 { // else each chart that was listed is missing
			index.why = fmt.Sprintf("branch %s has no %s", branch, indexFile)
		}
		return index, err
	}
	if err != nil {
		index.why = fmt.Sprintf("%s of branch %s cannot be read: %v", indexFile, branch, err)
		return index, nil
	}
	index.charts = entries
	oldest := a.oldest()
	for name, entries := range index.charts {
		index.charts[name] = slices.DeleteFunc(entries, func(e entry) bool {
			v, ok := e.of()
			// Before it had versions of this scheme a project's chart had a version of its own, beside the operator's.
			other := !ok || (oldest.IsZero() || v.Compare(oldest) < 0) && strings.TrimPrefix(e.AppVersion, "v") != v.SemVer()
			if other {
				index.older++
			}
			return other
		})
	}
	return index, nil
}

// entriesAt are the entries of the index in a commit, by chart.
func (a *auditor) entriesAt(ctx context.Context, commit string) (map[string][]entry, error) {
	tree, err := a.refs.repository.Tree(ctx, commit)
	if err != nil {
		return nil, err
	}
	defer tree.Close()
	content, err := readBounded(tree, indexFile, maxIndex)
	if err != nil {
		return nil, err
	}
	var file struct {
		Entries map[string][]entry `yaml:"entries"`
	}
	err = yaml.Unmarshal(content, &file)
	return file.Entries, err
}

// readBounded reads a file of at most so many bytes.
func readBounded(tree *git.Tree, name string, most int64) ([]byte, error) {
	info, err := tree.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.Size() > most {
		return nil, fmt.Errorf("it has %d bytes; at most %d are read", info.Size(), most)
	}
	return tree.ReadFile(name)
}

// versions are those that the index names of the charts.
func (x chartIndex) versions(charts []string) []version.Version {
	var all []version.Version
	for _, name := range charts {
		for _, e := range x.charts[name] {
			if v, ok := e.of(); ok {
				all = append(all, v)
			}
		}
	}
	return all
}

// find are the entries of a chart's version.
func (x chartIndex) find(chart string, v version.Version) []entry {
	var found []entry
	for _, e := range x.charts[chart] {
		if of, ok := e.of(); ok && of == v {
			found = append(found, e)
		}
	}
	return found
}

func (x chartIndex) has(chart string, v version.Version) bool { return len(x.find(chart, v)) > 0 }

// candidates tells whether the index holds candidates of a chart at all: many projects leave them out.
func (x chartIndex) candidates(chart string) bool {
	return slices.ContainsFunc(x.charts[chart], func(e entry) bool {
		v, ok := e.of()
		if !ok {
			return false
		}
		_, candidate := v.Candidate()
		return candidate
	})
}

// begins tells whether all that the index has of a chart is newer than a version.
func (x chartIndex) begins(chart string, after version.Version) bool {
	return !slices.ContainsFunc(x.charts[chart], func(e entry) bool {
		v, ok := e.of()
		return ok && v.Compare(after) < 0
	})
}

// notes tell about the index as a whole.
func (x chartIndex) notes(all bool) []string {
	var notes []string
	if x.why != "" {
		notes = append(notes, "no chart index: "+x.why)
	}
	if all && x.older > 0 {
		notes = append(notes, fmt.Sprintf("%d entries of the chart index were skipped: they are older than the first version of this form", x.older))
	}
	return notes
}

// released is a chart of a version, as the index should have it.
type released struct{ name, appVersion, digest string }

// charts are those of a version: of its record, else of its tagged tree, else those that the index names with it.
func (a *auditor) charts(v version.Version, k *known, t *tagged) []released {
	var all []released
	switch {
	case k != nil:
		for _, c := range k.record.OfKind(bundle.KindChart) {
			name := path.Base(c.Repository)
			all = append(all, released{name, t.appVersion(k.record, name), c.Package.Digest.String()})
		}
	case t.files != nil && t.refused == nil:
		for _, c := range t.settings.Charts {
			if meta, err := readChart(t.files, c.Path); err == nil && meta.Name != "" {
				all = append(all, released{meta.Name, meta.AppVersion, ""})
			}
		}
	default:
		for _, name := range a.chartNames {
			if a.index.has(name, v) {
				all = append(all, released{name, "", ""})
			}
		}
	}
	return all
}

// indexed compares the chart index with what was released.
func (a *auditor) indexed(ctx context.Context, v version.Version, k *known, t *tagged, out *Version) error {
	if a.index.why != "" {
		a.noIndex(v, k, t, out)
		return nil
	}
	for _, c := range a.charts(v, k, t) {
		name := c.name + " " + v.SemVer()
		if len(a.index.charts[c.name]) == 0 {
			if err := a.unlisted(ctx, v, k, c, out); err != nil {
				return err
			}
			continue
		}
		found := a.index.find(c.name, v)
		_, candidate := v.Candidate()
		switch {
		case len(found) == 0 && (candidate && !a.index.candidates(c.name) || out.Mark != nil && out.Mark.State == journal.RolledBack):
			continue
		case len(found) == 0 && k == nil && a.index.begins(c.name, v):
			out.note("the first version of %s in the chart index is a later one", c.name)
			continue
		case len(found) == 0:
			out.compare(KindIndex, name, v.SemVer(), "", "")
			continue
		case out.Mark != nil && out.Mark.State == journal.RolledBack:
			out.compare(KindIndex, name, "not listed", "listed", "the version is rolled back, and helm installs the newest listed version by default")
			continue
		case len(found) > 1:
			out.compare(KindIndex, name, "one entry", fmt.Sprintf("%d entries", len(found)), "")
		default:
			out.compare(KindIndex, name, v.SemVer(), strings.TrimPrefix(found[0].Version, "v"), "")
		}
		a.entry(v, c, name, found[0], out)
	}
	return nil
}

// entry compares one entry of the index.
func (a *auditor) entry(v version.Version, c released, name string, e entry, out *Version) {
	if c.appVersion != "" {
		out.compare(KindIndex, name+" appVersion", c.appVersion, e.AppVersion, "")
	}
	if c.digest != "" {
		out.compare(KindIndex, name+" digest", c.digest, "sha256:"+strings.TrimPrefix(e.Digest, "sha256:"), "")
	}
	want, leads := "leads to "+v.SemVer(), "nowhere"
	for _, at := range e.URLs {
		if leads = at; names(at, v) {
			leads = want
			break
		}
	}
	out.compare(KindIndex, name+" URL", want, leads, "")
	before, earlier := a.before(c.name, v)
	own, said := e.created()
	at, alsoSaid := earlier.created()
	if !before.IsZero() && said && alsoSaid {
		want := "created after " + before.String()
		found := want
		if own.Before(at) {
			found = fmt.Sprintf("created %s, %s was at %s", own.Format(time.RFC3339), before, at.Format(time.RFC3339))
		}
		out.compare(KindIndex, name+" created", want, found, "")
	}
	withdrawn := out.Mark != nil && out.Mark.State == journal.Withdrawn
	switch {
	case withdrawn && e.Deprecated && !strings.HasPrefix(e.Description, chartindex.DoNotUse):
		out.compare(KindIndex, name+" description", chartindex.DoNotUse, e.Description, "the version is withdrawn")
	case withdrawn && e.Deprecated:
		out.compare(KindIndex, name+" deprecated", "deprecated", "deprecated", "")
	case withdrawn:
		out.compare(KindIndex, name+" deprecated", "deprecated", "not deprecated", "the version is withdrawn")
	case !e.Deprecated:
	case a.refs.noMarks != "":
		out.unseen(KindIndex, name+" deprecated", "", "it is deprecated, and the marks of versions cannot be read: "+a.refs.noMarks)
	default:
		out.compare(KindIndex, name+" deprecated", "not deprecated", "deprecated", "the version is not withdrawn")
	}
}

// names tells whether an address names a version: its file does, and a folder that is a version is this one.
func names(address string, v version.Version) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	parts := strings.Split(u.Path, "/")
	for _, part := range parts {
		if other, err := version.Parse(part); err == nil && other != v {
			return false
		}
	}
	return strings.HasSuffix(strings.TrimSuffix(parts[len(parts)-1], ".tgz"), "-"+v.SemVer())
}

// before is the version before v on its line that the index has of a chart, and its entry.
func (a *auditor) before(chart string, v version.Version) (version.Version, entry) {
	var listed []string
	for _, e := range a.index.charts[chart] {
		listed = append(listed, e.Version)
	}
	name := chartindex.Before(v, a.Pattern.Line, listed)
	i := slices.Index(listed, name)
	if i < 0 {
		return version.Version{}, entry{}
	}
	of, _ := a.index.charts[chart][i].of()
	return of, a.index.charts[chart][i]
}

// namesOfCharts are the charts of the newest tagged tree that has any: an index may hold other projects' too.
func (a *auditor) namesOfCharts(ctx context.Context) ([]string, error) {
	if len(a.index.charts) == 0 {
		return nil, nil
	}
	for _, v := range slices.SortedFunc(maps.Keys(a.refs.tags), func(x, y version.Version) int { return y.Compare(x) }) {
		t, err := a.tagged(ctx, v, &Version{})
		if err != nil {
			return nil, err
		}
		var all []string
		for _, c := range a.charts(v, nil, t) {
			all = append(all, c.name)
		}
		t.close()
		if len(all) > 0 {
			return all, nil
		}
	}
	return nil, nil
}
