package publish

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/registry/remote"

	"github.com/operator-release/operator-release/ci/faults"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/registry"
	"github.com/operator-release/operator-release/ci/rollback"
	"github.com/operator-release/operator-release/ci/test/long"
	"github.com/operator-release/operator-release/ci/version"
)

// TestRollingBackIsCompleted: rolling back, and undoing it, are stopped before and after each of their writes (the server hangs up from there on), and run again:
// the end is that of a run that was left alone, and a third finds nothing to do.
func TestRollingBackIsCompleted(t *testing.T) {
	long.Skip(t)
	t.Parallel()
	atRegistry, atGit, d, _ := behindProxies(t)
	source := d.Remote.Source
	d.Remote.Again = true // the clone does not fetch in between
	for _, name := range []string{"v1.5.0", "v1.5.1"} {
		if _, err := Publish(t.Context(), releaseOf(t, source, name, "the same\n", "linux/amd64"), d); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Unix(1767225600, 0).UTC()
	mark := func(state journal.State, because string) (rollback.Report, error) {
		ctx := t.Context()
		scratch, err := source.Scratch(ctx, filepath.Join(t.TempDir(), "scratch"))
		if err != nil {
			t.Fatal(err)
		}
		from := scratch.Remote(d.Remote.URL)
		claim, ok, err := journal.FindClaim(ctx, from, version.MustParse("v1.5.1"))
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		published, err := FetchRecord(ctx, d.Registry, claim, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Second)
		client, err := registry.NewPatient(hurried)
		if err != nil {
			t.Fatal(err)
		}
		mover := Floating(published.Record, func(repository string) (*remote.Repository, error) { return client.Open(d.Registry.name(repository)) }, from)
		return rollback.Do(ctx, rollback.Options{
			Published: published, State: state, Because: because, By: git.Person{Name: "A", Email: "a@example.com", Time: now}, Remote: from, Floating: &mover,
			Refer: func(ctx context.Context, statements []ocispec.Descriptor) ([]rollback.Write, error) {
				writes, err := Refer(ctx, published, statements, Destinations{Registry: d.Registry, Patience: hurried})
				var all []rollback.Write
				for _, w := range writes {
					all = append(all, rollback.Write(w))
				}
				return all, err
			},
			Elsewhere: func(context.Context, journal.Mark) ([]rollback.Write, error) { return nil, nil },
		})
	}
	// What is written is found by a run that is left alone.
	type write struct {
		proxy *faults.Proxy
		n     int // of the writes at this server
	}
	const writes = "^(PUT|POST|PATCH) (/v2/|.*/git-receive-pack)"
	var all []write
	for _, proxy := range []*faults.Proxy{atGit, atRegistry} {
		proxy.Clear()
	}
	if _, err := mark(journal.RolledBack, "recorded"); err != nil {
		t.Fatal(err)
	}
	for _, proxy := range []*faults.Proxy{atGit, atRegistry} {
		n := 0
		for _, request := range proxy.Requests() {
			if regexp.MustCompile(writes).MatchString(request) {
				n++
				all = append(all, write{proxy, n})
			}
		}
	}
	if _, err := mark(journal.Good, "recorded"); err != nil {
		t.Fatal(err)
	}
	cells := 0
	state := journal.Good
	for i, w := range all {
		for j, do := range []faults.Action{faults.Before, faults.After} {
			if !*matrix && (i+j)%12 != 0 {
				continue
			}
			cells++
			because := fmt.Sprintf("cell %d", cells)
			if state = journal.RolledBack; cells%2 == 0 {
				state = journal.Good
			}
			w.proxy.Clear()
			w.proxy.Add(faults.Fault{Match: writes, First: w.n, Do: do})
			_, failed := mark(state, because)
			w.proxy.Clear()
			if r, err := mark(state, because); err != nil || r.Mark.State != state {
				t.Fatalf("%s, write %d: run again: %+v, %v; before: %v", because, w.n, r, err, failed)
			}
			if r, err := mark(state, because); err != nil || r.Changed() {
				t.Errorf("%s, write %d: a third run: %+v, %v; the first: %v", because, w.n, r, err, failed)
			}
			want := map[journal.State]string{journal.RolledBack: "v1.5.0", journal.Good: "v1.5.1"}[state]
			for _, tag := range []string{versionDigest(t, d, "latest"), versionDigest(t, d, "v1.5")} {
				if tag != versionDigest(t, d, want) {
					t.Errorf("%s, write %d: a tag that moves does not lead to %s; the first run: %v", because, w.n, want, failed)
				}
			}
		}
	}
	t.Logf("%d writes, %d cells", len(all), cells)
}

// versionDigest is what a tag of the image leads to.
func versionDigest(t *testing.T, d Destinations, tag string) string {
	t.Helper()
	repo, err := d.Registry.Open("docker.io/acme/spark")
	if err != nil {
		t.Fatal(err)
	}
	found, err := repo.Resolve(t.Context(), tag)
	if err != nil {
		t.Fatal(err)
	}
	return found.Digest.String()
}
