package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"oras.land/oras-go/v2/registry/remote"

	"github.com/operator-release/operator-release/ci/audit"
	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/pipeline"
	"github.com/operator-release/operator-release/ci/publish"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/registry"
	"github.com/operator-release/operator-release/ci/report"
	"github.com/operator-release/operator-release/ci/version"
)

func (a *app) auditCommand() *cobra.Command {
	var d destining
	var t trusting
	var all bool
	var since string
	cmd := &cobra.Command{
		Use: "audit VERSION... | --all", Short: "Read every surface of published versions back, and compare it with the record",
		Long: "Writes nothing. A version that another tool published has no record, so its surfaces are compared with each other. " +
			"Signatures are verified if a flag or the settings trust a key or an identity. Without a registry, a remote, a backup " +
			"and a GitHub repository, it reads this clone only. The report names what was not checked; that is no difference. " +
			"Exit code 1 if anything differs or is missing.",
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case all && len(args) > 0:
				return refusal.New("audit: all versions, or %s? give one or the other", strings.Join(args, ", "))
			case !all && len(args) == 0:
				return refusal.New("audit: which version? name it, such as v1.5.0, or look at all of them: operator-release audit --all")
			case !all && since != "":
				return refusal.New("audit: --since is for --all")
			}
			to, err := d.places(a)
			if err != nil {
				return err
			}
			missing := ""
			if to.Remote == "" && !to.Configured { // it reads this clone
				if missing, err = a.noted(cmd.Context()); err != nil {
					return err
				}
			}
			trust, err := t.trust()
			if err != nil {
				return err
			}
			subject := "--all"
			if !all {
				subject = strings.Join(args, ", ")
			}
			var said audit.Report
			spec := func(settings *string) any {
				return pipeline.AuditSpec{Versions: args, Since: since, To: to, Config: settings, Trust: trust}
			}
			return a.asked(cmd.Context(), pipeline.Audit, subject, spec, &said, func(string) error {
				if len(said.Versions) == 0 && missing != "" {
					return fmt.Errorf("audit all versions: none is here: %s", missing)
				}
				if !a.json && a.remark != "" { // the page has a heading for it
					said.Notes, a.remark = append(said.Notes, a.remark), ""
				}
				if err := a.print(said, func(page *report.Page) { auditPage(page, said) }); err != nil {
					return err
				}
				return said.Err()
			})
		},
	}
	t.flags(cmd)
	f := cmd.Flags()
	f.BoolVar(&all, "all", false, "look at every version that a tag, a claim or the chart index names")
	f.StringVar(&since, "since", "", "of all versions look at this one and those after it")
	d.looking(cmd)
	return cmd
}

// looking are the flags of a command that looks at destinations.
func (d *destining) looking(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&d.registry, "registry", "", "look for every repository under this registry: HOST[/PREFIX]")
	f.StringVar(&d.remote, "remote", "", "read the refs of this git remote instead of this clone's: a name, "+
		"a URL or a path")
	f.StringVar(&d.backup, "backup", "", "look into this backup: a repository at a registry, or a folder (./ before it)")
	f.StringVar(&d.github, "github", "", "look at the release pages at GitHub: OWNER/REPO; with the token in GITHUB_TOKEN drafts are seen, too")
	f.StringVar(&d.githubURL, "github-url", "", "where GitHub's API is, such as https://github.example.com; GitHub's own where it is not named")
	f.StringVar(&d.index, "index", "", "read Helm's index.yaml on this branch, instead of the one that the settings name, else gh-pages")
	f.BoolVar(&d.toConfigured, "to-configured", false,
		"read the destinations of the settings: each repository's own registry, "+
			"destinations.remote (else the clone's remote), and destinations' backup, github and index")
	f.StringArrayVar(&d.plainHTTP, "plain-http", nil, "speak to this host without TLS, besides loopback; may be repeated")
}

// places are where to look: nowhere but at this clone where no flag names any.
func (d *destining) places(a *app) (pipeline.Destinations, error) {
	if to := d.given(); len(to.Named()) == 0 && !to.Configured {
		return to, nil
	}
	return d.destinations(a, "look")
}

func runAudit(ctx context.Context, c call, spec pipeline.AuditSpec) (any, error) {
	o, _, end, err := auditing(ctx, c, spec)
	defer end()
	if err != nil {
		return nil, err
	}
	return audit.Run(ctx, o)
}

// auditing is what an audit is asked, by the settings, which are given beside it. What it looks at is there until end, which is never nil.
func auditing(ctx context.Context, c call, spec pipeline.AuditSpec) (o audit.Options, _ config.Config, end func(), err error) {
	end = func() {}
	source, to, err := c.destinations(ctx, spec.To, (*git.Repository).FindRemote)
	if err != nil {
		return o, config.Config{}, end, err
	}
	config, err := settings(ctx, source, spec.Config)
	if err != nil {
		return o, config, end, err
	}
	o = audit.Options{
		Repository: source, Name: "this clone, as it was last fetched", Pattern: config.Pattern(),
		Bundle: func(v version.Version) string { return filepath.Join(source.Dir(), "dist", v.String()) },
	}
	if o.Signers, err = signersOf(ctx, source, config.Signatures, spec.Trust); err != nil {
		return o, config, end, err
	}
	for _, name := range spec.Versions {
		v, err := version.Parse(name)
		if err != nil {
			return o, config, end, err
		}
		if !slices.Contains(o.Versions, v) {
			o.Versions = append(o.Versions, v)
		}
	}
	if spec.Since != "" {
		if o.Since, err = version.Parse(spec.Since); err != nil {
			return o, config, end, err
		}
	}
	if config.Signatures != nil {
		o.SignedSince = config.Signatures.Since
	}
	if o.Verifier, err = verifierOf(ctx, source, config.Signatures, spec.Trust); refusal.Is(err) {
		return o, config, end, err
	} else if err != nil { // such as a trusted root that is out of reach
		o.Unverified = err
	}
	if spec.Config != nil {
		o.ConfigName, o.Config = "the settings of --config", []byte(*spec.Config)
	}
	if to.Registry != nil {
		if o.Registry, o.RegistryName = to.Registry.Open, to.Registry.Prefix; o.RegistryName == "" {
			o.RegistryName = "each repository's own registry"
		}
	}
	if to.Backup != nil {
		o.Backup = auditedBackup(to.Backup)
	}
	if to.Forge != nil {
		o.Forge, o.ForgeName = to.Forge.Client, to.Forge.Name
	}
	switch {
	case to.Index != nil:
		o.Index, o.IndexNamed = to.Index.Branch, true
	case config.Destinations != nil:
		o.Index = config.Destinations.Index
	}
	if to.Remote != nil {
		dir, err := os.MkdirTemp("", "release-audit-")
		if err != nil {
			return o, config, end, err
		}
		end = func() { os.RemoveAll(dir) }
		if err := mirrored(ctx, &o, source, to.Remote.URL, dir); err != nil {
			return o, config, end, err
		}
		if o.Name = spec.To.Remote; o.Name == "" { // the configured one
			o.Name = to.Remote.URL
		}
	}
	return o, config, end, nil
}

func auditedBackup(k *publish.Backup) *audit.Backup {
	if k.Dir != "" {
		return &audit.Backup{Name: k.Dir, Dir: k.Dir}
	}
	return &audit.Backup{Name: k.Repository, Open: func() (*remote.Repository, error) {
		client, err := registry.New(k.PlainHTTP...)
		if err != nil {
			return nil, err
		}
		return client.Open(k.Repository)
	}}
}

// mirrored makes dir a repository with the refs of a git remote, and the audit look there.
func mirrored(ctx context.Context, o *audit.Options, source *git.Repository, url, dir string) error {
	shallow, err := source.Shallow(ctx)
	if err != nil {
		return err
	}
	if shallow { // what it lacks git would miss in the mirror, too
		if o.Repository, err = source.EmptyScratch(ctx, dir); err != nil {
			return err
		}
	} else if o.Repository, err = source.Scratch(ctx, dir); err != nil {
		return err
	}
	o.All = true
	o.Failed = audit.Mirror(ctx, o.Repository.Remote(url))
	return ctx.Err()
}

var states = map[audit.State]report.Mark{audit.Agrees: report.Done, audit.Differs: report.Fail, audit.Missing: report.Fail, audit.Unseen: report.None}

// auditPage is an audit for people: a line for a version that agrees, what was wanted and what was found side by side where anything differs.
func auditPage(page *report.Page, r audit.Report) {
	of := fmt.Sprintf("%d versions", len(r.Versions))
	if len(r.Versions) == 1 {
		of = r.Versions[0].Version.String()
	}
	registry := "not asked"
	if r.Registry != "" {
		registry = r.Registry
	}
	pages := ""
	if r.Forge != "" {
		pages = "; release pages: " + r.Forge
	}
	page.Title("%s; git: %s; registry: %s%s", of, r.Git, registry, pages)
	var lines []report.Row
	for _, v := range r.Versions {
		mark := report.Done
		if v.Count(audit.Differs, audit.Missing) > 0 {
			mark = report.Fail
		}
		lines = append(lines, report.Row{Mark: mark, Cells: []string{v.Version.String(), counted(v)}})
	}
	page.Table(lines)
	for _, v := range r.Versions {
		if v.Count(audit.Differs, audit.Missing) > 0 {
			page.Heading("%s", v.Version)
			page.Table(differing(v))
		}
	}
	told(page, "To know", report.Note, r, func(v audit.Version) []string { return v.Notes })
	for _, note := range r.Notes {
		page.Line(report.Note, "%s", note)
	}
	told(page, "Not checked", report.None, r, unseen)
}

// unseen are the reasons why a version's surfaces cannot be told, each with the kinds of surfaces.
func unseen(v audit.Version) []string {
	kinds := map[string][]string{}
	var reasons, all []string
	for _, s := range v.Surfaces {
		if s.State != audit.Unseen {
			continue
		}
		if kinds[s.Note] == nil {
			reasons = append(reasons, s.Note)
		}
		if !slices.Contains(kinds[s.Note], s.Kind) {
			kinds[s.Note] = append(kinds[s.Note], s.Kind)
		}
	}
	for _, reason := range reasons {
		all = append(all, strings.Join(kinds[reason], ", ")+": "+reason)
	}
	return all
}

// counted says how many of a version's surfaces are in which state.
func counted(v audit.Version) string {
	var parts []string
	for _, state := range []struct {
		says   string
		states []audit.State
	}{{"differ", []audit.State{audit.Differs}}, {"missing", []audit.State{audit.Missing}}, {"agree", []audit.State{audit.Agrees}}, {"not checked", []audit.State{audit.Unseen}}} {
		if n := v.Count(state.states...); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, state.says))
		}
	}
	return strings.Join(parts, ", ")
}

// differing are a version's surfaces that differ or are missing.
func differing(v audit.Version) []report.Row {
	rows := []report.Row{{Mark: report.None, Cells: []string{"surface", "", "wanted", "found"}}}
	for _, s := range v.Surfaces {
		if s.State == audit.Differs || s.State == audit.Missing {
			rows = append(rows, surfaceRow(s))
		}
	}
	return rows
}

func surfaceRow(s audit.Surface) report.Row {
	found := cell(s.Found)
	if s.State == audit.Missing {
		found = "missing"
	}
	if s.Note != "" {
		found += "; " + cell(s.Note)
	}
	return report.Row{Mark: states[s.State], Cells: []string{s.Kind, cell(s.Name), cell(s.Want), found}}
}

// told lists texts about versions, each once, with the versions that it is about.
func told(page *report.Page, heading string, mark report.Mark, r audit.Report, of func(audit.Version) []string) {
	about := map[string][]string{}
	var order []string
	for _, v := range r.Versions {
		for _, text := range of(v) {
			if about[text] == nil {
				order = append(order, text)
			}
			about[text] = append(about[text], v.Version.String())
		}
	}
	if len(order) == 0 && (mark != report.Note || len(r.Notes) == 0) {
		return
	}
	page.Heading("%s", heading)
	for _, text := range order {
		names := about[text]
		switch {
		case len(r.Versions) == 1:
			page.Line(mark, "%s", cell(text))
		case len(names) == len(r.Versions):
			page.Line(mark, "all versions: %s", cell(text))
		case len(names) > 6:
			page.Line(mark, "%d versions, %s to %s: %s", len(names), names[len(names)-1], names[0], cell(text))
		default:
			page.Line(mark, "%s: %s", strings.Join(names, ", "), cell(text))
		}
	}
}

var longID = regexp.MustCompile(`\b(sha256:[0-9a-f]{12}|[0-9a-f]{12})[0-9a-f]{28,52}\b`)

// cell is a text on one line of a table, ids cut as everywhere.
func cell(s string) string {
	return longID.ReplaceAllString(strings.Join(strings.Fields(s), " "), "$1")
}
