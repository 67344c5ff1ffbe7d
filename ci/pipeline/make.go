package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/operator-release/operator-release/ci/config"
)

// making makes the pieces of a bundle, by the names of their folders.
type making[T any] struct {
	flow    *Flow[T]
	plan    plan
	planned Outputs[T]
	source  T
	gated   bool

	builds, charts, images, archives, test map[string]Outputs[T]
}

// make builds for all platforms and packages the charts side by side, then the images beside archives and gate: the gate's commands
// find compiled what the builds compiled. What needs a binary that is taken out of an image waits for that image.
func (m *making[T]) make(ctx context.Context) error {
	first := newGroup[T](ctx)
	m.goBuilds(first)
	m.goCharts(first)
	if err := first.wait(); err != nil {
		return err
	}
	second := newGroup[T](ctx)
	if err := m.goImages(second); err != nil {
		return err
	}
	m.goArchives(second, false)
	if err := errors.Join(m.goTest(second, false), second.wait()); err != nil {
		return err
	}
	third := newGroup[T](ctx)
	m.goArchives(third, true)
	return errors.Join(m.goTest(third, true), third.wait())
}

func (m *making[T]) values() config.Values {
	return config.Values{Version: m.plan.Version, Line: m.plan.Line, Commit: m.plan.Commit, Time: m.plan.Time}
}

// carrier is the folder of the image that a binary is taken out of, for a platform: where an image compiles what is
// released, archive and image carry the same bytes. Empty where the binary is built.
func (m *making[T]) carrier(binary, platform string) string {
	if !strings.HasPrefix(platform, "linux/") {
		return ""
	}
	for i, image := range m.plan.Images {
		if _, ok := image.Carries[binary]; ok && image.How != config.LeftOut {
			return imageName(i)
		}
	}
	return ""
}

// carried tells whether a platform has a binary that is taken out of an image.
func (m *making[T]) carried(platform string) bool {
	return slices.ContainsFunc(m.plan.Config.Binaries, func(b config.Binary) bool { return m.carrier(b.Name, platform) != "" })
}

func (m *making[T]) goBuilds(g *group[T]) {
	m.builds = map[string]Outputs[T]{}
	for _, platform := range m.plan.Platforms {
		var binaries []config.Binary
		for _, b := range m.plan.Config.Binaries {
			if m.carrier(b.Name, platform) == "" {
				b.LDFlags = m.values().Expand(b.LDFlags)
				binaries = append(binaries, b)
			}
		}
		if len(binaries) == 0 {
			continue
		}
		g.run(m.builds, buildName(platform), m.flow.Runner, Build, Inputs[T]{
			Subject: platform,
			Spec:    BuildSpec{Platform: platform, Toolchain: m.plan.Toolchain, Binaries: binaries},
			Trees:   map[string]Folder[T]{Tree: {m.source, GoFiles}},
		})
	}
}

func (m *making[T]) goCharts(g *group[T]) {
	m.charts = map[string]Outputs[T]{}
	for i, chart := range m.plan.Config.Charts {
		g.run(m.charts, chartName(i), m.flow.Runner, Chart, Inputs[T]{
			Subject: chart.Path,
			Spec:    ChartSpec{Chart: chart, Version: m.plan.Version, Time: m.plan.Time, Annotations: labels(m.plan)},
			Trees:   map[string]Folder[T]{Tree: {m.source, AllFiles}},
		})
	}
}

func (m *making[T]) goImages(g *group[T]) error {
	m.images = map[string]Outputs[T]{}
	linux := linux(m.plan.Platforms)
	for i, image := range m.plan.Config.Images {
		if i >= len(m.plan.Images) || m.plan.Images[i].Repository != image.Repository {
			return fmt.Errorf("read the plan: it does not say how %s is made", image.Repository)
		}
		if m.plan.Images[i].How == config.LeftOut || len(linux) == 0 {
			continue
		}
		image.Args = m.values().ExpandAll(image.Args)
		g.do(m.images, imageName(i), func(ctx context.Context) (Outputs[T], error) {
			return m.image(ctx, i, image, linux)
		})
	}
	return nil
}

// image makes one image: in process, of an archive made elsewhere, or of what a container engine makes.
func (m *making[T]) image(ctx context.Context, i int, image config.Image, platforms []string) (Outputs[T], error) {
	how := m.plan.Images[i]
	trees := map[string]Folder[T]{Tree: {m.source, AllFiles}}
	for name, build := range m.builds {
		trees[name] = Folder[T]{build.Tree, "bin"}
	}
	carries := map[string]string{}
	for name, path := range how.Carries {
		if m.carrier(name, platforms[0]) == imageName(i) {
			carries[name] = path
		}
	}
	switch how.How {
	case config.ByArchive:
		trees[Archived] = Whole(m.flow.Archives[image.Repository])
	case config.ByEngine:
		made, err := m.byEngine(ctx, image, platforms)
		if err != nil {
			return made, err
		}
		trees[Archived] = Whole(made.Tree)
	}
	return m.flow.Runner.Run(ctx, Image, Inputs[T]{
		Subject: image.Repository,
		Spec: ImageSpec{Image: image, Version: m.plan.Version, Platforms: platforms, Time: m.plan.Time, Labels: labels(m.plan), Carries: carries,
			Mirrors: m.flow.Mirrors, PlainHTTP: m.flow.PlainHTTP, Pins: m.flow.Pins,
			Foreign: m.plan.Config.ForeignVersions},
		Trees: trees,
	})
}

// byEngine has an image built by a container engine, of a context per platform.
func (m *making[T]) byEngine(ctx context.Context, image config.Image, platforms []string) (Outputs[T], error) {
	trees := map[string]Folder[T]{Repository: Whole(m.flow.Repository), Planned: Whole(m.planned.Tree)}
	for name, build := range m.builds {
		trees[name] = Folder[T]{build.Tree, "bin"}
	}
	context, err := m.flow.Runner.Run(ctx, Context, Inputs[T]{
		Subject: image.Repository,
		Spec:    ContextSpec{Image: image, Version: m.plan.Version, Platforms: platforms, Commit: m.plan.Commit, Time: m.plan.Time},
		Trees:   trees,
	})
	if err != nil {
		return context, err
	}
	var said struct {
		Dockerfile string `json:"dockerfile"`
	}
	if err := json.Unmarshal(context.Report, &said); err != nil {
		return context, fmt.Errorf("read what the context of %s holds: %w", image.Repository, err)
	}
	spec := EngineSpec{Repository: image.Repository, Dockerfile: said.Dockerfile, Source: image.Dockerfile,
		Args: image.Args, Target: image.Target, Platforms: platforms, Labels: labels(m.plan)}
	trees = map[string]Folder[T]{}
	for _, platform := range platforms {
		trees[ContextName(platform)] = Folder[T]{context.Tree, ContextName(platform)}
	}
	return m.flow.Runner.Run(ctx, Engine, Inputs[T]{Subject: image.Repository, Spec: spec, Trees: trees})
}

// binaries are the folders that hold a platform's binaries, by the binaries' names.
func (m *making[T]) binaries(platform string, trees map[string]Folder[T]) map[string]string {
	all := map[string]string{}
	for _, b := range m.plan.Config.Binaries {
		if carrier := m.carrier(b.Name, platform); carrier != "" {
			taken := carrier + "-" + slug(platform)
			all[b.Name], trees[taken] = taken, Folder[T]{m.images[carrier].Tree, "bin/" + slug(platform)}
			continue
		}
		built := buildName(platform)
		all[b.Name], trees[built] = built, Folder[T]{m.builds[built].Tree, "bin"}
	}
	return all
}

// goArchives archives the binaries of the platforms that have some out of an image, or of the others.
func (m *making[T]) goArchives(g *group[T], carried bool) {
	if m.archives == nil {
		m.archives = map[string]Outputs[T]{}
	}
	if len(m.plan.Config.Binaries) == 0 {
		return
	}
	for _, platform := range m.plan.Platforms {
		if m.carried(platform) != carried {
			continue
		}
		trees := map[string]Folder[T]{Tree: {m.source, AllFiles}}
		g.run(m.archives, string(Archive)+"-"+slug(platform), m.flow.Runner, Archive, Inputs[T]{
			Subject: platform,
			Spec: ArchiveSpec{Version: m.plan.Version, Platform: platform, Time: m.plan.Time, Binaries: m.binaries(platform, trees),
				Foreign: m.plan.Config.ForeignVersions},
			Trees: trees,
		})
	}
}

// goTest asks the gate, with the binaries that the runner can execute, and those that it can only read. It waits for
// the images, which are made then, if a binary is taken out of one, or if one is handed over.
func (m *making[T]) goTest(g *group[T], made bool) error {
	p := m.plan
	wait := slices.ContainsFunc(p.Platforms, m.carried) || len(linux(p.Platforms)) > 0 &&
		slices.ContainsFunc(p.Images, func(image planned) bool { return image.How == config.ByArchive })
	if !m.gated || wait != made {
		return nil
	}
	m.test = map[string]Outputs[T]{}
	spec := NewTestSpec(p.Config, p.Version.String(), p.Commit, p.Time, p.Toolchain)
	_, candidate := p.Version.Candidate()
	spec.Final = !candidate
	if err := m.giveImages(&spec, made); err != nil {
		return err
	}
	spec.Generated = p.Generated // of the settings; the plan's configuration has none
	spec.Host, spec.Unrun = m.flow.Host, map[string]map[string]string{}
	trees := map[string]Folder[T]{Repository: Whole(m.flow.Repository), Planned: Whole(m.planned.Tree)}
	for _, platform := range p.Platforms {
		if platform == m.flow.Host {
			spec.Binaries = m.binaries(platform, trees)
		} else if binaries := m.binaries(platform, trees); len(binaries) > 0 {
			spec.Unrun[platform] = binaries
		}
	}
	g.run(m.test, string(Test), m.flow.Runner, Test, Inputs[T]{Subject: p.Version.String(), Spec: spec, Trees: trees})
	return nil
}

// giveImages tells the gate which images the bundle lacks, for which platforms it has the others, and of which the
// programs are not run.
func (m *making[T]) giveImages(spec *TestSpec, made bool) error {
	p := m.plan
	for i, image := range p.Images {
		platforms := linux(p.Platforms)
		switch {
		case image.How == config.LeftOut:
			spec.Lack(image.Repository, image.Because)
			continue
		case len(platforms) == 0:
			spec.Lack(image.Repository, "it has no platform of Linux")
			continue
		case image.How == config.ByArchive && len(image.Carries) == 0:
			spec.Given = append(spec.Given, image.Repository)
		}
		if made && image.How == config.ByArchive {
			var said struct {
				Platforms []struct {
					Platform string `json:"platform"`
				} `json:"platforms"`
			}
			if err := json.Unmarshal(m.images[imageName(i)].Report, &said); err != nil {
				return fmt.Errorf("read which platforms %s is for: %w", image.Repository, err)
			}
			platforms = nil
			for _, of := range said.Platforms {
				platforms = append(platforms, of.Platform)
			}
		}
		spec.GiveImage(image.Repository, platforms, p.Platforms)
	}
	return nil
}

func (m *making[T]) bundle(ctx context.Context) (Outputs[T], error) {
	spec := BundleSpec{Plan: m.planned.Report, Test: m.test[string(Test)].Report,
		Archives: map[string]json.RawMessage{}, Images: map[string]json.RawMessage{}, Charts: map[string]json.RawMessage{}}
	trees := map[string]Folder[T]{Planned: Whole(m.planned.Tree)}
	for _, kind := range []struct {
		pieces  map[string]Outputs[T]
		reports map[string]json.RawMessage
	}{{m.archives, spec.Archives}, {m.images, spec.Images}, {m.charts, spec.Charts}} {
		for name, piece := range kind.pieces {
			kind.reports[name] = piece.Report
			trees[name] = Whole(piece.Tree)
		}
	}
	return m.flow.Runner.Run(ctx, Bundle, Inputs[T]{Subject: m.plan.Version.String(), Spec: spec, Trees: trees})
}

// NewTestSpec asks what the settings say about a commit; without a version no image names and no binaries are looked
// at. Lack takes out what the bundle lacks.
func NewTestSpec(c config.Config, version, commit string, when time.Time, toolchain string) TestSpec {
	s := TestSpec{Version: version, Commit: commit, Time: when, Toolchain: toolchain, Commands: c.Gate, Images: map[string]string{}, Foreign: c.ForeignImages,
		ForeignVersions: c.ForeignVersions, Generated: c.Generated}
	for _, chart := range c.Charts {
		s.Charts = append(s.Charts, chart.Path)
		if len(chart.Fetch) > 0 {
			if s.Fetch == nil {
				s.Fetch = map[string][]config.Package{}
			}
			s.Fetch[path.Clean(chart.Path)] = chart.Fetch
		}
	}
	for _, image := range c.Images {
		if version != "" {
			s.Images[image.Repository] = version
		}
	}
	return s
}

// Lack says that the bundle lacks an image, and why.
func (s *TestSpec) Lack(repository, because string) {
	if s.Lacks == nil {
		s.Lacks = map[string]string{}
	}
	delete(s.Images, repository)
	s.Lacks[repository] = because
}

// GiveImage notes the platforms of an image in the bundle. The programs of those that the bundle is not made for are
// not run.
func (s *TestSpec) GiveImage(repository string, platforms, released []string) {
	if s.ImagePlatforms == nil {
		s.ImagePlatforms = map[string][]string{}
	}
	s.ImagePlatforms[repository] = platforms
	for _, platform := range platforms {
		if !slices.Contains(released, platform) && !slices.Contains(s.Given, repository) {
			s.Given = append(s.Given, repository+" for "+platform)
		}
	}
}

// linux are the platforms that have images.
func linux(platforms []string) []string {
	return slices.DeleteFunc(slices.Clone(platforms), func(platform string) bool { return !strings.HasPrefix(platform, "linux/") })
}

// slug is a platform in names of folders: linux-amd64.
func slug(platform string) string { return strings.ReplaceAll(platform, "/", "-") }

// buildName is the name of a platform's build among the inputs: build-linux-amd64.
func buildName(platform string) string { return string(Build) + "-" + slug(platform) }

// ContextName is the name of a platform's context among the inputs: context-linux-amd64.
func ContextName(platform string) string { return string(Context) + "-" + slug(platform) }

func chartName(i int) string { return fmt.Sprintf("%s-%d", Chart, i) }

func imageName(i int) string { return fmt.Sprintf("%s-%d", Image, i) }

// labels are the OCI annotations that every artifact carries.
// They are those of https://specs.opencontainers.org/image-spec/annotations/.
func labels(p plan) map[string]string {
	l := map[string]string{
		"org.opencontainers.image.created":  p.Time.UTC().Format(time.RFC3339),
		"org.opencontainers.image.revision": p.Commit,
		"org.opencontainers.image.title":    p.Config.Name,
		"org.opencontainers.image.version":  p.Version.String(),
	}
	if p.Config.URL != "" {
		l["org.opencontainers.image.source"] = p.Config.URL
		l["org.opencontainers.image.url"] = p.Config.URL
	}
	return l
}
