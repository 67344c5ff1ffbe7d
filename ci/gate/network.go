package gate

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	netutils "k8s.io/utils/net"
)

func service(s *corev1.ServiceSpec, at *field.Path) field.ErrorList {
	errs := metav1validation.ValidateLabels(s.Selector, at.Child("selector"))
	external, headless := s.Type == corev1.ServiceTypeExternalName, s.ClusterIP == corev1.ClusterIPNone
	switch {
	case external && s.ExternalName == "":
		errs = append(errs, field.Required(at.Child("externalName"), ""))
	case external:
		name := strings.TrimSuffix(s.ExternalName, ".")
		errs = append(errs, invalid(at.Child("externalName"), s.ExternalName, validation.IsDNS1123Subdomain(name))...)
	case len(s.Ports) == 0 && !headless:
		errs = append(errs, field.Required(at.Child("ports"), ""))
	}
	errs = append(errs, serviceAddress(s, at)...)
	var names, sockets []string
	for i, p := range s.Ports {
		port := at.Child("ports").Index(i)
		if p.NodePort != 0 && (s.Type == "" || s.Type == corev1.ServiceTypeClusterIP) {
			errs = append(errs, field.Forbidden(port.Child("nodePort"), "may not be used when `type` is 'ClusterIP'"))
		}
		if p.Name != "" || len(s.Ports) > 1 {
			errs = append(errs, uniqueName(port.Child("name"), p.Name, &names)...)
		}
		for _, m := range validation.IsValidPortNum(int(p.Port)) {
			errs = append(errs, field.Invalid(port.Child("port"), p.Port, m))
		}
		errs = append(errs, portOrName(port.Child("targetPort"), p.TargetPort)...)
		protocol := p.Protocol
		if protocol == "" {
			protocol = corev1.ProtocolTCP
		}
		socket := fmt.Sprintf("%s/%d", protocol, p.Port)
		if slices.Contains(sockets, socket) {
			errs = append(errs, field.Duplicate(port, socket))
		}
		sockets = append(sockets, socket)
	}
	return errs
}

// serviceAddress validates the address of a Service, and the policy for traffic from outside.
func serviceAddress(s *corev1.ServiceSpec, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	address := at.Child("clusterIP")
	outside := s.Type == corev1.ServiceTypeNodePort || s.Type == corev1.ServiceTypeLoadBalancer
	switch {
	case s.ClusterIP == "":
	case s.Type == corev1.ServiceTypeExternalName:
		errs = append(errs, field.Forbidden(address, "may not be set for ExternalName services"))
	case s.ClusterIP == corev1.ClusterIPNone:
		if outside {
			errs = append(errs, field.Invalid(address, s.ClusterIP, fmt.Sprintf("may not be set to 'None' for %s services",
				s.Type)))
		}
	case netutils.ParseIPSloppy(s.ClusterIP) == nil:
		errs = append(errs, field.Invalid(address, s.ClusterIP, "must be empty, 'None' or a valid IP address"))
	}
	if s.ExternalTrafficPolicy != "" && !outside && (s.Type == corev1.ServiceTypeExternalName || len(s.ExternalIPs) == 0) {
		errs = append(errs, field.Invalid(at.Child("externalTrafficPolicy"), s.ExternalTrafficPolicy,
			"may only be set for externally-accessible services"))
	}
	return errs
}

// portOrName validates a port by number or name; zero is none.
func portOrName(at *field.Path, p intstr.IntOrString) field.ErrorList {
	var errs field.ErrorList
	switch {
	case p.Type == intstr.String:
		errs = invalid(at, p.StrVal, validation.IsValidPortName(p.StrVal))
	case p.IntVal != 0:
		for _, m := range validation.IsValidPortNum(int(p.IntVal)) {
			errs = append(errs, field.Invalid(at, p.IntVal, m))
		}
	}
	return errs
}

func ingress(s *networkingv1.IngressSpec, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	if len(s.Rules) == 0 && s.DefaultBackend == nil {
		errs = append(errs, field.Invalid(at, "", "either `defaultBackend` or `rules` must be specified"))
	}
	for i, r := range s.Rules {
		rule := at.Child("rules").Index(i)
		if r.Host != "" {
			check := validation.IsDNS1123Subdomain
			if strings.Contains(r.Host, "*") {
				check = validation.IsWildcardDNS1123Subdomain
			}
			errs = append(errs, invalid(rule.Child("host"), r.Host, check(r.Host))...)
		}
		if r.HTTP == nil {
			continue
		}
		if len(r.HTTP.Paths) == 0 {
			errs = append(errs, field.Required(rule.Child("http", "paths"), ""))
		}
		for i, p := range r.HTTP.Paths {
			one := rule.Child("http", "paths").Index(i)
			switch {
			case p.PathType == nil:
				errs = append(errs, field.Required(one.Child("pathType"), "pathType must be specified"))
			case *p.PathType != networkingv1.PathTypeImplementationSpecific && !strings.HasPrefix(p.Path, "/"):
				errs = append(errs, field.Invalid(one.Child("path"), p.Path, "must be an absolute path"))
			}
			errs = append(errs, ingressBackend(&p.Backend, one.Child("backend"))...)
		}
	}
	if s.DefaultBackend != nil {
		errs = append(errs, ingressBackend(s.DefaultBackend, at.Child("defaultBackend"))...)
	}
	return errs
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
	}
	if p := b.Service.Port; p.Name == "" && p.Number == 0 {
		errs = append(errs, field.Required(service.Child("port"), "port name or number is required"))
	} else if p.Name != "" && p.Number != 0 {
		errs = append(errs, field.Invalid(service.Child("port"), "", "cannot set both port name & port number"))
	}
	return errs
}

func networkPolicy(s *networkingv1.NetworkPolicySpec, at *field.Path) field.ErrorList {
	errs := selector(&s.PodSelector, at.Child("podSelector"))
	ports := func(at *field.Path, all []networkingv1.NetworkPolicyPort) {
		for i, p := range all {
			if p.Port != nil {
				errs = append(errs, portOrName(at.Index(i).Child("port"), *p.Port)...)
			}
			errs = append(errs, endPort(&p, at.Index(i).Child("endPort"))...)
		}
	}
	peers := func(at *field.Path, all []networkingv1.NetworkPolicyPeer) {
		for i, p := range all {
			if p.PodSelector == nil && p.NamespaceSelector == nil && p.IPBlock == nil {
				errs = append(errs, field.Required(at.Index(i), "must specify a peer"))
			}
			if p.IPBlock != nil {
				if p.PodSelector != nil || p.NamespaceSelector != nil {
					errs = append(errs, field.Forbidden(at.Index(i), "may not specify both ipBlock and another peer"))
				}
				errs = append(errs, ipBlock(p.IPBlock, at.Index(i).Child("ipBlock"))...)
			}
			errs = append(errs, selector(p.PodSelector, at.Index(i).Child("podSelector"))...)
			errs = append(errs, selector(p.NamespaceSelector, at.Index(i).Child("namespaceSelector"))...)
		}
	}
	for i, r := range s.Ingress {
		ports(at.Child("ingress").Index(i).Child("ports"), r.Ports)
		peers(at.Child("ingress").Index(i).Child("from"), r.From)
	}
	for i, r := range s.Egress {
		ports(at.Child("egress").Index(i).Child("ports"), r.Ports)
		peers(at.Child("egress").Index(i).Child("to"), r.To)
	}
	return errs
}

// endPort validates the end of a range of ports.
func endPort(p *networkingv1.NetworkPolicyPort, at *field.Path) field.ErrorList {
	switch {
	case p.EndPort == nil:
	case p.Port == nil:
		return field.ErrorList{field.Invalid(at, *p.EndPort, "may not be specified when `port` is not specified")}
	case p.Port.Type == intstr.String:
		return field.ErrorList{field.Invalid(at, *p.EndPort, "may not be specified when `port` is non-numeric")}
	case *p.EndPort < p.Port.IntVal:
		return field.ErrorList{field.Invalid(at, *p.EndPort, "must be greater than or equal to `port`")}
	default:
		return portOrName(at, intstr.FromInt32(*p.EndPort))
	}
	return nil
}

// ipBlock validates a block of addresses, and the blocks in it that are excepted.
func ipBlock(b *networkingv1.IPBlock, at *field.Path) field.ErrorList {
	if b.CIDR == "" {
		return field.ErrorList{field.Required(at.Child("cidr"), "")}
	}
	_, whole, err := netutils.ParseCIDRSloppy(b.CIDR)
	if err != nil {
		return field.ErrorList{field.Invalid(at.Child("cidr"), b.CIDR, "must be a valid CIDR value, (e.g. 10.9.8.0/24)")}
	}
	var errs field.ErrorList
	for i, text := range b.Except {
		except := at.Child("except").Index(i)
		_, part, err := netutils.ParseCIDRSloppy(text)
		if err != nil {
			errs = append(errs, field.Invalid(except, text, "must be a valid CIDR value, (e.g. 10.9.8.0/24)"))
			continue
		}
		wholeBits, _ := whole.Mask.Size()
		partBits, _ := part.Mask.Size()
		if !whole.Contains(part.IP) || wholeBits >= partBits {
			errs = append(errs, field.Invalid(except, text, "must be a strict subset of `cidr`"))
		}
	}
	return errs
}
