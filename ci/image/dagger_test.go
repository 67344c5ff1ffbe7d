package image

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/operator-release/operator-release/ci/refusal"
)

func TestEngineReachable(t *testing.T) {
	bin := folder(t, map[string]string{"dagger!": "#!/bin/sh\n", "other!": "#!/bin/sh\n", "plain": "no program"})
	for name, test := range map[string]struct {
		env map[string]string
		how string
	}{
		"nothing":           {nil, ""},
		"session":           {map[string]string{"DAGGER_SESSION_PORT": "1234", "DAGGER_SESSION_TOKEN": "x", "PATH": bin}, "the Dagger session on port 1234"},
		"no token":          {map[string]string{"DAGGER_SESSION_PORT": "1234"}, ""},
		"on PATH":           {map[string]string{"PATH": bin}, "the command " + filepath.Join(bin, "dagger")},
		"named":             {map[string]string{"PATH": bin, cliVariable: filepath.Join(bin, "other")}, "the command " + filepath.Join(bin, "other")},
		"named, no program": {map[string]string{"PATH": bin, cliVariable: filepath.Join(bin, "plain")}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			for _, v := range []string{"DAGGER_SESSION_PORT", "DAGGER_SESSION_TOKEN", cliVariable, "PATH"} {
				t.Setenv(v, test.env[v])
			}
			if how, ok := EngineReachable(); how != test.how || ok != (test.how != "") {
				t.Errorf("got %q, %v; want %q", how, ok, test.how)
			}
		})
	}
}

func TestNoEngine(t *testing.T) {
	for _, v := range []string{"DAGGER_SESSION_PORT", "DAGGER_SESSION_TOKEN", cliVariable, "PATH"} {
		t.Setenv(v, "")
		os.Unsetenv(v)
	}
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	if err := BuildWithDagger(context.Background(), EngineOptions{Repository: "docker.io/a/b"}); !refusal.Is(err) {
		t.Errorf("got %v", err)
	}
	if got, err := os.ReadDir(os.Getenv("XDG_CACHE_HOME")); err != nil || len(got) > 0 {
		t.Errorf("something was downloaded: %v %v", got, err)
	}
}

// checkout is what PrepareContext may change.
func checkout(t *testing.T, tree string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "checkout")
	if err := os.CopyFS(dir, os.DirFS(tree)); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestPrepareContext(t *testing.T) {
	binary := filepath.Join(folder(t, map[string]string{"op": "built"}), "op")
	tree := map[string]string{"Dockerfile": "FROM a", "d/Dockerfile": "FROM b", "d/Dockerfile.dockerignore": "own", "c/.dockerignore": "x\n!y\n", "c/f": "F",
		".git/info/exclude": "", "up": "-> ../..", "c/bin/op": "older"}
	for name, test := range map[string]struct{ dockerfile, context, ignore string }{
		"none":    {"Dockerfile", ".", ".operator-release\n"},
		"context": {"Dockerfile", "c", "x\n!y\n.operator-release\n"},
		"own":     {"d/Dockerfile", "c", "own\n.operator-release\n"},
	} {
		o := ContextOptions{Tree: folder(t, tree), Context: test.context, Dockerfile: test.dockerfile, Platform: "linux/arm64", Binaries: map[string]string{"op": binary}}
		context, dockerfile, err := PrepareContext(o)
		if err != nil || context != test.context || dockerfile != ".operator-release/Dockerfile" {
			t.Fatalf("%s: %s, %s, %v", name, context, dockerfile, err)
		}
		want := map[string]string{
			dockerfile: tree[test.dockerfile], dockerfile + ".dockerignore": test.ignore + "!bin/linux/arm64/op\n!bin/op\n",
			"bin/op": "built", "bin/linux/arm64/op": "built",
		}
		if context == "." {
			want[".git/info/exclude"] = ".operator-release\nbin\n"
		}
		for file, content := range want {
			got, err := os.ReadFile(filepath.Join(o.Tree, context, file))
			if err != nil || string(got) != content {
				t.Errorf("%s: %s is %q, %v", name, file, got, err)
			}
		}
		if info, err := os.Stat(filepath.Join(o.Tree, context, "bin/op")); err != nil || info.Mode() != 0o755 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	for _, o := range []ContextOptions{
		{Context: "up", Dockerfile: "Dockerfile"}, {Context: "..", Dockerfile: "Dockerfile"}, {Context: "none", Dockerfile: "Dockerfile"}, {Context: ".", Dockerfile: "none"},
	} {
		o.Tree = folder(t, tree)
		if _, _, err := PrepareContext(o); !refusal.Is(err) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}
