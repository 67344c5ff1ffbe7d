package publish

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/floating"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/test/long"
	"github.com/operator-release/operator-release/ci/version"
)

var seeds = flag.Int("seeds", 1, "how many random lives of floating tags are lived")

// life is a registry and a remote that versions come to and are taken back from, in whatever order.
type life struct {
	t       *testing.T
	source  *git.Repository
	to      Destinations
	remote  *git.Remote
	bundles map[version.Version]bundle.Bundle
	out     []version.Version
	back    map[version.Version]bool
	now     time.Time
}

func newLife(t *testing.T) *life {
	t.Helper()
	throwaway := newThrowaway(t)
	scratch, err := git.Init(t.Context(), filepath.Join(t.TempDir(), "scratch"), git.SHA1)
	if err != nil {
		t.Fatal(err)
	}
	source := repository(t)
	to := throwaway.Destinations(source)
	to.Remote.Again = true // versions come in any order, which only a restoration may do
	return &life{t: t, source: source, to: to, remote: scratch.Remote(throwaway.Remote),
		bundles: map[version.Version]bundle.Bundle{}, back: map[version.Version]bool{}, now: time.Unix(1767225600, 0)}
}

func (l *life) publish(v version.Version) {
	l.t.Helper()
	if _, ok := l.bundles[v]; !ok {
		l.bundles[v] = releaseOf(l.t, l.source, v.String(), "the same in all\n", "linux/amd64") // one commit: every branch holds it
		l.out = append(l.out, v)
	}
	if _, err := Publish(l.t.Context(), l.bundles[v], l.to); err != nil {
		l.t.Fatalf("publish %s: %v", v, err)
	}
}

// mark rolls a version back, or takes that back, as the stage rollback does: the mark first, then the tags.
func (l *life) mark(v version.Version, state journal.State) {
	l.t.Helper()
	ctx := l.t.Context()
	before, err := journal.FindMark(ctx, l.remote, v)
	if err != nil {
		l.t.Fatal(err)
	}
	l.now = l.now.Add(time.Second)
	if _, err := journal.Add(ctx, l.remote, v, before, journal.Mark{State: state, Because: "random"}, git.Person{Name: "A", Email: "a@b", Time: l.now}); err != nil {
		l.t.Fatal(err)
	}
	l.back[v] = state == journal.RolledBack
	if _, err := Floating(l.bundles[v].Record, l.to.Registry.Open, l.remote).Do(ctx, v, true); err != nil {
		l.t.Fatalf("lead the tags of %s: %v", v, err)
	}
}

// tags are where floating tags lead, by version.
func (l *life) tags(names ...string) map[string]version.Version {
	l.t.Helper()
	found := map[string]version.Version{}
	for _, name := range names {
		repo, err := l.to.Registry.Open("docker.io/acme/spark")
		if err != nil {
			l.t.Fatal(err)
		}
		desc, err := repo.Resolve(l.t.Context(), name)
		if err != nil {
			continue
		}
		for v, b := range l.bundles {
			if b.Record.OfKind(bundle.KindImage)[0].Digest == desc.Digest {
				found[name] = v
			}
		}
	}
	return found
}

// TestFloatingTagsLeadForward: whatever order versions of several lines are published in, and published again, tags that move lead to the newest.
func TestFloatingTagsLeadForward(t *testing.T) {
	long.Skip(t)
	l := newLife(t)
	for _, c := range []struct{ publish, back, latest, v14, v15 string }{
		{"v1.5.0-rc.0", "", "", "", ""},
		{"v1.5.0", "", "v1.5.0", "", "v1.5.0"},
		{"v1.4.0", "", "v1.5.0", "v1.4.0", "v1.5.0"},
		{"v1.5.1", "", "v1.5.1", "v1.4.0", "v1.5.1"},
		{"v1.5.0", "", "v1.5.1", "v1.4.0", "v1.5.1"}, // again
		{"v1.4.1", "v1.5.1", "v1.5.0", "v1.4.1", "v1.5.0"},
		{"v1.5.1", "", "v1.5.0", "v1.4.1", "v1.5.0"}, // again: what was rolled back stays so
		{"v1.5.2", "", "v1.5.2", "v1.4.1", "v1.5.2"},
	} {
		if c.back != "" {
			l.mark(version.MustParse(c.back), journal.RolledBack)
		}
		l.publish(version.MustParse(c.publish))
		got := l.tags("latest", "v1.4", "v1.5")
		if got["latest"].String() != c.latest || got["v1.4"].String() != c.v14 || got["v1.5"].String() != c.v15 {
			t.Errorf("after %s, with %q rolled back: %v", c.publish, c.back, got)
		}
	}
}

// TestFloatingTagsAreMonotone: over random orders of release, repair, rolling back and undoing that, at a real registry and a real remote, each
// tag leads where the rule says after every step; only rolling back leads a tag back, and only one that led to that version.
func TestFloatingTagsAreMonotone(t *testing.T) {
	long.Skip(t)
	names := []string{"latest", "v1.0", "v1.1", "v1.2"}
	for seed := range uint64(*seeds) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, 7))
			l := newLife(t)
			before := map[string]version.Version{}
			for step := range 14 {
				var touched version.Version
				rolled := false
				if n := random.IntN(3); n < 2 || len(l.out) == 0 {
					touched = version.MustParse(fmt.Sprintf("v1.%d.%d", random.IntN(3), random.IntN(3)))
					l.publish(touched)
				} else {
					touched = l.out[random.IntN(len(l.out))]
					state := journal.RolledBack
					if l.back[touched] {
						state = journal.Good
					}
					rolled = state == journal.RolledBack
					l.mark(touched, state)
				}
				got := l.tags(names...)
				want := floating.Lead(floatingForms, l.out, func(v version.Version) bool { return l.back[v] })
				for _, name := range names {
					if lead, ok := want[name]; ok && got[name] != lead {
						t.Fatalf("seed %d, step %d: %s leads to %s, not to %s; out: %v, rolled back: %v", seed, step, name, got[name], lead, l.out, l.back)
					}
					if was := before[name]; !was.IsZero() && got[name].Compare(was) < 0 && !(rolled && was == touched) {
						t.Fatalf("seed %d, step %d: %s went from %s to %s when %s was touched", seed, step, name, was, got[name], touched)
					}
				}
				before = got
			}
		})
	}
}
