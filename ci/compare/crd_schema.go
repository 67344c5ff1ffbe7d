package compare

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// schemas compares what a field may hold, and then the fields in it.
func (c *crdComparison) schemas(at string, was, is *schema) {
	if is.embedded {
		c.embedded++
		defer func() { c.embedded-- }()
	}
	if !c.types(at, was, is) {
		return
	}
	c.enums(at, was, is)
	c.limits(at, was, is)
	c.keeping(at, was, is)
	c.merging(at, was, is)
	c.rules(at, was, is)

	// Named fields and keys of any name exclude each other in a CRD.
	if len(was.properties) > 0 && was.values == nil && is.values != nil && len(is.properties) == 0 ||
		len(is.properties) > 0 && is.values == nil && was.values != nil && len(was.properties) == 0 {
		f := Finding{Severity: Breaking, Line: is.line, Forward: true, Was: "keys of any name", Now: "keys of any name"}
		if is.values != nil {
			f.Was = strings.Join(inOrderOf(was.properties), ", ")
			f.What = "%s takes keys of any name instead of named fields: what is not of the type of its values is refused"
			if c.fit(at, was.properties, is.values) {
				f.Severity, f.What = Info, "%s takes keys of any name besides the fields that it had: the older CRD drops them"
			}
		} else {
			f.Now = strings.Join(inOrderOf(is.properties), ", ")
			f.What = "%s has named fields instead of keys of any name: the API server drops what stored objects have under other names"
		}
		c.field(at, f, "shape-changed")
		return
	}
	for _, name := range union(was.properties, is.properties) {
		c.property(at, name, was, is)
	}
	for _, name := range union(was.required, is.required) {
		if was.properties[name] == nil && is.properties[name] == nil {
			c.requirement(at, name, was, is, is.required[name])
		}
	}
	c.parts(at+"[]", "items", was, is, was.items, is.items)
	c.parts(at+"[*]", "values", was, is, was.values, is.values)
}

// fit tells whether what fields held is taken as the values of a map as well. It is asked of simple values, such as amounts of resources.
func (c *crdComparison) fit(at string, properties map[string]*schema, values *schema) bool {
	if len(values.properties) > 0 || values.items != nil || values.values != nil {
		return false
	}
	for name, before := range properties {
		trial := crdComparison{name: c.name, older: c.older, newer: c.newer, version: c.version}
		trial.schemas(inside(at, name), before, values)
		if slices.ContainsFunc(trial.findings, func(f Finding) bool { return f.Severity == Breaking }) {
			return false
		}
	}
	return true
}

// inside is the path of a field; one whose name would not read as such is quoted.
func inside(at, name string) string {
	switch {
	case !plain.MatchString(name):
		return at + "[" + strconv.Quote(name) + "]"
	case at == "":
		return name
	}
	return at + "." + name
}

var plain = regexp.MustCompile(`^[\w$-]+$`)

// field adds a finding about the field at a path, which its text names by %s.
func (c *crdComparison) field(at string, f Finding, parts ...string) {
	subject := at + " of " + c.version
	if at == "" {
		at, subject = ".", "an object of "+c.version
	}
	f.What = fmt.Sprintf(f.What, subject)
	if f.Severity == Breaking && strings.HasSuffix(f.What, " is refused") {
		f.What += c.effect(at, strings.Join(parts, "/"), strings.HasSuffix(f.What, "without it is refused"))
	}
	c.add(f, append([]string{c.version, at}, parts...)...)
}

// effect says which writes of a stored object are refused. Since Kubernetes 1.33 an API server takes a value that is
// invalid already and that a write does not touch. It does so neither for fields that are missing, nor for what stands
// beside others (rules on a parent, oneOf and so on, keys of lists), nor in metadata and embedded resources
// (https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-ratcheting).
func (c *crdComparison) effect(at, became string, missing bool) string {
	beside := []string{"embedded", "list-type-", "map-keys-", "oneOf-", "anyOf-", "allOf-", "not-"}
	switch {
	case missing && strings.HasPrefix(at, "status."):
		return ", also when the operator writes its status"
	case missing, at == ".", strings.HasPrefix(at, "metadata."), c.embedded > 0,
		slices.ContainsFunc(beside, func(name string) bool { return strings.HasPrefix(became, name) }):
		return ", on every change of it"
	case c.parent && strings.HasPrefix(became, "rule-"):
		return ", on every change below it"
	}
	return "; since Kubernetes 1.33 only a change of this field is"
}

// metadata compares what a schema says about names of objects, which is all that it may say.
func (c *crdComparison) metadata(at string, was, is *schema) {
	for _, name := range []string{"generateName", "name"} {
		of := func(s *schema) *schema {
			if s != nil && s.properties[name] != nil {
				return s.properties[name]
			}
			text := &schema{kind: "string"}
			if is != nil {
				text.line = is.line
			}
			return text
		}
		c.schemas(inside(at, name), of(was), of(is))
	}
}

// property compares a field that at least one side has.
func (c *crdComparison) property(at, name string, was, is *schema) {
	before, now := was.properties[name], is.properties[name]
	path := inside(at, name)
	if at == "" && name == "metadata" {
		c.metadata(path, before, now)
		return
	}
	if before != nil && now != nil {
		c.requirement(at, name, was, is, now.line)
		c.fallback(path, before, now, is.required[name] > 0)
		c.schemas(path, before, now)
		return
	}
	if given(at, name, was, is) {
		return
	}
	if before != nil {
		c.gone(path, "", is, before)
		return
	}
	f := Finding{Severity: Info, Line: now.line, Now: kind(now), Forward: true, Adds: true, What: "%s is new: the older CRD drops it"}
	if c.keeps(was, c.older) {
		f.Severity, f.Forward, f.Adds = Breaking, false, false
		f.What = "%s has a schema now, and was not checked before: a stored object that does not fit is refused"
	}
	if is.required[name] > 0 && now.fallback == "" {
		f.Severity = Breaking
		f.What = "%s is new and required, without a default: an object without it is refused"
	}
	c.field(path, f, "added")
}

// given tells whether a field is one that each object has, whatever its schema says.
func given(at, name string, was, is *schema) bool {
	return (at == "" || was.embedded && is.embedded) && slices.Contains([]string{"apiVersion", "kind", "metadata"}, name)
}

// keeps tells whether the unknown fields of an object are kept.
func (c *crdComparison) keeps(s *schema, d placed) bool {
	return s.keepsUnknown || d.keepsUnknown.text == "true"
}

func (c *crdComparison) gone(path, of string, is, before *schema) {
	f := Finding{Severity: Breaking, Line: before.line, Gone: true, Was: kind(before), What: of + "%s is gone: the API server drops what stored objects have there"}
	if c.keeps(is, c.newer) {
		f.Severity = Notable
		f.What = of + "%s is not described any more: what stored objects have there is kept, and not checked any more"
	}
	c.field(path, f, "removed")
}

// parts compares the items of a list, or the values of a map.
func (c *crdComparison) parts(path, of string, was, is, before, now *schema) {
	switch {
	case before != nil && now != nil:
		c.fallback(path, before, now, false)
		c.schemas(path, before, now)
	case before != nil:
		c.gone(path, "what may be in ", is, before)
	case now != nil && c.keeps(was, c.older):
		c.field(path, Finding{Severity: Breaking, Line: now.line, Now: kind(now),
			What: "the " + of + " %s have a schema now, and were not checked before: a stored object that does not fit is refused"}, "added")
	case now != nil:
		c.field(path, Finding{Severity: Info, Line: now.line, Now: kind(now), Forward: true, What: "the " + of + " %s are new: the older CRD drops them"}, "added")
	}
}

// requirement compares whether a field has to be there.
func (c *crdComparison) requirement(at, name string, was, is *schema, line int) {
	if given(at, name, was, is) {
		return
	}
	path := inside(at, name)
	before, now := was.required[name] > 0, is.required[name] > 0
	switch {
	case !before && now && fallbackOf(is, name) != "":
		c.field(path, Finding{Severity: Notable, Line: line, Was: "optional", Now: "required, with a default",
			What: "%s is required now, and has a default where it is missing"}, "required")
	case !before && now:
		c.field(path, Finding{Severity: Breaking, Line: line, Was: "optional", Now: "required", What: "%s is required now: an object without it is refused"}, "required")
	case before && !now:
		if line == 0 {
			line = is.line
		}
		c.field(path, Finding{Severity: Info, Line: line, Was: "required", Now: "optional", Forward: fallbackOf(was, name) == "",
			What: "%s is not required any more: the older CRD wants it"}, "optional")
	}
}

func fallbackOf(s *schema, name string) string {
	if p := s.properties[name]; p != nil {
		return p.fallback
	}
	return ""
}

// fallback compares the defaults of a field.
func (c *crdComparison) fallback(path string, was, is *schema, required bool) {
	f := Finding{Severity: Notable, Line: is.line, Was: was.fallback, Now: is.fallback}
	switch {
	case was.fallback == is.fallback:
	case was.fallback == "":
		f.What = "%s has a default now: stored objects without it get it when they are read"
		c.field(path, f, "default-added")
	case is.fallback == "" && required:
		f.Severity = Breaking
		f.What = "%s has no default any more and is required: an object without it is refused"
		c.field(path, f, "default-removed")
	case is.fallback == "":
		f.What = "%s has no default any more"
		c.field(path, f, "default-removed")
	default:
		f.What = "%s has another default, which objects without it get when they are read"
		c.field(path, f, "default-changed")
	}
}

// kind names the type of what a schema describes.
func kind(s *schema) string {
	switch {
	case s.intOrString:
		return "integer or string"
	case s.kind == "":
		return "anything"
	}
	return s.kind
}

// covers tells whether all that one type has the other one has, too.
func covers(wide, narrow string) bool {
	return wide == narrow || wide == "anything" || wide == "number" && narrow == "integer" ||
		wide == "integer or string" && (narrow == "integer" || narrow == "string")
}

// types compares types and formats, and tells whether there is any sense in comparing more.
func (c *crdComparison) types(at string, was, is *schema) bool {
	before, now := kind(was), kind(is)
	f := Finding{Line: is.line, Was: before, Now: now}
	switch {
	case before == now:
		c.formats(at, was, is)
	case covers(now, before):
		f.Severity, f.Forward = Info, true
		f.What = "%s accepts more types: the older CRD refuses them"
		c.field(at, f, "type-changed")
	case covers(before, now):
		f.Severity = Breaking
		f.What = "%s accepts fewer types: a stored object with another one is refused"
		c.field(at, f, "type-changed")
	default:
		f.Severity, f.Forward = Breaking, true
		f.What = "%s has another type: what stored objects have there is refused"
		c.field(at, f, "type-changed")
		return false
	}
	return true
}

// checked are the formats of texts that the API server looks at (k8s.io/apiextensions-apiserver, apiserver/validation/formats.go), without dashes, as it does itself.
// A password may be any text.
var checked = []string{"bsonobjectid", "uri", "email", "hostname", "ipv4", "ipv6", "cidr", "mac", "uuid", "uuid3", "uuid4", "uuid5", "isbn", "isbn10", "isbn13", "creditcard",
	"ssn", "hexcolor", "rgbcolor", "byte", "date", "duration", "datetime", "k8sshortname", "k8slongname"}

// narrowing is the format of a schema if it keeps anything out that its type has.
func narrowing(s *schema) string {
	format := strings.ReplaceAll(s.format, "-", "")
	switch {
	case (s.kind == "" || s.kind == "string") && slices.Contains(checked, format), s.kind == "integer" && format == "int32", s.kind == "number" && format == "float":
		return format
	}
	return ""
}

func (c *crdComparison) formats(at string, was, is *schema) {
	f := Finding{Severity: Breaking, Line: is.line, Was: was.format, Now: is.format}
	before, now := narrowing(was), narrowing(is)
	switch {
	case strings.ReplaceAll(was.format, "-", "") == strings.ReplaceAll(is.format, "-", ""):
		return
	case before == now:
		f.Severity = Info
		f.What = "%s names another format, which the API server does not check"
	case before == "":
		f.What = "%s has a format now: a stored object that does not have it is refused"
	case now == "":
		f.Severity, f.Forward = Info, true
		f.What = "the format of %s is not checked any more: the older CRD refuses other texts"
	default:
		f.Forward = true
		f.What = "%s has another format: a stored object with the old one is refused"
	}
	c.field(at, f, "format-changed")
}

func (c *crdComparison) enums(at string, was, is *schema) {
	f := Finding{Line: is.line, Was: strings.Join(was.enum, ", "), Now: strings.Join(is.enum, ", ")}
	less, more := without(was.enum, is.enum), without(is.enum, was.enum)
	switch {
	case len(less)+len(more) == 0:
	case len(was.enum) == 0:
		f.Severity, f.What = Breaking, "%s accepts certain values only: a stored object with another one is refused"
		c.field(at, f, "enum-introduced")
	case len(is.enum) == 0:
		f.Severity, f.Forward, f.What = Notable, true, "%s accepts any value, also those that the older CRD refuses"
		c.field(at, f, "enum-dropped")
	default:
		if len(less) > 0 {
			f.Severity, f.What = Breaking, "%s may not be "+verbatim(less)+" any more: a stored object that has it is refused"
			c.field(at, f, "values-removed")
		}
		if len(more) > 0 {
			f.Severity, f.Forward, f.Adds, f.What = Notable, true, true, "%s may be "+verbatim(more)+": the older CRD refuses that"
			c.field(at, f, "values-added")
		}
	}
}

// verbatim names values in a text that is a format.
func verbatim(values []string) string {
	return strings.ReplaceAll(shortened(strings.Join(values, ", "), most), "%", "%%")
}

func without(all, these []string) []string {
	var rest []string
	for _, one := range all { // both are sorted
		if _, found := slices.BinarySearch(these, one); !found {
			rest = append(rest, one)
		}
	}
	return rest
}

// keeping compares whether null and unknown fields are kept.
func (c *crdComparison) keeping(at string, was, is *schema) {
	f := Finding{Line: is.line}
	if was.nullable && !is.nullable {
		f.Severity, f.What = Breaking, "%s may not be null any more: a stored object with null is refused, or loses it"
		c.field(at, f, "nullable-lost")
	}
	if !was.nullable && is.nullable {
		f.Severity, f.Forward, f.What = Info, true, "%s may be null: the older CRD refuses that, or drops it"
		c.field(at, f, "nullable-gained")
	}
	f.Forward = false
	if was.keepsUnknown && !is.keepsUnknown {
		f.Severity, f.What = Breaking, "%s does not keep unknown fields any more: the API server drops what stored objects have there"
		c.field(at, f, "unknown-fields-pruned")
	}
	if !was.keepsUnknown && is.keepsUnknown {
		f.Severity, f.Forward, f.What = Info, true, "%s keeps unknown fields: the older CRD drops them"
		c.field(at, f, "unknown-fields-kept")
	}
	f.Forward = false
	if !was.embedded && is.embedded {
		f.Severity, f.What = Breaking, "%s holds a whole Kubernetes object now: one without apiVersion and kind is refused"
		c.field(at, f, "embedded")
	}
	if was.embedded && !is.embedded {
		f.Severity, f.What = Notable, "%s does not hold a whole Kubernetes object any more: apiVersion, kind and metadata are kept only if the schema has them"
		c.field(at, f, "no-longer-embedded")
	}
}

// merging compares how lists and maps are merged.
func (c *crdComparison) merging(at string, was, is *schema) {
	f := Finding{Severity: Breaking, Line: is.line, Was: cmp.Or(was.listType, "atomic"), Now: cmp.Or(is.listType, "atomic")}
	const apply = ", which server-side apply merges in another way"
	switch {
	case f.Was != f.Now && f.Now == "atomic":
		f.What = "%s is replaced as a whole when it is applied, and not merged item by item any more"
		c.field(at, f, "list-type-changed")
	case f.Was != f.Now:
		f.What = "%s is a list of another type" + apply + ": a stored list with items that count as equal is refused"
		c.field(at, f, "list-type-changed")
	case was.mapKeys != is.mapKeys:
		f.Was, f.Now, f.What = was.mapKeys, is.mapKeys, "%s is a list with other keys"+apply+": a stored list with items that count as equal is refused"
		c.field(at, f, "map-keys-changed")
	}
	if f.Was, f.Now = cmp.Or(was.mapType, "granular"), cmp.Or(is.mapType, "granular"); f.Was != f.Now {
		f.Severity, f.What = Notable, "%s is a map of another type"+apply // no object is refused for it
		c.field(at, f, "map-type-changed")
	}
}

// newRule says what a new validation rule does. One that speaks of oldSelf compares a change with what was stored
// (https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#transition-rules).
func newRule(rule string) string {
	if strings.Contains(rule, "oldSelf") {
		return "%s has a new rule about changes: changes that it forbids are refused, and no stored object is"
	}
	return "%s has a new validation rule: a stored object that breaks it is refused"
}

// rules compares validation rules, and the schemas that stand beside one (oneOf and so on): whether another of these takes less or more cannot be told in general, so all
// that is said is that it is another.
func (c *crdComparison) rules(at string, was, is *schema) {
	c.parent = len(is.properties) > 0 || is.values != nil || is.items != nil
	for _, rule := range union(was.rules, is.rules) {
		name := fmt.Sprintf("rule-%x", sha256.Sum256([]byte(rule)))[:len("rule-")+8]
		if was.rules[rule] == 0 {
			c.field(at, Finding{Severity: Breaking, Line: is.rules[rule], Now: rule, What: newRule(rule)}, name, "added")
		} else if is.rules[rule] == 0 {
			c.field(at, Finding{Severity: Info, Line: was.rules[rule], Gone: true, Forward: true, Was: rule,
				What: "%s has one validation rule less: the older CRD refuses what it forbids"}, name, "removed")
		}
	}
	for _, name := range union(was.combined, is.combined) {
		f := Finding{Severity: Breaking, Line: is.line, Was: was.combined[name], Now: is.combined[name]}
		switch {
		case f.Was == f.Now:
		case f.Was == "":
			f.What = "%s has to meet " + name + " as well: a stored object that does not fit is refused"
			c.field(at, f, name+"-introduced")
		case f.Now == "":
			f.Severity, f.Forward, f.What = Notable, true, "%s need not meet "+name+" any more: the older CRD refuses what does not"
			c.field(at, f, name+"-dropped")
		default:
			f.Forward, f.What = true, "%s has to meet another "+name+": a stored object may be refused"
			c.field(at, f, name+"-changed")
		}
	}
}
