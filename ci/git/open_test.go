package git

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/operator-release/operator-release/ci/refusal"
)

// TestOpenWithoutItsRepository: a linked work tree or a submodule that was brought somewhere without its repository is
// refused with what to do.
func TestOpenWithoutItsRepository(t *testing.T) {
	for name, link := range map[string]string{
		"work tree": "gitdir: /nonexistent/.git/worktrees/a\n",
		"submodule": "gitdir: ../.git/modules/sub\n",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, ".git"), []byte(link), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Open(t.Context(), dir)
		if !refusal.Is(err) || !strings.Contains(err.Error(), strings.TrimSpace(link)) || !strings.Contains(err.Error(), "git clone makes one") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
