package gate

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	celgo "github.com/google/cel-go/cel"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	admissionv1alpha1 "k8s.io/api/admissionregistration/v1alpha1"
	admissionv1beta1 "k8s.io/api/admissionregistration/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	admissioncel "k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/admission/plugin/policy/mutating/patch"
	"k8s.io/apiserver/pkg/cel/environment"
)

// expression is a CEL expression of an admission policy or a webhook, with the types that it may give.
type expression struct {
	name, text string
	types      []*celgo.Type
}

func (e expression) GetName() string            { return e.name }
func (e expression) GetExpression() string      { return e.text }
func (e expression) ReturnTypes() []*celgo.Type { return e.types }

var celCompiler = sync.OnceValue(func() admissioncel.Compiler {
	return admissioncel.NewCompiler(environment.MustBaseEnvSet(environment.DefaultCompatibilityVersion()))
})

// compiled is what an API server says of an expression when it compiles it.
func compiled(compiler admissioncel.Compiler, e admissioncel.ExpressionAccessor,
	with admissioncel.OptionalVariableDeclarations, at *field.Path) field.ErrorList {
	if strings.TrimSpace(e.GetExpression()) == "" {
		return field.ErrorList{field.Required(at, "")}
	}
	if err := compiler.CompileCELExpression(e, with, environment.NewExpressions).Error; err != nil {
		return field.ErrorList{field.Invalid(at, e.GetExpression(), err.Detail)}
	}
	return nil
}

// matchConditions validates the conditions of a webhook or a policy.
func matchConditions(compiler admissioncel.Compiler, all []admissionv1.MatchCondition, params bool,
	at *field.Path) field.ErrorList {
	var errs field.ErrorList
	if most := 64; len(all) > most {
		errs = append(errs, field.TooMany(at, len(all), most))
	}
	var names []string
	for i, c := range all {
		one := at.Index(i)
		errs = append(errs, unique(one.Child("name"), c.Name, &names, validation.IsQualifiedName)...)
		errs = append(errs, compiled(compiler, expression{text: c.Expression, types: []*celgo.Type{celgo.BoolType}},
			admissioncel.OptionalVariableDeclarations{HasParams: params, HasAuthorizer: true}, one.Child("expression"))...)
	}
	return errs
}

// policy is what validating and mutating admission policies share.
type policy struct {
	params     *admissionv1.ParamKind
	match      *admissionv1.MatchResources
	conditions []admissionv1.MatchCondition
	variables  []admissionv1.Variable
}

// check validates the shared fields. It gives the compiler that knows the policy's variables.
func (p policy) check(spec *field.Path) (admissioncel.Compiler, field.ErrorList) {
	compiler, err := admissioncel.NewCompositedCompiler(environment.MustBaseEnvSet(
		environment.DefaultCompatibilityVersion()))
	if err != nil {
		return celCompiler(), field.ErrorList{field.InternalError(spec, err)}
	}
	errs := matchConditions(celCompiler(), p.conditions, p.params != nil, spec.Child("matchConditions"))
	if p.params != nil {
		for name, value := range map[string]string{"apiVersion": p.params.APIVersion, "kind": p.params.Kind} {
			if value == "" {
				errs = append(errs, field.Required(spec.Child("paramKind", name), ""))
			}
		}
	}
	constraints := spec.Child("matchConstraints")
	switch {
	case p.match == nil:
		errs = append(errs, field.Required(constraints, ""))
	case len(p.match.ResourceRules) == 0:
		errs = append(errs, field.Required(constraints.Child("resourceRules"), ""))
	default:
		errs = append(errs, matchResources(p.match, constraints)...)
	}
	var names []string
	for i, v := range p.variables {
		at := spec.Child("variables").Index(i)
		errs = append(errs, unique(at.Child("name"), v.Name, &names, celName)...)
		if strings.TrimSpace(v.Expression) == "" {
			errs = append(errs, field.Required(at.Child("expression"), ""))
			continue
		}
		result := compiler.CompileAndStoreVariable(expression{v.Name, v.Expression, []*celgo.Type{celgo.AnyType,
			celgo.DynType}}, p.with(true), environment.NewExpressions)
		if result.Error != nil {
			errs = append(errs, field.Invalid(at.Child("expression"), v.Expression, result.Error.Detail))
		}
	}
	return compiler, errs
}

// with says which variables an expression of the policy sees.
func (p policy) with(authorizer bool) admissioncel.OptionalVariableDeclarations {
	return admissioncel.OptionalVariableDeclarations{HasParams: p.params != nil, HasAuthorizer: authorizer}
}

// celName says that a name is no identifier of CEL.
func celName(name string) []string {
	words := []string{"as", "break", "const", "continue", "else", "false", "for", "function", "if", "import", "in", "let",
		"loop", "namespace", "null", "package", "return", "true", "var", "void", "while"}
	if len(validation.IsCIdentifier(name)) > 0 || slices.Contains(words, name) {
		return []string{"name is not a valid CEL identifier"}
	}
	return nil
}

func matchResources(m *admissionv1.MatchResources, at *field.Path) field.ErrorList {
	errs := append(selector(m.NamespaceSelector, at.Child("namespaceSelector")),
		selector(m.ObjectSelector, at.Child("objectSelector"))...)
	for name, rules := range map[string][]admissionv1.NamedRuleWithOperations{"resourceRules": m.ResourceRules,
		"excludeResourceRules": m.ExcludeResourceRules} {
		for i, r := range rules {
			errs = append(errs, operationsRule(r.RuleWithOperations, at.Child(name).Index(i))...)
		}
	}
	return errs
}

func validatingPolicy(s *admissionv1.ValidatingAdmissionPolicySpec, spec *field.Path) field.ErrorList {
	p := policy{s.ParamKind, s.MatchConstraints, s.MatchConditions, s.Variables}
	compiler, errs := p.check(spec)
	if len(s.Validations)+len(s.AuditAnnotations) == 0 {
		errs = append(errs, field.Required(spec.Child("validations"), "validations or auditAnnotations must contain at "+
			"least one item"))
	}
	reasons := []metav1.StatusReason{metav1.StatusReasonForbidden, metav1.StatusReasonInvalid,
		metav1.StatusReasonRequestEntityTooLarge, metav1.StatusReasonUnauthorized}
	for i, v := range s.Validations {
		at := spec.Child("validations").Index(i)
		errs = append(errs, compiled(compiler, expression{text: v.Expression, types: []*celgo.Type{celgo.BoolType}},
			p.with(true), at.Child("expression"))...)
		if v.MessageExpression != "" {
			errs = append(errs, compiled(compiler, expression{text: v.MessageExpression,
				types: []*celgo.Type{celgo.StringType}}, p.with(false), at.Child("messageExpression"))...)
		}
		switch {
		case strings.Contains(v.Message, "\n"):
			errs = append(errs, field.Invalid(at.Child("message"), v.Message, "message must not contain line breaks"))
		case v.Message == "" && strings.Contains(strings.TrimSpace(v.Expression), "\n"):
			errs = append(errs, field.Required(at.Child("message"), "message must be specified if expression contains line "+
				"breaks"))
		}
		if v.Reason != nil && !slices.Contains(reasons, *v.Reason) {
			errs = append(errs, field.NotSupported(at.Child("reason"), *v.Reason, reasons))
		}
	}
	var keys []string
	for i, a := range s.AuditAnnotations {
		at := spec.Child("auditAnnotations").Index(i)
		errs = append(errs, unique(at.Child("key"), a.Key, &keys, validation.IsQualifiedName)...)
		errs = append(errs, compiled(compiler, expression{text: a.ValueExpression, types: []*celgo.Type{celgo.StringType,
			celgo.NullType}}, p.with(true), at.Child("valueExpression"))...)
	}
	return errs
}

func mutatingPolicy(s *admissionv1.MutatingAdmissionPolicySpec, spec *field.Path) field.ErrorList {
	p := policy{s.ParamKind, s.MatchConstraints, s.MatchConditions, s.Variables}
	compiler, errs := p.check(spec)
	if len(s.Mutations) == 0 {
		errs = append(errs, field.Required(spec.Child("mutations"), ""))
	}
	with := p.with(true)
	with.HasPatchTypes = true
	for i, m := range s.Mutations {
		at := spec.Child("mutations").Index(i)
		for _, one := range []struct {
			kind    admissionv1.PatchType
			name    string
			given   bool
			compile func(*field.Path) field.ErrorList
		}{
			{admissionv1.PatchTypeApplyConfiguration, "applyConfiguration", m.ApplyConfiguration != nil,
				func(at *field.Path) field.ErrorList {
					return compiled(compiler, &patch.ApplyConfigurationCondition{Expression: m.ApplyConfiguration.Expression}, with, at)
				}},
			{admissionv1.PatchTypeJSONPatch, "jsonPatch", m.JSONPatch != nil, func(at *field.Path) field.ErrorList {
				return compiled(compiler, &patch.JSONPatchCondition{Expression: m.JSONPatch.Expression}, with, at)
			}},
		} {
			at := at.Child(one.name)
			switch {
			case m.PatchType == one.kind && !one.given:
				errs = append(errs, field.Required(at, fmt.Sprintf("must be specified when patchType is %s", one.kind)))
			case m.PatchType != one.kind && one.given:
				errs = append(errs, field.Invalid(at, "", fmt.Sprintf("must not be specified when patchType is %s", m.PatchType)))
			case one.given:
				errs = append(errs, one.compile(at.Child("expression"))...)
			}
		}
		if m.PatchType == "" {
			errs = append(errs, field.Required(at.Child("patchType"), ""))
		}
	}
	return errs
}

// policyBinding validates what bindings of validating and mutating policies share.
func policyBinding(name string, params *admissionv1.ParamRef, match *admissionv1.MatchResources,
	spec *field.Path) field.ErrorList {
	var errs field.ErrorList
	if name == "" {
		errs = append(errs, field.Required(spec.Child("policyName"), ""))
	}
	if params != nil {
		at := spec.Child("paramRef")
		switch {
		case params.Name == "" && params.Selector == nil:
			errs = append(errs, field.Required(at, "one of name or selector must be specified"))
		case params.Name != "" && params.Selector != nil:
			errs = append(errs, field.Forbidden(at.Child("name"), "name and selector are mutually exclusive"))
		}
		errs = append(errs, selector(params.Selector, at.Child("selector"))...)
		if params.ParameterNotFoundAction == nil {
			errs = append(errs, field.Required(at.Child("parameterNotFoundAction"), ""))
		}
	}
	if match != nil {
		errs = append(errs, matchResources(match, spec.Child("matchResources"))...)
	}
	return errs
}

// admissionPolicy validates a policy or a binding of any version of their API. looked is false for other objects.
func admissionPolicy(typed runtime.Object) (errs field.ErrorList, looked bool) {
	spec := field.NewPath("spec")
	switch typed := typed.(type) {
	case *admissionv1.ValidatingAdmissionPolicy:
		return validatingPolicy(&typed.Spec, spec), true
	case *admissionv1.MutatingAdmissionPolicy:
		return mutatingPolicy(&typed.Spec, spec), true
	case *admissionv1.ValidatingAdmissionPolicyBinding:
		errs := policyBinding(typed.Spec.PolicyName, typed.Spec.ParamRef, typed.Spec.MatchResources, spec)
		actions := spec.Child("validationActions")
		switch a := typed.Spec.ValidationActions; {
		case len(a) == 0:
			errs = append(errs, field.Required(actions, "at least one validation action is required"))
		case len(slices.Compact(slices.Sorted(slices.Values(a)))) < len(a):
			errs = append(errs, field.Invalid(actions, fmt.Sprint(a), "must have each action once"))
		case slices.Contains(a, admissionv1.Deny) && slices.Contains(a, admissionv1.Warn):
			errs = append(errs, field.Invalid(actions, fmt.Sprint(a), "must not contain both Deny and Warn"))
		}
		return errs, true
	case *admissionv1.MutatingAdmissionPolicyBinding:
		return policyBinding(typed.Spec.PolicyName, typed.Spec.ParamRef, typed.Spec.MatchResources, spec), true
	case *admissionv1beta1.ValidatingAdmissionPolicy, *admissionv1alpha1.ValidatingAdmissionPolicy:
		return asPolicy(typed, &admissionv1.ValidatingAdmissionPolicy{})
	case *admissionv1beta1.MutatingAdmissionPolicy, *admissionv1alpha1.MutatingAdmissionPolicy:
		return asPolicy(typed, &admissionv1.MutatingAdmissionPolicy{})
	case *admissionv1beta1.ValidatingAdmissionPolicyBinding, *admissionv1alpha1.ValidatingAdmissionPolicyBinding:
		return asPolicy(typed, &admissionv1.ValidatingAdmissionPolicyBinding{})
	case *admissionv1beta1.MutatingAdmissionPolicyBinding, *admissionv1alpha1.MutatingAdmissionPolicyBinding:
		return asPolicy(typed, &admissionv1.MutatingAdmissionPolicyBinding{})
	}
	return nil, false
}

// asPolicy validates an object of an older version, whose fields are those of v1.
func asPolicy(old, typed runtime.Object) (field.ErrorList, bool) {
	text, err := json.Marshal(old)
	if err == nil {
		err = json.Unmarshal(text, typed)
	}
	if err != nil {
		return field.ErrorList{field.InternalError(field.NewPath("spec"), err)}, true
	}
	return admissionPolicy(typed)
}
