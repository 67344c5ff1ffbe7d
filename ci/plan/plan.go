package plan

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/operator-release/operator-release/ci/compare"
	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/policy"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/tags"
	"github.com/operator-release/operator-release/ci/toolchain"
	"github.com/operator-release/operator-release/ci/version"
	"github.com/operator-release/operator-release/ci/writes"
)

// Options are all that a plan is made of.
type Options struct {
	Repository *git.Repository
	Quarantine string // folder for the release commit's objects
	Version    string
	Commit     string // the commit to release; empty: the one that is checked out, whose work tree must be clean
	ConfigName string // of the settings file that Config is the content of
	Config     []byte // nil: the repository's own
	Platforms  []string
	Archives   []string          // image repositories whose images come as archives
	Engine     bool              // a container builder is reachable
	Accept     map[string]string // points of the policy to let pass, by id, and why
	OwnBefore  bool              // the version before is read by its own settings, whatever Config is
	Alone      bool              // the repository is one branch, and lacks the tags of others
	// Again: the version is built again from its record. Of the clone's tags only those count that Recorded names, with
	// their commits. A clone without one of them, with one on another commit, or without the history, is refused at once,
	// since it would plan another version.
	Again    bool
	Recorded map[string]string
	Remote   *tags.Remote // what the git remote answered that it has; nil: it was not asked
	NotAsked string       // why not
	// Examine tells whether a Dockerfile can be carried out without a container builder; why not, and where, if it cannot.
	Examine func(tree fs.FS, image config.Image) (Examination, error)
	// Packaged tells what of the tree's entries an artifact would hold.
	Packaged Packaged
	// Guide writes the guide from the version that users come from.
	Guide func(tree fs.FS, p Plan) (string, error)
	// Describe writes what a version brings.
	Describe func(ctx context.Context, q Described) (Description, error)
}

// Described is a version whose notes are asked for.
type Described struct {
	Version  version.Version
	Commit   string
	Since    string // the tag whose notes these stand on; empty for the first of all
	From     string // its commit
	Time     time.Time
	URL      string
	Accepted []Accepted
	LeftOut  []LeftOut
}

// LeftOut is an image that the bundle will lack.
type LeftOut struct {
	Repository string
	Because    string
	Run        []string // where charts run it with their default values
	Unread     []string // why it is not known whether others do
}

// Description is what a version brings.
type Description struct {
	Notes    string   // Markdown, with a heading of the second level
	LeftOut  string   // the part of it about images that the bundle will lack
	Requests []string // pull requests that it names
}

// Examination is what a look at a Dockerfile shows.
type Examination struct {
	Bases   []string // base images, as named
	Copies  []string // absolute paths that the last stage copies to out of another
	Problem string   // why it needs a container builder, with its line; empty where it does not
	WayOut  string   // what to do about it
}

// Plan is what releasing a version would do.
type Plan struct {
	Version   version.Version   `json:"version"`
	Name      string            `json:"name"`
	Line      string            `json:"line"`
	Branch    string            `json:"branch"`
	Previous  version.Version   `json:"previous"`            // empty for a first version
	Since     string            `json:"since"`               // the tag whose notes those of this version stand on
	Exists    bool              `json:"exists"`              // tagged already, with this very content
	Base      string            `json:"base"`                // the commit that is released
	Subject   string            `json:"subject"`             // its first line
	Commit    string            `json:"commit"`              // the release commit; Base where nothing had to be edited
	Tree      string            `json:"tree"`                // of Commit
	Tag       string            `json:"tag"`                 // id of the annotated tag object
	Maker     Maker             `json:"maker"`               // of the release commit and the tag
	Time      time.Time         `json:"time"`                // of every byte that is made
	Toolchain string            `json:"toolchain"`           // Go that compiles, as go.mod names it
	Platforms []string          `json:"platforms"`           // what is built for, sorted
	Config    config.Config     `json:"config"`              // as filled by profile and looking
	Surfaces  []Surface         `json:"surfaces"`            // every place that carries the version
	Changelog string            `json:"changelog,omitempty"` // file that the release commit adds the notes to; empty where it adds none
	Guide     string            `json:"guide,omitempty"`     // from the version that users come from, in Markdown
	Notes     string            `json:"notes"`               // what the version brings, in Markdown
	Modules   []Module          `json:"modules,omitempty"`   // Go modules below the root whose tags are published
	Images    []Image           `json:"images"`              // in the order of Config.Images
	From      version.Version   `json:"from"`                // the final that users come from; empty for a first version
	DependsOn map[string]string `json:"dependsOn"`           // the commits, by tag, of older versions that decide what this one is
	Foreign   bool              `json:"-"`                   // another tool published From
	Findings  []compare.Finding `json:"findings,omitempty"`  // what differs from it for users
	Points    []policy.Point    `json:"points,omitempty"`    // how commits and findings stand
	Accepted  []Accepted        `json:"accepted,omitempty"`  // what somebody let pass
	Given     bool              `json:"given,omitempty"`     // the settings are not those of the commit
	Artifacts []Artifact        `json:"artifacts"`           // what the bundle will hold

	// Generated are files that commands of the settings make. The gate compares them, and the hash leaves them out.
	Generated []config.Generated `json:"generated,omitempty"`
	Writes    []writes.Write     `json:"writes"`            // of a publication to the configured destinations, in order
	Against   []string           `json:"against,omitempty"` // what speaks against it
	Notices   []string           `json:"notices,omitempty"` // what one should know
	Hash      string             `json:"hash"`              // of all of the above but the writes
	// NotWritten are the destinations and floating tags that such a publication leaves out, and why.
	NotWritten []string `json:"notWritten,omitempty"`
	// Remote tells whether the git remote was asked what it has, and is no part of the hash: a plan stays the same where
	// the remote is out of reach. Refs that the clone does not have are a blocking problem.
	Remote string `json:"remote"`
}

// Accepted is a point of the policy that somebody let pass.
type Accepted struct {
	ID      string `json:"id"`
	Because string `json:"because"`
}

// Maker makes the release commit and the tag.
type Maker struct {
	Name      string `json:"name"`
	Email     string `json:"email"`
	Because   string `json:"because"`             // why it is this one
	SignedOff bool   `json:"signedOff,omitempty"` // the release commit is signed off by it
}

// Surface is a value that carries the version, now and then.
type Surface struct {
	Kind string `json:"kind"`
	Path string `json:"path"`
	Line int    `json:"line"`
	Name string `json:"name"`
	Now  string `json:"now"`
	Then string `json:"then"`
}

// Module is a Go module below the root, and its tag.
type Module struct {
	Path   string `json:"path"`
	Tag    string `json:"tag"`    // such as api/v1.5.0
	Object string `json:"object"` // id of the annotated tag object
	Beside string `json:"beside"` // the module's tag of a version before, because of which it gets one
}

// Image is how an image comes to be.
type Image struct {
	Repository string            `json:"repository"`
	Dockerfile string            `json:"dockerfile"`
	How        config.How        `json:"how"`
	Because    string            `json:"because,omitempty"`
	Run        []string          `json:"run,omitempty"`    // of one that is left out: where charts run it with their default values
	Unread     []string          `json:"unread,omitempty"` // why it is not known whether charts run one that is left out
	Bases      []string          `json:"bases,omitempty"`
	Carries    map[string]string `json:"carries,omitempty"` // released binaries that are taken out of it, with their paths in it
}

// Artifact is one thing that the bundle will hold.
type Artifact struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
}

// Refused is the refusal of a plan that something speaks against, or nil.
func (p Plan) Refused() error {
	if len(p.Against) == 0 {
		return nil
	}
	return refusal.New("release %s: %s", p.Version, strings.Join(p.Against, "\n  also: "))
}

// Edits are the files that the release commit edits, sorted.
func (p Plan) Edits() []string {
	var paths []string
	for _, s := range p.Surfaces {
		if s.Now != s.Then {
			paths = append(paths, s.Path)
		}
	}
	if p.Changelog != "" {
		paths = append(paths, p.Changelog)
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

// Make plans a release. What is wrong with the call (no version, no settings that can be read) is refused at once; what
// speaks against the release is collected in the plan, so that all of it is seen.
func Make(ctx context.Context, o Options) (Plan, []git.Object, error) {
	v, err := version.Parse(o.Version)
	if err != nil {
		return Plan{}, nil, err
	}
	m := &maker{Options: o, plan: Plan{Version: v}}
	if err := m.make(ctx); err != nil {
		return Plan{}, nil, err
	}
	return m.plan, m.objects, nil
}

type maker struct {
	Options
	plan    Plan
	base    git.Commit
	place   version.Place
	from    string // the commit of Plan.Since
	partial bool   // the clone does not have all that the remote has: what follows from that is not said
	strayed bool   // the commit is not on the release branch, which is said once
	tip     string // of the release branch at the remote, as it answered; empty where it has none, or was not asked
	tags    tags.Tags
	modules tags.Modules    // tags of Go modules below the root
	unfit   []string        // why the go command does not take the version
	quiet   *git.Repository // with the quarantine
	objects []git.Object
	judged  policy.Judgement

	known    map[string]bool // places with a version that are told, as FILE:LINE
	olds     []string        // older versions that the surfaces say
	replaced []string        // committed copies of charts that are not packaged

	generated []config.Generated // of the settings
}

func (m *maker) make(ctx context.Context) error {
	var err error
	if m.Commit != "" {
		if m.base, err = m.Repository.Commit(ctx, m.Commit); m.Again && refusal.Is(err) {
			return fmt.Errorf("build %s again: %w; %s", m.plan.Version, err, m.Repository.FetchAdvice(ctx))
		}
	} else {
		m.base, _, err = m.Repository.Head(ctx)
	}
	if err != nil {
		return err
	}
	tree, err := m.Repository.Tree(ctx, m.base.ID)
	if err != nil {
		return err
	}
	defer tree.Close()
	c, err := config.Load(tree, m.ConfigName, m.Config)
	if err != nil {
		return err
	}
	p := &m.plan
	if p.Platforms, err = platforms(c, m.Platforms); err != nil {
		return err
	}
	to := c.Destinations
	m.generated, p.Generated = c.Generated, c.Generated
	// Where a bundle goes, what linters say, what is kept up, how a pick is made, and whose signatures count, is no part of a plan.
	c.Destinations, c.Lint, c.Support, c.Generated, c.Backport, c.Signatures = nil, nil, nil, nil, nil, nil
	p.Config, p.Name, p.Given = c, c.Name, m.Config != nil && !m.OwnBefore
	p.Line, p.Branch = c.Pattern().Line(p.Version), c.Pattern().Branch(p.Version)
	p.Base = m.base.ID
	p.Subject, _, _ = strings.Cut(m.base.Message, "\n")
	p.Time = m.base.Committer.Time.UTC()
	if p.Toolchain, err = toolchain.Named(tree); err != nil {
		return err
	}
	for _, step := range []func(context.Context, *git.Tree) error{
		m.checkClone, m.checkCommitted, m.checkGenerated, m.checkExcluded, m.checkRemote, m.checkPlace,
		m.findModules, m.judge, m.images, m.edit, m.checkCharts, m.checkCopies, m.strays, m.checkEmpty, m.checkRepeat, m.checkBranch, m.checkMissing, m.checkWorkflows, m.checkCompared,
	} {
		if err := step(ctx, tree); err != nil {
			return err
		}
	}
	m.listArtifacts()
	if err := m.listWrites(tree, to); err != nil {
		return err
	}
	p.Hash, err = hash(*p)
	return err
}

// platforms are those asked for, else the configured ones; sorted, so that parts made in any order join to one bundle.
func platforms(c config.Config, asked []string) ([]string, error) {
	if len(asked) == 0 {
		asked = c.Platforms
	}
	chosen := slices.Clone(asked)
	for _, p := range chosen {
		if _, err := config.ParsePlatform(p); err != nil {
			return nil, err
		}
	}
	slices.Sort(chosen)
	return slices.Compact(chosen), nil
}

func (m *maker) against(format string, args ...any) {
	m.plan.Against = append(m.plan.Against, fmt.Sprintf(format, args...))
}

func (m *maker) notice(format string, args ...any) {
	m.plan.Notices = append(m.plan.Notices, fmt.Sprintf(format, args...))
}

// hash is over everything but itself, whether the remote was asked, and the writes: what they are of is in the hash,
// and where they go is no part of a plan.
func hash(p Plan) (string, error) {
	p.Hash, p.Remote, p.Writes, p.NotWritten, p.Generated = "", "", nil, nil, nil
	content, err := json.Marshal(p)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}

func (m *maker) listArtifacts() {
	p := &m.plan
	add := func(kind, name string) { p.Artifacts = append(p.Artifacts, Artifact{kind, name}) }
	for _, image := range p.Images {
		if image.How != config.LeftOut {
			add("image", image.Repository+":"+p.Version.String())
		}
	}
	for _, chart := range p.Config.Charts {
		add("chart", chart.Path)
	}
	for _, platform := range p.Platforms {
		for _, b := range p.Config.Binaries {
			add("binary", b.Name+" for "+platform)
		}
	}
}

func short(id string) string { return id[:min(12, len(id))] }
