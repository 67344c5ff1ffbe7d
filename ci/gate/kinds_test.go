package gate

import (
	"strings"
	"testing"
)

// TestRefusedKinds has objects of kinds that operators' charts hold, which every API server refuses, each beside one
// that every server takes.
func TestRefusedKinds(t *testing.T) {
	pod := func(fields string) string {
		return ofKind("v1", "Pod", "spec: {containers: [{name: a, image: b}], "+fields+"}")
	}
	rights := func(fields string) string { return pod("securityContext: {" + fields + "}") }
	volume := func(fields string) string { return pod("volumes: [{name: v, " + fields + "}]") }
	sources := func(fields string) string { return volume("projected: {sources: [" + fields + "]}") }
	limits := func(fields string) string { return ofKind("v1", "LimitRange", "spec: {limits: ["+fields+"]}") }
	secretOf := func(kind, fields string) string { return ofKind("v1", "Secret", "type: "+kind+"\n"+fields) }
	hooked := func(fields string) string {
		return ofKind("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "webhooks: [{name: a.b.c, "+
			"sideEffects: None, admissionReviewVersions: [v1], clientConfig: {service: {name: a, namespace: b}}, rules: "+
			"[{operations: [CREATE], apiGroups: ['*'], apiVersions: [v1], "+fields+"}]}]")
	}
	resources := func(list string) string { return hooked("resources: [" + list + "]") }
	aggregated := func(list string) string {
		return ofKind("rbac.authorization.k8s.io/v1", "ClusterRole", "rules: []\naggregationRule: "+
			"{clusterRoleSelectors: ["+list+"]}")
	}
	named := func(text, name string) string { return strings.Replace(text, "{name: a}", "{name: "+name+"}", 1) }
	runtimeClass := func(fields string) string { return ofKind("node.k8s.io/v1", "RuntimeClass", fields) }
	class := func(fields string) string {
		return ofKind("networking.k8s.io/v1", "IngressClass", "spec: {"+fields+"}")
	}
	api := func(name, fields string) string {
		return named(ofKind("apiregistration.k8s.io/v1", "APIService", "spec: {group: a.example.com, "+
			"version: v1, "+fields+"}"), name)
	}
	const priorities = "groupPriorityMinimum: 1000, versionPriority: 10"
	const service = ", service: {name: a, namespace: b}, "
	subject := func(name string) string {
		return ofKind("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "roleRef: {apiGroup: rbac.authorization.k8s.io, "+
			"kind: ClusterRole, name: a}\nsubjects: [{kind: ServiceAccount, name: "+name+", namespace: b}]")
	}

	for name, c := range map[string]struct{ wrong, want, right string }{
		"no resolver": {
			pod("dnsPolicy: None"),
			"must provide `dnsConfig`",
			pod("dnsPolicy: None, dnsConfig: {nameservers: [192.0.2.1]}"),
		},
		"no name server": {
			pod("dnsPolicy: None, dnsConfig: {searches: [a.b]}"),
			"at least one DNS nameserver",
			pod("dnsConfig: {searches: [a_b.c., .]}"),
		},
		"a name server by name": {
			pod("dnsConfig: {nameservers: [a.b]}"),
			"nameservers[0]: Invalid value",
			pod("dnsConfig: {nameservers: ['2001:db8::1']}"),
		},
		"four name servers": {pod("dnsConfig: {nameservers: [192.0.2.1, 192.0.2.2, 192.0.2.3, 192.0.2.4]}"),
			"nameservers: Too many",
			pod("dnsConfig: {nameservers: [192.0.2.1, 192.0.2.2, 192.0.2.3]}")},
		"a search in words": {
			pod("dnsConfig: {searches: [A B]}"),
			"searches[0]: Invalid value",
			pod("dnsConfig: {searches: [a.b]}"),
		},
		"an option by no name": {
			pod("dnsConfig: {options: [{value: '2'}]}"),
			"options[0]: Required value",
			pod("dnsConfig: {options: [{name: ndots, value: '2'}]}"),
		},
		"a host with a dot":     {pod("hostname: a.b"), "hostname: Invalid value", pod("hostname: a-b, subdomain: c")},
		"a subdomain with dots": {pod("subdomain: a.b"), "subdomain: Invalid value", pod("subdomain: a")},
		"an alias by name": {
			pod("hostAliases: [{ip: a, hostnames: [b]}]"),
			"hostAliases[0].ip",
			pod("hostAliases: [{ip: 192.0.2.1, hostnames: [b.c]}]"),
		},
		"an alias in words": {
			pod("hostAliases: [{ip: 192.0.2.1, hostnames: [B_]}]"),
			"hostnames[0]",
			pod("hostAliases: [{ip: 192.0.2.1}]"),
		},
		"a runtime in words": {
			pod("runtimeClassName: A b"),
			"runtimeClassName: Invalid value",
			pod("runtimeClassName: a.b"),
		},
		"no time": {pod("activeDeadlineSeconds: 0"), "activeDeadlineSeconds", pod("activeDeadlineSeconds: 1")},
		"two sets of processes": {
			pod("hostPID: true, shareProcessNamespace: true"),
			"cannot both be enabled",
			pod("hostPID: true"),
		},
		"a gate in words": {
			pod("readinessGates: [{conditionType: A b}]"),
			"conditionType: Invalid value",
			pod("readinessGates: [{conditionType: a.b/c}]"),
		},

		"a pod's user below 0":  {rights("runAsUser: -5"), "runAsUser: Invalid value: -5", rights("runAsUser: 0")},
		"a pod's group below 0": {rights("runAsGroup: -5"), "runAsGroup: Invalid value: -5", rights("runAsGroup: 65532")},
		"files' group below 0":  {rights("fsGroup: -1"), "fsGroup: Invalid value: -1", rights("fsGroup: 1")},
		"one more group below 0": {rights("supplementalGroups: [1, -1]"), "supplementalGroups[1]: Invalid value: -1",
			rights("supplementalGroups: [1, 2]")},
		"a container's group": {
			podWith("securityContext: {runAsGroup: -5}"),
			"runAsGroup: Invalid value: -5",
			podWith("securityContext: {runAsGroup: 5}"),
		},
		"a sysctl in words": {
			rights("sysctls: [{name: A b, value: '1'}]"),
			"sysctls[0].name: Invalid value",
			rights("sysctls: [{name: net/ipv4/ip_a.b, value: '1'}]"),
		},
		"a sysctl without a name": {
			rights("sysctls: [{value: '1'}]"),
			"sysctls[0].name: Required value",
			rights("sysctls: [{name: kernel.shm_rmid_forced, value: '1'}]"),
		},
		"a sysctl twice": {rights("sysctls: [{name: a.b, value: '1'}, {name: a.b, value: '2'}]"),
			"sysctls[1].name: Duplicate value",
			rights("sysctls: [{name: a.b, value: '1'}, {name: a.c, value: '2'}]")},

		"two sources in one": {
			sources("{secret: {name: a}, configMap: {name: b}}"),
			"more than 1 volume type",
			sources("{secret: {name: a}}, {configMap: {name: b}}"),
		},
		"a source by no name": {
			sources("{secret: {}}"),
			"sources[0].secret.name: Required value",
			sources("{secret: {name: a, optional: true}}"),
		},
		"a map by no name": {
			sources("{configMap: {items: [{key: a, path: b}]}}"),
			"sources[0].configMap.name: Required value",
			sources("{configMap: {name: a, items: [{key: a, path: b}]}}"),
		},
		"one path twice": {
			sources("{secret: {name: a, items: [{key: a, path: c}]}}, {configMap: {name: b, items: [{key: b, path: c}]}}"),
			"conflicting duplicate paths",
			sources("{secret: {name: a, items: [{key: a, path: c}]}}, {configMap: {name: b, items: [{key: b, path: d}]}}"),
		},
		"a token of a minute": {
			sources("{serviceAccountToken: {path: t, expirationSeconds: 60}}"),
			"less than 10 minutes",
			sources("{serviceAccountToken: {path: t, expirationSeconds: 600}}"),
		},
		"a token at no path": {
			sources("{serviceAccountToken: {}}"),
			"serviceAccountToken.path: Required value",
			sources("{serviceAccountToken: {path: t}}"),
		},
		"a bundle by no name": {
			sources("{clusterTrustBundle: {path: a}}"),
			"either name or signerName",
			sources("{clusterTrustBundle: {path: a, name: b}}"),
		},
		"a field of no file": {
			sources("{downwardAPI: {items: [{path: a, fieldRef: {fieldPath: spec.nodeName}}]}}"),
			"fieldPath: Unsupported value",
			sources("{downwardAPI: {items: [{path: a, fieldRef: {fieldPath: metadata.labels}}]}}"),
		},
		"a file from nowhere": {
			volume("downwardAPI: {items: [{path: a}]}"),
			"one of fieldRef and resourceFieldRef",
			volume("downwardAPI: {items: [{path: a, resourceFieldRef: {containerName: a, resource: limits.cpu}}]}"),
		},
		"a file outside": {
			volume("secret: {secretName: a, items: [{key: a, path: ../b}]}"),
			"must not contain '..'",
			volume("secret: {secretName: a, items: [{key: a, path: c/b}]}"),
		},
		"an absolute file": {
			volume("configMap: {name: a, items: [{key: a, path: /b}]}"),
			"must be a relative path",
			volume("configMap: {name: a, items: [{key: a, path: b}]}"),
		},
		"a file without a key": {
			volume("configMap: {name: a, items: [{path: b}]}"),
			"items[0].key: Required value",
			volume("configMap: {name: a}"),
		},
		"rights in decimals": {
			volume("secret: {secretName: a, defaultMode: 1420}"),
			"defaultMode: Invalid value: 1420",
			volume("secret: {secretName: a, defaultMode: 420}"),
		},
		"a host's path upwards": {volume("hostPath: {path: /a/../b}"), "must not contain '..'",
			volume("hostPath: {path: /a}")},
		"a relative export": {
			volume("nfs: {server: a, path: b}"),
			"must be an absolute path",
			volume("nfs: {server: a, path: /b}"),
		},

		"a default above its maximum": {
			limits("{type: Container, max: {cpu: 1}, default: {cpu: 2}}"),
			"default[cpu]: Invalid value: \"2\": is greater than max",
			limits("{type: Container, max: {cpu: 2}, default: {cpu: 2}}"),
		},
		"a request above its default": {
			limits("{type: Container, defaultRequest: {memory: 2Gi}, default: {memory: 1Gi}}"),
			"is greater than default",
			limits("{type: Container, defaultRequest: {memory: 1Gi}, default: {memory: 1Gi}}"),
		},
		"a minimum above its maximum": {
			limits("{type: Pod, min: {cpu: 2}, max: {cpu: 1}}"),
			"is greater than max",
			limits("{type: Pod, min: {cpu: 1}, max: {cpu: 2}}"),
		},
		"defaults of pods": {
			limits("{type: Pod, default: {cpu: 2}}"),
			"may not be specified when `type` is 'Pod'",
			limits("{type: Pod, max: {cpu: 2}}"),
		},
		"one type of limits twice": {
			limits("{type: Pod, max: {cpu: 2}}, {type: Pod, max: {memory: 2}}"),
			"limits[1].type: Duplicate value",
			limits("{type: Pod, max: {cpu: 2}}, {type: Container, max: {memory: 2}}"),
		},
		"a claim's limit of nothing": {
			limits("{type: PersistentVolumeClaim}"),
			"either minimum or maximum storage",
			limits("{type: PersistentVolumeClaim, max: {storage: 1Gi}}"),
		},
		"a limit of processors": {
			limits("{type: Container, max: {cpus: 2}}"),
			"must be a standard resource",
			limits("{type: example.com/a, max: {storage: 2}}"),
		},
		"a ratio below 1": {
			limits("{type: Container, maxLimitRequestRatio: {cpu: 500m}}"),
			"is less than 1",
			limits("{type: Container, maxLimitRequestRatio: {cpu: 2}}"),
		},
		"a LimitRange's name in words": {
			named(limits("{type: Pod, max: {cpu: 2}}"), "A_b"),
			"metadata.name: Invalid value",
			named(limits("{type: Pod, max: {cpu: 2}}"), "a.b"),
		},

		"a registry's login that is no JSON": {
			secretOf("kubernetes.io/dockerconfigjson", "stringData: {.dockerconfigjson: 'a'}"),
			"must be a JSON object",
			secretOf("kubernetes.io/dockerconfigjson", "stringData: {.dockerconfigjson: '{\"auths\": {}}'}"),
		},
		"a registry's login under no key": {
			secretOf("kubernetes.io/dockerconfigjson", "stringData: {config: '{}'}"),
			"data[.dockerconfigjson]: Required value",
			secretOf("kubernetes.io/dockerconfigjson", "data: {.dockerconfigjson: e30=}"),
		},
		"a registry's old login": {
			secretOf("kubernetes.io/dockercfg", "data: {.dockercfg: YQ==}"),
			"must be a JSON object",
			secretOf("kubernetes.io/dockercfg", "data: {.dockercfg: e30=}"),
		},
		"a registry's login that is replaced": {
			secretOf("kubernetes.io/dockerconfigjson", "data: {.dockerconfigjson: e30=}\nstringData: {.dockerconfigjson: a}"),
			"must be a JSON object",
			secretOf("Opaque", "stringData: {.dockerconfigjson: a}"),
		},
		"a login without either": {
			secretOf("kubernetes.io/basic-auth", "stringData: {user: a}"),
			"data[username]: Required value",
			secretOf("kubernetes.io/basic-auth", "stringData: {password: a}"),
		},
		"a login without a key": {
			secretOf("kubernetes.io/ssh-auth", "stringData: {ssh-privatekey: ''}"),
			"data[ssh-privatekey]: Required value",
			secretOf("kubernetes.io/ssh-auth", "stringData: {ssh-privatekey: a}"),
		},
		"a token of no account": {secretOf("kubernetes.io/service-account-token", ""),
			"annotations[kubernetes.io/service-account.name]: Required value",
			strings.Replace(secretOf("kubernetes.io/service-account-token", ""), "{name: a}",
				"{name: a, annotations: {kubernetes.io/service-account.name: b}}", 1)},

		"all and a resource": {resources("'*/*', pods"), "if '*/*' is present", resources("'*/*'")},
		"a resource's parts twice": {
			resources("'pods/*', pods/status"),
			"if 'pods/*' is present, must not specify pods/status",
			resources("pods, 'pods/*', jobs/status"),
		},
		"all parts of one name": {
			resources("'*/scale', deployments/scale"),
			"if '*/scale' is present",
			resources("deployments/scale, '*/scale'"),
		},
		"all without parts": {
			resources("'*', pods"),
			"must not specify other resources without subresources",
			resources("pods, '*'"),
		},
		"a resource by no name": {resources("''"), "resources[0]: Required value", resources("'*', pods/log")},
		"a version by no name": {
			strings.Replace(resources("pods"), "[v1], resources", "[''], resources", 1),
			"apiVersions[0]: Required value",
			resources("pods"),
		},

		"no roles to take rules from": {aggregated(""), "at least one clusterRoleSelector", aggregated("{}")},
		"roles by no label": {
			aggregated("{matchLabels: {a/b/c: d}}"),
			"clusterRoleSelectors[0].matchLabels: Invalid value",
			aggregated("{matchLabels: {a/b: d}}"),
		},
		"an account in words": {subject("A b"), "subjects[0].name: Invalid value", subject("a.b")},

		"a handler in words": {
			runtimeClass("handler: A.b"),
			"handler: Invalid value",
			runtimeClass("handler: a-b"),
		},
		"a runtime's name in words": {
			named(runtimeClass("handler: a"), "A_b"),
			"metadata.name: Invalid value",
			named(runtimeClass("handler: a"), "a.b"),
		},
		"a runtime's nodes": {
			runtimeClass("handler: a\nscheduling: {nodeSelector: {a: b c}}"),
			"scheduling.nodeSelector",
			runtimeClass("handler: a\nscheduling: {nodeSelector: {a: b}}"),
		},
		"a runtime's overhead": {
			runtimeClass("handler: a\noverhead: {podFixed: {cpus: 1}}"),
			"overhead.podFixed",
			runtimeClass("handler: a\noverhead: {podFixed: {cpu: 1}}"),
		},
		"a controller without a slash": {
			class("controller: nginx"),
			"spec.controller: Invalid value",
			class("controller: example.com/nginx"),
		},
		"no controller": {class(""), "spec.controller: Required value", class("controller: example.com/a/b")},
		"parameters of no namespace": {
			class("controller: a.b/c, parameters: {kind: A, name: a, scope: Namespace}"),
			"parameters.namespace: Required value",
			class("controller: a.b/c, parameters: {kind: A, name: a, scope: Namespace, namespace: b}"),
		},
		"an ingress class's name": {
			named(class("controller: a.b/c"), "A_b"),
			"metadata.name: Invalid value",
			named(class("controller: a.b/c"), "a.b"),
		},

		"an API by another name": {
			api("v1", priorities),
			"must be `spec.version+\".\"+spec.group`: \"v1.a.example.com\"",
			api("v1.a.example.com", priorities),
		},
		"an API without priorities": {
			api("v1.a.example.com", "versionPriority: 1"),
			"groupPriorityMinimum: Invalid value: 0",
			api("v1.a.example.com", "groupPriorityMinimum: 20000, versionPriority: 1000"),
		},
		"an API of too high a priority": {
			api("v1.a.example.com", "groupPriorityMinimum: 1, versionPriority: 1001"),
			"versionPriority: Invalid value: 1001",
			api("v1.a.example.com", priorities+service+"insecureSkipTLSVerify: true"),
		},
		"an API of two minds": {
			api("v1.a.example.com", priorities+service+"caBundle: YQ==, insecureSkipTLSVerify: true"),
			"may not be true if caBundle is present",
			api("v1.a.example.com", priorities+service+"caBundle: YQ=="),
		},
		"an API of no service": {
			api("v1.a.example.com", priorities+", caBundle: YQ=="),
			"local APIServices may not have a caBundle",
			api("v1.a.example.com", priorities),
		},
		"an API of half a service": {
			api("v1.a.example.com", priorities+", service: {name: a}"),
			"service.namespace: Required value",
			api("v1.a.example.com", priorities+service),
		},
		"an API's unknown field": {
			api("v1.a.example.com", priorities+", caBundel: YQ=="),
			"unknown field \"spec.caBundel\"",
			api("v1.a.example.com", priorities),
		},
		"an API's removed version": {
			strings.Replace(api("v1.a.example.com", priorities), "k8s.io/v1", "k8s.io/v1beta1", 1),
			"Kubernetes has no kind APIService",
			api("v1.a.example.com", priorities),
		},
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, c.wrong, c.want)
			accepted(t, c.right)
		})
	}
}
