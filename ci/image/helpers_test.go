package image

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/refusal"
)

var when = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// folder writes files; "-> x" is a symbolic link, and a name ending in ! is executable.
func folder(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		mode := os.FileMode(0o644)
		if trimmed, ok := strings.CutSuffix(name, "!"); ok {
			name, mode = trimmed, 0o755
		}
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if target, ok := strings.CutPrefix(content, "-> "); ok {
			if err := os.Symlink(target, path); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func newLayout(t testing.TB) *bundle.Layout {
	t.Helper()
	l, err := bundle.Create(filepath.Join(t.TempDir(), "layout"))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// options for an image of two platforms with a binary each.
func options(t testing.TB, files map[string]string) Options {
	t.Helper()
	o := Options{
		Repository: "docker.io/kubeflow/spark-operator", Version: "v1.5.0", Tree: folder(t, files),
		Platforms: []string{"linux/amd64", "linux/arm64"}, Binaries: map[string]map[string]string{}, Time: when, Layout: newLayout(t),
	}
	for _, p := range append(slices.Clone(o.Platforms), "linux/arm/v7") {
		o.Binaries[p] = map[string]string{"operator": filepath.Join(folder(t, map[string]string{"operator": "operator for " + p}), "operator")}
	}
	return o
}

// made builds an image and has it validated by go-containerregistry, which knows nothing of this package.
func made(t testing.TB, o Options) Image {
	t.Helper()
	img, err := Build(context.Background(), o)
	if err != nil {
		t.Fatalf("build: %v", err)
	}
	if err := o.Layout.SetRoots([]ocispec.Descriptor{img.Index}); err != nil {
		t.Fatal(err)
	}
	all, err := layout.ImageIndexFromPath(o.Layout.Dir())
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(all); err != nil {
		t.Errorf("go-containerregistry says: %v", err)
	}
	return img
}

// refusedWith builds an image that must be refused in these words.
func refusedWith(t testing.TB, o Options, words ...string) {
	t.Helper()
	_, err := Build(context.Background(), o)
	if !refusal.Is(err) {
		t.Errorf("want a refusal, got %v", err)
		return
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("the refusal lacks %q:\n%v", w, err)
		}
	}
}

func read[T any](t testing.TB, l *bundle.Layout, desc ocispec.Descriptor) (v T) {
	t.Helper()
	if err := l.ReadJSON(desc, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// config and layers of one platform of an image.
func platformOf(t testing.TB, l *bundle.Layout, img Image, platform string) (imageConfig, []string) {
	t.Helper()
	for _, p := range img.Platforms {
		if p.Platform != platform {
			continue
		}
		m := read[ocispec.Manifest](t, l, p.Manifest)
		var layers []string
		for _, d := range m.Layers {
			layers = append(layers, list(t, l, d))
		}
		return read[imageConfig](t, l, m.Config), layers
	}
	t.Fatalf("no platform %s", platform)
	return imageConfig{}, nil
}

// list shows a layer: name, mode, owner, link and content of each entry; another time than when stands out.
func list(t testing.TB, l *bundle.Layout, desc ocispec.Descriptor) string {
	t.Helper()
	f, err := os.Open(l.Path(desc.Digest))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	gz, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for r := tar.NewReader(gz); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return strings.Join(lines, "\n")
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		line := fmt.Sprintf("%s %o %d:%d", h.Name, h.Mode, h.Uid, h.Gid)
		if h.Linkname != "" {
			line += " -> " + h.Linkname
		}
		if len(content) > 0 {
			line += " " + strings.ReplaceAll(string(content), "\n", `\n`)
		}
		if !h.ModTime.Equal(when) {
			line += " at " + h.ModTime.String()
		}
		lines = append(lines, line)
	}
}

func lines(l ...string) string { return strings.Join(l, "\n") }
