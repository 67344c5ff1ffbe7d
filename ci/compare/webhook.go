package compare

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// webhooksOf are the webhooks of a configuration by name.
func webhooksOf(o *chartObject) map[string]any {
	all := map[string]any{}
	for _, w := range list(o.fields["webhooks"]) {
		all[text(dig(w, "name"))] = w
	}
	return all
}

// hook is one webhook with what the API sets where it says nothing.
type hook struct {
	fields any
	beta   bool // of v1beta1, which has other defaults
}

func hookOf(o *chartObject, w any) hook {
	return hook{w, strings.HasSuffix(text(o.fields["apiVersion"]), "/v1beta1")}
}

func (h hook) get(field string) any {
	if v := dig(h.fields, field); v != nil {
		return v
	}
	switch field {
	case "failurePolicy":
		if h.beta {
			return "Ignore"
		}
		return "Fail"
	case "matchPolicy":
		if h.beta {
			return "Exact"
		}
		return "Equivalent"
	case "timeoutSeconds":
		if h.beta {
			return float64(30)
		}
		return float64(10)
	case "namespaceSelector", "objectSelector":
		return map[string]any{}
	case "matchConditions":
		return []any{}
	}
	return nil
}

func (h hook) fails() bool { return h.get("failurePolicy") == "Fail" }

// request is what a webhook may be asked about.
type request struct{ group, version, resource, scope, operation string }

// requests takes the rules of a webhook apart.
func (h hook) requests() []request {
	var all []request
	for _, r := range list(dig(h.fields, "rules")) {
		scope := text(dig(r, "scope"))
		if scope == "" {
			scope = "*"
		}
		for _, group := range texts(dig(r, "apiGroups")) {
			for _, version := range texts(dig(r, "apiVersions")) {
				for _, resource := range texts(dig(r, "resources")) {
					for _, operation := range texts(dig(r, "operations")) {
						if q := (request{group, version, resource, scope, operation}); len(all) < mostPermissions {
							all = append(all, q)
						}
					}
				}
			}
		}
	}
	return all
}

// includes tells whether one request is the other or more, as admission matches them: `*` is any group, version, operation, scope and resource without its subresources,
// `pods/*` each subresource of pods, `*/scale` that of any resource, and `*/*` everything.
func (q request) includes(p request) bool {
	same := func(a, b string) bool { return a == "*" || a == b }
	resource, sub, isSub := strings.Cut(q.resource, "/")
	other, otherSub, otherIsSub := strings.Cut(p.resource, "/")
	fits := same(resource, other) && isSub == otherIsSub && (!isSub || same(sub, otherSub))
	return same(q.group, p.group) && same(q.version, p.version) && same(q.scope, p.scope) && same(q.operation, p.operation) && (fits || q.resource == "*/*")
}

// beyond are the requests of one webhook that another is not asked about.
func beyond(all, other []request) []request {
	return slices.DeleteFunc(slices.Clone(all), func(p request) bool {
		return slices.ContainsFunc(other, func(q request) bool { return q.includes(p) })
	})
}

// requested are requests in words, by resource.
func requested(all []request) string {
	operations := map[string]map[string]bool{}
	for _, q := range all {
		what := q.resource
		if q.group != "" {
			what += "." + q.group
		}
		what += " " + q.version
		if q.scope != "*" {
			what += " (" + q.scope + ")"
		}
		if operations[what] == nil {
			operations[what] = map[string]bool{}
		}
		operations[what][q.operation] = true
	}
	var words []string
	for _, what := range inOrderOf(operations) {
		words = append(words, strings.Join(inOrderOf(operations[what]), ", ")+" "+what)
	}
	return shortened(strings.Join(words, "; "), 240)
}

func (c *objectsComparison) addedWebhook(o *chartObject, name string, w any) {
	h := hookOf(o, w)
	what := fmt.Sprintf("there is a new webhook %s", name)
	if h.fails() {
		what += ": while it is down, the API server refuses these requests"
	}
	f := c.find(Notable, o, what, name, "added")
	f.Now = requested(h.requests())
}

func (c *objectsComparison) bothWebhooks(was, now *chartObject, told map[string]bool) {
	before, after := webhooksOf(was), webhooksOf(now)
	for _, name := range inOrderOf(before) {
		at := joined("webhooks", itemMark+name)
		w, ok := after[name]
		if !ok {
			f := c.find(Notable, now, fmt.Sprintf("the webhook %s is gone: nothing checks or changes these requests any more", name), name, "removed")
			f.Was = requested(hookOf(was, before[name]).requests())
			told[at] = true
			continue
		}
		c.webhook(now, name, hookOf(was, before[name]), hookOf(now, w))
		for _, field := range []string{"failurePolicy", "rules", "namespaceSelector", "objectSelector", "matchConditions", "sideEffects", "timeoutSeconds", "matchPolicy", "admissionReviewVersions"} {
			told[at+"."+field] = true
		}
		told[at+".clientConfig.caBundle"] = true
	}
	for _, name := range inOrderOf(after) {
		if _, ok := before[name]; !ok {
			c.addedWebhook(now, name, after[name])
			told[joined("webhooks", itemMark+name)] = true
		}
	}
	if len(before) == 0 || len(after) == 0 {
		told["webhooks"] = true
	}
}

// webhook compares two versions of a webhook. More that may be refused is breaking where the webhook's failure refuses it, for then it takes no more than an unreachable
// operator; whether its answer does cannot be told from here.
func (c *objectsComparison) webhook(o *chartObject, name string, was, now hook) {
	find := func(severity Severity, what, became string, a, b any) {
		f := c.find(severity, o, fmt.Sprintf(what, name), name, became)
		f.Was, f.Now = oneLine(a), oneLine(b)
	}
	more := Notable
	if now.fails() {
		more = Breaking
	}
	if a, b := was.get("failurePolicy"), now.get("failurePolicy"); a != b {
		if now.fails() {
			find(Breaking, "the API server refuses the requests of the webhook %s now while it is down", "failure-policy-changed", a, b)
		} else {
			find(Notable, "the requests of the webhook %s pass unchecked now while it is down", "failure-policy-changed", a, b)
		}
	}
	before, after := was.requests(), now.requests()
	if gained := beyond(after, before); len(gained) > 0 {
		find(more, "the webhook %s gets more requests: "+strings.ReplaceAll(requested(gained), "%", "%%"), "rules-widened", requested(before), requested(after))
	}
	if lost := beyond(before, after); len(lost) > 0 {
		find(Notable, "the webhook %s gets fewer requests: "+strings.ReplaceAll(requested(lost), "%", "%%"), "rules-narrowed", requested(before), requested(after))
	}
	for _, selector := range []string{"namespaceSelector", "objectSelector", "matchConditions"} {
		a, b := was.get(selector), now.get(selector)
		if reflect.DeepEqual(a, b) {
			continue
		}
		severity, what := Notable, "the webhook %s gets other requests: its "+selector+" changed"
		if m := oneLine(b); m == "{}" || m == "[]" {
			severity, what = more, "the webhook %s gets all requests: it has no "+selector+" any more"
		}
		find(severity, what, selector+"-changed", a, b)
	}
	for _, field := range []struct {
		name     string
		severity Severity
		what     string
	}{
		{"matchPolicy", Notable, "the webhook %s gets requests for other versions of the same resources: its matchPolicy changed"},
		{"sideEffects", Info, "the webhook %s declares other side effects; a dry run is refused if it has any"},
		{"timeoutSeconds", Info, "the webhook %s has another timeout"},
		{"admissionReviewVersions", Info, "the webhook %s speaks other versions of AdmissionReview"},
	} {
		if a, b := was.get(field.name), now.get(field.name); !reflect.DeepEqual(a, b) {
			if field.name == "sideEffects" && dryRun(a) != dryRun(b) {
				field.severity = Notable
			}
			find(field.severity, field.what, field.name+"-changed", a, b)
		}
	}
}

// dryRun tells whether dry runs may reach a webhook of such side effects; else they are refused.
func dryRun(sideEffects any) bool { return sideEffects == "None" || sideEffects == "NoneOnDryRun" }
