package render

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/tools/txtar"
)

// siblings are two charts side by side, and stale copies of the one in the other.
const siblings = `
-- charts/pi/Chart.yaml --
apiVersion: v2
name: pi
version: 1.5.0
appVersion: v1.5.0
dependencies:
- name: crds
  version: 'VERSION'
  repository: file://../crds
-- charts/pi/templates/a.yaml --
kind: Pi
-- charts/crds/Chart.yaml --
apiVersion: v2
name: crds
version: 1.5.0
appVersion: v1.5.0
-- charts/crds/values.yaml --
of: the tree
-- charts/crds/.helmignore --
ignored.yaml
-- charts/crds/templates/ignored.yaml --
kind: Ignored
-- charts/crds/templates/c.yaml --
kind: Crds of {{ .Values.of }} as {{ .Chart.Name }} {{ .Chart.Version }}
`

func treeOf(archives ...string) fstest.MapFS {
	tree := fstest.MapFS{}
	for _, a := range archives {
		for _, f := range txtar.Parse([]byte(a)).Files {
			tree[f.Name] = &fstest.MapFile{Data: f.Data}
		}
	}
	return tree
}

func TestDependencies(t *testing.T) {
	const stale = "-- charts/pi/charts/old/Chart.yaml --\napiVersion: v2\nname: crds\nversion: 1.4.0\n-- charts/pi/charts/old/templates/c.yaml --\nkind: Old\n"
	const read = "charts/crds/templates/c.yaml kind: Crds of the tree as crds 1.5.0, charts/pi/templates/a.yaml kind: Pi"
	declare := func(entries string) string {
		return "-- charts/pi/Chart.yaml --\napiVersion: v2\nname: pi\nversion: 1.5.0\ndependencies:\n" + entries
	}
	for name, test := range map[string]struct {
		version, files string
		want           string // documents
		problem        string
	}{
		"its version":       {version: "1.5.0", want: read},
		"a range":           {version: "~1.5.0", want: read},
		"over a stale copy": {version: ">=1.0.0", files: stale, want: read},
		"another version":   {version: "1.4.0", problem: "charts/pi/Chart.yaml:6: the dependency crds 1.4.0 is read from file://../crds, which has version 1.5.0 there; write version: 1.5.0"},
		"a range below":     {version: "~1.4.0", problem: "write version: 1.5.0, which follows the chart from then on"},
		"a candidate":       {version: "^1.4.0", files: "-- charts/crds/Chart.yaml --\napiVersion: v2\nname: crds\nversion: 1.5.0-rc.0\n", problem: `write version: ">=1.5.0-0"`},
		"a candidate's range": {version: ">=1.5.0-0", files: "-- charts/crds/Chart.yaml --\napiVersion: v2\nname: crds\nversion: 1.5.0-rc.0\n",
			want: strings.Replace(read, "1.5.0", "1.5.0-rc.0", 1)},
		"two aliases": {files: declare("- {name: crds, alias: x, version: 1.5.0, repository: file://../crds}\n- {name: crds, alias: z, version: 1.5.0, repository: file://../crds}\n"),
			want: "charts/crds/templates/c.yaml kind: Crds of the tree as x 1.5.0, charts/crds/templates/c.yaml kind: Crds of the tree as z 1.5.0, charts/pi/templates/a.yaml kind: Pi"},
		"off by a condition": {files: declare("- {name: crds, condition: on, version: 1.5.0, repository: file://../crds}\n") + "-- charts/pi/values.yaml --\non: false\n",
			want: "charts/pi/templates/a.yaml kind: Pi"},
		"in two steps": {version: "1.5.0", files: "-- charts/crds/Chart.yaml --\napiVersion: v2\nname: crds\nversion: 1.5.0\ndependencies: [{name: lib, version: 2.x, repository: file://../../lib}]\n" +
			"-- lib/Chart.yaml --\napiVersion: v2\nname: lib\nversion: 2.1.0\n-- lib/templates/l.yaml --\nkind: Lib\n",
			want: "lib/templates/l.yaml kind: Lib, charts/crds/templates/c.yaml kind: Crds of the tree as crds 1.5.0, charts/pi/templates/a.yaml kind: Pi"},
		"missing at the second step": {version: "1.5.0", files: "-- charts/crds/Chart.yaml --\napiVersion: v2\nname: crds\nversion: 1.5.0\ndependencies: [{name: redis, version: 2.x, repository: https://r.example.com}]\n",
			problem: "charts/crds/Chart.yaml:4: the dependency redis 2.x (https://r.example.com) is not in charts/crds/charts of the commit; run: helm dependency update charts/crds"},
		"foreign, committed": {files: declare("- {name: crds, version: 1.x, repository: https://c.example.com}\n") + stale, want: "charts/pi/charts/crds/templates/c.yaml kind: Old, charts/pi/templates/a.yaml kind: Pi"},
		"without repository": {files: declare("- {name: redis, version: 1.x}\n"), problem: "the dependency redis 1.x (no repository) is not in charts/pi/charts of the commit; commit the chart as charts/pi/charts/redis"},
		"of apiVersion v1": {files: "-- charts/pi/Chart.yaml --\napiVersion: v1\nname: pi\nversion: 1.5.0\n-- charts/pi/requirements.yaml --\ndependencies:\n- {name: redis, version: 1.x, repository: https://r.example.com}\n",
			problem: "charts/pi/requirements.yaml:2: the dependency redis 1.x"},
		"another name":    {files: declare("- {name: crd, version: 1.5.0, repository: file://../crds}\n"), problem: "is read from file://../crds, where the chart is named crds; correct name or repository"},
		"not there":       {files: declare("- {name: crds, version: 1.5.0, repository: file://../none}\n"), problem: "the commit has no charts/none/Chart.yaml; commit that chart"},
		"out of it":       {files: declare("- {name: crds, version: 1.5.0, repository: file://../../../crds}\n"), problem: "leads out of the repository"},
		"an absolute one": {files: declare("- {name: crds, version: 1.5.0, repository: file:///srv/crds}\n"), problem: "leads out of the repository"},
		"in circles": {version: "1.5.0", files: "-- charts/crds/Chart.yaml --\napiVersion: v2\nname: crds\nversion: 1.5.0\ndependencies: [{name: pi, version: 1.x, repository: file://../pi}]\n",
			problem: "it depends on itself by file:// (charts/pi -> charts/crds -> charts/pi)"},
		"a stale lock file": {version: "1.5.0", files: "-- charts/pi/Chart.lock --\ndependencies: [{name: crds, version: 1.4.0, repository: file://../crds}]\ndigest: sha256:0\n",
			problem: "charts/pi/Chart.lock: the lock file names crds 1.4.0, and the chart would be packaged with 1.5.0; run: helm dependency update charts/pi"},
		"of the tree and foreign": {files: declare("- {name: crds, alias: x, version: 1.x, repository: file://../crds}\n- {name: crds, alias: z, version: 1.x, repository: https://c.example.com}\n") + stale,
			problem: "charts/pi/Chart.yaml:6: the dependency crds 1.x (https://c.example.com) has the name of a chart that another entry reads by file://"},
		"of the tree and of charts/": {files: declare("- {name: crds, version: 1.x}\n- {name: crds, alias: x, version: 1.x, repository: file://../crds}\n") + stale,
			problem: "charts/pi/Chart.yaml:5: the dependency crds 1.x (charts/pi/charts) has the name of a chart"},
		"twice": {files: declare("- {name: crds, version: 1.4.0, repository: https://c.example.com}\n") + stale + strings.ReplaceAll(stale, "charts/old", "charts/older"),
			problem: "comes from 2 charts of that name"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Read(t.Context(), treeOf(strings.Replace(siblings, "VERSION", test.version, 1), test.files), "charts/pi", nil)
			if err == nil && len(s.Problems) > 0 {
				err = s.Check()
			}
			if test.problem != "" {
				if err == nil || !strings.Contains(err.Error(), test.problem) {
					t.Errorf("got %v\nwant %s", err, test.problem)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			r, err := s.Render(t.Context(), "v1.30.0", nil)
			if err != nil {
				t.Fatal(err)
			}
			var docs []string
			for _, d := range r.Documents {
				docs = append(docs, d.File+" "+strings.TrimSpace(d.Text))
			}
			if got := strings.Join(docs, ", "); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// TestSubchartsHaveOneOrder: Helm's loader goes through a map.
func TestSubchartsHaveOneOrder(t *testing.T) {
	files := siblings
	for _, name := range []string{"e", "d", "c", "b", "a"} {
		files += fmt.Sprintf("-- charts/crds/charts/%s/Chart.yaml --\napiVersion: v2\nname: %s\nversion: 1.0.0\n", name, name)
	}
	for range 20 {
		s, err := Read(t.Context(), treeOf(files), "charts/crds", nil)
		if err != nil {
			t.Fatal(err)
		}
		c, err := s.Chart()
		if err != nil {
			t.Fatal(err)
		}
		var order string
		for _, d := range c.Dependencies() {
			order += d.Name()
		}
		if order != "abcde" {
			t.Fatal(order)
		}
	}
}

func TestKubernetes(t *testing.T) {
	for kubeVersion, want := range map[string]string{
		"":                  "v1.35.0 v1.37.0",
		">=1.25.0-0":        "v1.25.0 v1.37.0",
		">= 1.25.3 < 1.29":  "v1.25.3 v1.28.0",
		"1.30.x":            "v1.30.0 v1.30.0",
		"^1.21.0 || 1.19.4": "v1.19.4 v1.37.0",
		"<1.10":             " ",
		">=1.99":            " ",
		"nonsense":          " ",
	} {
		k, err := KubernetesOf(kubeVersion)
		if got := k.Oldest + " " + k.Newest; got != want || (err == nil) != (want != " ") {
			t.Errorf("%q: %s, %v, want %s", kubeVersion, got, err, want)
		}
	}
	for kubeVersion, want := range map[string]string{
		"nonsense":          `kubeVersion "nonsense" is no range of versions, so Helm installs the chart nowhere; write`,
		">=1.31.0 or newer": `kubeVersion ">=1.31.0 or newer" is no range of versions`,
		">=1.99":            `kubeVersion ">=1.99" allows no known version of Kubernetes (v1.16 to v1.37); correct it`,
	} {
		if _, err := KubernetesOf(kubeVersion); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", kubeVersion, err, want)
		}
	}
}

// TestKubernetesBetween: versions between both ends are those for which templates may render something else.
func TestKubernetesBetween(t *testing.T) {
	for template, want := range map[string]string{
		"a: b": "v1.37.0 v1.30.0",
		"a: {{ .Capabilities.KubeVersion.Version }}": "v1.37.0 v1.30.0",
		"# since 1.33": "v1.37.0 v1.30.0",
		"{{ if semverCompare \"~1.33-0\" .Capabilities.KubeVersion.Version }}a: b{{ end }}": "v1.37.0 v1.34.0 v1.33.0 v1.32.0 v1.30.0",
		"{{ if semverCompare \">1.20 <1.32.5\" .Capabilities.KubeVersion.GitVersion }}{{ end }}": "v1.37.0 v1.33.0 v1.32.5 " +
			"v1.32.0 v1.31.0 v1.30.0",
		"{{ if eq .Capabilities.KubeVersion.Minor \"35\" }}a: b{{ end }}": "v1.37.0 v1.36.0 v1.35.0 v1.34.0 v1.33.0 v1.32.0 " +
			"v1.31.0 v1.30.0",
		"{{ if semverCompare .Values.only .Capabilities.KubeVersion.Version }}a: b{{ end }}": "v1.37.0 v1.36.0 v1.35.0 v1.34.0 v1.30.0",
	} {
		values := "a: b\n"
		if strings.Contains(template, ".Values.only") {
			values = "only: =1.35.0\n"
		}
		source, err := Read(t.Context(), treeOf("-- a/Chart.yaml --\napiVersion: v2\nname: a\nversion: 1.0.0\nkubeVersion: '>=1.30.0'\n"+
			"-- a/values.yaml --\n"+values+"-- a/templates/a.yaml --\n"+template+"\n"), "a", nil)
		if err != nil {
			t.Fatal(err)
		}
		k, err := source.Kubernetes()
		if got := strings.Join(k.Versions(), " "); err != nil || got != want {
			t.Errorf("%s: %s, %v, want %s", template, got, err, want)
		}
	}
}

// TestLackingBetween: an image that only one version of Kubernetes between both ends runs is found.
func TestLackingBetween(t *testing.T) {
	for name, c := range map[string]struct{ kubeVersion, asks string }{
		"by comparison": {"", "semverCompare \"~1.36-0\" .Capabilities.KubeVersion.Version"},
		"by minor":      {">=1.28-0", "eq (int .Capabilities.KubeVersion.Minor) 31"},
	} {
		source, err := Read(t.Context(), treeOf("-- a/Chart.yaml --\napiVersion: v2\nname: a\nversion: 1.0.0\nkubeVersion: '"+
			c.kubeVersion+"'\n-- a/templates/a.yaml --\n{{ if "+c.asks+" }}\napiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"+
			"spec: {containers: [{name: a, image: a/e:v1.0.0}]}\n{{ end }}\n"), "a", nil)
		if err != nil {
			t.Fatal(err)
		}
		found, _, err := source.Lacking(t.Context(), Images{Tag: "v1.0.0", Has: []string{"docker.io/a/pi"}})
		if err != nil || len(found) != 1 || found[0].Image != "a/e:v1.0.0" {
			t.Errorf("%s: %v, %v", name, found, err)
		}
	}
}
