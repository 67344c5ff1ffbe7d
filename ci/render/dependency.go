package render

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"helm.sh/helm/v4/pkg/chart/loader/archive"
	chartv2 "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"

	"github.com/operator-release/operator-release/ci/config"
)

// Problem is a dependency that the tree does not have as the chart declares it.
type Problem struct {
	At   string // file and line of the entry
	Name string // of the dependency
	What string // what was found, and what to do
}

func (p Problem) String() string { return p.At + ": " + p.What }

// local is how the repository of a dependency begins that lies in the same tree.
const local = "file://"

// Local gives the folder of a dependency by file://, of the chart in the folder dir. It is not a path of the tree where
// it leads out of it.
func Local(dir, repository string) (folder string, ok bool) {
	p, ok := strings.CutPrefix(repository, local)
	if !ok || strings.HasPrefix(p, "/") {
		return p, ok
	}
	return path.Join(dir, p), true
}

// resolve finds every dependency that the chart declares. c is the chart with what charts/ holds.
func (s *Source) resolve(ctx context.Context, tree fs.FS, c *chartv2.Chart, packages []config.Package,
	within []string) error {
	for i, d := range c.Metadata.Dependencies {
		file, line := s.entry(i)
		problem := func(format string, args ...any) {
			s.Problems = append(s.Problems, Problem{fmt.Sprintf("%s:%d", file, line), d.Name, fmt.Sprintf(format, args...)})
		}
		folder, isLocal := Local(s.dir, d.Repository)
		if !isLocal {
			if err := s.fetch(ctx, c, d, packages); err != nil {
				return err
			}
			s.committed(c, d, problem)
			continue
		}
		if !fs.ValidPath(folder) {
			problem("the dependency %s is read from %s, which leads out of the repository; commit the chart, and name it "+
				"relative to %s",
				d.Name, d.Repository, s.dir)
			continue
		}
		if _, err := fs.Stat(tree, path.Join(folder, "Chart.yaml")); err != nil {
			problem("the dependency %s is read from %s, and the commit has no %s/Chart.yaml; commit that chart, or correct "+
				"the repository",
				d.Name, d.Repository, folder)
			continue
		}
		if _, ok := s.names[folder]; !ok {
			sibling, err := read(ctx, tree, folder, packages, within)
			if err != nil {
				return err
			}
			s.siblings, s.names[folder] = append(s.siblings, sibling), sibling.meta.Name
			s.Problems = append(s.Problems, sibling.Problems...)
			s.replace(sibling.meta.Name, folder)
		}
		at := slices.IndexFunc(s.siblings, func(sibling *Source) bool { return sibling.dir == folder })
		switch found := s.siblings[at].meta; {
		case found.Name != d.Name:
			problem("the dependency %s is read from %s, where the chart is named %s; correct name or repository", d.Name,
				d.Repository, found.Name)
		case !chartutil.IsCompatibleRange(d.Version, found.Version):
			problem("the dependency %s %s is read from %s, which has version %s there; %s", d.Name, d.Version, d.Repository,
				found.Version,
				fitting(found.Version))
		}
	}
	s.checkReplaced()
	s.checkTwice(c)
	s.checkLock(c)
	return nil
}

// fitting says which version of an entry would be right for a chart that lies beside it.
func fitting(version string) string {
	if strings.Contains(version, "-") {
		return fmt.Sprintf("a range takes a candidate only if it names one: write version: \">=%s-0\" or version: %s",
			strings.Split(version, "-")[0], version)
	}
	return "write version: " + version + ", which follows the chart from then on, or a range that allows it"
}

// committed looks for a dependency in charts/. Helm would leave one of another version out without a word.
func (s *Source) committed(c *chartv2.Chart, d *chartv2.Dependency, problem func(string, ...any)) {
	versions := committedVersions(c, d.Name)
	from := d.Repository
	if from == "" {
		from = "no repository"
	}
	remedy := fmt.Sprintf("run: helm dependency update %s && git add --force %s, and commit; or name its package under "+
		"charts[].fetch in the settings",
		s.dir, path.Join(s.dir, "charts"))
	if d.Repository == "" {
		remedy = fmt.Sprintf("commit the chart as %s", path.Join(s.dir, "charts", d.Name))
	}
	switch {
	case len(versions) == 0:
		problem("the dependency %s %s (%s) is not in %s of the commit; %s", d.Name, d.Version, from,
			path.Join(s.dir, "charts"), remedy)
	case !slices.ContainsFunc(versions, func(v string) bool { return chartutil.IsCompatibleRange(d.Version, v) }):
		problem("the dependency %s %s (%s) is not in %s of the commit, which holds %s; %s", d.Name, d.Version, from,
			path.Join(s.dir, "charts"), strings.Join(versions, ", "), remedy)
	}
}

// Holds tells whether the chart's own charts folder holds a chart of this name and version.
func (s *Source) Holds(name, version string) bool {
	c, err := loader.LoadFiles(s.files)
	return err == nil && slices.Contains(committedVersions(c, name), version)
}

// committedVersions are the versions of a chart that charts/ holds.
func committedVersions(c *chartv2.Chart, name string) []string {
	var versions []string
	for _, have := range c.Dependencies() {
		if have.Name() == name {
			versions = append(versions, have.Metadata.Version)
		}
	}
	return versions
}

// replace leaves out the committed copies of a chart that is read from a folder of the tree.
func (s *Source) replace(name, folder string) {
	units := map[string][]*archive.BufferedFile{} // by the first element below charts/
	for _, f := range s.files {
		if below, ok := strings.CutPrefix(f.Name, "charts/"); ok {
			unit, rest, _ := strings.Cut(below, "/")
			units[unit] = append(units[unit], &archive.BufferedFile{Name: rest, Data: f.Data})
		}
	}
	for unit, files := range units {
		if strings.IndexAny(unit, "_.") == 0 {
			continue // Helm passes over it
		}
		load := func() (*chartv2.Chart, error) { return loader.LoadFiles(files) }
		if path.Ext(unit) == ".tgz" {
			load = func() (*chartv2.Chart, error) { return loader.LoadArchive(bytes.NewReader(files[0].Data)) }
		}
		c, err := load()
		if err != nil || c.Name() != name {
			continue // what cannot be loaded was refused before
		}
		if at := path.Join(s.dir, "charts", unit); at != folder {
			s.Replaced = append(s.Replaced, at)
		}
		prefix := "charts/" + unit
		s.files = slices.DeleteFunc(s.files, func(f *archive.BufferedFile) bool {
			return f.Name == prefix || f.Name == prefix+".prov" || strings.HasPrefix(f.Name, prefix+"/")
		})
	}
	slices.Sort(s.Replaced)
}

// checkReplaced refuses a dependency from elsewhere with the name of a chart that is read from the tree: the committed
// package of one would be left out for the other, and Helm would not say so.
func (s *Source) checkReplaced() {
	for n, d := range s.meta.Dependencies {
		if _, isLocal := Local(s.dir, d.Repository); isLocal || !slices.ContainsFunc(s.siblings, func(sibling *Source) bool {
			return sibling.meta.Name == d.Name
		}) {
			continue
		}
		from := d.Repository
		if from == "" {
			from = path.Join(s.dir, "charts")
		}
		file, line := s.entry(n)
		s.Problems = append(s.Problems, Problem{fmt.Sprintf("%s:%d", file, line), d.Name, fmt.Sprintf("the dependency %s %s (%s) "+
			"has the name of a chart that another entry reads by file:// from this tree; the package would hold only that one; "+
			"read both by file://, or give them names of their own", d.Name, d.Version, from)})
	}
}

// checkTwice refuses two subcharts of one name: a package has one folder for both.
func (s *Source) checkTwice(c *chartv2.Chart) {
	found := map[string]int{}
	for _, d := range c.Dependencies() {
		if !slices.ContainsFunc(s.siblings, func(sibling *Source) bool { return sibling.meta.Name == d.Name() }) {
			found[d.Name()]++
		}
	}
	for _, sibling := range s.siblings {
		found[sibling.meta.Name]++
	}
	for i, d := range c.Metadata.Dependencies {
		if found[d.Name] > 1 {
			file, line := s.entry(i)
			s.Problems = append(s.Problems, Problem{fmt.Sprintf("%s:%d", file, line), d.Name, fmt.Sprintf(
				"the dependency %s comes from %d charts of that name, and a package has one folder for them; keep one in %s",
				d.Name, found[d.Name], path.Join(s.dir, "charts"))})
			found[d.Name] = 0
		}
	}
}

// checkLock compares the lock file with what the chart depends on here. Helm installs what is there and says nothing.
func (s *Source) checkLock(c *chartv2.Chart) {
	if c.Lock == nil {
		return
	}
	file := s.lockFile()
	for _, locked := range c.Lock.Dependencies {
		var versions []string
		for _, sibling := range s.siblings {
			if sibling.meta.Name == locked.Name {
				versions = append(versions, sibling.meta.Version)
			}
		}
		if len(versions) == 0 {
			versions = committedVersions(c, locked.Name)
		}
		if len(versions) > 0 && !slices.ContainsFunc(versions,
			func(v string) bool { return chartutil.IsCompatibleRange(locked.Version, v) }) {
			s.Problems = append(s.Problems, Problem{file, locked.Name, fmt.Sprintf(
				"the lock file names %s %s, and the chart would be packaged with %s; run: helm dependency update %s, and commit %s",
				locked.Name, locked.Version, strings.Join(versions, ", "), s.dir, file)})
		}
	}
}

// content is the content of a file of the chart; nil where there is none.
func (s *Source) content(name string) []byte {
	for _, f := range s.files {
		if f.Name == name {
			return f.Data
		}
	}
	return nil
}

// entry is the file, and the line, of the chart's dependency i.
func (s *Source) entry(i int) (file string, line int) {
	for _, name := range []string{"requirements.yaml", "Chart.yaml"} {
		var root yaml.Node
		if yaml.Unmarshal(s.content(name), &root) != nil || len(root.Content) == 0 {
			continue
		}
		for at := 0; at+1 < len(root.Content[0].Content); at += 2 {
			key, list := root.Content[0].Content[at], root.Content[0].Content[at+1]
			if key.Value == "dependencies" && i < len(list.Content) {
				return path.Join(s.dir, name), list.Content[i].Line
			}
		}
	}
	return path.Join(s.dir, "Chart.yaml"), 1
}
