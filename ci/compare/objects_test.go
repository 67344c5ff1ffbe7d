package compare

import (
	"strings"
	"testing"

	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/render"
)

func rendering(version, documents string) render.Rendering {
	r := render.Rendering{Chart: "operator", Version: version, AppVersion: "v" + version}
	for text := range strings.SplitSeq(documents, "---\n") {
		r.Documents = append(r.Documents, render.Document{File: "o/templates/a.yaml", Text: text})
	}
	return r
}

type objectsTest struct {
	older, newer string
	there, back  []string // findings from older to newer, and from newer to older
}

func testObjects(t *testing.T, tests map[string]objectsTest) {
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			older, newer := rendering("1.4.0", test.older), rendering("1.5.0", test.newer)
			for _, way := range []struct {
				from, to render.Rendering
				want     []string
			}{{older, newer, test.there}, {newer, older, test.back}, {older, older, nil}, {newer, newer, nil}} {
				found, err := ChartObjects(way.from, way.to)
				if err != nil {
					t.Fatal(err)
				}
				sameTold(t, found, way.want)
			}
		})
	}
}

// deployment is one of the name d, whose pod and container are as said.
func deployment(pod, container string) string {
	return "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {selector: {matchLabels: {a: b}}, template: {spec: {" + pod + "containers: [{name: c, " + container + "}]}}}\n"
}

func service(spec string) string {
	return "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {" + spec + "}\n"
}

func TestChartObjects(t *testing.T) {
	strict := "securityContext: {allowPrivilegeEscalation: false, runAsNonRoot: true, readOnlyRootFilesystem: true, seccompProfile: {type: RuntimeDefault}, capabilities: {drop: [ALL]}}"
	testObjects(t, map[string]objectsTest{
		"nothing but the version": {
			"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d, labels: {helm.sh/chart: o-1.4.0, app.kubernetes.io/version: v1.4.0}}\nspec: {template: {metadata: {annotations: {checksum/config: x}}, spec: {containers: [{name: c, image: 'o:v1.4.0'}]}}}\n",
			"# a comment\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d, labels: {helm.sh/chart: o-1.5.0, app.kubernetes.io/version: v1.5.0}}\nspec: {template: {metadata: {annotations: {checksum/config: y}}, spec: {containers: [{name: c, image: 'o:v1.5.0'}]}}}\n",
			nil, nil},
		"what a rendering generates": {"kind: Secret\nmetadata: {name: s}\ndata: {a: eA==}\n", "kind: Secret\nmetadata: {name: s}\ndata: {a: eQ==}\n", nil, nil},
		"CRDs":                       {"kind: CustomResourceDefinition\nmetadata: {name: a}\n", "kind: ConfigMap\nmetadata: {name: a}\n", []string{"notable objects/ConfigMap/a/added"}, []string{"notable objects/ConfigMap/a/removed gone"}},
		"what users refer to": {"kind: ConfigMap\nmetadata: {name: a}\n", "kind: List\nitems:\n- {kind: ConfigMap, metadata: {name: a, namespace: default}}\n- {kind: Service, metadata: {name: a}}\n- {kind: ServiceAccount, metadata: {name: a, namespace: other}}\n",
			[]string{"notable objects/Service/a/added", "notable objects/ServiceAccount/other:a/added"}, []string{"breaking objects/Service/a/removed gone", "breaking objects/ServiceAccount/other:a/removed gone"}},
		"what stays": {"kind: Service\nmetadata: {name: a, annotations: {helm.sh/resource-policy: keep}}\n", "", []string{"notable objects/Service/a/removed gone"}, []string{"notable objects/Service/a/added"}},
		"hooks": {"", "kind: Job\nmetadata: {name: a, annotations: {helm.sh/hook: pre-upgrade}}\n---\nkind: ServiceAccount\nmetadata: {name: a, annotations: {helm.sh/hook: pre-upgrade}}\n---\nkind: ServiceAccount\nmetadata: {name: a, annotations: {helm.sh/hook: test}}\n",
			[]string{"notable objects/Job/a/added", "notable objects/ServiceAccount/a@pre-upgrade/added", "info objects/ServiceAccount/a@test/added"},
			[]string{"info objects/Job/a/removed gone", "info objects/ServiceAccount/a@pre-upgrade/removed gone", "info objects/ServiceAccount/a@test/removed gone"}},
		"kinds of two groups": {"apiVersion: a/v1\nkind: X\nmetadata: {name: a}\n---\napiVersion: b/v1\nkind: X\nmetadata: {name: a}\n", "", []string{"notable objects/X/a@a/removed gone", "notable objects/X/a@b/removed gone"},
			[]string{"notable objects/X/a@a/added", "notable objects/X/a@b/added"}},
		"another name": {"kind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 1}]}\n", "kind: Service\nmetadata: {name: b}\nspec: {ports: [{port: 1}]}\n",
			[]string{"breaking objects/Service/a/removed [|now b?] gone", "notable objects/Service/b/added"}, []string{"breaking objects/Service/b/removed [|now a?] gone", "notable objects/Service/a/added"}},
		"an API": {"apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata: {name: p}\n", "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: p}\n",
			[]string{"notable objects/PodDisruptionBudget/p/api-version-changed [policy/v1beta1|policy/v1]"}, []string{"notable objects/PodDisruptionBudget/p/api-version-changed [policy/v1|policy/v1beta1]"}},
		"selectors": {"kind: Deployment\nmetadata: {name: d}\nspec: {selector: {matchLabels: {a: b, v: 1.4.0}}}\n", "kind: Deployment\nmetadata: {name: d}\nspec: {selector: {matchLabels: {a: b, v: 1.5.0}}}\n",
			[]string{`breaking objects/Deployment/d/spec.selector/changed [{"matchLabels":{"a":"b","v":"1.4.0"}}|{"matchLabels":{"a":"b","v":"1.5.0"}}]`},
			[]string{`breaking objects/Deployment/d/spec.selector/changed [{"matchLabels":{"a":"b","v":"1.5.0"}}|{"matchLabels":{"a":"b","v":"1.4.0"}}]`}},
		"other immutable fields": {"kind: StatefulSet\nmetadata: {name: s}\nspec: {serviceName: a}\n", "kind: StatefulSet\nmetadata: {name: s}\nspec: {serviceName: b, podManagementPolicy: OrderedReady}\n",
			[]string{"breaking objects/StatefulSet/s/spec.serviceName/changed [a|b]", "info objects/StatefulSet/s/changed"}, []string{"breaking objects/StatefulSet/s/spec.serviceName/changed [b|a]", "info objects/StatefulSet/s/changed"}},
		"jobs": {"kind: Job\nmetadata: {name: j}\nspec: {template: {x: 1.4.0}}\n---\nkind: Job\nmetadata: {name: j-1.4.0}\nspec: {template: {x: 1.4.0}}\n", "kind: Job\nmetadata: {name: j}\nspec: {template: {x: 1.5.0}}\n---\nkind: Job\nmetadata: {name: j-1.5.0}\nspec: {template: {x: 1.5.0}}\n",
			[]string{`breaking objects/Job/j/spec.template/changed [{"x":"1.4.0"}|{"x":"1.5.0"}]`}, []string{`breaking objects/Job/j/spec.template/changed [{"x":"1.5.0"}|{"x":"1.4.0"}]`}},
		"how pods are run": {"kind: Deployment\nmetadata: {name: d}\nspec: {template: {spec: {serviceAccountName: a}}}\n", "kind: Deployment\nmetadata: {name: d}\nspec: {replicas: 2, strategy: {type: Recreate}, template: {spec: {serviceAccountName: b}}}\n",
			[]string{"notable objects/Deployment/d/replicas-changed [1|2]", "notable objects/Deployment/d/service-account-changed [a|b]", "notable objects/Deployment/d/strategy-changed [RollingUpdate|Recreate]", "info objects/Deployment/d/changed"},
			[]string{"notable objects/Deployment/d/replicas-changed [2|1]", "notable objects/Deployment/d/service-account-changed [b|a]", "notable objects/Deployment/d/strategy-changed [Recreate|RollingUpdate]", "info objects/Deployment/d/changed"}},
		"containers": {deployment("", strict+", image: 'a:v1.4.0'"), deployment("initContainers: [{name: i, image: j}], ", strict+", image: 'b:v1.5.0'"),
			[]string{"notable objects/Deployment/d/containers/c/image-changed [a:v{version}|b:v{version}]", "notable objects/Deployment/d/initContainers/i/added [|j]", "info objects/Deployment/d/changed"},
			[]string{"notable objects/Deployment/d/containers/c/image-changed [b:v{version}|a:v{version}]", "notable objects/Deployment/d/initContainers/i/removed", "info objects/Deployment/d/changed"}},
		"privileges": {deployment("", strict), deployment("hostNetwork: true, volumes: [{name: v, hostPath: {path: /x}}], ", "securityContext: {privileged: true, capabilities: {add: [NET_ADMIN]}}"),
			[]string{"notable objects/Deployment/d/containers/c/privileges-gained [|capability NET_ADMIN, its image's default capabilities, may run as root, no seccomp profile, privilege escalation, privileged, writes to its root file system]",
				"notable objects/Deployment/d/privileges-gained [|the node's /x, the node's network]", "info objects/Deployment/d/changed"},
			[]string{"info objects/Deployment/d/changed"}},
		"what the pod says for its containers": {deployment("securityContext: {runAsNonRoot: true}, ", "securityContext: {runAsUser: 5}"), deployment("", "securityContext: {runAsUser: 0}"),
			[]string{"notable objects/Deployment/d/containers/c/privileges-gained [|may run as root]"}, []string{"info objects/Deployment/d/changed"}},
		"ports": {service("ports: [{port: 80, name: http}, {port: 90, name: metrics}]"), service("ports: [{port: 80, name: web}, {port: 91, name: metrics}, {port: 53, protocol: UDP}]"),
			[]string{"breaking objects/Service/s/ports/90-TCP/removed [90/TCP metrics|91/TCP metrics]", "notable objects/Service/s/ports/53-UDP/added [|53/UDP]", "notable objects/Service/s/ports/80-TCP/renamed [http|web]"},
			[]string{"breaking objects/Service/s/ports/53-UDP/removed [53/UDP|]", "breaking objects/Service/s/ports/91-TCP/removed [91/TCP metrics|90/TCP metrics]", "notable objects/Service/s/ports/80-TCP/renamed [web|http]"}},
		"types of services": {service("type: LoadBalancer"), service("clusterIP: None"),
			[]string{"breaking objects/Service/s/spec.clusterIP/changed [|None]", "breaking objects/Service/s/type-changed [LoadBalancer|ClusterIP]"},
			[]string{"breaking objects/Service/s/spec.clusterIP/changed [None|]", "notable objects/Service/s/type-changed [ClusterIP|LoadBalancer]"}},
	})
}

func TestOtherFields(t *testing.T) {
	older := rendering("1.4.0", "kind: Deployment\nmetadata: {name: d}\nspec: {template: {spec: {containers: [{name: c, args: [a], env: [{name: X, value: 1}]}]}}}\n")
	newer := rendering("1.5.0", "kind: Deployment\nmetadata: {name: d, annotations: {a.b/c: x}, labels: {a: b, c: d, e: f}}\nspec: {template: {spec: {containers: [{name: c, args: [b], env: [{name: X, value: 2}]}]}}}\n")
	found, err := ChartObjects(older, newer)
	const want = "4 fields of Deployment d differ: metadata.annotations is new, metadata.labels is new, spec.template.spec.containers[c].args, spec.template.spec.containers[c].env[X].value"
	if err != nil || len(found) != 1 || found[0].What != want || found[0].Object != "Deployment d" {
		t.Errorf("%+v, %v", found, err)
	}
	found, err = ChartObjects(
		rendering("1.4.0", "kind: Deployment\nmetadata: {name: d}\nspec: {template: {spec: {containers: [{name: c, readinessProbe: {}}]}}}\n"),
		rendering("1.5.0", "kind: Deployment\nmetadata: {name: d}\nspec: {template: {metadata: {annotations: {pi.io/config-checksum: x}}, "+
			"spec: {containers: [{name: c}]}}}\n"))
	if err != nil || len(found) != 1 || !strings.Contains(found[0].What, "containers[c].readinessProbe is gone") {
		t.Errorf("%+v, %v", found, err)
	}
	older = rendering("1.4.0", "kind: Deployment\nmetadata: {name: d}\nspec: {template: {metadata: {annotations: {pi.io/config-checksum: x}}}}\n")
	newer = rendering("1.5.0", "kind: Deployment\nmetadata: {name: d}\nspec: {template: {metadata: {annotations: {pi.io/config-checksum: y}}}}\n")
	if found, err = ChartObjects(older, newer); err != nil || len(found) != 0 {
		t.Errorf("a checksum is no change of its own: %+v, %v", found, err)
	}
}

func role(kind, name, rules string) string {
	return "kind: " + kind + "\nmetadata: {name: " + name + "}\nrules: [" + rules + "]\n"
}

func bind(kind, name, ref, subjects string) string {
	return "kind: " + kind + "\nmetadata: {name: " + name + "}\nroleRef: {kind: " + ref + "}\nsubjects: [" + subjects + "]\n"
}

func TestRBAC(t *testing.T) {
	const (
		pods  = "{apiGroups: [''], resources: [pods, pods/log], verbs: [get, list]}"
		edits = "{apiGroups: [apps], resources: [deployments], verbs: [patch], resourceNames: [d]}"
		sa    = "{kind: ServiceAccount, name: a}"
		runs  = "---\nkind: Deployment\nmetadata: {name: d}\nspec: {template: {spec: {serviceAccountName: a, containers: []}}}\n"
	)
	testObjects(t, map[string]objectsTest{
		"a verb": {role("ClusterRole", "r", "{apiGroups: ['', apps], resources: [pods], verbs: [get]}"), role("ClusterRole", "r", "{apiGroups: [''], resources: [pods], verbs: [get, delete, patch]}, {apiGroups: [apps], resources: [pods], verbs: [get]}"),
			[]string{"notable rbac/ClusterRole-r/core/pods/widened [get|delete, get, patch]"}, []string{"breaking rbac/ClusterRole-r/core/pods/removed [delete, get, patch|get]"}},
		"the same in other words": {role("Role", "r", pods), role("Role", "r", "{apiGroups: [''], resources: [pods], verbs: [list, get]}, {apiGroups: [''], resources: [pods/log], verbs: [list]}, {apiGroups: [''], resources: [pods/log], verbs: [get]}"), nil, nil},
		"the operator's own role, and one of others": {
			role("Role", "r", pods) + "---\n" + bind("RoleBinding", "b", "Role, name: r", sa) + "---\n" + role("Role", "q", pods) + "---\n" +
				bind("RoleBinding", "c", "Role, name: q", sa+", {kind: ServiceAccount, name: other}") + runs,
			role("Role", "r", "") + "---\n" + bind("RoleBinding", "b", "Role, name: r", sa) + "---\n" + role("Role", "q", "") + "---\n" +
				bind("RoleBinding", "c", "Role, name: q", sa+", {kind: ServiceAccount, name: other}") + runs,
			[]string{"breaking rbac/Role-q/core/pods-log/removed [get, list|]", "breaking rbac/Role-q/core/pods/removed [get, list|]",
				"notable rbac/Role-r/core/pods-log/removed [get, list|]", "notable rbac/Role-r/core/pods/removed [get, list|]"},
			[]string{"notable rbac/Role-q/core/pods-log/widened [|get, list]", "notable rbac/Role-q/core/pods/widened [|get, list]",
				"notable rbac/Role-r/core/pods-log/widened [|get, list]", "notable rbac/Role-r/core/pods/widened [|get, list]"}},
		"a name": {role("Role", "r", edits), role("Role", "r", "{apiGroups: [apps], resources: [deployments], verbs: [patch]}"),
			[]string{"notable rbac/Role-r/apps/deployments/widened [patch (only d)|patch]"}, []string{"breaking rbac/Role-r/apps/deployments/removed [patch|patch (only d)]"}},
		"wildcards": {role("ClusterRole", "r", pods), role("ClusterRole", "r", "{apiGroups: ['*'], resources: ['*'], verbs: ['*']}"),
			[]string{"notable rbac/ClusterRole-r/*/*/widened [|*]"}, []string{"breaking rbac/ClusterRole-r/*/*/removed [*|]"}},
		"subresources of any": {role("ClusterRole", "r", "{apiGroups: [apps], resources: [deployments/scale], verbs: [get]}"), role("ClusterRole", "r", "{apiGroups: [apps], resources: ['*/scale'], verbs: [get]}"),
			[]string{"notable rbac/ClusterRole-r/apps/*-scale/widened [|get]"}, []string{"breaking rbac/ClusterRole-r/apps/*-scale/removed [get|]"}},
		"URLs": {role("ClusterRole", "r", "{nonResourceURLs: [/metrics/a], verbs: [get]}"), role("ClusterRole", "r", "{nonResourceURLs: [/metrics/*], verbs: [get]}"),
			[]string{"notable rbac/ClusterRole-r/url/-metrics-*/widened [|get]"}, []string{"breaking rbac/ClusterRole-r/url/-metrics-*/removed [get|]"}},
		"moved to another role": {
			role("ClusterRole", "r", pods+","+edits) + "---\n" + bind("ClusterRoleBinding", "b", "ClusterRole, name: r", sa) + "---\n" + role("Role", "q", "") + "---\n" + bind("RoleBinding", "c", "Role, name: q", sa),
			role("ClusterRole", "r", edits) + "---\n" + bind("ClusterRoleBinding", "b", "ClusterRole, name: r", sa) + "---\n" + role("Role", "q", pods) + "---\n" + bind("RoleBinding", "c", "Role, name: q", sa),
			[]string{"breaking rbac/ClusterRole-r/core/pods-log/removed [get, list|]", "breaking rbac/ClusterRole-r/core/pods/removed [get, list|]", "info rbac/Role-q/core/pods-log/widened [|get, list]", "info rbac/Role-q/core/pods/widened [|get, list]"},
			[]string{"notable rbac/ClusterRole-r/core/pods-log/widened [|get, list]", "notable rbac/ClusterRole-r/core/pods/widened [|get, list]", "info rbac/Role-q/core/pods-log/removed [get, list|]", "info rbac/Role-q/core/pods/removed [get, list|]"}},
		"a role": {"", role("ClusterRole", "r", pods+","+edits), []string{"notable rbac/ClusterRole-r/added [|pods: get, list; pods/log: get, list; deployments of apps: patch (only d)]"}, []string{"breaking rbac/ClusterRole-r/removed gone"}},
		"a role under another name": {role("ClusterRole", "r", pods) + "---\n" + bind("ClusterRoleBinding", "b", "ClusterRole, name: r", sa), role("ClusterRole", "q", pods) + "---\n" + bind("ClusterRoleBinding", "c", "ClusterRole, name: q", sa),
			[]string{"notable rbac/ClusterRole-r/removed [|now q?] gone", "notable rbac/ClusterRoleBinding-b/removed gone", "info rbac/ClusterRole-q/added [|pods: get, list; pods/log: get, list]", "info rbac/ClusterRoleBinding-c/added [|ClusterRole q for ServiceAccount a]"},
			[]string{"notable rbac/ClusterRole-q/removed [|now r?] gone", "notable rbac/ClusterRoleBinding-c/removed gone", "info rbac/ClusterRole-r/added [|pods: get, list; pods/log: get, list]", "info rbac/ClusterRoleBinding-b/added [|ClusterRole r for ServiceAccount a]"}},
		"subjects": {bind("ClusterRoleBinding", "b", "ClusterRole, name: r", sa), bind("ClusterRoleBinding", "b", "ClusterRole, name: r", sa+", {kind: Group, name: g}, {kind: ServiceAccount, name: a, namespace: other}"),
			[]string{"notable rbac/ClusterRoleBinding-b/subjects/added [ServiceAccount a|Group g, ServiceAccount a, ServiceAccount other/a]"},
			[]string{"breaking rbac/ClusterRoleBinding-b/subjects/removed [Group g, ServiceAccount a, ServiceAccount other/a|ServiceAccount a]"}},
		"what a binding grants": {bind("RoleBinding", "b", "Role, name: r", sa), bind("RoleBinding", "b", "ClusterRole, name: r", sa),
			[]string{`breaking rbac/RoleBinding-b/roleRef/changed [{"kind":"Role","name":"r"}|{"kind":"ClusterRole","name":"r"}]`}, []string{`breaking rbac/RoleBinding-b/roleRef/changed [{"kind":"ClusterRole","name":"r"}|{"kind":"Role","name":"r"}]`}},
		"joining roles": {"kind: ClusterRole\nmetadata: {name: r, labels: {rbac.authorization.k8s.io/aggregate-to-edit: 'true', a: b}}\n", "kind: ClusterRole\nmetadata: {name: r, labels: {a: b}}\n",
			[]string{"breaking rbac/ClusterRole-r/aggregation/changed [edit|]"}, []string{"notable rbac/ClusterRole-r/aggregation/changed [|edit]"}},
		"gathering roles": {"kind: ClusterRole\nmetadata: {name: r}\naggregationRule: {x: 1}\n", "kind: ClusterRole\nmetadata: {name: r}\naggregationRule: {x: 2}\n",
			[]string{`notable rbac/ClusterRole-r/aggregation/changed [{"x":1}|{"x":2}]`}, []string{`notable rbac/ClusterRole-r/aggregation/changed [{"x":2}|{"x":1}]`}},
	})
}

func webhookOf(fields string) string {
	return "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\nmetadata: {name: v}\nwebhooks: [" + fields + "]\n"
}

func TestWebhooks(t *testing.T) {
	const rules = "rules: [{apiGroups: [a], apiVersions: [v1], resources: [things], operations: [CREATE]}]"
	testObjects(t, map[string]objectsTest{
		"a configuration": {"", webhookOf("{name: w, " + rules + "}"), []string{"notable webhook/ValidatingWebhookConfiguration-v/w/added [|CREATE things.a v1]"}, []string{"notable webhook/ValidatingWebhookConfiguration-v/removed gone"}},
		"a webhook": {webhookOf(""), webhookOf("{name: w, " + rules + "}"), []string{"notable webhook/ValidatingWebhookConfiguration-v/w/added [|CREATE things.a v1]"},
			[]string{"notable webhook/ValidatingWebhookConfiguration-v/w/removed [CREATE things.a v1|]"}},
		"what the API says itself": {webhookOf("{name: w, clientConfig: {caBundle: eA==}}"), webhookOf("{name: w, failurePolicy: Fail, matchPolicy: Equivalent, timeoutSeconds: 10, namespaceSelector: {}, clientConfig: {caBundle: eQ==}}"), nil, nil},
		"failures": {webhookOf("{name: w, failurePolicy: Ignore}"), webhookOf("{name: w}"), []string{"breaking webhook/ValidatingWebhookConfiguration-v/w/failure-policy-changed [Ignore|Fail]"},
			[]string{"notable webhook/ValidatingWebhookConfiguration-v/w/failure-policy-changed [Fail|Ignore]"}},
		"rules": {webhookOf("{name: w, " + rules + "}"), webhookOf("{name: w, rules: [{apiGroups: [a], apiVersions: ['*'], resources: [things], operations: ['*']}]}"),
			[]string{"breaking webhook/ValidatingWebhookConfiguration-v/w/rules-widened [CREATE things.a v1|* things.a *]"}, []string{"notable webhook/ValidatingWebhookConfiguration-v/w/rules-narrowed [* things.a *|CREATE things.a v1]"}},
		"rules of one that may be ignored": {webhookOf("{name: w, failurePolicy: Ignore, " + rules + "}"), webhookOf("{name: w, failurePolicy: Ignore, rules: [{apiGroups: [a], apiVersions: [v1], resources: ['*/*'], operations: [CREATE]}]}"),
			[]string{"notable webhook/ValidatingWebhookConfiguration-v/w/rules-widened [CREATE things.a v1|CREATE */*.a v1]"}, []string{"notable webhook/ValidatingWebhookConfiguration-v/w/rules-narrowed [CREATE */*.a v1|CREATE things.a v1]"}},
		"selectors": {webhookOf("{name: w, objectSelector: {matchLabels: {a: b}}}"), webhookOf("{name: w, namespaceSelector: {matchLabels: {a: b}}}"),
			[]string{`breaking webhook/ValidatingWebhookConfiguration-v/w/objectSelector-changed [{"matchLabels":{"a":"b"}}|{}]`, `notable webhook/ValidatingWebhookConfiguration-v/w/namespaceSelector-changed [{}|{"matchLabels":{"a":"b"}}]`},
			[]string{`breaking webhook/ValidatingWebhookConfiguration-v/w/namespaceSelector-changed [{"matchLabels":{"a":"b"}}|{}]`, `notable webhook/ValidatingWebhookConfiguration-v/w/objectSelector-changed [{}|{"matchLabels":{"a":"b"}}]`}},
		"the rest": {webhookOf("{name: w, sideEffects: None, admissionReviewVersions: [v1]}"), webhookOf("{name: w, sideEffects: Some, timeoutSeconds: 5, matchPolicy: Exact, admissionReviewVersions: [v1, v1beta1], clientConfig: {url: x}}"),
			[]string{"notable webhook/ValidatingWebhookConfiguration-v/w/matchPolicy-changed [Equivalent|Exact]", "notable webhook/ValidatingWebhookConfiguration-v/w/sideEffects-changed [None|Some]",
				"info webhook/ValidatingWebhookConfiguration-v/changed", `info webhook/ValidatingWebhookConfiguration-v/w/admissionReviewVersions-changed [["v1"]|["v1","v1beta1"]]`, "info webhook/ValidatingWebhookConfiguration-v/w/timeoutSeconds-changed [10|5]"},
			[]string{"notable webhook/ValidatingWebhookConfiguration-v/w/matchPolicy-changed [Exact|Equivalent]", "notable webhook/ValidatingWebhookConfiguration-v/w/sideEffects-changed [Some|None]",
				"info webhook/ValidatingWebhookConfiguration-v/changed", `info webhook/ValidatingWebhookConfiguration-v/w/admissionReviewVersions-changed [["v1","v1beta1"]|["v1"]]`, "info webhook/ValidatingWebhookConfiguration-v/w/timeoutSeconds-changed [5|10]"}},
		"no side effects on dry runs": {webhookOf("{name: w, sideEffects: None}"), webhookOf("{name: w, sideEffects: NoneOnDryRun}"), []string{"info webhook/ValidatingWebhookConfiguration-v/w/sideEffects-changed [None|NoneOnDryRun]"},
			[]string{"info webhook/ValidatingWebhookConfiguration-v/w/sideEffects-changed [NoneOnDryRun|None]"}},
	})
}

func TestWrongObjects(t *testing.T) {
	for text, says := range map[string]string{
		"a: b: c\n":                "read what o/templates/a.yaml of the older version renders to: error converting YAML",
		"- a\n":                    "a document is no object of Kubernetes",
		"a: b\n":                   "it has no kind",
		"kind: ConfigMap\n":        "a ConfigMap without metadata.name",
		"kind: List\nitems: [1]\n": "a document is no object of Kubernetes",
		"kind: A\nmetadata: {name: a}\n---\nkind: A\nmetadata: {name: a}\n":                                                   "o/templates/a.yaml yields A a, and so does o/templates/a.yaml",
		role("ClusterRole", "large", "{apiGroups: ['', apps], resources: ["+strings.Repeat("a, ", 50_001)+"], verbs: [get]}"): "yields ClusterRole large, whose rules come to more than 100000 permissions",
		// The product is more than an int holds.
		role("Role", "huge", strings.ReplaceAll("{apiGroups: [L], resources: [L], resourceNames: [L], verbs: [L]}", "L", strings.Repeat("a, ", 70_000))): "yields Role huge, whose rules come to more than",
	} {
		if _, err := ChartObjects(rendering("1.4.0", text), rendering("1.5.0", "")); !refusal.Is(err) || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzChartObjects(f *testing.F) {
	f.Add(deployment("hostPID: true, ", "image: a"))
	f.Add(role("ClusterRole", "r", "{apiGroups: ['*'], verbs: [1, {}]}") + "---\n" + bind("ClusterRoleBinding", "b", "ClusterRole, name: r", "1, {kind: Group}"))
	f.Add(webhookOf("{name: w, rules: [1]}, 2"))
	f.Add(service("ports: [{}, 1, {port: [1]}], type: 1"))
	other := rendering("1.4.0", deployment("", "image: b")+"---\n"+role("ClusterRole", "r", "")+"---\n"+bind("ClusterRoleBinding", "b", "Role, name: q", "")+"---\n"+webhookOf("{name: w}")+"---\n"+service("ports: [{port: 1}]"))
	f.Fuzz(func(t *testing.T, documents string) {
		r := rendering("1.5.0", documents)
		found, err := ChartObjects(r, r)
		if err != nil {
			return
		}
		if len(found) > 0 {
			t.Errorf("compared with itself: %+v", found)
		}
		for _, way := range [][2]render.Rendering{{r, other}, {other, r}} {
			if _, err := ChartObjects(way[0], way[1]); err != nil {
				t.Error(err)
			}
		}
	})
}

// TestArguments: the flags of containers are named one by one.
func TestArguments(t *testing.T) {
	pod := func(args string) render.Rendering {
		return rendering("1.4.0", "kind: Deployment\nmetadata: {name: d}\nspec: {template: {spec: {containers: [{name: c, args: ["+args+"]}]}}}\n")
	}
	for name, c := range map[string]struct{ was, now, want string }{
		"the same, in another order": {"--a=1, --b", "--b, --a=1", ""},
		"one is new":                 {"--a=1", "--a=1, --b=2", "notable objects/Deployment/d/containers/c/args/--b/added"},
		"one is gone":                {"--a=1, -v", "--a=1", "notable objects/Deployment/d/containers/c/args/-v/removed"},
		"another value":              {"--a=1", "--a=2", "notable objects/Deployment/d/containers/c/args/--a/changed"},
		"one of several":             {"--a=1, --a=2", "--a=1, --a=3", "notable objects/Deployment/d/containers/c/args/--a/changed"},
		"a value apart":              {"--a, x", "--a, y", "info objects/Deployment/d/changed"},
		"both":                       {"--a=1, x", "--b, y", "notable objects/Deployment/d/containers/c/args/--a/removed|notable objects/Deployment/d/containers/c/args/--b/added|info objects/Deployment/d/changed"},
	} {
		findings, err := ChartObjects(pod(c.was), pod(c.now))
		var got []string
		for _, f := range findings {
			got = append(got, string(f.Severity)+" "+f.ID)
		}
		if err != nil || strings.Join(got, "|") != c.want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}
