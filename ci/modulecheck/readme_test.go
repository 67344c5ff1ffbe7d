package modulecheck

import (
	"go/ast"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestModuleReadme: the module's README has an example of each function, and its examples name functions and arguments
// that exist.
func TestModuleReadme(t *testing.T) {
	content, err := os.ReadFile(moduleDir + "/README.md")
	if err != nil {
		t.Fatal(err)
	}
	functions, flags := []string{}, []string{"path", "address"} // of export and publish
	for _, f := range read(t, token.NewFileSet(), same) {
		for _, decl := range f.Decls {
			d, ok := decl.(*ast.FuncDecl)
			if !ok || !d.Name.IsExported() || d.Recv != nil && !ast.IsExported(receiver(d)) {
				continue
			}
			if d.Recv != nil {
				functions = append(functions, kebab(d.Name.Name))
			}
			for _, field := range d.Type.Params.List {
				for _, name := range field.Names {
					flags = append(flags, kebab(name.Name))
				}
			}
		}
	}
	row := regexp.MustCompile("(?m)^\\| `([a-z-]+)`[^|]*\\| `dagger ([^`]*)` \\|$")
	var examples []string
	for _, m := range row.FindAllStringSubmatch(string(content), -1) {
		examples = append(examples, m[1])
		if !slices.Contains(functions, m[1]) || !slices.Contains(strings.Fields(m[2]), m[1]) {
			t.Errorf("%s is no function, or is not in its example: %s", m[1], m[2])
		}
	}
	for _, name := range functions {
		if !slices.Contains(examples, name) && !slices.Contains([]string{"push", "report", "directory"}, name) {
			t.Errorf("no example of %s is in the module's README", name)
		}
	}
	for _, m := range regexp.MustCompile(`dagger [^\n|]*`).FindAllString(string(content), -1) {
		for _, flag := range regexp.MustCompile(` --([a-z-]+)`).FindAllStringSubmatch(m, -1) {
			if !slices.Contains(flags, flag[1]) {
				t.Errorf("--%s is no argument of a function: %s", flag[1], m)
			}
		}
	}
}

func receiver(d *ast.FuncDecl) string {
	star, ok := d.Recv.List[0].Type.(*ast.StarExpr)
	if !ok {
		return ""
	}
	ident, _ := star.X.(*ast.Ident)
	return ident.Name
}

// kebab is a name as Dagger's command line writes it.
func kebab(name string) string {
	words := regexp.MustCompile(`[A-Z]?[a-z0-9]+|[A-Z]+`).FindAllString(name, -1)
	return strings.ToLower(strings.Join(words, "-"))
}
