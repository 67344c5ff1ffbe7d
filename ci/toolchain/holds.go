package toolchain

import (
	"errors"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/refusal"
)

// Holds gives the entries that `go build` reads for the main packages, named as the go command takes
// them: files of the packages that they import, what these embed, and vendored ones. A submodule counts where a
// package, a module that go.mod replaces, or an embedded file lies in it.
func Holds(tree fs.FS, mains []string, of []git.Entry) ([]git.Entry, error) {
	content, err := fs.ReadFile(tree, "go.mod")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	mod, err := modfile.Parse("go.mod", content, nil)
	if err != nil {
		return nil, refusal.New("read go.mod: %w", err)
	}
	r := &reach{tree: tree, modules: map[string]string{}, packages: map[string]bool{}, embedded: map[string]bool{}}
	if mod.Module != nil {
		r.modules[mod.Module.Mod.Path] = "."
	}
	for _, replaced := range mod.Replace {
		if modfile.IsDirectoryPath(replaced.New.Path) {
			r.modules[replaced.Old.Path] = path.Clean(replaced.New.Path)
		}
	}
	for _, main := range mains {
		at, ok := r.folder(main)
		if !ok {
			at = path.Clean(main)
		}
		if path.Ext(at) == ".go" {
			at = path.Dir(at)
		}
		if err := r.visit(at); err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(slices.Clone(of), func(e git.Entry) bool { return !r.holds(e) }), nil
}

// reach is what the go command comes to from main packages.
type reach struct {
	tree     fs.FS
	modules  map[string]string // path of a module that lies in the tree to its folder
	packages map[string]bool   // folders
	embedded map[string]bool   // patterns from the tree's root
}

// visit reads the Go files of a package's folder, and those of the packages of the tree that they import.
func (r *reach) visit(folder string) error {
	if r.packages[folder] {
		return nil
	}
	r.packages[folder] = true
	files, err := fs.ReadDir(r.tree, folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // the compiler says so
	}
	if err != nil {
		return err
	}
	for _, f := range files {
		if name := f.Name(); path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
			continue
		}
		content, err := fs.ReadFile(r.tree, path.Join(folder, f.Name()))
		if err != nil {
			return err
		}
		addEmbedded(r.embedded, folder, content)
		parsed, err := parser.ParseFile(token.NewFileSet(), f.Name(), content, parser.ImportsOnly)
		if parsed == nil || err != nil {
			continue // the compiler says so
		}
		for _, imported := range parsed.Imports {
			name, err := strconv.Unquote(imported.Path.Value)
			if err != nil {
				continue
			}
			if at, ok := r.folder(name); ok {
				if err := r.visit(at); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// folder is where a package lies, if in the tree.
func (r *reach) folder(imported string) (string, bool) {
	at, longest := "", ""
	for module, dir := range r.modules {
		if (imported == module || strings.HasPrefix(imported, module+"/")) && len(module) > len(longest) {
			at, longest = path.Join(dir, strings.TrimPrefix(imported, module)), module
		}
	}
	return at, longest != ""
}

// holds tells whether the go command reads an entry, or a part of it where it is a submodule.
func (r *reach) holds(e git.Entry) bool {
	if embedded(r.embedded, e.Path) {
		return true
	}
	if !e.Submodule() {
		base := path.Base(e.Path)
		source := slices.Contains(sources, path.Ext(base)) && !strings.HasSuffix(base, "_test.go")
		return r.packages[path.Dir(e.Path)] && source || path.Dir(e.Path) == "." && slices.Contains(modules, base)
	}
	inside := func(name string) bool { return name == e.Path || strings.HasPrefix(name, e.Path+"/") }
	var read []string
	read = slices.AppendSeq(read, maps.Keys(r.packages))
	read = slices.AppendSeq(read, maps.Keys(r.embedded))
	read = slices.AppendSeq(read, maps.Values(r.modules)) // go reads the go.mod of each, imported or not
	return slices.ContainsFunc(read, inside) || inside("vendor")
}
