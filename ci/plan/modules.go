package plan

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/gomodule"
	"github.com/operator-release/operator-release/ci/surface"
	"github.com/operator-release/operator-release/ci/tags"
)

// findModules finds the Go modules whose tags are published: those below the root that have a tag beside a version
// before. It adds a blocking problem for a module of which the go command does not take the version.
func (m *maker) findModules(ctx context.Context, tree *git.Tree) error {
	modules, err := gomodule.Find(tree)
	if err != nil || len(modules) == 0 || m.partial {
		return err
	}
	if m.modules, err = tags.ReadModules(ctx, m.Repository); err != nil {
		return err
	}
	p, root := &m.plan, gomodule.Root(modules)
	var own []error // why the modules whose tag is the version itself do not take it
	fits := false
	var untagged []string // prefixes
	for _, module := range modules {
		prefix, misplaced := module.Prefix(root)
		if misplaced != nil {
			prefix = module.Dir + "/"
		}
		unfit := module.Check(p.Version)
		if prefix == "" {
			fits, own = fits || unfit == nil, append(own, unfit)
			continue
		}
		tag, beside := prefix+p.Version.String(), m.beside(ctx, prefix)
		switch {
		case slices.ContainsFunc(p.Modules, func(other Module) bool { return other.Tag == tag }):
		case beside == "" && misplaced == nil && unfit == nil:
			untagged = append(untagged, prefix)
		case beside == "":
		case misplaced != nil:
			m.unfit = append(m.unfit, fmt.Sprintf("module %s (%s) has a tag %s, and cannot have %s: %v; correct its path",
				module.Path, module.File(), beside, tag, misplaced))
		case unfit != nil:
			m.unfit = append(m.unfit, unfit.Error())
		default:
			p.Modules = append(p.Modules, Module{Path: module.Path, Tag: tag, Beside: beside})
			if err := m.checkNames(ctx, "refs/tags/"+tag); err != nil {
				return err
			}
		}
	}
	if !fits && len(own) > 0 {
		m.unfit = append(m.unfit, own[0].Error())
	}
	if len(untagged) > 0 {
		m.notice("Go modules below the root that have no tag beside a version before get none: %s; the go command does "+
			"not find %s of them; if users import one, make its first tag after publication, such as "+
			"git tag %s%[2]s %[2]s", few(untagged), p.Version, untagged[0])
	}
	if !m.place.Exists { // else checkRepeat decides: a published version stays as it is
		p.Against = append(p.Against, m.unfit...)
	}
	return nil
}

// tellRequirements tells of the requirements of the tree's modules on each other that do not follow the version: the go
// command fetches them, or they name no version that is published. The users of a published module get what it names.
func (m *maker) tellRequirements(tree *git.Tree, edits map[string][]byte) error {
	required, err := surface.Requirements(tree, edits)
	if err != nil {
		return err
	}
	p := &m.plan
	published := func(module gomodule.Module) bool {
		return module.Dir == "." || slices.ContainsFunc(p.Modules, func(other Module) bool { return other.Path == module.Path })
	}
	excluded := p.Config.Excluded()
	for _, r := range required {
		v, _, isVersion := surface.Parse(r.Version)
		isVersion = isVersion && r.Version != "v0.0.0"
		if isVersion && (r.Local || v == p.Version) || excluded(r.Path) || !isVersion && !published(r.From) {
			continue
		}
		at := fmt.Sprintf("%s:%d: require %s %s does not follow", r.Path, r.Line, r.To.Path, r.Version)
		if r.Local {
			m.notice("%s: users of %s get that version, not the folder %s of this commit; "+
				"require a version that has a tag, and later ones follow", at, r.From.Path, r.To.Dir)
			continue
		}
		only := fmt.Sprintf("%s of it is published with this release", p.Version)
		if !published(r.To) {
			only = fmt.Sprintf("this release publishes no %s of it", p.Version)
		}
		m.notice("%s: the go command fetches that version, and %s; to build with the folder %s, and to follow, run: "+
			"go mod edit -replace %s=%s %s", at, only, r.To.Dir, r.To.Path, relative(r.From.Dir, r.To.Dir), r.Path)
	}
	return nil
}

// relative is the way from one folder of the tree to another, as a replace directive writes it.
func relative(from, to string) string {
	up, err := filepath.Rel(filepath.FromSlash(from), filepath.FromSlash(to))
	if err != nil {
		return to // both are paths of the tree
	}
	switch up = filepath.ToSlash(up); {
	case up == "..":
		return "../" // older go commands take .. for the path of a module
	case !strings.HasPrefix(up, "../"):
		return "./" + up
	}
	return up
}

// beside is a tag of a module that stands beside a version before; empty where none does. Of a version that is built
// again only those count that its record names.
func (m *maker) beside(ctx context.Context, prefix string) string {
	for _, v := range m.before(ctx).Versions {
		tag := prefix + v.String()
		if m.modules[tag] != "" && (!m.Again || m.Recorded[tag] != "") {
			return tag
		}
	}
	return ""
}

// repeatModules adds a blocking problem for a tag of a module that is on another commit, here or at the remote.
func (m *maker) repeatModules() {
	p := &m.plan
	for _, module := range p.Modules {
		places := map[string]string{"this clone": m.modules[module.Tag]}
		if m.Remote != nil {
			places[m.Remote.String()] = m.Remote.Modules()[module.Tag]
		}
		for _, where := range slices.Sorted(maps.Keys(places)) {
			if there := places[where]; there != "" && there != p.Commit {
				m.against("%s has a tag %s on commit %s, and this release would be commit %s; a version never changes: "+
					"release the next one, or delete the tag if nothing of %s is published",
					where, module.Tag, there, p.Commit, p.Version)
			}
		}
	}
}
