package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/operator-release/operator-release/ci/backport"
	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/pipeline"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/report"
)

// backported is what the stage backport says.
type backported struct {
	Lines   []backport.Line   `json:"lines"`
	Results []backport.Result `json:"results"`
}

func (a *app) backportCommand() *cobra.Command {
	var onto []string
	var together, withNeeds bool
	cmd := &cobra.Command{
		Use: "backport COMMIT... --onto LINE[,LINE]...", Short: "Pick commits onto release lines, each as a branch of its own",
		Long: "Tries every commit on every line, in memory: no work tree is touched. What applies becomes a branch backport/COMMIT-LINE in this repository, for a pull request; " +
			"a release branch is never moved. What is on a line already is recognized, by its origin, its patch or its pull request. Exit code 1 where something conflicts.",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			if len(onto) == 0 {
				return refusal.New("backport: onto which lines? name them with --onto 1.5,1.4")
			}
			settings, err := a.configContent()
			if err != nil {
				return err
			}
			w, err := a.begin("")
			if err != nil {
				return err
			}
			defer w.end()
			out, err := w.runner.Run(ctx, pipeline.Backport, pipeline.Inputs[string]{
				Subject: fmt.Sprintf("%d commits onto %s", len(args), strings.Join(onto, ", ")),
				Spec:    pipeline.BackportSpec{Commits: args, Lines: onto, Together: together, WithNeeds: withNeeds, Config: settings}, Trees: a.repository(),
			})
			if err != nil {
				return err
			}
			var said backported
			if err := json.Unmarshal(out.Report, &said); err != nil {
				return fmt.Errorf("read what the backport said: %w", err)
			}
			made, err := a.makeBranches(ctx, said, filepath.Join(out.Tree, bundle.ObjectsFile))
			if err != nil {
				return err
			}
			if err := a.print(said, func(page *report.Page) { backportPage(page, said, made) }); err != nil {
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
		},
	}
	cmd.Flags().StringSliceVar(&onto, "onto", nil, "the lines to pick onto, such as 1.5,1.4; may be repeated")
	cmd.Flags().BoolVar(&together, "together", false, "all commits as one branch per line, instead of a branch each")
	cmd.Flags().BoolVar(&withNeeds, "with-prerequisites", false, "a commit that conflicts takes along the commits that it needs there first, where they are found")
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
	scratch, err := os.MkdirTemp("", "release-backport-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(scratch)
	quiet, err := repository.Quarantine(ctx, scratch)
	if err != nil {
		return nil, err
	}
	o := backport.Options{Repository: quiet, Commits: spec.Commits, Lines: lines, Together: spec.Together, WithNeeds: spec.WithNeeds}
	if config.Author != nil {
		o.Committer = &git.Person{Name: config.Author.Name, Email: config.Author.Email}
	}
	results, err := backport.Run(ctx, o)
	if err != nil {
		return nil, err
	}
	objects, err := quiet.NewObjects(ctx)
	if err != nil {
		return nil, err
	}
	f, err := os.Create(filepath.Join(c.out, bundle.ObjectsFile))
	if err != nil {
		return nil, err
	}
	return backported{lines, results}, errors.Join(git.WriteObjects(f, objects), f.Close())
}

// makeBranches makes the branches that hold picks, each unless it is there with this very commit. One that is there with another commit is
// somebody's work: it is refused, and none is made.
func (a *app) makeBranches(ctx context.Context, said backported, objectsFile string) (made map[string]bool, err error) {
	repository, err := git.Open(ctx, a.source)
	if err != nil {
		return nil, err
	}
	heads, err := repository.Refs(ctx, "refs/heads/")
	if err != nil {
		return nil, err
	}
	made = map[string]bool{}
	tips := map[string]string{}
	for _, r := range said.Results {
		if r.Branch == "" {
			continue
		}
		if found, ok := heads[r.Branch]; ok && found != r.Tip {
			return nil, refusal.New("backport: branch %s is there, at %.12s; this pick is %.12s; keep it, or take it away (git branch -D %s) and run this again", r.Branch, found, r.Tip, r.Branch)
		} else if !ok {
			tips[r.Branch] = r.Tip
		}
	}
	if len(tips) == 0 {
		return made, nil
	}
	objects, err := git.ReadObjectsFile(objectsFile)
	if err != nil {
		return nil, err
	}
	if err := repository.Import(ctx, objects); err != nil {
		return nil, err
	}
	for branch, tip := range tips {
		if _, err := repository.Git(ctx, "update-ref", "refs/heads/"+branch, tip, ""); err != nil {
			return nil, fmt.Errorf("make branch %s: %w", branch, err)
		}
		made[branch] = true
	}
	return made, nil
}

func backportPage(page *report.Page, said backported, made map[string]bool) {
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
				what = fmt.Sprintf("already there: %.12s, by its %s", r.Found, r.By)
			case r.Outcome == backport.Empty:
				what = "changes nothing here"
			case r.Branch != "" && made[r.Branch]:
				what = "branch " + r.Branch
			case r.Branch != "":
				what = "branch " + r.Branch + ", there already"
			}
			rows = append(rows, report.Row{Mark: marks[r.Outcome], Cells: []string{r.Commit[:12], r.Subject, what}})
		}
		page.Table(rows)
		for _, r := range said.Results {
			if r.Line == line.Name {
				explain(page, line, r)
			}
		}
	}
}

// explain says of a pick what else one should know: what it took along, or where it conflicts and the ways on.
func explain(page *report.Page, line backport.Line, r backport.Result) {
	for _, c := range r.Conflicts {
		page.Line(report.Note, "%.12s: %s", r.Commit, orPath(c))
	}
	needs := "needs"
	if r.Outcome == backport.Clean {
		needs = "took along"
	}
	for _, n := range r.Needs {
		page.Line(report.Note, "%.12s %s %.12s %s", r.Commit, needs, n.Commit, n.Subject)
	}
	switch {
	case r.Outcome != backport.Conflict:
	case len(r.Needs) > 0:
		page.Text("  with it: operator-release backport %.12s --onto %s --with-prerequisites", r.Commit, r.Line)
	default:
		page.Text("  no commits were found that it applies behind")
	}
	if r.Outcome == backport.Conflict {
		page.Text("  by hand: git switch -c backport/%.12s-%s %s && git cherry-pick -x %.12s", r.Commit, r.Line, line.Branch, r.Commit)
	}
}

func orPath(c git.Conflict) string {
	if c.Why != "" {
		return c.Why
	}
	return c.Path
}
