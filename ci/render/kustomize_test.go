package render

import (
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/tools/txtar"

	"github.com/operator-release/operator-release/ci/refusal"
)

func TestKustomize(t *testing.T) {
	const base = `
-- config/default/kustomization.yaml --
namespace: pi-system
namePrefix: pi-
resources: [../rbac, ../manager]
patches:
- path: manager_patch.yaml
-- config/default/manager_patch.yaml --
apiVersion: apps/v1
kind: Deployment
metadata: {name: manager}
spec: {replicas: 2}
-- config/rbac/kustomization.yaml --
resources: [role.yaml]
-- config/rbac/role.yaml --
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: role}
rules: []
-- config/manager/kustomization.yml --
resources: [manager.yaml]
images: [{name: controller, newName: docker.io/example/pi, newTag: v1.0.0}]
configMapGenerator:
- {name: settings, files: [log.conf=files/log.conf], options: {disableNameSuffixHash: true}}
-- config/manager/files/log.conf --
level: debug
-- config/manager/manager.yaml --
apiVersion: apps/v1
kind: Deployment
metadata: {name: manager}
spec: {template: {spec: {containers: [{name: manager, image: controller}]}}}
`
	for _, c := range []struct{ name, more, wants, refused string }{
		{name: "as kubebuilder has it", wants: "name: pi-role|namespace: pi-system|image: docker.io/example/pi:v1.0.0|replicas: 2|log.conf: |level: debug"},
		{name: "a resource at another host", more: "-- config/rbac/kustomization.yaml --\nresources: ['https://example.com/org/repo//config?ref=v1']\n",
			refused: "config/rbac/kustomization.yaml refers to https://example.com/org/repo//config?ref=v1, which is not in the tree"},
		{name: "a base in another repository", more: "-- config/rbac/kustomization.yaml --\nbases: ['github.com/org/repo']\n",
			refused: "refers to github.com/org/repo, which is not in the tree"},
		{name: "a patch at another host", more: "-- config/rbac/kustomization.yaml --\npatches: [{path: 'https://example.com/x.yaml'}]\n",
			refused: "kustomize build config/rbac: it refers to https://example.com/x.yaml, which is not in the tree"},
		{name: "a generator's file at another host", more: "-- config/rbac/kustomization.yaml --\nconfigMapGenerator: [{name: a, files: ['a=http://example.com/x']}]\n",
			refused: "it refers to http://example.com/x"},
		{name: "a file that is not there", more: "-- config/rbac/kustomization.yaml --\nresources: [absent.yaml]\n", refused: "refers to absent.yaml"},
		{name: "a chart", more: "-- config/rbac/kustomization.yaml --\nhelmCharts: [{name: x, repo: 'https://example.com'}]\n", refused: "kustomize build config/default:"},
		{name: "no YAML", more: "-- config/rbac/kustomization.yaml --\na: [\n", refused: "read config/rbac/kustomization.yaml"},
		{name: "none", more: "-- config/default/kustomization.yaml --\nresources: [../none]\n", refused: "refers to ../none"},
	} {
		tree := fstest.MapFS{}
		for _, f := range txtar.Parse([]byte(base + c.more)).Files {
			tree[f.Name] = &fstest.MapFile{Data: f.Data}
		}
		docs, err := Kustomize(tree, "config/default")
		if c.refused != "" {
			if !refusal.Is(err) || !strings.Contains(err.Error(), c.refused) {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		text := ""
		for _, d := range docs {
			text += d.Text
		}
		for want := range strings.SplitSeq(c.wants, "|") {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q in %v\n%s", c.name, want, err, text)
			}
		}
	}
}
