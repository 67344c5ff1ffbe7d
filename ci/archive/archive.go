// Package archive writes tar and gzip streams whose bytes depend on their content alone:
// entries in the order given, one time for all, modes and owners as told, and a compressor whose
// version go.mod pins (the standard library's output changes between Go releases).
//
// Every gzip that this project makes goes through here. It reads no file system metadata.
package archive

import (
	"archive/tar"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
)

// Entry is one member of a tar stream.
type Entry struct {
	Name string                        // slash-separated, relative, without "..": "usr/bin/operator"
	Mode int64                         // permission bits, such as 0o755
	UID  int                           // numeric owner
	GID  int                           // numeric group
	Dir  bool                          // a directory; Open and Link are unused
	Link string                        // target of a symbolic link; Open is unused
	Size int64                         // bytes that Open yields
	Open func() (io.ReadCloser, error) // content of a regular file
}

// Executable and Plain are the two modes that files have.
const (
	Executable = 0o755
	Plain      = 0o644
)

// FromFile is an entry with the content of the file at path and the mode 0755 where its owner may execute it, else 0644.
// Symbolic links stay links.
func FromFile(name, path string) (Entry, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return Entry{}, err
	}
	e := Entry{Name: name, Mode: Plain}
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		e.Mode = 0o777
		e.Link, err = os.Readlink(path)
		return e, err
	case info.IsDir():
		e.Dir, e.Mode = true, Executable
		return e, nil
	case !info.Mode().IsRegular():
		return Entry{}, fmt.Errorf("archive %s: it is neither file, folder nor symbolic link", path)
	}
	if info.Mode()&0o100 != 0 {
		e.Mode = Executable
	}
	e.Size = info.Size()
	e.Open = func() (io.ReadCloser, error) { return os.Open(path) }
	return e, nil
}

// FromBytes is a regular file with this content.
func FromBytes(name string, mode int64, content []byte) Entry {
	return Entry{Name: name, Mode: mode, Size: int64(len(content)), Open: func() (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(string(content))), nil
	}}
}

// Sort orders entries by name, byte by byte.
func Sort(entries []Entry) {
	slices.SortFunc(entries, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
}

// Tar writes entries in their order, each with the time when, rounded to seconds in UTC.
// A name that is absolute, empty, not clean, leaves the archive, or comes twice is an error.
func Tar(w io.Writer, when time.Time, entries []Entry) error {
	tw := tar.NewWriter(w)
	seen := map[string]bool{}
	for _, e := range entries {
		if !filepath.IsLocal(e.Name) || filepath.ToSlash(filepath.Clean(e.Name)) != e.Name {
			return fmt.Errorf("write archive: the name %q is not a clean relative path", e.Name)
		}
		if seen[e.Name] {
			return fmt.Errorf("write archive: the name %q comes twice", e.Name)
		}
		seen[e.Name] = true
		if err := write(tw, when.UTC().Truncate(time.Second), e); err != nil {
			return fmt.Errorf("write archive: %s: %w", e.Name, err)
		}
	}
	return tw.Close()
}

func write(tw *tar.Writer, when time.Time, e Entry) error {
	h := &tar.Header{Name: e.Name, Mode: e.Mode, Uid: e.UID, Gid: e.GID, ModTime: when, Typeflag: tar.TypeReg, Size: e.Size}
	switch {
	case e.Dir:
		h.Typeflag, h.Name, h.Size = tar.TypeDir, e.Name+"/", 0
	case e.Link != "":
		h.Typeflag, h.Linkname, h.Size = tar.TypeSymlink, e.Link, 0
	}
	if err := tw.WriteHeader(h); err != nil || h.Typeflag != tar.TypeReg {
		return err
	}
	content, err := e.Open()
	if err != nil {
		return err
	}
	defer content.Close()
	// One byte more than declared makes a grown file an error instead of a cut one.
	n, err := io.Copy(tw, io.LimitReader(content, e.Size+1))
	if err == nil && n != e.Size {
		err = fmt.Errorf("it has %d bytes where %d were declared", n, e.Size)
	}
	return err
}

// NewGzip is the one compressor of this project; its header carries no time and no name.
func NewGzip(w io.Writer) *gzip.Writer {
	gz, err := gzip.NewWriterLevel(w, gzip.DefaultCompression)
	if err != nil {
		panic(err) // only a level out of range fails
	}
	gz.OS = 255                  // unknown, as RFC 1952 says
	gz.ModTime = time.Unix(0, 0) // none; a zero time.Time would be written as a wrapped number
	return gz
}

// TarGzip writes entries as Tar does, compressed.
func TarGzip(w io.Writer, when time.Time, entries []Entry) error {
	gz := NewGzip(w)
	if err := Tar(gz, when, entries); err != nil {
		return err
	}
	return gz.Close()
}

// Regzip writes the content of the gzip stream r again through this project's compressor. What the
// header says (Helm marks its packages there) stays, but for the time.
func Regzip(w io.Writer, r io.Reader) error {
	in, err := gzip.NewReader(r)
	if err != nil {
		return err
	}
	defer in.Close()
	out := NewGzip(w)
	out.Comment, out.Extra, out.Name = in.Comment, in.Extra, in.Name
	if _, err := io.Copy(out, in); err != nil {
		return err
	}
	return out.Close()
}
