package git

import (
	"bytes"
	"context"
	"fmt"
	"strings"
)

// Change is a path at which two trees differ. An entry without a mode: that tree does not have it.
type Change struct{ From, To Entry }

// Changes are the paths at which two trees, or commits, differ. Renames are not followed.
func (r *Repository) Changes(ctx context.Context, from, to string) (map[string]Change, error) {
	if err := r.CompleteTrees(ctx, from, to); err != nil {
		return nil, err
	}
	out, err := r.run(ctx, nil, nil, "diff-tree", "-r", "-z", "--raw", "--no-renames", from, to)
	if err != nil {
		return nil, err
	}
	changes := map[string]Change{}
	fields := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	for i := 0; i+1 < len(fields); i += 2 {
		if err := addChange(changes, fields[i], fields[i+1]); err != nil {
			return nil, fmt.Errorf("compare %s with %s: %w", from, to, err)
		}
	}
	return changes, nil
}

// ChangesOf are the paths that commits change, by commit. Merges are left out.
func (r *Repository) ChangesOf(ctx context.Context, commits []Commit) (map[string]map[string]Change, error) {
	var asked strings.Builder
	all := map[string]map[string]Change{}
	var single []Commit
	for _, c := range commits {
		if len(c.Parents) == 1 {
			asked.WriteString(c.ID + "\n")
			all[c.ID] = map[string]Change{}
			single = append(single, c)
		}
	}
	if err := r.CompleteTrees(ctx, withParents(single)...); err != nil {
		return nil, err
	}
	out, err := r.run(ctx, strings.NewReader(asked.String()), nil, "diff-tree", "--stdin", "-r", "-z", "--raw", "--no-renames")
	if err != nil {
		return nil, err
	}
	var of map[string]Change
	fields := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	for i := 0; i < len(fields); i++ {
		if !strings.HasPrefix(fields[i], ":") {
			of = all[fields[i]]
			continue
		}
		if of == nil || i+1 >= len(fields) {
			return nil, fmt.Errorf("read what %d commits change: git says %q", len(commits), fields[i])
		}
		if err := addChange(of, fields[i], fields[i+1]); err != nil {
			return nil, fmt.Errorf("read what %d commits change: %w", len(commits), err)
		}
		i++
	}
	return all, nil
}

// addChange reads one raw difference: :MODE MODE ID ID STATUS, and its path.
func addChange(changes map[string]Change, raw, name string) error {
	meta := strings.Fields(strings.TrimPrefix(raw, ":"))
	if len(meta) != 5 {
		return fmt.Errorf("git says %q", raw)
	}
	var c Change
	if meta[0] != absent {
		c.From = Entry{Path: name, Mode: meta[0], ID: meta[2]}
	}
	if meta[1] != absent {
		c.To = Entry{Path: name, Mode: meta[1], ID: meta[3]}
	}
	changes[name] = c
	return nil
}

const absent = "000000" // git's mode for what is not there

// PatchIDs name what commits change, whatever line they stand at (git patch-id --stable). Merges and empty commits have none.
func (r *Repository) PatchIDs(ctx context.Context, commits []Commit) (map[string]string, error) {
	ids := map[string]string{}
	if len(commits) == 0 {
		return ids, nil
	}
	if err := r.CompleteChanges(ctx, commits); err != nil {
		return nil, err
	}
	var asked strings.Builder
	for _, c := range commits {
		asked.WriteString(c.ID + "\n")
	}
	patches, err := r.inNeutral(ctx, "", asked.String(),
		"-c", largeFile, "diff-tree", "--stdin", "-p", "--no-ext-diff", "--no-textconv", "--full-index", "-r")
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
