package gate

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	release "helm.sh/helm/v4/pkg/release/v1"

	"github.com/operator-release/operator-release/ci/refusal"
)

// hookEvents are the events for which Helm runs hooks.
var hookEvents = []string{
	release.HookPreInstall.String(), release.HookPostInstall.String(), release.HookPreDelete.String(),
	release.HookPostDelete.String(),
	release.HookPreUpgrade.String(), release.HookPostUpgrade.String(), release.HookPreRollback.String(),
	release.HookPostRollback.String(),
	release.HookTest.String(), "test-success",
}

var (
	deletePolicies = []string{release.HookSucceeded.String(), release.HookFailed.String(),
		release.HookBeforeHookCreation.String()}
	logPolicies = []string{release.HookOutputOnSucceeded.String(), release.HookOutputOnFailed.String()}
)

// annotation is the text of an annotation; ok tells whether it is there.
func (o *object) annotation(name string) (text string, ok bool) {
	metadata, _ := o.fields["metadata"].(map[string]any)
	annotations, _ := metadata["annotations"].(map[string]any)
	text, ok = annotations[name].(string)
	return text, ok
}

// listed splits an annotation as Helm does.
func listed(value string) []string {
	all := strings.Split(value, ",")
	for i := range all {
		all[i] = strings.ToLower(strings.TrimSpace(all[i]))
	}
	return all
}

const (
	// helmAnnotation begins the names of Helm's annotations.
	helmAnnotation = "helm.sh/"
	// resourcePolicy is the annotation of an object that an uninstall and an upgrade keep.
	resourcePolicy = helmAnnotation + "resource-policy"
)

// annotationProblems finds what Helm reads in annotations and does not know.
func (o *object) annotationProblems() []string {
	problems := o.hookProblems()
	if value, ok := o.annotation(resourcePolicy); ok && value != "keep" {
		problems = append(problems, fmt.Sprintf("%s: Helm knows no policy %q: an upgrade deletes the object, and an "+
			"uninstall leaves it without a word; use keep, or remove the annotation", resourcePolicy, value))
	}
	metadata, _ := o.fields["metadata"].(map[string]any)
	annotations, _ := metadata["annotations"].(map[string]any)
	var known []string
	for _, name := range []string{release.HookAnnotation, release.HookDeleteAnnotation, release.HookOutputLogAnnotation,
		release.HookWeightAnnotation, resourcePolicy} {
		known = append(known, strings.TrimPrefix(name, helmAnnotation))
	}
	for _, name := range slices.Sorted(maps.Keys(annotations)) {
		key, helms := strings.CutPrefix(name, helmAnnotation)
		if meant := refusal.Nearest(key, known); helms && meant != "" && meant != key {
			problems = append(problems, fmt.Sprintf("%s: Helm knows no such annotation and ignores it; did you mean %s%s?", name,
				helmAnnotation, meant))
		}
	}
	return problems
}

// hooks are the events of a hook; none for an object that is no hook.
func (o *object) hooks() []string {
	value, ok := o.annotation(release.HookAnnotation)
	if !ok {
		return nil
	}
	return listed(value)
}

// hookProblems finds annotations of a hook that Helm does not know. Helm says nothing: it leaves out an object with an
// unknown event, and ignores an unknown policy or weight.
func (o *object) hookProblems() []string {
	var problems []string
	events := o.hooks()
	if events == nil {
		return nil
	}
	for _, event := range events {
		if !slices.Contains(hookEvents, event) {
			problems = append(problems, fmt.Sprintf("%s: Helm has no event %q and silently leaves the object out; use some "+
				"of %s",
				release.HookAnnotation, event, strings.Join(hookEvents, ", ")))
		}
	}
	for name, known := range map[string][]string{release.HookDeleteAnnotation: deletePolicies,
		release.HookOutputLogAnnotation: logPolicies} {
		value, ok := o.annotation(name)
		if !ok {
			continue
		}
		for _, policy := range listed(value) {
			if !slices.Contains(known, policy) {
				problems = append(problems, fmt.Sprintf("%s: Helm has no policy %q and ignores it; use some of %s", name, policy,
					strings.Join(known, ", ")))
			}
		}
	}
	if weight, ok := o.annotation(release.HookWeightAnnotation); ok {
		if _, err := strconv.Atoi(weight); err != nil {
			problems = append(problems, fmt.Sprintf("%s: %q is no whole number, and Helm takes it for 0; correct it",
				release.HookWeightAnnotation, weight))
		}
	}
	slices.Sort(problems)
	return problems
}
