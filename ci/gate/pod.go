package gate

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func labelSet(l map[string]string) labels.Set { return l }

func podTemplate(t *corev1.PodTemplateSpec, at *field.Path, claims ...string) field.ErrorList {
	metadata := at.Child("metadata")
	errs := metav1validation.ValidateLabels(t.Labels, metadata.Child("labels"))
	errs = append(errs, apivalidation.ValidateAnnotations(t.Annotations, metadata.Child("annotations"))...)
	return append(errs, pod(&t.Spec, at.Child("spec"), claims...)...)
}

// invalid makes an error of each message of a validation function.
func invalid(at *field.Path, value string, messages []string) field.ErrorList {
	var errs field.ErrorList
	for _, m := range messages {
		errs = append(errs, field.Invalid(at, value, m))
	}
	return errs
}

// uniqueName validates a name as a DNS label and refuses one that was seen before.
func uniqueName(at *field.Path, name string, seen *[]string) field.ErrorList {
	if name == "" {
		return field.ErrorList{field.Required(at, "")}
	}
	if slices.Contains(*seen, name) {
		return field.ErrorList{field.Duplicate(at, name)}
	}
	*seen = append(*seen, name)
	return invalid(at, name, validation.IsDNS1123Label(name))
}

// pod validates the parts of a pod that charts get wrong: names, images, ports, environment, volumes, mounts,
// resources.
func pod(s *corev1.PodSpec, at *field.Path, claims ...string) field.ErrorList {
	var errs field.ErrorList
	var volumes, names []string
	for i, v := range s.Volumes {
		errs = append(errs, uniqueName(at.Child("volumes").Index(i).Child("name"), v.Name, &volumes)...)
	}
	volumes = append(volumes, claims...)
	if len(s.Containers) == 0 {
		errs = append(errs, field.Required(at.Child("containers"), ""))
	}
	for i := range s.InitContainers {
		errs = append(errs, container(&s.InitContainers[i], at.Child("initContainers").Index(i), volumes, &names)...)
	}
	for i := range s.Containers {
		errs = append(errs, container(&s.Containers[i], at.Child("containers").Index(i), volumes, &names)...)
	}
	errs = append(errs, metav1validation.ValidateLabels(s.NodeSelector, at.Child("nodeSelector"))...)
	if name := s.ServiceAccountName; name != "" {
		errs = append(errs, invalid(at.Child("serviceAccountName"), name, apivalidation.ValidateServiceAccountName(name,
			false))...)
	}
	if name := s.PriorityClassName; name != "" {
		errs = append(errs, invalid(at.Child("priorityClassName"), name, apivalidation.NameIsDNSSubdomain(name, false))...)
	}
	if seconds := s.TerminationGracePeriodSeconds; seconds != nil {
		errs = append(errs, apivalidation.ValidateNonnegativeField(*seconds, at.Child("terminationGracePeriodSeconds"))...)
	}
	return errs
}

func container(c *corev1.Container, at *field.Path, volumes []string, names *[]string) field.ErrorList {
	errs := uniqueName(at.Child("name"), c.Name, names)
	switch {
	case c.Image == "":
		errs = append(errs, field.Required(at.Child("image"), ""))
	case strings.TrimSpace(c.Image) != c.Image:
		errs = append(errs, field.Invalid(at.Child("image"), c.Image, "must not have leading or trailing whitespace"))
	}
	switch c.ImagePullPolicy {
	case "", corev1.PullAlways, corev1.PullIfNotPresent, corev1.PullNever:
	default:
		errs = append(errs, field.NotSupported(at.Child("imagePullPolicy"), c.ImagePullPolicy,
			[]corev1.PullPolicy{corev1.PullAlways, corev1.PullIfNotPresent, corev1.PullNever}))
	}
	var ports []string
	for i, p := range c.Ports {
		errs = append(errs, containerPort(p, at.Child("ports").Index(i), &ports)...)
	}
	for i, e := range c.Env {
		errs = append(errs, variable(e, at.Child("env").Index(i))...)
	}
	var paths []string
	for i, m := range c.VolumeMounts {
		mount := at.Child("volumeMounts").Index(i)
		switch {
		case m.Name == "":
			errs = append(errs, field.Required(mount.Child("name"), ""))
		case !slices.Contains(volumes, m.Name):
			errs = append(errs, field.NotFound(mount.Child("name"), m.Name))
		}
		switch {
		case m.MountPath == "":
			errs = append(errs, field.Required(mount.Child("mountPath"), ""))
		case slices.Contains(paths, m.MountPath):
			errs = append(errs, field.Invalid(mount.Child("mountPath"), m.MountPath, "must be unique"))
		}
		paths = append(paths, m.MountPath)
	}
	for name, limit := range c.Resources.Limits {
		if request, ok := c.Resources.Requests[name]; ok && request.Cmp(limit) > 0 {
			errs = append(errs, field.Invalid(at.Child("resources", "requests"), request.String(),
				"must be less than or equal to "+string(name)+" limit of "+limit.String()))
		}
	}
	for name, p := range map[string]*corev1.Probe{"livenessProbe": c.LivenessProbe, "readinessProbe": c.ReadinessProbe,
		"startupProbe": c.StartupProbe} {
		errs = append(errs, probe(p, at.Child(name))...)
	}
	return errs
}

func containerPort(p corev1.ContainerPort, at *field.Path, names *[]string) field.ErrorList {
	var errs field.ErrorList
	if p.Name != "" {
		errs = invalid(at.Child("name"), p.Name, validation.IsValidPortName(p.Name))
		if slices.Contains(*names, p.Name) {
			errs = append(errs, field.Duplicate(at.Child("name"), p.Name))
		}
		*names = append(*names, p.Name)
	}
	if p.ContainerPort == 0 {
		return append(errs, field.Required(at.Child("containerPort"), ""))
	}
	for _, m := range validation.IsValidPortNum(int(p.ContainerPort)) {
		errs = append(errs, field.Invalid(at.Child("containerPort"), p.ContainerPort, m))
	}
	return errs
}

func variable(e corev1.EnvVar, at *field.Path) field.ErrorList {
	if e.Name == "" {
		return field.ErrorList{field.Required(at.Child("name"), "")}
	}
	errs := invalid(at.Child("name"), e.Name, validation.IsRelaxedEnvVarName(e.Name))
	if e.ValueFrom != nil && e.Value != "" {
		errs = append(errs, field.Invalid(at.Child("valueFrom"), "", "may not be specified when `value` is not empty"))
	}
	return errs
}

func probe(p *corev1.Probe, at *field.Path) field.ErrorList {
	if p == nil {
		return nil
	}
	handlers := 0
	for _, given := range []bool{p.Exec != nil, p.HTTPGet != nil, p.TCPSocket != nil, p.GRPC != nil} {
		if given {
			handlers++
		}
	}
	switch {
	case handlers == 0:
		return field.ErrorList{field.Required(at, "must specify a handler type")}
	case handlers > 1:
		return field.ErrorList{field.Forbidden(at, "may not specify more than 1 handler type")}
	}
	return nil
}

func volumeClaim(s *corev1.PersistentVolumeClaimSpec, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	if len(s.AccessModes) == 0 {
		errs = append(errs, field.Required(at.Child("accessModes"), "at least 1 access mode is required"))
	}
	if size, ok := s.Resources.Requests[corev1.ResourceStorage]; !ok {
		errs = append(errs, field.Required(at.Child("resources").Key(string(corev1.ResourceStorage)), ""))
	} else if size.Sign() <= 0 {
		errs = append(errs, field.Invalid(at.Child("resources").Key(string(corev1.ResourceStorage)), size.String(),
			"must be greater than zero"))
	}
	return append(errs, selector(s.Selector, at.Child("selector"))...)
}

func claimNames(claims []corev1.PersistentVolumeClaim) []string {
	var names []string
	for _, c := range claims {
		names = append(names, c.Name)
	}
	return names
}
