package surface

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/operator-release/operator-release/ci/version"
)

// pattern is a regular expression of the settings. Its group has to catch one whole version each time.
func pattern(expr string) func([]byte) ([]Value, error) {
	re := regexp.MustCompile(expr) // checked when the settings were read
	return func(content []byte) ([]Value, error) {
		values, err := catches(re, content)
		if err != nil {
			return nil, &badPattern{err, patternAdvice(expr, content)}
		}
		if len(values) == 0 {
			return nil, &badPattern{fmt.Errorf("the pattern %q matches nothing in it", expr),
				"correct it under surfaces in the settings"}
		}
		return values, nil
	}
}

// badPattern says what a pattern of the settings does, and what to do about it.
type badPattern struct {
	error
	advice string
}

func (b *badPattern) Error() string { return b.error.Error() + "; " + b.advice }
func (b *badPattern) Unwrap() error { return b.error }

// patternAdvice says which pattern is right for a content.
func patternAdvice(expr string, content []byte) string {
	advice := "no pattern fits: write the version there so that no other character of a version is beside it"
	if right := rightPattern(expr, content); right != "" {
		advice = fmt.Sprintf("this pattern is right: %s", right)
	}
	return "correct the pattern under surfaces in the settings; " + advice
}

// catches are what the group of a pattern catches. A catch that is not exactly one version is an error.
func catches(re *regexp.Regexp, content []byte) ([]Value, error) {
	var values []Value
	spelled := spelledBehind(re)
	for _, m := range re.FindAllSubmatchIndex(content, -1) {
		if m[2] < 0 {
			continue
		}
		start, end := m[2], m[3]
		text := string(content[start:end])
		_, form, ok := Parse(text)
		fault := ""
		if before, after := touching(content, start, end, spelled); !ok {
			fault = "that is not exactly one version"
		} else if before+after != "" {
			fault = fmt.Sprintf("that is a part of %q", before+text+after)
		}
		if fault != "" {
			return nil, fmt.Errorf("line %d: the pattern %q catches %q, and %s", lineAt(content, start), re, text, fault)
		}
		if inBadge(content, start) && form.Candidate == "" {
			form.Candidate = Badge.Candidate
		}
		values = append(values, Value{Name: re.String(), Start: start, End: end, Form: form, Always: true})
	}
	return values, nil
}

var (
	// versionEnd is the end of a text that could belong to the version behind it: digits and dots, or a v of its own.
	versionEnd = regexp.MustCompile(`(?:[0-9]\.?|(?:^|[^0-9A-Za-z])[vV])$`)
	// versionStart is the start of a text that belongs to the version before it: letters and digits, build metadata, a
	// further number, a commit, and a word for a stage of development.
	versionStart = regexp.MustCompile(`^(?:[0-9A-Za-z]|[+~][0-9A-Za-z]|--|-[0-9]|\.[0-9]|-g?[0-9a-f]{7,40}\b|` +
		stage + `)`)
	// badgeStart is versionStart in the address of a badge, where one dash separates fields and two are a dash.
	badgeStart = regexp.MustCompile(`^(?:[0-9A-Za-z]|\+[0-9A-Za-z]|--|\.[0-9]|` + strings.Replace(stage, "-", "", 1) + `)`)
	// fileStart is the start of what names of files and of images have behind a version: a system, an architecture, a
	// kind of file, a base.
	fileStart = regexp.MustCompile(`^[-._](?i:linux|darwin|mac(?:os)?|osx|windows|win(?:32|64)?|freebsd|netbsd|openbsd|` +
		`solaris|illumos|aix|android|js|wasm|wasip1|amd64|x86[-_]64|x86|x64|i?386|i686|` +
		`arm(?:64|hf|el|v?[5-8]l?)?(?:v[6-9])?|` +
		`aarch64|s390x|ppc64(?:le|el)?|riscv64|loong(?:64|arch64)|mips\w*|musl|gnu|glibc|universal|noarch|all|any|` +
		`src|sources?|docs?|checksums?|sha(?:256|512)(?:sums?)?|sbom|manifests?|crds?|install(?:er)?|bundle|charts?|` +
		`images?|binar(?:y|ies)|bin|cli|setup|debug|slim|alpine|debian|ubuntu|bookworm|bullseye|trixie|distroless|` +
		`static|nonroot|` +
		`scratch|fips|(?:ubi|rhel|java|jdk|jre|py|python|scala|spark|cuda)[0-9.]*)(?:[^0-9A-Za-z]|$)`)
	otherWord  = regexp.MustCompile(`^-[A-Za-z]`) // SemVer takes it as a pre-release
	versionRun = regexp.MustCompile(`^[-+._~0-9A-Za-z]*[0-9A-Za-z]`)
)

// stage matches a word for a stage of development, as SemVer, PEP 440, Maven and others append it.
const stage = `[-._](?i:(?:a|b|c|m|r|sp)[-_.]?[0-9]|(?:rc|cr|alpha|beta|pre|preview|post|rev|dev|devel|snapshot|` +
	`nightly|canary|milestone|hotfix|patch|final|ga|ea|dirty|incubating)(?:[-_.]?[0-9]|[^0-9A-Za-z]|$))`

// spelledBehind is the text that a pattern spells behind its group.
func spelledBehind(re *regexp.Regexp) string {
	_, after := aroundGroup(re.String())
	behind, err := regexp.Compile(after)
	if err != nil {
		return ""
	}
	text, _ := behind.LiteralPrefix()
	return text
}

// touching are the characters beside a place of a line that could belong to the version in it. What behind it is a part
// of a file's name, or what the pattern itself spells behind its group, does not.
func touching(content []byte, start, end int, spelled string) (before, after string) {
	line := content[bytes.LastIndexByte(content[:start], '\n')+1 : start]
	if m := versionEnd.Find(line); m != nil {
		before = strings.TrimLeftFunc(string(m), func(r rune) bool { return !strings.ContainsRune("0123456789.vV", r) })
	}
	rest := content[end:]
	belongs := versionStart.Match(rest) || otherWord.Match(rest) && !otherWord.MatchString(spelled)
	if fileStart.Match(rest) {
		belongs = false
	}
	if inBadge(content, start) {
		belongs = badgeStart.Match(rest)
	}
	if belongs {
		after = string(versionRun.Find(rest))
		if after == "" {
			after = string(rest[:1])
		}
	}
	return before, after
}

// inBadge tells whether a place is in the address of a badge.
func inBadge(content []byte, start int) bool {
	word := content[bytes.LastIndexAny(content[:start], " \t\n()")+1 : start]
	return bytes.Contains(word, []byte("img.shields.io/badge/"))
}

func lineAt(content []byte, at int) int { return 1 + bytes.Count(content[:at], []byte("\n")) }

// versionPatterns match a version in the forms that files write, the usual one first.
var versionPatterns = []string{
	`v?\d+\.\d+\.\d+(?:-rc\.\d+)?`, `v?\d+\.\d+\.\d+(?:rc\d+)?`, `v?\d+\.\d+\.\d+(?:--rc\.\d+)?`,
	`v?\d+\.\d+\.\d+(?:[-._]{0,2}rc[-._]?\d+)?`,
}

// rightPattern is a pattern that catches whole versions on the lines where expr catches something else. It was tried on
// the content, and on the content with a candidate and a final. It is empty if none is found.
func rightPattern(expr string, content []byte) string {
	lines := caughtLines(regexp.MustCompile(expr), content)
	before, after := aroundGroup(expr)
	prefixes := []string{before, strings.TrimSuffix(strings.TrimSuffix(before, "?"), "v")}
	for _, n := range lines[:min(1, len(lines))] {
		line := string(bytes.Split(content, []byte("\n"))[n-1])
		for _, at := range regexp.MustCompile(versionPatterns[len(versionPatterns)-1]).FindAllStringIndex(line, -1) {
			prefixes = append(prefixes, regexp.QuoteMeta(wordsBefore(line[:at[0]])))
		}
	}
	for _, prefix := range prefixes {
		for _, suffix := range []string{after, ""} {
			for _, one := range versionPatterns {
				if right := prefix + "(" + one + ")" + suffix; catchesWhole(right, content, lines) {
					return right
				}
			}
		}
	}
	return ""
}

// catchesWhole tells whether a pattern catches whole versions, at least on these lines, for every version that is written.
func catchesWhole(expr string, content []byte, lines []int) bool {
	re, err := regexp.Compile(expr)
	if err != nil || re.NumSubexp() != 1 {
		return false
	}
	caught := caughtLines(re, content)
	if len(caught) == 0 || slices.ContainsFunc(lines, func(n int) bool { return !slices.Contains(caught, n) }) {
		return false
	}
	s := Surface{Path: "FILE", locate: func(content []byte) ([]Value, error) { return catches(re, content) }}
	for _, v := range []string{"v10.20.30-rc.4", "v10.20.30"} {
		if content, err = s.Edit(content, version.MustParse(v), nil); err != nil {
			return false
		}
	}
	return true
}

// caughtLines are the lines on which a pattern's group catches something.
func caughtLines(re *regexp.Regexp, content []byte) []int {
	var lines []int
	for _, m := range re.FindAllSubmatchIndex(content, -1) {
		if m[2] >= 0 {
			lines = append(lines, lineAt(content, m[2]))
		}
	}
	return lines
}

// aroundGroup are the parts of a regular expression before and behind its one group.
func aroundGroup(expr string) (before, after string) {
	open, depth, class := -1, 0, false
	for i := 0; i < len(expr); i++ {
		switch c := expr[i]; {
		case c == '\\':
			i++
		case class:
			class = c != ']'
		case c == '[':
			if class = true; strings.HasPrefix(expr[i+1:], "]") || strings.HasPrefix(expr[i+1:], "^]") {
				i += strings.IndexByte(expr[i:], ']')
			}
		case c == '(' && open >= 0:
			depth++
		case c == '(':
			rest := expr[i+1:]
			if !strings.HasPrefix(rest, "?") || strings.HasPrefix(rest, "?P<") || strings.HasPrefix(rest, "?<") {
				open, depth = i, 1
			}
		case c == ')' && open >= 0:
			if depth--; depth == 0 {
				return expr[:open], expr[i+1:]
			}
		}
	}
	return "", ""
}
