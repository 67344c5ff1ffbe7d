package archive

import (
	"archive/tar"
	"bytes"
	stdgzip "compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var when = time.Date(2026, 3, 1, 12, 0, 0, 500, time.FixedZone("", 7200))

func TestTarGzipIsPinned(t *testing.T) {
	var out bytes.Buffer
	entries := []Entry{
		{Name: "b", Dir: true, Mode: Executable},
		FromBytes("b/run", Executable, bytes.Repeat([]byte("operator "), 500)),
		{Name: "a", Mode: 0o777, Link: "b/run"},
	}
	if err := TarGzip(&out, when, entries); err != nil {
		t.Fatal(err)
	}
	// These bytes are part of the promise: a change here changes every identity.
	const want = "5d64f6e4b85224efff1e3e8e6a531cdc3b060df2c6ff6bf4d3f3ed17bac054e6"
	if got := fmt.Sprintf("%x", sha256.Sum256(out.Bytes())); got != want {
		t.Errorf("archive has digest %s, want %s", got, want)
	}
	gz, err := stdgzip.NewReader(&out)
	if err != nil {
		t.Fatal(err)
	}
	tr := tar.NewReader(gz)
	var got []string
	for {
		h, err := tr.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%s %o %d:%d %s %s", h.Name, h.Mode, h.Uid, h.Gid, h.Linkname, h.ModTime.UTC().Format(time.RFC3339)))
	}
	if s := strings.Join(got, "\n"); s != "b/ 755 0:0  2026-03-01T10:00:00Z\nb/run 755 0:0  2026-03-01T10:00:00Z\na 777 0:0 b/run 2026-03-01T10:00:00Z" {
		t.Errorf("got\n%s", s)
	}
}

func TestTarRefuses(t *testing.T) {
	short := FromBytes("a", Plain, []byte("abc"))
	short.Size = 2
	long := FromBytes("a", Plain, []byte("abc"))
	long.Size = 4
	for name, entries := range map[string][]Entry{
		"..":            {FromBytes("../a", Plain, nil)},
		"absolute":      {FromBytes("/a", Plain, nil)},
		"not clean":     {FromBytes("a//b", Plain, nil)},
		"empty":         {FromBytes("", Plain, nil)},
		"twice":         {FromBytes("a", Plain, nil), FromBytes("a", Plain, nil)},
		"larger inside": {short},
		"less inside":   {long},
	} {
		if err := Tar(io.Discard, when, entries); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestFromFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "f")
	for mode, want := range map[os.FileMode]int64{0o600: Plain, 0o700: Executable, 0o664: Plain, 0o777: Executable} {
		if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
		if e, err := FromFile("f", file); err != nil || e.Mode != want || e.Size != 1 {
			t.Errorf("file of mode %o: entry %o, %v; want %o", mode, e.Mode, err, want)
		}
	}
	link := filepath.Join(dir, "l")
	if err := os.Symlink("f", link); err != nil {
		t.Fatal(err)
	}
	if e, err := FromFile("l", link); err != nil || e.Link != "f" {
		t.Errorf("link: %+v, %v", e, err)
	}
}

func TestRegzipKeepsHeaderAndContent(t *testing.T) {
	var in, out bytes.Buffer
	gz := stdgzip.NewWriter(&in)
	gz.Comment, gz.Extra, gz.ModTime = "Helm", []byte("+x"), when
	if _, err := gz.Write([]byte("content")); err != nil {
		t.Fatal(err)
	}
	gz.Close()
	if err := Regzip(&out, &in); err != nil {
		t.Fatal(err)
	}
	r, err := stdgzip.NewReader(&out)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(r)
	if err != nil || string(content) != "content" || r.Comment != "Helm" || string(r.Extra) != "+x" || !r.ModTime.IsZero() {
		t.Errorf("got %q %q %q %v %v", content, r.Comment, r.Extra, r.ModTime, err)
	}
}

func BenchmarkTarGzip(b *testing.B) {
	content := bytes.Repeat([]byte("0123456789abcdefghijklmnopqrstuvwxyz\n"), 1<<18)
	b.SetBytes(int64(len(content)))
	for b.Loop() {
		if err := TarGzip(io.Discard, when, []Entry{FromBytes("binary", Executable, content)}); err != nil {
			b.Fatal(err)
		}
	}
}
