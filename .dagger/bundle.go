package main

import (
	"context"
	"encoding/json"
	"fmt"

	"dagger/operator-release/internal/dagger"

	"github.com/operator-release/operator-release/ci/pipeline"
)

// Bundle is everything built for one version. What its functions need is made when they are called, once.
type Bundle struct {
	// +private
	Module *OperatorRelease
	// +private
	Version string
	// +private
	Platforms []string
}

// Bundle is everything built for a version, as one object to go on with.
func (m *OperatorRelease) Bundle(
	// The version: vX.Y.Z or vX.Y.Z-rc.N.
	version string,
) *Bundle {
	return &Bundle{Module: m, Version: version}
}

// Release plans, tests, builds and rehearses a version and reports; it publishes nothing. It equals the bundle's report.
func (m *OperatorRelease) Release(
	ctx context.Context,
	// The version: vX.Y.Z or vX.Y.Z-rc.N.
	version string,
) (string, error) {
	return m.Bundle(version).Report(ctx)
}

// Build is the part of a version's bundle that is made for one platform; parts join to the whole.
func (m *OperatorRelease) Build(
	ctx context.Context,
	// The version: vX.Y.Z or vX.Y.Z-rc.N.
	version string,
	// The platform, such as linux/amd64.
	platform dagger.Platform,
) (*dagger.Directory, error) {
	return (&Bundle{Module: m, Version: version, Platforms: []string{string(platform)}}).Directory(ctx)
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
	return (&Bundle{Module: m, Version: version, Platforms: []string{string(platform)}}).Image(ctx, platform, repository)
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
			return made.Tree.File(blob(chart.Package.Digest)).WithName(chart.File), nil
		}
	}
	return nil, fmt.Errorf("this repository has no chart %q", name)
}

// build makes the bundle without asking the gate.
func (b *Bundle) build(ctx context.Context) (pipeline.Release[*dagger.Directory], error) {
	flow, err := b.Module.flow(ctx, b.Version, b.Platforms...)
	if err != nil {
		return pipeline.Release[*dagger.Directory]{}, err
	}
	return flow.Build(ctx)
}

// Directory is the bundle itself: an OCI image layout, with files by name in files/.
func (b *Bundle) Directory(ctx context.Context) (*dagger.Directory, error) {
	r, err := b.build(ctx)
	return r.Bundled, err
}

// Report says what the version is made of, what the gate found and what a publication writes, after rehearsing it.
func (b *Bundle) Report(ctx context.Context) (string, error) {
	flow, err := b.Module.flow(ctx, b.Version, b.Platforms...)
	if err != nil {
		return "", err
	}
	r, err := flow.Release(ctx)
	if err != nil {
		return "", err
	}
	said, err := json.Marshal(r)
	if err != nil {
		return "", err
	}
	return dag.Container().From(b.Module.GoImage).
		WithMountedFile("/usr/local/bin/operator-release", b.Module.Tool).
		WithNewFile("/release.json", string(said)).
		WithExec([]string{"operator-release", "report", "/release.json"}).
		Stdout(ctx)
}

// Rehearse publishes the bundle to throwaway destinations, reads everything back, and says what was written.
func (b *Bundle) Rehearse(ctx context.Context) (string, error) {
	dir, err := b.Directory(ctx)
	if err != nil {
		return "", err
	}
	return b.Module.golang().
		WithMountedFile("/usr/local/bin/operator-release", b.Module.Tool).
		WithMountedDirectory("/repository", b.Module.Repository).
		WithMountedDirectory("/bundle", dir).
		WithExec([]string{"operator-release", "rehearse", "/bundle", "--source", "/repository", "--quiet"}).
		Stdout(ctx)
}

// Image is the bundle's image for one platform, to run and to look into.
func (b *Bundle) Image(
	ctx context.Context,
	// The platform, such as linux/amd64.
	platform dagger.Platform,
	// The image's repository, where the version has several; the first one where it is absent.
	// +optional
	repository string,
) (*dagger.Container, error) {
	r, err := b.build(ctx)
	if err != nil {
		return nil, err
	}
	artifact, err := find(r.Bundle, "image", repository)
	if err != nil {
		return nil, err
	}
	for _, made := range artifact.Platforms {
		if made.Platform != string(platform) {
			continue
		}
		// The engine's import does not look for a tag below a tagged index, so it is given an index of this one manifest.
		index := fmt.Sprintf(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json",`+
			`"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":%q,"size":%d}]}`, made.Digest, made.Size)
		archive := dag.Container().From(b.Module.GoImage).
			WithMountedDirectory("/bundle", r.Bundled.WithNewFile("index.json", index)).
			WithExec([]string{"tar", "--sort=name", "-C", "/bundle", "-cf", "/image.tar", "oci-layout", "index.json", "blobs"}).
			File("/image.tar")
		return dag.Container(dagger.ContainerOpts{Platform: platform}).Import(archive), nil
	}
	return nil, fmt.Errorf("image %s is not made for %s", artifact.Name, platform)
}

// Chart is the bundle's chart, packaged.
func (b *Bundle) Chart(
	ctx context.Context,
	// The chart's repository, where the version has several; the first one where it is absent.
	// +optional
	repository string,
) (*dagger.File, error) {
	r, err := b.build(ctx)
	if err != nil {
		return nil, err
	}
	artifact, err := find(r.Bundle, "chart", repository)
	if err != nil {
		return nil, err
	}
	return r.Bundled.File("files/" + artifact.File), nil
}

// artifact is what this module reads of an artifact in the record.
type artifact struct {
	Kind       string
	Name       string
	Repository string
	File       string
	Platforms  []struct {
		Platform string
		Digest   string
		Size     int
	}
}

// find is the first artifact of a kind, or the one of this repository.
func find(said json.RawMessage, kind, repository string) (artifact, error) {
	var bundled struct {
		Record struct{ Artifacts []artifact }
	}
	if err := json.Unmarshal(said, &bundled); err != nil {
		return artifact{}, err
	}
	for _, a := range bundled.Record.Artifacts {
		if a.Kind == kind && (repository == "" || repository == a.Repository) {
			return a, nil
		}
	}
	return artifact{}, fmt.Errorf("the bundle holds no %s %s", kind, repository)
}

// blob is where an OCI image layout keeps a digest's bytes.
func blob(digest string) string {
	return "blobs/sha256/" + digest[len("sha256:"):]
}
