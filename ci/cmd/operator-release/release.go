package main

import (
	"encoding/json"
	"fmt"
	"io"
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
	cmd.Flags().StringVar(&b.remote, "remote", "", "the git remote that is asked whether the version is claimed (default origin)")
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

// reportCommand renders what `release --json` printed; the Dagger module makes its report with it.
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
	Plan      plan.Plan         `json:"plan"`
	Test      gate.Result       `json:"test"`
	Bundle    bundled           `json:"bundle"`
	Rehearsal publish.Rehearsal `json:"rehearsal"`
}

func releasePage(page *report.Page, content []byte, dir string) error {
	var r released
	if err := json.Unmarshal(content, &r); err != nil {
		return refusal.New("read the JSON of a release: %w", err)
	}
	p := r.Plan
	after := "the first version"
	if !p.Previous.IsZero() {
		after = "after " + p.Previous.String()
	}
	page.Title("%s %s is ready: line %s, %s", p.Name, p.Version, p.Line, after)
	page.Line(report.Done, "commit %.12s (%s)", p.Base, p.Subject)
	edited := map[string]bool{}
	for _, s := range p.Surfaces {
		if s.Now != s.Then {
			edited[s.Path] = true
		}
	}
	page.Line(report.Done, "%d surfaces carry the version; release commit %.12s edits %d files", len(p.Surfaces), p.Commit, len(edited))

	page.Heading("Gate")
	gatePage(page, r.Test)
	bundlePage(page, r.Bundle)

	page.Heading("Rehearsal: the publication, to throwaway destinations")
	var rows []report.Row
	for _, w := range r.Rehearsal.Writes {
		rows = append(rows, report.Row{Mark: report.Done, Cells: []string{fmt.Sprint(w.Step), w.Target, w.What}})
	}
	page.Table(rows)
	again := "a second run found nothing to do"
	mark := report.Done
	if !r.Rehearsal.Again {
		again, mark = "a second run wrote again: the destinations do not keep what they accept", report.Fail
	}
	page.Line(mark, "%d manifests, blobs and refs were read back and are equal; %s", r.Rehearsal.Read, again)
	notices(page, p.Notices, nil)
	page.Heading("Identity %s", r.Bundle.Identity)
	if p.Hash != "" {
		page.Text("Plan:   %s", p.Hash)
	}
	if dir != "" {
		page.Text("Bundle: %s", dir)
	}
	return nil
}

// gatePage is one line per check, with details where one should look.
func gatePage(page *report.Page, r gate.Result) {
	marks := map[gate.Status]report.Mark{gate.Passed: report.Done, gate.Failed: report.Fail, gate.NotChecked: report.None}
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

// stageCommand runs one stage as a container runner asks for it.
func (a *app) stageCommand() *cobra.Command {
	var specFile, out, reportFile string
	var inputs []string
	cmd := &cobra.Command{
		Use: "stage NAME --spec FILE --output DIR --report FILE [--input NAME=DIR]...", Short: "Run one stage of the pipeline with only these inputs",
		Long:   "What a runner in a container calls: the spec as JSON, folders by name, an empty folder for what is made, a file for what is said.",
		Args:   cobra.ExactArgs(1),
		Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			trees, err := pairs("input", inputs)
			if err != nil {
				return err
			}
			spec, err := os.ReadFile(specFile)
			if err != nil {
				return refusal.New("read --spec: %w", err)
			}
			if err := os.MkdirAll(out, 0o755); err != nil {
				return err
			}
			var log io.Writer = a.stderr
			if a.quiet {
				log = io.Discard
			}
			made, err := runStage(cmd.Context(), pipeline.Stage(args[0]), spec, trees, out, log)
			if err != nil {
				return err
			}
			return os.WriteFile(reportFile, made.Report, 0o644)
		},
	}
	f := cmd.Flags()
	f.StringVar(&specFile, "spec", "", "file with the stage's spec as JSON")
	f.StringVarP(&out, "output", "o", "", "empty folder for what the stage makes")
	f.StringVar(&reportFile, "report", "", "file for what the stage says, as JSON")
	f.StringArrayVar(&inputs, "input", nil, "a folder that the stage may see: NAME=DIR; may be repeated")
	return cmd
}
