package backport

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/operator-release/operator-release/ci/config"
)

func TestDeclarations(t *testing.T) {
	declared, ok := declarations([]byte("package p\n\nimport \"fmt\"\n\ntype T struct{}\n\nfunc (t *T) Say() { fmt.Print(a) }\n\nfunc f() {}\n\nconst a, b = 1, 2\n"))
	if got := strings.Join(slices.Sorted(maps.Keys(declared)), " "); !ok || got != "T T.Say a b f" || declared["f"] != "func f() {}" {
		t.Errorf("%q", declared)
	}
	if _, ok := declarations([]byte("nonsense")); ok {
		t.Error("nonsense is Go")
	}
}

func FuzzDeclarations(f *testing.F) {
	f.Add("package p\n\nfunc (t *T[K]) Say() {}\n\nvar x int = 1\n")
	f.Fuzz(func(t *testing.T, text string) {
		declared, _ := declarations([]byte(text))
		for name, of := range declared {
			if name == "" || !strings.Contains(text, of) {
				t.Errorf("%q declares %q as %q", text, name, of)
			}
		}
	})
}

func TestChangelogPaths(t *testing.T) {
	for changelog, want := range map[string]string{
		"":                                       "",
		"none":                                   "",
		"CHANGELOG.md":                           "CHANGELOG.md",
		"CHANGELOG/CHANGELOG-{major}.{minor}.md": "CHANGELOG/CHANGELOG-1.5.md",
	} {
		var got []string
		if is := isChangelog(config.Config{Changelog: changelog}); is != nil {
			for _, file := range []string{"CHANGELOG.md", "docs/CHANGELOG.md", "CHANGELOG/CHANGELOG-1.5.md", "CHANGELOG/x/CHANGELOG-1.5.md"} {
				if is(file) {
					got = append(got, file)
				}
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %q", changelog, got)
		}
	}
}
