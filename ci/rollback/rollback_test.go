package rollback

import (
	"strings"
	"testing"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/version"
)

func TestBefore(t *testing.T) {
	pattern, err := version.ParsePattern(version.DefaultPattern)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ v, out, bad, want string }{
		{"v1.5.1", "v1.4.3 v1.5.0 v1.5.1 v1.5.2 v1.6.0", "", "v1.5.0"},
		{"v1.5.2", "v1.5.0 v1.5.1 v1.5.2", "v1.5.1", "v1.5.0"},
		{"v1.5.0", "v1.3.9 v1.4.2 v1.4.10 v1.5.0-rc.0 v1.5.0", "", "v1.4.10"},
		{"v1.5.1", "v1.4.2 v1.5.0 v1.5.1", "v1.5.0", "v1.4.2"}, // another line's, where its own has none
		{"v1.5.1", "v1.4.9 v1.5.0 v1.5.1", "", "v1.5.0"},
		{"v1.0.0", "v1.0.0-rc.0 v1.0.0 v1.1.0", "", ""},
		{"v1.5.1-rc.0", "v1.5.0 v1.5.1-rc.0", "", "v1.5.0"},
	} {
		var out []version.Version
		for _, s := range strings.Fields(c.out) {
			out = append(out, version.MustParse(s))
		}
		marks := map[version.Version]journal.Mark{version.MustParse("v1.4.9"): {State: journal.Good}}
		for _, s := range strings.Fields(c.bad) {
			marks[version.MustParse(s)] = journal.Mark{State: journal.Withdrawn}
		}
		before, ok := Before(pattern.Line, version.MustParse(c.v), out, marks)
		if before.String() != c.want || ok != (c.want != "") {
			t.Errorf("%s of %s without %q: %q, %v", c.v, c.out, c.bad, before, ok)
		}
	}
}

func TestWhatMayFollow(t *testing.T) {
	v := version.MustParse("v1.5.1")
	never, withdrawn := journal.Mark{State: journal.Good}, journal.Mark{State: journal.Withdrawn, Because: "it crashes", ID: "a"}
	back, again := journal.Mark{State: journal.RolledBack, Because: "it crashes", ID: "b"}, journal.Mark{State: journal.Good, Because: "it was nothing", ID: "c"}
	for _, c := range []struct {
		is      journal.Mark
		to      journal.State
		because string
		refused string
	}{
		{never, journal.Withdrawn, "it crashes", ""},
		{never, journal.RolledBack, "it crashes", ""},
		{never, journal.Good, "it crashes", "it was never withdrawn"},
		{never, journal.Withdrawn, "", "why?"},
		{withdrawn, journal.Withdrawn, " it  crashes ", ""}, // the same again
		{withdrawn, journal.Withdrawn, "it burns", `it is so already, because "it crashes"`},
		{withdrawn, journal.RolledBack, "it burns", ""},
		{withdrawn, journal.Good, "it was nothing", ""},
		{back, journal.Withdrawn, "it crashes", "it is rolled back, which is more (it crashes)"},
		{back, journal.RolledBack, "it crashes", ""},
		{back, journal.Good, "it was nothing", ""},
		{again, journal.Good, "it was nothing", ""},
		{again, journal.Good, "other", `it is so already, because "it was nothing"`},
		{again, journal.Withdrawn, "it crashes after all", ""},
	} {
		o := Options{Published: bundle.Bundle{Record: bundle.Record{Version: v}}, State: c.to, Because: c.because}
		reason, err := o.follows(t.Context(), c.is)
		switch {
		case c.refused == "" && (err != nil || reason != strings.Join(strings.Fields(c.because), " ")):
			t.Errorf("%s after %s: %q, %v", c.to, c.is.State, reason, err)
		case c.refused != "" && (!refusal.Is(err) || !strings.Contains(err.Error(), c.refused)):
			t.Errorf("%s after %s: %v; want a refusal with %q", c.to, c.is.State, err, c.refused)
		}
	}
}
