package git

import (
	"os"
	"path/filepath"
	"testing"
)

// TestPickReadsTheLine: a pick uses the attributes of the line, not those of the checked out branch. Settings and
// attributes of the clone have no effect.
func TestPickReadsTheLine(t *testing.T) {
	ctx := t.Context()
	r := scripted(t, `
printf 'log merge=union\n' > .gitattributes; mkdir sub; printf 'deep merge=union\n' > sub/.gitattributes
echo 1 > log; echo 1 > sub/deep; echo 1 > plain; seq 9 > was; say base
git branch line; git branch bare-line
echo 2 >> log; echo 2 >> sub/deep; say union
git mv was is; say move
echo 2 >> plain; say plain
git checkout -q line; echo 3 >> log; echo 3 >> sub/deep; echo 3 >> plain; seq 8 > was; say line-work
git checkout -q bare-line; git rm -q .gitattributes sub/.gitattributes; echo 3 >> log; say bare-work
`)
	commit := func(name string) Commit {
		c, err := r.Commit(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	elsewhere := filepath.Join(r.dir, ".git", "info", "attributes")
	for name, set := range map[string][]string{
		"on the development branch": {"checkout", "-q", "-f", "main"},
		"on the line":               {"checkout", "-q", "-f", "line"},
		"on another line":           {"checkout", "-q", "-f", "bare-line"},
		"settings of the clone":     {"config", "merge.renames", "false"},
		"attributes of the clone":   {"config", "core.abbrev", "7"},
	} {
		if _, err := (&Repository{dir: r.dir}).Git(ctx, set...); err != nil {
			t.Fatal(err)
		}
		if name == "attributes of the clone" {
			if err := os.WriteFile(elsewhere, []byte("plain merge=union\n* -diff\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		p, err := r.Picker(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, test := range []struct {
			line, pick string
			conflicts  int
		}{{"line", "union", 0}, {"line", "move", 0}, {"line", "plain", 1}, {"bare-line", "union", 1}, {"line", "union", 0}} {
			picked, err := p.Pick(ctx, commit(test.line), commit(test.pick), nil)
			if err != nil || len(picked.Conflicts) != test.conflicts {
				t.Errorf("%s: %s onto %s: %+v, %v", name, test.pick, test.line, picked, err)
			}
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		_ = os.Remove(elsewhere)
	}
}

// TestPatchIDsOfEveryClone: they do not depend on what is checked out, nor on the clone's attributes.
func TestPatchIDsOfEveryClone(t *testing.T) {
	ctx := t.Context()
	r := scripted(t, `
printf '*.json -diff\n' > .gitattributes; echo '{}' > a.json; say base
echo '{"a": 1}' > a.json; say change
git checkout -q -b line base; git rm -q .gitattributes; say line-work
`)
	patch := func() string {
		c, err := r.Commit(ctx, "change")
		if err != nil {
			t.Fatal(err)
		}
		ids, err := r.PatchIDs(ctx, []Commit{c})
		if err != nil || ids[c.ID] == "" {
			t.Fatalf("%v, %v", ids, err)
		}
		return ids[c.ID]
	}
	without := patch()
	if _, err := (&Repository{dir: r.dir}).Git(ctx, "checkout", "-q", "main"); err != nil {
		t.Fatal(err)
	}
	if with := patch(); with != without {
		t.Errorf("with attributes checked out %s, without %s", with, without)
	}
	if err := os.WriteFile(filepath.Join(r.dir, ".git", "info", "attributes"), []byte("* -diff\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if own := patch(); own != without {
		t.Errorf("with attributes of the clone %s, without %s", own, without)
	}
}
