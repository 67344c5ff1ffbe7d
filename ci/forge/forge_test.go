package forge_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/operator-release/operator-release/ci/faults"
	"github.com/operator-release/operator-release/ci/forge"
	"github.com/operator-release/operator-release/ci/forge/forgetest"
	"github.com/operator-release/operator-release/ci/forge/hub"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/registry"
)

// hasty is the patience of tests, whose servers are near.
var hasty = registry.Patience{Tries: 4, First: time.Millisecond, Longest: time.Second, Answer: time.Minute, Stall: time.Minute}

const secret = "ghp_canary0123456789"

func people() []hub.User {
	return []hub.User{
		{Login: "robot", Token: secret, Role: hub.Write}, {Login: "ada", Token: "secret-of-ada", Role: hub.Maintain}, {Login: "bob", Role: hub.Triage},
		{Login: "eve", Token: "secret-of-eve"}, {Login: "github-actions[bot]", Token: "secret-of-actions", Role: hub.Write, Bot: true},
	}
}

// start serves a hub, and opens it.
func start(t *testing.T, o hub.Options) (*hub.Hub, *faults.Proxy, *forge.GitHub) {
	t.Helper()
	o.Repository = "acme/spark"
	if o.Users == nil {
		o.Users = people()
	}
	h, proxy, address := forgetest.Start(t, o)
	return h, proxy, open(t, address, secret)
}

func open(t *testing.T, address, token string) *forge.GitHub {
	t.Helper()
	g, err := forge.NewGitHub("acme/spark", forge.Options{URL: address, Token: forge.Token(token), Patience: hasty})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// release is one with files of the contents given, by name.
func release(t *testing.T, tag string, files map[string]string) forge.Release {
	t.Helper()
	r := forge.Release{
		Tag: tag, Commit: strings.Repeat("c", 40), Title: "Spark " + tag, Body: "What is new in " + tag + "\n\n- much\n", Prerelease: strings.Contains(tag, "-"),
		Identity: digest.FromString(tag + fmt.Sprint(files)),
	}
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		r.Files = append(r.Files, forge.File{Name: name, Path: path, Size: int64(len(content)), Digest: digest.FromString(content)})
	}
	slices.SortFunc(r.Files, func(a, b forge.File) int { return strings.Compare(a.Name, b.Name) })
	return r
}

var some = map[string]string{"SHA256SUMS": "sums", "spark-1.5.0.tgz": "a chart", "spark-v1.5.0-linux-amd64.tar.gz": strings.Repeat("binary", 1000)}

// prepareAndPublish makes a page visible.
func prepareAndPublish(ctx context.Context, g forge.Forge, r forge.Release, latest forge.Latest) (forge.Page, error) {
	if _, _, err := g.Prepare(ctx, r); err != nil {
		return forge.Page{}, err
	}
	p, _, err := g.Publish(ctx, r, latest)
	return p, err
}

func shown(t *testing.T, h *hub.Hub) string {
	t.Helper()
	content, err := json.MarshalIndent(h.Snapshot(), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestAPageIsPreparedThenPublished(t *testing.T) {
	ctx := t.Context()
	h, _, g := start(t, hub.Options{Immutable: true})
	r := release(t, "v1.5.0", some)
	if _, ok, err := g.Page(ctx, r.Tag); ok || err != nil {
		t.Fatalf("there is none: %v, %v", ok, err)
	}
	if _, _, err := g.Publish(ctx, r, forge.LatestYes); err == nil || !strings.Contains(err.Error(), "it has no draft; prepare it first") {
		t.Errorf("without a draft: %v", err)
	}
	draft, wrote, err := g.Prepare(ctx, r)
	if err != nil || !wrote || !draft.Draft || len(draft.Assets) != 3 {
		t.Fatalf("%+v, %v, %v", draft, wrote, err)
	}
	if _, ok, err := open(t, address(t, h), "").Page(ctx, r.Tag); ok || err != nil {
		t.Errorf("others see the draft: %v, %v", ok, err)
	}
	if _, ok, err := g.Latest(ctx); ok || err != nil {
		t.Errorf("the latest: %v, %v", ok, err)
	}
	again, wrote, err := g.Prepare(ctx, r)
	if err != nil || wrote || !reflect.DeepEqual(again, draft) {
		t.Errorf("again: %+v, %v, %v", again, wrote, err)
	}
	p, wrote, err := g.Publish(ctx, r, forge.LatestYes)
	if err != nil || !wrote || p.Draft || !p.Immutable || p.Identity != r.Identity || p.Body != "What is new in v1.5.0\n\n- much" || p.Title != "Spark v1.5.0" || !strings.HasSuffix(p.URL, "/acme/spark/releases/tag/v1.5.0") {
		t.Fatalf("%+v, %v, %v", p, wrote, err)
	}
	found, ok, err := g.Page(ctx, r.Tag)
	if err != nil || !ok || !reflect.DeepEqual(found, p) {
		t.Errorf("found %+v, %v, %v; published %+v", found, ok, err, p)
	}
	if pages, err := g.Pages(ctx); err != nil || !reflect.DeepEqual(pages, []forge.Page{p}) {
		t.Errorf("listed %+v, %v; published %+v", pages, err, p)
	}
	for i, a := range p.Assets {
		f := r.Files[i]
		content, err := get(a.URL)
		if err != nil || a.Name != f.Name || a.Size != f.Size || a.Digest != f.Digest || content != some[f.Name] {
			t.Errorf("%+v: downloaded %q, %v", a, content, err)
		}
	}
	if latest, ok, err := g.Latest(ctx); err != nil || !ok || latest.Tag != r.Tag {
		t.Errorf("the latest: %+v, %v, %v", latest, ok, err)
	}
	before := len(h.Writes())
	for _, do := range []func() (forge.Page, bool, error){func() (forge.Page, bool, error) { return g.Prepare(ctx, r) }, func() (forge.Page, bool, error) { return g.Publish(ctx, r, forge.LatestYes) }} {
		if p, wrote, err := do(); err != nil || wrote || p.Draft {
			t.Errorf("once it is out: %+v, %v, %v", p, wrote, err)
		}
	}
	if n := len(h.Writes()); n != before {
		t.Errorf("wrote %v", h.Writes()[before:])
	}
}

// TestTwoHubsAskedForTheSame show the same, and have logged the same writes.
func TestTwoHubsAskedForTheSame(t *testing.T) {
	var shows []string
	var writes [][]hub.Request
	for range 2 {
		h, _, g := start(t, hub.Options{})
		for _, tag := range []string{"v1.5.0-rc.0", "v1.5.0"} {
			if _, err := prepareAndPublish(t.Context(), g, release(t, tag, some), forge.LatestNo); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := g.Propose(t.Context(), forge.Proposal{Head: "backport/x", Base: "release-1.5", Title: "x"}); err != nil {
			t.Fatal(err)
		}
		shows, writes = append(shows, shown(t, h)), append(writes, h.Writes())
	}
	if shows[0] != shows[1] || !reflect.DeepEqual(writes[0], writes[1]) {
		t.Errorf("%s\n%s\n%v\n%v", shows[0], shows[1], writes[0], writes[1])
	}
	if w := writes[0]; len(w) != 11 || w[1] != (hub.Request{Method: "POST", Path: "/repos/acme/spark/releases/{id}/assets?name=SHA256SUMS", Status: 201}) {
		t.Errorf("wrote %v", w)
	}
}

func TestOtherContentIsRefused(t *testing.T) {
	ctx := t.Context()
	other := map[string]string{"SHA256SUMS": "other", "spark-1.5.0.tgz": "a chart"}
	for name, c := range map[string]struct {
		before func(t *testing.T, g *forge.GitHub)
		says   []string
	}{
		"a draft": {func(t *testing.T, g *forge.GitHub) {
			if _, _, err := g.Prepare(ctx, release(t, "v1.5.0", other)); err != nil {
				t.Fatal(err)
			}
		}, []string{"a draft of it is there with other content", release(t, "v1.5.0", other).Identity.String(), release(t, "v1.5.0", some).Identity.String()}},
		"a page": {func(t *testing.T, g *forge.GitHub) {
			if _, err := prepareAndPublish(ctx, g, release(t, "v1.5.0", other), forge.LatestNo); err != nil {
				t.Fatal(err)
			}
		}, []string{"the published page of it is there with other content", release(t, "v1.5.0", other).Identity.String(), release(t, "v1.5.0", some).Identity.String(), "never changes"}},
		"a page without a file": {func(t *testing.T, g *forge.GitHub) {
			r := release(t, "v1.5.0", some)
			r.Files = r.Files[1:]
			if _, err := prepareAndPublish(ctx, g, r, forge.LatestNo); err != nil {
				t.Fatal(err)
			}
		}, []string{"does not hold SHA256SUMS", "never added"}},
		"a page with another file": {func(t *testing.T, g *forge.GitHub) {
			r := release(t, "v1.5.0", map[string]string{"SHA256SUMS": "sums", "spark-1.5.0.tgz": "another chart", "spark-v1.5.0-linux-amd64.tar.gz": some["spark-v1.5.0-linux-amd64.tar.gz"]})
			r.Identity = release(t, "v1.5.0", some).Identity
			if _, err := prepareAndPublish(ctx, g, r, forge.LatestNo); err != nil {
				t.Fatal(err)
			}
		}, []string{"holds spark-1.5.0.tgz of 13 bytes, " + digest.FromString("another chart").String(), digest.FromString("a chart").String()}},
		"a page with a file more": {func(t *testing.T, g *forge.GitHub) {
			r := release(t, "v1.5.0", map[string]string{"more": "x", "SHA256SUMS": some["SHA256SUMS"], "spark-1.5.0.tgz": some["spark-1.5.0.tgz"], "spark-v1.5.0-linux-amd64.tar.gz": some["spark-v1.5.0-linux-amd64.tar.gz"]})
			r.Identity = release(t, "v1.5.0", some).Identity
			if _, err := prepareAndPublish(ctx, g, r, forge.LatestNo); err != nil {
				t.Fatal(err)
			}
		}, []string{"it holds more of 1 bytes", "no file of the release"}},
	} {
		t.Run(name, func(t *testing.T) {
			h, _, g := start(t, hub.Options{})
			c.before(t, g)
			before := shown(t, h)
			r := release(t, "v1.5.0", some)
			_, wrote, err := g.Prepare(ctx, r)
			if !refusal.Is(err) || wrote {
				t.Fatalf("prepared: %v, %v", wrote, err)
			}
			for _, want := range c.says {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("says %q, want %q", err, want)
				}
			}
			if _, _, err := g.Publish(ctx, r, forge.LatestNo); !refusal.Is(err) {
				t.Errorf("published: %v", err)
			}
			if shown(t, h) != before {
				t.Errorf("%s\nbefore\n%s", shown(t, h), before)
			}
		})
	}
}

// TestADraftIsBroughtUpToDate: texts that changed, files half there, or of other bytes; and somebody's own draft of the tag stays.
func TestADraftIsBroughtUpToDate(t *testing.T) {
	ctx := t.Context()
	h, proxy, g := start(t, hub.Options{})
	r := release(t, "v1.5.0", some)
	mine := r
	mine.Title, mine.Body = "Old", "old"
	proxy.Add(faults.Fault{Match: "POST .*name=spark-v1.5.0-linux", Do: faults.CutRequest(100)})
	if _, wrote, err := g.Prepare(ctx, mine); err == nil || !wrote || refusal.Is(err) || !strings.Contains(err.Error(), "upload spark-v1.5.0-linux-amd64.tar.gz to the draft of v1.5.0") {
		t.Fatalf("%v, %v", wrote, err)
	}
	if a := h.Snapshot().Releases[0].Assets[2]; a.State != "starter" {
		t.Fatalf("the last upload is %+v", a)
	}
	if _, _, err := g.Publish(ctx, mine, forge.LatestNo); err == nil || !strings.Contains(err.Error(), "does not hold spark-v1.5.0-linux-amd64.tar.gz") {
		t.Errorf("published half: %v", err)
	}
	proxy.Clear()
	if p, wrote, err := g.Prepare(ctx, r); err != nil || !wrote || p.Title != r.Title || len(p.Assets) != 3 {
		t.Fatalf("%+v, %v, %v", p, wrote, err)
	}
	uploads := 0
	for _, request := range proxy.Requests() {
		if strings.HasPrefix(request, "POST ") {
			uploads++
		}
	}
	if uploads != 1 {
		t.Errorf("asked %q", proxy.Requests())
	}
	if p, err := prepareAndPublish(ctx, g, r, forge.LatestYes); err != nil || p.Draft {
		t.Fatalf("%+v, %v", p, err)
	}
	if s := h.Snapshot(); len(s.Releases) != 1 || len(s.Releases[0].Assets) != 3 || !s.Releases[0].Latest {
		t.Errorf("%+v", s)
	}
}

// TestWhatIsInADraft: a file of other bytes is replaced, one that is none of the release is refused, and a draft that says no identity is somebody's.
func TestWhatIsInADraft(t *testing.T) {
	ctx := t.Context()
	h, _, g := start(t, hub.Options{})
	r := release(t, "v1.5.0", some)
	first := release(t, "v1.5.0", map[string]string{"SHA256SUMS": "SUMS"})
	first.Identity = r.Identity
	if _, _, err := g.Prepare(ctx, first); err != nil {
		t.Fatal(err)
	}
	if _, _, err := g.Prepare(ctx, r); err != nil {
		t.Fatal(err)
	}
	if s := h.Snapshot(); len(s.Releases) != 1 || s.Releases[0].Assets[0].Digest != digest.FromString("sums").String() {
		t.Errorf("%+v", s)
	}
	if _, _, err := g.Prepare(ctx, first); !refusal.Is(err) || !strings.Contains(err.Error(), "spark-1.5.0.tgz of 7 bytes") {
		t.Errorf("a file too many: %v", err)
	}
	somebody(t, h, `{"tag_name": "v1.6.0", "draft": true, "name": "Notes of somebody"}`)
	if p, ok, err := g.Page(ctx, "v1.6.0"); err != nil || !ok || p.Title != "Notes of somebody" || p.Identity != "" {
		t.Errorf("%+v, %v, %v", p, ok, err)
	}
	if p, err := prepareAndPublish(ctx, g, release(t, "v1.6.0", some), forge.LatestNo); err != nil || p.Title != "Spark v1.6.0" {
		t.Errorf("%+v, %v", p, err)
	}
	if s := h.Snapshot(); len(s.Releases) != 3 || s.Releases[2].Title != "Notes of somebody" || !s.Releases[2].Draft {
		t.Errorf("%+v", s)
	}
	somebody(t, h, `{"tag_name": "v1.7.0", "name": "By hand"}`)
	if _, _, err := g.Prepare(ctx, release(t, "v1.7.0", some)); !refusal.Is(err) || !strings.Contains(err.Error(), "does not hold SHA256SUMS") {
		t.Errorf("a page that somebody made: %v", err)
	}
}

// TestListsAreReadToTheirEnd: a draft and a comment behind hundreds of others.
func TestListsAreReadToTheirEnd(t *testing.T) {
	ctx := t.Context()
	h, proxy, g := start(t, hub.Options{})
	r := release(t, "v1.0.0", nil)
	if _, _, err := g.Prepare(ctx, r); err != nil {
		t.Fatal(err)
	}
	for i := range 230 {
		somebody(t, h, fmt.Sprintf(`{"tag_name": "v2.0.%d", "draft": true}`, i))
	}
	pages, err := g.Pages(ctx)
	if err != nil || len(pages) != 231 || pages[0].Tag != "v2.0.229" || pages[230].Tag != r.Tag || pages[230].Identity != r.Identity {
		t.Errorf("there are %d pages, %v", len(pages), err)
	}
	n := h.AddPull(hub.Pull{Title: "x", Author: "ada", Head: "x", Base: "main"})
	for range 230 {
		if err := h.Comment(n, "eve", "me, too"); err != nil {
			t.Fatal(err)
		}
	}
	proxy.Clear()
	if _, wrote, err := g.Prepare(ctx, r); err != nil || wrote {
		t.Errorf("%v, %v", wrote, err)
	}
	for _, want := range []bool{true, false} {
		if wrote, err := g.Comment(ctx, n, "x", "x"); err != nil || wrote != want {
			t.Errorf("%v, %v", wrote, err)
		}
	}
	if !slices.ContainsFunc(proxy.Requests(), func(r string) bool { return strings.Contains(r, "/releases?page=3&per_page=100") }) {
		t.Errorf("asked %q", proxy.Requests())
	}
}

func TestLongTextsAreShortened(t *testing.T) {
	ctx := t.Context()
	h, _, g := start(t, hub.Options{})
	r := release(t, "v1.5.0", nil)
	r.Body, r.More = "# Notes\n\n```\n"+strings.Repeat("é line of many\n", 10000)+"```\n", "The rest is in NOTES.md below."
	p, err := prepareAndPublish(ctx, g, r, forge.LatestYes)
	if err != nil || !strings.HasSuffix(p.Body, "é line of many\n```\n\nThe rest is in NOTES.md below.") || p.Identity != r.Identity {
		t.Fatalf("%q, %v", p.Body[max(0, len(p.Body)-100):], err)
	}
	if n := len([]rune(h.Snapshot().Releases[0].Body)); n > 125000 || n < 124900 {
		t.Errorf("the body has %d characters", n)
	}
	if _, wrote, err := g.Edit(ctx, r.Tag, forge.Edit{Body: &r.Body, More: r.More}); err != nil || wrote {
		t.Errorf("the same again: %v, %v", wrote, err)
	}
}

func TestWhatIsNoReleaseIsRefused(t *testing.T) {
	_, proxy, g := start(t, hub.Options{})
	for says, change := range map[string]func(*forge.Release){
		"its commit":               func(r *forge.Release) { r.Commit = "main" },
		"make the page of \"a/b\"": func(r *forge.Release) { r.Tag = "a/b" },
		"is no digest":             func(r *forge.Release) { r.Identity = "sha256:1" },
		"would rename":             func(r *forge.Release) { r.Files[0].Name = "a file" },
		"no dot at either end":     func(r *forge.Release) { r.Files[0].Name = ".hidden" },
		"two files called":         func(r *forge.Release) { r.Files[0].Name = r.Files[1].Name },
	} {
		r := release(t, "v1.5.0", some)
		change(&r)
		if _, _, err := g.Prepare(t.Context(), r); !refusal.Is(err) || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %q", err, says)
		}
	}
	if len(proxy.Requests()) != 0 {
		t.Errorf("asked %q", proxy.Requests())
	}
	r := release(t, "v1.5.0", some)
	for content, says := range map[string]string{"more sums": "is no file of 4 bytes", "SUMS": digest.FromString("SUMS").String()} {
		if err := os.WriteFile(r.Files[0].Path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, _, err := g.Prepare(t.Context(), r); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("a file that is not the release's: %v", err)
		}
	}
}
