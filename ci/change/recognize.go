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
	ByOrigin  = "origin"       // a commit of the branch says "(cherry picked from commit …)", as cherry-pick -x writes
	ByPatch   = "patch"        // a commit of the branch changes the same, by its patch id
	ByRequest = "pull request" // a commit of the branch names the same pull request, or lists it among those it squashed
	ByTitle   = "title"        // a commit of the branch has the same title, and a mark of a pick or the same author
)

// Set is what a branch has since it left another one.
type Set struct {
	Changes []Change // the oldest first; what a later one reverts is left out
	origins map[string]string
	patches map[string]string
	byID    map[string]string // commits, and those inside
	numbers map[string][]int  // places of the changes that a number stands at
	titles  map[string][]int
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
	patches, err := r.PatchIDs(ctx, Commits(s.Changes))
	for commit, patch := range patches {
		s.patches[patch] = commit
	}
	return s, err
}

// Of is a set of commits, the oldest first, that were read already. By their patches nothing is recognized among them.
func Of(commits []git.Commit) *Set {
	s := &Set{Changes: Remaining(Changes(commits)), origins: map[string]string{}, patches: map[string]string{},
		byID: map[string]string{}, numbers: map[string][]int{}, titles: map[string][]int{}}
	for i, c := range s.Changes {
		for _, in := range c.Inside {
			s.byID[in.ID] = in.ID
		}
		s.byID[c.Commit.ID] = c.Commit.ID
		for _, id := range c.Message.Origins {
			s.origins[id] = c.Commit.ID
		}
		for _, n := range addNew(c.Message.numbers(), c.Via) {
			s.numbers[n] = append(s.numbers[n], i)
		}
		s.titles[c.Message.title()] = append(s.titles[c.Message.title()], i)
	}
	return s
}

// Commits are those of changes, and those inside, each once.
func Commits(changes []Change) []git.Commit {
	var all []git.Commit
	seen := map[string]bool{}
	for _, c := range changes {
		for _, commit := range append([]git.Commit{c.Commit}, c.Inside...) {
			if !seen[commit.ID] {
				seen[commit.ID] = true
				all = append(all, commit)
			}
		}
	}
	return all
}

// Find tells by what a change is recognized on the branch, and which commit of the branch that is: whichever of the two
// was picked from the other. Patches are ids by commit; without one it is not compared. A merge is there, too, where
// each commit that it brought is.
func (s *Set) Find(c Change, patches map[string]string) (by, found string) {
	if by, found = s.commit(c.Commit.ID, patches[c.Commit.ID]); by != "" {
		return by, found
	}
	all := true
	for _, in := range c.Inside {
		if all && len(in.Parents) < 2 {
			by, found = s.commit(in.ID, patches[in.ID])
			all = by != ""
		}
	}
	if all && by != "" {
		return by, found
	}
	if by, found = s.Recognize(c.Message); by != "" {
		return by, found
	}
	return s.unmarked(c)
}

// unmarked finds a pick whose subject says nothing of one, as a forge writes it that squashes one commit: it has the
// same title, the same author and another pull request. A short title, or one that comes twice, tells nothing.
func (s *Set) unmarked(c Change) (by, found string) {
	m, on := c.Message, s.titles[c.Message.title()]
	if len(on) != 1 || m.own == "" || strings.Count(m.Subject, " ") < 3 || m.Kind == Release || m.Kind == Dependencies {
		return "", ""
	}
	other := s.Changes[on[0]]
	if other.Message.own == "" || other.Message.own == m.own || !sameAuthor(c, other) {
		return "", ""
	}
	return ByTitle, other.Commit.ID
}

// sameAuthor tells whether two changes are by one person. A bot is no person; a pick that it made names its author.
func sameAuthor(a, b Change) bool {
	x, y := a.Commit.Author, b.Commit.Author
	if a.Author == b.Author && !automaton.MatchString(a.Author) {
		return true
	}
	return x.Email == y.Email && x.Email != "" && !automaton.MatchString(x.Name)
}

// FindCommit is Find of one commit, as it is.
func (s *Set) FindCommit(c git.Commit, patches map[string]string) (by, found string) {
	m := Read(c.Message)
	return s.Find(Change{Commit: c, Message: m, Author: m.credit(c.Author.Name, c.Message)}, patches)
}

// commit finds a commit by its id and its patch.
func (s *Set) commit(id, patch string) (by, found string) {
	if on, ok := byID(s.origins, id, func(origin string) bool { return strings.HasPrefix(id, origin) }); ok {
		return ByOrigin, on
	}
	if on, ok := s.patches[patch]; ok && patch != "" {
		return ByPatch, on
	}
	return "", ""
}

// Recognize is Find by what a message says alone.
func (s *Set) Recognize(m Message) (by, found string) {
	for _, origin := range m.Origins {
		if on, ok := byID(s.byID, origin, func(id string) bool { return strings.HasPrefix(id, origin) }); ok {
			return ByOrigin, on
		}
		if on, ok := s.origins[origin]; ok { // both were picked from it
			return ByOrigin, on
		}
	}
	for _, n := range m.numbers() {
		for _, i := range slices.Backward(s.numbers[n]) {
			if same(m, s.Changes[i], n) {
				return ByRequest, s.Changes[i].Commit.ID
			}
		}
	}
	for _, i := range s.titles[m.title()] {
		on := s.Changes[i].Message
		if picked := m.picksByTitle() || on.picksByTitle(); picked {
			return ByTitle, s.Changes[i].Commit.ID
		}
	}
	return "", ""
}

// byID looks an id up, and then for one that is the same where one of them is short.
func byID(all map[string]string, id string, same func(string) bool) (string, bool) {
	if on, ok := all[id]; ok {
		return on, true
	}
	for other, on := range all {
		if len(other) != len(id) && same(other) {
			return on, true
		}
	}
	return "", false
}

// same tells whether two changes that have a number in common are one: the number is the pull request of one of them,
// or both say that they picked it. An issue that both name is none, unless they have the same title.
func same(m Message, on Change, n string) bool {
	switch o := on.Message; {
	case (m.Kind == Revert) != (o.Kind == Revert): // what takes a change back is its opposite
		return false
	case n == m.own, n == o.own, n == on.Via:
		return true
	case slices.Contains(m.PickOf, n) && slices.Contains(o.PickOf, n):
		return true
	default:
		return m.title() == o.title()
	}
}

// picksByTitle tells whether a message is a pick that names no original otherwise than by its title.
func (m Message) picksByTitle() bool {
	return (m.Branch != "" || m.marked) && len(m.PickOf) == 0
}
