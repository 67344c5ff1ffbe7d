package audit

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/registry/remote"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/bundle/bundletest"
	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/forge"
	"github.com/operator-release/operator-release/ci/forge/forgetest"
	"github.com/operator-release/operator-release/ci/forge/hub"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/publish"
	"github.com/operator-release/operator-release/ci/surface"
	"github.com/operator-release/operator-release/ci/version"
)

// world is a registry, a git remote and a backup, with v1.5.0 and v1.5.1 published there.
type world struct {
	t         testing.TB
	throwaway *publish.Throwaway
	dir       string // of the throwaway
	backups   string
	source    *git.Repository
	remote    *git.Repository // the bare repository itself
	bundles   map[string]bundle.Bundle
	hub       *hub.Hub // of release pages, which may be edited
	forge     *publish.Forge
}

var (
	v150 = version.MustParse("v1.5.0")
	v151 = version.MustParse("v1.5.1")
)

// shell runs a script in a folder, with somebody's name.
func shell(t testing.TB, dir, script string) string {
	t.Helper()
	cmd := exec.Command("sh", "-ec", script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1")
	for _, role := range []string{"AUTHOR", "COMMITTER"} {
		cmd.Env = append(cmd.Env, "GIT_"+role+"_NAME=Ada", "GIT_"+role+"_EMAIL=ada@example.com", "GIT_"+role+"_DATE=2026-10-01T12:00:00Z")
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return strings.TrimSpace(string(out))
}

// tree writes the files of a small project that says a version everywhere.
const tree = `
mkdir -p charts/spark config
echo v1.4.0 > VERSION
printf 'name: spark\nversion: 1.4.0\nappVersion: v1.4.0\n' > charts/spark/Chart.yaml
printf 'images:\n- name: acme/spark\n  newTag: v1.4.0\n' > config/kustomization.yaml
printf 'images:\n- {repository: docker.io/acme/spark, dockerfile: Dockerfile}\ncharts: [{path: charts/spark, repository: docker.io/acme/charts}]\nfloating: [latest, "v{major}.{minor}"]\n' > .release.yaml
touch Dockerfile
`

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), backups: filepath.Join(t.TempDir(), "backups"), bundles: map[string]bundle.Bundle{}}
	var err error
	ctx := context.Background()
	if w.throwaway, err = publish.NewThrowaway(ctx, w.dir, git.SHA1); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.throwaway.Close() })
	dir := t.TempDir()
	shell(t, dir, "git init -q -b main .\n"+tree+"git add -A; git commit -q -m base; git push -q "+w.throwaway.Remote+" main")
	if w.source, err = git.Open(ctx, dir); err != nil {
		t.Fatal(err)
	}
	if w.remote, err = git.Open(ctx, w.throwaway.Remote); err != nil {
		t.Fatal(err)
	}
	h, _, address := forgetest.Start(t, hub.Options{Repository: "acme/spark", Git: w.remote, Users: []hub.User{{Login: "ada", Token: "secret-of-ada", Role: hub.Write}}})
	client, err := forge.NewGitHub("acme/spark", forge.Options{URL: address, Token: forge.Token("secret-of-ada")})
	if err != nil {
		t.Fatal(err)
	}
	w.hub, w.forge = h, &publish.Forge{Client: client, Name: "acme/spark"}
	for _, v := range []version.Version{v150, v151} {
		b := w.release(v)
		to := w.throwaway.Destinations(w.source)
		to.Backup, to.Forge, to.Index = &publish.Backup{Dir: w.backups}, w.forge, nil
		if _, err := publish.Publish(ctx, b, to); err != nil {
			t.Fatal(err)
		}
		w.bundles[v.String()] = b
		shell(t, dir, "git fetch -q --tags "+w.throwaway.Remote+" release-1.5:refs/heads/fetched; "+
			"git reset -q --hard fetched; git branch -q -M fetched release-1.5")
	}
	w.index(nil)
	return w
}

// release is the bundle of a version, made of the source's commit as the pipeline makes it.
func (w *world) release(v version.Version) bundle.Bundle {
	t, ctx := w.t, context.Background()
	t.Helper()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	base, _, err := w.source.Head(ctx)
	check(err)
	files, err := w.source.Tree(ctx, base.ID)
	check(err)
	defer files.Close()
	settings, err := config.Load(files, "", nil)
	check(err)
	places, err := surface.Rewrite(files, settings, v, surface.Before{})
	check(err)
	q, err := w.source.Quarantine(ctx, t.TempDir())
	check(err)
	commit, err := q.NewCommit(ctx, base, places.Edits, base.Committer, "release\n")
	check(err)
	tag, err := q.NewTag(ctx, v.String(), commit.ID, base.Committer, "spark "+v.String()+"\n")
	check(err)
	objects, err := q.AddedObjects(ctx, base, commit, tag)
	check(err)
	p := bundletest.Pieces(t, "linux/amd64", "linux/arm64")
	r := &p.Record
	r.Version, r.Line, r.Branch, r.Config, r.Base, r.Commit, r.Tree, r.Tag = v, "1.5", "release-1.5", settings, base.ID, commit.ID, commit.Tree, tag
	if v != v150 {
		r.Previous = v150
	}
	for _, at := range places.Follow {
		r.Surfaces = append(r.Surfaces, bundle.Surface{Path: at.Path, Line: at.Line, Name: at.Name, Value: at.Form.Write(v)})
	}
	for _, f := range p.Files {
		if f.Kind == bundle.KindObjects {
			out, err := os.Create(f.Path)
			check(err)
			check(git.WriteObjects(out, objects))
			check(out.Close())
		}
	}
	from := p.Images[0].From
	platforms, err := from.Children(p.Images[0].Index)
	check(err)
	p.Images[0].Index, err = from.PutIndex(platforms, map[string]string{"version": v.String()})
	check(err)
	meta, err := from.PutJSON("application/vnd.cncf.helm.config.v1+json", chartMeta{"spark", v.SemVer(), v.String()})
	check(err)
	pack, err := from.Put("application/vnd.cncf.helm.chart.content.v1.tar+gzip", strings.NewReader("chart "+v.String()))
	check(err)
	chart, err := from.PutJSON(ocispec.MediaTypeImageManifest, ocispec.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest, Config: meta, Layers: []ocispec.Descriptor{pack}})
	check(err)
	p.Charts = []bundle.Chart{{Repository: "docker.io/acme/charts/spark", Tag: v.SemVer(), File: "spark-" + v.SemVer() + ".tgz", Manifest: chart, Package: pack, From: from}}
	b, err := bundle.Assemble(filepath.Join(t.TempDir(), "bundle"), p)
	check(err)
	return bundletest.Tested(t, b)
}

// index writes the chart index, edited.
func (w *world) index(edit func(string) string) {
	w.t.Helper()
	text := "apiVersion: v1\nentries:\n  spark:\n"
	for i, v := range []version.Version{v151, v150} {
		sum := w.bundles[v.String()].Record.OfKind(bundle.KindChart)[0].Package.Digest.Encoded()
		text += fmt.Sprintf("  - {version: %s, appVersion: %s, digest: %s, created: 2026-10-0%dT12:00:00Z, urls: ['https://example.com/download/%s/spark-%s.tgz']}\n", v.SemVer(), v, sum, 3-i, v, v.SemVer())
	}
	if edit != nil {
		text = edit(text)
	}
	dir := w.t.TempDir()
	file := filepath.Join(dir, indexFile)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
	shell(w.t, w.throwaway.Remote, `blob=$(git hash-object -w `+file+`)
tree=$(printf '100644 blob %s\tindex.yaml\n' $blob | git mktree)
git update-ref refs/heads/gh-pages $(git commit-tree -m index $tree)`)
}

// repo opens a repository at the registry.
func (w *world) repo(name string) *remote.Repository {
	w.t.Helper()
	repo, err := (&publish.Registry{Prefix: w.throwaway.Registry}).Open(name)
	if err != nil {
		w.t.Fatal(err)
	}
	return repo
}

// tag points a tag at a digest.
func (w *world) tag(repository, tag string, to digest.Digest) {
	w.t.Helper()
	repo := w.repo(repository)
	desc, err := repo.Resolve(context.Background(), to.String())
	if err == nil {
		err = repo.Tag(context.Background(), desc, tag)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// push puts a manifest of a bundle back.
func (w *world) push(repository string, v version.Version, d digest.Digest) {
	w.t.Helper()
	content, err := os.ReadFile(w.bundles[v.String()].Layout.Path(d))
	if err != nil {
		w.t.Fatal(err)
	}
	desc := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: d, Size: int64(len(content))}
	if err := w.repo(repository).Manifests().Push(context.Background(), desc, bytes.NewReader(content)); err != nil {
		w.t.Fatal(err)
	}
}

// remove takes a manifest away.
func (w *world) remove(repository string, d digest.Digest) {
	w.t.Helper()
	repo := w.repo(repository)
	desc, err := repo.Resolve(context.Background(), d.String())
	if err == nil {
		err = repo.Manifests().Delete(context.Background(), desc)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// options are an audit of versions in this world.
func (w *world) options(versions ...version.Version) Options {
	pattern, err := version.ParsePattern(version.DefaultPattern)
	if err != nil {
		w.t.Fatal(err)
	}
	return Options{
		Versions: versions, Repository: w.remote, All: true, Name: "the remote", Pattern: pattern,
		Registry: (&publish.Registry{Prefix: w.throwaway.Registry}).Open, RegistryName: w.throwaway.Registry,
		Backup: &Backup{Name: w.backups, Dir: w.backups},
		Bundle: func(version.Version) string { return filepath.Join(w.dir, "nothing") },
	}
}

// rows are the surfaces that do not agree, in short.
func rows(r Report) []string {
	var all []string
	for _, v := range r.Versions {
		for _, s := range v.Surfaces {
			if s.State != Agrees {
				all = append(all, fmt.Sprintf("%s: %s %s %s: %q %q %s", v.Version, s.Kind, s.Name, s.State, s.Want, s.Found, s.Note))
			}
		}
	}
	return all
}

// expect compares rows with the beginnings that are expected, in their order.
func expect(t *testing.T, r Report, want ...string) {
	t.Helper()
	got := rows(r)
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			t.Errorf("not found: %s", want[i])
		case i >= len(want):
			t.Errorf("found besides: %s", got[i])
		case !strings.HasPrefix(got[i], want[i]):
			t.Errorf("found: %s\nnot:   %s", got[i], want[i])
		}
	}
}
