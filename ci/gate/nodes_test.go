package gate

import (
	"testing"
)

func TestNodes(t *testing.T) {
	job := func(pod string) string {
		return cronJob("image: example/operator:v1.5.0\n          " + pod)
	}
	const during = "DuringSchedulingIgnoredDuringExecution"
	affinity := func(rules string) string {
		return job("affinity: {nodeAffinity: {required" + during + ": {nodeSelectorTerms: " +
			rules + "}}}")
	}
	const values = "-- charts/operator/ci/nodes-values.yaml --\nnodeSelector: {kubernetes.io/arch: s390x}\n"
	const deployment = "-- charts/operator/values.yaml --\n" +
		"image: {registry: docker.io, repository: example/operator, tag: ''}\n" +
		"hook: {}\npodMonitor: {}\ncertManager: {}\nnodeSelector: {}\n"
	const selected = "nodeSelector: {{ toJson .Values.nodeSelector }}"
	for name, c := range map[string]struct {
		files string
		want  Status // empty: no check
		wants []string
	}{
		"nothing asked": {"", "", nil},
		"another label": {job("nodeSelector: {disk: ssd}"), "", nil},
		"what there is": {job("nodeSelector: {kubernetes.io/os: linux, kubernetes.io/arch: arm64}"), Passed, nil},
		"an architecture": {job("nodeSelector: {kubernetes.io/arch: s390x}"), Failed, []string{
			"CronJob extra: spec.jobTemplate.spec.template.spec.nodeSelector kubernetes.io/arch: In s390x; " +
				"example/operator:v1.5.0 is for linux/amd64, linux/arm64; build the image for these nodes too, or"}},
		"an older label":      {job("nodeSelector: {beta.kubernetes.io/arch: ppc64le}"), Failed, []string{"In ppc64le"}},
		"a system":            {job("nodeSelector: {kubernetes.io/os: windows}"), Failed, []string{"In windows"}},
		"a system of the pod": {job("os: {name: windows}"), Failed, []string{"spec.os.name: In windows"}},
		"another image": {cronJob("image: example/other:v1\n          nodeSelector: {kubernetes.io/arch: s390x}"), "",
			nil},
		"an init container": {cronJob("image: b\n          initContainers: [{name: i, image: example/operator:v1.5.0}]\n" +
			"          nodeSelector: {kubernetes.io/arch: s390x}"), Failed, []string{"example/operator:v1.5.0 is for"}},
		"some of them": {affinity("[{matchExpressions: [{key: kubernetes.io/arch, operator: In, values: [amd64, s390x]}]}]"),
			Warned, []string{"nodeAffinity.required" + during + " kubernetes.io/arch: In amd64, s390x;"}},
		"another term": {affinity("[{matchExpressions: [{key: kubernetes.io/arch, operator: In, values: [amd64]}]}, " +
			"{matchExpressions: [{key: kubernetes.io/arch, operator: In, values: [riscv64]}]}]"),
			Warned, []string{"In riscv64"}},
		"no term": {affinity("[{matchExpressions: [{key: kubernetes.io/arch, operator: In, values: [s390x]}]}, " +
			"{matchExpressions: [{key: kubernetes.io/arch, operator: In, values: [riscv64]}]}]"),
			Failed, []string{"In s390x", "In riscv64"}},
		"all of them": {affinity("[{matchExpressions: [{key: kubernetes.io/arch, operator: In, values: [amd64, arm64]}, " +
			"{key: kubernetes.io/os, operator: NotIn, values: [windows]}]}]"), Passed, nil},
		"all but what there is": {affinity("[{matchExpressions: [{key: kubernetes.io/arch, operator: NotIn, " +
			"values: [amd64, arm64]}]}]"),
			Failed, []string{"NotIn amd64, arm64"}},
		"no such label": {affinity("[{matchExpressions: [{key: kubernetes.io/arch, operator: DoesNotExist}]}]"),
			Failed, []string{"kubernetes.io/arch: DoesNotExist"}},
		"any architecture": {affinity("[{matchExpressions: [{key: kubernetes.io/arch, operator: Exists}]}]"), Passed, nil},
		"against each other": {affinity("[{matchExpressions: [{key: kubernetes.io/arch, operator: In, values: [amd64]}, " +
			"{key: kubernetes.io/arch, operator: NotIn, values: [amd64]}]}]"), Failed, []string{"In amd64; ", "NotIn amd64"}},
		"a wish": {job("affinity: {nodeAffinity: {preferred" + during + ": [{weight: 1, preference: " +
			"{matchExpressions: [{key: kubernetes.io/arch, operator: In, values: [s390x]}]}}]}}"), Warned,
			[]string{"it prefers "}},
		"off by default": {values + deployment + job(selected), Warned, []string{"In s390x"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, chart := checkChart(t.Context(), tree(t, operatorChart, c.files), "charts/operator")
			for final, want := range map[bool]Status{true: c.want, false: c.want} {
				if want == Failed && !final {
					want = Warned
				}
				checks := Options{Final: final, ImagePlatforms: map[string][]string{
					"docker.io/example/operator": {"linux/amd64", "linux/arm64"}}}.checkNodes([]renderedChart{chart})
				if c.want == "" {
					if len(checks) > 0 {
						t.Errorf("got:\n%s", details(checks))
					}
					continue
				}
				if len(checks) != 1 || checks[0].Status != want {
					t.Fatalf("want one check %s, got:\n%s", want, details(checks))
				}
				contains(t, checks, c.wants...)
			}
		})
	}
}
