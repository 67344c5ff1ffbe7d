package gate

import (
	"slices"
	"strings"
	"testing"

	"github.com/operator-release/operator-release/ci/render"
)

const crdSchema = crdHead + "  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, " +
	"properties: {spec: "

// crdOf is a CRD with a spec of this schema and, behind the schema, more fields of its version.
func crdOf(spec string, version ...string) string {
	return crdSchema + spec + "}}}" + strings.Join(append([]string{""}, version...), ", ") + "}\n"
}

func deployment(spec string) string {
	return "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: " + spec + "\n"
}

// podWith is a pod's spec with one container that has these further fields.
func podWith(fields string) string {
	return "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: b, " + fields + "}]}\n"
}

func serviceWith(spec string) string {
	return "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: " + spec + "\n"
}

func rbac(kind, fields string) string {
	return "apiVersion: rbac.authorization.k8s.io/v1\nkind: " + kind + "\nmetadata: {name: 'a:b'}\n" + fields + "\n"
}

func hook(annotations string) string {
	return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: h, annotations: {" + annotations + "}}\n"
}

// TestRefusedByEveryServer has objects that decode and that no API server creates, or that Helm leaves out.
func TestRefusedByEveryServer(t *testing.T) {
	const good = "selector: {matchLabels: {app: a}}, template: {metadata: {labels: {app: a}}, spec: {containers: " +
		"[{name: a, image: b}]}}"
	for name, c := range map[string]struct{ text, want string }{
		"a CEL rule about no field": {crdOf("{type: object, properties: {size: {type: integer}}, " +
			"x-kubernetes-validations: [{rule: self.siez > 1}]}"), "undefined field 'siez'"},
		"a CEL rule of the wrong type": {crdOf("{type: object, x-kubernetes-validations: [{rule: '1 + 1'}]}"),
			"must evaluate to a bool"},
		"a CEL message that does not parse": {crdOf("{type: object, x-kubernetes-validations: [{rule: 'true', " +
			"messageExpression: 'self.'}]}"), "messageExpression compilation failed"},
		"a CEL rule without bounds": {crdOf("{type: array, items: {type: string}, x-kubernetes-validations: [{rule: " +
			"'self.all(x, self.all(y, x == y))'}]}"),
			"estimated rule cost exceeds budget"},
		"oldSelf where nothing is matched": {crdOf("{type: array, items: {type: string, x-kubernetes-validations: " +
			"[{rule: self == oldSelf}]}}"), "oldSelf cannot be used"},
		"a default outside its enum": {crdOf("{type: object, properties: {mode: {type: string, enum: [a, b], " +
			"default: c}}}"), `Unsupported value: "c"`},
		"a default above its maximum": {crdOf("{type: object, properties: {size: {type: integer, maximum: 3, " +
			"default: 4}}}"), "less than or equal to 3"},
		"a default with an unknown field": {crdOf("{type: object, default: {siez: 1}, properties: {size: {type: " +
			"integer}}}"), "must not have unknown fields"},
		"a list-map whose key may be absent": {crdOf("{type: array, x-kubernetes-list-type: map, " +
			"x-kubernetes-list-map-keys: [name], " +
			"items: {type: object, properties: {name: {type: string}}}}"),
			"this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property"},
		"a set of objects": {crdOf("{type: array, x-kubernetes-list-type: set, items: {type: object, " +
			"x-kubernetes-map-type: granular}}"), "must be atomic as item of a list with x-kubernetes-list-type=set"},
		"a selectable field nowhere": {crdOf("{type: object}", "selectableFields: [{jsonPath: .spec.colour}]"),
			"selectableFields[0].jsonPath"},
		"a selectable field of a list": {crdOf("{type: object, properties: {a: {type: array, items: {type: string}}}}",
			"selectableFields: [{jsonPath: .spec.a}]"), "must point to a field of type string, boolean or integer"},
		"a column of an unknown type": {crdOf("{type: object}", "additionalPrinterColumns: [{name: A, type: text, "+
			"jsonPath: .spec}]"), "additionalPrinterColumns[0].type"},
		"a conversion without a client": {strings.Replace(crdOf("{type: object}"), "scope: Cluster",
			"scope: Cluster\n  conversion: {strategy: Webhook, webhook: {conversionReviewVersions: [v1]}}", 1),
			"spec.conversion.webhookClientConfig: Required value"},
		"a conversion without versions": {strings.Replace(crdOf("{type: object}"), "scope: Cluster",
			"scope: Cluster\n  conversion: {strategy: Webhook, webhook: {clientConfig: {service: {name: a, namespace: b}}}}",
			1), "conversionReviewVersions"},
		"fields that are kept": {strings.Replace(crdOf("{type: object}"), "scope: Cluster",
			"scope: Cluster\n  preserveUnknownFields: true", 1),
			"spec.preserveUnknownFields: Invalid value: cannot set to true"},
		"a plural with capitals": {strings.NewReplacer("plural: things", "plural: Things", "things.example.org",
			"Things.example.org").Replace(crdOf("{type: object}")),
			`spec.names.plural: Invalid value: "Things"`},
		"a short name with capitals": {strings.Replace(crdOf("{type: object}"), "plural: things",
			"plural: things, shortNames: [TH]", 1), `spec.names.shortNames[0]: Invalid value: "TH"`},
		"an unapproved group": {strings.ReplaceAll(crdOf("{type: object}"), "example.org", "things.k8s.io"),
			"api-approved.kubernetes.io"},
		"a scope that does not exist": {strings.Replace(crdOf("{type: object}"), "scope: Cluster", "scope: Clustered", 1),
			`spec.scope: Unsupported value: "Clustered"`},
		"an object that breaks a rule of its CRD": {crdOf("{type: object, properties: {size: {type: integer}}, "+
			"x-kubernetes-validations: [{rule: self.size < 3, message: too large}]}") +
			"---\napiVersion: example.org/v1\nkind: Thing\nmetadata: {name: a}\nspec: {size: 3}\n",
			"Thing a: spec: Invalid value: too large (by the CRD things.example.org)"},
		"a custom object's name": {crdOf("{type: object}") + "---\napiVersion: example.org/v1\nkind: Thing\nmetadata: " +
			"{name: A_B}\n", `Thing A_B: metadata.name: Invalid value: "A_B"`},

		"no selector": {deployment("{template: {spec: {containers: [{name: a, image: b}]}}}"),
			"Deployment a: spec.selector: Required value"},
		"an empty selector": {strings.Replace(deployment("{"+good+"}"), "matchLabels: {app: a}", "", 1),
			"empty selector is invalid"},
		"a selector of other labels": {strings.Replace(deployment("{"+good+"}"), "labels: {app: a}",
			"labels: {app: b}", 1), "`selector` (app=a) does not match template `labels`"},
		"a StatefulSet's selector": {strings.Replace(strings.Replace(deployment("{"+good+"}"), "Deployment",
			"StatefulSet", 1), "labels: {app: a}", "labels: {}", 1), "StatefulSet a: spec.template.metadata.labels"},
		"a DaemonSet's selector": {strings.Replace(strings.Replace(deployment("{"+good+"}"), "Deployment",
			"DaemonSet", 1), "selector: {matchLabels: {app: a}}, ", "", 1), "DaemonSet a: spec.selector: Required value"},
		"a selector's operator": {strings.Replace(deployment("{"+good+"}"), "matchLabels: {app: a}",
			"matchExpressions: [{key: app, operator: Has}]", 1), `spec.selector.matchExpressions[0].operator`},
		"a Deployment that never restarts": {strings.Replace(deployment("{"+good+"}"), "containers",
			"restartPolicy: Never, containers", 1), `restartPolicy: Unsupported value: "Never"`},
		"a Job without restart policy": {"apiVersion: batch/v1\nkind: Job\nmetadata: {name: a}\nspec: {template: " +
			"{spec: {containers: [{name: a, image: b}]}}}\n", "restartPolicy: Required value"},
		"a schedule of six fields": {"apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: a}\nspec: {schedule: '0 0 0 " +
			"* * *', jobTemplate: {spec: {template: {spec: " +
			"{restartPolicy: Never, containers: [{name: a, image: b}]}}}}}\n", "expected exactly 5 fields, found 6"},

		"a label value with a blank": {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {app: 'a b'}}\n",
			`metadata.labels: Invalid value: "a b"`},
		"a label value of 64 characters": {"apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: a, labels: {app: " +
			"" + strings.Repeat("a", 64) + "}}\n", "must be no more than 63 bytes"},
		"a label key with two slashes": {strings.Replace(deployment("{"+good+"}"), "labels: {app: a}",
			"labels: {app: a, a/b/c: d}", 1), "spec.template.metadata.labels"},
		"an annotation key with a blank": {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, annotations: {'a b': " +
			"c}}\n", "metadata.annotations"},
		"a foreign object's label": {"apiVersion: cert-manager.io/v1\nkind: Issuer\nmetadata: {name: a, labels: " +
			"{app: 'a b'}}\n", `Issuer a: metadata.labels: Invalid value: "a b"`},
		"a Service named with a dot": {strings.Replace(serviceWith("{ports: [{port: 80}]}"), "name: a", "name: a.b",
			1), `metadata.name: Invalid value: "a.b"`},
		"a Service without ports": {serviceWith("{selector: {app: a}}"), "spec.ports: Required value"},
		"a port out of range": {serviceWith("{ports: [{port: 70000}]}"),
			"spec.ports[0].port: Invalid value: 70000: must be between 1 and 65535"},
		"two ports without names": {serviceWith("{ports: [{port: 80}, {port: 81}]}"),
			"spec.ports[0].name: Required value"},
		"a port's name too long": {serviceWith("{ports: [{port: 80, targetPort: a-very-long-port}]}"),
			"spec.ports[0].targetPort: Invalid value"},
		"a container's port name": {podWith("ports: [{name: Metrics_Port, containerPort: 80}]"),
			"spec.containers[0].ports[0].name: Invalid value"},
		"a mount of no volume": {podWith("volumeMounts: [{name: tmp, mountPath: /tmp}]"),
			`spec.containers[0].volumeMounts[0].name: Not found: "tmp"`},
		"two containers of one name": {strings.Replace(podWith("args: []"), "[{", "[{name: a, image: c}, {", 1),
			`spec.containers[1].name: Duplicate value: "a"`},
		"a request above its limit": {podWith("resources: {requests: {cpu: 2}, limits: {cpu: 1}}"),
			"must be less than or equal to cpu limit of 1"},
		"a probe with two handlers": {podWith("livenessProbe: {tcpSocket: {port: 1}, exec: {command: [a]}}"),
			"may not specify more than 1 handler type"},
		"a rule without apiGroups": {rbac("ClusterRole", "rules: [{resources: [pods], verbs: [get]}]"),
			"rules[0].apiGroups: Required value"},
		"a rule without verbs": {rbac("Role", "rules: [{apiGroups: [''], resources: [pods]}]"),
			"rules[0].verbs: Required value"},
		"a rule with URLs in a Role": {rbac("Role", "rules: [{nonResourceURLs: [/metrics], verbs: [get]}]"),
			"namespaced rules cannot apply to non-resource URLs"},
		"a subject without namespace": {rbac("ClusterRoleBinding",
			"roleRef: {kind: ClusterRole, name: a}\nsubjects: [{kind: ServiceAccount, name: a}]"),
			"subjects[0].namespace: Required value"},
		"a binding to a Role": {rbac("ClusterRoleBinding", "roleRef: {kind: Role, name: a}"),
			`roleRef.kind: Unsupported value: "Role"`},
		"a webhook without side effects": {"apiVersion: admissionregistration.k8s.io/v1\nkind: " +
			"ValidatingWebhookConfiguration\nmetadata: {name: a}\n" +
			"webhooks: [{name: a.b.c, clientConfig: {service: {name: a, namespace: b}}, admissionReviewVersions: [v1]}]\n",
			"webhooks[0].sideEffects: Required value"},
		"a webhook's short name": {"apiVersion: admissionregistration.k8s.io/v1\nkind: " +
			"MutatingWebhookConfiguration\nmetadata: {name: a}\n" +
			"webhooks: [{name: a, sideEffects: None, clientConfig: {url: 'https://a'}, admissionReviewVersions: [v1]}]\n",
			"webhooks[0].name: Invalid value"},
		"a key with a slash": {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a/b: c}\n",
			"data[a/b]: Invalid value"},
		"an Ingress without types": {"apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: a}\nspec: " +
			"{rules: [{http: {paths: [{path: /, backend: {service: {name: a, port: {number: 80}}}}]}}]}\n",
			"pathType: Required value"},
		"a claim without size": {"apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: a}\nspec: " +
			"{accessModes: [ReadWriteOnce]}\n", "spec.resources[storage]: Required value"},

		"a hook of no event": {hook("helm.sh/hook: pre-instal"),
			`ConfigMap h: helm.sh/hook: Helm has no event "pre-instal" and silently leaves the object out`},
		"a hook with one wrong event": {hook("helm.sh/hook: 'post-install,post-update'"), `no event "post-update"`},
		"a hook of events by blanks": {hook("helm.sh/hook: 'pre-install pre-upgrade'"),
			`no event "pre-install pre-upgrade"`},
		"a hook of Helm 2": {hook("helm.sh/hook: crd-install"), `no event "crd-install"`},
		"a hook's unknown delete policy": {hook("helm.sh/hook: test, helm.sh/hook-delete-policy: hook-success"),
			`Helm has no policy "hook-success" and ignores it`},
		"a hook's unknown log policy": {hook("helm.sh/hook: test, helm.sh/hook-output-log-policy: always"),
			`helm.sh/hook-output-log-policy: Helm has no policy "always"`},
		"a hook's weight in words": {hook("helm.sh/hook: test, helm.sh/hook-weight: first"),
			`"first" is no whole number`},
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, c.text, c.want)
		})
	}
}

// refused checks that the gate fails documents, and says why.
func refused(t *testing.T, text, want string) {
	t.Helper()
	var docs []render.Document
	for _, text := range strings.Split(text, "---\n") {
		docs = append(docs, render.Document{File: "charts/operator/templates/extra.yaml", Text: text})
	}
	checks, _ := checkObjects("subject", render.Newest(), docs, memo{}, nil)
	failed := Result{checks}.Failed()
	if len(failed) == 0 {
		t.Fatalf("passes:\n%s", details(checks))
	}
	contains(t, failed, want)
}

// accepted checks that the gate passes a document without a warning.
func accepted(t *testing.T, text string) {
	t.Helper()
	checks, _ := checkObjects("subject", render.Newest(), []render.Document{{File: "a.yaml", Text: text}}, memo{}, nil)
	for _, c := range checks {
		if c.Status != Passed {
			t.Errorf("%s:\n%s", c.Status, details([]Check{c}))
		}
	}
}

// TestUnknownInOldVersions: whether an old version of Kubernetes has a kind that the newest one does not have is not
// known. In the newest one it is a problem.
func TestUnknownInOldVersions(t *testing.T) {
	for _, api := range []string{"autoscaling/v2beta2, kind: HorizontalPodAutoscaler", "policy/v1beta1, kind: PodSecurityPolicy"} {
		docs := []render.Document{{File: "a.yaml", Text: "{apiVersion: " + api + ", metadata: {name: a}}"}}
		for version, want := range map[string]Status{"v1.20.0": NotChecked, render.Newest(): Failed} {
			checks, _ := checkObjects("subject", version, docs, memo{}, nil)
			if !slices.ContainsFunc(checks, func(c Check) bool { return c.Status == want }) ||
				want != Failed && slices.ContainsFunc(checks, func(c Check) bool { return c.Status == Failed }) {
				t.Errorf("%s for %s: %s", api, version, details(checks))
			}
		}
	}
}

// TestAcceptedByServers has what looks odd, and what servers take.
func TestAcceptedByServers(t *testing.T) {
	for name, text := range map[string]string{
		"a headless Service without ports": serviceWith("{clusterIP: None, selector: {app: a}}"),
		"a Service of another name":        serviceWith("{type: ExternalName, externalName: a.example.com}"),
		"one number for two protocols": serviceWith("{ports: [{name: a, port: 53}, {name: b, port: 53, protocol: " +
			"UDP}]}"),
		"a role named with a colon": rbac("ClusterRole", "rules: [{nonResourceURLs: [/metrics], verbs: [get]}]"),
		"an aggregated role": rbac("ClusterRole", "aggregationRule: {clusterRoleSelectors: "+
			"[{matchLabels: {a: b}}]}\nrules: []"),
		"a binding to a group": rbac("RoleBinding", "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: "+
			"Role, name: a}\nsubjects: [{kind: Group, name: 'system:masters'}]"),
		"an account of the binding's namespace": rbac("RoleBinding", "roleRef: {kind: Role, name: a}\n"+
			"subjects: [{kind: ServiceAccount, name: a}]"),
		"a hook in capitals and blanks": hook("helm.sh/hook: ' Pre-Install , post-upgrade', helm.sh/hook-weight: " +
			"'-5', helm.sh/hook-delete-policy: 'before-hook-creation,hook-succeeded'"),
		"a test of Helm 2": hook("helm.sh/hook: test-success"),
		"a StatefulSet that mounts a claim": strings.Replace(deployment("{serviceName: a, selector: {matchLabels: {app: "+
			"a}}, template: {metadata: {labels: {app: a}}, spec: {containers: [{name: a, image: b, volumeMounts: [{name: "+
			"data, mountPath: /d}]}]}}, volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: "+
			"[ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}]}"), "Deployment", "StatefulSet", 1),
		"a policy that allows nothing": "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: " +
			"a}\nspec: {podSelector: {}, policyTypes: [Ingress]}\n",
		"an approved group": strings.NewReplacer("example.org", "things.k8s.io", "metadata: {",
			"metadata: {annotations: {api-approved.kubernetes.io: 'https://example.org/pull/1'}, ").Replace(crdOf("{type: " +
			"object}")),
		"a CRD with bounded rules": crdOf("{type: array, maxItems: 10, items: {type: string, maxLength: 10}, " +
			"x-kubernetes-validations: [{rule: 'self.all(x, self.all(y, x == y))'}]}"),
	} {
		t.Run(name, func(t *testing.T) {
			accepted(t, text)
		})
	}
}

func TestPathsNowhere(t *testing.T) {
	const status = "{type: object}, status: {type: object, properties: {replicas: {type: integer}, conditions: " +
		"{type: array, items: {type: object, properties: {type: {type: string}, status: {type: string}}}}}}"
	column := func(path string) string {
		return crdOf(status, "additionalPrinterColumns: [{name: A, type: string, jsonPath: '"+path+"'}]")
	}
	scale := "subresources: {scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas}}"
	for name, c := range map[string]struct{ text, want string }{
		"a field that is there": {column(".status.replicas"), ""},
		"the age":               {column(".metadata.creationTimestamp"), ""},
		"a label":               {column(`.metadata.labels.app\.kubernetes\.io/name`), ""},
		"a condition":           {column(`.status.conditions[?(@.type=="Ready")].status`), ""},
		"a condition's field that is not": {column(`.status.conditions[?(@.type=="Ready")].state`),
			"the schema has no field .status.conditions.state: the column A stays empty"},
		"a field that is not there":   {column(".status.phase"), "no field .status.phase"},
		"an item of what is no list":  {column(".status.replicas[0]"), "no field .status.replicas[]"},
		"metadata that no object has": {column(".metadata.created"), "no field .metadata.created"},
		"replicas that are not there": {crdOf(status, scale), "specReplicasPath: \".spec.replicas\" leads nowhere"},
		"all below what keeps every field": {crdOf("{type: object, x-kubernetes-preserve-unknown-fields: true}",
			"additionalPrinterColumns: [{name: A, type: string, jsonPath: .spec.a.b}]"), ""},
		"a value of a map": {crdOf("{type: object, additionalProperties: {type: string}}",
			"additionalPrinterColumns: [{name: A, type: string, jsonPath: .spec.anything}]"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			checks, _ := checkObjects("subject", render.Newest(), []render.Document{{File: "a.yaml", Text: c.text}}, memo{}, nil)
			var warned []Check
			for _, check := range checks {
				switch check.Status {
				case Warned:
					warned = append(warned, check)
				case Failed:
					t.Fatalf("failed:\n%s", details(checks))
				}
			}
			if c.want == "" && len(warned) > 0 || c.want != "" && len(warned) != 1 {
				t.Fatalf("warnings:\n%s", details(checks))
			}
			if c.want != "" {
				contains(t, warned, c.want)
			}
		})
	}
}

// TestNamesOfForeignKinds: of a kind without a CRD in the chart, a server may accept each name that fits into a URL.
func TestNamesOfForeignKinds(t *testing.T) {
	object := func(api, kind, name string) string {
		return "apiVersion: " + api + "\nkind: " + kind + "\nmetadata: {name: '" + name + "'}\n"
	}
	crd := crdOf("{type: object}") + "---\n"
	for name, c := range map[string]struct{ text, want string }{
		"a tag of OpenShift":         {object("image.openshift.io/v1", "ImageStreamTag", "nginx:latest"), ""},
		"a user of OpenShift":        {object("user.openshift.io/v1", "User", "Ada Lovelace"), ""},
		"a list of metrics":          {object("custom.metrics.k8s.io/v1beta1", "MetricValue", "Requests_Total"), ""},
		"a name with a slash":        {object("image.openshift.io/v1", "ImageStreamTag", "a/b"), "metadata.name: Invalid value"},
		"a name with a percent sign": {object("image.openshift.io/v1", "ImageStreamTag", "a%20b"), "may not contain '%'"},
		"a name of two dots":         {object("image.openshift.io/v1", "ImageStreamTag", ".."), "may not be '..'"},
		"a CRD's object":             {crd + object("example.org/v1", "Thing", "nginx:latest"), "metadata.name: Invalid value"},
		"a CRD's object in capitals": {crd + object("example.org/v1", "Thing", "Main"), "lowercase RFC 1123 subdomain"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.want != "" {
				refused(t, c.text, c.want)
				return
			}
			checks, _ := checkObjects("subject", render.Newest(), []render.Document{{File: "a.yaml", Text: c.text}}, memo{}, nil)
			if failed := (Result{checks}).Failed(); len(failed) > 0 {
				t.Errorf("failed:\n%s", details(failed))
			}
		})
	}
}
