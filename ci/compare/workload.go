package compare

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

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
			f := c.find(Breaking, now, fmt.Sprintf("%s no longer has port %s: clients that connect to it fail", now, p.number), "ports", p.number, "removed")
			f.Was = strings.TrimSpace(p.number + " " + p.name)
			if same := slices.IndexFunc(after, func(q port) bool { return q.name == p.name && number(before, q.number) < 0 }); same >= 0 {
				f.Now = strings.TrimSpace(after[same].number + " " + p.name)
				renumbered[after[same].number] = true
			}
		case after[i].name != p.name:
			f := c.find(Notable, now, fmt.Sprintf("port %s of %s has another name; monitors and ingresses refer to it by name", p.number, now), "ports", p.number, "renamed")
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
			severity, what = Breaking, what+": traffic from outside the cluster does not arrive any more"
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
		{"spec.replicas", "replicas-changed", "%s has another number of replicas", float64(1)},
		{"spec.strategy.type", "strategy-changed", "pods of %s are replaced in another way", "RollingUpdate"},
		{"spec.updateStrategy.type", "strategy-changed", "pods of %s are replaced in another way", "RollingUpdate"},
		{path + ".serviceAccountName", "service-account-changed", "%s runs as another service account: permissions that you granted to the old one do not apply", "default"},
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
			if c.arguments(now, containers, plain, other, after[name]) {
				told[at+".args"] = true
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
	f := c.find(Notable, o, who+" needs more privileges on its node: the pod security level of its namespace may refuse it", append(slices.Clip(of), "privileges-gained")...)
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
