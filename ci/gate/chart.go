package gate

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/v2/lint"
	"helm.sh/helm/v4/pkg/chart/v2/lint/support"

	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/render"
)

const defaultValues = "default values"

// renderedChart is a chart with what it renders to.
type renderedChart struct {
	dir         string // relative to the tree
	source      *render.Source
	appVersion  string
	kubeVersion string         // the constraint in Chart.yaml
	values      map[string]any // of its values.yaml
	renderings  []rendering    // those with default values first
}

// rendering is what one set of values makes of a chart.
type rendering struct {
	set        string // defaultValues or a file's path in the chart
	kubernetes string // such as v1.37.0
	byDefault  bool
	objects    []*object
	failed     bool
}

func checkChart(ctx context.Context, tree, dir string, packages ...config.Package) ([]Check, renderedChart) {
	root := filepath.Join(tree, filepath.FromSlash(dir))
	chart := renderedChart{dir: dir}
	if err := render.CheckLinks(tree, filepath.FromSlash(dir)); err != nil {
		return []Check{{Name: LintCheck, Subject: dir, Status: Failed, Details: []string{err.Error()}}}, chart
	}
	disk, err := os.OpenRoot(tree)
	if err != nil {
		return []Check{{Name: LintCheck, Subject: dir, Status: Failed, Details: []string{err.Error()}}}, chart
	}
	defer disk.Close()
	source, err := render.Read(ctx, disk.FS(), dir, packages)
	if err != nil {
		return []Check{lintChart(root, dir, "", nil), {Name: RenderCheck, Subject: dir, Status: Failed,
			Details: lines(err.Error())}}, chart
	}
	ch, err := source.Chart()
	if err == nil {
		err = source.CheckSchemas()
	}
	if err != nil { // Helm's linter would fetch what a schema refers to
		return []Check{{Name: LintCheck, Subject: dir, Status: Failed, Details: lines(err.Error())}}, chart
	}
	chart.appVersion, chart.kubeVersion, chart.values = ch.AppVersion(), source.KubeVersion(), ch.Values
	chart.source = source
	kubernetes, err := source.Kubernetes()
	if err != nil {
		return []Check{lintChart(root, dir, "", nil), {Name: RenderCheck, Subject: dir, Status: Failed,
			Details: []string{fmt.Sprintf("%s/Chart.yaml: %v", dir, err)}}}, chart
	}
	lint := lintSource(ctx, source, dir, kubernetes)
	if source.Check() == nil { // it is told where the chart is rendered
		lint.add(render.Unmet(ch), nil)
	}
	lint.add(source.OutOfSync(), nil)
	lint.add(largeFiles(source, ch, dir), oldKubeVersion(source, dir))
	checks := []Check{lint}
	c := chartCheck{source: source, dir: dir, kubernetes: kubernetes, nothing: ch.Metadata.Type == "library", seen: memo{}}
	checks = append(checks, c.withValues(ctx, nil, &chart)...)
	for _, given := range source.Examples() {
		checks = append(checks, c.withValues(ctx, &given, &chart)...)
	}
	return append(checks, c.withCRDs(ctx, chart)...), chart
}

// chartCheck renders one chart.
type chartCheck struct {
	source     *render.Source
	dir        string
	kubernetes render.Kubernetes
	nothing    bool // it renders nothing by itself: type: library in Chart.yaml
	seen       memo
	instead    *render.Given // stand in for the default values
}

// withValues renders the chart with the values that are given, or with its defaults, for every version of Kubernetes.
func (c *chartCheck) withValues(ctx context.Context, given *render.Given, chart *renderedChart) []Check {
	set, byDefault := defaultValues, given == nil
	if !byDefault {
		set = strings.TrimPrefix(given.File, c.dir+"/")
	}
	err := c.source.Check()
	subject := c.dir + ", " + set
	if c.nothing && err == nil {
		return []Check{{Name: RenderCheck, Subject: subject, Status: NotChecked, Details: []string{
			"a library chart renders no objects: charts that depend on it do"}}}
	}
	var checks []Check
	var before []render.Document
	for i, version := range c.kubernetes.Versions() {
		var rendered render.Rendering
		if err == nil {
			if rendered, err = c.source.Render(ctx, version, given); err != nil {
				err = fmt.Errorf("for Kubernetes %s: %w", version, err)
			}
		}
		if err != nil {
			chart.renderings = append(chart.renderings, rendering{set: set, byDefault: byDefault, failed: true})
			return append(checks,
				Check{Name: RenderCheck, Subject: subject, Status: Failed, Details: lines(err.Error())},
				Check{Name: ObjectsCheck, Subject: subject, Status: NotChecked, Details: []string{"the chart did not render"}})
		}
		notes := append([]string{c.kubernetes.Because}, rendered.Notes...)
		switch {
		case i == 0:
			check := verdict(RenderCheck, subject, c.releaseProblems(rendered.Documents, byDefault), notes)
			if rendered.Instead != nil && check.Status == Passed {
				check.Status = NotChecked
			}
			if byDefault {
				c.instead = rendered.Instead
			}
			checks = append(checks, check)
		case slices.Equal(before, rendered.Documents):
			continue
		default: // other objects than for the newest version
			subject += ", Kubernetes " + version
		}
		before = rendered.Documents
		r := rendering{set: set, kubernetes: version, byDefault: byDefault}
		var objectChecks []Check
		objectChecks, r.objects = checkObjects(subject, version, rendered.Documents, c.seen, nil)
		if rendered.Instead == nil { // else they are checked where those values are
			checks = append(checks, objectChecks...)
		}
		chart.renderings = append(chart.renderings, r)
	}
	return checks
}

// withCRDs checks the CRDs that the chart yields with none of the values before, since they hang on values of their
// own.
func (c chartCheck) withCRDs(ctx context.Context, chart renderedChart) []Check {
	known := map[string]bool{}
	for _, r := range chart.renderings {
		if r.failed {
			return nil // it is told
		}
		for _, o := range r.objects {
			if o.crd != nil {
				known[o.file+" "+o.crd.crd] = true
			}
		}
	}
	docs, values, err := c.source.WithCRDs(ctx, c.instead)
	if err != nil {
		return []Check{{Name: ObjectsCheck, Subject: c.dir + ", CRDs that values turn on", Status: NotChecked,
			Details: lines(err.Error())}}
	}
	var fit, unfit []render.Document
	for _, doc := range docs {
		objects := parse(doc).objects
		if len(objects) == 0 && strings.Contains(doc.Text, "kind: CustomResourceDefinition") {
			unfit = append(unfit, doc)
		}
		for _, o := range objects {
			switch {
			case o.crd == nil || known[o.file+" "+o.crd.crd]:
			case o.namesItself():
				fit = append(fit, doc)
			default: // the values are guessed
				unfit = append(unfit, doc)
			}
		}
	}
	subject := c.dir + ", CRDs with " + strings.Join(values, ", ")
	var checks []Check
	if len(fit) > 0 {
		checks, _ = checkObjects(subject, c.kubernetes.Newest, fit, c.seen, nil)
	}
	for _, doc := range unfit {
		checks = append(checks, Check{Name: ObjectsCheck, Subject: subject, Status: NotChecked,
			Details: []string{doc.File + ": with these values the CRD has no name of its own; name others in " +
				path.Join(c.dir, "ci", "crds-values.yaml")}})
	}
	return checks
}

// lintSource lints a chart with its dependencies, which need not lie in its folder.
func lintSource(ctx context.Context, source *render.Source, dir string, kubernetes render.Kubernetes) Check {
	scratch, err := os.MkdirTemp("", "release-lint-")
	if err != nil {
		return Check{Name: LintCheck, Subject: dir, Status: Failed, Details: []string{err.Error()}}
	}
	defer os.RemoveAll(scratch)
	at := filepath.Join(scratch, path.Base(dir))
	if err := source.WriteTo(at); err != nil {
		return Check{Name: LintCheck, Subject: dir, Status: Failed, Details: []string{err.Error()}}
	}
	check := lintChart(at, dir, kubernetes.Newest, nil)
	if check.Status == Passed || len(source.Examples()) == 0 {
		return check
	}
	rendered, err := source.Render(ctx, kubernetes.Newest, nil)
	if err != nil || rendered.Instead == nil {
		return check
	}
	values, err := common.ReadValues(rendered.Instead.Content)
	if err != nil {
		return check // it is told where the chart is rendered
	}
	check = lintChart(at, dir, kubernetes.Newest, values)
	check.Details = append(check.Details, "linted with "+rendered.Instead.File)
	return check
}

// lintChart lints the chart in the folder root with these values, for a version of Kubernetes. It fails on errors.
// What the linter merely recommends (an icon) is left out, and so is what removedAPIs tells.
func lintChart(root, dir, kubernetes string, values common.Values) Check {
	if content, err := os.ReadFile(filepath.Join(root, render.SchemaFile)); err == nil {
		if err := render.CheckSchema(content, path.Join(dir, render.SchemaFile)); err != nil {
			return Check{Name: LintCheck, Subject: dir, Status: Failed, Details: lines(err.Error())}
		}
	}
	var options []lint.LinterOption
	if version, err := common.ParseKubeVersion(kubernetes); err == nil {
		options = append(options, lint.WithKubeVersion(version))
	}
	linter := lint.RunAll(root, values, render.Namespace, options...)
	var problems, warnings []string
	for _, m := range linter.Messages {
		text := lines(strings.ReplaceAll(m.Error(), root, dir))
		switch {
		case m.Severity >= support.ErrorSev:
			problems = append(problems, text...)
		case m.Severity == support.WarningSev && !ofRemovedAPI(m.Error(), kubernetes):
			warnings = append(warnings, text...)
		}
	}
	check := Check{Name: LintCheck, Subject: dir, Status: Passed}
	check.add(problems, warnings)
	return check
}

// add adds problems, which fail a check, and warnings, after which it is no longer just passed.
func (c *Check) add(problems, warnings []string) {
	c.Details = slices.Concat(c.Details, problems, warnings)
	switch {
	case len(problems) > 0:
		c.Status = Failed
	case len(warnings) > 0 && c.Status == Passed:
		c.Status = Warned
	}
}

// oldKubeVersion warns of a kubeVersion that no supported version of Kubernetes meets.
func oldKubeVersion(source *render.Source, dir string) []string {
	versions, ok := render.Supported(source.KubeVersion())
	if ok {
		return nil
	}
	return []string{fmt.Sprintf("%s/Chart.yaml: kubeVersion %q allows no supported version of Kubernetes (%s), so Helm refuses "+
		"to install the chart there", dir, source.KubeVersion(), versions)}
}
