package modulecheck

import (
	"encoding/json"
	"go/token"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/go/packages"
)

// floors are the rooms of ci/, the highest first. A room imports from lower floors, or from its own where it says so.
var floors = []struct {
	rooms  []string
	beside bool // rooms of this floor may import each other
}{
	{[]string{"cmd/operator-release"}, false},
	{[]string{"catalog/site"}, false}, // how a stage's finding looks
	{[]string{"plan", "build", "gate", "image", "chart", "publish", "audit", "catalog", "rollback", "backport", "notes", "branch", "followup", "upgrade", "support", "pipeline"}, false}, // the stages, and their order
	{[]string{"bundle", "change", "changelog", "compare", "render", "policy", "markdown", "tags", "surface", "gomodule", "git", "journal", "floating", "chartindex", "toolchain", "binary", "workflow", "process", "registry", "sign", "sign/keyless", "sign/gittag", "forge", "forge/hub", "report", "config", "version", "archive", "refusal", "redact", "demo", "output", "writes", "committer", "buildfailure", "daggerversion", "ownrelease"}, true},
}

func TestImportsGoDown(t *testing.T) {
	loaded, err := packages.Load(&packages.Config{Mode: packages.NeedName | packages.NeedImports}, foreign+"ci/...")
	if err != nil {
		t.Fatal(err)
	}
	floor := func(room string) int {
		return slices.IndexFunc(floors, func(f struct {
			rooms  []string
			beside bool
		}) bool {
			return slices.Contains(f.rooms, room)
		})
	}
	for _, p := range loaded {
		room := strings.TrimPrefix(p.PkgPath, foreign+"ci/")
		if room == "modulecheck" || room == "faults" || room == "bundle/bundletest" || room == "demo/demotest" ||
			room == "forge/forgetest" || strings.HasPrefix(room, "test/") {
			continue // for tests alone
		}
		at := floor(room)
		if at < 0 {
			t.Errorf("ci/%s has no floor: name it in this test, and in README", room)
			continue
		}
		for imported := range p.Imports {
			other, ours := strings.CutPrefix(imported, foreign+"ci/")
			if !ours {
				continue
			}
			if to := floor(other); to < at || to == at && !floors[at].beside {
				t.Errorf("ci/%s imports ci/%s, which is not below it", room, other)
			}
		}
	}
}

// TestModuleTakesOnlyWhatItNames: whatever dagger.json includes and somebody edits compiles the module anew.
func TestModuleTakesOnlyWhatItNames(t *testing.T) {
	content, err := os.ReadFile("../../dagger.json")
	if err != nil {
		t.Fatal(err)
	}
	var module struct{ Include []string }
	if err := json.Unmarshal(content, &module); err != nil {
		t.Fatal(err)
	}
	needed := map[string]bool{}
	var add func(p *packages.Package)
	add = func(p *packages.Package) {
		if room, ours := strings.CutPrefix(p.PkgPath, foreign); ours && !needed[room] {
			needed[room] = true
			for _, imported := range p.Imports {
				add(imported)
			}
		}
	}
	files := read(t, token.NewFileSet(), same)
	for _, f := range files {
		for _, spec := range f.Imports {
			imported := strings.Trim(spec.Path.Value, `"`)
			room, ours := strings.CutPrefix(imported, foreign)
			if !ours {
				continue
			}
			if !slices.Contains([]string{"ci/pipeline", "ci/version", "ci/config", "ci/buildfailure",
				"ci/daggerversion", "ci/ownrelease"}, room) {
				t.Errorf(".dagger imports %s", room)
			}
			if needed[room] {
				continue // with all that it needs
			}
			loaded, err := packages.Load(&packages.Config{Mode: packages.NeedName | packages.NeedImports | packages.NeedDeps}, imported)
			if err != nil {
				t.Fatal(err)
			}
			add(loaded[0])
		}
	}
	var included []string
	for _, pattern := range module.Include {
		if room := path.Dir(pattern); strings.HasPrefix(pattern, "ci/") {
			included = append(included, room)
			if !needed[room] {
				t.Errorf("dagger.json includes %s, which the module does not need", pattern)
			}
		}
	}
	for room := range needed {
		if !slices.Contains(included, room) {
			t.Errorf("dagger.json does not include %s, which the module needs", room)
		}
	}
}

// TestTopLevel: what lies at the top is what README names, and dot files.
func TestTopLevel(t *testing.T) {
	out, err := exec.Command("git", "-C", "../..", "ls-tree", "--name-only", "HEAD").Output()
	if err != nil {
		t.Skip("this is no clone: ", err)
	}
	for name := range strings.FieldsSeq(string(out)) {
		if !strings.HasPrefix(name, ".") && !slices.Contains([]string{"ci", "charts", "Dockerfile", "findings",
			"README.md", "dagger.json", "dagger.toml", "go.mod", "go.sum"}, name) {
			t.Errorf("%s lies at the top, where it does not belong", name)
		}
	}
}
