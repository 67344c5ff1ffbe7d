package plan

import (
	"context"
	"strings"

	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/render"
)

// findRuns notes where the charts of the base commit run an image that is left out. What cannot be rendered runs
// nothing here: checkLacking tells of it.
func (m *maker) findRuns(ctx context.Context, tree *git.Tree) error {
	p := &m.plan
	images := p.bundled()
	if len(images.Lacks) == 0 {
		return nil
	}
	for _, chart := range p.Config.Charts {
		source, err := render.Read(ctx, tree, chart.Path, chart.Fetch)
		var lacking []render.Lacking
		if err == nil {
			lacking, err = source.Lacking(ctx, render.Images{Lacks: images.Lacks})
		}
		if err != nil && !refusal.Is(err) {
			return err
		}
		for i := range p.Images {
			for _, l := range lacking {
				if l.Repository == render.ParseReference(p.Images[i].Repository).Repository {
					p.Images[i].Run = append(p.Images[i].Run, l.By)
				}
			}
		}
	}
	return nil
}

// bundled are the images that the bundle will have, and those that it will lack.
func (p Plan) bundled() render.Images {
	images := render.Images{Tag: p.Version.String(), Lacks: map[string]string{}}
	for _, i := range p.Images {
		if i.How == config.LeftOut {
			images.Lacks[i.Repository] = i.Because
		} else {
			images.Has = append(images.Has, i.Repository)
		}
	}
	return images
}

// leftOut are the images that the bundle will lack, for the notes.
func (p Plan) leftOut() []LeftOut {
	var all []LeftOut
	for _, i := range p.Images {
		if i.How == config.LeftOut {
			all = append(all, LeftOut{i.Repository, i.Because, i.Run})
		}
	}
	return all
}

// checkLacking speaks against a final whose charts run an image with their default values that the bundle will lack.
// Of a candidate it is told.
func (m *maker) checkLacking(ctx context.Context, source *render.Source) error {
	images := m.plan.bundled()
	if len(images.Has)+len(images.Lacks) == 0 || len(source.Problems) > 0 {
		return nil
	}
	lacking, err := source.Lacking(ctx, images)
	if refusal.Is(err) {
		m.notice("which images chart %s runs with its default values is not known: %v", source.Folder(), err)
		return nil
	}
	if err != nil {
		return err
	}
	places, because := map[string][]string{}, map[string]string{}
	var order []string
	for _, l := range lacking {
		if len(places[l.Repository]) == 0 {
			order = append(order, l.Repository)
		}
		places[l.Repository], because[l.Repository] = append(places[l.Repository], l.By), l.Because
	}
	_, candidate := m.plan.Version.Candidate()
	for _, repository := range order {
		name := repository + ":" + m.plan.Version.String()
		by := strings.Join(places[repository], ", ")
		if candidate {
			m.notice("the bundle will lack the image %s (%s), which chart %s runs with its default values: %s", name,
				because[repository], source.Folder(), by)
			continue
		}
		m.against("the bundle would lack the image %s (%s), which chart %s runs with its default values: %s; build it, "+
			"hand its archive over by "+
			"--image %s=ARCHIVE, or turn it off by default", name, because[repository], source.Folder(), by, repository)
	}
	return nil
}
