package publish

import (
	"context"
	"net/http"
	"testing"

	"github.com/operator-release/operator-release/ci/forge/forgetest"
	"github.com/operator-release/operator-release/ci/git"
)

// held is a context in which what passes at throwaway forges is held to GitHub's description.
func held(t testing.TB) context.Context {
	return WithForge(t.Context(), func(forge http.Handler) http.Handler { return forgetest.Hold(t, forge) })
}

// newThrowaway is there until the test ends.
func newThrowaway(t testing.TB) *Throwaway {
	t.Helper()
	throwaway, err := NewThrowaway(held(t), t.TempDir(), git.SHA1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { throwaway.Close() })
	return throwaway
}
