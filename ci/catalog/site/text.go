package site

import (
	"fmt"
	"html/template"
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// acts tells whether a character does something instead of being seen: control characters, those that turn the direction of text, invisible ones, and what is no character at
// all. Line feeds and tabs are what they are in any text, and joiners belong to scripts and to emoji.
func acts(r rune) bool {
	switch {
	case r == '\n' || r == '\t' || r == 0x200c || r == 0x200d:
		return false
	case r < 0x7f:
		return r < 0x20
	case unicode.Is(unicode.Prepended_Concatenation_Mark, r):
		return false
	case r&0xfffe == 0xfffe || r >= 0xfdd0 && r <= 0xfdef:
		return true
	}
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Bidi_Control, unicode.Other_Default_Ignorable_Code_Point)
}

// Visible shows characters that would act on the text around them, or would not be seen, by their numbers: ⟨U+202E⟩. Bytes that are no UTF-8 become U+FFFD. Every
// page passes it as a whole before it is written, so no text comes around it.
func Visible(s string) string {
	if utf8.ValidString(s) && strings.IndexFunc(s, acts) < 0 {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 64)
	for _, r := range s { // a byte that is no UTF-8 is U+FFFD
		if acts(r) {
			fmt.Fprintf(&b, "⟨U+%04X⟩", r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// short cuts a text to so many characters.
func short(s string, most int) string {
	if len(s) <= most {
		return s
	}
	n := 0
	for at := range s {
		if n++; n > most {
			return s[:at] + "…"
		}
	}
	return s
}

// address is a link's target if it is one that a page may lead to: over HTTP, and without a user's name, which makes a host look like another one.
func address(s string) (string, bool) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil {
		return "", false
	}
	return u.String(), true
}

// home is the address of a repository at a host that has GitHub's addresses: https://HOST/OWNER/NAME. It is empty for any other.
func home(s string) string {
	u, err := url.Parse(strings.TrimSuffix(strings.TrimSuffix(s, "/"), ".git"))
	if err != nil || u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "" ||
		u.Host != "github.com" && !strings.HasPrefix(u.Host, "github.") || strings.Count(strings.Trim(u.Path, "/"), "/") != 1 {
		return ""
	}
	return u.String()
}

var (
	plainWord = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)
	noID      = regexp.MustCompile(`[^A-Za-z0-9._-]+`)
	noName    = regexp.MustCompile(`[^a-z0-9]+`)
)

// word is a text as one word of a shell.
func word(s string) string {
	if plainWord.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// slug is a name that can stand anywhere.
func slug(s string) string {
	if s = strings.Trim(noName.ReplaceAllString(strings.ToLower(s), "-"), "-"); s == "" {
		return "charts"
	}
	return s
}

// anchor is the id of a line's section.
func anchor(line string) string { return "line-" + noID.ReplaceAllString(line, "-") }

// size is how many bytes a file has, for people.
func size(bytes int64) string {
	if bytes < 1024 {
		return fmt.Sprintf("%d B", bytes)
	}
	n, unit := float64(bytes)/1024, 0
	for ; n >= 1024 && unit < 3; unit++ {
		n /= 1024
	}
	return fmt.Sprintf("%.1f %ciB", n, "KMGT"[unit])
}

// counted is a number of things, whose plural ends in s.
func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// escape is a text in HTML.
func escape(s string) string { return Visible(template.HTMLEscapeString(s)) }

// who is a person's name, without the address behind it: a page shows nobody's mail to everybody.
func who(by string) string {
	name, _, _ := strings.Cut(by, " <")
	return name
}
