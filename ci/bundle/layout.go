package bundle

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/operator-release/operator-release/ci/refusal"
)

// Layout is a folder in the form of an OCI image layout (image-spec v1.1).
// Blobs appear by rename, so a layout never holds half a blob. It may be used by several goroutines.
type Layout struct{ dir string }

// Create makes dir, where it is missing, an empty OCI image layout.
func Create(dir string) (*Layout, error) {
	l := &Layout{dir: dir}
	if err := os.MkdirAll(filepath.Join(dir, "blobs", "sha256"), 0o755); err != nil {
		return nil, err
	}
	if err := writeFile(filepath.Join(dir, ocispec.ImageLayoutFile), []byte(`{"imageLayoutVersion":"`+ocispec.ImageLayoutVersion+`"}`)); err != nil {
		return nil, err
	}
	return l, l.SetRoots(nil)
}

// Open reads an existing layout; a folder that is none is refused.
func Open(dir string) (*Layout, error) {
	content, err := readSmall(filepath.Join(dir, ocispec.ImageLayoutFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, refusal.New("open bundle %s: it holds no %s, so it is no OCI image layout; build one with: operator-release build VERSION", dir, ocispec.ImageLayoutFile)
	}
	if err != nil {
		return nil, err
	}
	var layout ocispec.ImageLayout
	if err := json.Unmarshal(content, &layout); err != nil || layout.Version != ocispec.ImageLayoutVersion {
		return nil, refusal.New("open bundle %s: its %s says %q where version %s belongs", dir, ocispec.ImageLayoutFile, content, ocispec.ImageLayoutVersion)
	}
	// What lies in a layout leads nowhere else: its own folders and files are plain ones.
	for _, name := range []string{"blobs", "blobs/sha256", ocispec.ImageLayoutFile, ocispec.ImageIndexFile} {
		if err := plain(filepath.Join(dir, name)); err != nil {
			return nil, refusal.New("open bundle %s: %w", dir, err)
		}
	}
	return &Layout{dir: dir}, nil
}

// plain refuses whatever is neither a file nor a folder: a link leads out of the layout, and a pipe never ends.
func plain(path string) error {
	info, err := os.Lstat(path)
	if err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		err = refusal.New("%s is a symbolic link or a special file; a bundle has plain files only", path)
	}
	return err
}

// Dir is the layout's folder.
func (l *Layout) Dir() string { return l.dir }

// Path is the file that holds, or will hold, the blob of this digest.
func (l *Layout) Path(d digest.Digest) string {
	return filepath.Join(l.dir, "blobs", d.Algorithm().String(), d.Encoded())
}

// Put stores what r yields and describes it.
func (l *Layout) Put(mediaType string, r io.Reader) (ocispec.Descriptor, error) {
	return l.Write(mediaType, func(w io.Writer) error {
		_, err := io.Copy(w, r)
		return err
	})
}

// Write stores what fill writes and describes it; where fill fails nothing is stored.
func (l *Layout) Write(mediaType string, fill func(io.Writer) error) (desc ocispec.Descriptor, err error) {
	tmp, err := os.CreateTemp(l.dir, ".blob-")
	if err != nil {
		return desc, err
	}
	defer func() {
		if err != nil {
			tmp.Close()
			os.Remove(tmp.Name())
		}
	}()
	sum := digest.SHA256.Digester()
	if err = fill(io.MultiWriter(tmp, sum.Hash())); err != nil {
		return desc, err
	}
	size, err := tmp.Seek(0, io.SeekCurrent)
	if err != nil {
		return desc, err
	}
	if err = tmp.Chmod(0o644); err != nil {
		return desc, err
	}
	if err = tmp.Close(); err != nil {
		return desc, err
	}
	desc = ocispec.Descriptor{MediaType: mediaType, Digest: sum.Digest(), Size: size}
	return desc, os.Rename(tmp.Name(), l.Path(desc.Digest))
}

// Take stores a blob that somebody else declared; where r yields other bytes nothing stays and the blob is refused.
func (l *Layout) Take(desc ocispec.Descriptor, r io.Reader) error {
	if err := checkDescriptor(desc); err != nil {
		return err
	}
	found, err := l.Put(desc.MediaType, r)
	if err != nil {
		return err
	}
	if found.Digest != desc.Digest || found.Size != desc.Size {
		os.Remove(l.Path(found.Digest))
		return refusal.New("take blob %s of %d bytes: what came has digest %s and %d bytes or more; its source is damaged, or lies", desc.Digest, desc.Size, found.Digest, found.Size)
	}
	return nil
}

// PutJSON stores v as JSON. Go's encoder writes struct fields in order and map keys sorted, so equal values give equal bytes.
func (l *Layout) PutJSON(mediaType string, v any) (ocispec.Descriptor, error) {
	content, err := json.Marshal(v)
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	return l.Put(mediaType, bytes.NewReader(content))
}

// Has tells whether the blob is there with its declared size; its content is not read.
func (l *Layout) Has(desc ocispec.Descriptor) bool {
	if checkDescriptor(desc) != nil {
		return false
	}
	info, err := os.Lstat(l.Path(desc.Digest))
	return err == nil && info.Mode().IsRegular() && info.Size() == desc.Size
}

// MaxManifest bounds a manifest or index, in bytes: what registries are asked to accept (distribution-spec v1.1, "Pushing Manifests").
const MaxManifest = 4 << 20

// maxRead bounds what is read at once, in bytes: records, notes, the objects of a release commit.
const maxRead = 256 << 20

// Read gives a whole blob, checked against its digest and size. For manifests and other small blobs.
func (l *Layout) Read(desc ocispec.Descriptor) ([]byte, error) {
	if err := checkDescriptor(desc); err != nil {
		return nil, err
	}
	if desc.Size > maxRead {
		return nil, refusal.New("read bundle %s: blob %s (%s) has %d bytes; at most %d are read at once", l.dir, desc.Digest, desc.MediaType, desc.Size, int64(maxRead))
	}
	f, err := l.open("read", desc)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, desc.Size+1))
	if err != nil {
		return nil, err
	}
	if found := digest.FromBytes(content); found != desc.Digest || int64(len(content)) != desc.Size {
		return nil, l.changed(desc, found)
	}
	return content, nil
}

// open opens the file of a blob.
func (l *Layout) open(what string, desc ocispec.Descriptor) (*os.File, error) {
	path := l.Path(desc.Digest)
	err := plain(path)
	if refusal.Is(err) {
		return nil, refusal.New("%s bundle %s: %w", what, l.dir, err)
	}
	var f *os.File
	if err == nil {
		f, err = os.Open(path)
	}
	if err != nil {
		return nil, refusal.New("%s bundle %s: blob %s is missing (%w); build the version again, or fetch the bundle from its backup", what, l.dir, desc.Digest, err)
	}
	return f, nil
}

// readSmall reads one of the layout's own files.
func readSmall(path string) ([]byte, error) {
	if err := plain(path); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, MaxManifest+1))
	if err == nil && len(content) > MaxManifest {
		err = refusal.New("%s has more than %d bytes", path, MaxManifest)
	}
	return content, err
}

// ReadJSON reads a blob as Read does and decodes it into v.
func (l *Layout) ReadJSON(desc ocispec.Descriptor, v any) error {
	content, err := l.Read(desc)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(content, v); err != nil {
		return refusal.New("read bundle %s: blob %s is no %s: %w", l.dir, desc.Digest, desc.MediaType, err)
	}
	return nil
}

// Verify reads a blob of any size and refuses it where its bytes are not those that desc declares.
func (l *Layout) Verify(desc ocispec.Descriptor) error {
	if err := checkDescriptor(desc); err != nil {
		return err
	}
	f, err := l.open("verify", desc)
	if err != nil {
		return err
	}
	defer f.Close()
	sum := digest.SHA256.Digester()
	n, err := io.Copy(sum.Hash(), f)
	if err != nil {
		return err
	}
	if sum.Digest() != desc.Digest || n != desc.Size {
		return l.changed(desc, sum.Digest())
	}
	return nil
}

func (l *Layout) changed(desc ocispec.Descriptor, found digest.Digest) error {
	return refusal.New("verify bundle %s: blob %s has other bytes than its name says (%d were declared; the content has digest %s); the bundle was changed after it was built: build the version again, or fetch the bundle from its backup",
		l.dir, desc.Digest, desc.Size, found)
}

// Roots are the descriptors of index.json.
func (l *Layout) Roots() ([]ocispec.Descriptor, error) {
	path := filepath.Join(l.dir, ocispec.ImageIndexFile)
	content, err := readSmall(path)
	if err != nil {
		return nil, refusal.New("open bundle %s: %w", l.dir, err)
	}
	var index ocispec.Index
	if err := json.Unmarshal(content, &index); err != nil {
		return nil, refusal.New("open bundle %s: %s is no image index: %w", l.dir, path, err)
	}
	for _, desc := range index.Manifests {
		if err := checkDescriptor(desc); err != nil {
			return nil, err
		}
	}
	return index.Manifests, nil
}

// SetRoots writes index.json: the roots ordered by reference name, then by digest, whatever order they come in.
func (l *Layout) SetRoots(roots []ocispec.Descriptor) error {
	roots = slices.Clone(roots)
	slices.SortFunc(roots, func(a, b ocispec.Descriptor) int {
		if c := strings.Compare(a.Annotations[ocispec.AnnotationRefName], b.Annotations[ocispec.AnnotationRefName]); c != 0 {
			return c
		}
		return strings.Compare(a.Digest.String(), b.Digest.String())
	})
	if roots == nil {
		roots = []ocispec.Descriptor{} // "manifests" is required, null is no list
	}
	content, err := json.MarshalIndent(ocispec.Index{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: ocispec.MediaTypeImageIndex,
		Manifests: roots,
	}, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(l.dir, ocispec.ImageIndexFile), append(content, '\n'))
}

// Copy takes over from another layout the blobs that root leads to: manifests, their configs and layers.
// Every byte is checked on the way. Layers that an index names but the other layout lacks are an error.
func (l *Layout) Copy(from *Layout, root ocispec.Descriptor) error {
	return from.Walk(root, func(desc ocispec.Descriptor) error {
		if l.Has(desc) {
			return nil
		}
		if err := from.Verify(desc); err != nil {
			return err
		}
		return link(from.Path(desc.Digest), l.Path(desc.Digest))
	})
}

// Walk calls visit for root and everything it leads to, children before parents, each digest once.
func (l *Layout) Walk(root ocispec.Descriptor, visit func(ocispec.Descriptor) error) error {
	return l.walk(root, map[digest.Digest]bool{}, visit)
}

func (l *Layout) walk(desc ocispec.Descriptor, seen map[digest.Digest]bool, visit func(ocispec.Descriptor) error) error {
	if seen[desc.Digest] {
		return nil
	}
	seen[desc.Digest] = true
	children, err := l.Children(desc)
	if err != nil {
		return err
	}
	for _, child := range children {
		if err := l.walk(child, seen, visit); err != nil {
			return err
		}
	}
	return visit(desc)
}

// Children are what a manifest or index names: config and layers, or manifests. Other blobs have none.
// A subject is not a child: a referrer points at it, not the other way round.
func (l *Layout) Children(desc ocispec.Descriptor) ([]ocispec.Descriptor, error) {
	var children []ocispec.Descriptor
	if IsManifest(desc) && desc.Size > MaxManifest {
		return nil, refusal.New("read %s %s: it has %d bytes; a manifest has at most %d", desc.MediaType, desc.Digest, desc.Size, MaxManifest)
	}
	switch desc.MediaType {
	case ocispec.MediaTypeImageManifest:
		var m ocispec.Manifest
		if err := l.ReadJSON(desc, &m); err != nil {
			return nil, err
		}
		children = append([]ocispec.Descriptor{m.Config}, m.Layers...)
	case ocispec.MediaTypeImageIndex:
		var index ocispec.Index
		if err := l.ReadJSON(desc, &index); err != nil {
			return nil, err
		}
		children = index.Manifests
	}
	for _, child := range children {
		if err := checkDescriptor(child); err != nil {
			return nil, err
		}
	}
	return children, nil
}

// IsManifest tells whether a descriptor is of something that names other blobs.
func IsManifest(desc ocispec.Descriptor) bool {
	return desc.MediaType == ocispec.MediaTypeImageManifest || desc.MediaType == ocispec.MediaTypeImageIndex
}

// checkDescriptor refuses what would lead out of the layout: a digest is a file name here.
func checkDescriptor(desc ocispec.Descriptor) error {
	if err := desc.Digest.Validate(); err != nil || desc.Digest.Algorithm() != digest.SHA256 || desc.Size < 0 {
		return refusal.New("read a descriptor: digest %q with %d bytes is no sha256 digest of a blob", desc.Digest, desc.Size)
	}
	return nil
}

// link makes to the same file as from, or a copy where the file system cannot.
func link(from, to string) error {
	if err := os.Link(from, to); err == nil || errors.Is(err, fs.ErrExist) {
		return nil
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	tmp, err := os.CreateTemp(filepath.Dir(to), ".copy-")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	if _, err := io.Copy(tmp, in); err != nil {
		tmp.Close()
		return err
	}
	if err := errors.Join(tmp.Chmod(0o644), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), to)
}

// writeFile writes a small file so that it appears whole.
func writeFile(path string, content []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".write-")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	if _, err := tmp.Write(content); err != nil {
		tmp.Close()
		return err
	}
	if err := errors.Join(tmp.Chmod(0o644), tmp.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// Sweep removes the temporary files that a killed process left. Nobody else may be writing to the layout.
func (l *Layout) Sweep() error {
	return filepath.WalkDir(l.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		for _, temporary := range []string{".blob-", ".copy-", ".write-"} {
			if strings.HasPrefix(entry.Name(), temporary) {
				return os.Remove(path)
			}
		}
		return nil
	})
}

// Clone makes dir, an empty or absent folder, a bundle of the same content: what is added to one of the two is not in the other.
func (b Bundle) Clone(dir string) (Bundle, error) {
	from := b.Layout.Dir()
	if _, err := Create(dir); err != nil {
		return b, err
	}
	err := filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(dir, name)
		switch {
		case entry.IsDir():
			return os.MkdirAll(target, 0o755)
		case name == ocispec.ImageIndexFile || name == ocispec.ImageLayoutFile:
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			return writeFile(target, content)
		}
		return link(path, target) // blobs never change
	})
	if err != nil {
		return b, fmt.Errorf("copy bundle %s: %w", from, err)
	}
	return Load(dir)
}
