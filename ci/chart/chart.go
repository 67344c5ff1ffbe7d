package chart

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	helm "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/chart/v2/util"

	"github.com/operator-release/operator-release/ci/archive"
	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/render"
	"github.com/operator-release/operator-release/ci/version"
)

// Helm's media types: https://helm.sh/docs/topics/registries/#helm-chart-manifest.
const (
	ConfigType = "application/vnd.cncf.helm.config.v1+json"
	LayerType  = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
)

// Options are all that a chart is made of.
type Options struct {
	Tree        string           // the release commit's tree
	Path        string           // the chart's folder in it, slash-separated
	Fetch       []config.Package // dependencies that are not in the tree
	Repository  string           // where charts go; the chart's name is added
	Version     version.Version
	Time        time.Time         // of every packaged file
	Annotations map[string]string // of the manifest; Helm's own for title, version and description win
	Layout      *bundle.Layout    // where blobs go
}

// Chart is what was made.
type Chart struct {
	Name       string             `json:"name"`
	Repository string             `json:"repository"` // with the chart's name
	Tag        string             `json:"tag"`        // the chart's version
	File       string             `json:"file"`       // name of the package: spark-operator-1.5.0.tgz
	Manifest   ocispec.Descriptor `json:"manifest"`
	Package    ocispec.Descriptor `json:"package"`
}

// Package packages the chart. A chart that does not carry the version, lacks a dependency, or reaches out of
// the repository by a symbolic link is refused.
func Package(ctx context.Context, o Options) (Chart, error) {
	dir := filepath.Join(o.Tree, filepath.FromSlash(o.Path))
	if _, err := os.Stat(filepath.Join(dir, "Chart.yaml")); err != nil {
		return Chart{}, refusal.New("load chart %s: %w", dir, err)
	}
	if err := render.CheckLinks(o.Tree, filepath.FromSlash(o.Path)); err != nil {
		return Chart{}, refusal.New("package chart %s: %w", o.Path, err)
	}
	root, err := os.OpenRoot(o.Tree)
	if err != nil {
		return Chart{}, err
	}
	defer root.Close()
	source, err := render.Read(ctx, root.FS(), o.Path, o.Fetch)
	if err != nil {
		return Chart{}, fmt.Errorf("package chart %s: %w", o.Path, err)
	}
	if err := source.Check(); err != nil {
		return Chart{}, fmt.Errorf("package chart %s: %w", o.Path, err)
	}
	c, err := source.Chart()
	if err != nil {
		return Chart{}, err
	}
	if err := check(o, c); err != nil {
		return Chart{}, err
	}
	c.StampModTimes(o.Time.UTC().Truncate(time.Second))
	out, err := os.MkdirTemp("", "release-chart-")
	if err != nil {
		return Chart{}, err
	}
	defer os.RemoveAll(out)
	saved, err := util.Save(c, out)
	if err != nil {
		return Chart{}, fmt.Errorf("package chart %s: %w", o.Path, err)
	}
	packaged, err := loader.Load(saved)
	if err != nil {
		return Chart{}, fmt.Errorf("load the package of chart %s: %w", o.Path, err)
	}
	if unmet := render.Unmet(packaged); len(unmet) > 0 {
		return Chart{}, refusal.New("package chart %s: %s", o.Path, strings.Join(unmet, "; "))
	}
	made := Chart{Name: c.Name(), Repository: o.Repository + "/" + c.Name(), Tag: c.Metadata.Version, File: filepath.Base(saved)}
	if made.Package, err = store(o.Layout, saved); err != nil {
		return Chart{}, err
	}
	made.Manifest, err = manifest(o, c.Metadata, made.Package)
	return made, err
}

// store compresses Helm's package again: Helm uses the standard library, whose output changes between Go releases.
func store(layout *bundle.Layout, saved string) (ocispec.Descriptor, error) {
	content, err := os.ReadFile(saved)
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	return layout.Write(LayerType, func(w io.Writer) error { return archive.Regzip(w, bytes.NewReader(content)) })
}

func manifest(o Options, meta *helm.Metadata, layer ocispec.Descriptor) (ocispec.Descriptor, error) {
	content, err := json.Marshal(meta)
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	config, err := o.Layout.Put(ConfigType, bytes.NewReader(content))
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	annotations := maps.Clone(o.Annotations)
	if annotations == nil {
		annotations = map[string]string{}
	}
	for key, value := range map[string]string{
		ocispec.AnnotationTitle: meta.Name, ocispec.AnnotationVersion: meta.Version, ocispec.AnnotationDescription: meta.Description,
	} {
		if value != "" {
			annotations[key] = value
		}
	}
	return o.Layout.PutJSON(ocispec.MediaTypeImageManifest, ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest,
		Config: config, Layers: []ocispec.Descriptor{layer}, Annotations: annotations,
	})
}

func check(o Options, c *helm.Chart) error {
	m := c.Metadata
	if m.Version != o.Version.SemVer() {
		return refusal.New("package chart %s: its version is %s where %s belongs", o.Path, m.Version, o.Version.SemVer())
	}
	return nil
}
