package notes

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/version"
)

// history makes a repository by a shell script, in which `say MESSAGE` is a commit, an hour after the one before.
func history(t testing.TB, script string) *git.Repository {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command("bash", "-ec", `
git init -q -b main .
git config user.name Ada; git config user.email ada@example.com
hour=0
say() { hour=$((hour+1)); export GIT_AUTHOR_DATE="$((1767225600+hour*3600)) +0000" GIT_COMMITTER_DATE="$((1767225600+hour*3600)) +0000"; git commit -q --allow-empty -m "$1"; }
pick() { hour=$((hour+1)); GIT_COMMITTER_DATE="$((1767225600+hour*3600)) +0000" git cherry-pick --allow-empty --keep-redundant-commits "$@" >/dev/null; }
`+script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	r, err := git.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// said are the notes in short: TITLE: TEXT #REQUESTS; TEXT | TITLE: …
func said(t *testing.T, r *git.Repository, v, commit, since string) string {
	t.Helper()
	o := Options{Repository: r, Version: version.MustParse(v), Commit: commit, Time: time.Unix(0, 0)}
	var err error
	if o.Commit, err = r.Git(t.Context(), "rev-parse", commit+"^{commit}"); err != nil {
		t.Fatal(err)
	}
	if since != "" {
		o.Since = since
		if o.From, err = r.Git(t.Context(), "rev-parse", since+"^{commit}"); err != nil {
			t.Fatal(err)
		}
	}
	n, err := Collect(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	var groups []string
	for _, g := range n.Groups {
		var entries []string
		for _, e := range g.Entries {
			text := e.Text
			for _, number := range slices.Concat(e.Requests, e.Backports) {
				text += " #" + number
			}
			if e.AlreadyBy != "" {
				text += " by " + e.AlreadyBy
			}
			if e.Author != "Ada" {
				text += " of " + e.Author
			}
			entries = append(entries, text)
		}
		groups = append(groups, g.Title+": "+strings.Join(entries, "; "))
	}
	return strings.Join(groups, " | ")
}

func TestEachChangeOnce(t *testing.T) {
	for name, test := range map[string]struct{ script, version, commit, since, want string }{
		"grouped": {`say 'docs: d (#4)'; say 'fix: b (#2)'; say 'chore: c'; say 'feat: a (#1)'; say 'feat(x)!: e (#5)'`, "v1.0.0", "main", "",
			"Breaking changes: e #5 | Features: a #1 | Fixes: b #2 | Documentation: d #4 | Other changes: c"},
		"since a candidate, and rolled up": {`say base; git tag v0.9.0; say 'feat: a'; git tag v1.0.0-rc.0; say 'fix: b'`, "v1.0.0-rc.1", "main", "v1.0.0-rc.0", "Fixes: b"},
		"taken back within":                {`say base; git tag v0.9.0; say 'feat: a (#1)'; say 'fix: b'; say "$(printf 'Revert "feat: a (#1)" (#2)\n\nThis reverts commit %s.' $(git rev-parse HEAD~1))"`, "v1.0.0", "main", "v0.9.0", "Fixes: b"},
		"taken back from before":           {`say 'feat: a (#1)'; git tag v0.9.0; say "$(printf 'Revert "feat: a (#1)" (#2)\n\nThis reverts commit %s.' $(git rev-parse HEAD))"`, "v1.0.0", "main", "v0.9.0", `Reverted: Revert "feat: a (#1)" #2`},
		"merged requests": {`say base; git tag v0.9.0; git switch -qc side; say 'wip'; say 'wip 2'; git switch -q main; say 'fix: b (#1)'
git merge -q --no-ff -m "$(printf 'Merge pull request #7 from x/side\n\nfeat: a\n\nWhy.')" side
git switch -qc other; say 'feat: c (#8)'; git switch -q main; say 'fix: d (#9)'; git merge -q --no-ff -m "Merge branch 'other'" other`, "v1.0.0", "main", "v0.9.0",
			"Features: a #7; c #8 | Fixes: b #1; d #9"},
		"a merge in a merged request": {`say base; git tag v0.9.0; git switch -qc side; say wip; git switch -q main; say 'fix: b (#1)'; git switch -q side; git merge -q -m "Merge branch 'main' into side" main; say more
git switch -q main; say 'fix: c (#2)'; git merge -q --no-ff -m "$(printf 'Merge pull request #7 from x/side\n\nfeat: a')" side`, "v1.0.0", "main", "v0.9.0", "Features: a #7 | Fixes: b #1; c #2"},
		"the line before has it already": {`say base; git tag v1.4.0; git switch -qc line; git switch -q main
echo a > a; git add a; say 'fix: a (#1)'; echo b > b; git add b; say 'fix: b (#2)'; say 'fix: c (#3)'; say 'feat: d (#4)'
git switch -q line; pick -x main~3; pick main~2; git commit -q --amend -m 'fix: b, again'; say 'fix: c (#3) (#5)'; say 'chore(release): v1.4.1'; git tag v1.4.1; git switch -q main`, "v1.5.0", "main", "v1.4.1",
			"Features: d #4 | Already in v1.4.1: a #1 by origin; b #2 by patch; c #3 by pull request"},
		"a patch": {`say base; git tag v1.4.0; git switch -qc line; git switch -q main; echo a > a; git add a; say 'fix: a (#1)'; git switch -q line; pick -x main; git commit -q --amend -m "$(git log -1 --format=%B | sed '1s/$/ (#6)/')"; say 'Release v1.4.1 (#7)'`,
			"v1.4.1", "line", "v1.4.0", "Fixes: a #1 #6"},
		"squashed picks": {`say base; git tag v1.4.0; say "$(printf 'Cherry-pick for 1.4.1 (#9)\n\n* fix: a (#1)\n\nSigned-off-by: Bob <b@c>\n(cherry picked from commit 1111111)\n\n* feat: b (#2)\n\n(cherry picked from commit 2222222)\n')"`, "v1.4.1", "main", "v1.4.0",
			"Features: b #2 #9 of  | Fixes: a #1 #9 of Bob"},
		"an original and its pick": {`say base; git tag v1.4.0; git switch -qc line; git switch -q main; echo a > a; git add a; say 'fix: a (#1)'; git switch -q line; pick -x main; git commit -q --amend -m "$(git log -1 --format=%B | sed '1s/$/ (#6)/')"
git merge -q -m "Merge branch 'main' into line" main`, "v1.4.1", "line", "v1.4.0", "Fixes: a #1 #6"},
		"nothing": {`say base; git tag v1.4.0`, "v1.4.1", "main", "v1.4.0", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := said(t, history(t, test.script), test.version, test.commit, test.since); got != test.want {
				t.Errorf("\n got %s\nwant %s", got, test.want)
			}
		})
	}
}

// BenchmarkCollect is over 10,000 commits; beside it, git log over the same.
func BenchmarkCollect(b *testing.B) {
	dir := b.TempDir()
	var stream strings.Builder
	for i := range 10_000 {
		message := fmt.Sprintf("%s(x): change number %d (#%d)\n\nSome words about it,\nin several lines.\n\nSigned-off-by: Ada <ada@example.com>\n", []string{"feat", "fix", "chore"}[i%3], i, i)
		fmt.Fprintf(&stream, "commit refs/heads/main\ncommitter Ada <ada@example.com> %d +0000\ndata %d\n%s\nM 100644 inline f\ndata 5\n%05d\n", 1767225600+i, len(message), message, i)
	}
	for _, c := range []struct {
		in   string
		args []string
	}{{"", []string{"init", "-q", "-b", "main", "."}}, {stream.String(), []string{"fast-import", "--quiet"}}} {
		cmd := exec.Command("git", c.args...)
		cmd.Dir, cmd.Stdin = dir, strings.NewReader(c.in)
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
	}
	r, err := git.Open(b.Context(), dir)
	if err != nil {
		b.Fatal(err)
	}
	commit, err := r.Git(b.Context(), "rev-parse", "main")
	if err != nil {
		b.Fatal(err)
	}
	b.Run("notes", func(b *testing.B) {
		for b.Loop() {
			n, err := Collect(b.Context(), Options{Repository: r, Version: version.MustParse("v1.0.0"), Commit: commit, URL: "https://github.com/example/pi"})
			if err != nil || len(n.Markdown()) < 500_000 {
				b.Fatal(err)
			}
		}
	})
	b.Run("git log", func(b *testing.B) {
		for b.Loop() {
			if _, err := r.Git(b.Context(), "log", "--format=raw", commit); err != nil {
				b.Fatal(err)
			}
		}
	})
}
