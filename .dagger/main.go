// Release a Kubernetes operator so that one can trust it: plan, test, build, image, chart, bundle, rehearse.
//
// Each stage is a subcommand of operator-release that runs in a container with only its own inputs, so stages are cached
// and traced one by one, and a release is the same here, on a laptop without Dagger, and in CI. Nothing in this
// module publishes unless it is told where to.
package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"dagger/operator-release/internal/dagger"
)

// OperatorRelease releases one git repository.
type OperatorRelease struct {
	// +private
	Repository *dagger.Directory
	// +private
	Tool *dagger.File
	// +private
	GoImage string
	// +private
	Settings string
	// +private
	Mirror []string
	// +private
	PlainHTTP []string
	// +private
	MirrorService *dagger.Service
}

// defaultGoImage holds Go and git; the toolchain that a released go.mod names is fetched by Go itself where it is another.
const defaultGoImage = "golang:1.26.8-bookworm"

// mirrorHost is the name of the mirror service in the containers that pull.
const mirrorHost = "mirror"

// New takes the repository to release: the caller's at HEAD, with history and tags, unless another is named.
func New(
	ctx context.Context,
	// The caller's workspace; Dagger fills it in.
	ws *dagger.Workspace,
	// The repository to release, when it is not the caller's: a folder, a branch of it (.#branch) or a git URL.
	// +optional
	source *dagger.GitRef,
	// A settings file that replaces the repository's own .release.yaml.
	// +optional
	config *dagger.File,
	// The image that stages run in; it needs Go and git. Pin it by digest, or name a mirror's.
	// +optional
	goImage string,
	// A ready-made operator-release for the engine's platform, instead of compiling this module's own.
	// +optional
	tool *dagger.File,
	// Pull base images of a registry from another, as docker.io=HOST[:PORT]; may be repeated.
	// +optional
	mirror []string,
	// A registry to pull the base images of docker.io from, where it is a service: a container does not see its host's loopback, so
	// name a registry there as tcp://127.0.0.1:5000.
	// +optional
	mirrorService *dagger.Service,
	// Speak to this host without TLS; may be repeated.
	// +optional
	plainHttp []string,
	// This module's own source, to compile the tool from; it is never the repository that is released.
	// +defaultPath="/"
	// +ignore=["*", "!ci", "!go.mod", "!go.sum"]
	moduleSource *dagger.Directory,
) (*OperatorRelease, error) {
	m := &OperatorRelease{GoImage: goImage, Tool: tool, Mirror: mirror, PlainHTTP: plainHttp, MirrorService: mirrorService}
	if m.GoImage == "" {
		m.GoImage = defaultGoImage
	}
	if mirrorService != nil {
		ports, err := mirrorService.Ports(ctx)
		if err != nil {
			return nil, err
		}
		if len(ports) == 0 {
			return nil, errors.New("the mirror service has no port; name it as tcp://HOST:PORT")
		}
		port, err := ports[0].Port(ctx)
		if err != nil {
			return nil, err
		}
		host := fmt.Sprintf("%s:%d", mirrorHost, port)
		m.Mirror, m.PlainHTTP = append(m.Mirror, "docker.io="+host), append(m.PlainHTTP, host)
	}
	if source != nil {
		m.Repository = source.Tree(dagger.GitRefTreeOpts{Depth: -1, IncludeTags: true})
	} else {
		m.Repository = ws.Directory("/")
	}
	if config != nil {
		content, err := config.Contents(ctx)
		if err != nil {
			return nil, err
		}
		m.Settings = content
	}
	if m.Tool == nil {
		m.Tool = m.golang().
			WithMountedDirectory("/module", moduleSource).
			WithWorkdir("/module").
			WithEnvVariable("CGO_ENABLED", "0").
			WithExec([]string{"go", "build", "-trimpath", "-buildvcs=false", "-o", "/usr/local/bin/operator-release", "./ci/cmd/operator-release"}).
			File("/usr/local/bin/operator-release")
	}
	return m, nil
}

// golang is the image that stages run in, with the caches of the go command.
func (m *OperatorRelease) golang() *dagger.Container {
	return dag.Container().From(m.GoImage).
		WithEnvVariable("GOMODCACHE", "/go/pkg/mod").
		WithEnvVariable("GOCACHE", "/root/.cache/go-build").
		WithMountedCache("/go/pkg/mod", dag.CacheVolume("operator-release-modules")).
		WithMountedCache("/root/.cache/go-build", dag.CacheVolume("operator-release-builds"))
}

// command runs the tool over the repository.
func (m *OperatorRelease) command(args ...string) *dagger.Container {
	c := m.golang().
		WithMountedFile("/usr/local/bin/operator-release", m.Tool).
		WithMountedDirectory("/repository", m.Repository).
		WithWorkdir("/repository")
	if m.Settings != "" {
		c = c.WithNewFile("/settings.yaml", m.Settings)
		args = append(args, "--config", "/settings.yaml")
	}
	return c.WithExec(append([]string{"operator-release"}, args...))
}

// Plan says what releasing a version would do, and what speaks against it; it fails where something does.
func (m *OperatorRelease) Plan(
	ctx context.Context,
	// The version: vX.Y.Z or vX.Y.Z-rc.N.
	version string,
) (string, error) {
	return m.command("plan", version, "--quiet").Stdout(ctx)
}

// Test asks the gate: the repository's own tests, and its charts.
func (m *OperatorRelease) Test(ctx context.Context) (string, error) {
	return m.command("test", "--quiet").Stdout(ctx)
}

// mirrors are the pairs of --mirror.
func (m *OperatorRelease) mirrors() map[string]string {
	pairs := map[string]string{}
	for _, pair := range m.Mirror {
		if from, to, ok := strings.Cut(pair, "="); ok {
			pairs[from] = to
		}
	}
	return pairs
}
