package gate

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

// tree writes the files of txtar archives, later ones over earlier ones.
func tree(t *testing.T, archives ...string) string {
	t.Helper()
	root := t.TempDir()
	for _, a := range archives {
		for _, f := range txtar.Parse([]byte(a)).Files {
			name := filepath.Join(root, filepath.FromSlash(f.Name))
			if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, f.Data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	return root
}

func run(t *testing.T, o Options) Result {
	t.Helper()
	result, err := Run(t.Context(), o)
	if err != nil {
		t.Fatalf("the gate could not run: %v", err)
	}
	return result
}

// outline is what a result says, without the details.
func outline(r Result) []string {
	var out []string
	for _, c := range r.Checks {
		out = append(out, fmt.Sprintf("%s | %s | %s", c.Status, c.Name, c.Subject))
	}
	return out
}

func details(checks []Check) string {
	var out strings.Builder
	for _, c := range checks {
		fmt.Fprintf(&out, "%s %s (%s)\n  %s\n", c.Status, c.Name, c.Subject, strings.Join(c.Details, "\n  "))
	}
	return out.String()
}

// contains wants each text in the details of the checks.
func contains(t *testing.T, checks []Check, wants ...string) {
	t.Helper()
	got := details(checks)
	for _, want := range wants {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in:\n%s", want, got)
		}
	}
}

// operatorChart has the shape of the Spark Operator's: image values in parts,
// tags that default to appVersion, a hook with its own image that is off, and
// objects of other operators.
const operatorChart = `
-- charts/operator/Chart.yaml --
apiVersion: v2
name: operator
version: 1.5.0
appVersion: v1.5.0
icon: https://example.com/icon.png
-- charts/operator/.helmignore --
ci/
-- charts/operator/values.yaml --
image: {registry: docker.io, repository: example/operator, tag: ""}
hook:
  upgradeCrd: false
  image: {registry: docker.io, repository: example/kubectl, tag: ""}
podMonitor: {create: false}
certManager: {enable: false}
-- charts/operator/ci/ci-values.yaml --
image: {tag: local}
podMonitor: {create: true}
certManager: {enable: true}
-- charts/operator/ci/kind-config.yaml --
kind: Cluster
-- charts/operator/templates/_helpers.tpl --
{{- define "image" -}}
{{ printf "%s/%s:%s" .registry .repository (.tag | default .appVersion) }}
{{- end -}}
-- charts/operator/templates/NOTES.txt --
not: an object
-- charts/operator/templates/controller/deployment.yaml --
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}-controller
spec:
  replicas: 1
  selector:
    matchLabels: {app: controller}
  template:
    metadata:
      labels: {app: controller}
    spec:
      initContainers:
      - name: wait
        image: busybox:1.36
      containers:
      - name: controller
        image: {{ include "image" (merge (dict "appVersion" .Chart.AppVersion) .Values.image) }}
-- charts/operator/templates/controller/rbac.yaml --
# Two documents, an empty one between.
apiVersion: v1
kind: ServiceAccount
metadata:
  name: controller
---
{{- if false }}
nothing: here
{{- end }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: controller
  namespace: {{ .Release.Namespace }}
rules: []
-- charts/operator/templates/hook/job.yaml --
{{- if .Values.hook.upgradeCrd }}
apiVersion: batch/v1
kind: Job
metadata:
  name: upgrade-crds
  annotations: {helm.sh/hook: pre-upgrade}
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: kubectl
        image: {{ include "image" (merge (dict "appVersion" .Chart.AppVersion) .Values.hook.image) }}
{{- end }}
-- charts/operator/templates/podmonitor.yaml --
{{- if .Values.podMonitor.create }}
{{- if not (.Capabilities.APIVersions.Has "monitoring.coreos.com/v1/PodMonitor") }}
{{- fail "the cluster has no PodMonitor" }}
{{- end }}
apiVersion: monitoring.coreos.com/v1
kind: PodMonitor
metadata:
  name: controller
spec: {selector: {}}
{{- end }}
-- charts/operator/templates/certificate.yaml --
{{- if .Values.certManager.enable }}
apiVersion: cert-manager.io/v1
kind: Issuer
metadata:
  name: self-signed
spec: {selfSigned: {}}
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata:
  name: webhook
spec: {secretName: webhook}
{{- end }}
-- charts/operator/crds/jobs.yaml --
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: jobs.example.com
spec:
  group: example.com
  names: {kind: SparkJob, listKind: SparkJobList, plural: jobs, singular: job}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          apiVersion: {type: string}
          kind: {type: string}
          metadata: {type: object}
          spec:
            type: object
            required: [mode, priority]
            properties:
              mode: {type: string, enum: [cluster, client]}
              priority: {type: integer, default: 5, maximum: 9}
              level: {type: integer, enum: [1, 2]}
              port: {x-kubernetes-int-or-string: true}
              started: {type: string, format: date-time, nullable: true}
              pod: {type: object, x-kubernetes-preserve-unknown-fields: true}
              args:
                type: array
                x-kubernetes-list-type: set
                items: {type: string}
`

// gateImages are the images that operatorChart's release builds.
var gateImages = map[string]string{"docker.io/example/operator": "v1.5.0", "example/kubectl": "v1.5.0"}

func TestRelease(t *testing.T) {
	root := tree(t, operatorChart, `
-- charts/crds/Chart.yaml --
apiVersion: v2
name: crds
version: 1.5.0
-- charts/crds/templates/configmap.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: empty}
`)
	binary := script(t, "operator", `echo "Operator Version: v1.5.0"`)
	result := run(t, Options{
		Tree:     root,
		Commands: []string{"test -d charts", "true"},
		Env:      []string{"PATH=/usr/bin:/bin"},
		Charts:   []string{"charts/operator", "charts/crds/", "charts/operator"},
		Images:   gateImages,
		Binaries: []Binary{binary},
		Version:  "v1.5.0",
	})
	want := []string{
		"passed | command | test -d charts",
		"passed | command | true",
		"passed | chart lint | charts/crds",
		"passed | chart render | charts/crds, default values",
		"passed | objects | charts/crds, default values",
		"passed | chart lint | charts/operator",
		"passed | chart render | charts/operator, default values",
		"passed | objects | charts/operator, default values",
		"passed | chart render | charts/operator, ci/ci-values.yaml",
		"passed | objects | charts/operator, ci/ci-values.yaml",
		"not checked | objects | charts/operator, ci/ci-values.yaml: cert-manager.io/v1 Issuer self-signed",
		"not checked | objects | charts/operator, ci/ci-values.yaml: cert-manager.io/v1 Certificate webhook",
		"not checked | objects | charts/operator, ci/ci-values.yaml: monitoring.coreos.com/v1 PodMonitor controller",
		"passed | image names | docker.io/example/operator:v1.5.0",
		"passed | image names | example/kubectl:v1.5.0",
		"passed | binary version | operator",
	}
	if diff := cmp.Diff(want, outline(result)); diff != "" {
		t.Errorf("-want +got:\n%s\n%s", diff, details(result.Checks))
	}
	if !result.Passed() || len(result.Failed()) != 0 {
		t.Errorf("not passed:\n%s", details(result.Failed()))
	}
	contains(t, result.Checks,
		"4 objects", // the CRD, the Deployment, the ServiceAccount, the ClusterRole
		"charts/operator: named only by value path hook.image (off by default); its tag is empty and appVersion is v1.5.0",
		"renders only for a cluster that has (some of) monitoring.coreos.com/v1/PodMonitor",
		"charts/operator/templates/certificate.yaml: the kind is not Kubernetes' own",
	)
}

func TestNothingToCheck(t *testing.T) {
	result := run(t, Options{Tree: t.TempDir()})
	data, err := json.Marshal(result)
	if err != nil || string(data) != `{"checks":[]}` || !result.Passed() {
		t.Errorf("got %s, %v", data, err)
	}
}

func TestCannotRun(t *testing.T) {
	root := tree(t, "-- file --\n")
	for name, c := range map[string]struct {
		options Options
		want    string
	}{
		"relative tree":       {Options{Tree: "."}, "not an absolute path"},
		"missing tree":        {Options{Tree: root + "/absent"}, "check the release commit out there first"},
		"tree is a file":      {Options{Tree: root + "/file"}, "not a directory"},
		"chart outside":       {Options{Tree: root, Charts: []string{"../chart"}}, `testing the chart "../chart": not a path inside the tree`},
		"absolute chart":      {Options{Tree: root, Charts: []string{"/chart"}}, "not a path inside the tree"},
		"relative executable": {Options{Tree: root, Binaries: []Binary{{Name: "x", Path: "bin/x"}}}, "not an absolute path"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Run(t.Context(), c.options)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want …%s…", err, c.want)
			}
		})
	}
}
