package bundle_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/bundle/bundletest"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/version"
)

func assemble(t *testing.T, platforms ...string) bundle.Bundle {
	t.Helper()
	b, err := bundle.Assemble(filepath.Join(t.TempDir(), "b"), bundletest.Pieces(t, platforms...))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestAssembleAndLoad(t *testing.T) {
	b := assemble(t, "linux/amd64", "linux/arm64")
	loaded, err := bundle.Load(b.Layout.Dir())
	if err != nil {
		t.Fatal(err)
	}
	if loaded.Identity.Digest != b.Identity.Digest || loaded.Record.Version.String() != "v1.5.0" || len(loaded.Record.Artifacts) != 9 {
		t.Errorf("loaded %s with %d artifacts, made %s", loaded.Identity.Digest, len(loaded.Record.Artifacts), b.Identity.Digest)
	}
	if err := loaded.Verify(); err != nil {
		t.Error(err)
	}
	sums, err := os.ReadFile(filepath.Join(b.Layout.Dir(), bundle.FilesDir, bundle.SumsFile))
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
		if m.Annotations[ocispec.AnnotationRefName] != bundletest.Repository+":v1.5.0" {
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

// TestAttestationsAreNoPlatform: an index that lists an attestation keeps it, and the record lists real platforms only.
func TestAttestationsAreNoPlatform(t *testing.T) {
	pieces := bundletest.Pieces(t, "linux/amd64")
	pieces.Images[0] = bundletest.Image(t, pieces.Images[0].From, "linux/amd64", "unknown/unknown")
	b, err := bundle.Assemble(filepath.Join(t.TempDir(), "b"), pieces)
	if err != nil {
		t.Fatal(err)
	}
	image := b.Record.OfKind(bundle.KindImage)[0]
	if len(image.Platforms) != 1 || image.Platforms[0].Platform != "linux/amd64" {
		t.Errorf("platforms: %+v", image.Platforms)
	}
	listed, err := b.Layout.Children(image.Descriptor())
	if err != nil || len(listed) != 2 || !b.Layout.Has(listed[0]) || !b.Layout.Has(listed[1]) {
		t.Errorf("the index lists %v (%v)", listed, err)
	}
	for _, d := range listed {
		if bundle.IsAttestation(d) != (bundle.PlatformName(d.Platform) == "unknown/unknown") {
			t.Errorf("%+v", d)
		}
	}
	if !bundle.IsAttestation(ocispec.Descriptor{Annotations: map[string]string{"vnd.docker.reference.type": "attestation-manifest"}}) {
		t.Error("BuildKit's mark is not seen")
	}
}

func TestIdentityDoesNotDependOnOrder(t *testing.T) {
	one := assemble(t, "linux/amd64", "linux/arm64")
	p := bundletest.Pieces(t, "linux/arm64", "linux/amd64")
	p.Record.Platforms = []string{"linux/amd64", "linux/arm64"}
	two, err := bundle.Assemble(filepath.Join(t.TempDir(), "b"), p)
	if err != nil || one.Identity.Digest != two.Identity.Digest {
		t.Errorf("%s and %s, %v", one.Identity.Digest, two.Identity.Digest, err)
	}
}

func TestJoinEqualsOneBuild(t *testing.T) {
	whole := assemble(t, "linux/amd64", "linux/arm64", "linux/s390x")
	a, b, c := assemble(t, "linux/amd64"), assemble(t, "linux/arm64"), assemble(t, "linux/s390x")
	for _, order := range [][]bundle.Bundle{{a, b, c}, {c, a, b}} {
		joined, err := bundle.Join(filepath.Join(t.TempDir(), "joined"), order)
		if err != nil || joined.Identity.Digest != whole.Identity.Digest {
			t.Errorf("joined %s, whole %s, %v", joined.Identity.Digest, whole.Identity.Digest, err)
		}
	}
}

func TestJoinRefuses(t *testing.T) {
	a := assemble(t, "linux/amd64")
	other := bundletest.Pieces(t, "linux/arm64")
	other.Record.Commit = "d"
	commit, err := bundle.Assemble(filepath.Join(t.TempDir(), "b"), other)
	if err != nil {
		t.Fatal(err)
	}
	other = bundletest.Pieces(t, "linux/arm64")
	if err := os.WriteFile(other.Files[len(other.Files)-1].Path, []byte("others"), 0o600); err != nil {
		t.Fatal(err)
	}
	content, err := bundle.Assemble(filepath.Join(t.TempDir(), "b"), other)
	if err != nil {
		t.Fatal(err)
	}
	for why, parts := range map[string][]bundle.Bundle{
		`their records differ in commit ("c" and "d")`: {a, commit},
		"platform linux/amd64 is in another part too":  {a, a},
		"another part's has":                           {a, content},
		"none is named":                                nil,
	} {
		if _, err := bundle.Join(filepath.Join(t.TempDir(), "joined"), parts); !refusal.Is(err) || !strings.Contains(err.Error(), why) {
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
	if err != nil || len(files) != 7 {
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
		loaded, err := bundle.Load(b.Layout.Dir())
		if err == nil {
			err = loaded.Verify()
		}
		if name := filepath.Base(path); !refusal.Is(err) || !strings.Contains(err.Error(), name) {
			// The record's own copy by name is for people; the one in the layout counts.
			if name != bundle.RecordFile {
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
	l, err := bundle.Create(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := l.SetRoots([]ocispec.Descriptor{{MediaType: "x", Digest: "sha256:../../etc/passwd", Size: 1}}); err != nil {
		t.Fatal(err)
	}
	bare, err := bundle.Create(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for why, dir := range map[string]string{"it is no OCI image layout": empty, "no sha256 digest": l.Dir(), "holds no release artifact": bare.Dir()} {
		if _, err := bundle.Load(dir); !refusal.Is(err) || !strings.Contains(err.Error(), why) {
			t.Errorf("%v; want a refusal with %q", err, why)
		}
	}
}

func FuzzRecord(f *testing.F) {

	r := bundle.Record{Schema: bundle.Schema, Name: "a", Version: version.MustParse("v1.0.0"), Time: bundletest.Time, Artifacts: []bundle.Artifact{
		{Kind: bundle.KindArchive, Name: "a.tar.gz", File: "a.tar.gz", Digest: ocispec.DescriptorEmptyJSON.Digest, Size: 2},
		{Kind: bundle.KindImage, Name: "docker.io/a/b:v1.0.0", Repository: "docker.io/a/b", Tag: "v1.0.0", Digest: ocispec.DescriptorEmptyJSON.Digest},
	}}
	content, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(content)
	f.Add([]byte(`{"schema":"operator-release/record/v1","version":"v1.0.0","artifacts":[{"kind":"archive","name":"../a","file":"../a"}]}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		r, err := bundle.ParseRecord(content)
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
		again, err := json.MarshalIndent(r, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		second, err := bundle.ParseRecord(again)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v\n%s", err, again)
		}
		if third, _ := json.Marshal(second); len(third) == 0 {
			t.Fatal("nothing was read")
		}
	})
}

// TestPlainFilesOnly: a layout that somebody else made leads nowhere but into itself.
func TestPlainFilesOnly(t *testing.T) {
	outside := t.TempDir()
	for name, at := range map[string]func(b bundle.Bundle) string{
		"a blob":      func(b bundle.Bundle) string { return b.Layout.Path(b.Record.OfKind(bundle.KindArchive)[0].Digest) },
		"a manifest":  func(b bundle.Bundle) string { return b.Layout.Path(b.Identity.Digest) },
		"the index":   func(b bundle.Bundle) string { return filepath.Join(b.Layout.Dir(), ocispec.ImageIndexFile) },
		"the layout":  func(b bundle.Bundle) string { return filepath.Join(b.Layout.Dir(), ocispec.ImageLayoutFile) },
		"the blobs":   func(b bundle.Bundle) string { return filepath.Join(b.Layout.Dir(), "blobs") },
		"the digests": func(b bundle.Bundle) string { return filepath.Join(b.Layout.Dir(), "blobs", "sha256") },
		"a file":      func(b bundle.Bundle) string { return filepath.Join(b.Layout.Dir(), bundle.FilesDir, bundle.SumsFile) },
	} {
		for how, replace := range map[string]func(path string) error{
			"a link to the same": func(path string) error {
				moved := filepath.Join(outside, strings.ReplaceAll(name, " ", "-"))
				return errors.Join(os.Rename(path, moved), os.Symlink(moved, path))
			},
			"a pipe": func(path string) error { return errors.Join(os.RemoveAll(path), syscall.Mkfifo(path, 0o644)) },
		} {
			b := assemble(t, "linux/amd64")
			if err := replace(at(b)); err != nil {
				t.Fatal(err)
			}
			loaded, err := bundle.Load(b.Layout.Dir())
			if err == nil {
				err = loaded.Verify()
			}
			if !refusal.Is(err) || how == "a link to the same" && !strings.Contains(err.Error(), "is a symbolic link or a special file") {
				t.Errorf("%s is %s: %v", name, how, err)
			}
			backup := filepath.Join(t.TempDir(), "copy")
			if l, err := bundle.Create(backup); err != nil || name == "a manifest" && l.Copy(b.Layout, b.Identity) == nil {
				t.Errorf("%s is %s, and was copied, %v", name, how, err)
			}
		}
	}
}
