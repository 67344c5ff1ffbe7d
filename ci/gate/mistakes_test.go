package gate

import (
	"strings"
	"testing"
)

// TestMoreEverydayMistakes has objects that every API server refuses, each beside one that every server takes.
func TestMoreEverydayMistakes(t *testing.T) {
	scaler := func(fields string) string {
		return ofKind("autoscaling/v2", "HorizontalPodAutoscaler",
			"spec: {maxReplicas: 3, scaleTargetRef: {kind: Deployment, name: a}, "+fields+"}")
	}
	behavior := func(fields string) string { return scaler("behavior: {scaleDown: {" + fields + "}}") }
	external := func(min, target string) string {
		return scaler("minReplicas: " + min + ", metrics: [{type: External, external: {metric: {name: a}, target: {type: " +
			"Value, " + target + "}}}]")
	}
	object := func(described string) string {
		return scaler("metrics: [{type: Object, object: {metric: {name: a}, describedObject: {" + described + "}, target: " +
			"{type: Value, value: 1}}}]")
	}
	ingress := func(fields string) string {
		return ofKind("networking.k8s.io/v1", "Ingress", "spec: {defaultBackend: {service: {name: a, port: {number: 80}}}, "+
			fields+"}")
	}
	path := func(kind, path string) string {
		return ingress("rules: [{http: {paths: [{pathType: " + kind + ", path: '" + path + "', backend: {service: {name: a, " +
			"port: {name: http}}}}]}}]")
	}
	backend := func(name, port string) string {
		return ofKind("networking.k8s.io/v1", "Ingress", "spec: {defaultBackend: {service: {name: '"+name+"', port: {"+port+
			"}}}}")
	}
	classes := func(annotation, name string) string {
		return strings.Replace(ingress("ingressClassName: "+name), "{name: a}",
			"{name: a, annotations: {kubernetes.io/ingress.class: "+annotation+"}}", 1)
	}
	service := func(fields string) string { return serviceWith("{ports: [{port: 80}], " + fields + "}") }
	claim := func(fields string) string {
		return ofKind("v1", "PersistentVolumeClaim", "spec: {resources: {requests: {storage: 1Gi}}, "+fields+"}")
	}
	from := func(fields string) string { return podWith("env: [{name: A, valueFrom: {" + fields + "}}]") }
	mount := func(fields string) string {
		return ofKind("v1", "Pod", "spec: {volumes: [{name: v, emptyDir: {}}], containers: [{name: a, image: b, volumeMounts: "+
			"[{name: v, mountPath: /v, "+fields+"}]}]}")
	}
	nodePorts := func(one, other string) string {
		return serviceWith("{type: NodePort, ports: [{name: a, port: 80, nodePort: " + one + "}, {name: b, port: 81, nodePort: " +
			other + "}]}")
	}
	onNode := func(network, one, other string) string {
		return ofKind("v1", "Pod", "spec: {hostNetwork: "+network+", containers: [{name: a, image: b, ports: [{"+one+
			"}]}, {name: c, image: b, ports: [{"+other+"}]}]}")
	}

	for name, c := range map[string]struct{ wrong, want, right string }{
		"a window of two hours": {behavior("stabilizationWindowSeconds: 7200"), "stabilizationWindowSeconds: Invalid value: 7200",
			behavior("stabilizationWindowSeconds: 3600")},
		"a policy of no pods": {behavior("policies: [{type: Pods, value: 0, periodSeconds: 60}]"), "must be greater than zero",
			behavior("policies: [{type: Pods, value: 1, periodSeconds: 60}]")},
		"a policy without a period": {behavior("policies: [{type: Percent, value: 10}]"), "periodSeconds: Invalid value: 0",
			behavior("policies: [{type: Percent, value: 10, periodSeconds: 1800}], selectPolicy: Disabled")},
		"no replicas by processor": {scaler("minReplicas: 0"), "to support scaling to zero", external("0", "value: 1")},
		"two targets from outside": {external("1", "value: 1, averageValue: 1"), "may not set both a target value",
			external("1", "averageValue: 1")},
		"an object without name": {object("kind: Ingress"), "describedObject.name: Required value",
			object("kind: Ingress, name: a")},
		"a target with a path": {strings.Replace(scaler(""), "name: a}, ", "name: a/b}, ", 1), "scaleTargetRef.name: Invalid value",
			scaler("")},
		"a metric with a path": {strings.Replace(external("1", "value: 1"), "metric: {name: a}", "metric: {name: a/b}", 1),
			"metric.name: Invalid value", external("1", "value: 1")},

		"a path that is not absolute": {path("Prefix", "a"), "must be an absolute path", path("Prefix", "/a")},
		"a free path that is not absolute": {path("ImplementationSpecific", "a"), "must be an absolute path",
			path("ImplementationSpecific", "")},
		"a path with two slashes":    {path("Prefix", "/a//b"), "must not contain '//'", path("ImplementationSpecific", "/a//b")},
		"a path with an end of dots": {path("Exact", "/a/.."), "cannot end with '/..'", path("Exact", "/a..")},
		"a host by address": {ingress("rules: [{host: 192.0.2.1}]"), "must be a DNS name, not an IP address",
			ingress("rules: [{host: a.example.com}]")},
		"a host with a scheme": {ingress("tls: [{hosts: ['https://a.example.com']}]"), "tls[0].hosts[0]: Invalid value",
			ingress("tls: [{hosts: ['*.example.com'], secretName: a}]")},
		"a secret in words": {ingress("tls: [{secretName: My Secret}]"), "tls[0].secretName: Invalid value",
			ingress("tls: [{}]")},
		"a class in words":          {ingress("ingressClassName: My Class"), "ingressClassName: Invalid value", ingress("ingressClassName: my.class")},
		"two classes":               {classes("a", "b"), "must match `ingressClassName`", classes("a", "a")},
		"a backend with underlines": {backend("a_b", "number: 80"), "service.name: Invalid value", backend("a-b", "number: 80")},
		"a backend's long port": {backend("a", "name: health-and-metrics"), "port.name: Invalid value",
			backend("a", "name: metrics")},
		"a backend's high port": {backend("a", "number: 70000"), "port.number: Invalid value: 70000",
			backend("a", "number: 65535")},

		"ranges of a ClusterIP": {service("loadBalancerSourceRanges: [10.0.0.0/8]"), "may only be used when `type`",
			service("type: LoadBalancer, loadBalancerSourceRanges: [10.0.0.0/8]")},
		"a range that is an address": {service("type: LoadBalancer, loadBalancerSourceRanges: [10.0.0.1]"),
			"must be a valid CIDR", service("type: LoadBalancer, loadBalancerClass: a.example.com/b")},
		"a class of a NodePort": {service("type: NodePort, loadBalancerClass: a.example.com/b"), "may only be used when `type`",
			service("type: NodePort")},
		"an outer address by name": {service("externalIPs: [a.example.com]"), "must be a valid IP address",
			service("externalIPs: [192.0.2.1]")},
		"a timeout without affinity": {service("sessionAffinityConfig: {clientIP: {timeoutSeconds: 10}}"),
			"must not be set when session affinity is None",
			service("sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: 10}}")},
		"a timeout of a week": {service("sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: 604800}}"),
			"timeoutSeconds: Invalid value: 604800", service("sessionAffinity: ClientIP")},
		"one node port twice": {nodePorts("30080", "30080"), "nodePort: Duplicate value", nodePorts("30080", "30081")},
		"three types of policies": {ofKind("networking.k8s.io/v1", "NetworkPolicy",
			"spec: {podSelector: {}, policyTypes: [Ingress, Egress, Ingress]}"), "more than two policyTypes",
			ofKind("networking.k8s.io/v1", "NetworkPolicy", "spec: {podSelector: {}, policyTypes: [Ingress, Egress]}")},
		"one pod and many": {claim("accessModes: [ReadWriteOncePod, ReadOnlyMany]"), "may not use ReadWriteOncePod",
			claim("accessModes: [ReadWriteOncePod]")},
		"a storage class in words": {claim("accessModes: [ReadWriteOnce], storageClassName: My Disk"),
			"storageClassName: Invalid value", claim("accessModes: [ReadWriteOnce, ReadOnlyMany], storageClassName: ''")},

		"a variable from nowhere":  {from(""), "must specify one of", from("configMapKeyRef: {name: a, key: b}")},
		"a variable from two":      {from("fieldRef: {fieldPath: metadata.name}, secretKeyRef: {name: a, key: b}"), "more than one field", from("secretKeyRef: {name: a, key: b}")},
		"a variable without a key": {from("secretKeyRef: {name: a}"), "secretKeyRef.key: Required value", from("secretKeyRef: {key: tls.key}")},
		"a variable of no field": {from("fieldRef: {fieldPath: metadata.labels}"), "fieldPath: Unsupported value",
			from("fieldRef: {fieldPath: \"metadata.labels['app']\"}")},
		"variables from nowhere": {podWith("envFrom: [{prefix: A_}]"), "must specify one of: `configMapRef` or `secretRef`",
			podWith("envFrom: [{prefix: A_, configMapRef: {name: a}}]")},
		"variables from no name": {podWith("envFrom: [{secretRef: {}}]"), "secretRef.name: Required value",
			podWith("envFrom: [{secretRef: {name: a}}]")},
		"processors in plural": {podWith("resources: {limits: {cpus: 1}}"), "must be a standard resource for containers",
			podWith("resources: {limits: {cpu: 1}}")},
		"less than no memory": {podWith("resources: {requests: {memory: -1Gi}}"), "must be greater than or equal to 0",
			podWith("resources: {requests: {memory: 1Gi}}")},
		"a GPU that is requested only": {podWith("resources: {requests: {nvidia.com/gpu: 1}}"), "must be equal to nvidia.com/gpu limit",
			podWith("resources: {requests: {nvidia.com/gpu: 1}, limits: {nvidia.com/gpu: 1}}")},
		"half a GPU": {podWith("resources: {limits: {nvidia.com/gpu: 500m}}"), "must be an integer",
			podWith("resources: {limits: {nvidia.com/gpu: '2'}}")},
		"privileged without rights": {podWith("securityContext: {privileged: true, allowPrivilegeEscalation: false}"),
			"`privileged` to true", podWith("securityContext: {privileged: true}")},
		"a capability without rights": {podWith("securityContext: {allowPrivilegeEscalation: false, capabilities: {add: " +
			"[CAP_SYS_ADMIN]}}"), "CAP_SYS_ADMIN",
			podWith("securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}")},
		"a profile without its file": {podWith("securityContext: {seccompProfile: {type: Localhost}}"),
			"localhostProfile: Required value", podWith("securityContext: {seccompProfile: {type: RuntimeDefault}}")},
		"a profile without type": {ofKind("v1", "Pod", "spec: {securityContext: {seccompProfile: {}}, containers: [{name: a, "+
			"image: b}]}"), "type is required", ofKind("v1", "Pod",
			"spec: {securityContext: {seccompProfile: {type: Unconfined}}, containers: [{name: a, image: b}]}")},
		"a user below 0":   {podWith("securityContext: {runAsUser: -1}"), "runAsUser: Invalid value: -1", podWith("securityContext: {runAsUser: 65532}")},
		"an absolute part": {mount("subPath: /a"), "must be a relative path", mount("subPath: a/b")},
		"a part outside":   {mount("subPathExpr: ../$(A)"), "must not contain '..'", mount("subPathExpr: $(A)/..b")},
		"two parts":        {mount("subPath: a, subPathExpr: b"), "mutually exclusive", mount("")},
		"one port of a node": {onNode("false", "containerPort: 80, hostPort: 80", "containerPort: 81, hostPort: 80"), "hostPort: Duplicate value",
			onNode("false", "containerPort: 80, hostPort: 80", "containerPort: 80, hostPort: 80, protocol: UDP")},
		"another port in the node's network": {onNode("true", "containerPort: 80, hostPort: 8080", "containerPort: 81"),
			"must match `hostPort`", onNode("false", "containerPort: 80, hostPort: 8080", "containerPort: 80")},
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, c.wrong, c.want)
			accepted(t, c.right)
		})
	}
}

// TestAllowedTwice has what servers warn of at most.
func TestAllowedTwice(t *testing.T) {
	for name, text := range map[string]string{
		"a variable": podWith("env: [{name: A, value: a}, {name: A, value: b}]"),
		"a port":     podWith("ports: [{containerPort: 80}, {containerPort: 80}]"),
		"a backend":  ofKind("networking.k8s.io/v1", "Ingress", "spec: {rules: [{host: a.b}, {host: a.b}]}"),
		"no replicas by an older version": ofKind("autoscaling/v1", "HorizontalPodAutoscaler",
			"spec: {minReplicas: 0, maxReplicas: 1, scaleTargetRef: {kind: Deployment, name: a}}"),
		"a schedule's end that is not read": ofKind("batch/v1", "CronJob", "spec: {schedule: '*-5-6 * * * *', jobTemplate: "+
			"{spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: b}]}}}}}"),
	} {
		t.Run(name, func(t *testing.T) { accepted(t, text) })
	}
}
