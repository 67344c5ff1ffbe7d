package publish

import (
	"flag"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/registry"
)

var races = flag.Int("races", 2, "how often two publishers race")

// hasty is the patience of tests, whose servers are near.
var hasty = registry.Patience{Tries: 5, First: time.Millisecond, Longest: time.Second, Answer: time.Minute, Stall: time.Minute}

// TestTwoPublishers: with the same bundle both end well; with different ones git decides, and the loser is refused with both identities
// before any of its pointers is visible.
func TestTwoPublishers(t *testing.T) {
	source := repository(t)
	one, two := release(t, source, "v1.5.0\n"), release(t, source, "v1.5.0 other\n")
	for range *races {
		race(t, source, one, one)
		race(t, source, one, two)
	}
}

func race(t *testing.T, source *git.Repository, a, b bundle.Bundle) {
	t.Helper()
	ctx := t.Context()
	destination := newThrowaway(t)
	bundles, failed := []bundle.Bundle{a, b}, make([]error, 2)
	var both sync.WaitGroup
	for i := range bundles {
		both.Go(func() {
			d := destination.Destinations(source)
			d.Patience = hasty
			_, failed[i] = Publish(ctx, bundles[i], d)
		})
	}
	both.Wait()
	refs, err := source.Remote(destination.Remote).Refs(ctx, "refs/releases/*", "refs/tags/*")
	if err != nil || len(refs) != 3 { // claim, git tag, tag of the Go module
		t.Fatalf("the remote has %v, %v; the publishers: %v and %v", refs, err, failed[0], failed[1])
	}
	if a.Identity.Digest == b.Identity.Digest {
		if failed[0] != nil || failed[1] != nil {
			t.Errorf("the same bundle: %v and %v", failed[0], failed[1])
		}
		return
	}
	winner, loser := 0, 1
	if failed[0] != nil {
		winner, loser = 1, 0
	}
	if failed[winner] != nil || refs["refs/tags/v1.5.0"] != bundles[winner].Record.Tag {
		t.Errorf("the winner: %v; the tag is %s", failed[winner], refs["refs/tags/v1.5.0"])
	}
	if m := bundles[winner].Record.Modules[0]; refs[m.Ref()] != m.Object {
		t.Errorf("the winner's tag %s is %s", m.Tag, refs[m.Ref()])
	}
	if err := failed[loser]; !refusal.Is(err) || !strings.Contains(err.Error(), a.Identity.Digest.String()) || !strings.Contains(err.Error(), b.Identity.Digest.String()) {
		t.Errorf("the loser: %v", err)
	}
}
