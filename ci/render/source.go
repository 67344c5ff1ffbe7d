package render

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"helm.sh/helm/v4/pkg/chart/loader/archive"
	chartv2 "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/ignore"
	"sigs.k8s.io/yaml"

	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/refusal"
)

// Source is a chart as it lies in a tree, with all that it depends on. Every rendering and every package is made of it.
type Source struct {
	// Problems are the dependencies that the tree does not have as the chart declares them.
	Problems []Problem
	// Replaced are the committed copies, by path, of dependencies that the chart takes from elsewhere in the tree.
	Replaced []string

	dir      string
	files    []*archive.BufferedFile // without the replaced copies
	siblings []*Source               // dependencies by file://
	names    map[string]string       // chart name of each sibling, by its folder
	left     map[string]bool         // names of dependencies that are left out
	upgrade  bool                    // it is rendered for an upgrade, not for an installation
	meta     *chartv2.Metadata
	examples []Given

	outOfSync string // what is wrong with the digest of the lock file
}

// Read reads the chart in the folder dir of a tree as Helm does: without what .helmignore names, links followed.
// Dependencies by file:// are read from the same tree; others lie in charts/, or are fetched as one of the packages. A
// file that Helm cannot read is refused.
func Read(ctx context.Context, tree fs.FS, dir string, packages []config.Package) (*Source, error) {
	return read(ctx, tree, path.Clean(dir), packages, nil)
}

func read(ctx context.Context, tree fs.FS, dir string, packages []config.Package, within []string) (*Source, error) {
	s := &Source{dir: dir, names: map[string]string{}, left: map[string]bool{}}
	if slices.Contains(within, dir) {
		return nil, refusal.New("read chart %s: it depends on itself by file:// (%s); remove one of these dependencies",
			dir, strings.Join(append(within, dir), " -> "))
	}
	rules := ignore.Empty()
	if content, err := fs.ReadFile(tree, path.Join(dir, ignore.HelmIgnore)); err == nil {
		if rules, err = ignore.Parse(bytes.NewReader(content)); err != nil {
			return nil, refusal.New("read %s: %w; correct it", path.Join(dir, ignore.HelmIgnore), err)
		}
	}
	rules.AddDefaults()
	f := &folderFiles{tree: tree, rules: rules, left: MostFiles, bytes: archive.MaxDecompressedChartSize}
	if err := f.add(dir, "", nil); err != nil {
		return nil, err
	}
	s.files = f.files
	c, err := loader.LoadFiles(s.files)
	if err != nil {
		return nil, refusal.New("load the chart %s: %w; correct the file", dir, err)
	}
	s.meta, s.outOfSync = c.Metadata, s.lockFault(c)
	if s.examples, err = examples(tree, dir); err != nil {
		return nil, err
	}
	return s, s.resolve(ctx, tree, c, packages, append(within, dir))
}

// examples reads ci/*-values.yaml of a chart, by name. .helmignore does not matter: it usually names ci/.
func examples(tree fs.FS, dir string) ([]Given, error) {
	folder := path.Join(dir, "ci")
	entries, err := fs.ReadDir(tree, folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, refusal.New("read chart %s: %w", dir, err)
	}
	var found []Given
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), "-values.yaml") {
			continue
		}
		name := path.Join(folder, e.Name())
		content, err := fs.ReadFile(tree, name)
		if err != nil {
			return nil, refusal.New("read the values %s: %w", name, err)
		}
		found = append(found, Given{File: name, Content: content})
	}
	slices.SortFunc(found, func(a, b Given) int { return strings.Compare(a.File, b.File) })
	return found, nil
}

// folderFiles collects the files of a chart's folder.
type folderFiles struct {
	tree  fs.FS
	rules *ignore.Rules
	files []*archive.BufferedFile
	left  int   // how many more may follow
	bytes int64 // how many more they may have
}

// add collects all below a folder of the tree, which is the folder name of the chart; within are the folders on the
// way.
func (f *folderFiles) add(folder, name string, within []string) error {
	// A tree of git tells where links lead. On disk, CheckLinks has looked at them.
	if tree, ok := f.tree.(interface{ Resolve(string) (string, error) }); ok {
		real, err := tree.Resolve(folder)
		if err != nil {
			return err
		}
		if slices.Contains(within, real) {
			return refusal.New("read chart: %s is a symbolic link to a folder that it lies in, so it leads in circles; remove it", folder)
		}
		within = append(slices.Clone(within), real)
	}
	entries, err := fs.ReadDir(f.tree, folder)
	if err != nil {
		return refusal.New("read chart %s: %w", folder, err)
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	for _, e := range entries {
		at, below := path.Join(folder, e.Name()), path.Join(name, e.Name())
		if f.left--; f.left < 0 {
			return refusal.New("read chart: with %s it comes to more than %d files, or its symbolic links lead in circles; "+
				"replace them by the files themselves", at, MostFiles)
		}
		info, err := fs.Stat(f.tree, at)
		if err != nil && e.Type()&fs.ModeSymlink != 0 {
			return refusal.New("read chart: %s is a symbolic link that leads out of the repository, or nowhere; "+
				"replace it by the file itself", at)
		}
		if err != nil {
			return err
		}
		if f.rules.Ignore(below, info) {
			continue
		}
		if info.IsDir() {
			if err := f.add(at, below, within); err != nil {
				return err
			}
			continue
		}
		if !info.Mode().IsRegular() {
			continue // a submodule: the plan tells of it
		}
		content, err := fs.ReadFile(f.tree, at)
		if err != nil {
			return err
		}
		if f.bytes -= int64(len(content)); f.bytes < 0 {
			return refusal.New("read chart: with %s it has more than %d bytes, and Helm loads no such chart; "+
				"exclude large files by .helmignore", at, archive.MaxDecompressedChartSize)
		}
		content = bytes.TrimPrefix(content, []byte("\xef\xbb\xbf"))
		f.files = append(f.files, &archive.BufferedFile{Name: below, ModTime: info.ModTime(), Data: content})
	}
	return nil
}

// Chart makes the chart, new each time, since rendering alters it. Its subcharts are in the order of their names.
func (s *Source) Chart() (*chartv2.Chart, error) {
	c, err := loader.LoadFiles(s.files)
	if err != nil {
		return nil, refusal.New("load the chart %s: %w; correct the file", s.dir, err)
	}
	dependencies := slices.DeleteFunc(slices.Clone(c.Dependencies()), func(d *chartv2.Chart) bool {
		return s.left[d.Name()]
	})
	for _, sibling := range s.siblings {
		if s.left[s.names[sibling.dir]] {
			continue
		}
		d, err := sibling.Chart()
		if err != nil {
			return nil, err
		}
		dependencies = append(dependencies, d)
	}
	c.SetDependencies(dependencies...)
	c.Metadata.Dependencies = slices.DeleteFunc(c.Metadata.Dependencies, func(d *chartv2.Dependency) bool {
		return s.left[d.Name]
	})
	inOrder(c)
	return c, nil
}

// inOrder sorts subcharts at every depth. Helm's loader gives them in another order each time.
func inOrder(c *chartv2.Chart) {
	sorted := slices.SortedFunc(slices.Values(c.Dependencies()), func(a, b *chartv2.Chart) int {
		return cmp.Or(strings.Compare(a.Name(), b.Name()), strings.Compare(a.Metadata.Version, b.Metadata.Version))
	})
	for _, d := range sorted {
		inOrder(d)
	}
	c.SetDependencies(sorted...)
}

// LeaveOut leaves out the dependencies of these names, as if the chart did not declare them.
func (s *Source) LeaveOut(names ...string) {
	for _, name := range names {
		s.left[name] = true
	}
}

// Check refuses a chart whose dependencies the tree does not have as the chart declares them.
func (s *Source) Check() error {
	var errs []error
	for _, p := range s.Problems {
		errs = append(errs, refusal.New("%s", p))
	}
	return errors.Join(errs...)
}

// WriteTo writes the chart with its dependencies below the folder to, which it makes.
func (s *Source) WriteTo(to string) error {
	for _, f := range s.files {
		name := filepath.Join(to, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, f.Data, 0o644); err != nil {
			return err
		}
	}
	for _, sibling := range s.siblings {
		if err := sibling.WriteTo(filepath.Join(to, "charts", s.names[sibling.dir])); err != nil {
			return err
		}
	}
	return nil
}

// inTree turns names of files in a chart's own form (operator/charts/crds/templates/a.yaml) into paths of the tree.
func (s *Source) inTree(text string) string {
	return s.ofSiblings(inTree(text, s.meta.Name, s.dir))
}

func (s *Source) ofSiblings(text string) string {
	for _, sibling := range s.siblings {
		known := []string{s.names[sibling.dir]}
		for _, d := range s.meta.Dependencies {
			if d.Name == known[0] && d.Alias != "" {
				known = append(known, d.Alias)
			}
		}
		for _, name := range known {
			text = strings.ReplaceAll(text, path.Join(s.dir, "charts", name)+"/", sibling.dir+"/")
		}
		text = sibling.ofSiblings(text)
	}
	return text
}

// Folders are the folders of the tree that a chart is made of: its own, and those of its dependencies by file://, at
// every depth. It reads nothing but their lists of dependencies, and passes over what it cannot read.
func Folders(tree fs.FS, dir string) []string {
	folders := []string{path.Clean(dir)}
	for i := 0; i < len(folders); i++ {
		for _, name := range []string{"Chart.yaml", "requirements.yaml"} {
			var declared struct{ Dependencies []*chartv2.Dependency }
			content, err := fs.ReadFile(tree, path.Join(folders[i], name))
			if err != nil || yaml.Unmarshal(content, &declared) != nil {
				continue
			}
			for _, d := range declared.Dependencies {
				if d == nil {
					continue
				}
				folder, ok := Local(folders[i], d.Repository)
				if ok && fs.ValidPath(folder) && !slices.Contains(folders, folder) {
					folders = append(folders, folder)
				}
			}
		}
	}
	return folders
}
