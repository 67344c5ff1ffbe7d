package upgrade

import (
	"strings"
	"testing"

	"github.com/yuin/goldmark"

	"github.com/operator-release/operator-release/ci/compare"
	"github.com/operator-release/operator-release/ci/version"
)

func TestGuide(t *testing.T) {
	o := Options{Name: "pi-operator", From: version.MustParse("v1.4.1"), To: version.MustParse("v1.5.0"),
		Charts: []Chart{{Name: "pi-operator", Repository: "docker.io/example/charts", CRDs: true}}, Images: []string{"docker.io/example/pi-operator"},
		Texts: map[string]string{"values/pi-operator/controller.jobsConfigMap/removed": "Rename it to `jobs.configMap`, @everybody."},
	}
	removed := compare.New(compare.Breaking, compare.Values, "pi-operator", "controller.jobsConfigMap", "removed")
	removed.What, removed.Was = "the value controller.jobsConfigMap is gone <b>", "\"\""
	added := compare.New(compare.Info, compare.CRD, "pijobs.demo.example.com", "v1alpha1", "spec.timeoutSeconds", "added")
	added.What, added.Forward, added.Object = "the field spec.timeoutSeconds is new", true, "CustomResourceDefinition pijobs.demo.example.com"
	o.Findings = []compare.Finding{removed, added}
	o.Said = []Said{{"feat!: name it jobs.configMap (#156)", "It is another name."}}
	got := Guide(o)
	for _, want := range []string{
		"# pi-operator: from v1.4.1 to v1.5.0\n\nOne difference may ask for your hand.\n\n## Before\n",
		"kubectl get pijobs.demo.example.com --all-namespaces --output yaml > pijobs.demo.example.com.yaml",
		"### Values to change\n\n- the value controller.jobsConfigMap is gone \\<b\\>: it was `\"\"` (`values/pi-operator/controller.jobsConfigMap/removed`)\n\n  Rename it to `jobs.configMap`, `@everybody`.\n",
		"helm show crds oci://docker.io/example/charts/pi-operator --version 1.5.0 | kubectl apply --server-side",
		"- `docker.io/example/pi-operator:v1.5.0`\n",
		"### What its makers say\n\n- feat!: name it jobs.configMap (#156)\n\n  It is another name.\n",
		"## Going back\n\nv1.4.1 knows nothing of what follows.",
		"--version 1.4.1 --namespace NAMESPACE --values values-before.yaml",
		"### Breaking\n", "### Info\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Count(got, "Rename it") != 1 {
		t.Error("an explanation is there twice")
	}
	var html strings.Builder
	if err := goldmark.Convert([]byte(got), &html); err != nil || strings.Contains(html.String(), "<b>") {
		t.Errorf("%v", err)
	}
	o.Findings, o.Charts = nil, nil
	if got := Guide(o); !strings.Contains(got, "Nothing is known to break.") || !strings.Contains(got, "Nothing that was looked at") || strings.Contains(got, "helm upgrade") {
		t.Error(got)
	}
}
