package gate

import (
	"math/rand/v2"
	"strings"
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
			name: "default values that a template refuses, and ci values that it takes",
			files: broken + "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: {{ required \"name the cluster\" .Values.cluster }}}\n-- charts/operator/ci/ci-values.yaml --\ncluster: a\n" +
				"image: {registry: docker.io, repository: example/operator, tag: ''}\n",
			wants: []string{
				"not checked chart render (charts/operator, default values)",
				"the chart refuses its default values alone (execution error at (charts/operator/templates/extra.yaml:4:13): " +
					"name the cluster), so it was rendered with charts/operator/ci/ci-values.yaml",
				"passed chart render (charts/operator, ci/ci-values.yaml)",
			},
		},
		{
			name: "default values that the schema refuses, and ci values that it takes",
			files: "-- charts/operator/values.schema.json --\n{\"required\":[\"cluster\"]}\n" +
				"-- charts/operator/ci/ci-values.yaml --\ncluster: a\n",
			wants: []string{
				"passed chart lint (charts/operator)\n  linted with charts/operator/ci/ci-values.yaml",
				"not checked chart render (charts/operator, default values)",
				"missing property 'cluster'), so it was rendered with charts/operator/ci/ci-values.yaml",
			},
		},
		{
			name:  "default values that a template refuses, and ci values that it refuses too",
			files: broken + "a: {{ fail \"no\" }}\n-- charts/operator/ci/ci-values.yaml --\ncluster: a\n",
			fails: []string{"chart render", "chart render"},
			wants: []string{"(charts/operator, default values)", "(charts/operator, ci/ci-values.yaml)"},
		},
		{
			name:  "a library chart",
			files: "-- charts/operator/Chart.yaml --\napiVersion: v2\nname: operator\nversion: 1.5.0\ntype: library\n",
			wants: []string{"not checked chart render (charts/operator, default values)\n  a library chart renders no objects"},
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
			fails: []string{"objects", "objects"},
			wants: []string{"warning chart lint (charts/operator)\n  [WARNING] templates/extra.yaml: object name does not conform",
				`ConfigMap Not_A_Name: metadata.name: Invalid value: "Not_A_Name": a lowercase RFC 1123 subdomain`},
		},
		{
			name:  "a kubeVersion that nothing meets",
			files: chartWith("kubeVersion: '>=1.30.0 <1.20.0'"),
			fails: []string{"chart render"},
			wants: []string{`charts/operator/Chart.yaml: kubeVersion ">=1.30.0 <1.20.0" allows no known version of Kubernetes (v1.16 to v1.37); correct it`},
		},
		{
			name:  "a kubeVersion that only old clusters meet",
			files: chartWith("kubeVersion: <1.22"),
			wants: []string{"warning chart lint (charts/operator)\n  charts/operator/Chart.yaml: kubeVersion \"<1.22\" allows no supported version of Kubernetes"},
		},
		{
			name:  "a kubeVersion that is no constraint",
			files: chartWith("kubeVersion: one dot thirty"),
			fails: []string{"chart render"},
			wants: []string{`charts/operator/Chart.yaml: kubeVersion "one dot thirty" is no range of versions, so Helm installs the chart nowhere; write one such as ">=1.35.0-0"`},
		},
		{
			name:  "a kubeVersion as most have it",
			files: chartWith("kubeVersion: '>=1.16.0-0'"),
			wants: []string{"passed chart lint (charts/operator)\n  \n"},
		},
		{
			name:  "a schema that refers to another host",
			files: "-- charts/operator/values.schema.json --\n{\"$ref\": \"https://schemas.example.com/values.json\"}\n",
			fails: []string{"chart lint"},
			wants: []string{"read charts/operator/values.schema.json: it refers to https://schemas.example.com/values.json", "copy what it needs into $defs"},
		},
		{
			name:  "a schema that refers to a file",
			files: "-- charts/operator/values.schema.json --\n{\"properties\": {\"image\": {\"$ref\": \"file:///etc/image.json\"}}}\n",
			fails: []string{"chart lint"},
			wants: []string{"it refers to file:///etc/image.json"},
		},
		{
			name:  "a schema that refers to a neighbour",
			files: "-- charts/operator/values.schema.json --\n{\"properties\": {\"image\": {\"$ref\": \"defs.json#/$defs/a\"}}}\n-- charts/operator/defs.json --\n{}\n",
			fails: []string{"chart lint"},
			wants: []string{"it refers to file:///defs.json"},
		},
		{
			name:  "a schema with a base elsewhere",
			files: "-- charts/operator/values.schema.json --\n{\"$id\": \"https://a.example.com/x.json\", \"properties\": {\"image\": {\"$ref\": \"y.json\"}}}\n",
			fails: []string{"chart lint"},
			wants: []string{"it refers to https://a.example.com/y.json"},
		},
		{
			name:  "a schema of a dialect elsewhere",
			files: "-- charts/operator/values.schema.json --\n{\"$schema\": \"https://a.example.com/dialect.json\"}\n",
			fails: []string{"chart lint"},
			wants: []string{"it refers to https://a.example.com/dialect.json"},
		},
		{
			name: "a schema of a dependency that refers to another host",
			files: chartWith("dependencies:\n- {name: sub, version: 1.x.x}") +
				"-- charts/operator/charts/sub/Chart.yaml --\napiVersion: v2\nname: sub\nversion: 1.0.0\n" +
				"-- charts/operator/charts/sub/values.schema.json --\n{\"$ref\": \"http://schemas.example.com/values.json\"}\n",
			fails: []string{"chart lint"},
			wants: []string{"read charts/operator/charts/sub/values.schema.json: it refers to http://schemas.example.com/values.json"},
		},
		{
			name: "a schema that stays in its file",
			files: "-- charts/operator/values.schema.json --\n{\"$schema\": \"http://json-schema.org/draft-07/schema#\", \"properties\": " +
				"{\"image\": {\"$ref\": \"#/$defs/a\"}}, \"$defs\": {\"a\": {\"type\": \"object\"}}}\n",
		},
		{
			name:  "a file that Helm 3 cannot load",
			files: "-- charts/operator/files/large.txt --\n" + strings.Repeat("large file\n", 500_000),
			fails: []string{"chart lint"},
			wants: []string{"charts/operator/files/large.txt has 5500000 bytes, and Helm 3 loads no chart with a file above 5242880"},
		},
		{
			name: "a file of a dependency that Helm 3 cannot load",
			files: chartWith("dependencies:\n- {name: sub, version: 1.x.x}") +
				"-- charts/operator/charts/sub/Chart.yaml --\napiVersion: v2\nname: sub\nversion: 1.0.0\n" +
				"-- charts/operator/charts/sub/large.txt --\n" + strings.Repeat("large file\n", 500_000),
			fails: []string{"chart lint"},
			wants: []string{"charts/operator/charts/sub/large.txt has 5500000 bytes"},
		},
		{
			name:  "a release that no Secret holds",
			files: "-- charts/operator/files/noise.txt --\n" + noise(1<<20),
			fails: []string{"chart render"},
			wants: []string{"charts/operator: a release of it takes a Secret of ", "and Kubernetes accepts 1048576, so `helm install` fails"},
		},
		{
			name:  "CRDs that no Secret holds",
			files: "-- charts/operator/crds/notes.txt --\n" + noise(1<<20),
			fails: []string{"chart render"},
			wants: []string{"charts/operator: a release of it takes a Secret of "},
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

// chartWith is Chart.yaml of the operator's chart with more lines.
func chartWith(lines string) string {
	return "-- charts/operator/Chart.yaml --\napiVersion: v2\nname: operator\nversion: 1.5.0\nappVersion: v1.5.0\n" + lines + "\n"
}

// noise is text that hardly compresses.
func noise(size int) string {
	source := rand.New(rand.NewPCG(1, 2))
	text := make([]byte, size)
	for i := range text {
		text[i] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[source.IntN(64)]
	}
	return string(text) + "\n"
}

func TestRemovedAPIs(t *testing.T) {
	budget := "-- charts/operator/templates/extra.yaml --\napiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata: {name: a}\nspec: {minAvailable: 1}\n"
	cron := "-- charts/operator/templates/extra.yaml --\napiVersion: batch/v1beta1\nkind: CronJob\nmetadata: {name: a}\n" +
		"spec: {schedule: '0 * * * *', jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: b}]}}}}}\n"
	for name, c := range map[string]struct {
		files, version string
		status         Status
		wants          string
	}{
		"a final that runs nowhere":         {budget + chartWith("kubeVersion: '>=1.25-0'"), "v1.5.0", Failed, "kubeVersion >=1.25-0 allows none of these; use policy/v1 PodDisruptionBudget"},
		"a candidate that runs nowhere":     {budget + chartWith("kubeVersion: '>=1.25-0'"), "v1.5.0-rc.0", Warned, "allows none of these"},
		"a final that runs on old clusters": {budget + chartWith("kubeVersion: '>=1.21-0'"), "v1.5.0", Warned, "charts/operator/templates/extra.yaml: Kubernetes 1.5 to 1.24 served this API, and Kubernetes 1.37.0 refuses the object; use policy/v1"},
		"a candidate without kubeVersion":   {budget, "v1.5.0-rc.0", Warned, "Kubernetes 1.37.0 refuses the object"},
		"a final without kubeVersion":       {budget, "v1.5.0", Failed, "no kubeVersion is named, and none of these is supported any more"},
		"another API that was removed":      {cron + chartWith("kubeVersion: ^1.26"), "v1.5.0", Failed, "Kubernetes 1.8 to 1.24 served this API"},
		"a range of minor versions only":    {cron + chartWith("kubeVersion: 1.25.x || 1.30.x"), "v1.5.0", Failed, "Kubernetes 1.30.0 refuses"},
	} {
		t.Run(name, func(t *testing.T) {
			result := run(t, Options{Tree: tree(t, operatorChart, c.files), Charts: []string{"charts/operator"}, Version: c.version, Final: c.version == "v1.5.0"})
			var found []Check
			for _, check := range result.Checks {
				if strings.Contains(check.Subject, "v1beta1") {
					found = append(found, check)
				}
				if check.Status == Passed {
					for _, d := range check.Details {
						if strings.Contains(d, "deprecated") {
							t.Errorf("a passed check tells a warning: %s", d)
						}
					}
				}
			}
			if len(found) != 1 || found[0].Status != c.status {
				t.Fatalf("want one check, %s, got:\n%s", c.status, details(result.Checks))
			}
			contains(t, found, c.wants)
		})
	}
}

// TestAPIOfOldClusters has a template that chooses the API which the cluster serves.
func TestAPIOfOldClusters(t *testing.T) {
	files := chartWith("kubeVersion: '>=1.20-0'") + "-- charts/operator/templates/extra.yaml --\n" +
		"apiVersion: policy/{{ if semverCompare \">=1.21-0\" .Capabilities.KubeVersion.Version }}v1{{ else }}v1beta1{{ end }}\n" +
		"kind: PodDisruptionBudget\nmetadata: {name: a}\nspec: {minAvailable: 1}\n"
	result := run(t, Options{Tree: tree(t, operatorChart, files), Charts: []string{"charts/operator"}, Version: "v1.5.0", Final: true})
	for _, c := range result.Checks {
		if c.Status == Failed || c.Status == Warned {
			t.Errorf("each version gets the API that it serves:\n%s", details([]Check{c}))
		}
	}
}
