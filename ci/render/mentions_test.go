package render

import (
	"testing"

	"sigs.k8s.io/yaml"
)

// TestLackingMentions: an image that the bundle lacks is found in every text of an object.
func TestLackingMentions(t *testing.T) {
	images := Images{Tag: "v1.0.0", Has: []string{"docker.io/example/pi"}, Lacks: map[string]string{"docker.io/example/kubectl": "no builder"}}
	for name, c := range map[string]struct{ object, image string }{
		"a nested file":           {"kind: ConfigMap\ndata:\n  c.yaml: |\n    sidecar:\n      image: docker.io/example/kubectl:v1.0.0\n", "docker.io/example/kubectl:v1.0.0"},
		"a custom resource":       {"kind: App\nspec: {executorImage: example/kubectl:v1.0.0}\n", "example/kubectl:v1.0.0"},
		"a list":                  {"kind: App\nspec: {images: [\"index.docker.io/example/kubectl@sha256:0a\"]}\n", "index.docker.io/example/kubectl@sha256:0a"},
		"repository and tag":      {"kind: App\nspec: {image: {repository: docker.io/example/kubectl, tag: v1.0.0}}\n", "docker.io/example/kubectl:v1.0.0"},
		"a command of shells":     {"kind: Pod\nspec: {containers: [{name: a, command: [sh, -c, \"exec /pi --image=example/kubectl:v1.0.0 --x\"]}]}\n", "example/kubectl:v1.0.0"},
		"a list in a value":       {"kind: Pod\nspec: {containers: [{name: a, env: [{name: I, value: \"a:1,example/kubectl:v1.0.0\"}]}]}\n", "example/kubectl:v1.0.0"},
		"a secret":                {"kind: Secret\nstringData: {IMAGE: \"docker.io/example/kubectl:v1.0.0\"}\n", "docker.io/example/kubectl:v1.0.0"},
		"a repository in a file":  {"kind: ConfigMap\ndata:\n  c.yaml: |\n    image:\n      repository: docker.io/example/kubectl\n      tag: v1.0.0\n", "docker.io/example/kubectl:v1.0.0"},
		"a repository in JSON":    {"kind: Pod\nspec: {containers: [{name: a, env: [{name: I, value: '{\"repository\":\"example/kubectl\",\"tag\":\"v1\"}'}]}]}\n", "example/kubectl:v1"},
		"registry and repository": {"kind: App\nspec: {image: {registry: index.docker.io, repository: example/kubectl, tag: v1}}\n", "index.docker.io/example/kubectl:v1"},
		"a Secret in base64":      {"kind: Secret\ndata: {I: ZXhhbXBsZS9rdWJlY3RsOnYxLjAuMA==}\n", "example/kubectl:v1.0.0"},
		"a flag's value":          {"kind: Pod\nspec: {containers: [{name: a, command: [sh, -c, \"/pi --image example/kubectl --tag v1\"]}]}\n", "example/kubectl:v1"},
		"a shell's variable":      {"kind: Pod\nspec: {containers: [{name: a, command: [sh, -c, \"run example/kubectl:${TAG} x\"]}]}\n", "example/kubectl:${TAG}"},
		"TOML":                    {"kind: ConfigMap\ndata:\n  c.toml: |\n    [job]\n    image = 'example/kubectl:v1.0.0'\n", "example/kubectl:v1.0.0"},
		"the registry of another": {"kind: App\nspec: {image: {registry: ghcr.io, repository: example/kubectl, tag: v1}}\n", ""},
		"a comment in a file":     {"kind: ConfigMap\ndata:\n  c.yaml: |\n    # as example/kubectl:v1.0.0\n    a: b\n", ""},
		"a word in prose":         {"kind: App\nspec: {docs: \"made from example/kubectl on the web\"}\n", ""},
		"another registry":        {"kind: App\nspec: {image: ghcr.io/example/kubectl:v0.9.0}\n", ""},
		"a longer name":           {"kind: App\nspec: {image: docker.io/example/kubectl-more:v0.9.0}\n", ""},
		"a longer owner":          {"kind: App\nspec: {image: docker.io/my.example/kubectl:v0.9.0}\n", ""},
		"one of the bundle":       {"kind: App\nspec: {image: docker.io/example/pi:v1.0.0}\n", ""},
		"a page about it":         {"kind: App\nspec: {docs: \"see https://hub.docker.com/r/example/kubectl/tags\"}\n", ""},
	} {
		var object map[string]any
		if err := yaml.Unmarshal([]byte(c.object), &object); err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, l := range images.Lacking("it", object) {
			got += l.Image
		}
		if got != c.image {
			t.Errorf("%s: %q, want %q", name, got, c.image)
		}
	}
}
