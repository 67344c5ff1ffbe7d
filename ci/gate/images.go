package gate

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/operator-release/operator-release/ci/render"
)

// checkImages compares the images in the bundle with those that the charts
// name: one check per image, over all charts, since one chart may hold only CRDs.
func (o Options) checkImages(charts []renderedChart) []Check {
	if o.Version == "" && len(o.Images)+len(o.Lacks) == 0 {
		return []Check{{Name: ImagesCheck, Subject: "charts", Status: NotChecked,
			Details: []string{"there is no version to compare tags with"}}}
	}
	var checks []Check
	for _, repository := range slices.Sorted(maps.Keys(o.Images)) {
		checks = append(checks, checkImage(repository, o.Images[repository], charts))
	}
	return checks
}

func checkImage(repository, tag string, charts []renderedChart) Check {
	expected := repository + ":" + tag
	check := func(status Status, details ...string) Check {
		return Check{Name: ImagesCheck, Subject: expected, Status: status, Details: details}
	}
	if len(charts) == 0 {
		return check(NotChecked, "there is no chart that could name it")
	}
	full := render.ParseReference(repository).Repository

	var right, wrong, elsewhere, unrendered []string
	for _, chart := range charts {
		for _, r := range chart.renderings {
			byDefault := r.byDefault
			if byDefault && r.failed {
				unrendered = append(unrendered, chart.dir)
			}
			for _, o := range r.objects {
				for _, u := range render.Uses(o.fields) {
					by := o.says(u.Where)
					switch named := render.ParseReference(u.Image); {
					case named.Repository != full:
					case named.Is(full, tag) && byDefault:
						right = append(right, "named by "+by)
					case named.Is(full, tag):
						elsewhere = append(elsewhere, fmt.Sprintf("not named with default values; named with %s/%s by %s", chart.dir, r.set, by))
					case byDefault:
						wrong = append(wrong, fmt.Sprintf("%s: found %s, expected %s; %s", by, u.Image, expected,
							chart.tagOrigin(full, named, tag)))
					}
				}
			}
		}
	}
	switch {
	case len(wrong) > 0:
		return check(Failed, wrong...)
	case len(right) > 0:
		return check(Passed, right...)
	case len(unrendered) > 0:
		return check(NotChecked, strings.Join(unrendered, ", ")+" did not render with default values")
	case len(elsewhere) > 0:
		return check(Passed, elsewhere...)
	}
	return fromValues(expected, full, tag, charts, check)
}

// tagOrigin says where the tag of an image of the release comes from, and what to do: from a value if one of the image
// has it, else from appVersion if that is it.
func (c renderedChart) tagOrigin(repository string, named render.Reference, tag string) string {
	for _, p := range places(c.values, repository, "") {
		switch {
		case named.Digest != "" && p.digest == named.Digest:
			return fmt.Sprintf("value %s in %s/values.yaml pins it to %s, which cannot be this release's; remove the digest",
				cmp.Or(p.path, "."), c.dir, p.digest)
		case named.Tag != "" && p.tag == named.Tag:
			return fmt.Sprintf("value %s in %s/values.yaml sets the tag %s; set %s there, or leave it empty if the template "+
				"then takes appVersion", cmp.Or(p.path, "."), c.dir, p.tag, tag)
		}
	}
	if named.Tag != "" && named.Tag == c.appVersion {
		return fmt.Sprintf("appVersion in %s/Chart.yaml is %s; set %s there", c.dir, c.appVersion, tag)
	}
	if c.appVersion == "" {
		return fmt.Sprintf("%s/Chart.yaml has no appVersion, and no value of this image sets it; add appVersion: %s, or "+
			"correct the template", c.dir, tag)
	}
	return fmt.Sprintf("neither appVersion in %s/Chart.yaml nor a value of this image sets it; correct the template or the "+
		"value that it takes", c.dir)
}

// fromValues judges an image that nothing names as the chart comes, because what
// runs it (a hook, say) is off by default: its values tell what would be run.
func fromValues(expected, full, tag string, charts []renderedChart, check func(Status, ...string) Check) Check {
	var right, wrong, open, dirs []string
	for _, chart := range charts {
		dirs = append(dirs, chart.dir)
		for _, p := range places(chart.values, full, "") {
			at := fmt.Sprintf("%s: named only by value path %s (off by default)", chart.dir, cmp.Or(p.path, "."))
			switch {
			case p.digest != "":
				wrong = append(wrong, fmt.Sprintf("%s; it is pinned to %s, which cannot be this release's; remove the digest from values.yaml", at, p.digest))
			case p.tag == tag:
				right = append(right, fmt.Sprintf("%s; its tag is %s", at, tag))
			case p.tag != "":
				wrong = append(wrong, fmt.Sprintf("%s; its tag is %s, expected %s; correct values.yaml", at, p.tag, tag))
			case chart.appVersion == tag:
				right = append(right, fmt.Sprintf("%s; its tag is empty and appVersion is %s", at, tag))
			case chart.appVersion == "":
				open = append(open, fmt.Sprintf("%s; its tag is empty, and the chart has no appVersion: the template alone decides", at))
			default:
				wrong = append(wrong, fmt.Sprintf("%s; its tag is empty and appVersion is %q, expected %s; correct appVersion in %s/Chart.yaml",
					at, chart.appVersion, tag, chart.dir))
			}
		}
	}
	switch {
	case len(wrong) > 0:
		return check(Failed, wrong...)
	case len(right) > 0:
		return check(Passed, right...)
	case len(open) > 0:
		return check(NotChecked, open...)
	}
	return check(Failed, fmt.Sprintf("looked for %s in what %s renders to and in its values: nothing names it; "+
		"name it in the chart, or take it out of the images of the release", expected, strings.Join(dirs, ", ")))
}
