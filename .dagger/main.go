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
	Settings *string
	// +private
	Mirror []string
	// +private
	PlainHTTP []string

	// What the With functions bring, kept in parallel lists: an object can hold no maps and no unexported types.

	// +private
	ImageNames []string
	// +private
	ImageArchives []*dagger.File
	// +private
	AcceptedIDs []string
	// +private
	AcceptedBecause []string
	// +private
	ServiceNames []string
	// +private
	Services []*dagger.Service
	// +private
	RegistryHosts []string
	// +private
	RegistryUsers []string
	// +private
	RegistryPasswords []*dagger.Secret
	// +private
	GitHosts []string
	// +private
	GitUsers []string
	// +private
	GitTokens []*dagger.Secret
	// +private
	SSHKey *dagger.Secret
	// +private
	KnownHosts *dagger.File
	// +private
	GithubRepository string
	// +private
	GithubURL string
	// +private
	GithubToken *dagger.Secret
	// +private
	Index string
	// +private
	RemoteName string // whose refs are known; empty: those of no remote
	// +private
	RemoteListing string
	// +private
	SigningKey *dagger.Secret
	// +private
	SigningPassword *dagger.Secret
	// +private
	GitKey *dagger.Secret
	// +private
	IdentityURL *dagger.Secret
	// +private
	IdentityToken *dagger.Secret
	// +private
	BuilderID string
	// +private
	Invocation string
	// +private
	PublicKeys []*dagger.File
	// +private
	SignaturesRequired bool
}

// defaultGoImage holds Go and git; the toolchain that a released go.mod names is fetched by Go itself where it is another.
const defaultGoImage = "golang:1.26.8-bookworm"

// toolPath is where the tool is, in the containers of stages as in its own image.
const toolPath = "/usr/local/bin/operator-release"

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
	// +ignore=["*", "!ci", "!go.mod", "!go.sum"]
	moduleSource *dagger.Directory,
) (*OperatorRelease, error) {
	m := &OperatorRelease{Mirror: mirror, PlainHTTP: plainHttp}
	if goImage == "" {
		goImage = defaultGoImage
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
	if tool != nil {
		m.Base = tool.WithUser("root").WithoutEntrypoint().WithWorkdir("/")
		return m, nil
	}
	compiled := withCaches(dag.Container().From(goImage)).
		WithMountedDirectory("/module", moduleSource).
		WithWorkdir("/module").
		WithEnvVariable("CGO_ENABLED", "0").
		WithExec([]string{"go", "build", "-trimpath", "-buildvcs=false", "-tags=keyless", "-o", toolPath, "./ci/cmd/operator-release"}).
		File(toolPath)
	m.Base = dag.Container().From(goImage).WithFile(toolPath, compiled)
	return m, nil
}

// Tool is the container that stages run in: Go, git and this command. Publish it, and give it to later calls as --tool.
func (m *OperatorRelease) Tool() *dagger.Container { return m.Base }

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

// WithImage takes an image of the release from an OCI archive made by whatever tool, instead of building it.
//
// +cache="session"
func (m *OperatorRelease) WithImage(
	// The image's repository, such as docker.io/kubeflow/spark-operator.
	repository string,
	// The OCI archive, or a tar archive of an OCI layout.
	archive *dagger.File,
) *OperatorRelease {
	m.ImageNames, m.ImageArchives = append(m.ImageNames, repository), append(m.ImageArchives, archive)
	return m
}

// WithAccepted lets a point pass that the policy of what a version may contain refuses: it goes into record and notes.
func (m *OperatorRelease) WithAccepted(
	// The point's id, as the plan names it.
	id string,
	// Why it may pass.
	because string,
) *OperatorRelease {
	m.AcceptedIDs, m.AcceptedBecause = append(m.AcceptedIDs, id), append(m.AcceptedBecause, because)
	return m
}

// accepting are the flags by which a subcommand is told what was accepted.
func (m *OperatorRelease) accepting() []string {
	var flags []string
	for i, id := range m.AcceptedIDs {
		flags = append(flags, "--accept="+id, "--because="+m.AcceptedBecause[i])
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
	m.ServiceNames, m.Services = append(m.ServiceNames, name), append(m.Services, service)
	return m
}

// WithRegistryAuth logs in to a registry where base images are pulled, and bundles pushed and fetched.
func (m *OperatorRelease) WithRegistryAuth(
	// The registry's host, such as docker.io or ghcr.io.
	host string,
	// The user name.
	username string,
	// The password or token.
	password *dagger.Secret,
) *OperatorRelease {
	m.RegistryHosts, m.RegistryUsers = append(m.RegistryHosts, host), append(m.RegistryUsers, username)
	m.RegistryPasswords = append(m.RegistryPasswords, password)
	return m
}

// WithGitToken logs in to a git remote.
func (m *OperatorRelease) WithGitToken(
	// The token, with permission to push branches, tags and refs/releases.
	token *dagger.Secret,
	// The remote's host, spoken to by HTTPS; or scheme and host.
	// +default="github.com"
	host string,
	// The user name that the host expects beside a token.
	// +default="x-access-token"
	username string,
) *OperatorRelease {
	m.GitHosts, m.GitUsers, m.GitTokens = append(m.GitHosts, host), append(m.GitUsers, username), append(m.GitTokens, token)
	return m
}

// WithSshKey logs in to a git remote over SSH.
func (m *OperatorRelease) WithSshKey(
	// The private key, such as file://~/.ssh/release: its last line ends with a newline.
	key *dagger.Secret,
	// What identifies the remote, as ssh-keyscan prints it; a host that is not in it is refused.
	knownHosts *dagger.File,
) *OperatorRelease {
	m.SSHKey, m.KnownHosts = key, knownHosts
	return m
}

// WithGithub makes release pages at GitHub where versions are published, marks them where versions are withdrawn, and opens pull requests of backports.
func (m *OperatorRelease) WithGithub(
	// A token with permission to write contents; for backports pull requests, too.
	token *dagger.Secret,
	// The repository: OWNER/REPO, a named destination, which replaces all configured ones. Without it the token alone is
	// taken, for the one that the settings name.
	// +optional
	repository string,
	// Where GitHub's API is, such as https://github.example.com; GitHub's own where it is not named.
	// +optional
	url string,
) *OperatorRelease {
	m.GithubRepository, m.GithubToken, m.GithubURL = repository, token, url
	return m
}

// WithChartIndex adds charts to Helm's index.yaml on a branch of the git remote where versions are published, and marks
// them there where versions are withdrawn. It names a destination, which replaces all configured ones.
func (m *OperatorRelease) WithChartIndex(
	// The branch.
	// +default="gh-pages"
	branch string,
) *OperatorRelease {
	m.Index = branch
	return m
}

// WithRemoteRefs passes the refs of the git remote to a plan. The plan then refuses a repository that does not have all
// of them, before anything is built. Without it a plan reads no remote and says so. Publish always asks the remote.
func (m *OperatorRelease) WithRemoteRefs(
	ctx context.Context,
	// What git ls-remote prints: git ls-remote origin > refs.
	listing *dagger.File,
	// The remote's name in the repository.
	// +default="origin"
	remote string,
) (*OperatorRelease, error) {
	content, err := listing.Contents(ctx)
	m.RemoteName, m.RemoteListing = remote, content
	return m, err
}
