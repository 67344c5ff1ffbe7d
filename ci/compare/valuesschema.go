package compare

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/operator-release/operator-release/ci/refusal"
)

// readValuesSchema reads a JSON schema as nodes, for their lines.
func readValuesSchema(file, side string, content []byte) (*yaml.Node, error) {
	var value any
	if err := json.Unmarshal(content, &value); err != nil {
		where := ""
		if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
			where = fmt.Sprintf("line %d: ", 1+strings.Count(string(content[:min(int(syntax.Offset), len(content))]), "\n"))
		}
		return nil, refusal.New("read %s of the %s version: %s%w; correct it", file, side, where, err)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(content, &document); err != nil { // a few things of JSON are not YAML
		if err := document.Encode(value); err != nil {
			return nil, refusal.New("read %s of the %s version: %w; correct it", file, side, err)
		}
	}
	budget := mostNodes
	if n := unfold(&document, 0, &budget); n != nil {
		return nil, refusal.New("read %s of the %s version: it is larger than %d nodes, or nests deeper than %d; make it smaller", file, side, mostNodes, mostNested)
	}
	root := resolved(&document)
	if root.Kind != yaml.MappingNode && root.ShortTag() != "!!bool" {
		return nil, refusal.New("read %s of the %s version: it is a %s, and no schema; correct it", file, side, kindOf(root))
	}
	return root, nil
}

// field gives what a map holds by a key, or nil.
func field(n *yaml.Node, key string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return resolved(n.Content[i+1])
		}
	}
	return nil
}

// referred follows $ref as far as it stays in the file. What lies elsewhere allows anything.
func referred(root, n *yaml.Node) *yaml.Node {
	for range 20 {
		ref := field(n, "$ref")
		if ref == nil {
			return n
		}
		pointer, ok := strings.CutPrefix(ref.Value, "#")
		if !ok {
			return nil
		}
		n = root
		for part := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
			if part != "" {
				n = field(n, strings.NewReplacer("~1", "/", "~0", "~").Replace(part))
			}
		}
	}
	return nil
}

func isFalse(n *yaml.Node) bool {
	return n != nil && n.Kind == yaml.ScalarNode && n.ShortTag() == "!!bool" && n.Value == "false"
}

// property gives the schema of a key, and whether the key may be there at all.
func property(root, n *yaml.Node, key string) (schema *yaml.Node, allowed bool) {
	n = referred(root, n)
	if p := field(field(n, "properties"), key); p != nil {
		return p, !isFalse(p)
	}
	if patterns := field(n, "patternProperties"); patterns != nil {
		for i := 0; i+1 < len(patterns.Content); i += 2 {
			// What Go's expressions do not know is taken to fit.
			if fits, err := regexp.MatchString(patterns.Content[i].Value, key); fits || err != nil {
				return resolved(patterns.Content[i+1]), true
			}
		}
	}
	more := field(n, "additionalProperties")
	return more, !isFalse(more)
}

// refuses tells whether a schema refuses values that set a key. A nil one allows all.
func refuses(schema *yaml.Node, keys []string) bool {
	n := schema
	for _, key := range keys {
		allowed := true
		if n, allowed = property(schema, n, key); !allowed {
			return true
		}
	}
	return false
}

// schemas compares what values the schemas allow.
func (c *valuesComparison) schemas() {
	was, now := c.was.schema, c.now.schema
	switch {
	case was == nil && now == nil:
	case was == nil:
		severity, what := Notable, "values are checked now: values.schema.json is new"
		if closed(now, now, map[*yaml.Node]bool{}) {
			severity, what = Breaking, "values are checked now: the new values.schema.json refuses those that it does not name"
		}
		c.findInSchema(severity, nil, "schema-added", what, now)
	case now == nil:
		f := c.find(Info, []string{rootValue}, "schema-removed", "values are no longer checked: values.schema.json is gone")
		f.File, f.Line, f.Gone = c.was.schemaIn, 1, true
	default:
		s := &schemaComparison{valuesComparison: c, above: map[[2]*yaml.Node]bool{}, left: mostNodes}
		s.compare(nil, was, now, c.now.root)
	}
}

// rootValue is what findings call the values as a whole, as messages of JSON schema validators do.
const rootValue = "(root)"

func (c *valuesComparison) findInSchema(severity Severity, keys []string, became, what string, at *yaml.Node) *Finding {
	if len(keys) == 0 {
		keys = []string{rootValue}
	}
	f := c.find(severity, keys, became, what)
	f.File, f.Line = c.now.schemaIn, at.Line
	return f
}

// closed tells whether a schema refuses unknown keys anywhere in its properties.
func closed(root, n *yaml.Node, seen map[*yaml.Node]bool) bool {
	if n = referred(root, n); n == nil || seen[n] {
		return false
	}
	seen[n] = true
	if isFalse(field(n, "additionalProperties")) {
		return true
	}
	properties := field(n, "properties")
	for i := 0; properties != nil && i+1 < len(properties.Content); i += 2 {
		if closed(root, resolved(properties.Content[i+1]), seen) {
			return true
		}
	}
	return false
}

type schemaComparison struct {
	*valuesComparison
	above map[[2]*yaml.Node]bool // pairs that are being compared: schemas may refer to themselves
	left  int                    // comparisons: references may multiply
}

// compare compares what two schemas say about a value; defaults is its default in the newer version, or nil.
func (s *schemaComparison) compare(keys []string, was, now, defaults *yaml.Node) {
	was, now = referred(s.was.schema, was), referred(s.now.schema, now)
	pair := [2]*yaml.Node{was, now}
	if s.left--; s.left < 0 || was == nil || now == nil || s.above[pair] || was.Kind != yaml.MappingNode || now.Kind != yaml.MappingNode {
		return
	}
	s.above[pair] = true
	defer delete(s.above, pair)
	s.set(keys, "type", was, now, types)
	s.set(keys, "enum", was, now, enumerated)
	for _, b := range bounds {
		s.bound(keys, b.name, b.upper, was, now)
	}
	for _, name := range []string{"pattern", "format", "multipleOf", "uniqueItems", "oneOf", "anyOf", "allOf", "not", "if", "then", "else", "contains", "dependentRequired", "patternProperties", "propertyNames"} {
		before, after := field(was, name), field(now, name)
		switch {
		case after == nil && before != nil:
			f := s.findInSchema(Info, keys, name+"-widened", "values.schema.json no longer says "+name+" of KEY", now)
			f.Was = shown(before, own{})
		case after != nil && (before == nil || canonical(before, own{}) != canonical(after, own{})):
			f := s.findInSchema(Notable, keys, name+"-changed", "values.schema.json says another "+name+" of KEY: values that were accepted may be refused", after)
			if f.Now = shown(after, own{}); before != nil {
				f.Was = shown(before, own{})
			}
		}
	}
	s.required(keys, was, now, defaults)
	s.properties(keys, was, now, defaults)
	if before, after := field(was, "items"), field(now, "items"); before != nil && after != nil {
		s.compare(append(slices.Clip(keys), "[]"), before, after, nil)
	}
}

// required names keys that must be set now. One that has a default is set by it.
func (s *schemaComparison) required(keys []string, was, now, defaults *yaml.Node) {
	before, after := named(field(was, "required")), named(field(now, "required"))
	for _, name := range inOrderOf(after) {
		if _, ok := before[name]; ok {
			continue
		}
		severity, what := Breaking, "the value KEY is required now and has no default: an upgrade that does not set it is refused"
		if field(defaults, name) != nil {
			severity, what = Info, "the value KEY is required now; its default is enough"
		}
		s.findInSchema(severity, append(slices.Clip(keys), name), "required", what, after[name])
	}
	for _, name := range inOrderOf(before) {
		if _, ok := after[name]; !ok {
			s.findInSchema(Info, append(slices.Clip(keys), name), "optional", "the value KEY is no longer required", now)
		}
	}
}

// named are the items of a list of texts, by text.
func named(n *yaml.Node) map[string]*yaml.Node {
	all := map[string]*yaml.Node{}
	if n != nil && n.Kind == yaml.SequenceNode {
		for _, item := range n.Content {
			all[resolved(item).Value] = item
		}
	}
	return all
}

func (s *schemaComparison) properties(keys []string, was, now, defaults *yaml.Node) {
	moreBefore, moreAfter := field(was, "additionalProperties"), field(now, "additionalProperties")
	anyBefore, anyAfter := moreBefore == nil || moreBefore.Value == "true", moreAfter == nil || moreAfter.Value == "true"
	switch {
	case isFalse(moreAfter) && !isFalse(moreBefore):
		s.findInSchema(Breaking, keys, "closed", "values.schema.json refuses values in KEY that it does not name now", moreAfter)
	case isFalse(moreBefore) && !isFalse(moreAfter):
		s.findInSchema(Info, keys, "opened", "values.schema.json accepts values in KEY that it does not name now", now)
	case anyBefore && !anyAfter:
		s.findInSchema(Breaking, keys, "closed", "values.schema.json restricts other values in KEY now: it may refuse an upgrade that sets them", moreAfter)
	case !anyBefore && anyAfter:
		s.findInSchema(Info, keys, "opened", "values.schema.json no longer restricts what other values in KEY may be", now)
	case moreBefore != nil && moreAfter != nil:
		s.compare(append(slices.Clip(keys), "*"), moreBefore, moreAfter, nil)
	}
	before, after := field(was, "properties"), field(now, "properties")
	for i := 0; before != nil && i+1 < len(before.Content); i += 2 {
		name := before.Content[i].Value
		below := append(slices.Clip(keys), name)
		if p := field(after, name); p != nil {
			s.compare(below, resolved(before.Content[i+1]), p, field(defaults, name))
			continue
		}
		_, allowed := property(s.now.schema, now, name)
		if id := New(Breaking, Values, s.now.chart, strings.Join(below, "."), "removed").ID; allowed || slices.ContainsFunc(s.findings, func(f Finding) bool { return f.ID == id }) {
			continue
		}
		f := s.find(Breaking, below, "removed", "the value KEY is gone: values.schema.json refuses an upgrade that sets it")
		f.File, f.Line, f.Gone = s.was.schemaIn, before.Content[i].Line, true
	}
}

// set compares what a schema allows by naming it; naming nothing allows all.
func (s *schemaComparison) set(keys []string, name string, was, now *yaml.Node, read func(*yaml.Node) map[string]bool) {
	before, after := read(was), read(now)
	lost := after != nil && before == nil
	gained := before != nil && after == nil
	for v := range before {
		lost = lost || after != nil && !after[v]
	}
	for v := range after {
		gained = gained || before != nil && !before[v]
	}
	list := func(set map[string]bool) string {
		if set == nil {
			return ""
		}
		return shortened(strings.Join(inOrderOf(set), ", "), 120)
	}
	var f *Finding
	at := now
	for _, key := range []string{name, "const"} {
		if n := field(now, key); n != nil && n.Line > 0 {
			at = n
			break
		}
	}
	switch {
	case lost:
		f = s.findInSchema(Breaking, keys, name+"-narrowed", "values.schema.json accepts fewer values for KEY: it refuses an upgrade that sets others", at)
	case gained:
		f = s.findInSchema(Info, keys, name+"-widened", "values.schema.json accepts more values for KEY", at)
	default:
		return
	}
	f.Was, f.Now = list(before), list(after)
}

// types are the types that a schema allows; nil is any.
func types(n *yaml.Node) map[string]bool {
	t := field(n, "type")
	if t == nil {
		return nil
	}
	all := map[string]bool{}
	for _, item := range append(slices.Clip(t.Content), t) {
		if item = resolved(item); item.Kind == yaml.ScalarNode {
			all[item.Value] = true
		}
	}
	if all["number"] { // each integer is a number
		all["integer"] = true
	}
	return all
}

// enumerated are the values that a schema allows by naming each; nil is any.
func enumerated(n *yaml.Node) map[string]bool {
	if one := field(n, "const"); one != nil {
		return map[string]bool{canonical(one, own{}): true}
	}
	list := field(n, "enum")
	if list == nil {
		return nil
	}
	all := map[string]bool{}
	for _, item := range list.Content {
		all[canonical(item, own{})] = true
	}
	return all
}

var bounds = []struct {
	name  string
	upper bool
}{
	{"minimum", false}, {"maximum", true}, {"exclusiveMinimum", false}, {"exclusiveMaximum", true}, {"minLength", false}, {"maxLength", true},
	{"minItems", false}, {"maxItems", true}, {"minProperties", false}, {"maxProperties", true},
}

func (s *schemaComparison) bound(keys []string, name string, upper bool, was, now *yaml.Node) {
	before, after := field(was, name), field(now, name)
	if before != nil && after != nil && before.Value == after.Value {
		return
	}
	number := func(n *yaml.Node) (float64, bool) {
		if n == nil {
			return 0, false
		}
		v, err := strconv.ParseFloat(n.Value, 64)
		return v, err == nil
	}
	from, bounded := number(before)
	to, bounds := number(after)
	if !bounded && !bounds || bounded && bounds && from == to {
		return
	}
	var f *Finding
	if bounds && (!bounded || to > from != upper) {
		f = s.findInSchema(Breaking, keys, name+"-narrowed", "values.schema.json accepts fewer values for KEY: it refuses an upgrade that sets others", after)
	} else {
		f = s.findInSchema(Info, keys, name+"-widened", "values.schema.json accepts more values for KEY", now)
	}
	if bounded {
		f.Was = before.Value
	}
	if bounds {
		f.Now = after.Value
	}
}
