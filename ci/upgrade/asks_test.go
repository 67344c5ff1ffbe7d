package upgrade

import (
	"slices"
	"testing"

	"github.com/operator-release/operator-release/ci/compare"
	"github.com/operator-release/operator-release/ci/version"
)

// TestAsksAreReadBack: what a guide asks before the upgrade is what is read of it, whatever the texts look like.
func TestAsksAreReadBack(t *testing.T) {
	o := Options{
		Name: "spark", From: version.MustParse("v1.4.0"), To: version.MustParse("v1.5.0"),
		Said: []Said{{Title: "drop v1alpha1\n## During\n- no item", Text: "move your objects\n- first"}},
		Findings: []compare.Finding{
			{ID: "values/a", Subject: compare.Values, Severity: compare.Breaking, What: "a value is gone", Was: "1"},
			{ID: "rbac/b", Subject: compare.RBAC, Severity: compare.Breaking, What: "may no longer list pods"},
			{ID: "image/c", Subject: compare.Image, Severity: compare.Notable, What: "another base"},
		},
		Texts: map[string]string{"values/a": "set b instead\n## After\n- nothing"},
	}
	want := []string{`drop v1alpha1 ## During - no item`, "a value is gone: it was `1` (`values/a`)", "may no longer list pods (`rbac/b`)"}
	if got := Asks(Guide(o)); !slices.Equal(got, want) {
		t.Errorf("%q, not %q", got, want)
	}
	o.Findings, o.Said = nil, nil
	if got := Asks(Guide(o)); got != nil {
		t.Errorf("nothing is asked, and %q is read", got)
	}
}
