// Package demotest is for tests that build the demo's operator.
package demotest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/rogpeppe/go-internal/lockedfile"

	"github.com/operator-release/operator-release/ci/demo"
)

// Compile compiles and vets, with the flags of a release, what the demo's operator and its tests are made of. Test processes do so one after the other, so that what one compiled is in
// the build cache of the next: side by side they would all compile the standard library.
func Compile(ctx context.Context) error {
	unlock, err := lockedfile.MutexAt(filepath.Join(os.TempDir(), "operator-release-demotest.lock")).Lock()
	if err != nil {
		return err
	}
	defer unlock()
	dir, err := os.MkdirTemp("", "operator-release-demotest-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := demo.Repository(ctx, dir); err != nil {
		return err
	}
	for _, args := range [][]string{{"vet", "-trimpath", "./..."}, {"test", "-trimpath", "-run", "^$", "./..."}} {
		cmd := exec.CommandContext(ctx, "go", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOFLAGS=", "CGO_ENABLED=0", "GOTOOLCHAIN=local", "GOWORK=off", "GOPROXY=off", "PWD="+dir)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("go %s: %w: %s", args[0], err, out)
		}
	}
	return nil
}
