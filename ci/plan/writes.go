package plan

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"

	"sigs.k8s.io/yaml"

	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/writes"
)

// listWrites lists what a publication to the configured destinations writes, and what it leaves out.
func (m *maker) listWrites(tree *git.Tree, to *config.Destinations) error {
	p := &m.plan
	v := writes.Version{Version: p.Version, Commit: p.Commit, Branch: p.Branch, Artifacts: p.Config.Artifacts}
	for _, module := range p.Modules {
		v.Tags = append(v.Tags, module.Tag)
	}
	v.Tags = append(v.Tags, p.Version.String())
	for _, image := range p.Images {
		if image.How != config.LeftOut {
			v.Images = append(v.Images, image.Repository)
		}
	}
	for _, chart := range p.Config.Charts {
		name, err := chartName(tree, chart.Path)
		if err != nil {
			return err
		}
		v.Charts = append(v.Charts, chart.Repository+"/"+name)
	}
	if to != nil {
		v.Backup, v.GitHub, v.Index = to.Backup, to.GitHub, to.Index
	}
	for _, d := range []struct{ name, flag, at string }{
		{"backup", "--backup", v.Backup}, {"release page", "--github", v.GitHub}, {"chart index", "--index", v.Index},
	} {
		if d.at == "" {
			p.NotWritten = append(p.NotWritten, fmt.Sprintf("%s: the settings name none; %s of publish does", d.name, d.flag))
		}
	}
	leads, stay := writes.Leads(p.Config.Floating, p.Version, m.tags.Versions())
	v.Floating = leads
	for _, tag := range slices.Sorted(maps.Keys(stay)) {
		p.NotWritten = append(p.NotWritten, fmt.Sprintf("floating tag %s: it stays at %s, which is newer; "+
			"publication moves it if that version is rolled back", tag, stay[tag]))
	}
	p.Writes = writes.List(v)
	return nil
}

// chartName is the name in a Chart.yaml. The gate says what is wrong with one that cannot be read.
func chartName(tree fs.FS, dir string) (string, error) {
	var chart struct{ Name string }
	content, err := fs.ReadFile(tree, path.Join(dir, "Chart.yaml"))
	if err != nil {
		return "", fmt.Errorf("list the writes of chart %s: %w", dir, err)
	}
	if err := yaml.Unmarshal(content, &chart); err != nil || chart.Name == "" {
		return path.Base(dir), nil
	}
	return chart.Name, nil
}
