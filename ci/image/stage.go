package image

import (
	"context"
	"fmt"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/operator-release/operator-release/ci/archive"
	"github.com/operator-release/operator-release/ci/refusal"
)

// stage carries out the one stage of a Dockerfile for one platform.
type stage struct {
	o        Options
	name     string // the platform's
	platform ocispec.Platform
	file     *dockerfile
	def      *instructions.Stage
	files    *buildContext
	lex      *shell.Lex
	from     string     // what FROM names
	base     *baseImage // nil where it is scratch
	global   variables

	vars   variables // what $NAME yields now
	config imageConfig
	tree   *tree // what the image holds now
	layers []ocispec.Descriptor
	cmdSet bool // this Dockerfile has set CMD

	binaries []string // released binaries that were copied, sorted
}

// newStage parses the Dockerfile for this platform: expansion changes the parsed instructions.
func newStage(o Options, name string, files *buildContext) (*stage, error) {
	platform, err := parsePlatform(name)
	if err != nil {
		return nil, err
	}
	file, err := o.dockerfile()
	if err != nil {
		return nil, err
	}
	s := &stage{o: o, name: name, platform: platform, file: file, def: file.stages[0], files: files, lex: file.lexer(), vars: variables{}, tree: newTree()}
	target := o.Target
	if target == "" {
		target = s.def.Name
	}
	if s.global, err = file.globalArgs(platformArgs(platform, target), o.Args); err != nil {
		return nil, err
	}
	from, problem := file.base(s.def, s.global)
	if problem != nil {
		return nil, refusal.New("%s", problem.Describe(file.path))
	}
	s.from = from
	return s, nil
}

// build carries the instructions out and stores layers, config and manifest.
func (s *stage) build(ctx context.Context) (Platform, error) {
	s.config = scratch()
	if s.base != nil {
		s.config = s.base.config
		s.layers = append(s.layers, s.base.layers...)
		for i, desc := range s.base.layers {
			if err := s.tree.readLayer(ctx, s.o.Layout, desc, s.config.RootFS.DiffIDs[i], i); err != nil {
				return Platform{}, fmt.Errorf("base image %s for %s: %w", s.from, s.name, err)
			}
		}
		s.config.completeHistory(s.from, s.o.Time)
	}
	s.config.start(s.platform, s.o.Time)
	for _, e := range s.config.Config.Env {
		key, value, _ := strings.Cut(e, "=")
		s.vars[key] = value
	}
	for _, c := range s.def.Commands {
		made, err := s.do(c)
		if err != nil {
			return Platform{}, err
		}
		if made != nil {
			desc, diff, err := made.write(ctx, s.o.Layout, s.o.Time)
			if err != nil {
				return Platform{}, fmt.Errorf("%s:%d: write the layer of %s: %w", s.file.path, first(c.Location()), shorten(text(c)), err)
			}
			s.layers = append(s.layers, desc)
			s.config.RootFS.DiffIDs = append(s.config.RootFS.DiffIDs, diff)
		}
		s.config.did(text(c), s.o.Time, made != nil)
	}
	if len(s.layers) == 0 {
		return Platform{}, refusal.New("%s: the image would be empty: it is FROM scratch and nothing is copied into it", s.file.path)
	}
	s.config.label(s.o.Labels)
	return s.write()
}

func (s *stage) write() (Platform, error) {
	config, err := s.o.Layout.PutJSON(ocispec.MediaTypeImageConfig, s.config)
	if err != nil {
		return Platform{}, err
	}
	annotations := s.o.Labels
	if s.base != nil {
		annotations = withBase(annotations, s.from, s.base.manifest)
	}
	manifest, err := s.o.Layout.PutJSON(ocispec.MediaTypeImageManifest, ocispec.Manifest{
		Versioned:   specs.Versioned{SchemaVersion: 2},
		MediaType:   ocispec.MediaTypeImageManifest,
		Config:      config,
		Layers:      s.layers,
		Annotations: annotations,
	})
	manifest.Platform = &s.platform
	return Platform{Platform: s.name, Manifest: manifest, Config: config.Digest, Binaries: s.binaries}, err
}

// do carries out one instruction; where it changes files it gives the layer.
func (s *stage) do(c instructions.Command) (layer, error) {
	if a, ok := c.(*instructions.ArgCommand); ok {
		return nil, s.arg(a) // its default is expanded only where it is used
	}
	if e, ok := c.(instructions.SupportsSingleWordExpansion); ok {
		err := e.Expand(func(word string) (string, error) {
			value, _, err := s.lex.ProcessWord(word, s.vars)
			return value, err
		})
		if err != nil {
			return nil, s.file.refused(c, "correct it", "%v", err)
		}
	}
	config := &s.config.Config
	switch c := c.(type) {
	case *instructions.EnvCommand:
		for _, e := range c.Env {
			s.config.setEnv(e.Key, e.Value)
			s.vars[e.Key] = e.Value
		}
	case *instructions.LabelCommand:
		for _, v := range c.Labels {
			s.config.label(map[string]string{v.Key: v.Value})
		}
	case *instructions.UserCommand:
		config.User = c.User
	case *instructions.ExposeCommand:
		return nil, s.expose(c)
	case *instructions.EntrypointCommand:
		config.Entrypoint = s.config.commandLine(c.CmdLine, c.PrependShell)
		if !s.cmdSet {
			config.Cmd = nil // the base's CMD belongs to the base's ENTRYPOINT
		}
	case *instructions.CmdCommand:
		config.Cmd, s.cmdSet = s.config.commandLine(c.CmdLine, c.PrependShell), true
	case *instructions.WorkdirCommand:
		return s.workdir(c)
	case *instructions.CopyCommand:
		return s.copy(c)
	default:
		return nil, s.file.refused(c, wayBuilder, "it is not carried out in process")
	}
	return nil, nil
}

// arg declares arguments: what is given wins over the default here, this over the one before FROM.
func (s *stage) arg(c *instructions.ArgCommand) error {
	for _, a := range c.Args {
		if value, given := s.o.Args[a.Key]; given {
			s.vars[a.Key] = value
		} else if a.Value != nil {
			value, _, err := s.lex.ProcessWord(*a.Value, s.vars)
			if err != nil {
				return s.file.refused(c, "correct it", "%v", err)
			}
			s.vars[a.Key] = value
		} else if value, ok := s.global[a.Key]; ok {
			s.vars[a.Key] = value
		}
	}
	return nil
}

func (s *stage) expose(c *instructions.ExposeCommand) error {
	for _, word := range c.Ports {
		words, err := s.lex.ProcessWords(word, s.vars)
		if err != nil {
			return s.file.refused(c, "correct it", "%v", err)
		}
		for _, w := range words {
			p, err := ports(w)
			if err != nil {
				return s.file.refused(c, wayPort, "%v", err)
			}
			s.config.expose(p)
		}
	}
	return nil
}

// workdir sets the working folder, and makes it where the image lacks it: owned by USER, as with Docker.
func (s *stage) workdir(c *instructions.WorkdirCommand) (layer, error) {
	if c.Path == "" {
		return nil, s.file.refused(c, "name a folder", "it expands to nothing")
	}
	dir := s.absolute(c.Path)
	s.config.Config.WorkingDir = dir
	real, n, err := s.tree.resolve(dir)
	if err == nil && n != nil && !n.isDir() {
		err = fmt.Errorf("%s is a file in the image", dir)
	}
	if err != nil {
		return nil, s.file.refused(c, "name a folder", "%v", err)
	}
	if n != nil {
		return nil, nil
	}
	e := archive.Entry{Name: real, Dir: true, Mode: archive.Executable}
	if user := s.config.Config.User; user != "" && user != "root" {
		if e.UID, e.GID, err = owner(user); err != nil {
			return nil, s.file.refused(c, "write USER as UID:GID, or behind WORKDIR", "%s is not in the image yet, and would belong to USER %s, whose number is unknown here", dir, user)
		}
	}
	made := layer{}
	return made, s.add(c, made, e)
}

// absolute is a path of the image, taken from the working folder where it is relative.
func (s *stage) absolute(p string) string { return under(s.config.Config.WorkingDir, p) }
