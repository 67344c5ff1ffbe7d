package notes

import (
	"regexp"

	"github.com/operator-release/operator-release/ci/change"
	"github.com/operator-release/operator-release/ci/markdown"
)

// Pull is what a forge knows of a change's pull request.
type Pull struct {
	Title string
	Login string // of who opened it
}

// Enriched are the notes with what pull requests say, by their numbers: whoever opened one stands with the login that the forge knows, and where a commit's subject is no
// Conventional Commit and the pull request's title is one, the title tells what it is. Git alone gives neither, so no bundle holds such notes.
func (n Notes) Enriched(pulls map[string]Pull) Notes {
	var entries []Entry
	for _, g := range n.Groups {
		for _, e := range g.Entries {
			entries = append(entries, e.enriched(pulls))
		}
	}
	n.Groups = group(entries, n.Since)
	return n
}

func (e Entry) enriched(pulls map[string]Pull) Entry {
	if len(e.Requests) == 0 {
		return e
	}
	pull, ok := pulls[e.Requests[0]]
	if !ok {
		return e
	}
	e.Login = pull.Login
	if e.Kind != change.Other || e.Scope != "" {
		return e
	}
	if m := change.Read(pull.Title); m.Kind != change.Other && m.Kind != change.Release && m.Subject != "" {
		e.Kind, e.Scope, e.Text, e.Breaking = m.Kind, m.Scope, m.Subject, e.Breaking || m.Breaking
	}
	return e
}

// account is a person's login; those of apps end otherwise, and cannot be mentioned.
var account = regexp.MustCompile(`^[A-Za-z0-9](?:[-_]?[A-Za-z0-9])*$`)

// by is who made the change: a mention where there is a login.
func (e Entry) by() string {
	if account.MatchString(e.Login) {
		return "@" + e.Login
	}
	if e.Login != "" {
		return markdown.Escape(e.Login)
	}
	return markdown.Escape(e.Author)
}

// Numbers are the pull requests whose title and author enrich the notes: of each change the first, once.
func (n Notes) Numbers() []string {
	seen := map[string]bool{}
	var numbers []string
	for _, g := range n.Groups {
		for _, e := range g.Entries {
			if len(e.Requests) > 0 && !seen[e.Requests[0]] {
				seen[e.Requests[0]] = true
				numbers = append(numbers, e.Requests[0])
			}
		}
	}
	return numbers
}
