package change

import (
	"regexp"
	"slices"
	"strings"
)

var trailer = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9-]*: |\(cherry picked from commit )`)

// WithTrailer adds a line behind a message's trailers, or as a paragraph of its own. A line that is there stays once.
func WithTrailer(message, line string) string {
	message = strings.TrimRight(message, "\n")
	if slices.Contains(strings.Split(message, "\n"), line) {
		return message + "\n"
	}
	paragraphs := strings.Split(message, "\n\n")
	trailers := len(paragraphs) > 1
	for l := range strings.Lines(paragraphs[len(paragraphs)-1]) {
		trailers = trailers && trailer.MatchString(l)
	}
	if trailers {
		return message + "\n" + line + "\n"
	}
	return message + "\n\n" + line + "\n"
}
