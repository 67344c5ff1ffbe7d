package gate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"helm.sh/helm/v4/pkg/chart/v2/lint"
	"helm.sh/helm/v4/pkg/chart/v2/lint/support"
	"helm.sh/helm/v4/pkg/chart/v2/loader"

	"github.com/operator-release/operator-release/ci/render"
)

const defaultValues = "default values"

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

func checkChart(ctx context.Context, tree, dir string) ([]Check, renderedChart) {
	root := filepath.Join(tree, filepath.FromSlash(dir))
	chart := renderedChart{dir: dir}
	if err := render.CheckLinks(tree, filepath.FromSlash(dir)); err != nil {
		return []Check{{Name: LintCheck, Subject: dir, Status: Failed, Details: []string{err.Error()}}}, chart
	}
	checks := []Check{lintChart(tree, dir)}
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
		rendered, err := render.Chart(ctx, root, dir, file)
		if err != nil {
			r.failed = true
			checks = append(checks,
				Check{Name: RenderCheck, Subject: subject, Status: Failed, Details: lines(strings.ReplaceAll(err.Error(), root, dir))},
				Check{Name: ObjectsCheck, Subject: subject, Status: NotChecked, Details: []string{"the chart did not render"}})
		} else {
			var objectChecks []Check
			objectChecks, r.objects = checkObjects(subject, rendered.Documents, seen)
			checks = append(checks, verdict(RenderCheck, subject, nil, rendered.Notes))
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
	linter := lint.RunAll(root, nil, render.Namespace)
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
