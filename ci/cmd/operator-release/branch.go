package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/operator-release/operator-release/ci/branch"
	"github.com/operator-release/operator-release/ci/gate"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/pipeline"
	"github.com/operator-release/operator-release/ci/report"
)

func (a *app) branchCommand() *cobra.Command {
	var b branching
	cmd := &cobra.Command{
		Use: "branch LINE", Short: "Cut a release line from the development branch, after asking the gate",
		Long: "LINE is such as 1.5. The branch starts at the development branch, here or at the clone's remote: " +
			"the one that is ahead. If the line exists already, there is nothing to do, unless it has " +
			"content of its own; one that comes before the newest, or leaves a gap, is refused.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			settings, err := a.configContent()
			if err != nil {
				return err
			}
			if err := a.covered(ctx, "cut line "+args[0], cloneNeeds{current: true, reads: args, remote: b.remote,
				makes: args[0]}); err != nil {
				return err
			}
			w, err := a.begin("")
			if err != nil {
				return err
			}
			defer w.end()
			flow := pipeline.Flow[string]{Runner: w.runner, Repository: a.source}
			said, err := flow.Cut(ctx, pipeline.BranchSpec{Line: args[0], Config: settings})
			if err != nil {
				return err
			}
			var cut branch.Cut
			if err := json.Unmarshal(said.Branch, &cut); err != nil {
				return fmt.Errorf("read where line %s begins: %w", args[0], err)
			}
			made, err := b.make(ctx, a.source, map[string]string{cut.Branch: cut.Commit}, "")
			if err != nil {
				return err
			}
			return a.print(said, func(page *report.Page) {
				if cut.There {
					page.Title("Line %s is there already: nothing to do", cut.Line)
				} else {
					page.Title("Line %s is cut from %s", cut.Line, cut.From)
				}
				b.say(page, cut.Branch, cut.Commit, made[cut.Branch])
				page.Line(report.None, "it begins with: %s", cut.Subject)
				var result gate.Result
				if len(said.Test) > 0 && json.Unmarshal(said.Test, &result) == nil {
					page.Heading("Gate")
					gatePage(page, result)
				}
			})
		},
	}
	b.flags(cmd)
	return cmd
}

func runBranch(ctx context.Context, c call, spec pipeline.BranchSpec) (any, error) {
	repository, err := git.Open(ctx, c.trees[pipeline.Repository])
	if err != nil {
		return nil, err
	}
	o := branch.Options{Repository: repository, Line: spec.Line}
	if o.Config, err = settings(ctx, repository, spec.Config); err != nil {
		return nil, err
	}
	if spec.Config != nil {
		o.ConfigName, o.Content = "the settings of --config", []byte(*spec.Config)
	}
	return branch.Plan(ctx, o)
}
