package compare

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
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

// crds compares the CRDs that each chart installs, those of its subcharts included, or, without a chart that has some,
// those that controller-gen leaves for kustomize.
func crds(older, newer Side) ([]Finding, error) {
	kustomize := []string{"config/crd/bases"}
	var findings []Finding
	compared := false
	for _, chart := range newer.Config.Charts {
		folders := append(crdFolders(newer.Tree, chart.Path), crdFolders(older.Tree, chart.Path)...)
		if len(folders) == 0 {
			continue
		}
		more, err := CRDs(older.Tree, newer.Tree, folders, kustomize)
		if err != nil {
			return nil, err
		}
		findings, compared = append(findings, more...), true
	}
	if compared {
		Sort(findings) // two charts may have one subchart
		return slices.CompactFunc(findings, func(a, b Finding) bool { return a.ID == b.ID }), nil
	}
	return CRDs(older.Tree, newer.Tree, kustomize)
}

// crdFolders are the folders with CRDs that Helm installs of a chart: its own, and those of subcharts that are folders
// of the tree.
func crdFolders(tree fs.FS, dir string) []string {
	var folders []string
	for _, chart := range render.Folders(tree, dir) {
		below, err := fs.Glob(tree, path.Join(chart, "charts", "*", "crds"))
		if err != nil {
			below = nil // a name that is no pattern
		}
		for _, folder := range append([]string{path.Join(chart, "crds")}, below...) {
			if _, err := fs.Stat(tree, folder); err == nil && !slices.Contains(folders, folder) {
				folders = append(folders, folder)
			}
		}
	}
	return folders
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
	var findings []Finding
	for _, dir := range both {
		values, err := ChartValues(older.Tree, newer.Tree, dir)
		if err != nil {
			return nil, err
		}
		objects, err := objectsOfChart(ctx, older, newer, dir)
		if err != nil {
			return nil, err
		}
		findings = append(findings, slices.Concat(values, objects)...)
	}
	return findings, nil
}

// objectsOfChart compares what two versions of a chart render to. A dependency that either commit lacks is left out of
// both, and one finding says so: what is tagged stays as it is.
func objectsOfChart(ctx context.Context, older, newer Side, dir string) ([]Finding, error) {
	var sources []*render.Source
	var findings []Finding
	for _, side := range []struct {
		Side
		name string
	}{{older, "older"}, {newer, "newer"}} {
		at := slices.IndexFunc(side.Config.Charts, func(c config.Chart) bool { return c.Path == dir })
		source, err := render.Read(ctx, side.Tree, dir, side.Config.Charts[at].Fetch)
		if err != nil {
			return nil, fmt.Errorf("of the %s version: %w", side.name, err)
		}
		for _, p := range source.Problems {
			f := New(Notable, Objects, "dependency", p.Name, "not-compared", side.name)
			f.What = fmt.Sprintf("what the dependency %s of chart %s brings is not compared: the %s version does not have it as it declares it", p.Name, dir, side.name)
			f.File, f.Now = dir, p.String()
			if !slices.ContainsFunc(findings, func(other Finding) bool { return other.ID == f.ID }) {
				findings = append(findings, f)
			}
		}
		sources = append(sources, source)
	}
	var made []render.Rendering
	for _, source := range sources {
		for _, other := range sources {
			for _, p := range other.Problems {
				source.LeaveOut(p.Name)
			}
		}
		kubernetes, err := render.KubernetesOf(source.KubeVersion())
		if err != nil {
			return nil, refusal.New("render chart %s: %w", dir, err)
		}
		r, err := source.Render(ctx, kubernetes.Newest, nil)
		if err != nil {
			return nil, refusal.New("render chart %s: %w", dir, err)
		}
		if side := []string{"older", "newer"}[len(made)]; r.Instead != nil {
			f := New(Notable, Objects, "chart", source.Name(), "not-default-values", side)
			f.What = fmt.Sprintf("chart %s of the %s version refuses its default values alone; its objects are compared as %s makes them",
				dir, side, r.Instead.File)
			f.File = r.Instead.File
			findings = append(findings, f)
		}
		made = append(made, r)
	}
	objects, err := ChartObjects(made[0], made[1])
	return append(findings, objects...), err
}
