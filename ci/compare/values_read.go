package compare

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	helmyaml "sigs.k8s.io/yaml"

	"github.com/operator-release/operator-release/ci/refusal"
)

// chartValues are the defaults of one version of a chart.
type chartValues struct {
	chart    string
	own      own
	file     string // its values.yaml
	root     *yaml.Node
	lines    []string
	schema   *yaml.Node // nil where there is none
	schemaIn string     // its values.schema.json
}

func readValues(tree fs.FS, side, dir string) (chartValues, error) {
	v := chartValues{file: path.Join(dir, "values.yaml"), schemaIn: path.Join(dir, "values.schema.json")}
	meta := path.Join(dir, "Chart.yaml")
	content, err := fs.ReadFile(tree, meta)
	if errors.Is(err, fs.ErrNotExist) {
		return v, refusal.New("compare the values of the chart %s: the %s version has no %s, so there is nothing to compare with: %w", dir, side, meta, err)
	}
	if err != nil {
		return v, fmt.Errorf("read %s of the %s version: %w", meta, side, err)
	}
	var chart struct {
		Name       string
		Version    string
		AppVersion string `yaml:"appVersion"`
	}
	if err := yaml.Unmarshal(content, &chart); err != nil || chart.Name == "" {
		return v, refusal.New("read %s of the %s version: it is no chart's: %w; give it a name and a version", meta, side, cmpErr(err, "it has no name"))
	}
	v.chart, v.own = chart.Name, ownOf(chart.Version, chart.AppVersion)

	content, err = fs.ReadFile(tree, v.file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return v, fmt.Errorf("read %s of the %s version: %w", v.file, side, err)
	}
	if v.root, err = readMap(v.file, side, content); err != nil {
		return v, err
	}
	v.lines = strings.Split(string(content), "\n")

	content, err = fs.ReadFile(tree, v.schemaIn)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return v, nil
	case err != nil:
		return v, fmt.Errorf("read %s of the %s version: %w", v.schemaIn, side, err)
	}
	v.schema, err = readValuesSchema(v.schemaIn, side, content)
	return v, err
}

func cmpErr(err error, otherwise string) error {
	if err == nil {
		return errors.New(otherwise)
	}
	return err
}

// mostNodes is how much a file of values may unfold to; the largest charts have some ten thousand.
const (
	mostNodes  = 500_000
	mostNested = 1_000
)

// readMap reads a file that holds a map, or nothing. Several documents are one map, as Helm has it.
func readMap(file, side string, content []byte) (*yaml.Node, error) {
	all := &yaml.Node{Kind: yaml.MappingNode, Line: 1}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	for {
		var document yaml.Node
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, refusal.New("read %s of the %s version: %w; correct it", file, side, err)
		}
		budget := mostNodes
		if n := unfold(&document, 0, &budget); n != nil {
			return nil, refusal.New("read %s of the %s version: what line %d holds unfolds to more than %d values, or nests deeper than %d; take aliases out of it",
				file, side, n.Line, mostNodes, mostNested)
		}
		switch root := resolved(&document); {
		case isUnset(root):
		case root.Kind == yaml.MappingNode:
			all.Content = append(all.Content, root.Content...)
		default:
			return nil, refusal.New("read %s of the %s version: line %d begins a %s, where values are a map; correct it", file, side, root.Line, kindOf(root))
		}
	}
}

// unfold follows aliases as long as the budget lasts, and gives the node at which it does no longer.
func unfold(n *yaml.Node, depth int, budget *int) *yaml.Node {
	n = resolved(n)
	if *budget--; *budget < 0 || depth > mostNested {
		return n
	}
	for _, child := range n.Content {
		if found := unfold(child, depth+1, budget); found != nil {
			return found
		}
	}
	return nil
}

// resolved gives what a document or an alias stands for.
func resolved(n *yaml.Node) *yaml.Node {
	for {
		switch {
		case n.Kind == yaml.DocumentNode && len(n.Content) > 0:
			n = n.Content[0]
		case n.Kind == yaml.AliasNode && n.Alias != nil:
			n = n.Alias
		default:
			return n
		}
	}
}

func isUnset(n *yaml.Node) bool {
	return n.Kind == 0 || n.Kind == yaml.DocumentNode || n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null"
}

// kindOf is what a user sets a value to: a scalar, a list or a map; empty where nothing tells.
func kindOf(n *yaml.Node) string {
	switch {
	case isUnset(n):
		return ""
	case n.Kind == yaml.MappingNode:
		return "map"
	case n.Kind == yaml.SequenceNode:
		return "list"
	}
	return "scalar"
}

// entry is one key of a map, with its value.
type entry struct {
	key   string
	at    *yaml.Node // the key
	value *yaml.Node // resolved
}

// entries are those of a map by key, merged ones (<<) included; of a key that stands twice the last one counts, as for Helm.
func entries(n *yaml.Node) map[string]entry {
	all := map[string]entry{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if key, value := n.Content[i], resolved(n.Content[i+1]); isMerge(key) {
			from := []*yaml.Node{value}
			if value.Kind == yaml.SequenceNode {
				from = value.Content
			}
			for _, m := range slices.Backward(from) { // the first of several counts most
				if m = resolved(m); m.Kind == yaml.MappingNode {
					for key, e := range entries(m) {
						all[key] = e
					}
				}
			}
		}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if key := n.Content[i]; !isMerge(key) {
			name := resolved(key)
			text := name.Value
			if name.Kind != yaml.ScalarNode {
				text = shown(name, own{})
			} else if tag, said := scalarOf(name); tag == "!!bool" {
				text = said // as Helm calls the key on:
			}
			all[text] = entry{text, key, resolved(n.Content[i+1])}
		}
	}
	return all
}

func isMerge(key *yaml.Node) bool {
	return key.Kind == yaml.ScalarNode && key.Value == "<<" && (key.Tag == "" || key.Tag == "!" || key.ShortTag() == "!!merge")
}

// inOrder are the entries of a map by line, then by key.
func inOrder(all map[string]entry) []entry {
	var list []entry
	for _, e := range all {
		list = append(list, e)
	}
	slices.SortFunc(list, func(a, b entry) int {
		if a.at.Line != b.at.Line {
			return a.at.Line - b.at.Line
		}
		return strings.Compare(a.key, b.key)
	})
	return list
}

// shown is a value on one line, not longer than a line may be, the chart's own version marked. Equal values may be shown differently: their maps in another order.
func shown(n *yaml.Node, o own) string {
	const most = 240
	var b strings.Builder
	var write func(n *yaml.Node)
	write = func(n *yaml.Node) {
		n = resolved(n)
		if b.Len() > most {
			return
		}
		switch {
		case isUnset(n):
			b.WriteString("null")
		case n.Kind == yaml.MappingNode:
			b.WriteString("{")
			for i, e := range inOrder(entries(n)) {
				if i > 0 {
					b.WriteString(", ")
				}
				b.WriteString(e.key + ": ")
				write(e.value)
			}
			b.WriteString("}")
		case n.Kind == yaml.SequenceNode:
			b.WriteString("[")
			for i, item := range n.Content {
				if i > 0 {
					b.WriteString(", ")
				}
				write(item)
			}
			b.WriteString("]")
		default:
			switch tag, said := scalarOf(n); {
			case tag == "!!str" && !unquoted.MatchString(said):
				b.WriteString(strconv.Quote(o.unversioned(said)))
			case tag == "!!str" && ambiguous(said):
				b.WriteString(strconv.Quote(said))
			case tag == "!!bool":
				b.WriteString(said)
			default:
				b.WriteString(o.unversioned(n.Value))
			}
		}
	}
	write(n)
	return shortened(b.String(), most)
}

var unquoted = regexp.MustCompile(`^[A-Za-z0-9/][A-Za-z0-9 ./:@_+=-]*$`)

// ambiguous tells whether a text would be something else without its quotes.
func ambiguous(text string) bool {
	tag, _ := scalarOf(&yaml.Node{Kind: yaml.ScalarNode, Value: text})
	return tag != "!!str"
}

// scalarOf is what Helm takes a scalar for, by YAML 1.1: off is false, 0x10 is 16, and all numbers are of one kind.
func scalarOf(n *yaml.Node) (tag, value string) {
	if n.Style != 0 { // quoted, a block, or with a tag of its own
		return n.ShortTag(), n.Value
	}
	var read struct{ V any }
	if helmyaml.Unmarshal([]byte("v: "+n.Value), &read) != nil {
		return n.ShortTag(), n.Value
	}
	switch v := read.V.(type) {
	case bool:
		return "!!bool", strconv.FormatBool(v)
	case float64:
		return "!!float", strconv.FormatFloat(v, 'g', -1, 64)
	}
	return "!!str", n.Value
}

// canonical is a text that two values share exactly if they are equal, whatever their order, quotes and comments.
func canonical(n *yaml.Node, o own) string {
	var b strings.Builder
	var write func(n *yaml.Node)
	write = func(n *yaml.Node) {
		n = resolved(n)
		switch {
		case isUnset(n):
			b.WriteString("null")
		case n.Kind == yaml.MappingNode:
			b.WriteString("{")
			all := entries(n)
			for _, key := range inOrderOf(all) {
				b.WriteString(strconv.Quote(key) + ":")
				write(all[key].value)
				b.WriteString(",")
			}
			b.WriteString("}")
		case n.Kind == yaml.SequenceNode:
			b.WriteString("[")
			for _, item := range n.Content {
				write(item)
				b.WriteString(",")
			}
			b.WriteString("]")
		default:
			tag, said := scalarOf(n)
			if marked := o.unversioned(n.Value); marked != n.Value {
				said = marked
			}
			if tag != "!!str" {
				b.WriteString(tag + " ")
			}
			b.WriteString(strconv.Quote(said))
		}
	}
	write(n)
	return b.String()
}

// comment is what stands right above a line, without the marks of a comment.
func (v *chartValues) comment(line int) string {
	var text []string
	for i := line - 2; i >= 0 && i < len(v.lines) && len(text) < 20; i-- {
		above, ok := strings.CutPrefix(strings.TrimSpace(v.lines[i]), "#")
		if !ok {
			break
		}
		text = append(text, strings.TrimSpace(above))
	}
	slices.Reverse(text)
	return strings.Join(text, " ")
}
