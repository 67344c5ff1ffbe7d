package git

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// picking is a repository with a line and a development branch, on which each commit is named by a tag.
func picking(t *testing.T) *Repository {
	t.Helper()
	dir := t.TempDir()
	script := `
set -e
git init -q -b main .
git config user.name Ada; git config user.email ada@example.com
say() { git add -A; git commit -q -m "$1"; git tag "$1"; }
seq 1 20 > list; seq 1 20 > moved-later; printf 'a\0b' > binary; printf 'x\r\ny\r\n' > crlf; echo gone > gone; say base
git branch line
sed -i s/^10$/ten/ list; say clean
git mv moved-later moved; say move
sed -i s/^10$/ten/ moved; say after-move
printf 'a\0c' > binary; say binary
echo more >> gone; say on-gone
printf 'x\r\ny\r\nz\r\n' > crlf; say crlf
git checkout -q -b side; sed -i s/^20$/twenty/ list; say in-side
git checkout -q main; echo beside > beside; say beside
git merge -q --no-ff -m merged side; git tag merged
git checkout -q line
printf 'a\0d' > binary; git rm -q gone; sed -i s/^1$/one/ moved-later; say line-work
git checkout -q main
`
	cmd := exec.Command("sh", "-c", script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	r, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if r, err = r.Quarantine(t.Context(), t.TempDir()); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestPick(t *testing.T) {
	ctx, r := t.Context(), picking(t)
	commit := func(name string) Commit {
		c, err := r.Commit(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	on := commit("line")
	for name, test := range map[string]struct {
		changed  string // paths that the pick changes on the line
		conflict string // path and beginning of what git says
	}{
		"clean":      {changed: "list"},
		"move":       {changed: "moved moved-later"},
		"after-move": {changed: "moved-later"}, // the line has the file under its old name
		"crlf":       {changed: "crlf"},
		"merged":     {changed: "list"}, // what the merge brought to its first parent
		"binary":     {conflict: "binary warning: Cannot merge binary files: binary"},
		"on-gone":    {conflict: "gone CONFLICT (modify/delete): gone deleted in"},
	} {
		picked, err := r.Pick(ctx, on, commit(name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if test.conflict != "" {
			if len(picked.Conflicts) != 1 || picked.Tree != "" || !strings.HasPrefix(picked.Conflicts[0].Path+" "+picked.Conflicts[0].Why, test.conflict) {
				t.Errorf("%s: %+v", name, picked)
			}
			continue
		}
		out, err := r.Git(ctx, "diff-tree", "-r", "--name-only", on.Tree, picked.Tree)
		if got := strings.Join(strings.Fields(out), " "); err != nil || got != test.changed {
			t.Errorf("%s changes %q, %v; conflicts %+v", name, got, err, picked.Conflicts)
		}
	}
	if _, err := r.Pick(ctx, on, commit("base")); err == nil || !strings.Contains(err.Error(), "root commit") {
		t.Errorf("a root: %v", err)
	}
	if content, err := r.Git(ctx, "cat-file", "-p", "refs/heads/line:crlf"); err != nil || content != "x\r\ny\r" {
		t.Errorf("the line was written to: %q, %v", content, err)
	}
}

func FuzzParseConflicts(f *testing.F) {
	f.Add("a\x00b\x00\x002\x00a\x00b\x00CONFLICT (contents)\x00CONFLICT (content): in a\n\x00")
	f.Add("\x00-1\x00")
	f.Add("a\x00\x009999999999\x00")
	f.Fuzz(func(t *testing.T, out string) {
		conflicts, err := parseConflicts(out)
		for _, c := range conflicts {
			if err == nil && c.Path == "" {
				t.Errorf("%+v", conflicts)
			}
		}
	})
}
