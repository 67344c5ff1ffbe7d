package notes

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"unicode"
)

// Markdown is a section of a changelog: a heading of the second level, what it stands on, and groups below headings of the third.
func (n Notes) Markdown() string {
	var b strings.Builder
	b.WriteString("## " + n.link(n.Version.String(), "releases/tag/"+n.Version.String()) + " (" + n.Time.UTC().Format("2006-01-02") + ")\n")
	if n.Since != "" {
		b.WriteString("\nChanges since " + n.link(Escape(n.Since), "compare/"+url.PathEscape(n.Since)+"..."+n.Version.String()) + ".\n")
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
	return b.String()
}

func (n Notes) line(e Entry) string {
	text := Escape(e.Text)
	if e.Scope != "" {
		text = "**" + Escape(e.Scope) + ":** " + text
	}
	var behind []string
	for i, number := range e.Requests {
		by := ""
		if i == 1 {
			by = "backported by "
		}
		behind = append(behind, by+n.link("#"+number, "pull/"+number))
	}
	if len(behind) == 0 {
		behind = append(behind, n.link(e.Commit[:min(12, len(e.Commit))], "commit/"+e.Commit))
	}
	if name := Escape(e.Author); name != "" {
		behind = append(behind, name)
	}
	line := fmt.Sprintf("- %s (%s)\n", text, strings.Join(behind, ", "))
	if e.Breaks != "" {
		line += "\n  " + Escape(e.Breaks) + "\n"
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

// maxText is as many characters of one text as notes take over.
const maxText = 300

var (
	codeSpan = regexp.MustCompile("(^|[^`])`([^` ]|[^` ][^`]*[^` ])`($|[^`])")
	mention  = regexp.MustCompile(`(^|[^A-Za-z0-9_@/])@([A-Za-z0-9][A-Za-z0-9-]*(?:/[A-Za-z0-9._-]+)?)`)
	special  = regexp.MustCompile("[\\\\`*\\[\\]<>~&|]|^[#+=-]|^[0-9]+[.)]|_+")
)

// Escape makes whatever somebody wrote one line of Markdown that shows just this: code between backticks stays code, a mention becomes code and so notifies
// nobody, everything else is text. Control and format characters, which change how text looks, are left out.
func Escape(text string) string {
	text = clean(text)
	var b strings.Builder
	for {
		at := codeSpan.FindStringSubmatchIndex(text)
		if at == nil {
			break
		}
		b.WriteString(plain(text[:at[3]], b.Len() == 0) + "`" + text[at[4]:at[5]] + "`")
		text = text[at[5]+1:]
	}
	b.WriteString(plain(text, b.Len() == 0))
	return b.String()
}

// clean leaves out what is no text, and cuts off what is too long.
func clean(text string) string {
	var b strings.Builder
	n := 0
	for _, r := range strings.ToValidUTF8(text, "\uFFFD") {
		switch {
		case unicode.IsSpace(r):
			r = ' '
		case unicode.In(r, unicode.C):
			continue
		}
		if n++; n > maxText {
			b.WriteString("…")
			break
		}
		b.WriteRune(r)
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// plain escapes text between code.
func plain(text string, first bool) string {
	var b strings.Builder
	for {
		at := mention.FindStringSubmatchIndex(text)
		if at == nil {
			break
		}
		b.WriteString(escape(text[:at[3]], first && b.Len() == 0) + "`" + text[at[3]:at[1]] + "`")
		text = text[at[1]:]
	}
	b.WriteString(escape(text, first && b.Len() == 0))
	return b.String()
}

func escape(text string, first bool) string {
	var b strings.Builder
	last := 0
	for _, at := range special.FindAllStringIndex(text, -1) {
		found := text[at[0]:at[1]]
		switch {
		case found[0] == '_':
			// Between letters it is none of Markdown's.
			if at[0] > 0 && at[1] < len(text) && isWord(text[at[0]-1]) && isWord(text[at[1]]) {
				continue
			}
			found = strings.Repeat(`\_`, len(found))
		case strings.ContainsAny(found[:1], "#+=-") && !first:
			continue
		case found[0] >= '0' && found[0] <= '9':
			if !first {
				continue
			}
			found = found[:len(found)-1] + `\` + found[len(found)-1:]
		default:
			found = `\` + found
		}
		b.WriteString(text[last:at[0]] + found)
		last = at[1]
	}
	return b.String() + text[last:]
}

func isWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}
