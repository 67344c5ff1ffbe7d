package gate

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/operator-release/operator-release/ci/render"
)

// The kinds of node labels that say for what a node runs images, by label.
var nodeLabels = map[string]string{
	"kubernetes.io/os": "os", "beta.kubernetes.io/os": "os",
	"kubernetes.io/arch": "architecture", "beta.kubernetes.io/arch": "architecture",
}

// nodeRule is one thing that a pod asks of a node's operating system or architecture.
type nodeRule struct {
	at, kind, operator string
	values             []string
}

// holds tells whether a node of a platform meets the rule. An operator without values says nothing of a platform.
func (r nodeRule) holds(platform string) bool {
	os, architecture, _ := strings.Cut(platform, "/")
	value := map[string]string{"os": os, "architecture": strings.Split(architecture, "/")[0]}[r.kind]
	switch r.operator {
	case "In":
		return slices.Contains(r.values, value)
	case "NotIn":
		return !slices.Contains(r.values, value)
	case "DoesNotExist":
		return false
	}
	return true
}

func (r nodeRule) String() string {
	if r.operator == "DoesNotExist" {
		return r.at + ": " + r.operator
	}
	return fmt.Sprintf("%s: %s %s", r.at, r.operator, strings.Join(r.values, ", "))
}

// checkNodes compares the nodes that pods ask for with the platforms of the images that they run. There is one check
// per chart that asks for an operating system or an architecture. A pod that no node with an image can run fails a
// final if default values make it. A pod that may also go to other nodes, or prefers them, is a warning: kubebuilder's
// scaffold names four architectures, also for operators that build two.
func (o Options) checkNodes(charts []renderedChart) []Check {
	platforms := map[string][]string{} // by whole repository
	for repository, of := range o.ImagePlatforms {
		platforms[render.ParseReference(repository).Repository] = of
	}
	var checks []Check
	for _, chart := range charts {
		check := Check{Name: NodesCheck, Subject: chart.dir, Status: Passed}
		asked, told := false, map[string]bool{}
		for _, r := range chart.renderings { // those with default values first
			for _, object := range r.objects {
				eachPod(object.fields, "", func(at string, pod map[string]any) {
					hard, soft, asks := nodeProblems(at, pod, platforms)
					asked = asked || asks
					for _, problem := range slices.Concat(hard, soft) {
						says := object.says(problem)
						if told[says] {
							continue
						}
						told[says] = true
						if !r.byDefault {
							says = "with " + r.set + ": " + says
						}
						check.Details = append(check.Details, says)
					}
					switch {
					case len(hard) > 0 && o.Final && r.byDefault:
						check.Status = Failed
					case len(hard)+len(soft) > 0 && check.Status == Passed:
						check.Status = Warned
					}
				})
			}
		}
		if asked {
			checks = append(checks, check)
		}
	}
	return checks
}

// eachPod calls do with each pod's specification in an object: a mapping that lists containers.
func eachPod(value any, at string, do func(at string, pod map[string]any)) {
	switch value := value.(type) {
	case map[string]any:
		if _, ok := value["containers"].([]any); ok {
			do(at, value)
		}
		for _, key := range slices.Sorted(maps.Keys(value)) {
			eachPod(value[key], strings.TrimPrefix(at+"."+key, "."), do)
		}
	case []any:
		for i, item := range value {
			eachPod(item, fmt.Sprintf("%s[%d]", at, i), do)
		}
	}
}

// nodeProblems says which nodes a pod asks for, or prefers, for which its images are not made. hard is of pods that no
// other node runs. asks tells whether the pod asks anything of a node of images that are released.
func nodeProblems(at string, pod map[string]any, platforms map[string][]string) (hard, soft []string, asks bool) {
	images := map[string]string{} // image to repository
	for _, key := range []string{"initContainers", "containers"} {
		list, _ := pod[key].([]any)
		for _, item := range list {
			container, _ := item.(map[string]any)
			name, _ := container["image"].(string)
			if repository := render.ParseReference(name).Repository; name != "" && len(platforms[repository]) > 0 {
				images[name] = repository
			}
		}
	}
	required, preferred := nodeTerms(at, pod)
	if len(images) == 0 || len(required)+len(preferred) == 0 {
		return nil, nil, false
	}
	for _, image := range slices.Sorted(maps.Keys(images)) {
		has := platforms[images[image]]
		for _, why := range lackedNodes(required, has) {
			problem := fmt.Sprintf("%s; %s is for %s; build the image for these nodes too, or correct the chart",
				why, image, strings.Join(has, ", "))
			if slices.ContainsFunc(required, func(term []nodeRule) bool { return fits(term, has) }) {
				soft = append(soft, problem)
			} else {
				hard = append(hard, problem)
			}
		}
		for _, why := range lackedNodes(preferred, has) {
			soft = append(soft, fmt.Sprintf("it prefers %s; %s is for %s", why, image, strings.Join(has, ", ")))
		}
	}
	return hard, soft, true
}

// lackedNodes are the rules that lead a pod to nodes without an image. A pod goes to the nodes of any term.
func lackedNodes(terms [][]nodeRule, has []string) []string {
	var why []string
	for _, term := range terms {
		fits := fits(term, has)
		for _, rule := range term {
			lacked := !fits && !slices.ContainsFunc(has, rule.holds)
			for _, value := range rule.values {
				one := nodeRule{kind: rule.kind, operator: "In", values: []string{value}}
				lacked = lacked || rule.operator == "In" && !slices.ContainsFunc(has, one.holds)
			}
			if lacked {
				why = appendOnce(why, rule.String())
			}
		}
		if !fits && len(why) == 0 { // each rule alone fits a platform, and no platform fits all of them
			var all []string
			for _, rule := range term {
				all = append(all, rule.String())
			}
			why = append(why, strings.Join(all, "; "))
		}
	}
	return why
}

// fits tells whether a node of one of the platforms meets all rules of a term.
func fits(term []nodeRule, has []string) bool {
	return slices.ContainsFunc(has, func(platform string) bool {
		return !slices.ContainsFunc(term, func(r nodeRule) bool { return !r.holds(platform) })
	})
}

// nodeTerms are what a pod asks of its node, and what it prefers. The node has to meet one of the required terms.
func nodeTerms(at string, pod map[string]any) (required, preferred [][]nodeRule) {
	var always []nodeRule
	selector, _ := pod["nodeSelector"].(map[string]any)
	for _, label := range slices.Sorted(maps.Keys(selector)) {
		if kind := nodeLabels[label]; kind != "" {
			always = append(always, nodeRule{at + ".nodeSelector " + label, kind, "In", []string{fmt.Sprint(selector[label])}})
		}
	}
	if os, _ := pod["os"].(map[string]any); os["name"] != nil {
		always = append(always, nodeRule{at + ".os.name", "os", "In", []string{fmt.Sprint(os["name"])}})
	}
	affinity, _ := pod["affinity"].(map[string]any)
	node, _ := affinity["nodeAffinity"].(map[string]any)
	at += ".affinity.nodeAffinity"
	const during = "DuringSchedulingIgnoredDuringExecution"
	of, _ := node["required"+during].(map[string]any)
	terms, _ := of["nodeSelectorTerms"].([]any)
	for _, term := range terms {
		if rules := nodeRules(at+".required"+during, term); len(rules)+len(always) > 0 {
			required = append(required, slices.Concat(always, rules))
		}
	}
	if len(terms) == 0 && len(always) > 0 {
		required = [][]nodeRule{always}
	}
	wishes, _ := node["preferred"+during].([]any)
	for _, item := range wishes {
		wish, _ := item.(map[string]any)
		if rules := nodeRules(at+".preferred"+during, wish["preference"]); len(rules) > 0 {
			preferred = append(preferred, rules)
		}
	}
	return required, preferred
}

// nodeRules are the rules of a term that are about the operating system or the architecture.
func nodeRules(at string, term any) []nodeRule {
	of, _ := term.(map[string]any)
	expressions, _ := of["matchExpressions"].([]any)
	var rules []nodeRule
	for _, item := range expressions {
		expression, _ := item.(map[string]any)
		label, _ := expression["key"].(string)
		kind := nodeLabels[label]
		if kind == "" {
			continue
		}
		operator, _ := expression["operator"].(string)
		rule := nodeRule{at: at + " " + label, kind: kind, operator: operator}
		values, _ := expression["values"].([]any)
		for _, value := range values {
			rule.values = append(rule.values, fmt.Sprint(value))
		}
		rules = append(rules, rule)
	}
	return rules
}
