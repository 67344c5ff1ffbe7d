// Package render tells what a Helm chart renders to: the documents that would be applied by a first installation, its crds/ included.
//
// It needs no cluster and no network: a chart whose dependencies are not in its charts/ is not rendered. Whether the documents are right, or what they mean, is not
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
	"helm.sh/helm/v4/pkg/chart/v2/loader"
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
}

// Document is one YAML document of a rendering.
type Document struct {
	File string // where it comes from, relative to the tree
	Text string
}

// Chart renders the chart in the folder root, which is dir in its tree, with the values of a file, or with its defaults alone where valuesFile is empty. A chart that
// refuses to render where other operators' APIs are absent is rendered for a cluster that has them, and a note says so. Errors name files as they are in the tree.
func Chart(ctx context.Context, root, dir, valuesFile string) (Rendering, error) {
	ch, rendered, err := renderFor(ctx, root, dir, valuesFile, nil)
	var notes []string
	if err != nil && ch != nil {
		// Charts ask for the APIs of other operators and refuse to render where
		// they are absent, which is right, and no reason to fail.
		if foreign := foreignAPIs(ch); len(foreign) > 0 {
			if again, renderedAgain, errAgain := renderFor(ctx, root, dir, valuesFile, foreign); errAgain == nil {
				ch, rendered, err = again, renderedAgain, nil
				notes = []string{"renders only for a cluster that has (some of) " + strings.Join(foreign, ", ")}
			}
		}
	}
	if err != nil {
		return Rendering{}, err
	}
	docs, err := documents(ch, dir, rendered)
	return Rendering{Chart: ch.Name(), Version: ch.Metadata.Version, AppVersion: ch.AppVersion(), Documents: docs, Notes: notes}, err
}

// renderFor renders for a cluster that has these APIs beside Helm's defaults.
// The chart is loaded anew each time, since rendering alters it.
func renderFor(ctx context.Context, root, dir, valuesFile string, apis []string) (*chartv2.Chart, map[string]string, error) {
	ch, err := loader.LoadDir(root)
	if err != nil {
		return nil, nil, fmt.Errorf("loading the chart %s: %w", dir, err)
	}
	values := common.Values{}
	if valuesFile != "" {
		if values, err = common.ReadValuesFile(valuesFile); err != nil {
			return nil, nil, fmt.Errorf("reading the values %s: %w; correct the file", valuesName(root, dir, valuesFile), err)
		}
	}
	if err := dependenciesPresent(ch, dir); err != nil {
		return nil, nil, err
	}
	if err := chartutil.ProcessDependencies(ch, values); err != nil {
		return nil, nil, fmt.Errorf("resolving the dependencies of %s: %w", dir, err)
	}
	capabilities := common.DefaultCapabilities.Copy()
	capabilities.APIVersions = slices.Concat(capabilities.APIVersions, apis)
	options := common.ReleaseOptions{Name: Release, Namespace: Namespace, IsInstall: true, Revision: 1}
	top, err := commonutil.ToRenderValues(ch, values, options, capabilities)
	if err != nil {
		return ch, nil, fmt.Errorf("%w\ncorrect the values, or values.schema.json", err)
	}
	rendered, err := engine.Engine{}.RenderWithContext(ctx, ch, top)
	if err != nil {
		return ch, nil, fmt.Errorf("%s; correct the template or the values", inTree(err.Error(), ch.Name(), dir))
	}
	return ch, rendered, nil
}

// valuesName is what a file of values is called in the tree.
func valuesName(root, dir, file string) string {
	if name, err := filepath.Rel(root, file); err == nil && filepath.IsLocal(name) {
		return path.Join(dir, filepath.ToSlash(name))
	}
	return file
}

// documents splits what a chart renders to, its crds/ first; the rest by path.
func documents(ch *chartv2.Chart, dir string, rendered map[string]string) ([]Document, error) {
	var docs []Document
	add := func(name, text string) error {
		more, err := split(inTree(name, ch.Name(), dir), text)
		docs = append(docs, more...)
		return err
	}
	var errs []error
	for _, crd := range ch.CRDObjects() {
		errs = append(errs, add(filepath.ToSlash(crd.Filename), string(crd.File.Data)))
	}
	for _, name := range slices.Sorted(maps.Keys(rendered)) {
		if path.Base(name) != "NOTES.txt" {
			errs = append(errs, add(name, rendered[name]))
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

// dependenciesPresent compares Chart.yaml with charts/, since Helm would leave a
// subchart of another version out without a word.
func dependenciesPresent(ch *chartv2.Chart, dir string) error {
	var errs []error
	for _, want := range ch.Metadata.Dependencies {
		if want == nil {
			continue
		}
		var versions []string
		fits := false
		for _, have := range ch.Dependencies() {
			if have.Name() == want.Name {
				versions = append(versions, have.Metadata.Version)
				fits = fits || chartutil.IsCompatibleRange(want.Version, have.Metadata.Version)
			}
		}
		const remedy = "run `helm dependency update %s` before the chart is tested, or commit charts/"
		switch {
		case len(versions) == 0:
			errs = append(errs, fmt.Errorf("the dependency %s %s (%s) that %s/Chart.yaml declares is not in %s/charts; "+remedy,
				want.Name, want.Version, want.Repository, dir, dir, dir))
		case !fits:
			errs = append(errs, fmt.Errorf("%s/Chart.yaml declares the dependency %s %s, but %s/charts holds %s; "+remedy,
				dir, want.Name, want.Version, dir, strings.Join(versions, ", "), dir))
		}
	}
	return errors.Join(errs...)
}

// inTree turns the engine's names of templates, which start with the chart's
// name, into paths of the tree.
func inTree(text, chart, dir string) string {
	pattern := regexp.MustCompile(`(^|[^\w./-])` + regexp.QuoteMeta(chart) + `/(templates|charts|crds)/`)
	return pattern.ReplaceAllString(text, "${1}"+strings.ReplaceAll(dir, "$", "$$")+"/${2}/")
}

func split(file, text string) ([]Document, error) {
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
