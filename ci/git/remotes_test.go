package git

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/test/long"
)

// sh runs a shell in a folder, as a user does.
func sh(t *testing.T, dir, script string) string {
	t.Helper()
	cmd := exec.Command("sh", "-e", "-c", script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=Ada",
		"GIT_AUTHOR_EMAIL=ada@example.com",
		"GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.com")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return strings.TrimSpace(string(out))
}

// lines makes a folder with a bare repository remote.git: main, release-1.4, tags on both, and one commit that only its
// tag v1.4.1 leads to.
func lines(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	sh(t, dir, `git init -q -b main work; cd work
		for i in 1 2 3; do git commit -q --allow-empty -m $i; done; git tag -a -m v1.4.0 v1.4.0
		git switch -q -c release-1.4; git commit -q --allow-empty -m 4; git tag -a -m v1.4.1 v1.4.1
		git switch -q main; git commit -q --allow-empty -m 5; git tag -a -m v1.5.0 v1.5.0
		git clone -q --bare . ../remote.git`)
	return dir
}

// TestWhichRemote: the branch's own, the only one, the preferred one, origin; never one of several by chance.
func TestWhichRemote(t *testing.T) {
	ctx, dir := t.Context(), lines(t)
	sh(t, dir, "git init -q -b main upstream")
	for name, c := range map[string]struct{ settings, want, url string }{
		"none":          {"true", "", ""},
		"the only one":  {"git remote add upstream ../remote.git", "upstream", "/remote.git"},
		"origin of two": {"git remote add a ../a; git remote add origin ../remote.git", "origin", "/remote.git"},
		"the branch's": {"git remote add origin ../a; git remote add up ../remote.git; " +
			"git config branch.main.remote up", "up", "/remote.git"},
		"another branch's": {"git remote add origin ../remote.git; git remote add up ../a; " +
			"git config branch.other.remote up", "origin", "/remote.git"},
		"the clone itself": {"git remote add up ../remote.git; git config branch.main.remote .", "up", "/remote.git"},
		"a URL of a branch": {"git remote add up ../remote.git; git config branch.main.remote ../remote.git", "up",
			"/remote.git"},
		"preferred": {"git remote add origin ../a; git remote add up ../remote.git; " +
			"git config checkout.defaultRemote up", "up", "/remote.git"},
		"preferred that is none": {"git remote add origin ../remote.git; git remote add up ../a; " +
			"git config checkout.defaultRemote gone", "origin", "/remote.git"},
		"detached": {"git remote add origin ../remote.git; git remote add up ../a; git config " +
			"branch.main.remote up; git commit -q --allow-empty -m 1; git checkout -q --detach", "origin", "/remote.git"},
		"several URLs": {"git remote add origin ../remote.git; git remote set-url --add origin ../a", "origin",
			"/remote.git"},
		"several":           {"git remote add a ../a; git remote add b ../b", "?several (a, b)", ""},
		"one without a URL": {"git config remote.a.fetch +refs/heads/*:refs/remotes/a/*", "?it has none", ""},
	} {
		at := filepath.Join(dir, strings.NewReplacer(" ", "-", "'", "").Replace(name))
		sh(t, dir, "git init -q -b main "+at+"; cd "+at+"; "+c.settings)
		r, err := Open(ctx, at)
		if err != nil {
			t.Fatal(err)
		}
		found, err := r.FindRemote(ctx, "")
		if want, refused := strings.CutPrefix(c.want, "?"); refused {
			if !refusal.Is(err) || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil || found.Name != c.want || c.url != "" && found.URL != dir+c.url || c.url == "" && found.URL != "" {
			t.Errorf("%s: %+v, %v", name, found, err)
		}
	}

	// A configured name comes before a folder of that name; ./ names the folder.
	t.Chdir(dir)
	r, err := Open(ctx, filepath.Join(dir, "the-only-one"))
	if err != nil {
		t.Fatal(err)
	}
	sh(t, dir, "git -C the-only-one config remote.without-url.fetch +refs/heads/*:refs/remotes/a/*")
	for given, want := range map[string]NamedRemote{
		"upstream":                       {"upstream", filepath.Join(dir, "remote.git")},
		"./upstream":                     {"", filepath.Join(dir, "upstream")},
		"remote.git":                     {"upstream", filepath.Join(dir, "remote.git")},
		"file://" + dir + "/remote.git":  {"upstream", "file://" + dir + "/remote.git"},
		"https://git.example.com/op.git": {"", "https://git.example.com/op.git"},
		"git@git.example.com:op.git":     {"", "git@git.example.com:op.git"},
	} {
		if found, err := r.FindRemote(ctx, given); err != nil || found != want {
			t.Errorf("%s: %+v, %v", given, found, err)
		}
	}
	if found, err := r.FindRemote(ctx, "orgin"); !refusal.Is(err) ||
		!strings.Contains(err.Error(), "it has upstream, without-url") {
		t.Errorf("%+v, %v", found, err)
	}
}

// TestFetchCommand runs the printed command in every kind of clone. Afterwards the clone has every branch, tag and
// commit.
func TestFetchCommand(t *testing.T) {
	long.Skip(t)
	ctx, dir := t.Context(), lines(t)
	url := "file://" + dir + "/remote.git"
	tip := sh(t, dir, "git -C remote.git rev-parse v1.4.1^{}")
	for name, c := range map[string]struct{ make, remote string }{
		"complete":      {"git clone -q " + url + " .", ""},
		"no-tags":       {"git clone -q --no-tags " + url + " .", ""},
		"one-tag-gone":  {"git clone -q " + url + " .; git tag -d v1.4.1", ""},
		"single-branch": {"git clone -q --single-branch " + url + " .", ""},
		"deep-enough":   {"git clone -q --depth 50 " + url + " .", ""},
		"shallow":       {"git clone -q --depth 1 " + url + " .", ""},
		"tag-checkout": {"git init -q; git remote add origin " + url + "; git fetch -q --no-tags --depth=1 origin +" +
			tip + ":refs/tags/v1.4.1; git checkout -q v1.4.1", ""},
		"whole-tag": {"git init -q; git remote add origin " + url + "; git fetch -q --no-tags origin +" + tip +
			":refs/tags/v1.4.1; git checkout -q v1.4.1", ""},
		"one-commit": {"git init -q; git fetch -q --depth 1 " + url + " " + tip + "; git checkout -q FETCH_HEAD", url},
		"one-branch": {"git init -q; git fetch -q " + url + " main; git checkout -q FETCH_HEAD", url},
		"upstream":   {"git clone -q --single-branch -o upstream " + url + " .", ""},
		"fork": {"git init -q ../other; git clone -q --single-branch " + url +
			" .; git remote add fork ../other", ""},
		"by-URL": {"git clone -q --single-branch " + url + " .; git remote set-url origin ../other", url},
		"bare":   {"git clone -q --bare " + url + " .", ""},
		"mirror": {"git clone -q --mirror " + url + " .", ""},
		"elsewhere": {"git init -q -b main; git remote add origin " + url +
			"; git config remote.origin.fetch '+refs/heads/*:refs/remotes/origin/heads/*'; git pull -q origin main", ""},
		"moved-tag": {"git clone -q " + url + " .; git -c user.name=a -c user.email=a@b tag -f -a -m x v1.4.1 main",
			""},
		"linked-worktree": {"git clone -q --single-branch --bare " + url +
			" ../for-worktree; git -C ../for-worktree worktree add -q --detach " + dir + "/linked-worktree", ""},
	} {
		at := filepath.Join(dir, name)
		sh(t, dir, "mkdir "+at+"; cd "+at+"; "+c.make)
		r, err := Open(ctx, at)
		if err != nil {
			t.Fatal(name, err)
		}
		remote, err := r.FindRemote(ctx, c.remote)
		if err != nil {
			t.Fatal(name, err)
		}
		command, err := r.FetchCommand(ctx, remote)
		if err != nil {
			t.Fatal(name, err)
		}
		sh(t, at, command)
		for _, again := range []string{"as printed", "of the clone then"} {
			tags, err := r.Refs(ctx, "refs/tags/")
			if err != nil || tags["v1.4.1"] != tip || len(tags) != 3 {
				t.Errorf("%s, %s: tags %v, %v", name, again, tags, err)
			}
			branches, err := r.Branches(ctx)
			if name == "by-URL" {
				branches.Fetched, err = r.Refs(ctx, "refs/remotes/by-url/")
			}
			if err != nil || branches.Fetched["release-1.4"] != tip ||
				!slices.Equal(slices.Sorted(maps.Keys(branches.Fetched)), []string{"main", "release-1.4"}) {
				t.Errorf("%s, %s: branches %+v, %v", name, again, branches, err)
			}
			if history, err := r.Between(ctx, "", tip); err != nil || len(history) != 4 {
				t.Errorf("%s, %s: %d commits, %v", name, again, len(history), err)
			}
			if command, err = r.FetchCommand(ctx, remote); err != nil || strings.Contains(command, "--unshallow") {
				t.Errorf("%s: %s, %v", name, command, err)
			}
			sh(t, at, command)
		}
	}
}

// TestFetchAdvice: a clone without a remote is told to get one, and the command that follows works then.
func TestFetchAdvice(t *testing.T) {
	ctx, dir := t.Context(), lines(t)
	url := "file://" + dir + "/remote.git"
	const whole = "git fetch --force --tags origin '+refs/heads/*:refs/remotes/origin/*'"
	const shallow = "git fetch --force --tags --unshallow origin '+refs/heads/*:refs/remotes/origin/*'"
	const add = "add the repository's address with git remote add, then run: "
	for name, c := range map[string]struct{ make, want string }{
		"cloned":     {"git clone -q --single-branch " + url + " .", "run: " + whole},
		"depth-1":    {"git clone -q --depth 1 " + url + " .", "run: " + shallow},
		"no-remote":  {"git init -q; git fetch -q " + url + " main", add + whole},
		"no-remote1": {"git init -q; git fetch -q --depth 1 " + url + " main", add + shallow},
		"several": {"git init -q; git remote add a x; git remote add b y",
			"; choose one: git config checkout.defaultRemote NAME"},
	} {
		at := filepath.Join(dir, name)
		sh(t, dir, "mkdir "+at+"; cd "+at+"; "+c.make)
		r, err := Open(ctx, at)
		if err != nil {
			t.Fatal(name, err)
		}
		advice := r.FetchAdvice(ctx)
		if advice != c.want && (name != "several" || !strings.HasSuffix(advice, c.want)) {
			t.Errorf("%s: %s, want %s", name, advice, c.want)
		}
		if command, ok := strings.CutPrefix(advice, add); ok {
			sh(t, at, "git remote add origin "+url+"; "+command)
			if branches, err := r.Branches(ctx); err != nil || branches.Fetched["release-1.4"] == "" {
				t.Errorf("%s: %+v, %v", name, branches, err)
			}
		}
	}
}
