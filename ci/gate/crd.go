package gate

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/kube-openapi/pkg/validation/spec"
	"k8s.io/kube-openapi/pkg/validation/strfmt"
	"k8s.io/kube-openapi/pkg/validation/validate"
)

// definition is what a CustomResourceDefinition says of its kind.
type definition struct {
	crd        string
	kind       schema.GroupKind
	namespaced bool
	versions   map[string]*definedVersion
}

type definedVersion struct {
	served bool
	schema *structuralschema.Structural // nil when it is not valid
}

// define reads a CustomResourceDefinition and returns what is wrong with it: what
// the API server would refuse, as far as structure goes.
func define(crd *apiextensionsv1.CustomResourceDefinition) (*definition, []string) {
	d := &definition{
		crd:        crd.Name,
		kind:       schema.GroupKind{Group: crd.Spec.Group, Kind: crd.Spec.Names.Kind},
		namespaced: crd.Spec.Scope == apiextensionsv1.NamespaceScoped,
		versions:   map[string]*definedVersion{},
	}
	var problems []string
	if want := crd.Spec.Names.Plural + "." + crd.Spec.Group; crd.Name != want {
		problems = append(problems, fmt.Sprintf("metadata.name must be %s, which is spec.names.plural and spec.group", want))
	}
	var stored []string
	for i, v := range crd.Spec.Versions {
		if v.Storage {
			stored = append(stored, v.Name)
		}
		if d.versions[v.Name] != nil {
			problems = append(problems, fmt.Sprintf("spec.versions holds %s twice", v.Name))
		}
		at := field.NewPath("spec", "versions").Index(i).Child("schema", "openAPIV3Schema")
		structural, wrong := structure(at, v.Schema)
		for _, problem := range wrong {
			problems = append(problems, fmt.Sprintf("version %s: %s", v.Name, problem))
		}
		d.versions[v.Name] = &definedVersion{served: v.Served, schema: structural}
	}
	if len(stored) != 1 {
		problems = append(problems, fmt.Sprintf("exactly one version must have `storage: true`, found %d (%s)",
			len(stored), strings.Join(stored, ", ")))
	}
	return d, problems
}

func structure(at *field.Path, v *apiextensionsv1.CustomResourceValidation) (*structuralschema.Structural, []string) {
	if v == nil || v.OpenAPIV3Schema == nil {
		return nil, []string{at.String() + " is missing"}
	}
	var internal apiextensions.JSONSchemaProps
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(v.OpenAPIV3Schema, &internal, nil); err != nil {
		return nil, []string{fmt.Sprintf("%s: %v", at, err)}
	}
	structural, err := structuralschema.NewStructural(&internal)
	if err != nil {
		return nil, []string{fmt.Sprintf("%s is not structural: %v", at, err)}
	}
	var problems []string
	for _, err := range structuralschema.ValidateStructural(at, structural) {
		problems = append(problems, err.Error())
	}
	problems = append(problems, misspelt(at, structural)...)
	if len(problems) > 0 {
		return nil, problems
	}
	return structural, nil
}

// misspelt finds types and patterns that do not exist, which the rules of
// structural schemas leave to others.
func misspelt(at *field.Path, s *structuralschema.Structural) []string {
	if s == nil {
		return nil
	}
	var problems []string
	types := []string{"", "array", "boolean", "integer", "number", "object", "string"}
	if !slices.Contains(types, s.Type) {
		problems = append(problems, fmt.Sprintf("%s: there is no type %q; use one of %s", at.Child("type"), s.Type, strings.Join(types[1:], ", ")))
	}
	if v := s.ValueValidation; v != nil {
		if _, err := regexp.Compile(v.Pattern); err != nil {
			problems = append(problems, fmt.Sprintf("%s: %v", at.Child("pattern"), err))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		property := s.Properties[name]
		problems = append(problems, misspelt(at.Child("properties").Key(name), &property)...)
	}
	if s.AdditionalProperties != nil {
		problems = append(problems, misspelt(at.Child("additionalProperties"), s.AdditionalProperties.Structural)...)
	}
	return append(problems, misspelt(at.Child("items"), s.Items)...)
}

// check does with an object what the API server does before it would store it.
func (d *definition) check(o *object) []string {
	v := d.versions[o.gvk.Version]
	if v == nil || !v.served {
		var served []string
		for _, name := range slices.Sorted(maps.Keys(d.versions)) {
			if d.versions[name].served {
				served = append(served, name)
			}
		}
		return []string{fmt.Sprintf("the chart's CRD %s does not serve the version %s but %s; use one of these",
			d.crd, o.gvk.Version, strings.Join(served, ", "))}
	}
	if v.schema == nil {
		return nil // said of the CRD itself
	}

	var problems []string
	fields := runtime.DeepCopyJSON(o.fields)
	unknown := pruning.PruneWithOptions(fields, v.schema, true, structuralschema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
	for _, path := range unknown {
		problems = append(problems, fmt.Sprintf("unknown field %q: the chart's CRD %s does not have it; correct its name, or add it to the CRD", path, d.crd))
	}
	dropNulls(fields, v.schema)
	setDefaults(fields, v.schema)

	var invalid []string
	for _, err := range listtype.ValidateListSetsAndMaps(nil, v.schema, fields) {
		invalid = append(invalid, err.Error())
	}
	openAPI := v.schema.ToKubeOpenAPI()
	typeIntOrString(openAPI)
	for _, err := range validate.NewSchemaValidator(openAPI, nil, "", strfmt.Default).Validate(fields).Errors {
		invalid = append(invalid, strings.TrimSpace(strings.Replace(err.Error(), " in body ", " ", 1)))
	}
	slices.Sort(invalid)
	for _, problem := range slices.Compact(invalid) {
		problems = append(problems, fmt.Sprintf("%s (by the chart's CRD %s)", problem, d.crd))
	}
	return problems
}

// typeIntOrString gives a type to the schemas that say by an extension that they
// have two, as the API server does.
func typeIntOrString(s *spec.Schema) {
	if s == nil {
		return
	}
	if both, _ := s.Extensions.GetBool("x-kubernetes-int-or-string"); both {
		s.Type = spec.StringOrArray{"integer", "string"}
	}
	for name, property := range s.Properties {
		typeIntOrString(&property)
		s.Properties[name] = property
	}
	if s.Items != nil {
		typeIntOrString(s.Items.Schema)
	}
	if s.AdditionalProperties != nil {
		typeIntOrString(s.AdditionalProperties.Schema)
	}
}

// dropNulls and setDefaults follow apiserver/schema/defaulting, which cannot be
// imported without the CEL compiler: a null where none is allowed is as good as
// absent, and what is absent gets its default, before anything is validated.
func dropNulls(x any, s *structuralschema.Structural) {
	switch x := x.(type) {
	case map[string]any:
		for name, value := range x {
			property := propertyOf(name, s)
			if value == nil && property != nil && !property.Nullable && property.Default.Object == nil {
				delete(x, name)
				continue
			}
			dropNulls(value, property)
		}
	case []any:
		for _, item := range x {
			if s != nil {
				dropNulls(item, s.Items)
			}
		}
	}
}

func setDefaults(x any, s *structuralschema.Structural) {
	if s == nil {
		return
	}
	replaces := func(value any, of *structuralschema.Structural) bool {
		return value == nil && of != nil && !of.Nullable && of.Default.Object != nil
	}
	switch x := x.(type) {
	case map[string]any:
		for name, property := range s.Properties {
			if value, found := x[name]; property.Default.Object != nil && (!found || replaces(value, &property)) {
				x[name] = runtime.DeepCopyJSONValue(property.Default.Object)
			}
		}
		for name, value := range x {
			property := propertyOf(name, s)
			if replaces(value, property) {
				x[name] = runtime.DeepCopyJSONValue(property.Default.Object)
			}
			setDefaults(x[name], property)
		}
	case []any:
		for i := range x {
			if replaces(x[i], s.Items) {
				x[i] = runtime.DeepCopyJSONValue(s.Items.Default.Object)
			}
			setDefaults(x[i], s.Items)
		}
	}
}

func propertyOf(name string, s *structuralschema.Structural) *structuralschema.Structural {
	if s == nil {
		return nil
	}
	if property, ok := s.Properties[name]; ok {
		return &property
	}
	if s.AdditionalProperties != nil {
		return s.AdditionalProperties.Structural
	}
	return nil
}
