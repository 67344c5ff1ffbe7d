// Package output knows the folders that the command makes, by what lies in them. They are no part of a repository's
// sources, also where they lie in its work tree.
package output

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"go.yaml.in/yaml/v3"

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

// Files tells of a file of a work tree which folder above it the command made, and whether the command wrote the file
// there. The folder is empty where there is none. Names are relative to root and slash-separated.
func Files(root string) func(file string) (folder string, own bool) {
	known := map[string]func(string) bool{} // of a folder that the command made; nil for others
	return func(file string) (string, bool) {
		for folder := path.Dir(file); folder != "."; folder = path.Dir(folder) {
			owns, ok := known[folder]
			if !ok {
				owns = ownFiles(filepath.Join(root, filepath.FromSlash(folder)))
				known[folder] = owns
			}
			if owns != nil {
				return folder, owns(strings.TrimPrefix(file, folder+"/"))
			}
		}
		return "", false
	}
}

// Written tells whether a run wrote a file of a work tree.
func Written(root string) func(file string) bool {
	files := Files(root)
	return func(file string) bool {
		_, own := files(file)
		return own
	}
}

// ownFiles tells which files of a folder the command wrote. It is nil for a folder that the command did not make.
func ownFiles(dir string) func(name string) bool {
	if strings.HasPrefix(filepath.Base(dir), Scratch) {
		return func(string) bool { return true }
	}
	if is, err := Bundle.Is(dir); err == nil && is {
		return ofBundle(dir)
	}
	if is, err := Site.Is(dir); err == nil && is {
		return ofSite(dir)
	}
	return nil
}

// blob is the name of a blob in an OCI layout.
var blob = regexp.MustCompile(`^blobs/sha256/[0-9a-f]{64}$`)

// ofBundle tells which files are of a bundle: those of an OCI layout, and those that its record names.
func ofBundle(dir string) func(string) bool {
	var record struct {
		Artifacts []struct {
			File string `json:"file"`
		} `json:"artifacts"`
	}
	read(dir, Bundle.Mark, func(content []byte) error { return json.Unmarshal(content, &record) })
	names := map[string]bool{ocispec.ImageLayoutFile: true, ocispec.ImageIndexFile: true, Bundle.Mark: true}
	for _, a := range record.Artifacts {
		if a.File != "" {
			names[bundle.FilesDir+"/"+a.File] = true
		}
	}
	return func(name string) bool { return names[name] || blob.MatchString(name) }
}

// siteFiles are the files of every site.
var siteFiles = []string{CatalogFile, "index.html", "upgrade.html", "style.css", "picture.css", "script.js", "icon.svg",
	"feed.xml", ".nojekyll", chartIndex}

// chartIndex is Helm's index in a site.
const chartIndex = "index.yaml"

// ofSite tells which files are of a site: the pages of its versions, and the charts of its index, too.
func ofSite(dir string) func(string) bool {
	var catalog struct {
		Versions []struct {
			Version string `json:"version"`
		} `json:"versions"`
	}
	read(dir, CatalogFile, func(content []byte) error { return json.Unmarshal(content, &catalog) })
	names := map[string]bool{}
	for _, name := range siteFiles {
		names[name] = true
	}
	for _, v := range catalog.Versions {
		names["versions/"+v.Version+".html"] = true
	}
	var index struct {
		Entries map[string][]struct {
			URLs []string `yaml:"urls"`
		} `yaml:"entries"`
	}
	read(dir, chartIndex, func(content []byte) error { return yaml.Unmarshal(content, &index) })
	for _, entries := range index.Entries {
		for _, e := range entries {
			for _, at := range e.URLs {
				names[path.Clean(at)] = true
			}
		}
	}
	return func(name string) bool { return names[name] }
}

// read reads a file of a folder. A file that cannot be read names nothing.
func read(dir, name string, parse func([]byte) error) {
	if content, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name))); err == nil {
		_ = parse(content)
	}
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
