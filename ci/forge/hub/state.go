package hub

import (
	"fmt"
	"slices"
	"strings"
)

// Snapshot is what somebody with the right to write sees, without what is chance: ids, addresses and times. Two hubs that were asked for the same give the same, as JSON byte by byte.
type Snapshot struct {
	Releases []Release `json:"releases"` // by tag, the published one of a tag first
	Pulls    []Pull    `json:"pulls"`    // by number
}

// Release is a release page.
type Release struct {
	Tag        string  `json:"tag"`
	Target     string  `json:"target"`
	Title      string  `json:"title"`
	Body       string  `json:"body"`
	Draft      bool    `json:"draft"`
	Prerelease bool    `json:"prerelease"`
	Immutable  bool    `json:"immutable"`
	Latest     bool    `json:"latest"`
	Assets     []Asset `json:"assets"` // by name
}

// Asset is a file of a release page.
type Asset struct {
	Name        string `json:"name"`
	ContentType string `json:"contentType"`
	State       string `json:"state"` // uploaded; or starter, where the upload did not end
	Size        int64  `json:"size"`  // in bytes
	Digest      string `json:"digest"`
}

// Pull is a pull request.
type Pull struct {
	Number      int       `json:"number"`
	Title       string    `json:"title"`
	Body        string    `json:"body"`
	Author      string    `json:"author"`
	Head        string    `json:"head"`                  // branch
	Base        string    `json:"base"`                  // branch
	State       string    `json:"state"`                 // open or closed
	MergeCommit string    `json:"mergeCommit,omitempty"` // which brought it; empty: it is not merged
	Rebased     []string  `json:"rebased,omitempty"`     // further commits that brought it, where it was rebased
	Draft       bool      `json:"draft"`
	Labels      []string  `json:"labels"`
	Reviewers   []string  `json:"reviewers"` // who were asked, and have not answered
	Assignees   []string  `json:"assignees"`
	Comments    []Comment `json:"comments"`
}

// Comment is one on a pull request.
type Comment struct {
	Author string `json:"author"`
	Body   string `json:"body"`
}

// Snapshot takes one.
func (h *Hub) Snapshot() Snapshot {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := Snapshot{Releases: []Release{}, Pulls: []Pull{}}
	latest := h.theLatest()
	for _, r := range h.releases {
		shown := Release{Tag: r.tag, Target: r.target, Title: r.title, Body: r.body, Draft: r.draft, Prerelease: r.prerelease, Immutable: r.immutable, Latest: r == latest, Assets: []Asset{}}
		for _, a := range r.assets {
			file := Asset{Name: a.name, ContentType: a.kind, State: "starter"}
			if a.uploaded {
				file.State, file.Size, file.Digest = "uploaded", int64(len(a.content)), a.digest
			}
			shown.Assets = append(shown.Assets, file)
		}
		slices.SortFunc(shown.Assets, func(a, b Asset) int { return strings.Compare(a.Name, b.Name) })
		s.Releases = append(s.Releases, shown)
	}
	slices.SortStableFunc(s.Releases, func(a, b Release) int {
		if a.Tag == b.Tag && a.Draft != b.Draft {
			if a.Draft {
				return 1
			}
			return -1
		}
		return strings.Compare(a.Tag, b.Tag)
	})
	for _, p := range h.pulls {
		shown := p.Pull
		shown.Labels, shown.Reviewers, shown.Assignees = sorted(p.Labels), sorted(p.Reviewers), sorted(p.Assignees)
		shown.Comments = []Comment{}
		for _, m := range p.comments {
			shown.Comments = append(shown.Comments, Comment{Author: m.author, Body: m.body})
		}
		s.Pulls = append(s.Pulls, shown)
	}
	return s
}

func sorted(list []string) []string {
	out := append([]string{}, list...)
	slices.Sort(out)
	return out
}

// AddPull puts a pull request there as it is, with its comments, and gives its number: the one that it has, else the next.
func (h *Hub) AddPull(p Pull) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.addPull(p).Number
}

func (h *Hub) addPull(p Pull) *pull {
	if p.Number == 0 {
		for _, other := range h.pulls {
			p.Number = max(p.Number, other.Number)
		}
		p.Number++
	}
	if p.State == "" {
		p.State = "open"
		if p.MergeCommit != "" {
			p.State = "closed"
		}
	}
	labels, comments := p.Labels, p.Comments
	p.Labels, p.Comments = nil, nil
	added := &pull{Pull: p, id: h.id(), created: h.now(), updated: h.now()}
	for _, name := range labels {
		h.label(added, name)
	}
	for _, m := range comments {
		h.comment(added, m.Author, m.Body)
	}
	h.pulls = append(h.pulls, added)
	return added
}

// Close closes a pull request as somebody does on its page; with a commit it is merged by it.
func (h *Hub) Close(number int, mergeCommit string) error {
	return h.with(number, func(p *pull) { p.State, p.MergeCommit, p.updated = "closed", mergeCommit, h.now() })
}

// Review has somebody review a pull request, who then is asked no more.
func (h *Hub) Review(number int, login string) error {
	return h.with(number, func(p *pull) {
		p.reviews = append(p.reviews, login)
		p.Reviewers = slices.DeleteFunc(p.Reviewers, func(other string) bool { return strings.EqualFold(other, login) })
	})
}

// Comment has somebody comment on a pull request.
func (h *Hub) Comment(number int, login, body string) error {
	return h.with(number, func(p *pull) { h.comment(p, login, body) })
}

func (h *Hub) with(number int, do func(*pull)) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, p := range h.pulls {
		if p.Number == number {
			do(p)
			return nil
		}
	}
	return fmt.Errorf("there is no pull request #%d", number)
}
