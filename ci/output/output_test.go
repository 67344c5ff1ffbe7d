package output

import (
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
)

func TestMade(t *testing.T) {
	root := t.TempDir()
	for name, content := range map[string]string{
		"a bundle/files/release.json":    `{"schema": "operator-release/record/v1"}`,
		"another's/files/release.json":   `{"schema": "example.com/record/v1"}`,
		"a layout/oci-layout":            `{"imageLayoutVersion": "1.0.0"}`,
		"a site/catalog.json":            `{"schema": "operator-release/catalog/v2"}`,
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
	made := Made(root)
	for folder, want := range map[string]bool{
		"a bundle": true, "another's": false, "a layout": false, "a site": true, "dist": false,
		"dist/.operator-release-1": true, "dist/operator-release-1": false, "a folder": false, "none": false,
	} {
		if made(folder) != want {
			t.Errorf("%s was made: %t", folder, !want)
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
