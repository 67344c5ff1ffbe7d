package gate

import "testing"

// TestRefusedPods has pods and what makes them, which every API server refuses, each beside one that every server
// takes.
func TestRefusedPods(t *testing.T) {
	pod := func(fields string) string {
		return ofKind("v1", "Pod", "spec: {containers: [{name: a, image: b}], "+fields+"}")
	}
	volume := func(fields string) string { return pod("volumes: [{name: v, " + fields + "}]") }
	initial := func(fields string) string { return pod("initContainers: [{name: i, image: b, " + fields + "}]") }
	first := func(fields string) string {
		return ofKind("v1", "Pod", "spec: {containers: [{name: a, image: b, "+fields+"}], "+
			"volumes: [{name: v, emptyDir: {}}]}")
	}
	spread := func(when string) string {
		return pod("topologySpreadConstraints: [{maxSkew: 1, topologyKey: a, whenUnsatisfiable: DoNotSchedule}, " +
			"{maxSkew: 2, topologyKey: a, whenUnsatisfiable: " + when + "}]")
	}
	nodeFields := func(rule string) string {
		return pod("affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: " +
			"[{matchFields: [{" + rule + "}]}]}}}")
	}
	runsOn := func(fields, podFields string) string {
		return ofKind("apps/v1", "StatefulSet", "spec: {serviceName: a, selector: {matchLabels: {a: b}}, "+fields+
			"template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: b}]"+podFields+"}}}")
	}
	batch := func(fields string) string {
		return ofKind("batch/v1", "Job", "spec: {"+fields+"template: {spec: {restartPolicy: Never, containers: "+
			"[{name: a, image: b}]}}}")
	}

	for name, c := range map[string]struct{ wrong, want, right string }{
		"a probe of an init container": {initial("readinessProbe: {tcpSocket: {port: 1}}"), "readinessProbe: Forbidden",
			initial("restartPolicy: Always, readinessProbe: {tcpSocket: {port: 1}}")},
		"a hook of an init container": {initial("lifecycle: {preStop: {exec: {command: [a]}}}"), "lifecycle: Forbidden",
			initial("restartPolicy: Always, lifecycle: {preStop: {exec: {command: [a]}}}")},
		"a mount in both directions": {
			first("volumeMounts: [{name: v, mountPath: /a, mountPropagation: Bidirectional}]"),
			"only to privileged containers",
			first("securityContext: {privileged: true}, volumeMounts: [{name: v, mountPath: /a, mountPropagation: " +
				"Bidirectional}]")},
		"a device of no volume": {first("volumeDevices: [{name: w, devicePath: /a}]"), "volumeDevices[0].name: Not found",
			first("volumeMounts: [{name: v, mountPath: /a, mountPropagation: HostToContainer}]")},
		"huge pages alone": {first("resources: {limits: {hugepages-2Mi: 4Mi}}"), "HugePages require cpu or memory",
			first("resources: {limits: {hugepages-2Mi: 4Mi, memory: 1Gi}}")},
		"a volume of less than nothing": {volume("emptyDir: {sizeLimit: -1Gi}"), "emptyDir.sizeLimit: Forbidden",
			volume("emptyDir: {sizeLimit: 1Gi}")},
		"a claim without modes": {volume("ephemeral: {volumeClaimTemplate: {spec: {resources: {requests: {storage: 1Gi}}}}}"),
			"accessModes: Required value", volume("ephemeral: {volumeClaimTemplate: {spec: {accessModes: [ReadWriteOnce], " +
				"resources: {requests: {storage: 1Gi}}}}}")},
		"one constraint twice": {spread("DoNotSchedule"), "Duplicate value", spread("ScheduleAnyway")},
		"a node's other field": {nodeFields("key: spec.a, operator: In, values: [b]"), "not a valid field selector key",
			nodeFields("key: metadata.name, operator: In, values: [b]")},
		"a node's two names": {nodeFields("key: metadata.name, operator: In, values: [a, b]"), "only one value",
			nodeFields("key: metadata.name, operator: NotIn, values: [b]")},
		"an update by hand that rolls": {runsOn("updateStrategy: {type: OnDelete, rollingUpdate: {partition: 1}}, ", ""),
			"only allowed for updateStrategy 'RollingUpdate'", runsOn("updateStrategy: {rollingUpdate: {partition: 1}}, ", "")},
		"a deadline of a pod that runs on": {runsOn("", ", activeDeadlineSeconds: 5"), "activeDeadlineSeconds: Forbidden",
			pod("activeDeadlineSeconds: 5")},
		"a container for debugging": {runsOn("", ", ephemeralContainers: [{name: d, image: b}]"),
			"not allowed in pod templates", runsOn("updateStrategy: {type: OnDelete}, ", "")},
		"indexes without a number": {batch("completionMode: Indexed, "), "when completion mode is Indexed",
			batch("completionMode: Indexed, completions: 2, ")},
		"a health check of no balancer": {serviceWith("{type: LoadBalancer, healthCheckNodePort: 32000, ports: [{port: 1}]}"),
			"healthCheckNodePort: Invalid value", serviceWith("{type: LoadBalancer, externalTrafficPolicy: Local, " +
				"healthCheckNodePort: 32000, ports: [{port: 1}]}")},
		"a protocol that is no name": {serviceWith("{ports: [{port: 1, appProtocol: 'a b'}]}"), "appProtocol: Invalid value",
			serviceWith("{ports: [{port: 1, appProtocol: kubernetes.io/h2c}]}")},
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, c.wrong, c.want)
			accepted(t, c.right)
		})
	}
}
