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
	errs = append(errs, serviceClients(s, at)...)
	var names, sockets, onNode []string
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
		if nodePort := fmt.Sprintf("%s/%d", protocol, p.NodePort); p.NodePort != 0 {
			if slices.Contains(onNode, nodePort) {
				errs = append(errs, field.Duplicate(port.Child("nodePort"), nodePort))
			}
			onNode = append(onNode, nodePort)
		}
	}
	return errs
}

// longestAffinity is the most seconds for which a client's requests go to one pod.
const longestAffinity = 86400

// serviceClients validates from where clients reach a Service, and to which pod they get (ValidateService in Kubernetes'
// pkg/apis/core/validation).
func serviceClients(s *corev1.ServiceSpec, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	const only = "may only be used when `type` is 'LoadBalancer'"
	if s.Type != corev1.ServiceTypeLoadBalancer {
		if len(s.LoadBalancerSourceRanges) > 0 {
			errs = append(errs, field.Forbidden(at.Child("loadBalancerSourceRanges"), only))
		}
		if s.LoadBalancerClass != nil {
			errs = append(errs, field.Forbidden(at.Child("loadBalancerClass"), only))
		}
	}
	for i, text := range s.LoadBalancerSourceRanges {
		if _, _, err := netutils.ParseCIDRSloppy(strings.TrimSpace(text)); err != nil {
			errs = append(errs, field.Invalid(at.Child("loadBalancerSourceRanges").Index(i), text, "must be a valid CIDR value"))
		}
	}
	for i, text := range s.ExternalIPs {
		if netutils.ParseIPSloppy(text) == nil {
			errs = append(errs, field.Invalid(at.Child("externalIPs").Index(i), text, "must be a valid IP address"))
		}
	}
	config := at.Child("sessionAffinityConfig")
	switch c := s.SessionAffinityConfig; {
	case c == nil:
	case s.SessionAffinity != corev1.ServiceAffinityClientIP:
		errs = append(errs, field.Forbidden(config, "must not be set when session affinity is None"))
	case c.ClientIP != nil && c.ClientIP.TimeoutSeconds != nil:
		if seconds := *c.ClientIP.TimeoutSeconds; seconds < 1 || seconds > longestAffinity {
			errs = append(errs, field.Invalid(config.Child("clientIP", "timeoutSeconds"), seconds,
				fmt.Sprintf("must be greater than 0 and less than %d", longestAffinity)))
		}
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
	local := s.Type == corev1.ServiceTypeLoadBalancer &&
		s.ExternalTrafficPolicy == corev1.ServiceExternalTrafficPolicyLocal
	if s.HealthCheckNodePort != 0 && !local {
		errs = append(errs, field.Invalid(at.Child("healthCheckNodePort"), s.HealthCheckNodePort,
			"may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"))
	}
	for i, p := range s.Ports {
		if p.AppProtocol != nil {
			errs = append(errs, invalid(at.Child("ports").Index(i).Child("appProtocol"), *p.AppProtocol,
				validation.IsQualifiedName(*p.AppProtocol))...)
		}
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

func networkPolicy(s *networkingv1.NetworkPolicySpec, at *field.Path) field.ErrorList {
	errs := selector(&s.PodSelector, at.Child("podSelector"))
	if len(s.PolicyTypes) > 2 {
		errs = append(errs, field.Invalid(at.Child("policyTypes"), fmt.Sprint(s.PolicyTypes),
			"may not specify more than two policyTypes"))
	}
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
