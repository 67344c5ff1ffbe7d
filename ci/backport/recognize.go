package backport

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/operator-release/operator-release/ci/git"
)

// How a commit was recognized on a line.
const (
	ByHistory = "history"      // it is in the line's history
	ByOrigin  = "origin"       // a commit of the line says "(cherry picked from commit …)", as git cherry-pick -x writes
	ByPatch   = "patch"        // a commit of the line changes the same, by its patch id
	ByRequest = "pull request" // a commit of the line names the same pull request, or lists it among those it squashed
)

var (
	originLine  = regexp.MustCompile(`(?m)^\s*\(cherry picked from commit ([0-9a-f]{7,64})\)`)
	requestName = regexp.MustCompile(`\(#([0-9]+)\)`)
	revertLine  = regexp.MustCompile(`(?m)^\s*This reverts commit ([0-9a-f]{7,64})`)
)

// Origins are the commits that a message says it was picked from; a squashed pick names several.
func Origins(message string) []string {
	var ids []string
	for _, m := range originLine.FindAllStringSubmatch(message, -1) {
		ids = append(ids, m[1])
	}
	return ids
}

// Request is the pull request that a commit was merged by, as GitHub writes it at the end of the subject; empty where there is none.
func Request(message string) string {
	subject, _, _ := strings.Cut(message, "\n")
	all := requestName.FindAllStringSubmatch(subject, -1)
	if len(all) == 0 {
		return ""
	}
	return all[len(all)-1][1]
}

// requests are the pull requests that a commit of a line stands for: those of its subject, and of the list that a squash leaves. What a
// revert quotes is the opposite.
func requests(message string) []string {
	subject, body, _ := strings.Cut(message, "\n")
	var found []string
	add := func(line string) {
		if strings.HasPrefix(line, `Revert "`) {
			return
		}
		for _, m := range requestName.FindAllStringSubmatch(line, -1) {
			found = append(found, m[1])
		}
	}
	add(subject)
	for line := range strings.Lines(body) {
		if item, ok := strings.CutPrefix(strings.TrimSpace(line), "* "); ok {
			add(item)
		}
	}
	return found
}

// known is what is on a line since it left the development branch.
type known struct {
	commits  []git.Commit
	origins  map[string]string // commit elsewhere -> commit of the line
	patches  map[string]string // patch id -> commit of the line
	requests map[string]string // pull request -> commit of the line
}

// look reads a line's commits since fork. What a later commit of the line reverts is not there.
func look(ctx context.Context, r *git.Repository, fork, tip string) (*known, error) {
	commits, err := r.Between(ctx, fork, tip)
	if err != nil {
		return nil, err
	}
	var reverted []string
	for _, c := range commits {
		for _, m := range revertLine.FindAllStringSubmatch(c.Message, -1) {
			reverted = append(reverted, m[1])
		}
	}
	k := &known{origins: map[string]string{}, patches: map[string]string{}, requests: map[string]string{}}
	for _, c := range commits {
		if slices.ContainsFunc(reverted, func(id string) bool { return strings.HasPrefix(c.ID, id) }) {
			continue
		}
		k.commits = append(k.commits, c)
		for _, id := range Origins(c.Message) {
			k.origins[id] = c.ID
		}
		for _, n := range requests(c.Message) {
			k.requests[n] = c.ID
		}
	}
	patches, err := r.PatchIDs(ctx, k.commits)
	for commit, patch := range patches {
		k.patches[patch] = commit
	}
	return k, err
}

// find tells by what a commit is recognized on the line, and which commit of the line that is.
func (k *known) find(c git.Commit, patch string) (by, found string) {
	for id, on := range k.origins {
		if strings.HasPrefix(c.ID, id) {
			return ByOrigin, on
		}
	}
	if on, ok := k.patches[patch]; ok && patch != "" {
		return ByPatch, on
	}
	if n := Request(c.Message); n != "" {
		if on, ok := k.requests[n]; ok {
			return ByRequest, on
		}
	}
	return "", ""
}
