package gate

import (
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	policyv1 "k8s.io/api/policy/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// amount validates a number of pods, or a percentage of them; nil is none.
func amount(at *field.Path, value *intstr.IntOrString) field.ErrorList {
	switch {
	case value == nil:
		return nil
	case value.Type == intstr.String:
		return invalid(at, value.StrVal, validation.IsValidPercent(value.StrVal))
	}
	return apivalidation.ValidateNonnegativeField(int64(value.IntVal), at)
}

// amountUpToAll is an amount whose percentage is 100 at most.
func amountUpToAll(at *field.Path, value *intstr.IntOrString) field.ErrorList {
	errs := amount(at, value)
	if value == nil || len(errs) > 0 || value.Type != intstr.String {
		return errs
	}
	if n, err := strconv.Atoi(strings.TrimSuffix(value.StrVal, "%")); err != nil || n > 100 {
		errs = append(errs, field.Invalid(at, value.StrVal, "must not be greater than 100%"))
	}
	return errs
}

// isZero tells whether an amount is 0 or 0%; nil is the default.
func isZero(value *intstr.IntOrString, byDefault bool) bool {
	switch {
	case value == nil:
		return byDefault
	case value.Type == intstr.String:
		n, err := strconv.Atoi(strings.TrimSuffix(value.StrVal, "%"))
		return err == nil && n == 0
	}
	return value.IntVal == 0
}

// defaultDeadline is a Deployment's progressDeadlineSeconds.
const defaultDeadline = 600

func deploymentSpec(s *appsv1.DeploymentSpec, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	strategy := at.Child("strategy", "rollingUpdate")
	if rolling := s.Strategy.RollingUpdate; rolling != nil {
		unavailable := strategy.Child("maxUnavailable")
		errs = append(errs, amountUpToAll(unavailable, rolling.MaxUnavailable)...)
		errs = append(errs, amount(strategy.Child("maxSurge"), rolling.MaxSurge)...)
		if isZero(rolling.MaxUnavailable, false) && isZero(rolling.MaxSurge, false) {
			errs = append(errs, field.Invalid(unavailable, rolling.MaxUnavailable.String(), "may not be 0 when `maxSurge` is 0"))
		}
		if s.Strategy.Type == appsv1.RecreateDeploymentStrategyType {
			errs = append(errs, field.Forbidden(strategy, "may not be specified when strategy `type` is 'Recreate'"))
		}
	}
	errs = append(errs, notNegative(at.Child("replicas"), s.Replicas)...)
	errs = append(errs, notNegative(at.Child("revisionHistoryLimit"), s.RevisionHistoryLimit)...)
	errs = append(errs, notNegative(at.Child("minReadySeconds"), &s.MinReadySeconds)...)
	deadline := int32(defaultDeadline)
	if s.ProgressDeadlineSeconds != nil {
		deadline = *s.ProgressDeadlineSeconds
	}
	if deadline <= s.MinReadySeconds {
		errs = append(errs, field.Invalid(at.Child("progressDeadlineSeconds"), deadline,
			"must be greater than minReadySeconds"))
	}
	return errs
}

func daemonSetSpec(s *appsv1.DaemonSetSpec, at *field.Path) field.ErrorList {
	errs := notNegative(at.Child("minReadySeconds"), &s.MinReadySeconds)
	rolling := s.UpdateStrategy.RollingUpdate
	if rolling == nil || s.UpdateStrategy.Type == appsv1.OnDeleteDaemonSetStrategyType {
		return errs
	}
	strategy := at.Child("updateStrategy", "rollingUpdate")
	unavailable, surge := strategy.Child("maxUnavailable"), strategy.Child("maxSurge")
	errs = append(errs, amountUpToAll(unavailable, rolling.MaxUnavailable)...)
	errs = append(errs, amountUpToAll(surge, rolling.MaxSurge)...)
	// A server sets maxUnavailable to 1 and maxSurge to 0.
	none, noSurge := isZero(rolling.MaxUnavailable, false), isZero(rolling.MaxSurge, true)
	switch {
	case none && noSurge:
		errs = append(errs, field.Required(unavailable, "cannot be 0 when maxSurge is 0"))
	case !none && !noSurge:
		errs = append(errs, field.Invalid(surge, rolling.MaxSurge.String(),
			"may not be set when maxUnavailable is non-zero; its default is 1"))
	}
	return errs
}

func statefulSetSpec(s *appsv1.StatefulSetSpec, at *field.Path) field.ErrorList {
	errs := notNegative(at.Child("replicas"), s.Replicas)
	errs = append(errs, notNegative(at.Child("minReadySeconds"), &s.MinReadySeconds)...)
	if rolling := s.UpdateStrategy.RollingUpdate; rolling != nil {
		errs = append(errs, notNegative(at.Child("updateStrategy", "rollingUpdate", "partition"), rolling.Partition)...)
		if s.UpdateStrategy.Type == appsv1.OnDeleteStatefulSetStrategyType {
			errs = append(errs, field.Invalid(at.Child("updateStrategy", "rollingUpdate"), "",
				"only allowed for updateStrategy 'RollingUpdate'"))
		}
	}
	return errs
}

func disruptionBudget(s *policyv1.PodDisruptionBudgetSpec, at *field.Path) field.ErrorList {
	errs := selector(s.Selector, at.Child("selector"))
	errs = append(errs, amountUpToAll(at.Child("minAvailable"), s.MinAvailable)...)
	errs = append(errs, amountUpToAll(at.Child("maxUnavailable"), s.MaxUnavailable)...)
	if s.MinAvailable != nil && s.MaxUnavailable != nil {
		errs = append(errs, field.Invalid(at, "", "minAvailable and maxUnavailable cannot be both set"))
	}
	return errs
}
