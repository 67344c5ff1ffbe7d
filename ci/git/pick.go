package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Picked is what came of applying one commit's change to another commit, in memory.
type Picked struct {
	Tree      string     // of the result, without conflicts
	Conflicts []Conflict // by path, where the change did not apply
}

// Conflict is a path at which a change did not apply.
type Conflict struct {
	Path string `json:"path"`
	Why  string `json:"why"` // in git's words
}

// Pick applies what commit changed, relative to its first parent, onto another one. Nothing but objects is written: no index, no work
// tree, no ref. Renames are followed.
func (r *Repository) Pick(ctx context.Context, onto, commit Commit) (Picked, error) {
	if len(commit.Parents) == 0 {
		return Picked{}, fmt.Errorf("pick commit %s: it is a root commit, so it changes nothing that another branch could have", commit.ID)
	}
	// merge-tree takes its base from history: a commit with the tree of onto, whose parent is that of the change.
	stand := []string{
		"GIT_AUTHOR_NAME=pick", "GIT_AUTHOR_EMAIL=pick", "GIT_AUTHOR_DATE=@0 +0000", "GIT_COMMITTER_NAME=pick", "GIT_COMMITTER_EMAIL=pick", "GIT_COMMITTER_DATE=@0 +0000",
	}
	ours, err := r.run(ctx, strings.NewReader("onto"), stand, "commit-tree", onto.Tree, "-p", commit.Parents[0], "-F", "-")
	if err != nil {
		return Picked{}, err
	}
	theirs := commit.ID
	if len(commit.Parents) > 1 { // a merge: what it brought to its first parent
		made, err := r.run(ctx, strings.NewReader("merged"), stand, "commit-tree", commit.Tree, "-p", commit.Parents[0], "-F", "-")
		if err != nil {
			return Picked{}, err
		}
		theirs = string(bytes.TrimSpace(made))
	}
	out, err := r.run(ctx, nil, nil, "merge-tree", "--write-tree", "-z", "--messages", "--name-only", string(bytes.TrimSpace(ours)), theirs)
	if err != nil && exitCode(err) != 1 {
		return Picked{}, fmt.Errorf("pick commit %s: %w", commit.ID, err)
	}
	tree, rest, _ := strings.Cut(string(out), "\x00")
	if err == nil {
		return Picked{Tree: tree}, nil
	}
	conflicts, parseErr := parseConflicts(rest)
	if parseErr != nil {
		return Picked{}, errors.Join(fmt.Errorf("pick commit %s", commit.ID), parseErr)
	}
	return Picked{Conflicts: conflicts}, nil
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
