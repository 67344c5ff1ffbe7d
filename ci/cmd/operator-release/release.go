package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/gate"
	"github.com/operator-release/operator-release/ci/pipeline"
	"github.com/operator-release/operator-release/ci/plan"
	"github.com/operator-release/operator-release/ci/publish"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/report"
)

func (a *app) releaseCommand() *cobra.Command {
	var b building
	var v string
	cmd := &cobra.Command{
		Use: "release --version VERSION", Short: "Plan, test, build and rehearse a version, and report; publish nothing",
		Long: "Writes the bundle into one folder and nothing else. What was rehearsed is what `publish` brings to the world, byte by byte.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			b.gated = true
			r, dir, err := b.make(cmd.Context(), a, v, (*pipeline.Flow[string]).Release)
			if err != nil {
				return err
			}
			return a.printRelease(r, dir)
		},
	}
	cmd.Flags().StringVar(&v, "version", "", "the version to release: vX.Y.Z or vX.Y.Z-rc.N")
	cmd.Flags().StringVar(&b.remote, "remote", "", "the git remote that is asked whether the version is "+
		"claimed: "+remoteForms)
	cmd.Flags().StringVar(&b.registry, "registry", "", "fetch a claimed bundle from this registry instead of its own: HOST[/PREFIX]")
	b.flags(cmd)
	b.outFlag(cmd)
	return cmd
}

// printRelease prints what was said on the way: the report, or its JSON.
func (a *app) printRelease(r pipeline.Release[string], dir string) error {
	if a.json {
		return a.print(r, nil)
	}
	content, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return releasePage(report.New(a.stdout), content, dir)
}

// reportCommand renders what the stages said; the Dagger module makes its texts with it.
func (a *app) reportCommand() *cobra.Command {
	return &cobra.Command{
		Use: "report FILE", Short: "Print the report of what `release --json` said", Args: cobra.ExactArgs(1), Hidden: true,
		RunE: func(_ *cobra.Command, args []string) error {
			content, err := os.ReadFile(args[0])
			if err != nil {
				return refusal.New("read the JSON of a release: %w", err)
			}
			return releasePage(report.New(a.stdout), content, "")
		},
	}
}

// released are the reports of a release's stages, read.
type released struct {
	Plan        *plan.Plan         `json:"plan"`
	Test        *gate.Result       `json:"test"`
	Bundle      *bundled           `json:"bundle"`
	Rehearsal   *publish.Rehearsal `json:"rehearsal"`
	Publication *published         `json:"publication"`
}

// releasePage is the report of as much of a release as was gone through; a plan alone is refused where something speaks against it.
func releasePage(page *report.Page, content []byte, dir string) error {
	var r released
	if err := json.Unmarshal(content, &r); err != nil {
		return refusal.New("read the JSON of a release: %w", err)
	}
	switch {
	case r.Publication != nil:
		publishedPage(page, *r.Publication)
		return nil
	case r.Bundle == nil && r.Rehearsal != nil:
		rehearsalPage(page, *r.Rehearsal)
		return nil
	case r.Bundle == nil && r.Plan != nil:
		planPage(page, *r.Plan)
		return r.Plan.Refused()
	case r.Bundle == nil || r.Plan == nil:
		return refusal.New("read the JSON of a release: there is no plan or bundle in it")
	}
	p := r.Plan
	after := "the first version"
	if !p.Previous.IsZero() {
		after = "after " + p.Previous.String()
	}
	page.Title("%s %s is ready: line %s, %s", p.Name, p.Version, p.Line, after)
	page.Line(report.Done, "commit %.12s (%s)", p.Base, p.Subject)
	page.Line(report.Done, "%d surfaces carry the version; release commit %.12s edits %d files", len(p.Surfaces), p.Commit, len(p.Edits()))

	page.Heading("Gate")
	if r.Test != nil {
		gatePage(page, *r.Test)
	} else {
		page.Line(report.None, "was not asked")
	}
	bundlePage(page, *r.Bundle)
	if r.Rehearsal != nil {
		rehearsalPage(page, *r.Rehearsal)
	}
	told := p.Notices
	if p.Remote != "" { // a claimed version's plan is that of its record
		told = append([]string{p.Remote}, told...)
	}
	notices(page, told, nil)
	page.Heading("Identity %s", r.Bundle.Identity)
	if p.Hash != "" {
		page.Text("Plan:   %s", p.Hash)
	}
	if dir != "" {
		page.Text("Bundle: %s", dir)
	}
	return nil
}

func rehearsalPage(page *report.Page, r publish.Rehearsal) {
	page.Heading("Rehearsal: the publication, to throwaway destinations")
	var rows []report.Row
	for _, w := range r.Writes {
		rows = append(rows, report.Row{Mark: report.Done, Cells: []string{fmt.Sprint(w.Step), w.Target, w.What}})
	}
	page.Table(rows)
	again := "a second run found nothing to do"
	mark := report.Done
	if !r.Again {
		again, mark = "a second run wrote again: the destinations do not keep what they accept", report.Fail
	}
	page.Line(mark, "%d manifests, blobs and refs were read back and are equal; %s", r.Read, again)
}

// gatePage is one line per check, with details where one should look.
func gatePage(page *report.Page, r gate.Result) {
	marks := map[gate.Status]report.Mark{gate.Passed: report.Done, gate.Failed: report.Fail, gate.NotChecked: report.None,
		gate.Warned: report.Note}
	for _, c := range r.Checks {
		line := c.Name + ": " + c.Subject
		if c.Status == gate.NotChecked {
			line += ": not checked"
		}
		if len(c.Details) > 0 && c.Name != gate.CommandCheck {
			line += ": " + strings.Join(c.Details, "; ")
		}
		page.Line(marks[c.Status], "%s", line)
	}
}

// bundlePage lists the artifacts of a bundle.
func bundlePage(page *report.Page, b bundled) {
	page.Heading("Artifacts")
	var rows []report.Row
	for _, a := range b.Record.Artifacts {
		what := size(a.Size)
		if a.Kind == bundle.KindImage {
			var platforms []string
			for _, p := range a.Platforms {
				platforms = append(platforms, p.Platform)
			}
			what = strings.Join(platforms, ", ")
		}
		if a.Package != nil {
			what = size(a.Package.Size)
		}
		rows = append(rows, report.Row{Mark: report.Done, Cells: []string{a.Kind, a.Name, a.Digest.String()[:19], what}})
	}
	for _, o := range b.Record.Omitted {
		rows = append(rows, report.Row{Mark: report.None, Cells: []string{o.Kind, o.Name, "left out"}})
	}
	page.Table(rows)
}

func size(n int64) string {
	switch {
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d B", n)
}
