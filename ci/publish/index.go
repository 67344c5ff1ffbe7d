package publish

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/chartindex"
	"github.com/operator-release/operator-release/ci/committer"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/registry"
	"github.com/operator-release/operator-release/ci/writes"
)

// Index is Helm's index of charts, a file on a branch of the git remote that something serves as pages.
type Index struct {
	Branch string
	// Fetched is the branch's commit as the clone fetched it last; empty where it did not. An index that vanished from
	// the remote is found there, too.
	Fetched string
}

// indexFile is the index's name on its branch.
const indexFile = "index.yaml"

func (x *Index) ref() string { return "refs/heads/" + x.Branch }

// read reads the index of the branch, and the branch's tip; both are empty where there is none yet.
func (x *Index) read(ctx context.Context, remote *git.Remote) (index *chartindex.Index, tip git.Commit, err error) {
	refs, err := remote.Refs(ctx, x.ref())
	if err != nil {
		return nil, tip, err
	}
	if refs[x.ref()] == "" {
		if index, err = chartindex.Parse(nil); err == nil {
			err = x.checkVanished(ctx, remote, "", "")
		}
		return index, tip, err
	}
	if err := remote.Fetch(ctx, x.ref()); err != nil {
		return nil, tip, err
	}
	if tip, err = remote.Local().Commit(ctx, refs[x.ref()]); err != nil {
		return nil, tip, err
	}
	if index, err = x.at(ctx, remote, tip.ID); err == nil && len(index.Versions()) == 0 {
		err = x.checkVanished(ctx, remote, tip.ID, "")
	}
	return index, tip, err
}

// at reads the index of a commit; it is empty where the commit has none.
func (x *Index) at(ctx context.Context, remote *git.Remote, commit string) (*chartindex.Index, error) {
	tree, err := remote.Local().Tree(ctx, commit)
	if err != nil {
		return nil, err
	}
	defer tree.Close()
	content, err := tree.ReadFile(indexFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	index, err := chartindex.Parse(content)
	if err != nil {
		err = refusal.New("read %s on branch %s of %s: %w", indexFile, x.Branch, remote.URL, err)
	}
	return index, err
}

// Edit changes the index: it is read, edited and pushed, and again where somebody else was there first. Edit tells what files the branch has to have beside
// it, and whether anything changed. By makes the commit.
func (x *Index) Edit(ctx context.Context, remote *git.Remote, by committer.Committer, message string, edit func(*chartindex.Index) (beside map[string][]byte, changed bool, err error)) (wrote bool, err error) {
	for attempt := 0; ; attempt++ {
		index, tip, err := x.read(ctx, remote)
		if err != nil {
			return false, err
		}
		files, changed, err := edit(index)
		if err != nil || !changed {
			return false, err
		}
		content, err := index.Bytes()
		if err != nil {
			return false, err
		}
		all := map[string][]byte{indexFile: content}
		for name, content := range files {
			all[name] = content
		}
		base := tip
		if tip.ID == "" {
			id, err := remote.Local().NewNote(ctx, nil, by.Person, by.Message("chore: a branch for the chart index\n"))
			if err != nil {
				return false, err
			}
			if base, err = remote.Local().Commit(ctx, id); err != nil {
				return false, err
			}
		}
		commit, err := remote.Local().NewCommit(ctx, base, all, by.Person, by.Message(message))
		if err != nil {
			return false, err
		}
		failed := remote.Swap(ctx, x.ref(), tip.ID, commit.ID)
		if failed == nil {
			return true, nil
		}
		// Somebody else was there first, at the ref or at its lock: then the branch is another one by now, or in a moment.
		refs, err := remote.Refs(ctx, x.ref())
		if same := refs[x.ref()] == tip.ID; err != nil || same && attempt >= editTries || attempt >= maxEdits {
			return false, errors.Join(failed, err)
		} else if same {
			if err := registry.Usual.Wait(ctx, 0); err != nil {
				return false, errors.Join(failed, err)
			}
		}
	}
}

// How often an index is edited anew: where the push failed and nobody else was there, and in all.
const (
	editTries = 2
	maxEdits  = 20
)

// entriesOf are the index's entries of a bundle's charts, and their packages. Where the packages have an address it is base; else they lie beside the index.
func entriesOf(b bundle.Bundle, base string) (entries []chartindex.Entry, packages map[string][]byte, err error) {
	packages = map[string][]byte{}
	pattern, err := linesOf(b.Record)
	if err != nil {
		return nil, nil, err
	}
	for _, a := range b.Record.OfKind(bundle.KindChart) {
		content, err := os.ReadFile(filepath.Join(b.Layout.Dir(), bundle.FilesDir, a.File)) // verified at the beginning
		if err != nil {
			return nil, nil, err
		}
		metadata, err := chartindex.Metadata(bytes.NewReader(content))
		if err != nil {
			return nil, nil, err
		}
		if base == "" {
			packages[a.File] = content
		}
		entries = append(entries, chartindex.Entry{Metadata: metadata, Created: b.Record.Time, Digest: a.Package.Digest, URL: base + a.File, Line: pattern.Line})
	}
	return entries, packages, nil
}

// listed gives an index the charts of a release as its mark says: there, deprecated where it is withdrawn, and none where it is rolled back, since whoever names no version gets the
// newest that is listed, deprecated or not. The packages stay where they are.
func listed(index *chartindex.Index, record bundle.Record, entries []chartindex.Entry, state journal.State) (changed bool, err error) {
	for _, e := range entries {
		if state != journal.RolledBack {
			one, err := index.Add(e)
			if err != nil {
				return false, err
			}
			changed = changed || one
		}
	}
	for _, a := range record.OfKind(bundle.KindChart) {
		name, one := path.Base(a.Repository), false
		if state == journal.RolledBack {
			one = index.Remove(name, a.Tag)
		} else if index.Has(name, a.Tag) {
			if one, err = index.Deprecate(name, a.Tag, state == journal.Withdrawn); err != nil {
				return false, err
			}
		}
		changed = changed || one
	}
	return changed, nil
}

// state is where the version stands by its newest mark.
func (p *publication) state() journal.State {
	if p.report.Mark == nil {
		return journal.Good
	}
	return p.report.Mark.State
}

// otherEntry refuses where the index has a chart of this version with other content.
// It notes each chart that no index listed before.
func (p *publication) otherEntry(ctx context.Context) error {
	_, first, err := p.unlisted(ctx)
	if err == nil && p.index != nil {
		err = p.checkGone(ctx)
	}
	if err == nil && len(first) > 0 {
		err = p.checkConfigured(ctx, first)
	}
	if len(first) > 0 && err == nil && p.state() != journal.RolledBack && !p.to.Remote.Throwaway {
		for _, chart := range first {
			note, err := p.firstEntry(ctx, chart)
			if err != nil {
				return err
			}
			p.report.Notes = append(p.report.Notes, note)
		}
	}
	return err
}

// unlisted tells whether the index is other than it belongs. It names the charts of which nothing knows an entry.
func (p *publication) unlisted(ctx context.Context) (other bool, first []string, err error) {
	if p.index == nil {
		return false, nil, nil
	}
	index, tip, err := p.index.read(ctx, p.remote)
	if err != nil {
		return false, nil, err
	}
	for _, chart := range p.bundle.Record.OfKind(bundle.KindChart) {
		name := path.Base(chart.Repository)
		if len(index.Versions()[name]) > 0 {
			continue
		}
		if err := p.index.checkVanished(ctx, p.remote, tip.ID, name); err != nil {
			return false, nil, err
		}
		first = append(first, name)
	}
	entries, _, err := entriesOf(p.bundle, "")
	if err != nil {
		return false, nil, err
	}
	other, err = listed(index, p.bundle.Record, entries, p.state())
	return other, first, err
}

// readIndex looks whether the index has the charts, with the bundle's digests.
func (p *publication) readIndex(ctx context.Context) error {
	other, _, err := p.unlisted(ctx)
	if err == nil && other {
		err = fmt.Errorf("read back %s of %s: it does not list the charts of %s as it should; run it again", p.index.ref(), p.remote.URL, p.version)
	}
	return err
}

// chartIndex brings the charts to the index; their packages lie where the release page offers them, or, without one, beside the index.
func (p *publication) chartIndex(ctx context.Context) error {
	if p.index == nil || len(p.bundle.Record.OfKind(bundle.KindChart)) == 0 {
		return nil
	}
	base, err := p.downloads(ctx)
	if err != nil {
		return err
	}
	entries, packages, err := entriesOf(p.bundle, base)
	if err != nil {
		return err
	}
	commit, err := p.scratch.Commit(ctx, p.bundle.Record.Commit)
	if err != nil {
		return err
	}
	if p.state() == journal.RolledBack {
		packages = nil
	}
	wrote, err := p.index.Edit(ctx, p.remote, committer.Of(p.bundle.Record.Config, commit), fmt.Sprintf("chore: charts of %s\n", p.version), func(index *chartindex.Index) (map[string][]byte, bool, error) {
		changed, err := listed(index, p.bundle.Record, entries, p.state())
		return packages, changed, err
	})
	if err != nil {
		return err
	}
	p.wrote(writes.Index, p.index.ref(), "chart index", outcome(wrote))
	recorded, err := p.index.record(ctx, p.remote)
	p.report.Writes = append(p.report.Writes, recorded...)
	return err
}

// downloads is where the page's files are downloaded, with a slash at its end; empty where there is no page.
func (p *publication) downloads(ctx context.Context) (string, error) {
	if p.forge == nil {
		return "", nil
	}
	page, ok, err := p.forge.Client.Page(ctx, p.version)
	if err != nil {
		return "", err
	}
	if !ok || len(page.Assets) == 0 {
		return "", fmt.Errorf("read back the page of %s at %s: it is not there, or has no files; run it again", p.version, p.forge.Name)
	}
	at := page.Assets[0]
	return at.URL[:len(at.URL)-len(at.Name)], nil
}

// maxEarlier bounds how many earlier states of an index are looked through.
const maxEarlier = 1_000

// mark brings a mark to the index. The charts of a version that is rolled back no more are taken from what the branch was before; one that was never listed stays so.
func (x *Index) mark(ctx context.Context, record bundle.Record, state journal.State, remote *git.Remote, by git.Person) (wrote bool, err error) {
	message := fmt.Sprintf("chore: %s is %s\n", record.Version, state)
	return x.Edit(ctx, remote, committer.Committer{Person: by, SignOff: record.Config.SignOff}, message,
		func(index *chartindex.Index) (map[string][]byte, bool, error) {
			changed, err := x.marked(ctx, index, record, state, remote)
			return nil, changed, err
		})
}

// checkMark refuses an index that cannot be read, or that vanished, before anything says that the version is marked.
func (x *Index) checkMark(ctx context.Context, record bundle.Record, state journal.State, remote *git.Remote) error {
	index, _, err := x.read(ctx, remote)
	if err == nil {
		_, err = x.marked(ctx, index, record, state, remote)
	}
	return err
}

// marked edits an index so that it lists a version as one in that state.
func (x *Index) marked(ctx context.Context, index *chartindex.Index, record bundle.Record, state journal.State, remote *git.Remote) (changed bool, err error) {
	if state != journal.RolledBack {
		if changed, err = x.again(ctx, index, record, remote); err != nil {
			return false, err
		}
	}
	marked, err := listed(index, record, nil, state)
	return changed || marked, err
}

// again lists charts that the index lacks as they were listed last.
func (x *Index) again(ctx context.Context, index *chartindex.Index, record bundle.Record, remote *git.Remote) (changed bool, err error) {
	missing := map[string]bundle.Artifact{}
	for _, a := range record.OfKind(bundle.KindChart) {
		if name := path.Base(a.Repository); !index.Has(name, a.Tag) && a.Package != nil {
			missing[name] = a
		}
	}
	if len(missing) == 0 {
		return false, nil
	}
	_, tip, err := x.read(ctx, remote)
	if err != nil {
		return false, err
	}
	all, err := x.earlier(ctx, remote, tip.ID, maxEarlier)
	if err != nil {
		return false, err
	}
	for _, was := range all {
		earlier, err := x.at(ctx, remote, was.commit)
		if err != nil {
			return false, err
		}
		for name, a := range missing {
			if index.Take(earlier, name, a.Tag, a.Package.Digest) {
				changed = true
				delete(missing, name)
			}
		}
		if len(missing) == 0 {
			break
		}
	}
	return changed, nil
}
