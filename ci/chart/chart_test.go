package chart

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"helm.sh/helm/v4/pkg/chart/v2/loader"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/version"
)

func options(t *testing.T) Options {
	o := Options{Tree: t.TempDir(), Path: "charts/spark-chart", Repository: "docker.io/acme/charts",
		Version: version.MustParse("v1.5.0"), Time: time.Unix(1767225600, 0), Annotations: map[string]string{ocispec.AnnotationRevision: "abc", ocispec.AnnotationTitle: "lost"}}
	var err error
	if o.Layout, err = bundle.Create(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"Chart.yaml":         "apiVersion: v2\nname: spark\ndescription: A chart\nversion: 1.5.0\nappVersion: v1.5.0\n",
		"values.yaml":        "a: 1 # comment\n",
		"values.schema.json": "{}",
		"templates/a.yaml":   "a: {{ .Values.a }}\n",
		"crds/b.yaml":        "b: 1\n",
		"ci/ci-values.yaml":  "a: 2\n",
		".helmignore":        "ci/\n",
		"README.md":          "read\n",
	} {
		put(t, o, name, content)
	}
	return o
}

func put(t *testing.T, o Options, name, content string) {
	t.Helper()
	path := filepath.Join(o.Tree, o.Path, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestPackage(t *testing.T) {
	o := options(t)
	made, err := Package(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if made.Repository != "docker.io/acme/charts/spark" || made.Tag != "1.5.0" || made.File != "spark-1.5.0.tgz" {
		t.Errorf("%+v", made)
	}
	var m ocispec.Manifest
	if err := o.Layout.ReadJSON(made.Manifest, &m); err != nil {
		t.Fatal(err)
	}
	if m.Config.MediaType != ConfigType || m.Layers[0].Digest != made.Package.Digest || m.Annotations[ocispec.AnnotationTitle] != "spark" || m.Annotations[ocispec.AnnotationRevision] != "abc" {
		t.Errorf("%+v", m)
	}
	f, err := os.Open(o.Layout.Path(made.Package.Digest))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c, err := loader.LoadArchive(f)
	if err != nil || len(c.Templates) != 1 || len(c.CRDObjects()) != 1 || len(c.Files) != 3 { // crd, .helmignore, README
		t.Errorf("read back: %v, %d templates, %d files", err, len(c.Templates), len(c.Files))
	}
	// Another copy of the chart, of another time, gives the same bytes.
	other := options(t)
	again, err := Package(t.Context(), other)
	if err != nil || again.Manifest.Digest != made.Manifest.Digest {
		t.Errorf("made twice: %s and %s, %v", made.Manifest.Digest, again.Manifest.Digest, err)
	}
}

func TestRefusals(t *testing.T) {
	for why, spoil := range map[string]func(Options){
		"its version is 1.4.0 where 1.5.0 belongs": func(o Options) {
			put(t, o, "Chart.yaml", "apiVersion: v2\nname: a\nversion: 1.4.0\nappVersion: v1.5.0\n")
		},
		"run: helm dependency update charts/spark-chart": func(o Options) {
			put(t, o, "Chart.yaml", "apiVersion: v2\nname: a\nversion: 1.5.0\nappVersion: v1.5.0\ndependencies: [{name: d, version: 1.0.0, repository: https://x}]\n")
		},
		"load the chart charts/spark-chart":                 func(o Options) { put(t, o, "values.yaml", "a: b: c\n") },
		"no such file":                                      func(o Options) { os.Remove(filepath.Join(o.Tree, o.Path, "Chart.yaml")) },
		"leads out of the repository, or nowhere":           func(o Options) { os.Symlink("/etc/hostname", filepath.Join(o.Tree, o.Path, "crds/c.yaml")) },
		"charts/spark-chart/crds/d.yaml is a symbolic link": func(o Options) { os.Symlink("none", filepath.Join(o.Tree, o.Path, "crds/d.yaml")) },
	} {
		o := options(t)
		spoil(o)
		if _, err := Package(t.Context(), o); !refusal.Is(err) || !strings.Contains(err.Error(), why) {
			t.Errorf("%v; want a refusal with %q", err, why)
		}
	}
}
