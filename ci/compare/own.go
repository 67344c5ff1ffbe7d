package compare

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// ownMark stands for a chart's own version in what is compared and shown, so that a label or a tag that merely follows the version is no difference.
const ownMark = "{version}"

var threeNumbers = regexp.MustCompile(`[0-9]\.[0-9]+\.[0-9]`)

// own are the versions of one chart by which it calls itself. Inside of a text they count where they have three numbers at least, as SemVer has; one of two (`1.0`) counts
// alone, and one without a dot never, for it could be anything.
type own struct{ inside, alone []string }

// ownOf takes a chart's version and appVersion, in whatever form.
func ownOf(versions ...string) own {
	var o own
	for _, v := range versions {
		v = strings.TrimPrefix(v, "v")
		switch {
		case threeNumbers.MatchString(v):
			o.inside = append(o.inside, v, strings.ReplaceAll(v, "+", "_")) // as the label helm.sh/chart has it
		case strings.Contains(v, "."):
			o.alone = append(o.alone, v)
		}
	}
	slices.SortFunc(o.inside, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) }) // v1.5.0-rc.0 before v1.5.0
	return o
}

// unversioned gives a text with the chart's own versions marked.
func (o own) unversioned(text string) string {
	if v := strings.TrimPrefix(text, "v"); slices.Contains(o.alone, v) {
		return strings.TrimSuffix(text, v) + ownMark
	}
	for _, v := range o.inside {
		for from := 0; ; {
			at := strings.Index(text[from:], v)
			if at < 0 {
				break
			}
			at += from
			if from = at + len(v); stands(text[:at], text[from:]) {
				text = text[:at] + ownMark + text[from:]
				from = at + len(ownMark)
			}
		}
	}
	return text
}

// stands tells whether what is between two texts is a version by itself: not 1.5.0 of 11.5.0, of 1.5.01 or of 1.5.0.1.
func stands(before, after string) bool {
	before = strings.TrimSuffix(before, "v")
	alnum := func(c byte) bool { return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
	if before != "" && (alnum(before[len(before)-1]) || before[len(before)-1] == '.') {
		return false
	}
	return after == "" || !alnum(after[0]) && (after[0] != '.' || len(after) == 1 || !alnum(after[1]) || after[1] > '9')
}
