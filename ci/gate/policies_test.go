package gate

import (
	"strings"
	"testing"

	"github.com/operator-release/operator-release/ci/render"
)

// admission is an object of admissionregistration.k8s.io of a kind and version, with these further fields.
func admission(kind, version, fields string) string {
	return "apiVersion: admissionregistration.k8s.io/" + version + "\nkind: " + kind + "\nmetadata: {name: a}\n" + fields + "\n"
}

const matchPods = "matchConstraints: {resourceRules: [{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods]}]}"

func validating(fields string) string {
	return admission("ValidatingAdmissionPolicy", "v1", "spec: {"+matchPods+", "+fields+"}")
}

func mutating(mutation string) string {
	return admission("MutatingAdmissionPolicy", "v1beta1", "spec: {"+matchPods+", reinvocationPolicy: Never, mutations: ["+mutation+"]}")
}

func webhookWith(fields string) string {
	return admission("ValidatingWebhookConfiguration", "v1", "webhooks: [{name: a.b.c, sideEffects: None, "+
		"admissionReviewVersions: [v1], "+fields+"}]")
}

const toService = "clientConfig: {service: {name: a, namespace: b}}"

func TestPoliciesRefused(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"a validation that does not parse": {validating("validations: [{expression: 'object.spec.replicas <'}]"),
			"spec.validations[0].expression: Invalid value"},
		"a validation of a variable that is not": {validating("validations: [{expression: 'objekt.spec.replicas < 3'}]"),
			"undeclared reference to 'objekt'"},
		"a validation that is no bool": {validating("validations: [{expression: '1 + 1'}]"), "must evaluate to bool"},
		"a validation with params and no paramKind": {validating("validations: [{expression: 'params.a == 1'}]"),
			"undeclared reference to 'params'"},
		"a variable that is not": {validating("variables: [{name: c, expression: object.spec.replicas}], validations: " +
			"[{expression: variables.m < 3}]"), "undefined field 'm'"},
		"a variable that does not parse": {validating("variables: [{name: c, expression: 'object.'}], validations: " +
			"[{expression: 'true'}]"), "spec.variables[0].expression"},
		"a variable of a later one": {validating("variables: [{name: a, expression: variables.b}, {name: b, expression: '1'}], " +
			"validations: [{expression: 'true'}]"), "undefined field 'b'"},
		"a variable's name": {validating("variables: [{name: a-b, expression: '1'}], validations: [{expression: 'true'}]"),
			"name is not a valid CEL identifier"},
		"a message that is no text": {validating("validations: [{expression: 'true', messageExpression: '1'}]"),
			"spec.validations[0].messageExpression"},
		"a message with an authorizer": {validating("validations: [{expression: 'true', messageExpression: " +
			"\"string(authorizer.path('/a').check('get').allowed())\"}]"), "undeclared reference to 'authorizer'"},
		"an unknown reason": {validating("validations: [{expression: 'true', reason: Wrong}]"),
			`spec.validations[0].reason: Unsupported value: "Wrong"`},
		"a condition of a policy": {validating("matchConditions: [{name: a, expression: 'request.usre == 1'}], validations: " +
			"[{expression: 'true'}]"), "undefined field 'usre'"},
		"an annotation of a policy": {validating("auditAnnotations: [{key: a, valueExpression: '1'}]"),
			"spec.auditAnnotations[0].valueExpression"},
		"a policy without validations": {validating("failurePolicy: Fail"), "spec.validations: Required value"},
		"a policy without constraints": {admission("ValidatingAdmissionPolicy", "v1", "spec: {validations: "+
			"[{expression: 'true'}]}"), "spec.matchConstraints: Required value"},
		"a policy of an old version": {strings.Replace(validating("validations: [{expression: 'objekt'}]"), "/v1\n", "/v1beta1\n", 1),
			"undeclared reference to 'objekt'"},
		"a policy that fails otherwise": {validating("failurePolicy: Warn, validations: [{expression: 'true'}]"),
			`spec.failurePolicy: Unsupported value: "Warn"`},
		"a patch that gives no object": {mutating("{patchType: ApplyConfiguration, applyConfiguration: {expression: '1'}}"),
			"spec.mutations[0].applyConfiguration.expression"},
		"a patch of no list": {mutating("{patchType: JSONPatch, jsonPatch: {expression: 'object'}}"),
			"spec.mutations[0].jsonPatch.expression"},
		"a patch of another type": {mutating("{patchType: JSONPatch, applyConfiguration: {expression: 'Object{}'}}"),
			"spec.mutations[0].jsonPatch: Required value"},
		"a binding without actions": {admission("ValidatingAdmissionPolicyBinding", "v1", "spec: {policyName: a}"),
			"spec.validationActions: Required value"},
		"a binding's unknown action": {admission("ValidatingAdmissionPolicyBinding", "v1",
			"spec: {policyName: a, validationActions: [Block]}"), `Unsupported value: "Block"`},
		"a binding of no policy": {admission("MutatingAdmissionPolicyBinding", "v1beta1", "spec: {}"),
			"spec.policyName: Required value"},

		"a condition of a webhook": {webhookWith(toService + ", matchConditions: [{name: a, expression: 'objekt == null'}]"),
			"webhooks[0].matchConditions[0].expression: Invalid value"},
		"a condition that is no bool": {webhookWith(toService + ", matchConditions: [{name: a, expression: request.name}]"),
			"must evaluate to bool"},
		"a condition with params": {webhookWith(toService + ", matchConditions: [{name: a, expression: 'params == null'}]"),
			"undeclared reference to 'params'"},
		"two conditions of one name": {webhookWith(toService + ", matchConditions: [{name: a, expression: 'true'}, " +
			"{name: a, expression: 'true'}]"), "matchConditions[1].name: Duplicate value"},
		"a webhook by HTTP": {webhookWith("clientConfig: {url: 'http://a.example.com/v'}"),
			"'https' is the only allowed URL scheme"},
		"a webhook with a question": {webhookWith("clientConfig: {url: 'https://a.example.com/v?a=b'}"),
			"query parameters are not permitted"},
		"a webhook's path": {webhookWith("clientConfig: {service: {name: a, namespace: b, path: v}}"),
			"must start with a '/'"},
		"a webhook's port": {webhookWith("clientConfig: {service: {name: a, namespace: b, port: 0}}"),
			"webhooks[0].clientConfig.service.port: Invalid value: 0"},
		"a webhook's failure policy": {webhookWith(toService + ", failurePolicy: ignore"),
			`webhooks[0].failurePolicy: Unsupported value: "ignore"`},
		"all operations and one": {webhookWith(toService + ", rules: [{apiGroups: [''], apiVersions: [v1], operations: " +
			"['*', CREATE], resources: [pods]}]"), "must not specify others"},

		"a probe of port 0": {podWith("livenessProbe: {httpGet: {port: 0}}"),
			"spec.containers[0].livenessProbe.httpGet.port: Invalid value: 0"},
		"a probe without a port": {podWith("readinessProbe: {tcpSocket: {}}"), "readinessProbe.tcpSocket.port: Invalid value: 0"},
		"a probe of a long port name": {podWith("startupProbe: {httpGet: {port: health-and-metrics}}"),
			"startupProbe.httpGet.port: Invalid value"},
		"a probe of a port that is not": {podWith("ports: [{name: http, containerPort: 80}], livenessProbe: {httpGet: {port: https}}"),
			`livenessProbe.httpGet.port: Not found: "https among the names of the container's ports"`},
		"a gRPC probe of no port": {podWith("livenessProbe: {grpc: {port: 70000}}"), "livenessProbe.grpc.port: Invalid value: 70000"},
		"a hook of a port that is not": {podWith("lifecycle: {preStop: {httpGet: {port: stop}}}"),
			"lifecycle.preStop.httpGet.port: Not found"},
		"a probe that succeeds twice": {podWith("livenessProbe: {exec: {command: [a]}, successThreshold: 2}"), "must be 1"},
		"a probe by a scheme in small letters": {podWith("livenessProbe: {httpGet: {port: 80, scheme: https}}"),
			`scheme: Unsupported value: "https"`},
		"an unknown operator": {strings.Replace(podWith("args: []"), "spec: {", "spec: {tolerations: [{key: a, operator: Exist}], ", 1),
			`spec.tolerations[0].operator: Unsupported value: "Exist": supported values: "Equal", "Exists"`},
		"a toleration with seconds": {strings.Replace(podWith("args: []"), "spec: {",
			"spec: {tolerations: [{key: a, operator: Exists, effect: NoSchedule, tolerationSeconds: 1}], ", 1), "must be 'NoExecute'"},
		"a toleration of no key": {strings.Replace(podWith("args: []"), "spec: {", "spec: {tolerations: [{value: a}], ", 1),
			"operator must be Exists when `key` is empty"},
		"a node affinity without values": {strings.Replace(podWith("args: []"), "spec: {", "spec: {affinity: {nodeAffinity: "+
			"{requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: a, operator: In}]}]}}}, ", 1),
			"must be specified when `operator` is 'In' or 'NotIn'"},
		"a pod affinity without topology": {strings.Replace(podWith("args: []"), "spec: {", "spec: {affinity: {podAntiAffinity: "+
			"{preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, podAffinityTerm: {}}]}}, ", 1), "topologyKey: Required value"},
		"a weight of 0": {strings.Replace(podWith("args: []"), "spec: {", "spec: {affinity: {podAffinity: "+
			"{preferredDuringSchedulingIgnoredDuringExecution: [{podAffinityTerm: {topologyKey: a}}]}}, ", 1), "must be in the range 1-100"},
		"a spread of no skew": {strings.Replace(podWith("args: []"), "spec: {",
			"spec: {topologySpreadConstraints: [{topologyKey: a, whenUnsatisfiable: DoNotSchedule}], ", 1), "maxSkew: Invalid value: 0"},
		"a volume of two types": {strings.Replace(podWith("args: []"), "spec: {",
			"spec: {volumes: [{name: a, emptyDir: {}, configMap: {name: b}}], ", 1), "may not specify more than 1 volume type"},
		"a volume of no Secret": {strings.Replace(podWith("args: []"), "spec: {",
			"spec: {volumes: [{name: a, secret: {name: b}}], ", 1), `unknown field "spec.volumes[0].secret.name"`},
		"an unknown seccomp profile": {podWith("securityContext: {seccompProfile: {type: Default}}"),
			`securityContext.seccompProfile.type: Unsupported value: "Default"`},
		"an unknown DNS policy": {strings.Replace(podWith("args: []"), "spec: {", "spec: {dnsPolicy: Cluster, ", 1),
			`spec.dnsPolicy: Unsupported value: "Cluster"`},
		"an unknown pull policy":       {podWith("imagePullPolicy: Allways"), `imagePullPolicy: Unsupported value: "Allways"`},
		"a Service's unknown protocol": {serviceWith("{ports: [{port: 80, protocol: HTTP}]}"), `protocol: Unsupported value: "HTTP"`},
		"a scaler's unknown metric": {"apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: a}\nspec: " +
			"{maxReplicas: 2, scaleTargetRef: {kind: Deployment, name: a}, metrics: [{type: CPU}]}\n", `Unsupported value: "CPU"`},
		"a claim's unknown mode": {"apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: a}\nspec: {accessModes: " +
			"[ReadWriteMulti], resources: {requests: {storage: 1Gi}}}\n", `Unsupported value: "ReadWriteMulti"`},
		"a class's unknown binding": {"apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: a}\nprovisioner: a\n" +
			"volumeBindingMode: Immediately\n", `volumeBindingMode: Unsupported value: "Immediately"`},
		"an unknown deletion policy": {hook("helm.sh/resource-policy: kep"), `Helm knows no policy "kep"`},
		"keep in capitals":           {hook("helm.sh/resource-policy: Keep"), "an upgrade deletes the object"},
		"a misspelt annotation":      {hook("helm.sh/hook: test, helm.sh/hook-deletion-policy: hook-succeeded"), "did you mean helm.sh/hook-delete-policy?"},
		"a misspelt policy":          {hook("helm.sh/resource-polcy: keep"), "did you mean helm.sh/resource-policy?"},
	} {
		t.Run(name, func(t *testing.T) { refused(t, c.text, c.want) })
	}
}

func TestPoliciesAccepted(t *testing.T) {
	for name, text := range map[string]string{
		"a policy with variables and params": validating("paramKind: {apiVersion: v1, kind: ConfigMap}, variables: [{name: c, " +
			"expression: 'object.spec.replicas'}, {name: m, expression: 'variables.c + 1'}], matchConditions: [{name: a.b/c, " +
			"expression: 'params != null'}], validations: [{expression: 'variables.m < int(params.data.most) && " +
			"authorizer.requestResource.check(\"create\").allowed()', messageExpression: '\"at most \" + string(params.data.most)', " +
			"reason: Forbidden}], auditAnnotations: [{key: k, valueExpression: 'string(object.metadata.name)'}]"),
		"a policy of an old version": strings.Replace(validating("validations: [{expression: 'namespaceObject.metadata.name != "+
			"\"a\"'}]"), "/v1\n", "/v1beta1\n", 1),
		"a patch": mutating("{patchType: ApplyConfiguration, applyConfiguration: {expression: 'Object{metadata: " +
			"Object.metadata{labels: {\"a\": \"b\"}}}'}}, {patchType: JSONPatch, jsonPatch: {expression: '[JSONPatch{op: \"add\", " +
			"path: \"/metadata/labels/\" + jsonpatch.escapeKey(\"a/b\"), value: \"c\"}]'}}"),
		"a binding": admission("ValidatingAdmissionPolicyBinding", "v1", "spec: {policyName: a, validationActions: [Deny, "+
			"Audit], paramRef: {name: a, parameterNotFoundAction: Deny}}"),
		"a webhook with conditions": webhookWith("clientConfig: {service: {name: a, namespace: b, path: /validate-v1-pod}}, " +
			"matchConditions: [{name: a, expression: '!(\"system:nodes\" in request.userInfo.groups)'}, {name: b, expression: " +
			"'authorizer.group(\"\").resource(\"pods\").check(\"get\").allowed()'}]"),
		"a webhook by HTTPS": webhookWith("clientConfig: {url: 'https://a.example.com:8443/v'}"),
		"probes": podWith("ports: [{name: http, containerPort: 80}], livenessProbe: {httpGet: {port: http, path: /}}, " +
			"readinessProbe: {tcpSocket: {port: 80}}, startupProbe: {grpc: {port: 80}}, lifecycle: {preStop: {sleep: {seconds: 1}}}"),
		"tolerations": strings.Replace(podWith("args: []"), "spec: {", "spec: {tolerations: [{operator: Exists}, {key: a, value: b, "+
			"effect: NoSchedule}, {key: a/b, operator: Exists, effect: NoExecute, tolerationSeconds: 0}], ", 1),
		"volumes": strings.Replace(podWith("args: []"), "spec: {", "spec: {volumes: [{name: a}, {name: b, projected: {sources: []}}, "+
			"{name: c, hostPath: {path: /a, type: ''}}, {name: d, image: {reference: e}}], ", 1),
		"an object that is kept": hook("helm.sh/resource-policy: keep, helm.sh/chart: a-1.0.0"),
	} {
		t.Run(name, func(t *testing.T) { accepted(t, text) })
	}
}

// TestLookedAt: the line of a check names the kinds at which it did not look any closer.
func TestLookedAt(t *testing.T) {
	docs := []render.Document{{File: "a.yaml", Text: crdOf("{type: object}")},
		{File: "b.yaml", Text: "apiVersion: example.org/v1\nkind: Thing\nmetadata: {name: a}\n"},
		{File: "c.yaml", Text: serviceWith("{ports: [{port: 80}]}")},
		{File: "d.yaml", Text: "apiVersion: v1\nkind: Endpoints\nmetadata: {name: a}\n"},
		{File: "e.yaml", Text: "apiVersion: cert-manager.io/v1\nkind: Issuer\nmetadata: {name: a}\n"}}
	checks, _ := checkObjects("subject", render.Newest(), docs, memo{}, nil)
	contains(t, checks[:1], "4 objects; validated as API servers do: CustomResourceDefinition, Thing; fields, "+
		"metadata, fixed values and common rules alone: Service; fields, metadata and fixed values alone: Endpoints")
	if len(checks) != 2 || checks[1].Status != NotChecked {
		t.Errorf("got:\n%s", details(checks))
	}
}
