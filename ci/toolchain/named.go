package toolchain

import (
	"errors"
	"io/fs"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/operator-release/operator-release/ci/refusal"
)

// Named is the Go that a tree's go.mod names, such as go1.26.8: its toolchain line, else its go line. Empty without a go.mod.
func Named(tree fs.FS) (string, error) {
	content, err := fs.ReadFile(tree, "go.mod")
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	mod, err := modfile.Parse("go.mod", content, nil)
	if err != nil {
		return "", refusal.New("read go.mod: %w", err)
	}
	switch {
	case mod.Toolchain != nil && mod.Toolchain.Name != "default":
		return mod.Toolchain.Name, nil
	case mod.Go == nil:
		return "", refusal.New("read go.mod: it has no go line, so no Go toolchain is named; add one such as: go 1.26.1")
	case strings.Count(mod.Go.Version, ".") == 1 && !strings.Contains(mod.Go.Version, "rc"):
		return "go" + mod.Go.Version + ".0", nil // since 1.21 a release has three numbers
	}
	return "go" + mod.Go.Version, nil
}
