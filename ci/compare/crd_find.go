package compare

import (
	"cmp"
	"context"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/refusal"
)

// Way is how a CRD comes into a cluster.
type Way string

// The ways.
const (
	ByFolder   Way = "crds"     // it lies in the crds folder of a chart: Helm installs it with a new release only
	ByTemplate Way = "template" // a chart renders it by default: Helm installs, upgrades and deletes it
	ByValue    Way = "value"    // as ByTemplate, where values are set
	ByFile     Way = "file"     // no released chart brings it: users apply it
)

// Reach is where a CRD lies, and how it comes into a cluster.
type Reach struct {
	Way    Way      `json:"way"`
	File   string   `json:"file"`
	Chart  string   `json:"chart,omitempty"`  // the chart's name
	Values []string `json:"values,omitempty"` // that turn it on: PATH=VALUE
	Kept   bool     `json:"kept,omitempty"`   // Helm leaves it in the cluster when the chart renders it no more
}

// String says it in a few words.
func (r Reach) String() string {
	switch r.Way {
	case ByFolder:
		return "in the crds folder of chart " + r.Chart
	case ByTemplate:
		return "a template of chart " + r.Chart
	case ByValue:
		return "a template of chart " + r.Chart + " behind " + strings.Join(r.Values, ", ")
	}
	return "a file that users apply: " + r.File
}

// notReleased are folders whose CRDs are no copies of what is released.
var notReleased = []string{"vendor", "node_modules", "testdata", "test", "tests", "e2e", "third_party"}

// ofVersion is a folder that keeps what another version had, such as those of OLM's catalogs.
var ofVersion = regexp.MustCompile(`^v?\d+\.\d+`)

// InRelease tells whether a file lies in no folder of tests, of other projects or of other versions.
func InRelease(file string) bool {
	return !slices.ContainsFunc(strings.Split(path.Dir(file), "/"), func(folder string) bool {
		return slices.Contains(notReleased, folder) || ofVersion.MatchString(folder)
	})
}

// isManifest tells whether a file may hold objects of the release: YAML or JSON.
func isManifest(file string) bool {
	return slices.Contains([]string{".yaml", ".yml", ".json"}, path.Ext(file)) && InRelease(file)
}

// CRDRank tells which file with a CRD outside of what charts render counts, the lowest first: that of kubebuilder's
// folder, one of another folder with CRDs, one of a released chart, any other.
func CRDRank(charts []config.Chart, file string) int {
	inChart := slices.ContainsFunc(charts, func(c config.Chart) bool {
		return strings.HasPrefix(file, path.Clean(c.Path)+"/")
	})
	switch {
	case inChart:
		return 2
	case strings.Contains("/"+file, "/config/crd/"):
		return 0
	case strings.Contains(strings.ToLower(file), "crd"):
		return 1
	}
	return 3
}

// finder collects the CRDs of one version. Of several definitions of a name the first counts.
type finder struct {
	Side
	name  string
	found map[string]placed
	dark  map[string]dark    // files whose CRDs cannot be read, by path
	seen  map[string]*parsed // by content: most files are the same in both versions, and are read once
}

// dark is a file whose CRDs cannot be read, and why.
type dark struct {
	text string
	err  error
}

// crds compares the CRDs of both versions, in all places.
func (c *comparison) crds(ctx context.Context, charts []pair) error {
	seen := map[string]*parsed{}
	sides := []*finder{
		{Side: c.older, name: olderSide, found: map[string]placed{}, seen: seen, dark: map[string]dark{}},
		{Side: c.newer, name: newerSide, found: map[string]placed{}, seen: seen, dark: map[string]dark{}},
	}
	for i, f := range sides {
		for _, p := range charts {
			one := []*chart{p.older, p.newer}[i]
			if one == nil || one.rendered == nil {
				continue
			}
			if err := c.add(CRD, "what chart "+one.Path+" has of CRDs", "chart", one.Path)(nil, of(f.name, f.ofChart(ctx, one))); err != nil {
				return err
			}
		}
		files, err := f.files(ctx)
		if err != nil {
			return err
		}
		for _, file := range files {
			if err := f.ofFile(file); err != nil {
				return err
			}
		}
	}
	if err := c.tellDark(sides[0], sides[1]); err != nil {
		return err
	}
	if len(sides[0].found)+len(sides[1].found) == 0 {
		f := New(Info, CRD, "none")
		f.What = "no CRD was found in either version"
		c.findings = append(c.findings, f)
	}
	for i, f := range sides { // what may stand in a text that cannot be read is neither new nor gone
		other := sides[1-i]
		maps.DeleteFunc(f.found, func(name string, _ placed) bool {
			_, there := other.found[name]
			return !there && mentions(other.dark, name)
		})
	}
	c.findings = append(c.findings, compareCRDs(sides[0].found, sides[1].found)...)
	return nil
}

// tellDark says which files are not compared: those that cannot be read, unless they are the same in both versions.
func (c *comparison) tellDark(older, newer *finder) error {
	for _, file := range union(older.dark, newer.dark) {
		was, wasDark := older.dark[file]
		is, isDark := newer.dark[file]
		if wasDark && isDark && was.text == is.text {
			continue
		}
		known := len(c.findings)
		err := of(newer.name, is.err)
		if !isDark {
			err = of(older.name, was.err)
		}
		if err := c.add(CRD, file, "file", file)(nil, err); err != nil {
			return err
		}
		if CRDRank(newer.Config.Charts, file) > 1 { // perhaps it is not released
			c.findings[known].Severity = Info
		}
	}
	return nil
}

// mentions tells whether what may stand in files that cannot be read includes a CRD.
func mentions(files map[string]dark, name string) bool {
	for _, d := range files {
		if strings.Contains(d.text, name) {
			return true
		}
	}
	return false
}

// files are the files of the tree that speak of CRDs, in the order in which they count.
func (f *finder) files(ctx context.Context) ([]string, error) {
	places, err := f.repository.Grep(ctx, f.commit, []string{"CustomResourceDefinition"}, nil)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, p := range places {
		e, ok := f.Tree.Entry(p.Path)
		if ok && strings.HasPrefix(e.Mode, "100") && isManifest(p.Path) && !slices.Contains(files, p.Path) {
			files = append(files, p.Path)
		}
	}
	slices.SortStableFunc(files, func(a, b string) int {
		return cmp.Compare(CRDRank(f.Config.Charts, a), CRDRank(f.Config.Charts, b))
	})
	return files, nil
}

// ofFile takes the CRDs of a file that users apply. Of a template of which no CRD was rendered it takes what is plain.
func (f *finder) ofFile(file string) error {
	content, err := f.Tree.ReadFile(file)
	if err != nil {
		return err
	}
	text, reach := string(content), Reach{Way: ByFile, File: file}
	err = f.take(text, reach, false)
	if refusal.Is(err) {
		f.dark[file] = dark{text, err}
		return nil
	}
	if err != nil || !f.seen[text].template {
		return err
	}
	known := len(f.found)
	for _, d := range f.found {
		if d.file == file {
			return nil
		}
	}
	if err := f.take(withoutExpressions(text, false), reach, false); err != nil && !refusal.Is(err) {
		return err
	}
	maps.DeleteFunc(f.found, func(name string, _ placed) bool { return strings.Contains(name, Templated) })
	if len(f.found) == known {
		f.dark[file] = dark{text, refusal.New("read the CRDs: %s is a template, and no values were found with which it makes one", file)}
	}
	return nil
}

// ofChart takes the CRDs of a chart: those that Helm installs once, those that it renders by default, and those that it
// renders once values are set.
func (f *finder) ofChart(ctx context.Context, one *chart) error {
	read := map[string]bool{}
	for _, doc := range one.rendered.Documents {
		if !definesKind.MatchString(doc.Text) {
			continue
		}
		reach := Reach{Way: ByTemplate, File: doc.File, Chart: one.source.Name()}
		if !doc.Once {
			if err := f.take(doc.Text, reach, true); err != nil {
				return err
			}
			continue
		}
		reach.Way = ByFolder
		text, rendered := doc.Text, true
		if content, err := fs.ReadFile(f.Tree, doc.File); err == nil { // else it lies in a package
			text, rendered = string(content), false
		}
		if !rendered && read[doc.File] {
			continue
		}
		read[doc.File] = true
		if err := f.take(text, reach, rendered); err != nil {
			return err
		}
	}
	return f.turnedOn(ctx, one)
}

// turnedOn takes the CRDs that a chart renders once the values are set that they hang on.
func (f *finder) turnedOn(ctx context.Context, one *chart) error {
	docs, values, err := one.source.WithCRDs(ctx, one.rendered.Instead)
	if err != nil {
		return err
	}
	for _, doc := range docs {
		if doc.Once && slices.Contains(one.rendered.Documents, doc) || !definesKind.MatchString(doc.Text) {
			continue
		}
		if err := f.take(doc.Text, Reach{Way: ByValue, File: doc.File, Chart: one.source.Name(), Values: values}, true); err != nil {
			return err
		}
	}
	return nil
}

// kept is Helm's annotation of what stays when a chart renders it no more.
var kept = regexp.MustCompile(`["']?helm\.sh/resource-policy["']?:\s*["']?keep\b`)

// take takes the CRDs of a text. The lines of what a template rendered lead nowhere.
func (f *finder) take(text string, reach Reach, rendered bool) error {
	p := f.seen[text]
	if p == nil {
		var err error
		if p, err = parse(reach.File, []byte(text)); err != nil {
			return err
		}
		f.seen[text] = p
	}
	reach.Kept = kept.MatchString(text)
	for _, d := range p.definitions {
		if _, there := f.found[d.name]; !there {
			f.found[d.name] = placed{d, reach.File, reach, rendered}
		}
	}
	return nil
}
