package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/operator-release/operator-release/ci/build"
	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/chart"
	"github.com/operator-release/operator-release/ci/gate"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/pipeline"
	"github.com/operator-release/operator-release/ci/plan"
	"github.com/operator-release/operator-release/ci/publish"
	"github.com/operator-release/operator-release/ci/redact"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/toolchain"
)

// call is what a stage is run with.
type call struct {
	spec  json.RawMessage
	trees map[string]string
	out   string
	log   io.Writer

	secrets *redact.Secrets // where a stage makes known what it reads
}

// stages are the packages behind the names: their specs in, their reports out.
var stages = map[pipeline.Stage]func(context.Context, call) (any, error){
	pipeline.Claim:      with(runClaim),
	pipeline.Plan:       with(runPlan),
	pipeline.Kept:       with(runKept),
	pipeline.Source:     with(runSource),
	pipeline.Build:      with(runBuild),
	pipeline.Chart:      with(runChart),
	pipeline.Context:    with(runContext),
	pipeline.Engine:     with(runEngine),
	pipeline.Image:      with(runImage),
	pipeline.Archive:    with(runArchive),
	pipeline.Test:       with(runTest),
	pipeline.Bundle:     with(runBundle),
	pipeline.Join:       with(runJoin),
	pipeline.Open:       with(runOpen),
	pipeline.TestBundle: with(runTestBundle),
	pipeline.Sign:       with(runSign),
	pipeline.Rehearse:   with(runRehearse),
	pipeline.Fetch:      with(runFetch),
	pipeline.Publish:    with(runPublish),
	pipeline.Audit:      with(runAudit),
	pipeline.Catalog:    with(runCatalog),
	pipeline.Backport:   with(runBackport),
	pipeline.Ledger:     with(runLedger),
	pipeline.Notes:      with(runNotes),
	pipeline.Support:    with(runSupport),
	pipeline.Upgrade:    with(runUpgrade),
	pipeline.Branch:     with(runBranch),
	pipeline.Followup:   with(runFollowup),
	pipeline.LookBack:   with(runLookBack),
	pipeline.TryBack:    with(runTryBack),
	pipeline.Rollback:   with(runRollback),
}

// with decodes the spec that a stage asks for.
func with[S any](run func(context.Context, call, S) (any, error)) func(context.Context, call) (any, error) {
	return func(ctx context.Context, c call) (any, error) {
		var spec S
		if err := json.Unmarshal(c.spec, &spec); err != nil {
			return nil, refusal.New("read the spec of a stage: %w", err)
		}
		return run(ctx, c, spec)
	}
}

// planned gives the repository, and the objects that the plan stage made, if there was one.
func (c call) planned(ctx context.Context) (*git.Repository, []git.Object, error) {
	repository, err := git.Open(ctx, c.trees[pipeline.Repository])
	if err != nil || c.trees[pipeline.Planned] == "" {
		return repository, nil, err
	}
	objects, err := git.ReadObjectsFile(filepath.Join(c.trees[pipeline.Planned], bundle.ObjectsFile))
	return repository, objects, err
}

// tagOf is the id of the tag among them.
func tagOf(objects []git.Object) string {
	for _, o := range objects {
		if o.Type == "tag" {
			return o.ID
		}
	}
	return ""
}

func runPlan(ctx context.Context, c call, spec pipeline.PlanSpec) (any, error) {
	repository, err := git.Open(ctx, c.trees[pipeline.Repository])
	if err != nil {
		return nil, err
	}
	quarantine, err := os.MkdirTemp("", "release-plan-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(quarantine)
	o := plan.Options{
		Repository: repository, Quarantine: quarantine, Version: spec.Version, Commit: spec.Commit, Platforms: spec.Platforms,
		Archives: spec.Archives, Engine: spec.Engine, Alone: spec.Alone,
		Again: spec.Again, Recorded: spec.Recorded, Accept: spec.Accept, OwnBefore: spec.OwnBefore, Examine: examine,
		Packaged: packaged, Guide: planGuide,
		Describe: func(ctx context.Context, q plan.Described) (plan.Description, error) {
			return describe(ctx, repository, q)
		},
	}
	if spec.Config != nil {
		o.ConfigName, o.Config = "the settings of --config", []byte(*spec.Config)
	}
	o.Remote, o.NotAsked = answered(spec.Remote)
	p, objects, err := plan.Make(ctx, o)
	if err != nil {
		return nil, err
	}
	f, err := os.Create(filepath.Join(c.out, bundle.ObjectsFile))
	if err != nil {
		return nil, err
	}
	return p, errors.Join(git.WriteObjects(f, objects), f.Close(), os.WriteFile(filepath.Join(c.out, bundle.NotesFile), []byte(p.Notes), 0o644),
		os.WriteFile(filepath.Join(c.out, bundle.GuideFile), []byte(p.Guide), 0o644))
}

func runSource(ctx context.Context, c call, spec pipeline.SourceSpec) (any, error) {
	repository, objects, err := c.planned(ctx)
	if err != nil {
		return nil, err
	}
	scratch, err := os.MkdirTemp("", "release-source-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(scratch)
	all, err := repository.WithObjects(ctx, scratch, objects)
	if err != nil {
		return nil, err
	}
	tree, err := all.Tree(ctx, spec.Commit)
	if err != nil {
		return nil, err
	}
	defer tree.Close()
	if err := tree.WriteTo(filepath.Join(c.out, pipeline.AllFiles), spec.Time); err != nil {
		return nil, err
	}
	return struct{}{}, narrow(tree, c.out)
}

// narrow makes the folder of what the go command reads of the tree, beside the tree itself.
func narrow(tree *git.Tree, out string) error {
	var names []string
	for _, e := range tree.Entries() {
		names = append(names, e.Path)
	}
	read, err := toolchain.Reads(tree, names)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(out, pipeline.GoFiles), 0o755); err != nil {
		return err
	}
	for _, name := range read {
		from, to := filepath.Join(out, pipeline.AllFiles, name), filepath.Join(out, pipeline.GoFiles, name)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		// What a symbolic link leads to is not chosen by itself.
		if from, err = filepath.EvalSymlinks(from); err != nil {
			return refusal.New("read %s: %w", name, err)
		}
		info, err := os.Stat(from)
		if err != nil {
			return err
		}
		if info.IsDir() {
			err = os.CopyFS(to, os.DirFS(from))
		} else {
			err = os.Link(from, to)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func runBuild(ctx context.Context, c call, spec pipeline.BuildSpec) (any, error) {
	return build.Run(ctx, build.Options{
		Tree: c.trees[pipeline.Tree], Platform: spec.Platform, Toolchain: spec.Toolchain, Binaries: spec.Binaries, Out: c.out, Log: c.log,
	})
}

func runArchive(_ context.Context, c call, spec pipeline.ArchiveSpec) (any, error) {
	o := build.ArchiveOptions{
		Tree: c.trees[pipeline.Tree], Version: spec.Version, Platform: spec.Platform, Time: spec.Time, Binaries: map[string]string{},
		Foreign: spec.Foreign, Out: c.out,
	}
	for name, folder := range spec.Binaries {
		o.Binaries[name] = c.trees[folder]
	}
	return build.Archive(o)
}

func runTest(ctx context.Context, c call, spec pipeline.TestSpec) (any, error) {
	repository, objects, err := c.planned(ctx)
	if err != nil {
		return nil, err
	}
	// Commands may write where they are: they get a checkout of their own, with git's answers for the release commit.
	tree := filepath.Join(c.out, "tree")
	if err := repository.Checkout(ctx, tree, objects, spec.Commit, spec.Version, tagOf(objects), spec.Time); err != nil {
		return nil, err
	}
	env, err := toolchain.Env(spec.Toolchain)
	if err != nil {
		return nil, err
	}
	o := gate.Options{Tree: tree, Commands: spec.Commands, CommandsAlone: spec.CommandsAlone, Env: env, Charts: spec.Charts, Fetch: spec.Fetch, Images: spec.Images,
		ImagePlatforms: spec.ImagePlatforms, Lacks: spec.Lacks, Foreign: spec.Foreign, ForeignVersions: spec.ForeignVersions,
		Final: spec.Final, Version: spec.Version, Given: spec.Given, Log: c.log}
	if o.Generated = gate.GeneratedOf(spec.Generated); len(o.Generated) > 0 {
		o.Generation = filepath.Join(c.out, "generation")
		if err := repository.Checkout(ctx, o.Generation, objects, spec.Commit, spec.Version, tagOf(objects), spec.Time); err != nil {
			return nil, err
		}
	}
	if o.Binaries, err = c.gateBinaries(spec.Host, spec.Binaries); err != nil {
		return nil, err
	}
	for _, platform := range slices.Sorted(maps.Keys(spec.Unrun)) {
		unrun, err := c.gateBinaries(platform, spec.Unrun[platform])
		if err != nil {
			return nil, err
		}
		o.Unrun = append(o.Unrun, unrun...)
	}
	result, err := gate.Run(ctx, o)
	if err != nil {
		return nil, err
	}
	return result, gateError(result)
}

// gateBinaries are a platform's binaries, by their names in the order of these, in the folders that hold them.
func (c call) gateBinaries(platform string, folders map[string]string) ([]gate.Binary, error) {
	var all []gate.Binary
	for _, name := range slices.Sorted(maps.Keys(folders)) {
		file := name
		if strings.HasPrefix(platform, "windows/") {
			file += ".exe"
		}
		path, err := filepath.Abs(filepath.Join(c.trees[folders[name]], file))
		if err != nil {
			return nil, err
		}
		all = append(all, gate.Binary{Name: name, Path: path, Platform: platform})
	}
	return all, nil
}

// gateError is the failure of a gate that did not pass: every failed check with what it found.
func gateError(r gate.Result) error {
	failed := r.Failed()
	if len(failed) == 0 {
		return nil
	}
	var text strings.Builder
	fmt.Fprintf(&text, "the gate did not pass: %d of %d checks failed", len(failed), len(r.Checks))
	for _, check := range failed {
		fmt.Fprintf(&text, "\n%s %s:", check.Name, check.Subject)
		for _, detail := range check.Details {
			text.WriteString("\n  " + strings.ReplaceAll(detail, "\n", "\n  "))
		}
	}
	return errors.New(text.String())
}

func runChart(ctx context.Context, c call, spec pipeline.ChartSpec) (any, error) {
	layout, err := bundle.Create(c.out)
	if err != nil {
		return nil, err
	}
	return chart.Package(ctx, chart.Options{
		Tree: c.trees[pipeline.Tree], Path: spec.Chart.Path, Fetch: spec.Chart.Fetch, Repository: spec.Chart.Repository, Version: spec.Version,
		Time: spec.Time, Annotations: spec.Annotations, Layout: layout,
	})
}

func runRehearse(ctx context.Context, c call, _ pipeline.RehearseSpec) (any, error) {
	b, err := bundle.Load(c.trees[pipeline.Bundled])
	if err != nil {
		return nil, err
	}
	repository, err := git.Open(ctx, c.trees[pipeline.Repository])
	if err != nil {
		return nil, err
	}
	return publish.Rehearse(ctx, b, repository, c.out)
}

func runJoin(_ context.Context, c call, spec pipeline.JoinSpec) (any, error) {
	var parts []bundle.Bundle
	for _, name := range spec.Parts {
		part, err := bundle.Load(c.trees[name])
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
	b, err := bundle.Join(c.out, parts)
	return bundled{Identity: b.Identity.Digest.String(), Record: b.Record}, err
}
