package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

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
	Claim      *ClaimSpec   // where to ask whether the version is claimed; nil: nowhere, everything is built
	Kept       *T           // a folder that may hold the very bundle already
	Archives   map[string]T // image repository to an image made elsewhere
	Mirrors    map[string]string
	PlainHTTP  []string
	Pins       map[string]string // base reference to the digest to take, wherever its tag points by now
	Trust      Trust             // whose signatures count where something is published
	Again      bool              // what speaks against a release does not count: it is out, and is built again to compare
}

// Release is everything that was said and made on the way.
type Release[T any] struct {
	Plan        json.RawMessage `json:"plan,omitempty"`
	Test        json.RawMessage `json:"test,omitempty"`
	Bundle      json.RawMessage `json:"bundle,omitempty"`
	Rehearsal   json.RawMessage `json:"rehearsal,omitempty"`
	Publication json.RawMessage `json:"publication,omitempty"`
	Bundled     T               `json:"-"`
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
	Images    []planned       `json:"images"`
	Against   []string        `json:"against"`
	Hash      string          `json:"hash"`

	Generated []config.Generated `json:"generated"`
}

// planned is how an image comes to be.
type planned struct {
	Repository string            `json:"repository"`
	How        config.How        `json:"how"`
	Because    string            `json:"because"`
	Carries    map[string]string `json:"carries"`
}

// Release asks for a claim, plans, builds, asks the gate, bundles and rehearses. Nothing outside of the runner's own folders is
// written. A claimed version is fetched and never built again. A plan with blocking problems is refused. The plan gets
// what the remote answered to the question for a claim.
func (f *Flow[T]) Release(ctx context.Context) (Release[T], error) {
	r, remote, claimed, err := f.claimed(ctx)
	if err == nil && !claimed {
		known := *f
		if remote != nil {
			known.Plan.Remote = remote
		}
		r, err = known.run(ctx, true)
	}
	if err != nil {
		return r, err
	}
	r.Rehearsal, err = f.Rehearse(ctx, r.Bundled)
	return r, err
}

// Build makes the bundle alone: no claim, gate or rehearsal.
func (f *Flow[T]) Build(ctx context.Context) (Release[T], error) {
	return f.run(ctx, false)
}

// Tested makes the bundle with the gate's answer: no claim and no rehearsal.
func (f *Flow[T]) Tested(ctx context.Context) (Release[T], error) {
	return f.run(ctx, true)
}

// Claimed asks whether the version is published, and gives those bytes.
func (f *Flow[T]) Claimed(ctx context.Context) (r Release[T], ok bool, err error) {
	r, _, ok, err = f.claimed(ctx)
	return r, ok, err
}

// claimed is Claimed, and tells what the remote has.
func (f *Flow[T]) claimed(ctx context.Context) (r Release[T], remote *RemoteRefs, ok bool, err error) {
	if f.Claim == nil {
		return r, nil, false, nil
	}
	found, err := f.Runner.Run(ctx, Claim, Inputs[T]{Subject: f.Claim.Version, Spec: *f.Claim, Trees: f.repository()})
	if err != nil {
		return r, nil, false, err
	}
	var said Claimed
	if err := json.Unmarshal(found.Report, &said); err != nil {
		return r, nil, false, fmt.Errorf("read whether %s is claimed: %w", f.Claim.Version, err)
	}
	r, ok, err = found.release()
	return r, said.Remote, ok, err
}

// release reads what the stages claim and kept say.
func (o Outputs[T]) release() (r Release[T], ok bool, err error) {
	var said Claimed
	if err := json.Unmarshal(o.Report, &said); err != nil {
		return r, false, fmt.Errorf("read what is there already: %w", err)
	}
	return Release[T]{Plan: said.Plan, Test: said.Test, Bundle: said.Bundle, Bundled: o.Tree}, len(said.Bundle) > 0, nil
}

func (f *Flow[T]) repository() map[string]Folder[T] {
	return map[string]Folder[T]{Repository: Whole(f.Repository)}
}

func (f *Flow[T]) run(ctx context.Context, gated bool) (Release[T], error) {
	var r Release[T]
	p, planned, err := f.plan(ctx)
	r.Plan = planned.Report
	if err != nil {
		return r, err
	}
	if gated && f.Kept != nil {
		kept, err := f.Runner.Run(ctx, Kept, Inputs[T]{
			Subject: p.Version.String(), Spec: KeptSpec{Plan: planned.Report}, Trees: map[string]Folder[T]{Bundled: Whole(*f.Kept)},
		})
		if err != nil {
			return r, err
		}
		if there, ok, err := kept.release(); ok || err != nil {
			there.Plan, there.Bundled = planned.Report, *f.Kept
			return there, err
		}
	}
	source, err := f.source(ctx, p, planned)
	if err != nil {
		return r, err
	}
	m := &making[T]{flow: f, plan: p, planned: planned, source: source.Tree, gated: gated}
	if err := m.make(ctx); err != nil {
		return r, err
	}
	r.Test = m.test[string(Test)].Report
	bundled, err := m.bundle(ctx)
	r.Bundle, r.Bundled = bundled.Report, bundled.Tree
	return r, err
}

// plan asks the plan stage; a plan that something speaks against is refused.
func (f *Flow[T]) plan(ctx context.Context) (p plan, planned Outputs[T], err error) {
	planned, err = f.Runner.Run(ctx, Plan, Inputs[T]{Subject: f.Plan.Version, Spec: f.Plan, Trees: f.repository()})
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

// Planned asks the plan stage alone. What speaks against the release is in what it says.
func (f *Flow[T]) Planned(ctx context.Context) (Release[T], error) {
	look := *f
	look.Again = true
	_, planned, err := look.plan(ctx)
	return Release[T]{Plan: planned.Report}, err
}

// source asks for the tree of the release commit.
func (f *Flow[T]) source(ctx context.Context, p plan, planned Outputs[T]) (Outputs[T], error) {
	return f.Runner.Run(ctx, Source, Inputs[T]{
		Subject: short(p.Commit),
		Spec:    SourceSpec{Commit: p.Commit, Time: p.Time},
		Trees:   map[string]Folder[T]{Repository: Whole(f.Repository), Planned: Whole(planned.Tree)},
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
	m := &making[T]{flow: f, plan: p, source: source.Tree}
	g := newGroup[T](ctx)
	m.goCharts(g)
	if err := g.wait(); err != nil {
		return nil, err
	}
	var charts []Outputs[T]
	for i := range p.Config.Charts {
		charts = append(charts, m.charts[chartName(i)])
	}
	return charts, nil
}

// Join makes one bundle of parts, in whatever order they are named.
func (f *Flow[T]) Join(ctx context.Context, parts map[string]T) (Release[T], error) {
	names := slices.Sorted(maps.Keys(parts))
	trees := map[string]Folder[T]{}
	for name, part := range parts {
		trees[name] = Whole(part)
	}
	joined, err := f.Runner.Run(ctx, Join, Inputs[T]{Subject: fmt.Sprintf("%d parts", len(parts)), Spec: JoinSpec{Parts: names}, Trees: trees})
	return Release[T]{Bundle: joined.Report, Bundled: joined.Tree}, err
}

// Open reads what a bundle says of itself, and verifies it.
func (f *Flow[T]) Open(ctx context.Context, bundled T) (Release[T], error) {
	opened, err := f.Runner.Run(ctx, Open, Inputs[T]{Subject: f.Plan.Version, Spec: OpenSpec{}, Trees: map[string]Folder[T]{Bundled: Whole(bundled)}})
	if err != nil {
		return Release[T]{}, err
	}
	r, _, err := opened.release()
	r.Bundled = bundled
	return r, err
}

// TestBundle asks the gate about a bundle that lacks its answer, one of joined parts. What it gives holds the answer.
func (f *Flow[T]) TestBundle(ctx context.Context, bundled T) (Release[T], error) {
	tested, err := f.Runner.Run(ctx, TestBundle, Inputs[T]{
		Subject: f.Plan.Version, Spec: TestBundleSpec{Host: f.Host}, Trees: f.with(bundled),
	})
	if err != nil {
		return Release[T]{}, err
	}
	r, _, err := tested.release()
	return r, err
}

// Sign signs everything in a bundle that the signer has not signed yet. What it gives holds the signatures.
func (f *Flow[T]) Sign(ctx context.Context, bundled T, spec SignSpec) (Signed, T, error) {
	var said Signed
	signed, err := f.Runner.Run(ctx, Sign, Inputs[T]{Subject: f.Plan.Version, Spec: spec, Trees: map[string]Folder[T]{Bundled: Whole(bundled)}})
	if err == nil {
		err = json.Unmarshal(signed.Report, &said)
	}
	return said, signed.Tree, err
}

// Rehearse publishes a bundle to throwaway destinations.
func (f *Flow[T]) Rehearse(ctx context.Context, bundled T) (json.RawMessage, error) {
	rehearsed, err := f.Runner.Run(ctx, Rehearse, Inputs[T]{Subject: f.Plan.Version, Spec: RehearseSpec{}, Trees: f.with(bundled)})
	return rehearsed.Report, err
}

// Publish brings a bundle to its destinations. With a hash it is refused where the version's plan has another one by now.
func (f *Flow[T]) Publish(ctx context.Context, bundled T, to Destinations, hash string) (json.RawMessage, error) {
	return f.publish(ctx, bundled, PublishSpec{To: to, Trust: f.Trust, Alone: f.Plan.Alone}, hash)
}

func (f *Flow[T]) publish(ctx context.Context, bundled T, spec PublishSpec, hash string) (json.RawMessage, error) {
	if hash != "" {
		p, _, err := f.plan(ctx)
		if err != nil {
			return nil, err
		}
		if p.Hash != hash {
			return nil, refusal.New("publish %s by plan %s: the world has moved, the plan is %s now; look at it (operator-release plan %s) and name that one", f.Plan.Version, hash, p.Hash, f.Plan.Version)
		}
		spec.Commit = p.Commit
	}
	published, err := f.Runner.Run(ctx, Publish, Inputs[T]{Subject: f.Plan.Version, Spec: spec, Trees: f.with(bundled)})
	return published.Report, err
}

// Restore publishes a backup again.
func (f *Flow[T]) Restore(ctx context.Context, backup FetchSpec, to Destinations) (json.RawMessage, error) {
	fetched, err := f.Runner.Run(ctx, Fetch, Inputs[T]{Subject: backup.Reference, Spec: backup})
	if err != nil {
		return nil, err
	}
	return f.RestoreBundle(ctx, fetched.Tree, to)
}

// RestoreBundle publishes again what was published before.
func (f *Flow[T]) RestoreBundle(ctx context.Context, bundled T, to Destinations) (json.RawMessage, error) {
	return f.publish(ctx, bundled, PublishSpec{To: to, Trust: f.Trust, Again: true}, "")
}

func (f *Flow[T]) with(bundled T) map[string]Folder[T] {
	return map[string]Folder[T]{Bundled: Whole(bundled), Repository: Whole(f.Repository)}
}

func short(commit string) string { return commit[:min(12, len(commit))] }
