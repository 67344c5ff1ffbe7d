package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/notes"
	"github.com/operator-release/operator-release/ci/pipeline"
	"github.com/operator-release/operator-release/ci/plan"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/report"
	"github.com/operator-release/operator-release/ci/tags"
	"github.com/operator-release/operator-release/ci/version"
)

func (a *app) notesCommand() *cobra.Command {
	var e enriching
	cmd := &cobra.Command{
		Use: "notes VERSION", Short: "Print what a version brings, in Markdown",
		Long: "Of a tagged version, or of the commit that is checked out under a version that may come next. Made from history alone, every change once: candidates roll up into their final, " +
			"what was taken back within is left out, squashed picks are taken apart, and what the version before has on another line is told apart. " +
			"With --github the titles and authors of pull requests are in it, too; with --to-page these notes take the place of those on the version's release page.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			if e.github == "" && (e.toPage || e.url != "") {
				return refusal.New("notes %s: name the forge with --github OWNER/REPO", args[0])
			}
			if err := a.covered(ctx, "collect what "+args[0]+" brings", cloneNeeds{}); err != nil {
				return err
			}
			var n notes.Notes
			spec := func(settings *string) any { return pipeline.NotesSpec{Version: args[0], Config: settings} }
			return a.asked(ctx, pipeline.Notes, args[0], spec, &n, func(string) error {
				if e.github != "" {
					var err error
					if n, err = e.enrich(ctx, n); err != nil {
						return err
					}
				}
				if !a.json {
					if a.remark != "" { // the result is Markdown alone
						report.New(a.stderr).Line(report.Note, "%s", a.remark)
					}
					_, err := io.WriteString(a.stdout, n.Markdown())
					return err
				}
				return a.print(n, nil)
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&e.github, "github", "", "ask OWNER/REPO for the titles and authors of pull requests; the token comes from GITHUB_TOKEN")
	f.StringVar(&e.url, "github-url", "", "where GitHub's API is, instead of https://api.github.com")
	f.StringArrayVar(&e.plainHTTP, "plain-http", nil, "speak to this host without TLS, besides loopback; may be repeated")
	f.BoolVar(&e.toPage, "to-page", false, "put these notes on the version's release page, too")
	return cmd
}

func runNotes(ctx context.Context, c call, spec pipeline.NotesSpec) (any, error) {
	v, err := version.Parse(spec.Version)
	if err != nil {
		return nil, err
	}
	repository, err := git.Open(ctx, c.trees[pipeline.Repository])
	if err != nil {
		return nil, err
	}
	config, err := settings(ctx, repository, spec.Config)
	if err != nil {
		return nil, err
	}
	if shallow, err := repository.Shallow(ctx); err != nil || shallow {
		return nil, errors.Join(err, fmt.Errorf("collect what %s brings: %w", v, repository.CutOff(ctx)))
	}
	tagged, err := tags.Read(ctx, repository)
	if err != nil {
		return nil, err
	}
	if config.URL == "" {
		if config.URL, err = repository.WebAddress(ctx); err != nil {
			return nil, err
		}
	}
	n, _, err := notesOf(ctx, repository, config, tagged, v)
	if err != nil {
		return nil, err
	}
	marks, err := journal.LocalMarks(ctx, repository)
	n.Warning = marks[v].Warning(v)
	return n, err
}

// notesOf are the notes of a version, and where it stands: of the tagged one, or of one that would be made of the commit that is checked out.
func notesOf(ctx context.Context, repository *git.Repository, c config.Config, tagged tags.Tags, v version.Version) (n notes.Notes, place version.Place, err error) {
	revision := "HEAD"
	if commit, ok := tagged[v]; ok {
		revision = commit
	}
	commit, err := repository.Commit(ctx, revision)
	if err != nil {
		return n, place, err
	}
	if place, err = tagged.Place(ctx, repository, c.Pattern(), v, commit); err != nil {
		return n, place, err
	}
	since, from, err := tagged.Since(ctx, repository, place, commit.ID)
	if err != nil {
		return n, place, err
	}
	n, err = notes.Collect(ctx, notes.Options{Repository: repository, Version: v, Commit: commit.ID, Since: since, From: from,
		Time: commit.Committer.Time.UTC(), URL: c.URL})
	return n, place, err
}

// describe is what the plan asks of notes.
func describe(ctx context.Context, repository *git.Repository, q plan.Described) (plan.Description, error) {
	var accepted []notes.Accepted
	for _, a := range q.Accepted {
		accepted = append(accepted, notes.Accepted(a))
	}
	var leftOut []notes.LeftOut
	for _, l := range q.LeftOut {
		leftOut = append(leftOut, notes.LeftOut(l))
	}
	n, err := notes.Collect(ctx, notes.Options{Repository: repository, Version: q.Version, Commit: q.Commit, Since: q.Since, From: q.From, Time: q.Time, URL: q.URL,
		Accepted: accepted, LeftOut: leftOut})
	return plan.Description{Notes: n.Markdown(), LeftOut: n.Lacks(), Requests: n.Requests()}, err
}
