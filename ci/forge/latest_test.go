package forge_test

import (
	"strings"
	"testing"
	"time"

	"github.com/operator-release/operator-release/ci/forge"
	"github.com/operator-release/operator-release/ci/forge/hub"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/refusal"
)

func TestLatest(t *testing.T) {
	ctx := t.Context()
	_, _, g := start(t, hub.Options{})
	is := func(want string) {
		t.Helper()
		if p, ok, err := g.Latest(ctx); err != nil || p.Tag != want || ok != (want != "") {
			t.Errorf("the latest is %q, %v, %v; want %q", p.Tag, ok, err, want)
		}
	}
	publish := func(tag string, latest forge.Latest) {
		t.Helper()
		if _, err := prepareAndPublish(ctx, g, release(t, tag, nil), latest); err != nil {
			t.Fatal(err)
		}
	}
	publish("v1.5.0-rc.0", forge.LatestNo)
	is("")
	publish("v1.5.0", forge.LatestYes)
	is("v1.5.0")
	publish("v1.6.0", forge.LatestYes)
	publish("v1.5.1", forge.LatestNo) // a patch of an older line
	is("v1.6.0")
	if _, _, err := g.Publish(ctx, release(t, "v1.6.1-rc.0", nil), forge.LatestYes); !refusal.Is(err) {
		t.Errorf("a candidate: %v", err)
	}
	// Taken back: the page before is the latest, and the other one says why not.
	if _, wrote, err := g.Edit(ctx, "v1.5.1", forge.Edit{Latest: forge.LatestYes}); err != nil || !wrote {
		t.Errorf("%v, %v", wrote, err)
	}
	is("v1.5.1")
	body := "**Withdrawn**: it crashes.\n\nWhat is new"
	for _, want := range []bool{true, false} {
		p, wrote, err := g.Edit(ctx, "v1.6.0", forge.Edit{Body: &body, Latest: forge.LatestNo})
		if err != nil || wrote != want || p.Body != body || p.Identity != release(t, "v1.6.0", nil).Identity {
			t.Errorf("%+v, %v, %v", p, wrote, err)
		}
	}
	is("v1.5.1")
	title := "Better"
	if p, wrote, err := g.Edit(ctx, "v1.5.1", forge.Edit{Title: &title, Latest: forge.LatestNo}); err != nil || !wrote || p.Title != title {
		t.Errorf("%+v, %v, %v", p, wrote, err)
	}
	is("v1.6.0") // nobody says which, so it is the newest of those that nobody took it from
	if _, wrote, err := g.Edit(ctx, "v1.5.1", forge.Edit{Latest: forge.LatestLegacy}); err != nil || !wrote {
		t.Errorf("%v, %v", wrote, err)
	}
	for tag, says := range map[string]string{"v9.9.9": "there is none", "v1.5.0-rc.0": "a candidate never is the latest", "../x": "no version's tag"} {
		if _, _, err := g.Edit(ctx, tag, forge.Edit{Latest: forge.LatestYes}); !refusal.Is(err) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", tag, err)
		}
	}
}

// repositoryOf is a bare repository with branches of two commits, main before next, and a tag on main.
func repositoryOf(t *testing.T) (r *git.Repository, main, next, tag string) {
	t.Helper()
	ctx := t.Context()
	r, err := git.Init(ctx, t.TempDir(), git.SHA1)
	if err != nil {
		t.Fatal(err)
	}
	ada := git.Person{Name: "Ada", Email: "ada@example.com", Time: time.Unix(1767225600, 0).UTC()}
	step := func(id string, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	step(r.Store(ctx, "tree", nil))
	main = step(r.NewNote(ctx, nil, ada, "one\n"))
	next = step(r.NewNote(ctx, []string{main}, ada, "two\n"))
	tag = step(r.NewTag(ctx, "v1.5.0", main, ada, "v1.5.0\n"))
	for ref, id := range map[string]string{"refs/heads/main": main, "refs/heads/release-1.5": main, "refs/heads/backport/x-1.5": next, "refs/tags/v1.5.0": tag} {
		step(r.Git(ctx, "update-ref", ref, id))
	}
	return r, main, next, tag
}

// TestTheTagIsThereFirst: GitHub makes a tag that is missing, so a page without one is refused.
func TestTheTagIsThereFirst(t *testing.T) {
	ctx := t.Context()
	repo, main, next, tag := repositoryOf(t)
	h, _, g := start(t, hub.Options{Git: repo})
	for name, c := range map[string]struct {
		tag, object, commit string
		says                string
	}{
		"not there":      {"v1.6.0", "", main, "the tag is not there"},
		"another one":    {"v1.5.0", strings.Repeat("d", 40), main, "the tag there is " + tag},
		"only its start": {"v1.5", "", main, "the tag is not there"},
	} {
		r := release(t, c.tag, nil)
		r.Object, r.Commit = c.object, c.commit
		if _, _, err := g.Prepare(ctx, r); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, _, err := g.Publish(ctx, r, forge.LatestNo); !refusal.Is(err) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	r := release(t, "v1.5.0", nil)
	r.Object, r.Signed, r.Commit = strings.Repeat("d", 40), tag, main
	if p, err := prepareAndPublish(ctx, g, r, forge.LatestYes); err != nil || p.Draft {
		t.Errorf("%+v, %v", p, err)
	}
	r = release(t, "v1.7.0", nil)
	r.Commit = strings.Repeat("e", 40)
	if _, _, err := g.Prepare(ctx, r); err == nil || !strings.Contains(err.Error(), "422 Validation Failed; target_commitish is invalid") {
		t.Errorf("of a commit that is not there: %v", err)
	}
	somebody(t, h, `{"tag_name": "v1.8.0", "target_commitish": "`+next+`"}`)
	if id, err := repo.Git(ctx, "rev-parse", "refs/tags/v1.8.0"); err != nil || strings.TrimSpace(id) != next {
		t.Errorf("the hub makes tags as GitHub does: %q, %v", id, err)
	}
}
