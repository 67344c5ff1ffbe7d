package git

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/operator-release/operator-release/ci/test/long"
)

// shell runs commands in a folder, without settings of the user, and gives what they print.
func shell(t *testing.T, dir, script string) string {
	t.Helper()
	cmd := exec.Command("sh", "-ec", script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", script, err, out)
	}
	return strings.TrimSpace(string(out))
}

// countFetches gives a function that counts the git fetch processes since its last call: those of this package, and
// those that git starts itself.
func countFetches(t *testing.T) func() int {
	t.Helper()
	git, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	trace := filepath.Join(dir, "trace")
	script := fmt.Sprintf("#!/bin/sh\nGIT_TRACE2=%s GIT_TRACE2_BRIEF=1 exec %s \"$@\"\n", trace, git)
	if err := os.WriteFile(filepath.Join(dir, "git"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	return func() int {
		content, _ := os.ReadFile(trace) // none: git did not run
		_ = os.Remove(trace)
		n := 0
		for line := range strings.Lines(string(content)) {
			if words := strings.Fields(line); words[0] == "start" && slices.Contains(words, "fetch") {
				n++
			}
		}
		return n
	}
}

// promising is a bare repository that serves partial clones.
func promising(t *testing.T) string {
	t.Helper()
	source, dir := picking(t), filepath.Join(t.TempDir(), "remote.git")
	shell(t, source.dir, `
for n in 11 12; do sed -i s/^$n$/more-$n/ list; git commit -q -a -m $n; git tag more-$n; done
git clone -q --bare . `+dir)
	shell(t, dir, "git config uploadpack.allowFilter true")
	return dir
}

// partialKinds make DIR a clone of REMOTE.
var partialKinds = []struct{ name, script string }{
	{"blobless", "git clone -q --filter=blob:none file://REMOTE DIR"},
	{"treeless", "git clone -q --filter=tree:0 file://REMOTE DIR"},
	{"limited", "git clone -q --filter=blob:limit=4 file://REMOTE DIR"},
	{"bare", "git clone -q --bare --filter=tree:0 file://REMOTE DIR"},
	{"linked", "git clone -q --bare --filter=tree:0 file://REMOTE DIR.git; git -C DIR.git worktree add -q DIR main"},
	{"borrowing", "git clone -q --bare --filter=tree:0 file://REMOTE DIR.git; " +
		"git clone -q --shared --no-checkout DIR.git DIR; " +
		"git -C DIR fetch -q origin '+refs/heads/*:refs/heads/*' --update-head-ok"},
	{"relative", "git clone -q --no-checkout --filter=tree:0 file://REMOTE DIR; cd DIR; " +
		"git config remote.origin.url ../$(basename REMOTE)"},
}

// clonedAs makes a clone of a kind beside the remote.
func clonedAs(t *testing.T, remote, script string) *Repository {
	t.Helper()
	parent, err := os.MkdirTemp(filepath.Dir(remote), "clone-")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(script, "../") {
		shell(t, parent, "ln -s "+remote+" .")
	}
	dir := filepath.Join(parent, "clone")
	shell(t, parent, strings.NewReplacer("REMOTE", remote, "DIR", dir).Replace(script))
	r, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// contents are the files of a commit.
func contents(ctx context.Context, r *Repository, commit string) (map[string]string, error) {
	tree, err := r.Tree(ctx, commit)
	if err != nil {
		return nil, err
	}
	defer tree.Close()
	all := map[string]string{}
	for _, e := range tree.Entries() {
		content, err := tree.blobs.read(e.ID)
		if err != nil {
			return nil, err
		}
		all[fmt.Sprintf("%s %s %d", e.Mode, e.Path, e.Size)] = string(content)
	}
	return all, nil
}

// TestPartialClones: functions that read objects give the same results in a partial clone and in a full one, with few
// fetches.
func TestPartialClones(t *testing.T) {
	long.Skip(t)
	ctx, remote := t.Context(), promising(t)
	commits := func(r *Repository, names ...string) []Commit {
		t.Helper()
		all, err := r.Commits(ctx, names)
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	by := Person{Name: "Ada", Email: "ada@example.com", Time: time.Unix(1790000000, 0)}
	when := time.Unix(1790000000, 0)
	for _, test := range []struct {
		name    string
		fetches int // at most
		result  func(r *Repository) (any, error)
	}{
		{"tree", 2, func(r *Repository) (any, error) { return contents(ctx, r, "line-work") }},
		{"tree by id", 2, func(r *Repository) (any, error) { return contents(ctx, r, commits(r, "line-work")[0].Tree) }},
		{"changes", 1, func(r *Repository) (any, error) { return r.Changes(ctx, "base", "line-work") }},
		{"changes of commits", 1, func(r *Repository) (any, error) {
			all, err := r.Between(ctx, "", "main")
			if err != nil {
				return nil, err
			}
			return r.ChangesOf(ctx, all)
		}},
		{"patch ids", 2, func(r *Repository) (any, error) {
			all, err := r.Between(ctx, "", "main")
			if err != nil {
				return nil, err
			}
			return r.PatchIDs(ctx, all)
		}},
		{"touched", 4, func(r *Repository) (any, error) {
			p, err := r.Picker(ctx, nil)
			if err != nil {
				return nil, err
			}
			defer p.Close()
			return p.Touched(ctx, commits(r, "base")[0].ID, commits(r, "more-12")[0], "list")
		}},
		{"grep", 2, func(r *Repository) (any, error) {
			return r.Grep(ctx, commits(r, "after-move")[0].ID, []string{"ten"}, nil)
		}},
		{"pick", 2, func(r *Repository) (any, error) {
			q, err := r.Quarantine(ctx, t.TempDir())
			if err != nil {
				return nil, err
			}
			p, err := q.Picker(ctx, nil)
			if err != nil {
				return nil, err
			}
			defer p.Close()
			return p.PickEach(ctx, commits(r, "line-work")[0],
				commits(r, "after-move", "move", "clean", "binary", "on-gone"), nil)
		}},
		{"new commit", 3, func(r *Repository) (any, error) {
			q, err := r.Quarantine(ctx, t.TempDir())
			if err != nil {
				return nil, err
			}
			base := commits(r, "line-work")[0]
			made, err := q.NewCommit(ctx, base, map[string][]byte{"list": []byte("other\n")}, by, "made")
			if err != nil {
				return nil, err
			}
			added, err := q.AddedObjects(ctx, base, made)
			if err != nil {
				return nil, err
			}
			reachable, err := q.Reachable(ctx, []string{made.ID})
			return []any{made, added, reachable}, err
		}},
		{"scratch", 2, func(r *Repository) (any, error) {
			s, err := r.Scratch(ctx, filepath.Join(t.TempDir(), "scratch.git"))
			if err != nil {
				return nil, err
			}
			if s, err = Open(ctx, s.Dir()); err != nil { // from its folder alone
				return nil, err
			}
			return contents(ctx, s, commits(r, "line-work")[0].ID)
		}},
		{"checkout", 2, func(r *Repository) (any, error) {
			dir := filepath.Join(t.TempDir(), "tree")
			if err := r.Checkout(ctx, dir, nil, commits(r, "line-work")[0].ID, "", "", when); err != nil {
				return nil, err
			}
			return shell(t, dir, "git status --porcelain; git log --oneline; cat list moved-later"), nil
		}},
		{"export", 2, func(r *Repository) (any, error) {
			dir := filepath.Join(t.TempDir(), "tree")
			if err := r.Export(ctx, dir, nil, commits(r, "line-work")[0].ID, "", "", when); err != nil {
				return nil, err
			}
			return shell(t, dir, "git status --porcelain; git fsck --full --no-progress; "+
				"sha256sum .git/objects/pack/*.pack list"), nil
		}},
		{"push elsewhere", 2, func(r *Repository) (any, error) {
			dir := filepath.Join(t.TempDir(), "other.git")
			if _, err := Init(ctx, dir, SHA1); err != nil {
				return nil, err
			}
			s, err := r.Scratch(ctx, filepath.Join(t.TempDir(), "scratch.git"))
			if err != nil {
				return nil, err
			}
			if err := s.Remote(dir).Create(ctx, "refs/heads/line", commits(r, "line-work")[0].ID); err != nil {
				return nil, err
			}
			return shell(t, dir, "git fsck --full --no-progress; git log --format=%H -p line"), nil
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			want, err := test.result(clonedAs(t, remote, "git clone -q REMOTE DIR; cd DIR; git branch -q line origin/line"))
			if err != nil || reflect.ValueOf(want).IsZero() {
				t.Fatalf("full: %v, %v", want, err)
			}
			fetches := countFetches(t)
			kinds := partialKinds
			if test.name != "tree" { // which shows how they differ
				kinds = partialKinds[:2]
			}
			for _, kind := range kinds {
				r := clonedAs(t, remote, kind.script)
				fetches()
				got, err := test.result(r)
				n := fetches()
				if test.name == "export" { // its own, of all that it holds
					n--
				}
				if err != nil || !reflect.DeepEqual(got, want) {
					t.Errorf("%s: %v, %v; wanted %v", kind.name, got, err, want)
				}
				if n > test.fetches {
					t.Errorf("%s: %d fetches; wanted at most %d", kind.name, n, test.fetches)
				}
				if r, err = Open(ctx, r.Dir()); err != nil {
					t.Fatal(err)
				}
				again, err := test.result(r)
				if n := fetches(); err != nil || !reflect.DeepEqual(again, want) || n > 0 && test.name != "export" || n > 1 {
					t.Errorf("%s once more: %d fetches, %v, %v", kind.name, n, again, err)
				}
			}
		})
	}
}

// TestPartialCloneOutOfReach: the error of a clone without a reachable remote names a command. After that command the
// error is gone.
func TestPartialCloneOutOfReach(t *testing.T) {
	ctx, remote := t.Context(), promising(t)
	for _, kind := range []string{"blob:none", "tree:0"} {
		r := clonedAs(t, remote, "git clone -q --no-checkout --filter="+kind+" file://REMOTE DIR")
		away := remote + ".away"
		if err := os.Rename(remote, away); err != nil {
			t.Fatal(err)
		}
		_, err := contents(ctx, r, "line-work")
		if err := os.Rename(away, remote); err != nil {
			t.Fatal(err)
		}
		if err == nil {
			t.Fatal(kind + ": the tree was read although its remote is away")
		}
		_, mends, ok := strings.Cut(err.Error(), "fetch all: ")
		if !ok || !strings.Contains(err.Error(), "the partial clone does not have ") ||
			!strings.Contains(err.Error(), "does not appear to be a git repository") {
			t.Fatalf("%s: %v", kind, err)
		}
		shell(t, t.TempDir(), mends)
		if err := os.Rename(remote, away); err != nil {
			t.Fatal(err)
		}
		if r, err = Open(ctx, r.Dir()); err != nil {
			t.Fatal(err)
		}
		if _, err := contents(ctx, r, "line-work"); err != nil {
			t.Errorf("%s: after %s: %v", kind, mends, err)
		}
		if err := os.Rename(away, remote); err != nil {
			t.Fatal(err)
		}
	}
}

// TestPartialCloneByPassword fetches from a remote that asks for a password. The password is no argument of a process.
func TestPartialCloneByPassword(t *testing.T) {
	ctx, remote := t.Context(), promising(t)
	host := served(t, filepath.Dir(remote), "ada", "geheimnis")
	trace := filepath.Join(t.TempDir(), "trace")
	for _, url := range []string{"http://ada:geheimnis@" + host + "/remote.git", "http://" + host + "/remote.git",
		"short:"} {
		settings := fmt.Sprintf("[credential \"http://%s\"]\n\tusername = ada\n\thelper = \"!echo password=geheimnis; "+
			":\"\n[url \"http://%s/remote.git\"]\n\tinsteadOf = short:\n", host, host)
		if strings.Contains(url, "geheimnis") {
			settings = ""
		}
		userSettings(t, settings)
		r := clonedAs(t, remote, "git clone -q --no-checkout --filter=blob:none file://REMOTE DIR; "+
			"git -C DIR config remote.origin.url "+url)
		t.Setenv("GIT_TRACE", trace)
		t.Setenv("GIT_TRACE_REDACT", "0")
		files, err := contents(ctx, r, "line-work")
		if err != nil || len(files) == 0 {
			t.Errorf("%s: %v, %v", url, files, err)
		}
		content, err := os.ReadFile(trace)
		if err != nil || !strings.Contains(string(content), "remote-http") ||
			strings.Contains(string(content), "ada:geheimnis") {
			t.Errorf("%s: trace %s, %v", url, content, err)
		}
		os.Unsetenv("GIT_TRACE")
		os.Remove(trace)
	}
}
