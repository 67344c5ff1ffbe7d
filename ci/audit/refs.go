package audit

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/tags"
	"github.com/operator-release/operator-release/ci/version"
)

// ref is what a git ref points at.
type ref struct {
	id        string // the tag's own, where it is annotated
	commit    string // that it leads to; empty where it leads to none
	tree      string // of the commit
	annotated bool
}

// refs are those of the git remote, or of a clone as far as it has them.
type refs struct {
	repository *git.Repository
	tags       map[version.Version]ref
	others     int            // tags that are no versions, and of no Go module beside one
	modules    map[string]ref // tags of Go modules below the root
	claims     map[version.Version]ref
	claimed    journal.Claims // what their objects say
	marks      map[version.Version]journal.Mark
	branches   map[string]string // to their commits
	indexes    map[string]string // records of chart indexes, by branch, to their commits
	// branches whose commit at the remote is known; the clone's own branch of that name does not count
	tracked   map[string]bool
	graph     *git.Graph         // of branches and tags
	histories map[string]git.Set // of branches
	// Why something that is not there may be there all the same; empty where it would have been seen.
	noTags, noClaims, noMarks, noBranches, noHistory string
	badMarks                                         string // what is wrong with a mark that is there
	remote, advice                                   string // of a clone: its remote's name, and how it gets what it lacks
}

// The places of refs that an audit reads.
var places = []string{"refs/heads/", "refs/tags/", journal.ClaimRefs, journal.Marks, journal.Indexes}

// Mirror brings all refs that an audit reads, with their objects, from a git remote into the repository that the remote is reached from.
func Mirror(ctx context.Context, remote *git.Remote) error {
	if _, err := remote.Refs(ctx, "HEAD"); err != nil { // it says best what is wrong with an address
		return err
	}
	var specs []string
	for _, place := range places {
		specs = append(specs, "+"+place+"*:"+place+"*")
	}
	return remote.Fetch(ctx, specs...)
}

// readRefs reads the refs of a repository; all tells that it has every ref of the remote.
func readRefs(ctx context.Context, r *git.Repository, all bool) (refs, error) {
	h := refs{repository: r, tags: map[version.Version]ref{}, modules: map[string]ref{}, claims: map[version.Version]ref{}, branches: map[string]string{}, indexes: map[string]string{}, tracked: map[string]bool{}}
	_, tracking, which := r.Tracking(ctx)
	if which != nil && !refusal.Is(which) {
		return h, which
	}
	from := append(slices.Clone(places), tracking)
	if tracking == "" { // it is not clear which remote's
		from = places
	}
	out, err := r.Git(ctx, append([]string{"for-each-ref",
		"--format=%(objectname) %(objecttype) %(tree) %(*objectname) %(*objecttype) %(*tree) %(refname)"}, from...)...)
	if err != nil {
		return h, err
	}
	for line := range strings.Lines(out) {
		fields := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 7)
		at, name := ref{id: fields[0], annotated: fields[1] == "tag"}, fields[6]
		if fields[1] == "commit" {
			at.commit, at.tree = fields[0], fields[2]
		} else if fields[4] == "commit" {
			at.commit, at.tree = fields[3], fields[5]
		}
		h.take(name, tracking, at)
	}
	for tag := range h.modules {
		if _, v, _ := tags.CutModule(tag); h.tags[v].id == "" {
			h.others++
		}
	}
	var claims []string
	for _, at := range h.claims {
		claims = append(claims, at.id)
	}
	if h.claimed, err = journal.ReadClaims(ctx, r, claims); err != nil {
		return h, err
	}
	var marksErr error
	if h.marks, marksErr = journal.LocalMarks(ctx, r); marksErr != nil {
		h.noMarks, h.badMarks = marksErr.Error(), marksErr.Error()
	}
	if err := h.findUnfetched(ctx, all, which); err != nil {
		return h, err
	}
	return h, h.readHistory(ctx)
}

// unread are refs that cannot be read.
func unread(r *git.Repository, failed error) refs {
	why := failed.Error()
	return refs{repository: r, noTags: why, noClaims: why, noMarks: why, noBranches: why, noHistory: why}
}

func (h *refs) take(name, tracking string, at ref) {
	if tag, ok := strings.CutPrefix(name, "refs/tags/"); ok {
		if v, err := version.Parse(tag); err == nil {
			h.tags[v] = at
		} else if _, _, ok := tags.CutModule(tag); ok {
			h.modules[tag] = at
		} else {
			h.others++
		}
	} else if claim, ok := strings.CutPrefix(name, journal.ClaimRefs); ok {
		if v, err := version.Parse(claim); err == nil {
			h.claims[v] = at
		}
	} else if branch, ok := strings.CutPrefix(name, journal.Indexes); ok {
		h.indexes[branch] = at.commit
	} else if branch, ok := strings.CutPrefix(name, "refs/heads/"); ok {
		h.branches[branch] = at.commit
	} else if branch, ok := strings.CutPrefix(name, tracking); ok && branch != "HEAD" {
		h.branches[branch], h.tracked[branch] = at.commit, true // after the clone's own, in the order of names
	}
}

// findUnfetched finds out which refs of its remote a clone may not have. Git fetches the branches and tags that its
// settings name. It fetches no other refs by itself. which is the error that says why the remote is not known.
func (h *refs) findUnfetched(ctx context.Context, all bool, which error) error {
	r := h.repository
	if shallow, err := r.Shallow(ctx); err != nil {
		return err
	} else if shallow {
		h.noHistory = r.CutOff(ctx).Error()
	}
	if all {
		return nil
	}
	h.advice = r.FetchAdvice(ctx)
	h.noTags = h.noHistory // a clone that is cut off has the tags of what is left
	if which != nil {
		why := which.Error()
		h.noBranches, h.noTags, h.noClaims, h.noMarks = why, why, why, cmp.Or(h.noMarks, why)
		return nil
	}
	remote, err := r.DefaultRemote(ctx)
	if err != nil {
		return err
	}
	if h.remote = remote; remote == "" {
		return h.findUnfetchedByURL(ctx)
	}
	fetched, err := r.Fetching(ctx, remote)
	if err != nil {
		return err
	}
	copied := len(fetched.Specs) == 0 // git clone --bare writes no refspec; it copied branches and tags once
	wayOut := "were not fetched from " + remote + "; name it by --remote"
	if !copied && !fetched.Covers("refs/heads/") || len(h.tracked) == 0 &&
		strings.HasPrefix(fetched.Specs["refs/heads/*"], "refs/remotes/") {
		h.noBranches = "some branches " + wayOut
	}
	switch {
	case fetched.NoTags:
		h.noTags = "tags " + wayOut
	case h.noTags == "" && !copied && !fetched.Covers("refs/heads/") && !fetched.Covers("refs/tags/"):
		h.noTags = "tags of some branches " + wayOut
	}
	if len(h.claims) == 0 && !fetched.Covers(journal.ClaimRefs) {
		h.noClaims = "claims " + wayOut
	}
	if len(h.marks) == 0 && h.noMarks == "" && !fetched.Covers(journal.Marks) {
		h.noMarks = "marks " + wayOut
	}
	return nil
}

// findUnfetchedByURL is findUnfetched of a repository without a remote. It may be the one that others fetch from. If it
// fetched from a URL itself, it has what that command named.
func (h *refs) findUnfetchedByURL(ctx context.Context) error {
	fetched, err := h.repository.HasFetched(ctx)
	if err != nil || !fetched {
		return err
	}
	const wayOut = "may not have been fetched, and this clone has no git remote; name one by --remote"
	h.noBranches, h.noTags = "some branches "+wayOut, cmp.Or(h.noTags, "some tags "+wayOut)
	if len(h.claims) == 0 {
		h.noClaims = "claims " + wayOut
	}
	if len(h.marks) == 0 {
		h.noMarks = cmp.Or(h.noMarks, "marks "+wayOut)
	}
	return nil
}

// wayOut says how to see a version of which a clone has nothing; it is empty where the refs are all of the remote's.
func (h *refs) wayOut() string {
	switch {
	case h.advice == "":
		return ""
	case h.remote == "":
		return "; name its git remote by --remote"
	}
	return fmt.Sprintf("; look at %s with --remote %[1]s, or %s", h.remote, h.advice)
}

// noVersions is the error that no version is here, where the clone may be the reason.
func (h *refs) noVersions() error {
	why := h.noTags
	if !strings.Contains(why, h.advice) {
		why += ", or " + h.advice
	}
	return fmt.Errorf("audit all versions: none is here: %s", why)
}

// readHistory reads which commits are in the histories of branches and tags.
func (h *refs) readHistory(ctx context.Context) error {
	var tips []string
	for _, tip := range h.branches {
		if tip != "" { // a ref of the remote may lead to no commit
			tips = append(tips, tip)
		}
	}
	for _, at := range h.tags {
		if at.commit != "" {
			tips = append(tips, at.commit)
		}
	}
	var err error
	if h.graph, err = h.repository.Graph(ctx, tips); err != nil {
		return err
	}
	h.histories = map[string]git.Set{}
	for name, tip := range h.branches {
		h.histories[name] = h.graph.History(tip)
	}
	return nil
}

// containing are the branches that have a commit in their history: those of release lines first.
func (h *refs) containing(commit string, pattern version.Pattern) []string {
	found := map[string]bool{}
	for name, history := range h.histories {
		if h.graph.Has(history, commit) {
			found[name] = true
		}
	}
	rank := func(name string) int {
		_, line := pattern.LineOf(name)
		switch {
		case line:
			return 0
		case strings.HasPrefix(name, "release"):
			return 1
		}
		return 2 + strings.Count(name, "/")
	}
	return slices.SortedFunc(maps.Keys(found), func(a, b string) int {
		return cmp.Or(rank(a)-rank(b), strings.Compare(a, b))
	})
}

// few is a list that one can read.
func few(names []string) string {
	const most = 3
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}
