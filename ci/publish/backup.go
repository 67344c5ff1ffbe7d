package publish

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/errdef"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/registry"
	"github.com/operator-release/operator-release/ci/version"
)

// Backup is where a copy of each bundle is kept: one repository at a registry, with a tag for each version, or a folder with a
// folder for each version.
type Backup struct {
	Repository string
	PlainHTTP  []string
	Dir        string
}

// ParseBackup reads a folder (with a slash before it, ./ or ../, or one that is there) or a repository with its registry.
func ParseBackup(s string, plainHTTP []string) *Backup {
	info, err := os.Stat(s)
	if filepath.IsAbs(s) || strings.HasPrefix(s, "./") || strings.HasPrefix(s, "../") || err == nil && info.IsDir() {
		return &Backup{Dir: s}
	}
	return &Backup{Repository: strings.TrimPrefix(s, "oci://"), PlainHTTP: plainHTTP}
}

// keep copies the bundle with all its referrers; another content under the version's name is refused.
func (k *Backup) keep(ctx context.Context, b bundle.Bundle, patience registry.Patience) (Write, error) {
	if k.Dir != "" {
		return k.keepInFolder(b)
	}
	w := Write{Step: 1, Target: k.Repository + ":" + b.Record.Version.String(), What: "backup", Outcome: There}
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
	writes, pushErr := t.pushContent(ctx)
	for _, push := range writes {
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

func (k *Backup) keepInFolder(b bundle.Bundle) (Write, error) {
	dir := k.folder(b.Record.Version)
	w := Write{Step: 1, Target: dir, What: "backup", Outcome: There}
	if kept, err := bundle.Load(dir); err == nil {
		if kept.Identity.Digest != b.Identity.Digest {
			return w, refusal.New("back up %s to %s: it is there with other content: %s, this bundle has %s; a version never changes", b.Record.Version, dir, kept.Identity.Digest, b.Identity.Digest)
		}
		w.Outcome, err = merge(b, kept.Layout)
		return w, err
	} else if _, statErr := os.Stat(dir); !errors.Is(statErr, fs.ErrNotExist) {
		return w, refusal.New("back up %s to %s: the folder is there and holds no bundle: %w", b.Record.Version, dir, err)
	}
	w.Outcome = Written
	if err := os.MkdirAll(k.Dir, 0o755); err != nil {
		return w, err
	}
	half, err := os.MkdirTemp(k.Dir, ".backup-")
	if err != nil {
		return w, err
	}
	defer os.RemoveAll(half)
	layout, err := bundle.Create(half)
	if err != nil {
		return w, err
	}
	roots, err := b.Layout.Roots()
	if err != nil {
		return w, err
	}
	for _, root := range roots {
		if err := layout.Copy(b.Layout, root); err != nil {
			return w, err
		}
	}
	kept, err := bundle.Adopt(layout, b.Identity, roots)
	if err != nil {
		return w, err
	}
	if err := kept.Verify(); err != nil {
		return w, err
	}
	if err := os.Chmod(half, 0o755); err != nil {
		return w, err
	}
	return w, os.Rename(half, dir)
}

// merge copies into a backup the referrers that it lacks.
func merge(b bundle.Bundle, into *bundle.Layout) (outcome string, err error) {
	roots, err := b.Layout.Roots()
	if err != nil {
		return There, err
	}
	return take(b.Layout, roots, into)
}

// take copies roots that a layout lacks into it.
func take(from *bundle.Layout, roots []ocispec.Descriptor, into *bundle.Layout) (outcome string, err error) {
	outcome = There
	for _, root := range roots {
		if into.Has(root) {
			continue
		}
		outcome = Written
		if err := into.Copy(from, root); err != nil {
			return outcome, err
		}
		if err := into.AddRoot(root); err != nil {
			return outcome, err
		}
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
