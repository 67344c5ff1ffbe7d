package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/operator-release/operator-release/ci/followup"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/pipeline"
	"github.com/operator-release/operator-release/ci/report"
	"github.com/operator-release/operator-release/ci/version"
)

func (a *app) followupCommand() *cobra.Command {
	var b branching
	var next string
	cmd := &cobra.Command{
		Use: "followup VERSION", Short: "Carry a final version's changelog section, and the next version, to the development branch",
		Long: "The branch followup/VERSION, for a pull request, stands on the development branch. Its surfaces say VERSION then, for what they name must exist, or what --next names; " +
			"where they say a newer one already they stay.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			if err := a.covered(ctx, "follow up "+args[0], cloneNeeds{current: b.push, remote: b.remote}); err != nil {
				return err
			}
			var f followup.Followup
			spec := func(settings *string) any {
				return pipeline.FollowupSpec{Version: args[0], Next: next, Config: settings}
			}
			return a.asked(ctx, pipeline.Followup, args[0], spec, &f, func(made string) error {
				branches := map[string]string{}
				if f.Branch != "" {
					branches[f.Branch] = f.Commit
				}
				new, err := b.make(ctx, a.source, branches, made)
				if err != nil {
					return err
				}
				return a.print(f, func(page *report.Page) {
					if f.Branch == "" {
						page.Title("%s has all of %s already: nothing to do", f.Onto, f.Version)
					} else {
						page.Title("%s, for %s", f.Version, f.Onto)
						b.say(page, f.Branch, f.Commit, new[f.Branch])
					}
					for _, path := range f.Edits {
						page.Line(report.Done, "edits %s", path)
					}
					for _, n := range f.Notices {
						page.Line(report.Note, "%s", n)
					}
				})
			})
		},
	}
	cmd.Flags().StringVar(&next, "next", "", "what the development branch says then, such as v1.6.0-rc.0, instead of VERSION")
	b.flags(cmd)
	return cmd
}

func runFollowup(ctx context.Context, c call, spec pipeline.FollowupSpec) (any, error) {
	var o followup.Options
	var err error
	if o.Version, err = version.Parse(spec.Version); err != nil {
		return nil, err
	}
	if spec.Next != "" {
		if o.Next, err = version.Parse(spec.Next); err != nil {
			return nil, err
		}
	}
	repository, err := git.Open(ctx, c.trees[pipeline.Repository])
	if err != nil {
		return nil, err
	}
	if o.Config, err = settings(ctx, repository, spec.Config); err != nil {
		return nil, err
	}
	quiet, keep, err := c.quarantined(ctx, repository)
	if err != nil {
		return nil, err
	}
	o.Repository = quiet
	made, err := followup.Make(ctx, o)
	var commits []string
	if made.Commit != "" {
		commits = append(commits, made.Commit)
	}
	return made, errors.Join(err, keep(commits...))
}
