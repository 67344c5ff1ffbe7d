package modulecheck

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// writesOutput is the only file that takes standard output and standard error, and that sets where logs go.
const writesOutput = "ci/cmd/operator-release/output.go"

// TestOutputPassesTheWriter: what is printed past the redacting writer may hold a secret, and --quiet does not stop it.
func TestOutputPassesTheWriter(t *testing.T) {
	read := 0
	for _, dir := range []string{"ci", ".dagger"} {
		err := filepath.WalkDir(filepath.Join("../..", dir), func(name string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() && e.Name() == "testdata" {
				return err
			}
			ours := strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") && !strings.HasSuffix(name, ".gen.go")
			if e.IsDir() || !ours || filepath.ToSlash(name) == "../../"+writesOutput {
				return nil
			}
			fset := token.NewFileSet()
			f, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			read++
			for _, found := range printsPast(fset, f) {
				t.Errorf("%s: print to the writers that %s makes", found, writesOutput)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if read < 100 {
		t.Errorf("only %d files were read", read)
	}
}

func TestPrintsPast(t *testing.T) {
	for text, want := range map[string]int{
		`import "os"; var w = os.Stderr`:                          1,
		`import x "os"; var w = x.Stdout`:                         1,
		`import "os"; var f = os.NewFile(2, "")`:                  1,
		`import "syscall"; var w = syscall.Stderr`:                1,
		`import "fmt"; func f() { fmt.Println(1) }`:               1,
		`import . "fmt"; func f() { Println(1) }`:                 1,
		`import "fmt"; func f() { fmt.Fprintln(nil) }`:            0,
		`func f() { println(1); print(2) }`:                       2,
		`type t struct{}; func (t) print() {}; var _ = t.print`:   0,
		`import "log"; func f() { log.Printf("") }`:               1,
		`import "log"; var l = log.New(nil, "", 0)`:               0,
		`import "log"; var l *log.Logger = log.Default()`:         1,
		`import "log/slog"; func f() { slog.Info("") }`:           1,
		`import "k8s.io/klog/v2"; func f() { klog.Info("") }`:     1,
		`import "example.com/log"; func f() { log.Printf("") }`:   0,
		`import "os"; func f(os struct{ Stderr int }) { _ = os }`: 0,
	} {
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, "a.go", "package a\n"+text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if got := printsPast(fset, f); len(got) != want {
			t.Errorf("%s: found %q, want %d", text, got, want)
		}
	}
}

// printsPast are the places of a file that write to standard output or standard error, or to a log of the process.
func printsPast(fset *token.FileSet, f *ast.File) []string {
	var found []string
	add := func(at ast.Node, what string) {
		found = append(found, fset.Position(at.Pos()).String()+": "+what)
	}
	imported := map[string]string{} // path by name
	for _, spec := range f.Imports {
		at, _ := strconv.Unquote(spec.Path.Value)
		name := path.Base(strings.TrimSuffix(at, "/v2"))
		if spec.Name != nil {
			name = spec.Name.Name
		}
		if name == "." && printing(at, "") {
			add(spec, "imports "+at+" without its name")
		}
		imported[name] = at
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && printing(imported[x.Name], n.Sel.Name) {
				add(n, x.Name+"."+n.Sel.Name)
			}
		case *ast.CallExpr:
			if name, ok := n.Fun.(*ast.Ident); ok && (name.Name == "print" || name.Name == "println") {
				add(n, name.Name)
			}
		}
		return true
	})
	return found
}

// printing tells whether a name of a package prints, or gives what prints; without a name whether the package has one.
func printing(pkg, name string) bool {
	switch pkg {
	case "os", "syscall":
		return name == "" || slices.Contains([]string{"Stdout", "Stderr", "NewFile"}, name)
	case "fmt":
		return name == "" || strings.HasPrefix(name, "Print")
	case "log":
		return !slices.Contains([]string{"New", "Logger"}, name)
	case "log/slog", "k8s.io/klog/v2":
		return true
	}
	return false
}
