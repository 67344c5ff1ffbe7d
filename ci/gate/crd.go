package gate

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	structuralmeta "k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	schemavalidation "k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
)

// definition is what a CustomResourceDefinition says of its kind.
type definition struct {
	crd        string
	kind       schema.GroupKind
	namespaced bool
	versions   map[string]*definedVersion
}

// definedVersion is one version of the kind. The schema is nil if the CRD is not valid.
type definedVersion struct {
	served    bool
	schema    *structuralschema.Structural
	validator schemavalidation.SchemaValidator
	rules     *cel.Validator // nil without x-kubernetes-validations
}

// define reads a CustomResourceDefinition. The problems are those for which an API server refuses to create it, in the
// server's words. The warnings are about paths that lead nowhere, which a server accepts.
func define(crd *apiextensionsv1.CustomResourceDefinition) (d *definition, problems, warnings []string) {
	d = &definition{
		crd:        crd.Name,
		kind:       schema.GroupKind{Group: crd.Spec.Group, Kind: crd.Spec.Names.Kind},
		namespaced: crd.Spec.Scope == apiextensionsv1.NamespaceScoped,
		versions:   map[string]*definedVersion{},
	}
	for _, v := range crd.Spec.Versions {
		d.versions[v.Name] = &definedVersion{served: v.Served}
	}

	created := crd.DeepCopy()
	created.Status = apiextensionsv1.CustomResourceDefinitionStatus{}
	apiextensionsv1.SetObjectDefaults_CustomResourceDefinition(created)
	var internal apiextensions.CustomResourceDefinition
	err := apiextensionsv1.Convert_v1_CustomResourceDefinition_To_apiextensions_CustomResourceDefinition(created,
		&internal, nil)
	if err != nil {
		return d, []string{err.Error()}, nil
	}
	problems = fieldProblems(slices.DeleteFunc(validation.ValidateCustomResourceDefinition(context.Background(),
		&internal),
		func(err *field.Error) bool { return strings.HasPrefix(err.Field, "status.") })) // the server writes the status
	for i, problem := range problems {
		problem = strings.ReplaceAll(problem, "spec.validation.", "spec.versions[*].schema.")
		problems[i] = topLevel.ReplaceAllString(problem, "spec.versions[*].$1")
	}
	if len(problems) > 0 {
		return d, problems, nil
	}
	for i, v := range crd.Spec.Versions {
		props, err := apiextensions.GetSchemaForVersion(&internal, v.Name)
		if err == nil {
			err = d.versions[v.Name].read(props.OpenAPIV3Schema)
		}
		if err != nil {
			problems = append(problems, fmt.Sprintf("version %s: %v", v.Name, err))
			continue
		}
		warnings = append(warnings, pathsNowhere(field.NewPath("spec", "versions").Index(i), v, d.versions[v.Name].schema)...)
	}
	return d, problems, warnings
}

// topLevel finds the names that the server's internal type has for what all versions share. Version v1 of the API has
// these fields per version only.
var topLevel = regexp.MustCompile(`\bspec\.(additionalPrinterColumns|subresources|selectableFields)\b`)

// read makes the validators of a version's schema.
func (v *definedVersion) read(props *apiextensions.JSONSchemaProps) error {
	structural, err := structuralschema.NewStructural(props)
	if err != nil {
		return err
	}
	v.validator, _, err = schemavalidation.NewSchemaValidator(props)
	if err != nil {
		return err
	}
	v.schema = structural
	v.rules = cel.NewValidator(structural, true, celconfig.PerCallLimit)
	return nil
}

// namesItself tells whether the name of a CRD is PLURAL.GROUP, as servers require.
func (o *object) namesItself() bool {
	spec, _ := o.fields["spec"].(map[string]any)
	names, _ := spec["names"].(map[string]any)
	group, _ := spec["group"].(string)
	return group != "" && o.name == fmt.Sprintf("%v.%s", names["plural"], group)
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
		return []string{fmt.Sprintf("the CRD %s does not serve the version %s but %s; use one of these",
			d.crd, o.gvk.Version, strings.Join(served, ", "))}
	}
	if v.schema == nil {
		return nil // said of the CRD itself
	}

	var problems []string
	fields := runtime.DeepCopyJSON(o.fields)
	unknown := pruning.PruneWithOptions(fields, v.schema, true,
		structuralschema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
	for _, path := range unknown {
		problems = append(problems, fmt.Sprintf("unknown field %q: the CRD %s does not have it; correct its "+
			"name, or add it to the CRD", path, d.crd))
	}
	defaulting.PruneNonNullableNullsWithoutDefaults(fields, v.schema)
	defaulting.Default(fields, v.schema)

	invalid := invalid(field.NewPath("metadata", "name"), o.name, apivalidation.NameIsDNSSubdomain(o.name, false))
	invalid = append(invalid, structuralmeta.Validate(context.Background(), nil, fields, v.schema, false)...)
	invalid = append(invalid, listtype.ValidateListSetsAndMaps(nil, v.schema, fields)...)
	invalid = append(invalid, schemavalidation.ValidateCustomResource(nil, fields, v.validator)...)
	if v.rules != nil && len(invalid) == 0 {
		violated, _ := v.rules.Validate(context.Background(), nil, v.schema, fields, nil, celconfig.RuntimeCELCostBudget)
		invalid = append(invalid, violated...)
	}
	for _, problem := range fieldProblems(invalid) {
		problems = append(problems, fmt.Sprintf("%s (by the CRD %s)", problem, d.crd))
	}
	return problems
}

// fieldProblems are the errors of the API's validation as texts, sorted, each once. A value with parts is left
// out: it may be a whole schema.
func fieldProblems(errs field.ErrorList) []string {
	var problems []string
	for _, err := range errs {
		text := err.Error()
		switch reflect.ValueOf(err.BadValue).Kind() {
		case reflect.Struct, reflect.Map, reflect.Slice, reflect.Pointer:
			text = fmt.Sprintf("%s: %s: %s", err.Field, err.Type, err.Detail)
		}
		problems = append(problems, strings.Join(strings.Fields(text), " "))
	}
	slices.Sort(problems)
	return slices.Compact(problems)
}
