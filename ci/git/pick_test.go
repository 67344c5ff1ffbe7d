package git

import (
	"bufio"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// scripted is a repository that a script makes, each of whose commits is named by a tag, with a quarantine.
func scripted(t *testing.T, script string) *Repository {
	t.Helper()
	dir := t.TempDir()
	script = `
set -e
git init -q -b main .
git config user.name Ada; git config user.email ada@example.com
say() { git add -A; git commit -q -m "$1"; git tag "$1"; }
` + script
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

// picking is a repository with a line and a development branch.
func picking(t *testing.T) *Repository {
	t.Helper()
	return scripted(t, `
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
`)
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
	p, err := r.Picker(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
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
		picked, err := p.Pick(ctx, on, commit(name), nil)
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
	if _, err := p.Pick(ctx, on, commit("base"), nil); err == nil || !strings.Contains(err.Error(), "root commit") {
		t.Errorf("a root: %v", err)
	}
	if content, err := r.Git(ctx, "cat-file", "-p", "refs/heads/line:crlf"); err != nil || content != "x\r\ny\r" {
		t.Errorf("the line was written to: %q, %v", content, err)
	}
}

// TestTouchedByTheFirst: a commit right behind the fork stands on nothing after it, whatever HEAD is.
func TestTouchedByTheFirst(t *testing.T) {
	ctx, r := t.Context(), scripted(t, "seq 1 9 > a; say base; sed -i s/5/five/ a; say first; sed -i s/5/FIVE/ a; sed -i s/five/FIVE/ a; say second; git rm -q a; say gone")
	p, err := r.Picker(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for name, want := range map[string]string{"first": "", "second": "first"} {
		c, err := r.Commit(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		fork, err := r.Commit(ctx, "base")
		if err != nil {
			t.Fatal(err)
		}
		found, err := p.Touched(ctx, fork.ID, c, "a")
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for i, id := range found {
			if found[i], err = r.Git(ctx, "describe", "--tags", "--exact-match", id); err != nil {
				t.Error(err)
			}
		}
		if got := strings.Join(found, " "); got != want {
			t.Errorf("%s stands on %q", name, got)
		}
	}
}

func TestPickKeeps(t *testing.T) {
	ctx, r := t.Context(), scripted(t, `
echo 1 > gen; echo 1 > gen-old; echo 1 > gen-away; echo 1 > gen-gone; echo 1 > gen-dir; echo 1 > gen-link; echo 1 > src; say base
git branch line
echo 2 > gen; echo 2 > src; say change
echo 2 > gen-new; git rm -q gen-away; say add-and-delete
git mv gen-old gen-moved; say move
echo 2 > gen-gone; say on-gone
git rm -q gen-dir; mkdir gen-dir; echo 2 > gen-dir/x; say folder
ln -sf src gen-link; say link
echo 3 > src; echo 3 > gen; say both
git checkout -q line
echo line > gen; echo line > gen-old; echo line > gen-away; git rm -q gen-gone; echo line > gen-dir; echo line > gen-link; echo line > gen-kept; say line-work
git checkout -q main`)
	commit := func(name string) Commit {
		c, err := r.Commit(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	on := commit("line")
	p, err := r.Picker(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for name, test := range map[string]struct {
		changed, kept, conflicts string
	}{
		"change":         {changed: "M src", kept: "gen"},
		"add-and-delete": {changed: "D gen-away A gen-new", kept: "gen-away gen-new"}, // whatever the line did to it
		"move":           {changed: "A gen-moved D gen-old", kept: "gen-moved gen-old"},
		"on-gone":        {kept: "gen-gone"},
		"folder":         {conflicts: "gen-dir"},
		"link":           {conflicts: "gen-link"},
		"both":           {conflicts: "src"},
	} {
		picked, err := p.Pick(ctx, on, commit(name), func(path string) bool { return strings.HasPrefix(path, "gen") })
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var conflicts []string
		for _, c := range picked.Conflicts {
			conflicts = append(conflicts, c.Path)
		}
		changed := ""
		if picked.Tree != "" {
			if changed, err = r.Git(ctx, "diff-tree", "-r", "--name-status", on.Tree, picked.Tree); err != nil {
				t.Fatal(err)
			}
		}
		if got := strings.Join(strings.Fields(changed), " "); got != test.changed || strings.Join(picked.Kept, " ") != test.kept || strings.Join(conflicts, " ") != test.conflicts {
			t.Errorf("%s: changed %q, kept %q, conflicts %+v", name, got, picked.Kept, picked.Conflicts)
		}
		if name == "move" { // what is added is the commit's own, not what a merge makes of the line's
			if content, err := r.Git(ctx, "cat-file", "-p", picked.Tree+":gen-moved"); err != nil || content != "1" {
				t.Errorf("gen-moved is %q, %v", content, err)
			}
		}
	}
}

func TestTake(t *testing.T) {
	ctx, r := t.Context(), scripted(t, "mkdir gen; echo 1 > gen/same; echo 1 > gen/other; echo 1 > gen/gone; echo 1 > src; ln -s same gen/link; say base")
	base, err := r.Commit(ctx, "base")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir() + "/tree"
	if err := r.Checkout(ctx, dir, nil, base.ID, "", "", base.Committer.Time); err != nil {
		t.Fatal(err)
	}
	inGen := func(path string) bool { return strings.HasPrefix(path, "gen/") }
	if tree, err := r.Take(ctx, base.Tree, dir, inGen); err != nil || tree != base.Tree {
		t.Errorf("of what is the same: %s, %v; want %s", tree, err, base.Tree)
	}
	cmd := exec.Command("sh", "-c", "echo 2 > gen/other; rm gen/gone; echo 2 > src; echo 2 > new; ln -sf other gen/link; mkdir -p gen/sub/.git; echo 2 > gen/sub/run; chmod 700 gen/sub/run; echo 2 > gen/sub/.git/x; mkfifo gen/pipe")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	tree, err := r.Take(ctx, base.Tree, dir, inGen)
	if err != nil {
		t.Fatal(err)
	}
	changes, err := r.Changes(ctx, base.Tree, tree)
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for name, c := range changes {
		said = append(said, name+" "+c.From.Mode+" "+c.To.Mode)
	}
	slices.Sort(said)
	if got := strings.Join(said, ", "); got != "gen/gone 100644 , gen/link 120000 120000, gen/other 100644 100644, gen/sub/run  100755" {
		t.Error(got)
	}
}

// TestCheckoutOfAQuarantine: a commit that is in a quarantine alone can be checked out, and git answers for it.
func TestCheckoutOfAQuarantine(t *testing.T) {
	ctx, r := t.Context(), scripted(t, "echo 1 > a; say base")
	base, err := r.Commit(ctx, "base")
	if err != nil {
		t.Fatal(err)
	}
	made, err := r.NewCommit(ctx, base, map[string][]byte{"a": []byte("2\n")}, base.Committer, "more")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir() + "/tree"
	if err := r.Checkout(ctx, dir, nil, made.ID, "", "", base.Committer.Time); err != nil {
		t.Fatal(err)
	}
	c, err := Open(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	if head, _, err := c.Head(ctx); err != nil || head.ID != made.ID {
		t.Errorf("HEAD is %s, %v", head.ID, err)
	}
	if dirty, err := c.Dirty(ctx, inDist); err != nil || len(dirty) > 0 {
		t.Errorf("dirty: %q, %v", dirty, err)
	}
	if content, err := os.ReadFile(dir + "/a"); err != nil || string(content) != "2\n" {
		t.Errorf("a is %q, %v", content, err)
	}
}

func FuzzReadMerge(f *testing.F) {
	f.Add("1\x00tree\x00\x00")
	f.Add("0\x00tree\x00a\x00b\x00\x002\x00a\x00b\x00CONFLICT (contents)\x00CONFLICT (content): in a\n\x00\x00")
	f.Add("0\x00tree\x00\x00-1\x00")
	f.Add("0\x00tree\x00a\x00\x009999999999\x00")
	f.Fuzz(func(t *testing.T, out string) {
		_, conflicts, err := readMerge(bufio.NewReader(strings.NewReader(out)))
		for _, c := range conflicts {
			if err == nil && c.Path == "" {
				t.Errorf("%+v", conflicts)
			}
		}
	})
}
