package compare

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"strings"
)

// differing calls for each path at which two values differ. Items of lists are told apart by name where each has one; other lists are compared as a whole.
func differing(path string, was, now any, each func(path, how string)) {
	if before, ok := was.(map[string]any); ok {
		if after, ok := now.(map[string]any); ok {
			keys := maps.Clone(before)
			maps.Copy(keys, after)
			for _, key := range inOrderOf(keys) {
				a, had := before[key]
				b, has := after[key]
				switch below := joined(path, key); {
				case !has:
					each(below, " is gone")
				case !had:
					each(below, " is new")
				default:
					differing(below, a, b, each)
				}
			}
			return
		}
	}
	before, after := byName(was), byName(now)
	if before != nil && after != nil {
		differing(path, before, after, each)
		return
	}
	if !reflect.DeepEqual(was, now) {
		each(path, "")
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
		checksum.MatchString(path) || kind == "Secret" && (strings.HasPrefix(path, "data") || strings.HasPrefix(path, "stringData"))
}

// checksum is an annotation that restarts pods whose configuration changed.
var checksum = regexp.MustCompile(`annotations\[(?:checksum/|[^\]]*[-./]checksum\])`)

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
		f := c.find(Breaking, now, fmt.Sprintf("%s of %s changed, and Kubernetes does not allow that: the upgrade fails until you delete the object", field.path, now), field.path, "changed")
		f.Was, f.Now = oneLine(a), oneLine(b)
		told[field.path] = true
	}
}
