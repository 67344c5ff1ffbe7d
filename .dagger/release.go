package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"dagger/operator-release/internal/dagger"

	"github.com/operator-release/operator-release/ci/pipeline"
)

// flow is a release of a version over containers. No platform: the configured ones.
func (m *OperatorRelease) flow(ctx context.Context, version string, platforms ...dagger.Platform) (*pipeline.Flow[*dagger.Directory], error) {
	host, err := dag.DefaultPlatform(ctx)
	if err != nil {
		return nil, err
	}
	spent, err := m.spent(ctx)
	if err != nil {
		return nil, err
	}
	flow := &pipeline.Flow[*dagger.Directory]{
		Runner: runner{m, spent}, Repository: m.Repository, Host: string(host), PlainHTTP: m.PlainHTTP,
		Plan:    pipeline.PlanSpec{Version: version, Config: m.Settings, Engine: true, Alone: m.Alone},
		Mirrors: map[string]string{}, Archives: map[string]*dagger.Directory{},
	}
	flow.Plan.Remote = &pipeline.RemoteRefs{NotAsked: "the module caches plans; " +
		"pass the remote's refs by with-remote-refs; " +
		"publish always asks the remote"}
	if m.Refs != nil {
		flow.Plan.Remote = &pipeline.RemoteRefs{Name: m.Refs.Name, Listing: m.Refs.Listing}
	}
	for _, a := range m.Accepted {
		if flow.Plan.Accept == nil {
			flow.Plan.Accept = map[string]string{}
		}
		flow.Plan.Accept[a.ID] = a.Because
	}
	for _, platform := range platforms {
		flow.Plan.Platforms = append(flow.Plan.Platforms, string(platform))
	}
	for _, pair := range m.Mirror {
		from, to, ok := strings.Cut(pair, "=")
		if !ok {
			return nil, fmt.Errorf("read mirror %q: it is not of the form REGISTRY=HOST[:PORT]", pair)
		}
		flow.Mirrors[from] = to
	}
	for _, image := range m.Images {
		flow.Plan.Archives = append(flow.Plan.Archives, image.Repository)
		flow.Archives[image.Repository] = dag.Directory().WithFile(pipeline.ImageFile, image.Archive)
	}
	return flow, nil
}

// report is the text of what the stages of a flow said, and of what they took.
func (m *OperatorRelease) report(
	ctx context.Context, flow *pipeline.Flow[*dagger.Directory], said pipeline.Release[*dagger.Directory],
) (string, error) {
	content, err := json.Marshal(said)
	if err != nil {
		return "", err
	}
	text, err := m.Base.WithNewFile("/release.json", string(content)).
		WithExec([]string{"operator-release", "report", "/release.json"}).
		Stdout(ctx)
	if err != nil {
		return "", err
	}
	return text + flow.Runner.(runner).spent.Table(), nil
}

// Plan says what releasing a version would do, and what speaks against it; it fails where something does.
func (m *OperatorRelease) Plan(
	ctx context.Context,
	// The version: vX.Y.Z or vX.Y.Z-rc.N.
	version string,
) (string, error) {
	flow, err := m.flow(ctx, version)
	if err != nil {
		return "", err
	}
	said, err := flow.Planned(ctx)
	if err != nil {
		return "", err
	}
	return m.report(ctx, flow, said)
}

// Release plans, tests, builds and rehearses a version and reports; it publishes nothing. It equals the bundle's report.
func (m *OperatorRelease) Release(
	ctx context.Context,
	// The version: vX.Y.Z or vX.Y.Z-rc.N.
	version string,
	// Build for these platforms instead of the configured ones.
	// +optional
	platform []dagger.Platform,
) (string, error) {
	return m.Bundle(version, nil, platform).Report(ctx)
}

// Build is the part of a version's bundle that is made for one platform, without the gate's answer; parts join to the whole.
func (m *OperatorRelease) Build(
	ctx context.Context,
	// The version: vX.Y.Z or vX.Y.Z-rc.N.
	version string,
	// The platform, such as linux/amd64.
	platform dagger.Platform,
) (*dagger.Directory, error) {
	return m.Bundle(version, nil, []dagger.Platform{platform}).untested(ctx)
}

// Image is a version's image for one platform, to run and to look into; it is not for publishing.
func (m *OperatorRelease) Image(
	ctx context.Context,
	// The version: vX.Y.Z or vX.Y.Z-rc.N.
	version string,
	// The platform, such as linux/amd64.
	platform dagger.Platform,
	// The image's repository, where the version has several; the first one where it is absent.
	// +optional
	repository string,
) (*dagger.Container, error) {
	return m.Bundle(version, nil, []dagger.Platform{platform}).Image(ctx, platform, repository)
}

// Chart is a version's chart, packaged.
func (m *OperatorRelease) Chart(
	ctx context.Context,
	// The version: vX.Y.Z or vX.Y.Z-rc.N.
	version string,
	// The chart's name, where the version has several; the first one where it is absent.
	// +optional
	name string,
) (*dagger.File, error) {
	flow, err := m.flow(ctx, version)
	if err != nil {
		return nil, err
	}
	charts, err := flow.Charts(ctx)
	if err != nil {
		return nil, err
	}
	for _, made := range charts {
		var chart struct {
			Name    string
			File    string
			Package struct{ Digest string }
		}
		if err := json.Unmarshal(made.Report, &chart); err != nil {
			return nil, err
		}
		if name == "" || name == chart.Name {
			blob := "blobs/sha256/" + strings.TrimPrefix(chart.Package.Digest, "sha256:")
			return made.Tree.File(blob).WithName(chart.File), nil
		}
	}
	return nil, fmt.Errorf("this repository has no chart %q", name)
}

// Publish releases a version and brings it to the world. It equals publishing the bundle.
//
// +cache="never"
func (m *OperatorRelease) Publish(
	ctx context.Context,
	// The version: vX.Y.Z or vX.Y.Z-rc.N.
	version string,
	// Build for these platforms instead of the configured ones.
	// +optional
	platform []dagger.Platform,
	// Put every repository under this registry: HOST[/PREFIX].
	// +optional
	registry string,
	// The git remote: a name or a URL.
	// +optional
	remote string,
	// Keep a copy in this repository at a registry.
	// +optional
	backup string,
	// Go where the settings say: each repository's own registry, their remote (else the repository's), their backup.
	// +optional
	toConfigured bool,
	// Refuse unless the version's plan still has this hash, as the report named it.
	// +optional
	plan string,
) (string, error) {
	return m.Bundle(version, nil, platform).Publish(ctx, registry, remote, backup, toConfigured, plan)
}

// Restore publishes a backup again, after registry or tags were lost: the same code, the same digests.
//
// +cache="never"
func (m *OperatorRelease) Restore(
	ctx context.Context,
	// The backup: REPOSITORY:VERSION at a registry.
	reference string,
	// Put every repository under this registry: HOST[/PREFIX].
	// +optional
	registry string,
	// The git remote: a name or a URL.
	// +optional
	remote string,
	// Go where the settings say: each repository's own registry, their remote (else the repository's), their backup.
	// +optional
	toConfigured bool,
) (string, error) {
	to, err := m.destinations("restore", registry, remote, "", toConfigured)
	if err != nil {
		return "", err
	}
	flow, err := m.flow(ctx, "")
	if err != nil {
		return "", err
	}
	said, err := flow.Restore(ctx, pipeline.FetchSpec{Reference: reference, PlainHTTP: m.PlainHTTP}, to)
	if err != nil {
		return "", err
	}
	return m.report(ctx, flow, pipeline.Release[*dagger.Directory]{Publication: said})
}

// destinations are those that arguments and With functions name, which replace all configured ones, or the configured
// ones.
func (m *OperatorRelease) destinations(verb, registry, remote, backup string, configured bool) (pipeline.Destinations, error) {
	to := m.given(registry, remote, backup, configured)
	return to, to.Check(verb)
}

// given are the destinations that arguments and With functions name.
func (m *OperatorRelease) given(registry, remote, backup string, configured bool) pipeline.Destinations {
	to := pipeline.Destinations{Registry: registry, Remote: remote, Backup: backup, Configured: configured, Index: m.Index,
		PlainHTTP: m.PlainHTTP, Config: m.Settings}
	if m.Forge != nil {
		to.GitHub, to.GitHubURL = m.Forge.Repository, m.Forge.URL
	}
	return to
}
