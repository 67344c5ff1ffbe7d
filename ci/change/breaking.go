package change

import (
	"regexp"
	"strings"
)

var (
	// breakingFooter is also one in a list, in bold or in a heading, as squashes and templates have it.
	breakingFooter = regexp.MustCompile(`^[\s>*_#-]*BREAKING[ -]CHANGES?[*_]*:[*_]*\s*(.*)$`)
	breakingTitle  = regexp.MustCompile(`(?i)[(\[]breaking(?:[ -]changes?)?[)\]]:?\s*` +
		`|(^|\s)breaking[ -]changes?:\s*|^breaking:\s*`)
	breakingSign = regexp.MustCompile("^(?:\u26a0\ufe0f?|:warning:|\U0001f4a5|:boom:)\\s*")
	trailerLine  = regexp.MustCompile(`^[A-Za-z][A-Za-z-]*: `)
)

// readBreaks reads the footers that say what breaks. Each goes on until an empty line, a trailer or another footer. A
// footer without a text marks the change all the same.
func readBreaks(text string) (texts []string, marked bool) {
	var words []string
	reading := false
	end := func() {
		if len(words) > 0 {
			texts = append(texts, strings.Join(words, " "))
		}
		words, reading = nil, false
	}
	for line := range strings.Lines(text + "\n") {
		line = strings.TrimRight(line, "\n")
		switch found := breakingFooter.FindStringSubmatch(line); {
		case found != nil:
			end()
			words, reading, marked = strings.Fields(found[1]), true, true
		case !reading:
		case strings.TrimSpace(line) == "", trailerLine.MatchString(line):
			end()
		default:
			words = append(words, strings.Fields(line)...)
		}
	}
	end()
	return texts, marked
}

// cutBreaking takes the words that mark a breaking change off a subject.
func cutBreaking(subject string) (rest string, marked bool) {
	rest = breakingSign.ReplaceAllString(subject, "")
	rest = breakingTitle.ReplaceAllString(rest, "$1")
	rest = strings.TrimSpace(rest)
	switch rest {
	case subject:
		return subject, false
	case "":
		return subject, true
	}
	return rest, true
}
