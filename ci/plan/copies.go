package plan

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/git"
)

// notReleased are folders whose CRDs are no copies of what is released.
var notReleased = []string{"vendor", "node_modules", "testdata", "test", "tests", "e2e", "third_party"}

// ofVersion is a folder that keeps what another version had, such as those of OLM's catalogs.
var ofVersion = regexp.MustCompile(`^v?\d+\.\d+`)

// copied is a CRD in a file of the tree.
type copied struct {
	file string
	spec any
}

// templated stands in a value for what a template fills in.
const templated = "operator-release-templated"

// checkCopies compares the CRDs of one name in all YAML and JSON files of the tree: those that tools make of types,
// those of charts, those of installers. Labels, annotations, descriptions and what templates fill in do not count, nor
// does a conversion that only one has. Copies that differ are told. They block a final version if the settings name a
// command that makes one of them.
func (m *maker) checkCopies(ctx context.Context, tree *git.Tree) error {
	if m.Again { // the version is what it was
		return nil
	}
	copies, err := m.copies(ctx, tree)
	if err != nil {
		return err
	}
	_, candidate := m.plan.Version.Candidate()
	for _, name := range slices.Sorted(maps.Keys(copies)) {
		all := copies[name]
		slices.SortStableFunc(all, func(a, b copied) int { return cmp.Compare(m.rank(a.file), m.rank(b.file)) })
		for _, other := range all[1:] {
			at := firstDifference(all[0].spec, other.spec, "spec")
			if at == "" {
				continue
			}
			text := fmt.Sprintf("the CRD %s is not the same in %s and %s: they differ at %s", name, all[0].file, other.file, at)
			wayOut := ""
			if command := m.commandFor(other.file); command != "" {
				wayOut = fmt.Sprintf("run `%s` and commit what it changes", command)
			} else if command := m.commandFor(all[0].file); command != "" {
				wayOut = fmt.Sprintf("make %s of what `%s` gives, and commit it", other.file, command)
			}
			switch {
			case wayOut == "":
				m.notice("%s; bring them together, and name the command that does so under `generated`", text)
			case candidate:
				m.notice("%s; %s", text, wayOut)
			default:
				m.against("%s; %s", text, wayOut)
			}
		}
	}
	return nil
}

// rank tells which copy of a CRD the others are compared with, the lowest: that of kubebuilder's folder, then one of
// another folder with CRDs, then that of a chart.
func (m *maker) rank(file string) int {
	inChart := slices.ContainsFunc(m.plan.Config.Charts, func(c config.Chart) bool {
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

// copies are the CRDs of the tree by name. It notes the files in which one could not be read.
func (m *maker) copies(ctx context.Context, tree *git.Tree) (map[string][]copied, error) {
	places, err := m.Repository.Grep(ctx, m.base.ID, []string{"CustomResourceDefinition"}, nil)
	if err != nil {
		return nil, err
	}
	all, unread, last := map[string][]copied{}, []string{}, ""
	for _, place := range places {
		folders := strings.Split(path.Dir(place.Path), "/")
		if place.Path == last || !slices.Contains([]string{".yaml", ".yml", ".json"}, path.Ext(place.Path)) ||
			slices.ContainsFunc(folders, func(f string) bool {
				return slices.Contains(notReleased, f) || ofVersion.MatchString(f)
			}) {
			continue
		}
		last = place.Path
		e, ok := tree.Entry(place.Path)
		if !ok || !strings.HasPrefix(e.Mode, "100") {
			continue
		}
		content, err := tree.ReadFile(place.Path)
		if err != nil {
			return nil, err
		}
		definitions, complete := readDefinitions(string(content))
		if !complete {
			unread = append(unread, place.Path)
		}
		for _, name := range slices.Sorted(maps.Keys(definitions)) {
			all[name] = append(all[name], copied{place.Path, definitions[name]})
		}
	}
	if len(unread) > 0 {
		m.notice("CRDs in these files were not compared with those elsewhere, because templates make them, "+
			"or they are no YAML: %s", strings.Join(unread, ", "))
	}
	return all, nil
}

// checkGenerated refuses rules of the settings that no file of the commit matches: nothing would be compared.
func (m *maker) checkGenerated(_ context.Context, tree *git.Tree) error {
	if m.Again || len(m.generated) == 0 {
		return nil
	}
	var files []string
	for _, e := range tree.Entries() {
		files = append(files, e.Path)
	}
	for i, g := range m.generated {
		unmatched, err := g.Unmatched(files)
		if err != nil {
			return err
		}
		makes, err := g.Matcher()
		switch {
		case err != nil:
			return err
		case !slices.ContainsFunc(files, makes):
			m.against("generated[%d] matches no file of the commit: %s; name the files that `%s` makes, "+
				"and commit them, or take the rule out of %s", i, strings.Join(g.Paths, ", "), g.Command, config.File)
		case len(unmatched) > 0:
			m.notice("generated[%d] names paths that match no file of the commit: %s; `%s` may make other files",
				i, strings.Join(unmatched, ", "), g.Command)
		}
	}
	return nil
}

// commandFor is a command of the settings that makes a file; empty if there is none.
func (m *maker) commandFor(file string) string {
	for _, g := range m.generated {
		makes, err := g.Matcher()
		if err == nil && makes(file) {
			return g.Command
		}
	}
	return ""
}

var (
	markerLine = regexp.MustCompile(`(?m)^[ \t]*\{\{.*\}\}[ \t]*$`)
	marker     = regexp.MustCompile(`\{\{[^}]*\}\}`)
)

// document is what begins another YAML document.
var document = regexp.MustCompile(`(?m)^---([ \t].*)?\r?$`)

// readDefinitions gives the specs of the CRDs in a file by name, and by API version if that is an old one. Markers of
// templates on lines of their own are left out, and a patch of kustomize is no CRD. It is not complete if a document
// that speaks of CRDs is no YAML, or if a template names one.
func readDefinitions(text string) (found map[string]any, complete bool) {
	text = marker.ReplaceAllString(markerLine.ReplaceAllString(text, ""), templated)
	found, complete = map[string]any{}, true
	var take func(node any)
	take = func(node any) {
		object, _ := node.(map[string]any)
		items, _ := object["items"].([]any) // of a list
		for _, item := range items {
			take(item)
		}
		metadata, _ := object["metadata"].(map[string]any)
		name, _ := metadata["name"].(string)
		spec, _ := object["spec"].(map[string]any)
		patch := spec["group"] == nil || spec["names"] == nil || spec["versions"] == nil
		switch {
		case object["kind"] != "CustomResourceDefinition" || name == "" || patch:
			return
		case strings.Contains(name, templated):
			complete = false
			return
		case object["apiVersion"] != "apiextensions.k8s.io/v1":
			name += fmt.Sprintf(" (%v)", object["apiVersion"])
		}
		found[name] = spec
	}
	for _, part := range document.Split(text, -1) {
		if !strings.Contains(part, "CustomResourceDefinition") {
			continue
		}
		var node any
		if err := yaml.Unmarshal([]byte(part), &node); err != nil {
			complete = false
		}
		take(node)
	}
	return found, complete
}

// firstDifference is the path of the first value in which two specs differ; empty if there is none. A description, and
// what a template fills in, is no difference.
func firstDifference(a, b any, at string) string {
	for _, side := range []any{a, b} {
		if text, ok := side.(string); ok && strings.Contains(text, templated) {
			return ""
		}
	}
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok {
			return at
		}
		names := slices.AppendSeq(slices.Collect(maps.Keys(x)), maps.Keys(y))
		slices.Sort(names)
		for _, name := range slices.Compact(names) {
			one, other := x[name], y[name]
			if at == "spec" && name == "conversion" && (one == nil || other == nil) {
				continue // patches add it
			}
			if _, text := one.(string); name == "description" && (text || one == nil) {
				if _, text := other.(string); text || other == nil {
					continue
				}
			}
			if where := firstDifference(one, other, at+"."+name); where != "" {
				return where
			}
		}
		return ""
	case []any:
		y, ok := b.([]any)
		if !ok || len(x) != len(y) {
			return at
		}
		for i := range x {
			if where := firstDifference(x[i], y[i], fmt.Sprintf("%s[%d]", at, i)); where != "" {
				return where
			}
		}
		return ""
	}
	if !reflect.DeepEqual(a, b) {
		return at
	}
	return ""
}
