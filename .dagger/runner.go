package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"dagger/operator-release/internal/dagger"

	"github.com/operator-release/operator-release/ci/buildfailure"
	"github.com/operator-release/operator-release/ci/pipeline"
)

// runner runs each stage in a container of its own that holds the tool, what the stage is asked and its folders, and nothing else.
type runner struct {
	module *OperatorRelease
	spent  *pipeline.Spent
}

// at is the folder of a stage in its container.
const at = "/stage"

// Run calls `operator-release stage`, as the command's own runner calls the stage itself.
func (r runner) Run(ctx context.Context, stage pipeline.Stage, in pipeline.Inputs[*dagger.Directory]) (pipeline.Outputs[*dagger.Directory], error) {
	var out pipeline.Outputs[*dagger.Directory]
	asked := time.Now()
	if stage == pipeline.Engine { // this engine itself
		archive, err := buildImage(ctx, in.Spec.(pipeline.EngineSpec), in.Trees)
		if err != nil {
			return out, err
		}
		out.Report, out.Tree = json.RawMessage("{}"), dag.Directory().WithFile(pipeline.ImageFile, archive)
		r.spent.Add(stage, in.Subject, asked, "")
		return out, nil
	}
	spec, err := json.Marshal(in.Spec)
	if err != nil {
		return out, err
	}
	c := r.module.Base
	switch stage {
	case pipeline.Build, pipeline.Test, pipeline.TestBundle:
		c = withCaches(c)
	case pipeline.Image: // pulls bases
		c = r.module.withRegistries(r.module.withServices(c))
	case pipeline.Claim, pipeline.Fetch, pipeline.Publish:
		c = r.module.knowingIdentities(r.module.toTheWorld(c))
	case pipeline.Sign: // another key is no other input
		c = r.module.withSigning(anew(c))
	}
	c = c.WithNewFile(at+"/spec.json", string(spec))
	for _, name := range slices.Sorted(maps.Keys(in.Trees)) {
		c = c.WithMountedDirectory(at+"/in/"+name, part(in.Trees[name]))
	}
	c = c.WithExec([]string{"operator-release", "stage", string(stage), in.Subject, "--at", at})
	said, err := c.File(at + "/report.json").Contents(ctx)
	if err != nil {
		return out, err
	}
	ran, _ := c.File(at + "/" + pipeline.RanFile).Contents(ctx) // an older tool of --tool leaves none
	r.spent.Add(stage, in.Subject, asked, ran)
	out.Report, out.Tree = json.RawMessage(said), c.Directory(at+"/out")
	if stage == pipeline.Source || stage == pipeline.Context {
		out.Tree, err = settled(ctx, string(stage)+"-"+strings.ReplaceAll(in.Subject, "/", "-"), out.Tree)
	}
	return out, err
}

// part is as much of a folder as a stage gets to see.
func part(f pipeline.Folder[*dagger.Directory]) *dagger.Directory {
	if f.Path == "" {
		return f.Tree
	}
	return f.Tree.Directory(f.Path)
}

// settled is a folder known by its content. What an exec wrote is known by how it came to be, so that whatever stands on it would run
// again after each commit; a folder that was loaded is known by what is in it.
func settled(ctx context.Context, name string, d *dagger.Directory) (*dagger.Directory, error) {
	if _, err := d.Export(ctx, name, dagger.DirectoryExportOpts{Wipe: true}); err != nil {
		return nil, err
	}
	return dag.CurrentModule().Workdir(name), nil
}

// buildImage builds an image on this engine, its platforms side by side, and gives the OCI archive. It is built once: what
// another engine makes of the same Dockerfile has other bytes.
func buildImage(
	ctx context.Context, spec pipeline.EngineSpec, contexts map[string]pipeline.Folder[*dagger.Directory],
) (*dagger.File, error) {
	var args []dagger.BuildArg
	for _, name := range slices.Sorted(maps.Keys(spec.Args)) {
		args = append(args, dagger.BuildArg{Name: name, Value: spec.Args[name]})
	}
	variants, errs := make([]*dagger.Container, len(spec.Platforms)), make([]error, len(spec.Platforms))
	var builds sync.WaitGroup
	for i, platform := range spec.Platforms {
		builds.Go(func() {
			folder := part(contexts[pipeline.ContextName(platform)])
			variants[i], errs[i] = buildVariant(ctx, spec, platform, args, folder)
		})
	}
	builds.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	archive, err := variants[0].AsTarball(dagger.ContainerAsTarballOpts{
		PlatformVariants: variants[1:], MediaTypes: dagger.ImageMediaTypesOcimediaTypes,
	}).Sync(ctx)
	if err == nil {
		return archive, nil
	}
	for i, built := range variants { // which one was it?
		if _, failed := built.Sync(ctx); failed != nil {
			platform := spec.Platforms[i]
			return nil, buildFailed(ctx, spec, platform, part(contexts[pipeline.ContextName(platform)]), failed)
		}
	}
	return nil, fmt.Errorf("build image %s for %s: %w", spec.Repository, strings.Join(spec.Platforms, ", "), err)
}

// buildVariant builds an image for one platform.
func buildVariant(
	ctx context.Context, spec pipeline.EngineSpec, platform string, args []dagger.BuildArg, folder *dagger.Directory,
) (*dagger.Container, error) {
	from, err := byValue(ctx, folder)
	if err != nil {
		return nil, fmt.Errorf("build image %s for %s: bring its context to the engine: %w", spec.Repository, platform, err)
	}
	built := from.DockerBuild(dagger.DirectoryDockerBuildOpts{
		Dockerfile: spec.Dockerfile, Platform: dagger.Platform(platform), BuildArgs: args, Target: spec.Target,
	})
	if made, err := built.Platform(ctx); err != nil {
		return nil, buildFailed(ctx, spec, platform, from, err)
	} else if string(made) != platform {
		return nil, fmt.Errorf("build image %s: the engine made it for %s where %s was asked, as it does where the last stage "+
			"is FROM scratch; base it on an image, or let the pipeline build the binaries and COPY them from bin/ in one stage",
			spec.Repository, made, platform)
	}
	for _, key := range slices.Sorted(maps.Keys(spec.Labels)) {
		built = built.WithLabel(key, spec.Labels[key]).WithAnnotation(key, spec.Labels[key])
	}
	return built, nil
}

// byValue is a directory that depends on no session. An engine takes equal builds of two sessions for one: what the later
// session gets must not lead to a folder of the earlier one.
func byValue(ctx context.Context, d *dagger.Directory) (*dagger.Directory, error) {
	return dag.Directory().WithDirectory("/", d).Sync(ctx)
}

// buildFailed says which image could not be built, at which line of its Dockerfile, and what the engine answered.
func buildFailed(ctx context.Context, spec pipeline.EngineSpec, platform string, from *dagger.Directory, err error) error {
	failure := buildfailure.Failure{Name: spec.Source, Err: err}
	if content, unread := from.File(spec.Dockerfile).Contents(ctx); unread == nil {
		failure.Content = content
	}
	var exec *dagger.ExecError
	if errors.As(err, &exec) {
		failure.Command, failure.Output = exec.Cmd, exec.Stdout+"\n"+exec.Stderr
	}
	// No %w: of an error that holds an ExecError Dagger shows the ExecError alone.
	return fmt.Errorf("build image %s for %s: %v", spec.Repository, platform, failure)
}
