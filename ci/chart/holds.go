package chart

import (
	"errors"
	"io/fs"
	"maps"
	"path"
	"slices"

	"helm.sh/helm/v4/pkg/ignore"

	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/render"
)

// Holds gives the entries that the package of a chart would contain, those of its dependencies by file:// included. It
// reads the folders as Helm does: it follows symbolic links, and it leaves out what .helmignore names.
func Holds(tree *git.Tree, folder string, of []git.Entry) ([]git.Entry, error) {
	held := map[string]git.Entry{}
	for _, f := range render.Folders(tree, folder) {
		if err := holds(tree, f, of, held); err != nil {
			return nil, err
		}
	}
	var all []git.Entry
	for _, name := range slices.Sorted(maps.Keys(held)) {
		all = append(all, held[name])
	}
	return all, nil
}

// holds adds the entries that one folder brings.
func holds(tree *git.Tree, folder string, of []git.Entry, held map[string]git.Entry) error {
	rules := ignore.Empty()
	file, err := tree.Open(path.Join(folder, ignore.HelmIgnore))
	switch {
	case err == nil:
		defer file.Close()
		if rules, err = ignore.Parse(file); err != nil {
			return refusal.New("read %s: %w; correct it", path.Join(folder, ignore.HelmIgnore), err)
		}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	rules.AddDefaults()
	w := &walk{tree: tree, rules: rules, of: map[string]git.Entry{}, held: held}
	for _, e := range of {
		w.of[e.Path] = e
	}
	return w.folder(path.Clean(folder), "", nil)
}

// walk goes through a chart's folder as Helm does.
type walk struct {
	tree     *git.Tree
	rules    *ignore.Rules
	of, held map[string]git.Entry
}

// folder looks at all in the folder at, which the chart has under the path name; within are the folders on the way.
func (w *walk) folder(at, name string, within []string) error {
	if slices.Contains(within, at) {
		return nil // links in circles: packaging refuses them
	}
	entries, err := w.tree.ReadDir(at)
	if err != nil {
		return err
	}
	for _, e := range entries {
		real, err := w.tree.Resolve(path.Join(at, e.Name()))
		if err != nil {
			continue // a link that leads out of the repository: packaging refuses it
		}
		info, err := w.tree.Stat(real)
		if err != nil {
			continue // a link that leads nowhere
		}
		below := path.Join(name, e.Name())
		switch missing, ok := w.of[real]; {
		case w.rules.Ignore(below, info):
		case ok:
			w.held[real] = missing
		case info.IsDir():
			if err := w.folder(real, below, append(slices.Clone(within), at)); err != nil {
				return err
			}
		}
	}
	return nil
}
