package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/operator-release/operator-release/ci/backport"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/pipeline"
	"github.com/operator-release/operator-release/ci/report"
)

// ledger prints which fixes are on which lines.
func (a *app) ledger(ctx context.Context, lines []string) error {
	var l backport.Ledger
	spec := func(settings *string) any { return pipeline.LedgerSpec{Lines: lines, Config: settings} }
	return a.asked(ctx, pipeline.Ledger, strings.Join(lines, ", "), spec, &l, func(string) error {
		return a.print(l, func(page *report.Page) { ledgerPage(page, l) })
	})
}

// linesOfLedger are the lines that a ledger shows: those that the user names, else the supported ones.
func (a *app) linesOfLedger(ctx context.Context, onto []string) ([]string, error) {
	if len(onto) > 0 {
		return onto, nil
	}
	source, err := git.Open(ctx, a.source)
	if err != nil {
		return nil, err
	}
	settings, err := a.settings(ctx, source)
	if err != nil {
		return nil, err
	}
	return backport.Supported(ctx, source, settings.Pattern(), settings.Support.Lines)
}

func runLedger(ctx context.Context, c call, spec pipeline.LedgerSpec) (any, error) {
	repository, err := git.Open(ctx, c.trees[pipeline.Repository])
	if err != nil {
		return nil, err
	}
	config, err := settings(ctx, repository, spec.Config)
	if err != nil {
		return nil, err
	}
	names := spec.Lines
	if len(names) == 0 {
		if names, err = backport.Supported(ctx, repository, config.Pattern(), config.Support.Lines); err != nil {
			return nil, err
		}
	}
	lines, err := backport.FindLines(ctx, repository, config.Pattern(), names)
	if err != nil {
		return nil, err
	}
	scratch, err := os.MkdirTemp("", "release-objects-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(scratch)
	quiet, err := repository.Quarantine(ctx, scratch)
	if err != nil {
		return nil, err
	}
	l, err := backport.Keep(ctx, quiet, config, lines)
	if err != nil {
		return l, err
	}
	if l.Beside, err = backport.FindBeside(ctx, repository, config.Pattern(), lines); err != nil || len(spec.Lines) > 0 {
		return l, err
	}
	l.WithoutBranch, err = backport.FindWithoutBranch(ctx, repository, config.Pattern(), config.Support.Lines)
	return l, err
}

// ledgerPage has a row for each fix and a column for each line.
func ledgerPage(page *report.Page, l backport.Ledger) {
	page.Title("Fixes of %s, at %.12s, on %d lines", l.Development, l.Tip, len(l.Lines))
	var rows []report.Row
	for _, f := range l.Fixes {
		row := report.Row{Mark: report.Done, Cells: []string{f.Commit[:12]}}
		for _, line := range l.Lines {
			on, ok := f.On[line.Name]
			cell := line.Name + " " + on.By
			if _, lacking := f.Lacking[line.Name]; lacking {
				cell = line.Name + " not affected"
			} else if !ok {
				cell, row.Mark = line.Name+" missing", report.Fail
			}
			row.Cells = append(row.Cells, cell)
		}
		row.Cells = append(row.Cells, f.Subject)
		rows = append(rows, row)
	}
	page.Table(rows)
	for _, line := range l.Lines {
		page.Heading("%s, at %.12s", line.Branch, line.Tip)
		missing := l.Missing(line.Name)
		for _, b := range l.Beside {
			if b.Line == line.Name {
				page.Line(report.Note, "%s is not on the branch: the branch does not contain its commit %.12s; merge it: git switch %s && git merge %.12s",
					b.Version, b.Commit, line.Branch, b.Commit)
			}
		}
		if len(missing) == 0 {
			page.Line(report.Done, "no fix is missing")
		} else {
			page.Line(report.Note, "%d of %d fixes are missing", len(missing), len(l.Fixes))
		}
		alone := 0
		for _, c := range l.Alone {
			if c.Line == line.Name {
				page.Line(report.Note, "only here: %.12s %s", c.Commit, c.Subject)
				alone++
			}
		}
		if len(missing) > 0 {
			page.Text("  to pick all of them: %s", "operator-release backport "+commits(missing)+" --onto "+line.Name)
		}
		if alone > 0 {
			page.Text("  the next line gets these commits only if %s gets them", l.Development)
		}
	}
	for _, w := range l.WithoutBranch {
		page.Line(report.Note, "line %s has %s, but branch %s is not here; fetch it, or create it if it was deleted: git branch %s %s",
			w.Name, w.Newest, w.Branch, w.Branch, w.Newest)
	}
	if len(l.Lines)+len(l.WithoutBranch) == 0 {
		page.Line(report.Note, "there is no release line yet; create one: operator-release branch LINE")
	}
}

// commits are fixes as arguments, in the order in which they apply.
func commits(fixes []backport.Fix) string {
	var ids []string
	for i := len(fixes) - 1; i >= 0; i-- {
		ids = append(ids, fmt.Sprintf("%.12s", fixes[i].Commit))
	}
	return strings.Join(ids, " ")
}
