package gate

import (
	"fmt"
	"slices"
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	apiwebhook "k8s.io/apiserver/pkg/util/webhook"
)

// policyRules validates the rules of a Role or, not namespaced, of a ClusterRole.
func policyRules(rules []rbacv1.PolicyRule, namespaced bool) field.ErrorList {
	var errs field.ErrorList
	for i, r := range rules {
		at := field.NewPath("rules").Index(i)
		if len(r.Verbs) == 0 {
			errs = append(errs, field.Required(at.Child("verbs"), "verbs must contain at least one value"))
		}
		if len(r.NonResourceURLs) > 0 {
			if namespaced {
				errs = append(errs, field.Invalid(at.Child("nonResourceURLs"), "",
					"namespaced rules cannot apply to non-resource URLs"))
			}
			if len(r.APIGroups) > 0 || len(r.Resources) > 0 || len(r.ResourceNames) > 0 {
				errs = append(errs, field.Invalid(at.Child("nonResourceURLs"), "",
					"rules cannot apply to both regular resources and non-resource URLs"))
			}
			continue
		}
		if len(r.APIGroups) == 0 {
			errs = append(errs, field.Required(at.Child("apiGroups"), "resource rules must supply at least one api group"))
		}
		if len(r.Resources) == 0 {
			errs = append(errs, field.Required(at.Child("resources"), "resource rules must supply at least one resource"))
		}
	}
	return errs
}

// binding validates a RoleBinding, which is namespaced, or a ClusterRoleBinding. It may refer to these kinds.
func binding(ref rbacv1.RoleRef, subjects []rbacv1.Subject, namespaced bool, kinds ...string) field.ErrorList {
	var errs field.ErrorList
	at := field.NewPath("roleRef")
	if ref.APIGroup != "" && ref.APIGroup != rbacv1.GroupName {
		errs = append(errs, field.NotSupported(at.Child("apiGroup"), ref.APIGroup, []string{rbacv1.GroupName}))
	}
	if !slices.Contains(kinds, ref.Kind) {
		errs = append(errs, field.NotSupported(at.Child("kind"), ref.Kind, kinds))
	}
	if ref.Name == "" {
		errs = append(errs, field.Required(at.Child("name"), ""))
	}
	for i, s := range subjects {
		at, group := field.NewPath("subjects").Index(i), ""
		switch s.Kind {
		case rbacv1.ServiceAccountKind:
			if s.Namespace == "" && !namespaced {
				errs = append(errs, field.Required(at.Child("namespace"), ""))
			}
			if s.Name != "" {
				errs = append(errs, invalid(at.Child("name"), s.Name, apivalidation.ValidateServiceAccountName(s.Name, false))...)
			}
		case rbacv1.UserKind, rbacv1.GroupKind:
			group = rbacv1.GroupName
		default:
			errs = append(errs, field.NotSupported(at.Child("kind"), s.Kind, []string{rbacv1.ServiceAccountKind,
				rbacv1.UserKind, rbacv1.GroupKind}))
		}
		if s.APIGroup != "" && s.APIGroup != group {
			errs = append(errs, field.NotSupported(at.Child("apiGroup"), s.APIGroup, []string{group}))
		}
		if s.Name == "" {
			errs = append(errs, field.Required(at.Child("name"), ""))
		}
	}
	return errs
}

// webhook is what validating and mutating webhooks share.
type webhook struct {
	name        string
	client      admissionv1.WebhookClientConfig
	sideEffects *admissionv1.SideEffectClass
	reviews     []string
	timeout     *int32
	rules       []admissionv1.RuleWithOperations
	conditions  []admissionv1.MatchCondition
	selectors   map[string]*metav1.LabelSelector
}

func validatingWebhooks(all []admissionv1.ValidatingWebhook) field.ErrorList {
	var list []webhook
	for _, w := range all {
		list = append(list, webhook{w.Name, w.ClientConfig, w.SideEffects, w.AdmissionReviewVersions, w.TimeoutSeconds,
			w.Rules, w.MatchConditions, map[string]*metav1.LabelSelector{"namespaceSelector": w.NamespaceSelector,
				"objectSelector": w.ObjectSelector}})
	}
	return webhooks(list)
}

func mutatingWebhooks(all []admissionv1.MutatingWebhook) field.ErrorList {
	var list []webhook
	for _, w := range all {
		list = append(list, webhook{w.Name, w.ClientConfig, w.SideEffects, w.AdmissionReviewVersions, w.TimeoutSeconds,
			w.Rules, w.MatchConditions, map[string]*metav1.LabelSelector{"namespaceSelector": w.NamespaceSelector,
				"objectSelector": w.ObjectSelector}})
	}
	return webhooks(list)
}

func webhooks(all []webhook) field.ErrorList {
	var errs field.ErrorList
	var names []string
	for i, w := range all {
		at := field.NewPath("webhooks").Index(i)
		errs = append(errs, validation.IsFullyQualifiedName(at.Child("name"), w.name)...)
		if slices.Contains(names, w.name) {
			errs = append(errs, field.Duplicate(at.Child("name"), w.name))
		}
		names = append(names, w.name)
		errs = append(errs, webhookClient(w.client, at.Child("clientConfig"))...)
		effects := []admissionv1.SideEffectClass{admissionv1.SideEffectClassNone, admissionv1.SideEffectClassNoneOnDryRun}
		switch {
		case w.sideEffects == nil:
			errs = append(errs, field.Required(at.Child("sideEffects"), "must specify one of None, NoneOnDryRun"))
		case !slices.Contains(effects, *w.sideEffects):
			errs = append(errs, field.NotSupported(at.Child("sideEffects"), *w.sideEffects, effects))
		}
		reviews := at.Child("admissionReviewVersions")
		if len(w.reviews) == 0 {
			errs = append(errs, field.Required(reviews, "must specify one of v1, v1beta1"))
		} else if !slices.Contains(w.reviews, "v1") && !slices.Contains(w.reviews, "v1beta1") {
			errs = append(errs, field.Invalid(reviews, fmt.Sprint(w.reviews), "must include at least one of v1, v1beta1"))
		}
		if w.timeout != nil && (*w.timeout < 1 || *w.timeout > 30) {
			errs = append(errs, field.Invalid(at.Child("timeoutSeconds"), *w.timeout,
				"the timeout value must be between 1 and 30 seconds"))
		}
		for i, r := range w.rules {
			errs = append(errs, operationsRule(r, at.Child("rules").Index(i))...)
		}
		for name, s := range w.selectors {
			errs = append(errs, selector(s, at.Child(name))...)
		}
		errs = append(errs, matchConditions(celCompiler(), w.conditions, false, at.Child("matchConditions"))...)
	}
	return errs
}

// operationsRule validates which requests a webhook or a policy is for. All of a list stands alone in it.
func operationsRule(r admissionv1.RuleWithOperations, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	var operations []string
	for _, o := range r.Operations {
		operations = append(operations, string(o))
	}
	for name, list := range map[string][]string{"operations": operations, "apiGroups": r.APIGroups,
		"apiVersions": r.APIVersions, "resources": r.Resources} {
		switch {
		case len(list) == 0:
			errs = append(errs, field.Required(at.Child(name), ""))
		case name != "resources" && len(list) > 1 && slices.Contains(list, "*"):
			errs = append(errs, field.Invalid(at.Child(name), fmt.Sprint(list), "if '*' is present, must not specify others"))
		case name == "apiVersions" || name == "resources":
			if i := slices.Index(list, ""); i >= 0 {
				errs = append(errs, field.Required(at.Child(name).Index(i), ""))
			}
		}
	}
	return append(errs, ruleResources(r.Resources, at.Child("resources"))...)
}

// ruleResources validates the resources of a rule, with wildcards in either part (validateResources in Kubernetes'
// pkg/apis/admissionregistration/validation). A server looks for a resource beside * in the last one without a
// subresource alone.
func ruleResources(resources []string, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	beside := false
	for i, one := range resources {
		resource, sub, ok := strings.Cut(one, "/")
		if !ok {
			beside = one != "*"
			continue
		}
		for _, wildcard := range []string{resource + "/*", "*/" + sub} {
			if slices.Contains(resources[:i], wildcard) {
				errs = append(errs, field.Invalid(at.Index(i), one, fmt.Sprintf("if '%s' is present, must not specify %s",
					wildcard, one)))
			}
		}
	}
	if len(resources) > 1 && slices.Contains(resources, "*/*") {
		errs = append(errs, field.Invalid(at, fmt.Sprint(resources), "if '*/*' is present, must not specify other resources"))
	}
	if beside && slices.Contains(resources, "*") {
		errs = append(errs, field.Invalid(at, fmt.Sprint(resources),
			"if '*' is present, must not specify other resources without subresources"))
	}
	return errs
}

// aggregation validates which roles a ClusterRole takes its rules from. A selector without conditions selects all.
func aggregation(rule *rbacv1.AggregationRule) field.ErrorList {
	if rule == nil {
		return nil
	}
	at := field.NewPath("aggregationRule", "clusterRoleSelectors")
	if len(rule.ClusterRoleSelectors) == 0 {
		return field.ErrorList{field.Required(at, "at least one clusterRoleSelector required if aggregationRule is non-nil")}
	}
	var errs field.ErrorList
	for i := range rule.ClusterRoleSelectors {
		errs = append(errs, selector(&rule.ClusterRoleSelectors[i], at.Index(i))...)
	}
	return errs
}

func webhookClient(c admissionv1.WebhookClientConfig, at *field.Path) field.ErrorList {
	if (c.URL == nil) == (c.Service == nil) {
		return field.ErrorList{field.Required(at, "exactly one of url or service is required")}
	}
	if c.URL != nil {
		return apiwebhook.ValidateWebhookURL(at.Child("url"), *c.URL, true)
	}
	port := int32(443)
	if c.Service.Port != nil {
		port = *c.Service.Port
	}
	return apiwebhook.ValidateWebhookService(at.Child("service"), c.Service.Namespace, c.Service.Name, c.Service.Path,
		port)
}

func configMap(c *corev1.ConfigMap) field.ErrorList {
	var errs field.ErrorList
	for key := range c.Data {
		errs = append(errs, dataKey(field.NewPath("data"), key)...)
		if _, both := c.BinaryData[key]; both {
			errs = append(errs, field.Invalid(field.NewPath("data").Key(key), key, "duplicate of key present in binaryData"))
		}
	}
	for key := range c.BinaryData {
		errs = append(errs, dataKey(field.NewPath("binaryData"), key)...)
	}
	size := 0
	for _, value := range c.Data {
		size += len(value)
	}
	for _, value := range c.BinaryData {
		size += len(value)
	}
	return append(errs, smallEnough(size)...)
}

func dataKey(at *field.Path, key string) field.ErrorList {
	return invalid(at.Key(key), key, validation.IsConfigMapKey(key))
}

func smallEnough(size int) field.ErrorList {
	if size <= corev1.MaxSecretSize {
		return nil
	}
	return field.ErrorList{field.TooLong(field.NewPath("data"), "", corev1.MaxSecretSize)}
}
