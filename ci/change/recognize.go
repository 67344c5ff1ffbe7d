package change

import (
	"context"
	"slices"
	"strings"

	"github.com/operator-release/operator-release/ci/git"
)

// How a commit was recognized on a branch.
const (
	ByHistory = "history"      // it is in the branch's history
	ByOrigin  = "origin"       // a commit of the branch says "(cherry picked from commit …)", as git cherry-pick -x writes
	ByPatch   = "patch"        // a commit of the branch changes the same, by its patch id
	ByRequest = "pull request" // a commit of the branch names the same pull request, or lists it among those it squashed
	ByTitle   = "title"        // a commit of the branch has the same title behind the branch's name, "[release-1.5] …", as backporting robots write
)

// Set is what a branch has since it left another one.
type Set struct {
	Commits  []git.Commit // the oldest first; what a later one reverts is left out
	origins  map[string]string
	patches  map[string]string
	requests map[string]string
	titles   map[string]string // of backports, behind the branch's name
	made     map[string]string // titles of all, to the oldest that has it; like those above, each to the commit of the branch
}

// Since reads a branch's commits from fork to tip. What a later commit of the branch reverts is not there.
func Since(ctx context.Context, r *git.Repository, fork, tip string) (*Set, error) {
	commits, err := r.Between(ctx, fork, tip)
	if err != nil {
		return nil, err
	}
	return WithPatches(ctx, r, commits)
}

// WithPatches is Of with the patches of the commits.
func WithPatches(ctx context.Context, r *git.Repository, commits []git.Commit) (*Set, error) {
	s := Of(commits)
	patches, err := r.PatchIDs(ctx, s.Commits)
	for commit, patch := range patches {
		s.patches[patch] = commit
	}
	return s, err
}

// Of is a set of commits, the oldest first, that were read already. By their patches nothing is recognized among them.
func Of(commits []git.Commit) *Set {
	s := &Set{Commits: Remaining(commits), origins: map[string]string{}, patches: map[string]string{}, requests: map[string]string{}, titles: map[string]string{}, made: map[string]string{}}
	for _, c := range s.Commits {
		m := Read(c.Message)
		for _, id := range m.Origins {
			s.origins[id] = c.ID
		}
		for _, n := range m.stands() {
			s.requests[n] = c.ID
		}
		title := m.title()
		if m.Branch != "" {
			s.titles[title] = c.ID
		}
		if _, older := s.made[title]; !older {
			s.made[title] = c.ID
		}
	}
	return s
}

// Find tells by what a commit is recognized on the branch, and which commit of the branch that is: whichever of the two was picked from the other. Without a patch
// id it is not compared.
func (s *Set) Find(c git.Commit, patch string) (by, found string) {
	for id, on := range s.origins {
		if strings.HasPrefix(c.ID, id) {
			return ByOrigin, on
		}
	}
	return s.recognize(Read(c.Message), patch)
}

// Recognize is Find by what a message says alone: that of a commit, or of one that was squashed into another.
func (s *Set) Recognize(m Message) (by, found string) { return s.recognize(m, "") }

func (s *Set) recognize(m Message, patch string) (by, found string) {
	for _, origin := range m.Origins {
		for _, on := range s.Commits {
			if strings.HasPrefix(on.ID, origin) {
				return ByOrigin, on.ID
			}
		}
		if on, ok := s.origins[origin]; ok { // both were picked from it
			return ByOrigin, on
		}
	}
	if on, ok := s.patches[patch]; ok && patch != "" {
		return ByPatch, on
	}
	for _, n := range m.stands() {
		if on, ok := s.requests[n]; ok {
			return ByRequest, on
		}
	}
	if on, ok := s.titles[m.title()]; ok {
		return ByTitle, on
	}
	if m.Branch != "" { // it is the backport
		if on, ok := s.made[m.title()]; ok {
			return ByTitle, on
		}
	}
	return "", ""
}

// Remaining are the commits, the oldest first, without those that a later one of them takes back, and without what takes them back. A revert that
// is itself taken back lets its commit stay.
func Remaining(commits []git.Commit) []git.Commit {
	messages := make([]Message, len(commits))
	bySubject := map[string][]int{}
	byID := map[string]int{}
	for i, c := range commits {
		messages[i] = Read(c.Message)
		subject, _, _ := strings.Cut(c.Message, "\n")
		bySubject[subject] = append(bySubject[subject], i)
		byID[c.ID] = i
	}
	gone := map[int]bool{}
	for i := len(commits) - 1; i >= 0; i-- {
		if gone[i] || len(messages[i].Items) > 0 {
			continue
		}
		for _, name := range messages[i].Reverts {
			at, ok := byID[name]
			for id, j := range byID { // ids are short at times
				if !ok && len(name) >= 7 && strings.HasPrefix(id, name) {
					at, ok = j, true
				}
			}
			if !ok {
				earlier := slices.DeleteFunc(slices.Clone(bySubject[name]), func(j int) bool { return j >= i || gone[j] })
				if ok = len(earlier) > 0; ok {
					at = earlier[len(earlier)-1]
				}
			}
			if ok && at < i {
				gone[i], gone[at] = true, true
				break
			}
		}
	}
	var stay []git.Commit
	for i, c := range commits {
		if !gone[i] {
			stay = append(stay, c)
		}
	}
	return stay
}
