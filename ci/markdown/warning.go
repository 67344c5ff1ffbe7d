package markdown

import "strings"

// What stands around a warning, so that it is found again.
const (
	warningBegins = "<!-- operator-release: warning -->"
	warningEnds   = "<!-- operator-release: end of warning -->"
)

// Warn is a text with a warning at its beginning, instead of the one that was there; without one where it is empty. A text that has this very warning, or none, stays as it is.
func Warn(text, warning string) string {
	if before, rest, ok := strings.Cut(text, warningBegins); ok {
		if _, after, ok := strings.Cut(rest, warningEnds); ok {
			text = strings.TrimLeft(before+after, "\n")
		}
	}
	if warning == "" {
		return text
	}
	return warningBegins + "\n> [!CAUTION]\n> **" + Escape(warning) + "**\n" + warningEnds + "\n\n" + text
}
