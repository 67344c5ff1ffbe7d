package main

import (
	"strings"
	"testing"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/version"
)

// TestSameTool: a record of another version of the tool is refused, with the version that can build it again.
func TestSameTool(t *testing.T) {
	for name, c := range map[string]struct {
		tool string
		on   map[string]string
		want string
	}{
		"this one":          {toolVersion, map[string]string{}, ""},
		"a release":         {"v0.3.0", map[string]string{}, "run verify-build of operator-release v0.3.0"},
		"one without tags":  {toolVersion, nil, "does not say which tags it depends on"},
		"an older release":  {"v0.1.0", nil, "run verify-build of operator-release v0.1.0"},
		"with tags, by now": {toolVersion, map[string]string{"v1.4.0": strings.Repeat("1", 40)}, ""},
	} {
		err := sameTool(bundle.Record{Version: version.MustParse("v1.5.0"), Tool: c.tool, DependsOn: c.on})
		if c.want == "" && err != nil || c.want != "" && (!refusal.Is(err) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
