package compare

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/operator-release/operator-release/ci/config"
)

// TestApplied: parts of a kustomization, such as patches, are not applied beside whole manifests.
func TestApplied(t *testing.T) {
	role := &fstest.MapFile{Data: []byte("kind: ClusterRole\nmetadata: {name: pi}\n")}
	kustomization := &fstest.MapFile{Data: []byte("resources: [role.yaml]\n")}
	for name, c := range map[string]struct {
		tree fstest.MapFS
		want string
	}{
		"whole manifests": {fstest.MapFS{"manifests/base/kustomization.yaml": kustomization,
			"manifests/base/role.yaml":               role,
			"manifests/namespace/kustomization.yaml": kustomization, "manifests/namespace/add-flag.yaml": role,
			"manifests/install.yaml": role, "manifests/namespace-install.yaml": role},
			"manifests/install.yaml manifests/namespace-install.yaml"},
		"parts only": {fstest.MapFS{
			"deploy/kustomization.yaml": kustomization, "deploy/role.yaml": role}, "deploy/role.yaml"},
		"no manifest": {fstest.MapFS{"deploy/values.yaml": &fstest.MapFile{Data: []byte("a: b\n")}}, ""},
	} {
		if m, err := Applied(c.tree, config.Config{}); err != nil || strings.Join(m.Files, " ") != c.want {
			t.Errorf("%s: %v, %v", name, m.Files, err)
		}
	}
}

// TestUnnamedCharts: a chart that the settings do not name is not compared, and a finding says so if it differs.
func TestUnnamedCharts(t *testing.T) {
	chart := func(dir, replicas string) string {
		return "-- " + dir + "/Chart.yaml --\napiVersion: v2\nname: pi\nversion: 1.0.0\n" +
			"-- " + dir + "/values.yaml --\nreplicas: " + replicas + "\n"
	}
	for _, c := range []struct{ older, newer, want string }{
		{chart("deploy/charts/pi", "1"), chart("deploy/charts/pi", "2"), "deploy/charts/pi"},
		{chart("deploy/charts/pi", "1"), chart("deploy/charts/pi", "1"), ""},
		{"", chart("helm-charts/pi", "1"), "helm-charts/pi"},
		{chart("examples/pi", "1"), chart("examples/pi", "2"), ""},
		{chart("charts/pi", "1"), chart("charts/pi", "2"), ""}, // it is released
		{"-- deploy/pi/Chart.template.yaml --\nname: pi\n-- deploy/pi/values.yaml --\na: 1\n",
			"-- deploy/pi/Chart.template.yaml --\nname: pi\n-- deploy/pi/values.yaml --\na: 2\n", "deploy/pi"},
		{"-- deploy/pi/Chart.yaml --\nversion: 1.0.0\n", "-- deploy/pi/Chart.yaml --\nversion: 1.0.1\n", ""},
	} {
		var got []string
		for _, f := range versionsOf(t, c.older, c.newer) {
			if folder, ok := strings.CutPrefix(f.What, "the chart in "); ok && f.NotCompared {
				got = append(got, strings.Fields(folder)[0])
			}
		}
		if !slices.Equal(got, strings.Fields(c.want)) {
			t.Errorf("%s: %v, not %q", c.newer, got, c.want)
		}
	}
}

// TestProgramOfFlag: of several programs a finding names the one that has the flag.
func TestProgramOfFlag(t *testing.T) {
	program := func(dir, flags string) string {
		return "-- " + dir + "/main.go --\npackage main\n\nimport \"flag\"\n\nfunc main() {" + flags + "}\n"
	}
	for _, c := range []struct{ others, want string }{
		{program("cmd/importer", ""), "there is a new flag --x of the program pi"},
		{"", "there is a new flag --x"},
	} {
		found := versionsOf(t, program("cmd/pi", "")+c.others, program("cmd/pi", ` flag.String("x", "", "") `)+c.others)
		if !slices.ContainsFunc(found, func(f Finding) bool { return f.What == c.want }) {
			t.Errorf("%+v", found)
		}
	}
}
