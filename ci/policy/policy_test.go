package policy

import (
	"strings"
	"testing"

	"github.com/operator-release/operator-release/ci/change"
	"github.com/operator-release/operator-release/ci/compare"
	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/version"
)

var defaults = config.Policy{Patch: config.Fixes, Minor: config.Explained, Major: config.Explained}

func commit(id, message string, paths ...string) Change {
	all := change.Remaining(change.Changes([]git.Commit{{ID: strings.Repeat(id, 40), Message: message}}))
	return Change{Change: all[0], Paths: paths}
}

func finding(severity compare.Severity, file string, parts ...string) compare.Finding {
	f := compare.New(severity, compare.Values, parts...)
	f.File, f.Line, f.What = file, 3, "the value "+parts[0]+" is "+parts[len(parts)-1]
	return f
}

func TestJudge(t *testing.T) {
	feature, fix := commit("a", "feat: a (#1)"), commit("b", "fix: b (#2)", "values.yaml")
	breaks := commit("c", "feat!: c\n\nBREAKING CHANGE: rename a.xyz, it is xyzzy now", "values.yaml")
	marked := commit("d", "fix!: d")
	takes := commit("e", "Revert \"feat: z\" (#9)", "a.go")
	takes.TakesBack = []string{"feat: z (#7)"}
	offers := finding(compare.Info, "values.yaml", "w", "added")
	offers.Adds = true
	says := commit("e", "fix: e\n\nExplain: values/x/removed by e")
	removed, added, other := finding(compare.Breaking, "values.yaml", "x", "removed"), finding(compare.Notable, "values.yaml", "y", "added"), finding(compare.Breaking, "other.yaml", "z", "removed")
	for name, c := range map[string]struct {
		version  string
		changes  []Change
		findings []compare.Finding
		accept   map[string]string
		explain  map[string]string
		policy   config.Policy
		want     string // ID VERDICT, …
		against  int
		notices  int
	}{
		"a patch of fixes":                         {version: "v1.5.1", changes: []Change{fix}, findings: []compare.Finding{added}, want: "values/y/added to know"},
		"a feature in a patch":                     {version: "v1.5.1", changes: []Change{feature, fix}, want: "commit/aaaaaaaaaaaa refused", against: 1},
		"a break in a patch":                       {version: "v1.5.1-rc.0", changes: []Change{fix}, findings: []compare.Finding{removed}, want: "values/x/removed refused", against: 1},
		"an explanation is not enough for a patch": {version: "v1.5.1", changes: []Change{says}, findings: []compare.Finding{removed}, want: "values/x/removed refused", against: 1},
		"accepted": {version: "v1.5.1", changes: []Change{feature}, findings: []compare.Finding{removed}, accept: map[string]string{"values/x/removed": "nobody had it", "commit/aaaaaaaaaaaa": "small"},
			want: "commit/aaaaaaaaaaaa accepted, values/x/removed accepted"},
		"a fix of a webhook":   {version: "v1.5.1", changes: []Change{commit("f", "fix: f", "internal/webhook/pi.go")}, want: "commit/ffffffffffff to know"},
		"a feature in a minor": {version: "v1.6.0", changes: []Change{feature}, want: "commit/aaaaaaaaaaaa to know"},
		"a break in a minor":   {version: "v1.6.0", changes: []Change{fix}, findings: []compare.Finding{removed}, want: "values/x/removed unexplained", against: 1},
		"a candidate may wait": {version: "v1.6.0-rc.0", changes: []Change{fix}, findings: []compare.Finding{removed}, want: "values/x/removed unexplained", notices: 1},
		"explained by the commit that touched the file, and names it": {version: "v1.6.0", changes: []Change{breaks},
			findings: []compare.Finding{finding(compare.Breaking, "values.yaml", "a.xyz", "removed"), finding(compare.Breaking, "values.yaml", "a.yzz", "removed"), finding(compare.Breaking, "other.yaml", "a.xyz", "gone")},
			want:     "commit/cccccccccccc explained, values/a.xyz/removed explained, values/a.yzz/removed unexplained, values/a.xyz/gone unexplained", against: 2},
		"explained by a footer": {version: "v1.6.0", changes: []Change{says}, findings: []compare.Finding{removed}, want: "values/x/removed explained"},
		"explained by the settings": {version: "v1.6.0", findings: []compare.Finding{removed, other}, explain: map[string]string{"values/*": "see the docs", "values/z/removed": "gone"},
			want: "values/x/removed explained, values/z/removed explained"},
		"docs alone are no feature": {version: "v1.5.1", changes: []Change{commit("a", "feat: a (#1)", "docs/a.md", ".github/workflows/x.yaml", "ci/a_test.go")},
			want: "commit/aaaaaaaaaaaa to know"},
		"a feature inside a fix": {version: "v1.5.1", changes: []Change{commit("a", "fix: a (#1)\n\n* feat: b\n", "a.go")}, want: "commit/aaaaaaaaaaaa refused", against: 1},
		"a new value in a fix":   {version: "v1.5.1", changes: []Change{fix}, findings: []compare.Finding{offers}, want: "values/w/added refused", against: 1},
		"and in a minor":         {version: "v1.6.0", changes: []Change{fix}, findings: []compare.Finding{offers}, want: "values/w/added to know"},
		"what is taken back":     {version: "v1.5.1", changes: []Change{takes}, want: "commit/eeeeeeeeeeee refused", against: 1},
		"and accepted":           {version: "v1.5.1", changes: []Change{takes}, accept: map[string]string{"commit/eeeeeeeeeeee": "it broke"}, want: "commit/eeeeeeeeeeee accepted"},
		"several footers": {version: "v1.6.0", changes: []Change{commit("c", "feat!: c\n\nBREAKING CHANGE: a.xyz is gone\nBREAKING CHANGE: a.yzz is gone", "values.yaml")},
			findings: []compare.Finding{finding(compare.Breaking, "values.yaml", "a.yzz", "removed")}, want: "commit/cccccccccccc explained, values/a.yzz/removed explained"},
		"marked and not said":          {version: "v1.6.0", changes: []Change{marked}, want: "commit/dddddddddddd unexplained", against: 1},
		"marked, and the settings say": {version: "v2.0.0", changes: []Change{marked}, explain: map[string]string{"commit/dddddddddddd": "so"}, want: "commit/dddddddddddd explained"},
		"anything goes":                {version: "v1.5.1", changes: []Change{breaks}, findings: []compare.Finding{removed}, policy: config.Policy{Patch: config.Anything}, want: "commit/cccccccccccc to know, values/x/removed to know"},
	} {
		q := Question{Version: version.MustParse(c.version), Policy: c.policy, Changes: c.changes, Findings: c.findings, Accept: c.accept, Explain: c.explain}
		if q.Policy == (config.Policy{}) {
			q.Policy = defaults
		}
		j, err := Judge(q)
		var got []string
		for _, p := range j.Points {
			got = append(got, p.ID+" "+string(p.Verdict))
		}
		if err != nil || strings.Join(got, ", ") != c.want || len(j.Against(q.Version)) != c.against || len(j.Notices()) != c.notices {
			t.Errorf("%s: %s, against %q, notices %q, %v", name, strings.Join(got, ", "), j.Against(q.Version), j.Notices(), err)
		}
	}
	if _, err := Judge(Question{Version: version.MustParse("v1.5.1"), Policy: defaults, Findings: []compare.Finding{removed}, Accept: map[string]string{"values/x/removd": "typo"}}); !refusal.Is(err) ||
		!strings.Contains(err.Error(), `did you mean "values/x/removed"`) {
		t.Errorf("a mistake: %v", err)
	}
}
