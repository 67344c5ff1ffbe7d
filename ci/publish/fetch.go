package publish

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/registry/remote"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/registry"
)

// Fetch brings a published bundle, with all its referrers, from a registry to dir, an empty or absent folder. Every byte is compared with
// its digest; a registry that gives others, or more than it declared, is refused.
func Fetch(ctx context.Context, r *Registry, c journal.Claim, dir string) (bundle.Bundle, error) {
	return fetch(ctx, r.name, r.PlainHTTP, c, dir)
}

func fetch(ctx context.Context, name func(string) string, plainHTTP []string, c journal.Claim, dir string) (bundle.Bundle, error) {
	client, err := registry.New(plainHTTP...)
	if err != nil {
		return bundle.Bundle{}, err
	}
	layout, err := bundle.Create(dir)
	if err != nil {
		return bundle.Bundle{}, err
	}
	f := &fetching{client: client, name: name, layout: layout, done: map[digest.Digest]bool{}}
	identity, err := f.root(ctx, c.Repository, c.Identity)
	if err != nil {
		return bundle.Bundle{}, err
	}
	record, _, err := layout.Record(identity)
	if err != nil {
		return bundle.Bundle{}, err
	}
	subjects := map[string][]ocispec.Descriptor{c.Repository: {identity}}
	for _, a := range record.Artifacts {
		if a.Repository == "" {
			continue
		}
		if _, err := f.root(ctx, a.Repository, a.Digest); err != nil {
			return bundle.Bundle{}, err
		}
		subjects[a.Repository] = append(subjects[a.Repository], a.Descriptor())
		for _, p := range a.Platforms {
			subjects[a.Repository] = append(subjects[a.Repository], ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: p.Digest, Size: p.Size})
		}
	}
	referrers, err := f.referrers(ctx, subjects, identity.Digest)
	if err != nil {
		return bundle.Bundle{}, err
	}
	b, err := bundle.Adopt(layout, identity, referrers)
	if err != nil {
		return b, err
	}
	return b, b.Verify()
}

type fetching struct {
	client *registry.Client
	name   func(string) string
	layout *bundle.Layout
	done   map[digest.Digest]bool // what is here, with all that it leads to
}

// root brings a manifest and all it leads to.
func (f *fetching) root(ctx context.Context, repository string, d digest.Digest) (ocispec.Descriptor, error) {
	repo, err := f.client.Open(f.name(repository))
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	desc, err := repo.Resolve(ctx, d.String())
	if err != nil {
		return desc, fmt.Errorf("fetch %s@%s: %w; check address and credentials, or restore from a backup", f.name(repository), d, err)
	}
	return desc, f.client.Again(ctx, func() error { return f.graph(ctx, repo, desc, 0) })
}

// record brings a release artifact's manifest and the record that it begins with.
func (f *fetching) record(ctx context.Context, c journal.Claim) (ocispec.Descriptor, error) {
	repo, err := f.client.Open(f.name(c.Repository))
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	desc, err := repo.Resolve(ctx, c.Identity.String())
	if err != nil {
		return desc, fmt.Errorf("fetch %s@%s: %w; check address and credentials", f.name(c.Repository), c.Identity, err)
	}
	if err := f.blob(ctx, repo, desc); err != nil {
		return desc, err
	}
	children, err := f.layout.Children(desc)
	if err != nil {
		return desc, err
	}
	for _, child := range children {
		if child.MediaType == bundle.RecordType {
			return desc, f.blob(ctx, repo, child)
		}
	}
	return desc, nil // which Layout.Record refuses
}

// What a registry may lead to, so that one that lies ends: an index over manifests over layers is three deep.
const (
	maxDepth     = 8
	maxBlobs     = 20_000 // of a bundle
	maxReferrers = 1_000  // of one subject
)

// graph brings a blob and what it leads to; what was brought to its end once is not looked at again.
func (f *fetching) graph(ctx context.Context, repo *remote.Repository, desc ocispec.Descriptor, depth int) error {
	if f.done[desc.Digest] {
		return nil
	}
	if depth > maxDepth || len(f.done) >= maxBlobs {
		return refusal.New("fetch %s@%s: what names it is more than %d manifests deep, or more than %d blobs belong to the bundle; no release looks like that", repo.Reference, desc.Digest, maxDepth, maxBlobs)
	}
	if err := f.blob(ctx, repo, desc); err != nil {
		return err
	}
	children, err := f.layout.Children(desc)
	if err != nil {
		return err
	}
	for _, child := range children {
		if err := f.graph(ctx, repo, child, depth+1); err != nil {
			return err
		}
	}
	f.done[desc.Digest] = true
	return nil
}

// maxLayer bounds one blob, in bytes.
const maxLayer = 16 << 30

// blob brings one blob, at most as large as declared.
func (f *fetching) blob(ctx context.Context, repo *remote.Repository, desc ocispec.Descriptor) error {
	if f.layout.Has(desc) {
		return nil
	}
	limit := int64(maxLayer)
	if bundle.IsManifest(desc) {
		limit = bundle.MaxManifest
	}
	if err := desc.Digest.Validate(); err != nil || desc.Size < 0 || desc.Size > limit {
		return refusal.New("fetch %s@%s: it is declared as a %s of %d bytes; only what has a digest and at most %d bytes is taken", repo.Reference, desc.Digest, desc.MediaType, desc.Size, limit)
	}
	stream, err := repo.Fetch(ctx, desc)
	if err != nil {
		return fmt.Errorf("fetch %s@%s: %w", repo.Reference, desc.Digest, err)
	}
	defer stream.Close()
	return f.layout.Take(desc, io.LimitReader(stream, desc.Size+1))
}

// referrers brings whatever refers to the subjects: SBOMs, test results, signatures.
func (f *fetching) referrers(ctx context.Context, subjects map[string][]ocispec.Descriptor, identity digest.Digest) ([]ocispec.Descriptor, error) {
	var all []ocispec.Descriptor
	for repository, descs := range subjects {
		repo, err := f.client.Open(f.name(repository))
		if err != nil {
			return nil, err
		}
		for _, subject := range descs {
			var found []ocispec.Descriptor
			if err := repo.Referrers(ctx, subject, "", func(page []ocispec.Descriptor) error {
				if found = append(found, page...); len(found) > maxReferrers {
					return refusal.New("the registry names more than %d", maxReferrers)
				}
				return nil
			}); err != nil {
				return nil, fmt.Errorf("list what refers to %s@%s, at most %d bytes a page: %w", f.name(repository), subject.Digest, bundle.MaxManifest, err)
			}
			for _, desc := range found {
				if desc.Digest == identity {
					continue
				}
				if err := f.client.Again(ctx, func() error { return f.graph(ctx, repo, desc, 0) }); err != nil {
					return nil, err
				}
				root, err := f.layout.Referrer(desc)
				if err != nil {
					return nil, err
				}
				all = append(all, root)
			}
		}
	}
	slices.SortFunc(all, func(a, b ocispec.Descriptor) int { return strings.Compare(a.Digest.String(), b.Digest.String()) })
	return all, nil
}
