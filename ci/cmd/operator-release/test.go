package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/gate"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/output"
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
			if len(args) == 1 {
				return a.testBundle(cmd.Context(), args[0])
			}
			return a.check(cmd, "The gate passed", false, func(*config.Config) {})
		},
	}
}

func (a *app) lintCommand() *cobra.Command {
	return &cobra.Command{
		Use: "lint", Short: "Run the repository's linters: gofmt and go vet, or what its settings name",
		Long: "Looks at the commit that is checked out, in a checkout of its own.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.check(cmd, "The linters found nothing", true, func(c *config.Config) {
				c.Gate, c.Charts, c.Generated = c.Lint, nil, nil
			})
		},
	}
}

func (a *app) chartLintCommand() *cobra.Command {
	return &cobra.Command{
		Use: "chart-lint", Short: "Check the charts alone: lint, render, hold every object to its schema",
		Long: "Looks at the commit that is checked out: that part of the gate that needs no cluster and no compiler.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.check(cmd, "The charts are in order", false, func(c *config.Config) { c.Gate, c.Generated = nil, nil })
		},
	}
}

// check asks the gate about the commit that is checked out, with as much of the settings as narrow leaves, and
// perhaps with commands alone.
func (a *app) check(cmd *cobra.Command, passed string, commandsAlone bool, narrow func(*config.Config)) error {
	ctx := cmd.Context()
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
	narrow(&c)
	named, err := toolchain.Named(tree)
	if err != nil {
		return err
	}
	spec := pipeline.NewTestSpec(c, "", head.ID, head.Committer.Time, named)
	spec.CommandsAlone = commandsAlone
	if dirty, err := repository.Dirty(ctx, output.Written(repository.Dir())); err == nil && len(dirty) > 0 && !a.quiet {
		report.New(a.stderr).Line(report.Note, "commit %.12s is tested; %d files in the work tree are not committed, so not tested", head.ID, len(dirty))
	}
	var r gate.Result
	if err := a.alone(ctx, pipeline.Test, pipeline.Inputs[string]{
		Subject: fmt.Sprintf("%.12s", head.ID), Spec: spec, Trees: a.repository(),
	}, &r); err != nil {
		return err
	}
	return a.print(r, func(page *report.Page) {
		page.Title("%s: commit %.12s", passed, head.ID)
		gatePage(page, r)
	})
}
