package ownrelease

import (
	"os"
	"strings"
	"testing"
)

const (
	chart  = "name: x\nappVersion: v0.1.0\nhome: https://example.com/o/r\n"
	values = "image:\n  registry: ghcr.io\n  repository: o/r\n  tag: \"\"\n"
)

func TestRead(t *testing.T) {
	for name, c := range map[string]struct {
		chart, values string
		want          Release
	}{
		"a final": {chart, values, Release{"v0.1.0", "https://example.com/o/r", "ghcr.io/o/r"}},
		"a candidate": {strings.ReplaceAll(chart, "v0.1.0", "v0.2.0-rc.1"), values,
			Release{"v0.2.0-rc.1", "https://example.com/o/r", "ghcr.io/o/r"}},
		"no release":    {strings.ReplaceAll(chart, "v0.1.0", Unreleased), values, Release{}},
		"no version":    {strings.ReplaceAll(chart, "v0.1.0", "latest"), values, Release{}},
		"no home":       {strings.ReplaceAll(chart, "home", "icon"), values, Release{}},
		"no registry":   {chart, strings.ReplaceAll(values, "registry", "host"), Release{}},
		"no repository": {chart, strings.ReplaceAll(values, "repository", "name"), Release{}},
		"no YAML":       {"\t", values, Release{}},
		"no map":        {"- a\n", values, Release{}},
		"nothing":       {"", "", Release{}},
	} {
		got, ok := Read(c.chart, c.values)
		if ok != (c.want != Release{}) || ok && got != c.want {
			t.Errorf("%s: %+v, %v", name, got, ok)
		}
	}
}

// TestOwnChart: the chart of this tree says where a release of it would be.
func TestOwnChart(t *testing.T) {
	var files []string
	for _, name := range []string{Chart, Values} {
		content, err := os.ReadFile("../../" + name)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, string(content))
	}
	if r, ok := Read(files[0], files[1]); ok {
		return // a release
	} else if r.Version != "" {
		t.Errorf("%+v", r)
	}
	r, ok := Read(strings.Replace(files[0], "appVersion: "+Unreleased, "appVersion: v0.1.0", 1), files[1])
	want := Release{"v0.1.0", "https://github.com/operator-release/operator-release",
		"ghcr.io/operator-release/operator-release"}
	if !ok || r != want {
		t.Errorf("%+v, %v", r, ok)
	}
}

func TestReference(t *testing.T) {
	r := Release{Version: "v0.1.0", Image: "ghcr.io/o/r"}
	for mirrors, want := range map[string]string{
		"":                                 "ghcr.io/o/r:v0.1.0",
		"docker.io=registry:5000":          "ghcr.io/o/r:v0.1.0",
		"ghcr.io=registry:5000":            "registry:5000/o/r:v0.1.0",
		"docker.io=a ghcr.io=b.example:80": "b.example:80/o/r:v0.1.0",
		"ghcr.io":                          "ghcr.io/o/r:v0.1.0",
	} {
		if got := r.Reference(strings.Fields(mirrors)); got != want {
			t.Errorf("%q: %s, want %s", mirrors, got, want)
		}
	}
}
