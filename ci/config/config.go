package config

import (
	"github.com/operator-release/operator-release/ci/version"
)

// File is where a repository keeps its settings.
const File = ".release.yaml"

// NoChangelog is what Changelog says where no file is meant, not even one that is there.
const NoChangelog = "none"

// Config is everything that the stages need to know about a repository. Load fills every field.
type Config struct {
	// Profile is a set of defaults that ships with the tool, by name.
	Profile string `json:"profile,omitempty"`
	// Name is the project's name: the chart's, else the last element of the Go module's path.
	Name string `json:"name,omitempty"`
	// URL is where the source lives, for image labels and notes.
	URL string `json:"url,omitempty"`
	// Branches is the pattern of release branches: release-{major}.{minor} or release-{major}.x.
	Branches string `json:"branches,omitempty"`
	// Development is the branch where new work goes.
	Development string `json:"development,omitempty"`
	// Platforms are what binaries and images are built for, as os/arch or os/arch/variant.
	Platforms []string `json:"platforms,omitzero"`
	// Gate are the shell commands that must pass before a release.
	Gate []string `json:"gate,omitzero"`
	// Lint are the shell commands that look at the code without running it. They are no part of the gate.
	Lint []string `json:"lint,omitzero"`
	// Binaries are the Go main packages that are released.
	Binaries []Binary `json:"binaries,omitzero"`
	// Images are the container images that are released.
	Images []Image `json:"images,omitzero"`
	// ForeignImages are repositories of images that charts run and that are not made here; their tags do not matter.
	ForeignImages []string `json:"foreignImages,omitempty"`
	// ForeignVersions are versions of other things, with which programs are linked beside or in place of the release's.
	ForeignVersions []string `json:"foreignVersions,omitempty"`
	// Charts are the Helm charts that are released.
	Charts []Chart `json:"charts,omitzero"`
	// Surfaces are places that carry the version beyond those that the tool knows.
	Surfaces []Surface `json:"surfaces,omitzero"`
	// Support is which release lines are kept.
	Support *Support `json:"support,omitempty"`
	// Policy is what a version may contain.
	Policy *Policy `json:"policy,omitempty"`
	// Explain is what users have to know about a breaking finding, by its id, or by the beginning of ids followed by *.
	Explain map[string]string `json:"explain,omitempty"`
	// Changelog is the file that a release commit adds a section of notes to; CHANGELOG.md where there is one, "none" for no file.
	Changelog string `json:"changelog,omitempty"`
	// Generated are files that a command makes of others. A backport regenerates them instead of merging them, and the
	// gate compares them. No record holds them, and the hash of a plan leaves them out.
	Generated []Generated `json:"generated,omitzero"`
	// Backport is how pull requests of backports are opened; no plan and no record holds it.
	Backport *Backport `json:"backport,omitempty"`
	// Author makes release commits, tags and picks. Without one it is the committer of the commit that they stand on, or
	// a bot where that is a forge.
	Author *Person `json:"author,omitempty"`
	// SignOff adds a Signed-off-by line of their maker to all commits that the command makes on branches.
	SignOff bool `json:"signOff,omitempty"`
	// Artifacts is the repository of the release artifact; the first image's, else the first chart's.
	Artifacts string `json:"artifacts,omitempty"`
	// Floating are the forms of image tags that move with versions, such as latest or v{major}.{minor}; none where it is absent.
	Floating []string `json:"floating,omitzero"`
	// Signatures are whose signatures count. No plan and no record holds them: keys change, and what is out does not.
	Signatures *Signatures `json:"signatures,omitempty"`
	// Destinations are where "publish --to-configured" goes. They are no part of what is built, so no plan and no record holds them.
	Destinations *Destinations `json:"destinations,omitempty"`
}

// Backport is what a pull request of a backport is given.
type Backport struct {
	Labels []string `json:"labels,omitempty"`
	// Reviewers are asked: logins, or OWNER/TEAM.
	Reviewers []string `json:"reviewers,omitempty"`
}

// Signatures are whose signatures count.
type Signatures struct {
	// Keys are paths of public keys in PEM.
	Keys []string `json:"keys,omitempty"`
	// Identities are those that a CI signs by, without a key.
	Identities []Identity `json:"identities,omitempty"`
	// TrustedRoot is the path of a Sigstore trusted root; that of Sigstore's public services is fetched where it is empty and identities are named.
	TrustedRoot string `json:"trustedRoot,omitempty"`
	// AllowedSigners is the path of a file that tells by whose SSH keys git tags are signed, as ssh-keygen(1) describes it.
	AllowedSigners string `json:"allowedSigners,omitempty"`
	// Since is the first version that has to be signed; all have to where it is the zero version.
	Since version.Version `json:"since,omitzero"`
	// Required says that nothing is published unless all of it is signed.
	Required bool `json:"required,omitempty"`
}

// Identity is who a certificate was issued to.
type Identity struct {
	// Name is the subject's alternative name, such as https://github.com/OWNER/REPO/.github/workflows/release.yaml@refs/heads/main.
	Name string `json:"name"`
	// Issuer is that of the identity token, such as https://token.actions.githubusercontent.com.
	Issuer string `json:"issuer"`
}

// Policy is what a patch, a minor and a major version may contain.
type Policy struct {
	Patch Allowance `json:"patch,omitempty"`
	Minor Allowance `json:"minor,omitempty"`
	Major Allowance `json:"major,omitempty"`
}

// Allowance is what a version may contain.
type Allowance string

// Fixes only; also what breaks something, once that is explained; or anything.
const (
	Fixes     Allowance = "fixes"
	Explained Allowance = "explained"
	Anything  Allowance = "anything"
)

// Support is which release lines are kept: the newest ones.
type Support struct {
	Lines int `json:"lines"`
}

// Destinations are addresses: images and charts go to the repositories that they name themselves.
type Destinations struct {
	// git remote: a name, a URL or a path; the clone's default one where it is absent
	Remote string `json:"remote,omitempty"`
	Backup string `json:"backup,omitempty"` // repository at a registry, or a folder
	GitHub string `json:"github,omitempty"` // OWNER/REPO whose release pages are made
	Index  string `json:"index,omitempty"`  // branch of the git remote that holds a chart index
}

// Binary is one Go main package.
type Binary struct {
	Name    string   `json:"name"`
	Main    string   `json:"main"`              // package path as `go build` takes it, such as ./cmd/operator
	LDFlags string   `json:"ldflags,omitempty"` // with placeholders
	Tags    []string `json:"tags,omitempty"`    // build constraints
}

// Image is one container image, built from one Dockerfile.
type Image struct {
	Repository string            `json:"repository"`
	Dockerfile string            `json:"dockerfile"`
	Context    string            `json:"context,omitempty"`
	Target     string            `json:"target,omitempty"`
	Args       map[string]string `json:"args,omitempty"` // build arguments, with placeholders
	// Binaries that the Dockerfile compiles, by name, with their paths in the image: the released ones are taken out of it.
	// Where it is absent they are found: what the last stage copies out of another under a released binary's name.
	Binaries map[string]string `json:"binaries,omitzero"`
	// Optional images are left out of a bundle, and said so, where they need a container builder and none is reachable.
	Optional bool `json:"optional,omitempty"`
}

// How an image comes to be.
type How string

// In process, without any container engine; by an engine; of an archive that was made elsewhere; or not at all.
const (
	InProcess How = "in process"
	ByEngine  How = "by engine"
	ByArchive How = "by archive"
	LeftOut   How = "left out"
)

// Chart is one Helm chart. Repository is where charts go: the chart's name is added to it.
type Chart struct {
	Path       string `json:"path"`
	Repository string `json:"repository,omitempty"`
	// Fetch are packages of dependencies that are not committed.
	Fetch []Package `json:"fetch,omitempty"`
}

// Package is a packaged chart of another project. Digest is that of the package's bytes, and decides what is taken.
type Package struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	From    string `json:"from"` // https://…/NAME-VERSION.tgz, or oci://REGISTRY/REPOSITORY
	Digest  string `json:"digest"`
}

// Surface is a place that carries the version: what the group of Pattern matches in the file at Path. The group has to
// match exactly one version, and the place keeps its form, such as 1.5.0-rc.0 or 1.5.0rc0.
// With Exclude the files at Path are no surfaces, and the plan does not name them.
type Surface struct {
	Path    string `json:"path"` // with Exclude a pattern as in .dockerignore
	Pattern string `json:"pattern,omitempty"`
	Exclude bool   `json:"exclude,omitempty"`
}

// Person signs commits and tags.
type Person struct {
	Name  string `json:"name"`
	Email string `json:"email"`
}

// Pattern is Branches, read. Load has checked it.
func (c Config) Pattern() version.Pattern {
	p, err := version.ParsePattern(c.Branches)
	if err != nil {
		panic("config: the branch pattern was not checked: " + err.Error())
	}
	return p
}
