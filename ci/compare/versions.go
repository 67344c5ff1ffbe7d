package compare

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/render"
)

// Side is a version as it is compared.
type Side struct {
	Tree *git.Tree
	Built
}

// Open reads a version at a commit: its tree, which whoever opens closes, its settings (content, the file named name, where it is not nil), and the base images of its
// Dockerfiles, which bases finds. What is wrong with a Dockerfile is for whoever builds it to say.
func Open(ctx context.Context, r *git.Repository, commit, name string, content []byte, bases func(tree fs.FS, image config.Image) ([]string, error)) (Side, error) {
	tree, err := r.Tree(ctx, commit)
	if err != nil {
		return Side{}, err
	}
	s := Side{Tree: tree, Built: Built{Bases: map[string][]string{}}}
	if s.Config, err = config.Load(tree, name, content); err != nil {
		return s, errors.Join(err, tree.Close())
	}
	for _, image := range s.Config.Images {
		if found, err := bases(tree, image); err == nil {
			s.Bases[image.Dockerfile] = found
		}
	}
	return s, nil
}

// Versions gives all that differs between two versions, the gravest first. What cannot be read is refused.
func Versions(ctx context.Context, older, newer Side) ([]Finding, error) {
	findings := Artifacts(older.Built, newer.Built)
	add := func(more []Finding, err error) error {
		findings = append(findings, more...)
		return err
	}
	if err := add(GoModule(older.Tree, newer.Tree)); err != nil {
		return nil, err
	}
	if err := add(crds(older, newer)); err != nil {
		return nil, err
	}
	if err := add(charts(ctx, older, newer)); err != nil {
		return nil, err
	}
	Sort(findings)
	return findings, nil
}

// crds compares the CRDs that each chart installs, or, without a chart that has some, those that controller-gen leaves for kustomize.
func crds(older, newer Side) ([]Finding, error) {
	const kustomize = "config/crd/bases"
	var findings []Finding
	compared := false
	for _, chart := range newer.Config.Charts {
		folder := path.Join(chart.Path, "crds")
		if _, err := fs.Stat(newer.Tree, folder); err != nil {
			if _, err := fs.Stat(older.Tree, folder); err != nil {
				continue
			}
		}
		more, err := CRDs(older.Tree, newer.Tree, []string{folder, kustomize})
		if err != nil {
			return nil, err
		}
		findings, compared = append(findings, more...), true
	}
	if compared {
		return findings, nil
	}
	return CRDs(older.Tree, newer.Tree, []string{kustomize})
}

// charts compares the charts that both versions have at one path: their values, and what they render to with the default ones.
func charts(ctx context.Context, older, newer Side) ([]Finding, error) {
	var both []string
	for _, chart := range newer.Config.Charts {
		if slices.ContainsFunc(older.Config.Charts, func(c config.Chart) bool { return c.Path == chart.Path }) {
			both = append(both, chart.Path)
		}
	}
	if len(both) == 0 {
		return nil, nil
	}
	was, err := renderings(ctx, older.Tree, both)
	if err != nil {
		return nil, fmt.Errorf("of the older version: %w", err)
	}
	now, err := renderings(ctx, newer.Tree, both)
	if err != nil {
		return nil, fmt.Errorf("of the newer version: %w", err)
	}
	var findings []Finding
	for _, dir := range both {
		values, err := ChartValues(older.Tree, newer.Tree, dir)
		if err != nil {
			return nil, err
		}
		objects, err := ChartObjects(was[dir], now[dir])
		if err != nil {
			return nil, err
		}
		findings = append(findings, slices.Concat(values, objects)...)
	}
	return findings, nil
}

// renderings are what charts render to with their default values. A chart that does not render is refused: its own gate says what is wrong with it.
func renderings(ctx context.Context, tree *git.Tree, dirs []string) (map[string]render.Rendering, error) {
	root, err := os.MkdirTemp("", "release-compare-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(root)
	all := map[string]render.Rendering{}
	for _, dir := range dirs {
		at := filepath.Join(root, filepath.FromSlash(dir))
		left := render.MostFiles
		if err := copyFolder(tree, dir, at, &left); err != nil {
			return nil, fmt.Errorf("copy chart %s: %w", dir, err)
		}
		if all[dir], err = render.Chart(ctx, at, dir, ""); err != nil {
			return nil, refusal.New("render chart %s: %w", dir, err)
		}
	}
	return all, nil
}

// copyFolder writes a folder of a tree, and in the place of links what they lead to in the tree, as Helm does. One that leads out of it, nowhere or in circles is refused.
func copyFolder(tree *git.Tree, from, to string, left *int) error {
	entries, err := tree.ReadDir(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	for _, e := range entries {
		name, target := path.Join(from, e.Name()), filepath.Join(to, e.Name())
		if *left--; *left < 0 {
			return refusal.New("with %s it comes to more than %d files, or its symbolic links lead in circles; replace them by the files themselves", name, render.MostFiles)
		}
		info, err := tree.Stat(name)
		if errors.Is(err, fs.ErrNotExist) {
			return refusal.New("%s is a symbolic link that leads nowhere; replace it by the file itself", name)
		}
		if err != nil {
			return err
		}
		if info.IsDir() {
			if err := copyFolder(tree, name, target, left); err != nil {
				return err
			}
			continue
		}
		content, err := tree.ReadFile(name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(target, content, 0o644); err != nil {
			return err
		}
	}
	return nil
}
