// Package toolchain runs the go command in a closed environment, so that what it makes depends on the source, its
// arguments and the toolchain named, and on no setting of the machine.
//
// What only says where modules come from and where caches lie (GOPROXY, GOMODCACHE, …) stays: go.sum pins the bytes.
package toolchain

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
)

// transport are the settings that cannot change what is built. They are asked of the go command, so that
// `go env -w` is honoured although GOENV is off for the runs themselves.
var transport = []string{
	"GOPROXY", "GOPRIVATE", "GONOPROXY", "GOSUMDB", "GONOSUMDB", "GOINSECURE", "GOVCS", "GOAUTH", "GOPATH", "GOMODCACHE", "GOCACHE", "GOTMPDIR",
}

var settings = sync.OnceValues(func() ([]string, error) {
	var stderr bytes.Buffer
	cmd := exec.Command("go", append([]string{"env", "-json"}, transport...)...)
	cmd.Dir, cmd.Stderr = os.TempDir(), &stderr
	cmd.Env = inherited(transport...)
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("ask the go command for its settings: %w: %s; install Go 1.21 or newer, and have it on PATH", err, strings.TrimSpace(stderr.String()))
	}
	values := map[string]string{}
	if err := json.Unmarshal(out, &values); err != nil {
		return nil, fmt.Errorf("read the answer of go env: %w", err)
	}
	var env []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if values[name] != "" {
			env = append(env, name+"="+values[name])
		}
	}
	return env, nil
})

// inherited is the machine's environment without any GO*, CGO_* and GIT_* but those kept by name.
func inherited(keep ...string) []string {
	var env []string
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		closed := strings.HasPrefix(name, "GO") || strings.HasPrefix(name, "CGO_") || strings.HasPrefix(name, "GIT_")
		if !closed || slices.Contains(keep, name) {
			env = append(env, kv)
		}
	}
	return env
}

// Env is the environment of a run: closed, with the named toolchain (such
// as go1.26.8; empty: the one that is installed).
func Env(toolchain string, more ...string) ([]string, error) {
	fixed, err := settings()
	if err != nil {
		return nil, err
	}
	env := inherited()
	if toolchain == "" {
		toolchain = "local"
	}
	env = append(env, fixed...)
	env = append(env, "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off", "GOENV=off", "GO111MODULE=on", "GOTOOLCHAIN="+toolchain)
	return append(env, more...), nil
}

// Go runs the go command in dir. What it prints goes to log as it comes, and is part of the error.
func Go(ctx context.Context, dir string, env []string, log io.Writer, args ...string) error {
	var output bytes.Buffer
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Env = dir, env
	both := io.MultiWriter(&output, log)
	cmd.Stdout, cmd.Stderr = both, both
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, strings.TrimSpace(output.String()))
	}
	return nil
}
