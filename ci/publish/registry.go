package publish

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/sourcegraph/conc/pool"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/content/oci"
	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/registry"
)

// Registry is where images, charts and the release artifact go.
type Registry struct {
	// Prefix, HOST or HOST/PATH, puts every repository under one registry: docker.io/kubeflow/spark-operator goes to
	// 127.0.0.1:5000/docker.io/kubeflow/spark-operator. Empty: each repository's own registry.
	Prefix string
	// PlainHTTP are hosts that are spoken to without TLS, besides loopback.
	PlainHTTP []string
}

// target is the registry as the destination of one bundle.
type target struct {
	*Registry
	bundle bundle.Bundle
	roots  map[string][]ocispec.Descriptor // what goes to each repository, referrers after their subjects
	client *registry.Client
}

func newTarget(b bundle.Bundle, r *Registry) (*target, error) {
	client, err := registry.New(r.PlainHTTP...)
	if err != nil {
		return nil, err
	}
	t := &target{Registry: r, bundle: b, roots: map[string][]ocispec.Descriptor{}, client: client}
	for _, a := range b.Record.Artifacts {
		if a.Repository == "" {
			continue
		}
		t.add(a.Repository, a.Descriptor())
		for _, p := range a.Platforms {
			for _, s := range p.SBOMs {
				t.add(a.Repository, s.Descriptor())
			}
		}
	}
	t.add(b.Record.Config.Artifacts, b.Identity)
	return t, nil
}

func (t *target) add(repository string, desc ocispec.Descriptor) {
	if repository != "" {
		t.roots[repository] = append(t.roots[repository], desc)
	}
}

// name is the repository at the destination.
func (t *target) name(repository string) string {
	if t.Prefix == "" {
		return repository
	}
	return strings.TrimSuffix(t.Prefix, "/") + "/" + repository
}

func (t *target) open(repository string) (*remote.Repository, error) {
	return t.client.Open(t.name(repository))
}

// tagged tells whether the artifact's tag is there; where it names other content it is refused.
func (t *target) tagged(ctx context.Context, a bundle.Artifact) (bool, error) {
	repo, err := t.open(a.Repository)
	if err != nil {
		return false, err
	}
	found, err := repo.Resolve(ctx, a.Tag)
	switch {
	case errors.Is(err, errdef.ErrNotFound):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("read %s:%s: %w; check address and credentials", t.name(a.Repository), a.Tag, err)
	case found.Digest != a.Digest:
		return false, refusal.New("publish %s %s:%s: it is there with other content: digest %s, this bundle's is %s; a version never changes: release the next one",
			a.Kind, t.name(a.Repository), a.Tag, found.Digest, a.Digest)
	}
	return true, nil
}

// tag points the artifact's tag at its digest.
func (t *target) tag(ctx context.Context, a bundle.Artifact) (outcome string, err error) {
	there, err := t.tagged(ctx, a)
	if err != nil || there {
		return There, err
	}
	repo, err := t.open(a.Repository)
	if err != nil {
		return "", err
	}
	if err := repo.Tag(ctx, a.Descriptor(), a.Tag); err != nil {
		return "", fmt.Errorf("tag %s:%s: %w", t.name(a.Repository), a.Tag, err)
	}
	return Written, nil
}

// pushContent copies what is missing, by digest, the repositories side by side; no tag is made. (Where a registry has no referrers API, the
// fallback tag of the distribution specification, sha256-<digest>, is kept up to date.)
func (t *target) pushContent(ctx context.Context) ([]Write, error) {
	store, err := oci.NewFromFS(ctx, os.DirFS(t.bundle.Layout.Dir()))
	if err != nil {
		return nil, err
	}
	copies := pool.NewWithResults[Write]().WithContext(ctx).WithCancelOnError().WithFirstError()
	for repository, roots := range t.roots {
		copies.Go(func(ctx context.Context) (Write, error) {
			w := Write{Target: t.name(repository), What: fmt.Sprintf("%d manifests and what they lead to, by digest", len(roots)), Outcome: There}
			repo, err := t.open(repository)
			if err != nil {
				return w, err
			}
			for _, root := range roots {
				wrote, err := copyGraph(ctx, store, repo, root)
				if err != nil {
					return w, fmt.Errorf("push %s to %s: %w", root.Digest, w.Target, err)
				}
				if wrote {
					w.Outcome = Written
				}
			}
			return w, nil
		})
	}
	writes, err := copies.Wait()
	slices.SortFunc(writes, func(a, b Write) int { return strings.Compare(a.Target, b.Target) })
	return slices.DeleteFunc(writes, func(w Write) bool { return w.Target == "" }), err
}

func copyGraph(ctx context.Context, from content.ReadOnlyStorage, to *remote.Repository, root ocispec.Descriptor) (wrote bool, err error) {
	there, err := to.Exists(ctx, root)
	if err != nil || there {
		return false, err
	}
	return true, oras.CopyGraph(ctx, from, to, root, oras.CopyGraphOptions{Concurrency: 4, MaxMetadataBytes: 16 << 20})
}

// readBack fetches every manifest and blob of the bundle from where it went, and every tag, and compares.
func (t *target) readBack(ctx context.Context) (int, error) {
	reads := pool.NewWithResults[int]().WithContext(ctx).WithCancelOnError().WithFirstError()
	for repository, roots := range t.roots {
		reads.Go(func(ctx context.Context) (int, error) {
			repo, err := t.open(repository)
			if err != nil {
				return 0, err
			}
			seen := map[digest.Digest]bool{}
			for _, root := range roots {
				if err := t.compare(ctx, repo, root, seen); err != nil {
					return len(seen), err
				}
			}
			return len(seen), nil
		})
	}
	counts, err := reads.Wait()
	n := 0
	for _, count := range counts {
		n += count
	}
	for _, a := range append(t.bundle.Record.OfKind(bundle.KindImage), t.bundle.Record.OfKind(bundle.KindChart)...) {
		if err != nil {
			return n, err
		}
		var there bool
		if there, err = t.tagged(ctx, a); err == nil && !there {
			err = fmt.Errorf("read back %s:%s: the tag is not there", t.name(a.Repository), a.Tag)
		}
		n++
	}
	return n, err
}

// compare reads a blob and what it leads to; the reader itself fails where bytes are not those of the digest.
func (t *target) compare(ctx context.Context, repo *remote.Repository, desc ocispec.Descriptor, seen map[digest.Digest]bool) error {
	if seen[desc.Digest] {
		return nil
	}
	seen[desc.Digest] = true
	stream, err := repo.Fetch(ctx, desc)
	if err != nil {
		return fmt.Errorf("read back %s@%s: %w", repo.Reference, desc.Digest, err)
	}
	defer stream.Close()
	verified := content.NewVerifyReader(stream, desc)
	if _, err := io.Copy(io.Discard, verified); err != nil {
		return fmt.Errorf("read back %s@%s: %w", repo.Reference, desc.Digest, err)
	}
	if err := verified.Verify(); err != nil {
		return fmt.Errorf("read back %s@%s: it has other bytes than were written: %w", repo.Reference, desc.Digest, err)
	}
	children, err := t.bundle.Layout.Children(desc) // the same bytes, as was just seen
	if err != nil {
		return err
	}
	for _, child := range children {
		if err := t.compare(ctx, repo, child, seen); err != nil {
			return err
		}
	}
	return nil
}
