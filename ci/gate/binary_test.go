package gate

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// script makes an executable of a few lines of shell.
func script(t *testing.T, name, body string) Binary {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return Binary{Name: name, Path: path}
}

func TestBinaries(t *testing.T) {
	for _, c := range []struct {
		name, body string
		want       Status
		wants      []string
	}{
		{"right at once", `[ "$*" = version ] && echo "Git Version: v1.5.0"`, Passed, []string{"`operator version` prints \"Git Version: v1.5.0\""}},
		{"only by a flag", `[ "$1" = --version ] && echo v1.5.0 || exit 1`, Passed, []string{"`operator --version` prints"}},
		{"only in short", `case "$*" in "version --short") echo 1.5.0;; *) echo hello;; esac`, Passed, []string{"`operator version --short`"}},
		{"on standard error", `echo v1.5.0 >&2`, Passed, nil},
		{"another version", `echo "Git Version: v1.4.9"; echo "Go Version: go1.26.8"`, Failed,
			[]string{"`operator version` prints \"Git Version: v1.4.9\": found v1.4.9, expected v1.5.0; correct the file or the linker flag"}},
		{"another commit", `echo "Git Version: v1.5.0+0123abc"`, Failed, []string{"found v1.5.0+0123abc, expected v1.5.0; it was built from another commit"}},
		{"right, but failing", `echo v1.5.0; exit 1`, NotChecked, []string{"does not say its version", "`operator version`: exit code 1"}},
		{"silent", `:`, NotChecked, []string{"does not say its version", "no version in its output"}},
		{"only Go's", `echo "go version go1.26.8 linux/amd64"`, NotChecked, []string{`which begins with "go version go1.26.8 linux/amd64"`}},
		{"starts to work", `exec sleep 300`, NotChecked, []string{"still running after"}},
		{"starts to work unless asked by a flag", `[ "$1" = --version ] && echo v1.5.0 && exit; exec sleep 300`, Passed, nil},
		{"sees only the given environment, and no tree", `[ -z "$HOME" ] && [ "$COLOUR" = red ] && [ -z "$(ls)" ] && echo v1.5.0`, Passed, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := Options{Binaries: []Binary{script(t, "operator", c.body)}, Version: "v1.5.0", Log: t.Output(),
				Env: []string{"PATH=/usr/bin:/bin", "COLOUR=red"}}
			limit := time.Minute
			switch {
			case strings.HasPrefix(c.body, "exec sleep"):
				limit = 300 * time.Millisecond // whatever it is asked, it sleeps
			case strings.Contains(c.body, "sleep"):
				limit = 2 * time.Second // long enough for a shell on a busy machine
			}
			checks, err := checkBinaries(t.Context(), o, limit)
			if err != nil || len(checks) != 1 || checks[0].Status != c.want {
				t.Fatalf("want %s, got %v:\n%s", c.want, err, details(checks))
			}
			contains(t, checks, c.wants...)
		})
	}
}

func TestBinaryCannotStart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "operator")
	if err := os.WriteFile(file, []byte("\x7fELF of another machine"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, file + "-absent"} {
		result := run(t, Options{Tree: t.TempDir(), Version: "v1.5.0", Binaries: []Binary{{Name: "operator", Path: path}}})
		if result.Passed() {
			t.Errorf("%s passed", path)
		}
		contains(t, result.Checks, "running `operator version`", "name an executable for the machine that tests it")
	}
	result := run(t, Options{Tree: t.TempDir(), Binaries: []Binary{{Name: "operator", Path: file}}})
	if len(result.Checks) != 1 || result.Checks[0].Status != NotChecked {
		t.Errorf("without a version:\n%s", details(result.Checks))
	}
}

func TestJudge(t *testing.T) {
	const version = "v1.5.0"
	for _, c := range []struct{ name, output, found string }{ // found: "ok", "" for none, or the wrong one
		{"bare", "1.5.0", "ok"},
		{"bare, wrong", "1.4.0\n", "1.4.0"},
		{"with v, wrong", "v1.4.0\n", "v1.4.0"},
		{"after a name", "spark-operator 1.5.0", "ok"},
		{"after a name, wrong", "spark-operator 1.4.0", "1.4.0"},
		{"in brackets", "spark-operator (v1.5.0)", "ok"},
		{"in a sentence", "This is spark-operator v1.5.0.", "ok"},
		{"Spark Operator", "Git Version: v1.5.0\nGit Commit: abc\nGo Version: go1.26.8\nCompiler: gc\nPlatform: linux/amd64", "ok"},
		{"Spark Operator, unstamped", "Git Version: v0.0.0-master+$Format:%H$\nGo Version: go1.26.8", "v0.0.0-master+"},
		{"version.Info", `version.Info{Major:"1", GitVersion:"v1.5.0", GoVersion:"go1.26.8"}`, "ok"},
		{"version.Info, wrong", `version.Info{Major:"1", GitVersion:"v1.4.0", GoVersion:"go1.26.8"}`, "v1.4.0"},
		{"compact JSON", `{"gitVersion":"v1.4.0","kubernetesVersion":"v1.5.0"}`, "v1.4.0"},
		{"JSON", "{\n  \"version\": \"1.5.0\",\n  \"goVersion\": \"1.26.8\"\n}", "ok"},
		{"log line", `level=info msg="starting" version=v1.5.0 goversion=1.26.8`, "ok"},
		{"log line, wrong", `level=info msg="starting" version=v1.4.0 goversion=1.26.8`, "v1.4.0"},
		{"image", "image: docker.io/kubeflow/spark-operator:v1.5.0", "ok"},

		{"candidate of it", "v1.5.0-rc.0", "v1.5.0-rc.0"},
		{"dirty", "Version: v1.5.0-dirty", "v1.5.0-dirty"},
		{"longer", "Version: v1.5.01, v11.5.0", "v11.5.0"},
		{"build metadata", "Version: 1.5.0+unknown", "1.5.0+unknown"},
		{"development build", "spark-operator version dev (commit none)", "dev"},
		{"development build, bare", "dev\n", "dev"},
		{"unknown version beside Go's", "Version: unknown\nGo Version: go1.26.8", "unknown"},

		{"right beside others", "Version: v1.5.0\nKubernetes: v1.31.0\nhelm v3.14.0", "ok"},
		{"Kubernetes' is no version of ours", "Version: v1.4.0\nKubernetes version: v1.5.0", "v1.4.0"},
		{"nor does it confirm", "Kubernetes version: v1.5.0", ""},
		{"a range of Kubernetes", "supports Kubernetes v1.28.0 - v1.31.0", ""},
		{"Go alone", "go version go1.26.8 linux/amd64", ""},
		{"Go without its prefix", "Go Version: 1.26.8", ""},
		{"a library", "using k8s.io/client-go v0.37.1 and controller-runtime v0.20.0", ""},
		{"an operating system", "OS: linux, 5.10.0", ""},
		{"an operator of Kubernetes things", "Kubernetes Spark Operator version v1.4.0", "v1.4.0"},
		{"an address", "listening on 10.0.0.1:8080 and [::]:9443", ""},
		{"dates", "built 2026.01.15 at 2026-01-15T00:00:00Z, release of 2026.1.15", ""},
		{"a number of nothing", "serving in 1.2.3 ms", ""},
		{"the right number of nothing", "revision: 1.5.0", "ok"},
		{"own and other", "plugin protocol v0.3.0, Version: v1.5.0, schema v2.0.0", "ok"},
		{"help text", "Usage:\n  spark-operator [command]\n\nCommands:\n  version  Print version information", ""},
		{"help that says main", "  version   main help of the program", ""},
		{"nothing", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := judge(c.output, "spark-operator", version)
			got := a.found
			if a.right {
				got = "ok"
			}
			if got != c.found {
				t.Errorf("%q: got %q, want %q", c.output, got, c.found)
			}
			if !strings.Contains(c.output, a.line) {
				t.Errorf("%q is no line of the output", a.line)
			}
		})
	}
}

// The name of the binary need not be the program's, nor the version a SemVer.
func TestJudgeOtherNames(t *testing.T) {
	for _, c := range []struct {
		output, name, version string
		right                 bool
		found                 string
	}{
		{"Spark Operator Version: 2.5.2\nGo Version: go1.26.8", "operator", "v2.5.2", true, ""},
		{"Spark Operator Version: 2.5.1\nGo Version: go1.26.8", "operator", "v2.5.2", false, "2.5.1"},
		{"helm-operator v1.0.0\nhelm v3.14.0", "helm-operator", "v1.0.0", true, ""},
		{"helm v3.14.0", "helm", "v3.14.1", false, "v3.14.0"},
		{"version v1beta2-1.6.2-3.5.0", "operator", "v1beta2-1.6.2-3.5.0", true, ""},
		{"version v1.4.0", "", "v1.5.0", false, "v1.4.0"},
	} {
		a := judge(c.output, c.name, c.version)
		if b := judge(c.output, c.name, c.version, c.found); c.found != "" && b.found != "" {
			t.Errorf("%q of %s: %s is foreign, got %+v", c.output, c.name, c.found, b)
		}
		if a.right != c.right || (!c.right && a.found != c.found) {
			t.Errorf("%q of %s: got %+v", c.output, c.name, a)
		}
	}
}
