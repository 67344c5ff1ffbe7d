package pipeline

import (
	"context"
	"encoding/json"
	"time"

	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/version"
)

// Stage is one step of a release. Each is a package, and a function over its Inputs alone.
type Stage string

// The stages, in the order in which a version passes them.
const (
	Claim      Stage = "claim"       // whether somebody has published the version: then those bytes
	Plan       Stage = "plan"        // what releasing would do; makes the release commit's objects
	Kept       Stage = "kept"        // whether a folder holds the very bundle that would be made
	Source     Stage = "source"      // the release commit's tree
	Build      Stage = "build"       // binaries for one platform
	Chart      Stage = "chart"       // one chart
	Context    Stage = "context"     // what a container engine is given to build one image of
	Engine     Stage = "engine"      // one image by a container engine
	Image      Stage = "image"       // one image over all platforms
	Archive    Stage = "archive"     // archives and SBOMs of one platform's binaries
	Test       Stage = "test"        // the gate
	Bundle     Stage = "bundle"      // all of it as one OCI layout
	Join       Stage = "join"        // parts made for one platform each, as one bundle
	Open       Stage = "open"        // what a bundle says of itself
	TestBundle Stage = "test-bundle" // the gate about a bundle that lacks its answer
	Sign       Stage = "sign"        // signatures and signed statements of a bundle
	Rehearse   Stage = "rehearse"    // publication to throwaway destinations
	Fetch      Stage = "fetch"       // a backup, from a registry
	Publish    Stage = "publish"     // publication
	Audit      Stage = "audit"       // whether what was published is still so
	Catalog    Stage = "catalog"     // a site about all versions
	Backport   Stage = "backport"    // commits picked onto release lines
	Ledger     Stage = "ledger"      // which fixes are on which release line
	Notes      Stage = "notes"       // what a version brings
	Support    Stage = "support"     // what the supported release lines stand on
	Upgrade    Stage = "upgrade"     // the guide from one version to another
	Branch     Stage = "branch"      // whether a release line may be cut, and where
	Followup   Stage = "followup"    // what the development branch is to have of a final version
	LookBack   Stage = "look-back"   // what marking a version as bad, or as good again, would do
	TryBack    Stage = "try-back"    // that, at throwaway destinations
	Rollback   Stage = "rollback"    // that
)

// Inputs are all that a stage gets to see. T is a runner's handle of a folder.
type Inputs[T any] struct {
	Subject string               // what this run is about, for people: a platform, an image
	Spec    any                  // what is asked, one of the specs below; it crosses to the stage as JSON
	Trees   map[string]Folder[T] // by the names that the stage knows them by
}

// Folder is a folder, or the part of it that a stage gets to see.
type Folder[T any] struct {
	Tree T
	Path string // slash path of the part; all of it where empty
}

// Whole is a folder, all of it.
func Whole[T any](tree T) Folder[T] { return Folder[T]{Tree: tree} }

// Outputs are what a stage made.
type Outputs[T any] struct {
	Report json.RawMessage // what it says about it
	Tree   T               // its folder
}

// Runner runs a stage somewhere. Decorators with the same interface report, record or limit.
type Runner[T any] interface {
	Run(ctx context.Context, stage Stage, in Inputs[T]) (Outputs[T], error)
}

// The names of folders among a stage's inputs.
const (
	Repository = "repository" // git repository with history and tags
	Planned    = "planned"    // what the plan stage made
	Tree       = "tree"       // the release commit's tree, or the part of it that counts
	Archived   = "archived"   // an image made elsewhere: OCI archive or layout, or ImageFile in a folder
	Bundled    = "bundled"    // a bundle
	Before     = "before"     // the bundle of the version before
)

// The parts of what the source stage makes.
const (
	AllFiles = "all" // the tree
	GoFiles  = "go"  // what the go command reads of it: an edit of anything else compiles nothing
)

// ImageFile is the OCI archive in what the engine stage makes.
const ImageFile = "image.tar"

// ClaimSpec asks whether a version is claimed. Trees: Repository. The stage makes the claimed bundle.
type ClaimSpec struct {
	Version  string       `json:"version"`
	To       Destinations `json:"to"`
	List     bool         `json:"list,omitempty"`     // where it is not claimed, tell what the remote has
	Optional bool         `json:"optional,omitempty"` // a remote that cannot be asked is no failure: publication asks again, and git decides
}

// Claimed is what the claim stage says.
type Claimed struct {
	Note   string          `json:"note,omitempty"`   // for people
	Remote *RemoteRefs     `json:"remote,omitempty"` // what the git remote has, where nothing is claimed
	Plan   json.RawMessage `json:"plan,omitempty"`   // as far as the record tells; empty where nothing is claimed
	Test   json.RawMessage `json:"test,omitempty"`
	Bundle json.RawMessage `json:"bundle,omitempty"`
}

// Destinations say where a bundle goes. No bundle, record or plan holds any of it.
type Destinations struct {
	Registry   string   `json:"registry,omitempty"`  // put every repository under this registry: HOST[/PREFIX]
	Remote     string   `json:"remote,omitempty"`    // git remote: a URL or a path
	Backup     string   `json:"backup,omitempty"`    // repository at a registry, or a folder
	GitHub     string   `json:"github,omitempty"`    // OWNER/REPO whose release pages are made; the token comes from the environment
	GitHubURL  string   `json:"githubURL,omitempty"` // of its API; GitHub's own where it is empty
	Index      string   `json:"index,omitempty"`     // branch of the git remote that holds a chart index
	PlainHTTP  []string `json:"plainHTTP,omitempty"`
	Own        bool     `json:"own,omitempty"`        // every repository at its own registry, where Registry names none
	Configured bool     `json:"configured,omitempty"` // where the settings say, instead of all above
	Config     *string  `json:"config,omitempty"`     // content of a settings file that replaces the repository's own
}

// PlanSpec asks what releasing Version would do. Trees: Repository.
type PlanSpec struct {
	Version   string            `json:"version"`
	Commit    string            `json:"commit,omitempty"`    // instead of the one that is checked out
	Config    *string           `json:"config,omitempty"`    // content of a settings file that replaces the repository's own
	Platforms []string          `json:"platforms,omitempty"` // instead of the configured ones
	Archives  []string          `json:"archives,omitempty"`  // image repositories whose images come as archives
	Engine    bool              `json:"engine,omitempty"`    // a container builder is reachable
	Accept    map[string]string `json:"accept,omitempty"`    // points of the policy to let pass, by id, and why
	OwnBefore bool              `json:"ownBefore,omitempty"` // the version before is read by its own settings, although Config is given: it was so when this one was made
	Alone     bool              `json:"alone,omitempty"`     // the repository is one branch, and lacks the tags of others
	Remote    *RemoteRefs       `json:"remote,omitempty"`    // what the git remote has; nil: it was not asked
	// the version is built again from its record: the clone must have all that the record depends on
	Again    bool              `json:"again,omitempty"`
	Recorded map[string]string `json:"recorded,omitempty"` // the commits, by tag, that it depends on
}

// KeptSpec asks whether a folder holds what the plan would make, tested. Trees: Bundled. The stage says what Claim says.
type KeptSpec struct {
	Plan json.RawMessage `json:"plan"`
}

// SourceSpec asks for the tree of a commit. Trees: Repository, Planned.
type SourceSpec struct {
	Commit string    `json:"commit"`
	Time   time.Time `json:"time"`
}

// BuildSpec asks for binaries. Trees: the Tree's GoFiles. Neither version nor time is in it: where no flag names them, a commit that
// changes no Go file compiles nothing.
type BuildSpec struct {
	Platform  string          `json:"platform"`
	Toolchain string          `json:"toolchain"` // such as go1.26.8
	Binaries  []config.Binary `json:"binaries"`  // ldflags expanded
}

// ArchiveSpec asks for archives and SBOMs. Trees: Tree, and the folders that hold the binaries in bin/.
type ArchiveSpec struct {
	Version  version.Version   `json:"version"`
	Platform string            `json:"platform"`
	Time     time.Time         `json:"time"`
	Binaries map[string]string `json:"binaries"` // name to the folder that holds it
	Foreign  []string          `json:"foreign,omitempty"`
}

// ContextSpec asks for what a container engine is given. Trees: Repository, Planned, a build per platform.
type ContextSpec struct {
	Image     config.Image    `json:"image"`
	Version   version.Version `json:"version"`
	Platforms []string        `json:"platforms"`
	Commit    string          `json:"commit"`
	Time      time.Time       `json:"time"`
}

// EngineSpec asks a container engine for an image. Trees: one context per platform, by ContextName. The stage makes ImageFile.
type EngineSpec struct {
	Repository string            `json:"repository"`
	Dockerfile string            `json:"dockerfile"` // path in the context
	Source     string            `json:"source"`     // path of the Dockerfile in the repository, which errors name
	Args       map[string]string `json:"args"`
	Target     string            `json:"target,omitempty"`
	Platforms  []string          `json:"platforms"`
	Labels     map[string]string `json:"labels"`
}

// TestSpec asks the gate. Trees: Repository, Planned, and the folders of binaries that the gate can execute.
type TestSpec struct {
	Version   string                      `json:"version,omitempty"`
	Commit    string                      `json:"commit"`
	Time      time.Time                   `json:"time"`
	Toolchain string                      `json:"toolchain"`
	Commands  []string                    `json:"commands"`
	Charts    []string                    `json:"charts"`
	Fetch     map[string][]config.Package `json:"fetch,omitempty"`    // packages of dependencies, by chart
	Images    map[string]string           `json:"images"`             // of those in the bundle: repository to tag
	Lacks     map[string]string           `json:"lacks,omitempty"`    // repository of an image that the bundle lacks to why
	Foreign   []string                    `json:"foreign,omitempty"`  // image repositories that are not made here
	Final     bool                        `json:"final,omitempty"`    // no candidate
	Binaries  map[string]string           `json:"binaries,omitempty"` // name to the folder that holds it
	Host      string                      `json:"host,omitempty"`     // the platform of Binaries
	// Generated are files that commands of the settings make.
	Generated []config.Generated `json:"generated,omitempty"`
	// CommandsAlone leaves out CRDs and manifests that no chart has.
	CommandsAlone bool `json:"commandsAlone,omitempty"`
	// ImagePlatforms are the platforms of Images, by repository.
	ImagePlatforms map[string][]string `json:"imagePlatforms,omitempty"`
	// Unrun are the binaries that the gate cannot execute: platform to name to folder. It reads them.
	Unrun map[string]map[string]string `json:"unrun,omitempty"`
	// ForeignVersions are versions of other things, with which the binaries may be linked.
	ForeignVersions []string `json:"foreignVersions,omitempty"`
	Given           []string `json:"given,omitempty"` // images that were handed over, and of which nothing is run
}

// ImageSpec asks for an image. Trees: Tree, a build per platform, and Archived where the image was made elsewhere; then released
// binaries that it carries are taken out of it, to bin/<os>-<arch>/ of what the stage makes.
type ImageSpec struct {
	Image     config.Image      `json:"image"` // build arguments expanded
	Version   version.Version   `json:"version"`
	Platforms []string          `json:"platforms"`
	Time      time.Time         `json:"time"`
	Labels    map[string]string `json:"labels"`
	Carries   map[string]string `json:"carries,omitempty"` // name of a binary to its path in the image
	Mirrors   map[string]string `json:"mirrors,omitempty"`
	PlainHTTP []string          `json:"plainHTTP,omitempty"`
	Pins      map[string]string `json:"pins,omitempty"`    // base reference to the digest to take
	Foreign   []string          `json:"foreign,omitempty"` // versions of other things
}

// ChartSpec asks for a chart. Trees: Tree.
type ChartSpec struct {
	Chart       config.Chart      `json:"chart"`
	Version     version.Version   `json:"version"`
	Time        time.Time         `json:"time"`
	Annotations map[string]string `json:"annotations"`
}

// BundleSpec asks for the bundle of what the other stages said and made. Trees: Planned, archives, images, charts.
type BundleSpec struct {
	Plan     json.RawMessage            `json:"plan"`
	Archives map[string]json.RawMessage `json:"archives"` // by the name of their folder
	Images   map[string]json.RawMessage `json:"images"`
	Charts   map[string]json.RawMessage `json:"charts"`
	Test     json.RawMessage            `json:"test,omitempty"` // what the gate said, where it was asked
}

// JoinSpec asks for one bundle of several parts. Trees: the parts.
type JoinSpec struct {
	Parts []string `json:"parts"` // names of their folders
}

// OpenSpec asks what a bundle says of itself. Trees: Bundled. The stage says what Claim says.
type OpenSpec struct{}

// TestBundleSpec asks the gate about a bundle's release commit and binaries. Trees: Bundled, Repository. The stage makes the bundle with
// the answer attached.
type TestBundleSpec struct {
	Host string `json:"host"` // the platform whose binaries can be executed
}

// SignSpec asks for signatures of everything in a bundle. Trees: Bundled. The stage makes the bundle with them attached, and says Signed. Secrets are not in it: the stage reads
// the key where Key says, its password in COSIGN_PASSWORD, and identity tokens as the CI gives them.
type SignSpec struct {
	Key         string `json:"key,omitempty"`     // a file, or env://NAME; empty: without a key, by the identity that the CI gives
	GitKey      string `json:"gitKey,omitempty"`  // that signs the git tag: a file, env://NAME, or gpg:ID; empty: it is not signed
	TagOnly     bool   `json:"tagOnly,omitempty"` // nothing but the git tag
	Fulcio      string `json:"fulcio,omitempty"`
	Rekor       string `json:"rekor,omitempty"`
	Timestamp   string `json:"timestamp,omitempty"`
	TrustedRoot string `json:"trustedRoot,omitempty"` // content
	Builder     string `json:"builder,omitempty"`     // URI of the machines that built
	Invocation  string `json:"invocation,omitempty"`  // URI of the run
}

// Signed is what the sign stage says.
type Signed struct {
	By    []string `json:"by,omitempty"`  // key or identity; none where nothing but the git tag was to be signed
	Added int      `json:"added"`         // signatures and statements that were not there
	There int      `json:"there"`         // those that were
	Tag   TagState `json:"tag,omitempty"` // of the git tag; empty where it was not to be signed
}

// TagState is what became of a git tag that was to be signed.
type TagState string

// The states.
const (
	TagSigned TagState = "signed"        // by the key
	TagThere  TagState = "there already" // signed before, by whatever key
)

// Trust is whose signatures count, beside those that the settings name.
type Trust struct {
	Keys        []string          `json:"keys,omitempty"` // PEM
	Identities  []config.Identity `json:"identities,omitempty"`
	TrustedRoot string            `json:"trustedRoot,omitempty"` // content
	Signers     string            `json:"signers,omitempty"`     // content of a file of allowed signers of git tags
	Required    bool              `json:"required,omitempty"`    // nothing goes on that is not signed
}

// RehearseSpec asks for a publication to throwaway destinations. Trees: Bundled, Repository.
type RehearseSpec struct{}

// FetchSpec asks for a backup. The stage makes the bundle.
type FetchSpec struct {
	Reference string   `json:"reference"` // REPOSITORY:VERSION
	PlainHTTP []string `json:"plainHTTP,omitempty"`
}

// PublishSpec asks for publication. Trees: Bundled, Repository.
type PublishSpec struct {
	To     Destinations `json:"to"`
	Commit string       `json:"commit,omitempty"` // refuse a bundle of another release commit
	Trust  Trust        `json:"trust,omitzero"`
	Alone  bool         `json:"alone,omitempty"` // the repository is one branch, without the tags of others
	// the bundle was published before: restore it, also if there are newer versions
	Again bool `json:"again,omitempty"`
}

// AuditSpec asks whether what was published is still as its record says. Trees: Repository.
type AuditSpec struct {
	Versions []string     `json:"versions,omitempty"` // empty: all
	Since    string       `json:"since,omitempty"`    // of all, this one and those after it
	To       Destinations `json:"to"`                 // where to look; without a remote at the repository's own refs
	Config   *string      `json:"config,omitempty"`   // content of a settings file that replaces those of the tagged trees
	Trust    Trust        `json:"trust,omitzero"`
}

// CatalogSpec asks for a static site about all versions. Trees: Repository. The stage makes the site.
type CatalogSpec struct {
	Site   string       `json:"site,omitempty"`   // its address, where it is known
	To     Destinations `json:"to"`               // where to look; without a remote at the repository's own refs
	Config *string      `json:"config,omitempty"` // content of a settings file that replaces those of the tagged trees
	Trust  Trust        `json:"trust,omitzero"`
}

// BackportSpec asks for commits on lines. Trees: Repository. The stage makes the picks' objects, and no ref.
type BackportSpec struct {
	Commits   []string `json:"commits"`
	Lines     []string `json:"lines"`
	Together  bool     `json:"together,omitempty"`
	WithNeeds bool     `json:"withNeeds,omitempty"` // a commit that conflicts takes along what it needs
	Config    *string  `json:"config,omitempty"`    // content of a settings file that replaces the repository's own
}

// NotesSpec asks what a version brings: a tagged one, or the one that would be made of the commit that is checked out. Trees: Repository.
type NotesSpec struct {
	Version string  `json:"version"`
	Config  *string `json:"config,omitempty"` // content of a settings file that replaces the repository's own
}

// BranchSpec asks whether a line may be cut from the development branch. Trees: Repository.
type BranchSpec struct {
	Line   string  `json:"line"`
	Config *string `json:"config,omitempty"` // content of a settings file that replaces the repository's own
}

// FollowupSpec asks for what the development branch is to have of a final version. Trees: Repository. The stage makes the commit's objects, and no ref.
type FollowupSpec struct {
	Version string  `json:"version"`
	Next    string  `json:"next,omitempty"`   // what the development branch says then, instead of the version itself
	Config  *string `json:"config,omitempty"` // content of a settings file that replaces the repository's own
}

// LedgerSpec asks which fixes are on which line. Trees: Repository.
type LedgerSpec struct {
	Lines  []string `json:"lines,omitempty"`  // instead of the supported ones
	Config *string  `json:"config,omitempty"` // content of a settings file that replaces the repository's own
}

// UpgradeSpec asks for the guide from one version to another. Trees: Repository.
type UpgradeSpec struct {
	From    string            `json:"from"`
	To      string            `json:"to"`
	Digests map[string]string `json:"digests,omitempty"` // of To's images, by repository, where a bundle tells them
	Config  *string           `json:"config,omitempty"`  // content of a settings file that replaces the repository's own
}

// SupportSpec asks what the supported lines stand on. Trees: Repository.
type SupportSpec struct {
	Config    *string           `json:"config,omitempty"` // content of a settings file that replaces the repository's own
	Mirrors   map[string]string `json:"mirrors,omitempty"`
	PlainHTTP []string          `json:"plainHTTP,omitempty"`
}

// RollbackSpec marks a published version as bad, or as good again. Trees: Repository; those of TryBack also Bundled, and Before where there is one.
type RollbackSpec struct {
	Version string       `json:"version"`
	State   string       `json:"state"` // withdrawn, rolled back or good
	Because string       `json:"because"`
	To      Destinations `json:"to"`
	Config  *string      `json:"config,omitempty"` // content of a settings file that replaces those of both versions
}
