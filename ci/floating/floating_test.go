package floating

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/operator-release/operator-release/ci/version"
)

var forms = []string{"latest", "v{major}", "v{major}.{minor}", "latest"}

func TestTags(t *testing.T) {
	for v, want := range map[string]string{"v1.5.1": "latest v1 v1.5", "v2.0.0-rc.3": "", "v10.20.30": "latest v10 v10.20"} {
		if got := strings.Join(Tags(forms, version.MustParse(v)), " "); got != want {
			t.Errorf("%s bears %q, not %q", v, got, want)
		}
	}
	if got := Tags(nil, version.MustParse("v1.5.1")); got != nil {
		t.Errorf("without forms: %q", got)
	}
}

func TestLead(t *testing.T) {
	out := []version.Version{}
	for _, v := range []string{"v1.4.0", "v1.5.0-rc.0", "v1.5.0", "v1.4.1", "v1.5.1", "v2.0.0-rc.0", "v1.10.0"} {
		out = append(out, version.MustParse(v))
	}
	for _, c := range []struct{ back, want string }{
		{"", "latest:v1.10.0 v1.10:v1.10.0 v1.4:v1.4.1 v1.5:v1.5.1 v1:v1.10.0"},
		{"v1.10.0", "latest:v1.5.1 v1.4:v1.4.1 v1.5:v1.5.1 v1:v1.5.1"},
		{"v1.5.1 v1.10.0", "latest:v1.5.0 v1.4:v1.4.1 v1.5:v1.5.0 v1:v1.5.0"},
		{"v1.4.0", "latest:v1.10.0 v1.10:v1.10.0 v1.4:v1.4.1 v1.5:v1.5.1 v1:v1.10.0"},
	} {
		var got []string
		for tag, v := range Lead(forms, out, func(v version.Version) bool { return slices.Contains(strings.Fields(c.back), v.String()) }) {
			got = append(got, tag+":"+v.String())
		}
		slices.Sort(got)
		if strings.Join(got, " ") != c.want {
			t.Errorf("without %q: %q, not %q", c.back, strings.Join(got, " "), c.want)
		}
	}
}

// TestLeadIsMonotone: over random orders of releases, repairs and rolling back, a floating tag goes back only when the version that it led to is
// rolled back, and then no further than to the next older one that is good; and the order in which things happened does not matter in the end.
func TestLeadIsMonotone(t *testing.T) {
	for seed := range uint64(60) {
		random := rand.New(rand.NewPCG(seed, 1))
		var out []version.Version
		back := map[version.Version]bool{}
		before := map[string]version.Version{}
		for step := range 40 {
			var moved version.Version
			switch n := random.IntN(4); {
			case n < 2 || len(out) == 0: // a release, or a repair of any line; candidates too
				moved = version.MustParse(fmt.Sprintf("v%d.%d.%d%s", random.IntN(3), random.IntN(3), random.IntN(4), []string{"", "", "-rc.1"}[random.IntN(3)]))
				if !slices.Contains(out, moved) {
					out = append(out, moved)
				}
			default:
				moved = out[random.IntN(len(out))]
				back[moved] = n == 2
			}
			lead := Lead(forms, out, func(v version.Version) bool { return back[v] })
			for tag, was := range before {
				now, ok := lead[tag]
				if (!ok || now.Compare(was) < 0) && (was != moved || !back[was]) {
					t.Fatalf("seed %d, step %d: %s went from %s to %s when %s was touched", seed, step, tag, was, now, moved)
				}
			}
			for tag, now := range lead {
				for _, v := range out {
					if slices.Contains(Tags(forms, v), tag) && !back[v] && v.Compare(now) > 0 {
						t.Fatalf("seed %d, step %d: %s leads to %s, and %s is newer", seed, step, tag, now, v)
					}
				}
			}
			random.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
			before = lead
		}
	}
}
