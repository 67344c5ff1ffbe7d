package compare

import (
	"bytes"
	"encoding/json"
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

	"github.com/operator-release/operator-release/ci/refusal"
)

// definition is what a CustomResourceDefinition says, with the lines that say it. Of v1beta1 it is brought into the form of v1.
type definition struct {
	name         string
	line         int
	apiVersion   said
	scope        said
	names        map[string]said // group among them
	conversion   said            // the strategy
	keepsUnknown said            // spec.preserveUnknownFields, "true" or "false"
	versions     map[string]*definedVersion
}

// said is a value and the line of its key, 0 where it is a default.
type said struct {
	text string
	line int
}

type definedVersion struct {
	name                                     said
	served, storage, deprecated              bool
	servedLine, storageLine, deprecationLine int
	schema                                   *schema
	subresources                             map[string]said // by name, with what they say
	columns                                  said            // additionalPrinterColumns, their descriptions left out
	selectable                               map[string]int  // paths of selectableFields
}

// schema is an OpenAPI schema as far as it decides which objects are taken and what is kept of them.
type schema struct {
	line                                          int // of the key that it is the value of
	kind, format, pattern                         string
	nullable, keepsUnknown, intOrString, embedded bool
	unique, exclusiveMinimum, exclusiveMaximum    bool
	minimum, maximum, multipleOf                  *float64
	counts                                        map[string]int64 // minLength, maxItems and their like
	enum                                          []string         // JSON, sorted
	fallback                                      string           // the default, as JSON
	required                                      map[string]int   // with their lines
	properties                                    map[string]*schema
	items, values                                 *schema // values: additionalProperties
	listType, mapType, mapKeys                    string
	rules                                         map[string]int    // x-kubernetes-validations by their text, with their lines
	combined                                      map[string]string // oneOf, anyOf, allOf and not, as JSON
}

// side is what one of two trees holds.
type side struct {
	definitions map[string]placed
	templates   []template
}

type placed struct {
	*definition
	file string
}

// template is a file that is no YAML before it is rendered.
type template struct{ file, text string }

// parsed is what a file holds; most files are the same in both trees and are read once.
type parsed struct {
	definitions []*definition
	template    bool
}

// readSide reads the CRDs of the first folder that has any. A folder that is missing has none. Of a CRD that a folder holds twice the first one by path counts.
func readSide(tree fs.FS, dirs []string, seen map[string]*parsed) (side, error) {
	s := side{definitions: map[string]placed{}}
	for _, dir := range dirs {
		files, err := manifests(tree, dir)
		if err != nil {
			return s, err
		}
		for _, file := range files {
			content, err := fs.ReadFile(tree, file)
			if err != nil {
				return s, fmt.Errorf("read the CRDs: %w", err)
			}
			p := seen[string(content)]
			if p == nil {
				if p, err = parse(file, content); err != nil {
					return s, err
				}
				seen[string(content)] = p
			}
			if p.template {
				s.templates = append(s.templates, template{file, string(content)})
			}
			for _, d := range p.definitions {
				if _, twice := s.definitions[d.name]; !twice {
					s.definitions[d.name] = placed{d, file}
				}
			}
		}
		if len(s.definitions) > 0 {
			break
		}
	}
	return s, nil
}

// manifests are the files below a folder that Helm takes for manifests, in the order of their paths. A link to a file counts as that file, one to a folder below is
// passed over.
func manifests(tree fs.FS, dir string) ([]string, error) {
	dir = path.Clean(dir)
	if stat, err := fs.Stat(tree, dir); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("read the CRDs: %w", err)
	} else if !stat.IsDir() {
		return []string{dir}, nil
	}
	var files []string
	err := fs.WalkDir(tree, dir, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("read the CRDs: %w", err)
		}
		if entry.IsDir() || !slices.Contains([]string{".yaml", ".yml", ".json"}, path.Ext(file)) {
			return nil
		}
		if entry.Type()&fs.ModeSymlink != 0 {
			stat, err := fs.Stat(tree, file)
			if err != nil {
				return fmt.Errorf("read the CRDs: %w", err)
			}
			if stat.IsDir() {
				return nil
			}
		}
		files = append(files, file)
		return nil
	})
	return files, err
}

// placeholder is in a file that is a template, or in one that merely speaks of templates: only what cannot be read counts as the former.
const placeholder = "{{"

var parserLine = regexp.MustCompile(`^yaml: line (\d+): `)

func parse(file string, content []byte) (*parsed, error) {
	p := &parsed{}
	template := bytes.Contains(content, []byte(placeholder))
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	for {
		var document yaml.Node
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			return p, nil
		}
		if err != nil {
			if template {
				return &parsed{template: true}, nil
			}
			text, line := strings.TrimPrefix(err.Error(), "yaml: "), ""
			if m := parserLine.FindStringSubmatch(err.Error()); m != nil {
				text, line = err.Error()[len(m[0]):], ":"+m[1]
			}
			return nil, refusal.New("read the CRDs: %s%s is no YAML: %s; correct it, or move it out of the folders that hold CRDs", file, line, text)
		}
		r := reader{}
		r.document(&document)
		if template && (r.wrong != nil || slices.ContainsFunc(r.found, func(d *definition) bool { return strings.Contains(d.name, placeholder) })) {
			return &parsed{template: true}, nil
		}
		if r.wrong != nil {
			return nil, refusal.New("read the CRDs: %s:%d is no CustomResourceDefinition that can be read: %s", file, r.wrong.line, r.wrong.text)
		}
		p.definitions = append(p.definitions, r.found...)
	}
}

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

// document reads what a document holds. What is no CustomResourceDefinition, or a kustomize patch of one (without names and group), is passed over.
func (r *reader) document(n *yaml.Node) {
	if n.Kind == yaml.DocumentNode && len(n.Content) == 1 {
		n = n.Content[0]
	}
	if n.Kind == yaml.AliasNode && n.Alias != nil {
		n = n.Alias
	}
	if n.Kind != yaml.MappingNode {
		return
	}
	field := func(name string) *yaml.Node {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == name {
				return n.Content[i+1]
			}
		}
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Line: n.Line}
	}
	group, version, _ := strings.Cut(field("apiVersion").Value, "/")
	kind := field("kind").Value
	if items := field("items"); items.Kind == yaml.SequenceNode && strings.HasSuffix(kind, "List") && r.enter(n) != nil {
		for _, item := range items.Content {
			r.document(item)
		}
		r.leave()
	}
	if group != "apiextensions.k8s.io" || kind != "CustomResourceDefinition" {
		return
	}
	if version != "v1" && version != "v1beta1" {
		r.fail(field("apiVersion"), "there is no version %s of it; use apiextensions.k8s.io/v1", shortened(strconv.Quote(version), most))
		return
	}
	d := &definition{line: n.Line, apiVersion: said{version, field("apiVersion").Line}, names: map[string]said{}, versions: map[string]*definedVersion{}}
	r.mapping(field("metadata"), "metadata", func(key string, at, value *yaml.Node) {
		if key == "name" {
			d.name, d.line = r.text(value, "metadata.name"), at.Line
		}
	})
	if d.name == "" {
		r.fail(n, "it has no metadata.name")
	}
	patch := r.spec(d, field("spec"))
	// The rest of it is checked where what a chart yields is checked; here is refused what leaves nothing to compare.
	if !patch && len(d.versions) == 0 {
		r.fail(field("spec"), "it has no versions")
	}
	if !patch && r.wrong == nil {
		r.found = append(r.found, d)
	}
}

// spec reads a definition's spec and tells whether it is one of a patch only.
func (r *reader) spec(d *definition, n *yaml.Node) (patch bool) {
	beta := d.apiVersion.text == "v1beta1"
	d.conversion = said{text: "None"}
	d.keepsUnknown = said{text: strconv.FormatBool(beta)} // what it is where nothing is said
	d.scope = said{text: map[bool]string{true: "Namespaced"}[beta]}
	patch = true
	shared := &definedVersion{} // of v1beta1, for versions that say nothing of their own
	single := said{}
	r.mapping(n, "spec", func(key string, at, value *yaml.Node) {
		switch key {
		case "group":
			patch = false
			d.names[key] = said{r.text(value, key), at.Line}
		case "names":
			patch = false
			r.mapping(value, key, func(key string, at, value *yaml.Node) {
				switch key {
				case "plural", "singular", "kind", "listKind":
					d.names[key] = said{r.text(value, key), at.Line}
				case "shortNames", "categories":
					var names []string
					r.list(value, key, func(item *yaml.Node) { names = append(names, r.text(item, key)) })
					slices.Sort(names)
					d.names[key] = said{strings.Join(names, ", "), at.Line}
				}
			})
		case "scope":
			d.scope = said{r.text(value, key), at.Line}
		case "conversion":
			r.mapping(value, key, func(key string, at, value *yaml.Node) {
				if key == "strategy" {
					d.conversion = said{r.text(value, key), at.Line}
				}
			})
		case "preserveUnknownFields":
			d.keepsUnknown = said{strconv.FormatBool(r.flag(value, key)), at.Line}
		case "version":
			single = said{r.text(value, key), at.Line}
		case "versions":
			r.list(value, key, func(item *yaml.Node) {
				v := &definedVersion{}
				r.mapping(item, "a version", func(key string, at, value *yaml.Node) { r.version(v, key, at, value) })
				if v.name.text == "" || d.versions[v.name.text] != nil {
					r.fail(item, "a version without a name, or with one that another has: %q", v.name.text)
					return
				}
				d.versions[v.name.text] = v
			})
		case "validation":
			if beta {
				r.version(shared, "schema", at, value)
			}
		case "subresources", "additionalPrinterColumns":
			if beta {
				r.version(shared, key, at, value)
			}
		}
	})
	if beta && len(d.versions) == 0 && single.text != "" {
		d.versions[single.text] = &definedVersion{name: single, served: true, storage: true}
	}
	for _, v := range d.versions {
		if v.schema == nil {
			v.schema = shared.schema
		}
		if v.subresources == nil {
			v.subresources = shared.subresources
		}
		if v.columns.line == 0 {
			v.columns = shared.columns
		}
	}
	for name, usual := range map[string]string{"singular": strings.ToLower(d.names["kind"].text), "listKind": d.names["kind"].text + "List"} {
		if d.names[name].text == "" {
			d.names[name] = said{text: usual}
		}
	}
	return patch
}

func (r *reader) version(v *definedVersion, key string, at, value *yaml.Node) {
	switch key {
	case "name":
		v.name = said{r.text(value, key), at.Line}
	case "served":
		v.served, v.servedLine = r.flag(value, key), at.Line
	case "storage":
		v.storage, v.storageLine = r.flag(value, key), at.Line
	case "deprecated":
		v.deprecated, v.deprecationLine = r.flag(value, key), at.Line
	case "schema":
		r.mapping(value, key, func(key string, at, value *yaml.Node) {
			if key == "openAPIV3Schema" {
				v.schema = r.schema(at, value, 0)
			}
		})
	case "subresources":
		v.subresources = map[string]said{}
		r.mapping(value, key, func(key string, at, value *yaml.Node) {
			if (key == "status" || key == "scale") && !isNull(value) {
				v.subresources[key] = said{r.json(value), at.Line}
			}
		})
	case "additionalPrinterColumns":
		var columns []string
		r.list(value, key, func(item *yaml.Node) {
			columns = append(columns, strings.Replace(r.json(item, "description"), `"JSONPath":`, `"jsonPath":`, 1))
		})
		v.columns = said{strings.Join(columns, ","), at.Line}
	case "selectableFields":
		v.selectable = map[string]int{}
		r.list(value, key, func(item *yaml.Node) {
			r.mapping(item, key, func(key string, at, value *yaml.Node) {
				if key == "jsonPath" {
					v.selectable[r.text(value, key)] = at.Line
				}
			})
		})
	}
}

// eitherType is what stands beside x-kubernetes-int-or-string by rule and says nothing more.
const eitherType = `[{"type":"integer"},{"type":"string"}]`

// schema reads a schema; long is how long the path of what it describes is. Keywords that a CRD may not use (https://kubernetes.io/docs/tasks/extend-kubernetes/
// custom-resources/custom-resource-definitions/#specifying-a-structural-schema) or that only describe are left out.
func (r *reader) schema(at, n *yaml.Node, long int) *schema {
	if isNull(n) {
		return nil
	}
	s := &schema{line: at.Line}
	if long > maxPath {
		r.fail(at, "the path of a field is too long")
	}
	r.mapping(n, "a schema", func(key string, at, value *yaml.Node) {
		switch key {
		case "type":
			s.kind = r.text(value, key)
		case "format":
			s.format = r.text(value, key)
		case "pattern":
			s.pattern = r.text(value, key)
		case "nullable":
			s.nullable = r.flag(value, key)
		case "uniqueItems":
			s.unique = r.flag(value, key)
		case "exclusiveMinimum":
			s.exclusiveMinimum = r.flag(value, key)
		case "exclusiveMaximum":
			s.exclusiveMaximum = r.flag(value, key)
		case "minimum":
			s.minimum = r.number(value, key)
		case "maximum":
			s.maximum = r.number(value, key)
		case "multipleOf":
			s.multipleOf = r.number(value, key)
		case "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties":
			if n := r.count(value, key); n != nil {
				set(&s.counts, key, *n)
			}
		case "enum":
			r.list(value, key, func(item *yaml.Node) { s.enum = append(s.enum, r.json(item)) })
			slices.Sort(s.enum)
			s.enum = slices.Compact(s.enum)
		case "default":
			if s.fallback = r.json(value); s.fallback == "null" {
				s.fallback = ""
			}
		case "required":
			r.list(value, key, func(item *yaml.Node) { set(&s.required, r.text(item, key), item.Line) })
		case "properties":
			r.mapping(value, key, func(name string, at, value *yaml.Node) {
				p := r.schema(at, value, long+1+len(name))
				if p == nil {
					p = &schema{line: at.Line}
				}
				set(&s.properties, name, p)
			})
		case "items":
			if value.Kind == yaml.SequenceNode {
				r.fail(value, "items must be one schema, found a list")
				return
			}
			s.items = r.schema(at, value, long+2)
		case "additionalProperties":
			if value.Kind == yaml.ScalarNode && !isNull(value) {
				if r.flag(value, key) {
					s.values = &schema{line: at.Line, keepsUnknown: true}
				}
				return
			}
			s.values = r.schema(at, value, long+3)
		case "oneOf", "anyOf", "allOf", "not":
			if text := r.json(value, "description", "title"); text != "null" {
				set(&s.combined, key, text)
			}
		case "x-kubernetes-preserve-unknown-fields":
			s.keepsUnknown = r.flag(value, key)
		case "x-kubernetes-embedded-resource":
			s.embedded = r.flag(value, key)
		case "x-kubernetes-int-or-string":
			s.intOrString = r.flag(value, key)
		case "x-kubernetes-list-type":
			s.listType = r.text(value, key)
		case "x-kubernetes-map-type":
			s.mapType = r.text(value, key)
		case "x-kubernetes-list-map-keys":
			var keys []string
			r.list(value, key, func(item *yaml.Node) { keys = append(keys, r.text(item, key)) })
			slices.Sort(keys)
			s.mapKeys = strings.Join(keys, ", ")
		case "x-kubernetes-validations":
			r.list(value, key, func(item *yaml.Node) { r.rule(s, item) })
		}
	})
	if s.intOrString && s.combined["anyOf"] == eitherType {
		delete(s.combined, "anyOf")
	}
	return s
}

// rule reads a validation rule. It is known by its text, and by whether it holds for new objects as well.
func (r *reader) rule(s *schema, n *yaml.Node) {
	text, line, always := "", n.Line, false
	r.mapping(n, "a validation rule", func(key string, at, value *yaml.Node) {
		switch key {
		case "rule":
			text, line = strings.TrimSpace(r.text(value, key)), at.Line
		case "optionalOldSelf":
			always = r.flag(value, key)
		}
	})
	if always {
		text += " (optionalOldSelf)"
	}
	set(&s.rules, text, line)
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
