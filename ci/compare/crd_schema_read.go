package compare

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

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
