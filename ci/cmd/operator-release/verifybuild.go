package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/refusal"
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
			r := first.Record
			if err := sameTool(r); err != nil {
				return err
			}
			w, err := a.begin("")
			if err != nil {
				return err
			}
			defer w.end()
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
			flow.Plan.Again, flow.Plan.Recorded = true, r.DependsOn
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

// sameTool refuses a record of another version of this tool. A build by this one would differ for that reason alone.
func sameTool(r bundle.Record) error {
	switch {
	case r.Tool != toolVersion:
		return refusal.New("build %s again: operator-release %s made it, and this is operator-release %s; "+
			"run verify-build of operator-release %[2]s", r.Version, r.Tool, toolVersion)
	case r.DependsOn == nil:
		return refusal.New("build %s again: its record does not say which tags it depends on, because an older "+
			"operator-release %s made it; run verify-build of that one", r.Version, r.Tool)
	}
	return nil
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
