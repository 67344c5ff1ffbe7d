package git

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Checkout makes dir a clone of this repository, sharing its objects, with these further objects, the commit checked out
// (detached) and, where tag is not empty, the annotated tag named so on it. The work tree is written from
// objects and is clean. Objects of a quarantine are shared too. It is for running a repository's own commands, which ask git what is released.
func (r *Repository) Checkout(ctx context.Context, dir string, objects []Object, commit, tag, tagID string, when time.Time) error {
	clone := []string{"clone", "--quiet", "--shared", "--no-checkout", "--upload-pack=" + uploadPack, "--", r.dir, dir}
	if _, err := at(r.dir).Git(ctx, clone...); err != nil {
		return err
	}
	c := at(dir)
	if err := c.share(ctx, r.objects); err != nil {
		return err
	}
	if err := c.Import(ctx, objects); err != nil {
		return err
	}
	if err := c.checkOut(ctx, commit, tag, tagID, when); err != nil {
		return err
	}
	_, err := c.Git(ctx, "update-index", "-q", "--refresh")
	return err
}

// share lets this repository see the objects in further folders.
func (r *Repository) share(ctx context.Context, folders []string) error {
	if len(folders) == 0 {
		return nil
	}
	list, err := r.Git(ctx, "rev-parse", "--path-format=absolute", "--git-path", "objects/info/alternates")
	if err != nil {
		return err
	}
	f, err := os.OpenFile(list, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(strings.Join(folders, "\n") + "\n")
	return errors.Join(err, f.Close())
}

// Export is Checkout into a repository that stands on its own, with this one commit and no history: whoever is given the folder
// needs nothing else.
func (r *Repository) Export(ctx context.Context, dir string, objects []Object, commit, tag, tagID string, when time.Time) error {
	scratch, err := os.MkdirTemp("", "release-export-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	all, err := r.WithObjects(ctx, filepath.Join(scratch, "all.git"), objects)
	if err != nil {
		return err
	}
	if err := all.Complete(ctx, commit); err != nil {
		return err
	}
	// Equal content makes an equal folder: nothing is logged, no file times are in the index, and the pack has no deltas
	// of this clone.
	if _, err := all.Git(ctx, "update-ref", "refs/heads/exported", commit); err != nil {
		return err
	}
	format, err := r.Format(ctx)
	if err != nil {
		return err
	}
	initialize := []string{"init", "--quiet", "--template=", "--initial-branch=main",
		"--object-format=" + string(format), "--", dir}
	if _, err := r.Git(ctx, initialize...); err != nil {
		return err
	}
	c := at(dir)
	if _, err := c.Git(ctx, "config", "core.logAllRefUpdates", "false"); err != nil {
		return err
	}
	fetch := []string{"fetch", "--quiet", "--depth=1", "--no-tags", "--no-write-fetch-head", "--upload-pack=" + uploadPack}
	if _, err := c.Git(ctx, append(fetch, "--", "file://"+all.dir, "refs/heads/exported")...); err != nil {
		return err
	}
	for _, o := range objects { // the tag's own object
		if o.ID == tagID {
			if err := c.Import(ctx, []Object{o}); err != nil {
				return err
			}
		}
	}
	if err := c.checkOut(ctx, commit, tag, tagID, when); err != nil {
		return err
	}
	_, err = c.Git(ctx, "repack", "-a", "-d", "-F", "-q", "--window=0")
	return err
}

// checkOut makes a commit that is there the one checked out, with its tag.
func (r *Repository) checkOut(ctx context.Context, commit, tag, tagID string, when time.Time) error {
	if err := r.Complete(ctx, commit); err != nil {
		return err
	}
	steps := [][]string{{"update-ref", "--no-deref", "HEAD", commit}, {"read-tree", "HEAD"}}
	if tag != "" {
		steps = append(steps, []string{"update-ref", "refs/tags/" + tag, tagID})
	}
	for _, step := range steps {
		if _, err := r.Git(ctx, step...); err != nil {
			return err
		}
	}
	tree, err := r.Tree(ctx, commit)
	if err != nil {
		return err
	}
	defer tree.Close()
	return tree.WriteTo(r.dir, when)
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
