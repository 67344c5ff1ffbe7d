package toolchain

import (
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// sources are the extensions of files that a package may be made of (go help packages, go/build).
var sources = []string{".go", ".c", ".cc", ".cpp", ".cxx", ".m", ".h", ".hh", ".hpp", ".hxx", ".f", ".F", ".for", ".f90", ".s", ".S", ".sx", ".swig", ".swigcxx", ".syso"}

// modules are the files that steer the go command, wherever they lie.
var modules = []string{"go.mod", "go.sum", "go.work", "go.work.sum", "default.pgo"}

var embedLine = regexp.MustCompile(`(?m)^//go:embed[ \t]+(.+?)[ \t\r]*$`)

// Reads gives those of the slash paths of a tree that `go build` may read: sources but tests, what they embed, vendored
// packages, and the files that steer it. Where that is unclear it gives too many: all beside a source whose pattern it cannot read.
func Reads(tree fs.FS, names []string) ([]string, error) {
	var read []string
	patterns := map[string]bool{} // from the tree's root
	for _, name := range names {
		base := path.Base(name)
		switch {
		case strings.HasSuffix(base, "_test.go"):
			continue
		case path.Ext(base) == ".go":
			content, err := fs.ReadFile(tree, name)
			if err != nil {
				return nil, err
			}
			addEmbedded(patterns, path.Dir(name), content)
			read = append(read, name)
		case slices.Contains(sources, path.Ext(base)), slices.Contains(modules, base), strings.HasPrefix(name, "vendor/"), strings.Contains(name, "/vendor/"):
			read = append(read, name)
		}
	}
	for _, name := range names {
		if embedded(patterns, name) {
			read = append(read, name)
		}
	}
	slices.Sort(read)
	return slices.Compact(read), nil
}

// addEmbedded adds the patterns that a Go file in a folder embeds, from the tree's root.
func addEmbedded(patterns map[string]bool, folder string, content []byte) {
	for _, line := range embedLine.FindAllSubmatch(content, -1) {
		for _, p := range embedPatterns(string(line[1])) {
			patterns[path.Join(folder, p)] = true
		}
	}
}

// embedPatterns are the patterns of one directive; "." where they cannot be read.
func embedPatterns(line string) []string {
	var found []string
	for line = strings.TrimSpace(line); line != ""; line = strings.TrimSpace(line) {
		word := line
		if line[0] == '"' || line[0] == '`' {
			quoted, err := strconv.QuotedPrefix(line)
			if err != nil {
				return []string{"."}
			}
			line = line[len(quoted):]
			if word, err = strconv.Unquote(quoted); err != nil {
				return []string{"."}
			}
		} else {
			if i := strings.IndexAny(line, " \t"); i >= 0 {
				word = line[:i]
			}
			line = line[len(word):]
		}
		found = append(found, strings.TrimPrefix(word, "all:"))
	}
	return found
}

// embedded tells whether a pattern matches the path, or a folder that it lies in.
func embedded(patterns map[string]bool, name string) bool {
	for p := name; ; p = path.Dir(p) {
		for pattern := range patterns {
			if ok, err := path.Match(pattern, p); ok || err != nil || pattern == "." {
				return true
			}
		}
		if p == "." || p == "/" {
			return false
		}
	}
}
