package modulecheck

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// engine is a generation of Dagger's bindings, which differ in one thing: what they do with an argument of type Workspace.
type engine struct {
	name      string
	workspace bool // the bindings have the argument, and it is a required one where no pragma says that it is optional
}

var engines = []engine{{"0.21", false}, {"1.0", true}}

// TestDependentsTypeCheck type-checks each module that depends on this one, with the bindings that Dagger generates for
// it: the API of dagger.io/dagger, and the functions of this module.
func TestDependentsTypeCheck(t *testing.T) {
	for _, dir := range dependents(t) {
		for _, e := range engines {
			t.Run(path.Base(dir)+"/"+e.name, func(t *testing.T) {
				if err := checkDependent(t, dir, e, same); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// TestMisspeltDependentFails: a call of a function that the module does not have, and one without an argument that it
// needs, do not type-check.
func TestMisspeltDependentFails(t *testing.T) {
	for name, c := range map[string]struct{ from, to, want string }{
		"another function": {".Prepare(version)", ".Prepared(version)", "Prepared"},
		"an argument less": {".Prepare(version)", ".Prepare()", "not enough arguments"},
		"another option":   {"GoImage: t.GoImage", "GolangImage: t.GoImage", "GolangImage"},
	} {
		err := checkDependent(t, moduleDir+"/tests", engines[0], func(s string) string { return strings.ReplaceAll(s, c.from, c.to) })
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// dependents are the folders of the modules in this repository that depend on the one at its top.
func dependents(t *testing.T) []string {
	t.Helper()
	var dirs []string
	err := filepath.WalkDir(moduleDir, func(name string, d os.DirEntry, err error) error {
		if err == nil && d.Name() == "dagger.json" {
			dirs = append(dirs, filepath.Dir(name))
		}
		return err
	})
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no module below %s: %v", moduleDir, err)
	}
	return dirs
}

func checkDependent(t *testing.T, dir string, e engine, edit func(string) string) error {
	t.Helper()
	fset := token.NewFileSet()
	files := readModule(t, fset, dir, edit)
	own := strings.Trim(files[len(files)-1].Imports[0].Path.Value, `"`) // the client's
	known := newImporter(t, files)
	f, err := parser.ParseFile(fset, "bindings.go", bindings(t, known[official], e), 0)
	if err != nil {
		t.Fatal(err)
	}
	known[own], err = (&types.Config{Importer: known}).Check(own, fset, []*ast.File{f}, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = (&types.Config{Importer: known}).Check("dagger/dependent", fset, files, nil)
	return err
}

// bindings is the source of the package that Dagger generates for a module that depends on this one.
func bindings(t *testing.T, api *types.Package, e engine) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("package dagger\n\nimport (\n\t\"context\"\n\tofficial \"" + official + "\"\n)\n\n" +
		"type Client struct{ *official.Client }\n")
	for _, name := range api.Scope().Names() {
		switch o := api.Scope().Lookup(name).(type) {
		case *types.TypeName:
			if named, ok := o.Type().(*types.Named); o.Exported() && name != "Client" && (!ok || named.TypeParams() == nil) {
				fmt.Fprintf(&b, "type %s = official.%[1]s\n", name)
			}
		case *types.Const:
			if o.Exported() {
				fmt.Fprintf(&b, "const %s = official.%[1]s\n", name)
			}
		}
	}
	for _, f := range read(t, token.NewFileSet(), same) {
		notes := pragmas{f.Comments}
		for _, decl := range f.Decls {
			switch d := decl.(type) {
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					if s, ok := spec.(*ast.TypeSpec); ok && s.Name.IsExported() {
						if fields, ok := s.Type.(*ast.StructType); ok {
							bindType(&b, s.Name.Name, fields, notes)
						}
					}
				}
			case *ast.FuncDecl:
				bindFunction(&b, d, e, notes)
			}
		}
	}
	return b.String()
}

// bound is a type of the module by its name in the bindings.
func bound(name string) string {
	if name == "OperatorRelease" {
		return name
	}
	return "OperatorRelease" + name
}

func bindType(b *strings.Builder, name string, fields *ast.StructType, notes pragmas) {
	fmt.Fprintf(b, "type %s struct{}\n", bound(name))
	after := fields.Fields.Opening
	for _, field := range fields.Fields.List {
		for _, ident := range field.Names {
			if ident.IsExported() && !notes.have(after, field.Pos(), "private") {
				fmt.Fprintf(b, "func (*%s) %s%s\n", bound(name), ident.Name, results("", field.Type))
			}
		}
		after = field.End()
	}
}

// bindFunction writes a function as Dagger's bindings have it: required arguments in their order, optional ones in a
// struct, a context only where the answer is no object.
func bindFunction(b *strings.Builder, d *ast.FuncDecl, e engine, notes pragmas) {
	receiver, name, options := "*Client", "OperatorRelease", "OperatorReleaseOpts"
	switch {
	case d.Recv != nil && d.Name.IsExported():
		of := strings.TrimPrefix(types.ExprString(d.Recv.List[0].Type), "*")
		if !ast.IsExported(of) {
			return
		}
		receiver, name = "*"+bound(of), withInitialisms(d.Name.Name)
		options = bound(of) + name + "Opts"
	case d.Recv != nil || d.Name.Name != "New":
		return
	}
	var required, optional []string
	after := d.Type.Params.Opening
	for _, field := range d.Type.Params.List {
		kind := types.ExprString(field.Type)
		for _, ident := range field.Names {
			switch {
			case kind == "context.Context", kind == "*dagger.Workspace" && !e.workspace:
			case notes.have(after, field.Pos(), "optional", "default", "defaultPath"):
				optional = append(optional, withInitialisms(ident.Name)+" "+argument(field.Type))
			default:
				required = append(required, ident.Name+" "+argument(field.Type))
			}
		}
		after = field.End()
	}
	if len(optional) > 0 {
		fmt.Fprintf(b, "type %s struct {\n\t%s\n}\n", options, strings.Join(optional, "\n\t"))
		required = append(required, "opts ..."+options)
	}
	var answer ast.Expr
	if r := d.Type.Results; r != nil && types.ExprString(r.List[0].Type) != "error" {
		answer = r.List[0].Type
	}
	fmt.Fprintf(b, "func (%s) %s%s\n", receiver, name, results(strings.Join(required, ", "), answer))
}

// results is a function from its parameters on, with a body.
func results(parameters string, answer ast.Expr) string {
	if answer != nil {
		if star, object := answer.(*ast.StarExpr); object {
			return "(" + parameters + ") *" + argument(star.X) + " { return nil }"
		}
		kind := argument(answer)
		return "(ctx context.Context, " + parameters + ") (x " + kind + ", err error) { return }"
	}
	return "(ctx context.Context, " + parameters + ") error { return nil }"
}

// argument is a type of the module as the bindings name it.
func argument(e ast.Expr) string {
	kind := strings.ReplaceAll(types.ExprString(e), "dagger.", "")
	if ident, ok := e.(*ast.Ident); ok && ident.IsExported() {
		return bound(kind)
	}
	if star, ok := e.(*ast.StarExpr); ok {
		return "*" + argument(star.X)
	}
	return kind
}

// pragmas are the comments of a file that tell Dagger something.
type pragmas struct{ comments []*ast.CommentGroup }

// have tells whether one of these pragmas stands between two places.
func (p pragmas) have(from, to token.Pos, names ...string) bool {
	for _, group := range p.comments {
		for _, c := range group.List {
			name, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(c.Text, "// "), "+"), "=")
			if from < c.Pos() && c.Pos() < to && strings.HasPrefix(c.Text, "// +") && slices.Contains(names, name) {
				return true
			}
		}
	}
	return false
}

// withInitialisms is a name as Dagger's bindings write it: plainHttp is PlainHTTP.
func withInitialisms(name string) string {
	words := regexp.MustCompile(`[A-Z]?[a-z0-9]+|[A-Z]+`).FindAllString(name, -1)
	for i, word := range words {
		switch upper := strings.ToUpper(word); upper {
		case "HTTP", "ID", "SSH", "URL":
			words[i] = upper
		default:
			words[i] = strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return strings.Join(words, "")
}
