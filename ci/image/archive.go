package image

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/sourcegraph/conc/pool"
	"oras.land/oras-go/v2/content"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/refusal"
)

// taking is an image being taken over from an archive: first everything is looked at, then the
// blobs are copied, every byte checked.
type taking struct {
	o     Options
	files *ociFiles
	blobs map[digest.Digest]ocispec.Descriptor // all that is to be copied
	made  []Platform
	about []ocispec.Descriptor           // attestations: manifests that describe the others
	read  map[digest.Digest]*filledImage // by the digest of the platform's manifest
}

// takeOver carries an image from an OCI archive into the layout, its bytes unchanged. An index keeps
// its digest, with platforms that were not asked for and attestations, if it has such; around single
// manifests an index is made.
func takeOver(ctx context.Context, o Options) (Image, error) {
	files, err := openArchive(o.Archive, o.Layout.Dir())
	if err != nil {
		return Image{}, err
	}
	defer files.close()
	t := &taking{o: o, files: files, blobs: map[digest.Digest]ocispec.Descriptor{}, read: map[digest.Digest]*filledImage{}}
	roots, err := t.roots()
	if err != nil {
		return Image{}, err
	}
	img := Image{Repository: o.Repository, Tag: o.Version}
	isIndex := roots[0].MediaType == ocispec.MediaTypeImageIndex
	if isIndex {
		img.Index = ocispec.Descriptor{MediaType: roots[0].MediaType, Digest: roots[0].Digest, Size: roots[0].Size}
		if roots, err = t.index(roots[0]); err != nil {
			return Image{}, err
		}
	}
	for _, desc := range roots {
		if err := t.manifest(desc); err != nil {
			return Image{}, err
		}
	}
	if err := t.complete(); err != nil {
		return Image{}, err
	}
	work := pool.New().WithContext(ctx).WithCancelOnError().WithFirstError().WithMaxGoroutines(4)
	for _, desc := range t.blobs {
		work.Go(func(ctx context.Context) error { return t.copy(ctx, desc) })
	}
	if err := work.Wait(); err != nil {
		return Image{}, err
	}
	if err := t.takeBinaries(ctx); err != nil {
		return Image{}, err
	}
	if err := t.checkPrograms(ctx); err != nil {
		return Image{}, err
	}
	img.Platforms = t.made
	if !isIndex {
		img.Index, err = o.Layout.PutIndex(append(manifests(t.made), t.about...), o.Labels)
	}
	return img, err
}

// roots are the descriptors of the one image: an index, or manifests of different platforms.
func (t *taking) roots() ([]ocispec.Descriptor, error) {
	body, err := t.files.small(ocispec.ImageLayoutFile)
	if err != nil {
		return nil, err
	}
	var layout ocispec.ImageLayout
	if err := json.Unmarshal(body, &layout); err != nil || layout.Version != ocispec.ImageLayoutVersion {
		return nil, t.refused("its %s says %q where version %s belongs", ocispec.ImageLayoutFile, body, ocispec.ImageLayoutVersion)
	}
	if body, err = t.files.small(ocispec.ImageIndexFile); err != nil {
		return nil, err
	}
	var index ocispec.Index
	if err := json.Unmarshal(body, &index); err != nil {
		return nil, t.refused("its %s is no image index: %w", ocispec.ImageIndexFile, err)
	}
	all := index.Manifests
	var named []ocispec.Descriptor
	var names []string
	for _, d := range all {
		name, full := d.Annotations[ocispec.AnnotationRefName], d.Annotations["io.containerd.image.name"]
		if want := t.o.Repository + ":" + t.o.Version; name == want || name == t.o.Version || full == want {
			named = append(named, d)
		}
		names = append(names, fmt.Sprintf("%s %q", d.Digest, name))
	}
	if len(all) > 1 && len(named) > 0 {
		all = named
	}
	for _, d := range all {
		if err := t.checkDocument(d); err != nil {
			return nil, err
		}
	}
	several := func(d ocispec.Descriptor) bool { return d.MediaType == ocispec.MediaTypeImageIndex }
	if len(all) == 0 || len(all) > 1 && slices.ContainsFunc(all, several) {
		return nil, t.refused("it holds %d images (%s), and one is to be taken; export one, or name it %s:%s in the archive", len(all), strings.Join(names, ", "), t.o.Repository, t.o.Version)
	}
	return all, nil
}

// index notes an index for copying and gives its manifests.
func (t *taking) index(desc ocispec.Descriptor) ([]ocispec.Descriptor, error) {
	body, err := t.files.document(desc)
	if err != nil {
		return nil, err
	}
	var index ocispec.Index
	if err := json.Unmarshal(body, &index); err != nil || index.MediaType != "" && index.MediaType != desc.MediaType {
		return nil, t.refused("index %s is none: it calls itself %q (%v)", desc.Digest, index.MediaType, err)
	}
	t.blobs[desc.Digest] = desc
	for _, d := range index.Manifests {
		if err := t.checkDocument(d); err != nil {
			return nil, err
		}
		if d.MediaType != ocispec.MediaTypeImageManifest {
			return nil, t.refused("index %s holds the index %s; only an index of manifests is an image", desc.Digest, d.Digest)
		}
	}
	return index.Manifests, nil
}

// manifest looks at one platform's image and notes its blobs for copying.
func (t *taking) manifest(desc ocispec.Descriptor) error {
	body, err := t.files.document(desc)
	if err != nil {
		return err
	}
	var m ocispec.Manifest
	if err := json.Unmarshal(body, &m); err != nil || m.MediaType != "" && m.MediaType != desc.MediaType {
		return t.refused("manifest %s is none: it calls itself %q (%v)", desc.Digest, m.MediaType, err)
	}
	t.blobs[desc.Digest] = desc
	attestation := bundle.IsAttestation(desc)
	for _, d := range m.Layers {
		_, ok := ociLayer[d.MediaType]
		ok = ok && !strings.Contains(d.MediaType, ".docker.") || attestation && d.MediaType == "application/vnd.in-toto+json"
		if !ok || len(d.URLs) > 0 {
			return t.refused("layer %s of manifest %s is of the type %s%s, which is not carried; %s", d.Digest, desc.Digest, d.MediaType, map[bool]string{true: " with addresses to fetch it from"}[len(d.URLs) > 0], wayOCI)
		}
		if err := t.note(d); err != nil {
			return err
		}
	}
	if m.Config.MediaType != ocispec.MediaTypeImageConfig && !(attestation && m.Config.MediaType == ocispec.MediaTypeEmptyJSON) {
		return t.refused("config %s of manifest %s is of the type %s, and none of an OCI image; %s", m.Config.Digest, desc.Digest, m.Config.MediaType, wayOCI)
	}
	if err := t.note(m.Config); err != nil {
		return err
	}
	if attestation {
		t.about = append(t.about, desc)
		return nil
	}
	if body, err = t.files.document(m.Config); err != nil {
		return err
	}
	var config imageConfig
	if err := json.Unmarshal(body, &config); err != nil {
		return t.refused("config %s: %w", m.Config.Digest, err)
	}
	if len(config.RootFS.DiffIDs) != len(m.Layers) {
		return t.refused("manifest %s has %d layers and its config %d; it is broken, export the image again", desc.Digest, len(m.Layers), len(config.RootFS.DiffIDs))
	}
	if p := desc.Platform; p != nil && (p.OS != config.OS || p.Architecture != config.Architecture || p.Variant != "" && config.Variant != "" && p.Variant != config.Variant) {
		return t.refused("manifest %s is listed for %s, and its config is for %s; it is broken, export the image again", desc.Digest, platformName(*p), platformName(config.Platform))
	}
	if desc.Platform == nil {
		desc.Platform = &ocispec.Platform{OS: config.OS, Architecture: config.Architecture, Variant: config.Variant, OSVersion: config.OSVersion, OSFeatures: config.OSFeatures}
	}
	if _, err := parsePlatform(platformName(*desc.Platform)); err != nil {
		return t.refused("its image for %s cannot be looked at: %w; export the image without this platform",
			platformName(*desc.Platform), err)
	}
	t.made = append(t.made, Platform{
		Platform: platformName(*desc.Platform),
		Manifest: ocispec.Descriptor{MediaType: desc.MediaType, Digest: desc.Digest, Size: desc.Size, Platform: desc.Platform},
		Config:   m.Config.Digest,
	})
	return nil
}

const wayOCI = "export the image as an OCI archive with OCI media types and ordinary layers (docker buildx build --output type=oci,dest=FILE, skopeo copy --format oci … oci-archive:FILE)"

// checkDocument refuses what is neither an OCI manifest nor an OCI index.
func (t *taking) checkDocument(d ocispec.Descriptor) error {
	if d.MediaType != ocispec.MediaTypeImageManifest && d.MediaType != ocispec.MediaTypeImageIndex {
		return t.refused("%s is of the type %q, and no OCI image; %s", d.Digest, d.MediaType, wayOCI)
	}
	return nil
}

// note keeps a blob in mind for copying; one digest has one size.
func (t *taking) note(d ocispec.Descriptor) error {
	if !isBlob(d) {
		return t.refused("%q with %d bytes is no sha256 digest of a blob", d.Digest, d.Size)
	}
	if old, ok := t.blobs[d.Digest]; ok && old.Size != d.Size {
		return t.refused("blob %s is declared with %d and with %d bytes", d.Digest, old.Size, d.Size)
	}
	t.blobs[d.Digest] = d
	return nil
}

// complete refuses an image without one of the platforms, or with one twice.
func (t *taking) complete() error {
	slices.SortFunc(t.made, func(a, b Platform) int { return strings.Compare(a.Platform, b.Platform) })
	var has, lacks []string
	for i, p := range t.made {
		if i > 0 && has[i-1] == p.Platform {
			return t.refused("it holds two images for %s, %s and %s; export one", p.Platform, t.made[i-1].Manifest.Digest, p.Manifest.Digest)
		}
		has = append(has, p.Platform)
	}
	for _, want := range t.o.Platforms {
		if !slices.Contains(has, want) {
			lacks = append(lacks, want)
		}
	}
	if len(lacks) > 0 {
		return t.refused("it has no image for %s, only for %s; export all platforms into one archive, or leave the platform out", strings.Join(lacks, ", "), strings.Join(has, ", "))
	}
	return nil
}

func (t *taking) copy(ctx context.Context, desc ocispec.Descriptor) error {
	if t.o.Layout.Has(desc) {
		return nil
	}
	r, err := t.files.blob(desc)
	if err != nil {
		return err
	}
	defer r.Close()
	if err := put(t.o.Layout, desc, &stoppingReader{ctx, r}); err != nil {
		if errors.Is(err, content.ErrMismatchedDigest) || errors.Is(err, content.ErrTrailingData) || errors.Is(err, io.ErrUnexpectedEOF) {
			return t.files.changed(desc, err)
		}
		return err
	}
	return nil
}

func (t *taking) refused(why string, args ...any) error {
	return refusal.New("image %s:%s from archive %s: %w", t.o.Repository, t.o.Version, t.o.Archive, fmt.Errorf(why, args...))
}
