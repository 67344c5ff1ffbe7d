package modulecheck

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
	"golang.org/x/tools/go/packages"
)

const (
	moduleDir = "../../.dagger"
	generated = "dagger/operator-release/internal/dagger" // what Dagger generates
	official  = "dagger.io/dagger"                        // what stands in for it
	foreign   = "github.com/operator-release/operator-release/"
)

// read parses the module's files, changed by edit.
func read(t *testing.T, fset *token.FileSet, edit func(string) string) []*ast.File {
	t.Helper()
	return readModule(t, fset, moduleDir, edit)
}

// readModule parses the files of a module's folder, changed by edit, and declares the client that they find in the
// generated file.
func readModule(t *testing.T, fset *token.FileSet, dir string, edit func(string) string) []*ast.File {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no Go file in %s: %v", dir, err)
	}
	var files []*ast.File
	var own string // the path of the generated package
	for _, name := range names {
		if strings.HasSuffix(name, ".gen.go") {
			continue
		}
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		f, err := parser.ParseFile(fset, name, edit(string(content)), parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
		for _, spec := range f.Imports {
			if p := strings.Trim(spec.Path.Value, `"`); strings.HasSuffix(p, "/internal/dagger") {
				own = p
			}
		}
	}
	// The generated file of package main has the client under this name.
	dag, err := parser.ParseFile(fset, "dag.go", "package main\n\nimport \""+own+"\"\n\nvar dag *dagger.Client\n", 0)
	if err != nil {
		t.Fatal(err)
	}
	return append(files, dag)
}

// importer gives what the module imports from the build's export data.
type importer map[string]*types.Package

func (i importer) Import(path string) (*types.Package, error) {
	if p := i[path]; p != nil {
		return p, nil
	}
	return nil, fmt.Errorf("package %s was not loaded", path)
}

// newImporter loads what the files import, but for generated packages.
func newImporter(t *testing.T, files []*ast.File) importer {
	t.Helper()
	paths := []string{official}
	for _, f := range files {
		for _, spec := range f.Imports {
			if path := strings.Trim(spec.Path.Value, `"`); !strings.HasSuffix(path, "/internal/dagger") && !slices.Contains(paths, path) {
				paths = append(paths, path)
			}
		}
	}
	loaded, err := packages.Load(&packages.Config{Mode: packages.NeedName | packages.NeedTypes | packages.NeedImports | packages.NeedDeps}, paths...)
	if err != nil {
		t.Fatal(err)
	}
	if packages.PrintErrors(loaded) > 0 {
		t.Fatal("the module's imports do not load")
	}
	known := importer{}
	for _, p := range loaded {
		known[p.PkgPath] = p.Types
	}
	stand := types.NewPackage(generated, "dagger")
	scope := known[official].Scope()
	for _, name := range scope.Names() {
		switch o := scope.Lookup(name).(type) {
		case *types.TypeName:
			stand.Scope().Insert(types.NewTypeName(o.Pos(), stand, name, o.Type()))
		case *types.Const:
			stand.Scope().Insert(types.NewConst(o.Pos(), stand, name, o.Type(), o.Val()))
		case *types.Func:
			stand.Scope().Insert(types.NewFunc(o.Pos(), stand, name, o.Signature()))
		}
	}
	stand.MarkComplete()
	known[generated] = stand
	return known
}

func check(t *testing.T, edit func(string) string) (*types.Package, error) {
	t.Helper()
	fset := token.NewFileSet()
	files := read(t, fset, edit)
	return (&types.Config{Importer: newImporter(t, files)}).Check("dagger/operator-release", fset, files, nil)
}

func same(s string) string { return s }

func TestModuleTypeChecks(t *testing.T) {
	if _, err := check(t, same); err != nil {
		t.Error(err)
	}
}

func TestMisspeltCallFails(t *testing.T) {
	_, err := check(t, func(s string) string {
		return strings.ReplaceAll(s, ".WithMountedDirectory(", ".WithMountedDirectroy(")
	})
	if err == nil || !strings.Contains(err.Error(), "WithMountedDirectroy") {
		t.Errorf("a misspelt call: %v", err)
	}
}

// TestFunctionsCrossTheBoundary holds exported methods and fields to what Dagger carries: basic types, its own objects, the
// module's objects, and lists of these. Maps and types of other packages do not cross.
func TestFunctionsCrossTheBoundary(t *testing.T) {
	module, err := check(t, same)
	if err != nil {
		t.Fatal(err)
	}
	functions := 0
	for _, name := range module.Scope().Names() {
		object, ok := module.Scope().Lookup(name).(*types.TypeName)
		if !ok || !object.Exported() {
			continue
		}
		methods := types.NewMethodSet(types.NewPointer(object.Type()))
		for i := range methods.Len() {
			m := methods.At(i).Obj()
			if !m.Exported() {
				continue
			}
			functions++
			signature := m.Type().(*types.Signature)
			for _, tuple := range []*types.Tuple{signature.Params(), signature.Results()} {
				for j := range tuple.Len() {
					if why := crosses(tuple.At(j).Type()); why != "" {
						t.Errorf("%s.%s: %s %s", name, m.Name(), tuple.At(j).Name(), why)
					}
				}
			}
		}
		if fields, ok := object.Type().Underlying().(*types.Struct); ok {
			for i := range fields.NumFields() {
				if why := crosses(fields.Field(i).Type()); fields.Field(i).Exported() && why != "" {
					t.Errorf("%s.%s: %s", name, fields.Field(i).Name(), why)
				}
			}
		}
	}
	if functions < 10 {
		t.Errorf("only %d functions were found", functions)
	}
}

func crosses(t types.Type) string {
	switch t := types.Unalias(t).(type) {
	case *types.Basic:
		return ""
	case *types.Slice:
		return crosses(t.Elem())
	case *types.Pointer:
		return crosses(t.Elem())
	case *types.Named:
		pkg := t.Obj().Pkg()
		if pkg == nil || pkg.Path() == official || pkg.Path() == "context" || pkg.Path() == "dagger/operator-release" {
			return ""
		}
		if strings.HasPrefix(pkg.Path(), foreign) {
			return "is " + t.String() + ", which Dagger does not know"
		}
	}
	return "has type " + t.String() + ", which does not cross Dagger's boundary"
}

// TestModuleExcludesTheSDKOfTheTop: engines downgrade the SDK in .dagger below the version that the module at the top
// requires. Only where that version is excluded does Go keep the module at the top.
func TestModuleExcludesTheSDKOfTheTop(t *testing.T) {
	read := func(name string) *modfile.File {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		f, err := modfile.Parse(name, content, nil)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	var required, excluded []string
	for _, r := range read("../../go.mod").Require {
		if r.Mod.Path == official {
			required = append(required, r.Mod.Version)
		}
	}
	for _, e := range read(moduleDir + "/go.mod").Exclude {
		if e.Mod.Path == official {
			excluded = append(excluded, e.Mod.Version)
		}
	}
	if len(required) != 1 || !slices.Equal(required, excluded) {
		t.Errorf("go.mod requires %s %q, and .dagger/go.mod excludes %q", official, required, excluded)
	}
}
