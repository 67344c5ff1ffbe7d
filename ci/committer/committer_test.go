package committer

import (
	"testing"
	"time"

	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/git"
)

func TestOf(t *testing.T) {
	when := time.Unix(1767225600, 0)
	for _, c := range []struct {
		name, email string // of the commit's committer
		author      *config.Person
		want        string
	}{
		{"Ada", "ada@example.com", nil, "Ada <ada@example.com>"},
		{"dependabot[bot]", "4+dependabot[bot]@users.noreply.github.com", nil,
			"dependabot[bot] <4+dependabot[bot]@users.noreply.github.com>"},
		{"GitHub", "noreply@github.com", nil, "operator-release[bot] <operator-release@noreply.invalid>"},
		{"GitLab", "noreply@gitlab.com", nil, "operator-release[bot] <operator-release@noreply.invalid>"},
		{"Gitea", "gitea@fake.local", nil, "operator-release[bot] <operator-release@noreply.invalid>"},
		{"Some Forge", "No-Reply@forge.example", nil, "operator-release[bot] <operator-release@noreply.invalid>"},
		{"", "ada@example.com", nil, "operator-release[bot] <operator-release@noreply.invalid>"},
		{"GitHub", "noreply@github.com", &config.Person{Name: "Acme Bot", Email: "bot@acme.example"},
			"Acme Bot <bot@acme.example>"},
		{"Ada", "ada@example.com", &config.Person{Name: `"Acme, Inc."`, Email: "bot@acme.example."},
			"Acme, Inc <bot@acme.example>"},
	} {
		person := git.Person{Name: c.name, Email: c.email, Time: when}
		by := Of(config.Config{Author: c.author}, git.Commit{ID: "0123456789abcdef", Committer: person})
		if got := by.Name + " <" + by.Email + ">"; got != c.want || !by.Time.Equal(when) || by.Because == "" {
			t.Errorf("after %s <%s>: %s, want %s; %+v", c.name, c.email, got, c.want, by)
		}
	}
}

func TestMessage(t *testing.T) {
	by := Committer{Person: git.Person{Name: "Bot", Email: "bot@acme.example"}, SignOff: true}
	for message, want := range map[string]string{
		"chore: x\n":                            "chore: x\n\nSigned-off-by: Bot <bot@acme.example>\n",
		"fix: x\n\nWhy: it was\nbroken.\n":      "fix: x\n\nWhy: it was\nbroken.\n\nSigned-off-by: Bot <bot@acme.example>\n",
		"fix: x\n\nSigned-off-by: Ada <a@b>\n":  "fix: x\n\nSigned-off-by: Ada <a@b>\nSigned-off-by: Bot <bot@acme.example>\n",
		"x\n\n(cherry picked from commit 01)\n": "x\n\n(cherry picked from commit 01)\nSigned-off-by: Bot <bot@acme.example>\n",
		"x\n\nSigned-off-by: Bot <bot@acme.example>\nSigned-off-by: Ada <a@b>\n": "x\n\nSigned-off-by: Bot <bot@acme.example>\nSigned-off-by: Ada <a@b>\n",
	} {
		if got := by.Message(message); got != want {
			t.Errorf("%q became %q, want %q", message, got, want)
		}
	}
	if by.SignOff = false; by.Message("x\n") != "x\n" {
		t.Error("it is signed off")
	}
	if !SignedOff("x\n\nsigned-off-by: A <a@b>\n") || SignedOff("say Signed-off-by: in the text\n") {
		t.Error("sign-offs are not found")
	}
}
