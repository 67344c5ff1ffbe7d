package main

import (
	"flag"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/demo"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/pipeline"
	"github.com/operator-release/operator-release/ci/publish"
	"github.com/operator-release/operator-release/ci/toolchain"
)

var (
	benched = flag.String("repository", "", "the repository that benchmarks release, instead of the demo's")
	mirror  = flag.String("mirror", "", "mirror of base images for it, as --mirror takes it")
)

// bench is a repository to release, and the command's state over it.
func bench(b *testing.B) (*app, string) {
	b.Helper()
	b.Setenv("_EXPERIMENTAL_DAGGER_CLI_BIN", "none")
	dir := *benched
	if dir == "" {
		dir = filepath.Join(b.TempDir(), "repository")
		if err := demo.Repository(b.Context(), dir); err != nil {
			b.Fatal(err)
		}
	}
	a := newApp(nil)
	a.quiet, a.source = true, dir
	return a, b.TempDir()
}

func flags(out string) building {
	f := building{out: out}
	if *mirror != "" {
		f.mirrors = []string{*mirror}
	}
	return f
}

// next is a version to release: it alternates, so that only the stamp changes between runs.
func next(n int) string { return fmt.Sprintf("v1.5.0-rc.%d", n%2) }

// BenchmarkReleaseAgainstGoBuild is a whole release without its gate, with a warm Go cache and only the version changed, as a ratio to bare
// `go build` of the same binaries one after the other.
func BenchmarkReleaseAgainstGoBuild(b *testing.B) {
	a, out := bench(b)
	repository, err := git.Open(b.Context(), a.source)
	if err != nil {
		b.Fatal(err)
	}
	c, err := a.settings(b.Context(), repository)
	if err != nil {
		b.Fatal(err)
	}
	var bare, whole time.Duration
	for n := 0; b.Loop(); n++ {
		begun := time.Now()
		for _, platform := range c.Platforms {
			p, err := config.ParsePlatform(platform)
			if err != nil {
				b.Fatal(err)
			}
			env, err := toolchain.Env("", p.GoEnv()...)
			if err != nil {
				b.Fatal(err)
			}
			for _, binary := range c.Binaries {
				stamp := strings.ReplaceAll(binary.LDFlags, "{version}", fmt.Sprintf("v0.0.%d", time.Now().UnixNano()))
				cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags="+stamp, "-o", filepath.Join(out, "bare"), binary.Main)
				cmd.Dir, cmd.Env = a.source, env
				if said, err := cmd.CombinedOutput(); err != nil {
					b.Fatalf("%v: %s", err, said)
				}
			}
		}
		bare += time.Since(begun)
		begun = time.Now()
		f := flags(filepath.Join(out, "bundle"))
		if _, _, err := f.make(b.Context(), a, next(n), (*pipeline.Flow[string]).Build); err != nil {
			b.Fatal(err)
		}
		whole += time.Since(begun)
	}
	b.ReportMetric(float64(whole)/float64(bare), "x-go-build")
}

// BenchmarkReleaseUnchanged is a release whose bundle is there already: plan, verification, rehearsal.
func BenchmarkReleaseUnchanged(b *testing.B) {
	a, out := bench(b)
	f := flags(filepath.Join(out, "bundle"))
	f.gated = true
	release := func() {
		if _, _, err := f.make(b.Context(), a, next(0), (*pipeline.Flow[string]).Release); err != nil {
			b.Fatal(err)
		}
	}
	release()
	for b.Loop() {
		release()
	}
}

// BenchmarkPublishUnchanged is a publication of what is published, over HTTP on loopback.
func BenchmarkPublishUnchanged(b *testing.B) {
	a, out := bench(b)
	f := flags(filepath.Join(out, "bundle"))
	_, dir, err := f.make(b.Context(), a, next(0), (*pipeline.Flow[string]).Release)
	if err != nil {
		b.Fatal(err)
	}
	made, err := bundle.Load(dir)
	if err != nil {
		b.Fatal(err)
	}
	source, err := git.Open(b.Context(), a.source)
	if err != nil {
		b.Fatal(err)
	}
	w, err := publish.NewThrowaway(b.Context(), filepath.Join(out, "world"), git.SHA1)
	if err != nil {
		b.Fatal(err)
	}
	defer w.Close()
	if _, err := publish.Publish(b.Context(), made, w.Destinations(source)); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if r, err := publish.Publish(b.Context(), made, w.Destinations(source)); err != nil || r.Changed() {
			b.Fatalf("%+v, %v", r.Writes, err)
		}
	}
}
