package gate

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/operator-release/operator-release/ci/render"
)

// lackingImage is an image that the bundle lacks, with the places where charts run it.
type lackingImage struct {
	render.Lacking
	byDefault, elsewhere []string
}

// checkLacking compares what the charts run with the bundle: one check per image that the settings name and the bundle
// lacks, and per image that carries the version and that the settings do not name. Of a final it fails where default
// values run the image. Where the settings name no images it says what it compared, and does not fail.
func (o Options) checkLacking(ctx context.Context, charts []renderedChart) []Check {
	images := render.Images{Tag: o.Version, Has: slices.Sorted(maps.Keys(o.Images)), Lacks: o.Lacks, Foreign: o.Foreign}
	found := map[string]*lackingImage{} // by image, as it is named
	run := map[string]bool{}            // repositories
	rendered := true
	var unread []string
	add := func(l render.Lacking) *lackingImage {
		run[l.Repository] = true
		if found[l.Image] == nil {
			found[l.Image] = &lackingImage{Lacking: l}
		}
		return found[l.Image]
	}
	for _, chart := range charts {
		if chart.source != nil {
			lacking, why, err := chart.source.Lacking(ctx, images)
			rendered = rendered && err == nil
			unread = append(unread, why...)
			for _, l := range lacking {
				image := add(l)
				image.byDefault = appendOnce(image.byDefault, l.By)
			}
		}
		for _, r := range chart.renderings {
			rendered = rendered && (!r.failed || !r.byDefault)
			if r.byDefault {
				continue
			}
			for _, object := range r.objects {
				by := fmt.Sprintf("%s: %s", object.file, object)
				for _, l := range images.Lacking(by, object.fields) {
					image := add(l)
					image.elsewhere = appendOnce(image.elsewhere, chart.dir+"/"+r.set+" by "+l.By)
				}
			}
		}
	}
	for repository, why := range o.Lacks {
		if full := render.ParseReference(repository).Repository; !run[full] {
			name := full + ":" + o.Version
			found[name] = &lackingImage{Lacking: render.Lacking{Repository: full, Image: name, Because: why}}
		}
	}
	var checks []Check
	for _, name := range slices.Sorted(maps.Keys(found)) {
		checks = append(checks, found[name].check(o.Final && images.Released(), rendered, unread))
	}
	if len(checks) == 0 && !images.Released() && o.Version != "" {
		detail := "the settings name no images; no chart runs one that carries " + o.Version
		if !rendered {
			detail = "the settings name no images; not all charts render with default values"
		}
		checks = append(checks, Check{Name: ImagesCheck, Subject: "charts", Status: NotChecked, Details: []string{detail}})
	}
	return checks
}

// check tells of the image. It fails a release that must not lack it.
func (l *lackingImage) check(needed, rendered bool, unread []string) Check {
	c := Check{Name: ImagesCheck, Subject: l.Image, Status: NotChecked,
		Details: []string{"the bundle lacks it (" + l.Because + ")"}}
	switch {
	case len(l.byDefault) > 0:
		for _, by := range l.byDefault {
			c.Details = append(c.Details, "run with default values by "+by)
		}
		if needed {
			c.Status = Failed
			c.Details = append(c.Details, l.Advice())
		}
	case !rendered:
		c.Details = append(c.Details, "whether a chart runs it is not known: not all charts render with default values")
	case len(l.elsewhere) > 0:
		for _, by := range l.elsewhere {
			c.Details = append(c.Details, "off by default; run with "+by)
		}
	case len(unread) > 0:
		c.Details = append(c.Details, unread...)
	default:
		c.Details = append(c.Details, render.NotNamed)
	}
	return c
}

func appendOnce(list []string, item string) []string {
	if slices.Contains(list, item) {
		return list
	}
	return append(list, item)
}
