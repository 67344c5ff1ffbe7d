package main

import (
	"context"
	"os/exec"
	"slices"
	"strings"

	"github.com/operator-release/operator-release/ci/backport"
	"github.com/operator-release/operator-release/ci/compare"
	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/pipeline"
	"github.com/operator-release/operator-release/ci/registry"
	"github.com/operator-release/operator-release/ci/report"
	"github.com/operator-release/operator-release/ci/support"
	"github.com/operator-release/operator-release/ci/tags"
	"github.com/operator-release/operator-release/ci/toolchain"
)

// support prints what the supported lines stand on.
func (a *app) support(ctx context.Context, b *building) error {
	mirrors, err := pairs("mirror", b.mirrors)
	if err != nil {
		return err
	}
	if err := a.covered(ctx, "tell what the supported lines stand on", cloneNeeds{}); err != nil {
		return err
	}
	var said []support.Standing
	spec := func(settings *string) any {
		return pipeline.SupportSpec{Config: settings, Mirrors: mirrors, PlainHTTP: b.plainHTTP}
	}
	return a.asked(ctx, pipeline.Support, "", spec, &said, func(string) error {
		return a.print(said, func(page *report.Page) { supportPage(page, said) })
	})
}

func runSupport(ctx context.Context, c call, spec pipeline.SupportSpec) (any, error) {
	repository, err := git.Open(ctx, c.trees[pipeline.Repository])
	if err != nil {
		return nil, err
	}
	config, err := settings(ctx, repository, spec.Config)
	if err != nil {
		return nil, err
	}
	names, err := backport.Supported(ctx, repository, config.Pattern(), config.Support.Lines)
	if err != nil {
		return nil, err
	}
	branches, err := backport.FindLines(ctx, repository, config.Pattern(), names)
	if err != nil {
		return nil, err
	}
	tagged, err := tags.Read(ctx, repository)
	if err != nil {
		return nil, err
	}
	var tips []string
	for _, branch := range branches {
		tips = append(tips, branch.Tip)
	}
	if err := repository.Complete(ctx, tips...); err != nil {
		return nil, err
	}
	lines := []support.Line{}
	for _, branch := range branches {
		line, err := supportedLine(ctx, repository, config, tagged, branch, spec.Config)
		if err != nil {
			return nil, err
		}
		lines = append(lines, line)
	}
	client, err := registry.New(spec.PlainHTTP...)
	if err != nil {
		return nil, err
	}
	return support.Look(ctx, support.Options{Proxy: moduleProxy(ctx), Mirrors: spec.Mirrors, Registry: client}, lines)
}

// supportedLine is what a line's branch says that it stands on.
func supportedLine(ctx context.Context, r *git.Repository, c config.Config, tagged tags.Tags, branch backport.Line, settings *string) (support.Line, error) {
	line := support.Line{Name: branch.Name, Branch: branch.Branch, Bases: []string{}}
	for _, v := range tagged.Versions() { // the newest first
		if c.Pattern().Line(v) == branch.Name {
			line.Newest, line.Next = v.String(), v.NextPatch().String()
			break
		}
	}
	var content []byte
	name := ""
	if settings != nil {
		name, content = "the settings of --config", []byte(*settings)
	}
	side, err := compare.Open(ctx, r, branch.Tip, compare.Settings{Name: name, Content: content}, basesOf)
	if err != nil {
		return line, err
	}
	defer side.Tree.Close()
	for _, bases := range side.Bases {
		for _, base := range bases {
			if !slices.Contains(line.Bases, base) {
				line.Bases = append(line.Bases, base)
			}
		}
	}
	slices.Sort(line.Bases)
	line.Toolchain, err = toolchain.Named(side.Tree)
	return line, err
}

// moduleProxy is the first address in GOPROXY, as the go command has it.
func moduleProxy(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, "go", "env", "GOPROXY").Output()
	if err != nil {
		return ""
	}
	for _, proxy := range strings.FieldsFunc(strings.TrimSpace(string(out)), func(r rune) bool { return r == ',' || r == '|' }) {
		if strings.HasPrefix(proxy, "http") {
			return proxy
		}
	}
	return ""
}

func supportPage(page *report.Page, said []support.Standing) {
	page.Title("%d supported lines", len(said))
	for _, s := range said {
		newest := s.Newest
		if newest == "" {
			newest = "nothing released yet"
		}
		page.Heading("%s: %s", s.Branch, newest)
		states := s.Images
		if s.Go != nil {
			states = append([]support.State{*s.Go}, states...)
		}
		for _, state := range states {
			mark, text := report.Done, state.Name+" is the newest patch"
			switch {
			case state.Behind && state.Newest != state.Name:
				mark, text = report.Fail, state.Name+": the newest patch is "+state.Newest
			case state.Behind:
				mark, text = report.Fail, state.Name
			case state.Newest == "":
				mark, text = report.None, state.Name+": not known"
			}
			if state.Note != "" {
				text += ": " + state.Note
			}
			page.Line(mark, "%s", text)
		}
		if s.Behind() && s.Next != "" {
			page.Line(report.Note, "a security patch needs: the newer ones in go.mod and Dockerfile on %s (and on the development branch first, with operator-release backport), then operator-release release --version %s",
				s.Branch, s.Next)
		}
	}
}
