package render

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/operator-release/operator-release/ci/refusal"
)

// MostFiles bounds a chart's files, what its links lead to included: a few links that lead to folders above them would make more than any machine has.
const MostFiles = 5_000

// CheckLinks refuses a chart in the folder dir of a tree whose symbolic links lead out of the tree, nowhere, or in circles, also those that other links lead to:
// the Helm SDK follows every one. A chart that is not there has none.
func CheckLinks(tree, dir string) error {
	root, err := filepath.EvalSymlinks(tree)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(filepath.Join(root, dir)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	left := MostFiles
	return checkLinks(root, filepath.Join(root, dir), dir, nil, &left)
}

// checkLinks looks at a path and all below it. It is shown as one has come to it; within are the folders on this way.
func checkLinks(root, path, shown string, within []string, left *int) error {
	if *left--; *left < 0 {
		return refusal.New("read chart: with %s it comes to more than %d files, its symbolic links followed; replace them by the files themselves", shown, MostFiles)
	}
	target, err := filepath.EvalSymlinks(path)
	if err == nil {
		var at string
		if at, err = filepath.Rel(root, target); err == nil && !filepath.IsLocal(at) {
			err = os.ErrInvalid
		}
	}
	if err != nil {
		return refusal.New("read chart: %s is a symbolic link that leads out of the repository, or nowhere; replace it by the file itself", shown)
	}
	info, err := os.Stat(target)
	if err != nil || !info.IsDir() {
		return err
	}
	if slices.Contains(within, target) {
		return refusal.New("read chart: %s is a symbolic link to a folder that it lies in, so it leads in circles; remove it", shown)
	}
	within = append(slices.Clone(within), target)
	entries, err := os.ReadDir(target)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := checkLinks(root, filepath.Join(target, e.Name()), filepath.Join(shown, e.Name()), within, left); err != nil {
			return err
		}
	}
	return nil
}
