package image

import (
	"context"
	"debug/buildinfo"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/operator-release/operator-release/ci/binary"
	"github.com/operator-release/operator-release/ci/config"
)

// checkPrograms reads the Go programs of every platform's image that is released: the one that the image starts, and
// those that its Dockerfile copies out of another stage. It refuses one of another platform, and one of this repository
// with another version. What the Dockerfile compiles has to be of this repository.
func (t *taking) checkPrograms(ctx context.Context) error {
	if t.o.Tree == "" {
		return nil
	}
	modules, err := binary.Modules(t.o.Tree)
	if err != nil {
		return err
	}
	copied, compiled := t.fromStages()
	taken := slices.Collect(maps.Values(t.o.Take))
	for _, p := range t.made {
		if !slices.Contains(t.o.Platforms, p.Platform) {
			continue
		}
		filled, err := t.filled(ctx, p)
		if err != nil {
			return err
		}
		programs := append(started(filled.config), copied...)
		slices.Sort(programs)
		for _, at := range slices.Compact(programs) {
			if slices.Contains(taken, at) {
				continue // judged where it is archived
			}
			if err := t.checkProgram(ctx, filled, p.Platform, at, modules, slices.Contains(compiled, at)); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkProgram judges one file of a platform's image. What is not there, or is no Go program, is passed over.
func (t *taking) checkProgram(ctx context.Context, filled *filledImage, platform, at string, modules []string,
	ours bool) error {
	dir, err := os.MkdirTemp("", "release-program-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "program")
	if err := filled.extract(ctx, at, file); err != nil {
		return ctx.Err() // there is none
	}
	info, err := buildinfo.ReadFile(file)
	if err != nil {
		return nil
	}
	parsed, err := config.ParsePlatform(platform)
	if err != nil {
		return err
	}
	want := binary.Want{Platform: parsed}
	if ours || slices.Contains(modules, info.Main.Path) {
		want.Modules, want.Version, want.Foreign = modules, t.o.Version, t.o.Foreign
	}
	if _, err := want.Check(file); err != nil {
		return t.refused("read the program %s in it for %s: %w", at, platform, err)
	}
	return nil
}

// started is the path of the program that an image starts: of its entry point, or of its command without one.
func started(c imageConfig) []string {
	line := c.Config.Entrypoint
	if len(line) == 0 {
		line = c.Config.Cmd
	}
	if len(line) == 0 {
		return nil
	}
	if strings.Contains(line[0], "/") {
		return []string{under(c.Config.WorkingDir, line[0])}
	}
	var found []string
	for _, variable := range append([]string{defaultPath}, c.Config.Env...) {
		if list, ok := strings.CutPrefix(variable, "PATH="); ok {
			for _, dir := range strings.Split(list, ":") {
				found = append(found, path.Join("/", dir, line[0]))
			}
		}
	}
	return found
}

// fromStages are the files that the Dockerfile's last stage copies out of others, and those of them that a stage with a
// Go compiler made. Without a Dockerfile there are none.
func (t *taking) fromStages() (copied, compiled []string) {
	name := t.o.Dockerfile
	if name == "" {
		name = "Dockerfile"
	}
	content, err := fs.ReadFile(os.DirFS(t.o.Tree), path.Clean(name))
	if err != nil {
		return nil, nil
	}
	d, err := parseDockerfile(name, content)
	if err != nil || len(d.stages) == 0 {
		return nil, nil
	}
	copied = d.copies(t.o.Target)
	for i, s := range d.stages {
		if compilesGo(s) {
			compiled = append(compiled, d.copiesFrom(t.o.Target, func(from string) bool {
				return strings.EqualFold(from, s.Name) || from == strconv.Itoa(i)
			})...)
		}
	}
	return copied, compiled
}

// compilesGo tells whether a stage stands on an image with the Go compiler, or runs it.
func compilesGo(s *instructions.Stage) bool {
	if base := strings.ToLower(s.BaseName); strings.Contains(base, "golang") || strings.Contains(base, "go-toolset") {
		return true
	}
	return slices.ContainsFunc(s.Commands, func(c instructions.Command) bool {
		run, ok := c.(*instructions.RunCommand)
		return ok && (strings.Contains(strings.Join(run.CmdLine, " "), "go build") ||
			strings.Contains(strings.Join(run.CmdLine, " "), "go install"))
	})
}
