package publish

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"

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

// target is a registry as the destination of one bundle.
type target struct {
	bundle bundle.Bundle
	name   func(repository string) string  // a repository's name at the destination
	roots  map[string][]ocispec.Descriptor // what goes to each repository, subjects before their referrers
	// subjects are what the referrers among the roots refer to, by their digests.
	subjects map[digest.Digest]ocispec.Descriptor
	client   *registry.Client
	fresh    map[string]map[digest.Digest]bool // what this run wrote, by repository
	mu       sync.Mutex
}

func newTarget(b bundle.Bundle, name func(string) string, patience registry.Patience, plainHTTP []string) (*target, error) {
	client, err := registry.NewPatient(patience, plainHTTP...)
	if err != nil {
		return nil, err
	}
	t := &target{bundle: b, name: name, client: client, fresh: map[string]map[digest.Digest]bool{}, subjects: map[digest.Digest]ocispec.Descriptor{}}
	if t.roots, err = distribute(b); err != nil {
		return nil, err
	}
	for _, roots := range t.roots {
		for _, root := range roots {
			if root.MediaType != ocispec.MediaTypeImageManifest {
				continue
			}
			var m ocispec.Manifest
			if err := b.Layout.ReadJSON(root, &m); err != nil {
				return nil, err
			}
			if m.Subject != nil {
				t.subjects[root.Digest] = *m.Subject
			}
		}
	}
	return t, nil
}

// distribute tells which root of the layout goes to which repository: images and charts to their own, the release artifact to the
// configured one, whatever else is a referrer to where its subject goes.
func distribute(b bundle.Bundle) (map[string][]ocispec.Descriptor, error) {
	home := map[digest.Digest]string{}
	for _, a := range b.Record.Artifacts {
		if a.Repository == "" {
			continue
		}
		home[a.Digest] = a.Repository
		for _, p := range a.Platforms {
			home[p.Digest] = a.Repository
		}
	}
	if b.Record.Config.Artifacts == "" {
		return nil, refusal.New("publish %s: no repository is configured for the release artifact; name one as artifacts in .release.yaml", b.Record.Version)
	}
	home[b.Identity.Digest] = b.Record.Config.Artifacts
	all, err := b.Layout.Roots()
	if err != nil {
		return nil, err
	}
	roots := map[string][]ocispec.Descriptor{}
	var referrers []ocispec.Descriptor
	for _, root := range all {
		if repository, ok := home[root.Digest]; ok && root.Digest != b.Identity.Digest {
			roots[repository] = append(roots[repository], root)
		} else if root.Digest != b.Identity.Digest {
			referrers = append(referrers, root)
		}
	}
	release := home[b.Identity.Digest]
	roots[release] = append(roots[release], b.Identity)
	for _, root := range referrers {
		var m ocispec.Manifest
		if err := b.Layout.ReadJSON(root, &m); err != nil {
			return nil, err
		}
		if m.Subject == nil || home[m.Subject.Digest] == "" {
			return nil, refusal.New("publish %s: the bundle's index lists %s (%s), which the record does not name and which refers to nothing that it names; remove it from index.json, or build again", b.Record.Version, root.Digest, root.ArtifactType)
		}
		repository := home[m.Subject.Digest]
		roots[repository] = append(roots[repository], root)
	}
	return roots, nil
}

// name is the repository at the destination. The name of a repository has no colon, so below another registry a port
// is written with a hyphen: host-5000/name.
func (r *Registry) name(repository string) string {
	if r.Prefix == "" {
		return repository
	}
	host, below, _ := strings.Cut(repository, "/")
	return strings.TrimSuffix(r.Prefix, "/") + "/" + strings.ReplaceAll(host, ":", "-") + "/" + below
}

// Open opens a repository at the destination.
func (r *Registry) Open(repository string) (*remote.Repository, error) {
	client, err := registry.New(r.PlainHTTP...)
	if err != nil {
		return nil, err
	}
	return client.Open(r.name(repository))
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
	copies := pool.NewWithResults[Write]().WithContext(ctx).WithCancelOnError().WithFirstError()
	for repository, roots := range t.roots {
		copies.Go(func(ctx context.Context) (Write, error) {
			w := Write{Target: t.name(repository), What: fmt.Sprintf("%d manifests and what they lead to, by digest", len(roots)), Outcome: There}
			repo, err := t.open(repository)
			if err != nil {
				return w, err
			}
			asked := false
			for _, root := range roots {
				if subject, ok := t.subjects[root.Digest]; ok && !asked { // its subject is there by now, so the repository is
					if err := askForReferrers(ctx, repo, subject); err != nil {
						return w, err
					}
					asked = true
				}
				there, err := repo.Exists(ctx, root)
				if err == nil && !there {
					w.Outcome = Written
					err = t.client.Again(ctx, func() error { return t.push(ctx, repo, repository, root) })
				}
				if err == nil {
					var listed bool
					if listed, err = t.list(ctx, repo, root); listed {
						w.Outcome = Written
					}
				}
				if err != nil {
					return w, fmt.Errorf("push %s to %s: %w", root.Digest, w.Target, err)
				}
			}
			return w, nil
		})
	}
	writes, err := copies.Wait()
	slices.SortFunc(writes, func(a, b Write) int { return strings.Compare(a.Target, b.Target) })
	return slices.DeleteFunc(writes, func(w Write) bool { return w.Target == "" }), err
}

// askForReferrers asks whether the registry lists referrers itself, before the first is pushed: otherwise the answer to that push decides whether
// lists are kept as tags, and not every registry that has the API says so there.
func askForReferrers(ctx context.Context, repo *remote.Repository, subject ocispec.Descriptor) error {
	err := repo.Referrers(ctx, subject, "", func([]ocispec.Descriptor) error { return nil })
	if err != nil {
		return fmt.Errorf("ask %s for referrers: %w; check address and credentials", repo.Reference, err)
	}
	return nil
}

// list sees to it that a referrer is listed under its subject, and tells whether it had to. Where a registry has no referrers API the list is a
// tag that is written after the referrer (distribution-spec v1.1, "Referrers tag schema"): a run that stops between the two, or another
// publisher who writes the list at the same time, leaves one that nobody would find. Pushing its manifest again lists it.
func (t *target) list(ctx context.Context, repo *remote.Repository, root ocispec.Descriptor) (wrote bool, err error) {
	subject, ok := t.subjects[root.Digest]
	if !ok {
		return false, nil
	}
	for attempt := 0; ; attempt++ {
		listed := false
		if err := repo.Referrers(ctx, subject, "", func(page []ocispec.Descriptor) error {
			listed = listed || slices.ContainsFunc(page, func(d ocispec.Descriptor) bool { return d.Digest == root.Digest })
			return nil
		}); err != nil {
			return wrote, fmt.Errorf("list what refers to %s: %w", subject.Digest, err)
		}
		if listed {
			return wrote, nil
		}
		if attempt == t.client.Patience.Tries {
			return wrote, fmt.Errorf("the registry does not list %s under %s, which it refers to; run it again", root.Digest, subject.Digest)
		}
		content, err := t.bundle.Layout.Read(root)
		if err != nil {
			return wrote, err
		}
		if err := t.client.Again(ctx, func() error { return repo.Manifests().Push(ctx, root, bytes.NewReader(content)) }); err != nil {
			return wrote, err
		}
		wrote = true
	}
}

// push copies one graph, blobs before the manifests that name them; what the repository has is not sent, what another repository of
// the same registry has is mounted.
func (t *target) push(ctx context.Context, repo *remote.Repository, repository string, root ocispec.Descriptor) error {
	return oras.CopyGraph(ctx, oci.NewStorageFromFS(os.DirFS(t.bundle.Layout.Dir())), repo, root, oras.CopyGraphOptions{
		Concurrency: 4, MaxMetadataBytes: 16 << 20,
		MountFrom: func(_ context.Context, desc ocispec.Descriptor) ([]string, error) {
			return t.mounts(repo, repository, desc), nil
		},
		PostCopy: func(_ context.Context, desc ocispec.Descriptor) error {
			t.wrote(repository, desc.Digest)
			return nil
		},
	})
}

// mounts are repositories of the same registry that this run has given the blob to.
func (t *target) mounts(repo *remote.Repository, repository string, desc ocispec.Descriptor) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var from []string
	for other, has := range t.fresh {
		host, name, _ := strings.Cut(t.name(other), "/")
		if other != repository && has[desc.Digest] && host == repo.Reference.Registry {
			from = append(from, name)
		}
	}
	slices.Sort(from)
	return from
}

func (t *target) wrote(repository string, d digest.Digest) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.fresh[repository] == nil {
		t.fresh[repository] = map[digest.Digest]bool{}
	}
	t.fresh[repository][d] = true
}

// readBack compares with the bundle what the registry has: the bytes of everything that this run wrote, fetched again; of what was
// there, the manifests, and that each blob is there with its size; and every tag.
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
				if err := t.client.Again(ctx, func() error { return t.compare(ctx, repo, repository, root, seen) }); err != nil {
					return len(seen), err
				}
				if _, err := t.list(ctx, repo, root); err != nil {
					return len(seen), fmt.Errorf("read back %s: %w", t.name(repository), err)
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

// compare looks at a blob and what it leads to. What is seen is marked once it was found equal.
func (t *target) compare(ctx context.Context, repo *remote.Repository, repository string, desc ocispec.Descriptor, seen map[digest.Digest]bool) error {
	if seen[desc.Digest] {
		return nil
	}
	children, err := t.bundle.Layout.Children(desc)
	if err != nil {
		return err
	}
	for _, child := range children {
		if err := t.compare(ctx, repo, repository, child, seen); err != nil {
			return err
		}
	}
	manifest := desc.MediaType == ocispec.MediaTypeImageManifest || desc.MediaType == ocispec.MediaTypeImageIndex
	if !manifest && !t.fresh[repository][desc.Digest] {
		found, err := repo.Blobs().Resolve(ctx, desc.Digest.String())
		if err != nil {
			return fmt.Errorf("read back %s@%s: %w", repo.Reference, desc.Digest, err)
		}
		if found.Size != desc.Size {
			return fmt.Errorf("read back %s@%s: the registry has %d bytes where %d belong", repo.Reference, desc.Digest, found.Size, desc.Size)
		}
	} else if err := fetchEqual(ctx, repo, desc); err != nil {
		return err
	}
	seen[desc.Digest] = true
	return nil
}

// fetchEqual reads a blob or manifest from the registry; the reader fails where bytes are not those of the digest.
func fetchEqual(ctx context.Context, repo *remote.Repository, desc ocispec.Descriptor) error {
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
	return nil
}
