package audit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"go.yaml.in/yaml/v3"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/changelog"
	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/surface"
	"github.com/operator-release/operator-release/ci/tags"
	"github.com/operator-release/operator-release/ci/version"
)

// byEachOther compares the surfaces of a version that has no record: with its git tag, and those that name an image's tag with each other. Who released without
// this tool may have written image tags without the v; that is told, and no difference as long as all of them do.
func (a *auditor) byEachOther(ctx context.Context, v version.Version, t *tagged, out *Version) error {
	switch {
	case !t.there && a.refs.noTags != "":
		out.unseen(KindTag, v.String(), v.String(), a.refs.noTags)
		return nil
	case !t.there:
		out.compare(KindTag, v.String(), v.String(), "", "")
		return nil
	case t.files == nil:
		out.compare(KindTag, v.String(), "a commit", "object "+short(t.id), "it does not point to a commit")
		return nil
	}
	out.compare(KindTag, v.String(), v.String(), v.String(), "on commit "+short(t.commit))
	if t.refused != nil {
		out.unseen(KindFile, "all of the tagged tree", v.String(), t.refused.Error())
		return nil
	}
	values, unread, err := t.values(t.settings)
	if err != nil {
		out.unseen(KindFile, "all of the tagged tree", v.String(), err.Error())
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(unread)) {
		out.unseen(KindFile, name, v.String(), unread[name].Error())
	}
	before := a.followed(ctx, v)
	values, others, err := surface.Follows(values, v, before)
	if err != nil {
		return err
	}
	for _, at := range others {
		if _, _, shows := surface.Parse(at.Text); shows && len(before.Versions) == 0 && a.refs.noTags != "" {
			out.unseen(KindFile, at.Path+" "+at.Name, at.Form.Write(v), "whether it followed the version before: "+a.refs.noTags)
			continue
		}
		out.note("%s:%d: %s is %q and does not follow the version", at.Path, at.Line, at.Name, at.Text)
	}
	asked, foreign := surface.ImageTag(values, v), surface.Foreign(values, v)
	if foreign {
		out.note("the image tags have no v before the version, and the git tag has one")
	}
	for _, value := range values {
		form := value.Form
		if value.Image {
			form.V = !foreign
		}
		want := form.Write(v)
		if !value.Image && value.Means(v) { // each place has its own form
			want = value.Text
		}
		out.compare(KindFile, value.Path+" "+value.Name, want, value.Text, "")
	}
	older := slices.DeleteFunc(others, func(at surface.Occurrence) bool {
		said, _, _ := surface.Parse(at.Text)
		return a.refs.tags[said].id == ""
	})
	if err := a.strays(ctx, v, t, slices.Concat(values, older), out); err != nil {
		return err
	}
	a.sections(v, t, out)
	for _, image := range t.settings.Images {
		if image.Repository != "" {
			a.oldImage(ctx, v, t, image, asked, out)
		}
	}
	for _, chart := range t.settings.Charts {
		a.oldChart(ctx, v, t, chart, foreign, out)
	}
	return nil
}

// followed are the versions before one on its line, or elsewhere, that tell which places follow it.
func (a *auditor) followed(ctx context.Context, v version.Version) surface.Before {
	tagged := tags.Tags{}
	for e, at := range a.refs.tags {
		if at.commit != "" {
			tagged[e] = at.commit
		}
	}
	earlier := func(v version.Version) []version.Version { return tagged.Before(a.Pattern, v) }
	return surface.Before{Versions: earlier(v), Earlier: earlier, Tree: func(v version.Version) (surface.Tree, error) {
		return a.refs.repository.Tree(ctx, tagged[v])
	}}
}

// notSurfaces are files that rightly speak of older versions, or of other things' versions.
var notSurfaces = []string{"**/CHANGELOG*", "**/*.sum", "**/go.mod", "**/*lock*", "**/vendor/**", "**/testdata/**", "**/node_modules/**"}

// strays tells, where a surface says another version, which other places of the tagged tree name that one too: whoever forgot the one forgot them.
func (a *auditor) strays(ctx context.Context, v version.Version, t *tagged, values []surface.Occurrence, out *Version) error {
	known := map[string]bool{}
	var words, others []string
	for _, value := range values {
		known[fmt.Sprintf("%s:%d", value.Path, value.Line)] = true
		other, _, ok := surface.Parse(value.Text)
		if ok && other != v && !slices.Contains(others, other.String()) {
			others, words = append(others, other.String()), append(words, other.String(), other.SemVer())
		}
	}
	if len(words) == 0 {
		return nil
	}
	places, err := a.refs.repository.Grep(ctx, t.commit, words, notSurfaces)
	if err != nil {
		return err
	}
	var found []string
	for _, place := range places {
		if at := fmt.Sprintf("%s:%d", place.Path, place.Line); !known[at] {
			found = append(found, at)
		}
	}
	if len(found) > 0 {
		out.note("other places that still name %s: %s", few(others), few(found))
	}
	return nil
}

// sections tells whether the changelog of a final's tree speaks of it.
func (a *auditor) sections(v version.Version, t *tagged, out *Version) {
	file := t.settings.ChangelogOf(v)
	if _, candidate := v.Candidate(); candidate || file == "" {
		return
	}
	if content, err := fs.ReadFile(t.files, file); err == nil && changelog.Section(content, v) == "" {
		out.note("%s has no section for this version", file)
	}
}

// oldImage looks for an image at the registry: under the tag that the chart asks for, else in the other form; and whether its labels fit.
func (a *auditor) oldImage(ctx context.Context, v version.Version, t *tagged, image config.Image, asked string, out *Version) {
	name := image.Repository + ":" + asked
	is := bundle.Artifact{Kind: bundle.KindImage, Name: name, Repository: image.Repository, Tag: asked}
	place, err := a.registries.at(image.Repository)
	if err != nil {
		out.Found = append(out.Found, is)
		out.found(KindImage, name, asked, ocispec.Descriptor{}, err)
		return
	}
	other := v.String()
	if asked == other {
		other = v.SemVer()
	}
	desc, m, err := place.manifest(ctx, asked)
	if errors.Is(err, errMissing) {
		if _, _, err := place.manifest(ctx, other); err == nil {
			out.compare(KindImage, name, asked, other, "the registry has it only under the other tag")
			return
		}
	}
	if errors.Is(err, errMissing) && image.Optional {
		a.optional(ctx, v, t.settings.Charts, t, image.Repository, name, asked, "it is optional", out)
		return
	}
	if err != nil {
		out.found(KindImage, name, asked, ocispec.Descriptor{}, err)
		return
	}
	out.compare(KindImage, name, asked, asked, "")
	is.Digest = desc.Digest
	for _, p := range m.Manifests {
		if p.Platform != nil && !bundle.IsAttestation(p) {
			is.Platforms = append(is.Platforms, bundle.PlatformImage{Platform: bundle.PlatformName(p.Platform), Digest: p.Digest, Size: p.Size})
		}
	}
	out.Found = append(out.Found, is)
	labels, err := place.labels(ctx, m)
	for _, label := range []struct{ key, want string }{{ocispec.AnnotationVersion, v.String()}, {ocispec.AnnotationRevision, t.commit}} {
		found, ok := labels[label.key]
		switch {
		case err != nil:
			out.found(KindImage, name+" "+label.key, label.want, ocispec.Descriptor{}, err)
		case ok && strings.TrimPrefix(found, "v") == strings.TrimPrefix(label.want, "v"):
			out.compare(KindImage, name+" "+label.key, found, found, "")
		case ok && found != "":
			out.compare(KindImage, name+" "+label.key, label.want, found, "")
		}
	}
}

// labels are an image's own: its annotations, else the labels in the config of its first platform.
func (p *place) labels(ctx context.Context, m manifest) (map[string]string, error) {
	if m.Annotations[ocispec.AnnotationVersion] != "" || m.Annotations[ocispec.AnnotationRevision] != "" {
		return m.Annotations, nil
	}
	if len(m.Manifests) > 0 {
		var err error
		if _, m, err = p.manifest(ctx, m.Manifests[0].Digest.String()); err != nil {
			return nil, err
		}
	}
	if m.Config.Digest == "" {
		return nil, nil
	}
	var c struct {
		Config struct{ Labels map[string]string } `json:"config"`
	}
	err := p.readJSON(ctx, m.Config, &c)
	return c.Config.Labels, err
}

// oldChart looks for a chart at the registry, and what it says of itself. One that is not there may be in the chart index
// alone. The address is a guess where another tool published the version: only a chart that is there confirms it.
func (a *auditor) oldChart(ctx context.Context, v version.Version, t *tagged, chart config.Chart, foreign bool, out *Version) {
	meta, err := readChart(t.files, chart.Path)
	if err != nil || chart.Repository == "" || meta.Name == "" {
		return // its surface has told what is wrong with it
	}
	repository := chart.Repository + "/" + meta.Name
	name := repository + ":" + v.SemVer()
	is := bundle.Artifact{Kind: bundle.KindChart, Name: name, Repository: repository, Tag: v.SemVer()}
	place, err := a.registries.at(repository)
	var m manifest
	if err == nil {
		var desc ocispec.Descriptor
		if desc, m, err = place.manifest(ctx, v.SemVer()); err == nil {
			is.Digest = desc.Digest
		}
	}
	indexed, missing := a.index.has(meta.Name, v), errors.Is(err, errMissing)
	if err != nil && (indexed || foreign) {
		is.Name, is.Repository = meta.Name, ""
	}
	if indexed || !missing || foreign {
		out.Found = append(out.Found, is)
	}
	switch {
	case indexed && missing:
		out.note("the chart index has chart %s, and the registry does not", meta.Name)
		return
	case indexed && err != nil && foreign:
		return
	case missing && foreign:
		out.note("chart %s is not at %s; another tool published the version, so the chart's address is not known",
			meta.Name, repository)
		return
	case err != nil && foreign:
		out.note("another tool published chart %s; its address is not known", meta.Name)
		return
	}
	var says chartMeta
	if err == nil {
		says, err = place.chart(ctx, m)
	}
	if err != nil {
		out.found(KindChart, name, v.SemVer(), ocispec.Descriptor{}, err)
		return
	}
	out.compare(KindChart, name+" version", v.SemVer(), says.Version, "")
	app := meta.AppVersion
	if said, _, ok := surface.Parse(says.AppVersion); ok && said == v { // as helm package --app-version sets it
		app = says.AppVersion
	}
	out.compare(KindChart, name+" appVersion", app, says.AppVersion, "")
}

// appVersion is what a chart of a record says: the version, unless the appVersion of its tree does not follow it.
func (t *tagged) appVersion(r bundle.Record, name string) string {
	for _, c := range r.Config.Charts {
		file := path.Join(c.Path, "Chart.yaml")
		if t.files == nil || slices.ContainsFunc(r.Surfaces, func(s bundle.Surface) bool {
			return s.Path == file && s.Name == "appVersion"
		}) {
			continue
		}
		if meta, err := readChart(t.files, c.Path); err == nil && meta.Name == name {
			return meta.AppVersion
		}
	}
	return r.Version.String()
}

// readChart reads a Chart.yaml.
func readChart(tree fs.FS, dir string) (chartMeta, error) {
	file := path.Join(dir, "Chart.yaml")
	content, err := fs.ReadFile(tree, file)
	if err != nil {
		return chartMeta{}, err
	}
	var meta chartMeta
	if err := yaml.Unmarshal(content, &meta); err != nil {
		return meta, fmt.Errorf("read %s: %w", file, err)
	}
	return meta, nil
}
