// Package output knows the folders that the command makes, by what lies in them. They are no part of a repository's
// sources, also where they lie in its work tree.
package output

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/operator-release/operator-release/ci/bundle"
)

// Kind is a kind of folder that the command makes. A folder is of the kind if its file Mark begins with text that
// contains Says.
type Kind struct{ Name, Mark, Says string }

// CatalogFile and CatalogSchema are the name of a catalog in its site, and the begin of its schema's name.
const (
	CatalogFile   = "catalog.json"
	CatalogSchema = "operator-release/catalog/"
)

// The kinds of folders.
var (
	Bundle = Kind{"bundle", bundle.FilesDir + "/" + bundle.RecordFile, `"` + path.Dir(bundle.Schema) + "/"}
	Site   = Kind{"catalog", CatalogFile, `"` + CatalogSchema}
)

// Scratch is the begin of the name of a folder in which a run works. A run that was killed leaves it there.
const Scratch = ".operator-release-"

// longestBegin is as much of a mark as is read, in bytes.
const longestBegin = 512

// Is tells whether the folder is of the kind.
func (k Kind) Is(dir string) (bool, error) {
	name := filepath.Join(dir, filepath.FromSlash(k.Mark))
	info, err := os.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	f, err := os.Open(name)
	if err != nil {
		return false, err
	}
	defer f.Close()
	begin, err := io.ReadAll(io.LimitReader(f, longestBegin))
	return bytes.Contains(begin, []byte(k.Says)), err
}

// Made tells of folders of a work tree whether the command made them: bundles and sites, and those in which a run
// works. They are named relative to root and slash-separated.
func Made(root string) func(folder string) bool {
	return func(folder string) bool {
		if strings.HasPrefix(path.Base(folder), Scratch) {
			return true
		}
		for _, kind := range []Kind{Bundle, Site} {
			if is, err := kind.Is(filepath.Join(root, filepath.FromSlash(folder))); err == nil && is {
				return true
			}
		}
		return false
	}
}

// Of is the folder above a file that made tells of; empty where there is none.
func Of(made func(folder string) bool, file string) string {
	for folder := path.Dir(file); folder != "."; folder = path.Dir(folder) {
		if made(folder) {
			return folder
		}
	}
	return ""
}

// Committed are the bundles that a tree holds: their folders, sorted.
func Committed(tree fs.FS, files []string) ([]string, error) {
	var folders []string
	for _, name := range files {
		folder, ok := strings.CutSuffix(name, "/"+Bundle.Mark)
		if !ok {
			continue
		}
		content, err := fs.ReadFile(tree, name)
		if err != nil {
			return nil, err
		}
		if bytes.Contains(content[:min(len(content), longestBegin)], []byte(Bundle.Says)) {
			folders = append(folders, folder)
		}
	}
	slices.Sort(folders)
	return folders, nil
}

var versionFolder = regexp.MustCompile(`^dist/v[0-9][^/]*$`)

// IgnoreLine is the line of .gitignore for an output folder, relative to the root of the work tree. In the default
// place, which is dist/VERSION, it is about every version.
func IgnoreLine(folder string) string {
	if versionFolder.MatchString(folder) {
		return "/dist/v[0-9]*/"
	}
	escaped := strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(folder)
	return "/" + escaped + "/"
}
