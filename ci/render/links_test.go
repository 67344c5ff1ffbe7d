package render

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/operator-release/operator-release/ci/refusal"
)

func TestCheckLinks(t *testing.T) {
	outside := t.TempDir()
	for says, links := range map[string][]string{ // link, target
		"": {"charts/o/templates/a.yaml", "../../../shared/a.yaml", "charts/o/files", "../../shared", "charts/o/again", "../../shared"},
		"charts/o/x is a symbolic link that leads out":             {"charts/o/x", outside},
		"charts/o/y is a symbolic link that leads out":             {"charts/o/y", "none"},
		"charts/o/z is a symbolic link that leads out":             {"charts/o/z", "z"},
		"charts/o/files/p is a symbolic link that leads out":       {"charts/o/files", "../../shared", "shared/p", "/etc/passwd"},
		"charts/o/templates/l is a symbolic link to a folder that": {"charts/o/templates/l", "."},
		"charts/o/f/back is a symbolic link to a folder that":      {"charts/o/f", "../../shared", "shared/back", "../charts/o"},
		"comes to more than 5000 files": { // 20 folders, each of which holds the next one twice: a million ways lead to the last
			"charts/o/f", "../../deep/0",
		},
	} {
		tree := t.TempDir()
		for _, dir := range []string{"charts/o/templates", "shared", "deep"} {
			if err := os.MkdirAll(filepath.Join(tree, dir), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(tree, "shared/a.yaml"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		for i := range 20 {
			dir := filepath.Join(tree, "deep", string(rune('0'+i)))
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"a", "b"} {
				if i < 19 {
					if err := os.Symlink("../"+string(rune('0'+i+1)), filepath.Join(dir, name)); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		for i := 0; i < len(links); i += 2 {
			if err := os.Symlink(links[i+1], filepath.Join(tree, links[i])); err != nil {
				t.Fatal(err)
			}
		}
		err := CheckLinks(tree, "charts/o")
		if says == "" && err != nil || says != "" && (!refusal.Is(err) || !strings.Contains(err.Error(), says)) {
			t.Errorf("%q: %v", links, err)
		}
	}
	if err := CheckLinks(outside, "charts/absent"); err != nil {
		t.Error(err)
	}
}
