package build

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"

	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/version"
)

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func options(t *testing.T) Options {
	o := Options{
		Tree: t.TempDir(), Out: t.TempDir(), Platform: "linux/" + runtime.GOARCH, Toolchain: runtime.Version(), Log: io.Discard,
		Binaries: []config.Binary{
			{Name: "one", Main: "./cmd/one", LDFlags: "-s -w -X main.version=v1.5.0"},
			{Name: "two", Main: "./cmd/two", Tags: []string{"extra"}},
		},
	}
	write(t, o.Tree, map[string]string{
		"go.mod":           "module example.com/x\n\ngo 1.26\n",
		"README.md":        "read\n",
		"cmd/one/main.go":  "package main\n\nvar version = \"none\"\n\nfunc main() { println(version) }\n",
		"cmd/two/main.go":  "package main\n\nfunc main() { extra() }\n",
		"cmd/two/extra.go": "//go:build extra\n\npackage main\n\nfunc extra() {}\n",
	})
	return o
}

func archived(t *testing.T, o Options) Archives {
	t.Helper()
	bin := filepath.Join(o.Out, "bin")
	a, err := Archive(ArchiveOptions{
		Tree: o.Tree, Version: version.MustParse("v1.5.0"), Platform: o.Platform, Time: time.Unix(1767225600, 0),
		Binaries: map[string]string{"two": bin, "one": bin}, Out: o.Out,
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestBuild(t *testing.T) {
	t.Setenv("GOFLAGS", "-mod=nonsense") // nothing of the machine's settings may get in
	t.Setenv("CGO_ENABLED", "1")
	o := options(t)
	r, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	a := archived(t, o)
	if len(r.Binaries) != 2 || r.Binaries[0].Name != "one" || r.Binaries[0].Go != runtime.Version() || len(a.Files) != 4 || !slices.Equal(r.Binaries, a.Binaries) {
		t.Fatalf("%+v, %+v", r, a)
	}
	out, err := exec.Command(filepath.Join(o.Out, "bin/one")).CombinedOutput()
	if err != nil || string(out) != "v1.5.0\n" {
		t.Errorf("says %q, %v", out, err)
	}
	content, err := os.ReadFile(filepath.Join(o.Out, "bin/one"))
	if err != nil || strings.Contains(string(content), o.Tree) {
		t.Errorf("the path %s is in the binary (%v)", o.Tree, err)
	}
	if got := members(t, filepath.Join(o.Out, "files/one-v1.5.0-linux-"+runtime.GOARCH+".tar.gz")); got != "README.md one" {
		t.Errorf("archive holds %s", got)
	}
	var bom cdx.BOM
	sbom, err := os.ReadFile(filepath.Join(o.Out, "files/one-v1.5.0-linux-"+runtime.GOARCH+".cdx.json"))
	if err == nil {
		err = json.Unmarshal(sbom, &bom)
	}
	if err != nil || bom.Metadata.Component.PackageURL != "pkg:golang/example.com/x@v1.5.0" || (*bom.Components)[0].Name != "std" ||
		"sha256:"+(*bom.Metadata.Component.Hashes)[0].Value != r.Binaries[0].Digest {
		t.Errorf("%v\n%s", err, sbom)
	}
	// The same tree elsewhere gives the same bytes.
	other := options(t)
	again, err := Run(t.Context(), other)
	if err != nil {
		t.Fatal(err)
	}
	archived(t, other)
	for _, f := range a.Files {
		a, _, err := sum(filepath.Join(o.Out, "files", f.Name))
		if err != nil {
			t.Fatal(err)
		}
		if b, _, err := sum(filepath.Join(other.Out, "files", f.Name)); a != b || err != nil {
			t.Errorf("%s: %s and %s, %v", f.Name, a, b, err)
		}
	}
	if again.Binaries[1] != r.Binaries[1] {
		t.Errorf("%+v and %+v", again.Binaries[1], r.Binaries[1])
	}
}

func members(t *testing.T, path string) string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	gz, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for tr := tar.NewReader(gz); ; {
		h, err := tr.Next()
		if err == io.EOF {
			return strings.Join(names, " ")
		}
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, h.Name)
	}
}

func TestBuildSaysWhatGoSaid(t *testing.T) {
	o := options(t)
	write(t, o.Tree, map[string]string{"cmd/one/main.go": "package main\n\nfunc main() { nothing() }\n"})
	_, err := Run(t.Context(), o)
	if err == nil || !strings.Contains(err.Error(), "build one for linux/") || !strings.Contains(err.Error(), "undefined: nothing") {
		t.Errorf("%v", err)
	}
	o = options(t)
	o.Platform = "linux/amd46"
	if _, err := Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), `did you mean "linux/amd64"`) {
		t.Errorf("%v", err)
	}
}
