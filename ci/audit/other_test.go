package audit

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/registry/remote"

	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/publish"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/version"
)

// history is a project that was released by hand, with what goes wrong then.
const history = `git init -q -b main .
release() { # VERSION APPVERSION NEWTAG FILE
	echo "$4" > VERSION
	printf 'name: spark\nversion: %s\nappVersion: %s\n' "${1#v}" "$2" > charts/spark/Chart.yaml
	printf 'images:\n- name: acme/spark\n  newTag: %s\n' "$3" > config/kustomization.yaml
	git add -A; git commit -q -m "release $1"
}
` + tree + `
printf '# Changelog\n\n## v1.0.0\n\nIt begins.\n' > CHANGELOG.md
git add -A; git commit -q -m base
git tag old-1.2.3; git tag v1beta2-1.6.2-3.5.0
git checkout -q -b release-1.0
release v1.0.0 v1.0.0 v1.0.0 v1.0.0; git tag -a -m x v1.0.0
git checkout -q -b release-1.0.1 main
release v1.0.1 v1.0.1 v1.0.1 v1.0.1; git tag -a -m x v1.0.1
git checkout -q -b release-1.1 main
release v1.1.0 1.1.0 v1.1.0 v1.1.0; git tag -a -m x v1.1.0
echo 'OPERATOR_VERSION=1.1.0' > config/manager.env
release v1.1.1 1.1.1 1.1.1 1.1.0; git tag v1.1.1
git checkout -q --detach main
release v1.2.0-rc.0 v1.2.0-rc.0 v1.2.0-rc.0 v1.2.0-rc.0; git tag -a -m x v1.2.0-rc.0
git checkout -q main
release v1.3.0 v1.3.0 v1.3.0 v1.3.0; echo '{' > charts/spark/Chart.yaml; git commit -q -am oops; git tag -a -m x v1.3.0
git tag -a -m x v1.4.0 main:VERSION
git rm -q -r charts config; git commit -q -m later
`

func byHand(t *testing.T) (dir string, o Options) {
	t.Helper()
	dir = t.TempDir()
	shell(t, dir, history)
	return dir, ofClone(t, dir)
}

func ofClone(t *testing.T, dir string) Options {
	t.Helper()
	r, err := git.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	pattern, err := version.ParsePattern(version.DefaultPattern)
	if err != nil {
		t.Fatal(err)
	}
	return Options{Repository: r, Name: "this clone", Pattern: pattern, Bundle: func(v version.Version) string { return filepath.Join(dir, "dist", v.String()) }}
}

// seen are the rows but for what lies at a registry that nobody named.
func seen(r Report) Report {
	for i, v := range r.Versions {
		r.Versions[i].Surfaces = nil
		for _, s := range v.Surfaces {
			if s.Note != noRegistry {
				r.Versions[i].Surfaces = append(r.Versions[i].Surfaces, s)
			}
		}
	}
	return r
}

// TestWithoutRecord: versions that are older than this tool are compared with themselves, by git alone.
func TestWithoutRecord(t *testing.T) {
	dir, o := byHand(t)
	r, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, seen(r),
		`v1.4.0: git tag v1.4.0 differs: "a commit" "object `,
		`v1.3.0: branch release-1.3 differs: "contains `,
		`v1.3.0: surface charts/spark/Chart.yaml cannot tell: "v1.3.0" "" read the version in charts/spark/Chart.yaml`,
		`v1.2.0-rc.0: branch release-1.2 missing: "contains `,
		`v1.1.1: surface VERSION version differs: "1.1.1" "1.1.0"`,
		`v1.1.0: surface config/kustomization.yaml newTag of acme/spark differs: "1.1.0" "v1.1.0"`,
		`v1.0.1: branch release-1.0 differs: "contains `,
		`v1.0.1: history v1.0.1 differs: "descends from v1.0.0" "their histories part at `)
	notes := map[string]string{}
	for _, v := range r.Versions {
		notes[v.Version.String()] = strings.Join(v.Notes, "; ")
	}
	const older = "no claim: another tool published this version, so its surfaces were compared with each other"
	for v, want := range map[string]string{
		"v1.0.0": older,
		"v1.0.1": older + "; CHANGELOG.md has no section for this version",
		"v1.1.1": "the git tag is lightweight: it has no tagger and no date; " + older + "; the image tags have no v before the version, and the git tag has one; other places that still name v1.1.0: config/manager.env:1; CHANGELOG.md has no section for this version" +
			"; another tool published chart spark; its address is not known",
	} {
		if notes[v] != want {
			t.Errorf("%s: %s", v, notes[v])
		}
	}
	if got := strings.Join(r.Notes, "; "); got != "2 tags were skipped: they are no versions of the form vX.Y.Z or vX.Y.Z-rc.N; no chart index: no branch gh-pages" {
		t.Error(got)
	}
	if err := r.Err(); err == nil || err.Error() != "audit: surfaces of 6 of 7 versions differ or are missing: v1.4.0 (1), v1.3.0 (1), v1.2.0-rc.0 (1), v1.1.1 (1), v1.1.0 (1), v1.0.1 (2)" {
		t.Error(err)
	}

	// Of all, the later ones; of none that nobody knows.
	o.Since = version.MustParse("v1.3.0")
	if r, err = Run(t.Context(), o); err != nil || len(r.Versions) != 2 {
		t.Error(len(r.Versions), err)
	}
	o.Versions = []version.Version{version.MustParse("v1.0.9")}
	if _, err = Run(t.Context(), o); !refusal.Is(err) || !strings.Contains(err.Error(), `has neither a tag nor a claim of it, and no chart index or release page names it; did you mean "v1.0.0"?`) {
		t.Error(err)
	}

	// What a clone was not told to fetch may be there all the same.
	clones := t.TempDir()
	shell(t, clones, "git clone -q --single-branch --branch release-1.1 file://"+dir+" one; git clone -q -c advice.detachedHead=false --depth 1 --branch v1.1.1 file://"+dir+" shallow; git clone -q file://"+dir+" whole; "+
		"git clone -q --mirror file://"+dir+" mirror; git clone -q --bare file://"+dir+" bare; git clone -q --origin upstream file://"+dir+" upstream; "+
		"git clone -q --origin upstream file://"+dir+" several; git -C several remote add fork "+dir+"; "+
		"git -C several checkout -q --detach; "+
		"git clone -q file://"+dir+" stale; cd stale; git update-ref refs/heads/release-1.0 v1.0.1^{}; git update-ref refs/remotes/origin/release-1.0 origin/main")
	for name, want := range map[string][]string{
		"one": {`v1.0.1: claim refs/releases/v1.0.1 cannot tell: "" "" claims were not fetched from origin`,
			`v1.0.1: branch release-1.0 cannot tell`, `v1.0.1: history v1.0.1 differs`},
		"shallow": {`v1.1.1: claim refs/releases/v1.1.1 cannot tell`,
			`v1.1.1: branch release-1.1 cannot tell: "" "" the clone is shallow`,
			`v1.1.1: surface VERSION version cannot tell: "1.1.1" "" whether it followed the version before: `},
		"mirror": {`v1.0.1: branch release-1.0 differs`, `v1.0.1: history v1.0.1 differs`},
		"bare": {`v1.0.1: claim refs/releases/v1.0.1 cannot tell: "" "" claims were not fetched from origin`,
			`v1.0.1: branch release-1.0 differs`, `v1.0.1: history v1.0.1 differs`},
		"upstream": {`v1.0.1: claim refs/releases/v1.0.1 cannot tell: "" "" claims were not fetched from upstream`,
			`v1.0.1: branch release-1.0 differs`, `v1.0.1: history v1.0.1 differs`},
		"several": {`v1.0.1: claim refs/releases/v1.0.1 cannot tell: "" "" find the git remote of `,
			`v1.0.1: branch release-1.0 cannot tell`, `v1.0.1: history v1.0.1 differs`},
		"stale": {`v1.0.1: claim refs/releases/v1.0.1 cannot tell`,
			`v1.0.1: branch release-1.0 differs`, `v1.0.1: history v1.0.1 differs`},
		"whole": {`v1.0.1: claim refs/releases/v1.0.1 cannot tell`,
			`v1.0.1: branch release-1.0 differs`, `v1.0.1: history v1.0.1 differs`},
	} {
		if name == "one" {
			shell(t, clones, "cd one; git fetch -q origin tag v1.0.1 tag v1.0.0")
		}
		o := ofClone(t, filepath.Join(clones, name))
		o.Versions = []version.Version{version.MustParse("v1.0.1")}
		if name == "shallow" {
			o.Versions[0] = version.MustParse("v1.1.1")
		}
		if r, err = Run(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		expect(t, seen(r), want...)
	}

	// Of a clone that was cut off one cannot say that it has all versions.
	o = ofClone(t, filepath.Join(clones, "shallow"))
	if r, err = Run(t.Context(), o); err != nil || len(r.Versions) != 1 || !strings.HasPrefix(r.Notes[0], "there may be more versions: the clone is shallow") {
		t.Error(r.Notes, err)
	}
	shell(t, filepath.Join(clones, "shallow"), "git tag -d v1.1.1")
	if _, err = Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), "none is here: the clone is shallow; "+
		"run: git fetch --force --tags --unshallow origin '+refs/heads/*:refs/remotes/origin/*'") {
		t.Error(err)
	}
	// Its remote tells all the same.
	from, err := git.Init(t.Context(), filepath.Join(clones, "mirrored"), git.SHA1)
	if err == nil {
		err = Mirror(t.Context(), from.Remote(dir))
	}
	if err != nil {
		t.Fatal(err)
	}
	o.Repository, o.All = from, true
	if r, err = Run(t.Context(), o); err != nil || len(r.Versions) != 7 {
		t.Error(len(r.Versions), err)
	}
}

// TestWithoutRecordAtRegistry: of an older version images and charts are looked for as its own chart names them.
func TestWithoutRecordAtRegistry(t *testing.T) {
	dir, o := byHand(t)
	throwaway, err := publish.NewThrowaway(t.Context(), t.TempDir(), git.SHA1)
	if err != nil {
		t.Fatal(err)
	}
	defer throwaway.Close()
	o.Registry = (&publish.Registry{Prefix: throwaway.Registry}).Open
	open := func(name string) *remote.Repository {
		repo, err := o.Registry(name)
		if err != nil {
			t.Fatal(err)
		}
		return repo
	}
	// put is an artifact with a config and annotations, under a tag.
	put := func(repository, tag string, config any, annotations map[string]string) {
		t.Helper()
		content, err := json.Marshal(config)
		if err != nil {
			t.Fatal(err)
		}
		repo := open(repository)
		blob, err := oras.PushBytes(context.Background(), repo, "application/json", content)
		if err != nil {
			t.Fatal(err)
		}
		manifest, err := json.Marshal(ocispec.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest, Config: blob, Layers: []ocispec.Descriptor{blob}, Annotations: annotations})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := oras.TagBytes(context.Background(), repo, ocispec.MediaTypeImageManifest, manifest, tag); err != nil {
			t.Fatal(err)
		}
	}
	labels := func(version, revision string) map[string]string {
		return map[string]string{ocispec.AnnotationVersion: version, ocispec.AnnotationRevision: revision}
	}
	commit := func(tag string) string { return shell(t, dir, "git rev-parse "+tag+"^{}") }
	const image, charts = "docker.io/acme/spark", "docker.io/acme/charts/spark"
	put(image, "v1.0.0", struct{}{}, labels("1.0.0", commit("v1.0.0")))
	put(charts, "1.0.0", chartMeta{"spark", "1.0.0", "v1.0.0"}, nil)
	put(image, "1.0.1", struct{}{}, nil) // its chart asks for v1.0.1
	put(charts, "1.0.1", chartMeta{"spark", "1.0.1", "v1.0.0"}, nil)
	put(image, "1.1.1", map[string]any{"config": map[string]any{"Labels": labels("1.1.0", commit("v1.1.0"))}}, nil) // as its chart asks
	for v, want := range map[string][]string{
		"v1.0.0": nil,
		"v1.0.1": {"v1.0.1: branch", "v1.0.1: history",
			`v1.0.1: image docker.io/acme/spark:v1.0.1 differs: "v1.0.1" "1.0.1" the registry has it only under the other tag`,
			`v1.0.1: chart docker.io/acme/charts/spark:1.0.1 appVersion differs: "v1.0.1" "v1.0.0"`},
		"v1.1.0": {"v1.1.0: surface", `v1.1.0: image docker.io/acme/spark:1.1.0 missing: "1.1.0" ""`},
		"v1.1.1": {"v1.1.1: surface", `v1.1.1: image docker.io/acme/spark:1.1.1 org.opencontainers.image.version differs: "v1.1.1" "1.1.0"`,
			`v1.1.1: image docker.io/acme/spark:1.1.1 org.opencontainers.image.revision differs: "` + commit("v1.1.1") + `" "` + commit("v1.1.0")},
	} {
		o.Versions = []version.Version{version.MustParse(v)}
		r, err := Run(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		expect(t, r, want...)
		const elsewhere = "chart spark is not at docker.io/acme/charts/spark; " +
			"another tool published the version, so the chart's address is not known"
		if foreign := slices.Contains(r.Versions[0].Notes, elsewhere); foreign != strings.HasPrefix(v, "v1.1.") {
			t.Error(v, r.Versions[0].Notes)
		}
	}
}

// TestIndex: a chart index is somebody's file.
func TestIndex(t *testing.T) {
	dir, o := byHand(t)
	put := func(content string) Report {
		t.Helper()
		file := filepath.Join(t.TempDir(), indexFile)
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		shell(t, dir, `git update-ref refs/heads/gh-pages $(git commit-tree -m i $(printf '100644 blob %s\tindex.yaml\n' $(git hash-object -w `+file+`) | git mktree))`)
		r, err := Run(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range r.Versions { // the rest is as it was
			r.Versions[i].Surfaces = slices.DeleteFunc(v.Surfaces, func(s Surface) bool { return s.Kind != KindIndex && v.Version.String() != "v1.1.2" })
		}
		return r
	}
	r := put(`entries:
  other: [{version: 1.0.1, appVersion: 1.0.1}]
  spark:
  - {version: 0.9.0, appVersion: v1beta2, urls: [spark-0.9.0.tgz]}
  - {version: v1.1.0, appVersion: 1.1.0, urls: [spark-1.1.0.tgz]}
  - {version: 1.1.0, appVersion: 1.1.0, urls: [spark-1.1.0.tgz]}
  - {version: 1.1.2, appVersion: 1.1.2, urls: [https://example.com/v1.1.1/spark-1.1.2.tgz]}
`)
	expect(t, r,
		`v1.1.2: git tag v1.1.2 missing: "v1.1.2" ""`,
		`v1.1.2: chart index spark 1.1.2 URL differs: "leads to 1.1.2" "https://example.com/v1.1.1/spark-1.1.2.tgz"`,
		`v1.1.1: chart index spark 1.1.1 missing: "1.1.1" ""`,
		`v1.1.0: chart index spark 1.1.0 differs: "one entry" "2 entries"`)
	for _, v := range r.Versions {
		if v.Version.Major() == 1 && v.Version.Minor() == 0 && !slices.Contains(v.Notes, "the first version of spark in the chart index is a later one") {
			t.Errorf("%s: %s", v.Version, v.Notes)
		}
	}
	shell(t, dir, `git update-ref refs/heads/gh-pages $(printf 'entries:\n  spark: []\n' | git hash-object -w --stdin | xargs printf '100644 blob %s\tindex.yaml\n' | git mktree | xargs -I{} git commit-tree -p gh-pages -m vanished {})`)
	r, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(r.Versions, func(of Version) bool {
		return of.Version.String() == "v1.1.0" && slices.ContainsFunc(of.Surfaces, func(s Surface) bool {
			return s.Kind == KindIndex && s.State == Missing && strings.Contains(s.Note, "of its branch listed it")
		})
	}) {
		t.Errorf("v1.1.0 was in the index before, and it is not told: %+v", r)
	}
	for content, want := range map[string]string{
		"entries: [1": "index.yaml of branch gh-pages cannot be read",
		"a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\ng: [*f,*f,*f,*f,*f,*f,*f,*f,*f]\nentries: *f\n": "cannot be read",
		"apiVersion: v1\n": "",
		"entries:\n  spark: [{version: 9.9, urls: [':']}, {version: \"1.0.0\\e[2J\"}]\n": "2 entries of the chart index were skipped",
	} {
		r := put(content)
		if got := strings.Join(r.Notes, "; "); !strings.Contains(got, want) {
			t.Errorf("%.40q: %s", content, got)
		}
	}
	tree, err := o.Repository.Tree(t.Context(), "v1.0.0")
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	if _, err := readBounded(tree, "VERSION", 7); err != nil {
		t.Error(err)
	}
	if _, err := readBounded(tree, "VERSION", 6); err == nil || !strings.Contains(err.Error(), "it has 7 bytes; at most 6 are read") {
		t.Error(err)
	}
}
