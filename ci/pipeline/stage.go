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
	Plan     Stage = "plan"     // what releasing would do; makes the release commit's objects
	Source   Stage = "source"   // the release commit's tree
	Build    Stage = "build"    // binaries, archives and SBOMs for one platform
	Test     Stage = "test"     // the gate
	Image    Stage = "image"    // one image over all platforms
	Chart    Stage = "chart"    // one chart
	Bundle   Stage = "bundle"   // all of it as one OCI layout
	Join     Stage = "join"     // parts made for one platform each, as one bundle
	Rehearse Stage = "rehearse" // publication to throwaway destinations
)

// Inputs are all that a stage gets to see. T is a runner's handle of a folder.
type Inputs[T any] struct {
	Subject string       // what this run is about, for people: a platform, an image
	Spec    any          // what is asked, one of the specs below; it crosses to the stage as JSON
	Trees   map[string]T // folders, by the names that the stage knows them by
}

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
	Planned    = "plan"       // what the plan stage made
	Tree       = "tree"       // what the source stage made
	Archive    = "archive"    // an image made elsewhere: OCI archive or layout
	Bundled    = "bundle"     // a bundle
)

// PlanSpec asks what releasing Version would do. Trees: Repository.
type PlanSpec struct {
	Version   string   `json:"version"`
	Commit    string   `json:"commit,omitempty"`    // instead of the one that is checked out
	Config    *string  `json:"config,omitempty"`    // content of a settings file that replaces the repository's own
	Platforms []string `json:"platforms,omitempty"` // instead of the configured ones
	Archives  []string `json:"archives,omitempty"`  // image repositories whose images come as archives
	Engine    bool     `json:"engine,omitempty"`    // a container builder is reachable
	Ignore    []string `json:"ignore,omitempty"`    // output folders in the work tree, which do not make it dirty
}

// SourceSpec asks for the tree of a commit. Trees: Repository, Planned.
type SourceSpec struct {
	Commit string    `json:"commit"`
	Time   time.Time `json:"time"`
}

// BuildSpec asks for binaries. Trees: Tree.
type BuildSpec struct {
	Version   version.Version `json:"version"`
	Platform  string          `json:"platform"`
	Toolchain string          `json:"toolchain"` // such as go1.26.8
	Time      time.Time       `json:"time"`
	Binaries  []config.Binary `json:"binaries"` // ldflags expanded
}

// TestSpec asks the gate. Trees: Repository, Planned, and the build of the host's platform where there is one.
type TestSpec struct {
	Version   string            `json:"version,omitempty"`
	Commit    string            `json:"commit"`
	Time      time.Time         `json:"time"`
	Toolchain string            `json:"toolchain"`
	Commands  []string          `json:"commands"`
	Charts    []string          `json:"charts"`
	Images    map[string]string `json:"images"` // repository to tag
	Binaries  string            `json:"binaries,omitempty"`
}

// NewTestSpec asks what the settings say about a commit; without a version no image names and no binaries are looked at.
func NewTestSpec(c config.Config, version, commit string, when time.Time, toolchain string) TestSpec {
	s := TestSpec{Version: version, Commit: commit, Time: when, Toolchain: toolchain, Commands: c.Gate, Images: map[string]string{}}
	for _, chart := range c.Charts {
		s.Charts = append(s.Charts, chart.Path)
	}
	for _, image := range c.Images {
		if version != "" {
			s.Images[image.Repository] = version
		}
	}
	return s
}

// ImageSpec asks for an image. Trees: Tree, a build per platform, and Archive where the image was made elsewhere.
type ImageSpec struct {
	Image     config.Image      `json:"image"` // build arguments expanded
	Version   version.Version   `json:"version"`
	Platforms []string          `json:"platforms"`
	Time      time.Time         `json:"time"`
	Labels    map[string]string `json:"labels"`
	How       string            `json:"how"`
	Mirrors   map[string]string `json:"mirrors,omitempty"`
	PlainHTTP []string          `json:"plainHTTP,omitempty"`
	Pins      map[string]string `json:"pins,omitempty"` // base reference to the digest to take
}

// ChartSpec asks for a chart. Trees: Tree.
type ChartSpec struct {
	Chart       config.Chart      `json:"chart"`
	Version     version.Version   `json:"version"`
	Time        time.Time         `json:"time"`
	Annotations map[string]string `json:"annotations"`
}

// BundleSpec asks for the bundle of what the other stages said and made. Trees: Planned, builds, images, charts.
type BundleSpec struct {
	Plan   json.RawMessage            `json:"plan"`
	Builds map[string]json.RawMessage `json:"builds"` // by the name of their folder
	Images map[string]json.RawMessage `json:"images"`
	Charts map[string]json.RawMessage `json:"charts"`
	Test   json.RawMessage            `json:"test,omitempty"` // what the gate said, where it was asked
}

// JoinSpec asks for one bundle of several parts. Trees: the parts.
type JoinSpec struct {
	Parts []string `json:"parts"` // names of their folders
}

// RehearseSpec asks for a publication to throwaway destinations. Trees: Bundled, Repository.
type RehearseSpec struct{}
