package bundle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/version"
)

// Schema names the form of the record; another form gets another name.
const Schema = "operator-release/record/v1"

// RecordFile is the record's name in files/ and in the release artifact.
const RecordFile = "release.json"

// Record is release.json: what a version is made of, down to the last digest. It says nothing of where it goes
// and nothing of what is observed later.
type Record struct {
	Schema   string          `json:"schema"`
	Name     string          `json:"name"`
	Version  version.Version `json:"version"`
	Line     string          `json:"line"`
	Branch   string          `json:"branch"`
	Previous version.Version `json:"previous"` // empty for a project's first version
	Since    string          `json:"since"`    // the tag whose notes those of this version stand on; empty for the first of all
	From     version.Version `json:"from"`     // the final that users come from; empty for a first version

	// DependsOn are the tags that decide what this version is, with the commits that they name: those that its notes,
	// its guide and its place are told by, and those whose trees tell which places follow the version.
	DependsOn map[string]string `json:"dependsOn"`

	Accepted  []Accepted    `json:"accepted,omitempty"`
	Given     bool          `json:"given,omitempty"` // Config is not that of the commit
	Base      string        `json:"base"`            // commit that was released
	Commit    string        `json:"commit"`          // release commit; Base where nothing had to be edited
	Tree      string        `json:"tree"`            // of Commit
	Tag       string        `json:"tag"`             // id of the annotated tag object
	Time      time.Time     `json:"time"`
	Tool      string        `json:"tool"`      // version of operator-release
	Toolchain string        `json:"toolchain"` // Go that compiled
	Platforms []string      `json:"platforms"`
	Config    config.Config `json:"config"`
	Surfaces  []Surface     `json:"surfaces"`
	Modules   []Module      `json:"modules,omitempty"` // Go modules below the root whose tags are published
	Artifacts []Artifact    `json:"artifacts"`
	Omitted   []Omission    `json:"omitted,omitempty"`
}

// Accepted is something that the policy refuses and somebody let pass.
type Accepted struct {
	ID      string `json:"id"`
	Because string `json:"because"`
}

// Surface is a place that carries the version in the released tree.
type Surface struct {
	Path  string `json:"path"`
	Line  int    `json:"line"`
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Module is a Go module below the root, and its git tag.
type Module struct {
	Path   string `json:"path"`
	Tag    string `json:"tag"`    // such as api/v1.5.0
	Object string `json:"object"` // id of the annotated tag object
	Beside string `json:"beside"` // the module's tag of a version before, because of which it gets one
}

// Ref is the ref of the module's tag.
func (m Module) Ref() string { return "refs/tags/" + m.Tag }

// Omission is an artifact that the settings name and this bundle lacks.
type Omission struct {
	Kind    string `json:"kind"`
	Name    string `json:"name"`
	Because string `json:"because"`
}

// The kinds of artifacts.
const (
	KindImage     = "image"
	KindChart     = "chart"
	KindArchive   = "archive"
	KindSBOM      = "sbom"
	KindChecksums = "checksums"
	KindObjects   = "git objects"
	KindNotes     = "notes"
	KindGuide     = "upgrade guide"
)

// Artifact is one thing that was built. Digest is that of an image's index, a chart's manifest, or a file's bytes.
type Artifact struct {
	Kind       string          `json:"kind"`
	Name       string          `json:"name"`                 // reference of an image or chart, else the file's name
	Repository string          `json:"repository,omitempty"` // images and charts
	Tag        string          `json:"tag,omitempty"`
	File       string          `json:"file,omitempty"` // name in files/
	MediaType  string          `json:"mediaType"`
	Digest     digest.Digest   `json:"digest"`
	Size       int64           `json:"size"`
	Package    *Package        `json:"package,omitempty"` // a chart's tgz
	Platform   string          `json:"platform,omitempty"`
	Binary     string          `json:"binary,omitempty"`
	Platforms  []PlatformImage `json:"platforms,omitempty"` // of an image
	Bases      []Base          `json:"bases,omitempty"`     // of an image
}

// Package is the file inside of a chart's artifact.
type Package struct {
	Digest digest.Digest `json:"digest"`
	Size   int64         `json:"size"`
}

// PlatformImage is one platform's image.
type PlatformImage struct {
	Platform string        `json:"platform"`
	Digest   digest.Digest `json:"digest"`
	Size     int64         `json:"size"`
	SBOMs    []SBOM        `json:"sboms,omitempty"`
}

// SBOM is a referrer to a platform's image: the manifest that attaches the file of that name.
type SBOM struct {
	File   string        `json:"file"`
	Digest digest.Digest `json:"digest"`
	Size   int64         `json:"size"`
}

// Descriptor is the referrer's manifest as OCI describes content.
func (s SBOM) Descriptor() ocispec.Descriptor {
	return ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: s.Digest, Size: s.Size}
}

// Base is an image that another was built upon.
type Base struct {
	Reference string        `json:"reference"`
	Digest    digest.Digest `json:"digest"`
}

// Descriptor is the artifact as OCI describes content.
func (a Artifact) Descriptor() ocispec.Descriptor {
	return ocispec.Descriptor{MediaType: a.MediaType, Digest: a.Digest, Size: a.Size}
}

// Download is a file that a version offers by its name.
type Download struct {
	Name   string
	Digest digest.Digest
	Size   int64 // in bytes
}

// Downloads are the files that a release page offers: the record itself, which is described as it lies in the bundle, and every file but git's own objects.
func (r Record) Downloads(record ocispec.Descriptor) []Download {
	all := []Download{{RecordFile, record.Digest, record.Size}}
	for _, a := range r.Artifacts {
		switch {
		case a.File == "" || a.Kind == KindObjects:
		case a.Package != nil:
			all = append(all, Download{a.File, a.Package.Digest, a.Package.Size})
		default:
			all = append(all, Download{a.File, a.Digest, a.Size})
		}
	}
	return all
}

// OfKind are the artifacts of one kind, in the record's order.
func (r Record) OfKind(kind string) []Artifact {
	var found []Artifact
	for _, a := range r.Artifacts {
		if a.Kind == kind {
			found = append(found, a)
		}
	}
	return found
}

// LackedImages are the images that the settings name and that the bundle lacks, for one of its platforms or for all:
// why, by repository.
func (r Record) LackedImages() map[string]string {
	lacked := map[string]string{}
	for _, image := range r.Config.Images {
		lacked[image.Repository] = "the record names no such image"
	}
	for _, o := range r.Omitted {
		if o.Kind == KindImage {
			lacked[o.Name] = o.Because
		}
	}
	for _, a := range r.OfKind(KindImage) {
		delete(lacked, a.Repository)
		for _, platform := range r.Platforms {
			has := slices.ContainsFunc(a.Platforms, func(p PlatformImage) bool { return p.Platform == platform })
			if strings.HasPrefix(platform, "linux/") && !has {
				lacked[a.Repository] = "it has no image for " + platform
			}
		}
	}
	return lacked
}

// roots are what index.json lists of a bundle: images, charts and the release artifact by name, SBOMs as referrers.
func (r Record) roots(identity ocispec.Descriptor) []ocispec.Descriptor {
	var roots []ocispec.Descriptor
	named := func(desc ocispec.Descriptor, name string) {
		desc.Annotations = map[string]string{ocispec.AnnotationRefName: name}
		roots = append(roots, desc)
	}
	for _, a := range r.Artifacts {
		if a.Repository == "" {
			continue
		}
		named(a.Descriptor(), a.Name)
		for _, p := range a.Platforms {
			for _, s := range p.SBOMs {
				desc := s.Descriptor()
				desc.ArtifactType = SBOMType
				roots = append(roots, desc)
			}
		}
	}
	named(identity, r.Version.String())
	return roots
}

// encode writes the record in its one form.
func (r Record) encode() ([]byte, error) {
	content, err := json.MarshalIndent(r, "", "  ")
	return append(content, '\n'), err
}

// ParseRecord reads a record and refuses one that this tool does not understand wholly, or that names what cannot be.
func ParseRecord(content []byte) (Record, error) {
	var r Record
	d := json.NewDecoder(bytes.NewReader(content))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return r, refusal.New("read record: %w; it was written by another version of operator-release, or is damaged", err)
	}
	if d.More() {
		return r, refusal.New("read record: something follows the JSON object")
	}
	return r, r.check()
}

func (r Record) check() error {
	if r.Schema != Schema {
		return refusal.New("read record: its schema is %q where %q belongs; use the version of operator-release that wrote it", r.Schema, Schema)
	}
	if r.Version.IsZero() {
		return refusal.New("read record: it names no version")
	}
	for _, m := range r.Modules {
		if !strings.HasSuffix(m.Tag, "/"+r.Version.String()) {
			return refusal.New("read record of %s: the tag %q of module %s is of another version", r.Version, m.Tag, m.Path)
		}
	}
	names := map[string]bool{"file " + RecordFile: true} // its own
	for _, a := range r.Artifacts {
		if err := a.check(); err != nil {
			return refusal.New("read record of %s: artifact %q: %w", r.Version, a.Name, err)
		}
		if names[a.Kind+" "+a.Name] || a.File != "" && names["file "+a.File] {
			return refusal.New("read record of %s: artifact %q comes twice", r.Version, a.Name)
		}
		names[a.Kind+" "+a.Name], names["file "+a.File] = true, true
	}
	return nil
}

func (a Artifact) check() error {
	digests := []digest.Digest{a.Digest}
	for _, p := range a.Platforms {
		digests = append(digests, p.Digest)
		for _, s := range p.SBOMs {
			digests = append(digests, s.Digest)
		}
	}
	if a.Package != nil {
		digests = append(digests, a.Package.Digest)
	}
	for _, d := range digests {
		if err := d.Validate(); err != nil || d.Algorithm() != digest.SHA256 {
			return fmt.Errorf("%q is no sha256 digest", d)
		}
	}
	if a.Size < 0 || a.Name == "" {
		return fmt.Errorf("it has no name, or a size of %d bytes", a.Size)
	}
	for _, name := range []string{a.File, a.Binary} { // both become names of files
		if name != "" && (name != path.Base(name) || strings.HasPrefix(name, ".") || strings.ContainsAny(name, "/\\") || strings.ContainsFunc(name, unicode.IsControl)) {
			return fmt.Errorf("%q is no plain file name", name)
		}
	}
	switch a.Kind {
	case KindImage, KindChart:
		if a.Repository == "" || a.Tag == "" || a.Name != a.Repository+":"+a.Tag {
			return fmt.Errorf("its repository %q and tag %q do not make its name", a.Repository, a.Tag)
		}
		if a.Kind == KindChart && (a.Package == nil || a.File == "") {
			return fmt.Errorf("it names no package")
		}
	case KindArchive, KindSBOM, KindChecksums, KindObjects, KindNotes, KindGuide:
		if a.Name != a.File {
			return fmt.Errorf("its file is named %q", a.File)
		}
	default:
		return fmt.Errorf("its kind %q is unknown", a.Kind)
	}
	return nil
}
