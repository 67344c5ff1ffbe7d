package gate

import (
	"path"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// fieldsOfPods are the fields of a Pod that a variable can have (validEnvDownwardAPIFieldPathExpressions in Kubernetes'
// pkg/apis/core/validation). Labels and annotations are there by key.
var (
	fieldsOfPods = strings.Fields("metadata.name metadata.namespace metadata.uid spec.nodeName spec.serviceAccountName " +
		"status.hostIP status.hostIPs status.podIP status.podIPs")
	fieldByKey = regexp.MustCompile(`^metadata\.(?:labels|annotations)\['.+'\]$`)
)

// variableSource validates where the value of a variable comes from (validateEnvVarValueFrom there).
func variableSource(s *corev1.EnvVarSource, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	sources := 0
	keyed := func(name, key string) {
		sources++
		place := at.Child(name, "key")
		if key == "" {
			errs = append(errs, field.Required(place, ""))
		} else {
			errs = append(errs, invalid(place, key, validation.IsConfigMapKey(key))...)
		}
	}
	if s.ConfigMapKeyRef != nil {
		keyed("configMapKeyRef", s.ConfigMapKeyRef.Key)
	}
	if s.SecretKeyRef != nil {
		keyed("secretKeyRef", s.SecretKeyRef.Key)
	}
	if s.FileKeyRef != nil {
		sources++
	}
	if s.FieldRef != nil {
		sources++
		place := at.Child("fieldRef", "fieldPath")
		switch from := s.FieldRef.FieldPath; {
		case from == "":
			errs = append(errs, field.Required(place, ""))
		case !slices.Contains(fieldsOfPods, from) && !fieldByKey.MatchString(from):
			errs = append(errs, field.NotSupported(place, from, append(slices.Clone(fieldsOfPods),
				"metadata.labels['KEY']", "metadata.annotations['KEY']")))
		}
	}
	if s.ResourceFieldRef != nil {
		sources++
		if s.ResourceFieldRef.Resource == "" {
			errs = append(errs, field.Required(at.Child("resourceFieldRef", "resource"), ""))
		}
	}
	switch {
	case sources == 0:
		errs = append(errs, field.Invalid(at, "", "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` "+
			"or `secretKeyRef`"))
	case sources > 1:
		errs = append(errs, field.Invalid(at, "", "may not have more than one field specified at a time"))
	}
	return errs
}

// variables validates where all variables of a container come from (ValidateEnvFrom there).
func variables(s *corev1.EnvFromSource, at *field.Path) field.ErrorList {
	switch {
	case s.ConfigMapRef == nil && s.SecretRef == nil:
		return field.ErrorList{field.Invalid(at, "", "must specify one of: `configMapRef` or `secretRef`")}
	case s.ConfigMapRef != nil && s.SecretRef != nil:
		return field.ErrorList{field.Invalid(at, "", "may not have more than one field specified at a time")}
	case s.ConfigMapRef != nil && s.ConfigMapRef.Name == "":
		return field.ErrorList{field.Required(at.Child("configMapRef", "name"), "")}
	case s.SecretRef != nil && s.SecretRef.Name == "":
		return field.ErrorList{field.Required(at.Child("secretRef", "name"), "")}
	}
	return nil
}

// resourceNames are the resources without a domain that a container can have.
var resourceNames = []string{"cpu", "memory", "ephemeral-storage"}

// ofContainers tells whether a container can have a resource, by its name.
func ofContainers(resource string) bool {
	return strings.ContainsRune(resource, '/') || strings.HasPrefix(resource, "hugepages-") ||
		slices.Contains(resourceNames, resource)
}

// resources validates the resources of a container (ValidateContainerResourceRequirements there).
func resources(r *corev1.ResourceRequirements, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	for kind, list := range map[string]corev1.ResourceList{"limits": r.Limits, "requests": r.Requests} {
		for name, amount := range list {
			key, text := at.Child(kind).Key(string(name)), string(name)
			huge := strings.HasPrefix(text, "hugepages-")
			switch wrong := validation.IsQualifiedName(text); {
			case len(wrong) > 0:
				errs = append(errs, invalid(key, text, wrong)...)
			case !ofContainers(text):
				errs = append(errs, field.Invalid(key, text, "must be a standard resource for containers"))
			}
			if amount.Sign() < 0 {
				errs = append(errs, field.Invalid(key, amount.String(), "must be greater than or equal to 0"))
			}
			own := strings.Contains(text, "/") && !strings.Contains(text, "kubernetes.io/")
			if own && amount.MilliValue()%1000 != 0 {
				errs = append(errs, field.Invalid(key, amount.String(), "must be an integer"))
			}
			limit, limited := r.Limits[name]
			if (own || huge) && kind == "requests" && (!limited || amount.Cmp(limit) != 0) {
				errs = append(errs, field.Invalid(key, amount.String(), "must be equal to "+text+" limit"))
			}
		}
	}
	if hasHuge, hasUsual := resourcesNamed(r); hasHuge && !hasUsual {
		errs = append(errs, field.Forbidden(at, "HugePages require cpu or memory"))
	}
	for name, limit := range r.Limits {
		if request, ok := r.Requests[name]; ok && request.Cmp(limit) > 0 {
			errs = append(errs, field.Invalid(at.Child("requests"), request.String(),
				"must be less than or equal to "+string(name)+" limit of "+limit.String()))
		}
	}
	return errs
}

// resourcesNamed tells whether huge pages are among the resources, and whether cpu or memory is.
func resourcesNamed(r *corev1.ResourceRequirements) (huge, usual bool) {
	for _, list := range []corev1.ResourceList{r.Limits, r.Requests} {
		for name := range list {
			huge = huge || strings.HasPrefix(string(name), "hugepages-")
			usual = usual || name == corev1.ResourceCPU || name == corev1.ResourceMemory
		}
	}
	return huge, usual
}

// securityContext validates the rights of a container (ValidateSecurityContext there).
func securityContext(s *corev1.SecurityContext, at *field.Path) field.ErrorList {
	if s == nil {
		return nil
	}
	errs := seccomp(s.SeccompProfile, at.Child("seccompProfile"))
	errs = append(errs, identity(at, s.RunAsUser, s.RunAsGroup)...)
	if s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation {
		return errs
	}
	const cannot = "cannot set `allowPrivilegeEscalation` to false and "
	if s.Privileged != nil && *s.Privileged {
		errs = append(errs, field.Invalid(at, "", cannot+"`privileged` to true"))
	}
	if s.Capabilities != nil && slices.Contains(s.Capabilities.Add, "CAP_SYS_ADMIN") {
		errs = append(errs, field.Invalid(at, "", cannot+"`capabilities.Add` CAP_SYS_ADMIN"))
	}
	return errs
}

// seccomp validates a seccomp profile (validateSeccompProfileField there).
func seccomp(p *corev1.SeccompProfile, at *field.Path) field.ErrorList {
	switch {
	case p == nil:
	case p.Type == "":
		return field.ErrorList{field.Required(at.Child("type"), "type is required when seccompProfile is set")}
	case p.Type == corev1.SeccompProfileTypeLocalhost && p.LocalhostProfile == nil:
		return field.ErrorList{field.Required(at.Child("localhostProfile"), "must be set when seccomp type is Localhost")}
	case p.Type != corev1.SeccompProfileTypeLocalhost && p.LocalhostProfile != nil:
		return field.ErrorList{field.Invalid(at.Child("localhostProfile"), *p.LocalhostProfile,
			"can only be set when seccomp type is Localhost")}
	}
	return nil
}

// subPaths validates which part of a volume is mounted (ValidateVolumeMounts there).
func subPaths(m *corev1.VolumeMount, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	if m.SubPath != "" && m.SubPathExpr != "" {
		errs = append(errs, field.Invalid(at.Child("subPathExpr"), m.SubPathExpr,
			"subPathExpr and subPath are mutually exclusive"))
	}
	for name, value := range map[string]string{"subPath": m.SubPath, "subPathExpr": m.SubPathExpr} {
		switch {
		case path.IsAbs(value):
			errs = append(errs, field.Invalid(at.Child(name), value, "must be a relative path"))
		case slices.Contains(strings.Split(value, "/"), ".."):
			errs = append(errs, field.Invalid(at.Child(name), value, "must not contain '..'"))
		}
	}
	return errs
}

// hostPorts refuses a port of the node that two containers of a pod take (checkHostPortConflicts there), and one that is
// not the container's own port in the node's network (validateHostNetwork there).
func hostPorts(s *corev1.PodSpec, at *field.Path) field.ErrorList {
	type socket struct {
		protocol corev1.Protocol
		address  string
		port     int32
	}
	var errs field.ErrorList
	taken := map[socket]bool{}
	for i, c := range s.Containers {
		for n, p := range c.Ports {
			if p.HostPort == 0 {
				continue
			}
			place := at.Child("containers").Index(i).Child("ports").Index(n)
			one := socket{p.Protocol, p.HostIP, p.HostPort}
			if one.protocol == "" {
				one.protocol = corev1.ProtocolTCP
			}
			if taken[one] {
				errs = append(errs, field.Duplicate(place.Child("hostPort"), p.HostPort))
			}
			taken[one] = true
			if s.HostNetwork && p.HostPort != p.ContainerPort {
				errs = append(errs, field.Invalid(place.Child("containerPort"), p.ContainerPort,
					"must match `hostPort` when `hostNetwork` is true"))
			}
		}
	}
	return errs
}
