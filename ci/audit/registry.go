package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/errcode"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/sign/gittag"
)

// unseenError is why a surface cannot be told.
type unseenError struct{ error }

// Unwrap gives the reason itself.
func (e unseenError) Unwrap() error { return e.error }

// errMissing says that a registry answered, and does not have it.
var errMissing = errors.New("it is not there")

// registries asks for what lies at registries. One that cannot be reached is not asked again.
type registries struct {
	open func(repository string) (*remote.Repository, error) // nil where none was named
	mu   sync.Mutex
	down map[string]error // by host
}

const noRegistry = "no registry was read; name one with --registry, or use --to-configured"

// at opens a repository where it lies.
func (r *registries) at(repository string) (*place, error) {
	if r.open == nil {
		return nil, unseenError{errors.New(noRegistry)}
	}
	repo, err := r.open(repository)
	if err != nil {
		return nil, unseenError{err}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.down[repo.Reference.Registry]; err != nil {
		return nil, unseenError{err}
	}
	return &place{r, repo}, nil
}

// place is a repository at a registry.
type place struct {
	from *registries
	repo *remote.Repository
}

// failed tells errMissing from errors that leave open what is there, and keeps in mind whom not to ask again.
func (p *place) failed(err error) error {
	var unseen unseenError
	if err == nil || errors.Is(err, errMissing) || errors.As(err, &unseen) {
		return err
	}
	if errors.Is(err, errdef.ErrNotFound) {
		return errMissing
	}
	host := p.repo.Reference.Registry
	var way *url.Error
	if errors.As(err, &way) { // no answer came
		p.from.mu.Lock()
		defer p.from.mu.Unlock()
		if p.from.down[host] == nil {
			p.from.down[host] = fmt.Errorf("registry %s cannot be reached: %w", host, way.Err)
		}
		return unseenError{p.from.down[host]}
	}
	var answer *errcode.ErrorResponse
	if errors.As(err, &answer) {
		return unseenError{fmt.Errorf("registry %s: %w; check address and credentials", host, err)}
	}
	return unseenError{fmt.Errorf("registry %s: %w", host, err)}
}

// patience is how long one request may take, repetitions included: a registry that hangs leaves its surfaces untold, and does not end the audit.
const patience = 2 * time.Minute

// resolve describes the manifest of a tag or digest.
func (p *place) resolve(ctx context.Context, reference string) (ocispec.Descriptor, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	desc, err := p.repo.Resolve(ctx, reference)
	return desc, p.failed(err)
}

// most bounds what is read whole, in bytes: manifests, configs and records.
const most = 16 << 20

func (p *place) read(ctx context.Context, desc ocispec.Descriptor) ([]byte, error) {
	return p.readUpTo(ctx, desc, most)
}

func (p *place) readUpTo(ctx context.Context, desc ocispec.Descriptor, most int64) ([]byte, error) {
	if desc.Size > most {
		return nil, unseenError{fmt.Errorf("%s declares %d bytes; at most %d are read", desc.Digest, desc.Size, most)}
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	stream, err := p.repo.Fetch(ctx, desc)
	if err != nil {
		return nil, p.failed(err)
	}
	defer stream.Close()
	text, err := content.ReadAll(io.LimitReader(stream, desc.Size+1), desc)
	return text, p.failed(err)
}

func (p *place) readJSON(ctx context.Context, desc ocispec.Descriptor, v any) error {
	text, err := p.read(ctx, desc)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, v); err != nil {
		return unseenError{fmt.Errorf("read %s: it is no %s: %w", desc.Digest, desc.MediaType, err)}
	}
	return nil
}

// manifest is what image manifests and indexes have, in OCI's form and in Docker's.
type manifest struct {
	ArtifactType string
	Manifests    []ocispec.Descriptor
	Config       ocispec.Descriptor
	Layers       []ocispec.Descriptor
	Annotations  map[string]string
}

// maxBlobs is how many blobs of a manifest are looked at.
const maxBlobs = 1000

// has finds the first of the blobs that the repository lacks; their content is not read.
func (p *place) has(ctx context.Context, blobs ...ocispec.Descriptor) error {
	if len(blobs) > maxBlobs {
		return unseenError{fmt.Errorf("a manifest names %d blobs; at most %d are looked at", len(blobs), maxBlobs)}
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for _, blob := range blobs {
		found, err := p.repo.Blobs().Resolve(ctx, blob.Digest.String())
		switch err = p.failed(err); {
		case errors.Is(err, errMissing):
			return fmt.Errorf("blob %s: %w", blob.Digest, err)
		case err != nil:
			return err
		case found.Size != blob.Size:
			return fmt.Errorf("blob %s has %d bytes where %d belong: %w", blob.Digest, found.Size, blob.Size, errMissing)
		}
	}
	return nil
}

// maxReferrers bounds how many referrers of a subject are looked at, as publication does: an image whose bytes stay gets signatures by each version that it is released with.
const maxReferrers = 1_000

// referrers are what a registry lists under a subject.
func (p *place) referrers(ctx context.Context, subject ocispec.Descriptor) ([]ocispec.Descriptor, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var all []ocispec.Descriptor
	err := p.repo.Referrers(ctx, subject, "", func(page []ocispec.Descriptor) error {
		if all = append(all, page...); len(all) > maxReferrers {
			return unseenError{excess{fmt.Errorf("more than %d referrers are listed under %s", maxReferrers, subject.Digest)}}
		}
		return nil
	})
	return all, p.failed(err)
}

// says reads what a referrer is from its own manifest: what registries repeat of it where they list it differs.
func (p *place) says(ctx context.Context, desc ocispec.Descriptor) (artifactType string, annotations map[string]string, err error) {
	var m manifest
	err = p.readJSON(ctx, desc, &m)
	return m.ArtifactType, m.Annotations, err
}

// manifest reads the manifest or index that a tag or digest leads to.
func (p *place) manifest(ctx context.Context, reference string) (ocispec.Descriptor, manifest, error) {
	var m manifest
	desc, err := p.resolve(ctx, reference)
	if err != nil {
		return desc, m, err
	}
	err = p.readJSON(ctx, desc, &m)
	return desc, m, err
}

// chartMeta is what a Chart.yaml says, and a chart's config at a registry.
type chartMeta struct {
	Name       string `json:"name" yaml:"name"`
	Version    string `json:"version" yaml:"version"`
	AppVersion string `json:"appVersion" yaml:"appVersion"`
}

// chart reads what a chart says of itself.
func (p *place) chart(ctx context.Context, m manifest) (chartMeta, error) {
	var says chartMeta
	err := p.readJSON(ctx, m.Config, &says)
	return says, err
}

// name is the repository, where it lies.
func (p *place) name() string { return p.repo.Reference.Registry + "/" + p.repo.Reference.Repository }

// record reads the record of a release artifact. Nothing else of the artifact is fetched.
func (p *place) record(ctx context.Context, identity digest.Digest) (*known, error) {
	desc, m, err := p.manifest(ctx, identity.String())
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "release-audit-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	layout, err := bundle.Create(dir)
	if err != nil {
		return nil, err
	}
	for _, blob := range append([]ocispec.Descriptor{desc}, m.Layers[:min(1, len(m.Layers))]...) {
		content, err := p.read(ctx, blob)
		if err != nil {
			return nil, err
		}
		if err := layout.Take(blob, bytes.NewReader(content)); err != nil {
			return nil, err
		}
	}
	r, file, err := layout.Record(desc)
	if err != nil {
		return nil, err
	}
	read := func(ctx context.Context, repository string, desc ocispec.Descriptor) ([]byte, error) {
		at, err := p.from.at(repository)
		if err != nil {
			return nil, err
		}
		return at.read(ctx, desc)
	}
	attached := func(ctx context.Context, object string) (bool, error) { return p.attached(ctx, r, desc, object) }
	return &known{r, identity, file, p.name(), read, attached}, nil
}

// attached tells whether a referrer to a release artifact holds a git tag that points at the object.
func (p *place) attached(ctx context.Context, r bundle.Record, artifact ocispec.Descriptor,
	object string) (bool, error) {
	listed, err := p.referrers(ctx, artifact)
	if err != nil {
		return false, err
	}
	for _, desc := range listed {
		var m ocispec.Manifest
		if err := p.readJSON(ctx, desc, &m); err != nil {
			return false, err
		}
		if desc.ArtifactType = m.ArtifactType; !gittag.Holds(desc) || !gittag.OneLayer(m, m.ArtifactType) {
			continue
		}
		content, err := p.readUpTo(ctx, m.Layers[0], gittag.MaxTag)
		if err != nil {
			return false, err
		}
		if tag, ok := gittag.Read(r, m.ArtifactType, content); ok && tag.ID == object {
			return true, nil
		}
	}
	return false, nil
}

// found adds what a registry said of a surface: the digest, or why there is none.
func (v *Version) found(kind, name, want string, desc ocispec.Descriptor, err error) {
	var unseen unseenError
	switch {
	case errors.As(err, &unseen):
		v.unseen(kind, name, want, unseen.Error())
	case errors.Is(err, errMissing):
		note, _ := strings.CutSuffix(err.Error(), errMissing.Error())
		v.compare(kind, name, want, "", strings.TrimSuffix(note, ": "))
	case err != nil:
		v.unseen(kind, name, want, err.Error())
	default:
		v.compare(kind, name, want, desc.Digest.String(), "")
	}
}
