package surface

import (
	"bytes"
	"io/fs"
	"path"
	"regexp"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/operator-release/operator-release/ci/gomodule"
	"github.com/operator-release/operator-release/ci/version"
)

// moduleKind is the kind of a place in a go.mod, or in a vendor/modules.txt, that names another module of the tree.
const moduleKind = "Go module"

// goModules are the go.mod files of a tree that require another module of it, and their vendor/modules.txt.
func goModules(tree fs.FS) ([]Surface, error) {
	modules, err := gomodule.Find(tree)
	if err != nil || len(modules) < 2 {
		return nil, err
	}
	here := map[string]bool{}
	for _, m := range modules {
		here[m.Path] = true
	}
	workspace := exists(tree, "go.work")
	var found []Surface
	for _, m := range modules {
		content, err := fs.ReadFile(tree, m.File())
		if err != nil {
			return nil, err
		}
		locate := requirements(here, workspace)
		if values, _ := locate(content); len(values) == 0 {
			continue
		}
		found = append(found, Surface{Kind: moduleKind, Path: m.File(), locate: locate})
		if file := path.Join(m.Dir, "vendor/modules.txt"); exists(tree, file) {
			found = append(found, Surface{Kind: moduleKind, Path: file, locate: vendored(here)})
		}
	}
	return found, nil
}

// requirements are the versions in a go.mod at which it requires modules of the tree that it takes from the tree: by a
// replace, or by a workspace. A requirement that is fetched follows nothing: that version has to be published first.
func requirements(here map[string]bool, workspace bool) func([]byte) ([]Value, error) {
	return func(content []byte) ([]Value, error) {
		file, err := modfile.Parse("go.mod", content, nil)
		if err != nil {
			return nil, nil // the go command says what is wrong
		}
		local := replaced(file)
		var values []Value
		add := func(name, path, version string, line *modfile.Line) {
			from, to := line.Start.Byte, line.End.Byte
			at := bytes.Index(content[from:to], []byte(path))
			if v, _, ok := Parse(version); at < 0 || !ok || v.String() == "v0.0.0" { // no released version
				return
			}
			from += at + len(path)
			if at = bytes.Index(content[from:to], []byte(version)); at >= 0 {
				start := from + at
				values = append(values, Value{Name: name + " " + path, Start: start, End: start + len(version), Form: Tag})
			}
		}
		for _, r := range file.Replace {
			if here[r.Old.Path] && r.New.Version == "" {
				add("replace", r.Old.Path, r.Old.Version, r.Syntax)
			}
		}
		for _, r := range file.Require {
			if here[r.Mod.Path] && (workspace || local[r.Mod.Path]) {
				add("require", r.Mod.Path, r.Mod.Version, r.Syntax)
			}
		}
		return values, nil
	}
}

// takes tells whether a value can say a version: the go command takes it of the module that the value names. Values of
// other kinds can.
func takes(s Surface, value Value, v version.Version) bool {
	if s.Kind != moduleKind {
		return true
	}
	_, named, _ := strings.Cut(value.Name, " ")
	return gomodule.Module{Path: named}.Check(v) == nil
}

// Requirement is a line of a go.mod that requires another module of the tree.
type Requirement struct {
	Path    string // of the go.mod
	Line    int
	From    gomodule.Module // whose go.mod it is
	To      gomodule.Module
	Version string
	Local   bool // the go command takes it from the tree
}

// Requirements are the requirements of the tree's modules on each other. edits are files, by path, that are other than
// in the tree.
func Requirements(tree fs.FS, edits map[string][]byte) ([]Requirement, error) {
	modules, err := gomodule.Find(tree)
	if err != nil || len(modules) < 2 {
		return nil, err
	}
	here := map[string]gomodule.Module{}
	for _, m := range modules {
		here[m.Path] = m
	}
	var all []Requirement
	for _, m := range modules {
		content, ok := edits[m.File()]
		if !ok {
			if content, err = fs.ReadFile(tree, m.File()); err != nil {
				return nil, err
			}
		}
		file, err := modfile.Parse("go.mod", content, nil)
		if err != nil {
			continue // the go command says what is wrong
		}
		local := replaced(file)
		for _, r := range file.Require {
			if to, ok := here[r.Mod.Path]; ok {
				all = append(all, Requirement{m.File(), r.Syntax.Start.Line, m, to, r.Mod.Version,
					local[r.Mod.Path] || exists(tree, "go.work")})
			}
		}
	}
	return all, nil
}

// replaced are the paths of the modules that a go.mod takes from folders.
func replaced(file *modfile.File) map[string]bool {
	local := map[string]bool{}
	for _, r := range file.Replace {
		if r.New.Version == "" {
			local[r.Old.Path] = true
		}
	}
	return local
}

// vendored are the versions of the tree's modules in a vendor/modules.txt, which has to agree with its go.mod.
func vendored(here map[string]bool) func([]byte) ([]Value, error) {
	line := regexp.MustCompile(`(?m)^# (\S+) (v\S+)(?: =>.*)?$`)
	return func(content []byte) ([]Value, error) {
		var values []Value
		for _, m := range line.FindAllSubmatchIndex(content, -1) {
			name := string(content[m[2]:m[3]])
			if v, _, ok := Parse(string(content[m[4]:m[5]])); ok && here[name] && v.String() != "v0.0.0" {
				values = append(values, Value{Name: "vendored " + name, Start: m[4], End: m[5], Form: Tag})
			}
		}
		return values, nil
	}
}

func exists(tree fs.FS, name string) bool {
	_, err := fs.Stat(tree, name)
	return err == nil
}
