package gate

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	jsonserializer "k8s.io/apimachinery/pkg/runtime/serializer/json"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	clientscheme "k8s.io/client-go/kubernetes/scheme"
	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"

	"github.com/operator-release/operator-release/ci/compare"
	"github.com/operator-release/operator-release/ci/render"
)

// object is a Kubernetes object that a chart yields.
type object struct {
	file            string
	gvk             schema.GroupVersionKind
	namespace, name string
	fields          map[string]any
	known           bool        // to the Kubernetes API, and decoded against it
	crd             *definition // what a CustomResourceDefinition defines
	removal         *removal    // of its API, if the newest Kubernetes does not serve it
	deeper          bool        // more than its fields, its metadata and fixed values was looked at
}

func (o *object) String() string {
	name := o.name
	if o.namespace != "" {
		name = o.namespace + "/" + name
	}
	return o.gvk.Kind + " " + name
}

// says names the place of a problem before it.
func (o *object) says(problem string) string {
	return fmt.Sprintf("%s: %s: %s", o.file, o, problem)
}

// parsed is what a document holds and what is wrong with it by itself.
type parsed struct {
	objects  []*object
	problems []string
	warnings []string
}

// memo keeps what a document gave: most of a chart, and its CRDs, which are
// large, are the same whatever the values.
type memo map[render.Document]parsed

// kubernetes is the API as client-go has it, with CustomResourceDefinitions. The
// serializer decodes strictly. Built on first use: registering all kinds takes a
// while.
var kubernetes = sync.OnceValues(func() (*runtime.Scheme, runtime.Decoder) {
	scheme := runtime.NewScheme()
	must(clientscheme.AddToScheme(scheme))
	must(apiextensionsv1.AddToScheme(scheme))
	scheme.AddKnownTypeWithName(aggregated.WithKind("APIService"), &apiService{})
	return scheme, jsonserializer.NewSerializerWithOptions(jsonserializer.DefaultMetaFactory, scheme, scheme,
		jsonserializer.SerializerOptions{Yaml: true, Strict: true})
})

func must(err error) {
	if err != nil {
		panic(err) // two versions of the API in one program: nothing a user can do
	}
}

// checkObjects checks the documents of one rendering: one check for all that
// could be checked, then one for each object that could not. Kinds without a CRD in the documents may have one that is
// given.
func checkObjects(subject, version string, docs []render.Document, seen memo,
	given map[schema.GroupKind]*definition) ([]Check, []*object) {
	var objects []*object
	var problems, warnings []string
	for _, doc := range docs {
		p, ok := seen[doc]
		if !ok {
			p = parse(doc)
			seen[doc] = p
		}
		objects = append(objects, p.objects...)
		problems = append(problems, p.problems...)
		warnings = append(warnings, p.warnings...)
	}

	definitions := map[schema.GroupKind]*definition{}
	maps.Copy(definitions, given)
	for _, o := range objects {
		if o.crd != nil {
			definitions[o.crd.kind] = o.crd
		}
	}
	problems = append(problems, duplicates(objects, definitions)...)

	var unchecked []Check
	for _, o := range objects {
		if o.known {
			continue
		}
		if d := definitions[o.gvk.GroupKind()]; d != nil {
			for _, problem := range d.check(o) {
				problems = append(problems, o.says(problem))
			}
			continue
		}
		scheme, _ := kubernetes()
		own := scheme.IsGroupRegistered(o.gvk.Group)
		if own && minorOf(version) < minorOf(render.Newest()) { // older versions served APIs that are not known here
			unchecked = append(unchecked, Check{Name: ObjectsCheck, Status: NotChecked,
				Subject: fmt.Sprintf("%s: %s %s", subject, o.gvk.GroupVersion(), o),
				Details: []string{fmt.Sprintf("%s: Kubernetes %s has no such kind; whether %s has it is not known",
					o.file, strings.TrimPrefix(render.Newest(), "v"), strings.TrimPrefix(version, "v"))}})
			continue
		}
		if own {
			problems = append(problems, o.says(fmt.Sprintf("Kubernetes has no kind %s in %s (removed, or misspelt); "+
				"use one that it has", o.gvk.Kind, o.gvk.GroupVersion())))
			continue
		}
		unchecked = append(unchecked, Check{Name: ObjectsCheck, Status: NotChecked,
			Subject: fmt.Sprintf("%s: %s %s", subject, o.gvk.GroupVersion(), o),
			Details: []string{o.file + ": the kind is not Kubernetes' own, and no CRD for it was found here"}})
	}

	if len(warnings) > 0 {
		unchecked = append(unchecked, Check{Name: ObjectsCheck, Status: Warned, Subject: subject, Details: warnings})
	}
	looked := []string{lookedAt(objects, definitions)}
	return append([]Check{verdict(ObjectsCheck, subject, problems, looked)}, unchecked...), objects
}

// parse reads a document and checks it as far as that goes without the others.
func parse(doc render.Document) parsed {
	var p parsed
	fail := func(format string, args ...any) parsed {
		p.problems = append(p.problems, doc.File+": "+fmt.Sprintf(format, args...))
		return p
	}
	data, err := yaml.YAMLToJSON([]byte(doc.Text))
	if err != nil {
		return fail("a document is not YAML: %s", quoteLine(err.Error(), doc.Text))
	}
	if strings.TrimSpace(string(data)) == "null" {
		return p
	}
	o := &object{file: doc.File}
	if err := utiljson.Unmarshal(data, &o.fields); err != nil {
		return fail("a document is no object but begins with %q; only objects belong in a rendered template", firstLine(doc.Text))
	}
	apiVersion, _ := o.fields["apiVersion"].(string)
	kind, _ := o.fields["kind"].(string)
	if apiVersion == "" || kind == "" {
		return fail("a document without apiVersion and kind, beginning with %q; add them", firstLine(doc.Text))
	}
	o.gvk = schema.FromAPIVersionAndKind(apiVersion, kind)
	metadata, _ := o.fields["metadata"].(map[string]any)
	o.name, _ = metadata["name"].(string)
	o.namespace, _ = metadata["namespace"].(string)

	problems, warnings := o.decode(doc.Text)
	for _, problem := range append(problems, o.annotationProblems()...) {
		p.problems = append(p.problems, o.says(problem))
	}
	for _, warning := range warnings {
		p.warnings = append(p.warnings, o.says(warning))
	}
	if items, ok := o.fields["items"].([]any); ok && strings.HasSuffix(kind, "List") {
		for _, item := range items {
			text, err := json.Marshal(item)
			if err != nil {
				return fail("an item of the %s: %v", kind, err)
			}
			inner := parse(render.Document{File: doc.File, Text: string(text)})
			p.objects = append(p.objects, inner.objects...)
			p.problems = append(p.problems, inner.problems...)
			p.warnings = append(p.warnings, inner.warnings...)
		}
		return p
	}
	if o.name == "" {
		problem := fmt.Sprintf("a %s without metadata.name; give it one", kind)
		if metadata["generateName"] != nil {
			problem += " (Helm cannot follow an object whose name the cluster generates)"
		}
		return fail("%s", problem)
	}
	if kind == "ConfigMap" {
		inner := textDefinitions(doc)
		p.problems = append(p.problems, inner.problems...)
		p.warnings = append(p.warnings, inner.warnings...)
	}
	p.objects = append(p.objects, o)
	return p
}

// textDefinitions validates the CRDs in the texts of a ConfigMap, which a job or an operator applies.
func textDefinitions(doc render.Document) (p parsed) {
	if !strings.Contains(doc.Text, "CustomResourceDefinition") {
		return p
	}
	found, _ := compare.ReadDefinitions("a.yaml", doc.Text) // what is no whole CRD is text
	for _, d := range found {
		content, err := json.Marshal(d.Object)
		if err != nil || d.FilledIn || d.Old {
			continue
		}
		inner := parse(render.Document{File: doc.File, Text: string(content)})
		p.problems = append(p.problems, inner.problems...)
		p.warnings = append(p.warnings, inner.warnings...)
	}
	return p
}

// decode decodes the object strictly: against its type if Kubernetes has it,
// else only what all objects share. It returns the problems and the warnings.
func (o *object) decode(text string) (problems, warnings []string) {
	scheme, decoder := kubernetes()
	if o.known = scheme.Recognizes(o.gvk); o.known {
		typed, _, err := decoder.Decode([]byte(text), nil, nil)
		if strict, ok := runtime.AsStrictDecodingError(err); ok {
			for _, err := range strict.Errors() {
				problems = append(problems, decodingProblem(err, text))
			}
		} else if err != nil {
			return []string{decodingProblem(err, text)}, nil
		}
		if crd, ok := typed.(*apiextensionsv1.CustomResourceDefinition); ok {
			var wrong []string
			o.crd, wrong, warnings = define(crd)
			return append(problems, wrong...), warnings
		}
		if typed != nil {
			o.removal = removalOf(typed)
			wrong, deeper := o.semantics(typed)
			o.deeper = deeper
			problems = append(problems, fieldProblems(wrong)...)
		}
		return problems, nil
	}

	if _, err := yaml.YAMLToJSONStrict([]byte(text)); err != nil {
		problems = append(problems, decodingProblem(err, text))
	}
	if metadata, err := json.Marshal(o.fields["metadata"]); err == nil {
		var typed metav1.ObjectMeta
		strict, err := kjson.UnmarshalStrict(metadata, &typed)
		if o.name != "" && err == nil {
			// The server of another API may accept more names than that of a CRD, whose rule definition.check has.
			problems = append(problems, fieldProblems(objectMeta(&typed, pathSegment))...)
		}
		for _, err := range append(strict, err) {
			if err != nil {
				problems = append(problems, "in metadata: "+decodingProblem(err, text))
			}
		}
	}
	return problems, nil
}

// duplicates finds objects that would be one in the cluster. Hooks of different
// events may share a name: Helm deletes the one before it makes the next.
func duplicates(objects []*object, definitions map[schema.GroupKind]*definition) []string {
	type identity struct {
		kind            schema.GroupKind
		namespace, name string
	}
	var problems []string
	seen := map[identity][]*object{}
	for _, o := range objects {
		id := identity{o.gvk.GroupKind(), o.namespace, o.name}
		if id.namespace == "" {
			id.namespace = render.Namespace
		}
		if d := definitions[id.kind]; d != nil && !d.namespaced {
			id.namespace = ""
		}
		for _, other := range seen[id] {
			if collide(o, other) {
				problems = append(problems, o.says(fmt.Sprintf("this object is here twice, also from %s; rename or remove one", other.file)))
				break
			}
		}
		seen[id] = append(seen[id], o)
	}
	return problems
}

func collide(a, b *object) bool {
	hooksA, hooksB := a.hooks(), b.hooks()
	if len(hooksA) == 0 || len(hooksB) == 0 {
		return true
	}
	return slices.ContainsFunc(hooksA, func(h string) bool { return slices.Contains(hooksB, h) })
}

// decodingProblem rewords an error of the decoders for one who sees neither
// their input nor its line numbers.
func decodingProblem(err error, text string) string {
	problem := strings.Join(strings.Fields(err.Error()), " ")
	for _, noise := range []string{"error converting YAML to JSON: ", "yaml: unmarshal errors: ", "json: "} {
		problem = strings.ReplaceAll(problem, noise, "")
	}
	problem = quoteLine(problem, text)
	if strings.HasPrefix(problem, "unknown field") {
		problem += "; correct its name, its place or the object's apiVersion"
	}
	return problem
}

var lineNumber = regexp.MustCompile(`\bline (\d+)`)

// quoteLine adds the line of the rendered document that an error speaks of.
func quoteLine(problem, text string) string {
	m := lineNumber.FindStringSubmatch(problem)
	if m == nil {
		return problem
	}
	n, err := strconv.Atoi(m[1])
	if all := strings.Split(text, "\n"); err == nil && n > 0 && n <= len(all) {
		problem += fmt.Sprintf(" (line %d of the rendered document is %q)", n, strings.TrimSpace(all[n-1]))
	}
	return problem
}

func firstLine(text string) string {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") && line != "---" {
			return line
		}
	}
	return ""
}
