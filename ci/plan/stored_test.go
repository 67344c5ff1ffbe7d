package plan

import (
	"fmt"
	"strings"
	"testing"

	"github.com/operator-release/operator-release/ci/compare"
)

// crd is a CRD whose spec has these further fields, and whose property size has these.
func crd(fields, size string) string {
	return "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: pis.example.com}\nspec:\n" +
		"  group: example.com\n  scope: Namespaced\n" + fields + "  versions:\n  - name: v1\n    served: true\n" +
		"    storage: true\n    schema:\n      openAPIV3Schema:\n        type: object\n        properties:\n" +
		"          size: {" + size + "}\n"
}

const piNames = "  names: {kind: Pi, plural: pis}\n"

func TestCopiesAreFound(t *testing.T) {
	whole := crd(piNames, "type: integer")
	indented := "    " + strings.ReplaceAll(strings.TrimSpace(whole), "\n", "\n    ") + "\n"
	for name, c := range map[string]struct {
		file, text string
		found      int
		complete   bool
	}{
		"plain":                    {"a.yaml", whole, 1, true},
		"in a ConfigMap":           {"a.yaml", "kind: ConfigMap\ndata:\n  a: |\n" + indented, 1, true},
		"in a list in a ConfigMap": {"a.yaml", "kind: ConfigMap\ndata:\n  a: |\n    x: 1\n    ---\n" + indented, 1, true},
		"in a helper": {"templates/_crd.tpl", "{{/* Two\nlines. */}}\n{{- define \"a\" -}}\n" + whole + "{{- end }}\n" +
			"{{- define \"b\" -}}\n" + whole + "{{- end }}\n", 2, true},
		"in Go":          {"a.go", "package a\n\nconst crd = `" + whole + "`\n", 1, true},
		"in Go, as JSON": {"a.go", "package a\n\nvar crd = " + fmt.Sprintf("%q", strings.TrimSpace(whole)) + "\n", 1, true},
		"embedded":       {"assets/a.yaml.tmpl", whole, 1, true},
		"in a script":    {"a.sh", "kubectl apply -f - <<E\n" + whole + "E\n", 0, false},
		"braces in text": {"a.yaml", strings.Replace(whole, "type: integer", "type: string, description: \"as {{x}} {{\"", 1),
			1, true},
		"braces in a template's text": {"templates/a.yaml", strings.Replace(whole, "type: integer",
			"type: string, description: \"as {{ \"{{x}}\" }} here\"", 1), 1, true},
		"a name by a template": {"templates/a.yaml", strings.Replace(whole, "name: pis.example.com",
			"name: {{ .Values.a }}", 1), 1, true},
		"a group by a template": {"templates/a.yaml", strings.ReplaceAll(whole, "example.com", "{{ .Values.a }}"), 0, false},
		"a spec by a template": {"templates/a.yaml", whole[:strings.Index(whole, "spec:")] +
			"spec:\n{{ include \"a\" . | nindent 2 }}\n", 0, false},
		"labels by a template": {"templates/a.yaml", strings.Replace(whole, "metadata: {name: pis.example.com}",
			"metadata:\n  name: pis.example.com\n  labels:\n    {{- include \"a\" . | nindent 4 }}", 1), 1, true},
		"a version by a template": {"templates/a.yaml", whole + "  {{- include \"a\" . | nindent 2 }}\n", 1, false},
		"no YAML":                 {"a.yaml", "\t" + whole, 0, false},
		"a patch":                 {"a.yaml", whole[:strings.Index(whole, "spec:")] + "spec: {scope: Cluster}\n", 0, true},
	} {
		found, complete := compare.ReadDefinitions(c.file, c.text)
		if len(found) != c.found || complete != c.complete {
			t.Errorf("%s: %d, complete: %t; want %d, %t", name, len(found), complete, c.found, c.complete)
		}
	}
}

func TestDifference(t *testing.T) {
	for name, c := range map[string]struct{ file, one, other, want string }{
		"the same":              {"a.yaml", crd(piNames, "type: integer"), crd(piNames, "type: integer"), ""},
		"another type":          {"a.yaml", crd(piNames, "type: integer"), crd(piNames, "type: string"), "size.type"},
		"a number's form":       {"a.yaml", crd(piNames, "maximum: 10"), crd(piNames, "maximum: 10.0"), ""},
		"a default's form":      {"a.yaml", crd(piNames, "default: 10"), crd(piNames, "default: 1e1"), ""},
		"another number":        {"a.yaml", crd(piNames, "maximum: 10"), crd(piNames, "maximum: 11"), "size.maximum"},
		"the order of an enum":  {"a.yaml", crd(piNames, "enum: [a, b]"), crd(piNames, "enum: [b, a]"), ""},
		"a member of an enum":   {"a.yaml", crd(piNames, "enum: [a, b]"), crd(piNames, "enum: [b]"), "size.enum"},
		"an empty list":         {"a.yaml", crd(piNames, "required: []"), crd(piNames, "nullable: false"), ""},
		"default names":         {"a.yaml", crd(piNames, ""), crd("  names: {kind: Pi, plural: pis, singular: pi, listKind: PiList}\n", ""), ""},
		"other names":           {"a.yaml", crd(piNames, ""), crd("  names: {kind: Pi, plural: pis, singular: po}\n", ""), "names.singular"},
		"no preserved fields":   {"a.yaml", crd(piNames, ""), crd(piNames+"  preserveUnknownFields: false\n", ""), ""},
		"preserved fields":      {"a.yaml", crd(piNames, ""), crd(piNames+"  preserveUnknownFields: true\n", ""), "preserveUnknownFields"},
		"a conversion of one":   {"a.yaml", crd(piNames, ""), crd(piNames+"  conversion: {strategy: Webhook}\n", ""), ""},
		"a default port":        {"a.yaml", webhook(""), webhook(", port: 443"), ""},
		"another port":          {"a.yaml", webhook(""), webhook(", port: 8443"), "service.port"},
		"what a template makes": {"templates/a.yaml", crd(piNames, "maximum: 10"), crd(piNames, "maximum: {{ .Values.a }}"), ""},
		"a line of a template": {"templates/a.yaml", crd(piNames, "type: integer"), strings.Replace(crd(piNames, "x"),
			"{x}", "\n            {{- include \"a\" . | nindent 12 }}", 1), ""},
		"a type beside what a template makes": {"templates/a.yaml", crd(piNames, "type: integer"),
			crd(piNames, "type: string, maximum: {{ .Values.a }}"), "size"},
		"braces in plain text": {"a.yaml", crd(piNames, "default: '{{a}}'"), crd(piNames, "default: '{{b}}'"), "size.default"},
	} {
		one, _ := compare.ReadDefinitions("a.yaml", c.one)
		other, _ := compare.ReadDefinitions(c.file, c.other)
		if len(one) != 1 || len(other) != 1 {
			t.Errorf("%s: %d and %d CRDs", name, len(one), len(other))
			continue
		}
		if got := difference(one[0], other[0]); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: they differ at %q, want %q", name, got, c.want)
		}
	}
}

// webhook is a CRD whose conversion calls a Service with these further fields.
func webhook(fields string) string {
	return crd(piNames+"  conversion:\n    strategy: Webhook\n    webhook:\n      conversionReviewVersions: [v1]\n"+
		"      clientConfig: {service: {name: a, namespace: b"+fields+"}}\n", "")
}
