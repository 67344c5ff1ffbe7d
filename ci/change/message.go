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
// (https://www.conventionalcommits.org/en/v1.0.0/), in upper or lower case. A subject without a type gets its kind by
// its first word.
type Message struct {
	Subject  string            // the first line, without type, scope, and what bots and forges add
	Scope    string            // empty where there is none
	Branch   string            // what the subject says in brackets, such as release-1.5; of backports
	Kind     Kind              // of the subject; what is inside does not change it
	Breaking bool              // marked by !, by words in the subject or by a footer, here or inside
	Breaks   []string          // the texts of the footers
	Features []string          // the subjects of the features inside, where the subject itself is none
	PickOf   []string          // pull requests that it says it was picked from
	Others   []string          // numbers before its own at the end of the subject: issues, or the original of a pick
	Origins  []string          // commits that it says it was picked from
	Reverts  []Reversal        // what it takes back
	Explains map[string]string // footers "Explain: ID TEXT": what users have to know about findings, by their ids

	own       string // its pull request
	marked    bool   // the subject says that it was picked
	typed     bool   // the subject has a type that is known, or marks a break
	takesBack int    // how many reverts its own title makes: "Reapply" makes two
	items     []item // what it squashed, where it is several picks in one commit
}

var (
	typed    = regexp.MustCompile(`^(?:([A-Za-z][\w/-]*)\s?(?:\(([^()]*)\))?(!)?:|\[([A-Za-z]+)\])\s*(\S.*)$`)
	explains = regexp.MustCompile(`(?m)^Explain: (\S+) +(\S.*)$`)
	inward   = regexp.MustCompile(`(?i)\btests?\b|\btesting\b|\bexamples?\b|\bchangelog\b|\broadmap\b|\bworkflows?\b` +
		`|\breadme\b|\bOWNERS\b`)
	releases = regexp.MustCompile(`(?i)^(?:(?:(?:[\w-]+ )*official )?release:? v?|(?:bump|update|set) version to v?|v)` +
		`[0-9]+\.[0-9]+\.[0-9]+[\w.-]*$`)
)

// signs are the marks of kinds before a subject that kubebuilder's projects write.
var signs = map[string]Kind{
	"✨": Feature, ":sparkles:": Feature, "🐛": Fix, ":bug:": Fix, "📖": Documentation, ":book:": Documentation,
	"🌱": Other, ":seedling:": Other,
}

var types = map[string]Kind{
	"feat": Feature, "feature": Feature,
	"fix": Fix, "bugfix": Fix, "hotfix": Fix, "bug": Fix, "security": Security,
	"perf": Performance, "revert": Revert, "deps": Dependencies, "docs": Documentation, "doc": Documentation,
	"refactor": Other, "test": Other, "tests": Other, "ci": Other, "build": Other, "chore": Other, "style": Other,
	"release": Release, "breaking": Other,
}

// words are those that a subject without a type begins with.
var words = map[string]Kind{
	"fix": Fix, "fixes": Fix, "fixed": Fix, "fixing": Fix, "bugfix": Fix,
	"add": Feature, "adds": Feature, "added": Feature, "adding": Feature, "support": Feature, "allow": Feature,
	"enable": Feature, "implement": Feature, "introduce": Feature,
	"bump": Dependencies, "document": Documentation, "docs": Documentation,
}

// Read reads a commit's message, and what a squash says that it holds.
func Read(message string) Message {
	subject, body, head := standsFor(message)
	m := readSubject(subject)
	m.readPick(body, head)
	m.items = readItems(m, subject, body)
	own, bullets := sections(body)
	m.readText(subject, own, head)
	if len(m.items) == 0 {
		m.hold(bullets)
	}
	return m
}

// readText reads the footers of the message itself, and what it takes back.
func (m *Message) readText(subject, text, head string) {
	texts, marked := readBreaks(text)
	m.Breaks, m.Breaking = append(m.Breaks, texts...), m.Breaking || marked
	for _, found := range explains.FindAllStringSubmatch(text, -1) {
		m.explain(found[1], found[2])
	}
	if r := readRevert(subject, text, head); !r.none() {
		m.Reverts = append(m.Reverts, r)
	}
}

func (m *Message) explain(id, text string) {
	if m.Explains == nil {
		m.Explains = map[string]string{}
	}
	if m.Explains[id] == "" {
		m.Explains[id] = text
	}
}

func readSubject(subject string) Message {
	marks := readMarks(subject)
	m := Message{Subject: marks.rest, Kind: Other, Branch: marks.branch, PickOf: marks.of, Others: marks.others,
		own: marks.own, marked: marks.picked}
	if m.Subject, m.Breaking = cutBreaking(m.Subject); m.Breaking {
		m.typed = true
	}
	if sign, rest, ok := strings.Cut(m.Subject, " "); ok && signs[sign] != "" {
		inner := readSubject(rest)
		if !inner.typed {
			inner.Kind, inner.typed = signs[sign], true
		}
		inner.Branch, inner.PickOf, inner.Others, inner.own, inner.marked = m.Branch, m.PickOf, m.Others, m.own, m.marked
		inner.Breaking = inner.Breaking || m.Breaking
		return inner
	}
	if releases.MatchString(m.Subject) {
		m.Kind = Release
		return m
	}
	if depth, title := unquoted(m.Subject); depth > 0 {
		m.takesBack, m.Kind, m.typed = depth, Revert, true
		if depth%2 == 0 { // what it was before
			inner := readSubject(title)
			m.Kind, m.Scope, m.Breaking = inner.Kind, inner.Scope, inner.Breaking
			return m
		}
	}
	found := typed.FindStringSubmatch(m.Subject)
	kind, known := Kind(""), false
	if found != nil {
		name := strings.ToLower(found[1] + found[4])
		kind, known = types[name]
		if m.Breaking = m.Breaking || found[3] != "" || name == "breaking"; !known && found[3] != "" {
			kind, known = Other, true
		}
	}
	if !known {
		first, _, _ := strings.Cut(strings.ToLower(m.Subject), " ")
		if kind, known = words[strings.TrimSuffix(first, ":")]; known && !inward.MatchString(m.Subject) {
			m.Kind = kind
		}
		return m
	}
	m.Kind, m.Scope, m.Subject, m.typed = kind, found[2], found[5], true
	if rest, marked := cutBreaking(m.Subject); marked {
		m.Subject, m.Breaking = rest, true
	}
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

// title is what two commits have in common where one is the other's backport.
func (m Message) title() string {
	return strings.ToLower(string(m.Kind) + " " + m.Scope + " " + m.Subject)
}

// hold keeps of what is inside a change what its title may not hide: breaks, features, explanations, reverts and picks.
// What one commit inside takes back of another is left out.
func (m *Message) hold(inside []Change) {
	for _, c := range Remaining(inside) {
		in := c.Message
		m.Breaking = m.Breaking || in.Breaking
		m.Breaks = addNew(m.Breaks, in.Breaks...)
		for id, text := range in.Explains {
			m.explain(id, text)
		}
		switch {
		case m.Kind == Feature:
		case in.Kind == Feature && in.typed:
			m.Features = addNew(m.Features, c.Title)
		default:
			m.Features = addNew(m.Features, in.Features...)
		}
		m.Origins = addNew(m.Origins, in.Origins...)
		for _, r := range in.Reverts {
			if r.inside = true; !m.lands(r, inside) {
				m.Reverts = append(m.Reverts, r)
			}
		}
	}
}

// lands tells whether a title, or one inside, makes again what a revert inside takes back.
func (m *Message) lands(r Reversal, inside []Change) bool {
	return slices.ContainsFunc(r.Titles, func(title string) bool {
		again := bareTitle.ReplaceAllString(titleKey(title), "")
		return again == titleKey(m.Subject) ||
			slices.ContainsFunc(inside, func(c Change) bool { return titleKey(c.Message.Subject) == again })
	})
}
