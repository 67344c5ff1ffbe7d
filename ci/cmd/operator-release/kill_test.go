package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/operator-release/operator-release/ci/demo"
	"github.com/operator-release/operator-release/ci/faults"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/publish"
)

var moments = flag.Int("moments", 0, "at how many random moments a publication is killed; by default the fault matrix of ci/publish kills it, at each kind of write")

// world is a registry and a git remote with the demo's history, both over HTTP behind proxies.
type world struct {
	dir              string
	throwaway        *publish.Throwaway
	registry, remote *faults.Proxy
	registryAt, url  string
}

func newWorld(t *testing.T, repository string) *world {
	t.Helper()
	w := &world{dir: t.TempDir()}
	var err error
	if w.throwaway, err = publish.NewThrowaway(t.Context(), w.dir, git.SHA1); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.throwaway.Close() })
	for _, what := range []string{"--all", "--tags"} {
		if out, err := exec.Command("git", "-C", repository, "push", "-q", w.throwaway.Remote, what).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	if w.registry, err = faults.New("http://" + w.throwaway.Registry); err != nil {
		t.Fatal(err)
	}
	handler, err := faults.Git(w.dir)
	if err != nil {
		t.Fatal(err)
	}
	w.remote = faults.Around(handler)
	one, at := w.registry.Start()
	two, remoteAt := w.remote.Start()
	t.Cleanup(one.Close)
	t.Cleanup(two.Close)
	w.registryAt, w.url = at, "http://"+remoteAt+"/remote.git"
	return w
}

// listing is all that users can see: what the registry holds by digest and by name, and every ref.
func (w *world) listing(t *testing.T) string {
	t.Helper()
	var lines []string
	blobs, err := filepath.Glob(filepath.Join(w.dir, "registry/blobs/sha256/*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, blob := range blobs {
		lines = append(lines, filepath.Base(blob))
	}
	index, err := os.ReadFile(filepath.Join(w.dir, "registry/index.json"))
	if err != nil {
		t.Fatal(err)
	}
	refs, err := exec.Command("git", "--git-dir", w.throwaway.Remote, "for-each-ref").Output()
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n") + string(index) + string(refs)
}

// tool runs this very command as a process.
func tool(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "operator-release", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "_EXPERIMENTAL_DAGGER_CLI_BIN=none", "GIT_CONFIG_GLOBAL="+os.DevNull)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestKilledAnywhere kills a publication (SIGKILL) at random requests, goes on from an empty machine, and ends like a run that was left alone.
func TestKilledAnywhere(t *testing.T) {
	if *moments == 0 {
		t.Skip("no moments were asked for: -moments N")
	}
	repository := filepath.Join(t.TempDir(), "repository")
	if err := demo.Repository(t.Context(), repository); err != nil {
		t.Fatal(err)
	}
	const v = "v1.5.0-rc.0"
	release := []string{"release", "--version", v, "--platform", "linux/amd64", "--quiet"}
	if out, err := tool(t.Context(), repository, release...); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	left := newWorld(t, repository)
	if out, err := tool(t.Context(), repository, "publish", "dist/"+v, "--registry", left.registryAt, "--remote", left.url); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	want := left.listing(t)
	requests := len(left.registry.Requests()) + len(left.remote.Requests())
	for range *moments {
		moment := 1 + rand.IntN(requests)
		t.Run(fmt.Sprintf("request %d of %d", moment, requests), func(t *testing.T) {
			w := newWorld(t, repository)
			ctx, kill := context.WithCancel(t.Context())
			defer kill()
			var n atomic.Int64
			count := faults.Fault{Match: ".", Do: faults.Call(func() {
				if n.Add(1) == int64(moment) {
					kill() // CommandContext sends SIGKILL
				}
			})}
			w.registry.Add(count)
			w.remote.Add(count)
			out, err := tool(ctx, repository, "publish", "dist/"+v, "--registry", w.registryAt, "--remote", w.url)
			if err == nil {
				t.Logf("it had ended before it was killed: %s", out)
			}
			w.registry.Clear()
			w.remote.Clear()
			// An empty machine: nothing but a clone of the remote.
			clone := filepath.Join(t.TempDir(), "clone")
			if out, err := exec.Command("git", "clone", "-q", w.url, clone).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			if out, err := tool(t.Context(), clone, append(slices.Clone(release), "--registry", w.registryAt)...); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			if out, err := tool(t.Context(), clone, "publish", v, "--registry", w.registryAt, "--remote", w.url); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			if got := w.listing(t); got != want {
				t.Errorf("the end is\n%s\nwhere a run that was left alone ends with\n%s", got, want)
			}
		})
	}
}
