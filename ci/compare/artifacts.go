package compare

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/operator-release/operator-release/ci/config"
)

// Built is what a version's settings and Dockerfiles say that it is made of.
type Built struct {
	Config config.Config
	Bases  map[string][]string // Dockerfile to the base images that it names
	Charts map[string]string   // folder to the name in its Chart.yaml
}

// chartName is the name of a chart; that of its folder if Chart.yaml says none.
func (b Built) chartName(c config.Chart) string {
	return cmp.Or(b.Charts[c.Path], path.Base(c.Path))
}

// Artifacts compares what two versions release: images, their bases and platforms, charts and binaries.
func Artifacts(older, newer Built) []Finding {
	var findings []Finding
	each := func(kind string, was, now []string, file func(name string) string) {
		for _, name := range was {
			if !slices.Contains(now, name) {
				f := New(Breaking, Image, kind, name, "removed")
				f.What, f.Was, f.File, f.Gone = "the "+kind+" "+name+" is not released any more", name, file(name), true
				findings = append(findings, f)
			}
		}
		for _, name := range now {
			if !slices.Contains(was, name) {
				f := New(Notable, Image, kind, name, "added")
				f.What, f.Now, f.File = "the "+kind+" "+name+" is new", name, file(name)
				findings = append(findings, f)
			}
		}
	}
	settings := func(string) string { return config.File }
	dockerfiles := map[string]string{}
	names := func(b Built) (repositories, charts, binaries []string) {
		for _, i := range b.Config.Images {
			repositories = append(repositories, i.Repository)
			dockerfiles[i.Repository] = i.Dockerfile
		}
		for _, c := range b.Config.Charts {
			charts = append(charts, path.Join(c.Repository, b.chartName(c)))
		}
		for _, b := range b.Config.Binaries {
			binaries = append(binaries, b.Name)
		}
		return repositories, charts, binaries
	}
	wasImages, wasCharts, wasBinaries := names(older)
	nowImages, nowCharts, nowBinaries := names(newer)
	each("image", wasImages, nowImages, func(name string) string { return dockerfiles[name] })
	each("chart", wasCharts, nowCharts, settings)
	each("binary", wasBinaries, nowBinaries, settings)
	each("platform", older.Config.Platforms, newer.Config.Platforms, settings)
	for _, i := range newer.Config.Images {
		if slices.Contains(wasImages, i.Repository) {
			findings = append(findings, bases(i, older.Bases[dockerfileOf(older.Config, i.Repository)], newer.Bases[i.Dockerfile])...)
		}
	}
	return findings
}

func dockerfileOf(c config.Config, repository string) string {
	for _, i := range c.Images {
		if i.Repository == repository {
			return i.Dockerfile
		}
	}
	return ""
}

// bases compares the base images of one image: another repository is another system, another tag or digest of one a newer build of it.
func bases(image config.Image, was, now []string) []Finding {
	if slices.Equal(was, now) {
		return nil
	}
	repository := func(reference string) string {
		reference, _, _ = strings.Cut(reference, "@")
		if at := strings.LastIndex(reference, ":"); at > strings.LastIndex(reference, "/") {
			reference = reference[:at]
		}
		return reference
	}
	severity, what := Info, "its base image has another tag or digest"
	same := len(was) == len(now)
	for i := range now {
		same = same && repository(was[i]) == repository(now[i])
	}
	if !same {
		severity, what = Notable, "it has another base image"
	}
	f := New(severity, Image, image.Repository, "base", "changed")
	f.What, f.Was, f.Now, f.File, f.Object = what, strings.Join(was, ", "), strings.Join(now, ", "), image.Dockerfile, "image "+image.Repository
	return []Finding{f}
}
