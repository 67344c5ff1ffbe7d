package publish

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/markdown"
	"github.com/operator-release/operator-release/ci/refusal"
)

// TestTheIndexLeadsToTheBundlesChart: to the release page's file, or, without a page, to the package beside it; the bytes are the bundle's.
func TestTheIndexLeadsToTheBundlesChart(t *testing.T) {
	for name, withPage := range map[string]bool{"page": true, "beside": false} {
		t.Run(name, func(t *testing.T) {
			ctx, source := t.Context(), repository(t)
			throwaway := newThrowaway(t)
			to := throwaway.Destinations(source)
			if !withPage {
				to.Forge = nil
			}
			b := release(t, source, "v1.5.0\n")
			if _, err := Publish(ctx, b, to); err != nil {
				t.Fatal(err)
			}
			show := func(path string) []byte {
				out, err := exec.Command("git", "--git-dir", throwaway.Remote, "show", "gh-pages:"+path).Output()
				if err != nil {
					t.Fatal(err)
				}
				return out
			}
			var index struct {
				Entries map[string][]struct {
					Version, AppVersion, Digest string
					URLs                        []string
				}
			}
			if err := yaml.Unmarshal(show("index.yaml"), &index); err != nil {
				t.Fatal(err)
			}
			chart := b.Record.OfKind(bundle.KindChart)[0]
			entry := index.Entries["spark"][0]
			if entry.Version != "1.5.0" || entry.Digest != chart.Package.Digest.Encoded() {
				t.Errorf("the entry is %+v", entry)
			}
			want, err := os.ReadFile(filepath.Join(b.Layout.Dir(), bundle.FilesDir, chart.File))
			if err != nil {
				t.Fatal(err)
			}
			var got []byte
			if url := entry.URLs[0]; strings.HasPrefix(url, "http") {
				resp, err := http.Get(url)
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				if got, err = io.ReadAll(resp.Body); err != nil {
					t.Fatal(err)
				}
			} else {
				got = show(url)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s has %d bytes, the bundle's chart %d", entry.URLs[0], len(got), len(want))
			}
		})
	}
}

// TestAPageOfOtherContentIsRefused, before anything is written.
func TestAPageOfOtherContentIsRefused(t *testing.T) {
	ctx, source := t.Context(), repository(t)
	throwaway := newThrowaway(t)
	to := throwaway.Destinations(source)
	one, two := release(t, source, "v1.5.0\n"), release(t, source, "v1.5.0 other\n")
	if _, err := Publish(ctx, one, to); err != nil {
		t.Fatal(err)
	}
	to.Remote, to.Index, to.Registry = nil, nil, nil
	r, err := Publish(ctx, two, to)
	if !refusal.Is(err) || len(r.Writes) > 0 || !strings.Contains(err.Error(), one.Identity.Digest.String()) || !strings.Contains(err.Error(), two.Identity.Digest.String()) {
		t.Errorf("%v; want a refusal that names both identities", err)
	}
}

// TestAWithdrawnVersionIsPublishedAsOne: where a version that carries a mark is published again, its new page warns and is not the latest, and the index does not list its charts.
func TestAWithdrawnVersionIsPublishedAsOne(t *testing.T) {
	ctx, source, throwaway := t.Context(), repository(t), newThrowaway(t)
	b := releaseOf(t, source, "v1.5.0", "v1.5.0\n", "linux/amd64")
	by := git.Person{Name: "Ada", Email: "ada@example.com", Time: b.Record.Time}
	scratch, err := git.Init(ctx, t.TempDir(), git.SHA1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := journal.Add(ctx, scratch.Remote(throwaway.Remote), b.Record.Version, journal.Mark{State: journal.Good}, journal.Mark{State: journal.RolledBack, Because: "it *leaks*"}, by); err != nil {
		t.Fatal(err)
	}
	for _, want := range []bool{true, false} {
		if r, err := Publish(ctx, b, throwaway.Destinations(source)); err != nil || r.Changed() != want {
			t.Fatalf("%+v, %v", r.Writes, err)
		}
	}
	page := throwaway.Hub.Snapshot().Releases[0]
	if page.Latest || page.Draft || !strings.Contains(page.Body, markdown.Escape("v1.5.0 is rolled back: it *leaks*")) {
		t.Errorf("the page is %+v", page)
	}
	index, err := source.Git(ctx, "--git-dir", throwaway.Remote, "show", "gh-pages:"+indexFile)
	if err == nil && strings.Contains(index, "1.5.0") {
		t.Errorf("the index is %s", index)
	}
}

// TestTheIndexFollowsMarks: a withdrawn version's chart is deprecated, that of one that is rolled back is listed no more, and of one that is good again all is as before.
func TestTheIndexFollowsMarks(t *testing.T) {
	ctx, source, throwaway := t.Context(), repository(t), newThrowaway(t)
	b := releaseOf(t, source, "v1.5.0", "v1.5.0\n", "linux/amd64")
	to := throwaway.Destinations(source)
	for _, f := range []*Forge{to.Forge, nil} { // the packages lie at the page, then beside the index
		to.Forge = f
		to.Index = &Index{Branch: fmt.Sprintf("charts-%t", f == nil)}
		if _, err := Publish(ctx, b, to); err != nil {
			t.Fatal(err)
		}
		index := func() string {
			content, err := source.Git(ctx, "--git-dir", throwaway.Remote, "show", to.Index.Branch+":"+indexFile)
			if err != nil {
				t.Fatal(err)
			}
			return content
		}
		scratch, err := source.Scratch(ctx, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		by := git.Person{Name: "Ada", Email: "ada@example.com", Time: b.Record.Time}
		before := index()
		remote := scratch.Remote(throwaway.Remote)
		is, err := journal.FindMark(ctx, remote, b.Record.Version)
		if err == nil && is.ID == "" {
			_, err = journal.Add(ctx, remote, b.Record.Version, is, journal.Mark{State: journal.Withdrawn, Because: "it leaks"}, by)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			state          journal.State
			listed, marked bool
		}{{journal.Withdrawn, true, true}, {journal.RolledBack, false, false}, {journal.RolledBack, false, false}, {journal.Withdrawn, true, true}, {journal.Good, true, false}} {
			if _, err := Marked(ctx, b, journal.Mark{State: step.state, Because: "it leaks"}, remote, by, to); err != nil {
				t.Fatal(err)
			}
			if is := index(); strings.Contains(is, "version: 1.5.0") != step.listed || strings.Contains(is, "deprecated: true") != step.marked {
				t.Errorf("%s: %s", step.state, is)
			}
		}
		if _, err := source.Git(ctx, "--git-dir", throwaway.Remote, "update-ref", "-d", journal.MarkRef(b.Record.Version)); err != nil {
			t.Fatal(err)
		}
		if after := index(); after != before {
			t.Errorf("good again it is\n%s\nand was\n%s", after, before)
		}
	}
}
