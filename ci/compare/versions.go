package compare

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/render"
)

// Side is a version as it is compared.
type Side struct {
	Tree *git.Tree
	Built

	repository *git.Repository
	commit     string
}

// Settings are the settings that a version is read by.
type Settings struct {
	Name    string // of Content, for errors
	Content []byte // nil: those of its tree
	Later   []byte // those of a later version, which count where the tree has none, or none that can be read
}

// load gives the settings of a tree.
func (s Settings) load(tree fs.FS) (config.Config, error) {
	if s.Content != nil {
		return config.Read(tree, s.Name, s.Content)
	}
	_, missing := fs.Stat(tree, config.File)
	if missing == nil || s.Later == nil {
		c, err := config.Read(tree, "", nil)
		if err == nil || s.Later == nil {
			return c, err
		}
	}
	c, err := config.Read(tree, "the later "+config.File, s.Later)
	if err != nil {
		return config.Read(tree, "", nil)
	}
	return c, nil
}

// Open reads a version at a commit: its tree, which the caller closes, its settings, and the base images of its
// Dockerfiles, which bases finds. Faults in a Dockerfile are told where the image is built.
func Open(ctx context.Context, r *git.Repository, commit string, settings Settings, bases func(tree fs.FS, image config.Image) ([]string, error)) (Side, error) {
	at, err := r.Commit(ctx, commit)
	if err != nil {
		return Side{}, err
	}
	tree, err := r.Tree(ctx, at.ID)
	if err != nil {
		return Side{}, err
	}
	s := Side{Tree: tree, Built: Built{Bases: map[string][]string{}, Charts: map[string]string{}}, repository: r, commit: at.ID}
	if s.Config, err = settings.load(tree); err != nil {
		return s, errors.Join(err, tree.Close())
	}
	for _, c := range s.Config.Charts {
		var meta struct{ Name string }
		if content, err := fs.ReadFile(tree, path.Join(c.Path, "Chart.yaml")); err == nil && yaml.Unmarshal(content, &meta) == nil {
			s.Charts[c.Path] = meta.Name
		}
	}
	for _, image := range s.Config.Images {
		if found, err := bases(tree, image); err == nil {
			s.Bases[image.Dockerfile] = found
		}
	}
	return s, nil
}

// Settings are the settings in the version's tree; nil if it has none.
func (s Side) Settings() []byte {
	content, err := s.Tree.ReadFile(config.File)
	if err != nil {
		return nil
	}
	return content
}

// The sides of a comparison, as texts and ids name them.
const (
	olderSide = "older"
	newerSide = "newer"
)

// Versions gives all that differs between two versions, the gravest first. A part of a version that cannot be read is a
// finding that says so, and everything else is compared.
func Versions(ctx context.Context, older, newer Side) ([]Finding, error) {
	c := &comparison{older: older, newer: newer, findings: Artifacts(older.Built, newer.Built)}
	if err := c.add(Go, "the Go module")(GoModule(older.Tree, newer.Tree)); err != nil {
		return nil, err
	}
	if err := c.add(Flags, "the flags of the command line")(goFlags(older, newer)); err != nil {
		return nil, err
	}
	charts := pairs(older.Built, newer.Built)
	for _, p := range charts {
		if err := c.chart(ctx, p); err != nil {
			return nil, err
		}
	}
	if err := c.manifests(); err != nil {
		return nil, err
	}
	c.unnamedCharts()
	if err := c.crds(ctx, charts); err != nil {
		return nil, err
	}
	Sort(c.findings)
	c.findings = slices.CompactFunc(c.findings, func(a, b Finding) bool { return a.ID == b.ID })
	return c.findings, nil
}

// comparison collects what differs between two versions.
type comparison struct {
	older, newer Side
	findings     []Finding
}

// unread is an error of one side.
type unread struct {
	side string
	error
}

func (u unread) Unwrap() error { return u.error }

// of marks an error as one of a side.
func of(side string, err error) error {
	if err == nil {
		return nil
	}
	return unread{side, err}
}

// add takes findings of a subject. If something could not be read, a finding says that it was not compared.
func (c *comparison) add(subject, what string, about ...string) func([]Finding, error) error {
	return func(found []Finding, err error) error {
		c.findings = append(c.findings, found...)
		var u unread
		if !errors.As(err, &u) || !refusal.Is(err) {
			return err
		}
		f := New(Notable, subject, append(slices.Clone(about), "not-compared", u.side)...)
		f.What = fmt.Sprintf("%s is not compared: the %s version cannot be read", what, u.side)
		f.Now, f.NotCompared = strings.Join(strings.Fields(u.error.Error()), " "), true
		c.findings = append(c.findings, f)
		return nil
	}
}

// pair is a chart in both versions. A version that lacks it has nil.
type pair struct{ older, newer *chart }

// chart is a released chart of one version.
type chart struct {
	config.Chart
	side     string
	source   *render.Source // nil if it cannot be read
	rendered *render.Rendering
}

// pairs are the charts of two versions: those in one folder, and those of one name that lay in another folder before.
func pairs(older, newer Built) []pair {
	var all []pair
	left := slices.Clone(older.Config.Charts)
	take := func(same func(config.Chart) bool) *chart {
		at := slices.IndexFunc(left, same)
		if at < 0 {
			return nil
		}
		c := &chart{Chart: left[at], side: olderSide}
		left = slices.Delete(left, at, at+1)
		return c
	}
	for _, n := range newer.Config.Charts {
		all = append(all, pair{take(func(o config.Chart) bool { return o.Path == n.Path }), &chart{Chart: n, side: newerSide}})
	}
	for i, p := range all {
		if p.older == nil {
			all[i].older = take(func(o config.Chart) bool { return older.chartName(o) == newer.chartName(p.newer.Chart) })
		}
	}
	if len(left) == 1 && len(all) == 1 && all[0].older == nil { // the only chart was renamed
		all[0].older = take(func(config.Chart) bool { return true })
	}
	for _, o := range left {
		all = append(all, pair{older: &chart{Chart: o, side: olderSide}})
	}
	return all
}

// chart reads and renders a chart of both versions, and compares its values and objects.
func (c *comparison) chart(ctx context.Context, p pair) error {
	dir := ""
	for _, side := range []struct {
		*chart
		Side
	}{{p.older, c.older}, {p.newer, c.newer}} {
		if side.chart == nil {
			continue
		}
		dir = side.Path
		source, err := render.Read(ctx, side.Tree, side.Path, side.Fetch)
		if err == nil {
			side.source = source
		}
		if err := c.add(Objects, "chart "+dir, "chart", dir)(nil, of(side.side, err)); err != nil {
			return err
		}
	}
	c.leaveOut(dir, p)
	for _, one := range []*chart{p.older, p.newer} {
		if one == nil || one.source == nil {
			continue
		}
		if err := c.add(Objects, "what chart "+dir+" renders to", "rendering", dir)(nil, of(one.side, one.render(ctx))); err != nil {
			return err
		}
		if one.rendered != nil && one.rendered.Instead != nil {
			f := New(Notable, Objects, "chart", one.source.Name(), "not-default-values", one.side)
			f.File = one.rendered.Instead.File
			f.What = fmt.Sprintf("chart %s of the %s version refuses its default values alone; its objects are compared as %s makes them",
				dir, one.side, f.File)
			c.findings = append(c.findings, f)
		}
	}
	if p.older == nil || p.newer == nil {
		return nil
	}
	if p.older.Path != p.newer.Path {
		f := New(Info, Objects, "chart", path.Base(dir), "moved")
		f.What, f.Was, f.Now, f.File = "the chart lies in another folder", p.older.Path, p.newer.Path, p.newer.Path+"/Chart.yaml"
		c.findings = append(c.findings, f)
	}
	c.kubeVersion(p)
	if err := c.add(Values, "the values of chart "+dir, dir)(ChartValues(c.older.Tree, p.older.Path, c.newer.Tree, p.newer.Path)); err != nil {
		return err
	}
	if p.older.rendered == nil || p.newer.rendered == nil {
		return nil
	}
	return c.add(Objects, "the objects of chart "+dir, dir)(ChartObjects(*p.older.rendered, *p.newer.rendered))
}

// kubeVersion tells on which versions of Kubernetes Helm refuses the chart now, or does so no more.
func (c *comparison) kubeVersion(p pair) {
	if p.older.source == nil || p.newer.source == nil {
		return
	}
	was, now, name := p.older.source.KubeVersion(), p.newer.source.KubeVersion(), p.newer.source.Name()
	if was == now {
		return
	}
	lost, supported := render.NoLonger(was, now)
	gained, _ := render.NoLonger(now, was)
	f := New(Info, Objects, "chart", name, "kube-version", "widened")
	f.What = fmt.Sprintf("Helm installs chart %s also on Kubernetes %s", name, strings.Join(gained, ", "))
	switch {
	case len(lost) > 0:
		f = New(Notable, Objects, "chart", name, "kube-version", "narrowed")
		if supported {
			f.Severity = Breaking
		}
		f.What = fmt.Sprintf("Helm refuses chart %s on Kubernetes %s", name, strings.Join(lost, ", "))
	case len(gained) == 0:
		f = New(Info, Objects, "chart", name, "kube-version", "changed")
		f.What = fmt.Sprintf("kubeVersion of chart %s changed, and allows the same known minor versions", name)
	}
	f.Was, f.Now, f.File = was, now, p.newer.Path+"/Chart.yaml"
	c.findings = append(c.findings, f)
}

// leaveOut leaves out of both versions the dependencies that either lacks: what is tagged stays as it is.
func (c *comparison) leaveOut(dir string, p pair) {
	var names []string
	for _, one := range []*chart{p.older, p.newer} {
		if one == nil || one.source == nil {
			continue
		}
		for _, problem := range one.source.Problems {
			names = append(names, problem.Name)
			f := New(Notable, Objects, "dependency", problem.Name, "not-compared", one.side)
			f.What = fmt.Sprintf("what the dependency %s of chart %s brings is not compared: the %s version does not have it as it declares it",
				problem.Name, dir, one.side)
			f.File, f.Now, f.NotCompared = dir, problem.String(), true
			c.findings = append(c.findings, f)
		}
	}
	for _, one := range []*chart{p.older, p.newer} {
		if one != nil && one.source != nil {
			one.source.LeaveOut(names...)
		}
	}
}

// render renders the chart with its default values, for the newest version of Kubernetes.
func (one *chart) render(ctx context.Context) error {
	kubernetes, err := render.KubernetesOf(one.source.KubeVersion())
	if err != nil {
		return refusal.New("render chart %s: %w", one.Path, err)
	}
	r, err := one.source.Render(ctx, kubernetes.Newest, nil)
	if err != nil {
		return refusal.New("render chart %s: %w", one.Path, err)
	}
	one.rendered = &r
	return nil
}
