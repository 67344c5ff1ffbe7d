package image

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

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
	o := options(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY Dockerfile /"})
	if _, err := BuildWithDagger(context.Background(), o); !refusal.Is(err) {
		t.Errorf("got %v", err)
	}
	if got, err := os.ReadDir(os.Getenv("XDG_CACHE_HOME")); err != nil || len(got) > 0 {
		t.Errorf("something was downloaded: %v %v", got, err)
	}
}

func TestEngineFiles(t *testing.T) {
	tree := map[string]string{"Dockerfile": "FROM a", "d/Dockerfile": "FROM b", "d/Dockerfile.dockerignore": "own", "c/.dockerignore": "x\n!y\n"}
	for name, test := range map[string]struct{ dockerfile, context, want string }{
		"none":    {"Dockerfile", ".", ".operator-release\n"},
		"context": {"Dockerfile", "c", "x\n!y\n.operator-release\n"},
		"own":     {"d/Dockerfile", "c", "own\n.operator-release\n"},
	} {
		o := options(t, tree)
		o.Dockerfile, o.Context = test.dockerfile, test.context
		content, ignore, err := o.engineFiles()
		if err != nil || content != tree[test.dockerfile] {
			t.Errorf("%s: %q, %v", name, content, err)
		}
		if diff := cmp.Diff(test.want, ignore); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
