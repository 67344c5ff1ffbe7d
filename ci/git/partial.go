package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// A partial clone (git clone --filter) does not have all trees or blobs: its remote promises them. Git fetches each of
// them when a command needs it, with one git fetch for each object. No command of this package does that. A function
// that reads trees or blobs first calls complete. It fetches all of them: once the trees, and once the blobs.
//
// The fetched objects go to the clone, as with git's own lazy fetch. So the next command has them. The user's git
// settings apply to the fetch, because the remote may require credentials.

// ErrIncomplete means that the clone does not have objects, and that they could not be fetched. The result is unknown.
var ErrIncomplete = errors.New("objects are missing")

// completion is what is known of the partial clones whose objects a repository sees. Its quarantines share it.
type completion struct {
	common  string // the git folder that all work trees share; empty: not asked for yet
	mu      sync.Mutex
	looked  bool
	clones  []partialClone
	whole   map[string]bool // ids of commits and trees of which every tree and blob is here
	treesOf map[string]bool // ids of commits and trees of which every tree is here
}

// partialClone is a clone that does not have all objects.
type partialClone struct {
	repository *Repository // in its git folder
	top        string      // where git runs for it: paths in its settings are relative to this
	remotes    []string    // names of its promisor remotes
}

// Complete fetches the trees and blobs of commits, or of trees, that a partial clone does not have. In a full clone it
// does nothing. Methods that read trees or blobs call it themselves. A caller that reads many commits calls it first,
// so that one fetch gets all.
func (r *Repository) Complete(ctx context.Context, revisions ...string) error {
	return r.complete(ctx, true, revisions)
}

// CompleteTrees is Complete without blobs.
func (r *Repository) CompleteTrees(ctx context.Context, revisions ...string) error {
	return r.complete(ctx, false, revisions)
}

// CompleteChanges is Complete of commits, of their first parents, and of further revisions.
func (r *Repository) CompleteChanges(ctx context.Context, commits []Commit, further ...string) error {
	return r.complete(ctx, true, append(withParents(commits), further...))
}

// withParents are the ids of commits and of their first parents.
func withParents(commits []Commit) []string {
	var ids []string
	for _, c := range commits {
		ids = append(ids, c.ID)
		ids = append(ids, c.Parents[:min(1, len(c.Parents))]...)
	}
	return ids
}

func (r *Repository) complete(ctx context.Context, blobs bool, revisions []string) error {
	if len(revisions) == 0 {
		return nil
	}
	c := r.completion
	c.mu.Lock() // another caller may need the same objects
	defer c.mu.Unlock()
	if clones, err := r.partialClones(ctx); err != nil || len(clones) == 0 {
		return err
	}
	known := func(id string) bool { return c.whole[id] || !blobs && c.treesOf[id] }
	revisions = slices.DeleteFunc(slices.Clone(revisions), known)
	if len(revisions) == 0 {
		return nil
	}
	options := []string{noWalk}
	if !blobs {
		options = append(options, "--filter=blob:none")
	}
	if err := r.fetchMissing(ctx, revisions, options...); err != nil {
		return err
	}
	for _, id := range revisions {
		switch {
		case !isID(id): // a name may lead elsewhere later
		case blobs:
			c.whole[id] = true
		default:
			c.treesOf[id] = true
		}
	}
	return nil
}

// completeRange fetches the objects of commits that are not in the histories of other commits. It ignores other commits
// that are not here.
func (r *Repository) completeRange(ctx context.Context, commits, without []string, options ...string) error {
	r.completion.mu.Lock()
	defer r.completion.mu.Unlock()
	if clones, err := r.partialClones(ctx); err != nil || len(clones) == 0 {
		return err
	}
	revisions := slices.Clone(commits)
	for _, id := range without {
		revisions = append(revisions, "^"+id)
	}
	return r.fetchMissing(ctx, revisions, options...)
}

// fetchMissing fetches what is missing of revisions until nothing is: first trees, then what they hold.
func (r *Repository) fetchMissing(ctx context.Context, revisions []string, options ...string) error {
	var before []string
	for { // a treeless clone goes round three times: trees, blobs, nothing
		missing, err := r.missing(ctx, revisions, options...)
		if err != nil || len(missing) == 0 {
			return err
		}
		if slices.Equal(missing, before) {
			return r.incomplete(missing, errors.New("the remote does not have them"))
		}
		var failed error
		for _, clone := range r.completion.clones {
			if failed = clone.fetch(ctx, missing); failed == nil {
				break
			}
		}
		if failed != nil {
			return r.incomplete(missing, failed)
		}
		before = missing
	}
}

// incomplete is the error that objects are missing.
func (r *Repository) incomplete(missing []string, err error) error {
	clone := r.completion.clones[0]
	return fmt.Errorf("read %s: %w: the partial clone does not have %d of them, the first is %s: %w; fetch all: "+
		"git -C %s fetch --refetch --no-filter %s",
		clone.top, ErrIncomplete, len(missing), missing[0], err, clone.top, clone.remotes[0])
}

// noWalk has git list the objects of commits, and not of their histories.
const noWalk = "--no-walk"

// missing are the objects that git finds missing, in order. Of a missing tree it cannot tell what is below.
func (r *Repository) missing(ctx context.Context, revisions []string, options ...string) ([]string, error) {
	args := append([]string{"rev-list", "--objects", "--no-object-names", "--missing=print", "--ignore-missing",
		"--stdin"}, options...)
	out, err := r.run(ctx, strings.NewReader(strings.Join(revisions, "\n")+"\n"), nil, args...)
	if err != nil {
		return nil, err
	}
	told := map[string]bool{}
	var missing []string
	for line := range strings.Lines(string(out)) {
		id, absent := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "?")
		if told[id] = true; absent {
			missing = append(missing, id)
		}
	}
	if slices.Contains(options, noWalk) { // else a commit that others contain is not listed either
		for _, id := range revisions {
			if isID(id) && !told[id] { // --ignore-missing passes over a tree that was named itself
				missing = append(missing, id)
			}
		}
	}
	slices.Sort(missing)
	return slices.Compact(missing), nil
}

// partialClones are the partial clones whose objects the repository reads: itself, and its alternates.
func (r *Repository) partialClones(ctx context.Context) ([]partialClone, error) {
	c := r.completion
	if c.looked {
		return c.clones, nil
	}
	common := c.common
	if common == "" {
		var err error
		if common, err = r.Git(ctx, "rev-parse", "--path-format=absolute", "--git-common-dir"); err != nil {
			return nil, err
		}
	}
	folders := []string{filepath.Join(common, "objects")}
	for i := 0; i < len(folders); i++ {
		content, err := os.ReadFile(filepath.Join(folders[i], "info", "alternates"))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
		for line := range strings.Lines(string(content)) {
			folder := strings.TrimSuffix(line, "\n")
			if !filepath.IsAbs(folder) {
				folder = filepath.Join(folders[i], folder)
			}
			if !strings.HasPrefix(line, "#") && folder != "" && !slices.Contains(folders, folder) {
				folders = append(folders, folder)
			}
		}
	}
	var clones []partialClone
	for _, folder := range folders {
		clone, err := openPartialClone(ctx, filepath.Dir(folder), folder)
		if err != nil {
			return nil, err
		}
		if len(clone.remotes) > 0 {
			clones = append(clones, clone)
		}
	}
	if len(clones) > 0 && filepath.Dir(folders[0]) == clones[0].repository.dir {
		clones[0].top = r.dir
	}
	c.looked, c.clones, c.whole, c.treesOf = true, clones, map[string]bool{}, map[string]bool{}
	return clones, nil
}

// openPartialClone reads the promisor remotes of a clone. A clone without a promisor pack has none.
func openPartialClone(ctx context.Context, dir, objects string) (partialClone, error) {
	clone := partialClone{repository: at(dir), top: dir}
	if filepath.Base(dir) == ".git" {
		clone.top = filepath.Dir(dir)
	}
	packs, err := filepath.Glob(filepath.Join(escapeGlob(objects), "pack", "*.promisor"))
	if err != nil || len(packs) == 0 {
		return clone, err
	}
	env := []string{"GIT_DIR=" + dir}
	for _, key := range []string{`^remote\..*\.promisor$`, `^extensions\.partialclone$`} {
		out, err := clone.repository.run(ctx, nil, env, "config", "--null", "--get-regexp", key)
		if err != nil && exitCode(err) != 1 { // 1: none
			return clone, err
		}
		for setting := range bytes.SplitSeq(out, []byte{0}) {
			name, value, _ := strings.Cut(string(setting), "\n")
			name = strings.TrimSuffix(strings.TrimPrefix(name, "remote."), ".promisor")
			if name == "extensions.partialclone" {
				name, value = value, ""
			}
			off := slices.Contains([]string{"false", "no", "off", "0"}, strings.ToLower(value))
			if name != "" && !off && !slices.Contains(clone.remotes, name) {
				clone.remotes = append(clone.remotes, name)
			}
		}
	}
	return clone, nil
}

// fetch fetches objects into the clone from the first of its remotes that has them. Git's own lazy fetch does the same,
// but with one call for each object.
func (p partialClone) fetch(ctx context.Context, ids []string) error {
	var failed error
	for _, name := range p.remotes {
		out, err := p.repository.Git(ctx, "config", "--get-all", "remote."+name+".url")
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("read the address of remote %s: %w", name, err))
			continue
		}
		url, _, _ := strings.Cut(out, "\n")
		m := p.repository.Remote(url)
		m.top, m.known = p.top, name
		options := []string{
			"-c", "fetch.negotiationAlgorithm=noop", // what is here is not asked about
			"fetch", "--quiet", "--no-tags", "--no-prune", "--no-write-fetch-head", "--filter=blob:none", "--stdin",
		}
		if _, err = m.runAs(ctx, name, strings.NewReader(strings.Join(ids, "\n")+"\n"), options); err == nil {
			return nil
		}
		failed = errors.Join(failed, err)
	}
	return failed
}

// completePush brings what a push of ID:REF needs: the objects that the remote does not have yet.
func (m *Remote) completePush(ctx context.Context, refspec string) error {
	clones, err := m.from.promised(ctx)
	if err != nil || len(clones) == 0 {
		return err
	}
	refs, err := m.Refs(ctx)
	if err != nil {
		return err
	}
	id, _, _ := strings.Cut(refspec, ":")
	if id == "" { // the ref is taken away
		return nil
	}
	return m.from.completeRange(ctx, []string{id}, slices.Collect(maps.Values(refs)))
}

// promised is partialClones, for a caller that does not hold the lock.
func (r *Repository) promised(ctx context.Context) ([]partialClone, error) {
	r.completion.mu.Lock()
	defer r.completion.mu.Unlock()
	return r.partialClones(ctx)
}

// escapeGlob makes a path a pattern that fits itself alone.
func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}
