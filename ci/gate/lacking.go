package gate

import (
	"fmt"
	"maps"
	"slices"

	"github.com/operator-release/operator-release/ci/render"
)

// checkLacking compares what the charts run with the bundle: one check per image
// that the settings name, or that a chart runs as one of this release, and that
// the bundle lacks. Of a final it fails where default values run the image.
func (o Options) checkLacking(charts []renderedChart) []Check {
	images := render.Images{Tag: o.Version, Has: slices.Sorted(maps.Keys(o.Images)), Lacks: o.Lacks}
	run, elsewhere := map[string][]string{}, map[string][]string{} // places by repository
	because := map[string]string{}
	rendered := true
	for repository, why := range o.Lacks {
		because[render.ParseReference(repository).Repository] = why
	}
	for _, chart := range charts {
		for _, r := range chart.renderings {
			rendered = rendered && (!r.failed || !r.byDefault)
			for _, object := range r.objects {
				by := fmt.Sprintf("%s: %s", object.file, object)
				for _, l := range images.Lacking(by, render.Uses(object.fields)) {
					because[l.Repository] = l.Because
					if r.byDefault {
						run[l.Repository] = appendOnce(run[l.Repository], l.By)
					} else {
						elsewhere[l.Repository] = appendOnce(elsewhere[l.Repository], chart.dir+"/"+r.set+" by "+l.By)
					}
				}
			}
		}
	}
	var checks []Check
	for _, repository := range slices.Sorted(maps.Keys(because)) {
		c := Check{Name: ImagesCheck, Subject: repository + ":" + o.Version, Status: NotChecked,
			Details: []string{"the bundle lacks it (" + because[repository] + ")"}}
		switch {
		case len(run[repository]) > 0:
			for _, by := range run[repository] {
				c.Details = append(c.Details, "run with default values by "+by)
			}
			if o.Final {
				c.Status = Failed
				c.Details = append(c.Details, "build it, hand its archive over by --image "+repository+"=ARCHIVE, or turn it "+
					"off by default")
			}
		case !rendered:
			c.Details = append(c.Details, "whether a chart runs it is not known: not all charts render with default values")
		case len(elsewhere[repository]) > 0:
			for _, by := range elsewhere[repository] {
				c.Details = append(c.Details, "off by default; run with "+by)
			}
		default:
			c.Details = append(c.Details, "no chart runs it with default values")
		}
		checks = append(checks, c)
	}
	return checks
}

func appendOnce(list []string, item string) []string {
	if slices.Contains(list, item) {
		return list
	}
	return append(list, item)
}
