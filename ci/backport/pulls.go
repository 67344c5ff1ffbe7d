package backport

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/operator-release/operator-release/ci/change"
	"github.com/operator-release/operator-release/ci/forge"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/markdown"
	"github.com/operator-release/operator-release/ci/refusal"
)

// Pulls are how picks become pull requests.
type Pulls struct {
	Forge     forge.Forge
	Labels    []string
	Reviewers []string // logins, or OWNER/TEAM
}

// Source is the pull request that brought a commit, as far as there is one.
type Source struct {
	Number int    `json:"number"`
	Author string `json:"author"` // login
	URL    string `json:"url"`
}

// Opened is the pull request of a branch.
type Opened struct {
	Line    string      `json:"line"`
	Branch  string      `json:"branch"`
	Number  int         `json:"number"`
	URL     string      `json:"url"`
	State   forge.State `json:"state"`
	Changed bool        `json:"changed"`        // it was opened, or brought up to date
	Left    []string    `json:"left,omitempty"` // what the forge did not take, and why
}

// Sources finds the pull request of each commit of results, by the commit's id: the merged one that the forge knows it by, else the one whose number the commit's
// subject ends with. A commit that was pushed without one has none.
func (p Pulls) Sources(ctx context.Context, results []Result) (map[string]Source, error) {
	found := map[string]Source{}
	asked := map[string]bool{}
	for _, r := range results {
		if asked[r.Commit] {
			continue
		}
		asked[r.Commit] = true
		pull, ok, err := p.source(ctx, r)
		if err != nil {
			return nil, err
		}
		if ok {
			found[r.Commit] = Source{Number: pull.Number, Author: pull.Author, URL: pull.URL}
		}
	}
	return found, nil
}

func (p Pulls) source(ctx context.Context, r Result) (forge.Pull, bool, error) {
	pulls, err := p.Forge.PullsWith(ctx, r.Commit)
	if err != nil {
		return forge.Pull{}, false, err
	}
	for _, pull := range slices.Backward(pulls) { // the oldest brought it; a younger one is a backport of it
		if pull.State == forge.Merged {
			return pull, true, nil
		}
	}
	number, err := strconv.Atoi(change.Read(r.Subject).Request())
	if err != nil {
		return forge.Pull{}, false, nil
	}
	pull, ok, err := p.Forge.Pull(ctx, number)
	return pull, ok && pull.State == forge.Merged, err
}

// Open opens a pull request for each branch, or brings the one that is there up to date; at is the commit that each branch has at the forge. One that was closed with this very
// commit stays closed: somebody decided so.
func (p Pulls) Open(ctx context.Context, lines []Line, results []Result, at map[string]string, sources map[string]Source) ([]Opened, error) {
	var opened []Opened
	for _, line := range lines {
		byBranch := map[string][]Result{}
		var branches []string
		for _, r := range results {
			if r.Line != line.Name || r.Branch == "" {
				continue
			}
			if byBranch[r.Branch] == nil {
				branches = append(branches, r.Branch)
			}
			byBranch[r.Branch] = append(byBranch[r.Branch], r)
		}
		for _, branch := range branches {
			want := forge.Proposal{
				Head: branch, Base: line.Branch, Commit: at[branch], Title: title(line, byBranch[branch], sources), Body: body(line, byBranch[branch], sources),
				Labels: p.Labels, Reviewers: p.Reviewers, Assignees: authors(byBranch[branch], sources),
			}
			done, err := p.Forge.Propose(ctx, want)
			if err != nil {
				return opened, err
			}
			opened = append(opened, Opened{Line: line.Name, Branch: branch, Number: done.Number, URL: done.URL, State: done.State, Changed: done.Changed, Left: done.Left})
		}
	}
	return opened, nil
}

// title is what the change is called. It stays a Conventional Commit, since a squash is called by it.
func title(line Line, picked []Result, sources map[string]Source) string {
	if len(picked) == 1 {
		return picked[0].Subject
	}
	var names []string
	for _, r := range picked {
		name := short(r.Commit)
		if source, ok := sources[r.Commit]; ok {
			name = fmt.Sprintf("#%d", source.Number)
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return fmt.Sprintf("chore: backport %s to %s", strings.Join(names, ", "), line.Branch)
}

func body(line Line, picked []Result, sources map[string]Source) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Backport to %s of\n\n", markdown.Code(line.Branch))
	for _, r := range picked {
		fmt.Fprintf(&b, "- %s, %s%s\n", markdown.Escape(r.Subject), r.Commit, by(r, sources))
		for _, n := range r.Needs {
			fmt.Fprintf(&b, "  - took along %s, which it needs%s: %s\n", n.Commit, n.warning(), markdown.Escape(n.Subject))
		}
		if len(r.Regenerated) > 0 {
			var files []string
			for _, file := range r.Regenerated {
				files = append(files, markdown.Code(file))
			}
			fmt.Fprintf(&b, "  - regenerated: %s\n", strings.Join(files, ", "))
		}
	}
	b.WriteString("\nEach commit keeps its author, date, message and sign-off, and names where it comes from.\n")
	return b.String()
}

func by(r Result, sources map[string]Source) string {
	source, ok := sources[r.Commit]
	if !ok {
		return ""
	}
	return fmt.Sprintf(", of #%d by %s", source.Number, markdown.Escape(source.Author))
}

// authors are whose changes were picked. A bot answers for nothing.
func authors(picked []Result, sources map[string]Source) []string {
	var logins []string
	for _, r := range picked {
		if login := sources[r.Commit].Author; login != "" && !strings.HasSuffix(login, "[bot]") && !slices.Contains(logins, login) {
			logins = append(logins, login)
		}
	}
	return logins
}

var numbered = regexp.MustCompile(`^#([1-9][0-9]{0,9})$`)

// maxBrought bounds how many commits one pull request may have brought by a rebase: GitHub rebases no more.
const maxBrought = 250

// Brought replaces each #NUMBER among revisions by the commits of that pull request, the oldest first: the merge, the squash, or all that were rebased. One that is not merged
// is refused.
func (p Pulls) Brought(ctx context.Context, repository *git.Repository, revisions []string) ([]string, error) {
	var commits []string
	for _, revision := range revisions {
		named := numbered.FindStringSubmatch(revision)
		if named == nil {
			commits = append(commits, revision)
			continue
		}
		number, _ := strconv.Atoi(named[1]) // at most ten digits
		pull, ok, err := p.Forge.Pull(ctx, number)
		if err != nil {
			return nil, err
		}
		if !ok || pull.State != forge.Merged || pull.MergeCommit == "" {
			return nil, refusal.New("backport #%d: %s; only what is merged can be picked", number, stateOf(pull, ok))
		}
		brought, err := p.brought(ctx, repository, pull)
		if err != nil {
			return nil, err
		}
		commits = append(commits, brought...)
	}
	return commits, nil
}

func stateOf(pull forge.Pull, there bool) string {
	if !there {
		return "there is no such pull request"
	}
	return "the pull request is " + string(pull.State)
}

// brought walks back from the last commit of a pull request as long as the forge says that a commit came by it. A merge is one change.
func (p Pulls) brought(ctx context.Context, repository *git.Repository, pull forge.Pull) ([]string, error) {
	var commits []string
	for at := pull.MergeCommit; len(commits) < maxBrought; {
		found, err := repository.Commits(ctx, []string{at})
		if err != nil {
			return nil, fmt.Errorf("backport #%d: %w; fetch %s first", pull.Number, err, pull.Base)
		}
		commits = append(commits, found[0].ID)
		if len(found[0].Parents) != 1 {
			break
		}
		at = found[0].Parents[0]
		pulls, err := p.Forge.PullsWith(ctx, at)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(pulls, func(other forge.Pull) bool { return other.Number == pull.Number }) {
			break
		}
	}
	slices.Reverse(commits)
	return commits, nil
}
