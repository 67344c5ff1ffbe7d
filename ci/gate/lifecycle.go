package gate

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	apiversion "k8s.io/apimachinery/pkg/util/version"

	"github.com/operator-release/operator-release/ci/render"
)

// removal says from when to when Kubernetes serves a version of an API. Versions are minors of Kubernetes 1.
type removal struct {
	introduced, removed int
	replacement         schema.GroupVersionKind // empty: there is none
}

// removalOf is the removal of an object's API; nil for one that Kubernetes has not removed.
func removalOf(typed runtime.Object) *removal {
	gone, ok := typed.(interface{ APILifecycleRemoved() (int, int) })
	if !ok {
		return nil
	}
	major, minor := gone.APILifecycleRemoved()
	if major != 1 {
		return nil
	}
	r := &removal{removed: minor}
	if came, ok := typed.(interface{ APILifecycleIntroduced() (int, int) }); ok {
		_, r.introduced = came.APILifecycleIntroduced()
	}
	if next, ok := typed.(interface {
		APILifecycleReplacement() schema.GroupVersionKind
	}); ok {
		r.replacement = next.APILifecycleReplacement()
	}
	return r
}

var unavailable = regexp.MustCompile(`unavailable in v1\.(\d+)\+`)

// ofRemovedAPI tells whether Helm's linter speaks of an API that a version of Kubernetes does not serve: of that,
// removedAPIs tells.
func ofRemovedAPI(message, kubernetes string) bool {
	m := unavailable.FindStringSubmatch(message)
	if m == nil {
		return false
	}
	removed, err := strconv.Atoi(m[1])
	return err == nil && removed <= minorOf(kubernetes)
}

// minorOf is the minor version of Kubernetes 1, of a version such as v1.37.0.
func minorOf(kubernetes string) int {
	v, err := apiversion.ParseGeneric(kubernetes)
	if err != nil {
		return 0
	}
	return int(v.Minor())
}

// removedAPIs has one check for each object that a version of Kubernetes refuses for which the chart yields it, since
// it removed the API. A final version fails if no version that kubeVersion allows serves it, or, without kubeVersion,
// no version that the Kubernetes project supports; else it is a warning.
func removedAPIs(chart renderedChart, final bool) []Check {
	var checks []Check
	var seen []string
	for _, r := range chart.renderings {
		for _, o := range r.objects {
			if o.removal == nil || o.removal.removed > minorOf(r.kubernetes) {
				continue
			}
			c := Check{Name: ObjectsCheck, Subject: fmt.Sprintf("%s: %s %s", chart.dir, o.gvk.GroupVersion(), o), Status: Warned}
			if slices.Contains(seen, o.file+c.Subject) {
				continue
			}
			seen = append(seen, o.file+c.Subject)
			detail := fmt.Sprintf("%s: Kubernetes 1.%d to 1.%d served this API, and Kubernetes %s refuses the object",
				o.file, o.removal.introduced, o.removal.removed-1, strings.TrimPrefix(r.kubernetes, "v"))
			if !render.Allows(chart.kubeVersion, o.removal.introduced, o.removal.removed-1) {
				because := "; kubeVersion " + chart.kubeVersion + " allows none of these"
				if chart.kubeVersion == "" {
					because = "; no kubeVersion is named, and none of these is supported any more"
				}
				detail += because
				if final {
					c.Status = Failed
				}
			}
			if next := o.removal.replacement; !next.Empty() {
				detail += fmt.Sprintf("; use %s %s", next.GroupVersion(), next.Kind)
			} else {
				detail += "; remove it"
			}
			c.Details = []string{detail}
			checks = append(checks, c)
		}
	}
	return checks
}
