package compare

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/render"
)

var (
	// chartFile marks the folder of a chart. Some projects keep a template of it, and fill the version in.
	chartFile = regexp.MustCompile(`^Chart(?:\.[\w-]+)?\.ya?ml$`)
	// ofChartAlone are files of a chart that change nothing in a cluster.
	ofChartAlone = regexp.MustCompile(`^(?:Chart\..*|README\..*|CHANGELOG\..*|[^/]*\.md|tests/.*|ci/.*)$`)
)

// unnamedCharts tells charts that differ between the versions, and that the settings do not name: they are not
// compared. Examples do not count.
func (c *comparison) unnamedCharts() {
	was, now := unnamedCharts(c.older), unnamedCharts(c.newer)
	folders := inOrderOf(now)
	for folder := range was {
		if now[folder] == nil {
			folders = append(folders, folder)
		}
	}
	slices.Sort(folders)
	for _, folder := range folders {
		if slices.Equal(was[folder], now[folder]) {
			continue
		}
		f := New(Info, Objects, folder, "not-compared")
		f.What = "the chart in " + folder + " differs and is not compared: charts in " + config.File + " does not name it"
		f.NotCompared = true
		c.findings = append(c.findings, f)
	}
}

// unnamedCharts are the files of the charts that the settings of a version do not name, by folder.
func unnamedCharts(side Side) map[string][]git.Entry {
	var released []string
	for _, chart := range side.Config.Charts {
		released = append(released, render.Folders(side.Tree, chart.Path)...)
	}
	entries := side.Tree.Entries()
	var folders []string
	for _, e := range entries {
		dir := path.Dir(e.Path)
		if dir != "." && chartFile.MatchString(path.Base(e.Path)) && InRelease(e.Path) && !isExample(e.Path) &&
			!within(released, dir) && !within(folders, dir) {
			folders = append(folders, dir)
		}
	}
	files := map[string][]git.Entry{}
	for _, e := range entries {
		for _, folder := range folders {
			if name, ok := strings.CutPrefix(e.Path, folder+"/"); ok && !ofChartAlone.MatchString(name) {
				files[folder] = append(files[folder], e)
			}
		}
	}
	return files
}

// within tells whether a folder is one of some, or lies in one.
func within(folders []string, dir string) bool {
	return slices.ContainsFunc(folders, func(folder string) bool {
		return dir == folder || strings.HasPrefix(dir, folder+"/")
	})
}
