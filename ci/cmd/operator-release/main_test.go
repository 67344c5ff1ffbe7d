package main

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/rogpeppe/go-internal/testscript"
	"oras.land/oras-go/v2/registry/remote"

	"github.com/operator-release/operator-release/ci/demo"
	"github.com/operator-release/operator-release/ci/demo/demotest"
	"github.com/operator-release/operator-release/ci/faults"
	"github.com/operator-release/operator-release/ci/forge/forgetest"
	"github.com/operator-release/operator-release/ci/forge/hub"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/publish"
	"github.com/operator-release/operator-release/ci/test/long"
)

func TestMain(m *testing.M) {
	if f := flag.Lookup("test.parallel"); f != nil { // nil: this is the command that a scenario calls
		_ = f.Value.Set(strconv.Itoa(2 * runtime.GOMAXPROCS(0))) // scenarios wait for processes half of the time
	}
	testscript.Main(m, map[string]func(){"operator-release": func() { os.Exit(started(held(context.Background(), ends{}))) }})
}

// held holds what passes at throwaway forges, also those of rehearsals, to GitHub's description.
func held(ctx context.Context, t forgetest.Complainer) context.Context {
	return publish.WithForge(ctx, func(forge http.Handler) http.Handler { return forgetest.Hold(t, forge) })
}

// ends is a process that ends where something is wrong.
type ends struct{}

func (ends) Helper() {}
func (ends) Errorf(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(3)
}

// TestScenarios runs testdata/script: each is a text that reads as documentation of the command.
func TestScenarios(t *testing.T) {
	if err := demotest.Compile(t.Context()); err != nil {
		t.Fatal(err)
	}
	settings, err := exec.Command("go", "env", "GOCACHE", "GOMODCACHE", "GOPROXY", "GOSUMDB", "GOPATH").Output()
	if err != nil {
		t.Fatal(err)
	}
	values := strings.Split(strings.TrimSpace(string(settings)), "\n")
	h := &hubs{t: t, byName: map[string]*hub.Hub{}}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("PLATFORM", "linux/"+runtime.GOARCH)
			for i, name := range []string{"GOCACHE", "GOMODCACHE", "GOPROXY", "GOSUMDB", "GOPATH"} {
				e.Setenv(name, values[i])
			}
			for _, name := range []string{"AUTHOR", "COMMITTER"} {
				e.Setenv("GIT_"+name+"_NAME", "Ada")
				e.Setenv("GIT_"+name+"_EMAIL", "ada@example.com")
				e.Setenv("GIT_"+name+"_DATE", "2026-10-01T12:00:00Z")
			}
			e.Setenv("_EXPERIMENTAL_DAGGER_CLI_BIN", "none") // whether an engine is in reach must not decide a test
			e.Setenv("DAGGER_SESSION_PORT", "")
			e.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
			e.Setenv("GIT_CONFIG_NOSYSTEM", "1")
			return nil
		},
		Condition: func(name string) (bool, error) {
			switch name {
			case "root":
				return os.Getuid() == 0, nil
			case "all":
				return long.Tests(), nil
			}
			return false, fmt.Errorf("unknown condition %q", name)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "demo-repository": demoRepository, "flip": flip, "same": same, "registry": throwaway, "forge": h.serve, "page": page, "capture": capture, "liar": liar,
			"oci-layout": ociLayout, "same-writes": sameWrites, "pointers": pointers, "manifest": manifest,
			"canary": canary, "key-pair": keyPair, "no-canary": noCanary, "plant": plant, "tells": tells, "guarded": guarded, "redirecting": redirecting, "docker-login": dockerLogin,
			"merged": h.merged, "closed": h.closed, "pulls": h.pulls, "shown": h.shown,
		},
	})
}

// oci-layout DIR PLATFORM PATH=FILE... [PLATFORM PATH=FILE...]...: an image of platforms with these files, as another
// tool writes it.
func ociLayout(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: oci-layout DIR PLATFORM PATH=FILE... [PLATFORM PATH=FILE...]...")
	}
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for files := args[1:]; len(files) > 0; {
		platform := files[0]
		end := 1
		for end < len(files) && strings.Contains(files[end], "=") {
			end++
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: ociImage(ts, platform, files[1:end])})
		files = files[end:]
	}
	_, err := layout.Write(ts.MkAbs(args[0]), index)
	ts.Check(err)
}

// ociImage is the image of a platform that holds files, each as PATH=FILE.
func ociImage(ts *testscript.TestScript, platform string, files []string) v1.Image {
	var layer bytes.Buffer
	w := tar.NewWriter(&layer)
	for _, arg := range files {
		name, file, _ := strings.Cut(arg, "=")
		content, err := os.ReadFile(ts.MkAbs(file))
		ts.Check(err)
		ts.Check(w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(content))}))
		_, err = w.Write(content)
		ts.Check(err)
	}
	ts.Check(w.Close())
	made, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(layer.Bytes())), nil
	})
	ts.Check(err)
	image, err := mutate.Append(mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1),
		types.OCIConfigJSON), mutate.Addendum{Layer: made, MediaType: types.OCILayer})
	ts.Check(err)
	config, err := image.ConfigFile()
	ts.Check(err)
	config = config.DeepCopy()
	config.OS, config.Architecture, _ = strings.Cut(platform, "/")
	image, err = mutate.ConfigFile(image, config)
	ts.Check(err)
	return image
}

// exits CODE COMMAND...: the command ends with exactly this code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("it ended with code %d, not %d\n%s%s", got, want, ts.ReadFile("stdout"), ts.ReadFile("stderr"))
	}
}

// demo-repository DIR: the repository that the demo releases.
func demoRepository(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(demo.Repository(context.Background(), ts.MkAbs(args[0])))
}

// flip PATTERN: one byte of the first file that matches.
func flip(ts *testscript.TestScript, _ bool, args []string) {
	matches, err := filepath.Glob(ts.MkAbs(args[0]))
	ts.Check(err)
	if len(matches) == 0 {
		ts.Fatalf("nothing matches %s", args[0])
	}
	content, err := os.ReadFile(matches[0])
	ts.Check(err)
	content[len(content)/2] ^= 1
	ts.Check(os.WriteFile(matches[0], content, 0o644))
	ts.Setenv("FLIPPED", filepath.Base(matches[0]))
}

// same DIR DIR: two folders hold the same files with the same bytes.
func same(ts *testscript.TestScript, neg bool, args []string) {
	a, b := files(ts, args[0]), files(ts, args[1])
	for name, content := range a {
		if other, ok := b[name]; !ok || !bytes.Equal(content, other) {
			if neg {
				return
			}
			ts.Fatalf("%s differs between %s and %s (there: %v)", name, args[0], args[1], ok)
		}
	}
	if neg || len(a) != len(b) {
		ts.Fatalf("%s has %d files, %s has %d", args[0], len(a), args[1], len(b))
	}
}

func files(ts *testscript.TestScript, dir string) map[string][]byte {
	all := map[string][]byte{}
	ts.Check(filepath.WalkDir(ts.MkAbs(dir), func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		rel, err := filepath.Rel(ts.MkAbs(dir), path)
		if err != nil {
			return err
		}
		all[rel], err = os.ReadFile(path)
		return err
	}))
	return all
}

// manifest REPOSITORY TAG REFERENCE: the manifest that the reference names, a tag or digest, gets the tag; REFERENCE - takes away what the tag, or digest, names.
func manifest(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: manifest REPOSITORY TAG REFERENCE")
	}
	repo, err := (&publish.Registry{}).Open(args[0])
	ts.Check(err)
	from, gone := args[2], args[2] == "-"
	if gone {
		from = args[1]
	}
	desc, err := repo.Resolve(context.Background(), from)
	ts.Check(err)
	if gone {
		ts.Check(repo.Manifests().Delete(context.Background(), desc))
		return
	}
	ts.Check(repo.Tag(context.Background(), desc, args[1]))
}

// liar NAME HOST KIND PATTERN: a proxy before the registry at HOST that lies where the request fits, its address in the variable NAME.
func liar(ts *testscript.TestScript, _ bool, args []string) {
	p, err := faults.New("http://" + args[1])
	ts.Check(err)
	p.Add(faults.Fault{Match: args[3], Do: map[string]faults.Action{"other": faults.Lie, "more": faults.Swell(1 << 20)}[args[2]]})
	server, address := p.Start()
	ts.Defer(server.Close)
	ts.Setenv(args[0], address)
}

// pointers HOST REMOTE: all that leads users to a version, but marks: every tag of the registry at HOST with its digest, and every ref of the remote, on standard output.
func pointers(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(ts.Exec("git", "--git-dir", ts.MkAbs(args[1]), "for-each-ref", "--format=%(refname) %(objectname)", "refs/heads", "refs/tags", "refs/releases"))
	out := ts.ReadFile("stdout")
	registry, err := remote.NewRegistry(args[0])
	ts.Check(err)
	registry.PlainHTTP = true
	ctx := context.Background()
	ts.Check(registry.Repositories(ctx, "", func(names []string) error {
		for _, name := range names {
			repo, err := registry.Repository(ctx, name)
			if err != nil {
				return err
			}
			if err := repo.Tags(ctx, "", func(tags []string) error {
				for _, tag := range tags {
					found, err := repo.Resolve(ctx, tag)
					if err != nil {
						return err
					}
					out += name + ":" + tag + " " + found.Digest.String() + "\n"
				}
				return nil
			}); err != nil {
				return err
			}
		}
		return nil
	}))
	lines := slices.Sorted(strings.Lines(out))
	_, err = io.WriteString(ts.Stdout(), strings.Join(lines, ""))
	ts.Check(err)
}

// capture NAME PATTERN: what the pattern's group matches in the last standard output, as a variable.
func capture(ts *testscript.TestScript, _ bool, args []string) {
	m := regexp.MustCompile("(?m)" + args[1]).FindStringSubmatch(ts.ReadFile("stdout"))
	if m == nil {
		ts.Fatalf("%s matches nothing in\n%s", args[1], ts.ReadFile("stdout"))
	}
	ts.Setenv(args[0], m[1])
}

// registry NAME: a registry on loopback, its address in the variable NAME.
func throwaway(ts *testscript.TestScript, _ bool, args []string) {
	t, err := publish.NewThrowaway(context.Background(), filepath.Join(ts.Getenv("WORK"), "throwaway-"+args[0]), git.SHA1)
	ts.Check(err)
	ts.Defer(func() { _ = t.Close() })
	ts.Setenv(args[0], t.Registry)
}
