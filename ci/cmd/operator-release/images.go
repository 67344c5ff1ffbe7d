package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/operator-release/operator-release/ci/build"
	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/chart"
	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/image"
	"github.com/operator-release/operator-release/ci/pipeline"
	"github.com/operator-release/operator-release/ci/plan"
)

// The stages that make images: image itself, and context and engine for those that need a container engine.

// examine asks the image stage what the plan wants to know.
func examine(tree fs.FS, i config.Image) (plan.Examination, error) {
	seen, err := image.Examine(tree, i.Dockerfile, i.Target, i.Args)
	if err != nil {
		return plan.Examination{}, err
	}
	e := plan.Examination{Bases: seen.Bases, Copies: seen.Copies}
	if len(seen.Unsupported) > 0 {
		problem := seen.Unsupported[0]
		e.Problem = fmt.Sprintf("%s:%d: %s: %s", i.Dockerfile, problem.Line, problem.Instruction, problem.Why)
		e.WayOut = problem.WayOut
	}
	return e, nil
}

// packaged tells what of a tree's entries the artifacts would hold.
var packaged = plan.Packaged{
	Image: func(tree *git.Tree, i config.Image, of []git.Entry) ([]git.Entry, error) {
		return image.Holds(tree, i.Context, i.Dockerfile, i.Target, i.Args, of)
	},
	Chart: func(tree *git.Tree, c config.Chart, of []git.Entry) ([]git.Entry, error) {
		return chart.Holds(tree, c.Path, of)
	},
	Companions: build.Companions,
}

// binaries are those that were built for a platform, by name.
func (c call) binaries(platform string) (map[string]string, error) {
	dir, ok := c.trees["build-"+strings.ReplaceAll(platform, "/", "-")]
	if !ok {
		return nil, nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	built := map[string]string{}
	for _, e := range entries {
		built[e.Name()] = filepath.Join(dir, e.Name())
	}
	return built, nil
}

func runImage(ctx context.Context, c call, spec pipeline.ImageSpec) (any, error) {
	layout, err := bundle.Create(c.out)
	if err != nil {
		return nil, err
	}
	o := image.Options{
		Repository: spec.Image.Repository, Version: spec.Version.String(), Tree: c.trees[pipeline.Tree], Context: spec.Image.Context,
		Dockerfile: spec.Image.Dockerfile, Args: spec.Image.Args, Target: spec.Image.Target, Platforms: spec.Platforms, Time: spec.Time,
		Labels: spec.Labels, Mirrors: spec.Mirrors, PlainHTTP: spec.PlainHTTP, Archive: c.trees[pipeline.Archived], Layout: layout,
		Foreign: spec.Foreign, Take: spec.Carries, TakeTo: filepath.Join(c.out, "bin"), Binaries: map[string]map[string]string{}, Pins: map[string]digest.Digest{},
	}
	if made := filepath.Join(o.Archive, pipeline.ImageFile); o.Archive != "" {
		if _, err := os.Stat(made); err == nil {
			o.Archive = made
		}
	}
	for reference, pin := range spec.Pins {
		o.Pins[reference] = digest.Digest(pin)
	}
	for _, platform := range spec.Platforms {
		if o.Binaries[platform], err = c.binaries(platform); err != nil {
			return nil, err
		}
	}
	return image.Build(ctx, o)
}

// preparedContext is what the stage context says.
type preparedContext struct {
	Dockerfile string `json:"dockerfile"` // path in each context
}

func runContext(ctx context.Context, c call, spec pipeline.ContextSpec) (any, error) {
	repository, objects, err := c.planned(ctx)
	if err != nil {
		return nil, err
	}
	var said preparedContext
	for _, platform := range spec.Platforms {
		binaries, err := c.binaries(platform)
		if err != nil {
			return nil, err
		}
		tree := filepath.Join(c.out, "checkout")
		if err := repository.Export(ctx, tree, objects, spec.Commit, spec.Version.String(), tagOf(objects), spec.Time); err != nil {
			return nil, err
		}
		dir, dockerfile, err := image.PrepareContext(image.ContextOptions{
			Tree: tree, Context: spec.Image.Context, Dockerfile: spec.Image.Dockerfile, Platform: platform, Binaries: binaries,
		})
		if err != nil {
			return nil, err
		}
		said.Dockerfile = dockerfile
		if err := os.Rename(filepath.Join(tree, dir), filepath.Join(c.out, pipeline.ContextName(platform))); err != nil {
			return nil, err
		}
		if err := os.RemoveAll(tree); err != nil {
			return nil, err
		}
	}
	return said, nil
}

func runEngine(ctx context.Context, c call, spec pipeline.EngineSpec) (any, error) {
	o := image.EngineOptions{
		Repository: spec.Repository, Contexts: map[string]string{}, Dockerfile: spec.Dockerfile,
		Source: spec.Source, Args: spec.Args, Target: spec.Target, Labels: spec.Labels, Archive: filepath.Join(c.out, pipeline.ImageFile), Log: c.log,
	}
	for _, platform := range spec.Platforms {
		o.Contexts[platform] = c.trees[pipeline.ContextName(platform)]
	}
	return struct{}{}, image.BuildWithDagger(ctx, o)
}
