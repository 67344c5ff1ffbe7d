package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/gate"
	"github.com/operator-release/operator-release/ci/pipeline"
	"github.com/operator-release/operator-release/ci/plan"
)

// The stages that look at a bundle that is there already: kept, open.

// runKept compares the record of what lies there with what the plan would make.
func runKept(_ context.Context, c call, spec pipeline.KeptSpec) (any, error) {
	var p plan.Plan
	if err := json.Unmarshal(spec.Plan, &p); err != nil {
		return nil, fmt.Errorf("read the plan: %w", err)
	}
	b, err := bundle.Load(c.trees[pipeline.Bundled])
	if err != nil {
		return pipeline.Claimed{}, nil // no bundle, or a broken one: it is made
	}
	if _, err := b.GateResult(); err != nil || b.Record.Differs(recordOf(p)) != "" || b.Verify() != nil {
		return pipeline.Claimed{}, nil
	}
	said, err := thereAlready(b)
	said.Note = fmt.Sprintf("%s holds this very commit, version and settings, tested: nothing is built", filepath.ToSlash(c.trees[pipeline.Bundled]))
	return said, err
}

// runOpen says what a bundle says of itself; one that no gate was asked about lacks its answer.
func runOpen(_ context.Context, c call, _ pipeline.OpenSpec) (any, error) {
	b, err := bundle.Load(c.trees[pipeline.Bundled])
	if err != nil {
		return nil, err
	}
	if err := b.Verify(); err != nil {
		return nil, err
	}
	return thereAlready(b)
}

// thereAlready is what a release says of a bundle that need not be made.
func thereAlready(b bundle.Bundle) (pipeline.Claimed, error) {
	var said pipeline.Claimed
	var errs []error
	marshal := func(v any) json.RawMessage {
		content, err := json.Marshal(v)
		errs = append(errs, err)
		return content
	}
	said.Plan, said.Bundle = marshal(planOf(b.Record)), marshal(bundled{Identity: b.Identity.Digest.String(), Record: b.Record})
	if result, err := gateOf(b); err == nil {
		said.Test = marshal(result)
	}
	return said, errors.Join(errs...)
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
			status := group.status
			name, warning := strings.CutSuffix(name, warningSuffix)
			if warning {
				status = gate.Warned
			}
			check, subject, _ := strings.Cut(name, ": ")
			r.Checks = append(r.Checks, gate.Check{Name: check, Subject: subject, Status: status})
		}
	}
	return r, nil
}

// planOf is what a record tells of its plan.
func planOf(r bundle.Record) plan.Plan {
	p := plan.Plan{Version: r.Version, Name: r.Name, Line: r.Line, Branch: r.Branch, Previous: r.Previous, Since: r.Since, From: r.From,
		DependsOn: r.DependsOn, Given: r.Given, Exists: true, Base: r.Base, Commit: r.Commit, Tree: r.Tree,
		Tag: r.Tag, Time: r.Time, Toolchain: r.Toolchain, Platforms: r.Platforms, Config: r.Config, Subject: "claimed"}
	for _, a := range r.Accepted {
		p.Accepted = append(p.Accepted, plan.Accepted(a))
	}
	for _, m := range r.Modules {
		p.Modules = append(p.Modules, plan.Module(m))
	}
	for _, s := range r.Surfaces {
		p.Surfaces = append(p.Surfaces, plan.Surface{Path: s.Path, Line: s.Line, Name: s.Name, Now: s.Value, Then: s.Value})
	}
	return p
}
