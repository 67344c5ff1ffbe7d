package bundle_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/operator-release/operator-release/ci/archive"
	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/bundle/bundletest"
)

// holding is a bundle whose archives are real ones with this content, and whose SBOM has these lines.
func holding(t *testing.T, binary string, mode int64, sbom string, edit func(*bundle.Pieces)) bundle.Bundle {
	t.Helper()
	p := bundletest.Pieces(t, "linux/amd64")
	for _, f := range p.Files {
		to, err := os.Create(f.Path)
		if err != nil {
			t.Fatal(err)
		}
		if f.Kind == bundle.KindSBOM {
			to.WriteString(sbom)
		} else if err := archive.TarGzip(to, bundletest.Time, []archive.Entry{
			archive.FromBytes("README.md", archive.Plain, []byte("read")), archive.FromBytes("spark", mode, []byte(binary)),
		}); err != nil {
			t.Fatal(err)
		}
		to.Close()
	}
	edit(&p)
	b, err := bundle.Assemble(filepath.Join(t.TempDir(), "b"), p)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestCompare(t *testing.T) {
	keep := func(*bundle.Pieces) {}
	one := holding(t, "binary", archive.Executable, "a\nb\n", keep)
	if same, err := bundle.Compare(one, holding(t, "binary", archive.Executable, "a\nb\n", keep)); err != nil || same != nil {
		t.Errorf("%v, %v", same, err)
	}
	two := holding(t, "binarY", archive.Plain, "a\nc\n", func(p *bundle.Pieces) {
		p.Record.Toolchain = "go1.0"
		other, err := bundle.Create(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		image := bundletest.Image(t, other, "linux/amd64", "linux/s390x")
		p.Images = []bundle.Image{image}
		p.Charts = nil
	})
	found, err := bundle.Compare(one, two)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, d := range found {
		text.WriteString(d.Kind + " " + d.Name + ": " + strings.Join(d.Where, "; ") + "\n")
	}
	for _, want := range []string{
		`record release.json: toolchain ("" and "go1.0")`,
		"archive spark-linux-amd64.tar.gz: spark: file of mode 755, owner 0:0, time 2026-01-01T00:00:00Z, 6 bytes ",
		"and file of mode 644",
		"sbom spark-linux-amd64.cdx.json: from line 2",
		"chart docker.io/acme/charts/spark:1.5.0: only the first has it",
		"checksums SHA256SUMS: from line 1",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is not in\n%s", want, text.String())
		}
	}
}
