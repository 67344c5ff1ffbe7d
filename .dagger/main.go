// Release a Kubernetes operator so that one can trust it: plan, test, build, image, chart, bundle, rehearse, publish, audit, restore; before and after
// that its release lines: branch, prepare, backport, ledger, notes, followup, upgrade guide.
//
// Each stage is a subcommand of operator-release that runs in a container with only its own inputs, so stages are cached
// and traced one by one, and a release is the same here, on a laptop without Dagger, and in CI. Nothing is
// published but by the functions publish and restore, no branch is pushed but by push, and by them only to where they are told.
package main

import (
	"context"
	"errors"
	"fmt"

	"dagger/operator-release/internal/dagger"

	"github.com/operator-release/operator-release/ci/daggerversion"
)

// OperatorRelease releases one git repository.
type OperatorRelease struct {
	// +private
	Repository *dagger.Directory
	// +private
	Alone bool // it is one reference's: no branch is in it but that, and no tag of another
	// +private
	Base *dagger.Container // Go, git and the tool
	// +private
	Origin *ToolOrigin // of the tool in it
	// +private
	Remarks []string // about this call, for people
	// +private
	Settings *string
	// +private
	Mirror []string
	// +private
	PlainHTTP []string

	// What the With functions bring: an object can hold no maps, and no types without capitals.

	// +private
	Images []*GivenImage
	// +private
	Accepted []*Acceptance
	// +private
	Services []*BoundService
	// +private
	Registries []*Registry
	// +private
	Remotes []*Remote
	// +private
	SSH *SSHLogin
	// +private
	Forge *Forge
	// +private
	Index string
	// +private
	Refs *RemoteRefs // nil: those of no remote are known
	// +private
	Signing *Signing
	// +private
	Signers *Signers
}

// Acceptance is a point that the policy refuses, and that passes.
type Acceptance struct {
	// +private
	ID string
	// +private
	Because string
}

// BoundService is a service that containers reach by a name.
type BoundService struct {
	// +private
	Name string
	// +private
	Service *dagger.Service
}

// defaultGoImage holds Go and git; the toolchain that a released go.mod names is fetched by Go itself where it is another.
const defaultGoImage = "golang:1.26.8-bookworm"

// New takes the repository to release: the caller's at HEAD, with history and tags, unless another is named.
func New(
	ctx context.Context,
	// The caller's workspace; Dagger fills it in.
	// +optional
	ws *dagger.Workspace,
	// The repository to release, when it is not the caller's: a folder, a branch of it (.#branch) or a git URL.
	// +optional
	source *dagger.GitRef,
	// The repository to release as a folder with .git, branches included; a reference has none but its own.
	// +optional
	repository *dagger.Directory,
	// A settings file that replaces the repository's own .release.yaml.
	// +optional
	config *dagger.File,
	// The image that stages run in; it needs Go and git. Pin it by digest, or name a mirror's.
	// +optional
	goImage string,
	// A ready-made image of operator-release, which has Go and git too, instead of compiling this module's own tool.
	// +optional
	tool *dagger.Container,
	// Pull base images of a registry from another, as docker.io=HOST[:PORT]; may be repeated.
	// +optional
	mirror []string,
	// Speak to this host without TLS; may be repeated.
	// +optional
	plainHttp []string,
	// This module's own source, to compile the tool from; it is never the repository that is released.
	// +defaultPath="/"
	// +ignore=["*", "!ci", "!go.mod", "!go.sum", "**/*_test.go", "**/testdata", "**/*.md", "ci/modulecheck", "ci/test"]
	moduleSource *dagger.Directory,
	// This module's own chart, which names its version.
	// +defaultPath="/charts/operator-release"
	// +ignore=["*", "!Chart.yaml", "!values.yaml"]
	moduleChart *dagger.Directory,
) (*OperatorRelease, error) {
	m := &OperatorRelease{Mirror: mirror, PlainHTTP: plainHttp, Signing: &Signing{}}
	engine, err := dag.Version(ctx)
	if err != nil {
		return nil, err
	}
	note, err := daggerversion.Check(engine)
	if err != nil {
		return nil, err
	}
	switch {
	case repository != nil && source != nil:
		return nil, errors.New("what is released: the source, or the repository? give one or the other")
	case repository != nil:
		m.Repository = repository
	case source != nil:
		m.Repository, m.Alone = source.Tree(dagger.GitRefTreeOpts{Depth: -1, IncludeTags: true}), true
	case ws == nil: // as where a module of Dagger 1.0 calls this one
		return nil, errors.New("what is released: no workspace is known here; give a source, or a repository")
	default:
		m.Repository = ws.Directory("/")
	}
	if config != nil {
		content, err := config.Contents(ctx)
		if err != nil {
			return nil, err
		}
		m.Settings = &content
	}
	if goImage == "" {
		goImage = defaultGoImage
	}
	if tool != nil {
		m.Base, m.Origin = toolFrom(tool), &ToolOrigin{Text: "the tool is that of --tool"}
	} else if m.Base, m.Origin, err = findTool(ctx, goImage, moduleSource, moduleChart, mirror); err != nil {
		return nil, err
	}
	m.Remarks = []string{m.Origin.Text, note}
	return m, nil
}

// Tool is the container that stages run in: Go, git and this command. Publish it, and give it to later calls as --tool.
func (m *OperatorRelease) Tool() *dagger.Container { return m.knowingIdentities(m.Base) }

// withCaches adds what the go command keeps: modules and compiled packages.
func withCaches(c *dagger.Container) *dagger.Container {
	return c.
		WithEnvVariable("GOMODCACHE", "/go/pkg/mod").
		WithEnvVariable("GOCACHE", "/root/.cache/go-build").
		WithMountedCache("/go/pkg/mod", dag.CacheVolume("operator-release-modules")).
		WithMountedCache("/root/.cache/go-build", dag.CacheVolume("operator-release-builds"))
}

// repositoryAt is where the repository lies in the container of a subcommand.
const repositoryAt = "/repository"

// lines fails where the repository lacks release lines that may be there: what a command says of them would be wrong.
func (m *OperatorRelease) lines(command string) error {
	if m.Alone {
		return fmt.Errorf("%s: a source is one branch, without the others and their tags, and this looks at all of them; "+
			"call it in a clone that has them, without --source, or name that clone: --repository DIR", command)
	}
	return nil
}

// command runs a subcommand of the tool over a copy of the repository, as a person would. A cached command does not ask
// the git remote, and its report says so.
func (m *OperatorRelease) command(c *dagger.Container, expect dagger.ReturnType, name string, args ...string) *dagger.Container {
	cached := c == m.Base // what reaches the world runs anew each time
	c = withCaches(c).WithMountedDirectory(repositoryAt, m.Repository).WithWorkdir(repositoryAt)
	call := []string{"operator-release", name, "--quiet"}
	if cached {
		call = append(call, "--offline")
	}
	if m.Settings != nil {
		c = c.WithNewFile("/settings.yaml", *m.Settings)
		call = append(call, "--config", "/settings.yaml")
	}
	return c.WithExec(append(call, args...), dagger.ContainerWithExecOpts{Expect: expect})
}

// WithAccepted lets a point pass that the policy of what a version may contain refuses: it goes into record and notes.
func (m *OperatorRelease) WithAccepted(
	// The point's id, as the plan names it.
	id string,
	// Why it may pass.
	because string,
) *OperatorRelease {
	m.Accepted = append(m.Accepted, &Acceptance{id, because})
	return m
}

// accepting are the flags by which a subcommand is told what was accepted.
func (m *OperatorRelease) accepting() []string {
	var flags []string
	for _, a := range m.Accepted {
		flags = append(flags, "--accept="+a.ID, "--because="+a.Because)
	}
	return flags
}

// WithService makes a registry, git server or mirror reachable under a name: a container sees neither its host's loopback nor a cluster.
func (m *OperatorRelease) WithService(
	// The host name to reach it by, as in --registry NAME:PORT or --mirror docker.io=NAME:PORT.
	name string,
	// The service, such as tcp://127.0.0.1:5000 for one on the host.
	service *dagger.Service,
) *OperatorRelease {
	m.Services = append(m.Services, &BoundService{name, service})
	return m
}
