package git

import (
	"context"
	"slices"
	"strings"
)

// AddedObjects are the objects that a commit and its tag objects add to a repository that has base: the commit, the
// trees and blobs that base's tree does not contain, and the tags. They are ordered by type and id. The result is the
// same in every clone. It does not depend on the objects that the clone had already.
func (r *Repository) AddedObjects(ctx context.Context, base, commit Commit, tags ...string) ([]Object, error) {
	ids := slices.Clone(tags)
	if commit.ID != base.ID {
		if err := r.CompleteTrees(ctx, base.Tree); err != nil {
			return nil, err
		}
		if err := r.Complete(ctx, commit.Tree); err != nil {
			return nil, err
		}
		before, err := r.treeObjects(ctx, base.Tree)
		if err != nil {
			return nil, err
		}
		after, err := r.treeObjects(ctx, commit.Tree)
		if err != nil {
			return nil, err
		}
		ids = append(ids, commit.ID)
		for id := range after {
			if !before[id] {
				ids = append(ids, id)
			}
		}
	}
	return r.read(ctx, ids)
}

// treeObjects are the ids of a tree and of all trees and blobs below it, without the commits of submodules.
func (r *Repository) treeObjects(ctx context.Context, tree string) (map[string]bool, error) {
	out, err := r.Git(ctx, "ls-tree", "-r", "-t", "--full-tree", "--format=%(objecttype) %(objectname)", tree)
	if err != nil {
		return nil, err
	}
	ids := map[string]bool{tree: true}
	for line := range strings.Lines(out) {
		if kind, id, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " "); kind != "commit" {
			ids[id] = true
		}
	}
	return ids, nil
}

// Reachable are the objects of these commits that no ref of the repository reaches, ordered by type and id.
func (r *Repository) Reachable(ctx context.Context, commits []string) ([]Object, error) {
	if len(commits) == 0 {
		return nil, nil
	}
	if err := r.completeRange(ctx, commits, nil, "--not", "--all"); err != nil {
		return nil, err
	}
	out, err := r.run(ctx, strings.NewReader(strings.Join(commits, "\n")+"\n"), nil, "rev-list", "--objects",
		"--no-object-names", "--stdin", "--not", "--all")
	if err != nil {
		return nil, err
	}
	return r.read(ctx, strings.Fields(string(out)))
}

// Objects are those of the ids, ordered by type and id.
func (r *Repository) Objects(ctx context.Context, ids ...string) ([]Object, error) {
	return r.read(ctx, ids)
}

func (r *Repository) read(ctx context.Context, ids []string) ([]Object, error) {
	blobs, err := r.openBlobs(ctx)
	if err != nil {
		return nil, err
	}
	defer blobs.close()
	var objects []Object
	for _, id := range ids {
		kind, content, err := blobs.object(id)
		if err != nil {
			return nil, err
		}
		objects = append(objects, Object{Type: kind, ID: id, Content: content})
	}
	slices.SortFunc(objects, func(a, b Object) int { return strings.Compare(a.Type+a.ID, b.Type+b.ID) })
	return objects, nil
}
