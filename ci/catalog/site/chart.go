package site

import (
	"strings"

	"github.com/operator-release/operator-release/ci/catalog"
)

// reference is a chart's at its registry, without the tag that some write behind it.
func reference(c catalog.Chart) string {
	if scheme, rest, ok := strings.Cut(c.Reference, "://"); ok {
		return scheme + "://" + repository(rest)
	}
	return c.Reference
}

// indexed is a chart's name in the chart index, by the name that AddRepository gives it.
func (s *site) indexed(c catalog.Chart) string { return s.slug + "/" + c.Name }

// IndexAlone tells whether the chart index is all that is known to have a chart: no registry told a digest of it.
func (s *site) IndexAlone(c catalog.Chart) bool { return c.Indexed && c.Digest == "" }

// from is where Helm gets a chart.
func (s *site) from(c catalog.Chart) string {
	if s.IndexAlone(c) {
		return s.indexed(c)
	}
	return reference(c)
}

// AddRepository is the command that makes the chart index known to Helm.
func (s *site) AddRepository() string {
	if s.Site == "" {
		return "helm repo add " + s.slug + " ADDRESS"
	}
	return "helm repo add " + s.slug + " " + word(s.Site)
}
