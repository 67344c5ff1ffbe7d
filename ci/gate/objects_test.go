package gate

import (
	"os"
	"strings"
	"testing"

	"github.com/operator-release/operator-release/ci/render"
)

const crdHead = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.org}
spec:
  group: example.org
  names: {kind: Thing, plural: things}
  scope: Cluster
  versions:
`

func TestObjects(t *testing.T) {
	for _, c := range []struct {
		name  string
		text  string
		wants []string // in what fails; none when all passes
	}{
		{"an unknown field in a Deployment", `
apiVersion: apps/v1
kind: Deployment
metadata: {name: extra, namespace: spark}
spec:
  replicaz: 1
  template: {spec: {containers: [{name: a, image: b, prots: []}]}}
`, []string{
			`charts/operator/templates/extra.yaml: Deployment spark/extra: unknown field "spec.replicaz"; correct its name`,
			`unknown field "spec.template.spec.containers[0].prots"`,
		}},
		{"a field set twice", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: extra\n  labels:\n    a: b\n    a: c\n",
			[]string{`ConfigMap extra: line 7: key "a" already set in map (line 7 of the rendered document is "a: c")`}},
		{"a value of another type", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: extra}\nspec: {replicas: one}\n",
			[]string{"Deployment extra: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32"}},
		{"an object with another's name", "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: controller, namespace: default}\n",
			[]string{"templates/extra.yaml: ServiceAccount default/controller: this object is here twice, also from charts/operator/templates/controller/rbac.yaml"}},
		{"the same name in another namespace", "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: controller, namespace: other}\n", nil},
		{"hooks of different events", `
apiVersion: v1
kind: ConfigMap
metadata: {name: h, annotations: {helm.sh/hook: "pre-install, pre-upgrade"}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: h, annotations: {helm.sh/hook: post-delete}}
`, nil},
		{"hooks of one event", `
apiVersion: v1
kind: ConfigMap
metadata: {name: h, annotations: {helm.sh/hook: "pre-install,pre-upgrade"}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: h, annotations: {helm.sh/hook: pre-upgrade}}
`, []string{"ConfigMap h: this object is here twice"}},
		{"no name", "apiVersion: v1\nkind: ConfigMap\nmetadata: {labels: {a: b}}\n", []string{"a ConfigMap without metadata.name; give it one"}},
		{"a generated name", "apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: job-}\n", []string{"a Job without metadata.name", "Helm cannot follow"}},
		{"no kind", "# comment\nmetadata: {name: a}\n", []string{`without apiVersion and kind, beginning with "metadata: {name: a}"`}},
		{"no object", "just text\n", []string{`a document is no object but begins with "just text"`}},
		{"no YAML", "apiVersion: v1\nkind: ConfigMap\n  metadata: {name: a}\n", []string{"a document is not YAML", "of the rendered document is"}},
		{"a kind that was removed", "apiVersion: policy/v1beta1\nkind: PodSecurityPolicy\nmetadata: {name: a}\n",
			[]string{"PodSecurityPolicy a: Kubernetes has no kind PodSecurityPolicy in policy/v1beta1"}},
		{"a misspelt kind", "apiVersion: apps/v1\nkind: Deploymnet\nmetadata: {name: a}\n", []string{"no kind Deploymnet in apps/v1"}},
		{"a list", `
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}, dada: {}}
- {apiVersion: v1, kind: ServiceAccount, metadata: {name: controller}}
`, []string{`ConfigMap a: unknown field "dada"`, "ServiceAccount controller: this object is here twice"}},
		{"a foreign object with odd metadata", "apiVersion: cert-manager.io/v1\nkind: Issuer\nmetadata: {name: a, lables: {}}\n",
			[]string{`Issuer a: in metadata: unknown field "lables"`}},

		{"a good custom resource", `
apiVersion: example.com/v1
kind: SparkJob
metadata: {name: a}
spec: {mode: cluster, level: 2, port: http, started: null, pod: {any: {thing: 1}}, args: [a, b]}
---
apiVersion: example.com/v1
kind: SparkJob
metadata: {name: b}
spec: {mode: client, priority: null, port: 80, args: null}
`, nil},
		{"an unknown field in a custom resource", `
apiVersion: example.com/v1
kind: SparkJob
metadata: {name: a}
spec: {mode: cluster, moed: x}
`, []string{`charts/operator/templates/extra.yaml: SparkJob a: unknown field "spec.moed": the CRD jobs.example.com does not have it`}},
		{"wrong values in a custom resource", `
apiVersion: example.com/v1
kind: SparkJob
metadata: {name: a}
spec: {mode: standalone, priority: 10, level: 3, port: [1], started: yesterday, args: [a, a]}
`, []string{
			`SparkJob a: spec.mode: Unsupported value: "standalone": supported values: "cluster", "client" (by the CRD jobs.example.com)`,
			"spec.priority in body should be less than or equal to 9",
			`spec.level: Unsupported value: 3: supported values: "1", "2"`,
			"spec.port in body must be of type integer,string",
			"spec.started in body must be of type date-time",
			`spec.args[1]: Duplicate value: "a"`,
		}},
		{"a custom resource without what is required", "apiVersion: example.com/v1\nkind: SparkJob\nmetadata: {name: a}\nspec: {mode: null}\n",
			[]string{"spec.mode: Required value"}},
		{"a custom resource with a field twice", "apiVersion: example.com/v1\nkind: SparkJob\nmetadata: {name: a}\nspec:\n  mode: cluster\n  mode: client\n",
			[]string{`key "mode" already set`}},
		{"a version the CRD does not serve", "apiVersion: example.com/v2\nkind: SparkJob\nmetadata: {name: a}\n",
			[]string{"the CRD jobs.example.com does not serve the version v2 but v1"}},

		{"a rendered CRD and its object", crdHead + `  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, properties: {size: {type: integer}}}}}
---
apiVersion: example.org/v1
kind: Thing
metadata: {name: a}
size: big
`, []string{"Thing a: size: Invalid value: \"string\": size in body must be of type integer: \"string\""}},
		{"a cluster-wide kind in two namespaces", crdHead + `  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}
---
{apiVersion: example.org/v1, kind: Thing, metadata: {name: a, namespace: one}}
---
{apiVersion: example.org/v1, kind: Thing, metadata: {name: a, namespace: two}}
`, []string{"Thing two/a: this object is here twice"}},
		{"a CRD without storage version", crdHead + "  - {name: v1, served: true, storage: false, schema: {openAPIV3Schema: {type: object}}}\n",
			[]string{"CustomResourceDefinition things.example.org: spec.versions: Invalid value: must have exactly one version marked as storage version"}},
		{"a CRD with two storage versions, one twice", crdHead + "  - &v {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}\n  - *v\n",
			[]string{"must have exactly one version marked as storage version", "must contain unique version names"}},
		{"a CRD that is not structural", crdHead + "  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, properties: {a: {}}}}}\n",
			[]string{"spec.versions[*].schema.openAPIV3Schema.properties[a].type: Required value: must not be empty"}},
		{"a CRD with a misspelt type and pattern", crdHead + "  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, properties: " +
			"{a: {type: array, items: {type: intejer}}, b: {type: string, pattern: '('}}}}}\n",
			[]string{`properties[a].items.type: Unsupported value: "intejer"`, `properties[b].pattern: Invalid value: "("`}},
		{"a CRD without schema", crdHead + "  - {name: v1, served: true, storage: true}\n",
			[]string{"spec.versions[0].schema.openAPIV3Schema: Required value"}},
		{"a misnamed CRD", strings.Replace(crdHead, "things.example.org", "thing.example.org", 1) +
			"  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}\n",
			[]string{`metadata.name: Invalid value: "thing.example.org": must be spec.names.plural+"."+spec.group`}},
		{"a CRD of a version that is gone", "apiVersion: apiextensions.k8s.io/v1beta1\nkind: CustomResourceDefinition\nmetadata: {name: things.example.org}\n",
			[]string{"no kind CustomResourceDefinition in apiextensions.k8s.io/v1beta1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := tree(t, operatorChart, "-- charts/operator/templates/extra.yaml --\n"+c.text)
			_, chart := checkChart(t.Context(), root, "charts/operator")
			source, err := render.Read(t.Context(), os.DirFS(root), "charts/operator", nil)
			if err != nil {
				t.Fatal(err)
			}
			rendered, err := source.Render(t.Context(), "v1.30.0", nil)
			if err != nil {
				t.Fatal(err)
			}
			checks, objects := checkObjects("subject", render.Newest(), rendered.Documents, memo{}, nil)
			if len(objects) != len(chart.renderings[0].objects) {
				t.Errorf("%d objects, and %d by the chart's own check", len(objects), len(chart.renderings[0].objects))
			}
			failed := Result{checks}.Failed()
			if len(c.wants) == 0 && len(failed) > 0 {
				t.Errorf("failed:\n%s", details(failed))
			}
			contains(t, failed, c.wants...)
		})
	}
}

// The same object must be judged alike whatever values it is rendered with.
func TestObjectsAreRemembered(t *testing.T) {
	root := tree(t, operatorChart, "-- charts/operator/templates/extra.yaml --\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nextra: 1\n")
	result := run(t, Options{Tree: root, Charts: []string{"charts/operator"}})
	failed := result.Failed()
	if len(failed) != 2 || strings.Join(failed[0].Details, "") != strings.Join(failed[1].Details, "") {
		t.Errorf("want the same failure for both sets of values, got:\n%s", details(failed))
	}
}
