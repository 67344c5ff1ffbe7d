// Package long is for tests that take long. They run in CI, and where the user asks for them:
// OPERATOR_RELEASE_TESTS=all go test ./...
package long

import (
	"os"
	"testing"
)

// Tests tells whether the tests that take long run too.
func Tests() bool { return os.Getenv("OPERATOR_RELEASE_TESTS") == "all" }

// Skip skips a test that takes long.
func Skip(t testing.TB) {
	t.Helper()
	if !Tests() {
		t.Skip("it takes long: OPERATOR_RELEASE_TESTS=all runs it")
	}
}
