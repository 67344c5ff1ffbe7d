package upgrade

import (
	"strings"
	"testing"

	"github.com/operator-release/operator-release/ci/compare"
	"github.com/operator-release/operator-release/ci/version"
)

func TestBack(t *testing.T) {
	o := Options{Name: "pi-operator", From: version.MustParse("v1.5.0"), To: version.MustParse("v1.5.1"),
		Charts: []Chart{{Name: "pi-operator", Repository: "docker.io/acme/charts", Digest: "sha256:c"}},
		Images: []string{"docker.io/acme/pi"}, Digests: map[string]string{"docker.io/acme/pi": "sha256:d"}}
	crd := func(forward bool, way compare.Way) compare.Finding {
		f := compare.New(compare.Info, compare.CRD, "pis.example.com", "spec.digits", "added")
		f.Object, f.What, f.Forward = "CustomResourceDefinition pis.example.com", "spec.digits is new: the older CRD drops it", forward
		f.Reach = &compare.Reach{Way: way, Chart: "pi-operator"}
		return f
	}
	values := compare.New(compare.Notable, compare.Values, "metrics.port", "added")
	values.What = "metrics.port is new"
	for name, c := range map[string]struct {
		findings []compare.Finding
		has      []string
		hasNot   []string
	}{
		"nothing differs": {nil, []string{"v1.5.1 is rolled back: it crashes \\<always\\>.", "The CRDs are the same in both versions, so you can go back.", "You lose nothing but what v1.5.1 fixed.",
			"--version 1.5.0 --namespace NAMESPACE --values values-now.yaml", "its digest, which is `sha256:c`", "- `docker.io/acme/pi:v1.5.0@sha256:d`"}, []string{"kubectl get pis"}},
		"a field is new": {[]compare.Finding{crd(true, compare.ByFolder), values}, []string{"v1.5.0 does not know the following", "Keep the CRDs of v1.5.1: with them, stored objects stay as they are. Helm does not touch them.", "spec.digits is new", "kubectl get pis.example.com", "metrics.port is new"}, []string{"so you can go back"}},
		"the chart's templates have the CRDs": {[]compare.Finding{crd(true, compare.ByTemplate)},
			[]string{"Helm puts the older ones in place", "Save the objects first: pis.example.com."}, []string{"Helm does not touch them"}},
		"nothing is stored": {[]compare.Finding{crd(false, compare.ByFolder)}, []string{"v1.5.0 takes every object that v1.5.1 takes, so you can go back. Keep the CRDs of v1.5.1."}, []string{"does not know"}},
	} {
		o.Findings = c.findings
		text := Back(o, "it crashes <always>")
		for _, want := range c.has {
			if !strings.Contains(text, want) {
				t.Errorf("%s: %q is not in\n%s", name, want, text)
			}
		}
		for _, not := range c.hasNot {
			if strings.Contains(text, not) {
				t.Errorf("%s: %q is in\n%s", name, not, text)
			}
		}
	}
}
