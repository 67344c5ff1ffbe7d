package change

import (
	"slices"

	"github.com/operator-release/operator-release/ci/git"
)

// Change is one change of a history: a commit, the merge of a pull request with what it brought, or one of several
// picks that were squashed into a commit.
type Change struct {
	Commit  git.Commit // that has it
	Title   string     // the first line
	Message Message
	Author  string       // whose change it is; empty where a squash does not say
	Inside  []git.Commit // of a merge: what it brought, the oldest first
	Via     string       // the pull request that brought several changes, this one among them
	Removes []string     // what it takes back that is not among the changes; see Remaining
}

// Changes are the changes that commits, the oldest first, make. The merge of a pull request is one; a merge that brings
// pull requests of its own is none, and they are. Other merges change nothing themselves.
func Changes(commits []git.Commit) []Change {
	f := &folding{commits: commits, at: map[string]int{}, seen: map[int]bool{}, of: map[int]int{}, open: map[int][]int{}}
	for i, c := range commits {
		f.at[c.ID] = i
	}
	for _, c := range slices.Backward(commits) {
		f.walk(c.ID)
	}
	inside := map[int][]git.Commit{}
	for i, c := range commits {
		if merge, ok := f.of[i]; ok {
			inside[merge] = append(inside[merge], c)
		}
	}
	var all []Change
	for i, c := range commits {
		if _, held := f.of[i]; !held {
			all = append(all, f.changes(i, c, inside[i])...)
		}
	}
	return all
}

// changes are those of one commit, with what it brought where it is a folded merge.
func (f *folding) changes(at int, c git.Commit, inside []git.Commit) []Change {
	m := Read(c.Message)
	one := Change{Commit: c, Title: Title(c.Message), Message: m, Inside: inside}
	one.Author = m.credit(c.Author.Name, c.Message)
	if len(c.Parents) > 1 {
		if brought, open := f.open[at]; open && !f.speaks(m, brought) {
			return nil
		}
		one.fold()
		return []Change{one}
	}
	if len(m.items) == 0 {
		return []Change{one}
	}
	var all []Change
	for _, i := range m.items {
		author := signer(i.text)
		all = append(all, Change{Commit: c, Title: i.title, Message: i.message, Author: author, Via: m.own})
	}
	return all
}

// speaks tells whether a merge of several pull requests, or of a branch, says something that no commit that it brought
// says.
func (f *folding) speaks(m Message, brought []int) bool {
	if len(m.Breaks) > 0 || len(m.Explains) > 0 {
		return true
	}
	return m.typed && !slices.ContainsFunc(brought, func(at int) bool {
		return titleKey(Read(f.commits[at].Message).Subject) == titleKey(m.Subject)
	})
}

// fold reads what a merge brought, and whose work it is: not whose who merged it.
func (c *Change) fold() {
	text := c.Commit.Message
	var held []Change
	for _, in := range c.Inside {
		text += "\n" + in.Message
		if len(in.Parents) < 2 {
			held = append(held, Change{Commit: in, Title: Title(in.Message), Message: Read(in.Message)})
		}
	}
	c.Message.hold(held)
	if len(held) > 0 {
		c.Author = c.Message.credit(held[len(held)-1].Commit.Author.Name, text)
	}
}

// folding finds the commits that merged pull requests brought.
type folding struct {
	commits []git.Commit
	at      map[string]int
	seen    map[int]bool
	of      map[int]int   // commits inside a merge, to the merge
	open    map[int][]int // merges that are not one change, with what they brought
}

// walk goes along first parents, from where it was before to a commit. A merge brought what nothing before it had.
func (f *folding) walk(tip string) {
	var chain []int
	for i, ok := f.at[tip]; ok && !f.seen[i]; i, ok = f.at[tip] {
		chain = append(chain, i)
		if len(f.commits[i].Parents) == 0 {
			break
		}
		tip = f.commits[i].Parents[0]
	}
	slices.Reverse(chain)
	for _, i := range chain {
		f.seen[i] = true
		c := f.commits[i]
		if len(c.Parents) < 2 {
			continue
		}
		brought := f.brought(c.Parents[1:])
		if !mergesPull(c) || slices.ContainsFunc(brought, func(j int) bool { return f.isPull(j, c) }) {
			f.open[i] = brought
			for _, side := range c.Parents[1:] {
				f.walk(side)
			}
			continue
		}
		for _, j := range brought {
			f.seen[j], f.of[j] = true, i
		}
	}
}

// isPull tells whether a commit is a pull request of its own, and not part of the one that a merge brought.
func (f *folding) isPull(at int, merge git.Commit) bool {
	c := f.commits[at]
	if len(c.Parents) > 1 {
		return mergesPull(c)
	}
	own := readMarks(Title(c.Message)).own
	return own != "" && own != readMarks(Title(merge.Message)).own
}

// brought are the commits that the sides of a merge have and nothing before it had.
func (f *folding) brought(sides []string) (all []int) {
	found := map[int]bool{}
	for next := slices.Clone(sides); len(next) > 0; {
		i, ok := f.at[next[0]]
		next = next[1:]
		if ok && !f.seen[i] && !found[i] {
			found[i] = true
			all = append(all, i)
			next = append(next, f.commits[i].Parents...)
		}
	}
	return all
}
