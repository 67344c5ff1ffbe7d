package surface

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
	yamlv3 "go.yaml.in/yaml/v3"
	chartv2 "helm.sh/helm/v4/pkg/chart/v2"
	"sigs.k8s.io/yaml"

	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/render"
)

// declaring are the files of a chart that list its dependencies, and locking those that lock them. The second of each
// belongs to apiVersion v1.
var declaring, locking = []string{"Chart.yaml", "requirements.yaml"}, []string{"Chart.lock", "requirements.lock"}

// dependencies are the surfaces in the lists of dependencies of the released charts, and of charts that these read by
// file://: the version of an entry that names a chart released here, where it is that chart's version now.
func dependencies(tree fs.FS, c config.Config) []Surface { return naming(tree, c, sameVersion) }

// Ranges are the values in these lists that name a chart by a range of versions. They stay as they are: the range allows
// the new version of a released chart, or the chart is refused.
func Ranges(tree fs.FS, c config.Config) ([]Occurrence, error) {
	var all []Occurrence
	for _, s := range naming(tree, c, isRange) {
		content, err := fs.ReadFile(tree, s.Path)
		if err != nil {
			return nil, err
		}
		values, err := s.Read(content)
		if err != nil {
			return nil, err
		}
		for _, value := range values {
			all = append(all, Occurrence{s, value})
		}
	}
	return all, nil
}

// sameVersion tells whether an entry names the version that a chart has.
func sameVersion(entry, chart string) bool {
	return chart != "" && strings.TrimPrefix(entry, "v") == strings.TrimPrefix(chart, "v")
}

// isRange tells whether an entry names a range of versions.
func isRange(entry, _ string) bool {
	_, no := semver.NewVersion(entry)
	_, err := semver.NewConstraint(entry)
	return err == nil && (no != nil || strings.Count(entry, ".") < 2) // Helm takes 1.4 for all patches of it
}

// naming are the lists with entries that fit. fits gets the version that an entry says and that of the chart of the tree
// that it names; this one is empty if that chart is not released.
func naming(tree fs.FS, c config.Config, fits func(entry, chart string) bool) []Surface {
	released := map[string]string{} // version of each released chart, by its folder
	for _, chart := range c.Charts {
		var says struct{ Version string }
		content, err := fs.ReadFile(tree, path.Join(chart.Path, "Chart.yaml"))
		if err == nil && yaml.Unmarshal(content, &says) == nil {
			released[path.Clean(chart.Path)] = says.Version
		}
	}
	var found []Surface
	for _, folder := range dependents(tree, c) {
		for _, name := range slices.Concat(declaring, locking) {
			file := path.Join(folder, name)
			content, err := fs.ReadFile(tree, file)
			if err != nil {
				continue
			}
			if follows := following(content, folder, released, fits); len(follows) > 0 {
				found = append(found, Surface{Kind: "chart dependency", Path: file,
					locate: func(content []byte) ([]Value, error) { return dependencyVersions(content, follows) }})
			}
		}
	}
	return found
}

// dependents are the folders of the released charts and of those that they read by file://.
func dependents(tree fs.FS, c config.Config) []string {
	var folders []string
	for _, chart := range c.Charts {
		for _, folder := range render.Folders(tree, chart.Path) {
			if !slices.Contains(folders, folder) {
				folders = append(folders, folder)
			}
		}
	}
	return folders
}

// following are the indexes of the entries that fit.
func following(content []byte, folder string, released map[string]string, fits func(entry, chart string) bool) []int {
	var list struct{ Dependencies []*chartv2.Dependency }
	if yaml.Unmarshal(content, &list) != nil {
		return nil // the surface of the chart itself says what is wrong
	}
	var follows []int
	for i, d := range list.Dependencies {
		if d == nil {
			continue
		}
		at, local := render.Local(folder, d.Repository)
		if !local && d.Repository == "" {
			at, local = path.Join(folder, "charts", d.Name), true
		}
		if !local {
			at = ""
		}
		if fits(d.Version, released[at]) {
			follows = append(follows, i)
		}
	}
	return follows
}

// dependencyVersions are the versions of the entries with these indexes.
func dependencyVersions(content []byte, indexes []int) ([]Value, error) {
	root, err := document(content)
	if err != nil {
		return nil, err
	}
	list := child(root, "dependencies")
	var values []Value
	for _, i := range indexes {
		if list == nil || i >= len(list.Content) {
			return nil, fmt.Errorf("it has no dependency %d", i+1)
		}
		entry := list.Content[i]
		if entry.Kind == yamlv3.AliasNode {
			entry = entry.Alias
		}
		name, version := child(entry, "name"), child(entry, "version")
		if name == nil || version == nil {
			return nil, fmt.Errorf("line %d: the dependency has no name or no version of its own; write both", entry.Line)
		}
		value, err := scalar(content, version, "version of dependency "+name.Value, formOf(version.Value))
		if err != nil {
			return nil, err
		}
		value.Always = true // it names the version of a chart that follows
		values = append(values, value)
	}
	return values, nil
}

// relock brings the digests of lock files to what they lock, where they were right before. Helm refuses to fetch what a
// lock file names whose digest is another: it is that of the two lists of dependencies, and of no package.
func relock(tree fs.FS, c config.Config, edits map[string][]byte) {
	for _, folder := range dependents(tree, c) {
		for i := range locking {
			lists, lock := path.Join(folder, declaring[i]), path.Join(folder, locking[i])
			if edits[lists] == nil && edits[lock] == nil {
				continue
			}
			before := func(name string) []byte {
				content, _ := fs.ReadFile(tree, name) // of a file that is not there: nothing
				return content
			}
			after := func(name string) []byte {
				if edited := edits[name]; edited != nil {
					return edited
				}
				return before(name)
			}
			was, is := lockDigests(before(lists), before(lock)), lockDigests(after(lists), after(lock))
			for i := range min(len(was), len(is)) {
				if was[i] != is[i] && strings.Count(string(after(lock)), was[i]) == 1 {
					edits[lock] = []byte(strings.Replace(string(after(lock)), was[i], is[i], 1))
					break
				}
			}
		}
	}
}

// lockDigests are the digests that Helm may write into a lock file; none where the files cannot be read.
func lockDigests(lists, lock []byte) []string {
	var declared, locked struct{ Dependencies []*chartv2.Dependency }
	if len(lock) == 0 || yaml.Unmarshal(lists, &declared) != nil || yaml.Unmarshal(lock, &locked) != nil {
		return nil
	}
	return render.LockDigests(declared.Dependencies, locked.Dependencies)
}
