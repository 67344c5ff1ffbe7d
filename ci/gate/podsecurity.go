package gate

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	netutils "k8s.io/utils/net"
)

// podFields validates the fields that all containers of a pod share (ValidatePodSpec in Kubernetes'
// pkg/apis/core/validation).
func podFields(s *corev1.PodSpec, at *field.Path) field.ErrorList {
	errs := podDNS(s, at.Child("dnsConfig"))
	for name, value := range map[string]string{"hostname": s.Hostname, "subdomain": s.Subdomain} {
		if value != "" {
			errs = append(errs, invalid(at.Child(name), value, validation.IsDNS1123Label(value))...)
		}
	}
	for i, alias := range s.HostAliases {
		place := at.Child("hostAliases").Index(i)
		errs = append(errs, address(place.Child("ip"), alias.IP)...)
		for n, host := range alias.Hostnames {
			errs = append(errs, invalid(place.Child("hostnames").Index(n), host, validation.IsDNS1123Subdomain(host))...)
		}
	}
	if name := s.RuntimeClassName; name != nil {
		errs = append(errs, invalid(at.Child("runtimeClassName"), *name, apivalidation.NameIsDNSSubdomain(*name, false))...)
	}
	if seconds := s.ActiveDeadlineSeconds; seconds != nil && (*seconds < 1 || *seconds > 1<<31-1) {
		errs = append(errs, field.Invalid(at.Child("activeDeadlineSeconds"), *seconds,
			validation.InclusiveRangeError(1, 1<<31-1)))
	}
	if s.ShareProcessNamespace != nil && *s.ShareProcessNamespace && s.HostPID {
		errs = append(errs, field.Invalid(at.Child("shareProcessNamespace"), true,
			"ShareProcessNamespace and HostPID cannot both be enabled"))
	}
	for i, g := range s.ReadinessGates {
		errs = append(errs, invalid(at.Child("readinessGates").Index(i).Child("conditionType"), string(g.ConditionType),
			validation.IsQualifiedName(string(g.ConditionType)))...)
	}
	return append(errs, podSecurity(s.SecurityContext, at.Child("securityContext"))...)
}

// Limits of what a resolver of Linux takes.
const (
	mostNameservers   = 3
	mostSearches      = 32
	mostSearchLetters = 2048
)

// podDNS validates how a pod resolves names (validatePodDNSConfig there).
func podDNS(s *corev1.PodSpec, at *field.Path) field.ErrorList {
	none := s.DNSPolicy == corev1.DNSNone
	switch {
	case none && s.DNSConfig == nil:
		return field.ErrorList{field.Required(at, "must provide `dnsConfig` when `dnsPolicy` is None")}
	case s.DNSConfig == nil:
		return nil
	case none && len(s.DNSConfig.Nameservers) == 0:
		return field.ErrorList{field.Required(at.Child("nameservers"),
			"must provide at least one DNS nameserver when `dnsPolicy` is None")}
	}
	var errs field.ErrorList
	servers, searches := s.DNSConfig.Nameservers, s.DNSConfig.Searches
	if len(servers) > mostNameservers {
		errs = append(errs, field.TooMany(at.Child("nameservers"), len(servers), mostNameservers))
	}
	for i, server := range servers {
		errs = append(errs, address(at.Child("nameservers").Index(i), server)...)
	}
	if len(searches) > mostSearches {
		errs = append(errs, field.TooMany(at.Child("searches"), len(searches), mostSearches))
	}
	if text := strings.Join(searches, " "); len(text) > mostSearchLetters {
		errs = append(errs, field.Invalid(at.Child("searches"), len(text),
			fmt.Sprintf("must not have more than %d characters (including spaces) in the search list", mostSearchLetters)))
	}
	for i, search := range searches {
		// New servers also accept underlines and a dot alone.
		domain := strings.ReplaceAll(strings.TrimSuffix(search, "."), "_", "a")
		if search != "." {
			errs = append(errs, invalid(at.Child("searches").Index(i), search, validation.IsDNS1123Subdomain(domain))...)
		}
	}
	for i, option := range s.DNSConfig.Options {
		if option.Name == "" {
			errs = append(errs, field.Required(at.Child("options").Index(i), "must not be empty"))
		}
	}
	return errs
}

// address refuses what is no IP address in any form that servers accept.
func address(at *field.Path, text string) field.ErrorList {
	if netutils.ParseIPSloppy(text) == nil {
		return field.ErrorList{field.Invalid(at, text, "must be a valid IP address")}
	}
	return nil
}

// sysctlName is a name in segments, with dots or slashes between them.
var sysctlName = regexp.MustCompile(`^(?:[a-z0-9](?:[-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9](?:[-_a-z0-9]*[a-z0-9])?$`)

// podSecurity validates the rights of a pod (ValidatePodSecurityContext there).
func podSecurity(s *corev1.PodSecurityContext, at *field.Path) field.ErrorList {
	if s == nil {
		return nil
	}
	errs := seccomp(s.SeccompProfile, at.Child("seccompProfile"))
	errs = append(errs, identity(at, s.RunAsUser, s.RunAsGroup)...)
	if s.FSGroup != nil {
		errs = append(errs, number(at.Child("fsGroup"), *s.FSGroup, validation.IsValidGroupID)...)
	}
	for i, group := range s.SupplementalGroups {
		errs = append(errs, number(at.Child("supplementalGroups").Index(i), group, validation.IsValidGroupID)...)
	}
	var names []string
	for i, one := range s.Sysctls {
		place := at.Child("sysctls").Index(i).Child("name")
		switch name := one.Name; {
		case name == "":
			errs = append(errs, field.Required(place, ""))
		case len(name) > validation.DNS1123SubdomainMaxLength, !sysctlName.MatchString(name):
			errs = append(errs, field.Invalid(place, name, fmt.Sprintf("must have at most %d characters and match regex %s",
				validation.DNS1123SubdomainMaxLength, sysctlName)))
		case slices.Contains(names, name):
			errs = append(errs, field.Duplicate(place, name))
		default:
			names = append(names, name)
		}
	}
	return errs
}

// identity validates the user and the group that processes run as.
func identity(at *field.Path, user, group *int64) field.ErrorList {
	var errs field.ErrorList
	if user != nil {
		errs = append(errs, number(at.Child("runAsUser"), *user, validation.IsValidUserID)...)
	}
	if group != nil {
		errs = append(errs, number(at.Child("runAsGroup"), *group, validation.IsValidGroupID)...)
	}
	return errs
}

// number makes an error of each message of a rule about a number.
func number(at *field.Path, value int64, rule func(int64) []string) field.ErrorList {
	var errs field.ErrorList
	for _, m := range rule(value) {
		errs = append(errs, field.Invalid(at, value, m))
	}
	return errs
}
