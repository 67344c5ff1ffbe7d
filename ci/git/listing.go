package git

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// List is what git ls-remote prints of the remote's branches and tags, and of further refs whose names match patterns.
func (m *Remote) List(ctx context.Context, patterns ...string) (string, error) {
	out, err := m.run(ctx, []string{"ls-remote"}, append([]string{"refs/heads/*", "refs/tags/*"}, patterns...)...)
	if err != nil {
		return "", fmt.Errorf("read the branches and tags of %s: %w; check address and credentials", m.URL, err)
	}
	return out, nil
}

// ParseListing reads what git ls-remote printed: refs by name, an annotated tag with what it leads to.
func ParseListing(listing string) map[string]string {
	refs := map[string]string{}
	for line := range strings.Lines(listing) {
		id, name, ok := strings.Cut(strings.TrimSpace(line), "\t")
		if !ok {
			continue
		}
		peeled, tag := strings.CutSuffix(name, "^{}")
		if _, known := refs[peeled]; tag || !known { // in any order
			refs[peeled] = id
		}
	}
	return refs
}

// HasCommit tells whether a commit is in the repository.
func (r *Repository) HasCommit(ctx context.Context, id string) (bool, error) {
	_, err := r.Git(ctx, "cat-file", "-e", id+"^{commit}")
	if code := exitCode(err); code == 1 || code == 128 {
		return false, nil
	}
	return err == nil, err
}

// BranchContains tells whether a commit is in the history of a branch, here or at the default remote as last fetched.
// A commit that only the object database has is not.
func (r *Repository) BranchContains(ctx context.Context, branch, commit string) (bool, error) {
	tips, _, err := r.tips(ctx, branch)
	if err != nil || slices.Contains(tips, commit) {
		return err == nil, err
	}
	if there, err := r.HasCommit(ctx, commit); err != nil || !there {
		return false, err
	}
	for _, tip := range tips {
		if contained, err := r.Descends(ctx, tip, commit); err != nil || contained {
			return contained, err
		}
	}
	return false, nil
}
