package change

import (
	"regexp"
	"slices"
	"strings"

	"github.com/operator-release/operator-release/ci/git"
)

var (
	revertQuote = regexp.MustCompile(`(?i)^(revert|roll ?back|back ?out|undo|re-?apply|re-?land)s?:? "(.*)"[^"]*$`)
	revertTyped = regexp.MustCompile(`(?i)^(revert|reapply)s?(?:\([^()]*\))?!?:\s*(\S.*)$`)
	revertWord  = regexp.MustCompile(`(?i)^(?:reverts?|reverted|reverting)\s+(\S.*)$`)
	revertPull  = regexp.MustCompile(`(?i)^\W*(?:this )?reverts?(?:\s+(?:prs?|pull requests?))?:?\s+` +
		`(?:https?://\S+/(?:pull|pulls|merge_requests)/|[\w.-]+/[\w.-]+[#!]|[#!])` +
		`([0-9]+\b(?:(?:,|,? and|,? &) ?#[0-9]+)*)`)
	revertIDs = regexp.MustCompile(`(?i)^\W*this reverts (?:the )?(?:merge )?(?:commits?:? ?)?(.*)$`)
	moreIDs   = regexp.MustCompile(`^\W*(?:and )?[0-9a-f]{7,64}\b`)
	commitID  = regexp.MustCompile(`\b[0-9a-f]{7,64}\b`)
	refsLine  = regexp.MustCompile(`(?i)^refs?: *(.*)$`)
	pullRef   = regexp.MustCompile(`#([0-9]+)\b`)
	anyNumber = regexp.MustCompile(`\s*\(#[0-9]+\)`)
	// betweenQuotes parts the titles of one revert.
	betweenQuotes = regexp.MustCompile(`"(?:,|,? and|,? &) "`)
	bareTitle     = regexp.MustCompile(`^[A-Za-z]+(?:\([^()]*\))?!?: *`)
	revertHead    = regexp.MustCompile(`(?:^|[/:])revert-([0-9]+)-`)
)

// Reversal is what a message says that it takes back. Each list names the same or several changes in its own way.
type Reversal struct {
	Titles   []string // of what is taken back, as they were quoted
	Commits  []string // ids, some of them short
	Requests []string // pull requests
	refs     []string // pull requests or issues
	inside   bool     // a commit inside says so
	depth    int      // how often its title says "revert"; 0 where only the body does
}

// unquoted takes a subject apart into how often it was taken back, and what was: "Reapply" takes a revert back.
func unquoted(subject string) (depth int, title string) {
	for {
		subject = strings.TrimSpace(readMarks(subject).rest)
		if strings.Contains(strings.ToLower(subject), "partial") {
			return depth, subject
		}
		if f := revertQuote.FindStringSubmatch(subject); f != nil {
			depth += reverts(f[1])
			subject = f[2]
		} else if f := revertTyped.FindStringSubmatch(subject); f != nil {
			depth += reverts(f[1])
			subject = strings.Trim(f[2], quotes)
		} else if f := revertWord.FindStringSubmatch(subject); f != nil && depth == 0 {
			return 1, strings.Trim(f[1], quotes)
		} else {
			return depth, subject
		}
	}
}

const quotes = "\"'`“”‘’"

// reverts tells how often a word takes back: to apply again takes a revert back.
func reverts(word string) int {
	if word = strings.ToLower(word); strings.HasPrefix(word, "re") && word != "revert" {
		return 2
	}
	return 1
}

// titleKey is what titles of the same change have in common: forges add and leave out numbers.
func titleKey(title string) string {
	return strings.ToLower(strings.Join(strings.Fields(anyNumber.ReplaceAllString(title, "")), " "))
}

// readRevert reads what a subject and a body take back.
func readRevert(subject, body, head string) Reversal {
	depth, title := unquoted(subject)
	r := Reversal{depth: depth}
	if depth > 0 {
		r.Titles = betweenQuotes.Split(title, -1)
		quoted := revertQuote.FindStringSubmatch(readMarks(subject).rest)
		if quoted != nil && reverts(quoted[1]) == 1 {
			r.refs = addNew(r.refs, readMarks(quoted[2]).own)
		}
		if found := revertPull.FindStringSubmatch(readMarks(subject).rest); found != nil {
			r.Requests, r.Titles = number.FindAllString(found[1], -1), nil
		}
	}
	paragraph := false // ids go on in the next line
	if lower := strings.ToLower(body); !strings.Contains(lower, "revert") && !(depth > 0 && strings.Contains(lower, "ref")) {
		body = ""
	}
	for line := range strings.Lines(body) {
		line = strings.TrimSpace(line)
		ids := ""
		if found := revertIDs.FindStringSubmatch(line); found != nil {
			ids, paragraph = found[1], true
		} else if paragraph && moreIDs.MatchString(line) {
			ids = line
		} else {
			paragraph = false
		}
		if before, _, reversing := strings.Cut(ids, "reversing"); reversing {
			ids, paragraph = before, false
		}
		r.Commits = addNew(r.Commits, commitID.FindAllString(ids, -1)...)
		if found := revertPull.FindStringSubmatch(line); found != nil {
			r.Requests = addNew(r.Requests, number.FindAllString(found[1], -1)...)
		}
		if found := refsLine.FindStringSubmatch(line); found != nil && depth > 0 {
			r.Commits = addNew(r.Commits, commitID.FindAllString(found[1], -1)...)
			for _, n := range pullRef.FindAllStringSubmatch(found[1], -1) {
				r.refs = addNew(r.refs, n[1])
			}
		}
	}
	if found := revertHead.FindStringSubmatch(head); found != nil {
		r.Requests = addNew(r.Requests, found[1])
	}
	return r
}

// none tells that nothing is taken back.
func (r Reversal) none() bool { return len(r.Titles)+len(r.Commits)+len(r.Requests) == 0 }

// place is a change among others, and which of the commits inside it; -1 is all of it.
type place struct{ at, part int }

// places are those of the commits inside a change.
func places(at int, inside []git.Commit) (all []place) {
	for part := range inside {
		all = append(all, place{at, part})
	}
	return all
}

// register finds changes by what others call them.
type register struct {
	byID      map[string][]place // of commits, and of what they were picked from
	byRequest map[string][]place
	byTitle   map[string][]place // by depth and title
}

// A titleName is a title that was taken back so often.
func titleName(depth int, title string) string { return strings.Repeat("-", depth) + titleKey(title) }

func newRegister(changes []Change) *register {
	r := &register{map[string][]place{}, map[string][]place{}, map[string][]place{}}
	for i, c := range changes {
		whole := place{i, -1}
		r.byID[c.Commit.ID] = append(r.byID[c.Commit.ID], whole)
		for j, inside := range c.Inside {
			p := place{i, j}
			if len(c.Inside) == 1 {
				p = whole
			}
			r.byID[inside.ID] = append(r.byID[inside.ID], p)
		}
		for _, id := range c.Message.Origins {
			r.byID[id] = append(r.byID[id], whole)
		}
		for _, n := range addNew(nil, append([]string{c.Message.own}, c.Message.PickOf...)...) {
			r.byRequest[n] = append(r.byRequest[n], whole)
		}
		depth, title := unquoted(c.Title)
		for _, name := range addNew(nil, titleName(depth, title), titleName(depth, bareTitle.ReplaceAllString(title, ""))) {
			r.byTitle[name] = append(r.byTitle[name], whole)
		}
	}
	return r
}

// commit finds the places of a commit by its id, which may be short.
func (r *register) commit(id string) []place {
	if found := r.byID[id]; len(found) > 0 || len(id) >= 40 {
		return found
	}
	for full, found := range r.byID {
		if strings.HasPrefix(full, id) {
			return found
		}
	}
	return nil
}

// find finds the changes that a revert names, among those that usable lets pass; missing are names of none.
func (r *register) find(v Reversal, usable func(place) bool) (found []place, missing []string) {
	look := func(all []place) bool {
		all = slices.DeleteFunc(slices.Clone(all), func(p place) bool { return !usable(p) })
		for _, p := range all {
			if !slices.Contains(found, p) {
				found = append(found, p)
			}
		}
		return len(all) > 0
	}
	for _, id := range v.Commits {
		if !look(r.commit(id)) {
			missing = append(missing, id)
		}
	}
	byID := len(found)
	for _, n := range v.Requests {
		if !look(r.byRequest[n]) && byID == 0 {
			missing = append(missing, "#"+n)
		}
	}
	for _, n := range v.refs {
		look(r.byRequest[n])
	}
	if len(found) > 0 || v.inside && len(missing) > 0 {
		return found, missing
	}
	for i, title := range v.Titles {
		all := slices.Clone(r.byTitle[titleName(v.depth-1, title)])
		all = slices.DeleteFunc(all, func(p place) bool { return !usable(p) })
		switch {
		case len(all) > 0: // the newest of several
			found = append(found, all[len(all)-1])
			missing = missing[min(1, len(missing)):] // the same one by its id
		case len(missing) <= i:
			missing = append(missing, `"`+title+`"`)
		}
	}
	return found, missing
}

// Remaining are the changes, the oldest first, without those that a later one takes back, and without what takes back
// nothing else. A revert that is itself taken back lets its change stay. What a change takes back that is not among
// them it names in Removes.
func Remaining(changes []Change) []Change {
	r := newRegister(changes)
	gone := make([]bool, len(changes))
	parts := map[place]bool{} // of a merge, that are taken back
	removes := map[int][]string{}
	for i := len(changes) - 1; i >= 0; i-- {
		if gone[i] {
			continue
		}
		usable := func(p place) bool { return p.at < i && !gone[p.at] && !parts[p] }
		all := true // that it takes back is gone with it
		for _, v := range changes[i].Message.Reverts {
			found, missing := r.find(v, usable)
			for _, p := range found {
				parts[p] = true
				rest := slices.DeleteFunc(places(p.at, changes[p.at].Inside), func(o place) bool { return parts[o] })
				whole := p.part < 0 || len(rest) == 0
				gone[p.at] = gone[p.at] || whole
				all = all && whole
			}
			all = all && len(missing) == 0
			removes[i] = append(removes[i], missing...)
		}
		gone[i] = all && changes[i].Message.takesBack > 0
	}
	var stay []Change
	for i, c := range changes {
		if !gone[i] {
			c.Removes = removes[i]
			stay = append(stay, c)
		}
	}
	return stay
}
