package compare

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"unicode"
)

// CRDs tells what differs between the CustomResourceDefinitions of two trees, for those who have objects stored in the older version and upgrade. The graver of two
// readings counts: newer clusters take an object that is invalid already as long as it is not touched there (ratcheting, Kubernetes 1.33), older ones do not.
//
// The lists of folders are alternatives, such as those of a chart and config/crd/bases: in each tree the first list
// counts that has any CRD, and a folder that a tree lacks has none.
// Of charts that have CRDs of their own each one wants a call.
// Read are .yaml, .yml and .json files, as Helm does, with one document or more; what is no CRD is passed over, and so is a template: a file with {{ in it that cannot be
// read as it is. A CRD that became a template is one finding. Those of apiextensions.k8s.io/v1beta1 are compared like those of v1, since they say the same in other places
// (one schema for all versions, unknown fields kept where nothing is said).
//
// A file that is no YAML, and a CRD that cannot be read, are refused with file and line.
func CRDs(older, newer fs.FS, alternatives ...[]string) ([]Finding, error) {
	seen := map[string]*parsed{}
	before, err := readSide(older, alternatives, seen)
	if err != nil {
		return nil, fmt.Errorf("the older tree: %w", err)
	}
	after, err := readSide(newer, alternatives, seen)
	if err != nil {
		return nil, fmt.Errorf("the newer tree: %w", err)
	}
	var findings []Finding
	for _, name := range union(before.definitions, after.definitions) {
		was, hadOne := before.definitions[name]
		is, hasOne := after.definitions[name]
		c := crdComparison{name: name, older: was, newer: is}
		switch {
		case !hadOne:
			c.added(before.templates)
		case !hasOne:
			c.removed(after.templates)
		case was.definition != is.definition: // the same file, read once, makes the same definition
			c.changed()
		}
		findings = append(findings, c.findings...)
	}
	Sort(findings)
	return findings, nil
}

// crdComparison compares the two of a name. version is the one of theirs that is being compared.
type crdComparison struct {
	name         string
	older, newer placed
	version      string
	findings     []Finding
}

// add completes a finding; parts follow the CRD's name in its id.
func (c *crdComparison) add(f Finding, parts ...string) {
	f.ID, f.Subject = New(f.Severity, CRD, append([]string{c.name}, parts...)...).ID, CRD
	f.File = c.newer.file
	if f.Gone {
		f.File = c.older.file
	}
	f.Object = clean("CustomResourceDefinition " + c.name)
	f.What, f.Was, f.Now = clean(f.What), shortened(clean(f.Was), most), shortened(clean(f.Now), most)
	c.findings = append(c.findings, f)
}

// clean keeps what stands in somebody's YAML from breaking a line.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
}

// union are the keys of two maps in order.
func union[V, W any](a map[string]V, b map[string]W) []string {
	all := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(all)
	return slices.Compact(all)
}

// place is the line of what the newer file says, else of what the older one said.
func (c *crdComparison) place(newer, older int) (line int, gone bool) {
	switch {
	case newer > 0:
		return newer, false
	case older > 0:
		return older, true
	}
	return c.newer.line, false
}

// among finds the template that speaks of the CRD.
func (c *crdComparison) among(templates []template) (file string, found bool) {
	for _, t := range templates {
		if strings.Contains(t.text, "CustomResourceDefinition") && strings.Contains(t.text, c.name) {
			return t.file, true
		}
	}
	return "", false
}

func (c *crdComparison) added(templates []template) {
	if file, found := c.among(templates); found {
		c.add(Finding{Severity: Notable, Line: c.newer.line, Was: file, Now: c.newer.file,
			What: "the CRD was a template before, which cannot be compared"}, "template-before")
		return
	}
	c.add(Finding{Severity: Notable, Line: c.newer.line, What: fmt.Sprintf(
		"the CRD %s is new: Helm installs what is in a chart's crds folder with a new release only; where it is released already, apply it by hand before the upgrade", c.name)}, "added")
}

func (c *crdComparison) removed(templates []template) {
	if file, found := c.among(templates); found {
		c.add(Finding{Severity: Notable, Line: c.older.line, Gone: true, Was: c.older.file, Now: file,
			What: "the CRD is a template now, which cannot be compared"}, "template-now")
		return
	}
	c.add(Finding{Severity: Breaking, Line: c.older.line, Gone: true, What: fmt.Sprintf(
		"the CRD %s is gone: the operator does not act on its objects any more, and where the CRD is deleted they are deleted with it", c.name)}, "removed")
}

func (c *crdComparison) changed() {
	older, newer := c.older, c.newer
	differ := func(severity Severity, was, is said, forward bool, what string, parts ...string) {
		if was.text != is.text {
			line, gone := c.place(is.line, was.line)
			c.add(Finding{Severity: severity, Line: line, Gone: gone, Was: was.text, Now: is.text, What: what, Forward: forward}, parts...)
		}
	}

	if newer.apiVersion.text == "v1beta1" {
		differ(Breaking, older.apiVersion, newer.apiVersion, false, "the CRD is of apiextensions.k8s.io/v1beta1 now, which Kubernetes 1.22 and later do not know", "api-version", "changed")
	} else {
		differ(Notable, older.apiVersion, newer.apiVersion, false, "the CRD is of apiextensions.k8s.io/v1 now, which Kubernetes before 1.16 does not know", "api-version", "changed")
	}
	const immutable = "of the CRD is another: the API server refuses that of a CRD that is in use, and deleting it first deletes all of its objects"
	differ(Breaking, older.scope, newer.scope, true, "the scope "+immutable, "scope", "changed")
	for _, name := range []string{"group", "kind", "plural"} {
		differ(Breaking, older.names[name], newer.names[name], true, "the "+name+" "+immutable, "names."+name, "changed")
	}
	for _, name := range []string{"singular", "listKind", "shortNames", "categories"} {
		differ(Notable, older.names[name], newer.names[name], false, "the "+name+" of the CRD changed: scripts and clients may use what was there", "names."+name, "changed")
	}
	switch {
	case newer.conversion.text == "Webhook":
		differ(Notable, older.conversion, newer.conversion, false, "objects are converted between versions by a webhook now: while it does not answer, they can be neither read nor written",
			"conversion", "changed")
	case len(newer.versions) > 1:
		differ(Breaking, older.conversion, newer.conversion, false, "objects are not converted between versions any more: what one version has and another one lacks is dropped",
			"conversion", "changed")
	default:
		differ(Notable, older.conversion, newer.conversion, false, "objects are not converted any more, the CRD has one version only", "conversion", "changed")
	}
	if newer.keepsUnknown.text == "true" {
		differ(Info, older.keepsUnknown, newer.keepsUnknown, true, "the CRD keeps unknown fields: the older CRD drops them", "unknown-fields", "kept")
	} else {
		differ(Breaking, older.keepsUnknown, newer.keepsUnknown, false, "the CRD does not keep unknown fields any more: what stored objects hold there is dropped silently",
			"unknown-fields", "pruned")
	}
	c.storage()
	for _, name := range union(older.versions, newer.versions) {
		was, is := older.versions[name], newer.versions[name]
		c.version = name
		switch {
		case was == nil:
			c.versionAdded(is)
		case is == nil:
			c.versionRemoved(was)
		default:
			c.versionChanged(was, is)
		}
	}
}

// storage compares which version objects are stored as.
func (c *crdComparison) storage() {
	stored := func(d *definition) *definedVersion {
		for _, name := range inOrderOf(d.versions) {
			if d.versions[name].storage {
				return d.versions[name]
			}
		}
		return &definedVersion{name: said{"", d.line}}
	}
	was, is := stored(c.older.definition), stored(c.newer.definition)
	if was.name.text == is.name.text {
		return
	}
	f := Finding{Severity: Notable, Line: is.storageLine, Was: was.name.text, Now: is.name.text, What: "objects are stored as another version"}
	if f.Line == 0 {
		f.Line = is.name.line
	}
	if known := c.older.versions[is.name.text]; known == nil || !known.served {
		f.Forward = true
		f.What += ": the older CRD does not serve it, and the API server refuses a CRD without a version that objects were stored as"
	}
	c.add(f, "storage", "changed")
}

func (c *crdComparison) versionAdded(is *definedVersion) {
	c.add(Finding{Severity: Notable, Line: is.name.line, Forward: true, What: fmt.Sprintf(
		"the version %s is new: the older CRD does not serve it to those who use it by then", c.version)}, c.version, "added")
}

func (c *crdComparison) versionRemoved(was *definedVersion) {
	f := Finding{Severity: Breaking, Line: was.name.line, Gone: true, What: fmt.Sprintf("the version %s is gone", c.version)}
	switch {
	case was.storage:
		f.What += ", and objects are stored in it: migrate them first and take it out of the CRD's status.storedVersions, else the API server refuses the CRD"
	case was.served:
		f.What += ": manifests and clients that use it fail"
	default:
		f.Severity = Notable
		f.What += ", which was not served any more; where objects are stored in it still, the API server refuses the CRD"
	}
	c.add(f, c.version, "removed")
}

func (c *crdComparison) versionChanged(was, is *definedVersion) {
	line := func(newer, older int) int {
		if newer > 0 {
			return newer
		}
		return is.name.line
	}
	if was.served && !is.served {
		c.add(Finding{Severity: Breaking, Line: line(is.servedLine, 0), Was: "served", Now: "not served",
			What: fmt.Sprintf("the version %s is not served any more: manifests and clients that use it fail", c.version)}, c.version, "unserved")
	}
	if !was.served && is.served {
		c.add(Finding{Severity: Notable, Forward: true, Line: line(is.servedLine, 0), Was: "not served", Now: "served",
			What: fmt.Sprintf("the version %s is served now: the older CRD does not serve it to those who use it by then", c.version)}, c.version, "served")
	}
	if !was.deprecated && is.deprecated {
		c.add(Finding{Severity: Notable, Line: line(is.deprecationLine, 0),
			What: fmt.Sprintf("the version %s is deprecated: the API server warns whoever uses it, and a later version may lack it", c.version)}, c.version, "deprecated")
	}
	if was.deprecated && !is.deprecated {
		c.add(Finding{Severity: Info, Line: line(is.deprecationLine, 0), What: fmt.Sprintf("the version %s is not deprecated any more", c.version)}, c.version, "undeprecated")
	}
	for _, name := range union(was.subresources, is.subresources) {
		before, had := was.subresources[name]
		now, has := is.subresources[name]
		about := "subresource-" + name
		switch {
		case !had && name == "status":
			c.add(Finding{Severity: Notable, Line: now.line, What: fmt.Sprintf(
				"%s has the subresource status now: the status is written there only, and no other write changes it", c.version)}, c.version, about, "added")
		case !had:
			c.add(Finding{Severity: Notable, Line: now.line, What: fmt.Sprintf("%s has the subresource %s now", c.version, name)}, c.version, about, "added")
		case !has:
			c.add(Finding{Severity: Breaking, Line: before.line, Gone: true, What: fmt.Sprintf(
				"%s has no subresource %s any more: who uses it fails", c.version, name)}, c.version, about, "removed")
		case before.text != now.text:
			c.add(Finding{Severity: Notable, Line: now.line, Was: before.text, Now: now.text, What: fmt.Sprintf(
				"the subresource %s of %s reads and writes other fields", name, c.version)}, c.version, about, "changed")
		}
	}
	if was.columns.text != is.columns.text {
		at, gone := c.place(is.columns.line, was.columns.line)
		c.add(Finding{Severity: Info, Line: at, Gone: gone, What: fmt.Sprintf("kubectl get shows other columns of %s", c.version)}, c.version, "columns", "changed")
	}
	for _, name := range union(was.selectable, is.selectable) {
		if is.selectable[name] == 0 {
			c.add(Finding{Severity: Breaking, Line: was.selectable[name], Gone: true, What: fmt.Sprintf(
				"objects of %s cannot be selected by the field %s any more", c.version, name)}, c.version, "selectable"+name, "removed")
		} else if was.selectable[name] == 0 {
			c.add(Finding{Severity: Info, Line: is.selectable[name], What: fmt.Sprintf(
				"objects of %s can be selected by the field %s", c.version, name)}, c.version, "selectable"+name, "added")
		}
	}
	switch {
	case was.schema == nil && is.schema != nil:
		c.add(Finding{Severity: Breaking, Line: is.schema.line, What: fmt.Sprintf("%s has a schema now: objects may be refused that were taken before", c.version)}, c.version, "schema", "added")
	case was.schema != nil && is.schema == nil:
		c.add(Finding{Severity: Notable, Line: was.schema.line, Gone: true, Forward: true, What: fmt.Sprintf(
			"%s has no schema any more: anything is taken, also what the older CRD refuses", c.version)}, c.version, "schema", "removed")
	case was.schema != nil:
		c.schemas("", was.schema, is.schema)
	}
}
