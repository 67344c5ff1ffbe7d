// Package markdown writes what somebody else wrote as Markdown that shows just this. It renders nothing.
package markdown

import (
	"regexp"
	"strings"
	"unicode"
)

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

// Code makes a text code: between backticks, of which it has none left.
func Code(text string) string {
	return "`" + strings.ReplaceAll(clean(text), "`", "'") + "`"
}
