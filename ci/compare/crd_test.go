package compare

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/operator-release/operator-release/ci/refusal"
)

const crdFile = "crds/job.yaml"

// versionOf is a CRD with one version, whose schema has the given YAML beside its type.
func versionOf(schema string) string {
	return crdOf("  scope: Namespaced\n", versionWith("name: v1, served: true, storage: true", schema))
}

// crdOf is a CRD; spec is indented by two.
func crdOf(spec, versions string) string {
	names := "  names: {kind: Job, plural: jobs}\n"
	if strings.Contains(spec, "  names:") {
		names = ""
	}
	return "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: jobs.example.com\nspec:\n  group: example.com\n" + names + spec + "  versions:\n" + versions
}

func versionWith(fields, schema string) string {
	return fmt.Sprintf("  - {%s, schema: {openAPIV3Schema: {type: object%s}}}\n", fields, schema)
}

func ofField(schema string) string { return versionOf(", properties: {a: {" + schema + "}}") }

func treeOf(content string) fs.FS {
	if content == "" {
		return fstest.MapFS{}
	}
	return fstest.MapFS{crdFile: {Data: []byte(content)}}
}

// crdsOf compares the CRDs in all files of two trees.
func crdsOf(older, newer fs.FS) ([]Finding, error) {
	seen := map[string]*parsed{}
	var both [2]map[string]placed
	for i, tree := range []fs.FS{older, newer} {
		f := finder{found: map[string]placed{}, seen: seen}
		err := fs.WalkDir(tree, ".", func(file string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !isManifest(file) {
				return err
			}
			content, err := fs.ReadFile(tree, file)
			if err != nil {
				return err
			}
			return f.take(string(content), Reach{Way: ByFile, File: file}, false)
		})
		if err != nil {
			return nil, err
		}
		both[i] = f.found
	}
	return compareCRDs(both[0], both[1]), nil
}

// compared gives findings as lines: severity, id without what is the same in all, and flags.
func compared(t *testing.T, older, newer fs.FS) []string {
	t.Helper()
	findings, err := crdsOf(older, newer)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	ids := map[string]bool{}
	for _, f := range findings {
		line := string(f.Severity) + " " + strings.TrimPrefix(f.ID, "crd/jobs.example.com/")
		if f.Forward {
			line += " forward"
		}
		if f.Gone {
			line += " gone"
		}
		lines = append(lines, line)
		tree := newer
		if f.Gone {
			tree = older
		}
		content, err := fs.ReadFile(tree, f.File)
		if err != nil || f.Line < 1 || f.Line > 1+strings.Count(string(content), "\n") {
			t.Errorf("%s stands at %s:%d, %v", f.ID, f.File, f.Line, err)
		}
		if ids[f.ID] || f.Subject != CRD || !strings.HasPrefix(f.Object, "CustomResourceDefinition ") || f.What == "" || strings.Contains(f.What, "%!") || strings.HasSuffix(f.What, ".") {
			t.Errorf("%+v", f)
		}
		ids[f.ID] = true
	}
	return lines
}

// about is what findings are about, without what became of it.
func crdAbout(lines []string) []string {
	var all []string
	for _, line := range lines {
		all = append(all, path.Dir(strings.Fields(line)[1]))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func TestCRDs(t *testing.T) {
	two := func(first, second string) string {
		return crdOf("  scope: Namespaced\n", versionWith("name: v1, "+first, "")+versionWith("name: v2, "+second, ""))
	}
	with := func(spec string) string {
		return crdOf("  scope: Namespaced\n"+spec, versionWith("name: v1, served: true, storage: true", ""))
	}
	named := func(names string) string { return with("  names: {" + names + "}\n") }
	version := func(fields string) string {
		return crdOf("  scope: Namespaced\n", versionWith("name: v1, served: true, storage: true"+fields, ""))
	}
	for _, test := range []struct {
		name           string
		older, newer   string
		up, down       []string
		upWas, upNow   string
		upLine, dnLine int
	}{
		{name: "the CRD", newer: versionOf(""), up: []string{"notable added"}, down: []string{"breaking removed gone"}, upLine: 4, dnLine: 4},
		{name: "scope", older: crdOf("  scope: Namespaced\n", versionWith("name: v1, served: true, storage: true", "")),
			newer: crdOf("  scope: Cluster\n", versionWith("name: v1, served: true, storage: true", "")),
			up:    []string{"breaking scope/changed forward"}, down: []string{"breaking scope/changed forward"}, upWas: "Namespaced", upNow: "Cluster", upLine: 8, dnLine: 8},
		{name: "kind", older: with(""), newer: named("kind: Task, plural: jobs, singular: job, listKind: JobList"),
			up: []string{"breaking names.kind/changed forward"}, down: []string{"breaking names.kind/changed forward"}, upWas: "Job", upNow: "Task"},
		{name: "short names", older: named("kind: Job, plural: jobs, shortNames: [j, jo]"), newer: named("kind: Job, plural: jobs"),
			up: []string{"notable names.shortNames/changed gone"}, down: []string{"notable names.shortNames/changed"}, upWas: "j, jo"},
		{name: "usual names said", older: with(""), newer: named("kind: Job, plural: jobs, singular: job, listKind: JobList")},
		{name: "conversion", older: with(""), newer: with("  conversion: {strategy: Webhook}\n"), up: []string{"notable conversion/changed"},
			down: []string{"notable conversion/changed gone"}, upWas: "None", upNow: "Webhook", upLine: 9, dnLine: 9},
		{name: "conversion of two", older: strings.Replace(two("served: true, storage: true", "served: true"), "  scope", "  conversion: {strategy: Webhook}\n  scope", 1),
			newer: two("served: true, storage: true", "served: true"), up: []string{"breaking conversion/changed gone"}, down: []string{"notable conversion/changed"}},
		{name: "unknown fields everywhere", older: with("  preserveUnknownFields: true\n"), newer: with(""),
			up: []string{"breaking unknown-fields/pruned gone"}, down: []string{"info unknown-fields/kept forward"}},
		{name: "storage", older: two("served: true, storage: true", "served: true"), newer: two("served: true", "served: true, storage: true"),
			up: []string{"notable storage/changed"}, down: []string{"notable storage/changed"}, upWas: "v1", upNow: "v2", upLine: 11, dnLine: 10},
		{name: "storage in a version that was not served", older: two("served: true, storage: true", "served: false"), newer: two("served: true", "served: true, storage: true"),
			up: []string{"notable storage/changed forward", "notable v2/served forward"}, down: []string{"breaking v2/unserved", "notable storage/changed"}},
		{name: "a version", older: version(""), newer: two("served: true, storage: true", "served: true"),
			up: []string{"notable v2/added forward"}, down: []string{"breaking v2/removed gone"}, upLine: 11},
		{name: "a version that is stored", older: version(""), newer: two("served: true", "served: true, storage: true"),
			up: []string{"notable storage/changed forward", "notable v2/added forward"}, down: []string{"breaking v2/removed gone", "notable storage/changed"}},
		{name: "a version that was not served", older: version(""), newer: two("served: true, storage: true", "served: false"),
			up: []string{"notable v2/added forward"}, down: []string{"breaking v2/removed gone"}},
		{name: "served", older: two("served: true, storage: true", "served: true"), newer: two("served: true, storage: true", "served: false"),
			up: []string{"breaking v2/unserved"}, down: []string{"notable v2/served forward"}, upLine: 11},
		{name: "deprecated", older: version(""), newer: version(", deprecated: true"), up: []string{"notable v1/deprecated"}, down: []string{"info v1/undeprecated"}},
		{name: "subresources", older: version(""), newer: version(", subresources: {status: {}, scale: {specReplicasPath: .spec.n}}"),
			up:   []string{"notable v1/subresource-scale/added", "notable v1/subresource-status/added"},
			down: []string{"breaking v1/subresource-scale/removed gone", "breaking v1/subresource-status/removed gone"}},
		{name: "a subresource's fields", older: version(", subresources: {scale: {specReplicasPath: .spec.m}}"), newer: version(", subresources: {scale: {specReplicasPath: .spec.n}}"),
			up: []string{"notable v1/subresource-scale/changed"}, down: []string{"notable v1/subresource-scale/changed"}},
		{name: "columns", older: version(", additionalPrinterColumns: [{name: A, jsonPath: .a, description: x}]"), newer: version(", additionalPrinterColumns: [{name: B, jsonPath: .a}]"),
			up: []string{"info v1/columns/changed"}, down: []string{"info v1/columns/changed"}},
		{name: "a column's description", older: version(", additionalPrinterColumns: [{name: A, description: x}]"), newer: version(", additionalPrinterColumns: [{name: A}]")},
		{name: "selectable fields", older: version(""), newer: version(", selectableFields: [{jsonPath: .spec.a}]"),
			up: []string{"info v1/selectable.spec.a/added"}, down: []string{"breaking v1/selectable.spec.a/removed gone"}},
		{name: "no schema", older: crdOf("", "  - {name: v1, served: true, storage: true}\n"), newer: crdOf("", versionWith("name: v1, served: true, storage: true", "")),
			up: []string{"breaking v1/schema/added"}, down: []string{"notable v1/schema/removed forward gone"}},

		{name: "a field", older: versionOf(""), newer: ofField("type: object, properties: {b: {type: string}}"),
			up: []string{"info v1/a/added forward"}, down: []string{"breaking v1/a/removed gone"}, upNow: "object", upLine: 10, dnLine: 10},
		{name: "a field inside", older: ofField("type: object"), newer: ofField("type: object, properties: {b: {type: string}}"),
			up: []string{"info v1/a.b/added forward"}, down: []string{"breaking v1/a.b/removed gone"}},
		{name: "a required field", older: versionOf(""), newer: versionOf(", required: [a], properties: {a: {type: string}}"),
			up: []string{"breaking v1/a/added forward"}, down: []string{"breaking v1/a/removed gone"}},
		{name: "a required field with a default", older: versionOf(""), newer: versionOf(", required: [a], properties: {a: {type: string, default: x}}"),
			up: []string{"info v1/a/added forward"}, down: []string{"breaking v1/a/removed gone"}},
		{name: "a field of what keeps unknown ones", older: versionOf(", x-kubernetes-preserve-unknown-fields: true"),
			newer: versionOf(", x-kubernetes-preserve-unknown-fields: true, properties: {a: {type: string}}"),
			up:    []string{"breaking v1/a/added"}, down: []string{"notable v1/a/removed gone"}},
		{name: "what each object has", older: versionOf(""), newer: versionOf(", required: [metadata, kind], properties: {metadata: {type: object}, kind: {type: string}, apiVersion: {type: string}}")},
		{name: "what each object must have", older: versionOf(", properties: {metadata: {type: object}}"), newer: versionOf(", required: [metadata, kind], properties: {metadata: {type: object}}")},
		{name: "a field with a name of its own", older: versionOf(""), newer: versionOf(`, properties: {"a.b/c d": {type: string}}`),
			up: []string{`info v1/["a.b-c-d"]/added forward`}, down: []string{`breaking v1/["a.b-c-d"]/removed gone`}},
		{name: "items", older: ofField("type: array, items: {type: object}"), newer: ofField("type: array, items: {type: object, properties: {b: {type: string}}}"),
			up: []string{"info v1/a[].b/added forward"}, down: []string{"breaking v1/a[].b/removed gone"}},
		{name: "items at all", older: ofField("type: array"), newer: ofField("type: array, items: {type: string}"),
			up: []string{"info v1/a[]/added forward"}, down: []string{"breaking v1/a[]/removed gone"}},
		{name: "values", older: ofField("type: object, additionalProperties: {type: integer}"), newer: ofField("type: object, additionalProperties: {type: string}"),
			up: []string{"breaking v1/a[*]/type-changed forward"}, down: []string{"breaking v1/a[*]/type-changed forward"}, upWas: "integer", upNow: "string"},
		{name: "values at all", older: ofField("type: object"), newer: ofField("type: object, additionalProperties: {type: string}"),
			up: []string{"info v1/a[*]/added forward"}, down: []string{"breaking v1/a[*]/removed gone"}},
		{name: "any values", older: ofField("type: object, additionalProperties: true"), newer: ofField("type: object, additionalProperties: {x-kubernetes-preserve-unknown-fields: true}")},
		{name: "no values", older: ofField("type: object, additionalProperties: false"), newer: ofField("type: object")},
		{name: "shape", older: ofField("type: object, properties: {b: {type: string}}"), newer: ofField("type: object, additionalProperties: {type: string}"),
			up: []string{"info v1/a/shape-changed forward"}, down: []string{"breaking v1/a/shape-changed forward"}, upWas: "b", upNow: "keys of any name"},
		{name: "shape and type", older: ofField("type: object, properties: {b: {type: string}}"), newer: ofField("type: object, additionalProperties: {type: integer}"),
			up: []string{"breaking v1/a/shape-changed forward"}, down: []string{"breaking v1/a/shape-changed forward"}},
		{name: "shape of objects", older: ofField("type: object, properties: {b: {type: object}}"), newer: ofField("type: object, additionalProperties: {type: object, properties: {c: {type: string}}}"),
			up: []string{"breaking v1/a/shape-changed forward"}, down: []string{"breaking v1/a/shape-changed forward"}},
		{name: "required", older: ofField("type: string"), newer: versionOf(", required: [a], properties: {a: {type: string}}"),
			up: []string{"breaking v1/a/required"}, down: []string{"info v1/a/optional forward"}},
		{name: "required with a default", older: ofField("type: string, default: x"), newer: versionOf(", required: [a], properties: {a: {type: string, default: x}}"),
			up: []string{"notable v1/a/required"}, down: []string{"info v1/a/optional"}},
		{name: "required without being described", older: versionOf(""), newer: versionOf(", required: [a]"),
			up: []string{"breaking v1/a/required"}, down: []string{"info v1/a/optional forward"}},
		{name: "type", older: ofField("type: string"), newer: ofField("type: object, properties: {b: {type: string}}"),
			up: []string{"breaking v1/a/type-changed forward"}, down: []string{"breaking v1/a/type-changed forward"}},
		{name: "a wider number", older: ofField("type: integer, minimum: 1"), newer: ofField("type: number, minimum: 1.0"),
			up: []string{"info v1/a/type-changed forward"}, down: []string{"breaking v1/a/type-changed"}},
		{name: "int or string", older: ofField("type: string"), newer: ofField("anyOf: [{type: integer}, {type: string}], x-kubernetes-int-or-string: true"),
			up: []string{"info v1/a/type-changed forward"}, down: []string{"breaking v1/a/type-changed"}, upWas: "string", upNow: "integer or string"},
		{name: "format", older: ofField("type: string"), newer: ofField("type: string, format: date-time"),
			up: []string{"breaking v1/a/format-changed"}, down: []string{"info v1/a/format-changed forward"}},
		{name: "another format", older: ofField("type: string, format: date"), newer: ofField("type: string, format: date-time"),
			up: []string{"breaking v1/a/format-changed forward"}, down: []string{"breaking v1/a/format-changed forward"}},
		{name: "a format that nobody checks", older: ofField("type: string"), newer: ofField("type: string, format: fancy"),
			up: []string{"info v1/a/format-changed"}, down: []string{"info v1/a/format-changed"}},
		{name: "size of a number", older: ofField("type: integer, format: int64"), newer: ofField("type: integer, format: int32"),
			up: []string{"breaking v1/a/format-changed"}, down: []string{"info v1/a/format-changed forward"}},
		{name: "values of an enum", older: ofField("type: string, enum: [x, w]"), newer: ofField("type: string, enum: [x, z]"),
			up: []string{"breaking v1/a/values-removed", "notable v1/a/values-added forward"}, down: []string{"breaking v1/a/values-removed", "notable v1/a/values-added forward"},
			upWas: `"w", "x"`, upNow: `"x", "z"`},
		{name: "an enum", older: ofField("type: string"), newer: ofField("type: string, enum: [x, '100%']"),
			up: []string{"breaking v1/a/enum-introduced"}, down: []string{"notable v1/a/enum-dropped forward"}},
		{name: "order of an enum", older: ofField("type: string, enum: [x, y]"), newer: ofField("type: string, enum: [y, x]")},
		{name: "bounds", older: ofField("type: integer, minimum: 1, maximum: 100"), newer: ofField("type: integer, minimum: 10, maximum: 50"),
			up: []string{"breaking v1/a/narrowed"}, down: []string{"info v1/a/widened forward"}, upWas: "minimum 1, maximum 100", upNow: "minimum 10, maximum 50"},
		{name: "bounds moved", older: ofField("type: integer, minimum: 1, maximum: 50"), newer: ofField("type: integer, minimum: 10, maximum: 100"),
			up: []string{"breaking v1/a/narrowed", "info v1/a/widened forward"}, down: []string{"breaking v1/a/narrowed", "info v1/a/widened forward"}},
		{name: "exclusive", older: ofField("type: number, minimum: 1"), newer: ofField("type: number, minimum: 1, exclusiveMinimum: true"),
			up: []string{"breaking v1/a/narrowed"}, down: []string{"info v1/a/widened forward"}, upWas: "minimum 1", upNow: "exclusive minimum 1"},
		{name: "exclusive maximum", older: ofField("type: number, maximum: 1"), newer: ofField("type: number, maximum: 1, exclusiveMaximum: true"),
			up: []string{"breaking v1/a/narrowed"}, down: []string{"info v1/a/widened forward"}},
		{name: "lengths", older: ofField("type: string"), newer: ofField("type: string, minLength: 1, maxLength: 5"),
			up: []string{"breaking v1/a/narrowed"}, down: []string{"info v1/a/widened forward"}, upWas: "no maxLength, no minLength", upNow: "maxLength 5, minLength 1"},
		{name: "a length of nothing", older: ofField("type: string"), newer: ofField("type: string, minLength: 0")},
		{name: "numbers of items", older: ofField("type: array, items: {type: string}, maxItems: 3"), newer: ofField("type: array, items: {type: string}, maxItems: 2, minItems: 1"),
			up: []string{"breaking v1/a/narrowed"}, down: []string{"info v1/a/widened forward"}},
		{name: "numbers of fields", older: ofField("type: object, maxProperties: 3"), newer: ofField("type: object, maxProperties: 4"),
			up: []string{"info v1/a/widened forward"}, down: []string{"breaking v1/a/narrowed"}},
		{name: "unique items", older: ofField("type: array"), newer: ofField("type: array, uniqueItems: true"), up: []string{"breaking v1/a/narrowed"}, down: []string{"info v1/a/widened forward"}},
		{name: "a pattern", older: ofField("type: string"), newer: ofField("type: string, pattern: '^x'"), up: []string{"breaking v1/a/narrowed"}, down: []string{"info v1/a/widened forward"}},
		{name: "another pattern", older: ofField("type: string, pattern: '^y'"), newer: ofField("type: string, pattern: '^x'"),
			up: []string{"breaking v1/a/bounds-changed forward"}, down: []string{"breaking v1/a/bounds-changed forward"}, upWas: "pattern ^y", upNow: "pattern ^x"},
		{name: "multiples", older: ofField("type: integer, multipleOf: 2"), newer: ofField("type: integer, multipleOf: 4"), up: []string{"breaking v1/a/narrowed"}, down: []string{"info v1/a/widened forward"}},
		{name: "a multiple", older: ofField("type: integer"), newer: ofField("type: integer, multipleOf: 4"), up: []string{"breaking v1/a/narrowed"}, down: []string{"info v1/a/widened forward"}},
		{name: "other multiples", older: ofField("type: integer, multipleOf: 2"), newer: ofField("type: integer, multipleOf: 3"),
			up: []string{"breaking v1/a/bounds-changed forward"}, down: []string{"breaking v1/a/bounds-changed forward"}},
		{name: "null", older: ofField("type: string, nullable: true"), newer: ofField("type: string"), up: []string{"breaking v1/a/nullable-lost"}, down: []string{"info v1/a/nullable-gained forward"}},
		{name: "a default", older: ofField("type: integer"), newer: ofField("type: integer, default: 1"), up: []string{"notable v1/a/default-added"}, down: []string{"notable v1/a/default-removed"}, upNow: "1"},
		{name: "another default", older: ofField("type: integer, default: 2"), newer: ofField("type: integer, default: 1"),
			up: []string{"notable v1/a/default-changed"}, down: []string{"notable v1/a/default-changed"}, upWas: "2", upNow: "1"},
		{name: "a default in quotes", older: ofField("type: string, default: off"), newer: ofField("type: string, default: 'off'"),
			up: []string{"notable v1/a/default-changed"}, down: []string{"notable v1/a/default-changed"}, upWas: "false", upNow: `"off"`},
		{name: "the same default in another word", older: ofField("type: boolean, default: off"), newer: ofField("type: boolean, default: false")},
		{name: "the same default", older: ofField("type: object, default: {b: 1, c: 2.0}"), newer: ofField("type: object, default: {c: 2, b: 1}")},
		{name: "a required field's default", older: versionOf(", required: [a], properties: {a: {type: integer, default: 1}}"), newer: versionOf(", required: [a], properties: {a: {type: integer}}"),
			up: []string{"breaking v1/a/default-removed"}, down: []string{"notable v1/a/default-added"}},
		{name: "unknown fields", older: ofField("type: object, x-kubernetes-preserve-unknown-fields: true"), newer: ofField("type: object"),
			up: []string{"breaking v1/a/unknown-fields-pruned"}, down: []string{"info v1/a/unknown-fields-kept forward"}},
		{name: "embedded", older: ofField("type: object"), newer: ofField("type: object, x-kubernetes-embedded-resource: true"),
			up: []string{"breaking v1/a/embedded"}, down: []string{"notable v1/a/no-longer-embedded"}},
		{name: "list type", older: ofField("type: array, x-kubernetes-list-type: atomic"), newer: ofField("type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [n]"),
			up: []string{"breaking v1/a/list-type-changed"}, down: []string{"breaking v1/a/list-type-changed"}, upWas: "atomic", upNow: "map"},
		{name: "map keys", older: ofField("type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [n]"),
			newer: ofField("type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [n, m]"),
			up:    []string{"breaking v1/a/map-keys-changed"}, down: []string{"breaking v1/a/map-keys-changed"}, upWas: "n", upNow: "m, n"},
		{name: "the usual list type", older: ofField("type: array, x-kubernetes-list-type: atomic"), newer: ofField("type: array")},
		{name: "map type", older: ofField("type: object"), newer: ofField("type: object, x-kubernetes-map-type: atomic"),
			up: []string{"notable v1/a/map-type-changed"}, down: []string{"notable v1/a/map-type-changed"}},
		{name: "a rule", older: ofField("type: string"), newer: ofField("type: string, x-kubernetes-validations: [{rule: self == oldSelf, message: no}]"),
			up: []string{"breaking v1/a/rule-f4f4adcf/added"}, down: []string{"info v1/a/rule-f4f4adcf/removed forward gone"}, upNow: "self == oldSelf"},
		{name: "a rule's message", older: ofField("type: string, x-kubernetes-validations: [{rule: self == oldSelf}]"),
			newer: ofField("type: string, x-kubernetes-validations: [{rule: self == oldSelf, message: no}]")},
		{name: "oneOf", older: ofField("type: object"), newer: ofField("type: object, oneOf: [{required: [x]}, {required: [y]}]"),
			up: []string{"breaking v1/a/oneOf-introduced"}, down: []string{"notable v1/a/oneOf-dropped forward"}},
		{name: "another not", older: ofField("type: object, not: {required: [y]}"), newer: ofField("type: object, not: {required: [x]}"),
			up: []string{"breaking v1/a/not-changed forward"}, down: []string{"breaking v1/a/not-changed forward"}},
		{name: "descriptions", older: ofField("type: string, description: x, anyOf: [{pattern: x, description: y}]"), newer: ofField("type: string, title: z, anyOf: [{pattern: x}]")},
		{name: "an object's rule", older: versionOf(""), newer: versionOf(", minProperties: 2"), up: []string{"breaking v1/./narrowed"}, down: []string{"info v1/./widened forward"}},
		{name: "beta", older: strings.Replace(with("  preserveUnknownFields: false\n"), "io/v1", "io/v1beta1", 1), newer: with(""),
			up: []string{"notable api-version/changed"}, down: []string{"breaking api-version/changed"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			older, newer := treeOf(test.older), treeOf(test.newer)
			up, down := compared(t, older, newer), compared(t, newer, older)
			if diff := cmp.Diff(test.up, up); diff != "" {
				t.Errorf("up: %s", diff)
			}
			if diff := cmp.Diff(test.down, down); diff != "" {
				t.Errorf("down: %s", diff)
			}
			if diff := cmp.Diff(crdAbout(up), crdAbout(down)); diff != "" {
				t.Errorf("no mirror: %s", diff)
			}
			for _, same := range []fs.FS{older, newer} {
				if lines := compared(t, same, same); lines != nil {
					t.Errorf("compared with itself: %q", lines)
				}
			}
			findings, _ := crdsOf(older, newer)
			back, _ := crdsOf(newer, older)
			if test.upWas+test.upNow != "" && (findings[0].Was != test.upWas || findings[0].Now != test.upNow) {
				t.Errorf("was %q, now %q", findings[0].Was, findings[0].Now)
			}
			if test.upLine > 0 && findings[0].Line != test.upLine || test.dnLine > 0 && back[0].Line != test.dnLine {
				t.Errorf("%+v\n%+v", findings[0], back[0])
			}
		})
	}
}

// TestCRDsFile: one finding as a reader gets it, with the line of the field itself.
func TestCRDsFile(t *testing.T) {
	const head = "# by hand\n---\napiVersion: v1\nkind: Namespace\n---\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: pijobs.demo.example.com}\n" +
		"spec:\n  group: demo.example.com\n  names: {kind: PiJob, plural: pijobs}\n  versions:\n  - name: v1alpha1\n    served: true\n    storage: true\n    schema:\n" +
		"      openAPIV3Schema:\n        type: object\n        properties:\n          spec:\n            type: object\n            properties:\n"
	const digits = "              digits:\n                type: integer\n                maximum: "
	findings, err := crdsOf(treeOf(head+digits+"1000\n"), treeOf(head+"              # fewer\n"+digits+"100\n"))
	want := []Finding{{
		ID: "crd/pijobs.demo.example.com/v1alpha1/spec.digits/narrowed", Subject: CRD, Severity: Breaking,
		What: "spec.digits of v1alpha1 accepts less than before: a stored object with another value is refused; since Kubernetes 1.33 only a change of this field is", Was: "maximum 1000", Now: "maximum 100",
		File: crdFile, Line: 24, Reach: &Reach{Way: ByFile, File: crdFile}, Object: "CustomResourceDefinition pijobs.demo.example.com",
	}}
	if diff := cmp.Diff(want, findings); err != nil || diff != "" {
		t.Errorf("%s, %v", diff, err)
	}
}

// TestEffects: a finding says which writes of a stored object are refused.
func TestEffects(t *testing.T) {
	const field, all = "; since Kubernetes 1.33 only a change of this field is", ", on every change of it"
	for name, c := range map[string]struct{ older, newer, want string }{
		"a bound":                      {ofField("type: integer"), ofField("type: integer, minimum: 1"), field},
		"an enum":                      {ofField("type: string"), ofField("type: string, enum: [x]"), field},
		"a field that is required":     {ofField("type: string"), versionOf(", required: [a], properties: {a: {type: string}}"), all},
		"a new field that is required": {ofField("type: string"), versionOf(", required: [b], properties: {a: {type: string}, b: {type: string}}"), all},
		"a status field": {versionOf(", properties: {status: {type: object, properties: {b: {type: string}}}}"),
			versionOf(", properties: {status: {type: object, required: [b], properties: {b: {type: string}}}}"), ", also when the operator writes its status"},
		"a rule on a field": {ofField("type: integer"), ofField("type: integer, x-kubernetes-validations: [{rule: self > 1}]"), field},
		"a rule on a parent": {versionOf(", properties: {spec: {type: object, properties: {b: {type: string}}}}"),
			versionOf(", properties: {spec: {type: object, properties: {b: {type: string}}, x-kubernetes-validations: [{rule: has(self.b)}]}}"), ", on every change below it"},
		"a rule on the object":  {ofField("type: integer"), versionOf(", x-kubernetes-validations: [{rule: has(self.a)}], properties: {a: {type: integer}}"), all},
		"a rule about changes":  {ofField("type: integer"), ofField("type: integer, x-kubernetes-validations: [{rule: self == oldSelf}]"), "and no stored object is"},
		"a name that is longer": {versionOf(""), versionOf(", properties: {metadata: {type: object, properties: {name: {type: string, maxLength: 20}}}}"), all},
		"a field that was unchecked": {versionOf(", x-kubernetes-preserve-unknown-fields: true"),
			versionOf(", x-kubernetes-preserve-unknown-fields: true, properties: {a: {type: integer}}"), field},
		"in a whole object": {ofField("type: object, x-kubernetes-embedded-resource: true, properties: {b: {type: string}}"),
			ofField("type: object, x-kubernetes-embedded-resource: true, properties: {b: {type: string, maxLength: 2}}"), all},
		"keys of a list": {ofField("type: array, x-kubernetes-list-type: atomic, items: {type: string}"),
			ofField("type: array, x-kubernetes-list-type: set, items: {type: string}"), all},
		"one of": {ofField("type: string"), ofField("type: string, oneOf: [{maxLength: 2}, {minLength: 5}]"), all},
		"a version that is not served": {crdOf("", versionWith("name: v1, served: false, storage: false", "")+versionWith("name: v2, served: true, storage: true", "")),
			crdOf("", versionWith("name: v2, served: true, storage: true", "")), "while its status.storedVersions lists v1"},
	} {
		findings, err := crdsOf(treeOf(c.older), treeOf(c.newer))
		if err != nil || len(findings) == 0 || findings[0].Severity != Breaking || !strings.HasSuffix(findings[0].What, c.want) {
			t.Errorf("%s: %+v, %v", name, findings, err)
		}
		if gone := strings.HasSuffix(c.want, " v1"); gone != (len(findings) > 0 && findings[0].Stored != nil) {
			t.Errorf("%s: %+v", name, findings[0].Stored)
		}
	}
}

func TestCRDsBeta(t *testing.T) {
	beta := func(schema string) string {
		return "apiVersion: apiextensions.k8s.io/v1beta1\nkind: CustomResourceDefinition\nmetadata: {name: jobs.example.com}\nspec:\n  group: example.com\n  version: v1\n  names: {kind: Job, plural: jobs}\n" +
			"  additionalPrinterColumns: [{name: A, JSONPath: .a}]\n  subresources: {status: {}}\n  validation: {openAPIV3Schema: {type: object, properties: {a: {" + schema + "}}}}\n"
	}
	if lines := compared(t, treeOf(beta("type: integer")), treeOf(beta("type: integer, minimum: 1"))); !slices.Equal(lines, []string{"breaking v1/a/narrowed"}) {
		t.Errorf("%q", lines)
	}
	v1 := crdOf("  scope: Namespaced\n", versionWith("name: v1, served: true, storage: true, subresources: {status: {}}, additionalPrinterColumns: [{name: A, jsonPath: .a}]",
		", properties: {a: {type: integer}}"))
	if lines := compared(t, treeOf(beta("type: integer")), treeOf(v1)); !slices.Equal(lines, []string{"breaking unknown-fields/pruned", "notable api-version/changed"}) {
		t.Errorf("%q", lines)
	}
}

func TestCRDsRefused(t *testing.T) {
	bomb := ", x0: &x0 {type: object}"
	for i := range 40 {
		bomb += fmt.Sprintf(", x%d: &x%d {type: object, properties: {a: *x%d, b: *x%d}}", i+1, i+1, i, i)
	}
	deep := strings.Repeat("properties: {a: {", 300) + strings.Repeat("}}", 300)
	for _, test := range []struct{ name, content, want string }{
		{"no YAML", "a: b\nc: [\n", "crds/job.yaml:2 is no YAML: did not find expected node content"},
		{"version", strings.Replace(versionOf(""), "io/v1", "io/v2", 1), `crds/job.yaml:1 is no CustomResourceDefinition that can be read: there is no version "v2" of it`},
		{"name", strings.Replace(versionOf(""), "  name: jobs", "  nam: jobs", 1), "crds/job.yaml:1 is no CustomResourceDefinition that can be read: it has no metadata.name"},
		{"no versions", crdOf("", "    []\n"), "it has no versions"},
		{"a version twice", crdOf("", "  - name: v1\n  - name: v1\n"), "crds/job.yaml:10 is no"},
		{"text for a list", ofField("type: string, enum: x"), `crds/job.yaml:10 is no CustomResourceDefinition that can be read: enum must be a list, found "x"`},
		{"a list for a mapping", versionOf(", properties: [a]"), "properties must be a mapping, found a list"},
		{"a number for text", ofField("type: 1"), `type must be text, found "1"`},
		{"text for a number", ofField("minimum: '1'"), `minimum must be a number, found "1"`},
		{"no number", ofField("minimum: .nan"), "minimum must be a number"},
		{"half a count", ofField("minLength: 1.5"), "minLength must be a whole number"},
		{"text for a flag", ofField("nullable: perhaps"), "nullable must be true or false"},
		{"items", ofField("items: [{type: string}]"), "items must be one schema, found a list"},
		{"a key twice", ofField("type: string, type: string"), `a schema holds the key "type" twice`},
		{"a key that is a list", ofField("[a]: b"), "a key of a schema must be text, found a list"},
		{"a spec that is none", "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: x}\nspec: 1\n", "spec must be a mapping"},
		{"a bomb", versionOf(", properties: {o: *x40}" + bomb), "unknown anchor"},
		{"a bomb that goes off", strings.Replace(versionOf(", properties: {o: *x40}"), "spec:", "x: {a: b"+bomb+"}\nspec:", 1), "it is too large once its aliases are followed"},
		{"itself", versionOf(", properties: {o: &o {type: object, properties: {o: *o}}}"), "an anchor holds itself"},
		{"merged into itself", versionOf(", properties: {o: &o {<<: *o}}"), "an anchor holds itself"},
		{"deep", versionOf(", " + deep), "it is nested too deeply"},
		{"long", versionOf(", " + strings.Repeat("properties: {"+strings.Repeat("a", 900)+": {", 5) + strings.Repeat("}}", 5)), "the path of a field is too long"},
	} {
		start := time.Now()
		for _, trees := range [][2]fs.FS{{treeOf(test.content), treeOf("")}, {treeOf(""), treeOf(test.content)}} {
			if _, err := crdsOf(trees[0], trees[1]); !refusal.Is(err) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s: %v", test.name, err)
			}
		}
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%s: took %s", test.name, took)
		}
	}
}

func FuzzCRDs(f *testing.F) {
	seeds := []string{
		"", "a", "{{", "- x", "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n",
		ofField("type: string, enum: [x, 1, null]"), ofField("type: integer, minimum: 1, multipleOf: 2, default: 3"), versionOf(", required: [a, b], properties: {a: {type: string}}"),
		versionOf(", properties: {o: &o {type: object, properties: {o: *o}}}"), versionOf(", properties: {o: {<<: [{type: object}, {nullable: true}]}}"),
		ofField("type: object, additionalProperties: {x-kubernetes-int-or-string: true, anyOf: [{type: integer}, {type: string}]}"),
		ofField("type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [n], items: {type: object}, x-kubernetes-validations: [{rule: x}]"),
		strings.Replace(versionOf(""), "io/v1", "io/v1beta1", 1), crdOf("  conversion: {strategy: Webhook}\n", "  - {name: v1, subresources: {status: {}}, deprecated: true, storage: true}\n"),
		"kind: List\nitems: [{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: x}, spec: {group: y, versions: [{name: z}]}}]\n",
	}
	for i, seed := range seeds {
		f.Add([]byte(seed), []byte(seeds[(i+1)%len(seeds)]))
	}
	f.Fuzz(func(t *testing.T, older, newer []byte) {
		trees := []fs.FS{fstest.MapFS{"crds/a.yaml": {Data: older}}, fstest.MapFS{"crds/a.yaml": {Data: newer}}}
		for i, content := range [][]byte{older, newer} {
			// A comment makes it another file, which is read on its own.
			twin := fstest.MapFS{"crds/a.yaml": {Data: append([]byte("# twin\n"), content...)}}
			if findings, err := crdsOf(trees[i], twin); err == nil && len(findings) > 0 {
				t.Errorf("compared with itself: %+v", findings)
			}
		}
		up, err := crdsOf(trees[0], trees[1])
		if err != nil && !refusal.Is(err) {
			t.Fatal(err)
		}
		down, back := crdsOf(trees[1], trees[0])
		if (err == nil) != (back == nil) {
			t.Fatalf("%v one way, %v the other", err, back)
		}
		var ids [2][]string
		for i, findings := range [][]Finding{up, down} {
			for _, f := range findings {
				ids[i] = append(ids[i], "- "+strings.ReplaceAll(f.ID, " ", "-"))
				if f.Line < 1 || f.What == "" || strings.ContainsAny(f.What+f.Was+f.Now+f.Object+f.ID, "\n\r") {
					t.Errorf("%+v", f)
				}
			}
		}
		if diff := cmp.Diff(crdAbout(ids[0]), crdAbout(ids[1])); diff != "" {
			t.Errorf("no mirror: %s", diff)
		}
	})
}

// BenchmarkCRDs compares two CRDs of some 12,000 lines, as large as those that embed a pod's template.
func BenchmarkCRDs(b *testing.B) {
	large := func(maximum int) string {
		var s strings.Builder
		s.WriteString("apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: jobs.example.com\nspec:\n  group: example.com\n" +
			"  names:\n    kind: Job\n    plural: jobs\n  versions:\n  - name: v1\n    served: true\n    storage: true\n    schema:\n      openAPIV3Schema:\n        type: object\n        properties:\n")
		for i := range 100 {
			fmt.Fprintf(&s, "          f%d:\n            type: object\n            properties:\n", i)
			for j := range 20 {
				fmt.Fprintf(&s, "              f%d:\n                description: |-\n                  What this is for is told here at some length,\n                  on two lines.\n"+
					"                type: integer\n                maximum: %d\n", j, maximum)
			}
		}
		return s.String()
	}
	older, newer := treeOf(large(9)), treeOf(large(9)+"# other\n")
	b.SetBytes(int64(2 * len(large(9))))
	for b.Loop() {
		if _, err := crdsOf(older, newer); err != nil {
			b.Fatal(err)
		}
	}
}
