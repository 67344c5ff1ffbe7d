// Package ownrelease tells which release of operator-release a tree of its source claims to be. A release writes its
// version into the chart, so the chart is read. The claim is no proof: commits after a release carry its version, too.
package ownrelease

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/operator-release/operator-release/ci/version"
)

// The files that are read, as paths in the tree.
const (
	Chart  = "charts/operator-release/Chart.yaml"
	Values = "charts/operator-release/values.yaml"
)

// Unreleased is the version in the chart of a tree that is no release.
const Unreleased = "v0.0.0"

// Release is where a release of operator-release is published.
type Release struct {
	Version string // such as v0.1.0: the tag in git and of the image
	Git     string // the URL of the git repository
	Image   string // the repository of the runner image, such as ghcr.io/operator-release/operator-release
}

// Read reads the release of Chart and Values, by their contents. It is false for a tree that is no release, and for
// files that do not say it.
func Read(chart, values string) (Release, bool) {
	var c struct {
		AppVersion string `yaml:"appVersion"`
		Home       string `yaml:"home"`
	}
	var v struct {
		Image struct{ Registry, Repository string }
	}
	if yaml.Unmarshal([]byte(chart), &c) != nil || yaml.Unmarshal([]byte(values), &v) != nil {
		return Release{}, false
	}
	if _, err := version.Parse(c.AppVersion); err != nil || c.AppVersion == Unreleased {
		return Release{}, false
	}
	r := Release{Version: c.AppVersion, Git: c.Home, Image: v.Image.Registry + "/" + v.Image.Repository}
	return r, c.Home != "" && v.Image.Registry != "" && v.Image.Repository != ""
}

// Reference names the image by its tag, at the mirror of its registry where there is one. Mirrors are written
// REGISTRY=HOST[:PORT].
func (r Release) Reference(mirrors []string) string {
	registry, path, _ := strings.Cut(r.Image, "/")
	for _, mirror := range mirrors {
		if from, to, ok := strings.Cut(mirror, "="); ok && from == registry {
			registry = to
		}
	}
	return registry + "/" + path + ":" + r.Version
}
