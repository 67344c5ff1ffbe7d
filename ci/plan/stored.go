package plan

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/operator-release/operator-release/ci/compare"
)

// difference is the path of the first value in which two CRDs differ for an API server; empty if there is none. A
// conversion that only one has is no difference: patches add it.
func difference(a, b compare.Definition) string {
	one, other := runtime.DeepCopyJSON(a.Spec), runtime.DeepCopyJSON(b.Spec)
	if one["conversion"] == nil || other["conversion"] == nil {
		delete(one, "conversion")
		delete(other, "conversion")
	}
	if !a.Old { // both are of the same version
		storedOne, err := asStored(one)
		storedOther, errOther := asStored(other)
		if err == nil && errOther == nil { // else a template makes what has no such type
			one, other = storedOne, storedOther
		}
	}
	return firstDifference(one, other, "spec")
}

// filledIn is a value that a template makes.
type filledIn struct {
	within []any // keys and indexes that lead to its map
	key    string
	value  any
}

// asStored gives the spec of a CRD as a server stores it: with the server's defaults, without fields that no CRD has.
// What a template fills in stays.
func asStored(spec map[string]any) (map[string]any, error) {
	var later []filledIn
	takeOut(spec, nil, &later)
	content, err := json.Marshal(map[string]any{"spec": spec})
	if err != nil {
		return nil, err
	}
	var crd apiextensionsv1.CustomResourceDefinition
	if err := json.Unmarshal(content, &crd); err != nil {
		return nil, err
	}
	apiextensionsv1.SetObjectDefaults_CustomResourceDefinition(&crd)
	if content, err = json.Marshal(crd.Spec); err != nil {
		return nil, err
	}
	stored := map[string]any{}
	if err := json.Unmarshal(content, &stored); err != nil {
		return nil, err
	}
	for _, f := range later {
		if object := lookUp(stored, f.within); object != nil {
			object[f.key] = f.value
		}
	}
	return stored, nil
}

// takeOut removes the members of maps that a template fills in.
func takeOut(node any, within []any, taken *[]filledIn) {
	switch n := node.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(n)) {
			text, _ := n[key].(string)
			if strings.Contains(key, compare.Templated) || strings.Contains(text, compare.Templated) {
				*taken = append(*taken, filledIn{slices.Clone(within), key, n[key]})
				delete(n, key)
				continue
			}
			takeOut(n[key], append(within, key), taken)
		}
	case []any:
		for i := range n {
			takeOut(n[i], append(within, i), taken)
		}
	}
}

// lookUp gives the map at a path. Maps that are missing on the way are made; nil if there can be none.
func lookUp(node any, within []any) map[string]any {
	for i, step := range within {
		switch n := node.(type) {
		case map[string]any:
			key, _ := step.(string)
			if n[key] == nil && i+1 < len(within) && reflect.TypeOf(within[i+1]).Kind() == reflect.Int {
				return nil
			}
			if n[key] == nil {
				n[key] = map[string]any{}
			}
			node = n[key]
		case []any:
			index, ok := step.(int)
			if !ok || index >= len(n) {
				return nil
			}
			node = n[index]
		default:
			return nil
		}
	}
	object, _ := node.(map[string]any)
	return object
}

// unordered are the lists of a CRD whose order has no meaning.
var unordered = []string{"required", "enum", "x-kubernetes-list-map-keys", "shortNames", "categories"}

// firstDifference is the path of the first value in which two specs differ; empty if there is none. A description, and
// what a template fills in, is no difference.
func firstDifference(a, b any, at string) string {
	for _, side := range []any{a, b} {
		if text, ok := side.(string); ok && strings.Contains(text, compare.Templated) {
			return ""
		}
	}
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok {
			return at
		}
		return differentMember(x, y, at)
	case []any:
		y, ok := b.([]any)
		if !ok || len(x) != len(y) {
			return at
		}
		for i := range x {
			other := y[i]
			if at == "spec.versions" {
				other = sameName(x[i], y)
			}
			if where := firstDifference(x[i], other, fmt.Sprintf("%s[%d]", at, i)); where != "" {
				return where
			}
		}
		return ""
	}
	if !reflect.DeepEqual(a, b) {
		return at
	}
	return ""
}

func differentMember(x, y map[string]any, at string) string {
	names := slices.AppendSeq(slices.Collect(maps.Keys(x)), maps.Keys(y))
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		one, hasOne := x[name]
		other, hasOther := y[name]
		if strings.Contains(name, compare.Templated) || !hasOne && compare.HasLine(x) || !hasOther && compare.HasLine(y) {
			continue // a template may make it
		}
		if _, text := one.(string); name == "description" && (text || one == nil) {
			if _, text := other.(string); text || other == nil {
				continue
			}
		}
		if slices.Contains(unordered, name) {
			one, other = inOrder(one), inOrder(other)
		}
		if where := firstDifference(one, other, at+"."+name); where != "" {
			return where
		}
	}
	return ""
}

// sameName gives the version of a list that has the name of another; nil if none has it.
func sameName(v any, list []any) any {
	version, _ := v.(map[string]any)
	for _, item := range list {
		if other, _ := item.(map[string]any); other != nil && reflect.DeepEqual(other["name"], version["name"]) {
			return item
		}
	}
	return nil
}

// inOrder sorts a list by what its items are in JSON. Any other value stays as it is.
func inOrder(value any) any {
	list, ok := value.([]any)
	if !ok {
		return value
	}
	return slices.SortedFunc(slices.Values(list), func(a, b any) int {
		one, _ := json.Marshal(a)
		other, _ := json.Marshal(b)
		return strings.Compare(string(one), string(other))
	})
}
