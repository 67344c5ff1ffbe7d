package compare

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
)

// compareCRDs tells what differs between the CustomResourceDefinitions of two versions, by name, for those who have
// objects stored in the older version and upgrade. The graver of two readings counts: newer clusters take an object
// that is invalid already as long as it is not touched there (ratcheting, Kubernetes 1.33), older ones do not. Those of
// apiextensions.k8s.io/v1beta1 are compared like those of v1, since they say the same in other places (one schema for
// all versions, unknown fields kept where nothing is said).
func compareCRDs(before, after map[string]placed) []Finding {
	var findings []Finding
	for _, name := range union(before, after) {
		was, hadOne := before[name]
		is, hasOne := after[name]
		c := crdComparison{name: name, older: was, newer: is}
		switch {
		case !hadOne:
			c.added()
		case !hasOne:
			c.removed()
		default:
			c.moved()
			if was.definition != is.definition { // the same text, read once, makes the same definition
				c.changed()
			}
		}
		findings = append(findings, c.findings...)
	}
	Sort(findings)
	return findings
}

// crdComparison compares the two of a name. version is the one of theirs that is being compared.
type crdComparison struct {
	name         string
	older, newer placed
	version      string
	embedded     int  // how many whole objects the field lies in
	parent       bool // the schema whose rules are compared has fields, items or values
	findings     []Finding
}

// add completes a finding; parts follow the CRD's name in its id.
func (c *crdComparison) add(f Finding, parts ...string) {
	f.ID, f.Subject = New(f.Severity, CRD, append([]string{c.name}, parts...)...).ID, CRD
	at := c.newer
	if f.Gone || c.newer.definition == nil {
		at = c.older
	}
	f.File, f.Reach = at.file, &at.reach
	if at.rendered {
		f.Line = 0
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

func (c *crdComparison) added() {
	what := fmt.Sprintf("the CRD %s is new", c.name)
	switch r := c.newer.reach; r.Way {
	case ByFolder:
		what += ": Helm installs CRDs of a crds folder with a new release only; apply it by hand before an upgrade"
	case ByValue:
		what += ": the chart renders it where " + strings.Join(r.Values, ", ") + " is set; apply it by hand elsewhere"
	case ByFile:
		what += ": apply it before the upgrade"
	}
	c.add(Finding{Severity: Notable, Line: c.newer.line, Adds: true, What: what}, "added")
}

func (c *crdComparison) removed() {
	what := fmt.Sprintf("the CRD %s is gone: the operator ignores its objects now", c.name)
	if r := c.older.reach; (r.Way == ByTemplate || r.Way == ByValue) && !r.Kept {
		what += ", and Helm deletes the CRD with all of its objects"
	} else {
		what += "; if you delete the CRD, its objects are deleted, too"
	}
	c.add(Finding{Severity: Breaking, Line: c.older.line, Gone: true, What: what}, "removed")
}

// moved tells that a CRD comes into clusters in another way than before.
func (c *crdComparison) moved() {
	was, is := c.older.reach, c.newer.reach
	if was.Way == is.Way {
		return
	}
	f := Finding{Severity: Notable, Line: c.newer.line, Was: was.String(), Now: is.String(), What: "the CRD comes into clusters in another way"}
	byHelm := func(r Reach) bool { return r.Way == ByTemplate || r.Way == ByValue }
	switch {
	case was.Way == ByTemplate && is.Way == ByValue && !was.Kept:
		f.Severity = Breaking
		f.What = "Helm deletes the CRD with all of its objects on an upgrade, unless " + strings.Join(is.Values, ", ") + " is set"
	case byHelm(was) && !byHelm(is) && !was.Kept:
		f.Severity = Breaking
		f.What = "Helm deletes the CRD with all of its objects on an upgrade, as the chart renders it no more"
	case !byHelm(was) && byHelm(is):
		f.Severity = Breaking
		f.What = "Helm refuses an upgrade where the CRD is there already and not marked as its own"
	}
	c.add(f, "reach", "changed")
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
		differ(Breaking, older.keepsUnknown, newer.keepsUnknown, false, "the CRD does not keep unknown fields any more: the API server drops what stored objects have there",
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
	c.add(Finding{Severity: Notable, Line: is.name.line, Forward: true, Adds: true, What: fmt.Sprintf(
		"the version %s is new: after going back, the older CRD does not serve it", c.version)}, c.version, "added")
}

func (c *crdComparison) versionRemoved(was *definedVersion) {
	f := Finding{Severity: Breaking, Line: was.name.line, Gone: true, What: fmt.Sprintf("the version %s is gone", c.version)}
	if was.served {
		f.What += ": manifests and clients that use it fail"
	}
	f.What += "; the API server refuses the CRD while its status.storedVersions lists " + c.version
	f.Stored = &Stored{CRD: c.name, Version: c.version}
	for _, v := range c.older.versions {
		if v.storage && v.name.text != c.version {
			f.Stored.Now = v.name.text
		}
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
			What: fmt.Sprintf("the version %s is served now: after going back, the older CRD does not serve it", c.version)}, c.version, "served")
	}
	if !was.deprecated && is.deprecated {
		c.add(Finding{Severity: Notable, Line: line(is.deprecationLine, 0),
			What: fmt.Sprintf("the version %s is deprecated: the API server warns its users, and a later version may not have it", c.version)}, c.version, "deprecated")
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
				"%s has no subresource %s any more: clients that use it fail", c.version, name)}, c.version, about, "removed")
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
		c.add(Finding{Severity: Breaking, Line: is.schema.line, What: fmt.Sprintf("%s has a schema now: objects may be refused that were accepted before", c.version)}, c.version, "schema", "added")
	case was.schema != nil && is.schema == nil:
		c.add(Finding{Severity: Notable, Line: was.schema.line, Gone: true, Forward: true, What: fmt.Sprintf(
			"%s has no schema any more: anything is accepted, also what the older CRD refuses", c.version)}, c.version, "schema", "removed")
	case was.schema != nil:
		c.schemas("", was.schema, is.schema)
	}
}
