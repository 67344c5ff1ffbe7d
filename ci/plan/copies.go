package plan

import (
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
var notReleased = []string{"vendor", "node_modules", "testdata", "test", "tests", "e2e", "docs", "examples", "hack",
	"third_party"}

// copied is a CRD in a file of the tree.
type copied struct {
	file string
	spec any
}

// templated stands in a value for what a template fills in.
const templated = "operator-release-templated"

// checkCopies compares the CRDs of the charts with those elsewhere in the tree, which are mostly made from the same
// types. Labels, annotations, descriptions and what templates fill in do not count, nor does a conversion that only one
// has. Copies that differ are told. They block a final version if the settings name a command that makes one of them.
func (m *maker) checkCopies(_ context.Context, tree *git.Tree) error {
	if m.Again { // the version is what it was
		return nil
	}
	inCharts, elsewhere, err := m.copies(tree)
	if err != nil {
		return err
	}
	_, candidate := m.plan.Version.Candidate()
	for _, name := range slices.Sorted(maps.Keys(inCharts)) {
		for _, one := range inCharts[name] {
			for _, other := range elsewhere[name] {
				at := firstDifference(other.spec, one.spec, "spec")
				if at == "" {
					continue
				}
				text := fmt.Sprintf("the CRD %s is not the same in %s and %s: they differ at %s", name, other.file, one.file, at)
				command := m.commandFor(one.file, other.file)
				switch {
				case command == "":
					m.notice("%s; bring them together, and name the command that does so under `generated`", text)
				case candidate:
					m.notice("%s; run `%s` and commit what it changes", text, command)
				default:
					m.against("%s; run `%s` and commit what it changes", text, command)
				}
			}
		}
	}
	return nil
}

// copies are the CRDs of the tree by name: those of charts, and the others.
func (m *maker) copies(tree *git.Tree) (inCharts, elsewhere map[string][]copied, err error) {
	inCharts, elsewhere = map[string][]copied{}, map[string][]copied{}
	for _, e := range tree.Entries() {
		folders := strings.Split(path.Dir(e.Path), "/")
		if !strings.HasPrefix(e.Mode, "100") || !slices.Contains([]string{".yaml", ".yml"}, path.Ext(e.Path)) ||
			!strings.Contains(strings.ToLower(e.Path), "crd") ||
			slices.ContainsFunc(folders, func(f string) bool { return slices.Contains(notReleased, f) }) {
			continue
		}
		content, err := tree.ReadFile(e.Path)
		if err != nil {
			return nil, nil, err
		}
		into := elsewhere
		if slices.ContainsFunc(m.plan.Config.Charts, func(c config.Chart) bool {
			return strings.HasPrefix(e.Path,
				path.Clean(c.Path)+"/")
		}) {
			into = inCharts
		}
		for name, spec := range readDefinitions(string(content)) {
			into[name] = append(into[name], copied{e.Path, spec})
		}
	}
	return inCharts, elsewhere, nil
}

// commandFor is a command of the settings that makes one of these files; empty if there is none.
func (m *maker) commandFor(files ...string) string {
	for _, g := range m.generated {
		makes, err := g.Matcher()
		if err == nil && slices.ContainsFunc(files, makes) {
			return g.Command
		}
	}
	return ""
}

var (
	markerLine = regexp.MustCompile(`(?m)^[ \t]*\{\{.*\}\}[ \t]*$`)
	marker     = regexp.MustCompile(`\{\{[^}]*\}\}`)
)

// readDefinitions gives the specs of the CRDs in a file by name. Markers of templates on lines of their own are left
// out. A file that is no YAML then, or that a template names, has none.
func readDefinitions(text string) map[string]any {
	text = marker.ReplaceAllString(markerLine.ReplaceAllString(text, ""), templated)
	found := map[string]any{}
	decoder := yaml.NewDecoder(strings.NewReader(text))
	for {
		var object struct {
			Kind     string
			Metadata struct{ Name string }
			Spec     map[string]any
		}
		if err := decoder.Decode(&object); err != nil {
			return found // the gate says what is wrong with it
		}
		patch := object.Spec["group"] == nil || object.Spec["names"] == nil || object.Spec["versions"] == nil // of kustomize
		if object.Kind == "CustomResourceDefinition" && object.Metadata.Name != "" && !patch {
			found[object.Metadata.Name] = object.Spec
		}
	}
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
