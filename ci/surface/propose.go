package surface

import (
	"bytes"
	"regexp"
	"slices"
	"strings"

	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/version"
)

// mostOnLine bounds how many versions of one line are looked at.
const mostOnLine = 8

// Propose gives surfaces for the settings that write v into a file so that its content becomes another one. They were
// tried on the content, and with the next version on what they make. There are none if no patterns do so.
func Propose(path string, content, wanted []byte, v version.Version) []config.Surface {
	var all []config.Surface
	want := bytes.Split(wanted, []byte("\n"))
	for i := range want {
		for range mostOnLine {
			lines := bytes.Split(content, []byte("\n"))
			if len(lines) != len(want) {
				return nil
			}
			if bytes.Equal(lines[i], want[i]) {
				break
			}
			expr, edited := proposePattern(content, want, i, v)
			if expr == "" {
				return nil
			}
			content, all = edited, append(all, config.Surface{Path: path, Pattern: expr})
		}
	}
	if !bytes.Equal(content, wanted) || !holdsNext(all, wanted, v) {
		return nil
	}
	return all
}

// holdsNext tells whether surfaces write the next version into a content as well, and this one again.
func holdsNext(all []config.Surface, content []byte, v version.Version) bool {
	edited := content
	for _, to := range []version.Version{v.NextPatch(), v} {
		for _, one := range all {
			s := Surface{Path: one.Path, locate: pattern(one.Pattern)}
			var err error
			if edited, err = s.Edit(edited, to, nil); err != nil {
				return false
			}
		}
	}
	return bytes.Equal(edited, content)
}

// anyVersion finds the places of a line that may be versions.
var anyVersion = regexp.MustCompile(versionPatterns[len(versionPatterns)-1])

// exactly is a pattern for a text in which other versions may stand than now.
func exactly(text string) string {
	var b strings.Builder
	for {
		at := anyVersion.FindStringIndex(text)
		if at == nil {
			return b.String() + regexp.QuoteMeta(text)
		}
		b.WriteString(regexp.QuoteMeta(text[:at[0]]) + anyVersion.String())
		text = text[at[1]:]
	}
}

// proposePattern is a pattern that writes v into a line, and the content with it. It changes other lines only to what
// is wanted of them.
func proposePattern(content []byte, want [][]byte, line int, v version.Version) (string, []byte) {
	lines := bytes.Split(content, []byte("\n"))
	text := string(lines[line])
	places, wanted := anyVersion.FindAllStringIndex(text, -1), anyVersion.FindAllString(string(want[line]), -1)
	for i, at := range places {
		stays := len(places) == len(wanted) && wanted[i] == text[at[0]:at[1]]
		if said, _, ok := Parse(text[at[0]:at[1]]); !ok || said == v || stays {
			continue
		}
		prefixes := []string{"(?m)^" + exactly(text[:at[0]])}
		if words := wordsBefore(text[:at[0]]); words != "" {
			prefixes = slices.Insert(prefixes, 0, exactly(words))
		}
		for _, prefix := range prefixes {
			for _, one := range versionPatterns {
				expr := prefix + "(" + one + ")"
				if !catchesWhole(expr, content, []int{line + 1}) {
					continue
				}
				re := regexp.MustCompile(expr)
				s := Surface{Path: "FILE", locate: func(content []byte) ([]Value, error) { return catches(re, content) }}
				edited, err := s.Edit(content, v, nil)
				if err == nil && leadsTo(lines, bytes.Split(edited, []byte("\n")), want, line) {
					return expr, edited
				}
			}
		}
	}
	return "", nil
}

// leadsTo tells whether an edit changed one line, and others only to what is wanted of them.
func leadsTo(lines, edited, want [][]byte, line int) bool {
	if len(edited) != len(want) || bytes.Equal(edited[line], lines[line]) {
		return false
	}
	for i := range edited {
		if i != line && !bytes.Equal(edited[i], lines[i]) && !bytes.Equal(edited[i], want[i]) {
			return false
		}
	}
	return true
}

// wordsBefore are the last words of a text, as many as a pattern needs to be clear.
func wordsBefore(text string) string {
	const enough = 40
	words := strings.TrimLeft(text, " \t")
	if i := strings.IndexByte(words[max(0, len(words)-enough):], ' '); len(words) > enough && i >= 0 {
		words = words[len(words)-enough+i+1:]
	}
	return words
}
