package tags

import (
	"testing"

	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/version"
)

// TestMissing compares the text about what a clone does not have of its remote.
func TestMissing(t *testing.T) {
	pattern, err := version.ParsePattern(version.DefaultPattern)
	if err != nil {
		t.Fatal(err)
	}
	there := Remote{Refs: git.ParseListing("" +
		"1111111111111111111111111111111111111111\trefs/heads/main\n" +
		"2222222222222222222222222222222222222222\trefs/heads/release-1.4\n" +
		"3333333333333333333333333333333333333333\trefs/heads/release-1.5\n" +
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\trefs/tags/v1.4.0\n" +
		"2222222222222222222222222222222222222222\trefs/tags/v1.4.0^{}\n" +
		"3333333333333333333333333333333333333333\trefs/tags/v1.5.0\n" +
		"4444444444444444444444444444444444444444\trefs/tags/chart-1.0.0\n")}
	const (
		two   = "2222222222222222222222222222222222222222"
		three = "3333333333333333333333333333333333333333"
		four  = "4444444444444444444444444444444444444444"
	)
	tagged := func(pairs ...string) Tags {
		all := Tags{}
		for i := 0; i < len(pairs); i += 2 {
			all[version.MustParse(pairs[i])] = pairs[i+1]
		}
		return all
	}
	both := []string{"main", "release-1.4", "release-1.5"}
	for name, c := range map[string]struct {
		clone      Clone
		line, want string
	}{
		"all of it": {Clone{tagged("v1.4.0", two, "v1.5.0", three), both}, "", ""},
		"more than it": {Clone{tagged("v1.4.0", two, "v1.5.0", three, "v1.6.0", four),
			append(both, "release-1.6")}, "", ""},
		"nothing":                {Clone{}, "", "no tag of v1.5.0, v1.4.0; no branch release-1.5, release-1.4"},
		"one line's":             {Clone{}, "1.4", "no tag of v1.4.0; no branch release-1.4"},
		"another line's":         {Clone{tagged("v1.4.0", two), both[:2]}, "1.4", ""},
		"a line that is no more": {Clone{}, "1.3", ""},
		"another commit": {Clone{tagged("v1.4.0", four, "v1.5.0", three), both}, "",
			"another commit for v1.4.0 (222222222222 there, 444444444444 here)"},
	} {
		if got := there.Missing(c.clone, pattern, c.line); got != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}
