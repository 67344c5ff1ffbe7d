package catalog

import (
	"iter"
	"slices"

	"github.com/operator-release/operator-release/ci/change"
	"github.com/operator-release/operator-release/ci/git"
)

// history is all commits of all lines.
type history struct {
	*git.Graph
	commits []git.Commit // in the order of the graph
}

// ahead is the one of a branch's tips that contains the others; where none does, the last, which is the remote's.
func (h history) ahead(tips []string) string {
	for _, tip := range tips {
		if !slices.ContainsFunc(tips, func(other string) bool { return !h.Descends(tip, other) }) {
			return tip
		}
	}
	return tips[len(tips)-1]
}

// firsts are a commit and what it descends from by first parents alone, with their places: what a branch had before others were merged into it.
func (h history) firsts(tip string) iter.Seq2[int, git.Commit] {
	return func(yield func(int, git.Commit) bool) {
		for at, ok := h.At(tip); ok; {
			c := h.commits[at]
			if !yield(at, c) || len(c.Parents) == 0 {
				return
			}
			at, ok = h.At(c.Parents[0])
		}
	}
}

// trunk is the development branch's own history: a line that was merged back into it is no part of that.
func (h history) trunk(development string) git.Set {
	all := make(git.Set, len(h.commits))
	for at := range h.firsts(development) {
		all[at] = true
	}
	return all
}

// fork is the last commit of a line's own history that is in the development branch's own, too.
func (h history) fork(tip string, trunk git.Set) (git.Commit, bool) {
	for at, c := range h.firsts(tip) {
		if trunk[at] {
			return c, true
		}
	}
	return git.Commit{}, false
}

// addPicks tells for each version which changes of the development branch it has by other commits: of those that no lower version has.
func (c *Catalog) addPicks(h history, main git.Set) {
	var developed []git.Commit
	for at, commit := range h.commits {
		if main[at] {
			developed = append(developed, commit)
		}
	}
	made := change.Of(developed)
	taken := map[int]bool{}
	for i := range slices.Backward(c.Versions) { // the lowest first
		v := &c.Versions[i]
		var own []int
		h.Walk(v.Commit, func(at int) bool {
			if main[at] || taken[at] {
				return false
			}
			taken[at] = true
			own = append(own, at)
			return true
		})
		slices.Sort(own)
		var commits []git.Commit
		for _, at := range own {
			commits = append(commits, h.commits[at])
		}
		v.Picks = h.picks(change.Remaining(change.Changes(commits)), made)
	}
}

// picks are the changes of the development branch that a line's changes bring.
func (h history) picks(changes []change.Change, made *change.Set) []Pick {
	var picks []Pick
	for _, c := range changes {
		by, origin := made.Find(c, nil)
		if by == "" || c.Message.Kind == change.Release {
			continue
		}
		p := Pick{Commit: c.Commit.ID, Origin: origin, Subject: c.Message.Subject}
		if at, ok := h.At(origin); ok {
			p.Made = written(h.commits[at].Committer.Time.UTC())
		}
		picks = append(picks, p)
	}
	return picks
}
