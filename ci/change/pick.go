package change

import (
	"regexp"
	"slices"
	"strings"
)

// The parts of what the usual bots write: Mergify, the cherry-pick scripts of Kubernetes and Argo, prow, and the
// backport action.
const (
	// branchName is a branch or a version in brackets; a key of an issue tracker, such as ENG-12, is none.
	branchName = `(?:(?:[A-Za-z]+[-/_ ])*v?[0-9]+(?:\.(?:[0-9]+|x))+(?:[-.][0-9A-Za-z]+)*` +
		`|(?:release|rel|stable|branch|maint|maintenance|line)[-/_ ]?v?[0-9]+(?:[-.][a-z]+)?|v[0-9]+)`
	picking     = `(?:cherry[- ]?pick(?:ed|s|ing)?|back[- ]?port(?:ed|s|ing)?|bp)`
	hashNumbers = `#[0-9]+(?:(?:,|,? and|,? &)? ?#[0-9]+)*`
	numbers     = `#?[0-9]+(?:(?:,|,? and|,? &)? ?#?[0-9]+)*`
	toBranch    = `(?:to|for|on|onto|into|in)`
	pulls       = `(?:PRs?|pull requests?)`
)

// ofNumbers are the pull requests that something was picked from, and where to.
const (
	ofNumbers = picking + `(?: of| from)?(?: ` + pulls + `)?`
	automatic = `(?:automat(?:ed|ic) |manual )?`
	inBranch  = `(?:` + toBranch + ` )?(` + branchName + `)`
)

var (
	endNumber = regexp.MustCompile(`\s*\(#([0-9]+)\)\s*$`)
	// endPick is such as "(backport #12)", "(cherry-pick #12 for 1.5)" and "[backport 1.5]" at the end of a subject.
	endPick = regexp.MustCompile(`(?i)\s*[(\[]` + ofNumbers + `(?: (` + hashNumbers + `))?` +
		`(?:,? (?:` + inBranch + `|` + toBranch + ` [\w./-]+))?[)\]]\s*$`)
	// endBranch is such as "(release-1.5)" and "[1.5]" at the end of a subject.
	endBranch = regexp.MustCompile(`(?i)\s*(?:` +
		`\((?:` + toBranch + ` )?((?:release|stable|branch)[-/_ ]v?[0-9][0-9A-Za-z.-]*)\)` +
		`|\[((?:[a-z]+[-/_])?v?[0-9]+\.(?:[0-9]+|x)(?:\.(?:[0-9]+|x))?)\])\s*$`)
	// frontPick is such as "[release-1.5]", "[Backport release-1.5]" and "[cherry-pick #12]" before a subject.
	frontPick = regexp.MustCompile(`(?i)^[(\[](?:(` + picking + `)(?: of)?(?:\s*[:/-])?\s*)?(` + hashNumbers + `)?\s*` +
		`(?:` + inBranch + `|[\w./-]+)?[)\]]:?\s*(\S.*)$`)
	// frontBranch is such as "[1.5 backport]" and "release-1.5:" before a subject.
	frontBranch = regexp.MustCompile(`(?i)^(?:[(\[](` + branchName + `)[ :/-]+` + picking + `[)\]]:?` +
		`|((?:release|stable)[-/]v?[0-9][\w.-]*):)\s*(\S.*)$`)
	lineColon = regexp.MustCompile(`^(?:[Rr]elease|[Ss]table)[-/]`)
	// frontPhrase is such as "Automated cherry pick of #12:" before the title of what was picked.
	frontPhrase = regexp.MustCompile(`(?i)^` + automatic + ofNumbers + `(?: (` + numbers + `))?` +
		`(?:,? ?[(\[]?` + inBranch + `[)\]]?)?\s*:\s*(\S.*)$`)
	// bare and bareTo say what was picked by its numbers only, such as "cherry-pick #12 to 1.5".
	bare   = regexp.MustCompile(`(?i)^` + automatic + ofNumbers + ` (` + hashNumbers + `)(?:$|[^0-9])`)
	bareTo = regexp.MustCompile(`(?i)^` + automatic + ofNumbers + ` (` + numbers + `) ` + toBranch + ` ` + branchName)
	number = regexp.MustCompile(`[0-9]+`)
	// pickLine, pickTitle and pickFrom are lines of a body that bots write.
	pickLine  = regexp.MustCompile(`(?im)^\W*(?:this is an? )?` + automatic + ofNumbers + ` (` + hashNumbers + `)(?:[^0-9]|$)`)
	pickTitle = regexp.MustCompile(`(?m)^Cherry-picked \S.*\(#([0-9]+)\)\s*$`)
	pickFrom  = regexp.MustCompile(`(?m)^Backport ([0-9a-f]{7,64}) from #([0-9]+)`)
	// pickBranch is the branch of a pull request that a bot made: prow and the backport action, Mergify, Kubernetes.
	pickBranch = regexp.MustCompile(`(?:^|[/:])(?:cherry-pick|backport)-([0-9]+)-to-|mergify/(?:bp|copy)/.+/pr-([0-9]+)$` +
		`|automated-cherry-pick-of-(#[0-9]+(?:-#[0-9]+)*)`)
	originLine = regexp.MustCompile(`(?m)^\s*\(cherry picked from commit ([0-9a-f]{7,64})\)`)
	// automaton is the name of an account that is no person's.
	automaton = regexp.MustCompile(`(?i)\[bot\]$|\bbot$|-robot$|\brobot$|^github-actions$|^dependabot$|^mergify$` +
		`|^cursor$|^copilot$|^claude\b`)
	// picker is the name of an account that makes nothing but picks. A forge may drop the marks of its subjects.
	picker   = regexp.MustCompile(`(?i)cherry-?pick|backport|prow robot$|^mergify`)
	credited = regexp.MustCompile(`(?im)^\s*(Co-authored-by|Signed-off-by): *([^<\n]+?) *<`)
)

// mark is what a subject says of itself as a pick, and what is left of it.
type mark struct {
	rest   string
	picked bool
	branch string
	of     []string // pull requests
	own    string   // its own pull request, at the end of all
	others []string // numbers before: those of an issue, or of the original
}

// readMarks takes what bots and forges add off a subject, from both ends.
func readMarks(subject string) mark {
	m := mark{rest: strings.TrimSpace(subject)}
	behind := 0 // numbers behind the mark
	var ends []string
	for strings.HasSuffix(m.rest, ")") || strings.HasSuffix(m.rest, "]") {
		if f := endNumber.FindStringSubmatch(m.rest); f != nil && len(f[0]) < len(m.rest) {
			m.rest = strings.TrimSuffix(m.rest, f[0])
			if ends = append(ends, f[1]); !m.picked {
				behind++
			}
		} else if f := endPick.FindStringSubmatch(m.rest); f != nil && len(f[0]) < len(m.rest) {
			m.add(f[1], f[2])
			m.rest = strings.TrimSuffix(m.rest, f[0])
		} else if f := endBranch.FindStringSubmatch(m.rest); f != nil && len(f[0]) < len(m.rest) {
			m.branch = f[1] + f[2]
			m.rest = strings.TrimSuffix(m.rest, f[0])
		} else {
			break
		}
	}
	if behind > 0 {
		m.own, ends = ends[0], ends[1:]
	}
	for picks := speaksOfPicks(m.rest); ; {
		m.rest = strings.TrimSpace(strings.TrimLeft(m.rest, "🍒🤖"))
		if !picks && !strings.HasPrefix(m.rest, "[") && !strings.HasPrefix(m.rest, "(") && !lineColon.MatchString(m.rest) {
			break
		}
		if f := frontPick.FindStringSubmatch(m.rest); f != nil && (f[1] != "" || f[3] != "") {
			if m.rest = f[4]; f[1] == "" {
				m.branch = f[3]
			} else {
				m.add(f[2], f[3])
			}
		} else if f := frontBranch.FindStringSubmatch(m.rest); f != nil {
			m.rest, m.branch = f[3], f[1]+f[2]
		} else if f := frontPhrase.FindStringSubmatch(m.rest); f != nil {
			m.rest = f[3]
			m.add(f[1], f[2])
		} else {
			break
		}
	}
	if !speaksOfPicks(m.rest) {
		m.order(ends)
		return m
	}
	for _, text := range []string{m.rest, typed.ReplaceAllString(m.rest, "$5")} {
		if f := bare.FindStringSubmatch(text); f != nil {
			m.add(f[1], "")
		} else if f := bareTo.FindStringSubmatch(text); f != nil {
			m.add(f[1], "")
		}
	}
	m.order(ends)
	return m
}

// order keeps the numbers before a change's own, which were read from the end.
func (m *mark) order(ends []string) {
	for _, n := range slices.Backward(ends) {
		if n != m.own && !slices.Contains(m.others, n) {
			m.others = append(m.others, n)
		}
	}
	m.of = slices.DeleteFunc(m.of, func(n string) bool { return n == m.own })
}

// speaksOfPicks tells whether a text has a word that every form of a pick has.
func speaksOfPicks(text string) bool {
	text = strings.ToLower(text)
	return strings.Contains(text, "pick") || strings.Contains(text, "port") || strings.Contains(text, "bp")
}

func (m *mark) add(of, branch string) {
	m.picked = true
	if branch != "" {
		m.branch = branch
	}
	m.of = addNew(m.of, number.FindAllString(of, -1)...)
}

func addNew(to []string, more ...string) []string {
	for _, s := range more {
		if s != "" && !slices.Contains(to, s) {
			to = append(to, s)
		}
	}
	return to
}

// readPick reads what the body, and the branch of the pull request, say of what was picked.
func (m *Message) readPick(body, head string) {
	if !speaksOfPicks(body) && head == "" {
		return
	}
	for _, f := range originLine.FindAllStringSubmatch(body, -1) {
		m.Origins = append(m.Origins, f[1])
	}
	var of []string
	for _, f := range pickLine.FindAllStringSubmatch(body, -1) {
		of = append(of, number.FindAllString(f[1], -1)...)
	}
	for _, f := range pickTitle.FindAllStringSubmatch(body, -1) {
		of = append(of, f[1])
	}
	for _, f := range pickFrom.FindAllStringSubmatch(body, -1) {
		m.Origins = addNew(m.Origins, f[1])
		of = append(of, f[2])
	}
	if f := pickBranch.FindStringSubmatch(head); f != nil {
		of = append(of, number.FindAllString(f[1]+f[2]+f[3], -1)...)
	}
	m.PickOf = slices.DeleteFunc(addNew(m.PickOf, of...), func(n string) bool { return n == m.own })
}

// IsPick tells whether a message says that its change was made on another branch first.
func (m Message) IsPick() bool {
	return m.marked || m.Branch != "" || len(m.PickOf) > 0 || len(m.Origins) > 0
}

// Request is the pull request that a change was merged by; empty where the subject names none.
func (m Message) Request() string { return m.own }

// Originals are the pull requests that a change was picked from. On a line, a number before the change's own is the
// original's; on the development branch it is an issue's.
func (m Message) Originals(onLine bool) []string {
	switch {
	case len(m.PickOf) > 0:
		return m.PickOf
	case len(m.Others) > 0 && (onLine || m.IsPick()):
		return m.Others[len(m.Others)-1:]
	}
	return nil
}

// numbers are all that a message is known by.
func (m Message) numbers() []string {
	return addNew(nil, slices.Concat([]string{m.own}, m.PickOf, m.Others)...)
}

// credit is whose change it is: of a pick with a pull request of its own the author of the original, and never a bot
// where a person is named.
func (m Message) credit(author, text string) string {
	bot := automaton.MatchString(author)
	if !m.IsPick() && !picker.MatchString(author) || !bot && m.own == "" {
		return author
	}
	if _, trailers, squash := strings.Cut(text, "\n---------\n"); squash && credited.MatchString(trailers) {
		text = trailers // before it stand the messages of single commits
	}
	for _, kind := range []string{"co-authored-by", "signed-off-by"} {
		for _, f := range credited.FindAllStringSubmatch(text, -1) {
			if strings.EqualFold(f[1], kind) && !automaton.MatchString(f[2]) && (bot || kind == "co-authored-by") {
				return f[2]
			}
		}
	}
	// One bot picked what another one made, such as an update of a dependency.
	for _, f := range credited.FindAllStringSubmatch(text, -1) {
		if bot && strings.EqualFold(f[1], "co-authored-by") {
			return f[2]
		}
	}
	return author
}

// signer is who signed a text off first, and is no co-author: a forge's squash names each author but the pull request's
// as a co-author. It is empty where the text does not say.
func signer(text string) string {
	if at := originLine.FindStringIndex(text); at != nil { // the person who picked it signs behind this line
		text = text[:at[0]]
	}
	all := credited.FindAllStringSubmatch(text, -1)
	co := map[string]bool{}
	for _, f := range all {
		if strings.EqualFold(f[1], "co-authored-by") {
			co[f[2]] = true
		}
	}
	for _, f := range all {
		if !co[f[2]] {
			return f[2]
		}
	}
	if len(all) > 0 {
		return all[0][2]
	}
	return ""
}
