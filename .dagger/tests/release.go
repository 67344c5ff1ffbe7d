package main

import (
	"context"
	"fmt"
	"strings"

	"dagger/tests/internal/dagger"
)

const version = "v1.0.0-rc.0"

// Release plans, tests, builds and rehearses, and reports.
//
// +check
func (t *Tests) Release(ctx context.Context) (string, error) {
	report, err := t.module(t.repository(copied)).Release(ctx, version)
	if err != nil {
		return "", err
	}
	return report, has(report, "tiny v1.0.0-rc.0 is ready", "✓ command: go test", "✓ image        docker.io/example/tiny:v1.0.0-rc.0",
		"linux/amd64, linux/arm64", "a second run found nothing to do", "Identity sha256:",
		"\nCall of 20", "  rehearse "+version+" ", "  ! the tool is ")
}

// Refusal refuses what a rule speaks against, and says what was found.
//
// +check
func (t *Tests) Refusal(ctx context.Context) error {
	module := t.module(t.repository(copied))
	_, err := module.Plan(ctx, "1.0")
	if err := fails(err, `"1.0"`); err != nil {
		return err
	}
	_, err = t.module(t.commit(t.repository(copied).WithNewFile("charts/tiny/templates/deployment.yaml", "kind: Deployment\nspec: {replica: 1}\n"), "fix: break")).
		Release(ctx, version)
	if err := fails(err, "the gate did not pass"); err != nil {
		return err
	}
	_, err = module.Publish(ctx, version)
	if err := fails(err, "where to?"); err != nil {
		return err
	}
	// Folders that hold no repository, or only the file that leads to one.
	plain := t.repository(copied).WithoutDirectory(".git")
	for content, want := range map[string]string{
		"":                                  "not a git repository",
		"gitdir: /else/.git/worktrees/wt\n": "a linked work tree or a submodule",
		"gitdir: ../.git/modules/sub\n":     "a linked work tree or a submodule",
	} {
		folder := plain
		if content != "" {
			folder = plain.WithNewFile(".git", content)
		}
		if _, err := t.module(folder).Plan(ctx, version); fails(err, want) != nil {
			return fails(err, want)
		}
	}
	// A reference is one branch: other lines' tags, on which a line's first version stands, are not there.
	_, err = t.source(t.repository(copied)).Release(ctx, version)
	return fails(err, "would be the first version of line 1.0")
}

// Functions gives the pieces one by one: chart, image, files.
//
// +check
func (t *Tests) Functions(ctx context.Context) error {
	module := t.module(t.repository(copied))
	platform, err := dag.DefaultPlatform(ctx)
	if err != nil {
		return err
	}
	said, err := module.Image(version, platform).WithExec(nil, dagger.ContainerWithExecOpts{UseEntrypoint: true}).Stdout(ctx)
	if err != nil {
		return err
	}
	if err := has(said, version); err != nil {
		return err
	}
	alone, err := module.Chart(version).Digest(ctx)
	if err != nil {
		return err
	}
	bundled, err := module.Bundle(version).Chart().Digest(ctx)
	if err != nil {
		return err
	}
	if alone != bundled {
		return fmt.Errorf("the chart made alone is %s, the bundle's %s", alone, bundled)
	}
	rehearsal, err := module.Bundle(version).Rehearse(ctx)
	if err != nil {
		return err
	}
	return has(rehearsal, "claim", "annotated tag", "read back")
}

// Parts makes parts apart and joins them: the bundle is the one that one call makes.
//
// +check
func (t *Tests) Parts(ctx context.Context) error {
	module := t.module(t.repository(copied))
	whole, err := identity(ctx, module.Bundle(version).Directory())
	if err != nil {
		return err
	}
	parts := []*dagger.Directory{module.Build(version, "linux/arm64"), module.Build(version, "linux/amd64")}
	joined := module.Bundle(version, dagger.OperatorReleaseBundleOpts{Parts: parts})
	if together, err := identity(ctx, joined.Directory()); err != nil || together != whole {
		return fmt.Errorf("joined: %s\nwhole: %s (%w)", together, whole, err)
	}
	report, err := joined.Report(ctx)
	if err != nil {
		return err
	}
	return has(report, "✓ command: go test", "binary version: tiny", "a second run found nothing to do")
}

// Run builds an image whose Dockerfile compiles the operator: archive and image carry the same bytes.
//
// +check
func (t *Tests) Run(ctx context.Context) error {
	platform, err := dag.DefaultPlatform(ctx)
	if err != nil {
		return err
	}
	dockerfile := `ARG GO=` + t.GoImage + `
ARG BASE=` + t.DebianImage + `
FROM ${GO} AS build
ARG TARGETARCH
ARG VERSION
ARG GIT_COMMIT
ARG GIT_TREE_STATE
WORKDIR /src
COPY . .
RUN test "$(git rev-parse HEAD)" = "$GIT_COMMIT" && test -z "$(git status --porcelain)" && test "$GIT_TREE_STATE" = clean && test "$(cat VERSION)" = "$VERSION"
RUN CGO_ENABLED=0 GOARCH=$TARGETARCH go build -ldflags "-X main.version=$VERSION" -o /out/tiny ./cmd/tiny
FROM ${BASE}
RUN mkdir /made
COPY --from=build /out/tiny /usr/bin/
ENTRYPOINT ["/usr/bin/tiny"]
`
	bundle := t.module(t.repository(dockerfile)).Bundle(version, dagger.OperatorReleaseBundleOpts{Platform: []dagger.Platform{platform}})
	report, err := bundle.Report(ctx)
	if err != nil {
		return err
	}
	if err := has(report, "tiny is what Dockerfile compiles: it is taken out of the image docker.io/example/tiny, at /usr/bin/tiny", `prints "v1.0.0-rc.0"`); err != nil {
		return err
	}
	image := bundle.Image(platform)
	ours, err := image.WithExec([]string{"sha256sum", "/usr/bin/tiny"}).Stdout(ctx)
	if err != nil {
		return err
	}
	_, err = image.WithMountedDirectory("/bundle", bundle.Directory()).
		WithExec([]string{"sh", "-c", "tar -xzOf /bundle/files/tiny-" + version + "-linux-*.tar.gz tiny | sha256sum | cut -c -64 | tee /dev/stderr | grep -q ^" + ours[:64]}).
		WithExec([]string{"test", "-d", "/made"}).Sync(ctx)
	return err
}

// FailedImage says where an image cannot be built: at a command that fails, and at a base that is not there.
//
// +check
func (t *Tests) FailedImage(ctx context.Context) error {
	for dockerfile, want := range map[string][]string{
		"FROM " + t.DebianImage + "\nRUN echo a reason >&2 && \\\n  false\n":    {":2: RUN echo a reason >&2 &&", "a reason"},
		"FROM " + t.DebianImage + "\n\nFROM example.invalid/none:1\nRUN true\n": {":3: ", "example.invalid/none:1"},
	} {
		_, err := t.module(t.repository(dockerfile)).Image(version, "linux/amd64").Sync(ctx)
		if err := fails(err, append(want, "build image docker.io/example/tiny for linux/amd64: Dockerfile")...); err != nil {
			return err
		}
		if strings.Contains(err.Error(), "goroutine") {
			return fmt.Errorf("it crashed: %w", err)
		}
	}
	return nil
}

// OneEngine has module and command build the same image on one engine, in both orders: neither stands in the other's way.
//
// +check
func (t *Tests) OneEngine(ctx context.Context) error {
	platform, err := dag.DefaultPlatform(ctx)
	if err != nil {
		return err
	}
	for _, first := range []string{"module", "command"} {
		repository := t.repository("FROM " + t.DebianImage + "\nCOPY . /src\nRUN echo " + first + " > /made\n")
		byModule := func() error {
			_, err := t.module(repository).Image(version, platform).Sync(ctx)
			return err
		}
		byCommand := func() error {
			_, err := t.module(repository).Tool().
				WithMountedDirectory("/repository", repository).
				WithExec([]string{"operator-release", "build", version, "--source", "/repository", "--offline", "--platform",
					string(platform), "-o", "/bundle"}, dagger.ContainerWithExecOpts{ExperimentalPrivilegedNesting: true}).
				Sync(ctx)
			return err
		}
		orders := []func() error{byModule, byCommand}
		if first == "command" {
			orders = []func() error{byCommand, byModule}
		}
		for i, build := range orders {
			if err := build(); err != nil {
				return fmt.Errorf("%s first, build %d of 2: %w", first, i+1, err)
			}
		}
	}
	return nil
}
