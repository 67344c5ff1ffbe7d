package hub

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// maxText bounds the text of a pull request or comment, maxTitle the title, in characters.
const maxText, maxTitle = 65536, 256

type pull struct {
	Pull
	id               int64
	created, updated time.Time
	head             string // the commit of a branch that is there no more
	reviews          []string
	comments         []*comment
}

type comment struct {
	id               int64
	author, body     string
	created, updated time.Time
}

func (h *Hub) pull(c *call) *pull {
	n := c.number("number")
	for _, p := range h.pulls {
		if int64(p.Number) == n {
			return p
		}
	}
	return nil
}

// tip is the commit of a pull request's branch; of a closed one, that of the day it was closed.
func (h *Hub) tip(c *call, p *pull) string {
	if p.State == "open" || p.head == "" {
		if commit, ok := h.resolve(c, "refs/heads/"+p.Head); ok {
			p.head = commit
		}
	}
	if p.head == "" {
		p.head = strings.Repeat("0", 40)
	}
	return p.head
}

func (h *Hub) showPull(c *call) func(*pull) object {
	return func(p *pull) object {
		url, page, issue := fmt.Sprintf("%s/pulls/%d", h.repo(c), p.Number), fmt.Sprintf("%s/%s/pull/%d", c.base, h.options.Repository, p.Number), fmt.Sprintf("%s/issues/%d", h.repo(c), p.Number)
		tip := h.tip(c, p)
		base, ok := h.resolve(c, "refs/heads/"+p.Base)
		if !ok {
			base = strings.Repeat("0", 40)
		}
		href := func(url string) object { return object{"href": url} }
		statuses := h.repo(c) + "/statuses/" + tip
		reviewers := slices.DeleteFunc(slices.Clone(p.Reviewers), func(r string) bool { return strings.Contains(r, "/") })
		shown := object{
			"id": p.id, "node_id": node("PullRequest", p.id), "url": url, "html_url": page, "diff_url": page + ".diff", "patch_url": page + ".patch", "issue_url": issue,
			"commits_url": url + "/commits", "review_comments_url": url + "/comments", "review_comment_url": h.repo(c) + "/pulls/comments{/number}", "comments_url": issue + "/comments",
			"statuses_url": statuses, "number": p.Number, "state": p.State, "locked": false, "title": p.Title, "body": nil, "user": h.person(c, p.Author), "labels": h.showLabels(c, p),
			"milestone": nil, "active_lock_reason": nil, "created_at": p.created, "updated_at": p.updated, "closed_at": nil, "merged_at": nil, "merge_commit_sha": nil, "assignee": nil,
			"assignees": h.people(c, p.Assignees), "requested_reviewers": h.people(c, reviewers), "requested_teams": []object{}, "draft": p.Draft, "auto_merge": nil,
			"head": object{"label": h.owner + ":" + p.Head, "ref": p.Head, "sha": tip, "user": h.person(c, h.owner), "repo": h.showRepository(c)},
			"base": object{"label": h.owner + ":" + p.Base, "ref": p.Base, "sha": base, "user": h.person(c, h.owner), "repo": h.showRepository(c)},
			"_links": object{
				"self": href(url), "html": href(page), "issue": href(issue), "comments": href(issue + "/comments"), "review_comments": href(url + "/comments"),
				"review_comment": href(h.repo(c) + "/pulls/comments{/number}"), "commits": href(url + "/commits"), "statuses": href(statuses),
			},
			"author_association": h.association(p.Author),
		}
		if p.Body != "" {
			shown["body"] = p.Body
		}
		if len(p.Assignees) > 0 {
			shown["assignee"] = h.person(c, p.Assignees[0])
		}
		if p.State == "closed" {
			shown["closed_at"] = p.updated
		}
		if p.MergeCommit != "" {
			shown["merged_at"], shown["merge_commit_sha"] = p.updated, p.MergeCommit
		}
		return shown
	}
}

// showWhole shows what one sees of a single pull request, beyond what a list says of it.
func (h *Hub) showWhole(c *call, p *pull) object {
	shown := h.showPull(c)(p)
	for field, value := range map[string]any{
		"merged": p.MergeCommit != "", "mergeable": nil, "rebaseable": nil, "mergeable_state": "unknown", "merged_by": nil, "comments": len(p.comments), "review_comments": 0,
		"maintainer_can_modify": false, "commits": 1, "additions": 0, "deletions": 0, "changed_files": 0,
	} {
		shown[field] = value
	}
	if p.MergeCommit != "" {
		shown["merged_by"] = h.person(c, p.Author)
	}
	return shown
}

// association is how somebody stands to the repository.
func (h *Hub) association(login string) string {
	u, _, _ := h.known(login)
	switch {
	case strings.EqualFold(login, h.owner):
		return "OWNER"
	case u.Role != "" && u.Role != Read && !u.Bot:
		return "COLLABORATOR"
	}
	return "NONE"
}

func (h *Hub) showLabels(c *call, p *pull) []object {
	shown := []object{}
	for _, label := range p.Labels {
		shown = append(shown, object{
			"id": h.labels[label], "node_id": node("Label", h.labels[label]), "url": h.repo(c) + "/labels/" + strings.ReplaceAll(label, " ", "%20"), "name": label, "description": "", "color": "ededed", "default": false,
		})
	}
	return shown
}

func (h *Hub) showRepository(c *call) object {
	url := h.repo(c)
	shown := object{
		"id": 1, "node_id": node("Repository", 1), "name": h.name, "full_name": h.options.Repository, "owner": h.person(c, h.owner), "private": false, "html_url": c.base + "/" + h.options.Repository, "description": nil,
		"fork": false, "url": url, "git_url": "git://" + c.Host + "/" + h.options.Repository + ".git", "ssh_url": "git@" + c.Host + ":" + h.options.Repository + ".git", "clone_url": c.base + "/" + h.options.Repository + ".git",
		"svn_url": c.base + "/" + h.options.Repository, "homepage": nil, "language": nil, "mirror_url": nil, "license": nil, "default_branch": "main", "archived": false, "disabled": false,
		"has_issues": true, "has_projects": false, "has_downloads": true, "has_wiki": false, "has_pages": false, "created_at": nil, "updated_at": nil, "pushed_at": nil,
	}
	for _, field := range []string{"size", "stargazers_count", "watchers_count", "watchers", "forks_count", "forks", "open_issues_count", "open_issues"} {
		shown[field] = 0
	}
	for field, path := range map[string]string{
		"archive": "{archive_format}{/ref}", "assignees": "{/user}", "blobs": "/git/blobs{/sha}", "branches": "{/branch}", "collaborators": "{/collaborator}", "comments": "{/number}", "commits": "{/sha}",
		"compare": "/{base}...{head}", "contents": "/{+path}", "git_commits": "/git/commits{/sha}", "git_refs": "/git/refs{/sha}", "git_tags": "/git/tags{/sha}", "issue_comment": "/issues/comments{/number}",
		"issue_events": "/issues/events{/number}", "issues": "{/number}", "keys": "{/key_id}", "labels": "{/name}", "milestones": "{/number}", "notifications": "{?since,all,participating}",
		"pulls": "{/number}", "releases": "{/id}", "statuses": "/{sha}", "trees": "/git/trees{/sha}",
	} {
		if strings.HasPrefix(path, "{") || field == "compare" || field == "contents" || field == "statuses" {
			path = "/" + field + path
		}
		shown[field+"_url"] = url + path
	}
	for _, field := range []string{"contributors", "deployments", "downloads", "events", "forks", "hooks", "languages", "merges", "stargazers", "subscribers", "subscription", "tags", "teams"} {
		shown[field+"_url"] = url + "/" + field
	}
	return shown
}

func (h *Hub) listPulls(c *call) answer {
	query := c.URL.Query()
	state := query.Get("state")
	if state == "" {
		state = "open"
	}
	var found []*pull
	for _, p := range slices.Backward(h.pulls) {
		if (state == "all" || p.State == state) && (query.Get("base") == "" || query.Get("base") == p.Base) && (query.Get("head") == "" || query.Get("head") == h.owner+":"+p.Head) {
			found = append(found, p)
		}
	}
	return page(c, found, h.showPull(c))
}

func (h *Hub) getPull(c *call) answer {
	if p := h.pull(c); p != nil {
		return answer{status: http.StatusOK, body: h.showWhole(c, p)}
	}
	return notFound
}

func tooLong(resource, field, text string, most int) *answer {
	if utf8.RuneCountInString(text) <= most {
		return nil
	}
	a := invalid(resource, "custom", field, fmt.Sprintf("%s is too long (maximum is %d characters)", field, most))
	return &a
}

func (h *Hub) createPull(c *call) answer {
	var wanted struct {
		Title, Head, Base, Body string
		Draft                   bool
	}
	if bad := c.read(&wanted); bad != nil {
		return *bad
	}
	owner, head, ok := strings.Cut(wanted.Head, ":")
	if !ok {
		owner, head = h.owner, wanted.Head
	}
	tip, there := h.resolve(c, "refs/heads/"+head)
	base, baseThere := h.resolve(c, "refs/heads/"+wanted.Base)
	switch {
	case wanted.Title == "":
		return invalid("PullRequest", "missing_field", "title", "")
	case head == "" || !there || !strings.EqualFold(owner, h.owner):
		return invalid("PullRequest", "invalid", "head", "")
	case wanted.Base == "" || !baseThere:
		return invalid("PullRequest", "invalid", "base", "")
	case slices.ContainsFunc(h.pulls, func(p *pull) bool { return p.State == "open" && p.Head == head && p.Base == wanted.Base }):
		return invalid("PullRequest", "custom", "", fmt.Sprintf("A pull request already exists for %s:%s.", h.owner, head))
	}
	if bad := tooLong("PullRequest", "title", wanted.Title, maxTitle); bad != nil {
		return *bad
	}
	if bad := tooLong("PullRequest", "body", wanted.Body, maxText); bad != nil {
		return *bad
	}
	if h.options.Git != nil {
		if ahead, err := h.options.Git.Git(c.Context(), "rev-list", "--max-count=1", base+".."+tip); err != nil || strings.TrimSpace(ahead) == "" {
			return invalid("PullRequest", "custom", "", fmt.Sprintf("No commits between %s and %s", wanted.Base, head))
		}
	}
	p := h.addPull(Pull{Title: wanted.Title, Body: wanted.Body, Author: c.user.Login, Head: head, Base: wanted.Base, State: "open", Draft: wanted.Draft})
	return answer{status: http.StatusCreated, body: h.showWhole(c, p)}
}

func (h *Hub) updatePull(c *call) answer {
	p := h.pull(c)
	if p == nil {
		return notFound
	}
	var wanted struct{ Title, Body, State, Base *string }
	if bad := c.read(&wanted); bad != nil {
		return *bad
	}
	next := p.Pull
	for field, value := range map[*string]*string{&next.Title: wanted.Title, &next.Body: wanted.Body, &next.State: wanted.State, &next.Base: wanted.Base} {
		if value != nil {
			*field = *value
		}
	}
	if bad := tooLong("PullRequest", "title", next.Title, maxTitle); bad != nil {
		return *bad
	}
	if bad := tooLong("PullRequest", "body", next.Body, maxText); bad != nil {
		return *bad
	}
	h.tip(c, p) // where it is closed, that is what stays
	p.Pull, p.updated = next, h.now()
	return answer{status: http.StatusOK, body: h.showWhole(c, p)}
}

func (h *Hub) requestReviewers(c *call) answer {
	p := h.pull(c)
	if p == nil {
		return notFound
	}
	var wanted struct {
		Reviewers []string
		Teams     []string `json:"team_reviewers"`
	}
	if bad := c.read(&wanted); bad != nil {
		return *bad
	}
	refuse := func(why string) answer {
		return answer{status: http.StatusUnprocessableEntity, body: object{"message": why, "documentation_url": documentation}}
	}
	if len(wanted.Teams) > 0 {
		return refuse("Could not resolve to a node with the global id of 'team'.") // the owner is no organization
	}
	for _, login := range wanted.Reviewers {
		u, _, ok := h.known(login)
		switch {
		case strings.EqualFold(login, p.Author):
			return refuse("Review cannot be requested from pull request author.")
		case !ok || u.Role == "":
			return refuse(fmt.Sprintf("Reviews may only be requested from collaborators. One or more of the users or teams you specified is not a collaborator of the %s repository.", h.options.Repository))
		}
	}
	for _, login := range wanted.Reviewers {
		p.Reviewers = with(p.Reviewers, login)
	}
	return answer{status: http.StatusCreated, body: h.showPull(c)(p)}
}

func with(list []string, name string) []string {
	if slices.ContainsFunc(list, func(other string) bool { return strings.EqualFold(other, name) }) {
		return list
	}
	return append(list, name)
}

func (h *Hub) listReviews(c *call) answer {
	p := h.pull(c)
	if p == nil {
		return notFound
	}
	url := fmt.Sprintf("%s/%s/pull/%d", c.base, h.options.Repository, p.Number)
	return page(c, p.reviews, func(login string) object {
		return object{
			"id": 1, "node_id": node("PullRequestReview", 1), "user": h.person(c, login), "body": "", "state": "APPROVED", "html_url": url, "pull_request_url": fmt.Sprintf("%s/pulls/%d", h.repo(c), p.Number),
			"_links": object{"html": object{"href": url}, "pull_request": object{"href": url}}, "submitted_at": p.updated, "commit_id": h.tip(c, p), "author_association": h.association(login),
		}
	})
}

func (h *Hub) addLabels(c *call) answer {
	p := h.pull(c)
	if p == nil {
		return notFound
	}
	var wanted struct{ Labels []json.RawMessage }
	if bad := c.read(&wanted); bad != nil {
		return *bad
	}
	for _, raw := range wanted.Labels {
		var label struct{ Name string }
		if json.Unmarshal(raw, &label.Name) != nil && json.Unmarshal(raw, &label) != nil || label.Name == "" || utf8.RuneCountInString(label.Name) > 50 {
			return invalid("Label", "invalid", "name", "")
		}
		h.label(p, label.Name)
	}
	return answer{status: http.StatusOK, body: h.showLabels(c, p)}
}

// label gives a label; one that nobody used before is made.
func (h *Hub) label(p *pull, name string) {
	if h.labels[name] == 0 {
		h.labels[name] = h.id()
	}
	p.Labels = with(p.Labels, name)
}

// addAssignees assigns those who may be, and says nothing of others.
func (h *Hub) addAssignees(c *call) answer {
	p := h.pull(c)
	if p == nil {
		return notFound
	}
	var wanted struct{ Assignees []string }
	if bad := c.read(&wanted); bad != nil {
		return *bad
	}
	for _, login := range wanted.Assignees {
		if u, _, ok := h.known(login); ok && u.Role != "" {
			p.Assignees = with(p.Assignees, login)
		}
	}
	issue := fmt.Sprintf("%s/issues/%d", h.repo(c), p.Number)
	shown := object{
		"id": p.id, "node_id": node("PullRequest", p.id), "url": issue, "repository_url": h.repo(c), "labels_url": issue + "/labels{/name}", "comments_url": issue + "/comments", "events_url": issue + "/events",
		"html_url": fmt.Sprintf("%s/%s/pull/%d", c.base, h.options.Repository, p.Number), "number": p.Number, "state": p.State, "locked": false, "title": p.Title, "user": h.person(c, p.Author), "labels": h.showLabels(c, p),
		"assignee": nil, "assignees": h.people(c, p.Assignees), "milestone": nil, "comments": len(p.comments), "created_at": p.created, "updated_at": p.updated, "closed_at": nil,
		"author_association": h.association(p.Author),
	}
	return answer{status: http.StatusCreated, body: shown}
}

func (h *Hub) showComment(c *call, p *pull) func(*comment) object {
	return func(m *comment) object {
		return object{
			"id": m.id, "node_id": node("IssueComment", m.id), "url": fmt.Sprintf("%s/issues/comments/%d", h.repo(c), m.id), "html_url": fmt.Sprintf("%s/%s/pull/%d#issuecomment-%d", c.base, h.options.Repository, p.Number, m.id),
			"issue_url": fmt.Sprintf("%s/issues/%d", h.repo(c), p.Number), "body": m.body, "user": h.person(c, m.author), "created_at": m.created, "updated_at": m.updated,
			"author_association": h.association(m.author), "performed_via_github_app": nil,
		}
	}
}

func (h *Hub) listComments(c *call) answer {
	if p := h.pull(c); p != nil {
		return page(c, p.comments, h.showComment(c, p))
	}
	return notFound
}

func (h *Hub) createComment(c *call) answer {
	p := h.pull(c)
	if p == nil {
		return notFound
	}
	var wanted struct{ Body string }
	if bad := c.read(&wanted); bad != nil {
		return *bad
	}
	if bad := tooLong("IssueComment", "body", wanted.Body, maxText); bad != nil {
		return *bad
	}
	if strings.TrimSpace(wanted.Body) == "" {
		return invalid("IssueComment", "missing_field", "body", "")
	}
	m := h.comment(p, c.user.Login, wanted.Body)
	return answer{status: http.StatusCreated, body: h.showComment(c, p)(m)}
}

func (h *Hub) comment(p *pull, login, body string) *comment {
	m := &comment{id: h.id(), author: login, body: body, created: h.now(), updated: h.now()}
	p.comments = append(p.comments, m)
	return m
}

// updateComment is for the author, and for those who may write.
func (h *Hub) updateComment(c *call) answer {
	id := c.number("id")
	var wanted struct{ Body string }
	if bad := c.read(&wanted); bad != nil {
		return *bad
	}
	for _, p := range h.pulls {
		for _, m := range p.comments {
			switch {
			case m.id != id:
				continue
			case m.author != c.user.Login && !c.user.Role.may(Write):
				return *fail(http.StatusForbidden, "Must have admin rights to Repository.")
			}
			if bad := tooLong("IssueComment", "body", wanted.Body, maxText); bad != nil {
				return *bad
			}
			m.body, m.updated = wanted.Body, h.now()
			return answer{status: http.StatusOK, body: h.showComment(c, p)(m)}
		}
	}
	return notFound
}

var revision = regexp.MustCompile(`^[0-9a-fA-F]{7,64}$`)

// pullsWithCommit lists the pull requests that brought a commit, or that would.
func (h *Hub) pullsWithCommit(c *call) answer {
	sha := c.PathValue("sha")
	commit, ok := h.resolve(c, sha)
	if !ok || !revision.MatchString(sha) {
		return answer{status: http.StatusUnprocessableEntity, body: object{"message": "No commit found for SHA: " + sha, "documentation_url": documentation}}
	}
	var found []*pull
	for _, p := range slices.Backward(h.pulls) {
		contains := p.MergeCommit == commit || slices.Contains(p.Rebased, commit) || h.tip(c, p) == commit
		if !contains && p.State == "open" && h.options.Git != nil {
			between, err := h.options.Git.Git(c.Context(), "rev-list", "refs/heads/"+p.Base+"..refs/heads/"+p.Head)
			contains = err == nil && slices.Contains(strings.Fields(between), commit)
		}
		if contains {
			found = append(found, p)
		}
	}
	return page(c, found, h.showPull(c))
}
