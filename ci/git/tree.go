package git

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/operator-release/operator-release/ci/refusal"
)

// Entry is one file of a tree.
type Entry struct {
	Path string
	Mode string // 100644, 100755, 120000 (symbolic link) or 160000 (submodule)
	ID   string
	Size int64
}

// Tree is the tree of a commit as a file system, read from objects: no filters, no configuration.
// Symbolic links are followed inside of the tree; one that leads out of it is refused.
type Tree struct {
	entries map[string]Entry
	dirs    map[string][]string // folder -> names, sorted
	blobs   *blobs
}

var (
	_ fs.ReadFileFS = (*Tree)(nil)
	_ fs.ReadDirFS  = (*Tree)(nil)
	_ fs.StatFS     = (*Tree)(nil)
)

// Tree opens the tree of a commit; Close ends the process that reads it.
func (r *Repository) Tree(ctx context.Context, commit string) (*Tree, error) {
	if err := r.Complete(ctx, commit); err != nil {
		return nil, err
	}
	out, err := r.run(ctx, nil, nil, "ls-tree", "-r", "-z", "-l", "--full-tree", commit)
	if err != nil {
		return nil, err
	}
	t := &Tree{entries: map[string]Entry{}, dirs: map[string][]string{".": nil}}
	for record := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		meta, name, ok := strings.Cut(record, "\t")
		fields := strings.Fields(meta)
		if !ok || len(fields) != 4 {
			continue
		}
		if err := checkName(name); err != nil {
			return nil, refusal.New("read tree of %s: the file name %.200q %w", commit, name, err)
		}
		if _, twice := t.entries[name]; twice {
			return nil, refusal.New("read tree of %s: the file name %q is there twice; the tree is broken", commit, name)
		}
		size, err := strconv.ParseInt(fields[3], 10, 64)
		if err != nil && fields[3] != "-" { // which git says of submodules
			return nil, fmt.Errorf("read tree of %s: %w: object %s of %s is not here; run git fsck in %s", commit,
				ErrIncomplete, fields[2], name, r.dir)
		}
		t.add(Entry{Path: name, Mode: fields[0], ID: fields[2], Size: size})
	}
	for dir := range t.dirs {
		if e, ok := t.entries[dir]; ok { // were it a link, what lies below would be written to where it leads
			return nil, refusal.New("read tree of %s: %q is a folder, and a file of mode %s as well; the tree is broken", commit, dir, e.Mode)
		}
		slices.Sort(t.dirs[dir])
	}
	t.blobs, err = r.openBlobs(ctx)
	return t, err
}

// What file systems take of a name and of a path below a folder, in bytes (NAME_MAX, and PATH_MAX without a folder to be in).
const (
	longestName = 255
	longestPath = 3 << 10
)

// checkName speaks against names that git itself refuses to check out, and those that no file system takes: a tree may have been made by anything.
func checkName(name string) error {
	parts := strings.Split(name, "/")
	switch {
	case !utf8.ValidString(name):
		return errors.New("is no UTF-8; rename it")
	case !fs.ValidPath(name) || slices.ContainsFunc(parts, func(part string) bool { return strings.EqualFold(part, ".git") }):
		return errors.New("leads out of the tree, or into git's own folder")
	case len(name) > longestPath || slices.ContainsFunc(parts, func(part string) bool { return len(part) > longestName }):
		return fmt.Errorf("is %d bytes long; file systems take %d for each part, and %d in all are taken; rename it", len(name), longestName, longestPath)
	}
	return nil
}

func (t *Tree) add(e Entry) {
	t.entries[e.Path] = e
	for name := e.Path; name != "."; name = path.Dir(name) {
		dir := path.Dir(name)
		_, known := t.dirs[dir]
		t.dirs[dir] = append(t.dirs[dir], path.Base(name))
		if known {
			break
		}
	}
}

// Close ends the reading process.
func (t *Tree) Close() error { return t.blobs.close() }

// Entries are all files, ordered by path.
func (t *Tree) Entries() []Entry {
	entries := make([]Entry, 0, len(t.entries))
	for _, e := range t.entries {
		entries = append(entries, e)
	}
	slices.SortFunc(entries, func(a, b Entry) int { return strings.Compare(a.Path, b.Path) })
	return entries
}

// Entry is the file at a path, links not followed.
func (t *Tree) Entry(name string) (Entry, bool) {
	e, ok := t.entries[name]
	return e, ok
}

// resolve follows symbolic links, also in the folders of name.
func (t *Tree) resolve(op, name string) (string, error) {
	if !fs.ValidPath(name) {
		return "", &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	for range 40 {
		link, rest, found := t.linkIn(name)
		if !found {
			return name, nil
		}
		target, err := t.blobs.read(t.entries[link].ID)
		if err != nil {
			return "", err
		}
		next := path.Join(path.Dir(link), string(target), rest)
		if path.IsAbs(string(target)) || !fs.ValidPath(next) {
			return "", &fs.PathError{Op: op, Path: name, Err: refusal.New("it is a symbolic link to %q, which leads out of the repository; replace it by the file itself", target)}
		}
		name = next
	}
	return "", &fs.PathError{Op: op, Path: name, Err: refusal.New("its symbolic links lead in circles; replace them by the file itself")}
}

// linkIn finds the first symbolic link on the way to name.
func (t *Tree) linkIn(name string) (link, rest string, found bool) {
	for i := 0; i <= len(name); i++ {
		if i == len(name) || name[i] == '/' {
			if e, ok := t.entries[name[:i]]; ok && e.Mode == "120000" {
				return name[:i], strings.TrimPrefix(name[i:], "/"), true
			}
		}
	}
	return "", "", false
}

// ReadFile gives a file's content.
func (t *Tree) ReadFile(name string) ([]byte, error) {
	at, err := t.resolve("read", name)
	if err != nil {
		return nil, err
	}
	e, ok := t.entries[at]
	if !ok {
		return nil, &fs.PathError{Op: "read", Path: name, Err: fs.ErrNotExist}
	}
	content, err := t.blobs.read(e.ID)
	if err != nil {
		return nil, err
	}
	if err := checkPointer(name, content); err != nil {
		return nil, &fs.PathError{Op: "read", Path: name, Err: err}
	}
	return content, nil
}

// Stat describes a file or folder.
func (t *Tree) Stat(name string) (fs.FileInfo, error) {
	at, err := t.resolve("stat", name)
	if err != nil {
		return nil, err
	}
	if e, ok := t.entries[at]; ok {
		return info{e}, nil
	}
	if _, ok := t.dirs[at]; ok {
		return info{Entry{Path: at, Mode: "040000"}}, nil
	}
	return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrNotExist}
}

// ReadDir lists a folder. A submodule is an empty one.
func (t *Tree) ReadDir(name string) ([]fs.DirEntry, error) {
	at, err := t.resolve("readdir", name)
	if err != nil {
		return nil, err
	}
	names, ok := t.dirs[at]
	if !ok && !t.entries[at].Submodule() { // a submodule is an empty folder
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrNotExist}
	}
	var entries []fs.DirEntry
	for _, child := range names {
		e, ok := t.entries[path.Join(at, child)]
		if !ok {
			e = Entry{Path: path.Join(at, child), Mode: "040000"}
		}
		entries = append(entries, fs.FileInfoToDirEntry(info{e}))
	}
	return entries, nil
}

// Open opens a file or folder.
func (t *Tree) Open(name string) (fs.File, error) {
	stat, err := t.Stat(name)
	if err != nil {
		return nil, err
	}
	if stat.IsDir() {
		entries, err := t.ReadDir(name)
		return &openDir{stat, entries}, err
	}
	content, err := t.ReadFile(name)
	return &openFile{stat, bytes.NewReader(content)}, err
}

// WriteTo writes the tree below dir: files 0755 or 0644, links as links, submodules as empty folders, all with the time when.
func (t *Tree) WriteTo(dir string, when time.Time) error {
	for _, e := range t.Entries() {
		target := filepath.Join(dir, filepath.FromSlash(e.Path))
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		if err := t.writeEntry(e, target, when); err != nil {
			return fmt.Errorf("write %s: %w", target, err)
		}
	}
	return nil
}

func (t *Tree) writeEntry(e Entry, target string, when time.Time) error {
	if e.Submodule() {
		return os.MkdirAll(target, 0o755)
	}
	content, err := t.blobs.read(e.ID)
	if err != nil {
		return err
	}
	if e.Mode == "120000" {
		return os.Symlink(string(content), target)
	}
	mode := fs.FileMode(0o644)
	if e.Mode == "100755" {
		mode = 0o755
	}
	if err := os.WriteFile(target, content, mode); err != nil {
		return err
	}
	return errors.Join(os.Chmod(target, mode), os.Chtimes(target, when, when)) // whatever the umask is
}

// blobs reads objects through one long-lived process.
type blobs struct {
	mu  sync.Mutex
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func (r *Repository) openBlobs(ctx context.Context) (*blobs, error) {
	cmd := r.command(ctx, nil, "cat-file", "--batch")
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &blobs{cmd: cmd, in: in, out: bufio.NewReader(out)}, nil
}

func (b *blobs) read(id string) ([]byte, error) {
	_, content, err := b.object(id)
	return content, err
}

func (b *blobs) object(id string) (kind string, content []byte, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, err := fmt.Fprintln(b.in, id); err != nil {
		return "", nil, fmt.Errorf("read object %s: %w", id, err)
	}
	header, err := b.out.ReadString('\n')
	if err != nil {
		return "", nil, fmt.Errorf("read object %s: %w", id, err)
	}
	var found string
	var size int64
	if n, _ := fmt.Sscanf(header, "%s %s %d\n", &found, &kind, &size); n != 3 {
		return "", nil, fmt.Errorf("read object %s: git answered %q; is the clone complete?", id, strings.TrimSpace(header))
	}
	content = make([]byte, size+1) // and the line break that follows
	if _, err := io.ReadFull(b.out, content); err != nil {
		return "", nil, fmt.Errorf("read object %s: %w", id, err)
	}
	return kind, content[:size], nil
}

func (b *blobs) close() error {
	return errors.Join(b.in.Close(), b.cmd.Wait())
}

type info struct{ e Entry }

func (i info) Name() string { return path.Base(i.e.Path) }
func (i info) Size() int64  { return i.e.Size }
func (i info) Mode() fs.FileMode {
	switch i.e.Mode {
	case "040000", "160000":
		return fs.ModeDir | 0o755
	case "120000":
		return fs.ModeSymlink | 0o777
	case "100755":
		return 0o755
	}
	return 0o644
}
func (i info) ModTime() time.Time { return time.Time{} }
func (i info) IsDir() bool        { return i.Mode().IsDir() }
func (i info) Sys() any           { return i.e }

type openFile struct {
	fs.FileInfo
	*bytes.Reader
}

func (f *openFile) Stat() (fs.FileInfo, error) { return f.FileInfo, nil }
func (f *openFile) Size() int64                { return f.FileInfo.Size() }
func (f *openFile) Close() error               { return nil }

type openDir struct {
	fs.FileInfo
	entries []fs.DirEntry
}

func (d *openDir) Stat() (fs.FileInfo, error) { return d.FileInfo, nil }
func (d *openDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.Name(), Err: errors.New("is a folder")}
}
func (d *openDir) Close() error { return nil }
func (d *openDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if n > 0 && len(d.entries) == 0 {
		return nil, io.EOF
	}
	if n <= 0 || n > len(d.entries) {
		n = len(d.entries)
	}
	out := d.entries[:n:n]
	d.entries = d.entries[n:]
	return out, nil
}
