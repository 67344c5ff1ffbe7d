package git

import (
	"context"
	"os"
	"path/filepath"
	"time"
)

// Checkout makes dir a clone of this repository, sharing its objects, with these further objects, the commit checked out
// (detached) and, where tag is not empty, the annotated tag named so on it. The work tree is written from
// objects and is clean. It is for running a repository's own commands, which ask git what is released.
func (r *Repository) Checkout(ctx context.Context, dir string, objects []Object, commit, tag, tagID string, when time.Time) error {
	if _, err := r.Git(ctx, "clone", "--quiet", "--shared", "--no-checkout", "--", r.dir, dir); err != nil {
		return err
	}
	c := &Repository{dir: dir}
	if err := c.Import(ctx, objects); err != nil {
		return err
	}
	steps := [][]string{{"update-ref", "--no-deref", "HEAD", commit}, {"read-tree", "HEAD"}}
	if tag != "" {
		steps = append(steps, []string{"update-ref", "refs/tags/" + tag, tagID})
	}
	for _, step := range steps {
		if _, err := c.Git(ctx, step...); err != nil {
			return err
		}
	}
	tree, err := c.Tree(ctx, commit)
	if err != nil {
		return err
	}
	defer tree.Close()
	if err := tree.WriteTo(dir, when); err != nil {
		return err
	}
	_, err = c.Git(ctx, "update-index", "-q", "--refresh")
	return err
}

// WithObjects makes, in dir, a repository that sees this one's objects and the further ones; this one is not written to.
func (r *Repository) WithObjects(ctx context.Context, dir string, objects []Object) (*Repository, error) {
	s, err := r.Scratch(ctx, dir)
	if err != nil {
		return nil, err
	}
	return s, s.Import(ctx, objects)
}

// ReadObjectsFile reads what WriteObjects wrote to a file.
func ReadObjectsFile(path string) ([]Object, error) {
	f, err := os.Open(filepath.Clean(path))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return ReadObjects(f)
}
