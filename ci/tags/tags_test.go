package tags

import (
	"path/filepath"
	"testing"

	"github.com/operator-release/operator-release/ci/demo"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/version"
)

// TestPlace: what another line releases later changes nothing about a version, and other schemes' tags are no versions.
func TestPlace(t *testing.T) {
	ctx := t.Context()
	dir := filepath.Join(t.TempDir(), "repository")
	if err := demo.Repository(ctx, dir); err != nil {
		t.Fatal(err)
	}
	r, err := git.Open(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	pattern, err := version.ParsePattern(version.DefaultPattern)
	if err != nil {
		t.Fatal(err)
	}
	place := func(v, base string) (version.Place, error) {
		tagged, err := Read(ctx, r)
		if err != nil {
			t.Fatal(err)
		}
		c, err := r.Commit(ctx, base)
		if err != nil {
			t.Fatal(err)
		}
		return tagged.Place(ctx, r, pattern, version.MustParse(v), c)
	}
	before, err := place("v1.5.0-rc.0", "main~3")
	if err != nil || before.Previous.String() != "v1.4.1" {
		t.Fatalf("%+v, %v", before, err)
	}
	// v1.4.2 is made of a commit that is younger than the one that is released.
	for _, step := range [][]string{{"tag", "v1.4.2", "main"}, {"tag", "chart-9.9.9", "main~4"}} {
		if _, err := r.Git(ctx, step...); err != nil {
			t.Fatal(err)
		}
	}
	if after, err := place("v1.5.0-rc.0", "main~3"); err != nil || after != before {
		t.Errorf("%+v, before %+v, %v", after, before, err)
	}
	if at, err := place("v1.5.0-rc.0", "main"); err != nil || at.Previous.String() != "v1.4.2" {
		t.Errorf("%+v, %v", at, err)
	}
	if gap, err := place("v1.6.0", "main"); !refusal.Is(err) || gap.Previous.String() != "v1.4.2" {
		t.Errorf("%+v, %v", gap, err)
	}
	if there, err := place("v1.4.1", "v1.4.1"); err != nil || !there.Exists || there.Since.String() != "v1.4.0" {
		t.Errorf("%+v, %v", there, err)
	}
	// A project's first version stands on the nearest tag of whatever scheme, or on nothing.
	tag, commit, err := Tags{}.Since(ctx, r, version.Place{}, "main~3")
	if err != nil || tag != "chart-9.9.9" || commit == "" {
		t.Errorf("%q %q, %v", tag, commit, err)
	}
	if tag, _, err = (Tags{}).Since(ctx, r, version.Place{}, "main~20"); err != nil || tag != "" {
		t.Errorf("%q, %v", tag, err)
	}
}
