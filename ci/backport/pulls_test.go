package backport

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/operator-release/operator-release/ci/forge"
	"github.com/operator-release/operator-release/ci/forge/forgetest"
	"github.com/operator-release/operator-release/ci/forge/hub"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/version"
)

// opened is a hub of the demo's repository, and its client.
func opened(t *testing.T, r *git.Repository) (*hub.Hub, forge.Forge) {
	t.Helper()
	h, _, address := forgetest.Start(t, hub.Options{Repository: "acme/pi", Git: r, Users: []hub.User{
		{Login: "ada", Token: "secret-of-ada", Role: hub.Write}, {Login: "eve", Role: hub.Triage},
	}})
	f, err := forge.NewGitHub("acme/pi", forge.Options{URL: address, Token: forge.Token("secret-of-ada")})
	if err != nil {
		t.Fatal(err)
	}
	return h, f
}

func TestAsked(t *testing.T) {
	r, main := demoRepository(t)
	h, f := opened(t, r)
	h.AddPull(hub.Pull{Number: 145, Title: "fix", Author: "bob", Head: "side", Base: "main", MergeCommit: main["145"], Labels: []string{"backport 1.4", "backport/release-1.3", "backport 1.4 ", "backport", "backporting 2.0"}})
	h.AddPull(hub.Pull{Number: 151, Title: "fix", Author: "bob", Head: "side", Base: "main", Labels: []string{"backport 1.4"}})
	h.AddPull(hub.Pull{Number: 152, Title: "fix", Author: "bob", Head: "side", Base: "main", State: "closed", Labels: []string{"backport 1.4"}})
	h.AddPull(hub.Pull{Number: 128, Title: "fix", Author: "bob", Head: "side", Base: "main", MergeCommit: main["128"]})
	pattern, err := version.ParsePattern("release-{major}.{minor}")
	if err != nil {
		t.Fatal(err)
	}
	comment := func(action, who, body string, number int, kind string) string {
		return fmt.Sprintf(`{"action": %q, "sender": {"login": "eve"}, "issue": {"number": %d%s}, "comment": {"body": %q, "user": {"login": %q}}}`, action, number, kind, body, who)
	}
	const pull = `, "pull_request": {"url": "x"}`
	happened := func(action, who string, number int) string {
		return fmt.Sprintf(`{"action": %q, "sender": {"login": %q}, "pull_request": {"number": %d, "merged": true, "labels": [{"name": "backport 9.9"}]}}`, action, who, number)
	}
	for _, test := range []struct{ name, event, want string }{
		{"a label of what is merged", happened("labeled", "ada", 145), "145 1.4,1.3"},
		{"merged, whoever merged it", happened("closed", "merge-queue[bot]", 145), "145 1.4,1.3"},
		{"a label by who may not write", happened("labeled", "eve", 145), "eve may not ask for a backport: that takes the right to write, and this is the right to triage"},
		{"a label by a stranger", happened("labeled", "mallory", 145), "mallory may not ask for a backport: that takes the right to write, and this is the right to none"},
		{"a label before the merge", happened("labeled", "ada", 151), `#151 is not merged yet; with the label "backport 1.4" it is picked when it is`},
		{"closed, not merged", happened("closed", "ada", 152), "#152 was closed, and not merged"},
		{"no label", happened("closed", "ada", 128), "#128 has no label that names a line, such as: backport 1.5"},
		{"pushed to", happened("synchronize", "ada", 145), "the event is none that asks for a backport: a comment, or a pull request that is closed or labelled"},
		{"a pull request that is none", happened("closed", "ada", 9), "there is no pull request #9"},
		{"a comment", comment("created", "ada", "/backport 1.4, release-1.3 1.4\r\n\r\nplease", 128, pull), "128 1.4,1.3 answer"},
		{"a comment on an issue", comment("created", "ada", "/backport 1.4", 128, ""), "#128 is no pull request"},
		{"a comment that talks", comment("created", "ada", "I would /backport 1.4", 128, pull), "the comment asks for no backport; its first line would be such as: /backport 1.5"},
		{"a comment without a line", comment("created", "ada", "/backport", 128, pull), "the comment asks for no backport; its first line would be such as: /backport 1.5"},
		{"a comment with a shell in it", comment("created", "ada", "/backport 1.4; rm -rf /", 128, pull), "the comment asks for no backport; its first line would be such as: /backport 1.5"},
		{"a comment that was edited", comment("edited", "ada", "/backport 1.4", 128, pull), "a comment was edited: only a new one asks"},
		{"a comment by who may not", comment("created", "eve", "/backport 1.4", 128, pull), "eve may not ask for a backport: that takes the right to write, and this is the right to triage"},
		{"an early comment", comment("created", "ada", "/backport 1.4", 151, pull), `answer: #151 is not merged yet; with the label "backport 1.4" it is picked when it is`},
		{"nothing", `{}`, "the event is none that asks for a backport: a comment, or a pull request that is closed or labelled"},
	} {
		t.Run(test.name, func(t *testing.T) {
			asked, err := Asked(t.Context(), f, pattern, []byte(test.event))
			if err != nil {
				t.Fatal(err)
			}
			got := asked.Not
			switch {
			case asked.Not != "" && asked.Answer:
				got = "answer: " + asked.Not
			case asked.Not == "":
				got = fmt.Sprintf("%d %s", asked.Number, strings.Join(asked.Lines, ","))
				if asked.Answer {
					got += " answer"
				}
			}
			if got != test.want {
				t.Errorf("%s", got)
			}
		})
	}
	if _, err := Asked(t.Context(), f, pattern, []byte("no event")); !refusal.Is(err) {
		t.Errorf("what is no JSON: %v", err)
	}
	if _, err := Asked(t.Context(), f, pattern, []byte(comment("created", "ada/../../x", "/backport 1.4", 128, pull))); !refusal.Is(err) {
		t.Errorf("a user's name that is none: %v", err)
	}
}

// A squash and a merge are one commit, a rebase is as many as the forge says came by it.
func TestBrought(t *testing.T) {
	r, main := demoRepository(t)
	h, f := opened(t, r)
	out, err := r.Git(t.Context(), "rev-list", "--first-parent", "--max-count=4", main["151"])
	if err != nil {
		t.Fatal(err)
	}
	last := strings.Fields(out)
	h.AddPull(hub.Pull{Number: 1, Title: "squash", Author: "bob", Head: "side", Base: "main", MergeCommit: main["145"]})
	h.AddPull(hub.Pull{Number: 2, Title: "rebase", Author: "bob", Head: "side", Base: "main", MergeCommit: last[0], Rebased: last[1:3]})
	h.AddPull(hub.Pull{Number: 3, Title: "elsewhere", Author: "bob", Head: "side", Base: "main", MergeCommit: strings.Repeat("1", 40)})
	p := Pulls{Forge: f}
	got, err := p.Brought(t.Context(), r, []string{"#1", "HEAD", "#2"})
	if want := []string{main["145"], "HEAD", last[2], last[1], last[0]}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%v %v, want %v", got, err, want)
	}
	for revision, want := range map[string]string{"#3": "fetch main first", "#4": "there is no such pull request"} {
		if _, err := p.Brought(t.Context(), r, []string{revision}); !refusal.Is(err) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", revision, err, want)
		}
	}
}
