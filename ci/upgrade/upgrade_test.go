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
		Charts: []Chart{{Name: "pi-operator", Repository: "docker.io/example/charts"}}, Images: []string{"docker.io/example/pi-operator"},
		Texts: map[string]string{"values/pi-operator/controller.jobsConfigMap/removed": "Rename it to `jobs.configMap`, @everybody."},
	}
	removed := compare.New(compare.Breaking, compare.Values, "pi-operator", "controller.jobsConfigMap", "removed")
	removed.What, removed.Was = "the value controller.jobsConfigMap is gone <b>", "\"\""
	added := compare.New(compare.Info, compare.CRD, "pijobs.demo.example.com", "v1alpha1", "spec.timeoutSeconds", "added")
	added.What, added.Forward, added.Object = "the field spec.timeoutSeconds is new", true, "CustomResourceDefinition pijobs.demo.example.com"
	added.Reach = &compare.Reach{Way: compare.ByFolder, File: "charts/pi-operator/crds/pijobs.yaml", Chart: "pi-operator"}
	o.Findings = []compare.Finding{removed, added}
	o.Said = []Said{{"feat!: name it jobs.configMap (#156)", "It is another name."}}
	got := Guide(o)
	for _, want := range []string{
		"# pi-operator: from v1.4.1 to v1.5.0\n\nOne change can break what you run.\n\n## Before\n",
		"kubectl get pijobs.demo.example.com --all-namespaces --output yaml > pijobs.demo.example.com.yaml",
		"### Values to change\n\n- the value controller.jobsConfigMap is gone \\<b\\>: it was `\"\"` (`values/pi-operator/controller.jobsConfigMap/removed`)\n\n  Rename it to `jobs.configMap`, `@everybody`.\n",
		"helm show crds oci://docker.io/example/charts/pi-operator --version 1.5.0 | kubectl apply --server-side",
		"- `docker.io/example/pi-operator:v1.5.0`\n",
		"### What the authors say\n\n- feat!: name it jobs.configMap (#156)\n\n  It is another name.\n",
		"## Going back\n\nv1.4.1 does not know the following.",
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
	if got := Guide(o); !strings.Contains(got, "Nothing is known to break.") || !strings.Contains(got, "None was found in CRDs, values") || strings.Contains(got, "helm upgrade") {
		t.Error(got)
	}
}

// TestReach: the guide says how the CRDs that differ come into a cluster.
func TestReach(t *testing.T) {
	charts := []Chart{{Name: "pi", Repository: "docker.io/example/charts"}}
	const template = "helm template RELEASE oci://docker.io/example/charts/pi --version 1.5.0 --set crds.enabled=true " +
		"--show-only templates/crds.yaml | kubectl apply --server-side --force-conflicts --filename -"
	for name, c := range map[string]struct {
		reach     compare.Reach
		charts    []Chart
		manifests compare.Manifests
		has, not  string
	}{
		"a crds folder": {reach: compare.Reach{Way: compare.ByFolder, Chart: "pi"}, charts: charts,
			has: "Helm does not upgrade these CRDs. Apply them first: pis.example.com.|helm show crds oci://docker.io/example/charts/pi --version 1.5.0 |"},
		"a template": {reach: compare.Reach{Way: compare.ByTemplate, Chart: "pi"}, charts: charts,
			has: "The chart upgrades these CRDs: pis.example.com.", not: "helm show crds"},
		"behind a value": {reach: compare.Reach{Way: compare.ByValue, Chart: "pi", File: "charts/pi/templates/crds.yaml", Values: []string{"crds.enabled=true"}},
			charts: charts, has: "The chart upgrades these CRDs where its values say so: pis.example.com.|" + template, not: "helm show crds"},
		"a file beside a chart": {reach: compare.Reach{Way: compare.ByFile, File: "config/crd/bases/pis.yaml"}, charts: charts,
			has: "git checkout v1.5.0\nkubectl apply --server-side --filename config/crd/bases/pis.yaml|helm upgrade RELEASE"},
		"a kustomization": {reach: compare.Reach{Way: compare.ByFile, File: "config/crd/bases/pis.yaml"}, manifests: compare.Manifests{Kustomization: "config/default"},
			has: "git checkout v1.5.0\nkubectl apply --server-side --kustomize config/default|git checkout v1.4.0\nkubectl apply", not: "helm |Helm|--filename config/crd"},
		"the manifest has it": {reach: compare.Reach{Way: compare.ByFile, File: "install.yaml"}, manifests: compare.Manifests{Files: []string{"install.yaml"}},
			has: "git checkout v1.5.0\nkubectl apply --server-side --filename install.yaml", not: "helm |Helm|apply these CRDs"},
	} {
		f := compare.New(compare.Notable, compare.CRD, "pis.example.com", "v1", "spec.digits", "added")
		f.Object, f.Reach = "CustomResourceDefinition pis.example.com", &c.reach
		got := Guide(Options{Name: "pi", From: version.MustParse("v1.4.0"), To: version.MustParse("v1.5.0"), Findings: []compare.Finding{f},
			Charts: c.charts, Manifests: c.manifests})
		for want := range strings.SplitSeq(c.has, "|") {
			if !strings.Contains(got, want) {
				t.Errorf("%s: no %q in\n%s", name, want, got)
			}
		}
		for not := range strings.SplitSeq(c.not, "|") {
			if not != "" && strings.Contains(got, not) {
				t.Errorf("%s: %q in\n%s", name, not, got)
			}
		}
	}
}

// TestSummary: a guide never says that nothing breaks where something was not compared, or where behaviour changed.
func TestSummary(t *testing.T) {
	unread := compare.New(compare.Notable, compare.Objects, "chart", "charts/pi", "not-compared", "older")
	unread.What, unread.NotCompared = "chart charts/pi is not compared: the older version cannot be read", true
	breaking := compare.New(compare.Breaking, compare.Values, "pi", "a", "removed")
	for name, c := range map[string]struct {
		findings  []compare.Finding
		behaviour []Said
		has, not  string
	}{
		"nothing":      {has: "Nothing is known to break."},
		"not compared": {findings: []compare.Finding{unread}, has: "Not everything could be compared.", not: "Nothing is known"},
		"both":         {findings: []compare.Finding{unread, breaking}, has: "One change can break what you run.\n\n### Not compared\n\n- chart charts/pi is not compared"},
		"behaviour":    {behaviour: []Said{{"feat: check the digits", "internal/webhook/pi.go"}}, has: "### Webhooks, validation and defaults\n\n- feat: check the digits", not: "Nothing is known"},
	} {
		got := Guide(Options{Name: "pi", From: version.MustParse("v1.4.0"), To: version.MustParse("v1.5.0"), Findings: c.findings, Behaviour: c.behaviour})
		if !strings.Contains(got, c.has) || c.not != "" && strings.Contains(got, c.not) {
			t.Errorf("%s:\n%s", name, got)
		}
	}
}

// TestStored: a version of a CRD that is gone comes with the way to move stored objects.
func TestStored(t *testing.T) {
	for now, want := range map[string]string{
		"v1": `kubectl patch crd pis.example.com --subresource status --type merge --patch '{"status":{"storedVersions":["v1"]}}'`,
		"":   "v1.4.0 stores them so. First upgrade to a version that serves v1beta1 and stores another version of it.",
	} {
		f := compare.New(compare.Breaking, compare.CRD, "pis.example.com", "v1beta1", "removed")
		f.Stored = &compare.Stored{CRD: "pis.example.com", Version: "v1beta1", Now: now}
		got := Guide(Options{Name: "pi", From: version.MustParse("v1.4.0"), To: version.MustParse("v1.5.0"), Findings: []compare.Finding{f}})
		if !strings.Contains(got, "kubectl get crd pis.example.com --output jsonpath='{.status.storedVersions}'") || !strings.Contains(got, want) {
			t.Errorf("%q:\n%s", now, got)
		}
	}
}

// TestForeign: no address is invented for a chart that another tool published.
func TestForeign(t *testing.T) {
	o := Options{Name: "pi", From: version.MustParse("v1.4.0"), To: version.MustParse("v1.5.0"), Foreign: Foreign{From: true},
		Charts: []Chart{{Name: "pi", Repository: "docker.io/example/charts"}}}
	got := Guide(o)
	if !strings.Contains(got, "helm upgrade RELEASE oci://docker.io/example/charts/pi --version 1.5.0") ||
		!strings.Contains(got, "CHART is the place from where you installed the chart `pi`, such as REPOSITORY/pi.\n\n```sh\nhelm upgrade RELEASE CHART --version 1.4.0") {
		t.Error(got)
	}
	o.Foreign.To = true
	if got := Guide(o) + Back(o, "it crashes"); strings.Contains(got, "oci://") {
		t.Error(got)
	}
}

// TestBackToOlderCRDs: only a version that the older CRD lacks keeps a server from taking it.
func TestBackToOlderCRDs(t *testing.T) {
	for id, want := range map[string]bool{"crd/pis.example.com/v2/added": true, "crd/pis.example.com/storage/changed": true,
		"crd/pis.example.com/v2/served": true, "crd/pis.example.com/v1/spec.x/added": false} {
		f := compare.Finding{ID: id, Subject: compare.CRD, Forward: true, Reach: &compare.Reach{}}
		got := Guide(Options{Name: "pi", From: version.MustParse("v1.4.0"), To: version.MustParse("v1.5.0"), Findings: []compare.Finding{f}})
		if strings.Contains(got, "Do not go back to the older CRDs") != want {
			t.Errorf("%s: %s", id, got)
		}
	}
}

// TestApplyManifests: manifests may be alternatives, so each is applied by a command of its own.
func TestApplyManifests(t *testing.T) {
	o := Options{Name: "pi", From: version.MustParse("v1.4.0"), To: version.MustParse("v1.5.0")}
	if got := Guide(o); strings.Count(got, "in the same way as the version that you run") != 2 {
		t.Error(got)
	}
	o.Manifests.Files = []string{"install.yaml", "namespace-install.yaml"}
	if got := Guide(o); !strings.Contains(got, "--filename install.yaml\nkubectl apply --server-side --filename namespace-install.yaml\n") {
		t.Error(got)
	}
}
