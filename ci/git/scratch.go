package git

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// storage are the folders that hold the repository's objects, those of its quarantine first, and the format of the
// objects.
func (r *Repository) storage(ctx context.Context) ([]string, ObjectFormat, error) {
	plain := at(r.dir) // in a quarantine, git would tell the quarantine's folder
	out, err := plain.Git(ctx, "rev-parse", "--show-object-format", "--path-format=absolute", "--git-path", "objects")
	if err != nil {
		return nil, "", err
	}
	format, own, ok := strings.Cut(out, "\n")
	if !ok {
		return nil, "", fmt.Errorf("read the object format of %s: git answered %q", r.dir, out)
	}
	if len(r.objects) > 0 { // they end with the repository's own
		return r.objects, ObjectFormat(format), nil
	}
	return []string{own}, ObjectFormat(format), nil
}

// Scratch makes dir a bare repository of the same object format, which sees the objects of this one without copying
// them.
func (r *Repository) Scratch(ctx context.Context, dir string) (*Repository, error) {
	folders, format, err := r.storage(ctx)
	if err != nil {
		return nil, err
	}
	s, err := r.scratch(ctx, dir, format)
	if err != nil {
		return nil, err
	}
	return s, os.WriteFile(filepath.Join(dir, "objects", "info", "alternates"),
		[]byte(strings.Join(folders, "\n")+"\n"), 0o644)
}

// EmptyScratch makes dir a bare repository of the same object format without objects.
func (r *Repository) EmptyScratch(ctx context.Context, dir string) (*Repository, error) {
	format, err := r.Format(ctx)
	if err != nil {
		return nil, err
	}
	return r.scratch(ctx, dir, format)
}

// scratch makes a bare repository from which remotes are reached as from this one.
func (r *Repository) scratch(ctx context.Context, dir string, format ObjectFormat) (*Repository, error) {
	s, err := Init(ctx, dir, format)
	if err != nil {
		return nil, err
	}
	s.clone = cmp.Or(r.clone, r)
	return s, nil
}

// FetchLocal brings refs of a repository on this machine, which may belong to another user.
func (r *Repository) FetchLocal(ctx context.Context, from *Repository, refspecs ...string) error {
	args := []string{"fetch", "--quiet", "--no-tags", "--upload-pack=" + uploadPack, "--", from.dir}
	_, err := r.Git(ctx, append(args, refspecs...)...)
	return err
}
