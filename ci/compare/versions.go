package compare

import (
	"context"
	"errors"
	"io/fs"
	"path"

	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/git"
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
