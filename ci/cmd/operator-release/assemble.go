package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"github.com/operator-release/operator-release/ci/build"
	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/chart"
	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/gate"
	"github.com/operator-release/operator-release/ci/image"
	"github.com/operator-release/operator-release/ci/pipeline"
	"github.com/operator-release/operator-release/ci/plan"
)

// bundled is what the stages bundle and join say.
type bundled struct {
	Identity string        `json:"identity"`
	Record   bundle.Record `json:"record"`
}

// runBundle hands what the other stages made to package bundle, which knows no stage.
func runBundle(_ context.Context, c call, spec pipeline.BundleSpec) (any, error) {
	var p plan.Plan
	if err := json.Unmarshal(spec.Plan, &p); err != nil {
		return nil, fmt.Errorf("read the plan: %w", err)
	}
	made := c.trees[pipeline.Planned]
	pieces := bundle.Pieces{Record: recordOf(p), Files: []bundle.File{
		{Kind: bundle.KindObjects, Name: bundle.ObjectsFile, MediaType: bundle.ObjectsType, Path: filepath.Join(made, bundle.ObjectsFile)},
		{Kind: bundle.KindNotes, Name: bundle.NotesFile, MediaType: bundle.NotesType, Path: filepath.Join(made, bundle.NotesFile)},
	}}
	if !p.From.IsZero() {
		pieces.Files = append(pieces.Files, bundle.File{Kind: bundle.KindGuide, Name: bundle.GuideFile, MediaType: bundle.NotesType, Path: filepath.Join(made, bundle.GuideFile)})
	}
	for _, add := range []func(call, pipeline.BundleSpec, *bundle.Pieces) error{addArchives, addImages, addCharts} {
		if err := add(c, spec, &pieces); err != nil {
			return nil, err
		}
	}
	b, err := bundle.Assemble(c.out, pieces)
	if err == nil && len(spec.Test) > 0 {
		err = attestGate(b, spec.Test)
	}
	return bundled{Identity: b.Identity.Digest.String(), Record: b.Record}, err
}

// warningSuffix marks, in the attached test result, a check that found something to look at. The others that it lists
// as warned were not checked.
const warningSuffix = " (warning)"

// attestGate attaches what the gate said about the bundle's commit.
func attestGate(b bundle.Bundle, said json.RawMessage) error {
	var r gate.Result
	if err := json.Unmarshal(said, &r); err != nil {
		return fmt.Errorf("read what the gate said: %w", err)
	}
	result := bundle.TestResult{Result: "PASSED", Configuration: []bundle.Resource{{Name: "release commit", Digest: map[string]string{"gitCommit": b.Record.Commit}}}}
	for _, c := range r.Checks {
		name := c.Name + ": " + c.Subject
		switch c.Status {
		case gate.Passed:
			result.PassedTests = append(result.PassedTests, name)
		case gate.NotChecked:
			result.WarnedTests = append(result.WarnedTests, name)
		case gate.Warned:
			result.WarnedTests = append(result.WarnedTests, name+warningSuffix)
		default:
			result.FailedTests = append(result.FailedTests, name)
		}
	}
	switch {
	case len(result.FailedTests) > 0:
		result.Result = "FAILED"
	case len(result.WarnedTests) > 0:
		result.Result = "WARNED"
	}
	return b.Attest(bundle.TestResultPredicate, result)
}

func recordOf(p plan.Plan) bundle.Record {
	r := bundle.Record{
		Name: p.Name, Version: p.Version, Line: p.Line, Branch: p.Branch, Previous: p.Previous, Since: p.Since, From: p.From,
		DependsOn: p.DependsOn, Given: p.Given, Base: p.Base, Commit: p.Commit, Tree: p.Tree, Tag: p.Tag,
		Time: p.Time, Tool: toolVersion, Toolchain: p.Toolchain, Platforms: p.Platforms, Config: p.Config,
	}
	for _, a := range p.Accepted {
		r.Accepted = append(r.Accepted, bundle.Accepted(a))
	}
	for _, s := range p.Surfaces {
		r.Surfaces = append(r.Surfaces, bundle.Surface{Path: s.Path, Line: s.Line, Name: s.Name, Value: s.Then})
	}
	for _, m := range p.Modules {
		r.Modules = append(r.Modules, bundle.Module(m))
	}
	for _, i := range p.Images {
		if i.How == config.LeftOut {
			r.Omitted = append(r.Omitted, bundle.Omission{Kind: bundle.KindImage, Name: i.Repository, Because: i.Because})
		}
	}
	return r
}

// each decodes the reports of one kind in the order of their names.
func each[R any](reports map[string]json.RawMessage, use func(name string, r R) error) error {
	for _, name := range slices.Sorted(maps.Keys(reports)) {
		var r R
		if err := json.Unmarshal(reports[name], &r); err != nil {
			return fmt.Errorf("read what %s said: %w", name, err)
		}
		if err := use(name, r); err != nil {
			return err
		}
	}
	return nil
}

func addArchives(c call, spec pipeline.BundleSpec, p *bundle.Pieces) error {
	kinds := map[string]string{"archive": bundle.KindArchive, "sbom": bundle.KindSBOM}
	return each(spec.Archives, func(name string, r build.Archives) error {
		for _, f := range r.Files {
			p.Files = append(p.Files, bundle.File{Kind: kinds[f.Kind], Name: f.Name, MediaType: f.MediaType,
				Path: filepath.Join(c.trees[name], "files", f.Name), Platform: r.Platform, Binary: f.Binary})
		}
		return nil
	})
}

func addImages(c call, spec pipeline.BundleSpec, p *bundle.Pieces) error {
	made := map[string]bundle.Image{}
	err := each(spec.Images, func(name string, r image.Image) error {
		from, err := bundle.Open(c.trees[name])
		if err != nil {
			return err
		}
		i := bundle.Image{Repository: r.Repository, Index: r.Index, From: from, Binaries: map[string][]string{}}
		for _, base := range r.Bases {
			i.Bases = append(i.Bases, bundle.Base{Reference: base.Reference, Digest: base.Digest})
		}
		for _, platform := range r.Platforms {
			i.Binaries[platform.Platform] = platform.Binaries
		}
		made[r.Repository] = i
		return nil
	})
	for _, configured := range p.Record.Config.Images { // the settings' order: the first is the subject of the release artifact
		if i, ok := made[configured.Repository]; ok {
			p.Images = append(p.Images, i)
		}
	}
	return err
}

func addCharts(c call, spec pipeline.BundleSpec, p *bundle.Pieces) error {
	return each(spec.Charts, func(name string, r chart.Chart) error {
		from, err := bundle.Open(c.trees[name])
		if err != nil {
			return err
		}
		p.Charts = append(p.Charts, bundle.Chart{Repository: r.Repository, Tag: r.Tag, File: r.File, Manifest: r.Manifest, Package: r.Package, From: from})
		return nil
	})
}
