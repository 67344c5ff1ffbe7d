package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/operator-release/operator-release/ci/gate"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/pipeline"
	"github.com/operator-release/operator-release/ci/report"
	"github.com/operator-release/operator-release/ci/toolchain"
)

func (a *app) testCommand() *cobra.Command {
	return &cobra.Command{
		Use: "test [DIR]", Short: "Ask the gate: the repository's own tests, and its charts",
		Long: "Tests the commit that is checked out, in a checkout of its own. What is not committed is not tested. With a bundle's folder it tests " +
			"that bundle's release commit and binaries, and attaches the result to it: a bundle of joined parts needs that before it is published.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			if len(args) == 1 {
				return a.testBundle(ctx, args[0])
			}
			repository, err := git.Open(ctx, a.source)
			if err != nil {
				return err
			}
			head, _, err := repository.Head(ctx)
			if err != nil {
				return err
			}
			tree, err := repository.Tree(ctx, head.ID)
			if err != nil {
				return err
			}
			defer tree.Close()
			c, err := a.settings(ctx, repository)
			if err != nil {
				return err
			}
			named, err := toolchain.Named(tree)
			if err != nil {
				return err
			}
			spec := pipeline.NewTestSpec(c, "", head.ID, head.Committer.Time, named)
			if dirty, err := repository.Dirty(ctx, "dist"); err == nil && len(dirty) > 0 && !a.quiet {
				report.New(a.stderr).Line(report.Note, "commit %.12s is tested; %d files in the work tree are not committed, so not tested", head.ID, len(dirty))
			}
			var r gate.Result
			if err := a.alone(ctx, pipeline.Test, pipeline.Inputs[string]{
				Subject: fmt.Sprintf("%.12s", head.ID), Spec: spec, Trees: map[string]string{pipeline.Repository: a.source},
			}, &r); err != nil {
				return err
			}
			return a.print(r, func(page *report.Page) {
				page.Title("The gate passed: commit %.12s", head.ID)
				gatePage(page, r)
			})
		},
	}
}
