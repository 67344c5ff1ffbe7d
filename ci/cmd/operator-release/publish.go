package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/pipeline"
	"github.com/operator-release/operator-release/ci/publish"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/report"
	"github.com/operator-release/operator-release/ci/version"
)

// remoteForms is what a flag takes that names a git remote, and what it is without one.
const remoteForms = "a name, a URL or a path (default: the remote that the branch tracks, else the only one, " +
	"else origin)"

// destining are the flags that say where a bundle goes.
type destining struct {
	registry     string
	remote       string
	backup       string
	github       string
	githubURL    string
	index        string
	plainHTTP    []string
	toConfigured bool
}

func (d *destining) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&d.registry, "registry", "", "put every repository under this registry: HOST[/PREFIX]")
	f.StringVar(&d.remote, "remote", "", "the git remote: a name, a URL or a path")
	f.StringVar(&d.backup, "backup", "", "keep a copy in a repository at a registry, or in a folder (./ before it)")
	f.StringVar(&d.github, "github", "", "make release pages at GitHub: OWNER/REPO; the token is that in GITHUB_TOKEN")
	f.StringVar(&d.githubURL, "github-url", "", "where GitHub's API is, such as https://github.example.com; GitHub's own where it is not named")
	f.StringVar(&d.index, "index", "", "add charts to Helm's index.yaml on this branch of the git remote, such as gh-pages")
	f.BoolVar(&d.toConfigured, "to-configured", false,
		"publish to the destinations of the settings: each repository's own registry, "+
			"destinations.remote (else the clone's remote), and destinations' backup, github and index")
	f.StringArrayVar(&d.plainHTTP, "plain-http", nil, "speak to this host without TLS, besides loopback; may be repeated")
}

// given are the destinations that the flags name.
func (d *destining) given() pipeline.Destinations {
	return pipeline.Destinations{Registry: d.registry, Remote: d.remote, Backup: d.backup, GitHub: d.github,
		GitHubURL: d.githubURL, Index: d.index, PlainHTTP: d.plainHTTP, Configured: d.toConfigured}
}

// destinations are those of the command line, which replace all configured ones, or the configured ones.
func (d *destining) destinations(a *app, verb string) (pipeline.Destinations, error) {
	to := d.given()
	if err := to.Check(verb); err != nil {
		return to, err
	}
	var err error
	to.Config, err = a.configContent()
	return to, err
}

func (a *app) publishCommand() *cobra.Command {
	var d destining
	var s signing
	var t trusting
	var hash string
	cmd := &cobra.Command{
		Use: "publish DIR|VERSION", Short: "Bring a bundle to the world: content, claim, branch, tags, in this order",
		Long: "Publishes a bundle that was built, tested and rehearsed. Run again, also on another machine and without the bundle, it completes what a stopped run left: " +
			"the version's claim on the git remote names the content, and the registry has it. The same content again is nothing to do; other content is refused.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			to, err := d.destinations(a, "publish")
			if err != nil {
				return err
			}
			spec, signed, err := s.spec()
			if err != nil {
				return err
			}
			trust, err := t.trust()
			if err != nil {
				return err
			}
			return a.flowing(func(flow *pipeline.Flow[string]) error {
				dir, err := a.bundleToPublish(ctx, flow, to, args[0])
				if err != nil {
					return err
				}
				b, err := bundle.Load(dir)
				if err != nil {
					return err
				}
				if signed {
					said, err := a.signBundle(ctx, dir, spec)
					if err != nil {
						return err
					}
					if said.Tag == pipeline.TagThere && !a.quiet {
						report.New(a.stderr).Line(report.Note, "%s", tagStays)
					}
				}
				plan, _, err := (&building{platforms: b.Record.Platforms}).planSpec(a, b.Record.Version.String())
				if err != nil {
					return err
				}
				flow.Plan, flow.Trust = plan, trust
				said, err := flow.Publish(ctx, dir, to, hash)
				if err != nil {
					return err
				}
				if info, err := os.Stat(d.backup); err == nil && info.IsDir() {
					a.tellUnignored(ctx, "backup", d.backup)
				}
				return a.printPublication(said)
			})
		},
	}
	d.flags(cmd)
	s.flags(cmd)
	t.flags(cmd)
	cmd.Flags().BoolVar(&t.required, "require-signature", false, "refuse a bundle of which anything is not signed by who is trusted")
	cmd.Flags().StringVar(&hash, "plan", "", "refuse unless the plan of this version still has this hash, as `plan` printed it")
	return cmd
}

// bundleToPublish is the folder that was named, the folder of the version that was named, or the bundle that its claim names.
func (a *app) bundleToPublish(ctx context.Context, flow *pipeline.Flow[string], to pipeline.Destinations, arg string) (string, error) {
	if _, err := version.Parse(arg); err != nil {
		return arg, nil
	}
	dir := filepath.Join(a.source, "dist", arg)
	if _, err := bundle.Load(dir); err == nil {
		return dir, nil
	}
	wayOut := "build it with: operator-release release --version " + arg
	var lacking []string
	for _, flag := range []struct{ name, given string }{{"--remote", to.Remote}, {"--registry", to.Registry}} {
		if flag.given == "" {
			lacking = append(lacking, flag.name)
		}
	}
	if len(lacking) > 0 && !to.Configured {
		return "", refusal.New("publish %s: there is no bundle in %s, and without %s it cannot be found by its claim; %s",
			arg, dir, strings.Join(lacking, " and "), wayOut)
	}
	flow.Claim = &pipeline.ClaimSpec{Version: arg, To: to}
	claimed, ok, err := flow.Claimed(ctx)
	if err == nil && !ok {
		err = refusal.New("publish %s: there is no bundle in %s, and the remote has no claim of it; %s", arg, dir, wayOut)
	}
	return claimed.Bundled, err
}

// printPublication prints what the stage publish said.
func (a *app) printPublication(said json.RawMessage) error {
	var p published
	if err := json.Unmarshal(said, &p); err != nil {
		return fmt.Errorf("read what the publication said: %w", err)
	}
	return a.print(p.Report, func(page *report.Page) { publishedPage(page, p) })
}

func publishedPage(page *report.Page, p published) {
	r := p.Report
	if r.Changed() {
		page.Title("%s %s is published", p.Name, r.Version)
	} else {
		page.Title("%s %s is published already: nothing to do", p.Name, r.Version)
	}
	writesTable(page, r.Writes, "")
	for _, skipped := range r.Skipped {
		page.Line(report.None, "%s: not named, skipped", skipped)
	}
	for _, note := range r.Notes {
		page.Line(report.Note, "%s", note)
	}
	for _, o := range r.Omitted {
		page.Line(report.Note, "%s %s:%s is no part of it and was not published: %s", o.Kind, o.Name, r.Version, o.Because)
	}
	page.Line(report.Done, "%d manifests, blobs and refs were read back and are equal", r.Read)
	if r.Mark != nil && r.Mark.State != journal.Good {
		page.Line(report.Note, "%s is %s: %s", r.Version, r.Mark.State, r.Mark.Because)
	}
	page.Heading("Identity %s", r.Identity)
}

// writesTable is a publication's writes, in order; prefix is taken from the targets.
func writesTable(page *report.Page, writes []publish.Write, prefix string) {
	marks := map[string]report.Mark{publish.Written: report.Done, publish.There: report.None}
	var rows []report.Row
	for _, w := range writes {
		rows = append(rows, report.Row{Mark: marks[w.Outcome], Cells: []string{fmt.Sprint(w.Step), strings.TrimPrefix(w.Target, prefix), w.What, w.Outcome}})
	}
	page.Table(rows)
}
