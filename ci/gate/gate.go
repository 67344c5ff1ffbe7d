package gate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/operator-release/operator-release/ci/config"
)

// Options are all that the gate looks at.
type Options struct {
	// Tree is the absolute path of the checked-out tree of the release commit;
	// commands run here.
	Tree string
	// Commands are run one after the other by `sh -c`. There are no defaults.
	Commands []string
	// CommandsAlone leaves out CRDs and manifests that no chart has.
	CommandsAlone bool
	// Env is the whole environment of commands and binaries: nothing is inherited.
	Env []string
	// Charts are chart directories, slash-separated, relative to Tree.
	Charts []string
	// Fetch are packages of their dependencies that are not committed, by chart.
	Fetch map[string][]config.Package
	// Images maps an image repository that this release builds to its tag.
	// Empty: the image names are not checked.
	Images map[string]string
	// ImagePlatforms maps an image repository of Images to the platforms that its image is for.
	ImagePlatforms map[string][]string
	// Lacks maps an image repository of the settings whose image the bundle lacks
	// to why.
	Lacks map[string]string
	// Foreign are image repositories that charts run and that are not made here.
	Foreign []string
	// Final says that users will run the version: the charts may then run no image
	// that the bundle lacks.
	Final bool
	// Binaries are executables for the machine the gate runs on.
	Binaries []Binary
	// Generated are files that commands make, in Generation: a checkout like Tree, which only these commands change.
	Generated  []config.Generated
	Generation string
	// Unrun are those that this machine cannot run. Their bytes are read.
	Unrun []Binary
	// Given are images that were handed over, as REPOSITORY or REPOSITORY for PLATFORM, of whose programs none is run.
	Given []string
	// ForeignVersions are versions of other things, which binaries may hold and print.
	ForeignVersions []string
	// Version is the version to be released, e.g. v1.5.0. Empty: the commit is
	// tested without one, and binaries are not asked for theirs.
	Version string
	// Log receives the commands' output as it comes. Nil discards it.
	Log io.Writer
}

// Binary is an executable of the release for a platform such as linux/amd64. Its path is absolute, for it is run in
// an empty directory.
type Binary struct{ Name, Path, Platform string }

// Status is the outcome of a check.
type Status string

const (
	Passed     Status = "passed"
	Failed     Status = "failed"
	NotChecked Status = "not checked"
	Warned     Status = "warning" // it works, and someone should look at it
)

// The names of the checks.
const (
	CommandCheck = "command"
	LintCheck    = "chart lint"
	RenderCheck  = "chart render"
	ObjectsCheck = "objects"
	// GeneratedCheck compares the commit's files with what the commands of the settings make.
	GeneratedCheck = "generated files"
	ImagesCheck    = "image names"
	BinaryCheck    = "binary version"
	// NodesCheck compares the nodes that pods ask for with the platforms of their images.
	NodesCheck = "nodes"
)

// Check is one thing that was looked at, and what was found.
type Check struct {
	Name    string   `json:"name"`
	Subject string   `json:"subject"`
	Status  Status   `json:"status"`
	Details []string `json:"details,omitempty"`
}

// Result lists the checks in a fixed order: commands as given; generated files; per chart, by
// path, its lint and then each set of values, defaults first; CRDs and manifests beside charts; images by name;
// binaries as given.
type Result struct {
	Checks []Check `json:"checks"`
}

// Passed tells whether no check failed. Warnings do not fail, nor does what could not be checked.
func (r Result) Passed() bool { return len(r.Failed()) == 0 }

// Failed returns the failed checks.
func (r Result) Failed() []Check {
	var failed []Check
	for _, c := range r.Checks {
		if c.Status == Failed {
			failed = append(failed, c)
		}
	}
	return failed
}

// Run carries out all checks. The error says that the gate itself could not run
// or was stopped, and the result then holds what was checked until there; a
// failed check is no error but stands in the result.
func Run(ctx context.Context, o Options) (Result, error) {
	result := Result{Checks: []Check{}}
	if err := o.validate(); err != nil {
		return result, err
	}
	if o.Log == nil {
		o.Log = io.Discard
	}

	var manifests manifests
	var err error
	if !o.CommandsAlone {
		manifests, err = o.readManifests() // of the commit: commands may write others
	}
	if err != nil {
		return result, err
	}
	checks, err := runCommands(ctx, o)
	result.Checks = append(result.Checks, checks...)
	if err != nil {
		return result, err
	}

	if checks, err = checkGenerated(ctx, o); err != nil {
		return result, err
	}
	result.Checks = append(result.Checks, checks...)

	var charts []renderedChart
	for _, dir := range chartDirs(o.Charts) {
		if err := ctx.Err(); err != nil {
			return result, fmt.Errorf("stopped before the chart %s was checked: %w", dir, err)
		}
		fmt.Fprintf(o.Log, "checking the chart %s\n", dir)
		checks, chart := checkChart(ctx, o.Tree, dir, o.Fetch[dir]...)
		result.Checks = append(result.Checks, checks...)
		result.Checks = append(result.Checks, removedAPIs(chart, o.Final)...)
		charts = append(charts, chart)
	}
	result.Checks = append(result.Checks, manifests.check(o)...)
	if len(charts) > 0 || len(o.Images) > 0 {
		result.Checks = append(result.Checks, o.checkImages(charts)...)
		result.Checks = append(result.Checks, o.checkLacking(ctx, charts)...)
		result.Checks = append(result.Checks, o.checkNodes(charts)...)
	}

	checks, err = checkBinaries(ctx, o, binaryTimeLimit)
	result.Checks = append(result.Checks, checks...)
	if err != nil {
		return result, err
	}
	checks, err = checkUnrun(o)
	result.Checks = append(result.Checks, checks...)
	return result, err
}

func (o Options) validate() error {
	if !filepath.IsAbs(o.Tree) {
		return fmt.Errorf("testing the tree %q: not an absolute path; name the checked-out tree by its full path", o.Tree)
	}
	info, err := os.Stat(o.Tree)
	if err != nil {
		return fmt.Errorf("testing the tree %s: %w; check the release commit out there first", o.Tree, err)
	}
	if !info.IsDir() {
		return fmt.Errorf("testing the tree %s: not a directory", o.Tree)
	}
	var errs []error
	for _, dir := range o.Charts {
		if !filepath.IsLocal(filepath.FromSlash(dir)) {
			errs = append(errs, fmt.Errorf("testing the chart %q: not a path inside the tree; name it relative to %s", dir, o.Tree))
		}
	}
	for _, b := range o.Binaries {
		if !filepath.IsAbs(b.Path) {
			errs = append(errs, fmt.Errorf("testing the binary %s: %q is not an absolute path; name it in full", b.Name, b.Path))
		}
	}
	return errors.Join(errs...)
}

func chartDirs(dirs []string) []string {
	var clean []string
	for _, dir := range dirs {
		clean = append(clean, path.Clean(dir))
	}
	slices.Sort(clean)
	return slices.Compact(clean)
}

// verdict makes a check of the problems found, which fail it; without any it
// passes and carries the notes.
func verdict(name, subject string, problems, notes []string) Check {
	if len(problems) > 0 {
		return Check{Name: name, Subject: subject, Status: Failed, Details: problems}
	}
	return Check{Name: name, Subject: subject, Status: Passed, Details: notes}
}

// lines splits the text of an error, so that a report can indent it.
func lines(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		if line = strings.TrimRight(line, " \t\r\n"); line != "" {
			out = append(out, line)
		}
	}
	return out
}
