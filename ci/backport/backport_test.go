package backport

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/operator-release/operator-release/ci/change"
	"github.com/operator-release/operator-release/ci/demo"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/refusal"
)

// demoRepository is the demo's, with a quarantine, and its commits by the number of the pull request that merged them into main.
func demoRepository(t *testing.T) (*git.Repository, map[string]string) {
	t.Helper()
	ctx := t.Context()
	dir := filepath.Join(t.TempDir(), "repository")
	if err := demo.Repository(ctx, dir); err != nil {
		t.Fatal(err)
	}
	r, err := git.Open(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	out, err := r.Git(ctx, "log", "--format=%H %s", "main")
	if err != nil {
		t.Fatal(err)
	}
	byRequest := map[string]string{}
	for line := range strings.Lines(out) {
		id, subject, _ := strings.Cut(line, " ")
		byRequest[change.Read(subject).Request()] = id
	}
	if r, err = r.Quarantine(ctx, t.TempDir()); err != nil {
		t.Fatal(err)
	}
	return r, byRequest
}

var line14 = []Line{{Name: "1.4", Branch: "release-1.4", Tip: "release-1.4"}}

func TestOutcomes(t *testing.T) {
	r, main := demoRepository(t)
	o := Options{Repository: r, Lines: line14}
	for _, request := range []string{"145", "151", "128", "134", "115"} {
		o.Commits = append(o.Commits, main[request])
	}
	results, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, res := range results {
		said = append(said, change.Read(res.Subject).Request()+" "+string(res.Outcome)+" "+res.By)
	}
	if got := strings.Join(said, ", "); got != "145 clean , 151 conflict , 128 already there origin, 134 already there origin, 115 already there history" {
		t.Errorf("%s", got)
	}
	conflict := results[1].Conflicts
	if len(conflict) != 1 || conflict[0].Path != "internal/cluster/client.go" || !strings.Contains(conflict[0].Why, "Merge conflict in internal/cluster/client.go") {
		t.Errorf("%+v", conflict)
	}
	if needs := results[1].Needs; len(needs) != 1 || needs[0].Commit != main["140"] || needs[0].Subject != "refactor(cluster): send requests in one place (#140)" {
		t.Errorf("it needs %+v", needs)
	}
	made, err := r.Commit(t.Context(), results[0].Tip)
	if err != nil {
		t.Fatal(err)
	}
	origin, err := r.Commit(t.Context(), results[0].Commit)
	if err != nil {
		t.Fatal(err)
	}
	if made.Author.Name != origin.Author.Name || made.Author.Email != origin.Author.Email || !made.Author.Time.Equal(origin.Author.Time) || !strings.HasSuffix(made.Message, "\n(cherry picked from commit "+origin.ID+")\n") ||
		!strings.HasPrefix(made.Message, strings.TrimRight(origin.Message, "\n")) || results[0].Branch != "backport/"+origin.ID[:12]+"-1.4" {
		t.Errorf("%+v of %+v", made, results[0])
	}
	// Twice is the same commit.
	again, err := Run(t.Context(), o)
	if err != nil || again[0].Tip != results[0].Tip {
		t.Errorf("%+v, %v", again, err)
	}
}

// TestThePrerequisiteFirst: what conflicts alone applies behind what it needs.
func TestThePrerequisiteFirst(t *testing.T) {
	r, main := demoRepository(t)
	results, err := Run(t.Context(), Options{Repository: r, Lines: line14, Together: true, Commits: []string{main["140"], main["151"]}})
	if err != nil || len(results) != 2 || results[0].Outcome != Clean || results[1].Outcome != Clean {
		t.Fatalf("%+v, %v", results, err)
	}
	if results[0].Tip != results[1].Tip || results[0].Branch != "backport/"+main["140"][:12]+"+1-1.4" {
		t.Errorf("%+v", results)
	}
	// The tree is the one that git cherry-pick leaves.
	ctx, dir := t.Context(), t.TempDir()
	plain, err := git.Open(ctx, r.Dir())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plain.Git(ctx, "worktree", "add", "--quiet", "--detach", dir, "release-1.4"); err != nil {
		t.Fatal(err)
	}
	tree, err := git.Open(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tree.Git(ctx, "-c", "user.name=x", "-c", "user.email=x@example.com", "cherry-pick", "-x", main["140"], main["151"]); err != nil {
		t.Fatal(err)
	}
	want, err := tree.Git(ctx, "rev-parse", "HEAD^{tree}")
	if err != nil {
		t.Fatal(err)
	}
	if made, err := r.Commit(ctx, results[0].Tip); err != nil || made.Tree != want {
		t.Errorf("tree %s, git's is %s (%v)", made.Tree, want, err)
	}
	// Taken along, it is the same tree.
	results, err = Run(ctx, Options{Repository: r, Lines: line14, WithNeeds: true, Commits: []string{main["151"]}})
	if err != nil || results[0].Outcome != Clean || len(results[0].Needs) != 1 {
		t.Fatalf("%+v, %v", results, err)
	}
	if made, err := r.Commit(ctx, results[0].Tip); err != nil || made.Tree != want {
		t.Errorf("tree %s, git's is %s (%v)", made.Tree, want, err)
	}
	// With a conflict among them nothing is half done.
	results, err = Run(ctx, Options{Repository: r, Lines: line14, Together: true, Commits: []string{main["145"], main["151"]}})
	if err != nil || results[0].Branch != "" || results[0].Tip != "" || results[1].Outcome != Conflict {
		t.Errorf("%+v, %v", results, err)
	}
}

func TestWhatCannotBePicked(t *testing.T) {
	r, _ := demoRepository(t)
	root, err := r.Git(t.Context(), "rev-list", "--max-parents=0", "main")
	if err != nil {
		t.Fatal(err)
	}
	for revision, want := range map[string]string{"nowhere": `read commit "nowhere"`, root: "it is a root commit", "--all": `read commit "--all"`} {
		if _, err := Run(t.Context(), Options{Repository: r, Lines: line14, Commits: []string{revision}}); !refusal.Is(err) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", revision, err)
		}
	}
}

func TestWithOrigin(t *testing.T) {
	const id = "0123456789abcdef0123456789abcdef01234567"
	line := "(cherry picked from commit " + id + ")\n"
	for message, want := range map[string]string{
		"fix: a":                             "fix: a\n\n" + line,
		"fix: a\n\nWhy.\n":                   "fix: a\n\nWhy.\n\n" + line,
		"fix: a\n\nSigned-off-by: A <a@b>\n": "fix: a\n\nSigned-off-by: A <a@b>\n" + line,
		"fix: a\n\nWhy.\n\nFixes: #1\nSigned-off-by: A <a@b>\n\n": "fix: a\n\nWhy.\n\nFixes: #1\nSigned-off-by: A <a@b>\n" + line,
		"fix: a\n\n(cherry picked from commit 9876543)\n":         "fix: a\n\n(cherry picked from commit 9876543)\n" + line,
		"fix: a\n\n" + line: "fix: a\n\n" + line,
	} {
		if got := WithOrigin(message, id); got != want {
			t.Errorf("%q: %q", message, got)
		}
	}
}
