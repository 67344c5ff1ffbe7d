package gate

import (
	"slices"
	"strings"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	nodev1 "k8s.io/api/node/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	storagev1 "k8s.io/api/storage/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// highestPriority is the highest value of a PriorityClass that is not Kubernetes' own.
const highestPriority = 1_000_000_000

func priorityClass(c *schedulingv1.PriorityClass) field.ErrorList {
	own := map[string]int32{"system-cluster-critical": 2 * highestPriority,
		"system-node-critical": 2*highestPriority + 1000}
	value, isOwn := own[c.Name]
	switch {
	case isOwn && value == c.Value:
	case strings.HasPrefix(c.Name, "system-"):
		return field.ErrorList{field.Forbidden(field.NewPath("metadata", "name"),
			"priority class names with 'system-' prefix are reserved for system use only")}
	case c.Value > highestPriority:
		return field.ErrorList{field.Forbidden(field.NewPath("value"),
			"maximum allowed value of a user defined priority is 1000000000")}
	}
	return nil
}

func storageClass(c *storagev1.StorageClass) field.ErrorList {
	at := field.NewPath("provisioner")
	if c.Provisioner == "" {
		return field.ErrorList{field.Required(at, "")}
	}
	return invalid(at, c.Provisioner, validation.IsQualifiedName(strings.ToLower(c.Provisioner)))
}

// runtimeClass validates the handler and the scheduling of a RuntimeClass.
func runtimeClass(c *nodev1.RuntimeClass) field.ErrorList {
	errs := invalid(field.NewPath("handler"), c.Handler, apivalidation.NameIsDNSLabel(c.Handler, false))
	if c.Overhead != nil {
		errs = append(errs, resources(&corev1.ResourceRequirements{Limits: c.Overhead.PodFixed},
			field.NewPath("overhead", "podFixed"))...)
	}
	if s := c.Scheduling; s != nil {
		at := field.NewPath("scheduling")
		errs = append(errs, metav1validation.ValidateLabels(s.NodeSelector, at.Child("nodeSelector"))...)
		for i, t := range s.Tolerations {
			errs = append(errs, toleration(t, at.Child("tolerations").Index(i))...)
		}
	}
	return errs
}

// ingressController validates which controller an IngressClass names, and its parameters.
func ingressController(s *networkingv1.IngressClassSpec, at *field.Path) field.ErrorList {
	errs := validation.IsDomainPrefixedPath(at.Child("controller"), s.Controller)
	if most := 250; len(s.Controller) > most {
		errs = append(errs, field.TooLong(at.Child("controller"), "", most))
	}
	p := s.Parameters
	if p == nil {
		return errs
	}
	place := at.Child("parameters")
	errs = append(append(errs, required(place.Child("kind"), p.Kind)...), required(place.Child("name"), p.Name)...)
	if p.APIGroup != nil {
		errs = append(errs, invalid(place.Child("apiGroup"), *p.APIGroup, validation.IsDNS1123Subdomain(*p.APIGroup))...)
	}
	inNamespace := p.Scope != nil && *p.Scope == networkingv1.IngressClassParametersReferenceScopeNamespace
	switch named := p.Namespace != nil && *p.Namespace != ""; {
	case inNamespace && !named:
		errs = append(errs, field.Required(place.Child("namespace"), "`parameters.scope` is set to 'Namespace'"))
	case !inNamespace && p.Namespace != nil:
		errs = append(errs, field.Forbidden(place.Child("namespace"), "`parameters.scope` is set to 'Cluster'"))
	}
	return errs
}

func lease(s *coordinationv1.LeaseSpec, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	if d := s.LeaseDurationSeconds; d != nil && *d <= 0 {
		errs = append(errs, field.Invalid(at.Child("leaseDurationSeconds"), *d, "must be greater than 0"))
	}
	return append(errs, notNegative(at.Child("leaseTransitions"), s.LeaseTransitions)...)
}

// quotaResources are the resources without a group of which a quota can be.
var quotaResources = strings.Fields("cpu memory ephemeral-storage requests.cpu requests.memory requests.storage " +
	"requests.ephemeral-storage limits.cpu limits.memory limits.ephemeral-storage pods resourcequotas services " +
	"replicationcontrollers secrets persistentvolumeclaims configmaps services.nodeports services.loadbalancers")

func resourceQuota(s *corev1.ResourceQuotaSpec, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	for name, amount := range s.Hard {
		key, text := at.Child("hard").Key(string(name)), string(name)
		wrong := invalid(key, text, validation.IsQualifiedName(text))
		if len(wrong) == 0 && !strings.Contains(text, "/") && !slices.Contains(quotaResources, text) &&
			!strings.HasPrefix(strings.TrimPrefix(text, "requests."), "hugepages-") {
			wrong = append(wrong, field.Invalid(key, text, "must be a standard resource for quota"))
		}
		if amount.Sign() < 0 {
			wrong = append(wrong, field.Invalid(key, amount.String(), "must be greater than or equal to 0"))
		}
		errs = append(errs, wrong...)
	}
	return errs
}
