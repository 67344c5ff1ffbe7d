package upgrade

import "strings"

// Asks reads back what a guide says that has to be done before the upgrade: each point as a line of Markdown.
func Asks(guide string) []string {
	var asks []string
	before, code := false, false
	for line := range strings.Lines(guide) {
		line = strings.TrimRight(line, "\r\n")
		switch {
		case strings.HasPrefix(line, "```"):
			code = !code
		case code:
		case strings.HasPrefix(line, "## "):
			before = line == "## "+headingBefore
		case before && strings.HasPrefix(line, "- "):
			asks = append(asks, strings.TrimPrefix(line, "- "))
		}
	}
	return asks
}
