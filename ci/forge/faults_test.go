package forge_test

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/operator-release/operator-release/ci/faults"
	"github.com/operator-release/operator-release/ci/forge"
	"github.com/operator-release/operator-release/ci/forge/forgetest"
	"github.com/operator-release/operator-release/ci/forge/hub"
	"github.com/operator-release/operator-release/ci/refusal"
)

// everything is a run that makes each write there is: it publishes a page, edits it, and proposes and comments, twice.
func everything(ctx context.Context, g forge.Forge, r forge.Release, number int) error {
	if _, err := prepareAndPublish(ctx, g, r, forge.LatestYes); err != nil {
		return err
	}
	body := "Withdrawn."
	if _, _, err := g.Edit(ctx, r.Tag, forge.Edit{Body: &body}); err != nil {
		return err
	}
	for _, text := range []string{"first", "second"} {
		if _, err := g.Propose(ctx, forge.Proposal{Head: "x", Base: "main", Title: text, Body: text, Labels: []string{"bug"}, Reviewers: []string{"ada"}, Assignees: []string{"bob"}}); err != nil {
			return err
		}
		if _, err := g.Comment(ctx, number, "key", text); err != nil {
			return err
		}
	}
	return nil
}

// seeded is a hub with a pull request to comment on, and a draft of the release that has a file too few, a half uploaded one and one of other bytes.
func seeded(t *testing.T, r forge.Release) (*hub.Hub, *faults.Proxy, *forge.GitHub, int) {
	t.Helper()
	h, proxy, g := start(t, hub.Options{})
	number := h.AddPull(hub.Pull{Number: 7, Title: "x", Author: "ada", Head: "y", Base: "main"})
	first := r
	first.Title, first.Files = "Old", release(t, r.Tag, map[string]string{"SHA256SUMS": "SUMS", "spark-1.5.0.tgz": "a chart"}).Files
	proxy.Add(faults.Fault{Match: "POST .*name=spark-1.5.0.tgz", Do: faults.CutRequest(3)})
	if _, _, err := g.Prepare(t.Context(), first); err == nil {
		t.Fatal("the upload was to be cut off")
	}
	proxy.Clear()
	return h, proxy, g, number
}

// TestLostAnswers: at each write of a run the connection breaks once, before it or after it, or the answer is cut, or something before the server fails: the end is the same, and nothing is there twice.
func TestLostAnswers(t *testing.T) {
	r := release(t, "v1.5.0", some)
	fresh := func(t *testing.T) (*hub.Hub, *faults.Proxy, *forge.GitHub, int) {
		h, proxy, g := start(t, hub.Options{})
		return h, proxy, g, h.AddPull(hub.Pull{Number: 7, Title: "x", Author: "ada", Head: "y", Base: "main"})
	}
	half := func(t *testing.T) (*hub.Hub, *faults.Proxy, *forge.GitHub, int) { return seeded(t, r) }
	for _, c := range []struct {
		name  string
		world func(*testing.T) (*hub.Hub, *faults.Proxy, *forge.GitHub, int)
		match string
		fault faults.Action
	}{
		{"before", fresh, "^(POST|PATCH|DELETE) ", faults.Before},
		{"after", fresh, "^(POST|PATCH|DELETE) ", faults.After},
		{"the answer is cut", fresh, "^(POST|PATCH|DELETE) ", faults.CutResponse(10)},
		{"something before it fails", fresh, "^POST ", faults.Status(http.StatusBadGateway, 0)},
		{"an upload is cut", fresh, "^POST .*[?]name=", faults.CutRequest(3)},
		{"another publisher deletes our upload", fresh, "^POST .*[?]name=", faults.Status(http.StatusNotFound, 0)},
		{"after, from half a draft", half, "^(POST|PATCH|DELETE) ", faults.After},
	} {
		h, proxy, g, number := c.world(t)
		proxy.Clear()
		if err := everything(t.Context(), g, r, number); err != nil {
			t.Fatal(err)
		}
		want, writes := shown(t, h), 0
		for _, request := range proxy.Requests() {
			if regexp.MustCompile(c.match).MatchString(request) {
				writes++
			}
		}
		if writes < 3 || strings.Contains(c.match, "PATCH") && writes < 13 {
			t.Fatalf("a run writes %d times: %q", writes, proxy.Requests())
		}
		for at := 1; at <= writes; at++ {
			t.Run(fmt.Sprintf("%s, write %d", c.name, at), func(t *testing.T) {
				t.Parallel()
				h, proxy, g, number := c.world(t)
				proxy.Add(faults.Fault{Match: c.match, First: at, Times: 1, Do: c.fault})
				if err := everything(t.Context(), g, r, number); err != nil {
					t.Fatal(err)
				}
				if got := shown(t, h); got != want {
					t.Errorf("it ends as\n%s\nwant\n%s", got, want)
				}
			})
		}
	}
}

// TestARerunCompletes: a run that ends at any write, which may have been carried out or not, is completed by the next.
func TestARerunCompletes(t *testing.T) {
	r := release(t, "v1.5.0", some)
	h, proxy, g, number := seeded(t, r)
	proxy.Clear()
	if err := everything(t.Context(), g, r, number); err != nil {
		t.Fatal(err)
	}
	want := shown(t, h)
	writes := slices.DeleteFunc(proxy.Requests(), func(request string) bool { return strings.HasPrefix(request, "GET ") })
	for at := range writes {
		t.Run(fmt.Sprint("write ", at+1), func(t *testing.T) {
			t.Parallel()
			h, proxy, g, number := seeded(t, r)
			ctx, cancel := context.WithCancel(t.Context())
			proxy.Add(faults.Fault{Match: "^(POST|PATCH|DELETE) ", First: at + 1, Times: 1, Do: faults.Call(cancel)})
			if err := everything(ctx, g, r, number); err == nil && at+1 < len(writes) { // behind the last one there is nothing left to fail
				t.Fatal("it ended well")
			}
			proxy.Clear()
			if err := everything(t.Context(), g, r, number); err != nil {
				t.Fatal(err)
			}
			if got := shown(t, h); got != want {
				t.Errorf("it ends as\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// TestTwoPublishers: of the same page both end well, and one page with each file once is there; of different ones one wins, and the other is refused with both identities named.
func TestTwoPublishers(t *testing.T) {
	one := release(t, "v1.5.0", some)
	two := release(t, "v1.5.0", map[string]string{"SHA256SUMS": "other", "spark-1.5.0.tgz": "another chart"})
	for i := range 12 {
		releases := []forge.Release{one, one}
		if i%2 == 1 {
			releases[1] = two
		}
		h, proxy, address := forgetest.Start(t, hub.Options{Repository: "acme/spark", Users: people(), Immutable: true})
		proxy.Add(faults.Fault{Match: "POST .*/(releases|assets)", Do: faults.Delay(time.Duration(i%3) * time.Millisecond)})
		errs := make([]error, 2)
		var both sync.WaitGroup
		for n := range releases {
			g := open(t, address, secret)
			both.Go(func() { _, errs[n] = prepareAndPublish(t.Context(), g, releases[n], forge.LatestYes) })
		}
		both.Wait()
		s := h.Snapshot()
		if len(s.Releases) != 1 || s.Releases[0].Draft {
			t.Fatalf("%d: there is %+v; the publishers: %v and %v", i, s, errs[0], errs[1])
		}
		if i%2 == 0 {
			if errs[0] != nil || errs[1] != nil || len(s.Releases[0].Assets) != len(one.Files) {
				t.Errorf("%d: the same: %v and %v, %+v", i, errs[0], errs[1], s)
			}
			continue
		}
		winner, loser := 0, 1
		if errs[0] != nil {
			winner, loser = 1, 0
		}
		if errs[winner] != nil || len(s.Releases[0].Assets) != len(releases[winner].Files) || !strings.Contains(s.Releases[0].Body, releases[winner].Identity.String()) {
			t.Errorf("%d: the winner: %v, %+v", i, errs[winner], s)
		}
		if err := errs[loser]; !refusal.Is(err) || !strings.Contains(err.Error(), one.Identity.String()) || !strings.Contains(err.Error(), two.Identity.String()) {
			t.Errorf("%d: the loser: %v", i, err)
		}
	}
}

// TestADoubleDraftIsTakenBack: the list of pages lags behind, as GitHub's may, so both publishers made a draft, and each publishes its own.
func TestADoubleDraftIsTakenBack(t *testing.T) {
	ctx := t.Context()
	h, _, g := start(t, hub.Options{})
	r := release(t, "v1.5.0", some)
	if _, _, err := g.Prepare(ctx, r); err != nil {
		t.Fatal(err)
	}
	body := strings.ReplaceAll(h.Snapshot().Releases[0].Body, "\n", `\n`)
	somebody(t, h, `{"tag_name": "v1.5.0", "draft": true, "name": "Spark v1.5.0", "body": "`+body+`"}`)
	if n := len(h.Snapshot().Releases); n != 2 {
		t.Fatalf("there are %d", n)
	}
	if p, wrote, err := g.Publish(ctx, r, forge.LatestNo); err != nil || !wrote || p.Draft {
		t.Errorf("%+v, %v, %v", p, wrote, err)
	}
	one := func() {
		t.Helper()
		if s := h.Snapshot(); len(s.Releases) != 1 || s.Releases[0].Draft || len(s.Releases[0].Assets) != 3 {
			t.Errorf("%+v", s)
		}
	}
	one()
	somebody(t, h, `{"tag_name": "v1.5.0", "draft": true, "name": "Spark v1.5.0", "body": "`+body+`"}`)
	for _, want := range []bool{true, false} {
		if p, wrote, err := g.Publish(ctx, r, forge.LatestNo); err != nil || wrote != want || p.Draft {
			t.Errorf("too late: %+v, %v, %v", p, wrote, err)
		}
	}
	one()
}
