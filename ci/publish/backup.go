package publish

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/errdef"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/registry"
	"github.com/operator-release/operator-release/ci/version"
	"github.com/operator-release/operator-release/ci/writes"
)

// Backup is where a copy of each bundle is kept: one repository at a registry, with a tag for each version, or a folder with a
// folder for each version.
type Backup struct {
	Repository string
	PlainHTTP  []string
	Dir        string
}

// ParseBackup reads a folder or a repository with its registry.
func ParseBackup(s string, plainHTTP []string) *Backup {
	if writes.IsFolder(s) {
		return &Backup{Dir: s}
	}
	return &Backup{Repository: strings.TrimPrefix(s, "oci://"), PlainHTTP: plainHTTP}
}

// keep copies the bundle with all its referrers; another content under the version's name is refused.
func (k *Backup) keep(ctx context.Context, b bundle.Bundle, patience registry.Patience) (Write, error) {
	if k.Dir != "" {
		return k.keepInFolder(ctx, b)
	}
	w := Write{Step: writes.Content, Target: k.Repository + ":" + b.Record.Version.String(), What: "backup", Outcome: There}
	t, err := newTarget(b, func(string) string { return k.Repository }, patience, k.PlainHTTP)
	if err != nil {
		return w, err
	}
	repo, err := t.client.Open(k.Repository)
	if err != nil {
		return w, err
	}
	found, err := repo.Resolve(ctx, b.Record.Version.String())
	switch {
	case err == nil && found.Digest != b.Identity.Digest:
		return w, refusal.New("back up %s to %s: it is there with other content: %s, this bundle has %s; a version never changes", b.Record.Version, k.Repository, found.Digest, b.Identity.Digest)
	case err != nil && !errors.Is(err, errdef.ErrNotFound):
		return w, fmt.Errorf("back up to %s: %w; check address and credentials", k.Repository, err)
	}
	pushed, pushErr := t.pushContent(ctx)
	for _, push := range pushed {
		if push.Outcome == Written {
			w.Outcome = Written
		}
	}
	if pushErr != nil {
		return w, pushErr
	}
	if err != nil { // not found above
		w.Outcome = Written
		return w, repo.Tag(ctx, b.Identity, b.Record.Version.String())
	}
	return w, nil
}

// folder is where a version's copy is.
func (k *Backup) folder(v version.Version) string { return filepath.Join(k.Dir, v.String()) }

// keepInFolder copies the bundle to a folder of its own, which appears whole, by rename, once everything is on the disk. What a stopped run
// left is gone on with: its folder is hidden and named after version and identity.
func (k *Backup) keepInFolder(ctx context.Context, b bundle.Bundle) (Write, error) {
	dir := k.folder(b.Record.Version)
	w := Write{Step: writes.Content, Target: dir, What: "backup", Outcome: There}
	if err := os.MkdirAll(k.Dir, 0o755); err != nil {
		return w, fmt.Errorf("back up to %s: %w", k.Dir, err)
	}
	unlock, err := lock(ctx, k.Dir)
	if err != nil {
		return w, fmt.Errorf("back up to %s: wait for another publisher: %w", k.Dir, err)
	}
	defer unlock()
	kept, err := bundle.Load(dir)
	if err == nil {
		if kept.Identity.Digest != b.Identity.Digest {
			return w, refusal.New("back up %s to %s: it is there with other content: %s, this bundle has %s; a version never changes", b.Record.Version, dir, kept.Identity.Digest, b.Identity.Digest)
		}
		w.Outcome, err = merge(b, kept.Layout)
		return w, err
	} else if _, statErr := os.Stat(dir); !errors.Is(statErr, fs.ErrNotExist) {
		return w, refusal.New("back up %s to %s: the folder is there and holds no bundle: %w", b.Record.Version, dir, err)
	}
	w.Outcome = Written
	half := filepath.Join(k.Dir, fmt.Sprintf(".backup-%s-%s", b.Record.Version, b.Identity.Digest.Encoded()))
	if err := complete(b, half); err != nil {
		return w, fmt.Errorf("back up to %s: %w", k.Dir, err)
	}
	if err := os.Rename(half, dir); err != nil {
		return w, err
	}
	return w, flush(k.Dir)
}

// complete makes half the whole bundle, whatever it holds already, and has all of it on the disk.
func complete(b bundle.Bundle, half string) error {
	layout, err := bundle.Create(half)
	if err != nil {
		return err
	}
	// Made anew, for they may be other names of blobs that are damaged.
	if err := os.RemoveAll(filepath.Join(half, bundle.FilesDir)); err != nil {
		return err
	}
	roots, err := b.Layout.Roots()
	if err != nil {
		return err
	}
	for _, root := range roots {
		if err := copyBlobs(layout, b.Layout, root); err != nil {
			return err
		}
	}
	kept, err := bundle.Adopt(layout, b.Identity, roots)
	if err != nil {
		return err
	}
	if err := kept.Verify(); err != nil {
		return err
	}
	if err := layout.Sweep(); err != nil {
		return err
	}
	return toDisk(half)
}

// copyBlobs copies what root leads to, byte by byte: a link to the bundle's own file would be damaged with it. A blob that is there is read
// again, for a machine that lost its power may have kept the name and lost the bytes.
func copyBlobs(to, from *bundle.Layout, root ocispec.Descriptor) error {
	return from.Walk(root, func(desc ocispec.Descriptor) error {
		if to.Has(desc) && to.Verify(desc) == nil {
			return nil
		}
		in, err := os.Open(from.Path(desc.Digest))
		if err != nil {
			return err
		}
		defer in.Close()
		return to.Take(desc, in)
	})
}

// toDisk has everything below dir written to the disk, names and bytes.
func toDisk(dir string) error {
	return filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return flush(path)
	})
}

func flush(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// lock waits until no other publisher works below the folder; the lock ends with the process. Where the file system knows no locks there is
// none: then two publishers at once may disturb each other, one of them fails, and running it again completes.
func lock(ctx context.Context, dir string) (unlock func(), err error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	for {
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != syscall.EWOULDBLOCK && err != syscall.EINTR {
			return func() { f.Close() }, nil
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// merge copies into a backup the referrers that it lacks.
func merge(b bundle.Bundle, into *bundle.Layout) (outcome string, err error) {
	roots, err := b.Layout.Roots()
	if err != nil {
		return There, err
	}
	return take(into, b.Layout, roots)
}

// take copies into a backup the roots that it does not list. A run that was killed at it may have left temporary files, and a blob
// that no index lists: those go, this is listed.
func take(into, from *bundle.Layout, roots []ocispec.Descriptor) (outcome string, err error) {
	outcome = There
	if err := into.Sweep(); err != nil {
		return outcome, err
	}
	listed, err := into.Roots()
	if err != nil {
		return outcome, err
	}
	for _, root := range roots {
		if slices.ContainsFunc(listed, func(d ocispec.Descriptor) bool { return d.Digest == root.Digest }) {
			continue
		}
		outcome = Written
		if err := copyBlobs(into, from, root); err != nil {
			return outcome, err
		}
		if err := into.AddRoot(root); err != nil {
			return outcome, err
		}
	}
	if outcome == Written {
		return outcome, toDisk(into.Dir())
	}
	return outcome, nil
}

// FetchBackup brings a bundle back from a registry: REPOSITORY:VERSION, as a backup made it. dir is empty or absent.
func FetchBackup(ctx context.Context, reference string, plainHTTP []string, dir string) (bundle.Bundle, error) {
	repository, tag, ok := cutTag(reference)
	if !ok {
		return bundle.Bundle{}, refusal.New("restore %s: it is neither a folder nor a reference; name a bundle's folder, or REPOSITORY:VERSION at a registry", reference)
	}
	client, err := registry.New(plainHTTP...)
	if err != nil {
		return bundle.Bundle{}, err
	}
	repo, err := client.Open(repository)
	if err != nil {
		return bundle.Bundle{}, err
	}
	found, err := repo.Resolve(ctx, tag)
	if err != nil {
		return bundle.Bundle{}, fmt.Errorf("restore %s: %w; check address and credentials", reference, err)
	}
	return fetch(ctx, func(string) string { return repository }, plainHTTP, journal.Claim{Identity: found.Digest, Repository: repository}, dir)
}

// cutTag splits REPOSITORY:TAG; the colon of a port is none of a tag.
func cutTag(reference string) (repository, tag string, ok bool) {
	i := strings.LastIndex(reference, ":")
	if i < 0 || strings.Contains(reference[i:], "/") || !strings.Contains(reference[:i], "/") {
		return "", "", false
	}
	return reference[:i], reference[i+1:], true
}
