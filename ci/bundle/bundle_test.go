package bundle

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/operator-release/operator-release/ci/archive"
	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/version"
)

var when = time.Unix(1767225600, 0).UTC()

const repository = "docker.io/acme/spark"

// image makes a small real image of one layer for each platform.
func image(t *testing.T, l *Layout, platforms ...string) Image {
	t.Helper()
	i := Image{Repository: repository, From: l, Binaries: map[string][]string{}, Bases: []Base{{Reference: "debian", Digest: ocispec.DescriptorEmptyJSON.Digest}}}
	var manifests []ocispec.Descriptor
	for _, platform := range platforms {
		var tar bytes.Buffer
		if err := archive.Tar(&tar, when, []archive.Entry{archive.FromBytes("spark", archive.Executable, []byte(platform))}); err != nil {
			t.Fatal(err)
		}
		diff, err := l.Put("", bytes.NewReader(tar.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		var gz bytes.Buffer
		w := archive.NewGzip(&gz)
		w.Write(tar.Bytes())
		w.Close()
		layer, err := l.Put(ocispec.MediaTypeImageLayerGzip, &gz)
		if err != nil {
			t.Fatal(err)
		}
		os, arch, _ := strings.Cut(platform, "/")
		p := ocispec.Platform{OS: os, Architecture: arch}
		config, err := l.PutJSON(ocispec.MediaTypeImageConfig, ocispec.Image{Platform: p, RootFS: ocispec.RootFS{Type: "layers", DiffIDs: []digest.Digest{diff.Digest}}})
		if err != nil {
			t.Fatal(err)
		}
		m, err := l.PutJSON(ocispec.MediaTypeImageManifest, ocispec.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest, Config: config, Layers: []ocispec.Descriptor{layer}})
		if err != nil {
			t.Fatal(err)
		}
		m.Platform = &p
		manifests = append(manifests, m)
		i.Binaries[platform] = []string{"spark"}
	}
	var err error
	if i.Index, err = l.PutIndex(manifests, map[string]string{"a": "b"}); err != nil {
		t.Fatal(err)
	}
	return i
}

// pieces are those of a small release for the platforms.
func pieces(t *testing.T, platforms ...string) Pieces {
	t.Helper()
	from, err := Create(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	p := Pieces{Record: Record{
		Name: "spark", Version: version.MustParse("v1.5.0"), Line: "1.5", Branch: "release-1.5", Commit: "c", Time: when, Tool: "devel", Platforms: platforms,
		Config: config.Config{Artifacts: repository, Images: []config.Image{{Repository: repository, Dockerfile: "Dockerfile"}}},
	}}
	file := func(kind, name, content, platform string) {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		p.Files = append(p.Files, File{Kind: kind, Name: name, MediaType: "application/octet-stream", Path: path, Platform: platform, Binary: "spark"})
	}
	for _, platform := range platforms {
		slug := strings.ReplaceAll(platform, "/", "-")
		file(KindSBOM, "spark-"+slug+".cdx.json", "{}"+platform, platform)
		file(KindArchive, "spark-"+slug+".tar.gz", "archive "+platform, platform)
	}
	file(KindObjects, ObjectsFile, "objects", "")
	p.Images = []Image{image(t, from, platforms...)}
	layer, err := from.Put("application/vnd.cncf.helm.chart.content.v1.tar+gzip", strings.NewReader("chart"))
	if err != nil {
		t.Fatal(err)
	}
	chart, err := from.PutJSON(ocispec.MediaTypeImageManifest, ocispec.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest, Config: layer, Layers: []ocispec.Descriptor{layer}})
	if err != nil {
		t.Fatal(err)
	}
	p.Charts = []Chart{{Repository: "docker.io/acme/charts/spark", Tag: "1.5.0", File: "spark-1.5.0.tgz", Manifest: chart, Package: layer, From: from}}
	return p
}

func assemble(t *testing.T, platforms ...string) Bundle {
	t.Helper()
	b, err := Assemble(filepath.Join(t.TempDir(), "b"), pieces(t, platforms...))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestAssembleAndLoad(t *testing.T) {
	b := assemble(t, "linux/amd64", "linux/arm64")
	loaded, err := Load(b.Layout.Dir())
	if err != nil {
		t.Fatal(err)
	}
	if loaded.Identity.Digest != b.Identity.Digest || loaded.Record.Version.String() != "v1.5.0" || len(loaded.Record.Artifacts) != 8 {
		t.Errorf("loaded %s with %d artifacts, made %s", loaded.Identity.Digest, len(loaded.Record.Artifacts), b.Identity.Digest)
	}
	if err := loaded.Verify(); err != nil {
		t.Error(err)
	}
	sums, err := os.ReadFile(filepath.Join(b.Layout.Dir(), FilesDir, SumsFile))
	if err != nil || strings.Count(string(sums), "\n") != 5 || !strings.Contains(string(sums), "  spark-1.5.0.tgz\n") {
		t.Errorf("%v\n%s", err, sums)
	}
	// Somebody else's code reads it too.
	index, err := layout.ImageIndexFromPath(b.Layout.Dir())
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	images := 0
	for _, m := range manifest.Manifests {
		if m.Annotations[ocispec.AnnotationRefName] != repository+":v1.5.0" {
			continue
		}
		images++
		inner, err := index.ImageIndex(m.Digest)
		if err != nil {
			t.Fatal(err)
		}
		if err := validate.Index(inner); err != nil {
			t.Error(err)
		}
	}
	if images != 1 || len(manifest.Manifests) != 5 { // image, chart, release, two SBOMs
		t.Errorf("%d images, %d roots", images, len(manifest.Manifests))
	}
}

func TestIdentityDoesNotDependOnOrder(t *testing.T) {
	one := assemble(t, "linux/amd64", "linux/arm64")
	p := pieces(t, "linux/arm64", "linux/amd64")
	p.Record.Platforms = []string{"linux/amd64", "linux/arm64"}
	two, err := Assemble(filepath.Join(t.TempDir(), "b"), p)
	if err != nil || one.Identity.Digest != two.Identity.Digest {
		t.Errorf("%s and %s, %v", one.Identity.Digest, two.Identity.Digest, err)
	}
}

func TestJoinEqualsOneBuild(t *testing.T) {
	whole := assemble(t, "linux/amd64", "linux/arm64", "linux/s390x")
	a, b, c := assemble(t, "linux/amd64"), assemble(t, "linux/arm64"), assemble(t, "linux/s390x")
	for _, order := range [][]Bundle{{a, b, c}, {c, a, b}} {
		joined, err := Join(filepath.Join(t.TempDir(), "joined"), order)
		if err != nil || joined.Identity.Digest != whole.Identity.Digest {
			t.Errorf("joined %s, whole %s, %v", joined.Identity.Digest, whole.Identity.Digest, err)
		}
	}
}

func TestJoinRefuses(t *testing.T) {
	a := assemble(t, "linux/amd64")
	other := pieces(t, "linux/arm64")
	other.Record.Commit = "d"
	commit, err := Assemble(filepath.Join(t.TempDir(), "b"), other)
	if err != nil {
		t.Fatal(err)
	}
	other = pieces(t, "linux/arm64")
	if err := os.WriteFile(other.Files[len(other.Files)-1].Path, []byte("others"), 0o600); err != nil {
		t.Fatal(err)
	}
	content, err := Assemble(filepath.Join(t.TempDir(), "b"), other)
	if err != nil {
		t.Fatal(err)
	}
	for why, parts := range map[string][]Bundle{
		`their records differ in commit ("c" and "d")`: {a, commit},
		"platform linux/amd64 is in another part too":  {a, a},
		"another part's has":                           {a, content},
		"none is named":                                nil,
	} {
		if _, err := Join(filepath.Join(t.TempDir(), "joined"), parts); !refusal.Is(err) || !strings.Contains(err.Error(), why) {
			t.Errorf("%v; want a refusal with %q", err, why)
		}
	}
}

// TestAFlippedByteIsNamed flips one byte of each blob and each file in turn.
func TestAFlippedByteIsNamed(t *testing.T) {
	b := assemble(t, "linux/amd64")
	blobs, err := filepath.Glob(filepath.Join(b.Layout.Dir(), "blobs/sha256/*"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(b.Layout.Dir(), "files/*"))
	if err != nil || len(files) != 6 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	reachable := 0
	for _, path := range append(blobs, files...) {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		flipped := bytes.Clone(content)
		flipped[len(flipped)/2] ^= 1
		os.Remove(path) // not through the hard link
		if err := os.WriteFile(path, flipped, 0o644); err != nil {
			t.Fatal(err)
		}
		loaded, err := Load(b.Layout.Dir())
		if err == nil {
			err = loaded.Verify()
		}
		if name := filepath.Base(path); !refusal.Is(err) || !strings.Contains(err.Error(), name) {
			// The record's own copy by name is for people; the one in the layout counts.
			if name != RecordFile {
				t.Errorf("%s: %v", path, err)
			}
		} else {
			reachable++
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if reachable < 10 {
		t.Errorf("only %d changes were seen", reachable)
	}
}

func TestOpenRefuses(t *testing.T) {
	empty := t.TempDir()
	l, err := Create(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := l.SetRoots([]ocispec.Descriptor{{MediaType: "x", Digest: "sha256:../../etc/passwd", Size: 1}}); err != nil {
		t.Fatal(err)
	}
	bare, err := Create(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for why, dir := range map[string]string{"it is no OCI image layout": empty, "no sha256 digest": l.Dir(), "holds no release artifact": bare.Dir()} {
		if _, err := Load(dir); !refusal.Is(err) || !strings.Contains(err.Error(), why) {
			t.Errorf("%v; want a refusal with %q", err, why)
		}
	}
}

func FuzzRecord(f *testing.F) {

	r := Record{Schema: Schema, Name: "a", Version: version.MustParse("v1.0.0"), Time: when, Artifacts: []Artifact{
		{Kind: KindArchive, Name: "a.tar.gz", File: "a.tar.gz", Digest: ocispec.DescriptorEmptyJSON.Digest, Size: 2},
		{Kind: KindImage, Name: "docker.io/a/b:v1.0.0", Repository: "docker.io/a/b", Tag: "v1.0.0", Digest: ocispec.DescriptorEmptyJSON.Digest},
	}}
	content, err := r.encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(content)
	f.Add([]byte(`{"schema":"operator-release/record/v1","version":"v1.0.0","artifacts":[{"kind":"archive","name":"../a","file":"../a"}]}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		r, err := ParseRecord(content)
		if err != nil {
			if !refusal.Is(err) {
				t.Fatalf("%v is no refusal", err)
			}
			return
		}
		for _, a := range r.Artifacts {
			if a.File != "" && filepath.Base(a.File) != a.File {
				t.Fatalf("the file name %q leads elsewhere", a.File)
			}
		}
		again, err := r.encode()
		if err != nil {
			t.Fatal(err)
		}
		second, err := ParseRecord(again)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v\n%s", err, again)
		}
		if third, _ := json.Marshal(second); len(third) == 0 {
			t.Fatal("nothing was read")
		}
	})
}
