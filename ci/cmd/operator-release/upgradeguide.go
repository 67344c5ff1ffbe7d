package main

import (
	"context"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/compare"
	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/pipeline"
	"github.com/operator-release/operator-release/ci/plan"
	"github.com/operator-release/operator-release/ci/policy"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/surface"
	"github.com/operator-release/operator-release/ci/tags"
	"github.com/operator-release/operator-release/ci/upgrade"
	"github.com/operator-release/operator-release/ci/version"
)

// guided is what the stage upgrade says.
type guided struct {
	From     version.Version   `json:"from"`
	To       version.Version   `json:"to"`
	Findings []compare.Finding `json:"findings"`
	Texts    map[string]string `json:"texts,omitempty"` // what explains findings, by id
	Guide    string            `json:"guide"`
	Warning  string            `json:"warning,omitempty"` // about To
	planned  bool              // To is not tagged yet
	imageTag string            // of the images of To; empty: To
	foreign  upgrade.Foreign
}

func (a *app) upgradeGuideCommand() *cobra.Command {
	var from string
	cmd := &cobra.Command{
		Use: "upgrade-guide FROM TO", Short: "Print what to do before, during and after an upgrade, and whether one can go back, in Markdown",
		Long: "FROM is a tagged version. TO is one too, or a version that would be made of the commit that is checked out. What differs is told from git alone.",
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			settings, err := a.configContent()
			if err != nil {
				return err
			}
			digests, err := digestsOf(from, args[1])
			if err != nil {
				return err
			}
			var said guided
			in := pipeline.Inputs[string]{Subject: args[0] + " to " + args[1], Spec: pipeline.UpgradeSpec{From: args[0], To: args[1], Digests: digests, Config: settings}, Trees: a.repository()}
			if err := a.alone(cmd.Context(), pipeline.Upgrade, in, &said); err != nil {
				return err
			}
			if !a.json {
				_, err := io.WriteString(a.stdout, said.Guide)
				return err
			}
			return a.print(said, nil)
		},
	}
	cmd.Flags().StringVar(&from, "bundle", "", "folder of TO's bundle, whose record tells the digests of its images")
	return cmd
}

// digestsOf are the digests of the images in a version's bundle, by repository.
func digestsOf(dir, v string) (map[string]string, error) {
	if dir == "" {
		return nil, nil
	}
	b, err := bundle.Load(dir)
	if err != nil {
		return nil, err
	}
	if b.Record.Version.String() != v {
		return nil, refusal.New("take the digests of %s from %s: that is the bundle of %s", v, dir, b.Record.Version)
	}
	digests := map[string]string{}
	for _, image := range b.Record.OfKind(bundle.KindImage) {
		digests[image.Repository] = image.Digest.String()
	}
	return digests, nil
}

func runUpgrade(ctx context.Context, c call, spec pipeline.UpgradeSpec) (any, error) {
	said := guided{Findings: []compare.Finding{}}
	var err error
	if said.From, err = version.Parse(spec.From); err != nil {
		return nil, err
	}
	if said.To, err = version.Parse(spec.To); err != nil {
		return nil, err
	}
	if said.From.Compare(said.To) >= 0 {
		return nil, refusal.New("guide from %s to %s: that is no upgrade; name the older version first", said.From, said.To)
	}
	repository, err := git.Open(ctx, c.trees[pipeline.Repository])
	if err != nil {
		return nil, err
	}
	tagged, err := tags.Read(ctx, repository)
	if err != nil {
		return nil, err
	}
	from, ok := tagged[said.From]
	if !ok {
		return nil, refusal.New("guide from %s: there is no tag of it here; fetch it: git fetch --tags", said.From)
	}
	to, ok := tagged[said.To]
	if !ok {
		head, _, err := repository.Head(ctx)
		if err != nil {
			return nil, err
		}
		to, said.planned = head.ID, true // its images get the version as their tag
	}
	marks, err := journal.LocalMarks(ctx, repository)
	if err != nil {
		return nil, err
	}
	said.Warning = marks[said.To].Warning(said.To)
	return guideBetween(ctx, repository, said, from, to, spec)
}

// guideBetween adds what differs between two commits, and the guide, to what is said of the versions.
func guideBetween(ctx context.Context, repository *git.Repository, said guided, from, to string, spec pipeline.UpgradeSpec) (guided, error) {
	older, newer, findings, err := differences(ctx, repository, from, to, spec.Config)
	if err != nil {
		return said, err
	}
	defer older.Tree.Close()
	defer newer.Tree.Close()
	said.Findings = findings
	changes, err := policy.Changes(ctx, repository, from, to)
	if err != nil {
		return said, err
	}
	// Whatever a version may contain: here it is told.
	explain := config.Policy{Patch: config.Explained, Minor: config.Explained, Major: config.Explained}
	j, err := policy.Judge(policy.Question{Version: said.To, Before: said.From, Policy: explain, Changes: changes, Findings: said.Findings, Explain: newer.Config.Explain})
	if err != nil {
		return said, err
	}
	said.Texts = j.Texts()
	if !said.planned && spec.Digests == nil {
		if said.imageTag, said.foreign.To, err = imageTag(newer.Tree, newer.Config, said.To); err != nil {
			return said, err
		}
	}
	if _, said.foreign.From, err = imageTag(older.Tree, older.Config, said.From); err != nil {
		return said, err
	}
	said.Guide, err = guide(newer.Tree, newer.Config, said, j.Points, spec.Digests)
	return said, err
}

// differences are what users see of two commits, and the two sides, which the caller closes.
func differences(ctx context.Context, repository *git.Repository, from, to string, settings *string) (older, newer compare.Side, found []compare.Finding, err error) {
	var name string
	var content []byte
	if settings != nil {
		name, content = "the settings of --config", []byte(*settings)
	}
	if err := repository.Complete(ctx, from, to); err != nil {
		return older, newer, nil, err
	}
	given := compare.Settings{Name: name, Content: content}
	if newer, err = compare.Open(ctx, repository, to, given, basesOf); err != nil {
		return older, newer, nil, err
	}
	given.Later = newer.Settings()
	if older, err = compare.Open(ctx, repository, from, given, basesOf); err == nil {
		if found, err = compare.Versions(ctx, older, newer); err == nil {
			return older, newer, found, nil
		}
		older.Tree.Close()
	}
	newer.Tree.Close()
	return older, newer, nil, err
}

// basesOf are the base images that a Dockerfile names.
func basesOf(tree fs.FS, image config.Image) ([]string, error) {
	seen, err := examine(tree, image)
	return seen.Bases, err
}

// imageTag is the tag of the images of a version, as its tree asks for it, and whether another tool published it:
// versions that are older than this tool may have tags without the v.
func imageTag(tree fs.FS, c config.Config, v version.Version) (tag string, foreign bool, err error) {
	values, _, err := surface.Values(tree, c)
	return surface.ImageTag(values, v), surface.Foreign(values, v), err
}

// guide writes the guide of a version to its tree's charts and images.
func guide(tree fs.FS, c config.Config, said guided, points []policy.Point, digests map[string]string) (string, error) {
	o := upgrade.Options{Name: c.Name, From: said.From, To: said.To, Findings: said.Findings, Texts: said.Texts, Digests: digests, Warning: said.Warning,
		ImageTag: said.imageTag, Foreign: said.foreign}
	var err error
	if o.Charts, err = chartsOf(tree, c); err != nil {
		return "", err
	}
	if o.Manifests, err = compare.Applied(tree, c); err != nil {
		return "", err
	}
	for _, p := range points {
		if len(p.Behaviour) > 0 {
			o.Behaviour = append(o.Behaviour, upgrade.Said{Title: p.Title, Text: "It changes " + strings.Join(p.Behaviour, ", ") + "."})
		}
		if !strings.HasPrefix(p.ID, "commit/") || p.Because == "" {
			continue
		}
		texts := p.Breaks
		if len(texts) == 0 {
			texts = []string{p.Because}
		}
		for _, text := range texts {
			o.Said = append(o.Said, upgrade.Said{Title: p.Title, Text: text})
		}
	}
	for _, image := range c.Images {
		o.Images = append(o.Images, image.Repository)
	}
	return upgrade.Guide(o), nil
}

// chartsOf are the charts of a tree, as a guide names them.
func chartsOf(tree fs.FS, c config.Config) ([]upgrade.Chart, error) {
	var charts []upgrade.Chart
	for _, chart := range c.Charts {
		content, err := fs.ReadFile(tree, path.Join(chart.Path, "Chart.yaml"))
		if err != nil {
			return nil, refusal.New("read chart %s: %w", chart.Path, err)
		}
		var about struct{ Name string }
		if err := yaml.Unmarshal(content, &about); err != nil {
			return nil, refusal.New("read chart %s: %w", chart.Path, err)
		}
		charts = append(charts, upgrade.Chart{Name: about.Name, Repository: chart.Repository})
	}
	return charts, nil
}

// planGuide is what the plan asks of the guide.
func planGuide(tree fs.FS, p plan.Plan) (string, error) {
	texts := map[string]string{}
	for _, point := range p.Points {
		if point.Because != "" {
			texts[point.ID] = point.Because
		}
	}
	said := guided{From: p.From, To: p.Version, Findings: p.Findings, Texts: texts}
	said.foreign.From = p.Foreign
	return guide(tree, p.Config, said, p.Points, nil)
}
