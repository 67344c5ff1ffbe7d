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
		var unread []string
		if err == nil {
			lacking, unread, err = source.Lacking(ctx, render.Images{Lacks: images.Lacks})
		}
		if err != nil && !refusal.Is(err) {
			return err
		}
		for i := range p.Images {
			if p.Images[i].How == config.LeftOut {
				p.Images[i].Unread = append(p.Images[i].Unread, unread...)
			}
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
	images := render.Images{Tag: p.Version.String(), Lacks: map[string]string{}, Foreign: p.Config.ForeignImages}
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
			all = append(all, LeftOut{i.Repository, i.Because, i.Run, i.Unread})
		}
	}
	return all
}

// checkLacking speaks against a final whose charts run an image with their default values that the bundle will lack.
// Of a candidate, and where the settings name no images, it is told.
func (m *maker) checkLacking(ctx context.Context, source *render.Source) error {
	images := m.plan.bundled()
	if len(source.Problems) > 0 {
		return nil
	}
	lacking, unread, err := source.Lacking(ctx, images)
	if refusal.Is(err) {
		m.notice("which images chart %s runs with its default values is not known: %v", source.Folder(), err)
		return nil
	}
	if err != nil {
		return err
	}
	if len(images.Lacks) > 0 {
		for _, why := range unread {
			m.notice("%s", why)
		}
	}
	places, of := map[string][]string{}, map[string]render.Lacking{}
	var order []string
	for _, l := range lacking {
		if len(places[l.Image]) == 0 {
			order = append(order, l.Image)
		}
		places[l.Image], of[l.Image] = append(places[l.Image], l.By), l
	}
	_, candidate := m.plan.Version.Candidate()
	for _, image := range order {
		l, by := of[image], strings.Join(places[image], ", ")
		switch {
		case !images.Released():
			m.notice("the bundle will lack the image %s (%s), which chart %s runs with its default values: %s; whether it is "+
				"published elsewhere is not known", image, l.Because, source.Folder(), by)
		case candidate:
			m.notice("the bundle will lack the image %s (%s), which chart %s runs with its default values: %s", image,
				l.Because, source.Folder(), by)
		default:
			m.against("the bundle would lack the image %s (%s), which chart %s runs with its default values: %s; %s", image,
				l.Because, source.Folder(), by, l.Advice())
		}
	}
	return nil
}
