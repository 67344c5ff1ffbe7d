package gate

import (
	"regexp"
	"slices"
	"strings"

	"github.com/operator-release/operator-release/ci/binary"
)

// answer is what the output of a binary says of its version.
type answer struct {
	right bool
	found string // the version claimed instead; empty if none is claimed
	line  string // where
}

// strength orders what a version-like word may mean.
type strength int

const (
	foreign strength = iota // the version of something else: Go, Kubernetes
	bare                    // a number without a word on what it is
	other                   // some version, though not plainly the program's
	own                     // "Version: …", "Git Version: …", "name …", or nothing but it
)

// judge looks for the program's version in its output. The strongest claims
// decide: one of them must be the version. A bare number can only confirm, and
// only where nothing is claimed. Versions of other things claim nothing.
func judge(output, name, version string, others ...string) answer {
	var best, confirmed answer
	bestStrength, decided := bare, false
	for line := range strings.Lines(output) {
		for _, c := range claims(strings.TrimRight(line, "\r\n"), name, version) {
			if binary.IsForeign(c.word, others) {
				continue
			}
			right := withoutV(c.word) == withoutV(version)
			if c.strength < other {
				if right && c.strength == bare && !confirmed.right {
					confirmed = answer{right: true, line: strings.TrimSpace(line)}
				}
				continue
			}
			if !decided || c.strength > bestStrength || (c.strength == bestStrength && right && !best.right) {
				best = answer{right: right, found: c.word, line: strings.TrimSpace(line)}
				bestStrength, decided = c.strength, true
			}
		}
	}
	if decided {
		return best
	}
	if word := strings.TrimSpace(output); isPlaceholder(word) {
		return answer{found: word, line: word}
	}
	return confirmed
}

type claim struct {
	word     string
	strength strength
}

var (
	words = regexp.MustCompile(`[0-9A-Za-z][0-9A-Za-z.+_~-]*`)
	// Looser than SemVer after the numbers, so that what an unstamped build
	// prints (v0.0.0-master+$Format:%H$) counts as a version, and a wrong one.
	versionLike  = regexp.MustCompile(`^v?(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)([-+][0-9A-Za-z.+_~-]*)?$`)
	placeholders = []string{"dev", "devel", "development", "head", "latest", "main", "master", "none", "snapshot", "undefined", "unknown", "unset"}
	camel        = regexp.MustCompile(`([a-z0-9])([A-Z])`)
	label        = regexp.MustCompile(`[A-Za-z0-9]+`)

	// Words that may stand between a name and a version.
	fillers = []string{"version", "ver", "v", "is", "release", "tag"}
	// Words that, with these, say nothing of whose version it is.
	neutral = []string{"git", "semver", "build", "app", "application", "program", "operator", "client", "this", "the", "running"}
	// Things with versions of their own that programs like to print.
	foreigners = []string{"go", "golang", "k8s", "kubernetes", "kube", "api", "etcd", "runtime", "java", "jdk", "scala", "python", "spark", "hadoop",
		"helm", "docker", "kernel", "linux", "os", "openssl", "compiler", "gcc", "schema", "protocol", "crd", "minimum", "min"}
)

// claims finds the words of a line that are versions, and weighs each by its
// label: the text before it, back to a delimiter or the version before.
func claims(line, name, version string) []claim {
	var found []claim
	start := 0
	for _, at := range words.FindAllStringIndex(line, -1) {
		word := strings.TrimRight(line[at[0]:at[1]], ".")
		labels := labelWords(line[start:at[0]])
		versioned := slices.Contains(labels, "version")
		if isPlaceholder(word) {
			// "version dev (commit none)", but not "version  main help of it"
			after := strings.TrimSpace(line[at[1]:])
			ends := after == "" || strings.ContainsAny(after[:1], `,;{}()[]|"'`)
			if n := len(labels); ends && n > 0 && labels[n-1] == "version" && weigh(labels, name) >= other {
				found = append(found, claim{word, weigh(labels, name)})
				start = at[1]
			}
			continue
		}
		if !versionLike.MatchString(word) && withoutV(word) != withoutV(version) {
			continue
		}
		c := claim{word, weigh(labels, name)}
		switch {
		case len(labels) == 0 && start > 0 && len(found) > 0: // "v1.28.0 - v1.31.0"
			c.strength = found[len(found)-1].strength
		case c.strength == other && !versioned && !strings.HasPrefix(word, "v"):
			c.strength = bare
		}
		found = append(found, c)
		start = at[1]
	}
	return found
}

// labelWords takes the text before a version apart, lower-cased, back to the
// last delimiter that leaves any: `…, "goVersion":"` becomes go, version.
func labelWords(text string) []string {
	if trimmed := strings.TrimRight(text, `"'`); strings.HasSuffix(trimmed, "=") { // key=value among others
		fields := strings.Fields(trimmed)
		text = fields[len(fields)-1]
	}
	segments := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(",;{}()[]|", r) })
	for _, segment := range slices.Backward(segments) {
		var list []string
		for _, word := range label.FindAllString(camel.ReplaceAllString(segment, "$1 $2"), -1) {
			word = strings.ToLower(word)
			if rest, ok := strings.CutSuffix(word, "version"); ok && rest != "" {
				list = append(list, rest, "version")
				continue
			}
			list = append(list, word)
		}
		if len(list) > 0 {
			return list
		}
	}
	return nil
}

// weigh tells what the words before a version make of it.
func weigh(labels []string, name string) strength {
	without := func(list []string, drop ...[]string) []string {
		return slices.DeleteFunc(slices.Clone(list), func(w string) bool { return slices.Contains(slices.Concat(drop...), w) })
	}
	named := label.FindAllString(strings.ToLower(name), -1)
	rest := without(labels, fillers)
	if n := len(rest) - len(named); len(named) > 0 && n >= 0 && slices.Equal(rest[n:], named) {
		rest = rest[:n] // "Spark Operator Version" of spark-operator
	} else if n := len(rest); n > 0 && slices.Contains(foreigners, rest[n-1]) {
		return foreign
	}
	if len(without(rest, neutral)) == 0 {
		return own
	}
	return other
}

func isPlaceholder(word string) bool { return slices.Contains(placeholders, strings.ToLower(word)) }

func withoutV(version string) string { return strings.TrimPrefix(version, "v") }
