package git

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/operator-release/operator-release/ci/refusal"
)

// repository makes a real one: a few files on main, a tag, a link.
func repository(t *testing.T) *Repository {
	t.Helper()
	dir := t.TempDir()
	script := `
set -e
git init -q -b main .
git config user.name Ada; git config user.email ada@example.com
mkdir -p cmd sub/deep
echo v1.0.0 > VERSION; echo 'echo hi' > cmd/run.sh; chmod +x cmd/run.sh
echo deep > sub/deep/file; ln -s deep/file sub/link; ln -s ../../../etc/passwd sub/out; ln -s sub/deep dirlink
echo a > crlf.txt; printf '*.txt eol=crlf\n' > .gitattributes
git add -A; git commit -q -m first; git tag -a v1.0.0 -m v1.0.0
echo more > more; git add -A; git commit -q -m second
`
	cmd := exec.Command("sh", "-c", script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_DATE=2026-01-02T03:04:05+0200", "GIT_COMMITTER_DATE=2026-01-02T03:04:05+0200")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	r, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestHistory(t *testing.T) {
	ctx, r := t.Context(), repository(t)
	head, branch, err := r.Head(ctx)
	if err != nil || branch != "main" || head.Message != "second\n" || head.Author.Name != "Ada" || len(head.Parents) != 1 ||
		head.Committer.Time.Format(time.RFC3339) != "2026-01-02T03:04:05+02:00" {
		t.Errorf("head %+v on %q, %v", head, branch, err)
	}
	tags, err := r.Refs(ctx, "refs/tags/")
	if err != nil || len(tags) != 1 || tags["v1.0.0"] != head.Parents[0] {
		t.Errorf("tags %v, %v", tags, err)
	}
	for _, c := range []struct {
		commit, ancestor string
		want             bool
	}{{"main", "v1.0.0", true}, {"v1.0.0", "main", false}, {"main", "main", true}} {
		if got, err := r.Descends(ctx, c.commit, c.ancestor); got != c.want || err != nil {
			t.Errorf("%s descends from %s: %v, %v", c.commit, c.ancestor, got, err)
		}
	}
	if _, err := r.Commit(ctx, "nothing"); !refusal.Is(err) {
		t.Errorf("a revision that is none: %v", err)
	}
	if shallow, err := r.Shallow(ctx); shallow || err != nil {
		t.Errorf("shallow: %v %v", shallow, err)
	}
	places, err := r.Grep(ctx, head.ID, []string{"v1.0.0"}, nil)
	if err != nil || len(places) != 1 || places[0] != (Place{"VERSION", 1, "v1.0.0"}) {
		t.Errorf("grep: %v, %v", places, err)
	}
	if places, err = r.Grep(ctx, head.ID, []string{"v1.0.0"}, []string{"VERS*"}); err != nil || places != nil {
		t.Errorf("grep without VERSION: %v, %v", places, err)
	}
}

func TestDirty(t *testing.T) {
	ctx, r := t.Context(), repository(t)
	for _, name := range []string{"dist/v1/out", "dist/v1/deep/er", "dist/chart", "new file", "VERSION", "cmd/v1/out"} {
		path := filepath.Join(r.Dir(), name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte("x"), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	leftOut := func(file string) bool { return strings.HasPrefix(file, "dist/v1/") || strings.HasPrefix(file, "cmd/") }
	got, err := r.Dirty(ctx, leftOut)
	if err != nil || strings.Join(got, ",") != "VERSION,dist/chart,new file" {
		t.Errorf("dirty %q, %v", got, err)
	}
	// A tracked file is looked at in every folder.
	if err := os.WriteFile(filepath.Join(r.Dir(), "cmd/run.sh"), []byte("x"), 0o755); err != nil {
		t.Fatal(err)
	}
	if got, err = r.Dirty(ctx, leftOut); err != nil || strings.Join(got, ",") != "VERSION,cmd/run.sh,dist/chart,new file" {
		t.Errorf("dirty %q, %v", got, err)
	}
}

func TestTreeIsAFileSystem(t *testing.T) {
	ctx, r := t.Context(), repository(t)
	tree, err := r.Tree(ctx, "HEAD")
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	sub, err := fs.Sub(tree, "cmd")
	if err != nil {
		t.Fatal(err)
	}
	if err := fstest.TestFS(sub, "run.sh"); err != nil {
		t.Error(err)
	}
	// The attribute would change these bytes on checkout.
	if got, err := tree.ReadFile("crlf.txt"); err != nil || string(got) != "a\n" {
		t.Errorf("crlf.txt: %q %v", got, err)
	}
	for _, name := range []string{"sub/link", "dirlink/file"} {
		if got, err := tree.ReadFile(name); err != nil || string(got) != "deep\n" {
			t.Errorf("%s: %q %v", name, got, err)
		}
	}
	if _, err := tree.ReadFile("sub/out"); !refusal.Is(err) || !strings.Contains(err.Error(), "leads out of the repository") {
		t.Errorf("sub/out: %v", err)
	}
	if _, err := tree.ReadFile("none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("none: %v", err)
	}
}

func TestWriteTo(t *testing.T) {
	ctx, r := t.Context(), repository(t)
	tree, err := r.Tree(ctx, "HEAD")
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	dir, when := t.TempDir(), time.Unix(1767225600, 0)
	if err := tree.WriteTo(dir, when); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, "cmd/run.sh"))
	if err != nil || info.Mode() != 0o755 || !info.ModTime().Equal(when) {
		t.Errorf("run.sh: %v %v", info, err)
	}
	if target, err := os.Readlink(filepath.Join(dir, "sub/link")); err != nil || target != "deep/file" {
		t.Errorf("link: %s %v", target, err)
	}
}

func TestReleaseCommitTravelsAsObjects(t *testing.T) {
	ctx, r := t.Context(), repository(t)
	base, _, err := r.Head(ctx)
	if err != nil {
		t.Fatal(err)
	}
	edits := map[string][]byte{"VERSION": []byte("v1.1.0\n"), "cmd/run.sh": []byte("echo v1.1.0\n"), "added": []byte("x")}
	make := func() (Commit, string, []Object) {
		q, err := r.Quarantine(ctx, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		c, err := q.NewCommit(ctx, base, edits, base.Committer, "chore(release): v1.1.0\n")
		if err != nil {
			t.Fatal(err)
		}
		tag, err := q.NewTag(ctx, "v1.1.0", c.ID, base.Committer, "v1.1.0\n")
		if err != nil {
			t.Fatal(err)
		}
		objects, err := q.AddedObjects(ctx, base, c, tag)
		if err != nil {
			t.Fatal(err)
		}
		return c, tag, objects
	}
	commit, tag, objects := make()
	again, tagAgain, _ := make()
	if commit.ID != again.ID || tag != tagAgain {
		t.Errorf("made twice: %s %s and %s %s", commit.ID, tag, again.ID, tagAgain)
	}
	if _, err := r.Commit(ctx, commit.ID); err == nil {
		t.Error("the repository that was read has been written to")
	}
	var stream bytes.Buffer
	if err := WriteObjects(&stream, objects); err != nil {
		t.Fatal(err)
	}
	read, err := ReadObjects(&stream)
	if err != nil || len(read) != 7 { // 3 blobs, 2 trees, commit, tag
		t.Fatalf("%d objects, %v", len(read), err)
	}
	if err := r.Import(ctx, read); err != nil {
		t.Fatal(err)
	}
	diff, err := r.Git(ctx, "diff-tree", "-r", base.ID, commit.ID)
	if err != nil || strings.Count(diff, "\n") != 2 || !strings.Contains(diff, ":100755 100755") {
		t.Errorf("diff %s, %v", diff, err)
	}
	if out, err := r.Git(ctx, "fsck", "--strict"); err != nil {
		t.Errorf("fsck: %s %v", out, err)
	}
	read[0].Content = []byte("other")
	if err := r.Import(ctx, read[:1]); !refusal.Is(err) {
		t.Errorf("an object with other content: %v", err)
	}
}

func TestHostileNamesAreRefused(t *testing.T) {
	ctx := context.Background()
	r, err := Init(ctx, t.TempDir(), SHA1)
	if err != nil {
		t.Fatal(err)
	}
	blob, err := r.run(ctx, strings.NewReader("x"), nil, "hash-object", "-w", "--stdin")
	if err != nil {
		t.Fatal(err)
	}
	inner, err := r.run(ctx, strings.NewReader("100644 blob "+strings.TrimSpace(string(blob))+"\tconfig\n"), nil, "mktree")
	if err != nil {
		t.Fatal(err)
	}
	raw := func(text string) string {
		id, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		return string(id)
	}
	file, folder := raw(strings.TrimSpace(string(blob))), raw(strings.TrimSpace(string(inner)))
	entry := func(mode, name, id string) string { return mode + " " + name + "\x00" + id }
	for content, says := range map[string]string{
		entry("40000", ".git", folder):                                    "git's own folder",
		entry("40000", ".GIT", folder):                                    "git's own folder",
		entry("100644", ".Git", file):                                     "git's own folder",
		entry("40000", "..", folder):                                      "leads out",
		entry("40000", ".", folder):                                       "leads out",
		entry("100644", "a/../../b", file):                                "leads out",
		entry("100644", "/etc/passwd", file):                              "leads out",
		entry("100644", strings.Repeat("n", 5000), file):                  "is 5000 bytes long",
		entry("100644", strings.Repeat("n/", 2000)+"n", file):             "is 4001 bytes long",
		entry("100644", "latin-\xe4", file):                               "is no UTF-8",
		entry("100644", "a", file) + entry("100644", "a", file):           `"a" is there twice`,
		entry("120000", "a", file) + entry("40000", "a", folder):          `"a" is a folder, and a file of mode 120000`,
		entry("120000", "a", file) + entry("100644", "a/b/c", file):       `"a" is a folder, and a file of mode 120000`,
		entry("120000", "a", file) + entry("40000", "a\nb", folder):       "",
		entry("100644", "\u202e\x1b", file) + entry("100644", "-n", file): "",
	} {
		id, err := r.run(ctx, strings.NewReader(content), nil, "hash-object", "-t", "tree", "--literally", "-w", "--stdin")
		if err != nil {
			t.Fatal(err)
		}
		tree, err := r.Tree(ctx, strings.TrimSpace(string(id)))
		if says == "" {
			if err != nil {
				t.Errorf("%q: %v", content, err)
			} else if err := errors.Join(tree.WriteTo(t.TempDir(), time.Unix(0, 0)), tree.Close()); err != nil {
				t.Errorf("%q: %v", content, err)
			}
		} else if !refusal.Is(err) || !strings.Contains(err.Error(), says) {
			t.Errorf("%.80q: %v", content, err)
		}
	}
}

// TestExportStandsOnItsOwn: the commit and its tag, clean, without the repository that it came from; twice the same.
func TestExportStandsOnItsOwn(t *testing.T) {
	ctx, r := t.Context(), repository(t)
	head, _, err := r.Head(ctx)
	if err != nil {
		t.Fatal(err)
	}
	quiet, err := r.Quarantine(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	released, err := quiet.NewCommit(ctx, head, map[string][]byte{"VERSION": []byte("v1.0.1\n")}, head.Committer, "release\n")
	if err != nil {
		t.Fatal(err)
	}
	tag, err := quiet.NewTag(ctx, "v1.0.1", released.ID, head.Committer, "v1.0.1\n")
	if err != nil {
		t.Fatal(err)
	}
	objects, err := quiet.AddedObjects(ctx, head, released, tag)
	if err != nil {
		t.Fatal(err)
	}
	var dirs []string
	for range 2 {
		dir := filepath.Join(t.TempDir(), "exported")
		if err := r.Export(ctx, dir, objects, released.ID, "v1.0.1", tag, head.Committer.Time); err != nil {
			t.Fatal(err)
		}
		dirs = append(dirs, dir)
	}
	if err := os.Rename(r.dir, r.dir+".gone"); err != nil {
		t.Fatal(err)
	}
	c := at(dirs[0])
	for args, want := range map[string]string{
		"rev-parse HEAD": released.ID, "status --porcelain": "", "describe --exact-match --tags HEAD": "v1.0.1", "log --format=%s": "release", "fsck": "",
		"cat-file -t v1.0.1": "tag",
	} {
		if got, err := c.Git(ctx, strings.Fields(args)...); err != nil || got != want {
			t.Errorf("git %s: %q, %v", args, got, err)
		}
	}
	if content, err := os.ReadFile(filepath.Join(dirs[0], "VERSION")); err != nil || string(content) != "v1.0.1\n" {
		t.Errorf("%q, %v", content, err)
	}
	if err := exec.Command("git", "-C", dirs[0], "read-tree", "HEAD").Run(); err != nil { // what was asked above has filled in file times
		t.Fatal(err)
	}
	if out, err := exec.Command("diff", "-r", "--no-dereference", dirs[0], dirs[1]).CombinedOutput(); err != nil {
		t.Errorf("%s", out)
	}
}

// TestBetween: what one process gives for many commits is what each says of itself.
func TestBetween(t *testing.T) {
	ctx, r := t.Context(), repository(t)
	p, err := r.Picker(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for _, message := range []string{"third\n\n    indented\n\n\n  and more\nBye", "", "\n\nlate\n"} {
		head, err := r.Git(ctx, "rev-parse", "HEAD")
		if err != nil {
			t.Fatal(err)
		}
		c, err := r.Commit(ctx, head)
		if err != nil {
			t.Fatal(err)
		}
		made, err := p.Commit(c, c.Tree, c, c.Committer, message)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Git(ctx, "update-ref", "HEAD", made.ID); err != nil {
			t.Fatal(err)
		}
	}
	commits, err := r.Between(ctx, "", "HEAD")
	if err != nil || len(commits) != 5 {
		t.Fatalf("%d commits, %v", len(commits), err)
	}
	for _, c := range commits {
		alone, err := r.Commit(ctx, c.ID)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(alone, c) {
			t.Errorf("%+v, alone %+v", c, alone)
		}
	}
	if newer, err := r.Between(ctx, "v1.0.0", "HEAD"); err != nil || len(newer) != 4 {
		t.Errorf("%d since the tag, %v", len(newer), err)
	}
}

// TestTags: when tags were made, and what annotated ones say, also beside what is none.
func TestTags(t *testing.T) {
	ctx := t.Context()
	r, err := Init(ctx, t.TempDir(), SHA1)
	if err != nil {
		t.Fatal(err)
	}
	stream := "commit refs/heads/main\nmark :1\ncommitter Ada <ada@example.com> 1767225600 +0100\ndata 0\n\n" +
		"reset refs/tags/light\nfrom :1\n\ntag v1.0.0\nfrom :1\ntagger Ada <ada@example.com> 1767229200 +0000\ndata 11\nfirst\n\nlast\n"
	if _, err := r.run(ctx, strings.NewReader(stream), nil, "fast-import", "--quiet"); err != nil {
		t.Fatal(err)
	}
	file, err := r.run(ctx, strings.NewReader("text"), nil, "hash-object", "-w", "--stdin")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Git(ctx, "update-ref", "refs/tags/file", string(bytes.TrimSpace(file))); err != nil {
		t.Fatal(err)
	}
	created, err := r.Created(ctx, "refs/tags/")
	if err != nil || len(created) != 2 || !created["light"].Equal(time.Unix(1767225600, 0)) || !created["v1.0.0"].Equal(time.Unix(1767229200, 0)) {
		t.Errorf("made at %v, %v", created, err)
	}
	refs, err := r.Refs(ctx, "refs/tags/")
	if err != nil {
		t.Fatal(err)
	}
	tag, err := r.Git(ctx, "rev-parse", "refs/tags/v1.0.0")
	if err != nil {
		t.Fatal(err)
	}
	// A tag of a tag leads to the commit of the innermost one.
	outer := tag
	for range 2 {
		content := fmt.Sprintf("object %s\ntype tag\ntag outer\n"+
			"tagger Ada <ada@example.com> 1767229200 +0000\n\nouter\n", outer)
		if outer, err = r.Store(ctx, "tag", []byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.Git(ctx, "update-ref", "refs/tags/outer", outer); err != nil {
		t.Fatal(err)
	}
	nested, err := r.Refs(ctx, "refs/tags/")
	if err != nil || nested["outer"] != refs["v1.0.0"] || nested["file"] != refs["file"] {
		t.Errorf("%v, %v", nested, err)
	}
	texts, err := r.TagTexts(ctx, []string{refs["file"], tag, strings.Repeat("0", 40), refs["light"]})
	if text := texts[tag]; err != nil || len(texts) != 1 || !strings.HasPrefix(text, "object "+refs["light"]) || !strings.HasSuffix(text, "\n\nfirst\n\nlast") {
		t.Errorf("%q, %v", texts, err)
	}
}
