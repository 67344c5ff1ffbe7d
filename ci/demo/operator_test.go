package demo_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/operator-release/operator-release/ci/demo"
	"github.com/operator-release/operator-release/ci/demo/demotest"
)

// At main's head the operator's own tests pass, without a download; with the flags of a release, which share what is compiled with one.
func TestOperator(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the operator")
	}
	if err := demotest.Compile(t.Context()); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := demo.Repository(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"go", "test", "-trimpath", "./..."}, {"hack/verify-crds.sh"}} {
		cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOFLAGS=", "CGO_ENABLED=0", "GOTOOLCHAIN=local", "GOWORK=off", "GOPROXY=off", "PWD="+dir)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", strings.Join(args, " "), err, out)
		}
	}
}
