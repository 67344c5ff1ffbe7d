package notes

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/operator-release/operator-release/ci/markdown"
	"github.com/operator-release/operator-release/ci/render"
)

// Markdown is a section of a changelog: a heading of the second level, what it stands on, and groups below headings of the third.
func (n Notes) Markdown() string {
	var b strings.Builder
	b.WriteString("## " + n.link(n.Version.String(), "releases/tag/"+n.Version.String()) + " (" + n.Time.UTC().Format("2006-01-02") + ")\n")
	if n.Warning != "" {
		b.WriteString("\n> **" + markdown.Escape(n.Warning) + "**\n")
	}
	if n.Since != "" {
		b.WriteString("\nChanges since " + n.link(markdown.Escape(n.Since), "compare/"+url.PathEscape(n.Since)+"..."+n.Version.String()) + ".\n")
	}
	if len(n.Groups) == 0 {
		b.WriteString("\nNothing has changed.\n")
	}
	for _, g := range n.Groups {
		b.WriteString("\n### " + g.Title + "\n\n")
		for _, e := range g.Entries {
			b.WriteString(n.line(e))
		}
	}
	if len(n.Accepted) > 0 {
		b.WriteString("\n### Accepted\n\n")
		for _, a := range n.Accepted {
			b.WriteString("- " + markdown.Code(a.ID) + ": " + markdown.Escape(a.Because) + "\n")
		}
	}
	b.WriteString(n.Lacks())
	return b.String()
}

// Lacks is the part of the notes about images that the release lacks; empty where it lacks none.
func (n Notes) Lacks() string {
	var b strings.Builder
	for i, l := range n.LeftOut {
		if i == 0 {
			b.WriteString("\n### Not in this release\n\n")
		}
		run := render.NotNamed
		switch {
		case len(l.Run) > 0:
			run = "charts run it with their default values (" + markdown.Escape(strings.Join(l.Run, ", ")) + ")"
		case len(l.Unread) > 0:
			run = markdown.Escape(strings.Join(l.Unread, "; "))
		}
		b.WriteString("- image " + markdown.Code(l.Repository) + ", since it was not built (" + markdown.Escape(l.Because) + "); " + run + "\n")
	}
	return b.String()
}

func (n Notes) line(e Entry) string {
	text := markdown.Escape(e.Text)
	if e.Scope != "" {
		text = "**" + markdown.Escape(e.Scope) + ":** " + text
	}
	var behind []string
	for _, number := range e.Mentions {
		behind = append(behind, n.link("#"+number, "issues/"+number))
	}
	for _, number := range e.Requests {
		behind = append(behind, n.link("#"+number, "pull/"+number))
	}
	by := "backported by "
	for _, number := range e.Backports {
		behind = append(behind, by+n.link("#"+number, "pull/"+number))
		by = ""
	}
	if len(e.Requests) == 0 {
		behind = append(behind, n.link(e.Commit[:min(12, len(e.Commit))], "commit/"+e.Commit))
	}
	if name := e.by(); name != "" {
		behind = append(behind, name)
	}
	line := fmt.Sprintf("- %s (%s)\n", text, strings.Join(behind, ", "))
	for _, text := range e.Breaks {
		line += "\n  " + markdown.Escape(text) + "\n"
	}
	return line
}

// link links to a page of the repository; elsewhere than on GitHub, whose pages have these addresses, it is the text alone.
func (n Notes) link(text, page string) string {
	u, err := url.Parse(n.URL)
	if err != nil || u.Host != "github.com" {
		return text
	}
	return "[" + text + "](" + strings.TrimSuffix(n.URL, "/") + "/" + page + ")"
}
