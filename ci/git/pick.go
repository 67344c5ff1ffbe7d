package git

import (
	"bytes"
	"context"
	"errors"
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
}

// Conflict is a path at which a change did not apply.
type Conflict struct {
	Path string `json:"path"`
	Why  string `json:"why"` // in git's words
}

// Pick applies what commit changed, relative to its first parent, onto another one. Nothing but objects is written: no index, no work
// tree, no ref. Renames are followed.
//
// Paths that keep names (nil: none) are not merged and do not conflict: they stay as onto has them. Only those that the change adds, and onto
// lacks, are added, and those that it deletes are deleted. What is a file on one side and a folder or link on the other conflicts all the same.
func (r *Repository) Pick(ctx context.Context, onto, commit Commit, keep func(path string) bool) (Picked, error) {
	if len(commit.Parents) == 0 {
		return Picked{}, fmt.Errorf("pick commit %s: it is a root commit, so it changes nothing that another branch could have", commit.ID)
	}
	// merge-tree takes its base from history: a commit with the tree of onto, whose parent is that of the change.
	stand := []string{
		"GIT_AUTHOR_NAME=pick", "GIT_AUTHOR_EMAIL=pick", "GIT_AUTHOR_DATE=@0 +0000", "GIT_COMMITTER_NAME=pick", "GIT_COMMITTER_EMAIL=pick", "GIT_COMMITTER_DATE=@0 +0000",
	}
	made, err := r.run(ctx, strings.NewReader("onto"), stand, "commit-tree", onto.Tree, "-p", commit.Parents[0], "-F", "-")
	if err != nil {
		return Picked{}, err
	}
	ours, theirs := string(bytes.TrimSpace(made)), commit.ID
	if len(commit.Parents) > 1 { // a merge: what it brought to its first parent
		made, err := r.run(ctx, strings.NewReader("merged"), stand, "commit-tree", commit.Tree, "-p", commit.Parents[0], "-F", "-")
		if err != nil {
			return Picked{}, err
		}
		theirs = string(bytes.TrimSpace(made))
	}
	out, err := r.run(ctx, nil, nil, "merge-tree", "--write-tree", "-z", "--messages", "--name-only", ours, theirs)
	if err != nil && exitCode(err) != 1 {
		return Picked{}, fmt.Errorf("pick commit %s: %w", commit.ID, err)
	}
	tree, rest, _ := strings.Cut(string(out), "\x00")
	var conflicts []Conflict
	if err != nil {
		if conflicts, err = parseConflicts(rest); err != nil {
			return Picked{}, errors.Join(fmt.Errorf("pick commit %s", commit.ID), err)
		}
	}
	conflicts, kept := sortOut(conflicts, keep, ours, theirs)
	if len(conflicts) > 0 {
		return Picked{Conflicts: conflicts}, nil
	}
	if keep == nil {
		return Picked{Tree: tree}, nil
	}
	return r.keep(ctx, onto, commit, tree, keep, kept)
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

// keep takes back what a merge into tree did at paths to keep; kept are those at which it conflicted.
func (r *Repository) keep(ctx context.Context, onto, commit Commit, tree string, keep func(string) bool, kept []string) (Picked, error) {
	merged, err := r.Changes(ctx, onto.Tree, tree)
	if err != nil {
		return Picked{}, err
	}
	own, err := r.Changes(ctx, commit.Parents[0], commit.Tree)
	if err != nil {
		return Picked{}, err
	}
	for _, changes := range []map[string]Change{merged, own} {
		for name := range changes {
			if keep(name) {
				kept = append(kept, name)
			}
		}
	}
	if len(kept) == 0 {
		return Picked{Tree: tree}, nil
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

// parseConflicts reads what merge-tree -z --name-only prints behind the tree: paths, an empty field, then messages, each as the
// number of its paths, these, its type and its text.
func parseConflicts(out string) ([]Conflict, error) {
	fields := strings.Split(strings.TrimSuffix(out, "\x00"), "\x00")
	var conflicts []Conflict
	at := 0
	for ; at < len(fields) && fields[at] != ""; at++ {
		conflicts = append(conflicts, Conflict{Path: fields[at]})
	}
	listed := len(conflicts)
	for at++; at < len(fields); {
		n, err := strconv.Atoi(fields[at])
		if err != nil || n < 0 || at+n+2 >= len(fields) {
			return nil, fmt.Errorf("read what git says of conflicts: %q at field %d", fields[at], at)
		}
		paths, kind, text := fields[at+1:at+1+n], fields[at+1+n], strings.TrimSpace(fields[at+2+n])
		at += n + 3
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
	return conflicts, nil
}

// Change is a path at which two trees differ. An entry without a mode: that tree does not have it.
type Change struct{ From, To Entry }

// Changes are the paths at which two trees, or commits, differ. Renames are not followed.
func (r *Repository) Changes(ctx context.Context, from, to string) (map[string]Change, error) {
	out, err := r.run(ctx, nil, nil, "diff-tree", "-r", "-z", "--raw", "--no-renames", from, to)
	if err != nil {
		return nil, err
	}
	changes := map[string]Change{}
	fields := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	for i := 0; i+1 < len(fields); i += 2 { // :MODE MODE ID ID STATUS, then the path
		meta, name := strings.Fields(strings.TrimPrefix(fields[i], ":")), fields[i+1]
		if len(meta) != 5 {
			return nil, fmt.Errorf("compare %s with %s: git says %q", from, to, fields[i])
		}
		var c Change
		if meta[0] != absent {
			c.From = Entry{Path: name, Mode: meta[0], ID: meta[2]}
		}
		if meta[1] != absent {
			c.To = Entry{Path: name, Mode: meta[1], ID: meta[3]}
		}
		changes[name] = c
	}
	return changes, nil
}

const absent = "000000" // git's mode for what is not there

// CommitPicked commits a picked tree on top of parent: author, date and message are the change's own, the committer is by.
func (r *Repository) CommitPicked(ctx context.Context, parent Commit, tree string, change Commit, by Person, message string) (Commit, error) {
	stamp := func(p Person) string { return fmt.Sprintf("@%d %s", p.Time.Unix(), p.Time.Format("-0700")) }
	env := []string{
		"GIT_AUTHOR_NAME=" + change.Author.Name, "GIT_AUTHOR_EMAIL=" + change.Author.Email, "GIT_AUTHOR_DATE=" + stamp(change.Author),
		"GIT_COMMITTER_NAME=" + by.Name, "GIT_COMMITTER_EMAIL=" + by.Email, "GIT_COMMITTER_DATE=" + stamp(by),
	}
	id, err := r.run(ctx, strings.NewReader(message), env, "-c", "i18n.commitEncoding=UTF-8", "commit-tree", tree, "-p", parent.ID, "-F", "-")
	if err != nil {
		return Commit{}, err
	}
	return r.Commit(ctx, string(bytes.TrimSpace(id)))
}

// Between are the commits that to has in its history and from has not, the oldest first. Without from it is all of to's history.
func (r *Repository) Between(ctx context.Context, from, to string) ([]Commit, error) {
	args := []string{"rev-list", "--reverse", "--topo-order", to}
	if from != "" {
		args = append(args, "^"+from)
	}
	ids, err := r.run(ctx, nil, nil, args...)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	out, err := r.run(ctx, bytes.NewReader(ids), nil, "cat-file", "--batch")
	if err != nil {
		return nil, err
	}
	var commits []Commit
	for len(out) > 0 {
		header, rest, _ := bytes.Cut(out, []byte("\n"))
		var id string
		var size int
		if n, _ := fmt.Sscanf(string(header), "%s commit %d", &id, &size); n != 2 || size >= len(rest) {
			return nil, fmt.Errorf("read the commits between %s and %s: git answered %q; is the clone complete?", from, to, header)
		}
		c, err := parseCommit(id, string(rest[:size]))
		if err != nil {
			return nil, err
		}
		commits, out = append(commits, c), rest[size+1:]
	}
	return commits, nil
}

// MergeBase is the last commit that two have in common; ok is false where their histories are apart.
func (r *Repository) MergeBase(ctx context.Context, a, b string) (id string, ok bool, err error) {
	id, err = r.Git(ctx, "merge-base", a, b)
	if exitCode(err) == 1 {
		return "", false, nil
	}
	return id, err == nil, err
}

// PatchIDs name what commits change, whatever line they stand at (git patch-id --stable). Merges and empty commits have none.
func (r *Repository) PatchIDs(ctx context.Context, commits []Commit) (map[string]string, error) {
	ids := map[string]string{}
	if len(commits) == 0 {
		return ids, nil
	}
	var asked strings.Builder
	for _, c := range commits {
		asked.WriteString(c.ID + "\n")
	}
	patches, err := r.run(ctx, strings.NewReader(asked.String()), nil, "diff-tree", "--stdin", "-p", "--no-ext-diff", "--no-textconv", "--full-index", "-r")
	if err != nil {
		return nil, err
	}
	out, err := r.run(ctx, bytes.NewReader(patches), nil, "patch-id", "--stable")
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(out)) {
		if patch, commit, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			ids[commit] = patch
		}
	}
	return ids, nil
}
