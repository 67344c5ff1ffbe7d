package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"dagger/tests/internal/dagger"
)

// services is Debian with what serves registries and repositories.
func (t *Tests) services() *dagger.Container {
	return dag.Container().From(t.DebianImage).
		WithExec([]string{"sh", "-c", "apt-get update -qq && apt-get install -qq --no-install-recommends -y docker-registry git lighttpd apache2-utils"})
}

// serve starts a service that keeps what it is given until the test is over. Name keeps the services of two tests apart.
func serve(ctx context.Context, name string, c *dagger.Container, port int, args ...string) (*dagger.Service, error) {
	return c.WithEnvVariable("SERVES", name).WithExposedPort(port).AsService(dagger.ContainerAsServiceOpts{Args: args}).Start(ctx)
}

func (t *Tests) registry(ctx context.Context, name string) (*dagger.Service, error) {
	c := t.services().WithNewFile("/registry.yml", "version: 0.1\nstorage: {inmemory: {}}\nhttp: {addr: ':5000'}\n")
	return serve(ctx, name, c, 5000, "docker-registry", "serve", "/registry.yml")
}

func (t *Tests) remote(ctx context.Context, name string) (*dagger.Service, error) {
	c := t.services().WithExec([]string{"git", "init", "--quiet", "--bare", "/srv/tiny.git"})
	return serve(ctx, name, c, 9418, "git", "daemon", "--export-all", "--enable=receive-pack", "--base-path=/srv", "/srv")
}

// url is the remote's address.
const url = "git://remote/tiny.git"

// heads are the remote's branches, each with its commit.
func (t *Tests) heads(ctx context.Context, remote *dagger.Service) (string, error) {
	return dag.Container().From(t.GoImage).WithServiceBinding("remote", remote).
		WithEnvVariable("ASKED_AT", time.Now().Format(time.RFC3339Nano)).
		WithExec([]string{"git", "ls-remote", "--heads", url}).
		Stdout(ctx)
}

// Publication publishes to a registry and a git server: once, again, completed elsewhere, other content, and a backup restored.
//
// +check
func (t *Tests) Publication(ctx context.Context) error {
	registry, err := t.registry(ctx, "publication")
	if err != nil {
		return err
	}
	remote, err := t.remote(ctx, "publication")
	if err != nil {
		return err
	}
	to := dagger.OperatorReleasePublishOpts{Registry: "registry:5000", Remote: url, Backup: "registry:5000/backups/tiny"}
	repository := t.repository(copied)
	reach := func(r *dagger.Directory) *dagger.OperatorRelease {
		return t.module(r).WithService("registry", registry).WithService("remote", remote)
	}
	first, err := reach(repository).Publish(ctx, version, to)
	if err != nil {
		return err
	}
	if err := has(first, "tiny v1.0.0-rc.0 is published\n", "✓ 2  refs/releases/v1.0.0-rc.0", "✓ 6  refs/tags/v1.0.0-rc.0"); err != nil {
		return err
	}
	again, err := reach(repository).Publish(ctx, version, to)
	if err != nil {
		return err
	}
	if err := has(again, "is published already: nothing to do"); err != nil {
		return err
	}
	site := reach(repository).Catalog(dagger.OperatorReleaseCatalogOpts{Registry: to.Registry, Remote: to.Remote, Site: "https://example.com/tiny"})
	for file, parts := range map[string][]string{
		"index.html": {`href="versions/` + version + `.html"`}, "versions/" + version + ".html": {"docker.io/example/tiny@sha256:", "a tiny operator"},
		"index.yaml": {"urls:\n    - charts/tiny-" + strings.TrimPrefix(version, "v") + ".tgz"}, "feed.xml": {"https://example.com/tiny/"},
	} {
		content, err := site.File(file).Contents(ctx)
		if err != nil {
			return err
		}
		if err := has(content, parts...); err != nil {
			return fmt.Errorf("%s of the catalog: %w", file, err)
		}
	}
	// Whoever comes with another commit gets what was claimed: nothing is built.
	later := t.commit(repository.WithNewFile("later", ""), "fix: later")
	claimed, err := reach(later).Publish(ctx, version, to)
	if err != nil {
		return err
	}
	if withoutTimes(claimed) != withoutTimes(again) {
		return fmt.Errorf("another commit under a claimed version: %s", claimed)
	}
	// Who brings other bytes of their own is refused, and both identities are named.
	_, err = reach(later).Open(reach(later).Bundle(version).Tested().Directory()).Publish(ctx, dagger.OperatorReleaseBundlePublishOpts{Registry: to.Registry, Remote: to.Remote})
	if err := fails(err, "the version is claimed already by other content (identity sha256:", "this bundle has identity sha256:"); err != nil {
		return err
	}
	empty, err := t.registry(ctx, "empty")
	if err != nil {
		return err
	}
	restored, err := reach(repository).WithService("empty", empty).Restore(ctx, "registry:5000/backups/tiny:"+version,
		dagger.OperatorReleaseRestoreOpts{Registry: "registry:5000/restored", Remote: to.Remote})
	if err != nil {
		return err
	}
	return has(restored, "is published\n", "registry:5000/restored/docker.io/example/tiny:v1.0.0-rc.0")
}
