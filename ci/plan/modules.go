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
	"github.com/operator-release/operator-release/ci/version"
)

// findModules finds the Go modules whose tags are published: those below the root that have a tag beside a version
// before. It adds a blocking problem for a module of which the go command does not take the version, or that retracts
// it. It tells of modules that get no tag, and of those that are gone.
func (m *maker) findModules(ctx context.Context, tree *git.Tree) error {
	modules, err := gomodule.Find(tree)
	if err != nil || m.partial {
		return err
	}
	if m.modules, err = tags.ReadModules(ctx, m.Repository); err != nil {
		return err
	}
	p, root := &m.plan, gomodule.Root(modules)
	var own []error // why the modules whose tag is the version itself do not take it
	fits := false
	var untagged []string // prefixes
	var apart []string    // modules that get no tag, each with why
	for _, module := range modules {
		prefix, misplaced := module.Prefix(root)
		if misplaced != nil {
			prefix = module.Dir + "/"
		}
		unfit := module.Check(p.Version)
		if prefix == "" {
			if unfit == nil {
				fits = true
				if err := m.checkRetracted(tree, module); err != nil {
					return err
				}
			}
			own = append(own, unfit)
			continue
		}
		tag, beside := prefix+p.Version.String(), m.beside(ctx, prefix)
		shared := slices.ContainsFunc(modules, func(other gomodule.Module) bool {
			at, err := other.Prefix(root)
			return err == nil && at == prefix && other.Check(p.Version) == nil
		})
		switch {
		case misplaced == nil && unfit != nil && (beside == "" || shared):
			if m.newest(module, prefix) != "" || module.HasMajor() {
				apart = append(apart, m.apart(module, prefix))
			}
		case slices.ContainsFunc(p.Modules, func(other Module) bool { return other.Tag == tag }):
		case beside == "" && misplaced == nil && m.newest(module, prefix) != "":
			apart = append(apart, m.apart(module, prefix))
		case beside == "" && misplaced == nil:
			untagged = append(untagged, prefix)
		case beside == "":
		case misplaced != nil:
			m.unfit = append(m.unfit, fmt.Sprintf("module %s (%s) has a tag %s, and cannot have %s: %v; correct its path",
				module.Path, module.File(), beside, tag, misplaced))
		case unfit != nil:
			m.unfit = append(m.unfit, unfit.Error())
		default:
			p.Modules = append(p.Modules, Module{Path: module.Path, Tag: tag, Beside: beside})
			err := m.checkNames(ctx, "refs/tags/"+tag)
			if err == nil {
				err = m.checkRetracted(tree, module)
			}
			if err != nil {
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
	if !m.Again {
		p.Notices = append(p.Notices, apart...)
	}
	if !m.place.Exists { // else checkRepeat decides: a published version stays as it is
		p.Against = append(p.Against, m.unfit...)
	}
	return m.tellGone(ctx, modules)
}

// checkRetracted speaks against a go.mod that retracts the version that it is part of.
func (m *maker) checkRetracted(tree *git.Tree, module gomodule.Module) error {
	content, err := tree.ReadFile(module.File())
	if err != nil {
		return err
	}
	if line := gomodule.Retracted(content, m.plan.Version); line > 0 {
		m.unfit = append(m.unfit, fmt.Sprintf("%s:%d retracts %s of module %s, which would be released: the go command then "+
			"warns its users, and does not choose it; take %[3]s out of the retract directive, or release another version",
			module.File(), line, m.plan.Version, module.Path))
	}
	return nil
}

// newest is the newest tag of a module with a version that the go command takes of it; empty if there is none.
func (m *maker) newest(module gomodule.Module, prefix string) string {
	var newest version.Version
	for tag := range m.modules {
		at, v, _ := tags.CutModule(tag)
		if at == prefix && module.Check(v) == nil && (newest.IsZero() || v.Compare(newest) > 0) {
			newest = v
		}
	}
	if newest.IsZero() {
		return ""
	}
	return prefix + newest.String()
}

// apart tells of a module whose versions are not those of the release, and how it is tagged by hand.
func (m *maker) apart(module gomodule.Module, prefix string) string {
	p := &m.plan
	newest, next := m.newest(module, prefix), prefix+p.Version.String()
	why := fmt.Sprintf("the go command takes %s of it alone", module.Majors())
	if module.Check(p.Version) == nil {
		why = "no version before has a tag of it beside its own"
	}
	has := "it has no tag yet"
	if newest != "" {
		has = "its newest tag is " + newest
		_, v, _ := tags.CutModule(newest)
		if after := v.NextPatch(); module.Check(p.Version) != nil || v.Compare(p.Version) > 0 {
			next = prefix + after.String()
		}
	} else if module.Check(p.Version) != nil {
		next = prefix + strings.TrimPrefix(module.Majors(), "v0 and ") + ".0.0"
	}
	return fmt.Sprintf("module %s (%s) gets no tag by this release: %s; %s; if users shall get a new version of it, make "+
		"its tag after publication, such as git tag %s %s", module.Path, module.File(), why, has, next, p.Version)
}

// tellGone tells of modules below the root that a version before has, and the commit has not.
func (m *maker) tellGone(ctx context.Context, now []gomodule.Module) error {
	versions := m.before(ctx).Versions
	if m.Again || len(versions) == 0 {
		return nil
	}
	tree, err := m.Repository.Tree(ctx, m.tags[versions[0]])
	if err != nil {
		return err
	}
	defer tree.Close()
	before, err := gomodule.Find(tree)
	if err != nil {
		return err
	}
	for _, module := range before {
		prefix, misplaced := module.Prefix(gomodule.Root(before))
		if misplaced != nil || prefix == "" || slices.ContainsFunc(now, func(other gomodule.Module) bool {
			at, err := other.Prefix(gomodule.Root(now))
			return err == nil && at == prefix && (other.Path == module.Path || module.Check(m.plan.Version) != nil)
		}) {
			continue
		}
		m.notice("module %s (%s) of %s is gone: this release makes no tag that begins with %s for it, and its users stay on "+
			"older versions; bring it back, or tell them by a comment `// Deprecated:` in the go.mod of a last version",
			module.Path, module.File(), versions[0], prefix)
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
