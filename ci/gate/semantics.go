package gate

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	nodev1 "k8s.io/api/node/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/validate/content"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// semantics finds in an object of Kubernetes' own what every API server refuses, beyond the types of fields. It is no
// complete validation: that is part of Kubernetes' server, which is no library. deeper tells whether it looked at more
// than metadata and values that are fixed.
func (o *object) semantics(typed runtime.Object) (errs field.ErrorList, deeper bool) {
	errs = append(o.metadataProblems(typed), fixedValues(reflect.ValueOf(typed), nil)...)
	spec := field.NewPath("spec")
	switch t := typed.(type) {
	case *appsv1.Deployment:
		errs = append(errs, workload(t.Spec.Selector, &t.Spec.Template)...)
		errs = append(errs, deploymentSpec(&t.Spec, spec)...)
	case *appsv1.StatefulSet:
		errs = append(errs, workload(t.Spec.Selector, &t.Spec.Template, claimNames(t.Spec.VolumeClaimTemplates)...)...)
		errs = append(errs, statefulSetSpec(&t.Spec, spec)...)
	case *appsv1.DaemonSet:
		errs = append(errs, workload(t.Spec.Selector, &t.Spec.Template)...)
		errs = append(errs, daemonSetSpec(&t.Spec, spec)...)
	case *appsv1.ReplicaSet:
		errs = append(errs, workload(t.Spec.Selector, &t.Spec.Template)...)
		errs = append(errs, notNegative(spec.Child("replicas"), t.Spec.Replicas)...)
	case *batchv1.Job:
		errs = append(errs, job(&t.Spec, spec)...)
	case *batchv1.CronJob:
		errs = append(errs, scheduledJob(t, spec)...)
	case *corev1.Pod:
		errs = append(errs, pod(&t.Spec, spec)...)
	case *corev1.Service:
		errs = append(errs, service(&t.Spec, spec)...)
	case *corev1.ConfigMap:
		errs = append(errs, configMap(t)...)
	case *corev1.Secret:
		errs = append(errs, secret(t)...)
	case *corev1.PersistentVolumeClaim:
		errs = append(errs, volumeClaim(&t.Spec, spec)...)
	case *networkingv1.Ingress:
		errs = append(errs, ingressClass(t)...)
		errs = append(errs, ingress(&t.Spec, spec)...)
	case *networkingv1.NetworkPolicy:
		errs = append(errs, networkPolicy(&t.Spec, spec)...)
	case *policyv1.PodDisruptionBudget:
		errs = append(errs, disruptionBudget(&t.Spec, spec)...)
	case *autoscalingv2.HorizontalPodAutoscaler:
		errs = append(errs, autoscaler(&t.Spec, spec)...)
		errs = append(errs, scaleToZero(&t.Spec, spec)...)
	case *autoscalingv1.HorizontalPodAutoscaler:
		errs = append(errs, autoscalerV1(&t.Spec, spec)...)
	case *schedulingv1.PriorityClass:
		errs = append(errs, priorityClass(t)...)
	case *storagev1.StorageClass:
		errs = append(errs, storageClass(t)...)
	case *coordinationv1.Lease:
		errs = append(errs, lease(&t.Spec, spec)...)
	case *corev1.ResourceQuota:
		errs = append(errs, resourceQuota(&t.Spec, spec)...)
	case *corev1.LimitRange:
		errs = append(errs, limitRange(&t.Spec, spec)...)
	case *nodev1.RuntimeClass:
		errs = append(errs, runtimeClass(t)...)
	case *networkingv1.IngressClass:
		errs = append(errs, ingressController(&t.Spec, spec)...)
	case *apiService:
		errs = append(errs, registered(t)...)
	case *rbacv1.Role:
		errs = append(errs, policyRules(t.Rules, true)...)
	case *rbacv1.ClusterRole:
		errs = append(errs, policyRules(t.Rules, false)...)
		errs = append(errs, aggregation(t.AggregationRule)...)
	case *rbacv1.RoleBinding:
		errs = append(errs, binding(t.RoleRef, t.Subjects, true, "Role", "ClusterRole")...)
	case *rbacv1.ClusterRoleBinding:
		errs = append(errs, binding(t.RoleRef, t.Subjects, false, "ClusterRole")...)
	case *admissionv1.ValidatingWebhookConfiguration:
		errs = append(errs, validatingWebhooks(t.Webhooks)...)
	case *admissionv1.MutatingWebhookConfiguration:
		errs = append(errs, mutatingWebhooks(t.Webhooks)...)
	case *corev1.ServiceAccount, *corev1.Namespace:
	default:
		wrong, looked := admissionPolicy(typed)
		return append(errs, wrong...), looked
	}
	return errs, true
}

// looselyNamed are the groups whose objects have names with more characters than a DNS subdomain.
var looselyNamed = []string{"rbac.authorization.k8s.io", "apiregistration.k8s.io", "certificates.k8s.io",
	"authentication.k8s.io", "authorization.k8s.io", "internal.apiserver.k8s.io", "events.k8s.io",
	"networking.k8s.io/IPAddress"}

// nameRule is how an API server validates the names of a kind.
func nameRule(group, kind string) apivalidation.ValidateNameFunc {
	switch {
	case slices.Contains(looselyNamed, group), slices.Contains(looselyNamed, group+"/"+kind),
		strings.HasSuffix(kind, "Review"),
		group == "" && (kind == "Event" || kind == "ComponentStatus"):
		return pathSegment
	case group == "" && (kind == "Namespace" || kind == "Service"):
		return apivalidation.NameIsDNSLabel // of a Service, old servers accept fewer names
	}
	return apivalidation.NameIsDNSSubdomain
}

// pathSegment accepts a name that can be a part of an API server's URL.
func pathSegment(name string, prefix bool) []string {
	if prefix {
		return content.IsPathSegmentPrefix(name)
	}
	return content.IsPathSegmentName(name)
}

// metadataProblems are the errors of name, labels, annotations, finalizers and owners.
func (o *object) metadataProblems(typed runtime.Object) field.ErrorList {
	accessor, err := meta.Accessor(typed)
	if err != nil || o.name == "" {
		return nil
	}
	return objectMeta(accessor, nameRule(o.gvk.Group, o.gvk.Kind))
}

func objectMeta(m metav1.Object, rule apivalidation.ValidateNameFunc) field.ErrorList {
	namespaced := m.GetNamespace() != ""
	return apivalidation.ValidateObjectMetaAccessor(m, namespaced, rule, field.NewPath("metadata"))
}

// selector validates a selector; nil is none.
func selector(s *metav1.LabelSelector, at *field.Path) field.ErrorList {
	return metav1validation.ValidateLabelSelector(s, metav1validation.LabelSelectorValidationOptions{}, at)
}

// workload validates what Deployment, StatefulSet, DaemonSet and ReplicaSet share. Claims are volumes that the
// controller adds.
func workload(s *metav1.LabelSelector, t *corev1.PodTemplateSpec, claims ...string) field.ErrorList {
	spec := field.NewPath("spec")
	errs := podTemplate(t, spec.Child("template"), claims...)
	at := spec.Child("selector")
	switch {
	case s == nil:
		return append(errs, field.Required(at, ""))
	case len(s.MatchLabels)+len(s.MatchExpressions) == 0:
		return append(errs, field.Invalid(at, "", "empty selector is invalid"))
	}
	if wrong := selector(s, at); len(wrong) > 0 {
		return append(errs, wrong...)
	}
	selects, err := metav1.LabelSelectorAsSelector(s)
	if err == nil && !selects.Matches(labelSet(t.Labels)) {
		errs = append(errs, field.Invalid(spec.Child("template", "metadata", "labels"), fmt.Sprint(t.Labels),
			fmt.Sprintf("`selector` (%s) does not match template `labels`", selects)))
	}
	if p := t.Spec.RestartPolicy; p != "" && p != corev1.RestartPolicyAlways {
		errs = append(errs, field.NotSupported(spec.Child("template", "spec", "restartPolicy"), p,
			[]corev1.RestartPolicy{corev1.RestartPolicyAlways}))
	}
	if t.Spec.ActiveDeadlineSeconds != nil {
		errs = append(errs, field.Forbidden(spec.Child("template", "spec", "activeDeadlineSeconds"),
			"not supported for pods that run on"))
	}
	return errs
}

func notNegative(at *field.Path, value *int32) field.ErrorList {
	if value == nil {
		return nil
	}
	return apivalidation.ValidateNonnegativeField(int64(*value), at)
}
