// Package committer decides who makes commits and tags: by the settings, else by a commit. It reads no clock, no user's
// git settings and no environment, so each clone decides the same.
package committer

import (
	"fmt"
	"slices"
	"strings"

	"github.com/operator-release/operator-release/ci/change"
	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/git"
)

// Committer makes commits and tags.
type Committer struct {
	git.Person
	SignOff bool   // its commits are signed off
	Because string // why it is this one, for people
}

// bot makes commits where the settings name no author and a commit names none either. No mail is delivered there.
var bot = config.Person{Name: "operator-release[bot]", Email: "operator-release@noreply.invalid"}

// Of is who makes commits that stand on a commit: the author of the settings, else the commit's committer. A forge that
// committed in its own name is no person, so a bot stands in for it. The time is that of the committer.
func Of(c config.Config, base git.Commit) Committer {
	m := Committer{Person: base.Committer, SignOff: c.SignOff}
	switch {
	case c.Author != nil:
		m.Name, m.Email, m.Because = trimmed(c.Author.Name), trimmed(c.Author.Email), "author in the settings"
	case ofForge(base.Committer):
		m.Name, m.Email = bot.Name, bot.Email
		m.Because = fmt.Sprintf("%.12s was committed by %s <%s>, which is no person; name an author in the settings",
			base.ID, base.Committer.Name, base.Committer.Email)
	default:
		m.Because = fmt.Sprintf("the committer of %.12s", base.ID)
	}
	return m
}

// Message is a commit's message with the committer's sign-off, where commits are signed off.
func (c Committer) Message(message string) string {
	if !c.SignOff {
		return message
	}
	return change.WithTrailer(message, signOff+c.Name+" <"+c.Email+">")
}

const signOff = "Signed-off-by: "

// SignedOff tells whether a message has a sign-off.
func SignedOff(message string) bool {
	return slices.ContainsFunc(strings.Split(message, "\n"), func(line string) bool {
		return len(line) >= len(signOff) && strings.EqualFold(line[:len(signOff)], signOff)
	})
}

// trimmed is a name or an address as git writes it into a commit. A sign-off has to be equal.
func trimmed(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return r <= ' ' || strings.ContainsRune(`.,:;<>"\'`, r) })
}

// forges commit in their own name, where a person merges in a browser.
var forges = []string{"github", "gitlab", "gitea", "forgejo", "bitbucket", "codeberg", "azure devops",
	"gerrit code review"}

// ofForge tells whether a person is a forge, or has no name. Forges answer no mail, and their addresses say so.
func ofForge(p git.Person) bool {
	user, _, _ := strings.Cut(strings.ToLower(p.Email), "@")
	return p.Name == "" || p.Email == "" || slices.Contains(forges, strings.ToLower(p.Name)) ||
		slices.Contains([]string{"noreply", "no-reply", "donotreply", "do-not-reply"}, user)
}
