package main

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

	"dagger/operator-release/internal/dagger"

	"github.com/operator-release/operator-release/ci/pipeline"
)

// container runs each stage in a container of its own that holds the tool, the stage's spec and its folders, and nothing else.
type container struct{ module *OperatorRelease }

// Run calls `operator-release stage`, as the command's own runner calls the stage itself.
func (r container) Run(ctx context.Context, stage pipeline.Stage, in pipeline.Inputs[*dagger.Directory]) (pipeline.Outputs[*dagger.Directory], error) {
	var out pipeline.Outputs[*dagger.Directory]
	spec, err := json.Marshal(in.Spec)
	if err != nil {
		return out, err
	}
	c := dag.Container().From(r.module.GoImage)
	if stage == pipeline.Build || stage == pipeline.Test {
		c = r.module.golang()
	}
	if stage == pipeline.Image && r.module.MirrorService != nil {
		c = c.WithServiceBinding(mirrorHost, r.module.MirrorService)
	}
	c = c.WithMountedFile("/usr/local/bin/operator-release", r.module.Tool).WithNewFile("/stage/spec.json", string(spec))
	args := []string{"operator-release", "stage", string(stage), "--spec", "/stage/spec.json", "--output", "/stage/out", "--report", "/stage/report.json"}
	for _, name := range slices.Sorted(maps.Keys(in.Trees)) {
		c = c.WithMountedDirectory("/in/"+name, in.Trees[name])
		args = append(args, "--input", name+"=/in/"+name)
	}
	c = c.WithExec(args)
	said, err := c.File("/stage/report.json").Contents(ctx)
	if err != nil {
		return out, err
	}
	out.Report, out.Tree = json.RawMessage(said), c.Directory("/stage/out")
	return out, nil
}

// flow is a release of a version over containers. No platform: the configured ones.
func (m *OperatorRelease) flow(ctx context.Context, version string, platforms ...string) (*pipeline.Flow[*dagger.Directory], error) {
	host, err := dag.DefaultPlatform(ctx)
	if err != nil {
		return nil, err
	}
	plan := pipeline.PlanSpec{Version: version, Platforms: platforms}
	if m.Settings != "" {
		plan.Config = &m.Settings
	}
	return &pipeline.Flow[*dagger.Directory]{
		Runner: container{m}, Repository: m.Repository, Plan: plan, Host: string(host), Mirrors: m.mirrors(), PlainHTTP: m.PlainHTTP,
	}, nil
}
