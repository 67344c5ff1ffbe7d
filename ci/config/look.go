package config

import (
	"bytes"
	"cmp"
	"errors"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/operator-release/operator-release/ci/refusal"
)

// findings are what a tree shows of how it is released.
type findings struct {
	module    string // Go module path
	sums      bool   // that module has a go.sum
	name      string
	url       string
	changelog string
	binaries  []Binary
	images    []Image
	charts    []Chart
	values    []named // image repositories that the charts' values name
}

// named is an image repository in a chart's values, and the keys that lead to it.
type named struct {
	keys       []string
	repository string
}

var (
	moduleLine  = regexp.MustCompile(`(?m)^module\s+"?([^\s"]+)`)
	majorSuffix = regexp.MustCompile(`/v[0-9]+$`)
	mainClause  = regexp.MustCompile(`(?m)^package main\b`)
)

// changelogFile is where changes are kept by custom (https://keepachangelog.com).
const changelogFile = "CHANGELOG.md"

// owners are the owners on GitHub of modules whose path is not their address: Kubernetes' own projects.
var owners = map[string]string{"sigs.k8s.io": "kubernetes-sigs", "k8s.io": "kubernetes"}

// sourceOf is the repository on GitHub of a module's path or an address; empty where it names none.
func sourceOf(address string) string {
	place := strings.TrimSuffix(strings.TrimSuffix(strings.TrimPrefix(address, "https://"), "/"), ".git")
	if host, name, _ := strings.Cut(place, "/"); owners[host] != "" {
		place = "github.com/" + owners[host] + "/" + name
	}
	if strings.Count(place, "/") == 2 && strings.HasPrefix(place, "github.com/") {
		return "https://" + place
	}
	return ""
}

// look finds Go module, main packages under cmd/, Dockerfile and docker/Dockerfile.*, charts/* and the
// image repositories in the charts' values.
func look(tree fs.FS) (findings, error) {
	var f findings
	if content, err := fs.ReadFile(tree, "go.mod"); err == nil {
		if m := moduleLine.FindSubmatch(content); m != nil {
			f.module = string(m[1])
			f.sums = exists(tree, "go.sum")
			bare := majorSuffix.ReplaceAllString(f.module, "")
			f.name = path.Base(bare)
			f.url = sourceOf(bare)
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return f, err
	}
	if exists(tree, changelogFile) {
		f.changelog = changelogFile
	}
	if err := f.lookAtCharts(tree); err != nil {
		return f, err
	}
	if err := f.lookAtMains(tree); err != nil {
		return f, err
	}
	dockerfiles, err := fs.Glob(tree, "docker/Dockerfile.*")
	if err != nil {
		return f, err
	}
	if exists(tree, "Dockerfile") {
		dockerfiles = append([]string{"Dockerfile"}, dockerfiles...)
	}
	for _, d := range dockerfiles {
		if !strings.HasSuffix(d, ".dockerignore") {
			f.images = append(f.images, Image{Dockerfile: d})
		}
	}
	return f, nil
}

func (f *findings) lookAtCharts(tree fs.FS) error {
	charts, err := fs.Glob(tree, "charts/*/Chart.yaml")
	if err != nil {
		return err
	}
	for i, file := range charts {
		dir := path.Dir(file)
		content, err := fs.ReadFile(tree, file)
		if err != nil {
			return err
		}
		var chart struct {
			Name, Type, Home string
			Sources          []string
		}
		if yaml.Unmarshal(content, &chart) != nil {
			f.charts = append(f.charts, Chart{Path: dir}) // the surface that edits it says what is wrong, and in which line
			continue
		}
		if chart.Type == "library" {
			continue
		}
		f.charts = append(f.charts, Chart{Path: dir})
		if i == 0 && chart.Name != "" {
			f.name = chart.Name
		}
		for _, address := range append([]string{chart.Home}, chart.Sources...) {
			// A chart may name other projects, such as what it installs beside the operator.
			if source := sourceOf(address); f.url == "" && source != "" &&
				path.Base(source) == path.Base(majorSuffix.ReplaceAllString(f.module, "")) {
				f.url = source
			}
		}
		content, err = fs.ReadFile(tree, dir+"/values.yaml")
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		var values map[string]any
		if err := yaml.Unmarshal(content, &values); err != nil {
			return refusal.New("read %s/values.yaml: %w", dir, err)
		}
		f.values = append(f.values, repositories(nil, values)...)
	}
	return nil
}

// repositories finds maps of the form {registry, repository, tag} at any depth, the shallowest first.
func repositories(keys []string, values map[string]any) []named {
	var found []named
	if repository, ok := values["repository"].(string); ok && repository != "" {
		if _, tagged := values["tag"]; tagged {
			found = append(found, named{keys, qualified(values["registry"], repository)})
		}
	}
	names := make([]string, 0, len(values))
	for key := range values {
		names = append(names, key)
	}
	slices.Sort(names)
	for _, key := range names {
		if child, ok := values[key].(map[string]any); ok {
			found = append(found, repositories(append(slices.Clone(keys), key), child)...)
		}
	}
	slices.SortStableFunc(found, func(a, b named) int { return cmp.Compare(len(a.keys), len(b.keys)) })
	return found
}

// qualified puts the registry before a repository, Docker Hub's where none is named.
func qualified(registry any, repository string) string {
	if r, ok := registry.(string); ok && r != "" {
		return r + "/" + repository
	}
	if first, _, nested := strings.Cut(repository, "/"); nested && strings.ContainsAny(first, ".:") {
		return repository
	}
	return "docker.io/" + repository
}

// repository is where the image of a Dockerfile goes, by the charts' values: Dockerfile is the one named by
// the key image, Dockerfile.kubectl the one whose repository, or key, says kubectl. Empty where none fits.
func (f findings) repository(dockerfile string) string {
	suffix := strings.TrimPrefix(path.Base(dockerfile), "Dockerfile")
	suffix = strings.TrimPrefix(suffix, ".")
	for _, n := range f.values {
		last := path.Base(n.repository)
		switch {
		case suffix == "" && slices.Equal(n.keys, []string{"image"}),
			suffix != "" && (last == suffix || strings.HasSuffix(last, "-"+suffix) || slices.Contains(n.keys, suffix)):
			return n.repository
		}
	}
	if suffix == "" && len(f.values) == 1 {
		return f.values[0].repository
	}
	return ""
}

// lookAtMains finds the main packages among the folders of cmd/.
func (f *findings) lookAtMains(tree fs.FS) error {
	files, err := fs.Glob(tree, "cmd/*/*.go")
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, file := range files {
		dir := path.Dir(file)
		if seen[dir] || strings.HasSuffix(file, "_test.go") {
			continue
		}
		content, err := fs.ReadFile(tree, file)
		if err != nil {
			return err
		}
		if mainClause.Match(content) && !bytes.Contains(content, []byte("//go:build ignore")) {
			seen[dir] = true
			f.binaries = append(f.binaries, Binary{
				Name: path.Base(dir),
				Main: "./" + dir,
				// Variables that the program does not have are passed over by the linker.
				LDFlags: "-s -w -X main.version={version} -X main.commit={commit} -X main.date={date}",
			})
		}
	}
	return nil
}
