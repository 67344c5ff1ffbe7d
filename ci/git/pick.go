package git

import (
	"bufio"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Picked is what came of applying one commit's change to another commit, in memory.
type Picked struct {
	Tree      string     // of the result, where there are no conflicts
	Conflicts []Conflict // by path, where the change did not apply
	Kept      []string   // paths that were not merged although the change is about them, in order
	Ours      []string   // paths that conflicted, and stay as they are; see KeepOurs
}

// Conflict is a path at which a change did not apply.
type Conflict struct {
	Path string `json:"path"`
	Why  string `json:"why"` // in git's words
}

// sortOut parts conflicts at paths to keep from the others. Where a file cannot lie at its path, because the other side has a folder or a link
// there, git lists it as PATH~COMMIT: that one is named by its path, and never kept.
func sortOut(conflicts []Conflict, keep func(string) bool, ours, theirs string) (others []Conflict, kept []string) {
	aside := map[string]bool{}
	for i, c := range conflicts {
		for _, side := range []string{ours, theirs} {
			if at := strings.LastIndex(c.Path, "~"+side); at > 0 {
				conflicts[i].Path = c.Path[:at]
				aside[c.Path[:at]] = true
			}
		}
	}
	for _, c := range conflicts {
		switch {
		case keep != nil && keep(c.Path) && !aside[c.Path]:
			kept = append(kept, c.Path)
		case !slices.ContainsFunc(others, func(o Conflict) bool { return o.Path == c.Path }):
			others = append(others, c)
		}
	}
	return others, kept
}

// keep takes back what a merge into tree did at paths to keep; kept are those at which it conflicted. A merge changes no such path where the change itself is about none.
func (p *Picker) keep(ctx context.Context, onto, commit Commit, tree string, keep func(string) bool, kept []string) (Picked, error) {
	r := p.repository
	own, err := p.changes(ctx, commit)
	if err != nil {
		return Picked{}, err
	}
	for name := range own {
		if keep(name) {
			kept = append(kept, name)
		}
	}
	if len(kept) == 0 {
		return Picked{Tree: tree}, nil
	}
	merged, err := r.Changes(ctx, onto.Tree, tree)
	if err != nil {
		return Picked{}, err
	}
	for name := range merged {
		if keep(name) {
			kept = append(kept, name)
		}
	}
	slices.Sort(kept)
	kept = slices.Compact(kept)
	line, err := r.Tree(ctx, onto.Tree)
	if err != nil {
		return Picked{}, err
	}
	defer line.Close()
	var edits []edit
	for _, name := range kept {
		is, there := line.Entry(name)
		change, changed := own[name]
		switch {
		case changed && change.To.Mode == "":
			is = Entry{}
		case changed && change.From.Mode == "" && !there:
			is = change.To
		}
		edits = append(edits, edit{name, is.Mode, is.ID})
	}
	if tree, err = r.edit(ctx, tree, edits); err != nil {
		return Picked{}, fmt.Errorf("pick commit %s: %w", commit.ID, err)
	}
	return Picked{Tree: tree, Kept: kept}, nil
}

// readMerge reads what merge-tree --stdin --name-only answers about one merge, in fields that each end with NUL: whether it is clean, its tree, the
// paths with conflicts and an empty field, then messages, each as the number of its paths, these, its type and its text; and an empty field.
func readMerge(in *bufio.Reader) (tree string, conflicts []Conflict, err error) {
	next := func() (field string) {
		if err == nil {
			field, err = in.ReadString(0)
			field = strings.TrimSuffix(field, "\x00")
		}
		return field
	}
	clean := next()
	tree = next()
	if err == nil && clean != "0" && clean != "1" {
		err = fmt.Errorf("git says %q and %q", clean, tree)
	}
	if clean == "1" { // nothing is said of it
		if end := next(); err == nil && end != "" {
			err = fmt.Errorf("git says %q of a merge without conflicts", end)
		}
		return tree, nil, err
	}
	for path := next(); path != "" && err == nil; path = next() {
		conflicts = append(conflicts, Conflict{Path: path})
	}
	listed := len(conflicts)
	for count := next(); count != "" && err == nil; count = next() {
		n, badNumber := strconv.Atoi(count)
		if badNumber != nil || n < 0 || n > 1<<20 {
			return "", nil, fmt.Errorf("git says %q where the number of paths belongs", count)
		}
		var paths []string
		for range n {
			if paths = append(paths, next()); err != nil {
				return "", nil, err
			}
		}
		kind, text := next(), strings.TrimSpace(next())
		if !strings.HasPrefix(kind, "CONFLICT") {
			continue // "Auto-merging"
		}
		if listed == 0 && n > 0 && paths[0] != "" { // such as a folder that went several ways: git lists no file for it
			conflicts = append(conflicts, Conflict{Path: paths[0], Why: text})
		}
		for i := range conflicts {
			for _, p := range paths {
				if conflicts[i].Path == p && conflicts[i].Why == "" {
					conflicts[i].Why = text
				}
			}
		}
	}
	return tree, conflicts, err
}
