package image

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/operator-release/operator-release/ci/archive"
	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/refusal"
)

// layer is what one instruction adds to an image, by path.
type layer map[string]archive.Entry

// write stores the layer and gives its descriptor and the digest of its content before compression.
func (y layer) write(ctx context.Context, l *bundle.Layout, when time.Time) (ocispec.Descriptor, digest.Digest, error) {
	entries := slices.Collect(maps.Values(y))
	archive.Sort(entries)
	plain := digest.SHA256.Digester()
	desc, err := l.Write(ocispec.MediaTypeImageLayerGzip, func(w io.Writer) error {
		gz := archive.NewGzip(w)
		if err := archive.Tar(&stopping{ctx, io.MultiWriter(gz, plain.Hash())}, when, entries); err != nil {
			return err
		}
		return gz.Close()
	})
	return desc, plain.Digest(), err
}

// stopping is a writer that fails once its context is done.
type stopping struct {
	ctx context.Context
	w   io.Writer
}

func (s *stopping) Write(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.w.Write(p)
}

// readLayer puts into t what a base's layer brings and takes away, and refuses a layer whose content
// is not the one that the config names. number tells the layers apart.
func (t *tree) readLayer(ctx context.Context, l *bundle.Layout, desc ocispec.Descriptor, diff digest.Digest, number int) error {
	blob, err := os.Open(l.Path(desc.Digest))
	if err != nil {
		return err
	}
	defer blob.Close()
	content, err := decompress(&stoppingReader{ctx, blob})
	if err != nil {
		return refusal.New("layer %s: %w", desc.Digest, err)
	}
	defer content.Close()
	sum := digest.SHA256.Digester()
	all := io.TeeReader(&bounded{content, limit(desc.Size)}, sum.Hash())
	r := tar.NewReader(all)
	for n := 0; ; n++ {
		if n > maxEntries {
			return refusal.New("layer %s: it has more than %d entries", desc.Digest, maxEntries)
		}
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("layer %s: it is no tar archive: %w", desc.Digest, err)
		}
		t.apply(h, number)
	}
	if _, err := io.Copy(io.Discard, all); err != nil {
		return fmt.Errorf("layer %s: %w", desc.Digest, err)
	}
	if sum.Digest() != diff {
		return refusal.New("layer %s: its content has digest %s, and the config says %s; the image is broken, take another", desc.Digest, sum.Digest(), diff)
	}
	return nil
}

// maxEntries bounds the entries of a layer: each is kept in memory, and is almost nothing when packed.
const maxEntries = 2_000_000

// apply puts one entry of a layer into the tree, as an unpacker would.
func (t *tree) apply(h *tar.Header, number int) {
	name := strings.TrimPrefix(path.Clean("/"+h.Name), "/")
	dir, base := path.Split(name)
	real, _, err := t.resolve(dir)
	if name == "" || err != nil {
		return // what lies below a file cannot be unpacked either
	}
	name = path.Join(real, base)
	switch {
	case h.Typeflag == tar.TypeXGlobalHeader:
	case base == ".wh..wh..opq":
		t.hide(real, number)
	case strings.HasPrefix(base, ".wh."):
		t.remove(path.Join(real, strings.TrimPrefix(base, ".wh.")))
	case h.Typeflag == tar.TypeDir:
		t.put(name, &inode{children: map[string]*inode{}, layer: number})
	case h.Typeflag == tar.TypeSymlink:
		t.put(name, &inode{link: h.Linkname, layer: number})
	default:
		t.put(name, &inode{layer: number})
	}
}

// decompress undoes gzip or zstd, told by the first bytes; anything else passes as it is.
func decompress(r io.Reader) (io.ReadCloser, error) {
	in := bufio.NewReaderSize(r, 1<<16)
	magic, err := in.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		return gzip.NewReader(in)
	case bytes.Equal(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(128<<20)) // the window that zstd's own program takes
		if err != nil {
			return nil, err
		}
		return z.IOReadCloser(), nil
	}
	return io.NopCloser(in), nil
}

type stoppingReader struct {
	ctx context.Context
	r   io.Reader
}

func (s *stoppingReader) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.r.Read(p)
}
