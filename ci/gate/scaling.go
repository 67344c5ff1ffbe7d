package gate

import (
	"slices"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func autoscaler(s *autoscalingv2.HorizontalPodAutoscalerSpec, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	if s.MaxReplicas < 1 {
		errs = append(errs, field.Invalid(at.Child("maxReplicas"), s.MaxReplicas, "must be greater than 0"))
	} else if s.MinReplicas != nil && *s.MinReplicas > s.MaxReplicas {
		errs = append(errs, field.Invalid(at.Child("maxReplicas"), s.MaxReplicas,
			"must be greater than or equal to `minReplicas`"))
	}
	if s.MinReplicas != nil && *s.MinReplicas < 0 {
		errs = append(errs, field.Invalid(at.Child("minReplicas"), *s.MinReplicas, "must be greater than or equal to 0"))
	}
	for i := range s.Metrics {
		errs = append(errs, metric(&s.Metrics[i], at.Child("metrics").Index(i))...)
	}
	if s.Behavior != nil {
		errs = append(errs, scalingRules(s.Behavior.ScaleUp, at.Child("behavior", "scaleUp"))...)
		errs = append(errs, scalingRules(s.Behavior.ScaleDown, at.Child("behavior", "scaleDown"))...)
	}
	return append(errs, reference(s.ScaleTargetRef, at.Child("scaleTargetRef"))...)
}

// scaleToZero refuses no replicas where only pods are measured.
func scaleToZero(s *autoscalingv2.HorizontalPodAutoscalerSpec, at *field.Path) field.ErrorList {
	if s.MinReplicas == nil || *s.MinReplicas != 0 || slices.ContainsFunc(s.Metrics, func(m autoscalingv2.MetricSpec) bool {
		return m.Type == autoscalingv2.ObjectMetricSourceType || m.Type == autoscalingv2.ExternalMetricSourceType
	}) {
		return nil
	}
	return field.ErrorList{field.Forbidden(at.Child("metrics"),
		"must specify at least one Object or External metric to support scaling to zero replicas")}
}

// reference validates the object that is scaled or measured.
func reference(r autoscalingv2.CrossVersionObjectReference, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	for name, value := range map[string]string{"kind": r.Kind, "name": r.Name} {
		if value == "" {
			errs = append(errs, field.Required(at.Child(name), ""))
		} else {
			errs = append(errs, invalid(at.Child(name), value, pathSegment(value, false))...)
		}
	}
	return errs
}

// The most seconds of a window and of a period (MaxStabilizationWindowSeconds and MaxPeriodSeconds in Kubernetes'
// pkg/apis/autoscaling/validation; the rules of this file are from there).
const (
	longestWindow = 3600
	longestPeriod = 1800
)

// scalingRules validates how fast an autoscaler scales.
func scalingRules(r *autoscalingv2.HPAScalingRules, at *field.Path) field.ErrorList {
	if r == nil {
		return nil
	}
	var errs field.ErrorList
	if w := r.StabilizationWindowSeconds; w != nil && (*w < 0 || *w > longestWindow) {
		errs = append(errs, field.Invalid(at.Child("stabilizationWindowSeconds"), *w, "must be between 0 and 3600"))
	}
	for i, p := range r.Policies {
		policy := at.Child("policies").Index(i)
		if p.Value < 1 {
			errs = append(errs, field.Invalid(policy.Child("value"), p.Value, "must be greater than zero"))
		}
		if p.PeriodSeconds < 1 || p.PeriodSeconds > longestPeriod {
			errs = append(errs, field.Invalid(policy.Child("periodSeconds"), p.PeriodSeconds, "must be between 1 and 1800"))
		}
	}
	return errs
}

// autoscalerV1 validates the older version of the API.
func autoscalerV1(s *autoscalingv1.HorizontalPodAutoscalerSpec, at *field.Path) field.ErrorList {
	errs := autoscaler(&autoscalingv2.HorizontalPodAutoscalerSpec{
		ScaleTargetRef: autoscalingv2.CrossVersionObjectReference(s.ScaleTargetRef),
		MinReplicas:    s.MinReplicas, MaxReplicas: s.MaxReplicas,
	}, at)
	if p := s.TargetCPUUtilizationPercentage; p != nil && *p < 1 {
		errs = append(errs, field.Invalid(at.Child("targetCPUUtilizationPercentage"), *p, "must be greater than 0"))
	}
	return errs
}

// metric validates a metric: it has the member that its type names, no other one, and a target.
func metric(m *autoscalingv2.MetricSpec, at *field.Path) field.ErrorList {
	if m.Type == "" {
		return field.ErrorList{field.Required(at.Child("type"), "must specify a metric source type")}
	}
	var errs field.ErrorList
	for _, member := range []struct {
		kind  autoscalingv2.MetricSourceType
		name  string
		given bool
		check func(*field.Path) field.ErrorList
	}{
		{autoscalingv2.ObjectMetricSourceType, "object", m.Object != nil, func(at *field.Path) field.ErrorList {
			errs := append(metricName(m.Object.Metric.Name, at), reference(m.Object.DescribedObject,
				at.Child("describedObject"))...)
			return append(errs, metricTarget(m.Object.Target, at.Child("target"), "value", "averageValue")...)
		}},
		{autoscalingv2.PodsMetricSourceType, "pods", m.Pods != nil, func(at *field.Path) field.ErrorList {
			return append(metricName(m.Pods.Metric.Name, at), metricTarget(m.Pods.Target, at.Child("target"),
				"averageValue")...)
		}},
		{autoscalingv2.ResourceMetricSourceType, "resource", m.Resource != nil, func(at *field.Path) field.ErrorList {
			return append(resourceName(m.Resource.Name, at), metricTarget(m.Resource.Target, at.Child("target"),
				"averageUtilization", "averageValue")...)
		}},
		{autoscalingv2.ContainerResourceMetricSourceType, "containerResource", m.ContainerResource != nil,
			func(at *field.Path) field.ErrorList {
				errs := resourceName(m.ContainerResource.Name, at)
				if m.ContainerResource.Container == "" {
					errs = append(errs, field.Required(at.Child("container"), "must specify a container"))
				}
				return append(errs, metricTarget(m.ContainerResource.Target, at.Child("target"), "averageUtilization",
					"averageValue")...)
			}},
		{autoscalingv2.ExternalMetricSourceType, "external", m.External != nil, func(at *field.Path) field.ErrorList {
			errs := append(metricName(m.External.Metric.Name, at), metricTarget(m.External.Target, at.Child("target"), "value",
				"averageValue")...)
			if m.External.Target.Value != nil && m.External.Target.AverageValue != nil {
				errs = append(errs, field.Forbidden(at.Child("target", "value"),
					"may not set both a target value for metric and a per-pod target"))
			}
			return errs
		}},
	} {
		place := at.Child(member.name)
		switch {
		case member.kind == m.Type && !member.given:
			errs = append(errs, field.Required(place, "must populate information for the given metric source"))
		case member.kind != m.Type && member.given:
			errs = append(errs, field.Forbidden(place, "must populate the given metric source only"))
		case member.given:
			errs = append(errs, member.check(place)...)
		}
	}
	return errs
}

func metricName(name string, at *field.Path) field.ErrorList {
	if name == "" {
		return field.ErrorList{field.Required(at.Child("metric", "name"), "")}
	}
	return invalid(at.Child("metric", "name"), name, pathSegment(name, false))
}

func resourceName(name corev1.ResourceName, at *field.Path) field.ErrorList {
	if name == "" {
		return field.ErrorList{field.Required(at.Child("name"), "must specify a resource name")}
	}
	return nil
}

// metricTarget validates a target that has to have one of these values.
func metricTarget(t autoscalingv2.MetricTarget, at *field.Path, oneOf ...string) field.ErrorList {
	var errs field.ErrorList
	if t.Type == "" {
		errs = append(errs, field.Required(at.Child("type"), "must specify a metric target type"))
	}
	given := map[string]bool{"value": t.Value != nil, "averageValue": t.AverageValue != nil,
		"averageUtilization": t.AverageUtilization != nil}
	count := 0
	for _, name := range oneOf {
		if given[name] {
			count++
		}
	}
	if count == 0 {
		errs = append(errs, field.Required(at.Child(oneOf[0]), "must set a target"))
	}
	if count > 1 && oneOf[0] == "averageUtilization" {
		errs = append(errs, field.Forbidden(at.Child("averageValue"),
			"may not set both a target raw value and a target utilization"))
	}
	if t.Value != nil && t.Value.Sign() != 1 {
		errs = append(errs, field.Invalid(at.Child("value"), t.Value.String(), "must be positive"))
	}
	if t.AverageValue != nil && t.AverageValue.Sign() != 1 {
		errs = append(errs, field.Invalid(at.Child("averageValue"), t.AverageValue.String(), "must be positive"))
	}
	if t.AverageUtilization != nil && *t.AverageUtilization < 1 {
		errs = append(errs, field.Invalid(at.Child("averageUtilization"), *t.AverageUtilization, "must be greater than 0"))
	}
	return errs
}
