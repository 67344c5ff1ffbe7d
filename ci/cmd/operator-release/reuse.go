package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/gate"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/pipeline"
	"github.com/operator-release/operator-release/ci/plan"
	"github.com/operator-release/operator-release/ci/publish"
	"github.com/operator-release/operator-release/ci/report"
	"github.com/operator-release/operator-release/ci/version"
)

// reuse finds the bundle where it need not be built: claimed by somebody who published it (then those bytes are the version, and nothing is
// built whatever the commit), or in the folder already, of this very commit, version and settings, with its gate passed.
func (b *building) reuse(ctx context.Context, a *app, w *work, flow *pipeline.Flow[string], dir string) (pipeline.Release[string], bool, error) {
	var r pipeline.Release[string]
	if !b.gated {
		return r, false, nil // parts and trial builds are nobody's version yet
	}
	found, ok, err := b.claimed(ctx, a, w, flow.Plan.Version)
	if err != nil {
		return r, false, err
	}
	if ok {
		w.progress.Say(report.Note, "%s is claimed: its bytes are those of identity %s; nothing is built", flow.Plan.Version, found.Identity.Digest)
	} else if found, ok, err = b.unchanged(ctx, a, w, flow, dir, &r); err != nil || !ok {
		return r, false, err
	}
	if r.Bundle, err = json.Marshal(bundled{Identity: found.Identity.Digest.String(), Record: found.Record}); err != nil {
		return r, false, err
	}
	result, err := gateOf(found)
	if err != nil {
		return r, false, err
	}
	if r.Test, err = json.Marshal(result); err != nil {
		return r, false, err
	}
	if len(r.Plan) == 0 {
		if r.Plan, err = json.Marshal(planOf(found.Record)); err != nil {
			return r, false, err
		}
	}
	rehearsed, err := w.runner.Run(ctx, pipeline.Rehearse, pipeline.Inputs[string]{
		Subject: flow.Plan.Version, Spec: pipeline.RehearseSpec{},
		Trees: map[string]string{pipeline.Bundled: found.Layout.Dir(), pipeline.Repository: a.source},
	})
	if err != nil {
		return r, false, err
	}
	r.Rehearsal, r.Bundled = rehearsed.Report, found.Layout.Dir()
	if found.Layout.Dir() == dir {
		return r, true, nil
	}
	return r, true, deliver(found.Layout.Dir(), dir)
}

// claimed asks the git remote whether somebody has published the version, and fetches those bytes.
func (b *building) claimed(ctx context.Context, a *app, w *work, v string) (bundle.Bundle, bool, error) {
	source, err := git.Open(ctx, a.source)
	if err != nil {
		return bundle.Bundle{}, false, err
	}
	url := b.remote
	if url == "" {
		if url, err = source.Git(ctx, "config", "--get", "remote.origin.url"); err != nil {
			return bundle.Bundle{}, false, nil // no remote, so nobody to have claimed it there
		}
	}
	parsed, err := version.Parse(v)
	if err != nil {
		return bundle.Bundle{}, false, err
	}
	found, ok, err := fetchClaimed(ctx, w, source, absolute(url), &publish.Registry{Prefix: b.registry, PlainHTTP: b.plainHTTP}, parsed)
	if err != nil && !ok && b.remote == "" {
		// Without the network one may still build and rehearse; publication asks again, and git decides.
		w.progress.Say(report.Note, "whether %s is claimed could not be asked: %v", v, err)
		return found, false, nil
	}
	return found, ok, err
}

// unchanged tells whether dir holds the bundle that would be built, tested. The plan is made to know what would be.
func (b *building) unchanged(ctx context.Context, a *app, w *work, flow *pipeline.Flow[string], dir string, r *pipeline.Release[string]) (bundle.Bundle, bool, error) {
	if len(b.images) > 0 { // what an archive holds is not in the plan
		return bundle.Bundle{}, false, nil
	}
	found, err := bundle.Load(dir)
	if err != nil {
		return found, false, nil
	}
	planned, err := w.runner.Run(ctx, pipeline.Plan, pipeline.Inputs[string]{
		Subject: flow.Plan.Version, Spec: flow.Plan, Trees: map[string]string{pipeline.Repository: a.source},
	})
	if err != nil {
		return found, false, err
	}
	var p plan.Plan
	if err := json.Unmarshal(planned.Report, &p); err != nil {
		return found, false, fmt.Errorf("read the plan: %w", err)
	}
	if err := p.Refused(); err != nil {
		return found, false, err
	}
	if _, err := found.GateResult(); err != nil || found.Record.Differs(recordOf(p)) != "" || found.Verify() != nil {
		return found, false, nil
	}
	w.progress.Say(report.Note, "%s holds this very commit, version and settings, tested: nothing is built", filepath.ToSlash(dir))
	r.Plan = planned.Report
	return found, true, nil
}

// gateOf is what the gate said about a bundle, as far as the attached test result tells.
func gateOf(b bundle.Bundle) (gate.Result, error) {
	var r gate.Result
	result, err := b.GateResult()
	if err != nil {
		return r, err
	}
	for _, group := range []struct {
		status gate.Status
		names  []string
	}{{gate.Passed, result.PassedTests}, {gate.NotChecked, result.WarnedTests}} {
		for _, name := range group.names {
			check, subject, _ := strings.Cut(name, ": ")
			r.Checks = append(r.Checks, gate.Check{Name: check, Subject: subject, Status: group.status})
		}
	}
	return r, nil
}

// planOf is what a record tells of its plan.
func planOf(r bundle.Record) plan.Plan {
	p := plan.Plan{Version: r.Version, Name: r.Name, Line: r.Line, Branch: r.Branch, Previous: r.Previous, Exists: true, Base: r.Base, Commit: r.Commit, Tree: r.Tree,
		Tag: r.Tag, Time: r.Time, Toolchain: r.Toolchain, Platforms: r.Platforms, Config: r.Config, Subject: "claimed"}
	for _, s := range r.Surfaces {
		p.Surfaces = append(p.Surfaces, plan.Surface{Path: s.Path, Line: s.Line, Name: s.Name, Now: s.Value, Then: s.Value})
	}
	return p
}
