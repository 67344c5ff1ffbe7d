package gate

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// placement validates which nodes a pod may run on.
func placement(s *corev1.PodSpec, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	for i, t := range s.Tolerations {
		errs = append(errs, toleration(t, at.Child("tolerations").Index(i))...)
	}
	for i, c := range s.TopologySpreadConstraints {
		one := at.Child("topologySpreadConstraints").Index(i)
		if c.MaxSkew <= 0 {
			errs = append(errs, field.Invalid(one.Child("maxSkew"), c.MaxSkew, "must be greater than zero"))
		}
		for name, value := range map[string]string{"topologyKey": c.TopologyKey,
			"whenUnsatisfiable": string(c.WhenUnsatisfiable)} {
			if value == "" {
				errs = append(errs, field.Required(one.Child(name), "can not be empty"))
			}
		}
		errs = append(errs, selector(c.LabelSelector, one.Child("labelSelector"))...)
		for _, other := range s.TopologySpreadConstraints[:i] {
			if other.TopologyKey == c.TopologyKey && other.WhenUnsatisfiable == c.WhenUnsatisfiable {
				errs = append(errs, field.Duplicate(one.Child("{topologyKey, whenUnsatisfiable}"),
					c.TopologyKey+", "+string(c.WhenUnsatisfiable)))
			}
		}
	}
	if s.Affinity == nil {
		return errs
	}
	at = at.Child("affinity")
	if a := s.Affinity.NodeAffinity; a != nil {
		errs = append(errs, nodeAffinity(a, at.Child("nodeAffinity"))...)
	}
	if a := s.Affinity.PodAffinity; a != nil {
		errs = append(errs, podAffinity(a.RequiredDuringSchedulingIgnoredDuringExecution,
			a.PreferredDuringSchedulingIgnoredDuringExecution, at.Child("podAffinity"))...)
	}
	if a := s.Affinity.PodAntiAffinity; a != nil {
		errs = append(errs, podAffinity(a.RequiredDuringSchedulingIgnoredDuringExecution,
			a.PreferredDuringSchedulingIgnoredDuringExecution, at.Child("podAntiAffinity"))...)
	}
	return errs
}

func toleration(t corev1.Toleration, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	if t.Key != "" {
		errs = metav1validation.ValidateLabelName(t.Key, at.Child("key"))
	} else if t.Operator != corev1.TolerationOpExists {
		errs = append(errs, field.Invalid(at.Child("operator"), t.Operator, "operator must be Exists when `key` is empty, "+
			"which means \"match all values and all keys\""))
	}
	if t.TolerationSeconds != nil && t.Effect != corev1.TaintEffectNoExecute {
		errs = append(errs, field.Invalid(at.Child("effect"), t.Effect,
			"effect must be 'NoExecute' when `tolerationSeconds` is set"))
	}
	switch t.Operator {
	case corev1.TolerationOpEqual, "":
		errs = append(errs, invalid(at.Child("value"), t.Value, validation.IsValidLabelValue(t.Value))...)
	case corev1.TolerationOpExists:
		if t.Value != "" {
			errs = append(errs, field.Invalid(at.Child("value"), t.Value, "value must be empty when `operator` is 'Exists'"))
		}
	}
	return errs
}

func nodeAffinity(a *corev1.NodeAffinity, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	if r := a.RequiredDuringSchedulingIgnoredDuringExecution; r != nil {
		terms := at.Child("requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms")
		if len(r.NodeSelectorTerms) == 0 {
			errs = append(errs, field.Required(terms, "must have at least one node selector term"))
		}
		for i, t := range r.NodeSelectorTerms {
			errs = append(errs, nodeTerm(t, terms.Index(i))...)
		}
	}
	for i, p := range a.PreferredDuringSchedulingIgnoredDuringExecution {
		one := at.Child("preferredDuringSchedulingIgnoredDuringExecution").Index(i)
		errs = append(errs, weight(p.Weight, one)...)
		errs = append(errs, nodeTerm(p.Preference, one.Child("preference"))...)
	}
	return errs
}

func nodeTerm(t corev1.NodeSelectorTerm, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	for i, e := range t.MatchExpressions {
		one := at.Child("matchExpressions").Index(i)
		errs = append(errs, metav1validation.ValidateLabelName(e.Key, one.Child("key"))...)
		values := one.Child("values")
		switch e.Operator {
		case corev1.NodeSelectorOpIn, corev1.NodeSelectorOpNotIn:
			if len(e.Values) == 0 {
				errs = append(errs, field.Required(values, "must be specified when `operator` is 'In' or 'NotIn'"))
			}
		case corev1.NodeSelectorOpExists, corev1.NodeSelectorOpDoesNotExist:
			if len(e.Values) > 0 {
				errs = append(errs, field.Forbidden(values, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
			}
		case corev1.NodeSelectorOpGt, corev1.NodeSelectorOpLt:
			if len(e.Values) != 1 {
				errs = append(errs, field.Required(values, "must be specified single value when `operator` is 'Lt' or 'Gt'"))
			}
		case "":
			errs = append(errs, field.Required(one.Child("operator"), ""))
		}
	}
	for i, e := range t.MatchFields {
		errs = append(errs, fieldTerm(e, at.Child("matchFields").Index(i))...)
	}
	return errs
}

// fieldTerm validates what a term asks of the fields of a node: its name alone (ValidateNodeFieldSelectorRequirement in
// Kubernetes' pkg/apis/core/validation).
func fieldTerm(e corev1.NodeSelectorRequirement, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	if e.Key != metav1.ObjectNameField {
		errs = append(errs, field.Invalid(at.Child("key"), e.Key, "not a valid field selector key"))
	}
	if e.Operator != corev1.NodeSelectorOpIn && e.Operator != corev1.NodeSelectorOpNotIn {
		errs = append(errs, field.Invalid(at.Child("operator"), e.Operator, "not a valid selector operator"))
	} else if len(e.Values) != 1 {
		errs = append(errs, field.Required(at.Child("values"),
			"must be only one value when `operator` is 'In' or 'NotIn' for node field selector"))
	}
	return errs
}

func podAffinity(required []corev1.PodAffinityTerm, preferred []corev1.WeightedPodAffinityTerm,
	at *field.Path) field.ErrorList {
	var errs field.ErrorList
	for i, t := range required {
		errs = append(errs, podTerm(t, at.Child("requiredDuringSchedulingIgnoredDuringExecution").Index(i))...)
	}
	for i, p := range preferred {
		one := at.Child("preferredDuringSchedulingIgnoredDuringExecution").Index(i)
		errs = append(errs, weight(p.Weight, one)...)
		errs = append(errs, podTerm(p.PodAffinityTerm, one.Child("podAffinityTerm"))...)
	}
	return errs
}

func podTerm(t corev1.PodAffinityTerm, at *field.Path) field.ErrorList {
	errs := slices.Concat(selector(t.LabelSelector, at.Child("labelSelector")),
		selector(t.NamespaceSelector, at.Child("namespaceSelector")))
	if t.TopologyKey == "" {
		return append(errs, field.Required(at.Child("topologyKey"), "can not be empty"))
	}
	return append(errs, metav1validation.ValidateLabelName(t.TopologyKey, at.Child("topologyKey"))...)
}

func weight(w int32, at *field.Path) field.ErrorList {
	if w >= 1 && w <= 100 {
		return nil
	}
	return field.ErrorList{field.Invalid(at.Child("weight"), w, "must be in the range 1-100")}
}
