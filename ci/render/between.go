package render

import (
	"bytes"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"
	chartv2 "helm.sh/helm/v4/pkg/chart/v2"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
)

// Kubernetes gives what the chart is rendered for. Between the ends of the range these are the versions that templates
// or values name, with the minor versions beside them, if a template asks for the version of Kubernetes. They are all
// minor versions if one asks for the minor version alone.
func (s *Source) Kubernetes() (Kubernetes, error) {
	k, err := KubernetesOf(s.KubeVersion())
	if err != nil || k.Oldest == k.Newest {
		return k, err
	}
	ch, err := s.Chart()
	if err != nil {
		return k, err
	}
	asks, asksMinor, named := versionsNamed(ch)
	if !asks {
		return k, nil
	}
	var versions []string
	for minor := oldestMinor; minor <= newestMinor; minor++ {
		beside := asksMinor
		for _, v := range named {
			at := int(v.Minor())
			beside = beside || at-1 <= minor && minor <= at+1
			if exact := "v" + v.String(); at == minor && (s.KubeVersion() == "" ||
				chartutil.IsCompatibleRange(s.KubeVersion(), exact)) {
				versions = append(versions, exact)
			}
		}
		if first := firstAllowed(s.KubeVersion(), minor); beside && first != "" {
			versions = append(versions, first)
		}
	}
	slices.SortFunc(versions, func(a, b string) int {
		return semver.MustParse(b).Compare(semver.MustParse(a))
	})
	oldest, newest := semver.MustParse(k.Oldest), semver.MustParse(k.Newest)
	k.between = slices.DeleteFunc(slices.Compact(versions), func(version string) bool {
		v := semver.MustParse(version)
		return !v.GreaterThan(oldest) || !v.LessThan(newest)
	})
	if len(k.between) > 0 {
		k.Because += "; also for " + strings.Join(k.between, ", ") + ", since templates ask for the version"
	}
	return k, nil
}

var (
	kubernetesVersion = regexp.MustCompile(`\b1\.(\d{2})(?:\.(\d{1,2}))?\b`)
	minorOnly         = regexp.MustCompile(`\.Minor\b`)
)

// versionsNamed tells whether templates of a chart and its subcharts ask for the version of Kubernetes, or for its minor
// version alone, and gives the versions that they and the values name.
func versionsNamed(ch *chartv2.Chart) (asks, asksMinor bool, named []*semver.Version) {
	var texts [][]byte
	for _, t := range ch.Templates {
		texts = append(texts, t.Data)
		if bytes.Contains(t.Data, []byte("KubeVersion")) {
			asks = true
			asksMinor = asksMinor || minorOnly.Match(t.Data)
		}
	}
	for _, f := range ch.Raw {
		if f.Name == chartutil.ValuesfileName {
			texts = append(texts, f.Data)
		}
	}
	for _, text := range texts {
		for _, m := range kubernetesVersion.FindAllSubmatch(text, -1) {
			minor, _ := strconv.ParseUint(string(m[1]), 10, 64)
			patch, _ := strconv.ParseUint(string(m[2]), 10, 64)
			named = append(named, semver.New(1, minor, patch, "", ""))
		}
	}
	for _, d := range ch.Dependencies() {
		a, m, n := versionsNamed(d)
		asks, asksMinor, named = asks || a, asksMinor || m, append(named, n...)
	}
	return asks, asksMinor, named
}
