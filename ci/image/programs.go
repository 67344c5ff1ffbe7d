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

// checkPrograms reads the Go programs of every platform's image in the archive, also of those beyond the configured
// ones: the program that the image starts, and those that its Dockerfile copies out of another stage. It refuses one of
// another platform, and one of this repository with another version. What the Dockerfile compiles has to be of this
// repository. Of the platforms beyond, what is released is read here; of the others it is read where it is archived.
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
	isBeyond := func(p Platform) bool { return !slices.Contains(t.o.Platforms, p.Platform) }
	anyBeyond := slices.ContainsFunc(t.made, isBeyond)
	read := map[string][]program{} // by path
	for _, p := range t.made {
		filled, err := t.filled(ctx, p)
		if err != nil {
			return err
		}
		paths := slices.Concat(started(filled.config), copied, taken)
		slices.Sort(paths)
		for _, at := range slices.Compact(paths) {
			released := slices.Contains(taken, at)
			if released && !anyBeyond {
				continue // judged where it is archived
			}
			found, err := t.readProgram(ctx, filled, p.Platform, at, modules, released || slices.Contains(compiled, at))
			if err != nil {
				return err
			}
			if released && isBeyond(p) && !found.ours {
				return t.refused("read the program %s in it for %s, a platform beyond the configured ones: %s; build the "+
					"image for it again, or export the image without it", at, p.Platform, found.lacks(t.o.Version))
			}
			read[at] = append(read[at], found)
		}
	}
	return t.comparePrograms(read)
}

// program is what was found at a path of one platform's image.
type program struct {
	platform string
	isGo     bool // it is a Go program
	ours     bool // it is a Go program of this repository
	said     binary.Said
}

// comparePrograms refuses an image that starts a program of this repository with the version on one platform, and on
// another nothing, another program, or one that holds the version otherwise.
func (t *taking) comparePrograms(read map[string][]program) error {
	for _, at := range slices.Sorted(maps.Keys(read)) {
		best := -1
		for i, p := range read[at] {
			if p.ours && p.said.Version != "" && (best < 0 || p.said.Version == t.o.Version) {
				best = i
			}
		}
		if best < 0 {
			continue
		}
		right := read[at][best]
		for _, p := range read[at] {
			if !p.ours || p.said.Differs(right.said) {
				return t.refused("compare the program %s in it for %s and %s: the first one is of this repository and holds "+
					"%s, and of the second one %s; build the image again for all platforms from one commit", at,
					right.platform, p.platform, right.said.Version, p.lacks(right.said.Version))
			}
		}
	}
	return nil
}

// lacks says in what a program is not this repository's of the version.
func (p program) lacks(version string) string {
	switch {
	case !p.isGo:
		return "there is no Go program"
	case !p.ours:
		return "the program is of another module"
	case p.said.Version != "":
		return "the bytes hold " + p.said.Version
	}
	return "the bytes do not hold " + version
}

// readProgram judges one file of a platform's image. What is not there, or is no Go program, is refused nowhere here.
func (t *taking) readProgram(ctx context.Context, filled *filledImage, platform, at string, modules []string,
	ours bool) (program, error) {
	found := program{platform: platform}
	dir, err := os.MkdirTemp("", "release-program-")
	if err != nil {
		return found, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "program")
	if err := filled.extract(ctx, at, file); err != nil {
		return found, ctx.Err() // there is none
	}
	info, err := buildinfo.ReadFile(file)
	if err != nil {
		return found, nil
	}
	parsed, err := config.ParsePlatform(platform)
	if err != nil {
		return found, err
	}
	found.isGo, found.ours = true, ours || slices.Contains(modules, info.Main.Path)
	want := binary.Want{Platform: parsed}
	if found.ours {
		want.Modules, want.Version, want.Foreign = modules, t.o.Version, t.o.Foreign
	}
	if found.said, err = want.Check(file); err != nil {
		return found, t.refused("read the program %s in it for %s: %w", at, platform, err)
	}
	return found, nil
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
