package image

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// imageConfig is an OCI image config with those of Docker's fields that an image inherits.
type imageConfig struct {
	Created *time.Time `json:"created,omitempty"`
	Author  string     `json:"author,omitempty"`
	ocispec.Platform
	Config  containerConfig   `json:"config"`
	RootFS  ocispec.RootFS    `json:"rootfs"`
	History []ocispec.History `json:"history,omitempty"`
}

type containerConfig struct {
	ocispec.ImageConfig
	Healthcheck json.RawMessage `json:"Healthcheck,omitempty"`
	Shell       []string        `json:"Shell,omitempty"`
	OnBuild     []string        `json:"OnBuild,omitempty"` // of a base only: refused
}

// defaultPath is the PATH that BuildKit gives an image without one, FROM scratch too.
const defaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// scratch is the config that FROM scratch starts from.
func scratch() imageConfig {
	c := imageConfig{RootFS: ocispec.RootFS{Type: "layers", DiffIDs: []digest.Digest{}}}
	c.Config.WorkingDir = "/"
	return c
}

// start makes a config, of scratch or of a base, one of platform p built at this time.
func (c *imageConfig) start(p ocispec.Platform, when time.Time) {
	c.Created, c.OS, c.Architecture, c.Variant = &when, p.OS, p.Architecture, p.Variant
	c.Config.Labels, c.Config.ExposedPorts = maps.Clone(c.Config.Labels), maps.Clone(c.Config.ExposedPorts)
	c.Config.Env = slices.Clone(c.Config.Env)
	if !slices.ContainsFunc(c.Config.Env, func(e string) bool { return strings.HasPrefix(e, "PATH=") }) {
		c.Config.Env = append(c.Config.Env, defaultPath)
	}
}

// setEnv sets a variable where it stands already, else at the end.
func (c *imageConfig) setEnv(key, value string) {
	for i, e := range c.Config.Env {
		if name, _, _ := strings.Cut(e, "="); name == key {
			c.Config.Env[i] = key + "=" + value
			return
		}
	}
	c.Config.Env = append(c.Config.Env, key+"="+value)
}

func (c *imageConfig) label(labels map[string]string) {
	if c.Config.Labels == nil && len(labels) > 0 {
		c.Config.Labels = map[string]string{}
	}
	maps.Copy(c.Config.Labels, labels)
}

func (c *imageConfig) expose(ports []string) {
	if c.Config.ExposedPorts == nil {
		c.Config.ExposedPorts = map[string]struct{}{}
	}
	for _, p := range ports {
		c.Config.ExposedPorts[p] = struct{}{}
	}
}

// commandLine is what ENTRYPOINT or CMD run: a line for a shell is given to the base's shell, or to /bin/sh.
func (c *imageConfig) commandLine(line []string, shell bool) []string {
	if !shell {
		return line
	}
	with := []string{"/bin/sh", "-c"}
	if len(c.Config.Shell) > 0 {
		with = slices.Clone(c.Config.Shell)
	}
	return append(with, strings.Join(line, " "))
}

// did records an instruction.
func (c *imageConfig) did(instruction string, when time.Time, madeLayer bool) {
	c.History = append(c.History, ocispec.History{Created: &when, CreatedBy: instruction, EmptyLayer: !madeLayer})
}

// completeHistory makes the history of a base name each of its layers. Some tools write none, or
// too little, and readers match layers with history by counting.
func (c *imageConfig) completeHistory(reference string, when time.Time) {
	layers := 0
	for _, h := range c.History {
		if !h.EmptyLayer {
			layers++
		}
	}
	if layers == len(c.RootFS.DiffIDs) {
		return
	}
	c.History = nil
	for range c.RootFS.DiffIDs {
		c.did("FROM "+reference, when, true)
	}
}

// withBase adds the OCI annotations that name an image's base, unless they are set.
func withBase(labels map[string]string, reference string, d digest.Digest) map[string]string {
	all := map[string]string{
		ocispec.AnnotationBaseImageName:   normalise(reference),
		ocispec.AnnotationBaseImageDigest: d.String(),
	}
	maps.Copy(all, labels)
	return all
}
