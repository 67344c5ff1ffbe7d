package forge

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/google/go-github/v92/github"

	"github.com/operator-release/operator-release/ci/refusal"
)

const (
	readPulls  = "pull requests: read"
	writePulls = "pull requests: write"
)

func pullOf(p *github.PullRequest) Pull {
	out := Pull{
		Number: p.GetNumber(), Title: p.GetTitle(), Body: lines(p.GetBody()), Author: p.GetUser().GetLogin(), State: Open, Head: p.GetHead().GetRef(), Base: p.GetBase().GetRef(),
		Commit: p.GetHead().GetSHA(), URL: p.GetHTMLURL(),
	}
	switch {
	case p.MergedAt != nil:
		out.State, out.MergeCommit = Merged, p.GetMergeCommitSHA()
	case p.GetState() == "closed":
		out.State = Closed
	}
	for _, label := range p.Labels {
		out.Labels = append(out.Labels, label.GetName())
	}
	for _, u := range p.RequestedReviewers {
		out.Reviewers = append(out.Reviewers, u.GetLogin())
	}
	for _, team := range p.RequestedTeams {
		out.Reviewers = append(out.Reviewers, p.GetBase().GetRepo().GetOwner().GetLogin()+"/"+team.GetSlug())
	}
	for _, u := range p.Assignees {
		out.Assignees = append(out.Assignees, u.GetLogin())
	}
	return out
}

// Pull finds a pull request by its number.
func (g *GitHub) Pull(ctx context.Context, number int) (Pull, bool, error) {
	p, _, err := g.api.PullRequests.Get(ctx, g.owner, g.name, number)
	if status(err) == http.StatusNotFound {
		return Pull{}, false, nil
	}
	if err != nil {
		return Pull{}, false, g.failed(fmt.Sprintf("look for pull request #%d", number), readPulls, err)
	}
	return pullOf(p), true, nil
}

// PullsWith finds the pull requests of a commit; of one that GitHub does not know there are none.
func (g *GitHub) PullsWith(ctx context.Context, commit string) ([]Pull, error) {
	if !revision.MatchString(commit) {
		return nil, refusal.New("look for the pull requests of %q at %s: that is no commit's id", commit, g.repo())
	}
	listed, err := all(func(o github.ListOptions) ([]*github.PullRequest, *github.Response, error) {
		return g.api.PullRequests.ListPullRequestsWithCommit(ctx, g.owner, g.name, commit, &o)
	})
	if code := status(err); code == http.StatusNotFound || code == http.StatusUnprocessableEntity {
		return nil, nil
	}
	if err != nil {
		return nil, g.failed("look for the pull requests of commit "+commit, readPulls, err)
	}
	return pullsOf(listed), nil
}

// pullsOf are the pull requests of a list, the newest first.
func pullsOf(listed []*github.PullRequest) []Pull {
	var found []Pull
	for _, p := range listed {
		found = append(found, pullOf(p))
	}
	slices.SortFunc(found, func(a, b Pull) int { return b.Number - a.Number })
	return slices.CompactFunc(found, func(a, b Pull) bool { return a.Number == b.Number })
}

// PullOf finds the pull request from a branch to another.
func (g *GitHub) PullOf(ctx context.Context, head, base string) (Pull, bool, error) {
	owner, branch, fork := strings.Cut(head, ":")
	if !fork {
		owner, branch = g.owner, head
	}
	if owner == "" || branch == "" || base == "" { // GitHub would list all
		return Pull{}, false, refusal.New("look for the pull request from %q to %q at %s: name both branches", head, base, g.repo())
	}
	listed, err := all(func(o github.ListOptions) ([]*github.PullRequest, *github.Response, error) {
		return g.api.PullRequests.List(ctx, g.owner, g.name, &github.PullRequestListOptions{State: "all", Head: owner + ":" + branch, Base: base, ListOptions: o})
	})
	if err != nil {
		return Pull{}, false, g.failed(fmt.Sprintf("look for the pull request from %s to %s", head, base), readPulls, err)
	}
	found := slices.DeleteFunc(pullsOf(listed), func(p Pull) bool { return p.Head != branch || p.Base != base })
	if len(found) == 0 {
		return Pull{}, false, nil
	}
	return found[max(0, slices.IndexFunc(found, func(p Pull) bool { return p.State == Open }))], true, nil
}

// Propose opens a pull request, or brings it up to date.
func (g *GitHub) Propose(ctx context.Context, want Proposal) (Proposed, error) {
	title, body := fitTitle(want.Title), fit(want.Body, maxPull, "")
	if title == "" {
		return Proposed{}, refusal.New("open a pull request from %s to %s at %s: it needs a title", want.Head, want.Base, g.repo())
	}
	what := fmt.Sprintf("open a pull request from %s to %s", want.Head, want.Base)
	p, ok, err := g.PullOf(ctx, want.Head, want.Base)
	if err != nil {
		return Proposed{}, err
	}
	done := Proposed{Pull: p}
	if ok && p.State != Open {
		if want.Commit == "" || p.Commit == want.Commit {
			return done, nil
		}
		ok = false
	}
	for try := 0; !ok; try++ {
		done.Changed = true
		made, _, failed := g.api.PullRequests.Create(ctx, g.owner, g.name, github.CreatePullRequest{Title: &title, Head: want.Head, Base: want.Base, Body: &body, Draft: &want.Draft})
		if failed == nil {
			p = pullOf(made)
			break
		}
		if !lost(ctx, failed) && !there(failed) {
			return Proposed{}, g.failed(what, writePulls, failed)
		}
		if err := g.pause(ctx, try); err != nil {
			return Proposed{}, err
		}
		if p, ok, err = g.PullOf(ctx, want.Head, want.Base); err != nil {
			return Proposed{}, err
		}
		if ok = ok && p.State == Open; !ok && try+1 >= g.options.Patience.Tries {
			return Proposed{}, g.failed(what, writePulls, failed)
		}
	}
	if p.Title != title || p.Body != body {
		done.Changed = true
		changed, _, err := g.api.PullRequests.Edit(ctx, g.owner, g.name, p.Number, &github.PullRequest{Title: &title, Body: &body})
		if err != nil {
			return done, g.failed(fmt.Sprintf("bring pull request #%d up to date", p.Number), writePulls, err)
		}
		p = pullOf(changed)
	}
	done.Pull = p
	for _, decorate := range []func(context.Context, *Proposed, Proposal) error{g.label, g.ask, g.assign} {
		if err := decorate(ctx, &done, want); err != nil {
			return done, err
		}
	}
	return done, nil
}

// missing are the names that a list does not hold; case does not count.
func missing(want, have []string) []string {
	var left []string
	for _, name := range want {
		same := func(other string) bool { return strings.EqualFold(name, other) }
		if name != "" && !slices.ContainsFunc(have, same) && !slices.ContainsFunc(left, same) {
			left = append(left, name)
		}
	}
	return left
}

// label gives the labels that are missing. The library would send a bare list, which GitHub's description does not know.
func (g *GitHub) label(ctx context.Context, p *Proposed, want Proposal) error {
	add := missing(want.Labels, p.Labels)
	if len(add) == 0 {
		return nil
	}
	p.Changed = true
	what := fmt.Sprintf("label pull request #%d", p.Number)
	req, err := g.api.NewRequest(ctx, http.MethodPost, fmt.Sprintf("repos/%s/%s/issues/%d/labels", g.owner, g.name, p.Number), map[string][]string{"labels": add})
	if err != nil {
		return g.failed(what, writePulls, err)
	}
	var labels []*github.Label
	if _, err := g.api.Do(req, &labels); err != nil {
		return g.failed(what, writePulls, err)
	}
	p.Labels = nil
	for _, label := range labels {
		p.Labels = append(p.Labels, label.GetName())
	}
	return nil
}

// ask asks reviewers who were not asked, and have not answered. Where GitHub refuses them together, each is asked alone, and who is refused is told.
func (g *GitHub) ask(ctx context.Context, p *Proposed, want Proposal) error {
	add := missing(want.Reviewers, p.Reviewers)
	if len(add) == 0 {
		return nil
	}
	reviews, err := all(func(o github.ListOptions) ([]*github.PullRequestReview, *github.Response, error) {
		return g.api.PullRequests.ListReviews(ctx, g.owner, g.name, p.Number, &o)
	})
	if err != nil {
		return g.failed(fmt.Sprintf("list the reviews of pull request #%d", p.Number), readPulls, err)
	}
	var answered []string
	for _, review := range reviews {
		answered = append(answered, review.GetUser().GetLogin())
	}
	add = missing(add, answered)
	request := func(names []string) error {
		var r github.ReviewersRequest
		for _, name := range names {
			if _, team, ok := strings.Cut(name, "/"); ok {
				r.TeamReviewers = append(r.TeamReviewers, team)
			} else {
				r.Reviewers = append(r.Reviewers, name)
			}
		}
		asked, _, err := g.api.PullRequests.RequestReviewers(ctx, g.owner, g.name, p.Number, r)
		if err == nil {
			p.Reviewers, p.Changed = pullOf(asked).Reviewers, true
		}
		return err
	}
	what := func(names ...string) string {
		return fmt.Sprintf("ask %s to review pull request #%d", strings.Join(names, ", "), p.Number)
	}
	if len(add) == 0 {
		return nil
	}
	err = request(add)
	if status(err) != http.StatusUnprocessableEntity {
		return g.failed(what(add...), writePulls, err)
	}
	for _, name := range add {
		if err := request([]string{name}); status(err) == http.StatusUnprocessableEntity {
			p.Left = append(p.Left, g.failed(what(name), writePulls, err).Error())
		} else if err != nil {
			return g.failed(what(name), writePulls, err)
		}
	}
	return nil
}

// assign assigns who is not assigned. GitHub says nothing of those that it does not take.
func (g *GitHub) assign(ctx context.Context, p *Proposed, want Proposal) error {
	add := missing(want.Assignees, p.Assignees)
	if len(add) == 0 {
		return nil
	}
	issue, _, err := g.api.Issues.AddAssignees(ctx, g.owner, g.name, p.Number, add)
	if err != nil {
		return g.failed(fmt.Sprintf("assign pull request #%d to %s", p.Number, strings.Join(add, ", ")), writePulls, err)
	}
	before := len(p.Assignees)
	p.Assignees = nil
	for _, u := range issue.Assignees {
		p.Assignees = append(p.Assignees, u.GetLogin())
	}
	p.Changed = p.Changed || len(p.Assignees) != before
	for _, name := range missing(want.Assignees, p.Assignees) {
		p.Left = append(p.Left, fmt.Sprintf("assign pull request #%d at %s to %s: GitHub did not; a user needs access to the repository for that", p.Number, g.repo(), name))
	}
	return nil
}

// Comment says something once.
func (g *GitHub) Comment(ctx context.Context, number int, key, text string) (bool, error) {
	body, err := mark(fit(text, maxPull-len(hidden(key)), ""), key)
	if err != nil {
		return false, err
	}
	what := fmt.Sprintf("comment on pull request #%d", number)
	for try := 0; ; try++ {
		id, is, err := g.comment(ctx, number, key)
		if err != nil {
			return false, err
		}
		if id != 0 {
			if is == lines(body) {
				return try > 0, nil
			}
			if _, _, err := g.api.Issues.UpdateComment(ctx, g.owner, g.name, id, github.IssueCommentRequest{Body: body}); err != nil {
				return false, g.failed(fmt.Sprintf("edit the comment on pull request #%d", number), writePulls, err)
			}
			return true, nil
		}
		_, _, failed := g.api.Issues.CreateComment(ctx, g.owner, g.name, number, github.IssueCommentRequest{Body: body})
		if failed == nil {
			return true, nil
		}
		if !lost(ctx, failed) || try+1 >= g.options.Patience.Tries {
			return false, g.failed(what, writePulls, failed)
		}
		if err := g.pause(ctx, try); err != nil {
			return false, err
		}
	}
}

// Commented tells whether there is an own comment of a key.
func (g *GitHub) Commented(ctx context.Context, number int, key string) (bool, error) {
	id, _, err := g.comment(ctx, number, key)
	return id != 0, err
}

// comment finds the own comment of a key; id is 0 where there is none. One that somebody else wrote is not ours, whatever it says.
func (g *GitHub) comment(ctx context.Context, number int, key string) (id int64, text string, err error) {
	listed, err := all(func(o github.ListOptions) ([]*github.IssueComment, *github.Response, error) {
		return g.api.Issues.ListComments(ctx, g.owner, g.name, number, &github.IssueListCommentsOptions{ListOptions: o})
	})
	if err != nil {
		return 0, "", g.failed(fmt.Sprintf("list the comments on pull request #%d", number), readPulls, err)
	}
	for _, m := range listed {
		if _, found := unmark(m.GetBody()); found != key {
			continue
		}
		login, err := g.me(ctx)
		if err != nil {
			return 0, "", err
		}
		if own := login != "" && strings.EqualFold(m.GetUser().GetLogin(), login) || login == "" && m.GetUser().GetType() == "Bot"; own && (id == 0 || m.GetID() < id) {
			id, text = m.GetID(), lines(m.GetBody())
		}
	}
	return id, text, nil
}

// me is the token's user; empty for an app's token, which may not ask: its comments are a bot's.
func (g *GitHub) me(ctx context.Context) (string, error) {
	g.mu.Lock()
	self := g.self
	g.mu.Unlock()
	if self != nil {
		return *self, nil
	}
	u, _, err := g.api.Users.Get(ctx, "")
	if code := status(err); err != nil && code != http.StatusForbidden && code != http.StatusNotFound {
		return "", g.failed("ask whose token it is", "metadata: read", err)
	}
	login := u.GetLogin()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.self = &login
	return login, nil
}
