package change

import (
	"regexp"
	"slices"
	"strings"

	"github.com/operator-release/operator-release/ci/git"
)

var mergedRequest = regexp.MustCompile(`^Merge pull request #([0-9]+) from \S+\s*$`)

// title gives a message the subject that it stands for: of a pull request's merge, as GitHub writes it, the request's title and number.
func title(message string) string {
	subject, body, _ := strings.Cut(message, "\n")
	found := mergedRequest.FindStringSubmatch(subject)
	if found == nil {
		return message
	}
	name, rest, _ := strings.Cut(strings.TrimLeft(body, "\n"), "\n")
	if name == "" {
		name = strings.TrimSpace(subject)
	}
	return name + " (#" + found[1] + ")\n" + rest
}

// Title is the first line that a message stands for.
func Title(message string) string {
	first, _, _ := strings.Cut(title(message), "\n")
	return first
}

func mergesRequest(c git.Commit) bool {
	subject, _, _ := strings.Cut(c.Message, "\n")
	return len(c.Parents) > 1 && mergedRequest.MatchString(subject)
}

// Fold makes the merge of a pull request one change, by whose work it is; other merges change nothing themselves. Commits come the oldest first.
func Fold(commits []git.Commit) []git.Commit {
	f := &folding{commits: commits, at: map[string]int{}, seen: map[int]bool{}, inside: map[int]bool{}}
	for i, c := range commits {
		f.at[c.ID] = i
	}
	for _, c := range slices.Backward(commits) {
		f.walk(c.ID)
	}
	var stay []git.Commit
	for i, c := range commits {
		merge := len(c.Parents) > 1
		switch {
		case f.inside[i] || merge && !mergesRequest(c):
			continue
		case merge:
			if side, ok := f.at[c.Parents[1]]; ok { // whose work it is, not who merged it
				c.Author = commits[side].Author
			}
		}
		stay = append(stay, c)
	}
	return stay
}

// folding finds the commits that merged pull requests brought.
type folding struct {
	commits []git.Commit
	at      map[string]int
	seen    map[int]bool
	inside  map[int]bool // of a pull request's merge
}

// walk goes along first parents, from where it was before to a commit; what each merge brought is what nothing before it had.
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
		for _, side := range c.Parents[1:] {
			if mergesRequest(c) {
				f.bring(side)
			} else {
				f.walk(side)
			}
		}
	}
}

// bring marks what a pull request's merge brought.
func (f *folding) bring(id string) {
	for next := []string{id}; len(next) > 0; {
		i, ok := f.at[next[0]]
		next = next[1:]
		if ok && !f.seen[i] {
			f.seen[i], f.inside[i] = true, true
			next = append(next, f.commits[i].Parents...)
		}
	}
}
