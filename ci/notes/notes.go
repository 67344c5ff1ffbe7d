package notes

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/operator-release/operator-release/ci/change"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/version"
)

// Options are all that notes are made of.
type Options struct {
	Repository *git.Repository
	Version    version.Version
	Commit     string     // that is released
	Since      string     // the tag whose notes these stand on; empty for the first of all
	From       string     // the commit of Since; empty: all of history
	Time       time.Time  // of the release
	URL        string     // where the source lives; of a GitHub repository it gives links
	Accepted   []Accepted // what the policy refuses, and somebody let pass
	LeftOut    []LeftOut
}

// LeftOut is an image that the release lacks.
type LeftOut struct {
	Repository string   `json:"repository"`
	Because    string   `json:"because"`
	Run        []string `json:"run,omitempty"`    // where charts run it with their default values
	Unread     []string `json:"unread,omitempty"` // why it is not known whether others do
}

// Accepted is a point of the policy by its id, and why it may pass.
type Accepted struct {
	ID      string `json:"id"`
	Because string `json:"because"`
}

// Notes are what a version changes.
type Notes struct {
	Version  version.Version `json:"version"`
	Since    string          `json:"since"`
	Time     time.Time       `json:"time"`
	URL      string          `json:"url,omitempty"`
	Groups   []Group         `json:"groups"`
	Accepted []Accepted      `json:"accepted,omitempty"`
	LeftOut  []LeftOut       `json:"leftOut,omitempty"`
	Warning  string          `json:"warning,omitempty"` // what was found out after the release; no bundle holds it
}

// Group is a heading with its changes, in the order of history.
type Group struct {
	Title   string  `json:"title"`
	Entries []Entry `json:"entries"`
}

// Entry is one change.
type Entry struct {
	Kind      change.Kind `json:"kind"`
	Scope     string      `json:"scope,omitempty"`
	Text      string      `json:"text"`
	Breaking  bool        `json:"breaking,omitempty"`
	Breaks    []string    `json:"breaks,omitempty"`    // what one has to do about it
	Requests  []string    `json:"requests,omitempty"`  // pull requests of the change; of a pick the original's
	Backports []string    `json:"backports,omitempty"` // pull requests that picked it
	Mentions  []string    `json:"mentions,omitempty"`  // other numbers in the subject, such as an issue's
	Author    string      `json:"author,omitempty"`    // whose change it is; of a squashed pick, who signed it off first
	Login     string      `json:"login,omitempty"`     // of the author at the forge, where it was asked
	Commit    string      `json:"commit"`              // that has it in this version
	Origins   []string    `json:"origins,omitempty"`   // what it was picked from
	AlreadyBy string      `json:"alreadyBy,omitempty"` // by what it was recognized in Since, which is on another line
}

// Collect gives the notes of a version.
func Collect(ctx context.Context, o Options) (Notes, error) {
	n := Notes{Version: o.Version, Since: o.Since, Time: o.Time, URL: o.URL, Accepted: o.Accepted, LeftOut: o.LeftOut}
	commits, err := o.Repository.Between(ctx, o.From, o.Commit)
	if err != nil {
		return n, fmt.Errorf("collect what %s brings: %w", o.Version, err)
	}
	changes := change.Remaining(change.Changes(commits))
	recognized, err := released(ctx, o, changes)
	if err != nil {
		return n, fmt.Errorf("collect what %s brings: %w", o.Version, err)
	}
	var entries []Entry
	for i, c := range changes {
		if c.Message.Kind != change.Release {
			e := entry(c, o.Version.Patch() > 0)
			e.AlreadyBy = recognized[i]
			entries = append(entries, e)
		}
	}
	n.Groups = group(once(entries), o.Since)
	return n, nil
}

// released recognizes the changes that Since has already, where it is on another line. By place, it says by what.
func released(ctx context.Context, o Options, changes []change.Change) (map[int]string, error) {
	recognized := map[int]string{}
	if o.From == "" || len(changes) == 0 {
		return recognized, nil
	}
	fork, ok, err := o.Repository.MergeBase(ctx, o.Commit, o.From)
	if err != nil || !ok || fork == o.From {
		return recognized, err
	}
	set, err := change.Since(ctx, o.Repository, fork, o.From)
	if err != nil {
		return nil, err
	}
	// A pick keeps who made the change, and when: patches are compared where these are equal, since all take long.
	authors := map[string]bool{}
	for _, c := range change.Commits(set.Changes) {
		authors[author(c)] = true
	}
	compare := slices.DeleteFunc(change.Commits(changes), func(c git.Commit) bool { return !authors[author(c)] })
	patches, err := o.Repository.PatchIDs(ctx, compare)
	if err != nil {
		return nil, err
	}
	for i, c := range changes {
		if by, _ := set.Find(c, patches); by != "" {
			recognized[i] = by
		}
	}
	return recognized, nil
}

func author(c git.Commit) string {
	return fmt.Sprint(c.Author.Name, c.Author.Email, c.Author.Time.Unix())
}

// entry is a change as the notes have it. On a release line, a pull request before the change's own is the original's.
func entry(c change.Change, onLine bool) Entry {
	m := c.Message
	kind := m.Kind
	if len(m.Features) > 0 && (kind == change.Other || len(c.Inside) == 1) { // the title hides it
		kind = change.Feature
	}
	e := Entry{Kind: kind, Scope: m.Scope, Text: m.Subject, Breaking: m.Breaking, Breaks: m.Breaks,
		Author: c.Author, Commit: c.Commit.ID, Origins: m.Origins}
	add := func(to *[]string, numbers ...string) {
		for _, n := range numbers {
			if n != "" && !slices.Contains(slices.Concat(e.Requests, e.Backports, e.Mentions), n) {
				*to = append(*to, n)
			}
		}
	}
	if add(&e.Requests, m.Originals(onLine)...); len(e.Requests) > 0 {
		add(&e.Backports, m.Request(), c.Via)
	} else if add(&e.Requests, m.Request()); len(e.Requests) > 0 {
		add(&e.Backports, c.Via)
	} else {
		add(&e.Requests, c.Via)
	}
	add(&e.Mentions, m.Others...)
	return e
}

// once puts what is there twice, as an original and its pick, under the original: the pick names it, or has its pull
// request and its words.
func once(entries []Entry) []Entry {
	byCommit, byRequest := map[string]int{}, map[string]int{}
	var all []Entry
	for _, e := range entries {
		at, twice := 0, false
		for _, n := range slices.Concat(e.Requests, e.Mentions) {
			if i, ok := byRequest[n+" "+e.Text]; ok {
				at, twice = i, true
			}
		}
		for _, origin := range e.Origins {
			for id, i := range byCommit {
				if strings.HasPrefix(id, origin) {
					at, twice = i, true
				}
			}
		}
		if twice {
			first := &all[at]
			for _, n := range slices.Concat(e.Requests, e.Backports) {
				if !slices.Contains(slices.Concat(first.Requests, first.Backports), n) {
					first.Backports = append(first.Backports, n)
				}
			}
			continue
		}
		for _, n := range e.Requests {
			byRequest[n+" "+e.Text] = len(all)
		}
		byCommit[e.Commit] = len(all)
		all = append(all, e)
	}
	return all
}

// titles are the groups in their order.
var titles = []struct {
	title string
	kinds []change.Kind
}{
	{"Security", []change.Kind{change.Security}},
	{"Features", []change.Kind{change.Feature}},
	{"Fixes", []change.Kind{change.Fix}},
	{"Performance", []change.Kind{change.Performance}},
	{"Reverted", []change.Kind{change.Revert}},
	{"Documentation", []change.Kind{change.Documentation}},
	{"Dependencies", []change.Kind{change.Dependencies}},
	{"Other changes", []change.Kind{change.Other, change.Release}},
}

func group(entries []Entry, since string) []Group {
	var groups []Group
	add := func(title string, belongs func(Entry) bool) {
		g := Group{Title: title}
		for _, e := range entries {
			if belongs(e) {
				g.Entries = append(g.Entries, e)
			}
		}
		if len(g.Entries) > 0 {
			groups = append(groups, g)
		}
	}
	add("Breaking changes", func(e Entry) bool { return e.AlreadyBy == "" && e.Breaking })
	for _, t := range titles {
		add(t.title, func(e Entry) bool { return e.AlreadyBy == "" && !e.Breaking && slices.Contains(t.kinds, e.Kind) })
	}
	add("Already in "+since, func(e Entry) bool { return e.AlreadyBy != "" })
	return groups
}

// Requests are the pull requests of the changes, but for those that the version before has on another line.
func (n Notes) Requests() []string {
	var requests []string
	for _, g := range n.Groups {
		for _, e := range g.Entries {
			if len(e.Requests) > 0 && e.AlreadyBy == "" {
				requests = append(requests, e.Requests[0])
			}
		}
	}
	return requests
}
