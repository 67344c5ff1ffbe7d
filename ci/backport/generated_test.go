package backport

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/git"
)

// generating is a repository with a line and a development branch whose commits are named by tags. Its gen.sh makes a file of gen/ for every name
// in names, and says in each what all the names are: any two changes of names conflict in gen/, and nowhere else.
func generating(t *testing.T) (*git.Repository, []Line) {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command("sh", "-c", `
set -e
git init -q -b main .
git config user.name Ada; git config user.email ada@example.com
say() { sh gen.sh; rm -f junk; git add -A; git commit -q -m "$1"; git tag "$1"; }
cat > gen.sh <<'END'
rm -rf gen; mkdir gen
for name in $(cat names); do tr '\n' ' ' < names > gen/$name; done
echo junk > junk
END
printf 'a\nb\n-\n-\n-\nc\n' > names; seq 1 9 > src; say base
git branch line
sed -i s/^c/cc/ names; say change
seq 1 9 > other; say beside
echo edited > gen/a; git commit -qam edited; git tag edited
sed -i s/^9/nine/ src; sed -i s/^cc/ccc/ names; say busy
printf '%s\n' 'for name in $(cat names); do echo more > gen/more-$name; done' 'rm -f gen/only-here' >> gen.sh; say more
sed -i s/^1/one/ src; sed -i 's/^b$/bb/' names; say first
sed -i s/^one/1st/ src; sed -i 's/^bb$/bbb/' names; say second
git checkout -q line
printf 'here\nonly-here\n' > start; cat start names > all; mv all names; rm start; sed -i s/^9/neun/ src; say line-work
git checkout -q main
`)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	r, err := git.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if r, err = r.Quarantine(t.Context(), t.TempDir()); err != nil {
		t.Fatal(err)
	}
	return r, []Line{{Name: "1.4", Branch: "line", Tip: "line"}}
}

// counted is a rule for gen/ by gen.sh, and how often it ran. It insists that what it makes is older than what it makes it of, as make does.
func counted(t *testing.T) ([]config.Generated, func() int) {
	file := filepath.Join(t.TempDir(), "ran")
	t.Setenv("RAN", file)
	return []config.Generated{{Paths: []string{"gen/**"}, Command: `echo ran >> "$RAN"; for f in gen/*; do test names -nt $f || exit 9; done; echo changed > src; sh gen.sh`}}, func() int {
		content, _ := os.ReadFile(file)
		return bytes.Count(content, []byte("\n"))
	}
}

func read(t *testing.T, r *git.Repository, commit, path string) string {
	t.Helper()
	content, err := r.Git(t.Context(), "cat-file", "-p", commit+":"+path)
	if err != nil {
		t.Error(err)
	}
	return strings.TrimSpace(content)
}

// names are the files that a commit has, in order.
func names(t *testing.T, r *git.Repository, commit string) string {
	t.Helper()
	out, err := r.Git(t.Context(), "ls-tree", "-r", "--name-only", commit)
	if err != nil {
		t.Error(err)
	}
	return strings.Join(strings.Fields(out), " ")
}

func TestRegenerated(t *testing.T) {
	r, lines := generating(t)
	rules, ran := counted(t)
	// Merged, it conflicts.
	o := Options{Repository: r, Lines: lines, Commits: []string{"change"}}
	results, err := Run(t.Context(), o)
	if err != nil || results[0].Outcome != Conflict || !strings.HasPrefix(results[0].Conflicts[0].Path, "gen/") {
		t.Fatalf("%+v, %v", results, err)
	}
	var log bytes.Buffer
	o.Generated, o.Log = rules, &log
	if results, err = Run(t.Context(), o); err != nil || results[0].Outcome != Clean || ran() != 1 {
		t.Fatalf("%+v, %v, ran %d times", results, err, ran())
	}
	tip := results[0].Tip
	if got := strings.Join(results[0].Regenerated, " "); got != "gen/- gen/a gen/b gen/c gen/cc gen/here gen/only-here" {
		t.Errorf("regenerated %s", got)
	}
	if got := read(t, r, tip, "gen/here"); got != "here only-here a b - - - cc" {
		t.Errorf("gen/here: %s", got)
	}
	// gen/c was deleted, gen/cc added; what the command leaves elsewhere is not taken.
	if got := names(t, r, tip); got != "gen.sh gen/- gen/a gen/b gen/cc gen/here gen/only-here names src" {
		t.Error(got)
	}
	if got := read(t, r, tip, "src"); strings.Contains(got, "changed") {
		t.Errorf("src: %s", got)
	}
	if !strings.HasPrefix(log.String(), "$ echo ran") {
		t.Errorf("log: %q", log.String())
	}
	again, err := Run(t.Context(), o)
	if err != nil || again[0].Tip != tip {
		t.Errorf("twice: %+v, %v", again, err)
	}
	// Two lines side by side.
	o.Lines = append(lines, Line{Name: "1.3", Branch: "base", Tip: "base"})
	if both, err := Run(t.Context(), o); err != nil || len(both) != 2 || both[0].Tip != tip || read(t, r, both[1].Tip, "gen/cc") != "a b - - - cc" {
		t.Errorf("two lines: %+v, %v", both, err)
	}
}

func TestWhatAPickDoesNotTouchIsNotRegenerated(t *testing.T) {
	r, lines := generating(t)
	rules, ran := counted(t)
	rules = append(rules, config.Generated{Paths: []string{"docs"}, Command: "exit 1"})
	results, err := Run(t.Context(), Options{Repository: r, Lines: lines, Generated: rules, Commits: []string{"beside"}})
	if err != nil || results[0].Outcome != Clean || len(results[0].Regenerated) != 0 || ran() != 0 {
		t.Errorf("%+v, %v, ran %d times", results, err, ran())
	}
	// A generated file alone was edited: it is as its sources say.
	results, err = Run(t.Context(), Options{Repository: r, Lines: lines, Generated: rules, Commits: []string{"edited"}})
	if err != nil || results[0].Outcome != Empty || results[0].Tip != "" || ran() != 1 {
		t.Errorf("%+v, %v, ran %d times", results, err, ran())
	}
	// No more than the others is a conflict.
	results, err = Run(t.Context(), Options{Repository: r, Lines: lines, Generated: rules, Commits: []string{"busy"}})
	if err != nil || results[0].Outcome != Conflict || !slices.ContainsFunc(results[0].Conflicts, func(c git.Conflict) bool { return c.Path == "src" }) ||
		slices.ContainsFunc(results[0].Conflicts, func(c git.Conflict) bool { return strings.HasPrefix(c.Path, "gen/") }) || ran() != 1 {
		t.Errorf("%+v, %v, ran %d times", results, err, ran())
	}
}

// TestWhatTheCommandAddsAndDeletes: files that only this line gets, or loses, by the command that the pick brings.
func TestWhatTheCommandAddsAndDeletes(t *testing.T) {
	r, lines := generating(t)
	rules, _ := counted(t)
	results, err := Run(t.Context(), Options{Repository: r, Lines: lines, Generated: rules, Commits: []string{"more"}})
	if err != nil || results[0].Outcome != Clean {
		t.Fatalf("%+v, %v", results, err)
	}
	const want = "gen/more-- gen/more-a gen/more-b gen/more-c gen/more-here gen/more-only-here gen/only-here"
	if got := strings.Join(results[0].Regenerated, " "); got != want {
		t.Errorf("regenerated %s", got)
	}
	if got := names(t, r, results[0].Tip); !strings.Contains(got, "gen/here gen/more-- gen/more-a gen/more-b gen/more-c gen/more-here gen/more-only-here names") {
		t.Error(got)
	}
}

func TestRegeneratedTogether(t *testing.T) {
	r, lines := generating(t)
	rules, ran := counted(t)
	results, err := Run(t.Context(), Options{Repository: r, Lines: lines, Generated: rules, Together: true, Commits: []string{"change", "beside", "more"}})
	if err != nil || len(results) != 3 || results[0].Tip == "" || results[0].Tip != results[2].Tip || ran() != 2 {
		t.Fatalf("%+v, %v, ran %d times", results, err, ran())
	}
	if got := read(t, r, results[2].Tip, "gen/here"); got != "here only-here a b - - - cc" {
		t.Errorf("gen/here: %s", got)
	}
	if got := names(t, r, results[2].Tip); !strings.Contains(got, "gen/more-cc gen/more-here") {
		t.Error(got)
	}
	// What each changed is its own.
	if len(results[1].Regenerated) != 0 || slices.Contains(results[2].Regenerated, "gen/cc") || !slices.Contains(results[2].Regenerated, "gen/more-cc") {
		t.Errorf("%+v", results)
	}
}

// TestRegeneratedWithNeeds: prerequisites are looked for without running anything, and each of those taken along is regenerated.
func TestRegeneratedWithNeeds(t *testing.T) {
	r, lines := generating(t)
	rules, ran := counted(t)
	o := Options{Repository: r, Lines: lines, Generated: rules, Commits: []string{"second"}}
	first, err := r.Commit(t.Context(), "first")
	if err != nil {
		t.Fatal(err)
	}
	results, err := Run(t.Context(), o)
	if err != nil || results[0].Outcome != Conflict || len(results[0].Needs) != 1 || results[0].Needs[0].Commit != first.ID || len(results[0].Failed) != 0 || ran() != 0 {
		t.Fatalf("%+v, %v, ran %d times", results, err, ran())
	}
	o.WithNeeds = true
	if results, err = Run(t.Context(), o); err != nil || results[0].Outcome != Clean || ran() != 2 {
		t.Fatalf("%+v, %v, ran %d times", results, err, ran())
	}
	// Against the line, not against what was taken along.
	if got := strings.Join(results[0].Regenerated, " "); got != "gen/- gen/a gen/b gen/bbb gen/c gen/here gen/only-here" {
		t.Errorf("regenerated %s", got)
	}
	if got := read(t, r, results[0].Tip+"^", "gen/here"); got != "here only-here a bb - - - c" {
		t.Errorf("what was taken along: %s", got)
	}
	o.Generated[0].Command = "grep -q bbb names && exit 4; exit 0"
	if results, err = Run(t.Context(), o); err != nil || results[0].Outcome != Conflict || len(results[0].Failed) != 1 || len(results[0].Needs) != 1 || results[0].Tip != "" {
		t.Errorf("%+v, %v", results, err)
	}
}

func TestCommandsThatFail(t *testing.T) {
	r, lines := generating(t)
	long := `seq 1 30; echo 'no generator' >&2; exit 3`
	o := Options{Repository: r, Lines: lines, Commits: []string{"change", "beside"}, Generated: []config.Generated{
		{Paths: []string{"gen/a*", "gen/b*"}, Command: long}, {Paths: []string{"gen/**"}, Command: "exit 4"}, {Paths: []string{"gen/-"}, Command: "true"},
	}}
	results, err := Run(t.Context(), o)
	if err != nil || results[0].Outcome != Conflict || results[0].Tip != "" || len(results[0].Regenerated) != 0 || results[1].Outcome != Clean {
		t.Fatalf("%+v, %v", results, err)
	}
	if c := results[0].Conflicts; len(c) != 2 || c[0].Path != "gen/a" || !strings.HasPrefix(c[0].Why, "regenerate by `"+long+"`: exit code 3: 22\n23\n") || !strings.HasSuffix(c[0].Why, "\n30\nno generator") ||
		c[1] != (git.Conflict{Path: "gen/-", Why: "regenerate by `exit 4`: exit code 4: it printed nothing"}) || !slices.Equal(results[0].Failed, []string{long, "exit 4"}) {
		t.Errorf("%+v", results[0])
	}
	// With a conflict among them nothing is half done.
	o.Together = true
	if results, err = Run(t.Context(), o); err != nil || results[1].Outcome != Clean || results[1].Tip != "" {
		t.Errorf("%+v, %v", results, err)
	}
}

func TestRegenerateStopped(t *testing.T) {
	r, lines := generating(t)
	ctx, cancel := context.WithCancel(t.Context())
	log := &waker{wake: cancel}
	_, err := Run(ctx, Options{Repository: r, Lines: lines, Commits: []string{"change"}, Log: log, Generated: []config.Generated{{Paths: []string{"gen"}, Command: "echo here; sleep 300"}}})
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "regenerate by `echo here; sleep 300`: stopped") {
		t.Error(err)
	}
	if _, err := Run(t.Context(), Options{Repository: r, Lines: lines, Commits: []string{"change"}, Generated: []config.Generated{{Paths: []string{"["}, Command: "x"}}}); err == nil ||
		!strings.Contains(err.Error(), "read what `x` generates: the pattern \"[\"") {
		t.Error(err)
	}
}

// waker calls a function when a command has printed something.
type waker struct{ wake func() }

func (w *waker) Write(p []byte) (int, error) {
	if bytes.HasPrefix(p, []byte("here")) {
		w.wake()
	}
	return len(p), nil
}
