package toolchain

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/operator-release/operator-release/ci/refusal"
)

func TestNamed(t *testing.T) {
	for mod, want := range map[string]string{
		"module x\n\ngo 1.26.1\n\ntoolchain go1.26.8\n": "go1.26.8",
		"module x\n\ngo 1.24.10\n":                      "go1.24.10",
		"module x\n\ngo 1.24\n":                         "go1.24.0",
		"module x\n\ngo 1.27rc1\n":                      "go1.27rc1",
	} {
		if got, err := Named(fstest.MapFS{"go.mod": {Data: []byte(mod)}}); got != want || err != nil {
			t.Errorf("%q names %q, %v; want %q", mod, got, err, want)
		}
	}
	if got, err := Named(fstest.MapFS{}); got != "" || err != nil {
		t.Errorf("without go.mod: %q, %v", got, err)
	}
	for _, mod := range []string{"module x\n", "module x\ngo nonsense\n"} {
		if _, err := Named(fstest.MapFS{"go.mod": {Data: []byte(mod)}}); !refusal.Is(err) {
			t.Errorf("%q: %v; want a refusal", mod, err)
		}
	}
}

func TestEnvIsClosed(t *testing.T) {
	for name, value := range map[string]string{"GOFLAGS": "-mod=mod", "GOAMD64": "v3", "CGO_ENABLED": "1", "GIT_DIR": "/x", "GOEXPERIMENT": "x", "KEPT": "yes", "GOPROXY": "https://proxy.example"} {
		t.Setenv(name, value)
	}
	env, err := Env("go1.26.8", "GOOS=linux")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"GOFLAGS=", "CGO_ENABLED=0", "GOWORK=off", "GOENV=off", "GOTOOLCHAIN=go1.26.8", "GOOS=linux", "KEPT=yes", "GOPROXY=https://proxy.example"} {
		if !slices.Contains(env, want) {
			t.Errorf("%s is missing", want)
		}
	}
	for _, kv := range env {
		if strings.HasPrefix(kv, "GOAMD64=") || strings.HasPrefix(kv, "GIT_DIR=") || strings.HasPrefix(kv, "GOEXPERIMENT=") || kv == "GOFLAGS=-mod=mod" || kv == "CGO_ENABLED=1" {
			t.Errorf("%s got in", kv)
		}
	}
}
