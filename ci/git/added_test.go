package git

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// TestAddedObjects: the objects that a release commit adds are the same in every clone. Some clones have some or all of
// them already.
func TestAddedObjects(t *testing.T) {
	ctx, r := t.Context(), repository(t)
	base, _, err := r.Head(ctx)
	if err != nil {
		t.Fatal(err)
	}
	edits := map[string][]byte{
		"VERSION": []byte("v1.1.0\n"),
		"copy":    []byte("deep\n"),    // sub/deep/file of the base
		"known":   []byte("earlier\n"), // of some clones, outside of the base's tree
	}
	added := func(r *Repository) (objects []Object, stream []byte) {
		t.Helper()
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
		if objects, err = q.AddedObjects(ctx, base, c, tag); err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := WriteObjects(&b, objects); err != nil {
			t.Fatal(err)
		}
		return objects, b.Bytes()
	}
	first, want := added(r)
	var kinds []string
	for _, o := range first {
		kinds = append(kinds, o.Type)
	}
	if !slices.Equal(kinds, []string{"blob", "blob", "commit", "tag", "tree"}) { // the copy's blob is the base's
		t.Errorf("added are %q", kinds)
	}
	steps := map[string]func(c *Repository) error{
		"fresh":               func(*Repository) error { return nil },
		"a blob by chance":    func(c *Repository) error { _, err := c.Store(ctx, "blob", edits["known"]); return err },
		"all of it":           func(c *Repository) error { return c.Import(ctx, first) },
		"all of it, in packs": func(c *Repository) error { return c.Import(ctx, first) },
	}
	for name, step := range steps {
		dir := filepath.Join(t.TempDir(), "clone")
		if out, err := exec.Command("git", "clone", "--quiet", "file://"+r.dir, dir).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		c, err := Open(ctx, dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := step(c); err != nil {
			t.Fatal(err)
		}
		if name == "all of it, in packs" {
			for _, args := range [][]string{{"tag", "kept", first[2].ID}, {"repack", "-a", "-d", "-q"}, {"prune-packed", "-q"}} {
				if _, err := c.Git(ctx, args...); err != nil {
					t.Fatal(err)
				}
			}
		}
		if _, got := added(c); !bytes.Equal(got, want) {
			t.Errorf("%s: other objects are listed", name)
		}
	}
	if same, err := r.AddedObjects(ctx, base, base); err != nil || len(same) != 0 {
		t.Errorf("a release as it is adds %d objects, %v", len(same), err)
	}
}

// TestExportIsTheSameFromEveryClone: the packs of a clone do not change the export.
func TestExportIsTheSameFromEveryClone(t *testing.T) {
	ctx, r := t.Context(), repository(t)
	head, _, err := r.Head(ctx)
	if err != nil {
		t.Fatal(err)
	}
	edits := map[string][]byte{}
	for i := range 150 { // above git's limit for loose objects
		line := fmt.Appendf(nil, "line %d\n", i)
		edits[fmt.Sprintf("file-%d", i)] = slices.Concat(line,
			bytes.Repeat([]byte("a line that deltas are made of\n"), 40), line)
	}
	c, err := r.NewCommit(ctx, head, edits, head.Committer, "many\n")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Git(ctx, "update-ref", "HEAD", c.ID); err != nil {
		t.Fatal(err)
	}
	var dirs []string
	for _, pack := range [][]string{{"count-objects"}, {"repack", "-adFq", "--window=0"},
		{"repack", "-adfq", "--window=50", "--depth=50"}} {
		if _, err := r.Git(ctx, pack...); err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join(t.TempDir(), "exported")
		if err := r.Export(ctx, dir, nil, c.ID, "", "", head.Committer.Time); err != nil {
			t.Fatal(err)
		}
		dirs = append(dirs, dir)
	}
	for _, dir := range dirs[1:] {
		if out, err := exec.Command("diff", "-r", "--no-dereference", dirs[0], dir).CombinedOutput(); err != nil {
			t.Errorf("%s", out)
		}
	}
}
