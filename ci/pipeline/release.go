package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sourcegraph/conc/pool"

	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/version"
)

// Flow is a release of one version of one repository by one runner.
type Flow[T any] struct {
	Runner     Runner[T]
	Repository T
	Plan       PlanSpec
	Host       string       // the platform whose binaries the runner can execute
	Archives   map[string]T // image repository to an image made elsewhere
	Mirrors    map[string]string
	PlainHTTP  []string
	Pins       map[string]string // base reference to the digest to take, wherever its tag points by now
	Again      bool              // what speaks against a release does not count: it is out, and is built again to compare
}

// Release is everything that was said and made on the way.
type Release[T any] struct {
	Plan      json.RawMessage `json:"plan"`
	Test      json.RawMessage `json:"test,omitempty"`
	Bundle    json.RawMessage `json:"bundle"`
	Rehearsal json.RawMessage `json:"rehearsal,omitempty"`
	Bundled   T               `json:"-"`
}

// plan is what this package reads of the plan stage's report.
type plan struct {
	Version   version.Version `json:"version"`
	Line      string          `json:"line"`
	Commit    string          `json:"commit"`
	Time      time.Time       `json:"time"`
	Toolchain string          `json:"toolchain"`
	Platforms []string        `json:"platforms"`
	Config    config.Config   `json:"config"`
	Images    []struct {
		Repository string `json:"repository"`
		How        string `json:"how"`
	} `json:"images"`
	Against []string `json:"against"`
}

// Omitted is how the plan says that an image is left out of the bundle.
const Omitted = "left out"

// Release plans, builds, asks the gate, bundles and rehearses. Nothing outside of the runner's own folders is written.
// A plan that something speaks against is refused.
func (f *Flow[T]) Release(ctx context.Context) (Release[T], error) {
	return f.run(ctx, true)
}

// Build is Release without gate and rehearsal.
func (f *Flow[T]) Build(ctx context.Context) (Release[T], error) {
	return f.run(ctx, false)
}

func (f *Flow[T]) run(ctx context.Context, gated bool) (Release[T], error) {
	var r Release[T]
	p, planned, err := f.plan(ctx)
	r.Plan = planned.Report
	if err != nil {
		return r, err
	}
	made, err := f.make(ctx, p, planned, gated)
	if err != nil {
		return r, err
	}
	r.Test = made.test.Report
	bundled, err := f.bundle(ctx, p, planned, made)
	if err != nil {
		return r, err
	}
	r.Bundle, r.Bundled = bundled.Report, bundled.Tree
	if gated {
		rehearsed, err := f.Runner.Run(ctx, Rehearse, Inputs[T]{
			Subject: p.Version.String(), Spec: RehearseSpec{},
			Trees: map[string]T{Bundled: bundled.Tree, Repository: f.Repository},
		})
		if err != nil {
			return r, err
		}
		r.Rehearsal = rehearsed.Report
	}
	return r, nil
}

// plan asks the plan stage; a plan that something speaks against is refused.
func (f *Flow[T]) plan(ctx context.Context) (p plan, planned Outputs[T], err error) {
	planned, err = f.Runner.Run(ctx, Plan, Inputs[T]{
		Subject: f.Plan.Version, Spec: f.Plan, Trees: map[string]T{Repository: f.Repository},
	})
	if err != nil {
		return p, planned, err
	}
	if err := json.Unmarshal(planned.Report, &p); err != nil {
		return p, planned, fmt.Errorf("read the plan: %w", err)
	}
	if len(p.Against) > 0 && !f.Again {
		return p, planned, refusal.New("release %s: %s", f.Plan.Version, strings.Join(p.Against, "\n  also: "))
	}
	return p, planned, nil
}

// source asks for the tree of the release commit.
func (f *Flow[T]) source(ctx context.Context, p plan, planned Outputs[T]) (Outputs[T], error) {
	return f.Runner.Run(ctx, Source, Inputs[T]{
		Subject: p.Commit[:min(12, len(p.Commit))],
		Spec:    SourceSpec{Commit: p.Commit, Time: p.Time},
		Trees:   map[string]T{Repository: f.Repository, Planned: planned.Tree},
	})
}

// Charts packages the charts of a version alone, in the settings' order.
func (f *Flow[T]) Charts(ctx context.Context) ([]Outputs[T], error) {
	p, planned, err := f.plan(ctx)
	if err != nil {
		return nil, err
	}
	source, err := f.source(ctx, p, planned)
	if err != nil {
		return nil, err
	}
	g := newGroup[T](ctx)
	made := f.goCharts(g, p, source.Tree)
	if err := g.wait(); err != nil {
		return nil, err
	}
	var charts []Outputs[T]
	for i := range p.Config.Charts {
		charts = append(charts, made[chartName(i)])
	}
	return charts, nil
}

// made are the pieces of a bundle, by the names of their folders.
type made[T any] struct {
	builds, images, charts map[string]Outputs[T]
	test                   Outputs[T]
}

// make builds for all platforms and packages the charts side by side, then the images beside the gate: the gate's
// commands find compiled what the builds compiled.
func (f *Flow[T]) make(ctx context.Context, p plan, planned Outputs[T], gated bool) (made[T], error) {
	var m made[T]
	source, err := f.source(ctx, p, planned)
	if err != nil {
		return m, err
	}
	first := newGroup[T](ctx)
	m.builds = f.goBuilds(first, p, source.Tree)
	m.charts = f.goCharts(first, p, source.Tree)
	if err := first.wait(); err != nil {
		return m, err
	}
	second := newGroup[T](ctx)
	if m.images, err = f.goImages(second, p, source.Tree, m.builds); err != nil {
		return m, err
	}
	gate := map[string]Outputs[T]{}
	if gated {
		f.goTest(second, p, planned, m.builds, gate)
	}
	if err := second.wait(); err != nil {
		return m, err
	}
	m.test = gate[string(Test)]
	return m, nil
}

func (f *Flow[T]) goBuilds(g *group[T], p plan, tree T) map[string]Outputs[T] {
	out := map[string]Outputs[T]{}
	values := config.Values{Version: p.Version, Line: p.Line, Commit: p.Commit, Time: p.Time}
	var binaries []config.Binary
	for _, b := range p.Config.Binaries {
		b.LDFlags = values.Expand(b.LDFlags)
		binaries = append(binaries, b)
	}
	if len(binaries) == 0 {
		return out
	}
	for _, platform := range p.Platforms {
		g.run(out, buildName(platform), f.Runner, Build, Inputs[T]{
			Subject: platform,
			Spec:    BuildSpec{Version: p.Version, Platform: platform, Toolchain: p.Toolchain, Time: p.Time, Binaries: binaries},
			Trees:   map[string]T{Tree: tree},
		})
	}
	return out
}

func (f *Flow[T]) goCharts(g *group[T], p plan, tree T) map[string]Outputs[T] {
	out := map[string]Outputs[T]{}
	for i, chart := range p.Config.Charts {
		g.run(out, chartName(i), f.Runner, Chart, Inputs[T]{
			Subject: chart.Path,
			Spec:    ChartSpec{Chart: chart, Version: p.Version, Time: p.Time, Annotations: labels(p)},
			Trees:   map[string]T{Tree: tree},
		})
	}
	return out
}

func (f *Flow[T]) goImages(g *group[T], p plan, tree T, builds map[string]Outputs[T]) (map[string]Outputs[T], error) {
	out := map[string]Outputs[T]{}
	values := config.Values{Version: p.Version, Line: p.Line, Commit: p.Commit, Time: p.Time}
	linux := slices.DeleteFunc(slices.Clone(p.Platforms), func(platform string) bool { return !strings.HasPrefix(platform, "linux/") })
	for i, image := range p.Config.Images {
		if i >= len(p.Images) || p.Images[i].Repository != image.Repository {
			return nil, fmt.Errorf("read the plan: it does not say how %s is made", image.Repository)
		}
		if p.Images[i].How == Omitted || len(linux) == 0 {
			continue
		}
		image.Args = values.ExpandAll(image.Args)
		trees := map[string]T{Tree: tree}
		for name, build := range builds {
			trees[name] = build.Tree
		}
		if archive, ok := f.Archives[image.Repository]; ok {
			trees[Archive] = archive
		}
		g.run(out, fmt.Sprintf("image-%d", i), f.Runner, Image, Inputs[T]{
			Subject: image.Repository,
			Spec: ImageSpec{Image: image, Version: p.Version, Platforms: linux, Time: p.Time, Labels: labels(p),
				How: p.Images[i].How, Mirrors: f.Mirrors, PlainHTTP: f.PlainHTTP, Pins: f.Pins},
			Trees: trees,
		})
	}
	return out, nil
}

func (f *Flow[T]) goTest(g *group[T], p plan, planned Outputs[T], builds map[string]Outputs[T], out map[string]Outputs[T]) {
	spec := NewTestSpec(p.Config, p.Version.String(), p.Commit, p.Time, p.Toolchain)
	trees := map[string]T{Repository: f.Repository, Planned: planned.Tree}
	if build, ok := builds[buildName(f.Host)]; ok {
		spec.Binaries = buildName(f.Host)
		trees[spec.Binaries] = build.Tree
	}
	g.run(out, string(Test), f.Runner, Test, Inputs[T]{Subject: p.Version.String(), Spec: spec, Trees: trees})
}

func (f *Flow[T]) bundle(ctx context.Context, p plan, planned Outputs[T], m made[T]) (Outputs[T], error) {
	spec := BundleSpec{Plan: planned.Report, Test: m.test.Report, Builds: map[string]json.RawMessage{}, Images: map[string]json.RawMessage{}, Charts: map[string]json.RawMessage{}}
	trees := map[string]T{Planned: planned.Tree}
	for _, kind := range []struct {
		pieces  map[string]Outputs[T]
		reports map[string]json.RawMessage
	}{{m.builds, spec.Builds}, {m.images, spec.Images}, {m.charts, spec.Charts}} {
		for name, piece := range kind.pieces {
			kind.reports[name] = piece.Report
			trees[name] = piece.Tree
		}
	}
	return f.Runner.Run(ctx, Bundle, Inputs[T]{Subject: p.Version.String(), Spec: spec, Trees: trees})
}

// buildName is the name of a platform's build among the inputs: build-linux-amd64.
func buildName(platform string) string {
	return string(Build) + "-" + strings.ReplaceAll(platform, "/", "-")
}

func chartName(i int) string { return fmt.Sprintf("%s-%d", Chart, i) }

// labels are the OCI annotations that every artifact carries.
// They are those of https://specs.opencontainers.org/image-spec/annotations/.
func labels(p plan) map[string]string {
	l := map[string]string{
		"org.opencontainers.image.created":  p.Time.UTC().Format(time.RFC3339),
		"org.opencontainers.image.revision": p.Commit,
		"org.opencontainers.image.title":    p.Config.Name,
		"org.opencontainers.image.version":  p.Version.String(),
	}
	if p.Config.URL != "" {
		l["org.opencontainers.image.source"] = p.Config.URL
		l["org.opencontainers.image.url"] = p.Config.URL
	}
	return l
}

// group runs stages side by side; the first that fails ends the others.
type group[T any] struct {
	pool  *pool.ResultContextPool[named[T]]
	sinks map[string]map[string]Outputs[T]
}

type named[T any] struct {
	name string
	out  Outputs[T]
}

func newGroup[T any](ctx context.Context) *group[T] {
	return &group[T]{
		pool:  pool.NewWithResults[named[T]]().WithContext(ctx).WithCancelOnError().WithFirstError(),
		sinks: map[string]map[string]Outputs[T]{},
	}
}

// run starts a stage; its outputs are in the map after wait.
func (g *group[T]) run(into map[string]Outputs[T], name string, r Runner[T], stage Stage, in Inputs[T]) {
	g.sinks[name] = into
	g.pool.Go(func(ctx context.Context) (named[T], error) {
		out, err := r.Run(ctx, stage, in)
		return named[T]{name, out}, err
	})
}

func (g *group[T]) wait() error {
	results, err := g.pool.Wait()
	if err != nil {
		return err
	}
	for _, r := range results {
		g.sinks[r.name][r.name] = r.out
	}
	return nil
}

// Join makes one bundle of parts, in whatever order they are named.
func (f *Flow[T]) Join(ctx context.Context, parts map[string]T) (Outputs[T], error) {
	names := slices.Sorted(maps.Keys(parts))
	return f.Runner.Run(ctx, Join, Inputs[T]{Subject: fmt.Sprintf("%d parts", len(parts)), Spec: JoinSpec{Parts: names}, Trees: parts})
}
