package git

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/operator-release/operator-release/ci/archive"
	"github.com/operator-release/operator-release/ci/refusal"
)

// Object is a raw git object: what its id is the hash of, without the header.
type Object struct {
	Type    string // blob, tree, commit or tag
	ID      string
	Content []byte
}

// NewCommit makes a commit on top of base whose tree is base's with the contents of edits, a path each. Files keep
// their modes; a path that base does not have becomes a plain file. Author and committer are by.
func (r *Repository) NewCommit(ctx context.Context, base Commit, edits map[string][]byte, by Person, message string) (Commit, error) {
	if err := r.Complete(ctx, base.ID); err != nil {
		return Commit{}, err
	}
	names := slices.Sorted(maps.Keys(edits))
	executable, err := r.executable(ctx, base.Tree, names)
	if err != nil {
		return Commit{}, err
	}
	ids, err := r.blobs(ctx, names, edits)
	if err != nil {
		return Commit{}, err
	}
	var all []edit
	for i, name := range names {
		mode := "100644"
		if executable[name] {
			mode = "100755"
		}
		all = append(all, edit{name, mode, ids[i]})
	}
	tree, err := r.edit(ctx, base.Tree, all)
	if err != nil {
		return Commit{}, err
	}
	stamp := fmt.Sprintf("%d %s", by.Time.Unix(), by.Time.Format("-0700"))
	identity := []string{
		"GIT_AUTHOR_NAME=" + by.Name, "GIT_AUTHOR_EMAIL=" + by.Email, "GIT_AUTHOR_DATE=" + stamp,
		"GIT_COMMITTER_NAME=" + by.Name, "GIT_COMMITTER_EMAIL=" + by.Email, "GIT_COMMITTER_DATE=" + stamp,
	}
	id, err := r.run(ctx, strings.NewReader(message), identity, "-c", "i18n.commitEncoding=UTF-8", "commit-tree", tree, "-p", base.ID, "-F", "-")
	if err != nil {
		return Commit{}, err
	}
	return r.Commit(ctx, string(bytes.TrimSpace(id)))
}

// NewNote makes a commit without files: it is there for its message, and for the commits that it stands on.
func (r *Repository) NewNote(ctx context.Context, parents []string, by Person, message string) (string, error) {
	empty, err := r.Store(ctx, "tree", nil)
	if err != nil {
		return "", err
	}
	c := Commit{Tree: empty, Parents: parents, Author: by, Committer: by, Message: message}
	return r.Store(ctx, "commit", c.content())
}

// executable are those of the paths that a tree has as executable files.
func (r *Repository) executable(ctx context.Context, tree string, paths []string) (map[string]bool, error) {
	out, err := r.run(ctx, nil, nil, append([]string{"ls-tree", "-z", "--full-tree", tree, "--"}, paths...)...)
	if err != nil {
		return nil, err
	}
	found := map[string]bool{}
	for entry := range strings.SplitSeq(string(out), "\x00") {
		if about, path, ok := strings.Cut(entry, "\t"); ok && strings.HasPrefix(about, "100755 ") {
			found[path] = true
		}
	}
	return found, nil
}

// blobs stores contents, in the order of their names, and gives their ids.
func (r *Repository) blobs(ctx context.Context, names []string, contents map[string][]byte) ([]string, error) {
	dir, err := os.MkdirTemp("", "release-blobs-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	var paths strings.Builder
	for i, name := range names {
		file := filepath.Join(dir, strconv.Itoa(i))
		if err := os.WriteFile(file, contents[name], 0o600); err != nil {
			return nil, err
		}
		paths.WriteString(file + "\n")
	}
	out, err := r.run(ctx, strings.NewReader(paths.String()), nil, "hash-object", "-w", "-t", "blob", "--no-filters", "--stdin-paths")
	if err != nil {
		return nil, err
	}
	ids := strings.Fields(string(out))
	if len(ids) != len(names) {
		return nil, fmt.Errorf("store %d files in %s: git answered %q", len(names), r.dir, out)
	}
	return ids, nil
}

// blob stores a file's content.
func (r *Repository) blob(ctx context.Context, content []byte) (string, error) {
	return r.Store(ctx, "blob", content)
}

// Store stores an object and gives its id; git refuses one that is malformed.
func (r *Repository) Store(ctx context.Context, kind string, content []byte) (string, error) {
	id, err := r.run(ctx, bytes.NewReader(content), nil, "hash-object", "-w", "-t", kind, "--no-filters", "--stdin")
	return string(bytes.TrimSpace(id)), err
}

// edit is what a path of a tree becomes; without a mode it is taken out.
type edit struct{ path, mode, id string }

// edit makes a tree of another one.
func (r *Repository) edit(ctx context.Context, tree string, edits []edit) (string, error) {
	if err := r.Complete(ctx, tree); err != nil {
		return "", err
	}
	index, err := os.CreateTemp("", "release-index-")
	if err != nil {
		return "", err
	}
	index.Close()
	os.Remove(index.Name()) // git wants to make it itself
	defer os.Remove(index.Name())
	env := []string{"GIT_INDEX_FILE=" + index.Name()}
	if _, err := r.run(ctx, nil, env, "read-tree", tree); err != nil {
		return "", err
	}
	var out, in bytes.Buffer // what is taken out goes first: a folder may come where a file was
	for _, e := range edits {
		if e.mode == "" {
			fmt.Fprintf(&out, "0 %s\t%s\x00", strings.Repeat("0", len(tree)), e.path)
		} else {
			fmt.Fprintf(&in, "%s %s\t%s\x00", e.mode, e.id, e.path)
		}
	}
	if _, err := r.run(ctx, io.MultiReader(&out, &in), env, "update-index", "-z", "--index-info"); err != nil {
		return "", err
	}
	made, err := r.run(ctx, nil, env, "write-tree")
	return string(bytes.TrimSpace(made)), err
}

// Take makes of a tree the one that has, at the paths that match, what lies in the folder dir: files that are new or other are taken, executable
// ones as such, links as links, and files that are not there are left out. Submodules stay; git's own folders are passed over.
func (r *Repository) Take(ctx context.Context, tree, dir string, match func(path string) bool) (string, error) {
	t, err := r.Tree(ctx, tree)
	if err != nil {
		return "", err
	}
	defer t.Close()
	var edits []edit
	there := map[string]bool{}
	err = filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		below, err := filepath.Rel(dir, file)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(below)
		switch {
		case strings.EqualFold(d.Name(), ".git") && d.IsDir():
			return filepath.SkipDir
		case strings.EqualFold(d.Name(), ".git") || d.IsDir() || !match(name):
			return nil
		}
		var content []byte
		var mode string
		switch d.Type() {
		case 0:
			info, err := d.Info()
			if err != nil {
				return err
			}
			if mode = "100644"; info.Mode()&0o111 != 0 {
				mode = "100755"
			}
			if content, err = os.ReadFile(file); err != nil {
				return err
			}
		case fs.ModeSymlink:
			mode = "120000"
			target, err := os.Readlink(file)
			if err != nil {
				return err
			}
			content = []byte(target)
		default:
			return nil // no tree holds a socket
		}
		there[name] = true
		if e, ok := t.Entry(name); ok && e.Mode == mode {
			if before, err := t.blobs.read(e.ID); err != nil || bytes.Equal(before, content) {
				return err
			}
		}
		id, err := r.blob(ctx, content)
		edits = append(edits, edit{name, mode, id})
		return err
	})
	if err != nil {
		return "", fmt.Errorf("take files of %s: %w", dir, err)
	}
	for _, e := range t.Entries() {
		if !there[e.Path] && !e.Submodule() && match(e.Path) {
			edits = append(edits, edit{path: e.Path})
		}
	}
	if len(edits) == 0 {
		return tree, nil
	}
	return r.edit(ctx, tree, edits)
}

// NewTag makes an annotated tag object for a commit; no ref points to it yet.
func (r *Repository) NewTag(ctx context.Context, name string, commit string, by Person, message string) (string, error) {
	content := fmt.Sprintf("object %s\ntype commit\ntag %s\ntagger %s <%s> %d %s\n\n%s", commit, name, by.Name, by.Email, by.Time.Unix(), by.Time.Format("-0700"), message)
	id, err := r.run(ctx, strings.NewReader(content), nil, "mktag")
	return string(bytes.TrimSpace(id)), err
}

// TagTexts are the contents of annotated tags' objects, by id; what is no such object, or is not here, is absent.
func (r *Repository) TagTexts(ctx context.Context, ids []string) (map[string]string, error) {
	texts := map[string]string{}
	if len(ids) == 0 {
		return texts, nil
	}
	out, err := r.run(ctx, strings.NewReader(strings.Join(ids, "\n")+"\n"), nil, "cat-file", "--batch")
	if err != nil {
		return nil, err
	}
	for len(out) > 0 {
		header, rest, _ := bytes.Cut(out, []byte("\n"))
		fields := strings.Fields(string(header)) // ID TYPE SIZE, or ID missing
		if len(fields) != 3 {
			out = rest
			continue
		}
		size, err := strconv.Atoi(fields[2])
		if err != nil || size >= len(rest) {
			return nil, fmt.Errorf("read tags of %s: git answered %q", r.dir, header)
		}
		if fields[1] == "tag" {
			texts[fields[0]] = string(rest[:size])
		}
		out = rest[size+1:]
	}
	return texts, nil
}

// WriteObjects writes objects as a tar stream of files named TYPE/ID. Packs are no canonical form; this is.
func WriteObjects(w io.Writer, objects []Object) error {
	var entries []archive.Entry
	for _, o := range objects {
		entries = append(entries, archive.FromBytes(path.Join(o.Type, o.ID), archive.Plain, o.Content))
	}
	archive.Sort(entries)
	return archive.Tar(w, time.Unix(0, 0), entries)
}

// maxObject bounds what ReadObjects takes for one object: a release commit edits text files.
const maxObject = 64 << 20

// ReadObjects reads what WriteObjects wrote.
func ReadObjects(r io.Reader) ([]Object, error) {
	var objects []Object
	tr := tar.NewReader(r)
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, refusal.New("read git objects: %w", err)
		}
		kind, id, _ := strings.Cut(h.Name, "/")
		if h.Typeflag != tar.TypeReg || !slices.Contains([]string{"blob", "tree", "commit", "tag"}, kind) || !isID(id) || h.Size > maxObject {
			return nil, refusal.New("read git objects: %q (%d bytes) is no git object named by type and id", h.Name, h.Size)
		}
		content, err := io.ReadAll(tr)
		if err != nil {
			return nil, refusal.New("read git objects: %s: %w", h.Name, err)
		}
		objects = append(objects, Object{Type: kind, ID: id, Content: content})
	}
}

func isID(s string) bool {
	return (len(s) == 40 || len(s) == 64) && strings.Trim(s, "0123456789abcdef") == ""
}

// Import stores objects, each checked against its id: where git computes another, the object is refused.
func (r *Repository) Import(ctx context.Context, objects []Object) error {
	dir, err := os.MkdirTemp("", "release-import-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	// What others are made of comes first, so that git can check what it is given.
	for _, kind := range []string{"blob", "tree", "commit", "tag"} {
		var paths strings.Builder
		var want []string
		for _, o := range objects {
			if o.Type != kind {
				continue
			}
			file := filepath.Join(dir, fmt.Sprintf("%s-%d", kind, len(want)))
			if err := os.WriteFile(file, o.Content, 0o600); err != nil {
				return err
			}
			paths.WriteString(file + "\n")
			want = append(want, o.ID)
		}
		if len(want) == 0 {
			continue
		}
		out, err := r.run(ctx, strings.NewReader(paths.String()), nil, "hash-object", "-w", "-t", kind, "--no-filters", "--stdin-paths")
		if err != nil {
			return fmt.Errorf("store %d git objects, each a %s: %w", len(want), kind, err)
		}
		for i, found := range strings.Fields(string(out)) {
			if i >= len(want) || found != want[i] {
				return refusal.New("store git object %s %s: its content has the id %s", kind, want[min(i, len(want)-1)], found)
			}
		}
	}
	return nil
}
