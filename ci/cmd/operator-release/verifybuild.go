package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/report"
)

// verified is what verify-build found.
type verified struct {
	Version     string              `json:"version"`
	Identity    string              `json:"identity"`
	Rebuilt     string              `json:"rebuilt"`
	Differences []bundle.Difference `json:"differences"`
}

func (a *app) verifyBuildCommand() *cobra.Command {
	var b building
	cmd := &cobra.Command{
		Use: "verify-build DIR", Short: "Build a bundle again from its recorded commit, and say what differs, and where inside",
		Long: "Uses the recorded commit, version, settings, platforms and base images. Exit code 1 where anything differs.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			first, err := bundle.Load(args[0])
			if err != nil {
				return err
			}
			if err := first.Verify(); err != nil {
				return err
			}
			w, err := a.begin("")
			if err != nil {
				return err
			}
			defer w.end()
			r := first.Record
			b.platforms = r.Platforms
			flow, err := b.flow(a, w, r.Version.String())
			if err != nil {
				return err
			}
			settings, err := json.Marshal(r.Config)
			if err != nil {
				return err
			}
			text := string(settings)
			flow.Again, flow.Plan.Commit, flow.Plan.Config, flow.Pins = true, r.Base, &text, map[string]string{}
			flow.Plan.Again, flow.Plan.Recorded = true, standsOn(r)
			flow.Plan.Accept, flow.Plan.OwnBefore = map[string]string{}, !r.Given
			for _, a := range r.Accepted {
				flow.Plan.Accept[a.ID] = a.Because
			}
			for _, image := range r.OfKind(bundle.KindImage) {
				for _, base := range image.Bases {
					flow.Pins[base.Reference] = base.Digest.String()
				}
			}
			made, err := flow.Build(cmd.Context())
			if err != nil {
				return err
			}
			second, err := bundle.Load(made.Bundled)
			if err != nil {
				return err
			}
			v := verified{Version: r.Version.String(), Identity: first.Identity.Digest.String(), Rebuilt: second.Identity.Digest.String()}
			if v.Identity != v.Rebuilt {
				if v.Differences, err = bundle.Compare(first, second); err != nil {
					return err
				}
			}
			if err := a.print(v, func(page *report.Page) { verifiedPage(page, filepath.ToSlash(args[0]), v) }); err != nil || v.Identity == v.Rebuilt {
				return err
			}
			return errors.New("the bundle built again has another identity; look at what differs above")
		},
	}
	b.flags(cmd)
	return cmd
}

// standsOn are the tags that a release's notes, guide and place depend on. A clone without one of them would build
// another version.
func standsOn(r bundle.Record) []string {
	tags := []string{r.Since, r.Previous.String(), r.From.String()}
	for _, m := range r.Modules {
		tags = append(tags, m.Beside)
	}
	slices.Sort(tags)
	return slices.DeleteFunc(slices.Compact(tags), func(tag string) bool { return tag == "" })
}

func verifiedPage(page *report.Page, dir string, v verified) {
	if v.Identity == v.Rebuilt {
		page.Title("%s, built again, is the same", v.Version)
		page.Line(report.Done, "identity %s", v.Identity)
		return
	}
	page.Title("%s, built again, is not what lies in %s", v.Version, dir)
	page.Line(report.Fail, "identity %s, built again %s", v.Identity, v.Rebuilt)
	for _, d := range v.Differences {
		page.Heading("%s %s", d.Kind, d.Name)
		if d.First != "" || d.Second != "" {
			page.Text("  %s and %s", orNone(d.First), orNone(d.Second))
		}
		for _, where := range d.Where {
			page.Line(report.Fail, "%s", where)
		}
	}
}

func orNone(digest string) string {
	if digest == "" {
		return "nothing"
	}
	return fmt.Sprintf("%.19s", digest)
}
