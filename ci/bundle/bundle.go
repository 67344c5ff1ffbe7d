package bundle

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/operator-release/operator-release/ci/refusal"
)

// Media types of the release artifact and what lies in it.
const (
	ReleaseType = "application/vnd.operator-release.release.v1"
	RecordType  = "application/vnd.operator-release.record.v1+json"
	ObjectsType = "application/vnd.operator-release.git-objects.v1.tar"
	NotesType   = "text/markdown"
	SBOMType    = "application/vnd.cyclonedx+json"
	SumsType    = "text/plain"
)

// ObjectsFile, NotesFile, GuideFile and SumsFile are names in files/.
const (
	ObjectsFile = "git-objects.tar"
	NotesFile   = "NOTES.md"
	GuideFile   = "UPGRADE.md"
	SumsFile    = "SHA256SUMS"
)

// FilesDir is the folder of a bundle that holds files by name.
const FilesDir = "files"

// Bundle is a layout with its record.
type Bundle struct {
	Layout   *Layout
	Record   Record
	Identity ocispec.Descriptor // of the release artifact
}

// Image is an image to go into a bundle.
type Image struct {
	Repository string
	Index      ocispec.Descriptor
	From       *Layout
	Bases      []Base
	Binaries   map[string][]string // platform to the released binaries that are in its image
}

// Chart is a chart to go into a bundle. Repository includes the chart's name.
type Chart struct {
	Repository, Tag, File string
	Manifest, Package     ocispec.Descriptor
	From                  *Layout
}

// File is a file to go into a bundle.
type File struct {
	Kind, Name, MediaType, Path string
	Platform, Binary            string
}

// Pieces are what a bundle is assembled of, in any order but that of images, which is the settings'.
type Pieces struct {
	Record Record // without artifacts
	Images []Image
	Charts []Chart
	Files  []File
}

// Assemble makes dir, an empty or absent folder, the bundle of the pieces.
func Assemble(dir string, p Pieces) (Bundle, error) {
	layout, err := Create(dir)
	if err != nil {
		return Bundle{}, err
	}
	if err := os.MkdirAll(filepath.Join(dir, FilesDir), 0o755); err != nil {
		return Bundle{}, err
	}
	a := &assembly{layout: layout, record: p.Record, attached: map[string]ocispec.Descriptor{}}
	a.record.Schema = Schema
	slices.SortFunc(p.Files, func(x, y File) int { return strings.Compare(x.Kind+x.Name, y.Kind+y.Name) })
	slices.SortFunc(p.Charts, func(x, y Chart) int { return strings.Compare(x.Repository, y.Repository) })
	for _, step := range []func(Pieces) error{a.addFiles, a.addImages, a.addCharts, a.addSums, a.release} {
		if err := step(p); err != nil {
			return Bundle{}, err
		}
	}
	return Bundle{Layout: layout, Record: a.record, Identity: a.identity}, layout.SetRoots(a.record.roots(a.identity))
}

type assembly struct {
	layout   *Layout
	record   Record
	layers   []ocispec.Descriptor          // of the release artifact
	attached map[string]ocispec.Descriptor // SBOM files by platform and binary
	identity ocispec.Descriptor
}

// file stores content as a blob, by name in files/, and as a layer of the release artifact.
func (a *assembly) file(name, mediaType string, content io.Reader) (ocispec.Descriptor, error) {
	desc, err := a.layout.Put(mediaType, content)
	if err != nil {
		return desc, err
	}
	if err := link(a.layout.Path(desc.Digest), filepath.Join(a.layout.Dir(), FilesDir, name)); err != nil {
		return desc, err
	}
	layer := desc
	layer.Annotations = map[string]string{ocispec.AnnotationTitle: name}
	a.layers = append(a.layers, layer)
	return desc, nil
}

func (a *assembly) addFiles(p Pieces) error {
	for _, f := range p.Files {
		content, err := os.Open(f.Path)
		if err != nil {
			return err
		}
		desc, err := a.file(f.Name, f.MediaType, content)
		content.Close()
		if err != nil {
			return fmt.Errorf("add %s: %w", f.Name, err)
		}
		a.record.Artifacts = append(a.record.Artifacts, Artifact{
			Kind: f.Kind, Name: f.Name, File: f.Name, MediaType: f.MediaType, Digest: desc.Digest, Size: desc.Size, Platform: f.Platform, Binary: f.Binary,
		})
		if f.Kind == KindSBOM {
			desc.Annotations = map[string]string{ocispec.AnnotationTitle: f.Name}
			a.attached[f.Platform+" "+f.Binary] = desc
		}
	}
	return nil
}

func (a *assembly) addImages(p Pieces) error {
	for _, image := range p.Images {
		if err := a.layout.Copy(image.From, image.Index); err != nil {
			return fmt.Errorf("add image %s: %w", image.Repository, err)
		}
		tag := a.record.Version.String()
		artifact := Artifact{Kind: KindImage, Name: image.Repository + ":" + tag, Repository: image.Repository, Tag: tag,
			MediaType: image.Index.MediaType, Digest: image.Index.Digest, Size: image.Index.Size, Bases: image.Bases}
		manifests, err := a.layout.Children(image.Index)
		if err != nil {
			return err
		}
		for _, m := range manifests {
			if IsAttestation(m) {
				continue // it is carried, and no platform
			}
			platform := PlatformName(m.Platform)
			made := PlatformImage{Platform: platform, Digest: m.Digest, Size: m.Size}
			for _, binary := range image.Binaries[platform] {
				sbom, err := a.attach(m, a.attached[platform+" "+binary])
				if err != nil {
					return err
				}
				made.SBOMs = append(made.SBOMs, sbom)
			}
			artifact.Platforms = append(artifact.Platforms, made)
		}
		a.record.Artifacts = append(a.record.Artifacts, artifact)
	}
	return nil
}

// attach makes an SBOM a referrer to an image.
func (a *assembly) attach(subject, sbom ocispec.Descriptor) (SBOM, error) {
	desc, err := a.manifest(SBOMType, []ocispec.Descriptor{sbom}, &ocispec.Descriptor{MediaType: subject.MediaType, Digest: subject.Digest, Size: subject.Size})
	if err != nil {
		return SBOM{}, err
	}
	return SBOM{File: sbom.Annotations[ocispec.AnnotationTitle], Digest: desc.Digest, Size: desc.Size}, nil
}

// manifest stores an artifact's manifest: an image manifest with an empty config (image-spec v1.1, guidelines for artifact usage).
func (a *assembly) manifest(artifactType string, layers []ocispec.Descriptor, subject *ocispec.Descriptor) (ocispec.Descriptor, error) {
	if _, err := a.layout.Put(ocispec.MediaTypeEmptyJSON, bytes.NewReader(ocispec.DescriptorEmptyJSON.Data)); err != nil {
		return ocispec.Descriptor{}, err
	}
	empty := ocispec.DescriptorEmptyJSON
	empty.Data = nil
	desc, err := a.layout.PutJSON(ocispec.MediaTypeImageManifest, ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest, ArtifactType: artifactType,
		Config: empty, Layers: layers, Subject: subject,
		Annotations: map[string]string{
			ocispec.AnnotationCreated: a.record.Time.UTC().Format("2006-01-02T15:04:05Z07:00"),
			ocispec.AnnotationVersion: a.record.Version.String(), ocispec.AnnotationRevision: a.record.Commit, ocispec.AnnotationTitle: a.record.Name,
		},
	})
	desc.ArtifactType = artifactType
	return desc, err
}

func (a *assembly) addCharts(p Pieces) error {
	for _, c := range p.Charts {
		if err := a.layout.Copy(c.From, c.Manifest); err != nil {
			return fmt.Errorf("add chart %s: %w", c.Repository, err)
		}
		if err := link(a.layout.Path(c.Package.Digest), filepath.Join(a.layout.Dir(), FilesDir, c.File)); err != nil {
			return err
		}
		artifact := Artifact{Kind: KindChart, Name: c.Repository + ":" + c.Tag, Repository: c.Repository, Tag: c.Tag, File: c.File,
			MediaType: c.Manifest.MediaType, Digest: c.Manifest.Digest, Size: c.Manifest.Size,
			Package: &Package{Digest: c.Package.Digest, Size: c.Package.Size}}
		a.record.Artifacts = append(a.record.Artifacts, artifact)
	}
	return nil
}

// addSums writes SHA256SUMS over archives, SBOMs and charts, in the form that sha256sum --check reads.
func (a *assembly) addSums(Pieces) error {
	var lines []string
	for _, artifact := range a.record.Artifacts {
		switch {
		case artifact.Package != nil:
			lines = append(lines, artifact.Package.Digest.Encoded()+"  "+artifact.File+"\n")
		case artifact.Kind == KindArchive || artifact.Kind == KindSBOM:
			lines = append(lines, artifact.Digest.Encoded()+"  "+artifact.File+"\n")
		}
	}
	if len(lines) == 0 {
		return nil
	}
	slices.SortFunc(lines, func(x, y string) int { return strings.Compare(x[64:], y[64:]) })
	desc, err := a.file(SumsFile, SumsType, strings.NewReader(strings.Join(lines, "")))
	a.record.Artifacts = append(a.record.Artifacts, Artifact{
		Kind: KindChecksums, Name: SumsFile, File: SumsFile, MediaType: SumsType, Digest: desc.Digest, Size: desc.Size,
	})
	return err
}

// release writes the record and the release artifact, whose digest is the identity. It is a referrer to the first image
// where both share a repository, so that registries show it beside the image and keep it as long.
func (a *assembly) release(Pieces) error {
	if err := a.record.check(); err != nil {
		return err
	}
	content, err := a.record.encode()
	if err != nil {
		return err
	}
	if _, err := a.file(RecordFile, RecordType, bytes.NewReader(content)); err != nil {
		return err
	}
	// The record comes first, so that a reader who takes one layer takes that one.
	last := len(a.layers) - 1
	layers := append([]ocispec.Descriptor{a.layers[last]}, a.layers[:last]...)
	var subject *ocispec.Descriptor
	if images := a.record.OfKind(KindImage); len(images) > 0 && images[0].Repository == a.record.Config.Artifacts {
		desc := images[0].Descriptor()
		subject = &desc
	}
	a.identity, err = a.manifest(ReleaseType, layers, subject)
	return err
}

// Load opens the bundle in dir and reads its record. Only what it reads is verified; Verify does the rest.
func Load(dir string) (Bundle, error) {
	layout, err := Open(dir)
	if err != nil {
		return Bundle{}, err
	}
	roots, err := layout.Roots()
	if err != nil {
		return Bundle{}, err
	}
	b := Bundle{Layout: layout}
	for _, root := range roots {
		if root.ArtifactType != ReleaseType {
			continue
		}
		if b.Identity.Digest != "" {
			return b, refusal.New("open bundle %s: it holds more than one release artifact", dir)
		}
		b.Identity = root
		b.Identity.Annotations = nil
	}
	if b.Identity.Digest == "" {
		return b, refusal.New("open bundle %s: it is an OCI image layout, but holds no release artifact (%s)", dir, ReleaseType)
	}
	b.Record, _, err = layout.Record(b.Identity)
	return b, err
}

// Record reads the record that a release artifact names, and where its bytes are.
func (l *Layout) Record(identity ocispec.Descriptor) (Record, ocispec.Descriptor, error) {
	var m ocispec.Manifest
	if err := l.ReadJSON(identity, &m); err != nil {
		return Record{}, ocispec.Descriptor{}, err
	}
	if m.ArtifactType != ReleaseType || len(m.Layers) == 0 || m.Layers[0].MediaType != RecordType {
		return Record{}, ocispec.Descriptor{}, refusal.New("read release artifact %s: it does not begin with a record (%s)", identity.Digest, RecordType)
	}
	content, err := l.Read(m.Layers[0])
	if err != nil {
		return Record{}, ocispec.Descriptor{}, err
	}
	r, err := ParseRecord(content)
	return r, m.Layers[0], err
}

// Adopt makes a layout that already holds the blobs of a bundle that bundle: roots, referrers and files by name.
func Adopt(l *Layout, identity ocispec.Descriptor, referrers []ocispec.Descriptor) (Bundle, error) {
	identity.Annotations = nil
	identity.ArtifactType = ReleaseType
	b := Bundle{Layout: l, Identity: identity}
	record, content, err := l.Record(identity)
	if err != nil {
		return b, err
	}
	b.Record = record
	if err := os.MkdirAll(filepath.Join(l.Dir(), FilesDir), 0o755); err != nil {
		return b, err
	}
	files := map[string]digest.Digest{RecordFile: content.Digest}
	for _, a := range record.Artifacts {
		switch {
		case a.Package != nil:
			files[a.File] = a.Package.Digest
		case a.File != "":
			files[a.File] = a.Digest
		}
	}
	for name, d := range files {
		if err := link(l.Path(d), filepath.Join(l.Dir(), FilesDir, name)); err != nil {
			return b, err
		}
	}
	if err := l.SetRoots(record.roots(identity)); err != nil {
		return b, err
	}
	for _, desc := range referrers {
		if err := l.AddRoot(desc); err != nil {
			return b, err
		}
	}
	return b, nil
}

// Verify reads every byte: whatever a root leads to, that the layout holds what the record names, and the files by name.
// The first blob whose bytes are not those of its name is refused, and named.
func (b Bundle) Verify() error {
	roots, err := b.Layout.Roots()
	if err != nil {
		return err
	}
	reachable := map[digest.Digest]bool{}
	for _, root := range roots {
		if err := b.Layout.Walk(root, func(desc ocispec.Descriptor) error {
			if reachable[desc.Digest] {
				return nil
			}
			reachable[desc.Digest] = true
			return b.Layout.Verify(desc)
		}); err != nil {
			return err
		}
	}
	_, record, err := b.Layout.Record(b.Identity)
	if err != nil {
		return err
	}
	if err := b.verifyFile(Artifact{File: RecordFile, Digest: record.Digest}); err != nil {
		return err
	}
	for _, a := range b.Record.Artifacts {
		if !reachable[a.Digest] {
			return refusal.New("verify bundle %s: the record names %s %s with digest %s, and the layout does not hold it", b.Layout.Dir(), a.Kind, a.Name, a.Digest)
		}
		if err := b.verifyFile(a); err != nil {
			return err
		}
	}
	return nil
}

func (b Bundle) verifyFile(a Artifact) error {
	if a.File == "" {
		return nil
	}
	want := a.Digest
	if a.Package != nil {
		want = a.Package.Digest
	}
	path := filepath.Join(b.Layout.Dir(), FilesDir, a.File)
	err := plain(path)
	if refusal.Is(err) {
		return refusal.New("verify bundle %s: %w", b.Layout.Dir(), err)
	}
	var f *os.File
	if err == nil {
		f, err = os.Open(path)
	}
	if err != nil {
		return refusal.New("verify bundle %s: %w; build the version again, or fetch the bundle from its backup", b.Layout.Dir(), err)
	}
	defer f.Close()
	found, err := digest.SHA256.FromReader(f)
	if err != nil {
		return err
	}
	if found != want {
		return refusal.New("verify bundle %s: file %s has digest %s, the record says %s; build the version again, or fetch the bundle from its backup", b.Layout.Dir(), path, found, want)
	}
	return nil
}

// PlatformName is a platform as os/arch or os/arch/variant; empty for nil.
func PlatformName(p *ocispec.Platform) string {
	switch {
	case p == nil:
		return ""
	case p.Variant == "":
		return p.OS + "/" + p.Architecture
	}
	return p.OS + "/" + p.Architecture + "/" + p.Variant
}

// IsAttestation tells whether an index lists a manifest that no platform runs: it describes another one of the index,
// as BuildKit writes provenance and SBOMs. A manifest for a known platform is none, also if its annotation says so.
func IsAttestation(desc ocispec.Descriptor) bool {
	if p := desc.Platform; p != nil {
		return p.OS == "unknown" && p.Architecture == "unknown"
	}
	return desc.Annotations["vnd.docker.reference.type"] == "attestation-manifest"
}

// PutIndex stores an image index of platform manifests, ordered by platform whatever order they come in.
func (l *Layout) PutIndex(manifests []ocispec.Descriptor, annotations map[string]string) (ocispec.Descriptor, error) {
	manifests = slices.Clone(manifests)
	slices.SortFunc(manifests, func(a, b ocispec.Descriptor) int {
		return strings.Compare(PlatformName(a.Platform)+a.Digest.String(), PlatformName(b.Platform)+b.Digest.String())
	})
	return l.PutJSON(ocispec.MediaTypeImageIndex, ocispec.Index{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex, Manifests: manifests, Annotations: annotations,
	})
}
