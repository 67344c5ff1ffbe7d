package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/operator-release/operator-release/ci/backport"
	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/forge"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/markdown"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/report"
)

// proposing makes pull requests of backports, where a forge is named.
type proposing struct {
	github, url, event string
	plainHTTP          []string
	labels, reviewers  []string

	forge      forge.Forge // nil: branches only
	repository *git.Repository
	config     config.Config
	answer     int // the pull request on which somebody waits for an answer
}

func (p *proposing) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&p.github, "github", "", "push, and open a pull request for each line at OWNER/REPO; the token comes from GITHUB_TOKEN")
	f.StringVar(&p.url, "github-url", "", "where GitHub's API is, instead of https://api.github.com")
	f.StringArrayVar(&p.plainHTTP, "plain-http", nil, "speak to this host without TLS, besides loopback; may be repeated")
	f.StringVar(&p.event, "event", "", "read what to pick, and onto which lines, from an event of GitHub's: the file of GITHUB_EVENT_PATH")
	f.StringSliceVar(&p.labels, "label", nil, "a label of the pull requests, instead of the configured ones; may be repeated")
	f.StringSliceVar(&p.reviewers, "reviewer", nil, "who is asked to review, a login or OWNER/TEAM, instead of the configured ones; may be repeated")
}

// open opens the forge, where one is named.
func (p *proposing) open(ctx context.Context, a *app) error {
	if p.github == "" {
		for name, set := range map[string]bool{"event": p.event != "", "label": len(p.labels) > 0, "reviewer": len(p.reviewers) > 0, "github-url": p.url != ""} {
			if set {
				return refusal.New("backport --%s: that is for pull requests; name where with --github OWNER/REPO", name)
			}
		}
		return nil
	}
	client, err := openGitHub(p.github, p.url, p.plainHTTP)
	if err != nil {
		return err
	}
	if p.repository, err = git.Open(ctx, a.source); err != nil {
		return err
	}
	content, err := a.configContent()
	if err != nil {
		return err
	}
	if p.config, err = settings(ctx, p.repository, content); err != nil {
		return err
	}
	if c := p.config.Backport; c != nil {
		if p.labels == nil {
			p.labels = c.Labels
		}
		if p.reviewers == nil {
			p.reviewers = c.Reviewers
		}
	}
	p.forge = client
	return nil
}

func (p *proposing) pulls() backport.Pulls {
	return backport.Pulls{Forge: p.forge, Labels: p.labels, Reviewers: p.reviewers}
}

// read gives what is to be picked, and onto what: as it was typed, or as an event asks. An event that asks for nothing is done with.
func (p *proposing) read(ctx context.Context, a *app, commits, lines []string) (picked, onto []string, done bool, err error) {
	if p.forge == nil {
		if i := slices.IndexFunc(commits, func(c string) bool { return strings.HasPrefix(c, "#") }); i >= 0 {
			return nil, nil, true, refusal.New("backport %s: what a pull request brought is asked of the forge; name it with --github OWNER/REPO", commits[i])
		}
		return commits, lines, false, nil
	}
	if p.event != "" {
		content, err := os.ReadFile(p.event)
		if err != nil {
			return nil, nil, true, refusal.New("read the event: %w", err)
		}
		asked, err := backport.Asked(ctx, p.forge, p.config.Pattern(), content)
		if err != nil {
			return nil, nil, true, err
		}
		if asked.Answer {
			p.answer = asked.Number
		}
		if asked.Not != "" {
			if err := p.say(ctx, asked.Not); err != nil {
				return nil, nil, true, err
			}
			return nil, nil, true, a.print(asked, func(page *report.Page) { page.Line(report.None, "nothing to pick: %s", asked.Not) })
		}
		commits, lines = []string{fmt.Sprintf("#%d", asked.Number)}, asked.Lines
	}
	picked, err = p.pulls().Brought(ctx, p.repository, commits)
	return picked, lines, err != nil, p.refused(ctx, err)
}

// propose opens the pull requests of the branches that were pushed, and tells where something conflicts.
func (p *proposing) propose(ctx context.Context, said *backported, branches, left map[string]string) error {
	if p.forge == nil {
		return nil
	}
	at := map[string]string{}
	for branch, commit := range branches {
		if at[branch] = commit; left[branch] != "" {
			at[branch] = left[branch]
		}
	}
	sources, err := p.pulls().Sources(ctx, said.Results)
	if err != nil {
		return err
	}
	if said.Pulls, err = p.pulls().Open(ctx, said.Lines, said.Results, at, sources); err != nil {
		return err
	}
	said.Told, err = p.pulls().Tell(ctx, said.Lines, said.Results, said.Pulls, sources)
	return err
}

// refused says a refusal to who asked by a comment, too.
func (p *proposing) refused(ctx context.Context, err error) error {
	if !refusal.Is(err) {
		return err
	}
	return errors.Join(err, p.say(ctx, err.Error()))
}

func (p *proposing) say(ctx context.Context, text string) error {
	if p.answer == 0 {
		return nil
	}
	_, err := p.forge.Comment(ctx, p.answer, "backport", markdown.Escape("Backport: "+text)+"\n")
	return err
}

// proposed tells of a pull request.
func proposed(page *report.Page, o backport.Opened) {
	what := "there already"
	switch {
	case o.State != forge.Open:
		what = string(o.State) + "; it stays so"
	case o.Changed:
		what = "open"
	}
	page.Line(report.Done, "pull request #%d: %s, %s", o.Number, what, o.URL)
	for _, left := range o.Left {
		page.Line(report.Note, "%s", left)
	}
}
