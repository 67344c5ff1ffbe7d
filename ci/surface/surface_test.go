package surface

import (
	"bytes"
	"maps"
	"path"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/version"
)

var settings = config.Config{
	Images:   []config.Image{{Repository: "docker.io/acme/spark"}, {Repository: "ghcr.io/acme/other"}},
	Charts:   []config.Chart{{Path: "charts/spark"}},
	Surfaces: []config.Surface{{Path: "docs/install.md", Pattern: `acme/spark:(\S+)`}},
}

// files are before and after an edit to v1.5.0-rc.0.
var files = map[string][2]string{
	"VERSION": {"v1.4.0\n", "v1.5.0-rc.0\n"},
	"charts/spark/Chart.yaml": {
		"# é comment: version: 1\r\napiVersion: v2\r\nname: spark\r\ndependencies:\r\n- name: x\r\n  version: 1.4.0\r\nversion: \"1.4.0\" # keep\r\nappVersion: 1.4.0\r\n",
		"# é comment: version: 1\r\napiVersion: v2\r\nname: spark\r\ndependencies:\r\n- name: x\r\n  version: 1.4.0\r\nversion: \"1.5.0-rc.0\" # keep\r\nappVersion: v1.5.0-rc.0\r\n",
	},
	"charts/spark/README.md": {
		"![Version: 1.4.0](https://img.shields.io/badge/Version-1.4.0-informational?style=flat-square) ![AppVersion: v1.4.0](https://img.shields.io/badge/AppVersion-v1.4.0-informational?style=flat-square)\n1.4.0\n",
		"![Version: 1.5.0-rc.0](https://img.shields.io/badge/Version-1.5.0--rc.0-informational?style=flat-square) ![AppVersion: v1.5.0-rc.0](https://img.shields.io/badge/AppVersion-v1.5.0--rc.0-informational?style=flat-square)\n1.4.0\n",
	},
	"config/default/kustomization.yaml": {
		"images:\n- {name: 'ü', newName: acme/spark, newTag: v1.4.0}\n- name: ghcr.io/acme/other\n  newTag: 'v1.4.0'\n- name: busybox\n  newTag: v1.4.0\n",
		"images:\n- {name: 'ü', newName: acme/spark, newTag: v1.5.0-rc.0}\n- name: ghcr.io/acme/other\n  newTag: 'v1.5.0-rc.0'\n- name: busybox\n  newTag: v1.4.0\n",
	},
	"api/spark/__init__.py": {"# v1.4.0\n__version__ = '1.4.0'\n", "# v1.4.0\n__version__ = '1.5.0-rc.0'\n"},
	"docs/install.md":       {"docker pull acme/spark:v1.4.0 or acme/spark:1.4.0\n", "docker pull acme/spark:v1.5.0-rc.0 or acme/spark:1.5.0-rc.0\n"},
}

func TestEveryKindIsFoundAndEdited(t *testing.T) {
	tree := fstest.MapFS{
		"other/__init__.py":                {Data: []byte("import x\n")},
		"config/crd/kustomization.yaml":    {Data: []byte("resources: [a]\n")},
		"charts/spark/templates/README.md": {Data: []byte("![Version: 1.4.0](x)")},
		"charts/other/Chart.yaml":          {Data: []byte("version: 1.4.0\n")},
	}
	for name, f := range files {
		tree[name] = &fstest.MapFile{Data: []byte(f[0])}
	}
	found, err := Find(tree, settings)
	if err != nil {
		t.Fatal(err)
	}
	v := version.MustParse("v1.5.0-rc.0")
	missing := maps.Clone(files)
	for _, s := range found {
		f, ok := files[s.Path]
		if !ok {
			t.Errorf("%s is no surface", s.Path)
			continue
		}
		delete(missing, s.Path)
		got, err := s.Edit([]byte(f[0]), v, nil)
		if err != nil || string(got) != f[1] {
			t.Errorf("%s: %v\n%s", s.Path, err, got)
		}
		if again, err := s.Edit(got, v, nil); err != nil || !bytes.Equal(again, got) {
			t.Errorf("%s: a second edit changed it: %v\n%s", s.Path, err, again)
		}
		values, err := s.Read(got)
		if err != nil || len(values) == 0 || !values[0].Says(v) {
			t.Errorf("%s: read back %+v, %v", s.Path, values, err)
		}
	}
	for name := range missing {
		t.Errorf("%s was not found", name)
	}
}

func TestLinesAndNames(t *testing.T) {
	s := Surface{Path: "Chart.yaml", locate: chartVersions}
	values, err := s.Read([]byte("name: a\nappVersion: v1\nversion: 1.0.0\n"))
	if err != nil || len(values) != 2 || values[0].Name != "appVersion" || values[0].Line != 2 || values[1].Line != 3 {
		t.Errorf("%+v, %v", values, err)
	}
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		locate  func([]byte) ([]Value, error)
		content string
		why     string
	}{
		{chartVersions, "name: a\nappVersion: v1.0.0\n", "it has no version"},
		{chartVersions, "version: 1.0.0\nappVersion: v1\n---\nversion: 1.0.0\n", "more than one YAML document"},
		{chartVersions, "version: |\n  1.0.0\nappVersion: v1\n", "line 1: the value of version is no plain or quoted scalar"},
		{chartVersions, "version: [1]\nappVersion: v1\n", "no plain or quoted scalar"},
		{chartVersions, "version: \"1\\x2e0.0\"\nappVersion: v1\n", "no plain or quoted scalar"},
		{chartVersions, "version: !!str 1.0.0\nappVersion: v1\n", "no plain or quoted scalar"},
		{chartVersions, "version: &v 1.0.0\nappVersion: *v\n", "no plain or quoted scalar"},
		{chartVersions, "", "it is empty"},
		{chartVersions, "- a\n", "no mapping"},
		{chartVersions, "a: b: c\n", "mapping values are not allowed"},
		{wholeFile, "v1.0.0 beta\n", "does not hold one word"},
		{wholeFile, "\n", "does not hold one word"},
		{pattern(`x:(\S+)`), "y:1.0.0", "matches nothing"},
	} {
		s := Surface{Path: "file", locate: c.locate}
		if _, err := s.Edit([]byte(c.content), version.MustParse("v1.0.0"), nil); !refusal.Is(err) || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%q: %v; want a refusal with %q", c.content, err, c.why)
		}
	}
}

func FuzzEdit(f *testing.F) {
	for _, file := range files {
		f.Add(file[0])
	}
	f.Add("version: &v 1.0.0\nappVersion: *v\n")
	f.Add("{version: 1.0.0, appVersion: \"v1\"}")
	f.Fuzz(func(t *testing.T, content string) {
		v := version.MustParse("v1.5.0-rc.0")
		for _, s := range []Surface{
			{Path: "VERSION", locate: wholeFile},
			{Path: "Chart.yaml", locate: chartVersions},
			{Path: "kustomization.yaml", locate: newTags([]string{"docker.io/acme/spark", "ghcr.io/acme/other"})},
			{Path: "README.md", locate: func(c []byte) ([]Value, error) { return badges(c), nil }},
			{Path: "__init__.py", locate: pythonVersion},
			{Path: "docs", locate: pattern(`acme/spark:(\S+)`)},
		} {
			before, err := s.Read([]byte(content))
			if err != nil {
				continue
			}
			got, err := s.Edit([]byte(content), v, nil)
			if err != nil {
				continue
			}
			// Nothing but the values' bytes may differ: putting the old texts back gives the old file.
			after, err := s.Read(got)
			if err != nil {
				t.Fatal(err)
			}
			var back []byte
			at := 0
			for i, value := range after {
				back = append(append(back, got[at:value.Start]...), before[i].Text...)
				at = value.End
			}
			if back = append(back, got[at:]...); string(back) != content {
				t.Fatalf("%s: %q became %q", s.Path, content, got)
			}
			if again, err := s.Edit(got, v, nil); err != nil || !bytes.Equal(again, got) {
				t.Fatalf("%s: a second edit of %q gave %q, %v", s.Path, got, again, err)
			}
		}
	})
}

// TestWithoutAppVersion: appVersion is optional, wherever a chart lies.
func TestWithoutAppVersion(t *testing.T) {
	for _, dir := range []string{"charts/pi/charts/sub", "charts/other", "charts/pi/sub", "deploy/none/charts/orphaned", "."} {
		tree := fstest.MapFS{path.Join(dir, "Chart.yaml"): {Data: []byte("name: sub\nversion: 1.0.0\n")}}
		all, unread, err := Values(tree, config.Config{Charts: []config.Chart{{Path: dir}}})
		if err != nil || len(unread) > 0 || len(all) != 1 || all[0].Name != "version" {
			t.Errorf("%s: %v, %v, %v", dir, all, unread, err)
		}
	}
}
