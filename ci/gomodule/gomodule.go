// Package gomodule knows the Go modules of a tree, and the rules that Go has for their git tags
// (https://go.dev/ref/mod#vcs-version). It reads go.mod files and looks at nothing else.
package gomodule

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"

	"github.com/operator-release/operator-release/ci/version"
)

// Module is a Go module of a tree.
type Module struct {
	Dir  string // of its go.mod; "." is the root
	Path string // as its go.mod declares it
}

// File is the path of its go.mod.
func (m Module) File() string { return path.Join(m.Dir, "go.mod") }

// Find gives the modules of a tree, the root's first. As the go command does, it leaves out vendor, testdata, and
// folders that begin with a dot or an underscore. A go.mod without a module line is no module.
func Find(tree fs.FS) ([]Module, error) {
	var found []Module
	err := fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		base := path.Base(name)
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != "." && (base == "vendor" || base == "testdata" || base == "node_modules" ||
			base[0] == '.' || base[0] == '_'):
			return fs.SkipDir
		case base != "go.mod" || !entry.Type().IsRegular():
			return nil
		}
		content, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		if declared := modfile.ModulePath(content); declared != "" {
			found = append(found, Module{path.Dir(name), declared})
		}
		return nil
	})
	slices.SortFunc(found, func(a, b Module) int {
		switch {
		case a.Dir == b.Dir:
			return 0
		case a.Dir == ".":
			return -1
		case b.Dir == ".":
			return 1
		}
		return strings.Compare(a.Dir, b.Dir)
	})
	return found, err
}

// Check tells why the go command does not take a version of the module: the major of the version, and the major that
// the module's path ends with, have to fit.
func (m Module) Check(v version.Version) error {
	prefix, major, ok := module.SplitPathVersion(m.Path)
	if !ok {
		return fmt.Errorf("the module path %s ends with no major version that Go takes; versions 0 and 1 have none", m.Path)
	}
	if module.CheckPathMajor(v.String(), major) == nil {
		return nil
	}
	right := fmt.Sprintf("%s/v%d", prefix, v.Major())
	switch {
	case strings.HasPrefix(prefix, "gopkg.in/"):
		right = fmt.Sprintf("%s.v%d", prefix, v.Major())
	case v.Major() < 2:
		right = prefix
	}
	return fmt.Errorf("the go command does not take %s of module %s (%s): a module of major version %d has the path %s; "+
		"change the path there and in all imports, or release a version of major %s",
		v, m.Path, m.File(), v.Major(), right, majors(major))
}

// Retracted is the line of a go.mod that retracts a version, from 1; 0 if none does. A file that the go command cannot
// read retracts nothing.
func Retracted(content []byte, v version.Version) int {
	file, err := modfile.ParseLax("go.mod", content, nil)
	if err != nil {
		return 0
	}
	for _, r := range file.Retract {
		if semver.Compare(r.Low, v.String()) <= 0 && semver.Compare(v.String(), r.High) <= 0 {
			return r.Syntax.Start.Line
		}
	}
	return 0
}

// HasMajor tells whether the module's path ends with a major version.
func (m Module) HasMajor() bool {
	_, major, _ := module.SplitPathVersion(m.Path)
	return major != ""
}

// Majors tells which versions the go command takes of the module, such as v2 or v0 and v1.
func (m Module) Majors() string {
	_, major, _ := module.SplitPathVersion(m.Path)
	if major == "" {
		return "v0 and v1"
	}
	return module.PathMajorPrefix(major)
}

// majors names the major versions that a path stands for.
func majors(suffix string) string {
	if suffix == "" {
		return "0 or 1"
	}
	return strings.TrimLeft(module.PathMajorPrefix(suffix), "v")
}

// errElsewhere is the error of a module whose path does not say where it lies.
var errElsewhere = errors.New("its path does not lead to its folder, so the go command does not find it")

// Prefix is what the tags of the module begin with: empty for the root, api/ for a module in the folder api. A module
// of which the go command finds no tag is an error. root is the module in the tree's root.
func (m Module) Prefix(root Module) (string, error) {
	if m.Dir == "." {
		return "", nil
	}
	at, _, rootOK := module.SplitPathVersion(root.Path)
	own, major, ok := module.SplitPathVersion(m.Path)
	if !rootOK || !ok {
		return "", errElsewhere
	}
	if root.Path == "" { // the root has no module: the path of each one ends with its folder
		if own == m.Dir || strings.HasSuffix(own, "/"+m.Dir) {
			return m.Dir + "/", nil
		}
		return "", errElsewhere
	}
	below, ok := strings.CutPrefix(own+"/", at+"/")
	dir := strings.TrimSuffix(below, "/")
	// A major version may have a folder of its own, which is no part of the tag.
	if !ok || m.Dir != dir && m.Dir != path.Join(dir, strings.TrimPrefix(major, "/")) {
		return "", errElsewhere
	}
	return below, nil
}

// Prefixes are what the tags of modules below the root begin with.
func Prefixes(modules []Module) []string {
	var prefixes []string
	root := Root(modules)
	for _, m := range modules {
		if prefix, err := m.Prefix(root); err == nil && prefix != "" {
			prefixes = append(prefixes, prefix)
		}
	}
	return prefixes
}

// Root is the module in the tree's root; it is empty where the root has none.
func Root(modules []Module) Module {
	for _, m := range modules {
		if m.Dir == "." {
			return m
		}
	}
	return Module{}
}
