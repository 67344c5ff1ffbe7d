package gate

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// lookedAt says what was looked at in the objects of a rendering, by kind.
func lookedAt(objects []*object, definitions map[schema.GroupKind]*definition) string {
	all, whole, part, fields := 0, map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, o := range objects {
		switch {
		case o.crd != nil, !o.known && definitions[o.gvk.GroupKind()] != nil:
			whole[o.gvk.Kind] = true
		case !o.known: // a check of its own says that it was not checked
			continue
		case o.deeper:
			part[o.gvk.Kind] = true
		default:
			fields[o.gvk.Kind] = true
		}
		all++
	}
	text := fmt.Sprintf("%d objects", all)
	var says []string
	for _, kinds := range []struct {
		about string
		kinds map[string]bool
	}{{"validated as API servers do: ", whole},
		{"fields, metadata, fixed values and common rules alone: ", part},
		{"fields, metadata and fixed values alone: ", fields}} {
		if len(kinds.kinds) > 0 {
			says = append(says, kinds.about+strings.Join(slices.Sorted(maps.Keys(kinds.kinds)), ", "))
		}
	}
	if len(says) == 0 {
		return text
	}
	return text + "; " + strings.Join(says, "; ")
}
