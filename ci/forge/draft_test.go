package forge_test

import (
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/operator-release/operator-release/ci/faults"
	"github.com/operator-release/operator-release/ci/forge"
	"github.com/operator-release/operator-release/ci/forge/hub"
)

const linux = "spark-v1.5.0-linux-amd64.tar.gz"

// stopped is a hub with the draft that a stopped publisher of the release left: one file is complete, the upload of one was cut, and one has other bytes.
func stopped(t *testing.T, r forge.Release, o hub.Options) (*hub.Hub, *faults.Proxy, *forge.GitHub) {
	t.Helper()
	h, proxy, g := start(t, o)
	first := release(t, r.Tag, map[string]string{"SHA256SUMS": some["SHA256SUMS"], "spark-1.5.0.tgz": "A CHART", linux: some[linux]})
	first.Identity = r.Identity
	proxy.Add(faults.Fault{Match: "POST .*name=" + linux, Do: faults.CutRequest(100)})
	if _, wrote, err := g.Prepare(t.Context(), first); err == nil || !wrote {
		t.Fatalf("the upload was to be cut off: %v, %v", wrote, err)
	}
	proxy.Clear()
	var states []string
	for _, a := range h.Snapshot().Releases[0].Assets {
		states = append(states, a.Name+" "+a.State)
	}
	if got := strings.Join(states, ", "); got != "SHA256SUMS uploaded, spark-1.5.0.tgz uploaded, "+linux+" starter" {
		t.Fatalf("the draft holds %s", got)
	}
	return h, proxy, g
}

// holds fails unless there is one page, published, with exactly the release's files.
func holds(t *testing.T, h *hub.Hub, r forge.Release) {
	t.Helper()
	s := h.Snapshot()
	if len(s.Releases) != 1 || s.Releases[0].Draft || !s.Releases[0].Latest {
		t.Fatalf("there is %+v", s.Releases)
	}
	var got, want []string
	for _, a := range s.Releases[0].Assets {
		got = append(got, a.Name+" "+a.State+" "+a.Digest)
	}
	for _, f := range r.Files {
		want = append(want, f.Name+" uploaded "+f.Digest.String())
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the page holds\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestAStoppedDraftIsCompleted: what is complete is not sent again, what is half there or other is replaced, and nothing else is written.
func TestAStoppedDraftIsCompleted(t *testing.T) {
	r := release(t, "v1.5.0", some)
	h, _, g := stopped(t, r, hub.Options{Immutable: true})
	before := len(h.Writes())
	if p, wrote, err := g.Prepare(t.Context(), r); err != nil || !wrote || !p.Draft || len(p.Assets) != 3 {
		t.Fatalf("%+v, %v, %v", p, wrote, err)
	}
	if p, wrote, err := g.Publish(t.Context(), r, forge.LatestYes); err != nil || !wrote || p.Draft {
		t.Fatalf("%+v, %v, %v", p, wrote, err)
	}
	holds(t, h, r)
	const releases = "/repos/acme/spark/releases"
	want := []hub.Request{
		{Method: "DELETE", Path: releases + "/assets/{id}", Status: 204}, {Method: "POST", Path: releases + "/{id}/assets?name=spark-1.5.0.tgz", Status: 201},
		{Method: "DELETE", Path: releases + "/assets/{id}", Status: 204}, {Method: "POST", Path: releases + "/{id}/assets?name=" + linux, Status: 201},
		{Method: "PATCH", Path: releases + "/{id}", Status: 200},
	}
	if got := h.Writes()[before:]; !reflect.DeepEqual(got, want) {
		t.Errorf("wrote %v\nwant  %v", got, want)
	}
}

// TestTwoPublishersOfAStoppedDraft: both find it half done, and complete it side by side.
func TestTwoPublishersOfAStoppedDraft(t *testing.T) {
	r := release(t, "v1.5.0", some)
	for i := range 4 {
		h, proxy, g := stopped(t, r, hub.Options{Immutable: true})
		proxy.Add(faults.Fault{Match: "(POST|DELETE) .*/assets", Do: faults.Delay(time.Duration(i%3) * time.Millisecond)})
		errs := make([]error, 2)
		var both sync.WaitGroup
		for n := range errs {
			both.Go(func() { _, errs[n] = prepareAndPublish(t.Context(), g, r, forge.LatestYes) })
		}
		both.Wait()
		if errs[0] != nil || errs[1] != nil {
			t.Errorf("%d: %v and %v", i, errs[0], errs[1])
		}
		holds(t, h, r)
	}
}
