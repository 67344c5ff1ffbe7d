// An example of a module that depends on operator-release: an operator's own checks, and a release flow that asks them
// before anything is published. Copy it into the operator's repository, and change it there.
package main

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"dagger/examples/internal/dagger"
)

// Examples releases one repository by its own rules.
type Examples struct {
	// +private
	Workspace *dagger.Workspace
	// +private
	Repository *dagger.Directory
	// +private
	GoImage string
}

// New takes the repository to release.
func New(
	// The caller's workspace; Dagger fills it in.
	// +optional
	ws *dagger.Workspace,
	// The repository to release as a folder with .git, when it is not the caller's.
	// +optional
	repository *dagger.Directory,
	// The image that checks and stages run in; it needs Go and git.
	// +default="golang:1.26.8-bookworm"
	goImage string,
) (*Examples, error) {
	if repository == nil && ws == nil {
		return nil, errors.New("what is released: no workspace is known here; give a repository")
	}
	if repository == nil {
		repository = ws.Directory("/")
	}
	return &Examples{Workspace: ws, Repository: repository, GoImage: goImage}, nil
}

// operator is operator-release over the repository.
//
// This example runs on two versions of Dagger. 1.0 hands no workspace on from module to module, so it has to be given:
// there alone one writes Ws: e.Workspace. The bindings of 0.21 have no field for it.
func (e *Examples) operator() *dagger.OperatorRelease {
	opts := dagger.OperatorReleaseOpts{Repository: e.Repository, GoImage: e.GoImage}
	if ws := reflect.ValueOf(&opts).Elem().FieldByName("Ws"); ws.IsValid() && e.Workspace != nil {
		ws.Set(reflect.ValueOf(e.Workspace))
	}
	return dag.OperatorRelease(opts)
}

// Tidy checks that go.mod and go.sum are as `go mod tidy` writes them.
//
// +check
func (e *Examples) Tidy(ctx context.Context) error {
	_, err := dag.Container().From(e.GoImage).
		WithDirectory("/repository", e.Repository).
		WithWorkdir("/repository").
		WithExec([]string{"go", "mod", "tidy", "-diff"}).
		Sync(ctx)
	return err
}

// NonRoot checks that a version's image does not run as root.
func (e *Examples) NonRoot(
	ctx context.Context,
	// The version: vX.Y.Z or vX.Y.Z-rc.N.
	version string,
) error {
	platform, err := dag.DefaultPlatform(ctx)
	if err != nil {
		return err
	}
	user, err := e.operator().Image(version, platform).User(ctx)
	if err != nil {
		return err
	}
	if user == "" || user == "root" || user == "0" {
		return fmt.Errorf("the image of %s runs as root; name another USER in its Dockerfile", version)
	}
	return nil
}

// Release asks the checks of this module, then builds, tests and rehearses a version. With a registry or a remote it is
// published there, else it is only reported.
//
// +cache="never"
func (e *Examples) Release(
	ctx context.Context,
	// The version: vX.Y.Z or vX.Y.Z-rc.N.
	version string,
	// Put every repository under this registry: HOST[/PREFIX].
	// +optional
	registry string,
	// The git remote: a name or a URL.
	// +optional
	remote string,
) (string, error) {
	if err := e.Tidy(ctx); err != nil {
		return "", err
	}
	if err := e.NonRoot(ctx, version); err != nil {
		return "", err
	}
	bundle := e.operator().Bundle(version)
	if registry == "" && remote == "" {
		return bundle.Report(ctx)
	}
	return bundle.Publish(ctx, dagger.OperatorReleaseBundlePublishOpts{Registry: registry, Remote: remote})
}
