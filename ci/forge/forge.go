package forge

import (
	"context"
	"slices"

	"github.com/opencontainers/go-digest"
)

// Forge holds a repository's release pages and pull requests. Reading what is not there gives false and no error; each write tells whether it had to change anything.
type Forge interface {
	// Page finds the page of a git tag: the published one, else the oldest draft that this project made, else any draft.
	Page(ctx context.Context, tag string) (Page, bool, error)
	// Pages are all pages with their files, the newest first; drafts among them are seen by the repository's writers only.
	Pages(ctx context.Context) ([]Page, error)
	// Latest finds the page that the forge shows as the latest: never a draft or a prerelease.
	Latest(ctx context.Context) (Page, bool, error)
	// Prepare makes the release's page as a draft with all its files, or completes the one that is there. Nobody but the repository's writers sees it. Where a page has the same content nothing
	// is done; where it has other content it is refused, and both are named.
	Prepare(ctx context.Context, r Release) (Page, bool, error)
	// Publish makes the prepared page visible. It is refused where the git tag is not there, or is another one, or where a file is missing.
	Publish(ctx context.Context, r Release, latest Latest) (Page, bool, error)
	// Edit changes the text of a published page, or whether it is the latest; never its files.
	Edit(ctx context.Context, tag string, e Edit) (Page, bool, error)

	// Pull finds a pull request by its number.
	Pull(ctx context.Context, number int) (Pull, bool, error)
	// PullsWith finds the pull requests that brought a commit, or that would; the newest first.
	PullsWith(ctx context.Context, commit string) ([]Pull, error)
	// PullOf finds the pull request from a branch, BRANCH or OWNER:BRANCH, to another: the open one, else the newest.
	PullOf(ctx context.Context, head, base string) (Pull, bool, error)
	// Propose opens a pull request, or brings the open one up to date. One that was closed or merged, with the same commit, stays as it is.
	Propose(ctx context.Context, p Proposal) (Proposed, error)
	// Comment says something on a pull request once: under the same key, the comment that is there is edited.
	Comment(ctx context.Context, number int, key, text string) (bool, error)
	// Commented tells whether something was said under a key.
	Commented(ctx context.Context, number int, key string) (bool, error)

	// Permission is what a user may do with the repository.
	Permission(ctx context.Context, user string) (Permission, error)
}

// Release is what a page is to hold.
type Release struct {
	Tag        string        // git tag
	Object     string        // id of the git object that the tag has to be at the forge; empty: any
	Signed     string        // id of another one that it may be: the same tag, signed
	Commit     string        // id of the tag's commit
	Identity   digest.Digest // of the content; it stands hidden in the page, and tells whose page it is
	Title      string
	Body       string // Markdown
	More       string // Markdown that ends a body which was too long and is shortened: where the rest is
	Prerelease bool
	Files      []File
}

// File is one that a page offers.
type File struct {
	Name   string // letters, digits and ._+- ; the forge would rename others
	Path   string // on disk
	Size   int64  // in bytes
	Digest digest.Digest
}

// Latest says whether a page is to be the one that the forge shows as the latest.
type Latest string

// Yes, no, or as the forge thinks: by creation date, then by version. Of an edit, the empty one leaves it as it is. Whoever takes it from a page says which other one has it: else the forge
// thinks again.
const (
	LatestYes    Latest = "true"
	LatestNo     Latest = "false"
	LatestLegacy Latest = "legacy"
)

// Page is a release page as it is.
type Page struct {
	ID         int64
	Tag        string
	Identity   digest.Digest // empty: the page does not say
	Title      string
	Body       string // without the hidden identity
	Draft      bool
	Prerelease bool
	Immutable  bool // the forge holds its files and tag to what was published
	URL        string
	Assets     []Asset

	target string
	upload string // address
}

// Asset is a file of a page.
type Asset struct {
	ID       int64
	Name     string
	Size     int64         // in bytes
	Digest   digest.Digest // empty: the forge does not say
	Complete bool          // false while, or because, its upload did not end
	URL      string        // where it is downloaded, once the page is published
}

// Edit is what is to change of a page; what is nil or empty stays.
type Edit struct {
	Title  *string
	Body   *string // Markdown
	More   string  // as in Release
	Latest Latest
}

// State is where a pull request stands.
type State string

// A pull request is open, or closed without having been merged, or merged.
const (
	Open   State = "open"
	Closed State = "closed"
	Merged State = "merged"
)

// Pull is a pull request as it is.
type Pull struct {
	Number      int
	Title       string
	Body        string
	Author      string // login
	State       State
	Head        string // branch
	Base        string // branch
	Commit      string // at the branch's tip
	MergeCommit string // which brought it; empty unless it is merged
	URL         string
	Labels      []string
	Reviewers   []string // who are asked and have not answered; a team is OWNER/TEAM
	Assignees   []string
}

// Proposal is a pull request as it is to be.
type Proposal struct {
	Head      string // branch, or OWNER:BRANCH of a fork
	Base      string // branch
	Commit    string // at the tip of Head: one that was closed with another commit does not count; empty: any closed one counts
	Title     string
	Body      string // Markdown
	Draft     bool   // where it is opened
	Labels    []string
	Reviewers []string // logins, or OWNER/TEAM; who has answered is not asked again
	Assignees []string
}

// Proposed is what became of a proposal.
type Proposed struct {
	Pull
	Changed bool
	Left    []string // what the forge did not take, and why: a reviewer who is the author, an assignee without access
}

// Permission is what somebody may do with a repository, as GitHub names it.
type Permission string

// Permissions, the mightiest first.
const (
	Admin    Permission = "admin"
	Maintain Permission = "maintain"
	Write    Permission = "write"
	Triage   Permission = "triage"
	Read     Permission = "read"
	None     Permission = "none"
)

var permissions = []Permission{Admin, Maintain, Write, Triage, Read, None}

// Includes tells whether who has this permission has the other one, too.
func (p Permission) Includes(other Permission) bool {
	at := slices.Index(permissions, p)
	return at >= 0 && at <= slices.Index(permissions, other)
}
