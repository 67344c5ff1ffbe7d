package compare

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/operator-release/operator-release/ci/render"
)

// rbacRule is a rule of a role, as https://kubernetes.io/docs/reference/access-authn-authz/rbac has it.
type rbacRule struct{ groups, resources, names, urls, verbs []string }

// permission is one thing that a rule allows; name is empty for all objects, and url stands alone.
type permission struct{ group, resource, name, url, verb string }

// mostPermissions is as much as a role may allow, looked at one by one; those of the largest operators come to some thousands.
const mostPermissions = 100_000

// tooMany tells whether rules come to more permissions than are looked at. Lists multiply, so it counts without taking them apart, and
// no further than it must: the product of four long lists is more than an int holds.
func tooMany(rules []rbacRule) bool {
	n := 0
	for _, r := range rules {
		things := len(r.groups)
		for _, by := range []int{len(r.resources), max(len(r.names), 1)} {
			things = min(things*by, mostPermissions+1)
		}
		if n += (things + len(r.urls)) * len(r.verbs); n > mostPermissions {
			return true
		}
	}
	return false
}

func texts(value any) []string {
	var all []string
	for _, item := range list(value) {
		all = append(all, oneLine(item))
	}
	return all
}

// rulesOf are the rules of a role. Of one without object there are none.
func rulesOf(o *chartObject) []rbacRule {
	if o == nil {
		return nil
	}
	var rules []rbacRule
	for _, r := range list(o.fields["rules"]) {
		rules = append(rules, rbacRule{texts(dig(r, "apiGroups")), texts(dig(r, "resources")), texts(dig(r, "resourceNames")), texts(dig(r, "nonResourceURLs")), texts(dig(r, "verbs"))})
	}
	return rules
}

// permissions takes rules apart. They are not too many: byLabel has refused those.
func permissions(rules []rbacRule) []permission {
	var all []permission
	seen := map[permission]bool{}
	add := func(p permission) {
		if !seen[p] {
			seen[p] = true
			all = append(all, p)
		}
	}
	for _, r := range rules {
		names := r.names
		if len(names) == 0 {
			names = []string{""}
		}
		for _, verb := range r.verbs {
			for _, url := range r.urls {
				add(permission{url: url, verb: verb})
			}
			for _, group := range r.groups {
				for _, resource := range r.resources {
					for _, name := range names {
						add(permission{group: group, resource: resource, name: name, verb: verb})
					}
				}
			}
		}
	}
	return all
}

// allowed tells whether rules allow something, by the API server's own rules: `*` is any group, any verb, any resource with its subresources, `*/scale` that subresource of
// any resource, and a URL may end in `*`.
func allowed(rules []rbacRule, p permission) bool {
	return slices.ContainsFunc(rules, func(r rbacRule) bool {
		if !slices.Contains(r.verbs, "*") && !slices.Contains(r.verbs, p.verb) {
			return false
		}
		if p.url != "" {
			return slices.ContainsFunc(r.urls, func(url string) bool {
				prefix, open := strings.CutSuffix(url, "*")
				return url == p.url || open && strings.HasPrefix(p.url, prefix)
			})
		}
		_, sub, isSub := strings.Cut(p.resource, "/")
		return (slices.Contains(r.groups, "*") || slices.Contains(r.groups, p.group)) &&
			(slices.Contains(r.resources, "*") || slices.Contains(r.resources, p.resource) || isSub && slices.Contains(r.resources, "*/"+sub)) &&
			(len(r.names) == 0 || p.name != "" && slices.Contains(r.names, p.name))
	})
}

// thing is what a permission is about, in ids and in words.
func (p permission) thing() (parts []string, words string) {
	switch group := p.group; {
	case p.url != "":
		return []string{"url", p.url}, p.url
	case group == "":
		return []string{"core", p.resource}, p.resource
	default:
		return []string{group, p.resource}, p.resource + " of " + group
	}
}

func (p permission) open() bool {
	return p.verb == "*" || p.group == "*" || strings.Contains(p.resource, "*") || strings.HasSuffix(p.url, "*")
}

// verbs lists the verbs of permissions on one thing.
func verbs(of []permission) string {
	all := map[string]bool{}
	for _, p := range of {
		if p.name != "" {
			p.verb += " (only " + p.name + ")"
		}
		all[p.verb] = true
	}
	return shortened(strings.Join(inOrderOf(all), ", "), 200)
}

// binding grants a role to subjects.
type binding struct {
	role      string   // its label
	namespace string   // where it grants: * for the whole cluster
	subjects  []string // kind, namespace and name
}

const everywhere = "*"

func readBinding(o *chartObject) binding {
	b := binding{namespace: o.namespace}
	own := o.namespace
	if own == "" {
		own = render.Namespace
	}
	if o.kind == "ClusterRoleBinding" {
		b.namespace = everywhere
	}
	b.role = text(dig(o.fields, "roleRef", "kind")) + " " + text(dig(o.fields, "roleRef", "name"))
	if strings.HasPrefix(b.role, "Role ") && o.namespace != "" {
		b.role = "Role " + o.namespace + ":" + text(dig(o.fields, "roleRef", "name"))
	}
	for _, s := range list(o.fields["subjects"]) {
		subject := text(dig(s, "kind")) + " "
		if text(dig(s, "kind")) == "ServiceAccount" {
			namespace := text(dig(s, "namespace"))
			if namespace == "" {
				namespace = own
			}
			if namespace != render.Namespace {
				subject += namespace + "/"
			}
		}
		b.subjects = append(b.subjects, subject+text(dig(s, "name")))
	}
	slices.Sort(b.subjects)
	b.subjects = slices.Compact(b.subjects)
	return b
}

// holds tells whether a subject has a permission in a namespace, and by which role.
func (s objectsOf) holds(subject, namespace string, p permission) (string, bool) {
	for _, b := range s.bindings {
		if (b.namespace == everywhere || b.namespace == namespace) && slices.Contains(b.subjects, subject) && allowed(rulesOf(s.objects[b.role]), p) {
			return b.role, true
		}
	}
	return "", false
}

// held tells whether all to whom bindings grant something hold each of the permissions in another version, and by which roles; nobody at all does not count.
func (s objectsOf) held(bindings []binding, all []permission) (by string, held bool) {
	roles := map[string]bool{}
	for _, b := range bindings {
		for _, subject := range b.subjects {
			for _, p := range all {
				role, ok := s.holds(subject, b.namespace, p)
				if !ok {
					return "", false
				}
				roles[role] = true
			}
		}
	}
	return strings.Join(inOrderOf(roles), ", "), len(roles) > 0
}

// of are the bindings that grant a role.
func (s objectsOf) of(o *chartObject) []binding {
	var all []binding
	for _, b := range s.bindings {
		if b.role == o.label {
			all = append(all, b)
		}
	}
	return all
}

// operators tells whether a role is the operator's own: it is granted to the accounts only that workloads of the same
// version run as. Such a role changes along with the code that needs it.
func (s objectsOf) operators(o *chartObject) bool {
	bindings := s.of(o)
	for _, b := range bindings {
		for _, subject := range b.subjects {
			if !s.runsAs(subject) {
				return false
			}
		}
	}
	return len(bindings) > 0
}

// runsAs tells whether a workload runs as a subject.
func (s objectsOf) runsAs(subject string) bool {
	for _, o := range s.objects {
		where := podIn[o.kind]
		if where == "" {
			continue
		}
		name := cmp.Or(text(dig(o.fields, strings.Split(where+".serviceAccountName", ".")...)), "default")
		if o.namespace != "" && o.namespace != render.Namespace {
			name = o.namespace + "/" + name
		}
		if subject == "ServiceAccount "+name {
			return true
		}
	}
	return false
}

func isBinding(o *chartObject) bool { return o.kind == "RoleBinding" || o.kind == "ClusterRoleBinding" }

// granted are the permissions that a role of this version allows, or a binding grants, and to whom.
func (s objectsOf) granted(o *chartObject) ([]binding, []permission) {
	if isBinding(o) {
		b := readBinding(o)
		return []binding{b}, permissions(rulesOf(s.objects[b.role]))
	}
	return s.of(o), permissions(rulesOf(o))
}

// stillHeld tells whether what a role or binding of the older version gave is held in the newer one.
func (c *objectsComparison) stillHeld(o *chartObject) bool {
	bindings, all := c.was.granted(o)
	_, held := c.now.held(bindings, all)
	return held
}

func (c *objectsComparison) addedRBAC(o *chartObject) {
	bindings, all := c.now.granted(o)
	severity, what := Notable, fmt.Sprintf("there is a new %s", o)
	if _, held := c.was.held(bindings, all); held {
		severity, what = Info, what+"; its subjects had these permissions before"
	}
	if slices.ContainsFunc(all, permission.open) && !isBinding(o) {
		what += "; it has a wildcard"
	}
	f := c.find(severity, o, what, "added")
	if isBinding(o) {
		f.Now = fmt.Sprintf("%s for %s", bindings[0].role, strings.Join(bindings[0].subjects, ", "))
		return
	}
	var list []string
	for _, of := range byThing(all) {
		_, words := of[0].thing()
		list = append(list, words+": "+verbs(of))
	}
	f.Now = shortened(strings.Join(list, "; "), 240)
}

// byThing groups permissions by what they are about, in order of appearance.
func byThing(all []permission) [][]permission {
	type thing struct{ group, resource, url string }
	index := map[thing]int{}
	var groups [][]permission
	for _, p := range all {
		t := thing{p.group, p.resource, p.url}
		i, ok := index[t]
		if !ok {
			i = len(groups)
			index[t] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], p)
	}
	return groups
}

// about are those of permissions that are about the same as one.
func about(all []permission, one permission) []permission {
	return slices.DeleteFunc(slices.Clone(all), func(p permission) bool { return p.group != one.group || p.resource != one.resource || p.url != one.url })
}

// lacking are the permissions that rules do not allow.
func lacking(all []permission, rules []rbacRule) []permission {
	return slices.DeleteFunc(slices.Clone(all), func(p permission) bool { return allowed(rules, p) })
}

func (c *objectsComparison) bothRBAC(was, now *chartObject, told map[string]bool) {
	if isBinding(now) {
		c.subjects(was, now)
		told["subjects"] = true
		return
	}
	told["rules"] = true
	before, after := rulesOf(was), rulesOf(now)
	allBefore, allAfter := permissions(before), permissions(after)
	for _, lost := range byThing(lacking(allBefore, after)) {
		parts, words := lost[0].thing()
		severity, what := Breaking, fmt.Sprintf("%s no longer allows to %s %s: clients that need this fail", now, verbs(lost), words)
		if c.was.operators(was) {
			severity, what = Notable, fmt.Sprintf("the operator may no longer %s %s, by its own %s", verbs(lost), words, now)
		}
		if by, held := c.now.held(c.was.of(was), lost); held {
			severity, what = Info, fmt.Sprintf("%s no longer allows to %s %s; %s does now", now, verbs(lost), words, by)
		}
		f := c.find(severity, now, what, append(parts, "removed")...)
		f.Was, f.Now = verbs(about(allBefore, lost[0])), verbs(about(allAfter, lost[0]))
	}
	for _, gained := range byThing(lacking(allAfter, before)) {
		parts, words := gained[0].thing()
		severity, what := Notable, fmt.Sprintf("%s allows to %s %s as well", now, verbs(gained), words)
		if c.now.operators(now) {
			what = fmt.Sprintf("the operator may %s %s as well, by its own %s", verbs(gained), words, now)
		}
		if slices.ContainsFunc(gained, permission.open) {
			what += ": a wildcard, which includes everything that comes later"
		}
		if by, held := c.was.held(c.now.of(now), gained); held {
			severity, what = Info, fmt.Sprintf("%s allows to %s %s; %s did before", now, verbs(gained), words, by)
		}
		f := c.find(severity, now, what, append(parts, "widened")...)
		f.Was, f.Now = verbs(about(allBefore, gained[0])), verbs(about(allAfter, gained[0]))
	}
	c.aggregation(was, now, told)
}

// aggregateTo begins labels by which a ClusterRole joins one of those that clusters give to users.
const aggregateTo = "rbac.authorization.k8s.io/aggregate-to-"

func (c *objectsComparison) aggregation(was, now *chartObject, told map[string]bool) {
	joins := func(o *chartObject) map[string]bool {
		all := map[string]bool{}
		labels, _ := dig(o.fields, "metadata", "labels").(map[string]any)
		for key, value := range labels {
			if role, ok := strings.CutPrefix(key, aggregateTo); ok && value == "true" {
				all[role] = true
			}
		}
		return all
	}
	labels, other := dig(was.fields, "metadata", "labels"), dig(now.fields, "metadata", "labels")
	for _, l := range []any{labels, other} {
		m, _ := l.(map[string]any)
		for key := range m {
			if strings.HasPrefix(key, aggregateTo) {
				told[joined("metadata.labels", key)] = true
			}
		}
	}
	told["aggregationRule"] = true
	before, after := joins(was), joins(now)
	ruleBefore, ruleAfter := was.fields["aggregationRule"], now.fields["aggregationRule"]
	if reflect.DeepEqual(before, after) && reflect.DeepEqual(ruleBefore, ruleAfter) {
		return
	}
	severity, what := Notable, fmt.Sprintf("%s aggregates other roles, or is aggregated by others", now)
	for role := range before {
		if !after[role] {
			severity, what = Breaking, fmt.Sprintf("%s is no longer part of all roles that aggregated it: their subjects lose its permissions", now)
		}
	}
	show := func(roles map[string]bool, rule any) string {
		return strings.TrimSpace(strings.Join(inOrderOf(roles), ", ") + " " + oneLine(rule))
	}
	f := c.find(severity, now, what, "aggregation", "changed")
	f.Was, f.Now = show(before, ruleBefore), show(after, ruleAfter)
}

func (c *objectsComparison) subjects(was, now *chartObject) {
	before, after := readBinding(was), readBinding(now)
	less := func(from, what binding) binding {
		from.subjects = slices.DeleteFunc(slices.Clone(from.subjects), func(s string) bool { return slices.Contains(what.subjects, s) })
		return from
	}
	if lost := less(before, after); len(lost.subjects) > 0 {
		severity, what := Breaking, fmt.Sprintf("%s no longer grants %s to %s: they lose its permissions", now, before.role, strings.Join(lost.subjects, ", "))
		if _, held := c.now.held([]binding{lost}, permissions(rulesOf(c.was.objects[before.role]))); held {
			severity, what = Info, fmt.Sprintf("%s no longer grants %s to %s, who have it by another binding", now, before.role, strings.Join(lost.subjects, ", "))
		}
		f := c.find(severity, now, what, "subjects", "removed")
		f.Was, f.Now = strings.Join(before.subjects, ", "), strings.Join(after.subjects, ", ")
	}
	if gained := less(after, before); len(gained.subjects) > 0 {
		f := c.find(Notable, now, fmt.Sprintf("%s grants %s to %s as well", now, after.role, strings.Join(gained.subjects, ", ")), "subjects", "added")
		f.Was, f.Now = strings.Join(before.subjects, ", "), strings.Join(after.subjects, ", ")
	}
}
