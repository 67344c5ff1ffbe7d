package image

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/sourcegraph/conc/pool"
	"oras.land/oras-go/v2/registry"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/refusal"
)

// Options are what one image is made of.
type Options struct {
	Repository string                       // such as docker.io/kubeflow/spark-operator
	Version    string                       // the tag, such as v1.5.0
	Tree       string                       // absolute path of the release commit's tree on disk
	Context    string                       // the build context, a slash path in Tree; "." where empty
	Dockerfile string                       // a slash path in Tree; "Dockerfile" where empty
	Args       map[string]string            // build arguments, rendered
	Target     string                       // the stage to build; in process it is empty or names the only stage
	Platforms  []string                     // linux/amd64, linux/arm64, linux/arm/v7
	Binaries   map[string]map[string]string // platform -> name of a binary -> path of the built file
	Time       time.Time                    // the release commit's time: every date that this build writes
	Labels     map[string]string            // on config, manifests and index; they win over LABEL of the same key
	Mirrors    map[string]string            // registry -> where to pull its images from instead: docker.io -> 127.0.0.1:5000
	PlainHTTP  []string                     // hosts, besides loopback, that are spoken to by plain HTTP
	Pins       map[string]digest.Digest     // base reference, as FROM says -> the digest to take, wherever its tag points by now
	Archive    string                       // an OCI archive or layout folder, taken over instead of building
	Foreign    []string                     // versions of other things, with which an archive's programs may be linked
	Take       map[string]string            // of an archive's image: name of a released binary -> its absolute path in the image
	TakeTo     string                       // folder that these are taken to, as <os>-<arch>/<name>
	Layout     *bundle.Layout               // where the blobs go
}

// Image is what was made.
type Image struct {
	Repository string             `json:"repository"`
	Tag        string             `json:"tag"`
	Index      ocispec.Descriptor `json:"index"`     // the image index in the layout, without a reference name
	Platforms  []Platform         `json:"platforms"` // ordered by name
	Bases      []Base             `json:"bases,omitempty"`
}

// Platform is one platform's image in the index.
type Platform struct {
	Platform string             `json:"platform"`
	Manifest ocispec.Descriptor `json:"manifest"`
	Config   digest.Digest      `json:"config"`
	Binaries []string           `json:"binaries,omitempty"` // released binaries that are in it, sorted
}

// Base is an image that another one was built from.
type Base struct {
	Reference string        `json:"reference"` // as FROM says, after its variables
	Digest    digest.Digest `json:"digest"`    // of the index or manifest that the reference names
}

// Build makes the image, from its Dockerfile or from Archive, and puts its blobs into Layout.
// Where it fails the layout may hold some blobs that nothing names, never half a one.
func Build(ctx context.Context, o Options) (Image, error) {
	if err := o.check(); err != nil {
		return Image{}, err
	}
	if o.Archive != "" {
		return takeOver(ctx, o)
	}
	file, err := o.dockerfile()
	if err != nil {
		return Image{}, err
	}
	if err := file.refuse(o); err != nil {
		return Image{}, err
	}
	all, err := readContext(o.Tree, o.Context, o.Dockerfile)
	if err != nil {
		return Image{}, err
	}
	stages := make([]*stage, len(o.Platforms))
	for i, name := range o.Platforms {
		files, err := all.with(name, o.Binaries[name])
		if err != nil {
			return Image{}, err
		}
		if stages[i], err = newStage(o, name, files); err != nil {
			return Image{}, err
		}
	}
	bases, err := pullBases(ctx, o, stages)
	if err != nil {
		return Image{}, err
	}
	made := make([]Platform, len(stages))
	failed := make([]error, len(stages))
	work := pool.New().WithMaxGoroutines(4)
	for i, s := range stages {
		work.Go(func() { made[i], failed[i] = s.build(ctx) })
	}
	work.Wait()
	for _, err := range failed { // the first platform's, so that a fault reads the same each time
		if err != nil {
			return Image{}, err
		}
	}
	img := Image{Repository: o.Repository, Tag: o.Version, Platforms: made, Bases: bases}
	annotations := o.Labels
	if len(bases) == 1 {
		annotations = withBase(annotations, bases[0].Reference, bases[0].Digest)
	}
	img.Index, err = o.Layout.PutIndex(manifests(made), annotations)
	return img, err
}

// check refuses what no image can be made of, and fills in what is left out.
func (o *Options) check() error {
	if ref, err := registry.ParseReference(o.Repository); err != nil || ref.Reference != "" {
		return refusal.New("image %q: this is no image repository; write REGISTRY/NAME without a tag, such as docker.io/kubeflow/spark-operator", o.Repository)
	}
	if _, err := registry.ParseReference(o.Repository + ":" + o.Version); err != nil || o.Version == "" || strings.Contains(o.Version, "@") {
		return refusal.New("image %s: %q can be no image tag", o.Repository, o.Version)
	}
	if o.Layout == nil {
		return errors.New("image " + o.Repository + ": no layout was given to put it into")
	}
	if len(o.Platforms) == 0 {
		return refusal.New("image %s: no platform was named; name one by --platform linux/amd64", o.Repository)
	}
	o.Platforms = slices.Clone(o.Platforms)
	slices.Sort(o.Platforms)
	for i, name := range o.Platforms {
		if _, err := parsePlatform(name); err != nil {
			return refusal.New("image %s: %w", o.Repository, err)
		}
		if i > 0 && o.Platforms[i-1] == name {
			return refusal.New("image %s: platform %s is named twice", o.Repository, name)
		}
	}
	if o.Archive != "" {
		return nil
	}
	if o.Context == "" {
		o.Context = "."
	}
	if o.Dockerfile == "" {
		o.Dockerfile = "Dockerfile"
	}
	if !filepath.IsAbs(o.Tree) || !filepath.IsLocal(filepath.FromSlash(o.Context)) || !filepath.IsLocal(filepath.FromSlash(o.Dockerfile)) {
		return refusal.New("image %s: context %q and Dockerfile %q must be relative paths within the tree %q, which is absolute", o.Repository, o.Context, o.Dockerfile, o.Tree)
	}
	if o.Time.IsZero() {
		return errors.New("image " + o.Repository + ": no time was given; it is the release commit's")
	}
	o.Time = o.Time.UTC().Truncate(time.Second)
	return nil
}

// dockerfile reads and parses the Dockerfile; each platform needs its own copy, for expansion is in place.
func (o *Options) dockerfile() (*dockerfile, error) {
	root, err := os.OpenRoot(o.Tree)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	content, err := root.ReadFile(filepath.FromSlash(o.Dockerfile))
	if err != nil {
		return nil, noDockerfile(o.Dockerfile, err)
	}
	return parseDockerfile(o.Dockerfile, content)
}

func manifests(made []Platform) []ocispec.Descriptor {
	var all []ocispec.Descriptor
	for _, p := range made {
		all = append(all, p.Manifest)
	}
	return all
}
