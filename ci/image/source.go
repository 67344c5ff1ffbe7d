package image

import (
	"archive/tar"
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"

	"github.com/operator-release/operator-release/ci/refusal"
)

// maxArchive bounds what a compressed archive, or a layer, may unpack to, in bytes; and what is small packed may not be all of that: whatever unpacks to more than
// smallArchive, and to more than maxRatio times its size, was made to fill disks. Layers are mostly packed already, text comes to some ten times.
const (
	maxArchive   = 64 << 30
	smallArchive = 1 << 30
	maxRatio     = 200
)

// limit is what so many packed bytes may unpack to.
func limit(packed int64) int64 {
	return min(maxArchive, max(smallArchive, packed*maxRatio))
}

// bounded fails where its reader has more than left bytes.
type bounded struct {
	r    io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, refusal.New("it unpacks to far more than is taken of its size; it is damaged, or made to fill memory and disk")
	}
	return n, err
}

// ociFiles are the files of an OCI layout that somebody else wrote: a folder, or a tar archive, of
// which nothing is unpacked. Names in it are never used as paths of this machine.
type ociFiles struct {
	name  string
	open  func(name string) (io.ReadCloser, error) // fs.ErrNotExist where it is not there
	close func()
}

// openArchive opens an OCI layout folder, or a tar archive of one, gzipped or not. Scratch is a
// folder for a temporary file.
func openArchive(name, scratch string) (*ociFiles, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, refusal.New("image archive %s: %w; name an OCI archive, or a folder with an OCI layout", name, err)
	}
	if info.IsDir() {
		return openFolder(name)
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	magic, err := bufio.NewReader(file).Peek(2)
	if err == nil && bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		packed := file
		file, err = gunzip(name, packed, scratch)
		packed.Close()
		if err != nil {
			return nil, err
		}
	}
	files, err := openTar(name, file)
	if err != nil {
		file.Close()
		return nil, err
	}
	return files, nil
}

func openFolder(name string) (*ociFiles, error) {
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	return &ociFiles{name: name, close: func() { root.Close() }, open: func(file string) (io.ReadCloser, error) {
		for p := file; p != "."; p = path.Dir(p) {
			info, err := root.Lstat(filepath.FromSlash(p))
			if err != nil {
				return nil, err
			}
			if p == file && !info.Mode().IsRegular() || p != file && !info.IsDir() {
				return nil, refusal.New("image archive %s: %s is a symbolic link or no file; an OCI layout has plain files only", name, p)
			}
		}
		return root.Open(filepath.FromSlash(file))
	}}, nil
}

// gunzip unpacks the archive into a file that has no name any more.
func gunzip(name string, packed io.ReadSeeker, scratch string) (*os.File, error) {
	size, err := packed.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	if _, err := packed.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	gz, err := gzip.NewReader(packed)
	if err != nil {
		return nil, refusal.New("image archive %s: %w", name, err)
	}
	file, err := os.CreateTemp(scratch, ".archive-")
	if err != nil {
		return nil, err
	}
	os.Remove(file.Name())
	if _, err := io.Copy(file, &bounded{gz, limit(size)}); err != nil {
		file.Close()
		return nil, refusal.New("image archive %s: %w", name, err)
	}
	return file, nil
}

// openTar notes where in the archive each file lies.
func openTar(name string, file *os.File) (*ociFiles, error) {
	type part struct{ at, size int64 }
	parts := map[string]part{}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	r := tar.NewReader(file)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, refusal.New("image archive %s: it is no tar archive: %w; %s", name, err, wayOCI)
		}
		clean := path.Clean(h.Name)
		switch {
		case path.IsAbs(h.Name) || !filepath.IsLocal(clean) || strings.Contains(h.Name, `\`):
			return nil, refusal.New("image archive %s: the entry %q leads out of the archive", name, h.Name)
		case h.Typeflag == tar.TypeDir, h.Typeflag == tar.TypeXGlobalHeader:
			continue
		case h.Typeflag != tar.TypeReg:
			return nil, refusal.New("image archive %s: the entry %q is a link or a special file, and an OCI layout has plain files only; %s", name, h.Name, wayOCI)
		}
		if _, twice := parts[clean]; twice {
			return nil, refusal.New("image archive %s: the entry %q comes twice", name, h.Name)
		}
		at, err := file.Seek(0, io.SeekCurrent)
		if err != nil {
			return nil, err
		}
		parts[clean] = part{at, h.Size}
	}
	return &ociFiles{name: name, close: func() { file.Close() }, open: func(name string) (io.ReadCloser, error) {
		p, ok := parts[name]
		if !ok {
			return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
		}
		return io.NopCloser(io.NewSectionReader(file, p.at, p.size)), nil
	}}, nil
}

// small reads one of the layout's own files.
func (f *ociFiles) small(name string) ([]byte, error) {
	r, err := f.open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, refusal.New("image archive %s: it has no %s, so it is no OCI layout; %s", f.name, name, wayOCI)
	}
	if err != nil {
		return nil, err
	}
	defer r.Close()
	body, err := io.ReadAll(io.LimitReader(r, maxManifest+1))
	if err == nil && len(body) > maxManifest {
		err = refusal.New("image archive %s: %s has more than %d bytes", f.name, name, maxManifest)
	}
	return body, err
}

// blob opens the blob that desc describes; its bytes are to be checked by the reader.
func (f *ociFiles) blob(desc ocispec.Descriptor) (io.ReadCloser, error) {
	if !isBlob(desc) {
		return nil, refusal.New("image archive %s: %q with %d bytes is no sha256 digest of a blob", f.name, desc.Digest, desc.Size)
	}
	r, err := f.open("blobs/sha256/" + desc.Digest.Encoded())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, refusal.New("image archive %s: blob %s (%s) is missing; export the whole image again", f.name, desc.Digest, desc.MediaType)
	}
	return r, err
}

// document reads a manifest, index or config whole, checked.
func (f *ociFiles) document(desc ocispec.Descriptor) ([]byte, error) {
	if desc.Size > maxManifest {
		return nil, refusal.New("image archive %s: %s %s has %d bytes; more than %d is none", f.name, desc.MediaType, desc.Digest, desc.Size, maxManifest)
	}
	r, err := f.blob(desc)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	body, err := content.ReadAll(r, desc)
	if err != nil {
		return nil, f.changed(desc, err)
	}
	return body, nil
}

func (f *ociFiles) changed(desc ocispec.Descriptor, err error) error {
	return refusal.New("image archive %s: blob %s (%s) has other bytes than declared, %d bytes of this digest: %w; the archive is broken, export the image again", f.name, desc.Digest, desc.MediaType, desc.Size, err)
}

// isBlob tells whether a descriptor can be of a blob in a layout. Until then its digest is any text.
func isBlob(d ocispec.Descriptor) bool {
	return d.Digest.Validate() == nil && d.Digest.Algorithm() == digest.SHA256 && d.Size >= 0
}
