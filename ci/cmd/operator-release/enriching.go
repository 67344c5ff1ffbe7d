package main

import (
	"context"
	"strconv"
	"strings"
	"sync"

	"github.com/sourcegraph/conc/pool"

	"github.com/operator-release/operator-release/ci/forge"
	"github.com/operator-release/operator-release/ci/markdown"
	"github.com/operator-release/operator-release/ci/notes"
	"github.com/operator-release/operator-release/ci/publish"
	"github.com/operator-release/operator-release/ci/refusal"
)

// enriching asks a forge what its pull requests say of the changes.
type enriching struct {
	github, url string
	plainHTTP   []string
	toPage      bool
}

// enrich gives the notes with titles and logins, and puts them on the version's page where that is asked for.
func (e enriching) enrich(ctx context.Context, n notes.Notes) (notes.Notes, error) {
	client, err := openGitHub(e.github, e.url, e.plainHTTP)
	if err != nil {
		return n, err
	}
	pulls := map[string]notes.Pull{}
	var mu sync.Mutex
	work := pool.New().WithContext(ctx).WithCancelOnError().WithFirstError().WithMaxGoroutines(4)
	for _, number := range n.Numbers() {
		work.Go(func(ctx context.Context) error {
			id, err := strconv.Atoi(number)
			if err != nil { // longer than any number of GitHub's
				return nil
			}
			pull, ok, err := client.Pull(ctx, id)
			if ok {
				mu.Lock()
				pulls[number] = notes.Pull{Title: pull.Title, Login: pull.Author}
				mu.Unlock()
			}
			return err
		})
	}
	if err := work.Wait(); err != nil {
		return n, err
	}
	n = n.Enriched(pulls)
	if e.toPage {
		err = toPage(ctx, client, n)
	}
	return n, err
}

// toPage puts notes in the place of those that the page of their version has. What pins images and charts, and what a mark warns of, stays.
func toPage(ctx context.Context, f forge.Forge, n notes.Notes) error {
	v := n.Version.String()
	page, ok, err := f.Page(ctx, v)
	if err != nil {
		return err
	}
	if !ok || page.Identity == "" {
		return refusal.New("put the notes of %s on its page: there is none that this tool made; publish the version first", v)
	}
	warning := n.Warning
	n.Warning = ""
	_, text, _ := strings.Cut(n.Markdown(), "\n") // the page has a title of its own
	body := markdown.Warn(strings.TrimSpace(text)+"\n"+publish.Pinned(page.Body), warning)
	_, _, err = f.Edit(ctx, v, forge.Edit{Body: &body, More: publish.More})
	return err
}
