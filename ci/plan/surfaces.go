package plan

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/floating"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/surface"
	"github.com/operator-release/operator-release/ci/version"
)

// before are the versions that tell which places follow the version: those that its place names, and the newest
// candidate of the final that users come from, which shows how candidates are written. They are the same in each clone.
func (m *maker) before(ctx context.Context) surface.Before {
	b := surface.Before{
		Tree:    func(v version.Version) (surface.Tree, error) { return m.Repository.Tree(ctx, m.tags[v]) },
		Earlier: func(v version.Version) []version.Version { return m.tags.Before(m.plan.Config.Pattern(), v) },
	}
	var candidate version.Version
	for _, v := range m.tags.Versions() { // the newest first
		if v != m.place.From && v.Final() == m.place.From {
			candidate = v
			break
		}
	}
	for _, v := range []version.Version{m.place.Previous, m.place.From, m.place.Since, candidate} {
		if !v.IsZero() && !slices.Contains(b.Versions, v) {
			b.Versions = append(b.Versions, v)
		}
	}
	return b
}

// beforeRecorded are the versions before that edit reads. It adds them to those that the plan depends on, and each older
// version when its tree is read.
func (m *maker) beforeRecorded(ctx context.Context) surface.Before {
	b, on := m.before(ctx), map[string]string{}
	for _, v := range b.Versions {
		on[v.String()] = m.tags[v]
	}
	if m.plan.Since != "" {
		on[m.plan.Since] = m.from // which may be a tag of another scheme
	}
	for _, module := range m.plan.Modules {
		on[module.Beside] = m.modules[module.Beside]
	}
	read := b.Tree
	b.Tree = func(v version.Version) (surface.Tree, error) {
		on[v.String()] = m.tags[v]
		return read(v)
	}
	m.plan.DependsOn = on
	return b
}

// checkPinned speaks against a digest beside a version that is rewritten: users would get the old image under the new tag.
func (m *maker) checkPinned(tree *git.Tree, follow []surface.Occurrence) error {
	for _, at := range follow {
		then := at.Form.Write(m.plan.Version)
		if m.Again || at.Text == then {
			continue
		}
		content, err := tree.ReadFile(at.Path)
		if err != nil {
			return err
		}
		if digest := surface.Pinned(content, at.Line); digest != "" {
			m.against("%s:%d: %s becomes %s, and the digest %s beside it still pins the old image; remove the digest",
				at.Path, at.Line, at.Name, then, digest)
		}
	}
	return nil
}

// checkExcluded tells of exclusions in the settings that no file of the commit matches.
func (m *maker) checkExcluded(_ context.Context, tree *git.Tree) error {
	for i, s := range m.plan.Config.Surfaces {
		if !s.Exclude {
			continue
		}
		excluded := config.Config{Surfaces: []config.Surface{s}}.Excluded()
		if !slices.ContainsFunc(tree.Entries(), func(e git.Entry) bool { return excluded(e.Path) }) {
			m.notice("surfaces[%d] in %s excludes %s, and no file of the commit matches it", i, config.File, s.Path)
		}
	}
	return nil
}

// edit makes the release commit and its tags, and lists every surface.
func (m *maker) edit(ctx context.Context, tree *git.Tree) error {
	p := &m.plan
	before := m.beforeRecorded(ctx)
	places, err := surface.Rewrite(tree, p.Config, p.Version, before)
	if refusal.Is(err) && len(m.unfit) > 0 && p.Refused() != nil { // a go.mod cannot require such a version, either
		return p.Refused()
	}
	if err != nil {
		return err
	}
	known := map[string]bool{}
	m.known = known
	if err := m.checkPinned(tree, places.Follow); err != nil {
		return err
	}
	for _, at := range places.Follow {
		p.Surfaces = append(p.Surfaces, Surface{Kind: at.Kind, Path: at.Path, Line: at.Line, Name: at.Name, Now: at.Text,
			Then: at.Form.Write(p.Version)})
		known[fmt.Sprintf("%s:%d", at.Path, at.Line)] = true
		if said, _, ok := surface.Parse(at.Text); ok {
			m.olds = append(m.olds, said.SemVer())
		}
	}
	for _, at := range places.Others {
		known[fmt.Sprintf("%s:%d", at.Path, at.Line)] = true
		if said, _, ok := surface.Parse(at.Text); ok && m.tags[said] != "" {
			m.olds = append(m.olds, said.SemVer())
		}
		m.notice("%s:%d: %s is %q and is not followed: neither it nor its place in an earlier version says %s; "+
			"name it under surfaces in %s, with a pattern or exclude: true", at.Path, at.Line, at.Name, at.Text,
			orOf(before.Versions), config.File)
	}
	ranges, err := surface.Ranges(tree, p.Config)
	if err != nil {
		return err
	}
	for _, at := range ranges {
		known[fmt.Sprintf("%s:%d", at.Path, at.Line)] = true
	}
	if err := m.describe(ctx, tree, places.Edits); err != nil {
		return err
	}
	if err := m.commit(ctx, places.Edits); err != nil {
		return err
	}
	if err := m.tellRequirements(tree, places.Edits); err != nil {
		return err
	}
	return m.mentions(ctx, tree, known)
}

// mentions tells of each place that names a released image with another tag, and adds it to the known places. Tags that
// move with versions are no other tags.
func (m *maker) mentions(ctx context.Context, tree *git.Tree, known map[string]bool) error {
	p := &m.plan
	var repositories []string
	for _, image := range p.Config.Images {
		repositories = append(repositories, image.Repository)
	}
	if len(repositories) == 0 {
		return nil
	}
	lines, err := m.Repository.Grep(ctx, m.base.ID, surface.MentionWords(repositories), notSurfaces)
	if err != nil {
		return err
	}
	own := append(floating.Tags(p.Config.Floating, p.Version), p.Version.String())
	excluded := p.Config.Excluded()
	places := map[string]map[string][]string{} // by repository and tag
	for _, mention := range surface.Mentions(tree, lines, repositories) {
		at := fmt.Sprintf("%s:%d", mention.Path, mention.Line)
		if known[at] || slices.Contains(own, mention.Tag) || excluded(mention.Path) {
			continue
		}
		if places[mention.Repository] == nil {
			places[mention.Repository] = map[string][]string{}
		}
		places[mention.Repository][mention.Tag] = append(places[mention.Repository][mention.Tag], at)
	}
	for _, repository := range slices.Sorted(maps.Keys(places)) {
		var tags []string
		for _, tag := range slices.Sorted(maps.Keys(places[repository])) {
			tags = append(tags, tag+" at "+strings.Join(places[repository][tag], ", "))
			for _, at := range places[repository][tag] {
				known[at] = true
			}
		}
		m.notice("these places name the image %s with another tag than %s: %s; "+
			"where they should follow the version, name them under surfaces in %s",
			repository, p.Version, strings.Join(tags, "; "), config.File)
	}
	return nil
}

// orOf lists versions, or says that there are none.
func orOf(versions []version.Version) string {
	if len(versions) == 0 {
		return "a version"
	}
	var names []string
	for _, v := range versions {
		names = append(names, v.String())
	}
	return strings.Join(names, " or ")
}

// notSurfaces are files that rightly speak of older versions, or of other things' versions.
var notSurfaces = []string{"**/CHANGELOG*", "**/*.sum", "**/go.mod", "**/*lock*", "**/vendor/**", "**/testdata/**", "**/node_modules/**"}

// strays reports places that carry the version that the surfaces carry now, or the previous one, and are no surface.
// It leaves out what is known and what no chart packages: these stay as they are.
func (m *maker) strays(ctx context.Context, _ *git.Tree) error {
	olds := m.olds
	if !m.plan.Previous.IsZero() {
		olds = append(olds, m.plan.Previous.SemVer())
	}
	slices.Sort(olds)
	words := []string{}
	for _, old := range slices.Compact(olds) {
		if _, err := version.Parse("v" + old); err == nil && old != m.plan.Version.SemVer() {
			words = append(words, old, "v"+old)
		}
	}
	if len(words) == 0 {
		return nil
	}
	places, err := m.Repository.Grep(ctx, m.base.ID, words, notSurfaces)
	if err != nil {
		return err
	}
	var found []string
	excluded := m.plan.Config.Excluded()
	for _, place := range places {
		unused := slices.ContainsFunc(m.replaced, func(dir string) bool { return strings.HasPrefix(place.Path, dir+"/") })
		if at := fmt.Sprintf("%s:%d", place.Path, place.Line); !m.known[at] && !unused && !excluded(place.Path) {
			found = append(found, at)
		}
	}
	if n := len(found); n > 0 {
		more := ""
		if n > 10 {
			more = fmt.Sprintf(" and %d more", n-10)
		}
		m.notice("these places carry an older version and are no known surface: %s%s; where they should follow the version, name them under surfaces in %s",
			strings.Join(found[:min(10, n)], ", "), more, config.File)
	}
	return nil
}
