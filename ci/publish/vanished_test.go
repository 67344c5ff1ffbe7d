package publish

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/operator-release/operator-release/ci/refusal"
)

// TestAnIndexThatVanished: an index without entries is a new one only where the branch never had any.
func TestAnIndexThatVanished(t *testing.T) {
	ctx, source, throwaway := t.Context(), repository(t), newThrowaway(t)
	b := releaseOf(t, source, "v1.5.0", "v1.5.0\n", "linux/amd64")
	const was = "apiVersion: v1\nentries:\n  spark:\n  - {version: 1.4.0}\n  - {version: 1.3.0}\n"
	for name, c := range map[string]struct {
		before, after map[string]string // files of two commits
		want          string            // of the refusal; empty: it is a new index
	}{
		"null":                 {map[string]string{indexFile: was}, map[string]string{indexFile: "apiVersion: v1\nentries: null\n"}, "it lists no chart, and in commit"},
		"an empty mapping":     {map[string]string{indexFile: was}, map[string]string{indexFile: "entries: {}\n"}, "it listed spark 1.4.0, 1.3.0; bring it back: git checkout"},
		"charts without lists": {map[string]string{indexFile: was}, map[string]string{indexFile: "entries: {spark: []}\n"}, "it lists no chart"},
		"an empty file":        {map[string]string{indexFile: was}, map[string]string{indexFile: ""}, "it lists no chart"},
		"no file":              {map[string]string{indexFile: was}, map[string]string{"README.md": "Charts\n"}, "it lists no chart"},
		"moved":                {map[string]string{indexFile: was}, map[string]string{"docs/index.yaml": was}, "(docs/index.yaml is on the branch)"},
		"another chart alone":  {map[string]string{indexFile: was}, map[string]string{indexFile: "entries: {other: [{version: 1.0.0}]}\n"}, "it lists no version of chart spark, and in commit"},
		"a new chart":          {map[string]string{indexFile: "entries: {other: [{version: 0.9.0}]}\n"}, map[string]string{indexFile: "entries: {other: [{version: 1.0.0}]}\n"}, ""},
		"a branch of pages":    {map[string]string{"index.html": "<p>"}, map[string]string{"index.html": "<p>Charts"}, ""},
		"never any entry":      {map[string]string{indexFile: "entries: {}\n"}, map[string]string{indexFile: "entries:\n"}, ""},
		"it could not be read": {map[string]string{indexFile: "entries: ["}, map[string]string{indexFile: "entries: {}\n"}, ""},
	} {
		branch := strings.ReplaceAll(name, " ", "-")
		work := t.TempDir()
		git := func(args ...string) {
			t.Helper()
			if out, err := exec.CommandContext(ctx, "git", append([]string{"-C", work, "-c", "user.name=Ada", "-c", "user.email=ada@example.com"}, args...)...).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
		}
		git("init", "-q", "-b", branch)
		for _, files := range []map[string]string{c.before, c.after} {
			git("rm", "-rq", "--ignore-unmatch", ".")
			for file, content := range files {
				if err := os.MkdirAll(filepath.Dir(filepath.Join(work, file)), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(work, file), []byte(content), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			git("add", ".")
			git("commit", "-q", "-m", "charts")
		}
		git("push", "-q", throwaway.Remote, branch)
		to := throwaway.Destinations(source)
		to.Forge, to.Index = nil, &Index{Branch: branch}
		report, err := Publish(ctx, b, to)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.want != "" && (!refusal.Is(err) || !strings.Contains(err.Error(), c.want) || report.Changed()):
			t.Errorf("%s: %v, want a refusal with %q, and nothing written: %v", name, err, c.want, report.Writes)
		}
	}
}

// TestIndexOnABranchOfReleases: the index is not written to a branch that releases are made of.
func TestIndexOnABranchOfReleases(t *testing.T) {
	ctx, source, throwaway := t.Context(), repository(t), newThrowaway(t)
	b := releaseOf(t, source, "v1.5.0", "v1.5.0\n", "linux/amd64")
	b.Record.Config.Development = "main"
	for branch, want := range map[string]string{
		"release-1.5": "that is the branch of release line 1.5", "release-2.0": "release line 2.0", "main": "that is the development branch",
	} {
		to := throwaway.Destinations(source)
		to.Index = &Index{Branch: branch}
		if report, err := Publish(ctx, b, to); !refusal.Is(err) || !strings.Contains(err.Error(), want) || report.Changed() {
			t.Errorf("%s: %v", branch, err)
		}
	}
}
