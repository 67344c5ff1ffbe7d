package main

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/image"
	"github.com/operator-release/operator-release/ci/output"
	"github.com/operator-release/operator-release/ci/pipeline"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/report"
	"github.com/operator-release/operator-release/ci/version"
)

// building are the flags of the subcommands that build.
type building struct {
	out       string
	platforms []string
	images    []string
	mirrors   []string
	plainHTTP []string
	accepting

	registry   string // where a claimed bundle is fetched from, instead of its own registries
	remote     string // which remote is asked for a claim, instead of the default one
	gated      bool   // a release: a claim is looked for, and a tested bundle is kept
	engineless bool   // do not ask a container builder, even where one is reachable
}

func (b *building) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringSliceVar(&b.platforms, "platform", nil, "build for this platform (os/arch) instead of the configured ones; may be repeated")
	f.StringArrayVar(&b.images, "image", nil, "take an image from an OCI archive or layout made elsewhere: REPOSITORY=ARCHIVE; may be repeated")
	f.StringArrayVar(&b.mirrors, "mirror", nil, "pull base images of a registry from another: docker.io=HOST[:PORT]; may be repeated")
	f.StringArrayVar(&b.plainHTTP, "plain-http", nil, "speak to this host without TLS, besides loopback; may be repeated")
	b.accepting.flags(cmd)
}

// accepting are the flags that let something pass that the policy refuses.
type accepting struct {
	ids     []string
	because []string
}

func (a *accepting) flags(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&a.ids, "accept", nil, "let a point of the policy pass, by its id (plan --why-not lists them); needs --because; may be repeated")
	cmd.Flags().StringArrayVar(&a.because, "because", nil, "why it may pass, for the record and the notes; one for each --accept")
}

func (a *accepting) accepted() (map[string]string, error) {
	if len(a.ids) != len(a.because) {
		return nil, refusal.New("accept %d points because of %d reasons: write --accept ID --because TEXT, one for the other", len(a.ids), len(a.because))
	}
	accept := map[string]string{}
	for i, id := range a.ids {
		if strings.TrimSpace(a.because[i]) == "" || accept[id] != "" {
			return nil, refusal.New("accept %s: it needs one reason, which is not empty; write --because TEXT", id)
		}
		accept[id] = a.because[i]
	}
	return accept, nil
}

func (b *building) outFlag(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&b.out, "output", "o", "", "folder of the bundle (default dist/VERSION in the repository)")
}

// folder is where the bundle goes.
func (b *building) folder(a *app, v string) string {
	if b.out != "" {
		return b.out
	}
	return filepath.Join(a.source, "dist", v)
}

// hostPlatform is what this machine can execute.
func hostPlatform() string { return runtime.GOOS + "/" + runtime.GOARCH }

// pairs reads NAME=VALUE flags.
func pairs(flag string, values []string) (map[string]string, error) {
	m := map[string]string{}
	for _, v := range values {
		name, value, ok := strings.Cut(v, "=")
		if !ok || name == "" || value == "" {
			return nil, refusal.New("read --%s %q: it is not of the form NAME=VALUE", flag, v)
		}
		m[name] = value
	}
	return m, nil
}

// planSpec is the question to the plan stage, and the archives that images come from.
func (b *building) planSpec(a *app, v string) (pipeline.PlanSpec, map[string]string, error) {
	archives, err := pairs("image", b.images)
	if err != nil {
		return pipeline.PlanSpec{}, nil, err
	}
	for _, archive := range archives {
		if _, err := os.Stat(archive); err != nil {
			return pipeline.PlanSpec{}, nil, refusal.New("read --image: %w", err)
		}
	}
	for _, p := range b.platforms {
		if _, err := config.ParsePlatform(p); err != nil {
			return pipeline.PlanSpec{}, nil, err
		}
	}
	settings, err := a.configContent()
	if err != nil {
		return pipeline.PlanSpec{}, nil, err
	}
	accept, err := b.accepted()
	if err != nil {
		return pipeline.PlanSpec{}, nil, err
	}
	_, engine := image.EngineReachable()
	engine = engine && !b.engineless
	return pipeline.PlanSpec{
		Version: v, Config: settings, Platforms: b.platforms, Archives: slices.Sorted(maps.Keys(archives)), Engine: engine, Accept: accept,
	}, archives, nil
}

// flow is a release by a runner of this process.
func (b *building) flow(a *app, w *work, v string) (*pipeline.Flow[string], error) {
	spec, archives, err := b.planSpec(a, v)
	if err != nil {
		return nil, err
	}
	mirrors, err := pairs("mirror", b.mirrors)
	if err != nil {
		return nil, err
	}
	return &pipeline.Flow[string]{
		Runner: w.runner, Repository: a.source, Plan: spec, Host: hostPlatform(),
		Archives: archives, Mirrors: mirrors, PlainHTTP: b.plainHTTP,
	}, nil
}

// look has a flow look for the bundle where it need not be built: claimed by somebody who published it (then those bytes are the version,
// whatever the commit), or in the folder already, of this very commit, version and settings.
func (b *building) look(ctx context.Context, a *app, flow *pipeline.Flow[string], dir string) error {
	source, err := git.Open(ctx, a.source)
	if err != nil {
		return err
	}
	// Without the network one may still build and rehearse, unless a remote was named to be asked.
	claim := pipeline.ClaimSpec{
		Version: flow.Plan.Version, List: true, Optional: b.remote == "",
		To: pipeline.Destinations{Registry: b.registry, Own: true, Remote: b.remote, PlainHTTP: b.plainHTTP},
	}
	remote, err := source.FindRemote(ctx, b.remote)
	if err != nil {
		return err
	}
	if a.offline {
		flow.Plan.Remote = &pipeline.RemoteRefs{NotAsked: offline}
	} else if remote.URL == "" { // without a remote there is no claim
		flow.Plan.Remote = &pipeline.RemoteRefs{NotAsked: noRemote}
	} else {
		claim.To.Remote = remote.String()
		flow.Claim = &claim
	}
	if _, err := os.Stat(dir); err == nil && len(b.images) == 0 { // what an archive holds is not in the plan
		flow.Kept = &dir
	}
	return nil
}

// make runs a flow and delivers the bundle.
func (b *building) make(ctx context.Context, a *app, v string, run func(*pipeline.Flow[string], context.Context) (pipeline.Release[string], error)) (pipeline.Release[string], string, error) {
	var none pipeline.Release[string]
	if _, err := version.Parse(v); err != nil {
		return none, "", err
	}
	dir := b.folder(a, v)
	if _, err := replaces(output.Bundle, dir); err != nil {
		return none, "", err
	}
	w, err := a.begin(dir)
	if err != nil {
		return none, "", err
	}
	defer w.end()
	flow, err := b.flow(a, w, v)
	if err != nil {
		return none, "", err
	}
	if b.gated {
		if err := b.look(ctx, a, flow, dir); err != nil {
			return none, "", err
		}
	}
	r, err := run(flow, ctx)
	if err != nil {
		return r, "", err
	}
	return r, dir, a.deliver(ctx, output.Bundle, r.Bundled, dir)
}

func (a *app) buildCommand() *cobra.Command {
	var b building
	cmd := &cobra.Command{
		Use: "build VERSION", Short: "Build the bundle of a version, without gate and rehearsal",
		Long: "Builds everything of a version into one folder, an OCI image layout. With one --platform it makes a part; see join.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, dir, err := b.make(cmd.Context(), a, args[0], (*pipeline.Flow[string]).Build)
			if err != nil {
				return err
			}
			return a.printBundle(r.Bundle, dir)
		},
	}
	b.flags(cmd)
	b.outFlag(cmd)
	return cmd
}

// printBundle says what is in a bundle.
func (a *app) printBundle(said json.RawMessage, dir string) error {
	var made bundled
	if err := json.Unmarshal(said, &made); err != nil {
		return err
	}
	return a.print(made, func(page *report.Page) {
		page.Title("%s %s is in %s", made.Record.Name, made.Record.Version, dir)
		bundlePage(page, made)
	})
}

// settings are those of the commit that is checked out, or of --config.
func (a *app) settings(ctx context.Context, source *git.Repository) (config.Config, error) {
	given, err := a.configContent()
	if err != nil {
		return config.Config{}, err
	}
	return settings(ctx, source, given)
}
