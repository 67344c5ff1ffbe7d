package modulecheck

import (
	"encoding/json"
	"go/ast"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/moby/patternmatcher"

	"github.com/operator-release/operator-release/ci/daggerversion"
)

// toolIgnore are the patterns of the module that say what the tool is compiled from: those of the variable, and those
// of the argument moduleSource.
func toolIgnore(t *testing.T) (variable, argument []string) {
	t.Helper()
	for _, f := range read(t, token.NewFileSet(), same) {
		ast.Inspect(f, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || spec.Names[0].Name != "toolIgnore" {
				return true
			}
			for _, e := range spec.Values[0].(*ast.CompositeLit).Elts {
				pattern, err := strconv.Unquote(e.(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				variable = append(variable, pattern)
			}
			return false
		})
	}
	content, err := os.ReadFile(moduleDir + "/main.go")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`// \+ignore=(\[.*\])\n\tmoduleSource `).FindSubmatch(content)
	if m == nil || json.Unmarshal(m[1], &argument) != nil {
		t.Fatal("the argument moduleSource has no patterns")
	}
	return variable, argument
}

// TestToolSource: the module's source holds each file that the command is compiled from, and no file of tests.
func TestToolSource(t *testing.T) {
	variable, argument := toolIgnore(t)
	if !slices.Equal(variable, argument) {
		t.Errorf("toolIgnore is %q, and moduleSource ignores %q", variable, argument)
	}
	ignored, err := patternmatcher.New(argument)
	if err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("go", "list", "-deps", "-tags=keyless", "-f",
		`{{if .Module}}{{if .Module.Main}}{{$d := .Dir}}{{range .GoFiles}}{{$d}}/{{.}}{{"\n"}}{{end}}`+
			`{{range .EmbedFiles}}{{$d}}/{{.}}{{"\n"}}{{end}}{{end}}{{end}}`, foreign+"ci/cmd/operator-release").Output()
	if err != nil {
		t.Fatal(err)
	}
	needed := append(strings.Fields(string(out)), root+"/go.mod", root+"/go.sum")
	if len(needed) < 200 {
		t.Fatalf("the command is compiled from %d files", len(needed))
	}
	for _, name := range needed {
		name, err := filepath.Rel(root, name)
		if err != nil {
			t.Fatal(err)
		}
		if out, err := ignored.MatchesOrParentMatches(name); out || err != nil {
			t.Errorf("the command needs %s, which the module's source does not hold (%v)", name, err)
		}
	}
	for _, name := range []string{"README.md", "ci/git/git_test.go", "ci/report/report_test.go", "ci/modulecheck/doc.go",
		"ci/cmd/operator-release/testdata/script/policy.txtar", "ci/test/clones/doc.go",
		"charts/operator-release/values.yaml",
		".dagger/main.go", ".git/config", "dagger.json", "ci/README.md"} {
		if out, err := ignored.MatchesOrParentMatches(name); !out || err != nil {
			t.Errorf("an edit of %s compiles the tool anew (%v)", name, err)
		}
	}
}

// TestTestedVersionsOfDagger: documents, workflows and dagger.json name the versions of Dagger that are tested.
func TestTestedVersionsOfDagger(t *testing.T) {
	file := func(name string) string {
		content, err := os.ReadFile("../../" + name)
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
	var module struct{ EngineVersion string }
	if err := json.Unmarshal([]byte(file("dagger.json")), &module); err != nil {
		t.Fatal(err)
	}
	oldest, newest := daggerversion.Tested[0], daggerversion.Tested[len(daggerversion.Tested)-1]
	if module.EngineVersion != oldest {
		t.Errorf("dagger.json asks for Dagger %s, and %s is the oldest tested one", module.EngineVersion, oldest)
	}
	var plain []string
	for _, v := range daggerversion.Tested {
		plain = append(plain, strings.TrimPrefix(v, "v"))
	}
	sentence := "tested with Dagger " + strings.Join(plain, " and ")
	for _, name := range []string{"README.md", ".dagger/README.md"} {
		if !strings.Contains(strings.Join(strings.Fields(file(name)), " "), sentence) {
			t.Errorf("%s does not say: %s", name, sentence)
		}
	}
	used := regexp.MustCompile(`dagger-for-github@[^\n]*\n +with:\n +version: "([^"]*)"`)
	names, err := filepath.Glob("../../.github/workflows/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, name := range names {
		for _, m := range used.FindAllStringSubmatch(file(strings.TrimPrefix(name, "../../")), -1) {
			found = append(found, m[1])
			if !slices.Contains(plain, m[1]) {
				t.Errorf("%s uses Dagger %s, which is not tested: %q", name, m[1], plain)
			}
		}
	}
	if !slices.Contains(found, strings.TrimPrefix(newest, "v")) || !slices.Contains(found, plain[0]) {
		t.Errorf("the workflows use Dagger %q", found)
	}
}
