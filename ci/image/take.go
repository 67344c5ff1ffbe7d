package image

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/refusal"
)

// maxBinary bounds what is taken out of an image as one binary, in bytes.
const maxBinary = 4 << 30

// takeBinaries takes the released binaries out of the image that compiled them, so that archives carry the very bytes. Each comes
// to TakeTo/<os>-<arch>/<name>, for the platforms that were asked for.
func (t *taking) takeBinaries(ctx context.Context) error {
	for i, p := range t.made {
		if len(t.o.Take) == 0 || !slices.Contains(t.o.Platforms, p.Platform) {
			continue
		}
		filled, err := t.filled(ctx, p)
		if err != nil {
			return err
		}
		dir := filepath.Join(t.o.TakeTo, strings.ReplaceAll(p.Platform, "/", "-"))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(t.o.Take)) {
			if err := filled.extract(ctx, t.o.Take[name], filepath.Join(dir, name)); err != nil {
				return t.refused("take the binary %s out of it for %s: %w; say where it lies under images[].binaries", name, p.Platform, err)
			}
			t.made[i].Binaries = append(t.made[i].Binaries, name)
		}
	}
	return nil
}

// filled reads one platform's image, once.
func (t *taking) filled(ctx context.Context, p Platform) (*filledImage, error) {
	if f := t.read[p.Manifest.Digest]; f != nil {
		return f, nil
	}
	f, err := readImage(ctx, t.o.Layout, p.Manifest)
	if err == nil {
		t.read[p.Manifest.Digest] = f
	}
	return f, err
}

// filledImage is an image whose files can be read.
type filledImage struct {
	config imageConfig
	layout *bundle.Layout
	layers []ocispec.Descriptor
	tree   *tree
}

// readImage looks at all layers of one platform's image.
func readImage(ctx context.Context, l *bundle.Layout, manifest ocispec.Descriptor) (*filledImage, error) {
	var m ocispec.Manifest
	if err := l.ReadJSON(manifest, &m); err != nil {
		return nil, err
	}
	var config imageConfig
	if err := l.ReadJSON(m.Config, &config); err != nil {
		return nil, err
	}
	f := &filledImage{config: config, layout: l, layers: m.Layers, tree: newTree()}
	for i, desc := range m.Layers {
		if err := f.tree.readLayer(ctx, l, desc, config.RootFS.DiffIDs[i], i); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// extract writes the regular file that p leads to, symbolic and hard links followed, to target.
func (f *filledImage) extract(ctx context.Context, p, target string) error {
	for range 40 {
		real, n, err := f.tree.resolve(p)
		switch {
		case err != nil:
			return err
		case n == nil:
			return fmt.Errorf("there is no file %s", p)
		case n.isDir():
			return fmt.Errorf("%s is a folder", p)
		}
		link, err := f.copy(ctx, real, n.layer, target)
		if err != nil || link == "" {
			return err
		}
		p = link
	}
	return fmt.Errorf("the hard links of %s lead in circles", p)
}

// copy writes the file at its real path from the layer that brought it; a hard link is given back instead.
func (f *filledImage) copy(ctx context.Context, real string, layer int, target string) (link string, err error) {
	blob, err := os.Open(f.layout.Path(f.layers[layer].Digest))
	if err != nil {
		return "", err
	}
	defer blob.Close()
	content, err := decompress(&stoppingReader{ctx, blob})
	if err != nil {
		return "", err
	}
	defer content.Close()
	for r := tar.NewReader(content); ; {
		h, err := r.Next()
		if err != nil {
			return "", fmt.Errorf("read /%s: %w", real, err)
		}
		dir, base := path.Split(strings.TrimPrefix(path.Clean("/"+h.Name), "/"))
		if at, _, err := f.tree.resolve(dir); err != nil || path.Join(at, base) != real {
			continue
		}
		switch h.Typeflag {
		case tar.TypeLink:
			return "/" + h.Linkname, nil
		case tar.TypeReg:
			if h.Size > maxBinary {
				return "", refusal.New("/%s has %d bytes; at most %d are taken", real, h.Size, int64(maxBinary))
			}
			file, err := os.OpenFile(target, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
			if err != nil {
				return "", err
			}
			_, err = io.Copy(file, r)
			return "", errors.Join(err, file.Chmod(0o755), file.Close())
		default:
			return "", fmt.Errorf("/%s is no regular file", real)
		}
	}
}
