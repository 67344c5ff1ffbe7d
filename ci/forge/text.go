package forge

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/operator-release/operator-release/ci/refusal"
)

// GitHub's bounds of texts, in characters. A text beyond them is shortened, and says so: what it goes with is tagged and public already, and cannot be made again with fewer words.
const (
	maxPage  = 125000
	maxPull  = 65536 // also of a comment
	maxTitle = 256
)

var (
	marked   = regexp.MustCompile(`(?:^|\n)<!-- operator-release: ([^\n]+) -->\s*$`)
	markable = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9 ._:/@+]|-[A-Za-z0-9._:/@+])*$`)
)

// mark hides a key at the end of a text: the text is found by it again.
func mark(text, key string) (string, error) {
	if !markable.MatchString(key) {
		return "", refusal.New("mark a text by %q: a key has letters, digits, single dashes and ._:/@+", key)
	}
	return strings.TrimRight(text, " \t\r\n") + hidden(key), nil
}

func hidden(key string) string { return "\n\n<!-- operator-release: " + key + " -->" }

// unmark takes the key, if any, off a text as the forge gives it.
func unmark(text string) (plain, key string) {
	plain = lines(text)
	if found := marked.FindStringSubmatchIndex(plain); found != nil {
		return strings.TrimRight(plain[:found[0]], " \t\n"), plain[found[2]:found[3]]
	}
	return plain, ""
}

// lines is a text with the line ends of here, and none at its end: the forge keeps neither.
func lines(text string) string {
	return strings.TrimRight(strings.ReplaceAll(text, "\r\n", "\n"), " \t\n")
}

// fit shortens a Markdown text to a number of characters, at the end of a line, and says at its end that more was there.
func fit(text string, most int, more string) string {
	text = lines(text)
	length := utf8.RuneCountInString(text)
	if length <= most {
		return text
	}
	if more == "" {
		more = fmt.Sprintf("*(Shortened: the whole text has %d characters.)*", length)
	}
	const fence = "\n```"
	short := string([]rune(text)[:max(0, most-utf8.RuneCountInString(more)-len(fence)-2)])
	if end := strings.LastIndexByte(short, '\n'); end > 0 {
		short = strings.TrimRight(short[:end], "\n")
	}
	if strings.Count("\n"+short, fence)%2 == 1 {
		short += fence
	}
	return short + "\n\n" + more
}

// fitTitle shortens a line.
func fitTitle(title string) string {
	title = strings.Join(strings.Fields(title), " ")
	if utf8.RuneCountInString(title) <= maxTitle {
		return title
	}
	return strings.TrimRight(string([]rune(title)[:maxTitle-1]), " ") + "…"
}
