// Package render tells what a Helm chart renders to: the documents that would be applied by a first installation, its crds/ included.
//
// It needs no cluster, and no network but for packages that the settings name by digest: a chart whose other
// dependencies are not in the tree is not rendered. Whether the documents are right, or what they mean, is not
// its business.
package render

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"helm.sh/helm/v4/pkg/chart/common"
	commonutil "helm.sh/helm/v4/pkg/chart/common/util"
	chartv2 "helm.sh/helm/v4/pkg/chart/v2"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
	"helm.sh/helm/v4/pkg/engine"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
)

// What every chart is rendered for.
const (
	Release   = "release-name" // the release's name, as `helm template` has it
	Namespace = "default"      // the release's namespace
)

// Rendering is what a chart renders to.
type Rendering struct {
	Chart      string // its name
	Version    string // of the chart
	AppVersion string
	Documents  []Document // those of crds/ first, the rest by file
	Notes      []string   // on how it was rendered, where that is not plain
	Instead    *Given     // the values that stand in for the defaults, which alone the chart refuses
}

// Document is one YAML document of a rendering.
type Document struct {
	File string // where it comes from, relative to the tree
	Text string
	Once bool // it lies in a crds folder: Helm installs it with a new release only
}

// Given are values that a chart is rendered with instead of its defaults.
type Given struct {
	File    string // where they come from, for errors
	Content []byte // YAML
}

// Render renders the chart for a version of Kubernetes, with the values that are given, or with its defaults alone. A
// chart that refuses to render where other operators' APIs are absent is rendered for a cluster that has them. A chart
// that refuses its defaults, by `required`, `fail` or its schema, is rendered with the first of its Examples that it
// takes. A note says so. Errors name files as they are in the tree.
func (s *Source) Render(ctx context.Context, kubernetes string, given *Given) (Rendering, error) {
	rendering, err := s.render(ctx, kubernetes, given)
	var refused *refusedValues
	if given != nil || !errors.As(err, &refused) {
		return rendering, err
	}
	for _, example := range s.examples {
		if instead, errInstead := s.render(ctx, kubernetes, &example); errInstead == nil {
			instead.Instead = &example
			instead.Notes = append(instead.Notes, fmt.Sprintf("the chart refuses its default values alone (%s), so it was "+
				"rendered with %s", strings.Join(strings.Fields(refused.why), " "), example.File))
			return instead, nil
		}
	}
	return rendering, err
}

// refusedValues is the answer of a chart that does not take its values.
type refusedValues struct {
	error
	why string // in the chart's words
}

func (s *Source) render(ctx context.Context, kubernetes string, given *Given) (Rendering, error) {
	ch, rendered, err := s.renderFor(ctx, kubernetes, given, nil)
	var notes []string
	if err != nil && ch != nil {
		// Charts ask for the APIs of other operators and refuse to render where
		// they are absent, which is right, and no reason to fail.
		if foreign := foreignAPIs(ch); len(foreign) > 0 {
			if again, renderedAgain, errAgain := s.renderFor(ctx, kubernetes, given, foreign); errAgain == nil {
				ch, rendered, err = again, renderedAgain, nil
				notes = []string{"renders only for a cluster that has (some of) " + strings.Join(foreign, ", ")}
			}
		}
	}
	if err != nil {
		return Rendering{}, err
	}
	docs, err := s.documents(ch, rendered)
	return Rendering{Chart: ch.Name(), Version: ch.Metadata.Version, AppVersion: ch.AppVersion(), Documents: docs, Notes: notes}, err
}

// renderFor renders for a cluster that has these APIs beside Helm's defaults.
// The chart is made anew each time, since rendering alters it.
func (s *Source) renderFor(ctx context.Context, kubernetes string, given *Given, apis []string) (*chartv2.Chart, map[string]string, error) {
	ch, err := s.Chart()
	if err != nil {
		return nil, nil, err
	}
	if err := s.checkSchemas(ch, s.dir); err != nil {
		return nil, nil, err
	}
	values := common.Values{}
	if given != nil {
		if values, err = common.ReadValues(given.Content); err != nil {
			return nil, nil, fmt.Errorf("reading the values %s: %w; correct the file", given.File, err)
		}
	}
	for _, p := range s.Problems {
		if !s.left[p.Name] {
			return nil, nil, s.Check()
		}
	}
	if err := chartutil.ProcessDependencies(ch, values); err != nil {
		return nil, nil, fmt.Errorf("resolving the dependencies of %s: %w", s.dir, err)
	}
	capabilities := common.DefaultCapabilities.Copy()
	capabilities.APIVersions = slices.Concat(capabilities.APIVersions, apis)
	version, err := common.ParseKubeVersion(kubernetes)
	if err != nil {
		return nil, nil, fmt.Errorf("rendering %s for Kubernetes %s: %w", s.dir, kubernetes, err)
	}
	capabilities.KubeVersion = *version
	options := common.ReleaseOptions{Name: Release, Namespace: Namespace, IsInstall: !s.upgrade, IsUpgrade: s.upgrade, Revision: 1}
	if s.upgrade {
		options.Revision = 2
	}
	top, err := commonutil.ToRenderValues(ch, values, options, capabilities)
	if err != nil {
		return ch, nil, &refusedValues{fmt.Errorf("%w\ncorrect the values, or values.schema.json", err), err.Error()}
	}
	rendered, err := engine.Engine{}.RenderWithContext(ctx, ch, top)
	if err != nil {
		why := s.inTree(err.Error())
		err = fmt.Errorf("%s; correct the template or the values", why)
		if strings.HasPrefix(why, "execution error at (") { // Helm's words for `required` and `fail`
			err = &refusedValues{err, why}
		}
		return ch, nil, err
	}
	return ch, rendered, nil
}

// Name is what the chart calls itself.
func (s *Source) Name() string { return s.meta.Name }

// Version is that of the chart.
func (s *Source) Version() string { return s.meta.Version }

// Examples are the chart's ci/*-values.yaml, by name, as the tools that test charts take them.
func (s *Source) Examples() []Given { return s.examples }

// Folder is where the chart lies in the tree.
func (s *Source) Folder() string { return s.dir }

// Dependencies are those that the chart declares.
func (s *Source) Dependencies() []*chartv2.Dependency { return s.meta.Dependencies }

// KubeVersion is what the chart says about the versions of Kubernetes that it is for.
func (s *Source) KubeVersion() string { return s.meta.KubeVersion }

// documents splits what a chart renders to, its crds/ first; the rest by path.
func (s *Source) documents(ch *chartv2.Chart, rendered map[string]string) ([]Document, error) {
	var docs []Document
	add := func(name, text string, once bool) error {
		more, err := Split(s.inTree(name), text)
		for i := range more {
			more[i].Once = once
		}
		docs = append(docs, more...)
		return err
	}
	var errs []error
	for _, crd := range ch.CRDObjects() {
		errs = append(errs, add(filepath.ToSlash(crd.Filename), string(crd.File.Data), true))
	}
	for _, name := range slices.Sorted(maps.Keys(rendered)) {
		if path.Base(name) != "NOTES.txt" {
			errs = append(errs, add(name, rendered[name], false))
		}
	}
	return docs, errors.Join(errs...)
}

var askedAPI = regexp.MustCompile(`APIVersions\.Has\s+\(?\s*"([^"]+)"`)

// foreignAPIs lists the API versions that templates ask for and that Kubernetes
// itself does not have.
func foreignAPIs(ch *chartv2.Chart) []string {
	var apis []string
	for _, template := range ch.Templates {
		for _, m := range askedAPI.FindAllSubmatch(template.Data, -1) {
			api := string(m[1])
			if group, _, ok := strings.Cut(api, "/"); ok && !ofKubernetes(group) {
				apis = append(apis, api)
			}
		}
	}
	for _, dependency := range ch.Dependencies() {
		apis = append(apis, foreignAPIs(dependency)...)
	}
	slices.Sort(apis)
	return slices.Compact(apis)
}

// ofKubernetes tells whether a group is one of those that Helm assumes in every cluster.
func ofKubernetes(group string) bool {
	return slices.ContainsFunc(common.DefaultCapabilities.APIVersions, func(version string) bool { return strings.HasPrefix(version, group+"/") })
}

// inTree turns the engine's names of templates, which start with the chart's
// name, into paths of the tree.
func inTree(text, chart, dir string) string {
	pattern := regexp.MustCompile(`(^|[^\w./-])` + regexp.QuoteMeta(chart) + `/(templates|charts|crds)/`)
	return pattern.ReplaceAllString(text, "${1}"+strings.ReplaceAll(dir, "$", "$$")+"/${2}/")
}

// Split splits the YAML documents of a file.
func Split(file, text string) ([]Document, error) {
	var docs []Document
	reader := utilyaml.NewYAMLReader(bufio.NewReader(strings.NewReader(text)))
	for {
		doc, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return docs, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w; end the line after ---", file, err)
		}
		docs = append(docs, Document{File: file, Text: string(doc)})
	}
}
