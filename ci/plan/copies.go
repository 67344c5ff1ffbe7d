package plan

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/operator-release/operator-release/ci/compare"
	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/render"
)

// mostNamed is how many files a notice names.
const mostNamed = 20

// checkCopies compares the CRDs of one name in all files of the tree: those that tools make of types, those of charts,
// those of installers, those in Go's string literals. Labels, annotations, descriptions and what templates fill in do not
// count, nor do a server's defaults, nor a conversion that only one has. Copies that differ are told. They block a final
// version if the settings name a command that makes one of them.
func (m *maker) checkCopies(ctx context.Context, tree *git.Tree) error {
	if m.Again { // the version is what it was
		return nil
	}
	copies, err := m.copies(ctx, tree)
	if err != nil {
		return err
	}
	m.neverCopied(copies)
	_, candidate := m.plan.Version.Candidate()
	for _, name := range slices.Sorted(maps.Keys(copies)) {
		all := copies[name]
		rank := func(c compare.Definition) int { return compare.CRDRank(m.plan.Config.Charts, c.File) }
		slices.SortStableFunc(all, func(a, b compare.Definition) int { return cmp.Compare(rank(a), rank(b)) })
		for _, other := range all[1:] {
			at := difference(all[0], other)
			if at == "" {
				continue
			}
			text := fmt.Sprintf("the CRD %s is not the same in %s and %s: they differ at %s", name, all[0].File, other.File, at)
			wayOut := ""
			if command := m.commandFor(other.File); command != "" {
				wayOut = fmt.Sprintf("run `%s` and commit what it changes", command)
			} else if command := m.commandFor(all[0].File); command != "" {
				wayOut = fmt.Sprintf("make %s of what `%s` gives, and commit it", other.File, command)
			}
			switch {
			case wayOut == "":
				m.notice("%s; bring them together, and name the command that does so under `generated`", text)
			case candidate:
				m.notice("%s; %s", text, wayOut)
			default:
				m.against("%s; %s", text, wayOut)
			}
		}
	}
	return nil
}

// neverCopied tells of CRDs in kubebuilder's folder that no released chart has, where charts have others of them.
func (m *maker) neverCopied(copies map[string][]compare.Definition) {
	var missing, there []string
	for _, name := range slices.Sorted(maps.Keys(copies)) {
		made, inChart := "", false
		for _, c := range copies[name] {
			switch compare.CRDRank(m.plan.Config.Charts, c.File) {
			case 0:
				made = c.File
			case 2:
				inChart = true
			}
		}
		switch {
		case made == "":
		case inChart:
			there = append(there, name)
		default:
			missing = append(missing, fmt.Sprintf("%s (%s)", name, made))
		}
	}
	if len(missing) > 0 && len(there) > 0 {
		m.notice("no released chart has these CRDs, and charts have others of the same folder (%s): %s", there[0], strings.Join(missing, ", "))
	}
}

// copies are the CRDs of the tree by name. It tells of the files in which one could not be read.
func (m *maker) copies(ctx context.Context, tree *git.Tree) (map[string][]compare.Definition, error) {
	places, err := m.Repository.Grep(ctx, m.base.ID, []string{"CustomResourceDefinition"}, nil)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, place := range places {
		if e, ok := tree.Entry(place.Path); ok && strings.HasPrefix(e.Mode, "100") {
			files = append(files, place.Path)
		}
	}
	files = append(files, m.packages(tree)...)
	found, unread, err := compare.Definitions(tree, slices.Compact(files))
	if err != nil {
		return nil, err
	}
	all := map[string][]compare.Definition{}
	for _, c := range found {
		all[c.Name] = append(all[c.Name], c)
	}
	if n := len(unread); n > 0 {
		more := ""
		if n > mostNamed {
			more = fmt.Sprintf(" and %d more", n-mostNamed)
		}
		m.notice("CRDs in these files were not compared with those elsewhere, or only in part, because templates make them, "+
			"or they are no YAML: %s%s", strings.Join(unread[:min(mostNamed, n)], ", "), more)
	}
	return all, nil
}

// packages are the packages of charts that released charts bring in their charts folders.
func (m *maker) packages(tree *git.Tree) []string {
	var folders, files []string
	for _, chart := range m.plan.Config.Charts {
		for _, folder := range render.Folders(tree, chart.Path) {
			folders = append(folders, path.Join(folder, "charts"))
		}
	}
	for _, e := range tree.Entries() {
		if path.Ext(e.Path) == ".tgz" && strings.HasPrefix(e.Mode, "100") && slices.Contains(folders, path.Dir(e.Path)) &&
			!slices.Contains(m.replaced, e.Path) {
			files = append(files, e.Path)
		}
	}
	return files
}

// checkGenerated refuses rules of the settings that no file of the commit matches: nothing would be compared.
func (m *maker) checkGenerated(_ context.Context, tree *git.Tree) error {
	if m.Again || len(m.generated) == 0 {
		return nil
	}
	var files []string
	for _, e := range tree.Entries() {
		files = append(files, e.Path)
	}
	for i, g := range m.generated {
		unmatched, err := g.Unmatched(files)
		if err != nil {
			return err
		}
		makes, err := g.Matcher()
		switch {
		case err != nil:
			return err
		case !slices.ContainsFunc(files, makes):
			m.against("generated[%d] matches no file of the commit: %s; name the files that `%s` makes, "+
				"and commit them, or take the rule out of %s", i, strings.Join(g.Paths, ", "), g.Command, config.File)
		case len(unmatched) > 0:
			m.notice("generated[%d] names paths that match no file of the commit: %s; `%s` may make other files",
				i, strings.Join(unmatched, ", "), g.Command)
		}
	}
	return nil
}

// commandFor is a command of the settings that makes a file; empty if there is none.
func (m *maker) commandFor(file string) string {
	for _, g := range m.generated {
		makes, err := g.Matcher()
		if err == nil && makes(file) {
			return g.Command
		}
	}
	return ""
}
