package gate

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCharts(t *testing.T) {
	const broken = "-- charts/operator/templates/extra.yaml --\n"
	for _, c := range []struct {
		name  string
		files string
		fails []string // of the checks that fail
		wants []string
	}{
		{
			name:  "a template error names file and line",
			files: broken + "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Values.absent.name }}\n",
			fails: []string{"chart lint", "chart render", "chart render"},
			wants: []string{"charts/operator/templates/extra.yaml:4:", "nil pointer evaluating"},
		},
		{
			name:  "a template that does not parse",
			files: broken + "a: {{ if }}\n",
			fails: []string{"chart lint", "chart render", "chart render"},
			wants: []string{"charts/operator/templates/extra.yaml:1", "missing value for if"},
		},
		{
			name:  "values that make a template refuse",
			files: broken + "{{ if .Values.bad }}{{ fail \"bad is bad\" }}{{ end }}\n-- charts/operator/ci/bad-values.yaml --\nbad: true\n",
			fails: []string{"chart render"},
			wants: []string{"(charts/operator, ci/bad-values.yaml)", "execution error at (charts/operator/templates/extra.yaml:1:", "bad is bad; correct the template or the values"},
		},
		{
			name:  "values that the schema refuses",
			files: "-- charts/operator/values.schema.json --\n{\"properties\":{\"image\":{\"properties\":{\"tag\":{\"maxLength\":3}}}}}\n",
			fails: []string{"chart render"},
			wants: []string{"(charts/operator, ci/ci-values.yaml)", "'/image/tag'", "correct the values, or values.schema.json"},
		},
		{
			name:  "values that are not YAML",
			files: "-- charts/operator/ci/ci-values.yaml --\na: b: c\n",
			fails: []string{"chart render"},
			wants: []string{"reading the values charts/operator/ci/ci-values.yaml", "correct the file"},
		},
		{
			name: "a dependency that is not there",
			files: "-- charts/operator/Chart.yaml --\napiVersion: v2\nname: operator\nversion: 1.5.0\nappVersion: v1.5.0\n" +
				"dependencies:\n- {name: redis, version: 1.x.x, repository: https://charts.example.com}\n",
			fails: []string{"chart render", "chart render"},
			wants: []string{"charts/operator/Chart.yaml:6: the dependency redis 1.x.x (https://charts.example.com) is not in charts/operator/charts of the commit; " +
				"run: helm dependency update charts/operator && git add --force charts/operator/charts"},
		},
		{
			name: "a dependency of another version",
			files: "-- charts/operator/Chart.yaml --\napiVersion: v2\nname: operator\nversion: 1.5.0\nappVersion: v1.5.0\n" +
				"dependencies:\n- {name: redis, version: 1.x.x, repository: https://charts.example.com}\n" +
				"-- charts/operator/charts/redis/Chart.yaml --\napiVersion: v2\nname: redis\nversion: 2.0.0\n",
			fails: []string{"chart render", "chart render"},
			wants: []string{"is not in charts/operator/charts of the commit, which holds 2.0.0; run: helm dependency update charts/operator"},
		},
		{
			name: "an error in a subchart",
			files: "-- charts/operator/Chart.yaml --\napiVersion: v2\nname: operator\nversion: 1.5.0\nappVersion: v1.5.0\n" +
				"dependencies:\n- {name: my-operator, version: 1.x.x}\n" +
				"-- charts/operator/charts/my-operator/Chart.yaml --\napiVersion: v2\nname: my-operator\nversion: 1.0.0\n" +
				"-- charts/operator/charts/my-operator/templates/a.yaml --\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nextra: 1\n",
			fails: []string{"objects", "objects"},
			wants: []string{"charts/operator/charts/my-operator/templates/a.yaml: ConfigMap a: unknown field \"extra\""},
		},
		{
			name:  "not a chart",
			files: "-- charts/operator/Chart.yaml --\n",
			fails: []string{"chart lint", "chart render"},
			wants: []string{"load the chart charts/operator"},
		},
		{
			name:  "a separator with something behind it",
			files: broken + "---apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
			fails: []string{"chart lint", "chart render", "chart render"},
			wants: []string{"charts/operator/templates/extra.yaml: invalid Yaml document separator: apiVersion: v1; end the line after ---"},
		},
		{
			name:  "a warning of the linter",
			files: "-- charts/operator/templates/extra.yaml --\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: Not_A_Name}\n",
			wants: []string{"passed chart lint (charts/operator)\n  [WARNING] templates/extra.yaml: object name does not conform"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			result := run(t, Options{Tree: tree(t, operatorChart, c.files), Charts: []string{"charts/operator"}})
			var fails []string
			for _, check := range result.Failed() {
				fails = append(fails, check.Name)
			}
			if diff := cmp.Diff(c.fails, fails); diff != "" {
				t.Errorf("failed checks, -want +got:\n%s", diff)
			}
			contains(t, result.Checks, c.wants...)
		})
	}
}

func TestMissingChart(t *testing.T) {
	result := run(t, Options{Tree: t.TempDir(), Charts: []string{"charts/absent"}})
	if result.Passed() {
		t.Errorf("passed:\n%s", details(result.Checks))
	}
	contains(t, result.Checks, "read chart charts/absent", "no such file or directory")
}
