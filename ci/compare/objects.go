package compare

import (
	"fmt"
	"maps"
	"reflect"
	"strings"

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
	before, err := readObjects(older, olderSide)
	if err != nil {
		return nil, of(olderSide, err)
	}
	after, err := readObjects(newer, newerSide)
	if err != nil {
		return nil, of(newerSide, err)
	}
	tellApart(before, after)
	was, err := byLabel(before, olderSide)
	if err != nil {
		return nil, of(olderSide, err)
	}
	now, err := byLabel(after, newerSide)
	if err != nil {
		return nil, of(newerSide, err)
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

// referredTo are the kinds that a user's own things refer to by name, with what becomes of these. Whatever else a chart no longer holds is the operator's own business.
var referredTo = map[string]string{
	"Service":               "clients that use its name cannot connect any more",
	"ServiceAccount":        "pods that run as it cannot start, and your bindings and cloud identities for it have no effect",
	"Role":                  "your bindings to it grant nothing",
	"ClusterRole":           "your bindings to it grant nothing",
	"RoleBinding":           "its subjects lose these permissions",
	"ClusterRoleBinding":    "its subjects lose these permissions",
	"Ingress":               "traffic from outside the cluster does not arrive any more",
	"HTTPRoute":             "traffic from outside the cluster does not arrive any more",
	"Route":                 "traffic from outside the cluster does not arrive any more",
	"Gateway":               "your routes to it do not work any more",
	"IngressClass":          "no controller serves your ingresses that name it",
	"StorageClass":          "your claims that name it are not bound any more",
	"PriorityClass":         "your pods that name it are refused",
	"RuntimeClass":          "your pods that name it are refused",
	"PersistentVolumeClaim": "an upgrade deletes it, and may delete its data",
	"Namespace":             "an upgrade deletes it with everything in it",
}

func (c *objectsComparison) removed(o *chartObject) {
	severity, what := Notable, fmt.Sprintf("%s is gone", o)
	if why := referredTo[o.kind]; why != "" {
		severity, what = Breaking, what+": "+why
	}
	switch {
	case o.hook != "":
		severity, what = Info, fmt.Sprintf("%s is gone; Helm made it for %s", o, o.hook)
	case text(dig(o.fields, "metadata", "annotations", "helm.sh/resource-policy")) == "keep":
		severity, what = Notable, fmt.Sprintf("%s is gone from the chart; an upgrade leaves it in the cluster, and nothing updates it any more", o)
	case o.subject() == RBAC && c.stillHeld(o):
		severity, what = Notable, fmt.Sprintf("%s is gone; its subjects have the same permissions by another binding", o)
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
	differing("", was.fields, now.fields, func(path, how string) {
		if !overlooked(now.kind, path) && !covered(told, path) {
			rest = append(rest, path+how)
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
