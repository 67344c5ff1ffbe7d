package surface

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/version"
)

func TestLockDigest(t *testing.T) {
	// Written by `helm dependency update` itself: testdata of its repository.
	lists := "dependencies:\n" +
		"  - {name: dev, repository: 'file://envs/dev', version: '>= 0.0.1', condition: 'dev.enabled,global.dev.enabled', tags: [dev], import-values: [data]}\n" +
		"  - {name: prod, repository: 'file://envs/prod', version: '>= 0.0.1', condition: 'prod.enabled,global.prod.enabled', tags: [prod], import-values: [data]}\n"
	lock := "dependencies:\n- {name: dev, repository: 'file://envs/dev', version: v0.1.0}\n- {name: prod, repository: 'file://envs/prod', version: v0.1.0}\n" +
		"digest: sha256:9403fc24f6cf9d6055820126cf7633b4bd1fed3c77e4880c674059f536346182\n"
	if got := lockDigests([]byte(lists), []byte(lock)); len(got) == 0 || !strings.Contains(lock, got[0]) {
		t.Errorf("%s", got)
	}
}

// TestLockOfHelm2: the digest of Helm 2, which is of the declared dependencies alone, follows them, too.
func TestLockOfHelm2(t *testing.T) {
	lists := func(version string) []byte {
		return []byte("dependencies:\n- {name: crds, version: " + version + ", repository: 'file://../crds'}\n")
	}
	lock := string(lists("1.4.0"))
	lock += "digest: " + lockDigests(lists("1.4.0"), []byte(lock))[1] + "\n"
	tree := fstest.MapFS{"charts/pi/Chart.yaml": {Data: []byte("apiVersion: v1\nname: pi\nversion: 1.4.0\n")},
		"charts/pi/requirements.yaml": {Data: lists("1.4.0")}, "charts/pi/requirements.lock": {Data: []byte(lock)}}
	edits := map[string][]byte{"charts/pi/requirements.yaml": lists("1.5.0")}
	relock(tree, config.Config{Charts: []config.Chart{{Path: "charts/pi"}}}, edits)
	want, got := lockDigests(lists("1.5.0"), []byte(lock))[1], string(edits["charts/pi/requirements.lock"])
	if !strings.Contains(got, want) {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestDependenciesFollow(t *testing.T) {
	// released are charts/pi, charts/crds and charts/pi/charts/inner; charts/lib is not.
	chart := func(name, rest string) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte("apiVersion: v2\nname: " + name + "\nversion: 1.4.0\nappVersion: v1.4.0\n" + rest)}
	}
	entry := func(name, version, repository string) string {
		return "- name: " + name + "\n  version: " + version + "\n  repository: " + repository + "\n"
	}
	for name, test := range map[string]struct{ before, after string }{
		"a sibling":               {entry("crds", "1.4.0", "file://../crds"), entry("crds", "1.5.0", "file://../crds")},
		"in quotes, with a v":     {entry("crds", `"v1.4.0"`, "file://../crds"), entry("crds", `"v1.5.0"`, "file://../crds")},
		"twice, by alias":         {entry("crds", "1.4.0", "file://../crds") + "  alias: a\n" + entry("crds", "1.4.0", "file://../crds/") + "  alias: b\n", entry("crds", "1.5.0", "file://../crds") + "  alias: a\n" + entry("crds", "1.5.0", "file://../crds/") + "  alias: b\n"},
		"in its own charts/":      {"- {name: inner, version: 1.4.0}\n", "- {name: inner, version: 1.5.0}\n"},
		"a range":                 {entry("crds", "^1.4.0", "file://../crds"), ""},
		"another version":         {entry("crds", "1.3.0", "file://../crds"), ""},
		"not released":            {entry("lib", "1.4.0", "file://../lib"), ""},
		"foreign, of that name":   {entry("crds", "1.4.0", "https://charts.example.com"), ""},
		"one that is not there":   {entry("none", "1.4.0", "file://../none"), ""},
		"one outside of the tree": {entry("crds", "1.4.0", "file://../../../crds"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			if test.after == "" {
				test.after = test.before
			}
			list := "dependencies:\n" + test.before
			lock := "dependencies:\n" + entry("crds", "1.4.0", "file://../crds")
			lock += "digest: " + lockDigests([]byte(list), []byte(lock))[0] + "\ngenerated: \"2020-01-31T11:30:21Z\"\n"
			tree := fstest.MapFS{
				"charts/pi/Chart.yaml": chart("pi", list), "charts/pi/Chart.lock": {Data: []byte(lock)}, "charts/crds/Chart.yaml": chart("crds", ""),
				"charts/lib/Chart.yaml": chart("lib", ""), "charts/pi/charts/inner/Chart.yaml": chart("inner", ""),
			}
			edited := map[string]string{}
			for name, file := range tree {
				edited[name] = string(file.Data)
			}
			c := config.Config{Charts: []config.Chart{{Path: "charts/pi"}, {Path: "charts/crds"}, {Path: "charts/pi/charts/inner"}}}
			found, err := Find(tree, c)
			if err != nil {
				t.Fatal(err)
			}
			edits := map[string][]byte{}
			for _, s := range found {
				after, err := s.Edit([]byte(edited[s.Path]), version.MustParse("v1.5.0"), nil)
				if err != nil {
					t.Fatal(err)
				}
				edited[s.Path], edits[s.Path] = string(after), after
			}
			relock(tree, c, edits)
			_, got, _ := strings.Cut(edited["charts/pi/Chart.yaml"], "dependencies:\n")
			if got != test.after {
				t.Errorf("%s\nwant %s", got, test.after)
			}
			locked := string(edits["charts/pi/Chart.lock"])
			digest := lockDigests([]byte("dependencies:\n"+got), []byte(locked))[0]
			if !strings.Contains(locked, "version: 1.5.0\n") || !strings.Contains(locked, "digest: "+digest+"\n") {
				t.Errorf("the lock file: %s", locked)
			}
		})
	}
}
