package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/operator-release/operator-release/ci/backport"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/pipeline"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/report"
)

// backported is what the stage backport says.
type backported struct {
	Lines   []backport.Line   `json:"lines"`
	Results []backport.Result `json:"results"`
	Pulls   []backport.Opened `json:"pulls,omitempty"`
	Told    []backport.Told   `json:"told,omitempty"`
}

func (a *app) backportCommand() *cobra.Command {
	var onto []string
	var together, withNeeds, status bool
	var b branching
	var p proposing
	cmd := &cobra.Command{
		Use: "backport COMMIT... --onto LINE[,LINE]... | --event FILE | --status", Short: "Pick commits onto release lines, each as a branch of its own",
		Long: "Tries every commit on every line, in memory: no work tree is touched. What applies becomes a branch backport/COMMIT-LINE in this repository, for a pull request; " +
			"a release branch is never moved. What is on a line already is recognized, by its origin, its patch or its pull request. What the settings call generated (by default go.sum) is regenerated " +
			"instead of being merged. Exit code 1 where something conflicts. " +
			"With --github the branches are pushed, one for each line, and each becomes a pull request; #NUMBER among the commits is what that pull request brought, and where it conflicts it is said there, once. " +
			"With --event what to pick is read from an event of GitHub's: a comment, or a label of what is merged. With --status it picks nothing, and tells which fixes are on which line: on those of --onto, else on the supported ones.",
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			switch {
			case status && (len(args) > 0 || together || withNeeds || b.push || p.github != "" || p.event != ""):
				return refusal.New("backport --status: it picks nothing, so it takes no commits and only --onto; leave --status out to pick")
			case status:
				shown, err := a.linesOfLedger(ctx, onto)
				if err != nil {
					return err
				}
				needs := cloneNeeds{lines: onto, current: true, reads: shown}
				if err := a.covered(ctx, "tell which fixes are on which line", needs); err != nil {
					return err
				}
				return a.ledger(ctx, onto)
			case p.event != "" && (len(args) > 0 || len(onto) > 0):
				return refusal.New("backport --event: what to pick, and onto which lines, is read from the event; leave commits and --onto out")
			case p.event == "" && len(args) == 0:
				return refusal.New("backport: which commits? name them, or ask which are missing where: operator-release backport --status")
			case p.event == "" && len(onto) == 0:
				return refusal.New("backport: onto which lines? name them with --onto 1.5,1.4")
			}
			if err := p.open(ctx, a); err != nil {
				return err
			}
			if p.forge != nil {
				b.push, b.leave, together = true, true, true // a pull request for each line, and what others made of its branch stays
			}
			commits, lines, done, err := p.read(ctx, a, args, onto)
			if err != nil || done {
				return err
			}
			if err := a.covered(ctx, "backport onto "+strings.Join(lines, ", "), cloneNeeds{lines: lines, current: b.push, reads: lines, remote: b.remote}); err != nil {
				return p.refused(ctx, err)
			}
			var said backported
			spec := func(settings *string) any {
				return pipeline.BackportSpec{Commits: commits, Lines: lines, Together: together, WithNeeds: withNeeds, Config: settings}
			}
			err = a.asked(ctx, pipeline.Backport, fmt.Sprintf("%d commits onto %s", len(commits), strings.Join(lines, ", ")), spec, &said, func(made string) error {
				branches := map[string]string{}
				for _, r := range said.Results {
					if r.Branch != "" {
						branches[r.Branch] = r.Tip
					}
				}
				new, err := b.make(ctx, a.source, branches, made)
				if err != nil {
					return err
				}
				if err := p.propose(ctx, &said, branches, b.left); err != nil {
					return err
				}
				if err := a.print(said, func(page *report.Page) { backportPage(page, said, new, b) }); err != nil {
					return err
				}
				conflicts := 0
				for _, r := range said.Results {
					if r.Outcome == backport.Conflict {
						conflicts++
					}
				}
				if conflicts > 0 {
					return fmt.Errorf("%d of %d picks conflict; nothing of them was committed", conflicts, len(said.Results))
				}
				return nil
			})
			return p.refused(ctx, err)
		},
	}
	cmd.Flags().StringSliceVar(&onto, "onto", nil, "the lines to pick onto, such as 1.5,1.4; may be repeated")
	cmd.Flags().BoolVar(&together, "together", false, "all commits as one branch per line, instead of a branch each")
	cmd.Flags().BoolVar(&withNeeds, "with-prerequisites", false, "pick a conflicting commit together with its prerequisites, if they are found")
	cmd.Flags().BoolVar(&status, "status", false, "show which fixes of the development branch are on which line, and which commits are on a line only")
	b.flags(cmd)
	p.flags(cmd)
	return cmd
}

func runBackport(ctx context.Context, c call, spec pipeline.BackportSpec) (any, error) {
	repository, err := git.Open(ctx, c.trees[pipeline.Repository])
	if err != nil {
		return nil, err
	}
	config, err := settings(ctx, repository, spec.Config)
	if err != nil {
		return nil, err
	}
	lines, err := backport.FindLines(ctx, repository, config.Pattern(), spec.Lines)
	if err != nil {
		return nil, err
	}
	quiet, keep, err := c.quarantined(ctx, repository)
	if err != nil {
		return nil, err
	}
	o := backport.Options{Repository: quiet, Commits: spec.Commits, Lines: lines, Together: spec.Together, WithNeeds: spec.WithNeeds, Config: config, Generated: config.Generated, Log: c.log}
	results, err := backport.Run(ctx, o)
	var tips []string
	for _, r := range results {
		if r.Tip != "" && !slices.Contains(tips, r.Tip) {
			tips = append(tips, r.Tip)
		}
	}
	return backported{Lines: lines, Results: results}, errors.Join(err, keep(tips...))
}

func backportPage(page *report.Page, said backported, made map[string]bool, b branching) {
	page.Title("Backports onto %d lines", len(said.Lines))
	marks := map[backport.Outcome]report.Mark{backport.Clean: report.Done, backport.There: report.None, backport.Empty: report.None, backport.Conflict: report.Fail}
	for _, line := range said.Lines {
		page.Heading("%s, at %.12s", line.Branch, line.Tip)
		var rows []report.Row
		for _, r := range said.Results {
			if r.Line != line.Name {
				continue
			}
			what := string(r.Outcome)
			switch {
			case r.Outcome == backport.There:
				what = fmt.Sprintf("already on the line as %.12s, recognized by its %s", r.Found, r.By)
			case r.Outcome == backport.Empty:
				what = "changes nothing on this line"
			case r.Branch != "" && made[r.Branch]:
				what = "branch " + r.Branch
			case r.Branch != "":
				what = "branch " + r.Branch + ", there already"
			}
			switch at := b.left[r.Branch]; {
			case r.Branch == "" || !b.push:
			case at != "":
				what += fmt.Sprintf("; it stays as it is there, at %.12s", at)
			default:
				what += ", pushed"
			}
			rows = append(rows, report.Row{Mark: marks[r.Outcome], Cells: []string{r.Commit[:12], r.Subject, what}})
		}
		page.Table(rows)
		for _, r := range said.Results {
			if r.Line == line.Name {
				explain(page, line, r)
			}
		}
		for _, o := range said.Pulls {
			if o.Line == line.Name {
				proposed(page, o)
			}
		}
		for _, t := range said.Told {
			if t.Line == line.Name && t.Changed {
				page.Line(report.Note, "commented on #%d", t.Number)
			}
		}
	}
}

// explain says of a pick what else one should know: what it took along, or where it conflicts and the ways on.
func explain(page *report.Page, line backport.Line, r backport.Result) {
	for _, c := range r.Conflicts {
		page.Line(report.Note, "%.12s: %s", r.Commit, backport.Where(r, c))
	}
	if len(r.Regenerated) > 0 {
		page.Line(report.Note, "%.12s: regenerated %s", r.Commit, strings.Join(r.Regenerated, ", "))
	}
	if len(r.Changelogs) > 0 {
		page.Line(report.Note, "%.12s: %s conflicted and stays as the line has it; the release writes its section",
			r.Commit, strings.Join(r.Changelogs, ", "))
	}
	needs := "needs"
	if r.Outcome == backport.Clean {
		needs = "took along"
	}
	for _, n := range r.Needs {
		page.Line(report.Note, "%.12s %s %.12s %s", r.Commit, needs, n.Commit, n.Subject)
		if n.Feature {
			page.Line(report.Note, "%.12s brings a feature into line %s, and a patch of the line will be refused for it", n.Commit, r.Line)
		}
	}
	switch {
	case r.Outcome != backport.Conflict:
	case len(r.Failed) > 0:
		page.Text("  it applies, but the generated files could not be made again")
	case len(r.Needs) > 0:
		page.Text("  with it: operator-release backport %.12s --onto %s --with-prerequisites", r.Commit, r.Line)
	default:
		page.Text("  no prerequisites were found with which it applies")
	}
	if r.Outcome == backport.Conflict {
		byHand := backport.ByHand(line, r, "")
		page.Text("  by hand: %s", strings.Join(append([]string{strings.Join(byHand[:2], " && ")}, byHand[2:]...), ", then "))
	}
}
