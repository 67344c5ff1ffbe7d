package compare

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/refusal"
)

// brief is findings in short: SEVERITY ID FILE:LINE.
func brief(findings []Finding) string {
	Sort(findings)
	var all []string
	for _, f := range findings {
		gone := ""
		if f.Gone {
			gone = "-"
		}
		all = append(all, fmt.Sprintf("%s %s %s%s:%d", f.Severity, f.ID, gone, f.File, f.Line))
	}
	return strings.Join(all, "; ")
}

func TestGoModule(t *testing.T) {
	tree := func(content string) fstest.MapFS { return fstest.MapFS{"go.mod": {Data: []byte(content)}} }
	older := tree("module a.example/x\n\ngo 1.25.0\n\nrequire (\n\tb.example/b v1.2.0\n\tc.example/c v1.0.0\n\td.example/d v0.1.0 // indirect\n)\n")
	newer := tree("module a.example/x/v2\n\ngo 1.25.0\n\ntoolchain go1.26.8\n\nrequire (\n\tb.example/b v1.10.0\n\td.example/d v0.2.0 // indirect\n\te.example/e v1.0.0\n)\n")
	for _, c := range []struct {
		older, newer fstest.MapFS
		want         string
	}{
		{older, newer, "notable go/module/changed go.mod:1; info go/b.example-b/changed go.mod:8; info go/c.example-c/removed -go.mod:7; info go/e.example-e/added go.mod:10; info go/toolchain/changed go.mod:5"},
		{newer, older, "notable go/b.example-b/changed go.mod:6; notable go/module/changed go.mod:1; notable go/toolchain/changed go.mod:3; info go/c.example-c/added go.mod:7; info go/e.example-e/removed -go.mod:10"},
		{older, older, ""},
		{fstest.MapFS{}, newer, ""},
	} {
		got, err := GoModule(c.older, c.newer)
		if err != nil || brief(got) != c.want {
			t.Errorf("%s\nnot %s, %v", brief(got), c.want, err)
		}
	}
	if _, err := GoModule(older, tree("modul x")); !refusal.Is(err) {
		t.Errorf("no module: %v", err)
	}
}

func TestArtifacts(t *testing.T) {
	older := Built{Config: config.Config{Platforms: []string{"linux/amd64", "linux/arm64"}, Binaries: []config.Binary{{Name: "operator"}, {Name: "ctl"}},
		Images: []config.Image{{Repository: "docker.io/a/b", Dockerfile: "Dockerfile"}}, Charts: []config.Chart{{Path: "charts/b", Repository: "docker.io/a/charts"}}},
		Bases: map[string][]string{"Dockerfile": {"docker.io/apache/spark:4.0.1"}}}
	newer := Built{Config: config.Config{Platforms: []string{"linux/amd64"}, Binaries: []config.Binary{{Name: "operator"}},
		Images: []config.Image{{Repository: "docker.io/a/b", Dockerfile: "build/Dockerfile"}, {Repository: "docker.io/a/c", Dockerfile: "Dockerfile.c"}},
		Charts: []config.Chart{{Path: "charts/b", Repository: "docker.io/a/charts"}}},
		Bases: map[string][]string{"build/Dockerfile": {"docker.io/apache/spark:4.0.4@sha256:00"}}}
	if got := brief(Artifacts(older, newer)); got != "breaking image/binary/ctl/removed -.release.yaml:0; breaking image/platform/linux-arm64/removed -.release.yaml:0; "+
		"notable image/image/docker.io-a-c/added Dockerfile.c:0; info image/docker.io-a-b/base/changed build/Dockerfile:0" {
		t.Error(got)
	}
	newer.Bases["build/Dockerfile"] = []string{"gcr.io/distroless/static:nonroot"}
	if got := brief(Artifacts(newer, older)); got != "breaking image/image/docker.io-a-c/removed -Dockerfile.c:0; notable image/binary/ctl/added .release.yaml:0; "+
		"notable image/docker.io-a-b/base/changed Dockerfile:0; notable image/platform/linux-arm64/added .release.yaml:0" {
		t.Error(got)
	}
	if got := brief(Artifacts(older, older)); got != "" {
		t.Error(got)
	}
}
