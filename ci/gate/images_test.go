package gate

import "testing"

func TestImages(t *testing.T) {
	const base = "docker.io/example/operator"
	for _, c := range []struct {
		name   string
		files  string
		images map[string]string
		want   Status
		wants  []string
	}{
		{"named", "", map[string]string{base: "v1.5.0"}, Passed,
			[]string{`named by charts/operator/templates/controller/deployment.yaml: Deployment release-name-controller: container "controller"`}},
		{"named in short", "", map[string]string{"example/operator": "v1.5.0"}, Passed, nil},
		{"another tag", "", map[string]string{base: "v1.5.1"}, Failed, []string{
			`charts/operator/templates/controller/deployment.yaml: Deployment release-name-controller: container "controller": ` +
				"found docker.io/example/operator:v1.5.0, expected docker.io/example/operator:v1.5.1; appVersion in charts/operator/Chart.yaml"}},
		{"no tag", cronJob("image: example/operator"), map[string]string{base: "v1.5.0"}, Failed,
			[]string{`CronJob extra: container "c": found example/operator, expected docker.io/example/operator:v1.5.0`}},
		{"a digest", cronJob("image: example/operator:v1.5.0@sha256:0123"), map[string]string{base: "v1.5.0"}, Failed, []string{"@sha256:0123, expected"}},
		{"another repository of the same name", cronJob("image: quay.io/example/operator:v1.4.0"), map[string]string{base: "v1.5.0"}, Passed, nil},
		{"an init container", cronJob("image: b\n          initContainers: [{name: i, image: example/operator:v1.4.0}]"), map[string]string{base: "v1.5.0"},
			Failed, []string{`initContainer "i": found example/operator:v1.4.0`}},
		{"only in the environment", cronJob("image: b\n            env: [{name: WORKER_IMAGE, value: 'example/worker:v1.5.0'}]"),
			map[string]string{"example/worker": "v1.5.0"}, Passed, []string{`env WORKER_IMAGE of container "c"`}},
		{"forgotten in an argument", cronJob("image: b\n            args: ['--worker-image=example/worker:v1.4.0']"),
			map[string]string{"example/worker": "v1.5.0"}, Failed, []string{`args of container "c": found example/worker:v1.4.0`}},
		{"nowhere", "", map[string]string{"example/absent": "v1.5.0"}, Failed,
			[]string{"looked for example/absent:v1.5.0 in what charts/operator renders to and in its values: nothing names it"}},

		{"off by default", "", map[string]string{"example/kubectl": "v1.5.0"}, Passed,
			[]string{"named only by value path hook.image (off by default); its tag is empty and appVersion is v1.5.0"}},
		{"off by default, another appVersion", "", map[string]string{"example/kubectl": "v1.5.1"}, Failed,
			[]string{`hook.image (off by default); its tag is empty and appVersion is "v1.5.0", expected v1.5.1; correct appVersion in charts/operator/Chart.yaml`}},
		{"off by default, with another tag", values("tag: v1.4.0"), map[string]string{"example/kubectl": "v1.5.0"}, Failed,
			[]string{"hook.image (off by default); its tag is v1.4.0, expected v1.5.0; correct values.yaml"}},
		{"off by default, with its tag", values("tag: v1.5.0"), map[string]string{"example/kubectl": "v1.5.0"}, Passed, []string{"its tag is v1.5.0"}},
		{"off by default, with a digest", values("tag: v1.5.0, digest: sha256:0123"), map[string]string{"example/kubectl": "v1.5.0"}, Failed,
			[]string{"it is pinned to sha256:0123"}},
		{"off by default, on in ci", "-- charts/operator/ci/hook-values.yaml --\nhook: {upgradeCrd: true}\n", map[string]string{"example/kubectl": "v1.5.0"}, Passed,
			[]string{"not named with default values; named with charts/operator/ci/hook-values.yaml by charts/operator/templates/hook/job.yaml: Job upgrade-crds"}},
		{"off by default, local in ci", "-- charts/operator/ci/hook-values.yaml --\nhook: {upgradeCrd: true, image: {tag: local}}\n",
			map[string]string{"example/kubectl": "v1.5.0"}, Passed, []string{"named only by value path hook.image"}},
		{"off by default, in one string", "-- charts/operator/values.yaml --\nimage: {registry: docker.io, repository: example/operator, tag: ''}\n" +
			"hook: {images: [docker.io/example/kubectl:v1.4.0]}\npodMonitor: {}\ncertManager: {}\n", map[string]string{"example/kubectl": "v1.5.0"}, Failed,
			[]string{"hook.images[0] (off by default); its tag is v1.4.0"}},

		{"no images", "", nil, NotChecked, []string{"the images of this release are not known here"}},
		{"a chart that does not render", "-- charts/operator/templates/extra.yaml --\n{{ fail `no` }}\n", map[string]string{base: "v1.5.0"}, NotChecked,
			[]string{"charts/operator did not render with default values"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, chart := checkChart(t.Context(), tree(t, operatorChart, c.files), "charts/operator")
			checks := checkImages(c.images, []renderedChart{chart})
			if len(checks) != 1 || checks[0].Status != c.want {
				t.Fatalf("want one check %s, got:\n%s", c.want, details(checks))
			}
			contains(t, checks, c.wants...)
		})
	}
	t.Run("no chart", func(t *testing.T) {
		result := run(t, Options{Tree: t.TempDir(), Images: gateImages})
		if len(result.Checks) != 2 || result.Checks[0].Status != NotChecked {
			t.Errorf("got:\n%s", details(result.Checks))
		}
	})
}

func cronJob(container string) string {
	return `
-- charts/operator/templates/extra.yaml --
apiVersion: batch/v1
kind: CronJob
metadata: {name: extra}
spec:
  schedule: "@daily"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers:
          - name: c
            ` + container + "\n"
}

func values(hookImage string) string {
	return `
-- charts/operator/values.yaml --
image: {registry: docker.io, repository: example/operator, tag: ""}
hook: {image: {registry: docker.io, repository: example/kubectl, ` + hookImage + `}}
podMonitor: {}
certManager: {}
`
}

func TestReferences(t *testing.T) {
	for image, want := range map[string]reference{
		"busybox":                              {"docker.io/library/busybox", "", ""},
		"busybox:1":                            {"docker.io/library/busybox", "1", ""},
		"docker.io/busybox":                    {"docker.io/library/busybox", "", ""},
		"kubeflow/spark-operator:v1":           {"docker.io/kubeflow/spark-operator", "v1", ""},
		"index.docker.io/kubeflow/x:v1":        {"docker.io/kubeflow/x", "v1", ""},
		"localhost/x":                          {"localhost/x", "", ""},
		"localhost:5000/x":                     {"localhost:5000/x", "", ""},
		"ghcr.io/a/b/c:v1@sha256:0":            {"ghcr.io/a/b/c", "v1", "sha256:0"},
		"127.0.0.1:5000/docker.io/a/b":         {"127.0.0.1:5000/docker.io/a/b", "", ""},
		" kubeflow/spark-operator:v1.5.0-rc.0": {"docker.io/kubeflow/spark-operator", "v1.5.0-rc.0", ""},
	} {
		if got := parseReference(image); got != want {
			t.Errorf("%s: got %+v, want %+v", image, got, want)
		}
	}
}
