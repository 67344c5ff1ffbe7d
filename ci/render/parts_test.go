package render

import (
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// TestImagesInParts: an image of this version is found where its tag or registry stands apart.
func TestImagesInParts(t *testing.T) {
	images := Images{Tag: "v1.5.0", Has: []string{"docker.io/a/pi"}, Lacks: map[string]string{"ghcr.io/a/kubectl": "no builder"},
		Foreign: []string{"docker.io/a/busybox"}}
	pod := func(fields string) string { return "kind: Pod\nspec: {containers: [{name: a, " + fields + "}]}\n" }
	env := func(pairs ...string) string {
		var all []string
		for _, pair := range pairs {
			name, value, _ := strings.Cut(pair, "=")
			all = append(all, "{name: "+name+", value: '"+value+"'}")
		}
		return pod("env: [" + strings.Join(all, ", ") + "]")
	}
	for name, c := range map[string]struct{ object, want string }{
		"variables":              {env("IMAGE=docker.io/a/e", "TAG=v1.5.0"), "docker.io/a/e:v1.5.0"},
		"variables with words":   {env("OTHER=x", "EXECUTOR_IMAGE=quay.io/a/e", "EXECUTOR_IMAGE_TAG=1.5.0"), "quay.io/a/e:1.5.0"},
		"a tag for all":          {env("EXECUTOR_IMAGE=quay.io/a/e", "TAG=v1.5.0"), "quay.io/a/e:v1.5.0"},
		"its own tag":            {env("EXECUTOR_IMAGE=quay.io/a/e", "EXECUTOR_TAG=v0.3.0", "TAG=v1.5.0"), ""},
		"a version of the same":  {env("EXECUTOR_IMAGE=quay.io/a/e", "EXECUTOR_VERSION=v1.5.0"), "quay.io/a/e:v1.5.0"},
		"a version of something": {env("EXECUTOR_IMAGE=quay.io/a/e", "VERSION=v1.5.0"), ""},
		"three variables":        {env("REGISTRY=quay.io", "REPOSITORY=a/e", "TAG=v1.5.0"), "quay.io/a/e:v1.5.0"},
		"a registry's folder":    {env("REGISTRY=ghcr.io/a", "IMAGE_NAME=kubectl", "TAG=v0.1.0"), "ghcr.io/a/kubectl:v0.1.0"},
		"flags":                  {pod("args: [--executor-image=quay.io/a/e, --executor-tag=v1.5.0]"), "quay.io/a/e:v1.5.0"},
		"flags in two":           {pod("args: [--image, quay.io/a/e, --image-tag, v1.5.0]"), "quay.io/a/e:v1.5.0"},
		"flags in a shell":       {pod("command: [sh, -c, 'exec /pi --image quay.io/a/e --tag \"v1.5.0\"']"), "quay.io/a/e:v1.5.0"},
		"a flag and a variable":  {pod("args: [--tag=v1.5.0], env: [{name: IMAGE, value: quay.io/a/e}]"), "quay.io/a/e:v1.5.0"},
		"a ConfigMap":            {"kind: ConfigMap\ndata: {executorImage: quay.io/a/e, executorImageTag: v1.5.0}\n", "quay.io/a/e:v1.5.0"},
		"a file of variables":    {"kind: ConfigMap\ndata:\n  env: |\n    export IMAGE=quay.io/a/e\n    TAG=v1.5.0\n", "quay.io/a/e:v1.5.0"},
		"properties":             {"kind: ConfigMap\ndata:\n  p: |\n    job.image.repository=quay.io/a/e\n    job.image.tag=v1.5.0\n", "quay.io/a/e:v1.5.0"},
		"a file of YAML":         {"kind: ConfigMap\ndata:\n  c.yaml: |\n    job:\n      image: quay.io/a/e:v1.5.0\n", "quay.io/a/e:v1.5.0"},
		"a custom resource":      {"kind: App\nspec: {image: {registry: quay.io, repository: a/e, tag: v1.5.0}}\n", "quay.io/a/e:v1.5.0"},
		"images in a flag":       {pod("args: ['--images=w=quay.io/a/e:v1.5.0,x=docker.io/a/pi:v1.5.0']"), "quay.io/a/e:v1.5.0"},
		"images in a variable":   {env("IMAGES=docker.io/a/pi:v1.5.0,quay.io/a/e:v1.5.0"), "quay.io/a/e:v1.5.0"},
		"JSON in a flag":         {pod("args: ['--config={\"image\":\"quay.io/a/e\", \"tag\":\"v1.5.0\"}']"), "quay.io/a/e:v1.5.0"},
		"lines":                  {"kind: ConfigMap\ndata: {images.txt: \"quay.io/a/e:v1.5.0\\ndocker.io/a/pi:v1.5.0\\n\"}\n", "quay.io/a/e:v1.5.0"},
		"TOML":                   {"kind: ConfigMap\ndata: {c.toml: \"[job]\\nimage = 'quay.io/a/e'\\ntag = 'v1.5.0'\\n\"}\n", "quay.io/a/e:v1.5.0"},
		"Spark's properties":     {"kind: ConfigMap\ndata: {c: \"a.container.image quay.io/a/e:v1.5.0\\nother x\\n\"}\n", "quay.io/a/e:v1.5.0"},
		"a script":               {"kind: ConfigMap\ndata: {run.sh: \"exec ctr run localhost:5000/a/e:v1.5.0 x\\n\"}\n", "localhost:5000/a/e:v1.5.0"},
		"a related image":        {env("RELATED_IMAGE_E=quay.io/a/e", "RELATED_IMAGE_E_VERSION=v1.5.0"), "quay.io/a/e:v1.5.0"},
		"a chart by address":     {env("CHART=oci://quay.io/a/charts/e:v1.5.0", "PAGE=https://example.com/e:v1.5.0"), ""},
		"a pull policy":          {env("IMAGE_PULL_POLICY=IfNotPresent", "TAG=v1.5.0"), ""},
		"another version":        {env("IMAGE=docker.io/a/e", "TAG=v1.4.0"), ""},
		"an image of the bundle": {env("IMAGE=docker.io/a/pi", "TAG=v1.5.0"), ""},
		"a foreign one":          {env("IMAGE=a/busybox", "TAG=v1.5.0"), ""},
		"a Git repository":       {env("REPOSITORY=github.com/a/e", "TAG=v1.5.0"), ""},
		"a Git repository named": {env("GIT_REPO=example.com/a/e", "TAG=v1.5.0"), ""},
		"an address":             {env("API=example.com/a", "TAG=v1.5.0"), ""},
		"labels":                 {"kind: App\nmetadata: {labels: {app.kubernetes.io/name: e, app.kubernetes.io/version: v1.5.0}}\n", ""},
		"a chart":                {"kind: App\nspec: {repository: 'https://example.com/charts', name: e, version: 1.5.0}\n", ""},
	} {
		var object map[string]any
		if err := yaml.Unmarshal([]byte(c.object), &object); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, l := range images.Lacking("it", object) {
			got = append(got, l.Image)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
