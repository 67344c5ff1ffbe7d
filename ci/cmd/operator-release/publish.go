package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/pipeline"
	"github.com/operator-release/operator-release/ci/plan"
	"github.com/operator-release/operator-release/ci/publish"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/report"
	"github.com/operator-release/operator-release/ci/version"
)

// destining are the flags that say where a bundle goes.
type destining struct {
	registry     string
	remote       string
	backup       string
	plainHTTP    []string
	toConfigured bool
}

func (d *destining) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&d.registry, "registry", "", "put every repository under this registry: HOST[/PREFIX]")
	f.StringVar(&d.remote, "remote", "", "the git remote: a URL or a path")
	f.StringVar(&d.backup, "backup", "", "keep a copy in a repository at a registry, or in a folder (./ before it)")
	f.BoolVar(&d.toConfigured, "to-configured", false, "go where the settings say: each repository's own registry, destinations.remote (else origin), destinations.backup")
	f.StringArrayVar(&d.plainHTTP, "plain-http", nil, "speak to this host without TLS, besides loopback; may be repeated")
}

// open gives the repository that is released, and where to.
func (d *destining) open(ctx context.Context, a *app) (*git.Repository, publish.Destinations, error) {
	source, err := git.Open(ctx, a.source)
	if err != nil {
		return nil, publish.Destinations{}, err
	}
	to, err := d.destinations(ctx, a, source)
	return source, to, err
}

// destinations are those of the command line, which replace all configured ones, or the configured ones.
func (d *destining) destinations(ctx context.Context, a *app, source *git.Repository) (publish.Destinations, error) {
	var to publish.Destinations
	named := d.registry != "" || d.remote != "" || d.backup != ""
	switch {
	case named && d.toConfigured:
		return to, refusal.New("publish: --to-configured goes where the settings say, and --registry, --remote or --backup elsewhere; give one or the other")
	case !named && !d.toConfigured:
		return to, refusal.New("publish: where to? name --registry, --remote, --backup, or go where the settings say with --to-configured")
	}
	registry, remote, backup := d.registry, d.remote, d.backup
	if d.toConfigured {
		settings, err := a.settings(ctx, source)
		if err != nil {
			return to, err
		}
		if settings.Destinations != nil {
			remote, backup = settings.Destinations.Remote, settings.Destinations.Backup
		}
		if remote == "" {
			if remote, err = source.Git(ctx, "config", "--get", "remote.origin.url"); err != nil {
				return to, refusal.New("publish --to-configured: the settings name no destinations.remote, and %s has no remote origin", source.Dir())
			}
		}
	}
	if registry != "" || d.toConfigured {
		to.Registry = &publish.Registry{Prefix: registry, PlainHTTP: d.plainHTTP}
	}
	if remote != "" {
		to.Remote = &publish.Remote{URL: absolute(remote), Source: source}
	}
	if backup != "" {
		to.Backup = publish.ParseBackup(backup, d.plainHTTP)
	}
	return to, nil
}

// absolute makes a path that is there absolute: git runs elsewhere. A URL stays.
func absolute(remote string) string {
	if _, err := os.Stat(remote); err == nil {
		if abs, err := filepath.Abs(remote); err == nil {
			return abs
		}
	}
	return remote
}

// settings are those of the commit that is checked out, or of --config.
func (a *app) settings(ctx context.Context, source *git.Repository) (config.Config, error) {
	tree, err := source.Tree(ctx, "HEAD")
	if err != nil {
		return config.Config{}, err
	}
	defer tree.Close()
	given, err := a.configContent()
	if err != nil {
		return config.Config{}, err
	}
	var content []byte
	if given != nil {
		content = []byte(*given)
	}
	return config.Load(tree, a.config, content)
}

func (a *app) publishCommand() *cobra.Command {
	var d destining
	var hash string
	cmd := &cobra.Command{
		Use: "publish DIR|VERSION", Short: "Bring a bundle to the world: content, claim, branch, tags, in this order",
		Long: "Publishes a bundle that was built, tested and rehearsed. Run again, also on another machine and without the bundle, it completes what a stopped run left: " +
			"the version's claim on the git remote names the content, and the registry has it. The same content again is nothing to do; other content is refused.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			source, to, err := d.open(ctx, a)
			if err != nil {
				return err
			}
			b, done, err := a.bundleToPublish(ctx, source, to, args[0])
			if err != nil {
				return err
			}
			defer done()
			if hash != "" {
				if err := a.checkPlan(ctx, b, hash); err != nil {
					return err
				}
			}
			return a.publishAndPrint(ctx, b, to)
		},
	}
	d.flags(cmd)
	cmd.Flags().StringVar(&hash, "plan", "", "refuse unless the plan of this version still has this hash, as `plan` printed it")
	return cmd
}

// bundleToPublish is the bundle in a folder, or the one that the claim of a version names, fetched from the registry.
func (a *app) bundleToPublish(ctx context.Context, source *git.Repository, to publish.Destinations, arg string) (bundle.Bundle, func(), error) {
	keep := func() {}
	v, versionErr := version.Parse(arg)
	if versionErr != nil {
		b, err := bundle.Load(arg)
		return b, keep, err
	}
	dir := filepath.Join(a.source, "dist", arg)
	if b, err := bundle.Load(dir); err == nil {
		return b, keep, nil
	}
	if to.Remote == nil || to.Registry == nil {
		return bundle.Bundle{}, keep, refusal.New("publish %s: there is no bundle in %s, and without --remote and --registry no claim names one; build it with: operator-release release --version %s", arg, dir, arg)
	}
	w, err := a.begin("")
	if err != nil {
		return bundle.Bundle{}, keep, err
	}
	b, ok, err := fetchClaimed(ctx, w, source, to.Remote.URL, to.Registry, v)
	if err == nil && !ok {
		err = refusal.New("publish %s: there is no bundle in %s, and %s has no claim of it; build it with: operator-release release --version %s", arg, dir, to.Remote.URL, arg)
	}
	if err != nil {
		w.end()
		return b, keep, err
	}
	return b, w.end, nil
}

// fetchClaimed fetches the bundle that a version's claim names; ok is false where there is no claim.
func fetchClaimed(ctx context.Context, w *work, source *git.Repository, url string, registry *publish.Registry, v version.Version) (bundle.Bundle, bool, error) {
	scratch, err := source.Scratch(ctx, filepath.Join(w.dir, "scratch.git"))
	if err != nil {
		return bundle.Bundle{}, false, err
	}
	claim, ok, err := publish.FindClaim(ctx, scratch, url, v)
	if err != nil || !ok {
		return bundle.Bundle{}, false, err
	}
	step := w.progress.Begin(fmt.Sprintf("fetch    %s, claimed with identity %s", v, claim.Identity))
	b, err := publish.Fetch(ctx, registry, claim, filepath.Join(w.dir, "fetched"))
	step.End(err)
	return b, true, err
}

// checkPlan refuses where the world has moved since somebody looked at the plan.
func (a *app) checkPlan(ctx context.Context, b bundle.Bundle, hash string) error {
	spec, _, err := (&building{platforms: b.Record.Platforms}).planSpec(a, b.Record.Version.String())
	if err != nil {
		return err
	}
	var p plan.Plan
	if err := a.alone(ctx, pipeline.Plan, pipeline.Inputs[string]{
		Subject: spec.Version, Spec: spec, Trees: map[string]string{pipeline.Repository: a.source},
	}, &p); err != nil {
		return err
	}
	switch {
	case p.Hash != hash:
		return refusal.New("publish %s by plan %s: the world has moved, the plan is %s now; look at it (operator-release plan %s) and name that one", b.Record.Version, hash, p.Hash, b.Record.Version)
	case p.Commit != b.Record.Commit:
		return refusal.New("publish %s by plan %s: the plan is for release commit %s, the bundle is of %s; release again from the planned commit", b.Record.Version, hash, p.Commit, b.Record.Commit)
	}
	return nil
}

func (a *app) publishAndPrint(ctx context.Context, b bundle.Bundle, to publish.Destinations) error {
	var progress io.Writer = a.stderr
	if a.quiet {
		progress = io.Discard
	}
	bar := report.NewProgress(progress)
	step := bar.Begin("publish  " + b.Record.Version.String())
	r, err := publish.Publish(ctx, b, to)
	step.End(err)
	bar.Close()
	if err != nil {
		return err
	}
	return a.print(r, func(page *report.Page) {
		if r.Changed() {
			page.Title("%s %s is published", b.Record.Name, r.Version)
		} else {
			page.Title("%s %s is published already: nothing to do", b.Record.Name, r.Version)
		}
		writesTable(page, r.Writes, "")
		for _, skipped := range r.Skipped {
			page.Line(report.None, "%s: not named, skipped", skipped)
		}
		page.Line(report.Done, "%d manifests, blobs and refs were read back and are equal", r.Read)
		page.Heading("Identity %s", r.Identity)
	})
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
