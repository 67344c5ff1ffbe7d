package image

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// overlay is the folder that holds the Dockerfile and its ignore file while an engine builds.
const overlay = ".operator-release"

// ContextOptions are what a container engine's build context is made of.
type ContextOptions struct {
	Tree       string            // absolute path of a checkout of the release commit, to be changed
	Context    string            // the build context, a slash path in Tree
	Dockerfile string            // a slash path in Tree
	Platform   string            // what is built for
	Binaries   map[string]string // name of a binary -> path of the built file
}

// PrepareContext makes a checkout what a container engine builds one platform of the image from, and
// gives the paths of the context in it and of the Dockerfile in the context. Ignore files count, the built binaries lie in bin/,
// and git, where the context has it, calls its tree clean.
func PrepareContext(o ContextOptions) (context, dockerfile string, err error) {
	top, folder, err := contextFolder(o.Tree, o.Context)
	if err != nil {
		return "", "", err
	}
	recipe, ignore, err := o.engineFiles()
	if err != nil {
		return "", "", err
	}
	root, err := os.OpenRoot(folder) // no link of the tree leads out of it
	if err != nil {
		return "", "", err
	}
	defer root.Close()
	write := func(name, content string) {
		err = errors.Join(err, root.MkdirAll(path.Dir(name), 0o755))
		err = errors.Join(err, root.WriteFile(name, []byte(content), 0o644))
	}
	for _, name := range slices.Sorted(maps.Keys(o.Binaries)) {
		for _, p := range []string{path.Join("bin", o.Platform, name), path.Join("bin", name)} {
			ignore += "!" + p + "\n"
			if err := copyInto(root, o.Binaries[name], p); err != nil {
				return "", "", err
			}
		}
	}
	dockerfile = path.Join(overlay, "Dockerfile")
	write(dockerfile, recipe)
	write(dockerfile+".dockerignore", ignore)
	if _, gone := root.Stat(".git"); gone == nil {
		write(".git/info/exclude", overlay+"\nbin\n")
	}
	rel, relErr := filepath.Rel(top, folder)
	return filepath.ToSlash(rel), dockerfile, errors.Join(err, relErr)
}

// copyInto copies an executable into the folder.
func copyInto(root *os.Root, from, to string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := root.MkdirAll(path.Dir(to), 0o755); err != nil {
		return err
	}
	if err := root.RemoveAll(to); err != nil {
		return err
	}
	return errors.Join(root.WriteFile(to, content, 0o755), root.Chmod(to, 0o755))
}

// engineFiles are the Dockerfile and the ignore file in force, plus what lies in the context for the
// engine alone. The last pattern wins, so that those of binaries are put behind it.
func (o *ContextOptions) engineFiles() (dockerfile, ignore string, err error) {
	root, err := os.OpenRoot(o.Tree)
	if err != nil {
		return "", "", err
	}
	defer root.Close()
	content, err := root.ReadFile(filepath.FromSlash(o.Dockerfile))
	if err != nil {
		return "", "", noDockerfile(o.Dockerfile, err)
	}
	for _, name := range []string{o.Dockerfile + ".dockerignore", path.Join(o.Context, ".dockerignore")} {
		patterns, err := root.ReadFile(filepath.FromSlash(name))
		if err == nil {
			ignore = strings.TrimSuffix(string(patterns), "\n") + "\n"
			break
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", "", fmt.Errorf("read %s: %w", name, err)
		}
	}
	return string(content), ignore + overlay + "\n", nil
}
