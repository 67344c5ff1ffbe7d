package tags

import (
	"testing"

	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/version"
)

// TestMissingModules compares the text about the tags of modules that a clone does not have of its remote.
func TestMissingModules(t *testing.T) {
	pattern, err := version.ParsePattern(version.DefaultPattern)
	if err != nil {
		t.Fatal(err)
	}
	there := Remote{Refs: git.ParseListing("" +
		"1111111111111111111111111111111111111111\trefs/heads/api/v1.4.0\n" +
		"2222222222222222222222222222222222222222\trefs/tags/v1.4.0\n" +
		"2222222222222222222222222222222222222222\trefs/tags/api/v1.4.0\n" +
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\trefs/tags/api/v1.5.0\n" +
		"3333333333333333333333333333333333333333\trefs/tags/api/v1.5.0^{}\n" +
		"3333333333333333333333333333333333333333\trefs/tags/chart/v1.5.0\n" +
		"3333333333333333333333333333333333333333\trefs/tags/api/old\n")}
	const (
		two   = "2222222222222222222222222222222222222222"
		three = "3333333333333333333333333333333333333333"
	)
	for name, c := range map[string]struct {
		known      Modules
		line, want string
	}{
		"all of it":  {Modules{"api/v1.4.0": two, "api/v1.5.0": three}, "", ""},
		"nothing":    {nil, "", "no tag of api/v1.4.0, api/v1.5.0"},
		"one line's": {nil, "1.4", "no tag of api/v1.4.0"},
		"another commit": {Modules{"api/v1.4.0": two, "api/v1.5.0": two}, "",
			"another commit for api/v1.5.0 (333333333333 there, 222222222222 here)"},
	} {
		if got := there.MissingModules(c.known, []string{"api/"}, pattern, c.line); got != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}
