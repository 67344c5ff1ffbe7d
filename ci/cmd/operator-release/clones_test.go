package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/operator-release/operator-release/ci/test/clones"
	"github.com/operator-release/operator-release/ci/test/long"
)

var (
	combinations = flag.Int("combinations", 6, "how many random combinations of changes TestOneIdentity builds in")
	clonesSeed   = flag.Uint64("clones-seed", 18, "the seed of these combinations; 0: a new one, which is printed")
)

// withoutEngine is the environment of a machine without a container engine.
var withoutEngine = []string{"_EXPERIMENTAL_DAGGER_CLI_BIN=none", "DAGGER_SESSION_PORT="}

// origin is a repository before and after the release of clones.Next, and that release.
type origin struct {
	git              clones.Git
	remote           string // bare, without the release
	published        string // bare, with the release
	bundle, identity string
}

// newOrigin builds, tests and publishes from a fresh clone. It makes no rehearsal: GitHub knows no SHA-256.
func newOrigin(t *testing.T, format string) origin {
	t.Helper()
	path, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	o := origin{git: clones.Git(path), remote: in("remote.git"), published: in("published.git"), bundle: in("bundle")}
	if err := o.git.Repository(t.Context(), o.remote, format); err != nil {
		t.Fatal(err)
	}
	c := o.clone(t, o.git)
	if err := clones.Whole()[0].Make(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	out, err := inClone(t.Context(), c, "build", clones.Next, "-o", o.bundle, "--json")
	if err != nil {
		t.Fatal(err)
	}
	o.identity = identityIn(t, out)
	if _, err := inClone(t.Context(), c, "test", o.bundle); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(o.published, os.DirFS(o.remote)); err != nil {
		t.Fatal(err)
	}
	if _, err := inClone(t.Context(), c, "publish", o.bundle, "--remote", o.published); err != nil {
		t.Fatal(err)
	}
	return o
}

// clone is a clone that is not made yet; its parts are made by this git.
func (o origin) clone(t *testing.T, by clones.Git) *clones.Clone {
	t.Helper()
	scratch := t.TempDir()
	return &clones.Clone{
		Git: by, Remote: o.remote, Published: o.published, Scratch: scratch, Dir: filepath.Join(scratch, "clone"),
		Tool: func(ctx context.Context, c *clones.Clone, args ...string) error {
			_, err := inClone(ctx, c, args...)
			return err
		},
	}
}

// inClone runs this command in a clone and gives its standard output.
func inClone(ctx context.Context, c *clones.Clone, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "operator-release", args...)
	cmd.Dir = c.Dir
	cmd.Env = slices.Concat(clones.Environment(), withoutEngine, c.Env)
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("operator-release %s: %w: %s", strings.Join(args, " "), exit, exit.Stderr)
	}
	return out, err
}

// identityIn reads the identity out of what build and release say as JSON.
func identityIn(t *testing.T, out []byte) string {
	t.Helper()
	var said struct {
		Identity string
		Bundle   struct{ Identity string }
	}
	if err := json.Unmarshal(out, &said); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if said.Identity+said.Bundle.Identity == "" {
		t.Fatalf("no identity was told: %s", out)
	}
	return said.Identity + said.Bundle.Identity
}

// way is how a clone came to be what it is.
type way struct {
	by      clones.Git
	form    clones.Form
	changes []clones.Change
}

func (w way) String() string {
	text := w.form.Name
	for _, change := range w.changes {
		text += " + " + change.Name
	}
	return text
}

// formsHere are the forms that this user can make: only root makes a clone of another owner.
func formsHere() []clones.Form {
	forms := slices.Concat(clones.Whole(), clones.Partial(), clones.Named())
	if os.Geteuid() == 0 {
		forms = append(forms, clones.Owned()...)
	}
	return forms
}

// eachWay is each form, made by each git, and each change of a fresh clone.
func eachWay(gits []clones.Git) []way {
	var all []way
	for _, by := range gits {
		for _, form := range formsHere() {
			all = append(all, way{by: by, form: form})
		}
	}
	for _, change := range clones.Changes() {
		all = append(all, way{gits[0], formsHere()[0], []clones.Change{change}})
	}
	return all
}

// randomWays are n combinations of a form and several changes.
func randomWays(gits []clones.Git, random *rand.Rand, n int) []way {
	forms, changes := formsHere(), clones.Changes()
	var all []way
	for range n {
		w := way{by: gits[random.IntN(len(gits))], form: forms[random.IntN(len(forms))]}
		chosen := random.Perm(len(changes))[:2+random.IntN(3)]
		slices.Sort(chosen) // what makes git fail comes last
		for _, i := range chosen {
			if !changes[i].Whole || !w.form.Partial {
				w.changes = append(w.changes, changes[i])
			}
		}
		all = append(all, w)
	}
	return all
}

// gitsOfClones are the git in PATH, and the one that OTHER_GIT names.
func gitsOfClones(o origin) []clones.Git {
	gits := []clones.Git{o.git}
	if other := os.Getenv("OTHER_GIT"); other != "" {
		gits = append(gits, clones.Git(other))
	}
	return gits
}

// TestOneIdentity builds one release in clones that are made by each git, in every form, and changed in every way. Its
// identity is always the same. The command runs with the git in PATH. Unless all tests run, it is a sample of the ways.
func TestOneIdentity(t *testing.T) {
	seed := *clonesSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("run these combinations again: go test ./ci/cmd/operator-release -run TestOneIdentity "+
				"-clones-seed %d -combinations %d", seed, *combinations)
		}
	})
	random := rand.New(rand.NewPCG(seed, 0))
	for _, format := range []string{"sha1", "sha256"} {
		o := newOrigin(t, format)
		all := eachWay(gitsOfClones(o))
		sample := len(all)
		switch {
		case format == "sha256":
			sample = *combinations
		case !long.Tests():
			sample = 2 * *combinations
		}
		random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		all = all[:min(sample, len(all))]
		for _, w := range append(all, randomWays(gitsOfClones(o), random, *combinations)...) {
			t.Run(format+"/"+w.String(), func(t *testing.T) {
				t.Parallel()
				o.sameIdentity(t, w)
			})
		}
	}
}

// sameIdentity builds the release in a clone that came to be in this way.
func (o origin) sameIdentity(t *testing.T, w way) {
	c := o.clone(t, w.by)
	if err := w.form.Make(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	for _, change := range w.changes {
		if err := change.Do(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	out, err := inClone(t.Context(), c, "build", clones.Next, "-o", filepath.Join(c.Scratch, "built"), "--json")
	if err != nil {
		t.Fatal(err)
	}
	if got := identityIn(t, out); got != o.identity {
		t.Errorf("the identity is %s; in a fresh clone it is %s", got, o.identity)
	}
}

// TestPartsOfTwoClones joins parts from two clones, which have different objects of the release. The joined bundle is
// the one that a single clone builds.
func TestPartsOfTwoClones(t *testing.T) {
	o := newOrigin(t, "sha1")
	var parts []string
	changed := map[string]string{
		"linux/amd64": "it fetched the release", "linux/arm64": "it holds blobs of the release by chance",
	}
	for platform, change := range changed {
		c := o.clone(t, o.git)
		if err := clones.Whole()[0].Make(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(clones.Changes(), func(c clones.Change) bool { return c.Name == change })
		if err := clones.Changes()[i].Do(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		part := filepath.Join(c.Scratch, "part")
		if _, err := inClone(t.Context(), c, "build", clones.Next, "--platform", platform, "-o", part); err != nil {
			t.Fatal(err)
		}
		parts = append(parts, part)
	}
	c := o.clone(t, o.git)
	c.Dir = c.Scratch
	out, err := inClone(t.Context(), c, "join", parts[0], parts[1], "-o", filepath.Join(c.Scratch, "joined"), "--json")
	if err != nil {
		t.Fatal(err)
	}
	if got := identityIn(t, out); got != o.identity {
		t.Errorf("the joined bundle has the identity %s; built in one clone it has %s", got, o.identity)
	}
}
