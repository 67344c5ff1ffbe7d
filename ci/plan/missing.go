package plan

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/toolchain"
)

// Packaged gives those of the tree's entries that an artifact would hold.
type Packaged struct {
	Image      func(tree *git.Tree, image config.Image, of []git.Entry) ([]git.Entry, error)
	Chart      func(tree *git.Tree, chart config.Chart, of []git.Entry) ([]git.Entry, error)
	Companions []string // files of the tree's root that go into every archive
}

// checkMissing adds a blocking problem for each artifact that needs the file behind a Git LFS pointer or the files of a
// submodule: git has neither. The plan does not mention pointers and submodules that no artifact packages.
func (m *maker) checkMissing(_ context.Context, tree *git.Tree) error {
	missing, err := tree.MissingContent()
	if err != nil || len(missing) == 0 {
		return err
	}
	p := &m.plan
	for _, image := range p.Images {
		if image.How == config.ByArchive || image.How == config.LeftOut {
			continue
		}
		at := slices.IndexFunc(p.Config.Images, func(i config.Image) bool { return i.Repository == image.Repository })
		held, err := m.Packaged.Image(tree, p.Config.Images[at], missing)
		if err != nil {
			return err
		}
		m.refuseMissing("image "+image.Repository+" ("+image.Dockerfile+")", held, "exclude it by .dockerignore, "+
			"or build the image elsewhere and pass its archive by --image "+image.Repository+"=ARCHIVE")
	}
	for _, chart := range p.Config.Charts {
		held, err := m.Packaged.Chart(tree, chart, missing)
		if err != nil {
			return err
		}
		m.refuseMissing("chart "+chart.Path, held, "exclude it by .helmignore")
	}
	if len(p.Config.Binaries) == 0 {
		return nil
	}
	m.refuseMissing("archives of the binaries", slices.DeleteFunc(slices.Clone(missing), func(e git.Entry) bool {
		return e.Submodule() || !slices.Contains(m.Packaged.Companions, e.Path)
	}), "remove it")
	var mains []string
	for _, b := range m.compiled() {
		mains = append(mains, b.Main)
	}
	held, err := toolchain.Holds(tree, mains, missing)
	if err != nil {
		return err
	}
	m.refuseMissing("build of the binaries", held, "do not import or embed it")
	return nil
}

// compiled are the binaries that the go command makes for a platform: on Linux an image may bring some instead.
func (m *maker) compiled() []config.Binary {
	p := &m.plan
	return slices.DeleteFunc(slices.Clone(p.Config.Binaries), func(b config.Binary) bool {
		carried := slices.ContainsFunc(p.Images, func(i Image) bool { return i.Carries[b.Name] != "" })
		return carried && !slices.ContainsFunc(p.Platforms, func(on string) bool { return !strings.HasPrefix(on, "linux/") })
	})
}

// refuseMissing adds a blocking problem for an artifact with entries whose content git does not have: one for pointers
// and one for submodules.
func (m *maker) refuseMissing(artifact string, held []git.Entry, wayOut string) {
	for _, kind := range []struct {
		submodule    bool
		one, instead string
	}{
		{false, "a Git LFS pointer", "commit the file itself (git lfs untrack PATTERN && git add --renormalize .)"},
		{true, "a submodule, whose files are in another repository", "commit its files"},
	} {
		var paths []string
		for _, e := range held {
			if e.Submodule() == kind.submodule {
				paths = append(paths, e.Path)
			}
		}
		if n := len(paths); n > 0 {
			m.against("the %s would not have the content of %s: each is %s; %s, or %s",
				artifact, few(paths), kind.one, kind.instead, wayOut)
		}
	}
}

// few are the first five of the names, and how many more there are.
func few(names []string) string {
	const most = 5
	if n := len(names); n > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), n-most)
	}
	return strings.Join(names, ", ")
}
