package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"dagger/operator-release/internal/dagger"

	"github.com/operator-release/operator-release/ci/ownrelease"
	"github.com/operator-release/operator-release/ci/pipeline"
)

// ToolOrigin is where the tool in the containers of stages comes from.
type ToolOrigin struct {
	// +private
	Text string // for people
	// +private
	Downloaded *dagger.File // holds when the download of modules began, in Unix seconds; nil: nothing was compiled
	// +private
	Compiled *dagger.File // holds when the compilation began
	// +private
	Keyless *dagger.File // the tool that knows signatures of identities, too; nil: the tool does
}

// toolPath is where the tool is, in the containers of stages as in its own image.
const toolPath = "/usr/local/bin/operator-release"

// toolIgnore are the patterns of the argument moduleSource: all but the files that the tool is compiled from.
var toolIgnore = []string{
	"*", "!ci", "!go.mod", "!go.sum", "**/*_test.go", "**/testdata", "**/*.md", "ci/modulecheck", "ci/test",
}

// toolFrom is the container that stages run in, made of an image of the tool.
func toolFrom(image *dagger.Container) *dagger.Container {
	return image.WithUser("root").WithoutEntrypoint().WithWorkdir("/")
}

// findTool takes the runner image of the release that this module's source is. The tool is compiled where the source
// is no release, and where the image cannot be had. The text of the origin says which, and why.
func findTool(
	ctx context.Context, goImage string, source, chart *dagger.Directory, mirrors []string,
) (*dagger.Container, *ToolOrigin, error) {
	release, ok, err := claimedRelease(ctx, chart)
	if err != nil {
		return nil, nil, err
	}
	if !ok {
		return compileTool(ctx, goImage, source, "", "this module is not of a release")
	}
	commit, same, err := sourceOf(ctx, release, source)
	if err != nil {
		return compileTool(ctx, goImage, source, "",
			fmt.Sprintf("%s of %s cannot be read: %v", release.Version, release.Git, err))
	}
	if !same {
		return compileTool(ctx, goImage, source, "",
			"this module has other source than "+release.Version+" of "+release.Git)
	}
	reference, err := imageOf(ctx, release, commit, mirrors)
	if err != nil {
		return compileTool(ctx, goImage, source, release.Version, err.Error())
	}
	return toolFrom(dag.Container().From(reference)), &ToolOrigin{Text: "the tool is " + reference}, nil
}

// claimedRelease reads the release that the chart of this module's source names.
func claimedRelease(ctx context.Context, chart *dagger.Directory) (r ownrelease.Release, ok bool, err error) {
	names, err := chart.Glob(ctx, "*.yaml")
	if err != nil || len(names) < 2 { // a copy of the source without its chart
		return r, false, err
	}
	var contents []string
	for _, name := range []string{ownrelease.Chart, ownrelease.Values} {
		content, err := chart.File(name[strings.LastIndex(name, "/")+1:]).Contents(ctx)
		if err != nil {
			return r, false, fmt.Errorf("read the version of this module: %w", err)
		}
		contents = append(contents, content)
	}
	r, ok = ownrelease.Read(contents[0], contents[1])
	return r, ok, nil
}

// sourceOf compares the source of this module with that of the release's tag, and gives the commit of the tag.
func sourceOf(
	ctx context.Context, release ownrelease.Release, source *dagger.Directory,
) (commit string, same bool, err error) {
	tag := dag.Git(release.Git).Tag(release.Version)
	if commit, err = tag.Commit(ctx); err != nil {
		return "", false, err
	}
	theirs, err := toolSource(tag.Tree(dagger.GitRefTreeOpts{DiscardGitDir: true})).Digest(ctx)
	if err != nil {
		return commit, false, err
	}
	ours, err := toolSource(source).Digest(ctx)
	return commit, ours == theirs, err
}

// toolSource is what the tool is compiled from.
func toolSource(source *dagger.Directory) *dagger.Directory {
	return dag.Directory().WithDirectory("/", source, dagger.DirectoryWithDirectoryOpts{Exclude: toolIgnore})
}

// imageOf is the reference by digest of the release's runner image, which must be of this commit.
func imageOf(ctx context.Context, release ownrelease.Release, commit string, mirrors []string) (string, error) {
	tag := release.Reference(mirrors)
	image := dag.Container().From(tag)
	reference, err := image.ImageRef(ctx)
	if err != nil {
		return "", fmt.Errorf("%s cannot be pulled: %w", tag, err)
	}
	revision, err := image.Label(ctx, "org.opencontainers.image.revision")
	if err != nil {
		return "", fmt.Errorf("%s cannot be pulled: %w", tag, err)
	}
	if revision != commit {
		return "", fmt.Errorf("%s is of commit %q, and %s of %s is %s", tag, revision, release.Version, release.Git, commit)
	}
	return reference, nil
}

// compileTool compiles the tool from its source. Modules are downloaded first, for they change less often. A version
// is stamped where the source is known to be that release's. Signing and verifying by identities is compiled apart,
// where a call needs it: most calls do not, and it brings many packages.
func compileTool(
	ctx context.Context, goImage string, source *dagger.Directory, version, because string,
) (*dagger.Container, *ToolOrigin, error) {
	build := withCaches(dag.Container().From(goImage)).WithWorkdir("/module").WithEnvVariable("CGO_ENABLED", "0")
	for _, name := range []string{"go.mod", "go.sum"} {
		content, err := source.File(name).Contents(ctx)
		if err != nil {
			return nil, nil, fmt.Errorf("read this module's own source: %w", err)
		}
		build = build.WithNewFile("/module/"+name, content) // by its content: an edit of another file downloads nothing
	}
	build = build.WithExec([]string{"sh", "-ec", "date +%s >/downloaded; go mod download"})
	origin := &ToolOrigin{Text: "the tool is compiled from source: " + because, Downloaded: build.File("/downloaded")}
	linked := "-s -w"
	if version != "" {
		linked += " -X main.toolVersion=" + version
	}
	// Without debug information, but for the standard library: it is compiled as a released repository's builds need it.
	command := "date +%s >/compiled; exec go build -trimpath -buildvcs=false -gcflags=all=-dwarf=false -gcflags=std= " +
		"-ldflags='" + linked + "' -o " + toolPath + " -tags="
	compiled := func(tags string) *dagger.Container {
		return build.WithMountedDirectory("/module", source).
			WithExec([]string{"sh", "-ec", command + tags + " ./ci/cmd/operator-release"})
	}
	tool := compiled("")
	origin.Compiled, origin.Keyless = tool.File("/compiled"), compiled("keyless").File(toolPath)
	return dag.Container().From(goImage).WithFile(toolPath, tool.File(toolPath)), origin, nil
}

// knowingIdentities gives a container the tool that knows signatures of identities.
func (m *OperatorRelease) knowingIdentities(c *dagger.Container) *dagger.Container {
	if m.Origin.Keyless == nil {
		return c
	}
	return c.WithFile(toolPath, m.Origin.Keyless)
}

// spent begins to record what a call spends. It compiles the tool, where that is to be done.
func (m *OperatorRelease) spent(ctx context.Context) (*pipeline.Spent, error) {
	spent := pipeline.NewSpent()
	for _, step := range []struct {
		name  string
		begun *dagger.File
	}{{"download modules", m.Origin.Downloaded}, {"compile the tool", m.Origin.Compiled}} {
		if step.begun == nil {
			continue
		}
		asked := time.Now()
		begun, err := step.begun.Contents(ctx)
		if err != nil {
			return nil, err
		}
		spent.AddStep(step.name, spent.CachedSince(begun), asked)
	}
	for _, note := range m.Remarks {
		spent.Note(note)
	}
	return spent, nil
}
