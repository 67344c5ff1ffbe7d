package main

import (
	"github.com/spf13/cobra"

	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/pipeline"
	"github.com/operator-release/operator-release/ci/plan"
	"github.com/operator-release/operator-release/ci/report"
)

func (a *app) prepareCommand() *cobra.Command {
	var b branching
	var accept accepting
	cmd := &cobra.Command{
		Use: "prepare VERSION", Short: "Make the release commit a branch, for release branches that want a pull request",
		Long: "The branch prepare/VERSION holds what a release edits: every surface, and the changelog's section, where one may still put words right. Once it is merged, the " +
			"release of that commit needs no further one.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			accepted, err := accept.accepted()
			if err != nil {
				return err
			}
			source, err := git.Open(ctx, a.source)
			if err != nil {
				return err
			}
			remote, err := a.askOwnRemote(ctx, source, b.remote)
			if err != nil {
				return err
			}
			if b.push {
				if err := a.refuseBehind(ctx, source, remote, args[0]); err != nil {
					return err
				}
			}
			var p plan.Plan
			// Images are nobody's business yet.
			spec := func(settings *string) any {
				return pipeline.PlanSpec{Version: args[0], Config: settings, Engine: true, Accept: accepted, Remote: remote}
			}
			return a.asked(ctx, pipeline.Plan, args[0], spec, &p, func(made string) error {
				if err := p.Refused(); err != nil {
					return err
				}
				branch := "prepare/" + p.Version.String()
				branches := map[string]string{}
				if p.Commit != p.Base {
					branches[branch] = p.Commit
				}
				new, err := b.make(ctx, a.source, branches, made)
				if err != nil {
					return err
				}
				if _, why := answered(remote); why != "" {
					a.remark = p.Remote
				}
				return a.print(prepared{p.Version.String(), branches, p.Branch, p.Base, p.Notes}, func(page *report.Page) {
					if len(branches) == 0 {
						page.Title("%s needs no release commit: %.12s carries it everywhere", p.Version, p.Base)
						return
					}
					page.Title("%s is prepared", p.Version)
					b.say(page, branch, p.Commit, new[branch])
					for _, path := range p.Edits() {
						page.Line(report.Done, "edits %s", path)
					}
					page.Line(report.Note, "merge it into %s, then release from there: operator-release release --version %s", p.Branch, p.Version)
				})
			})
		},
	}
	b.flags(cmd)
	accept.flags(cmd)
	return cmd
}

// prepared is what prepare says.
type prepared struct {
	Version  string            `json:"version"`
	Branches map[string]string `json:"branches"` // name to commit; none where nothing had to be edited
	Into     string            `json:"into"`     // the release branch
	Base     string            `json:"base"`
	Notes    string            `json:"notes"`
}
