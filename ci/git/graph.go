package git

import (
	"context"
	"strings"
)

// Graph is which commits descend from which, of a part of history that was read once. It may be used by several goroutines.
type Graph struct {
	ids     []string // what others descend from comes first
	at      map[string]int
	parents [][]int
}

// Graph reads the history of tips. Where history is cut off, so is the graph.
func (r *Repository) Graph(ctx context.Context, tips []string) (*Graph, error) {
	g := &Graph{at: map[string]int{}}
	if len(tips) == 0 {
		return g, nil
	}
	out, err := r.revList(ctx, tips, "--parents")
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(out)) {
		ids := strings.Fields(line)
		g.add(ids[0], ids[1:])
	}
	return g, nil
}

// NewGraph is the graph of commits; what others descend from comes first.
func NewGraph(commits []Commit) *Graph {
	g := &Graph{at: make(map[string]int, len(commits))}
	for _, c := range commits {
		g.add(c.ID, c.Parents)
	}
	return g
}

func (g *Graph) add(id string, parents []string) {
	var known []int
	for _, parent := range parents {
		if at, ok := g.at[parent]; ok {
			known = append(known, at)
		}
	}
	g.at[id] = len(g.ids)
	g.ids, g.parents = append(g.ids, id), append(g.parents, known)
}

// At is a commit's place in the order of the graph; ok is false where the graph has it not.
func (g *Graph) At(id string) (at int, ok bool) {
	at, ok = g.at[id]
	return at, ok
}

// Walk visits a commit and what it descends from, as far as visit says true: a commit is come to again by each way to it.
func (g *Graph) Walk(tip string, visit func(at int) bool) {
	var next []int
	if at, ok := g.at[tip]; ok {
		next = append(next, at)
	}
	for len(next) > 0 {
		at := next[len(next)-1]
		next = next[:len(next)-1]
		if visit(at) {
			next = append(next, g.parents[at]...)
		}
	}
}

// Set is some commits of a graph, by their places.
type Set []bool

// History is a commit and all that it descends from.
func (g *Graph) History(tip string) Set {
	all := make(Set, len(g.ids))
	g.Walk(tip, func(at int) bool {
		seen := all[at]
		all[at] = true
		return !seen
	})
	return all
}

// Has tells whether a commit is in a set.
func (g *Graph) Has(s Set, id string) bool {
	at, ok := g.at[id]
	return ok && s[at]
}

// Descends tells whether a commit has another in its history, or is it.
func (g *Graph) Descends(commit, ancestor string) bool {
	want, ok := g.at[ancestor]
	if !ok {
		return false
	}
	found, seen := false, make(Set, len(g.ids))
	g.Walk(commit, func(at int) bool {
		found = found || at == want
		going := !found && !seen[at] && at > want // parents come first
		seen[at] = true
		return going
	})
	return found
}
