package render

import (
	"errors"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"

	"github.com/operator-release/operator-release/ci/refusal"
)

// kustomizations are the names that kustomize looks for, in its order.
var kustomizations = []string{"kustomization.yaml", "kustomization.yml", "Kustomization"}

// IsKustomization tells whether a folder of a tree is one.
func IsKustomization(tree fs.FS, dir string) bool {
	return kustomizationOf(tree, dir) != ""
}

func kustomizationOf(tree fs.FS, dir string) string {
	for _, name := range kustomizations {
		if _, err := fs.Stat(tree, path.Join(dir, name)); err == nil {
			return path.Join(dir, name)
		}
	}
	return ""
}

// ErrNotInTree says that a kustomization takes what only another place has.
var ErrNotInTree = errors.New("not in the tree")

// Kustomizations are the folders of a tree with a kustomization that no other one takes, in order.
func Kustomizations(tree fs.FS) ([]string, error) {
	var all []string
	err := fs.WalkDir(tree, ".", func(file string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() && file == ".git" {
			return fs.SkipDir
		}
		if err == nil && e.Type().IsRegular() && slices.Contains(kustomizations, path.Base(file)) {
			all = append(all, path.Dir(file))
		}
		return err
	})
	taken := map[string]bool{}
	for _, dir := range all {
		k := kustomizing{tree: tree, memory: filesys.MakeFsInMemory(), done: map[string]bool{}, left: MostFiles}
		_ = k.bring(dir) // what it takes before it fails is taken
		delete(k.done, dir)
		for other := range k.done {
			taken[other] = true
		}
	}
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(dir string) bool { return taken[dir] }), err
}

// Kustomize gives what `kustomize build` makes of a folder of a tree. It reads the tree alone: what refers to another
// host, or to a plugin, is refused.
func Kustomize(tree fs.FS, dir string) ([]Document, error) {
	k := kustomizing{tree: tree, memory: filesys.MakeFsInMemory(), done: map[string]bool{}, left: MostFiles}
	if err := k.bring(path.Clean(dir)); err != nil {
		return nil, err
	}
	options := krusty.MakeDefaultOptions()
	options.LoadRestrictions = types.LoadRestrictionsNone // of the tree nothing is secret, and nothing else is there
	made, err := krusty.MakeKustomizer(options).Run(k.memory, "/"+path.Clean(dir))
	if err != nil {
		return nil, refusal.New("kustomize build %s: %s; correct the kustomization until `kustomize build %[1]s` works", dir,
			strings.Join(strings.Fields(err.Error()), " "))
	}
	content, err := made.AsYaml()
	if err != nil {
		return nil, refusal.New("kustomize build %s: %w", dir, err)
	}
	return Split(dir, string(content))
}

// kustomizing brings what kustomizations refer to into memory.
type kustomizing struct {
	tree   fs.FS
	memory filesys.FileSystem
	done   map[string]bool // folders
	left   int             // how many more files may follow
}

// resources are the fields in which kustomize takes what is no file for the address of a repository.
var resources = []string{"resources", "bases", "components", "crds", "configurations", "generators", "transformers", "validators"}

// bring brings a folder with a kustomization, and all that it refers to.
func (k *kustomizing) bring(dir string) error {
	if k.done[dir] {
		return nil
	}
	k.done[dir] = true
	file := kustomizationOf(k.tree, dir)
	if file == "" {
		return refusal.New("kustomize build: %s has no kustomization.yaml", dir)
	}
	content, err := fs.ReadFile(k.tree, file)
	if err != nil {
		return err
	}
	var fields map[string]any
	if err := yaml.Unmarshal(content, &fields); err != nil {
		return refusal.New("read %s: %w", file, err)
	}
	for _, name := range resources {
		items, _ := fields[name].([]any)
		for _, item := range items {
			entry, ok := item.(string)
			if !ok || strings.Contains(entry, "\n") {
				continue // an object in place
			}
			if _, err := fs.Stat(k.tree, path.Join(dir, entry)); err != nil {
				return refusal.New("kustomize build %s: %s refers to %s, which is %w", dir, file, entry, ErrNotInTree)
			}
		}
	}
	if err := k.file(file); err != nil {
		return err
	}
	return k.all(dir, "", fields)
}

// files are the fields in which kustomize fetches what is the address of a file.
var files = []string{"path", "files", "env", "envs", "patchesStrategicMerge"}

// all brings every file and folder that the value of a field names.
func (k *kustomizing) all(dir, field string, value any) error {
	switch v := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if err := k.all(dir, name, v[name]); err != nil {
				return err
			}
		}
	case []any:
		for _, child := range v {
			if err := k.all(dir, field, child); err != nil {
				return err
			}
		}
	case string:
		if strings.Contains(v, "\n") {
			return nil
		}
		if _, name, ok := strings.Cut(v, "="); ok { // KEY=FILE of a generator
			if err := k.all(dir, field, name); err != nil {
				return err
			}
		}
		if slices.Contains(files, field) && strings.Contains(v, "://") {
			return refusal.New("kustomize build %s: it refers to %s, which is %w", dir, v, ErrNotInTree)
		}
		at := path.Join(dir, v)
		stat, err := fs.Stat(k.tree, at)
		switch {
		case err != nil || v == "" || !fs.ValidPath(at):
			return nil // no file
		case stat.IsDir() && kustomizationOf(k.tree, at) != "":
			return k.bring(at)
		case stat.Mode().IsRegular():
			return k.file(at)
		}
	}
	return nil
}

// file brings one file.
func (k *kustomizing) file(name string) error {
	if k.left--; k.left < 0 {
		return refusal.New("kustomize build: it takes more than %d files", MostFiles)
	}
	content, err := fs.ReadFile(k.tree, name)
	if err != nil {
		return err
	}
	return errors.Join(k.memory.MkdirAll("/"+path.Dir(name)), k.memory.WriteFile("/"+name, content))
}
