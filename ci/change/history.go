package change

import "github.com/operator-release/operator-release/ci/git"

// History are the changes that a version has already.
type History struct {
	changes  []Change
	register *register
}

// NewHistory reads commits, the oldest first.
func NewHistory(commits []git.Commit) *History {
	changes := Remaining(Changes(commits))
	return &History{changes, newRegister(changes)}
}

// TakenBack are the titles of the changes of a history that a later change takes back, each once.
func (h *History) TakenBack(c Change) (titles []string) {
	for _, r := range c.Message.Reverts {
		found, _ := h.register.find(r, func(place) bool { return true })
		for _, p := range found {
			titles = addNew(titles, h.changes[p.at].Title)
		}
	}
	return titles
}

// TakesBack tells whether a change may take back what a version before it has. What it reapplies it does not take back.
func (c Change) TakesBack() bool {
	return len(c.Removes) > 0 && (c.Message.takesBack%2 == 1 || c.Message.takesBack == 0)
}
