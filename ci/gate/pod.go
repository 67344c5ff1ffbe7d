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
	if len(t.Spec.EphemeralContainers) > 0 {
		errs = append(errs, field.Forbidden(at.Child("spec", "ephemeralContainers"),
			"ephemeral containers not allowed in pod templates"))
	}
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
	return unique(at, name, seen, validation.IsDNS1123Label)
}

// unique validates a name that is required by a rule, and refuses one that was seen before.
func unique(at *field.Path, name string, seen *[]string, rule func(string) []string) field.ErrorList {
	if name == "" {
		return field.ErrorList{field.Required(at, "")}
	}
	if slices.Contains(*seen, name) {
		return field.ErrorList{field.Duplicate(at, name)}
	}
	*seen = append(*seen, name)
	return invalid(at, name, rule(name))
}

// pod validates the parts of a pod that charts get wrong: names, images, ports, environment, volumes, mounts,
// resources, probes, placement.
func pod(s *corev1.PodSpec, at *field.Path, claims ...string) field.ErrorList {
	var errs field.ErrorList
	var volumes, names []string
	for i, v := range s.Volumes {
		errs = append(errs, uniqueName(at.Child("volumes").Index(i).Child("name"), v.Name, &volumes)...)
		errs = append(errs, volumeSource(&v.VolumeSource, at.Child("volumes").Index(i))...)
	}
	volumes = append(volumes, claims...)
	if len(s.Containers) == 0 {
		errs = append(errs, field.Required(at.Child("containers"), ""))
	}
	for i := range s.InitContainers {
		errs = append(errs, container(&s.InitContainers[i], at.Child("initContainers").Index(i), volumes, &names)...)
		errs = append(errs, initContainer(&s.InitContainers[i], at.Child("initContainers").Index(i))...)
	}
	for i := range s.Containers {
		errs = append(errs, container(&s.Containers[i], at.Child("containers").Index(i), volumes, &names)...)
	}
	errs = append(errs, metav1validation.ValidateLabels(s.NodeSelector, at.Child("nodeSelector"))...)
	errs = append(errs, placement(s, at)...)
	errs = append(errs, hostPorts(s, at)...)
	errs = append(errs, podFields(s, at)...)
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

// initContainer refuses what only a container that runs on may have (validateInitContainers in Kubernetes'
// pkg/apis/core/validation).
func initContainer(c *corev1.Container, at *field.Path) field.ErrorList {
	if c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways {
		return nil
	}
	var errs field.ErrorList
	for name, set := range map[string]bool{"lifecycle": c.Lifecycle != nil, "livenessProbe": c.LivenessProbe != nil,
		"readinessProbe": c.ReadinessProbe != nil, "startupProbe": c.StartupProbe != nil} {
		if set {
			errs = append(errs, field.Forbidden(at.Child(name), "may not be set for init containers without "+
				"restartPolicy=Always"))
		}
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
	var ports []string
	for i, p := range c.Ports {
		errs = append(errs, containerPort(p, at.Child("ports").Index(i), &ports)...)
	}
	for i, e := range c.Env {
		errs = append(errs, variable(e, at.Child("env").Index(i))...)
	}
	for i := range c.EnvFrom {
		errs = append(errs, variables(&c.EnvFrom[i], at.Child("envFrom").Index(i))...)
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
		errs = append(errs, subPaths(&m, mount)...)
		privileged := c.SecurityContext != nil && c.SecurityContext.Privileged != nil && *c.SecurityContext.Privileged
		if m.MountPropagation != nil && *m.MountPropagation == corev1.MountPropagationBidirectional && !privileged {
			errs = append(errs, field.Forbidden(mount.Child("mountPropagation"),
				"Bidirectional mount propagation is available only to privileged containers"))
		}
	}
	for i, d := range c.VolumeDevices {
		if !slices.Contains(volumes, d.Name) {
			errs = append(errs, field.NotFound(at.Child("volumeDevices").Index(i).Child("name"), d.Name))
		}
	}
	errs = append(errs, resources(&c.Resources, at.Child("resources"))...)
	errs = append(errs, securityContext(c.SecurityContext, at.Child("securityContext"))...)
	return append(errs, probes(c, at, ports)...)
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
	if e.ValueFrom == nil {
		return errs
	}
	if e.Value != "" {
		errs = append(errs, field.Invalid(at.Child("valueFrom"), "", "may not be specified when `value` is not empty"))
	}
	return append(errs, variableSource(e.ValueFrom, at.Child("valueFrom"))...)
}

func volumeClaim(s *corev1.PersistentVolumeClaimSpec, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	if len(s.AccessModes) == 0 {
		errs = append(errs, field.Required(at.Child("accessModes"), "at least 1 access mode is required"))
	}
	if len(s.AccessModes) > 1 && slices.Contains(s.AccessModes, corev1.ReadWriteOncePod) {
		errs = append(errs, field.Forbidden(at.Child("accessModes"), "may not use ReadWriteOncePod with other access modes"))
	}
	if s.StorageClassName != nil && *s.StorageClassName != "" {
		errs = append(errs, invalid(at.Child("storageClassName"), *s.StorageClassName,
			apivalidation.NameIsDNSSubdomain(*s.StorageClassName, false))...)
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
