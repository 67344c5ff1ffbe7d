package publish

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/faults"
	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/refusal"
)

// behindProxies is a throwaway registry and a git server over HTTP, each behind a proxy that fails as told.
func behindProxies(t *testing.T) (registry, remote *faults.Proxy, d Destinations, throwaway *Throwaway) {
	t.Helper()
	source := repository(t)
	throwaway = newThrowaway(t)
	var err error
	if registry, err = faults.New("http://" + throwaway.Registry); err != nil {
		t.Fatal(err)
	}
	handler, err := faults.Git(filepath.Dir(throwaway.Remote))
	if err != nil {
		t.Fatal(err)
	}
	remote = faults.Around(handler)
	one, registryAt := registry.Start()
	two, remoteAt := remote.Start()
	t.Cleanup(one.Close)
	t.Cleanup(two.Close)
	return registry, remote, Destinations{
		Registry: &Registry{Prefix: registryAt},
		Remote:   &Remote{URL: "http://" + remoteAt + "/remote.git", Source: source},
		Patience: hasty,
	}, throwaway
}

// TestPassingFaultsAreOutlived: one run gets through what goes by.
func TestPassingFaultsAreOutlived(t *testing.T) {
	for name, passing := range map[string]struct{ registry, remote []faults.Fault }{
		"before anything is done": {
			[]faults.Fault{
				{Match: "POST .*/blobs/uploads/", Times: 2, Do: faults.Status(http.StatusBadGateway, 0)},
				{Match: "PUT .*/blobs/uploads/", Times: 2, Do: faults.Status(http.StatusTooManyRequests, time.Second)},
				{Match: "PUT .*/manifests/", Times: 1, Do: faults.Before},
			},
			[]faults.Fault{{Match: "POST .*/git-receive-pack", Times: 1, Do: faults.Before}},
		},
		"half way": {
			[]faults.Fault{
				{Match: "PUT .*/blobs/uploads/", First: 3, Times: 1, Do: faults.CutRequest(10)},
				{Match: "GET .*/blobs/", Times: 1, Do: faults.CutResponse(5)},
			}, nil,
		},
		"once it is done": {
			[]faults.Fault{
				{Match: "PUT .*/blobs/uploads/", First: 2, Times: 2, Do: faults.Status(http.StatusInternalServerError, 0)},
				{Match: "PUT .*/manifests/", Times: 1, Do: faults.After},
			},
			[]faults.Fault{{Match: "POST .*/git-receive-pack", First: 2, Times: 1, Do: faults.After}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			registry, remote, d, _ := behindProxies(t)
			for _, fault := range passing.registry {
				registry.Add(fault)
			}
			for _, fault := range passing.remote {
				remote.Add(fault)
			}
			b := release(t, d.Remote.Source, "v1.5.0\n")
			r, err := Publish(t.Context(), b, d)
			if err != nil || !r.Changed() {
				t.Fatalf("%+v, %v", r.Writes, err)
			}
		})
	}
}

// TestAStoppedRunIsCompleted: what does not go by ends the run with what is visible, and a rerun completes it.
func TestAStoppedRunIsCompleted(t *testing.T) {
	for name, c := range map[string]struct {
		registry, remote *faults.Fault
		says             string
	}{
		"image tag": {&faults.Fault{Match: "PUT .*/spark/manifests/v1.5.0$", Do: faults.Status(http.StatusForbidden, 0)}, nil, "Visible already: refs/heads/release-1.5; run it again"},
		"chart tag": {&faults.Fault{Match: "PUT .*/manifests/1.5.0$", Do: faults.Status(http.StatusForbidden, 0)}, nil, "docker.io/acme/spark:v1.5.0; run it again"},
		"claim":     {nil, &faults.Fault{Match: "POST .*/git-receive-pack", First: 1, Do: faults.Before}, "No branch and no tag is visible yet"},
		"branch":    {nil, &faults.Fault{Match: "POST .*/git-receive-pack", First: 2, Do: faults.Before}, "No branch and no tag is visible yet"},
		"git tag":   {nil, &faults.Fault{Match: "POST .*/git-receive-pack", First: 3, Do: faults.Before}, "docker.io/acme/charts/spark:1.5.0; run it again"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			registry, remote, d, throwaway := behindProxies(t)
			b := release(t, d.Remote.Source, "v1.5.0\n")
			if c.registry != nil {
				registry.Add(*c.registry)
			}
			if c.remote != nil {
				remote.Add(*c.remote)
			}
			if _, err := Publish(t.Context(), b, d); err == nil || refusal.Is(err) || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("%v; want a failure with %q", err, c.says)
			}
			registry.Clear()
			remote.Clear()
			if r, err := Publish(t.Context(), b, d); err != nil || !r.Changed() {
				t.Fatalf("the rerun: %+v, %v", r.Writes, err)
			}
			past := throwaway.Destinations(d.Remote.Source)
			again, err := Publish(t.Context(), b, Destinations{Registry: past.Registry, Remote: past.Remote})
			if err != nil || again.Changed() {
				t.Errorf("not all was there: %+v, %v", again.Writes, err)
			}
		})
	}
}

// fetchesWhole fetches what was published, and compares it with the bundle.
func fetchesWhole(t *testing.T, b bundle.Bundle, d Destinations) {
	t.Helper()
	fetched, err := Fetch(t.Context(), d.Registry, journal.Claim{Identity: b.Identity.Digest, Repository: b.Record.Config.Artifacts}, filepath.Join(t.TempDir(), "b"))
	if err != nil {
		t.Fatal(err)
	}
	if list(t, fetched.Layout.Dir()) != list(t, b.Layout.Dir()) {
		t.Errorf("fetched\n%s\nof\n%s", list(t, fetched.Layout.Dir()), list(t, b.Layout.Dir()))
	}
}

// TestAReferrerIsListedAfterAStop: stopped between a referrer and the list that names it (a tag, where there is no referrers API), the
// rerun finds the referrer there, and lists it all the same.
func TestAReferrerIsListedAfterAStop(t *testing.T) {
	registry, _, d, _ := behindProxies(t)
	b := release(t, d.Remote.Source, "v1.5.0\n")
	noAPI := faults.Fault{Match: "GET .*/referrers/", Do: faults.Status(http.StatusNotFound, 0)}
	registry.Add(noAPI)
	registry.Add(faults.Fault{Match: "PUT .*/manifests/sha256-", Do: faults.Status(http.StatusForbidden, 0)})
	if _, err := Publish(t.Context(), b, d); err == nil || !strings.Contains(err.Error(), "No branch and no tag is visible yet") && !strings.Contains(err.Error(), "push sha256:") {
		t.Fatalf("%v", err)
	}
	registry.Clear()
	registry.Add(noAPI)
	if _, err := Publish(t.Context(), b, d); err != nil {
		t.Fatal(err)
	}
	fetchesWhole(t, b, d)
}

// TestNothingIsDeleted: another referrer to what has one is a new list, where there is no referrers API; the list before it stays, for
// registries refuse to delete.
func TestNothingIsDeleted(t *testing.T) {
	registry, _, d, _ := behindProxies(t)
	b := release(t, d.Remote.Source, "v1.5.0\n")
	registry.Add(faults.Fault{Match: "GET .*/referrers/", Do: faults.Status(http.StatusNotFound, 0)})
	registry.Add(faults.Fault{Match: "DELETE .*", Do: faults.Status(http.StatusMethodNotAllowed, 0)})
	if _, err := Publish(t.Context(), b, d); err != nil {
		t.Fatal(err)
	}
	if err := b.Attest("https://example.com/seen/v1", map[string]string{"seen": "later"}); err != nil {
		t.Fatal(err)
	}
	if _, err := Publish(t.Context(), b, d); err != nil {
		t.Fatal(err)
	}
	fetchesWhole(t, b, d)
	for _, request := range registry.Requests() {
		if strings.HasPrefix(request, "DELETE ") {
			t.Errorf("asked %s", request)
		}
	}
}

// TestWhatIsThereIsNotSentAgain: no byte of a blob is uploaded, and none is fetched.
func TestWhatIsThereIsNotSentAgain(t *testing.T) {
	registry, _, d, _ := behindProxies(t)
	b := release(t, d.Remote.Source, "v1.5.0\n")
	if _, err := Publish(t.Context(), b, d); err != nil {
		t.Fatal(err)
	}
	registry.Clear()
	if r, err := Publish(t.Context(), b, d); err != nil || r.Changed() {
		t.Fatalf("%+v, %v", r, err)
	}
	for _, request := range registry.Requests() {
		if !strings.HasPrefix(request, "HEAD ") && (!strings.HasPrefix(request, "GET ") || strings.Contains(request, "/blobs/")) {
			t.Errorf("asked %s", request)
		}
	}
}

// TestARegistryThatLies is refused when a bundle is fetched: other bytes, more bytes, another record.
func TestARegistryThatLies(t *testing.T) {
	for name, fault := range map[string]faults.Fault{
		"a blob with other bytes":     {Match: "GET .*/blobs/", Do: faults.Lie},
		"a manifest with other bytes": {Match: "GET .*/manifests/sha256:", Do: faults.Lie},
		"a blob that is larger":       {Match: "GET .*/blobs/", Do: faults.Swell(1 << 20)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			registry, _, d, _ := behindProxies(t)
			b := release(t, d.Remote.Source, "v1.5.0\n")
			if _, err := Publish(t.Context(), b, d); err != nil {
				t.Fatal(err)
			}
			registry.Add(fault)
			claim := journal.Claim{Identity: b.Identity.Digest, Repository: b.Record.Config.Artifacts}
			if fetched, err := Fetch(t.Context(), d.Registry, claim, filepath.Join(t.TempDir(), "b")); err == nil {
				t.Errorf("fetched %s", fetched.Identity.Digest)
			}
		})
	}
}
