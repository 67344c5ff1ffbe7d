package backport

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/operator-release/operator-release/ci/forge"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/version"
)

// Request is a backport that somebody asked for at the forge.
type Request struct {
	Number int      `json:"number,omitempty"` // of the pull request to pick
	Lines  []string `json:"lines,omitempty"`  // such as 1.5
	Not    string   `json:"not,omitempty"`    // why nothing is to be done; empty where something is
	Answer bool     `json:"-"`                // somebody who may ask did so by a comment, and waits for an answer
}

// event is what GitHub says of what happened, as far as it matters here
// (https://docs.github.com/webhooks/webhook-events-and-payloads).
type event struct {
	Action      string
	Sender      struct{ Login string }
	PullRequest *struct{ Number int } `json:"pull_request"`
	Issue       *struct {
		Number      int
		PullRequest *struct{} `json:"pull_request"`
	}
	Comment *struct {
		Body string
		User struct{ Login string }
	}
}

// maxEvent bounds an event, in bytes: GitHub sends no more than 25 MB.
const maxEvent = 25 << 20

var (
	command = regexp.MustCompile(`^/backport((?:[ ,]+[A-Za-z0-9._/-]+)+)$`)
	label   = regexp.MustCompile(`^backport[ /:-]+([A-Za-z0-9._/-]+)$`)
)

// Asked reads an event: what was asked, and whether whoever did may ask. A comment asks by a first line such as
//
//	/backport 1.5 1.4
//
// and a merged pull request by labels such as "backport 1.5" or "backport/release-1.5". Asking takes the right to write. What the pull request is like now is read from the
// forge, and not from the event; that it is merged says that somebody who may write looked at its labels. An event that asks for nothing, or by somebody who may not, is no
// error.
func Asked(ctx context.Context, f forge.Forge, pattern version.Pattern, content []byte) (Request, error) {
	nothing := func(format string, args ...any) (Request, error) {
		return Request{Not: fmt.Sprintf(format, args...)}, nil
	}
	var e event
	if len(content) > maxEvent {
		return Request{}, refusal.New("read the event: it has %d bytes, and GitHub sends no more than %d", len(content), maxEvent)
	}
	if err := json.Unmarshal(content, &e); err != nil {
		return Request{}, refusal.New("read the event: %w; name the file that GITHUB_EVENT_PATH names", err)
	}
	var r Request
	who := e.Sender.Login
	switch {
	case e.Comment != nil && e.Issue != nil:
		first, _, _ := strings.Cut(strings.TrimSpace(strings.ReplaceAll(e.Comment.Body, "\r\n", "\n")), "\n")
		asked := command.FindStringSubmatch(strings.TrimSpace(first))
		switch {
		case e.Action != "created":
			return nothing("a comment was %s: only a new one asks", e.Action)
		case asked == nil:
			return nothing("the comment asks for no backport; its first line would be such as: /backport 1.5")
		case e.Issue.PullRequest == nil:
			return nothing("#%d is no pull request", e.Issue.Number)
		}
		r.Number, who = e.Issue.Number, e.Comment.User.Login
		for _, name := range strings.FieldsFunc(asked[1], func(c rune) bool { return c == ' ' || c == ',' }) {
			r.add(pattern, name)
		}
	case e.PullRequest != nil && (e.Action == "closed" || e.Action == "labeled"):
		r.Number = e.PullRequest.Number
	default:
		return nothing("the event is none that asks for a backport: a comment, or a pull request that is closed or labelled")
	}
	if e.Action != "closed" {
		may, err := f.Permission(ctx, who)
		if err != nil {
			return Request{}, err
		}
		if !may.Includes(forge.Write) {
			return nothing("%s may not ask for a backport: that takes the right to write, and this is the right to %s", who, may)
		}
	}
	pull, ok, err := f.Pull(ctx, r.Number)
	if err != nil {
		return Request{}, err
	}
	if !ok {
		return nothing("there is no pull request #%d", r.Number)
	}
	if r.Answer = e.Comment != nil; !r.Answer {
		for _, name := range pull.Labels {
			if found := label.FindStringSubmatch(name); found != nil {
				r.add(pattern, found[1])
			}
		}
	}
	switch {
	case len(r.Lines) == 0:
		r.Not = fmt.Sprintf("#%d has no label that names a line, such as: backport 1.5", r.Number)
	case pull.State == forge.Open:
		r.Not = fmt.Sprintf("#%d is not merged yet; with the label %q it is picked when it is", r.Number, "backport "+r.Lines[0])
	case pull.State != forge.Merged:
		r.Not = fmt.Sprintf("#%d was closed, and not merged", r.Number)
	}
	return r, nil
}

// add adds a line by its name or its branch.
func (r *Request) add(pattern version.Pattern, name string) {
	if line, ok := pattern.LineOf(name); ok {
		name = line
	}
	if !slices.Contains(r.Lines, name) {
		r.Lines = append(r.Lines, name)
	}
}
