package render

import (
	"fmt"

	"github.com/Masterminds/semver/v3"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
)

// The minor versions of Kubernetes that charts are rendered for.
const (
	oldestMinor    = 16 // the first one with CustomResourceDefinitions of v1
	supportedMinor = 35 // the oldest one that the Kubernetes project supports beside the newest
	newestMinor    = 37 // that of the Kubernetes libraries in go.mod
)

// mostPatches is how many patch versions of a minor version are tried: a kubeVersion may name one.
const mostPatches = 40

// Kubernetes is the range of versions that a chart is rendered for.
type Kubernetes struct {
	Oldest, Newest string // such as v1.37.0
	Because        string // why these
	between        []string
}

// Versions are those of Kubernetes that a chart is rendered for, from the newest to the oldest: both ends of the range,
// and those between them for which its templates may render something else.
func (k Kubernetes) Versions() []string {
	if k.Oldest == k.Newest {
		return []string{k.Newest}
	}
	return append(append([]string{k.Newest}, k.between...), k.Oldest)
}

// NoLonger gives the known versions of Kubernetes that a chart's kubeVersion allowed, and that another one does not, as
// v1.MINOR. supported tells whether the Kubernetes project supports one of them.
func NoLonger(was, now string) (versions []string, supported bool) {
	for minor := oldestMinor; minor <= newestMinor; minor++ {
		if firstAllowed(was, minor) != "" && firstAllowed(now, minor) == "" {
			versions, supported = append(versions, fmt.Sprintf("v1.%d", minor)), supported || minor >= supportedMinor
		}
	}
	return versions, supported
}

// KubernetesOf gives what a chart with this kubeVersion is rendered for: the oldest version that it allows, and the
// newest one that is known. Without kubeVersion the oldest one is the oldest that the Kubernetes project supports.
// A kubeVersion that Helm cannot read, and one that allows no known version, is an error.
func KubernetesOf(kubeVersion string) (k Kubernetes, err error) {
	if kubeVersion == "" {
		k = Kubernetes{Oldest: fmt.Sprintf("v1.%d.0", supportedMinor), Newest: Newest()}
		k.Because = fmt.Sprintf("rendered for Kubernetes %s, the oldest supported one, and %s, the newest known one; "+
			"the chart names no kubeVersion",
			k.Oldest, k.Newest)
		return k, nil
	}
	if _, err := semver.NewConstraint(kubeVersion); err != nil {
		return k, fmt.Errorf("kubeVersion %q is no range of versions, so Helm installs the chart nowhere; "+
			"write one such as \">=1.%d.0-0\"", kubeVersion, supportedMinor)
	}
	for minor := oldestMinor; minor <= newestMinor; minor++ {
		if v := firstAllowed(kubeVersion, minor); v != "" {
			if k.Oldest == "" {
				k.Oldest = v
			}
			k.Newest = v
		}
	}
	if k.Newest == "" {
		return k, fmt.Errorf("kubeVersion %q allows no known version of Kubernetes (v1.%d to v1.%d); correct it",
			kubeVersion, oldestMinor, newestMinor)
	}
	k.Because = fmt.Sprintf("rendered for Kubernetes %s and %s, the oldest and the newest known one that kubeVersion "+
		"%q allows",
		k.Oldest, k.Newest, kubeVersion)
	if k.Oldest == k.Newest {
		k.Because = fmt.Sprintf("rendered for Kubernetes %s, the only known one that kubeVersion %q allows", k.Newest,
			kubeVersion)
	}
	return k, nil
}

// firstAllowed is the first version of a minor version of Kubernetes that a kubeVersion allows; empty if there is none.
func firstAllowed(kubeVersion string, minor int) string {
	for patch := range mostPatches {
		if v := fmt.Sprintf("v1.%d.%d", minor, patch); kubeVersion == "" || chartutil.IsCompatibleRange(kubeVersion, v) {
			return v
		}
	}
	return ""
}

// Allows tells whether a kubeVersion allows a version of Kubernetes between two minor versions, both included.
func Allows(kubeVersion string, from, to int) bool {
	if kubeVersion == "" {
		return to >= supportedMinor
	}
	for minor := from; minor <= to; minor++ {
		if firstAllowed(kubeVersion, minor) != "" {
			return true
		}
	}
	return false
}

// Supported tells whether a kubeVersion allows a version of Kubernetes that the project supports. The text names these.
func Supported(kubeVersion string) (versions string, ok bool) {
	return fmt.Sprintf("v1.%d to v1.%d", supportedMinor, newestMinor), Allows(kubeVersion, supportedMinor, newestMinor)
}

// Newest is the newest version of Kubernetes that is known, such as v1.37.0.
func Newest() string { return fmt.Sprintf("v1.%d.0", newestMinor) }
