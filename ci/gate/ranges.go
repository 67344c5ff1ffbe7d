package gate

import (
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// limitRange validates limits of one type each, and the order of their amounts (ValidateLimitRange in Kubernetes'
// pkg/apis/core/validation).
func limitRange(s *corev1.LimitRangeSpec, spec *field.Path) field.ErrorList {
	var errs field.ErrorList
	var types []string
	for i := range s.Limits {
		limit, at := &s.Limits[i], spec.Child("limits").Index(i)
		kind := string(limit.Type)
		errs = append(errs, unique(at.Child("type"), kind, &types, validation.IsQualifiedName)...)
		switch limit.Type {
		case corev1.LimitTypePod:
			for name, list := range map[string]corev1.ResourceList{"default": limit.Default,
				"defaultRequest": limit.DefaultRequest} {
				if len(list) > 0 {
					errs = append(errs, field.Forbidden(at.Child(name), "may not be specified when `type` is 'Pod'"))
				}
			}
		case corev1.LimitTypePersistentVolumeClaim:
			_, least := limit.Min[corev1.ResourceStorage]
			_, most := limit.Max[corev1.ResourceStorage]
			if !least && !most {
				errs = append(errs, field.Required(at.Child("limits"), "either minimum or maximum storage value is required"))
			}
		}
		errs = append(errs, limitAmounts(limit, at)...)
	}
	return errs
}

// limitAmounts validates the amounts of a limit: min, defaultRequest, default and max do not fall in this order. The
// defaults of a limit for pods are refused by themselves.
func limitAmounts(limit *corev1.LimitRangeItem, at *field.Path) field.ErrorList {
	lists := []struct {
		name string
		list corev1.ResourceList
	}{{"min", limit.Min}, {"defaultRequest", limit.DefaultRequest}, {"default", limit.Default}, {"max", limit.Max}}
	if limit.Type == corev1.LimitTypePod {
		lists = slices.Delete(lists, 1, 3)
	}
	var errs field.ErrorList
	names := map[corev1.ResourceName]bool{}
	for _, l := range append(lists, struct {
		name string
		list corev1.ResourceList
	}{"maxLimitRequestRatio", limit.MaxLimitRequestRatio}) {
		for resource := range l.list {
			names[resource] = true
			key := at.Child(l.name).Key(string(resource))
			errs = append(errs, invalid(key, string(resource), validation.IsQualifiedName(string(resource)))...)
			ofPods := limit.Type == corev1.LimitTypePod || limit.Type == corev1.LimitTypeContainer
			if ofPods && !ofContainers(string(resource)) {
				errs = append(errs, field.Invalid(key, string(resource), "must be a standard resource for containers"))
			}
		}
	}
	for _, resource := range slices.Sorted(maps.Keys(names)) {
		for i, low := range lists {
			least, ok := low.list[resource]
			for _, high := range lists[i+1:] {
				if most, found := high.list[resource]; ok && found && least.Cmp(most) > 0 {
					errs = append(errs, field.Invalid(at.Child(low.name).Key(string(resource)), least.String(),
						fmt.Sprintf("is greater than %s value %s", high.name, most.String())))
				}
			}
		}
		if ratio, ok := limit.MaxLimitRequestRatio[resource]; ok && ratio.MilliValue() < 1000 {
			errs = append(errs, field.Invalid(at.Child("maxLimitRequestRatio").Key(string(resource)), ratio.String(),
				"is less than 1"))
		}
	}
	return errs
}
