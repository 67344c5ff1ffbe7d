package audit

import (
	"context"
	"errors"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/render"
	"github.com/operator-release/operator-release/ci/version"
)

// omitted looks at an image that the settings name and that a version's bundle lacks.
func (a *auditor) omitted(ctx context.Context, r bundle.Record, t *tagged, o bundle.Omission, out *Version) {
	if o.Kind != bundle.KindImage {
		return
	}
	name, tag := o.Name+":"+r.Version.String(), r.Version.String()
	place, err := a.registries.at(o.Name)
	if err == nil {
		_, err = place.resolve(ctx, tag)
	}
	switch {
	case err == nil:
		out.note("%s is not part of the release (%s); the registry has an image of this name, and no record has its digest",
			name, o.Because)
	case errors.Is(err, errMissing):
		a.optional(ctx, r.Version, r.Config.Charts, t, o.Name, name, "an image, as charts run it with their default "+
			"values", o.Because, out)
	default:
		out.found(KindImage, name, "", ocispec.Descriptor{}, err)
	}
}

// optional tells of an image that is not at the registry. It is missing where a chart of a final runs it with its
// default values. A candidate's, and one that is off by default, is noted.
func (a *auditor) optional(ctx context.Context, v version.Version, charts []config.Chart, t *tagged, repository,
	name, want, because string, out *Version) {
	if t.files == nil {
		out.unseen(KindImage, name, want, "the registry does not have it ("+because+"), and no git tag has a tree that "+
			"shows whether a chart runs it")
		return
	}
	var by, unread []string
	for _, chart := range charts {
		source, err := render.Read(ctx, t.files, chart.Path, chart.Fetch)
		var lacking []render.Lacking
		var why []string
		if err == nil {
			lacking, why, err = source.Lacking(ctx, render.Images{Lacks: map[string]string{repository: because}})
		}
		if err != nil {
			out.unseen(KindImage, name, want, "the registry does not have it ("+because+"); chart "+chart.Path+
				" cannot be read, so it is not known whether it runs the image: "+err.Error())
			return
		}
		unread = append(unread, why...)
		for _, l := range lacking {
			by = append(by, l.By)
		}
	}
	_, candidate := v.Candidate()
	switch {
	case len(by) == 0 && len(unread) > 0:
		out.note("%s is not at the registry (%s); %s", name, because, strings.Join(unread, "; "))
	case len(by) == 0:
		out.note("%s is not at the registry (%s); %s", name, because, render.NotNamed)
	case candidate:
		out.note("%s is not at the registry (%s), and charts run it with their default values: %s", name, because,
			strings.Join(by, ", "))
	default:
		out.compare(KindImage, name, want, "", because+"; charts run it with their default values: "+strings.Join(by, ", "))
	}
}
