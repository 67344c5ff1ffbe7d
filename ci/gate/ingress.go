package gate

import (
	"strings"

	networkingv1 "k8s.io/api/networking/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	netutils "k8s.io/utils/net"
)

// classAnnotation is how an Ingress named its class before the field ingressClassName.
const classAnnotation = "kubernetes.io/ingress.class"

// ingressClass refuses two different classes of an Ingress (ValidateIngressCreate in Kubernetes'
// pkg/apis/networking/validation; the rules of this file are from there).
func ingressClass(i *networkingv1.Ingress) field.ErrorList {
	old, ok := i.Annotations[classAnnotation]
	if name := i.Spec.IngressClassName; ok && name != nil && *name != old {
		return field.ErrorList{field.Invalid(field.NewPath("metadata", "annotations").Key(classAnnotation), old,
			"must match `ingressClassName` when both are specified")}
	}
	return nil
}

func ingress(s *networkingv1.IngressSpec, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	if len(s.Rules) == 0 && s.DefaultBackend == nil {
		errs = append(errs, field.Invalid(at, "", "either `defaultBackend` or `rules` must be specified"))
	}
	if s.IngressClassName != nil {
		errs = append(errs, invalid(at.Child("ingressClassName"), *s.IngressClassName,
			apivalidation.NameIsDNSSubdomain(*s.IngressClassName, false))...)
	}
	for i, t := range s.TLS {
		tls := at.Child("tls").Index(i)
		for i, host := range t.Hosts {
			errs = append(errs, hostName(tls.Child("hosts").Index(i), host)...)
		}
		if t.SecretName != "" {
			errs = append(errs, invalid(tls.Child("secretName"), t.SecretName,
				apivalidation.NameIsDNSSubdomain(t.SecretName, false))...)
		}
	}
	for i, r := range s.Rules {
		rule := at.Child("rules").Index(i)
		if r.Host != "" {
			errs = append(errs, hostName(rule.Child("host"), r.Host)...)
			if netutils.ParseIPSloppy(r.Host) != nil {
				errs = append(errs, field.Invalid(rule.Child("host"), r.Host, "must be a DNS name, not an IP address"))
			}
		}
		if r.HTTP == nil {
			continue
		}
		if len(r.HTTP.Paths) == 0 {
			errs = append(errs, field.Required(rule.Child("http", "paths"), ""))
		}
		for i, p := range r.HTTP.Paths {
			one := rule.Child("http", "paths").Index(i)
			if p.PathType == nil {
				errs = append(errs, field.Required(one.Child("pathType"), "pathType must be specified"))
			} else if problem := pathProblem(p.Path, *p.PathType); problem != "" {
				errs = append(errs, field.Invalid(one.Child("path"), p.Path, problem))
			}
			errs = append(errs, ingressBackend(&p.Backend, one.Child("backend"))...)
		}
	}
	if s.DefaultBackend != nil {
		errs = append(errs, ingressBackend(s.DefaultBackend, at.Child("defaultBackend"))...)
	}
	return errs
}

// hostName validates the name of a host, which may begin with a wildcard.
func hostName(at *field.Path, host string) field.ErrorList {
	if strings.Contains(host, "*") {
		return invalid(at, host, validation.IsWildcardDNS1123Subdomain(host))
	}
	return invalid(at, host, validation.IsDNS1123Subdomain(host))
}

// pathProblem says why a server does not take a path of an Ingress; empty if it does.
func pathProblem(path string, kind networkingv1.PathType) string {
	free := kind == networkingv1.PathTypeImplementationSpecific
	switch {
	case !strings.HasPrefix(path, "/") && (path != "" || !free):
		return "must be an absolute path"
	case free:
		return ""
	}
	for _, part := range []string{"//", "/./", "/../", "%2f", "%2F"} {
		if strings.Contains(path, part) {
			return "must not contain '" + part + "'"
		}
	}
	for _, end := range []string{"/..", "/."} {
		if strings.HasSuffix(path, end) {
			return "cannot end with '" + end + "'"
		}
	}
	return ""
}

func ingressBackend(b *networkingv1.IngressBackend, at *field.Path) field.ErrorList {
	switch {
	case b.Service == nil && b.Resource == nil:
		return field.ErrorList{field.Required(at, "resource or service backend is required")}
	case b.Service != nil && b.Resource != nil:
		return field.ErrorList{field.Invalid(at, "", "cannot set both resource and service backends")}
	case b.Service == nil:
		return nil
	}
	service := at.Child("service")
	var errs field.ErrorList
	if b.Service.Name == "" {
		errs = append(errs, field.Required(service.Child("name"), ""))
	} else { // old servers accept fewer names
		errs = append(errs, invalid(service.Child("name"), b.Service.Name,
			apivalidation.NameIsDNSLabel(b.Service.Name, false))...)
	}
	switch p := b.Service.Port; {
	case p.Name == "" && p.Number == 0:
		errs = append(errs, field.Required(service.Child("port"), "port name or number is required"))
	case p.Name != "" && p.Number != 0:
		errs = append(errs, field.Invalid(service.Child("port"), "", "cannot set both port name & port number"))
	case p.Name != "":
		errs = append(errs, portOrName(service.Child("port", "name"), intstr.FromString(p.Name))...)
	default:
		errs = append(errs, portOrName(service.Child("port", "number"), intstr.FromInt32(p.Number))...)
	}
	return errs
}
