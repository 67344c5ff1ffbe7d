package config

import (
	"encoding"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/version"
)

func tree(files ...string) fstest.MapFS {
	fs := fstest.MapFS{}
	for i := 0; i < len(files); i += 2 {
		fs[files[i]] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	return fs
}

var operator = []string{
	"go.mod", "module github.com/acme/spark/v2\n\ngo 1.26\n",
	"cmd/operator/main.go", "package main\n",
	"cmd/tools/helper.go", "package tools\n",
	"Dockerfile", "FROM scratch\n",
	"docker/Dockerfile.kubectl", "FROM scratch\n",
	"charts/spark-chart/Chart.yaml", "name: spark\nversion: 1.0.0\n",
	"charts/spark-chart/values.yaml", "image:\n  registry: docker.io\n  repository: acme/spark\n  tag: \"\"\nhook:\n  image:\n    registry: docker.io\n    repository: acme/spark-kubectl\n    tag: \"\"\n",
	"charts/lib/Chart.yaml", "name: lib\ntype: library\n",
}

func TestDefaultsByLooking(t *testing.T) {
	got, err := Load(tree(operator...), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		Name: "spark", URL: "https://github.com/acme/spark", Branches: version.DefaultPattern, Development: "main",
		Platforms: []string{"linux/amd64", "linux/arm64"},
		Gate:      []string{"go vet -trimpath ./...", "go test -trimpath ./..."},
		Lint:      []string{gofmt, "go vet -trimpath ./..."},
		Binaries: []Binary{{Name: "operator", Main: "./cmd/operator",
			LDFlags: "-s -w -X main.version={version} -X main.commit={commit} -X main.date={date}"}},
		Images: []Image{
			{Repository: "docker.io/acme/spark", Dockerfile: "Dockerfile", Context: "."},
			{Repository: "docker.io/acme/spark-kubectl", Dockerfile: "docker/Dockerfile.kubectl", Context: "."},
		},
		Charts:    []Chart{{Path: "charts/spark-chart", Repository: "docker.io/acme/charts"}},
		Support:   &Support{Lines: 3},
		Policy:    &Policy{Patch: Fixes, Minor: Explained, Major: Explained},
		Artifacts: "docker.io/acme/spark",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%s\nwant\n%s", dump(got), dump(want))
	}
}

func dump(c Config) string {
	out, _ := json.MarshalIndent(c, "", " ")
	return string(out)
}

func TestStandardBuildArguments(t *testing.T) {
	dockerfile := "ARG VERSION=0 OTHER\nFROM scratch\n  arg GIT_COMMIT\n# ARG GIT_TREE_STATE\nENV SOURCE_DATE_EPOCH=1\n"
	got, err := Load(tree(append(slices.Clone(operator), "Dockerfile", dockerfile)...), "", nil)
	if want := map[string]string{"VERSION": "{version}", "GIT_COMMIT": "{commit}"}; err != nil || !reflect.DeepEqual(got.Images[0].Args, want) {
		t.Errorf("got %v, %v", got.Images[0].Args, err)
	}
	got, err = Load(tree(append(slices.Clone(operator), "Dockerfile", dockerfile)...), "x", []byte("images:\n- {dockerfile: Dockerfile, args: {VERSION: '{semver}', OTHER: x}}\n"))
	if want := map[string]string{"VERSION": "{semver}", "GIT_COMMIT": "{commit}", "OTHER": "x"}; err != nil || !reflect.DeepEqual(got.Images[0].Args, want) {
		t.Errorf("got %v, %v", got.Images[0].Args, err)
	}
	// A profile holds for many tags: what its Dockerfile does not declare is not given.
	files := append(slices.Clone(operator), "go.mod", "module github.com/kubeflow/spark-operator/v2\n")
	if got, err = Load(tree(files...), "", nil); err != nil || len(got.Images[0].Args) != 0 {
		t.Errorf("got %v, %v", got.Images[0].Args, err)
	}
	files = append(files, "Dockerfile", "FROM scratch\nARG VERSION\n")
	if got, err = Load(tree(files...), "", nil); err != nil || !reflect.DeepEqual(got.Images[0].Args, map[string]string{"VERSION": "{semver}"}) {
		t.Errorf("got %v, %v", got.Images[0].Args, err)
	}
}

func TestAnEmptyListIsNone(t *testing.T) {
	files := append(slices.Clone(operator), "go.mod", "module github.com/kubeflow/spark-operator/v2\n")
	got, err := Load(tree(files...), "x", []byte("images: []\nbinaries: []\ngate: []\ngenerated: []\n"))
	if err != nil || len(got.Generated) != 0 || len(got.Images) != 0 || len(got.Binaries) != 0 || len(got.Gate) != 0 || len(got.Charts) != 1 {
		t.Errorf("got %s, %v", dump(got), err)
	}
}

func TestGenerated(t *testing.T) {
	files := append(slices.Clone(operator), "go.sum", "")
	got, err := Load(tree(files...), "", nil)
	if want := []Generated{{Paths: []string{"go.sum"}, Command: "go mod tidy"}}; err != nil || !reflect.DeepEqual(got.Generated, want) {
		t.Errorf("got %v, %v", got.Generated, err)
	}
	got, err = Load(tree(files...), "x", []byte("generated:\n- {paths: ['api/**/zz_generated.*.go', 'docs', '!docs/index.md', 'charts/*/crds/*.yaml'], command: make generate}\n"))
	if err != nil || len(got.Generated) != 1 || got.Generated[0].Command != "make generate" {
		t.Fatalf("got %v, %v", got.Generated, err)
	}
	matches, err := got.Generated[0].Matcher()
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{
		"api/zz_generated.deepcopy.go": true, "api/v1/x/zz_generated.deepcopy.go": true, "api/v1/types.go": false, "api/zz_generated.go.txt": false, "v2/api/zz_generated.a.go": false,
		"docs/api.md": true, "docs/a/b.md": true, "docs/index.md": false, "docs.md": false,
		"charts/a/crds/x.yaml": true, "charts/crds/x.yaml": false, "charts/a/crds/y/x.yaml": false, "go.sum": false,
	} {
		if matches(path) != want {
			t.Errorf("%s: %v", path, !want)
		}
	}
}

// TestSourceOf: modules of Kubernetes have a path of their own, and a chart names its project.
func TestSourceOf(t *testing.T) {
	chart := func(more string) []string {
		return []string{"go.mod", "module pi.example.io/pi/v2\n", "charts/pi/Chart.yaml", "name: pi\nversion: 1.0.0\n" + more,
			"charts/pi/values.yaml", "image: {repository: a/pi, tag: ''}\n"}
	}
	for want, files := range map[string][]string{
		"https://github.com/kubernetes-sigs/kueue": {"go.mod", "module sigs.k8s.io/kueue\n"},
		"https://github.com/kubernetes/kops":       {"go.mod", "module k8s.io/kops\n"},
		"https://github.com/a/pi":                  chart("home: https://github.com/a/pi.git\n"),
		"https://github.com/b/pi":                  chart("home: https://pi.example.io\nsources: [https://github.com/other/spark, https://github.com/b/pi/]\n"),
		"":                                         chart("home: https://github.com/a/helm-charts\nsources: [https://github.com/a/pi/tree/main/x]\n"),
	} {
		if got, err := Load(tree(files...), "", nil); err != nil || got.URL != want {
			t.Errorf("%s: %q, %v", want, got.URL, err)
		}
	}
}

func TestBinariesOfImages(t *testing.T) {
	for settings, want := range map[string]string{
		"binaries: {operator: /usr/bin/operator}": "",
		"binaries: {operatr: /usr/bin/operator}":  `no binary is called "operatr"; did you mean "operator"?`,
		"binaries: {operator: bin/operator}":      `"bin/operator" is no absolute path in the image; write it like /usr/bin/operator`,
	} {
		_, err := Load(tree(operator...), "x", []byte("images:\n- dockerfile: Dockerfile\n  "+settings+"\n"))
		if want == "" && err != nil || want != "" && (!refusal.Is(err) || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v", settings, err)
		}
	}
}

func TestFileWins(t *testing.T) {
	files := append(slices.Clone(operator), File, "# settings\nname: other\nbranches: release-{major}.x\nplatforms: [linux/arm/v7]\nimages:\n- dockerfile: Dockerfile\n  args: {VERSION: '{semver}'}\n")
	got, err := Load(tree(files...), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if got.Name != "other" || got.Pattern().PerMinor() || got.Platforms[0] != "linux/arm/v7" || len(got.Images) != 1 ||
		got.Images[0].Repository != "docker.io/acme/spark" || got.Images[0].Args["VERSION"] != "{semver}" {
		t.Errorf("got %s", dump(got))
	}
	if got, err = Load(tree(files...), "given.yaml", []byte("name: given")); err != nil || got.Name != "given" || len(got.Images) != 2 {
		t.Errorf("got %s, %v", dump(got), err)
	}
}

func TestSparkOperatorProfile(t *testing.T) {
	files := []string{
		"go.mod", "module github.com/kubeflow/spark-operator/v2\n",
		"cmd/operator/main.go", "package main\n",
		"Dockerfile", "FROM scratch\n",
		"docker/Dockerfile.kubectl", "FROM scratch\n",
		"charts/spark-operator-chart/Chart.yaml", "name: spark-operator\nversion: 1.0.0\n",
		"go.sum", "", "config/crd/bases/sparkapplications.yaml", "", // a rule without files is left out
	}
	got, err := Load(tree(files...), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if got.Profile != "spark-operator" || got.Development != "master" || !slices.Equal(got.Gate, []string{"make unit-test"}) ||
		got.Images[0].Repository != "docker.io/kubeflow/spark-operator" || got.Images[1].Repository != "docker.io/kubeflow/spark-operator-kubectl" ||
		got.Binaries[0].Name != "spark-operator" || !strings.Contains(got.Binaries[0].LDFlags, "gitVersion={version}") ||
		got.Charts[0].Repository != "ghcr.io/kubeflow/helm-charts" ||
		got.Destinations == nil || got.Destinations.GitHub != "kubeflow/spark-operator" || got.Destinations.Index != "gh-pages" || len(got.Generated) != 2 || got.Generated[0].Command != "go mod tidy" || got.Generated[1].Command != "make update-crd" {
		t.Errorf("got %s", dump(got))
	}
	// Its chart names other repositories since 2.2: what users pull is what the chart says.
	files = append(files, "charts/spark-operator-chart/values.yaml", "image: {registry: ghcr.io, repository: kubeflow/spark-operator/controller, tag: ''}\nhook: {image: {registry: ghcr.io, repository: kubeflow/spark-operator/kubectl, tag: ''}}\n")
	if got, err = Load(tree(files...), "", nil); err != nil || got.Images[0].Repository != "ghcr.io/kubeflow/spark-operator/controller" ||
		got.Images[1].Repository != "ghcr.io/kubeflow/spark-operator/kubectl" || got.Charts[0].Repository != "ghcr.io/kubeflow/helm-charts" {
		t.Errorf("got %s, %v", dump(got), err)
	}
}

func TestRefusals(t *testing.T) {
	for content, why := range map[string]string{
		"branchs: x":                       `.release.yaml:1: unknown key "branchs"; did you mean "branches"?`,
		"name: a\nimages:\n- dockerfil: x": `.release.yaml:3: unknown key "images.0.dockerfil"; did you mean "dockerfile"?`,
		"branches: release":                "branches: read branch pattern \"release\": it has no placeholder",
		"platforms: [linux/amd46]":         `did you mean "linux/amd64"?`,
		"platforms: [linux]":               "not of the form os/arch",
		"platforms: [linux/arm/v9]":        "no variant",
		"name: [a]":                        ".release.yaml:1: name: got array, want string",
		"name: a\n---\nname: b":            "more than one YAML document",
		"name: a: b":                       "read .release.yaml: yaml: mapping values",
		"- a":                              "the document: got array, want object",
		"profile: sparc":                   `load profile "sparc": there is none of that name; there is spark-operator`,
		"surfaces: [{path: ../x, pattern: '(v.*)'}]":                                                       `the path "../x" leaves the repository`,
		"surfaces: [{path: x, pattern: 'v.*'}]":                                                            "it has 0 groups",
		"surfaces: [{path: x, pattern: '('}]":                                                              "missing closing )",
		"binaries: [{name: a, main: ./a, ldflags: '{vresion}'}]":                                           `did you mean "version"?`,
		"binaries: [{name: a, main: ./a}, {name: a, main: ./b}]":                                           "used twice",
		"images: [{dockerfile: other/Dockerfile.x}]":                                                       "no repository is known for other/Dockerfile.x",
		"images: [{dockerfile: Dockerfile, repository: Acme}]":                                             "no repository with its registry",
		"images: [{dockerfile: a, repository: docker.io/a/b}, {dockerfile: b, repository: docker.io/a/b}]": "used twice",
		"images: [{dockerfile: ../Dockerfile, repository: docker.io/a/b}]":                                 "leaves the repository",
		"generated: [{paths: [../go.sum], command: x}]":                                                    `generated[0].paths[0]: the path "../go.sum" leaves the repository`,
		"generated: [{paths: [a, '!/b'], command: x}]":                                                     `generated[0].paths[1]: the path "/b" leaves the repository`,
		"generated: [{paths: ['api/[a'], command: x}]":                                                     `generated[0].paths[0]: the pattern "api/[a": syntax error in pattern; write a path, or a pattern such as`,
		"generated: [{paths: [a, '![z-a]'], command: x}]":                                                  `generated[0].paths[1]: the pattern "![z-a]": syntax error in pattern`,
		"generated: [{paths: [' '], command: x}]":                                                          `generated[0].paths[0]: the pattern " ": it is empty`,
		"generated: [{paths: [], command: x}]":                                                             "generated.0.paths: minItems: got 0, want 1",
		"generated: [{paths: [go.sum]}]":                                                                   "missing property 'command'",
		"author: {name: A}":                                                                                "missing property 'email'",
		"floating: [v1.5.0]":                                                                               "floating[0]: \"v1.5.0\" yields v1.5.0, which is a version: its tag never moves",
		"floating: [latest, '{major}.{minor}.7']":                                                          "floating[1]: \"{major}.{minor}.7\" yields 1.5.7, which is a version",
		"floating: ['{minor}']":                                                                            "put {major} in it, too",
		"floating: ['v{patch}']":                                                                           "yields no image tag",
		"floating: [latest, latest]":                                                                       "floating: items at 0 and 1 are equal",
	} {
		_, err := Load(tree(append(slices.Clone(operator), File, content)...), "", nil)
		if err == nil || !refusal.Is(err) || !strings.Contains(err.Error(), why) {
			t.Errorf("%q: %v; want a refusal with %q", content, err, why)
		}
	}
}

// TestSchemaKnowsEveryKey keeps schema and Config in step.
func TestSchemaKnowsEveryKey(t *testing.T) {
	var schema map[string]any
	if err := json.Unmarshal(Schema, &schema); err != nil {
		t.Fatal(err)
	}
	compare(t, "", schema, reflect.TypeFor[Config]())
}

func compare(t *testing.T, where string, schema map[string]any, typ reflect.Type) {
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	if reflect.PointerTo(typ).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return // a string
	}
	switch typ.Kind() {
	case reflect.Slice:
		compare(t, where, schema["items"].(map[string]any), typ.Elem())
	case reflect.Struct:
		properties := schema["properties"].(map[string]any)
		if n := typ.NumField(); n != len(properties) {
			t.Errorf("%s: %d fields, %d properties", where, n, len(properties))
		}
		for i := range typ.NumField() {
			key, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
			property, ok := properties[key].(map[string]any)
			if !ok {
				t.Errorf("%s.%s: not in the schema", where, key)
				continue
			}
			if property["description"] == nil && where != ".author" {
				t.Errorf("%s.%s: no description", where, key)
			}
			compare(t, where+"."+key, property, typ.Field(i).Type)
		}
	}
}

func TestExpand(t *testing.T) {
	v := Values{Version: version.MustParse("v1.5.0-rc.2"), Line: "1.5", Commit: "abc", Time: time.Unix(1767225600, 0)}
	got := v.Expand("{version} {semver} {major}.{minor}.{patch} {line} {commit} {date} {epoch} {other}")
	if got != "v1.5.0-rc.2 1.5.0-rc.2 1.5.0 1.5 abc 2026-01-01T00:00:00Z 1767225600 {other}" {
		t.Error(got)
	}
}

func TestPlatform(t *testing.T) {
	p, err := ParsePlatform("linux/arm/v7")
	if err != nil || p.String() != "linux/arm/v7" || p.Slug() != "linux-arm-v7" || !slices.Equal(p.GoEnv(), []string{"GOOS=linux", "GOARCH=arm", "GOARM=7"}) {
		t.Errorf("got %v %v %v", p, p.GoEnv(), err)
	}
}

func FuzzLoad(f *testing.F) {
	for _, s := range []string{"name: a", "images: [{dockerfile: Dockerfile}]", "{", "a: &a [*a]", "? [a]: b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := Load(tree(append(slices.Clone(operator), File, s)...), "", nil)
		if err == nil {
			_ = c.Pattern() // panics where it was not checked
		} else if !refusal.Is(err) {
			t.Fatalf("%q: %v is no refusal", s, err)
		}
	})
}

func TestChangelogOf(t *testing.T) {
	for file, want := range map[string]string{
		"":                                       "",
		NoChangelog:                              "",
		"CHANGELOG.md":                           "CHANGELOG.md",
		"CHANGELOG/CHANGELOG-{major}.{minor}.md": "CHANGELOG/CHANGELOG-1.5.md",
		"docs/{major}.md":                        "docs/1.md",
	} {
		if got := (Config{Changelog: file}).ChangelogOf(version.MustParse("v1.5.2-rc.1")); got != want {
			t.Errorf("%q: %q", file, got)
		}
		if err := checkChangelog("x", file); err != nil {
			t.Error(err)
		}
	}
	for _, file := range []string{"C-{version}.md", "C-{major.md", "C-{Minor}.md", "{}"} {
		if err := checkChangelog(".release.yaml: changelog", file); !refusal.Is(err) || !strings.Contains(err.Error(), "other placeholders") {
			t.Errorf("%q: %v", file, err)
		}
	}
}
