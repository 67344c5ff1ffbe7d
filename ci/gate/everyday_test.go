package gate

import (
	"strings"
	"testing"
)

// ofKind is an object of a kind with these further fields.
func ofKind(api, kind, fields string) string {
	return "apiVersion: " + api + "\nkind: " + kind + "\nmetadata: {name: a}\n" + fields + "\n"
}

// TestEverydayMistakes has objects that every API server refuses, each beside one that every server takes.
func TestEverydayMistakes(t *testing.T) {
	const labelled = "selector: {matchLabels: {app: a}}, template: {metadata: {labels: {app: a}}, spec: {containers: " +
		"[{name: a, image: b}]}}"
	const run = "template: {metadata: {labels: {app: a}}, spec: {restartPolicy: Never, containers: [{name: a, image: b}]}}"
	rolling := func(fields string) string {
		return deployment("{" + labelled + ", strategy: {rollingUpdate: {" + fields + "}}}")
	}
	daemon := func(fields string) string {
		return ofKind("apps/v1", "DaemonSet", "spec: {"+labelled+", updateStrategy: {rollingUpdate: {"+fields+"}}}")
	}
	cron := func(fields string) string {
		return ofKind("batch/v1", "CronJob", "spec: {jobTemplate: {spec: {"+run+"}}, "+fields+"}")
	}
	schedule := func(text string) string { return cron("schedule: '" + text + "'") }
	zone := func(text string) string { return cron("schedule: '0 0 * * *', timeZone: '" + text + "'") }
	job := func(fields string) string { return ofKind("batch/v1", "Job", "spec: {"+run+", "+fields+"}") }
	budget := func(fields string) string {
		return ofKind("policy/v1", "PodDisruptionBudget", "spec: {selector: {matchLabels: {app: a}}, "+fields+"}")
	}
	scaler := func(fields string) string {
		return ofKind("autoscaling/v2", "HorizontalPodAutoscaler",
			"spec: {maxReplicas: 3, scaleTargetRef: {kind: Deployment, name: a}, "+fields+"}")
	}
	cpu := func(target string) string {
		return scaler("metrics: [{type: Resource, resource: {name: cpu, target: {" + target + "}}}]")
	}
	ports := func(port string) string {
		return ofKind("networking.k8s.io/v1", "NetworkPolicy", "spec: {podSelector: {}, ingress: [{ports: [{"+port+"}]}]}")
	}
	peer := func(peer string) string {
		return ofKind("networking.k8s.io/v1", "NetworkPolicy", "spec: {podSelector: {}, egress: [{to: [{"+peer+"}]}]}")
	}
	service := func(fields string) string { return serviceWith("{ports: [{port: 80}], " + fields + "}") }
	priority := func(name, value string) string {
		return strings.Replace(ofKind("scheduling.k8s.io/v1", "PriorityClass", "value: "+value), "name: a", "name: "+name, 1)
	}
	storage := func(provisioner string) string {
		return ofKind("storage.k8s.io/v1", "StorageClass", "provisioner: '"+provisioner+"'")
	}
	lease := func(fields string) string {
		return ofKind("coordination.k8s.io/v1", "Lease", "spec: {"+fields+"}")
	}
	quota := func(key string) string { return ofKind("v1", "ResourceQuota", "spec: {hard: {"+key+"}}") }

	for name, c := range map[string]struct{ wrong, want, right string }{
		"a Deployment that cannot roll": {rolling("maxUnavailable: 0, maxSurge: 0"),
			"may not be 0 when `maxSurge` is 0",
			rolling("maxUnavailable: 0")},
		"a Deployment that cannot roll, in percent": {rolling("maxUnavailable: 0%, maxSurge: 0%"),
			"may not be 0 when `maxSurge` is 0", rolling("maxUnavailable: 0%, maxSurge: 150%")},
		"a surge in words": {rolling("maxSurge: half"), "maxSurge: Invalid value", rolling("maxSurge: 50%")},
		"more unavailable than all": {rolling("maxUnavailable: 101%"), "must not be greater than 100%",
			rolling("maxUnavailable: 100%")},
		"a deadline before readiness": {deployment("{" + labelled + ", minReadySeconds: 600}"),
			"must be greater than minReadySeconds", deployment("{" + labelled + ", minReadySeconds: 599}")},
		"a DaemonSet that cannot roll": {daemon("maxUnavailable: 0"), "cannot be 0 when maxSurge is 0",
			daemon("maxUnavailable: 0, maxSurge: 1")},
		"a DaemonSet with both": {daemon("maxSurge: 1"), "may not be set when maxUnavailable is non-zero",
			daemon("maxUnavailable: 20%")},
		"a StatefulSet's partition": {ofKind("apps/v1", "StatefulSet", "spec: {serviceName: a, "+labelled+
			", updateStrategy: {rollingUpdate: {partition: -1}}}"), "partition: Invalid value: -1", ofKind("apps/v1",
			"StatefulSet", "spec: {serviceName: a, "+labelled+", updateStrategy: {rollingUpdate: {partition: 1}}}")},

		"a minute of 60": {schedule("60 * * * *"), `minute "60": it is outside 0-59`, schedule("59 * * * *")},
		"an hour of 24":  {schedule("0 24 * * *"), `hour "24"`, schedule("0 0-23/2 * * *")},
		"a day of 0":     {schedule("0 0 0 * *"), `day of month "0"`, schedule("0 0 ? * *")},
		"a month of 13":  {schedule("0 0 1 13 *"), `month "13"`, schedule("0 0 1 Jan,dec *")},
		"a Sunday of 7":  {schedule("0 0 * * 7"), `day of week "7"`, schedule("0 0 * * SUN-tue,6")},
		"a range the wrong way": {schedule("0 5-2 * * *"), "its beginning is beyond its end",
			schedule("0 2-5 * * *")},
		"a step of 0":              {schedule("*/0 * * * *"), "the step is no positive number", schedule("5/15 * * * *")},
		"a day in words":           {schedule("0 0 * * Monday"), "it is no number", schedule("0 0 * * Mon")},
		"an unknown descriptor":    {schedule("@dayly"), "unrecognized descriptor", schedule("@daily")},
		"an interval without unit": {schedule("@every 10"), "failed to parse duration", schedule("@every 10m")},
		"six fields":               {schedule("0 0 0 * * *"), "expected exactly 5 fields, found 6", schedule(" 0  0 * * * ")},
		"an unknown time zone":     {zone("Europe/Berln"), "unknown time zone", zone("Europe/Berlin")},
		"the local time zone":      {zone("Local"), "must be an explicit time zone", zone("Etc/GMT+1")},
		"an empty time zone":       {zone(""), "must be nil or non-empty", zone("UTC")},
		"a deadline before the now": {cron("schedule: '@daily', startingDeadlineSeconds: -1"),
			"startingDeadlineSeconds", cron("schedule: '@daily', startingDeadlineSeconds: 0")},
		"a Job's selector": {job("selector: {matchLabels: {app: a}}"), "`selector` not auto-generated",
			job("manualSelector: true, selector: {matchLabels: {app: a}}")},
		"a manual selector of others": {job("manualSelector: true, selector: {matchLabels: {app: b}}"),
			"does not match template `labels`", job("manualSelector: false")},
		"a CronJob's selector": {strings.Replace(schedule("@daily"), "spec: {template", "spec: {selector: {matchLabels: "+
			"{app: a}}, template", 1), "`selector` will be auto-generated", schedule("@daily")},

		"a budget in words": {budget("minAvailable: half"), "minAvailable: Invalid value",
			budget("minAvailable: 50%")},
		"a budget in quotes": {budget("maxUnavailable: '1'"), "maxUnavailable: Invalid value",
			budget("maxUnavailable: 1")},
		"a negative budget": {budget("minAvailable: -1"), "minAvailable: Invalid value: -1",
			budget("minAvailable: 0")},
		"a budget of more than all": {budget("minAvailable: 110%"), "must not be greater than 100%",
			budget("minAvailable: 100%")},
		"a budget of both": {budget("minAvailable: 1, maxUnavailable: 1"), "cannot be both set",
			budget("maxUnavailable: 0%")},
		"fewer replicas than none": {scaler("minReplicas: -1"), "minReplicas: Invalid value: -1",
			scaler("minReplicas: 1")},
		"a metric without its member": {scaler("metrics: [{type: Pods}]"), "metrics[0].pods: Required value",
			scaler("metrics: []")},
		"a metric with another member": {scaler("metrics: [{type: Pods, resource: {name: cpu, target: {type: Utilization, " +
			"averageUtilization: 80}}}]"), "metrics[0].resource: Forbidden", scaler("metrics: [{type: Pods, pods: {metric: " +
			"{name: a}, target: {type: AverageValue, averageValue: 1k}}}]")},
		"a utilization without value": {cpu("type: Utilization"), "target.averageUtilization: Required value",
			cpu("type: Utilization, averageUtilization: 80")},
		"a utilization of 0": {cpu("type: Utilization, averageUtilization: 0"), "must be greater than 0",
			cpu("type: AverageValue, averageValue: 500m")},
		"an external metric without target": {scaler("metrics: [{type: External, external: {metric: {name: a}, target: " +
			"{type: Value}}}]"), "external.target.value: Required value", scaler("metrics: [{type: External, external: " +
			"{metric: {name: a}, target: {type: Value, value: 30}}}]")},
		"a scaler of version 1": {ofKind("autoscaling/v1", "HorizontalPodAutoscaler",
			"spec: {maxReplicas: 0, scaleTargetRef: "+
				"{kind: Deployment, name: a}}"), "maxReplicas: Invalid value: 0", ofKind("autoscaling/v1",
			"HorizontalPodAutoscaler", "spec: {maxReplicas: 1, scaleTargetRef: {kind: Deployment, name: a}, "+
				"targetCPUUtilizationPercentage: 80}")},

		"ports the wrong way": {ports("port: 90, endPort: 80"), "must be greater than or equal to `port`",
			ports("port: 80, endPort: 90")},
		"a port's end alone": {ports("endPort: 80"), "when `port` is not specified", ports("protocol: UDP")},
		"a named port's end": {ports("port: http, endPort: 80"), "when `port` is non-numeric", ports("port: http")},
		"an address that is no block": {peer("ipBlock: {cidr: 10.0.0.1}"), "must be a valid CIDR",
			peer("ipBlock: {cidr: 10.0.0.1/32}")},
		"a block of 33 bits": {peer("ipBlock: {cidr: 10.0.0.0/33}"), "must be a valid CIDR",
			peer("ipBlock: {cidr: 'fd00::/8'}")},
		"a block and a selector": {peer("ipBlock: {cidr: 0.0.0.0/0}, podSelector: {}"), "may not specify both",
			peer("namespaceSelector: {}, podSelector: {}")},
		"an exception outside": {peer("ipBlock: {cidr: 10.0.0.0/8, except: [192.168.0.0/16]}"),
			"must be a strict subset", peer("ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}")},
		"an exception of the whole": {peer("ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/8]}"),
			"must be a strict subset", peer("ipBlock: {cidr: 0.0.0.0/0, except: [169.254.169.254/32]}")},
		"a Service's address": {service("clusterIP: none"), "clusterIP: Invalid value", service("clusterIP: None")},
		"a node port inside": {serviceWith("{ports: [{port: 80, nodePort: 30080}]}"),
			"may not be used when `type` is 'ClusterIP'", serviceWith("{type: NodePort, ports: [{port: 80, nodePort: 30080}]}")},
		"a policy for traffic inside": {service("externalTrafficPolicy: Local"),
			"may only be set for externally-accessible", service("type: LoadBalancer, externalTrafficPolicy: Local")},
		"a headless node port": {service("type: NodePort, clusterIP: None"), "may not be set to 'None'",
			service("externalTrafficPolicy: Cluster, externalIPs: [192.0.2.1]")},
		"a name with an address": {serviceWith("{type: ExternalName, externalName: a.example.com, clusterIP: 10.0.0.1}"),
			"may not be set for ExternalName", service("clusterIP: 'fd00::1'")},
		"a reserved name": {priority("system-mine", "1"), "prefix are reserved", priority("my-system-class", "-5")},
		"a priority of the system": {priority("a", "1000000001"), "maximum allowed value",
			priority("a", "1000000000")},
		"no provisioner": {storage(""), "provisioner: Required value", storage("ebs.csi.aws.com")},
		"a provisioner in words": {storage("my driver"), "provisioner: Invalid value",
			storage("kubernetes.io/no-provisioner")},
		"a lease of no time": {lease("leaseDurationSeconds: 0"), "must be greater than 0",
			lease("leaseDurationSeconds: 15")},
		"a lease that went back": {lease("leaseTransitions: -1"), "leaseTransitions: Invalid value: -1",
			lease("leaseTransitions: 0")},
		"a quota of words": {quota("'requests cpu': 1"), "spec.hard[requests cpu]: Invalid value",
			quota("requests.cpu: 1")},
		"a quota of an unknown": {quota("deployments: 1"), "must be a standard resource for quota",
			quota("count/deployments.apps: 1")},
		"a quota below 0": {quota("pods: -1"), "must be greater than or equal to 0",
			quota("requests.hugepages-2Mi: 1Gi")},
		"a quota of a GPU with spaces": {quota("'requests.nvidia.com/gpu count': 1"), "Invalid value",
			quota("requests.nvidia.com/gpu: 1")},
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, c.wrong, c.want)
			accepted(t, c.right)
		})
	}
}
