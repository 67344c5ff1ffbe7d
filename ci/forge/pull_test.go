package forge_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/operator-release/operator-release/ci/forge"
	"github.com/operator-release/operator-release/ci/forge/forgetest"
	"github.com/operator-release/operator-release/ci/forge/hub"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/refusal"
)

func TestProposals(t *testing.T) {
	ctx := t.Context()
	repo, main, next, _ := repositoryOf(t)
	h, _, g := start(t, hub.Options{Git: repo})
	want := forge.Proposal{
		Head: "backport/x-1.5", Base: "release-1.5", Commit: next, Title: "[release-1.5] fix: x", Body: "Backport of #7.\n", Labels: []string{"backport", "release-1.5"},
		Reviewers: []string{"ada", "robot", "acme/team", "nobody"}, Assignees: []string{"bob", "eve"},
	}
	if _, ok, err := g.PullOf(ctx, want.Head, want.Base); ok || err != nil {
		t.Fatalf("there is none: %v, %v", ok, err)
	}
	done, err := g.Propose(ctx, want)
	if err != nil || !done.Changed || done.Number != 1 || done.Author != "robot" || done.State != forge.Open || done.Commit != next || !slices.Equal(done.Labels, want.Labels) ||
		!slices.Equal(done.Reviewers, []string{"ada"}) || !slices.Equal(done.Assignees, []string{"bob"}) || done.Body != "Backport of #7." {
		t.Fatalf("%+v, %v", done, err)
	}
	left := strings.Join(done.Left, "\n")
	for _, says := range []string{"ask robot", "cannot be requested from pull request author", "ask nobody", "not a collaborator", "ask acme/team", "to eve: GitHub did not"} {
		if !strings.Contains(left, says) {
			t.Errorf("left %q, want %q", left, says)
		}
	}
	want.Reviewers, want.Assignees = []string{"Ada"}, []string{"bob"}
	before := len(h.Writes())
	if done, err := g.Propose(ctx, want); err != nil || done.Changed || done.Left != nil || len(h.Writes()) != before {
		t.Errorf("again: %+v, %v, wrote %v", done, err, h.Writes()[before:])
	}
	if err := h.Review(1, "ada"); err != nil {
		t.Fatal(err)
	}
	if done, err := g.Propose(ctx, want); err != nil || done.Changed {
		t.Errorf("who has answered is asked again: %+v, %v", done, err)
	}
	want.Title, want.Labels, want.Body = strings.Repeat("long ", 60), append(want.Labels, "more"), strings.Repeat("line\n", 14000)
	done, err = g.Propose(ctx, want)
	if err != nil || !done.Changed || done.Number != 1 || len(done.Labels) != 3 || len([]rune(done.Title)) > 256 || !strings.HasSuffix(done.Body, "*(Shortened: the whole text has 69999 characters.)*") {
		t.Errorf("brought up to date: %d labels, title %q, body %d, %v", len(done.Labels), done.Title, len(done.Body), err)
	}
	if found, err := g.PullsWith(ctx, next); err != nil || len(found) != 1 || found[0].Number != 1 {
		t.Errorf("with the commit: %+v, %v", found, err)
	}
	for _, commit := range []string{main, strings.Repeat("f", 40)} {
		if found, err := g.PullsWith(ctx, commit); err != nil || len(found) != 0 {
			t.Errorf("with %s: %+v, %v", commit, found, err)
		}
	}
	if err := h.Close(1, strings.Repeat("a", 40)); err != nil {
		t.Fatal(err)
	}
	if done, err := g.Propose(ctx, want); err != nil || done.Changed || done.State != forge.Merged || done.MergeCommit != strings.Repeat("a", 40) {
		t.Errorf("once it is merged: %+v, %v", done, err)
	}
	// Something new on the branch is a pull request of its own.
	third, err := repo.NewNote(ctx, []string{next}, git.Person{Name: "Ada", Email: "ada@example.com", Time: time.Unix(1767225601, 0).UTC()}, "three\n")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := repo.Git(ctx, "update-ref", "refs/heads/backport/x-1.5", third); err != nil {
		t.Fatal(err)
	}
	want.Commit = third
	if done, err := g.Propose(ctx, want); err != nil || !done.Changed || done.Number != 2 {
		t.Errorf("of another commit: %+v, %v", done.Pull.Number, err)
	}
	for says, p := range map[string]forge.Proposal{
		"head is invalid":                         {Head: "gone", Base: "main", Title: "x"},
		"base is invalid":                         {Head: "main", Base: "gone", Title: "x"},
		"No commits between main and release":     {Head: "release-1.5", Base: "main", Title: "x"},
		"name both branches":                      {Head: "", Base: "main", Title: "x"},
		"it needs a title":                        {Head: "main", Base: "release-1.5", Title: " "},
		"from mallory:main to main at acme/spark": {Head: "mallory:main", Base: "main", Title: "x"},
	} {
		if _, err := g.Propose(ctx, p); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%+v: %v, want %q", p, err, says)
		}
	}
}

func TestCommentsAreSaidOnce(t *testing.T) {
	ctx := t.Context()
	for who, token := range map[string]string{"robot": secret, "github-actions[bot]": "secret-of-actions"} {
		h, _, address := forgetest.Start(t, hub.Options{Repository: "acme/spark", Users: people()})
		g := open(t, address, token)
		n := h.AddPull(hub.Pull{Title: "x", Author: "ada", Head: "x", Base: "main", Comments: []hub.Comment{{Author: "eve", Body: "mine\n\n<!-- operator-release: conflict 1.5 -->"}, {Author: "ada", Body: "hello"}}})
		for i, c := range []struct {
			key, text string
			wrote     bool
		}{{"conflict 1.5", "it conflicts", true}, {"conflict 1.5", "it conflicts\n", false}, {"conflict 1.4", "there, too", true}, {"conflict 1.5", "no more", true}} {
			if wrote, err := g.Comment(ctx, n, c.key, c.text); err != nil || wrote != c.wrote {
				t.Errorf("%s, %d: %v, %v", who, i, wrote, err)
			}
		}
		want := []hub.Comment{
			{Author: "eve", Body: "mine\n\n<!-- operator-release: conflict 1.5 -->"}, {Author: "ada", Body: "hello"},
			{Author: who, Body: "no more\n\n<!-- operator-release: conflict 1.5 -->"}, {Author: who, Body: "there, too\n\n<!-- operator-release: conflict 1.4 -->"},
		}
		if got := h.Snapshot().Pulls[0].Comments; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %q", who, got)
		}
		for _, key := range []string{"", "a--b", "-->", "a\nb"} {
			if _, err := g.Comment(ctx, n, key, "x"); !refusal.Is(err) {
				t.Errorf("key %q: %v", key, err)
			}
		}
		if _, err := g.Comment(ctx, 99, "x", "x"); err == nil || !strings.Contains(err.Error(), "404 Not Found; there is none") {
			t.Errorf("on none: %v", err)
		}
	}
}

func TestWhoDidWhat(t *testing.T) {
	ctx := t.Context()
	h, _, g := start(t, hub.Options{})
	merge := strings.Repeat("b", 40)
	h.AddPull(hub.Pull{Number: 166, Title: "fix: x", Author: "eve", Head: "x", Base: "main", MergeCommit: merge})
	p, ok, err := g.Pull(ctx, 166)
	if err != nil || !ok || p.Title != "fix: x" || p.Author != "eve" || p.State != forge.Merged {
		t.Errorf("%+v, %v, %v", p, ok, err)
	}
	if _, ok, err := g.Pull(ctx, 167); ok || err != nil {
		t.Errorf("none: %v, %v", ok, err)
	}
	if found, err := g.PullsWith(ctx, merge); err != nil || len(found) != 1 || found[0].Number != 166 {
		t.Errorf("%+v, %v", found, err)
	}
	if _, err := g.PullsWith(ctx, "HEAD"); !refusal.Is(err) {
		t.Errorf("%v", err)
	}
	for user, want := range map[string]forge.Permission{"robot": forge.Write, "ada": forge.Maintain, "bob": forge.Triage, "eve": forge.Read, "stranger": forge.None, "github-actions[bot]": forge.Write} {
		if got, err := g.Permission(ctx, user); err != nil || got != want {
			t.Errorf("%s: %q, %v", user, got, err)
		}
	}
	if _, err := g.Permission(ctx, "../x"); !refusal.Is(err) {
		t.Errorf("%v", err)
	}
	if !forge.Admin.Includes(forge.Write) || forge.Triage.Includes(forge.Write) || forge.Permission("owner").Includes(forge.None) {
		t.Error("permissions do not include each other as they should")
	}
}
