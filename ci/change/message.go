package change

import (
	"regexp"
	"slices"
	"strings"
)

// Kind is what sort of change a commit is, for those who read what a version brings.
type Kind string

// The kinds.
const (
	Feature       Kind = "feature"
	Fix           Kind = "fix"
	Security      Kind = "security"
	Performance   Kind = "performance"
	Revert        Kind = "revert"
	Dependencies  Kind = "dependencies"
	Documentation Kind = "documentation"
	Other         Kind = "other"
	Release       Kind = "release" // it carries a version, and nothing else
)

// IsFix tells whether a change of this kind belongs on a release line that is out.
func (k Kind) IsFix() bool { return k == Fix || k == Security }

// Message is a commit's message, read. Type, scope, breaking mark and footers are those of Conventional Commits 1.0.0
// (https://www.conventionalcommits.org/en/v1.0.0/), in whatever case; a subject without a type gets its kind by its first word.
type Message struct {
	Subject  string            // the first line, without type, scope, branch and pull requests
	Scope    string            // empty where there is none
	Branch   string            // what the subject says in brackets before all, such as release-1.5; of backports
	Kind     Kind              //
	Breaking bool              // marked by ! or by a footer
	Breaks   string            // the footer's text
	Requests []string          // pull requests at the end of the subject, the original's first: a pick that was merged has its own behind it
	Origins  []string          // commits that it says it was picked from
	Reverts  []string          // commits, or subjects, that it takes back
	Explains map[string]string // footers "Explain: ID TEXT": what users have to know about findings, by their ids
	Items    []Item            // what it squashed, where it is several picks in one commit
}

// Item is one of the changes that were squashed into a commit.
type Item struct {
	Message
	Author string // who signed it off first; empty where nobody did
}

var (
	typed       = regexp.MustCompile(`^(?:([A-Za-z]+)\s?(?:\(([^()]*)\))?(!)?:|\[([A-Za-z]+)\])\s*(\S.*)$`)
	onBranch    = regexp.MustCompile(`^\[([^\[\]]*[0-9][^\[\]]*)\]\s*`)
	endRequests = regexp.MustCompile(`\s*\(#([0-9]+)\)\s*$`)
	originLine  = regexp.MustCompile(`(?m)^\s*\(cherry picked from commit ([0-9a-f]{7,64})\)`)
	revertLine  = regexp.MustCompile(`(?m)^\s*(?:\* )?This reverts commit ([0-9a-f]{7,64})`)
	reverted    = regexp.MustCompile(`^(?:[Rr]evert:? )"(.+)"`)
	breaks      = regexp.MustCompile(`(?ms)^BREAKING[ -]CHANGE: *(.+?)(?:\n\n|\n[A-Za-z][A-Za-z-]*: |\z)`)
	explains    = regexp.MustCompile(`(?m)^Explain: (\S+) +(\S.*)$`)
	signedOff   = regexp.MustCompile(`(?m)^\s*(?:Signed-off-by|Co-authored-by): *([^<\n]+?) *<`)
	item        = regexp.MustCompile(`(?m)^\* (.+\(#[0-9]+\))\s*$`)
	picks       = regexp.MustCompile(`(?i)\bcherry.?pick|\bbackport|^release\b`)
	inward      = regexp.MustCompile(`(?i)\btests?\b|\btesting\b|\bexamples?\b|\bchangelog\b|\broadmap\b|\bworkflows?\b|\breadme\b|\bOWNERS\b`)
	releases    = regexp.MustCompile(`(?i)^(?:(?:[\w-]+ )*official )?release:? v?[0-9]+\.[0-9]+\.[0-9]+[\w.-]*$|^(?:bump|update|set) version to v?[0-9]+\.[0-9]+\.[0-9]+[\w.-]*$|^v[0-9]+\.[0-9]+\.[0-9]+[\w.-]*$`)
)

var types = map[string]Kind{
	"feat": Feature, "feature": Feature,
	"fix": Fix, "bugfix": Fix, "hotfix": Fix, "bug": Fix, "security": Security,
	"perf": Performance, "revert": Revert, "deps": Dependencies, "docs": Documentation, "doc": Documentation,
	"refactor": Other, "test": Other, "tests": Other, "ci": Other, "build": Other, "chore": Other, "style": Other, "release": Release,
}

// words are those that a subject without a type begins with.
var words = map[string]Kind{
	"fix": Fix, "fixes": Fix, "fixed": Fix, "fixing": Fix, "bugfix": Fix,
	"add": Feature, "adds": Feature, "added": Feature, "adding": Feature, "support": Feature, "allow": Feature, "enable": Feature, "implement": Feature, "introduce": Feature,
	"bump": Dependencies, "document": Documentation, "docs": Documentation,
}

// Read reads a commit's message.
func Read(message string) Message {
	subject, body, _ := strings.Cut(title(message), "\n")
	m := readSubject(subject)
	if found := breaks.FindStringSubmatch(body); found != nil {
		m.Breaking, m.Breaks = true, strings.Join(strings.Fields(found[1]), " ")
	}
	for _, found := range originLine.FindAllStringSubmatch(body, -1) {
		m.Origins = append(m.Origins, found[1])
	}
	for _, found := range revertLine.FindAllStringSubmatch(body, -1) {
		m.Reverts = append(m.Reverts, found[1])
	}
	if found := reverted.FindStringSubmatch(onBranch.ReplaceAllString(subject, "")); found != nil {
		m.Kind = Revert
		m.Reverts = append(m.Reverts, found[1])
	}
	for _, found := range explains.FindAllStringSubmatch(body, -1) {
		if m.Explains == nil {
			m.Explains = map[string]string{}
		}
		m.Explains[found[1]] = found[2]
	}
	m.Items = items(m, subject, body)
	return m
}

func readSubject(subject string) Message {
	m := Message{Subject: strings.TrimSpace(subject), Kind: Other}
	for {
		found := endRequests.FindStringSubmatch(m.Subject)
		if found == nil {
			break
		}
		m.Subject = strings.TrimSuffix(m.Subject, found[0])
		m.Requests = append(m.Requests, found[1])
	}
	slices.Reverse(m.Requests)
	if found := onBranch.FindStringSubmatch(m.Subject); found != nil {
		m.Branch, m.Subject = found[1], strings.TrimPrefix(m.Subject, found[0])
	}
	if releases.MatchString(m.Subject) {
		m.Kind = Release
		return m
	}
	found := typed.FindStringSubmatch(m.Subject)
	kind, known := Kind(""), false
	if found != nil {
		kind, known = types[strings.ToLower(found[1]+found[4])]
	}
	if !known {
		first, _, _ := strings.Cut(strings.ToLower(m.Subject), " ")
		if kind, known = words[strings.TrimSuffix(first, ":")]; known && !inward.MatchString(m.Subject) {
			m.Kind = kind
		}
		return m
	}
	m.Kind, m.Scope, m.Breaking, m.Subject = kind, found[2], found[3] != "", found[5]
	switch strings.ToLower(m.Scope) {
	case "deps", "deps-dev":
		if kind == Other || kind == Fix {
			m.Kind, m.Scope = Dependencies, ""
		}
	case "ci", "test", "tests", "e2e": // of the project, not of what it releases
		m.Kind = Other
	case "release":
		if kind == Other {
			m.Kind = Release
		}
	}
	return m
}

// items takes apart what is several picks in one commit: a list of subjects with their pull requests, as a squash leaves it, in a message that says
// several origins, or says in its subject that it picks. The list that the squash of one pull request leaves is one change.
func items(m Message, subject, body string) []Item {
	places := item.FindAllStringSubmatchIndex(body, -1)
	if len(places) == 0 || len(m.Origins) < 2 && !picks.MatchString(subject) {
		return nil
	}
	if len(m.Origins) > 1 {
		places = firstOfEach(places, originLine.FindAllStringIndex(body, -1))
	}
	var all []Item
	for i, at := range places {
		end := len(body)
		if i+1 < len(places) {
			end = places[i+1][0]
		}
		one := Item{Message: readSubject(body[at[2]:at[3]])}
		if strings.HasPrefix(one.Subject, `Revert "`) {
			one.Kind = Revert
		}
		text := body[at[1]:end]
		if found := breaks.FindStringSubmatch(text); found != nil {
			one.Breaking, one.Breaks = true, strings.Join(strings.Fields(found[1]), " ")
		}
		for _, found := range originLine.FindAllStringSubmatch(text, -1) {
			one.Origins = append(one.Origins, found[1])
		}
		if found := signedOff.FindStringSubmatch(text); found != nil {
			one.Author = found[1]
		}
		all = append(all, one)
	}
	return all
}

// firstOfEach are the subjects that origins end: what a squashed commit lists below its subject, and names pull requests too, is no item.
func firstOfEach(places, origins [][]int) [][]int {
	var first [][]int
	begin := 0
	for _, origin := range origins {
		for _, at := range places {
			if at[0] >= begin && at[0] < origin[0] {
				first = append(first, at)
				break
			}
		}
		begin = origin[1]
	}
	return first
}

// Request is the pull request that a commit was merged by, as GitHub writes it at the end of the subject; empty where there is none.
func (m Message) Request() string {
	if len(m.Requests) == 0 {
		return ""
	}
	return m.Requests[len(m.Requests)-1]
}

// stands are the pull requests that a commit of a line stands for. What a revert quotes is the opposite.
func (m Message) stands() []string {
	if m.Kind == Revert {
		return nil
	}
	all := slices.Clone(m.Requests)
	for _, i := range m.Items {
		if i.Kind != Revert {
			all = append(all, i.Requests...)
		}
	}
	return all
}

// title is what two commits have in common where one is the other's backport.
func (m Message) title() string {
	return strings.ToLower(string(m.Kind) + " " + m.Scope + " " + m.Subject)
}
