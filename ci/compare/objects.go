package compare

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/render"
)

// ChartObjects compares the objects that two versions of a chart render to with the same values, usually with the defaults of each: what may be done (RBAC), webhooks, and
// all others. CRDs are left out. An object is the same one where kind, name and namespace are.
//
// What merely carries the chart's own version is no finding, nor is what each rendering may generate anew: certificate bundles, the data of Secrets, checksums among
// annotations. Neither a file's line nor a cluster's state is known.
//
// A document that is no object is refused.
func ChartObjects(older, newer render.Rendering) ([]Finding, error) {
	before, err := readObjects(older, "older")
	if err != nil {
		return nil, err
	}
	after, err := readObjects(newer, "newer")
	if err != nil {
		return nil, err
	}
	tellApart(before, after)
	was, err := byLabel(before, "older")
	if err != nil {
		return nil, err
	}
	now, err := byLabel(after, "newer")
	if err != nil {
		return nil, err
	}
	c := &objectsComparison{was: was, now: now}
	for label, o := range was.objects {
		if now.objects[label] == nil {
			c.removed(o)
		}
	}
	for label, o := range now.objects {
		if before := was.objects[label]; before == nil {
			c.added(o)
		} else {
			c.both(before, o)
		}
	}
	Sort(c.findings)
	return c.findings, nil
}

// chartObject is an object that a chart renders to.
type chartObject struct {
	file      string
	kind      string
	namespace string // empty where it is the release's, or none
	name      string // the chart's own version marked
	label     string // what is unique in its rendering
	hook      string // the events that Helm makes it for; empty for what a release holds
	raw       map[string]any
	fields    map[string]any // as raw, the chart's own version marked
}

func (o *chartObject) String() string {
	if o.namespace != "" {
		return o.kind + " " + o.namespace + "/" + o.name
	}
	return o.kind + " " + o.name
}

// id is the object's name in an id.
func (o *chartObject) id() string { return strings.TrimPrefix(o.label, o.kind+" ") }

// subject is what findings about the object are about.
func (o *chartObject) subject() string {
	switch o.kind {
	case "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding":
		return RBAC
	case "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration":
		return Webhook
	}
	return Objects
}

// find makes a finding about an object.
func (c *objectsComparison) find(severity Severity, o *chartObject, what string, parts ...string) *Finding {
	subject := o.subject()
	about := []string{o.kind, o.id()}
	if subject != Objects {
		about = []string{o.kind + "-" + o.id()}
	}
	f := New(severity, subject, append(about, parts...)...)
	f.What, f.File, f.Object = what, o.file, o.String()
	c.findings = append(c.findings, f)
	return &c.findings[len(c.findings)-1]
}

// objectsOf are the objects of one version.
type objectsOf struct {
	objects  map[string]*chartObject
	bindings []binding
}

type objectsComparison struct {
	was, now objectsOf
	findings []Finding
}

var definesKind = regexp.MustCompile(`(?m)^kind:[ \t]*["']?CustomResourceDefinition["']?[ \t]*\r?$`)

func readObjects(r render.Rendering, side string) ([]*chartObject, error) {
	o := ownOf(r.Version, r.AppVersion)
	var all []*chartObject
	for _, doc := range r.Documents {
		if definesKind.MatchString(doc.Text) {
			continue // large, and another comparison's business
		}
		var value any
		if err := yaml.Unmarshal([]byte(doc.Text), &value); err != nil {
			return nil, refusal.New("read what %s of the %s version renders to: %w; correct the template", doc.File, side, err)
		}
		if value == nil {
			continue
		}
		if err := readObject(&all, o, doc.File, side, value); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// tellApart completes labels that stand twice in either version: kinds of different groups may share a name, and so may hooks of different events.
func tellApart(versions ...[]*chartObject) {
	for _, more := range []func(*chartObject) string{
		func(o *chartObject) string {
			group, _, ok := strings.Cut(text(o.raw["apiVersion"]), "/")
			if !ok {
				return ""
			}
			return group
		},
		func(o *chartObject) string { return o.hook },
	} {
		twice := map[string]bool{}
		for _, objects := range versions {
			once := map[string]bool{}
			for _, o := range objects {
				twice[o.label] = twice[o.label] || once[o.label]
				once[o.label] = true
			}
		}
		for _, objects := range versions {
			for _, o := range objects {
				if suffix := more(o); twice[o.label] && suffix != "" {
					o.label += "@" + suffix
				}
			}
		}
	}
}

func byLabel(all []*chartObject, side string) (objectsOf, error) {
	version := objectsOf{objects: map[string]*chartObject{}}
	for _, o := range all {
		if other := version.objects[o.label]; other != nil {
			return version, refusal.New("compare what the %s version of the chart renders to: %s yields %s, and so does %s; rename or remove one", side, o.file, o, other.file)
		}
		version.objects[o.label] = o
		if isBinding(o) {
			version.bindings = append(version.bindings, readBinding(o))
		}
	}
	return version, nil
}

func readObject(all *[]*chartObject, o own, file, side string, value any) error {
	fields, ok := value.(map[string]any)
	kind, _ := fields["kind"].(string)
	if !ok || kind == "" {
		return refusal.New("read what %s of the %s version renders to: a document is no object of Kubernetes, as it has no kind; only objects belong in a rendered template", file, side)
	}
	if items, ok := fields["items"].([]any); ok && strings.HasSuffix(kind, "List") {
		for _, item := range items {
			if err := readObject(all, o, file, side, item); err != nil {
				return err
			}
		}
		return nil
	}
	if kind == "CustomResourceDefinition" {
		return nil
	}
	marked := unversionedIn(fields, o).(map[string]any)
	object := &chartObject{file: file, kind: kind, raw: fields, fields: marked, name: text(dig(marked, "metadata", "name")), namespace: text(dig(marked, "metadata", "namespace")),
		hook: text(dig(marked, "metadata", "annotations", "helm.sh/hook"))}
	if object.name == "" {
		if object.name = text(dig(marked, "metadata", "generateName")); object.name == "" {
			return refusal.New("read what %s of the %s version renders to: a %s without metadata.name; give it one", file, side, kind)
		}
	}
	if object.namespace == render.Namespace {
		object.namespace = ""
	}
	object.label = kind + " " + object.name
	if object.namespace != "" {
		object.label = kind + " " + object.namespace + ":" + object.name
	}
	*all = append(*all, object)
	return nil
}

// unversionedIn is a copy of a value, the chart's own version marked in its texts.
func unversionedIn(value any, o own) any {
	switch v := value.(type) {
	case map[string]any:
		m := make(map[string]any, len(v))
		for key, child := range v {
			m[key] = unversionedIn(child, o)
		}
		return m
	case []any:
		list := make([]any, len(v))
		for i, child := range v {
			list[i] = unversionedIn(child, o)
		}
		return list
	case string:
		return o.unversioned(v)
	}
	return value
}

// dig gives what lies at a path of maps, or nil.
func dig(value any, path ...string) any {
	for _, key := range path {
		m, _ := value.(map[string]any)
		value = m[key]
	}
	return value
}

func text(value any) string {
	s, _ := value.(string)
	return s
}

func list(value any) []any {
	l, _ := value.([]any)
	return l
}

// oneLine is a value on one line.
func oneLine(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return shortened(v, 120)
	}
	data, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return shortened(string(data), 120)
}

// referredTo are the kinds that a user's own things refer to by name, with what becomes of these. Whatever else a chart no longer holds is the operator's own business.
var referredTo = map[string]string{
	"Service":               "what connects to it by name no longer reaches it",
	"ServiceAccount":        "pods that run as it cannot be made any more, and bindings and cloud identities of yours that name it serve nobody",
	"Role":                  "bindings of yours that name it grant nothing",
	"ClusterRole":           "bindings of yours that name it grant nothing",
	"RoleBinding":           "those whom it names lose what it grants",
	"ClusterRoleBinding":    "those whom it names lose what it grants",
	"Ingress":               "what comes from outside through it no longer arrives",
	"HTTPRoute":             "what comes from outside through it no longer arrives",
	"Route":                 "what comes from outside through it no longer arrives",
	"Gateway":               "routes of yours that name it lead nowhere",
	"IngressClass":          "ingresses of yours that name it are served by nobody",
	"StorageClass":          "claims of yours that name it are not bound any more",
	"PriorityClass":         "pods of yours that name it are refused",
	"RuntimeClass":          "pods of yours that name it are refused",
	"PersistentVolumeClaim": "an upgrade deletes it, and by its storage class the data in it",
	"Namespace":             "an upgrade deletes it, and all that is in it",
}

func (c *objectsComparison) removed(o *chartObject) {
	severity, what := Notable, fmt.Sprintf("%s is gone", o)
	if why := referredTo[o.kind]; why != "" {
		severity, what = Breaking, what+": "+why
	}
	switch {
	case o.hook != "":
		severity, what = Info, fmt.Sprintf("%s is gone, which Helm made for %s", o, o.hook)
	case text(dig(o.fields, "metadata", "annotations", "helm.sh/resource-policy")) == "keep":
		severity, what = Notable, fmt.Sprintf("%s is gone from the chart; an upgrade leaves it in the cluster, where nobody cares for it", o)
	case o.subject() == RBAC && c.stillHeld(o):
		severity, what = Notable, fmt.Sprintf("%s is gone; those whom the chart granted its permissions hold them otherwise", o)
	}
	f := c.find(severity, o, what, "removed")
	f.Gone = true
	var like []*chartObject
	for label, other := range c.now.objects {
		if other.kind == o.kind && other.hook == o.hook && c.was.objects[label] == nil && reflect.DeepEqual(contentOf(o), contentOf(other)) {
			like = append(like, other)
		}
	}
	if len(like) == 1 {
		f.Now = "now " + strings.TrimPrefix(like[0].String(), o.kind+" ") + "?"
	}
}

// contentOf is an object without what names it.
func contentOf(o *chartObject) map[string]any {
	content := maps.Clone(o.fields)
	delete(content, "metadata")
	return content
}

func (c *objectsComparison) added(o *chartObject) {
	switch {
	case o.hook != "" && strings.HasPrefix(o.hook, "test"):
		c.find(Info, o, fmt.Sprintf("there is a new %s, which `helm test` makes", o), "added")
	case o.hook != "":
		c.find(Notable, o, fmt.Sprintf("there is a new %s, which Helm makes for %s", o, o.hook), "added")
	case o.subject() == RBAC:
		c.addedRBAC(o)
	case o.subject() == Webhook:
		for _, name := range inOrderOf(webhooksOf(o)) {
			c.addedWebhook(o, name, webhooksOf(o)[name])
		}
	default:
		c.find(Notable, o, fmt.Sprintf("there is a new %s", o), "added")
	}
}

// both compares two versions of an object: first what has a finding of its own, then the rest in one.
func (c *objectsComparison) both(was, now *chartObject) {
	told := map[string]bool{} // paths, with all below them
	if a, b := was.fields["apiVersion"], now.fields["apiVersion"]; a != b {
		f := c.find(Notable, now, fmt.Sprintf("%s is of another apiVersion: the cluster must serve it", now), "api-version-changed")
		f.Was, f.Now = oneLine(a), oneLine(b)
		told["apiVersion"] = true
	}
	c.immutable(was, now, told)
	switch now.subject() {
	case RBAC:
		c.bothRBAC(was, now, told)
	case Webhook:
		c.bothWebhooks(was, now, told)
	}
	if now.kind == "Service" {
		c.service(was, now, told)
	}
	if path, ok := podIn[now.kind]; ok {
		c.workload(was, now, path, told)
	}
	var rest []string
	differing("", was.fields, now.fields, func(path string) {
		if !overlooked(now.kind, path) && !covered(told, path) {
			rest = append(rest, path)
		}
	})
	if len(rest) == 0 {
		return
	}
	const most = 5
	named := strings.Join(rest[:min(len(rest), most)], ", ")
	if len(rest) > most {
		named += ", …"
	}
	what := "fields of %s differ: %s"
	if len(rest) == 1 {
		what = "field of %s differs: %s"
	}
	c.find(Info, now, fmt.Sprintf("%d "+what, len(rest), now, named), "changed")
}

// differing calls for each path at which two values differ. Items of lists are told apart by name where each has one; other lists are compared as a whole.
func differing(path string, was, now any, each func(path string)) {
	if before, ok := was.(map[string]any); ok {
		if after, ok := now.(map[string]any); ok {
			keys := maps.Clone(before)
			maps.Copy(keys, after)
			for _, key := range inOrderOf(keys) {
				a, had := before[key]
				b, has := after[key]
				if below := joined(path, key); had != has {
					each(below)
				} else {
					differing(below, a, b, each)
				}
			}
			return
		}
	}
	before, after := byName(was), byName(now)
	if before != nil && after != nil {
		differing(path, before, after, func(below string) { each(below) })
		return
	}
	if !reflect.DeepEqual(was, now) {
		each(path)
	}
}

func joined(path, key string) string {
	switch {
	case strings.ContainsAny(key, "./[]") || strings.HasPrefix(key, itemMark):
		return path + "[" + strings.TrimPrefix(key, itemMark) + "]"
	case path == "":
		return key
	}
	return path + "." + key
}

// itemMark begins the keys of a list made a map.
const itemMark = "\x00"

// byName is a list as a map, where each of its items has a name of its own; else nil.
func byName(value any) any {
	items, ok := value.([]any)
	if !ok || len(items) == 0 {
		return nil
	}
	m := map[string]any{}
	for _, item := range items {
		name := text(dig(item, "name"))
		if _, twice := m[itemMark+name]; name == "" || twice {
			return nil
		}
		m[itemMark+name] = item
	}
	return m
}

func covered(told map[string]bool, path string) bool {
	if told[path] {
		return true
	}
	for at := range told {
		if rest, ok := strings.CutPrefix(path, at); ok && (rest[0] == '.' || rest[0] == '[') {
			return true
		}
	}
	return false
}

// overlooked tells whether a path is one that identifies the object, follows the chart's version, or may be generated anew by each rendering.
func overlooked(kind, path string) bool {
	return path == "metadata.namespace" || strings.HasSuffix(path, "labels[helm.sh/chart]") || strings.HasSuffix(path, "labels[app.kubernetes.io/version]") || strings.HasSuffix(path, ".caBundle") ||
		strings.Contains(path, "annotations[checksum/") || kind == "Secret" && (strings.HasPrefix(path, "data") || strings.HasPrefix(path, "stringData"))
}

// fixed is a field that Kubernetes lets nobody change, with what stands for its absence.
type fixed struct {
	path      string
	byDefault any
}

// immutables are those fields by kind, as the API's own validation has them (`field is immutable`).
var immutables = map[string][]fixed{
	"Deployment":            {{"spec.selector", nil}},
	"DaemonSet":             {{"spec.selector", nil}},
	"ReplicaSet":            {{"spec.selector", nil}},
	"StatefulSet":           {{"spec.selector", nil}, {"spec.serviceName", nil}, {"spec.volumeClaimTemplates", nil}, {"spec.podManagementPolicy", "OrderedReady"}},
	"Job":                   {{"spec.selector", nil}, {"spec.template", nil}, {"spec.completionMode", "NonIndexed"}},
	"Service":               {{"spec.clusterIP", nil}},
	"Secret":                {{"type", "Opaque"}},
	"PersistentVolumeClaim": {{"spec.accessModes", nil}, {"spec.storageClassName", nil}, {"spec.volumeMode", "Filesystem"}, {"spec.selector", nil}},
	"StorageClass":          {{"provisioner", nil}, {"parameters", nil}, {"reclaimPolicy", "Delete"}, {"volumeBindingMode", "Immediate"}},
	"PriorityClass":         {{"value", nil}, {"preemptionPolicy", "PreemptLowerPriority"}},
	"IngressClass":          {{"spec.controller", nil}},
	"RoleBinding":           {{"roleRef", nil}},
	"ClusterRoleBinding":    {{"roleRef", nil}},
}

// immutable compares the fields that nobody may change as they are, the chart's own version in them included: an upgrade that would change them fails.
func (c *objectsComparison) immutable(was, now *chartObject, told map[string]bool) {
	if was.hook != "" || now.hook != "" || text(dig(was.raw, "metadata", "name")) != text(dig(now.raw, "metadata", "name")) {
		return // deleted and made again, or another one
	}
	for _, field := range immutables[now.kind] {
		path := strings.Split(field.path, ".")
		a, b := dig(was.raw, path...), dig(now.raw, path...)
		if a == nil {
			a = field.byDefault
		}
		if b == nil {
			b = field.byDefault
		}
		if reflect.DeepEqual(a, b) {
			continue
		}
		f := c.find(Breaking, now, fmt.Sprintf("%s of %s is another, which Kubernetes does not let change: an upgrade fails until the object is deleted", field.path, now), field.path, "changed")
		f.Was, f.Now = oneLine(a), oneLine(b)
		told[field.path] = true
	}
}

// service compares how a Service is reached.
func (c *objectsComparison) service(was, now *chartObject, told map[string]bool) {
	type port struct{ number, name string }
	read := func(o *chartObject) (ports []port) {
		for _, p := range list(dig(o.fields, "spec", "ports")) {
			protocol := text(dig(p, "protocol"))
			if protocol == "" {
				protocol = "TCP"
			}
			ports = append(ports, port{oneLine(dig(p, "port")) + "/" + protocol, text(dig(p, "name"))})
		}
		return ports
	}
	before, after := read(was), read(now)
	number := func(in []port, n string) int { return slices.IndexFunc(in, func(p port) bool { return p.number == n }) }
	renumbered := map[string]bool{}
	for _, p := range before {
		i := number(after, p.number)
		switch {
		case i < 0:
			f := c.find(Breaking, now, fmt.Sprintf("%s no longer has port %s: what connects to it fails", now, p.number), "ports", p.number, "removed")
			f.Was = strings.TrimSpace(p.number + " " + p.name)
			if same := slices.IndexFunc(after, func(q port) bool { return q.name == p.name && number(before, q.number) < 0 }); same >= 0 {
				f.Now = strings.TrimSpace(after[same].number + " " + p.name)
				renumbered[after[same].number] = true
			}
		case after[i].name != p.name:
			f := c.find(Notable, now, fmt.Sprintf("port %s of %s has another name, by which monitors and ingresses refer to it", p.number, now), "ports", p.number, "renamed")
			f.Was, f.Now = p.name, after[i].name
		}
	}
	for _, p := range after {
		if number(before, p.number) < 0 && !renumbered[p.number] {
			f := c.find(Notable, now, fmt.Sprintf("%s has a new port %s", now, p.number), "ports", p.number, "added")
			f.Now = strings.TrimSpace(p.number + " " + p.name)
		}
	}
	if !slices.Equal(before, after) {
		told["spec.ports"] = true
	}
	kind := func(o *chartObject) string {
		if t := text(dig(o.fields, "spec", "type")); t != "" {
			return t
		}
		return "ClusterIP"
	}
	if a, b := kind(was), kind(now); a != b {
		severity, what := Notable, fmt.Sprintf("%s is of another type", now)
		if outside := []string{"NodePort", "LoadBalancer"}; slices.Contains(outside, a) && (!slices.Contains(outside, b) || b == "NodePort") {
			severity, what = Breaking, what+": what comes from outside through it no longer arrives"
		}
		f := c.find(severity, now, what, "type-changed")
		f.Was, f.Now = a, b
		told["spec.type"] = true
	}
}

// podIn is where the kinds that run pods say which.
var podIn = map[string]string{
	"Deployment": "spec.template.spec", "StatefulSet": "spec.template.spec", "DaemonSet": "spec.template.spec", "ReplicaSet": "spec.template.spec", "Job": "spec.template.spec",
	"CronJob": "spec.jobTemplate.spec.template.spec", "Pod": "spec",
}

// workload compares what runs, and as what.
func (c *objectsComparison) workload(was, now *chartObject, path string, told map[string]bool) {
	for _, field := range []struct {
		path, became, what string
		byDefault          any
	}{
		{"spec.replicas", "replicas-changed", "%s runs in another number", float64(1)},
		{"spec.strategy.type", "strategy-changed", "pods of %s are replaced in another way", "RollingUpdate"},
		{"spec.updateStrategy.type", "strategy-changed", "pods of %s are replaced in another way", "RollingUpdate"},
		{path + ".serviceAccountName", "service-account-changed", "%s runs as another service account: what you have granted to the former one does not serve it", "default"},
	} {
		at := strings.Split(field.path, ".")
		a, b := dig(was.fields, at...), dig(now.fields, at...)
		if a == nil {
			a = field.byDefault
		}
		if b == nil {
			b = field.byDefault
		}
		if !reflect.DeepEqual(a, b) {
			f := c.find(Notable, now, fmt.Sprintf(field.what, now), field.became)
			f.Was, f.Now = oneLine(a), oneLine(b)
			told[field.path] = true
		}
	}
	podWas, podNow := dig(was.fields, strings.Split(path, ".")...), dig(now.fields, strings.Split(path, ".")...)
	c.privileges(now, nil, podPrivileges(podWas), podPrivileges(podNow), path, told)
	for _, containers := range []string{"initContainers", "containers"} {
		before, _ := byName(dig(podWas, containers)).(map[string]any)
		after, _ := byName(dig(podNow, containers)).(map[string]any)
		for _, name := range inOrderOf(before) {
			if _, ok := after[name]; !ok {
				plain := strings.TrimPrefix(name, itemMark)
				c.find(Notable, now, fmt.Sprintf("%s no longer has the container %s", now, plain), containers, plain, "removed")
				told[joined(path+"."+containers, name)] = true
			}
		}
		for _, name := range inOrderOf(after) {
			plain, at := strings.TrimPrefix(name, itemMark), joined(path+"."+containers, name)
			image := text(dig(after[name], "image"))
			other, ok := before[name]
			if !ok {
				f := c.find(Notable, now, fmt.Sprintf("%s has a new container %s", now, plain), containers, plain, "added")
				f.Now = image
				told[at] = true
				continue
			}
			if a := text(dig(other, "image")); a != image {
				f := c.find(Notable, now, fmt.Sprintf("the container %s of %s runs another image: mirrors and lists of allowed images must have it", plain, now), containers, plain, "image-changed")
				f.Was, f.Now = a, image
				told[at+".image"] = true
			}
			if c.privileges(now, []string{containers, plain}, containerPrivileges(podWas, other), containerPrivileges(podNow, after[name]), at+".securityContext", told) {
				told[path+".securityContext"] = true
			}
		}
	}
}

// privileges tells what a pod or container may do that it could not before. What it may no longer do is among the fields that differ.
func (c *objectsComparison) privileges(o *chartObject, of []string, was, now map[string]string, path string, told map[string]bool) bool {
	var gained []string
	for _, p := range inOrderOf(now) {
		if _, had := was[p]; !had {
			gained = append(gained, p)
			if at := now[p]; at != "" {
				told[path+"."+at] = true
			}
		}
	}
	if gained == nil {
		return false
	}
	if of != nil {
		told[path] = true
	}
	who := o.String()
	if of != nil {
		who = "the container " + of[1] + " of " + who
	}
	f := c.find(Notable, o, who+" may do more on its node: a namespace's pod security level may refuse it", append(slices.Clip(of), "privileges-gained")...)
	f.Now = strings.Join(gained, ", ")
	return true
}

// podPrivileges are what a pod asks of its node for all of its containers, each with its field.
func podPrivileges(pod any) map[string]string {
	p := map[string]string{}
	for field, name := range map[string]string{"hostNetwork": "the node's network", "hostPID": "the node's processes", "hostIPC": "the node's IPC"} {
		if dig(pod, field) == true {
			p[name] = field
		}
	}
	for _, v := range list(dig(pod, "volumes")) {
		if at := text(dig(v, "hostPath", "path")); at != "" {
			p["the node's "+at] = joined("volumes", itemMark+text(dig(v, "name")))
		}
	}
	return p
}

// containerPrivileges are those that the pod security standards look at. What a container does not say its pod says for it.
func containerPrivileges(pod, container any) map[string]string {
	said := func(field string) any {
		if v := dig(container, "securityContext", field); v != nil {
			return v
		}
		return dig(pod, "securityContext", field)
	}
	p := map[string]string{}
	has := func(name string, does bool) {
		if does {
			p[name] = ""
		}
	}
	has("privileged", said("privileged") == true)
	has("privilege escalation", said("allowPrivilegeEscalation") != false)
	user, set := said("runAsUser").(float64)
	has("may run as root", (!set || user == 0) && said("runAsNonRoot") != true)
	has("writes to its root file system", said("readOnlyRootFilesystem") != true)
	has("no seccomp profile", said("seccompProfile") == nil || text(dig(said("seccompProfile"), "type")) == "Unconfined")
	has("its image's default capabilities", !slices.ContainsFunc(list(dig(said("capabilities"), "drop")), func(v any) bool { return v == "ALL" || v == "all" }))
	for _, capability := range list(dig(said("capabilities"), "add")) {
		has("capability "+oneLine(capability), true)
	}
	return p
}
