package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/sourcegraph/conc/pool"
	"github.com/spf13/cobra"

	"github.com/operator-release/operator-release/ci/audit"
	"github.com/operator-release/operator-release/ci/catalog"
	"github.com/operator-release/operator-release/ci/catalog/site"
	"github.com/operator-release/operator-release/ci/output"
	"github.com/operator-release/operator-release/ci/pipeline"
	"github.com/operator-release/operator-release/ci/redact"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/report"
	"github.com/operator-release/operator-release/ci/tags"
)

// cataloged is what the stage catalog says.
type cataloged struct {
	Name     string `json:"name"`
	Lines    int    `json:"lines"`
	Versions int    `json:"versions"`
	Recorded int    `json:"recorded"` // of which there is a record
	Differ   int    `json:"differ"`   // of which the audit says that something differs or is missing
	Charts   int    `json:"charts"`   // packages that lie in the site
	Files    int    `json:"files"`
	Bytes    int64  `json:"bytes"`
}

func (a *app) catalogCommand() *cobra.Command {
	var d destining
	var t trusting
	var out, address string
	cmd := &cobra.Command{
		Use: "catalog", Short: "Make a static site about all versions: which one to run, how to upgrade, and how to go back",
		Long: "Reads records from the registry, the backup or dist/, and audits all versions. Of a version without a record it shows " +
			"what git has. The site has a page for each version, a picture of the release lines, the way from each version to each " +
			"other one, Helm's index.yaml with the charts, an Atom feed, and everything as JSON. It consists of static files, and " +
			"replaces an older site. Nothing is published. The site shows the differences that the audit finds; the exit code stays 0.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out == "" {
				out = filepath.Join(a.source, "dist", "site")
			}
			if _, err := replaces(output.Site, out); err != nil {
				return err
			}
			at, err := siteAddress(address)
			if err != nil {
				return err
			}
			to, err := d.places(a)
			if err != nil {
				return err
			}
			if to.Remote == "" && !to.Configured { // it reads this clone
				if _, err := a.noted(cmd.Context()); err != nil {
					return err
				}
			}
			trust, err := t.trust()
			if err != nil {
				return err
			}
			settings, err := a.configContent()
			if err != nil {
				return err
			}
			var said cataloged
			in := pipeline.Inputs[string]{Subject: out, Spec: pipeline.CatalogSpec{Site: at, To: to, Config: settings, Trust: trust}, Trees: a.repository()}
			return a.beside(cmd.Context(), out, pipeline.Catalog, in, &said, func(made string) error {
				if err := a.deliver(cmd.Context(), output.Site, made, out); err != nil {
					return err
				}
				return a.print(said, func(page *report.Page) { catalogPage(page, said, out) })
			})
		},
	}
	t.flags(cmd)
	d.looking(cmd)
	f := cmd.Flags()
	f.StringVarP(&out, "output", "o", "", "folder of the site (default dist/site in the repository)")
	f.StringVar(&address, "site", "", "where the site will be, such as https://OWNER.github.io/REPO/: its feed and Helm's commands name it")
	return cmd
}

// siteAddress is an address of a site with a slash at its end; it may be empty.
func siteAddress(address string) (string, error) {
	if address == "" {
		return "", nil
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return "", refusal.New("make a catalog for --site %s: that is no address of a site; it has the form https://HOST/PATH/", address)
	}
	return strings.TrimSuffix(u.String(), "/") + "/", nil
}

func catalogPage(page *report.Page, said cataloged, out string) {
	page.Title("%s: %s on %s", said.Name, number(said.Versions, "version"), number(said.Lines, "line"))
	page.Line(report.Done, "%s: %d files, %s; begin with %s", out, said.Files, size(said.Bytes), filepath.Join(out, "index.html"))
	if said.Charts > 0 {
		page.Line(report.Done, "it contains %s and Helm's %s", number(said.Charts, "packaged chart"), catalog.IndexFile)
	}
	if without := said.Versions - said.Recorded; without > 0 {
		page.Line(report.Note, "without a record: %s; the site shows what git has", number(without, "version"))
	}
	if said.Differ > 0 {
		page.Line(report.Note, "with differences: %s; see their pages, or run operator-release audit --all", number(said.Differ, "version"))
	}
}

// number is a number of things.
func number(n int, of string) string {
	if n != 1 {
		of += "s"
	}
	return fmt.Sprintf("%d %s", n, of)
}

// lookedAtOnce is how many versions are looked at side by side.
const lookedAtOnce = 4

func runCatalog(ctx context.Context, c call, spec pipeline.CatalogSpec) (any, error) {
	o, config, end, err := auditing(ctx, c, pipeline.AuditSpec{To: spec.To, Config: spec.Config, Trust: spec.Trust})
	defer end()
	if err != nil {
		return nil, err
	}
	if config.URL == "" {
		if config.URL, err = o.Repository.WebAddress(ctx); err != nil {
			return nil, err
		}
	}
	audited, err := audit.Run(ctx, o)
	if err != nil {
		return nil, err
	}
	tagged, err := tags.Read(ctx, o.Repository)
	if err != nil {
		return nil, err
	}
	l := looking{repository: o.Repository, config: config, settings: spec.Config, tagged: tagged}
	known := make([]catalog.Version, len(audited.Versions))
	each := pool.New().WithContext(ctx).WithMaxGoroutines(lookedAtOnce).WithCancelOnError().WithFirstError()
	for i, v := range audited.Versions {
		each.Go(func(ctx context.Context) error {
			var err error
			known[i], err = l.version(ctx, v)
			return errors.Join(err, ctx.Err())
		})
	}
	if err := each.Wait(); err != nil {
		return nil, err
	}
	about, err := catalog.Make(ctx, catalog.Options{
		Repository: o.Repository, Name: config.Name, URL: config.URL, Site: spec.Site, Development: config.Development, Pattern: config.Pattern(), Supported: config.Support.Lines,
		Audit: catalog.Audit{Git: audited.Git, Registry: audited.Registry, Forge: audited.Forge, Notes: audited.Notes}, Versions: known,
	})
	if err != nil {
		return nil, err
	}
	charts, err := chartFiles(ctx, o, audited, &about)
	if err != nil {
		return nil, err
	}
	if err := writeFiles(c.out, charts); err != nil {
		return nil, err
	}
	if about, err = redacted(about, c.secrets); err != nil {
		return nil, err
	}
	if err := site.Write(c.out, about); err != nil {
		return nil, err
	}
	return summary(c.out, audited, about)
}

// redacted is a catalog without secrets, such as user info in the address of a git remote: a site shows everybody what else one reads at a terminal.
func redacted(about catalog.Catalog, secrets *redact.Secrets) (catalog.Catalog, error) {
	secrets.Learn(about.Audit.Git)
	content, err := json.Marshal(about)
	if err != nil {
		return about, fmt.Errorf("take secrets out of the catalog: %w", err)
	}
	var clean catalog.Catalog
	if err := json.Unmarshal(secrets.JSON(content), &clean); err != nil {
		return about, fmt.Errorf("take secrets out of the catalog: %w", err)
	}
	return clean, nil
}

// summary is what a person wants to know of a site that was made.
func summary(dir string, audited audit.Report, about catalog.Catalog) (cataloged, error) {
	said := cataloged{Name: about.Name, Lines: len(about.Lines), Versions: len(about.Versions)}
	for _, v := range audited.Versions {
		if v.Made != nil {
			said.Recorded++
		}
		if v.Count(audit.Differs, audit.Missing) > 0 {
			said.Differ++
		}
	}
	err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		said.Files++
		said.Bytes += info.Size()
		if filepath.Ext(name) == ".tgz" {
			said.Charts++
		}
		return nil
	})
	return said, err
}

// writeFiles writes files by their slash paths below dir.
func writeFiles(dir string, files map[string][]byte) error {
	for name, content := range files {
		to := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(to, content, 0o644); err != nil {
			return err
		}
	}
	return nil
}
