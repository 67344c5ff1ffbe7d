package compare

import (
	"bytes"
	"errors"
	"io"
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

// placed is a CRD and where it was found.
type placed struct {
	*definition
	file     string
	reach    Reach
	rendered bool // lines are not those of the file
}

// parsed is what a file holds; most files are the same in both trees and are read once.
type parsed struct {
	definitions []*definition
	template    bool
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
