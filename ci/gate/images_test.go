package gate

import (
	"cmp"
	"strings"
	"testing"
)

func TestImages(t *testing.T) {
	const base = "docker.io/example/operator"
	const without = "-- charts/operator/Chart.yaml --\napiVersion: v2\nname: operator\nversion: 1.5.0\n"
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
		{"a tag of the values", strings.Replace(values("tag: ''"), `tag: ""`, "tag: latest", 1), map[string]string{base: "v1.5.0"}, Failed,
			[]string{"found docker.io/example/operator:latest, expected docker.io/example/operator:v1.5.0; value image in charts/operator/values.yaml sets the tag latest; set v1.5.0 there"}},
		{"a tag of the template", cronJob("image: example/operator:stable"), map[string]string{base: "v1.5.0"}, Failed,
			[]string{"neither appVersion in charts/operator/Chart.yaml nor a value of this image sets it"}},
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
		{"off by default, no appVersion", without, map[string]string{"example/kubectl": "v1.5.0"}, NotChecked,
			[]string{"hook.image (off by default); its tag is empty, and the chart has no appVersion: the template alone decides"}},
		{"no appVersion", without + cronJob("image: 'example/operator:{{ .Chart.AppVersion }}'"), map[string]string{base: "v1.5.0"}, Failed,
			[]string{"charts/operator/Chart.yaml has no appVersion, and no value of this image sets it; add appVersion: v1.5.0, or correct the template"}},
		{"off by default, on in ci", "-- charts/operator/ci/hook-values.yaml --\nhook: {upgradeCrd: true}\n", map[string]string{"example/kubectl": "v1.5.0"}, Passed,
			[]string{"not named with default values; named with charts/operator/ci/hook-values.yaml by charts/operator/templates/hook/job.yaml: Job upgrade-crds"}},
		{"off by default, local in ci", "-- charts/operator/ci/hook-values.yaml --\nhook: {upgradeCrd: true, image: {tag: local}}\n",
			map[string]string{"example/kubectl": "v1.5.0"}, Passed, []string{"named only by value path hook.image"}},
		{"off by default, in one string", "-- charts/operator/values.yaml --\nimage: {registry: docker.io, repository: example/operator, tag: ''}\n" +
			"hook: {images: [docker.io/example/kubectl:v1.4.0]}\npodMonitor: {}\ncertManager: {}\n", map[string]string{"example/kubectl": "v1.5.0"}, Failed,
			[]string{"hook.images[0] (off by default); its tag is v1.4.0"}},

		{"no images", "", nil, NotChecked, []string{"there is no version to compare tags with"}},
		{"a chart that does not render", "-- charts/operator/templates/extra.yaml --\n{{ fail `no` }}\n", map[string]string{base: "v1.5.0"}, NotChecked,
			[]string{"charts/operator did not render with default values"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, chart := checkChart(t.Context(), tree(t, operatorChart, c.files), "charts/operator")
			checks := Options{Images: c.images}.checkImages([]renderedChart{chart})
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

func TestLacking(t *testing.T) {
	has := map[string]string{"docker.io/example/operator": "v1.5.0"}
	lacks := map[string]string{"docker.io/example/kubectl": "Dockerfile.kubectl:2: RUN"}
	on := "-- charts/operator/ci/hook-values.yaml --\nhook: {upgradeCrd: true}\n"
	for _, c := range []struct {
		name, files string
		lacks       map[string]string
		foreign     []string
		candidate   bool
		none        bool   // the settings name no images
		version     string // v1.5.0 if empty
		want        Status // empty: no check
		wants       []string
	}{
		{name: "nothing lacks"},
		{name: "off by default", lacks: lacks, want: NotChecked, wants: []string{"the bundle lacks it (Dockerfile.kubectl:2: RUN)", "not found in the objects that the charts render to with their default values (install and upgrade)"}},
		{name: "on in ci", files: on, lacks: lacks, want: NotChecked, wants: []string{"off by default; run with charts/operator/ci/hook-values.yaml by charts/operator/templates/hook/job.yaml: Job upgrade-crds"}},
		{name: "by default", files: cronJob("image: example/kubectl:v1.5.0"), lacks: lacks, want: Failed, wants: []string{`run with default values by charts/operator/templates/extra.yaml: CronJob extra: container "c"`, "--image docker.io/example/kubectl=ARCHIVE"}},
		{name: "by default, of another tag", files: cronJob("image: example/kubectl:v9"), lacks: lacks, want: Failed},
		{name: "by default, in a candidate", files: cronJob("image: example/kubectl:v1.5.0"), lacks: lacks, candidate: true, want: NotChecked, wants: []string{"run with default values by"}},
		{name: "in an argument", files: cronJob("image: b\n            args: ['--image=example/kubectl:v1.5.0']"), lacks: lacks, want: Failed, wants: []string{`args of container "c"`}},
		{name: "in a volume", files: cronJob("image: b\n          volumes: [{name: v, image: {reference: 'example/kubectl:v1.5.0'}}]"), lacks: lacks, want: Failed, wants: []string{"volumes.image.reference"}},
		{name: "in a ConfigMap", files: "-- charts/operator/templates/a.yaml --\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {WORKER: 'example/worker:v1.5.0', note: see example/worker}\n",
			want: Failed, wants: []string{"ConfigMap a: data.WORKER"}},
		{name: "in an object of its own API", files: "-- charts/operator/templates/a.yaml --\napiVersion: example.com/v1\nkind: Pi\nmetadata: {name: a}\nspec: {image: 'example/kubectl:v1.5.0'}\n",
			lacks: lacks, want: Failed, wants: []string{"Pi a: spec.image"}},
		{name: "beside, of this version", files: cronJob("image: example/worker:v1.5.0"), want: Failed, wants: []string{"the settings name no such image"}},
		{name: "beside, of another version", files: cronJob("image: example/worker:v1.4.0")},
		{name: "of another owner, of this version", files: cronJob("image: other/worker:v1.5.0"), want: Failed,
			wants: []string{"other/worker:v1.5.0", "add docker.io/other/worker to foreignImages"}},
		{name: "of another registry, by appVersion", files: cronJob("image: 'ghcr.io/example/operator:{{ .Chart.AppVersion }}'"), want: Failed,
			wants: []string{"ghcr.io/example/operator:v1.5.0"}},
		{name: "without v", files: cronJob("image: 'ghcr.io/example/operator:{{ .Chart.Version }}'"), want: Failed,
			wants: []string{"ghcr.io/example/operator:1.5.0"}},
		{name: "with another word", files: cronJob("image: 'registry.example.com:5000/a:{{ .Chart.AppVersion }}-debug'"), want: Failed,
			wants: []string{"registry.example.com:5000/a:v1.5.0-debug"}},
		{name: "another registry, in a candidate", files: cronJob("image: ghcr.io/example/operator:v1.5.0"), candidate: true, want: NotChecked,
			wants: []string{"run with default values by"}},
		{name: "foreign", files: cronJob("image: example/worker:v1.5.0"), foreign: []string{"docker.io/example/worker"}},
		{name: "foreign, in short", files: cronJob("image: docker.io/example/worker:v1.5.0"), foreign: []string{"example/worker"}},
		{name: "by default, latest", files: cronJob("image: example/kubectl:latest"), lacks: lacks, want: Failed,
			wants: []string{"example/kubectl:latest", "the bundle lacks it (Dockerfile.kubectl:2: RUN)"}},
		{name: "charts alone", none: true, want: NotChecked,
			wants: []string{"operator:v1.5.0", "it carries this version, and the settings name no images", "run with default values by"}},
		{name: "charts alone, of another version", none: true, version: "v9.9.9", want: NotChecked,
			wants: []string{"charts", "the settings name no images; no chart runs one that carries v9.9.9"}},
		{name: "only for an old Kubernetes", files: "-- charts/operator/templates/a.yaml --\n{{ if semverCompare \"<1.37\" .Capabilities.KubeVersion.Version }}\napiVersion: v1\nkind: Pod\nmetadata: {name: a}\n" +
			"spec: {containers: [{name: c, image: example/kubectl:v1.5.0}]}\n{{ end }}\n", lacks: lacks, want: Failed, wants: []string{"Pod a: container"}},
		{name: "upgraded", files: "-- charts/operator/templates/a.yaml --\n{{ if .Release.IsUpgrade }}\napiVersion: v1\nkind: Pod\nmetadata: {name: a}\n" +
			"spec: {containers: [{name: c, image: example/kubectl:v1.5.0}]}\n{{ end }}\n", lacks: lacks, want: Failed, wants: []string{"Pod a: container"}},
		{name: "of a later revision", files: "-- charts/operator/templates/a.yaml --\n{{ if gt (int .Release.Revision) 1 }}\napiVersion: v1\nkind: Pod\nmetadata: {name: a}\n" +
			"spec: {containers: [{name: c, image: example/kubectl:v1.5.0}]}\n{{ end }}\n", lacks: lacks, want: Failed, wants: []string{"Pod a: container"}},
		{name: "beside another operator", files: "-- charts/operator/templates/a.yaml --\n{{ if .Capabilities.APIVersions.Has \"cert-manager.io/v1\" }}\napiVersion: v1\nkind: Pod\nmetadata: {name: a}\n" +
			"spec: {containers: [{name: c, image: example/kubectl:v1.5.0}]}\n{{ end }}\n", lacks: lacks, want: Failed, wants: []string{"Pod a: container"}},
		{name: "no upgrade", files: "-- charts/operator/templates/a.yaml --\n{{ if .Release.IsUpgrade }}{{ fail `no` }}{{ end }}\n", lacks: lacks, want: NotChecked,
			wants: []string{"chart charts/operator does not render for an upgrade on Kubernetes"}},
		{name: "does not render", files: "-- charts/operator/templates/extra.yaml --\n{{ fail `no` }}\n", lacks: lacks, want: NotChecked, wants: []string{"not all charts render"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, chart := checkChart(t.Context(), tree(t, operatorChart, c.files), "charts/operator")
			o := Options{Version: cmp.Or(c.version, "v1.5.0"), Images: has, Lacks: c.lacks, Foreign: c.foreign, Final: !c.candidate}
			if c.none {
				o.Images = nil
			}
			checks := o.checkLacking(t.Context(), []renderedChart{chart})
			if c.want == "" && len(checks) == 0 {
				return
			}
			if len(checks) != 1 || checks[0].Status != c.want {
				t.Fatalf("want one check %s, got:\n%s", c.want, details(checks))
			}
			contains(t, checks, c.wants...)
		})
	}
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
