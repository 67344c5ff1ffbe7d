package gate

import (
	"strings"
	"testing"
)

// validated is a CRD of things, with these fields of its schema's property color.
func validated(color string) string {
	return crdHead[1:] + `  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          color: {type: string, enum: [red], ` + color + `}
`
}

// olm is an object of a bundle, whose deployment selects the label a and has another one.
func olm(label string) string {
	return "apiVersion: operators.coreos.com/v1alpha1\nkind: ClusterServiceVersion\nmetadata: {name: a.v1.0.0}\n" +
		"spec:\n  install:\n    strategy: deployment\n    spec:\n      deployments:\n      - name: a\n        spec:\n" +
		"          selector: {matchLabels: {a: a}}\n          template:\n" +
		"            metadata: {labels: {a: " + label + "}}\n" +
		"            spec: {containers: [{name: a, image: a}]}\n"
}

// TestManifests: CRDs and objects of the commit that no released chart has are checked, or a line says that they are
// not.
func TestManifests(t *testing.T) {
	const twoPorts = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 1}, {port: 2}]}\n"
	const right = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 1}]}\n"
	const thing = "---\napiVersion: example.org/v1\nkind: Thing\nmetadata: {name: a}\ncolor: "
	bad, good := validated("default: blue"), validated("default: red")
	indented := "  a: |\n    " + strings.ReplaceAll(strings.TrimSpace(bad), "\n", "\n    ") + "\n"
	file := func(name, text string) string { return "-- " + name + " --\n" + text }
	const chart = "-- charts/a/Chart.yaml --\napiVersion: v2\nname: a\nversion: 1.0.0\n"
	build := func(resource string) string {
		return file("config/default/kustomization.yaml", "resources: ["+resource+"]\n")
	}
	for name, c := range map[string]struct {
		tree   string
		charts []string
		status Status
		want   string // in a check of this status
	}{
		"a CRD of kubebuilder": {chart + file("config/crd/bases/a.yaml", bad), []string{"charts/a"}, Failed,
			`CRDs outside of charts' templates: config/crd/bases/a.yaml: CustomResourceDefinition things.` +
				`example.org: spec.versions[*].schema.openAPIV3Schema.properties[color].default: Unsupported value: "blue"`},
		"a CRD of an installer": {
			file("dist/install.yaml", right+"---\n"+bad),
			nil,
			Failed,
			"CRDs outside of charts' templates: dist/install.yaml",
		},
		"a CRD in a ConfigMap": {
			file("deploy/a.yaml", "kind: ConfigMap\ndata:\n"+indented),
			nil,
			Failed,
			"CRDs outside of charts' templates: deploy/a.yaml",
		},
		"a CRD among a chart's files": {chart + file("charts/a/files/a.yaml", bad), []string{"charts/a"}, Failed,
			"CRDs outside of charts' templates: charts/a/files/a.yaml"},
		"a CRD in a chart's ConfigMap": {chart + file("charts/a/templates/a.yaml", "apiVersion: v1\nkind: ConfigMap\n"+
			"metadata: {name: a}\ndata:\n"+indented), []string{"charts/a"}, Failed,
			"charts/a, default values: charts/a/templates/a.yaml: CustomResourceDefinition things.example.org"},
		"a CRD in Go": {
			file("install/a.go", "package a\n\nconst a = `"+bad+"`\n"),
			nil,
			Failed,
			"CRDs outside of charts' templates: install/a.go",
		},
		"a right CRD": {chart + file("config/crd/bases/a.yaml", good) + file("dist/crds.yaml", good),
			[]string{"charts/a"}, Passed,
			"CRDs outside of charts' templates: 1 CRDs validated as API servers do: config/crd/bases/a.yaml, dist/crds.yaml"},
		"a CRD of a test": {file("test/crds/a.yaml", bad), nil, "", ""},
		"a CRD of another chart": {file("other/Chart.yaml", "name: a\n") +
			file("other/templates/a.yaml", strings.Replace(good,
				"Cluster", "{{ .Values.a }}", 1)), nil, NotChecked,
			"CRDs outside of charts' templates: not validated, or only in part"},
		"a CRD behind a value": {chart + file("charts/a/values.yaml", "crds: {install: false}\n") +
			file("charts/a/templates/a.yaml",
				"{{ if .Values.crds.install }}\n"+bad+"{{ end }}\n"), []string{"charts/a"}, Failed,
			"charts/a, CRDs with crds.install=true: charts/a/templates/a.yaml: CustomResourceDefinition things.example.org"},
		"a CRD that a value names": {chart + file("charts/a/values.yaml", "crd: ''\n") + file("charts/a/templates/a.yaml",
			"{{ if .Values.crd }}\n"+strings.Replace(good, "things.example.org", "{{ .Values.crd }}", 1)+"{{ end }}\n"),
			[]string{"charts/a"}, NotChecked, "charts/a, CRDs with crd=true: charts/a/templates/a.yaml"},

		"an installer": {
			file("dist/install.yaml", twoPorts),
			nil,
			Failed,
			"dist/install.yaml: Service a: spec.ports[0].name",
		},
		"an installer in JSON": {file("deploy/a.json", `{"apiVersion": "v1", "kind": "Service",`+"\n"+
			`"metadata": {"name": "a"}, "spec": {"ports": [{"port": 1}, {"port": 2}]}}`+"\n"), nil, Failed,
			"deploy/a.json: Service a: spec.ports[0].name"},
		"a right one in JSON": {file("deploy/a.json", `{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"},`+
			`"spec": {"ports": [{"port": 1}]}}`+"\n"), nil, Passed, "manifests: deploy/a.json: 1 objects"},
		"a list": {file("a.yaml", "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Service\n"+
			"  metadata: {name: a}\n  spec: {ports: [{port: 1}, {port: 2}]}\n"), nil, Failed, "spec.ports[0].name"},
		"JSON of another program": {file("package.json", `{"name": "a", "kind": "Service", "apiVersion": "2"}`+"\n"), nil,
			"", ""},
		"a Secret to fill in": {file("deploy/a.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n"+
			"data: {a: REPLACE_ME}\n"), nil, NotChecked, "objects that no operator is installed with: deploy/a.yaml"},
		"a Job of an example": {file("examples/a.yaml", "apiVersion: batch/v1\nkind: Job\nmetadata: {name: a}\n"), nil,
			NotChecked, "examples/a.yaml"},
		"a file of kubectl": {file("hack/a.yaml", "apiVersion: v1\nkind: Config\nclusters: []\n"), nil, "", ""},
		"settings of the operator": {file("config.yaml", "apiVersion: config.example.org/v1\nkind: Settings\n"), nil, "",
			""},
		"a patch": {file("deploy/patch.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec:\n"+
			"  template: {spec: {containers: [{name: a, resources: {}}]}}\n"), nil, NotChecked, "deploy/patch.yaml"},
		"no patch": {file("deploy/a.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec:\n"+
			"  template: {spec: {containers: [{name: a, image: a}]}}\n"), nil, Failed,
			"deploy/a.yaml: Deployment a: spec.selector"},
		"a patch beside a Service": {file("deploy/a.yaml", twoPorts+"---\napiVersion: apps/v1\nkind: Deployment\n"+
			"metadata: {name: a}\n"), nil, Failed, "deploy/a.yaml: Service a: spec.ports[0].name"},
		"a patch of a set": {file("deploy/a.yaml", "apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: a}\n"), nil,
			NotChecked, "deploy/a.yaml"},
		"a CRD and a Secret": {file("deploy/a.yaml", good+"---\napiVersion: v1\nkind: Secret\nmetadata: {name: a}\n"), nil,
			NotChecked, "installed with: deploy/a.yaml"},
		"names to fill in": {file("deploy/a.yaml", strings.Replace(twoPorts, "name: a", "name: '@NAME@'", 1)), nil,
			NotChecked, "deploy/a.yaml"},
		"a template": {file("deploy/a.yaml", strings.Replace(twoPorts, "name: a", "name: '{{ .X }}'", 1)), nil, NotChecked,
			"deploy/a.yaml"},
		"a bundle of OLM": {file("bundle/manifests/a.yaml", olm("b")), nil, Failed,
			"bundle/manifests/a.yaml: Deployment a: "},
		"a right bundle of OLM": {file("bundle/manifests/a.yaml", olm("a")), nil, Passed,
			"bundle/manifests/a.yaml: 1 objects"},
		"a bundle's second document": {file("bundle/a.yaml", right+"---\n"+olm("b")), nil, Failed,
			"bundle/a.yaml: Deployment a: "},
		"a bundle that is a template": {file("bundle/a.yaml", "{{ .A }}: }\n"+olm("b")), nil, NotChecked, "bundle/a.yaml"},
		"an installer of a chart's": {
			chart + file("deploy/a.yaml", twoPorts),
			[]string{"charts/a"},
			Warned,
			"deploy/a.yaml: Service a: spec.ports[0].name",
		},
		"right installers": {file("deploy/a.yaml", right) + file("deploy/b.yaml", right), nil, Passed,
			"manifests: deploy/a.yaml, deploy/b.yaml: 2 objects"},
		"an installer's own kind": {file("crds.yaml", good) + file("dist/a.yaml", right+thing+"blue\n"), nil, Failed,
			`dist/a.yaml: Thing a: color: Unsupported value: "blue"`},
		"an installer's other kind": {file("dist/a.yaml", right+thing+"blue\n"), nil, NotChecked,
			"dist/a.yaml: example.org/v1 Thing a: dist/a.yaml: the kind is not Kubernetes' own"},
		"an example": {file("docs/a.yaml", twoPorts), nil, NotChecked,
			"manifests: templates, patches, examples, charts that are not released, and objects that no operator is " +
				"installed with: docs/a.yaml"},
		"variables": {file("deploy/a.yaml", strings.Replace(twoPorts, "1", "${PORT}", 1)), nil, NotChecked, "deploy/a.yaml"},
		"a kustomization": {build("a.yaml") + file("config/default/a.yaml", twoPorts), nil, Failed,
			"kustomize build config/default: config/default: Service a: spec.ports[0].name"},
		"another kustomization": {file("install/kustomization.yml", "resources: [a.yaml]\n") +
			file("install/a.yaml", twoPorts), nil,
			Failed, "kustomize build install: install: Service a"},
		"a kustomization's part": {build("../a") +
			file("config/a/kustomization.yaml", "namePrefix: x-\nresources: [a.yaml]\n") +
			file("config/a/a.yaml", right), nil, Passed, "kustomize build config/default: 1 objects"},
		"a kustomization of elsewhere": {build("https://example.com/a") +
			file("config/default/a.yaml", right), nil, NotChecked,
			"refers to https://example.com/a, which is not in the tree"},
		"a kustomization that fails": {
			build("a.yaml") + file("config/default/a.yaml", "kind: A\n"),
			nil,
			Failed,
			"kustomize build",
		},
	} {
		t.Run(name, func(t *testing.T) {
			result := run(t, Options{Tree: tree(t, c.tree), Charts: c.charts})
			found := false
			for _, check := range result.Checks {
				if check.Name != ObjectsCheck {
					continue
				}
				said := check.Subject + ": " + strings.Join(check.Details, "\n")
				found = found || check.Status == c.status && strings.Contains(said, c.want)
				if c.want == "" || check.Status == Failed && c.status != Failed {
					t.Errorf("%s: %s", check.Status, said)
				}
			}
			if !found && c.want != "" {
				t.Errorf("no check is %s and says %q:\n%s", c.status, c.want, details(result.Checks))
			}
		})
	}
}
