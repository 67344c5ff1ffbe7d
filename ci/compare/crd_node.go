package compare

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// What a document may hold, its aliases followed: a cluster takes none of more than 1.5 MiB (etcd's limit), and one of 12,000 lines has fewer than ten thousand nodes that are read.
const (
	maxNodes = 1 << 18
	maxDepth = 400
	maxPath  = 4000 // letters of a field's path
)

// reader reads CustomResourceDefinitions from the nodes of a document. After the first thing that is wrong it reads nothing more.
type reader struct {
	found        []*definition
	wrong        *wrong
	nodes, depth int
}

type wrong struct {
	line int
	text string
}

func (r *reader) fail(n *yaml.Node, format string, args ...any) {
	if r.wrong == nil {
		r.wrong = &wrong{n.Line, fmt.Sprintf(format, args...)}
	}
}

// enter follows an alias and counts; it gives nothing where reading has to end. Else leave follows.
func (r *reader) enter(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode && n.Alias != nil {
		n = n.Alias
	}
	r.nodes += 1 + len(n.Value)/32
	if r.nodes > maxNodes {
		r.fail(n, "it is too large once its aliases are followed")
	} else if r.depth >= maxDepth {
		r.fail(n, "it is nested too deeply, or an anchor holds itself")
	}
	if r.wrong != nil {
		return nil
	}
	r.depth++
	return n
}

func (r *reader) leave() { r.depth-- }

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// article names what a node is.
func article(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	return shortened(strconv.Quote(n.Value), most)
}

// mapping hands out the entries of a mapping, those that are merged into it (<<) before its own ones. Null is an empty one.
func (r *reader) mapping(n *yaml.Node, what string, each func(key string, at, value *yaml.Node)) {
	if n = r.enter(n); n == nil {
		return
	}
	defer r.leave()
	if isNull(n) {
		return
	}
	if n.Kind != yaml.MappingNode {
		r.fail(n, "%s must be a mapping, found %s", what, article(n))
		return
	}
	own := make(map[string]bool, len(n.Content)/2)
	merged := false
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Kind == yaml.AliasNode && key.Alias != nil {
			key = key.Alias
		}
		switch {
		case key.Kind != yaml.ScalarNode:
			r.fail(key, "a key of %s must be text, found %s", what, article(key))
			return
		case key.ShortTag() == "!!merge":
			merged = true
		case own[key.Value]:
			r.fail(key, "%s holds the key %s twice", what, shortened(strconv.Quote(key.Value), most))
			return
		default:
			own[key.Value] = true
		}
	}
	for i := 0; merged && i+1 < len(n.Content); i += 2 {
		if n.Content[i].ShortTag() != "!!merge" {
			continue
		}
		one := func(from *yaml.Node) {
			r.mapping(from, what, func(key string, at, value *yaml.Node) {
				if !own[key] {
					own[key] = true
					each(key, at, value)
				}
			})
		}
		if from := n.Content[i+1]; from.Kind == yaml.SequenceNode {
			r.list(from, what, one)
		} else {
			one(from)
		}
	}
	for i := 0; i+1 < len(n.Content) && r.wrong == nil; i += 2 {
		if key := n.Content[i]; !merged || key.ShortTag() != "!!merge" {
			if key.Kind == yaml.AliasNode && key.Alias != nil {
				key = key.Alias
			}
			each(key.Value, n.Content[i], n.Content[i+1])
		}
	}
}

func (r *reader) list(n *yaml.Node, what string, each func(item *yaml.Node)) {
	if n = r.enter(n); n == nil {
		return
	}
	defer r.leave()
	if isNull(n) {
		return
	}
	if n.Kind != yaml.SequenceNode {
		r.fail(n, "%s must be a list, found %s", what, article(n))
		return
	}
	for _, item := range n.Content {
		if r.wrong != nil {
			return
		}
		each(item)
	}
}

// text reads a text; null is an empty one. A date without quotes is text as well, as in JSON.
func (r *reader) text(n *yaml.Node, what string) string {
	if n = r.enter(n); n == nil {
		return ""
	}
	defer r.leave()
	if isNull(n) {
		return ""
	}
	if tag := n.ShortTag(); n.Kind != yaml.ScalarNode || tag != "!!str" && tag != "!!timestamp" {
		r.fail(n, "%s must be text, found %s", what, article(n))
		return ""
	}
	return n.Value
}

// value reads a scalar of another type than text and gives nothing for null.
func value[T any](r *reader, n *yaml.Node, what, kind string) *T {
	if n = r.enter(n); n == nil {
		return nil
	}
	defer r.leave()
	if isNull(n) {
		return nil
	}
	v := new(T)
	if n.Kind != yaml.ScalarNode || n.ShortTag() == "!!str" && kind != "true or false" || n.Decode(v) != nil {
		r.fail(n, "%s must be %s, found %s", what, kind, article(n))
		return nil
	}
	return v
}

func (r *reader) flag(n *yaml.Node, what string) bool {
	v := value[bool](r, n, what, "true or false")
	return v != nil && *v
}

// json writes a node as JSON with sorted keys. Texts under a key of leftOut are left out.
func (r *reader) json(n *yaml.Node, leftOut ...string) string {
	var b strings.Builder
	r.writeJSON(&b, n, leftOut)
	return b.String()
}

func (r *reader) writeJSON(b *strings.Builder, n *yaml.Node, leftOut []string) {
	if n = r.enter(n); n == nil {
		return
	}
	defer r.leave()
	switch n.Kind {
	case yaml.MappingNode:
		entries := map[string]string{}
		r.mapping(n, "a value", func(key string, _, value *yaml.Node) {
			if !slices.Contains(leftOut, key) || value.Kind != yaml.ScalarNode {
				entries[key] = r.json(value, leftOut...)
			}
		})
		b.WriteByte('{')
		for i, key := range inOrderOf(entries) {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(quote(key) + ":" + entries[key])
		}
		b.WriteByte('}')
	case yaml.SequenceNode:
		b.WriteByte('[')
		for i, item := range n.Content {
			if i > 0 {
				b.WriteByte(',')
			}
			r.writeJSON(b, item, leftOut)
		}
		b.WriteByte(']')
	default:
		b.WriteString(r.scalar(n))
	}
}

func (r *reader) scalar(n *yaml.Node) string {
	switch n.ShortTag() {
	case "!!null":
		return "null"
	case "!!bool", "!!int", "!!float":
		var v any
		if err := n.Decode(&v); err != nil {
			r.fail(n, "a value is not what its tag says: %s", article(n))
		}
		if f, ok := v.(float64); ok {
			return strconv.FormatFloat(f, 'g', -1, 64)
		}
		return fmt.Sprint(v)
	}
	if tag, said := scalarOf(n); tag == "!!bool" { // off, as API servers read it
		return said
	}
	return quote(n.Value)
}

func quote(text string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(text); err != nil {
		return strconv.Quote(text)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func (r *reader) number(n *yaml.Node, what string) *float64 {
	v := value[float64](r, n, what, "a number")
	if v != nil && (*v-*v != 0) { // neither infinite nor NaN: JSON has no such numbers
		r.fail(n, "%s must be a number, found %s", what, article(n))
		return nil
	}
	return v
}

func (r *reader) count(n *yaml.Node, what string) *int64 {
	v := value[float64](r, n, what, "a whole number")
	if v == nil {
		return nil
	}
	whole := int64(*v)
	if float64(whole) != *v {
		r.fail(n, "%s must be a whole number, found %s", what, article(n))
	}
	return &whole
}

func set[V any](m *map[string]V, key string, v V) {
	if *m == nil {
		*m = map[string]V{}
	}
	(*m)[key] = v
}
