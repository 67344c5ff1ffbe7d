package publish

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/bundle/bundletest"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/tags"
	"github.com/operator-release/operator-release/ci/version"
)

// release is a release of v1.5.0; content makes one differ from another.
func release(t *testing.T, source *git.Repository, content string) bundle.Bundle {
	t.Helper()
	return releaseOf(t, source, "v1.5.0", content, "linux/amd64", "linux/arm64")
}

// releaseOf is the bundle of a release of the repository's commit.
func releaseOf(t *testing.T, source *git.Repository, name, content string, platforms ...string) bundle.Bundle {
	t.Helper()
	v := version.MustParse(name)
	ctx := t.Context()
	base, _, err := source.Head(ctx)
	if err != nil {
		t.Fatal(err)
	}
	q, err := source.Quarantine(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	commit, err := q.NewCommit(ctx, base, map[string][]byte{"VERSION": []byte(content)}, base.Committer, "release\n")
	if err != nil {
		t.Fatal(err)
	}
	tag, err := q.NewTag(ctx, name, commit.ID, base.Committer, "spark "+name+"\n")
	if err != nil {
		t.Fatal(err)
	}
	module := bundle.Module{Path: "github.com/acme/spark/api", Tag: "api/" + name, Beside: "api/v1.4.0"}
	if module.Object, err = q.NewTag(ctx, module.Tag, commit.ID, base.Committer, "spark "+module.Tag+"\n"); err != nil {
		t.Fatal(err)
	}
	objects, err := q.AddedObjects(ctx, base, commit, tag, module.Object)
	if err != nil {
		t.Fatal(err)
	}
	p := bundletest.Pieces(t, platforms...)
	p.Record.Modules = []bundle.Module{module}
	tagged, err := tags.Read(ctx, source)
	if err != nil {
		t.Fatal(err)
	}
	pattern, err := version.ParsePattern(version.DefaultPattern)
	if err != nil {
		t.Fatal(err)
	}
	place, err := tagged.Place(ctx, source, pattern, v, base)
	if err != nil && !refusal.Is(err) {
		t.Fatal(err)
	}
	p.Record.Previous = place.Previous
	p.Record.Version, p.Record.Line, p.Record.Branch = v, fmt.Sprintf("%d.%d", v.Major(), v.Minor()), fmt.Sprintf("release-%d.%d", v.Major(), v.Minor())
	p.Charts = []bundle.Chart{bundletest.Chart(t, p.Charts[0].From, v.SemVer())}
	p.Record.Config.Floating = floatingForms
	manifests, err := p.Images[0].From.Children(p.Images[0].Index)
	if err != nil {
		t.Fatal(err)
	}
	if p.Images[0].Index, err = p.Images[0].From.PutIndex(manifests, map[string]string{"version": name}); err != nil {
		t.Fatal(err)
	}
	p.Record.Base, p.Record.Commit, p.Record.Tree, p.Record.Tag = base.ID, commit.ID, commit.Tree, tag
	for _, f := range p.Files {
		if f.Kind != bundle.KindObjects {
			continue
		}
		out, err := os.Create(f.Path)
		if err != nil {
			t.Fatal(err)
		}
		if err := git.WriteObjects(out, objects); err != nil {
			t.Fatal(err)
		}
		out.Close()
	}
	b, err := bundle.Assemble(filepath.Join(t.TempDir(), "bundle"), p)
	if err != nil {
		t.Fatal(err)
	}
	return bundletest.Tested(t, b)
}

// floatingForms are configured in every release of these tests.
var floatingForms = []string{"latest", "v{major}.{minor}"}

func repository(t *testing.T) *git.Repository {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command("sh", "-c", "git init -q -b main . && echo v1.4.0 > VERSION && git add -A && git -c user.name=A -c user.email=a@example.com commit -q -m base")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	r, err := git.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRehearse(t *testing.T) {
	source := repository(t)
	r, err := Rehearse(held(t), release(t, source, "v1.5.0\n"), source, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var steps []string
	last := 0
	for _, w := range r.Writes {
		if w.Step < last || w.Outcome != Written {
			t.Errorf("%+v after step %d", w, last)
		}
		last = w.Step
		steps = append(steps, w.Target)
	}
	want := "docker.io/acme/charts/spark docker.io/acme/spark refs/releases/v1.5.0 refs/heads/release-1.5 docker.io/acme/spark:v1.5.0 docker.io/acme/charts/spark:1.5.0 refs/tags/api/v1.5.0 refs/tags/v1.5.0 throwaway/release release v1.5.0 throwaway/release release v1.5.0 refs/heads/gh-pages refs/chart-indexes/gh-pages docker.io/acme/spark:latest docker.io/acme/spark:v1.5"
	if got := strings.Join(steps, " "); got != want || !r.Again || r.Read < 20 {
		t.Errorf("writes %s, again %v, read %d", got, r.Again, r.Read)
	}
}

func TestOtherContentIsRefused(t *testing.T) {
	ctx, source := t.Context(), repository(t)
	destination := newThrowaway(t)
	one, two := release(t, source, "v1.5.0\n"), release(t, source, "v1.5.0 other\n")
	if _, err := Publish(ctx, one, destination.Destinations(source)); err != nil {
		t.Fatal(err)
	}
	r, err := Publish(ctx, two, destination.Destinations(source))
	if !refusal.Is(err) || r.Changed() || !strings.Contains(err.Error(), one.Identity.Digest.String()) || !strings.Contains(err.Error(), two.Identity.Digest.String()) {
		t.Errorf("%v; want a refusal that names both identities", err)
	}
	// Without the git remote the registry's tags speak.
	d := Destinations{Registry: destination.Destinations(source).Registry}
	if r, err = Publish(ctx, one, d); err != nil || r.Changed() || strings.Join(r.Skipped, ",") != "backup,git remote,release page,chart index,floating tags (which version is the newest is known to the git remote)" {
		t.Errorf("%+v, %v", r, err)
	}
	changed := bundletest.Pieces(t, "linux/amd64")
	third, err := bundle.Assemble(filepath.Join(t.TempDir(), "b"), changed)
	if err != nil {
		t.Fatal(err)
	}
	third = bundletest.Tested(t, third)
	if r, err = Publish(ctx, third, d); !refusal.Is(err) || r.Changed() || !strings.Contains(err.Error(), "docker.io/acme/spark:v1.5.0: it is there with other content") {
		t.Errorf("%v; want a refusal of the image tag", err)
	}
}

func TestAMovedBranchLeavesNoPointerVisible(t *testing.T) {
	ctx, source := t.Context(), repository(t)
	destination := newThrowaway(t)
	// Somebody pushed another commit to the release branch.
	other := repository(t)
	if _, err := other.Git(ctx, "-c", "user.name=B", "-c", "user.email=b@example.com", "commit", "-q", "--allow-empty", "-m", "other"); err != nil {
		t.Fatal(err)
	}
	if _, err := other.Git(ctx, "push", "-q", destination.Remote, "HEAD:refs/heads/release-1.5"); err != nil {
		t.Fatal(err)
	}
	b := release(t, source, "v1.5.0\n")
	to := destination.Destinations(source)
	if r, err := Publish(ctx, b, to); !refusal.Is(err) || r.Changed() ||
		!strings.Contains(err.Error(), "this clone does not have what that remote has: no branch release-1.5; run: "+
			"git fetch ") {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := source.Git(ctx, "fetch", "-q", destination.Remote,
		"release-1.5:refs/remotes/origin/release-1.5"); err != nil {
		t.Fatal(err)
	}
	if r, err := Publish(ctx, b, to); !refusal.Is(err) || r.Changed() ||
		!strings.Contains(err.Error(), "branch release-1.5 is at ") {
		t.Errorf("%+v, %v", r, err)
	}
	to.Remote.Again = true // as if the branch had moved after the look: a restoration does not look
	_, err := Publish(ctx, b, to)
	if err == nil || refusal.Is(err) || !strings.Contains(err.Error(), "No branch and no tag is visible yet") || !strings.Contains(err.Error(), "refs/heads/release-1.5 has moved") {
		t.Errorf("%v", err)
	}
	resp, err := http.Get("http://" + destination.Registry + "/v2/docker.io/acme/spark/manifests/v1.5.0")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	refs, err := source.Remote(destination.Remote).Refs(ctx, "refs/tags/*")
	if resp.StatusCode != http.StatusNotFound || len(refs) != 0 || err != nil {
		t.Errorf("image tag: %s, git tags %v, %v", resp.Status, refs, err)
	}
}

// TestALyingRegistryIsFoundOut stands between: it accepts everything and gives back other bytes.
func TestALyingRegistryIsFoundOut(t *testing.T) {
	ctx, source := t.Context(), repository(t)
	destination := newThrowaway(t)
	b := release(t, source, "v1.5.0\n")
	archive := b.Record.OfKind(bundle.KindArchive)[0]
	liar := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, archive.Digest.String()) {
			io.WriteString(w, strings.Repeat("x", int(archive.Size)))
			return
		}
		r.RequestURI, r.URL.Scheme, r.URL.Host = "", "http", destination.Registry
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		for name, values := range resp.Header {
			w.Header()[name] = values
		}
		w.WriteHeader(resp.StatusCode)
		io.Copy(w, resp.Body)
	}))
	defer liar.Close()
	d := destination.Destinations(source)
	d.Registry = &Registry{Prefix: strings.TrimPrefix(liar.URL, "http://")}
	if _, err := Publish(ctx, b, d); err == nil || !strings.Contains(err.Error(), "read back") || !strings.Contains(err.Error(), archive.Digest.String()) {
		t.Errorf("%v", err)
	}
}
