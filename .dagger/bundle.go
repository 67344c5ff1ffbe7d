package main

import (
	"context"
	"encoding/json"
	"errors"
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
	Platforms []dagger.Platform
	// +private
	Parts []*dagger.Directory // to be joined
	// +private
	Opened *dagger.Directory // made before
}

// Bundle is everything built for a version, as one object to go on with. Like Open it may hold a caller's folders.
//
// +cache="session"
func (m *OperatorRelease) Bundle(
	// The version: vX.Y.Z or vX.Y.Z-rc.N.
	version string,
	// Join these parts, each built for one platform, instead of building.
	// +optional
	parts []*dagger.Directory,
	// Build for these platforms instead of the configured ones.
	// +optional
	platform []dagger.Platform,
) *Bundle {
	return &Bundle{Module: m, Version: version, Parts: parts, Platforms: platform}
}

// Open is a bundle that was made before, to go on with.
//
// Known for a session only: the engine may have let go of a caller's folder by the next one, and would still answer with it.
//
// +cache="session"
func (m *OperatorRelease) Open(
	ctx context.Context,
	// The bundle's folder.
	dir *dagger.Directory,
) (*Bundle, error) {
	record, err := readRecord(ctx, dir)
	return &Bundle{Module: m, Version: record.Version, Opened: dir}, err
}

// flow is a release of the bundle's version over containers.
func (b *Bundle) flow(ctx context.Context) (*pipeline.Flow[*dagger.Directory], error) {
	return b.Module.flow(ctx, b.Version, b.Platforms...)
}

// made is the bundle, which nobody may have tested.
func (b *Bundle) made(ctx context.Context, flow *pipeline.Flow[*dagger.Directory]) (pipeline.Release[*dagger.Directory], error) {
	switch {
	case b.Opened != nil:
		return flow.Open(ctx, b.Opened)
	case len(b.Parts) > 0:
		parts := map[string]*dagger.Directory{}
		for i, part := range b.Parts {
			parts[fmt.Sprintf("part-%03d", i)] = part
		}
		return flow.Join(ctx, parts)
	}
	return flow.Build(ctx)
}

// released is the bundle, tested and rehearsed; where the version is claimed it is what was claimed. One that was made before is taken
// with the answer that its gate gave then.
func (b *Bundle) released(ctx context.Context, flow *pipeline.Flow[*dagger.Directory]) (r pipeline.Release[*dagger.Directory], err error) {
	if b.Opened == nil && len(b.Parts) == 0 {
		return flow.Release(ctx)
	}
	claimed := false
	if b.Opened == nil {
		if r, claimed, err = flow.Claimed(ctx); err != nil {
			return r, err
		}
	}
	if !claimed {
		if r, err = b.made(ctx, flow); err != nil {
			return r, err
		}
		switch {
		case len(b.Parts) > 0:
			if r, err = flow.TestBundle(ctx, r.Bundled); err != nil {
				return r, err
			}
		case len(r.Test) == 0:
			return r, errors.New("the bundle of " + b.Version + " holds no answer of its gate that lets it go on; ask the gate first: open --dir … tested …")
		}
	}
	r.Rehearsal, err = flow.Rehearse(ctx, r.Bundled)
	return r, err
}

// untested is the bundle's folder, as it was made.
func (b *Bundle) untested(ctx context.Context) (*dagger.Directory, error) {
	flow, err := b.flow(ctx)
	if err != nil {
		return nil, err
	}
	r, err := b.made(ctx, flow)
	return r.Bundled, err
}

// Directory is the bundle itself with the gate's answer, as the command's release writes it: an OCI image layout, with
// files by name in files/. A bundle that was opened is given as it is.
func (b *Bundle) Directory(ctx context.Context) (*dagger.Directory, error) {
	if b.Opened != nil {
		return b.untested(ctx)
	}
	tested, err := b.Tested(ctx)
	if err != nil {
		return nil, err
	}
	return tested.Opened, nil
}

// Tested is the bundle with the gate's answer about its commit and binaries attached, which a publication asks for.
func (b *Bundle) Tested(ctx context.Context) (*Bundle, error) {
	flow, err := b.flow(ctx)
	if err != nil {
		return nil, err
	}
	var r pipeline.Release[*dagger.Directory]
	if b.Opened == nil && len(b.Parts) == 0 {
		r, err = flow.Tested(ctx)
	} else if r, err = b.made(ctx, flow); err == nil {
		r, err = flow.TestBundle(ctx, r.Bundled)
	}
	if err != nil {
		return nil, err
	}
	return &Bundle{Module: b.Module, Version: b.Version, Opened: r.Bundled}, nil
}

// Report says what the version is made of, what the gate found and what a publication writes, after rehearsing it.
func (b *Bundle) Report(ctx context.Context) (string, error) {
	flow, err := b.flow(ctx)
	if err != nil {
		return "", err
	}
	r, err := b.released(ctx, flow)
	if err != nil {
		return "", err
	}
	return b.Module.report(ctx, flow, r)
}

// Rehearse publishes the bundle, once tested, to throwaway destinations, reads everything back, and says what was written.
func (b *Bundle) Rehearse(ctx context.Context) (string, error) {
	flow, err := b.flow(ctx)
	if err != nil {
		return "", err
	}
	r, err := b.released(ctx, flow)
	if err != nil {
		return "", err
	}
	return b.Module.report(ctx, flow, pipeline.Release[*dagger.Directory]{Rehearsal: r.Rehearsal})
}

// VerifyBuild builds the bundle again from its recorded commit, and says what differs; it fails where anything does.
func (b *Bundle) VerifyBuild(ctx context.Context) (string, error) {
	dir, err := b.untested(ctx)
	if err != nil {
		return "", err
	}
	args := []string{"operator-release", "verify-build", "/bundle", "--source", "/repository", "--quiet"}
	for _, mirror := range b.Module.Mirror {
		args = append(args, "--mirror", mirror)
	}
	for _, host := range b.Module.PlainHTTP {
		args = append(args, "--plain-http", host)
	}
	return b.Module.withRegistries(b.Module.withServices(withCaches(b.Module.Base))).
		WithMountedDirectory("/repository", b.Module.Repository).
		WithMountedDirectory("/bundle", dir).
		WithExec(args).
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
	dir, err := b.untested(ctx)
	if err != nil {
		return nil, err
	}
	record, err := readRecord(ctx, dir)
	if err != nil {
		return nil, err
	}
	artifact, err := record.find("image", repository)
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
		archive := b.Module.Base.
			WithMountedDirectory("/bundle", dir.WithNewFile("index.json", index)).
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
	dir, err := b.untested(ctx)
	if err != nil {
		return nil, err
	}
	record, err := readRecord(ctx, dir)
	if err != nil {
		return nil, err
	}
	artifact, err := record.find("chart", repository)
	if err != nil {
		return nil, err
	}
	return dir.File("files/" + artifact.File), nil
}

// Notes is what the version brings, in Markdown, as it lies in the bundle.
func (b *Bundle) Notes(ctx context.Context) (*dagger.File, error) {
	dir, err := b.untested(ctx)
	if err != nil {
		return nil, err
	}
	return dir.File("files/NOTES.md"), nil
}

// UpgradeGuide says what to do when coming from the final version before, in Markdown, as it lies in the bundle; a first version has none.
func (b *Bundle) UpgradeGuide(ctx context.Context) (*dagger.File, error) {
	dir, err := b.untested(ctx)
	if err != nil {
		return nil, err
	}
	return dir.File("files/UPGRADE.md"), nil
}

// Publish brings the bundle to the world, tested and rehearsed: content by digest, claim, branch, tags. Destinations that are not named
// are skipped. A version that is claimed already is fetched and completed, and never built again.
//
// +cache="never"
func (b *Bundle) Publish(
	ctx context.Context,
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
	to, err := b.Module.destinations("publish", registry, remote, backup, toConfigured)
	if err != nil {
		return "", err
	}
	flow, err := b.flow(ctx)
	if err != nil {
		return "", err
	}
	if remote != "" || toConfigured {
		flow.Claim = &pipeline.ClaimSpec{Version: b.Version, To: to}
	}
	r, err := b.released(ctx, flow)
	if err != nil {
		return "", err
	}
	if b.Module.signs() {
		if _, r.Bundled, err = flow.Sign(ctx, r.Bundled, b.Module.signing()); err != nil {
			return "", err
		}
	}
	if flow.Trust, err = b.Module.trust(ctx); err != nil {
		return "", err
	}
	said, err := flow.Publish(ctx, r.Bundled, to, plan)
	if err != nil {
		return "", err
	}
	return b.Module.report(ctx, flow, pipeline.Release[*dagger.Directory]{Publication: said})
}

// record is what this module reads of a bundle's record.
type record struct {
	Version   string
	Artifacts []artifact
}

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

func readRecord(ctx context.Context, dir *dagger.Directory) (record, error) {
	var r record
	content, err := dir.File("files/release.json").Contents(ctx)
	if err != nil {
		return r, fmt.Errorf("read the record of a bundle: %w", err)
	}
	return r, json.Unmarshal([]byte(content), &r)
}

// find is the first artifact of a kind, or the one of this repository.
func (r record) find(kind, repository string) (artifact, error) {
	for _, a := range r.Artifacts {
		if a.Kind == kind && (repository == "" || repository == a.Repository) {
			return a, nil
		}
	}
	return artifact{}, fmt.Errorf("the bundle holds no %s %s", kind, repository)
}
