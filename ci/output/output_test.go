package output

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

func TestFiles(t *testing.T) {
	root := t.TempDir()
	for name, content := range map[string]string{
		"a bundle/files/release.json":  `{"schema": "operator-release/record/v1", "artifacts": [{"file": "NOTES.md"}, {}]}`,
		"another's/files/release.json": `{"schema": "example.com/record/v1"}`,
		"a layout/oci-layout":          `{"imageLayoutVersion": "1.0.0"}`,
		"a site/catalog.json":          `{"schema": "operator-release/catalog/v2", "versions": [{"version": "v1.0.0"}]}`,
		"a site/index.yaml": `{"entries": {"pi": [{"urls": ["charts/pi-1.0.0.tgz"]}, ` +
			`{"urls": ["https://example.com/pi-0.9.0.tgz"]}]}}`,
		"broken/files/release.json":      `{"schema": "operator-release/record/v1", "artifacts": 1`,
		"dist/.operator-release-1/x":     "",
		"dist/operator-release-1/x":      "",
		"a folder/release.json/x":        "",
		"a folder/files/release.json/in": "",
	} {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	files, written := Files(root), Written(root)
	blob := "blobs/sha256/" + strings.Repeat("0a", 32)
	for file, want := range map[string]struct {
		folder string
		own    bool
	}{
		"a bundle/files/release.json": {"a bundle", true}, "a bundle/files/NOTES.md": {"a bundle", true},
		"a bundle/oci-layout": {"a bundle", true}, "a bundle/index.json": {"a bundle", true},
		"a bundle/" + blob: {"a bundle", true}, "a bundle/blobs/sha256/x": {"a bundle", false},
		"a bundle/" + blob + "/x": {"a bundle", false}, "a bundle/files/other": {"a bundle", false},
		"a bundle/main.go": {"a bundle", false}, "a bundle/repository/": {"a bundle", false},
		"another's/files/release.json": {"", false}, "a layout/oci-layout": {"", false}, "README.md": {"", false},
		"a site/catalog.json": {"a site", true}, "a site/index.html": {"a site", true},
		"a site/versions/v1.0.0.html": {"a site", true}, "a site/versions/v1.0.1.html": {"a site", false},
		"a site/charts/pi-1.0.0.tgz": {"a site", true}, "a site/charts/pi-1.0.1.tgz": {"a site", false},
		"a site/other.html": {"a site", false}, "a site/index.yaml": {"a site", true},
		"broken/files/release.json": {"broken", true}, "broken/files/NOTES.md": {"broken", false},
		"dist/.operator-release-1/a/b": {"dist/.operator-release-1", true}, "dist/operator-release-1/x": {"", false},
		"a folder/files/release.json/in": {"", false}, "none/x": {"", false},
	} {
		if folder, own := files(file); folder != want.folder || own != want.own || written(file) != own {
			t.Errorf("%s: got %q, %t, want %+v", file, folder, own, want)
		}
	}
}

func TestCommitted(t *testing.T) {
	tree := fstest.MapFS{
		"dist/v1.0.0/files/release.json": {Data: []byte(`{"schema": "operator-release/record/v1"}`)},
		"other/files/release.json":       {Data: []byte(`{}`)},
		"docs/release.json":              {Data: []byte(`{"schema": "operator-release/record/v1"}`)},
	}
	var files []string
	for name := range tree {
		files = append(files, name)
	}
	if got, err := Committed(tree, files); err != nil || len(got) != 1 || got[0] != "dist/v1.0.0" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestIgnoreLine(t *testing.T) {
	for folder, want := range map[string]string{
		"dist/v1.5.0": "/dist/v[0-9]*/", "dist/vendor": "/dist/vendor/", "dist/v": "/dist/v/", "dist/v1/x": "/dist/v1/x/",
		"out": "/out/", "odd [1]*": `/odd \[1]\*/`,
	} {
		if got := IgnoreLine(folder); got != want {
			t.Errorf("%s: %s, want %s", folder, got, want)
		}
	}
}
