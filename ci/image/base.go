package image

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/sourcegraph/conc/pool"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/refusal"
)

// maxManifest is the size of manifest, index or config that is still read, as registries have it.
const maxManifest = 4 << 20

// Docker's media types; its manifests say the same as OCI's.
const (
	dockerIndex    = "application/vnd.docker.distribution.manifest.list.v2+json"
	dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	dockerConfig   = "application/vnd.docker.container.image.v1+json"
)

// ociLayer maps the media types of layers that can be carried to OCI's.
var ociLayer = map[string]string{
	ocispec.MediaTypeImageLayer:                         ocispec.MediaTypeImageLayer,
	ocispec.MediaTypeImageLayerGzip:                     ocispec.MediaTypeImageLayerGzip,
	ocispec.MediaTypeImageLayerZstd:                     ocispec.MediaTypeImageLayerZstd,
	"application/vnd.docker.image.rootfs.diff.tar":      ocispec.MediaTypeImageLayer,
	"application/vnd.docker.image.rootfs.diff.tar.gzip": ocispec.MediaTypeImageLayerGzip,
	"application/vnd.docker.image.rootfs.diff.tar.zstd": ocispec.MediaTypeImageLayerZstd,
}

// baseImage is a base's image for one platform; its layers are in the layout.
type baseImage struct {
	manifest digest.Digest
	config   imageConfig
	layers   []ocispec.Descriptor // with OCI's media types
}

// source is a base as its registry has it.
type source struct {
	name string // as FROM says
	ref  reference
	repo *remote.Repository
	desc ocispec.Descriptor // of the index or manifest that the reference names
	body []byte
}

// pullBases gives each stage its base. A reference is resolved once, so that all platforms come from
// one index; a layer is fetched once, several at a time.
func pullBases(ctx context.Context, o Options, stages []*stage) ([]Base, error) {
	var bases []Base
	sources := map[string]*source{}
	layers := map[digest.Digest]func(context.Context) error{}
	var reg *registries
	for _, s := range stages {
		if s.from == "scratch" {
			continue
		}
		var err error
		if reg == nil {
			if reg, err = newRegistries(o.Mirrors, o.PlainHTTP); err != nil {
				return nil, err
			}
		}
		src := sources[s.from]
		if src == nil {
			if src, err = reg.resolve(ctx, s.from, o.Pins[s.from]); err != nil {
				return nil, err
			}
			sources[s.from] = src
			bases = append(bases, Base{Reference: s.from, Digest: src.desc.Digest})
		}
		if s.base, err = src.image(ctx, s.platform); err != nil {
			return nil, err
		}
		for _, desc := range s.base.layers {
			layers[desc.Digest] = func(ctx context.Context) error { return src.fetch(ctx, o.Layout, desc) }
		}
	}
	work := pool.New().WithContext(ctx).WithCancelOnError().WithFirstError().WithMaxGoroutines(4)
	for _, fetch := range layers {
		work.Go(fetch)
	}
	return bases, work.Wait()
}

// resolve asks the registry what the reference names, or for the digest that is pinned.
func (r *registries) resolve(ctx context.Context, name string, pin digest.Digest) (*source, error) {
	ref, err := parseReference(name)
	if err != nil {
		return nil, err
	}
	src := &source{name: name, ref: ref}
	if src.repo, err = r.repository(ref); err != nil {
		return nil, err
	}
	asked := ref.tag
	if pin != "" {
		asked = pin.String()
	}
	if ref.digest != "" {
		asked = ref.digest.String()
	}
	src.desc, src.body, err = src.manifest(ctx, asked)
	return src, err
}

// manifest fetches a manifest or index by tag or digest, checked against what the registry says of it.
func (s *source) manifest(ctx context.Context, asked string) (ocispec.Descriptor, []byte, error) {
	desc, r, err := s.repo.Manifests().FetchReference(ctx, asked)
	if err != nil {
		return desc, nil, s.failed("manifest "+asked, err)
	}
	defer r.Close()
	if desc.Size > maxManifest {
		return desc, nil, refusal.New("base image %s: its manifest has %d bytes; more than %d is none", s.ref, desc.Size, maxManifest)
	}
	body, err := content.ReadAll(r, desc)
	if err != nil {
		return desc, nil, s.failed("manifest "+asked, err)
	}
	var said struct{ MediaType string }
	if err := json.Unmarshal(body, &said); err != nil {
		return desc, nil, s.failed("manifest "+asked, err)
	}
	if said.MediaType != "" && said.MediaType != desc.MediaType {
		return desc, nil, refusal.New("base image %s: %s at %s is sent as %s and calls itself %s; the image is broken, take another", s.ref, asked, s.repo.Reference.Host(), desc.MediaType, said.MediaType)
	}
	return desc, body, nil
}

// image finds the base's image for a platform and reads its config.
func (s *source) image(ctx context.Context, p ocispec.Platform) (*baseImage, error) {
	desc, body := s.desc, s.body
	switch desc.MediaType {
	case ocispec.MediaTypeImageIndex, dockerIndex:
		chosen, err := s.choose(p)
		if err != nil {
			return nil, err
		}
		if desc, body, err = s.manifest(ctx, chosen.String()); err != nil {
			return nil, err
		}
	}
	if desc.MediaType != ocispec.MediaTypeImageManifest && desc.MediaType != dockerManifest {
		return nil, refusal.New("base image %s: %s is of the type %s, and no image", s.ref, desc.Digest, desc.MediaType)
	}
	var m ocispec.Manifest
	if err := json.Unmarshal(body, &m); err != nil {
		return nil, s.failed("manifest "+desc.Digest.String(), err)
	}
	img := &baseImage{manifest: desc.Digest}
	if err := s.readConfig(ctx, m.Config, &img.config); err != nil {
		return nil, err
	}
	has := img.config.Platform
	if has.OS != p.OS || has.Architecture != p.Architecture || desc.Digest == s.desc.Digest && !runs(p, platformName(has)) {
		return nil, refusal.New("base image %s: it is an image for %s, and %s is being built; name a base for both, or leave the platform out", s.ref, platformName(has), platformName(p))
	}
	if len(m.Layers) != len(img.config.RootFS.DiffIDs) {
		return nil, refusal.New("base image %s: its manifest for %s has %d layers and its config %d; the image is broken, take another", s.ref, platformName(p), len(m.Layers), len(img.config.RootFS.DiffIDs))
	}
	for _, d := range m.Layers {
		mediaType, ok := ociLayer[d.MediaType]
		if !ok {
			return nil, refusal.New("base image %s: its layer %s is of the type %s, which cannot be carried along; take a base with ordinary layers", s.ref, d.Digest, d.MediaType)
		}
		if !isBlob(d) {
			return nil, refusal.New("base image %s: its layer %q with %d bytes has no sha256 digest", s.ref, d.Digest, d.Size)
		}
		img.layers = append(img.layers, ocispec.Descriptor{MediaType: mediaType, Digest: d.Digest, Size: d.Size, Annotations: d.Annotations})
	}
	if n := len(img.config.Config.OnBuild); n > 0 {
		return nil, refusal.New("base image %s: it has %d ONBUILD instructions, which are not carried out in process; %s", s.ref, n, wayBuilder)
	}
	return img, nil
}

func runs(p ocispec.Platform, name string) bool {
	for _, f := range fitting(p) {
		if f == name {
			return true
		}
	}
	return false
}

// choose finds the manifest for a platform in the base's index.
func (s *source) choose(p ocispec.Platform) (digest.Digest, error) {
	var index ocispec.Index
	if err := json.Unmarshal(s.body, &index); err != nil {
		return "", s.failed("index "+s.desc.Digest.String(), err)
	}
	var names []string
	for _, want := range fitting(p) {
		for _, d := range index.Manifests {
			if d.Platform == nil || d.Platform.OS == "unknown" {
				continue
			}
			if platformName(*d.Platform) == want && isBlob(d) {
				return d.Digest, nil
			}
			if want == platformName(p) {
				names = append(names, platformName(*d.Platform))
			}
		}
	}
	return "", refusal.New("base image %s: it has no image for %s, only for %s; take another base, or leave the platform out", s.ref, platformName(p), strings.Join(names, ", "))
}

func (s *source) readConfig(ctx context.Context, desc ocispec.Descriptor, config *imageConfig) error {
	if desc.MediaType != ocispec.MediaTypeImageConfig && desc.MediaType != dockerConfig || desc.Size > maxManifest || !isBlob(desc) {
		return refusal.New("base image %s: its config %s of the type %s with %d bytes is none of an image", s.ref, desc.Digest, desc.MediaType, desc.Size)
	}
	r, err := s.repo.Blobs().Fetch(ctx, desc)
	if err != nil {
		return s.failed("config "+desc.Digest.String(), err)
	}
	defer r.Close()
	body, err := content.ReadAll(r, desc)
	if err == nil {
		err = json.Unmarshal(body, config)
	}
	if err != nil {
		return s.failed("config "+desc.Digest.String(), err)
	}
	return nil
}

// fetch brings a layer into the layout, unless it is there; other bytes than declared are not kept.
func (s *source) fetch(ctx context.Context, l *bundle.Layout, desc ocispec.Descriptor) error {
	if l.Has(desc) {
		return nil
	}
	r, err := s.repo.Blobs().Fetch(ctx, desc)
	if err == nil {
		defer r.Close()
		err = put(l, desc, r)
	}
	if err != nil {
		return s.failed("layer "+desc.Digest.String(), err)
	}
	return nil
}

// put stores what r yields, which must be what desc declares.
func put(l *bundle.Layout, desc ocispec.Descriptor, r io.Reader) error {
	checked := content.NewVerifyReader(r, desc)
	_, err := l.Write(desc.MediaType, func(w io.Writer) error {
		if _, err := io.Copy(w, checked); err != nil {
			return err
		}
		return checked.Verify()
	})
	return err
}

// failed says what a registry answered, and the ways out.
func (s *source) failed(what string, err error) error {
	at := s.repo.Reference.Registry
	ways := []string{fmt.Sprintf("where %s is out of reach, name a registry that has the image: --mirror %s=REGISTRY", at, s.ref.registry)}
	var answer *errcode.ErrorResponse
	switch {
	case errors.Is(err, errdef.ErrNotFound):
		ways = []string{"check the name in FROM" + map[bool]string{true: ", and that the mirror holds this image"}[at != s.ref.registry]}
	case errors.Is(err, auth.ErrBasicCredentialNotFound), errors.As(err, &answer) && (answer.StatusCode == http.StatusUnauthorized || answer.StatusCode == http.StatusForbidden):
		ways = append([]string{"log in (docker login " + at + ")"}, ways...)
	case strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		ways = []string{"allow plain HTTP by --plain-http " + at}
	}
	return fmt.Errorf("pull base image %s from %s/%s: %s: %w; %s", s.name, at, s.repo.Reference.Repository, what, err, strings.Join(ways, ", or "))
}
