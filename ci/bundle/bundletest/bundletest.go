// Package bundletest makes small real bundles for tests: an image for each platform, a chart, archives with SBOMs.
package bundletest

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/operator-release/operator-release/ci/archive"
	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/version"
)

// Time is that of everything in these bundles.
var Time = time.Unix(1767225600, 0).UTC()

// Repository is where the image belongs.
const Repository = "docker.io/acme/spark"

// Image makes a small real image of one layer for each platform.
func Image(t testing.TB, l *bundle.Layout, platforms ...string) bundle.Image {
	t.Helper()
	i := bundle.Image{Repository: Repository, From: l, Binaries: map[string][]string{}, Bases: []bundle.Base{{Reference: "debian", Digest: ocispec.DescriptorEmptyJSON.Digest}}}
	var manifests []ocispec.Descriptor
	for _, platform := range platforms {
		var tar bytes.Buffer
		if err := archive.Tar(&tar, Time, []archive.Entry{archive.FromBytes("spark", archive.Executable, []byte(platform))}); err != nil {
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

// Pieces are those of a small release for the platforms.
func Pieces(t testing.TB, platforms ...string) bundle.Pieces {
	t.Helper()
	from, err := bundle.Create(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	p := bundle.Pieces{Record: bundle.Record{
		Name: "spark", Version: version.MustParse("v1.5.0"), Line: "1.5", Branch: "release-1.5", Commit: "c", Time: Time, Tool: "devel", Platforms: platforms,
		Config: config.Config{Artifacts: Repository, Images: []config.Image{{Repository: Repository, Dockerfile: "Dockerfile"}}},
	}}
	file := func(kind, name, content, platform string) {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		p.Files = append(p.Files, bundle.File{Kind: kind, Name: name, MediaType: "application/octet-stream", Path: path, Platform: platform, Binary: "spark"})
	}
	for _, platform := range platforms {
		slug := strings.ReplaceAll(platform, "/", "-")
		file(bundle.KindSBOM, "spark-"+slug+".cdx.json", `{"bomFormat":"CycloneDX","platform":"`+platform+`"}`, platform)
		file(bundle.KindArchive, "spark-"+slug+".tar.gz", "archive "+platform, platform)
	}
	file(bundle.KindObjects, bundle.ObjectsFile, "objects", "")
	file(bundle.KindNotes, bundle.NotesFile, "## v1.5.0\n", "")
	p.Images = []bundle.Image{Image(t, from, platforms...)}
	p.Charts = []bundle.Chart{Chart(t, from, "1.5.0")}
	return p
}

// Chart makes a small packaged chart.
func Chart(t testing.TB, l *bundle.Layout, version string) bundle.Chart {
	t.Helper()
	var pkg bytes.Buffer
	gz := archive.NewGzip(&pkg)
	content := []byte("apiVersion: v2\nname: spark\nversion: " + version + "\nappVersion: v" + version + "\n")
	if err := archive.Tar(gz, Time, []archive.Entry{archive.FromBytes("spark/Chart.yaml", archive.Plain, content)}); err != nil {
		t.Fatal(err)
	}
	if err := gz.Close(); err != nil {
		t.Fatal(err)
	}
	layer, err := l.Put("application/vnd.cncf.helm.chart.content.v1.tar+gzip", &pkg)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := l.PutJSON(ocispec.MediaTypeImageManifest, ocispec.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest, Config: layer, Layers: []ocispec.Descriptor{layer}})
	if err != nil {
		t.Fatal(err)
	}
	return bundle.Chart{Repository: "docker.io/acme/charts/spark", Tag: version, File: "spark-" + version + ".tgz", Manifest: manifest, Package: layer, From: l}
}

// Tested attaches a test result that says the bundle passed.
func Tested(t testing.TB, b bundle.Bundle) bundle.Bundle {
	t.Helper()
	if err := b.Attest(bundle.TestResultPredicate, bundle.TestResult{Result: "PASSED", PassedTests: []string{"command: go test"}}); err != nil {
		t.Fatal(err)
	}
	return b
}
