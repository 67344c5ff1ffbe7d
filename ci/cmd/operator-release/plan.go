package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/operator-release/operator-release/ci/compare"
	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/pipeline"
	"github.com/operator-release/operator-release/ci/plan"
	"github.com/operator-release/operator-release/ci/policy"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/report"
	"github.com/operator-release/operator-release/ci/version"
)

func (a *app) planCommand() *cobra.Command {
	var b building
	var whyNot, supported bool
	cmd := &cobra.Command{
		Use: "plan VERSION | --support", Short: "Say what releasing a version would do, and what speaks against it",
		Long: "Reads the repository's objects, asks the git remote which versions and release lines it has, " +
			"and writes nothing. Exit code 2: the plan has blocking problems.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case supported && len(args) > 0:
				return refusal.New("plan --support: it is about lines, and takes no version")
			case supported:
				return a.support(cmd.Context(), &b)
			case len(args) == 0:
				return refusal.New("plan: which version? name it, such as v1.5.0, or ask what the supported lines stand on: operator-release plan --support")
			}
			if _, err := version.Parse(args[0]); err != nil {
				return err
			}
			spec, _, err := b.planSpec(a, args[0])
			if err != nil {
				return err
			}
			source, err := git.Open(cmd.Context(), a.source)
			if err != nil {
				return err
			}
			if spec.Remote, err = a.askRemote(cmd.Context(), source, b.remote); err != nil {
				return err
			}
			var p plan.Plan
			if err := a.alone(cmd.Context(), pipeline.Plan, pipeline.Inputs[string]{
				Subject: args[0], Spec: spec, Trees: a.repository(),
			}, &p); err != nil {
				return err
			}
			if err := a.print(p, func(page *report.Page) {
				if whyNot {
					pointsPage(page, p)
				} else {
					planPage(page, p)
				}
			}); err != nil {
				return err
			}
			return p.Refused()
		},
	}
	b.flags(cmd)
	cmd.Flags().StringVar(&b.remote, "remote", "", "the git remote that is asked which versions and release lines it "+
		"has: "+remoteForms)
	cmd.Flags().BoolVar(&whyNot, "why-not", false, "explain point by point what the version contains, and what its policy says about it")
	cmd.Flags().BoolVar(&supported, "support", false, "tell what the supported lines stand on, Go and base images, against the newest patches; asks GOPROXY and the bases' registries")
	return cmd
}

// planPage is a plan for people.
func planPage(page *report.Page, p plan.Plan) {
	previous := "the first version"
	if !p.Previous.IsZero() {
		previous = "after " + p.Previous.String()
	}
	page.Title("%s %s, line %s, %s", p.Name, p.Version, p.Line, previous)
	what := "released as it is"
	if p.Commit != p.Base {
		what = fmt.Sprintf("with release commit %.12s on top", p.Commit)
	}
	page.Line(report.Done, "commit %.12s (%s), %s; branch %s; %s; %s", p.Base, p.Subject, what, p.Branch, p.Toolchain, p.Time.Format("2006-01-02 15:04:05 MST"))
	if p.Maker.Name != "" {
		signed := "without a sign-off"
		if p.Maker.SignedOff {
			signed = "signed off"
		}
		what := "release commit and tag"
		if p.Commit == p.Base {
			what, signed = "tag", "no commit is made"
		}
		page.Line(report.Done, "%s by %s <%s>: %s; %s", what, p.Maker.Name, p.Maker.Email, p.Maker.Because, signed)
	}

	page.Heading("Surfaces")
	var rows []report.Row
	for _, s := range p.Surfaces {
		change := s.Now + " -> " + s.Then
		if s.Now == s.Then {
			change = s.Then
		}
		rows = append(rows, report.Row{Mark: report.Done, Cells: []string{fmt.Sprintf("%s:%d", s.Path, s.Line), s.Name, change}})
	}
	if p.Changelog != "" {
		rows = append(rows, report.Row{Mark: report.Done, Cells: []string{p.Changelog, "section", "-> " + p.Version.String()}})
	}
	page.Table(rows)

	contentPage(page, p)
	page.Heading("Artifacts")
	rows = nil
	for _, artifact := range p.Artifacts {
		rows = append(rows, report.Row{Mark: report.Done, Cells: []string{artifact.Kind, artifact.Name}})
	}
	for _, i := range p.Images {
		if i.How == config.LeftOut {
			rows = append(rows, report.Row{Mark: report.None, Cells: []string{"image", i.Repository + ", left out: " + i.Because}})
		}
	}
	page.Table(rows)

	page.Heading("Writes of a publication to the configured destinations, in order")
	rows = nil
	for _, w := range p.Writes {
		rows = append(rows, report.Row{Cells: []string{fmt.Sprint(w.Step), w.Target, w.What}})
	}
	page.Table(rows)
	for _, left := range p.NotWritten {
		page.Line(report.None, "%s", left)
	}
	notices(page, append([]string{p.Remote}, p.Notices...), p.Against)
	page.Heading("Plan %s", p.Hash)
}

func notices(page *report.Page, notices, against []string) {
	if len(notices) > 0 {
		page.Heading("To know")
		for _, n := range notices {
			page.Line(report.Note, "%s", n)
		}
	}
	if len(against) > 0 {
		page.Heading("What speaks against it")
		for _, n := range against {
			page.Line(report.Fail, "%s", n)
		}
	}
}

var verdicts = map[policy.Verdict]report.Mark{policy.Refused: report.Fail, policy.Unexplained: report.Fail, policy.Accepted: report.Note, policy.Explained: report.Done, policy.ToKnow: report.None}

// contentPage is what differs for users in short: what breaks something, and how many others there are.
func contentPage(page *report.Page, p plan.Plan) {
	if p.From.IsZero() {
		return
	}
	page.Heading("For those who come from %s", p.From)
	others := 0
	for _, point := range p.Points {
		if point.Severity != compare.Breaking {
			others++
			continue
		}
		page.Line(verdicts[point.Verdict], "%s: %s", point.Verdict, point.What)
	}
	page.Line(report.None, "%d other differences: operator-release plan %s --why-not", others, p.Version)
}

// pointsPage is every point, with its id, its place, and what was said about it.
func pointsPage(page *report.Page, p plan.Plan) {
	if p.From.IsZero() {
		page.Title("%s %s is the first version: there is nothing to compare it with", p.Name, p.Version)
	} else {
		page.Title("%s %s, for those who come from %s", p.Name, p.Version, p.From)
	}
	for _, verdict := range []policy.Verdict{policy.Refused, policy.Unexplained, policy.Accepted, policy.Explained, policy.ToKnow} {
		first := true
		for _, point := range p.Points {
			if point.Verdict != verdict {
				continue
			}
			if first {
				page.Heading("%s", strings.ToUpper(string(verdict)[:1])+string(verdict)[1:])
				first = false
			}
			page.Line(verdicts[verdict], "%s", point.What)
			page.Text("    %s, at %s", point.ID, point.Where)
			if point.Because != "" {
				page.Text("    %s", point.Because)
			}
		}
	}
	notices(page, append([]string{p.Remote}, p.Notices...), p.Against)
}
