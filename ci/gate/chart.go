package gate

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"helm.sh/helm/v4/pkg/chart/common"
	commonutil "helm.sh/helm/v4/pkg/chart/common/util"
	chartv2 "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/lint"
	"helm.sh/helm/v4/pkg/chart/v2/lint/support"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
	"helm.sh/helm/v4/pkg/engine"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
)

const (
	releaseName      = "release-name"
	releaseNamespace = "default"
	defaultValues    = "default values"
)

// renderedChart is a chart with what it renders to.
type renderedChart struct {
	dir        string // relative to the tree
	appVersion string
	values     map[string]any // of its values.yaml
	renderings []rendering    // the one with default values first
}

// rendering is what one set of values makes of a chart.
type rendering struct {
	set     string // defaultValues or a file's path in the chart
	objects []*object
	failed  bool
}

// document is one YAML document that a chart yields.
type document struct {
	file string // where it comes from, relative to the tree
	text string
}

func checkChart(ctx context.Context, tree, dir string) ([]Check, renderedChart) {
	root := filepath.Join(tree, filepath.FromSlash(dir))
	checks := []Check{lintChart(tree, dir)}
	chart := renderedChart{dir: dir}
	if ch, err := loader.LoadDir(root); err == nil {
		chart.appVersion, chart.values = ch.AppVersion(), ch.Values
	}

	sets, err := valuesFiles(root)
	if err != nil {
		checks = append(checks, Check{Name: RenderCheck, Subject: dir, Status: Failed, Details: []string{
			fmt.Sprintf("looking for %s/ci/*-values.yaml: %v", dir, err)}})
	}

	seen := memo{}
	for _, file := range append([]string{""}, sets...) {
		r := rendering{set: defaultValues}
		if file != "" {
			r.set = "ci/" + filepath.Base(file)
		}
		subject := dir + ", " + r.set
		docs, note, err := render(ctx, root, dir, file)
		if err != nil {
			r.failed = true
			checks = append(checks,
				Check{Name: RenderCheck, Subject: subject, Status: Failed, Details: lines(strings.ReplaceAll(err.Error(), root, dir))},
				Check{Name: ObjectsCheck, Subject: subject, Status: NotChecked, Details: []string{"the chart did not render"}})
		} else {
			var objectChecks []Check
			objectChecks, r.objects = checkObjects(subject, docs, seen)
			checks = append(checks, verdict(RenderCheck, subject, nil, note))
			checks = append(checks, objectChecks...)
		}
		chart.renderings = append(chart.renderings, r)
	}
	return checks, chart
}

// valuesFiles finds ci/*-values.yaml, by name. It looks on disk, for ci/ is
// usually in .helmignore.
func valuesFiles(root string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(root, "ci"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var files []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), "-values.yaml") {
			files = append(files, filepath.Join(root, "ci", e.Name()))
		}
	}
	return files, err
}

// lintChart fails on errors; warnings are details. What the linter merely
// recommends (an icon) is left out.
func lintChart(tree, dir string) Check {
	root := filepath.Join(tree, filepath.FromSlash(dir))
	linter := lint.RunAll(root, nil, releaseNamespace)
	check := Check{Name: LintCheck, Subject: dir, Status: Passed}
	for _, m := range linter.Messages {
		if m.Severity < support.WarningSev {
			continue
		}
		if m.Severity >= support.ErrorSev {
			check.Status = Failed
		}
		check.Details = append(check.Details, lines(strings.ReplaceAll(m.Error(), root, dir))...)
	}
	return check
}

// render returns the documents a chart yields with the values of a file, or
// with its defaults alone, and notes on how.
func render(ctx context.Context, root, dir, valuesFile string) ([]document, []string, error) {
	ch, rendered, err := renderFor(ctx, root, dir, valuesFile, nil)
	if err != nil && ch != nil {
		// Charts ask for the APIs of other operators and refuse to render where
		// they are absent, which is right, and no reason to fail.
		if foreign := foreignAPIs(ch); len(foreign) > 0 {
			if ch, again, errAgain := renderFor(ctx, root, dir, valuesFile, foreign); errAgain == nil {
				docs, err := documents(ch, dir, again)
				return docs, []string{"renders only for a cluster that has (some of) " + strings.Join(foreign, ", ")}, err
			}
		}
	}
	if err != nil {
		return nil, nil, err
	}
	docs, err := documents(ch, dir, rendered)
	return docs, nil, err
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
			return nil, nil, fmt.Errorf("reading the values %s/ci/%s: %w; correct the file", dir, filepath.Base(valuesFile), err)
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
	options := common.ReleaseOptions{Name: releaseName, Namespace: releaseNamespace, IsInstall: true, Revision: 1}
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

// documents splits what a chart renders to, its crds/ first; the rest by path.
func documents(ch *chartv2.Chart, dir string, rendered map[string]string) ([]document, error) {
	var docs []document
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
	scheme, _ := kubernetes()
	var apis []string
	for _, template := range ch.Templates {
		for _, m := range askedAPI.FindAllSubmatch(template.Data, -1) {
			api := string(m[1])
			if group, _, ok := strings.Cut(api, "/"); ok && !scheme.IsGroupRegistered(group) {
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

func split(file, text string) ([]document, error) {
	var docs []document
	reader := utilyaml.NewYAMLReader(bufio.NewReader(strings.NewReader(text)))
	for {
		doc, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return docs, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w; end the line after ---", file, err)
		}
		docs = append(docs, document{file: file, text: string(doc)})
	}
}
