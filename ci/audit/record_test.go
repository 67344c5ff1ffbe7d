package audit

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/bundle/bundletest"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/publish"
	"github.com/operator-release/operator-release/ci/version"
)

// TestDrift: whatever somebody changes of what was published is found, with what belongs there and what is there; nothing else is said.
func TestDrift(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	one, two := w.bundles["v1.5.0"], w.bundles["v1.5.1"]
	image, other := one.Record.OfKind(bundle.KindImage)[0], two.Record.OfKind(bundle.KindImage)[0]
	chart := one.Record.OfKind(bundle.KindChart)[0]
	sbom := image.Platforms[0].SBOMs[0]
	const charts = "docker.io/acme/charts/spark"
	base := shell(t, w.throwaway.Remote, "git rev-parse main")
	id := func(b bundle.Bundle) string { return b.Identity.Digest.String() }
	listed, err := (&place{&registries{}, w.repo(bundletest.Repository)}).referrers(ctx, one.Identity)
	if err != nil || len(listed) != 1 {
		t.Fatal(listed, err)
	}
	layer := filepath.Join(w.dir, "registry", "blobs", "sha256", chart.Package.Digest.Encoded())

	// ref points a ref of the remote elsewhere, and back.
	ref := func(name, script string) (do, undo func()) {
		var was string
		return func() {
				was = shell(t, w.throwaway.Remote, "git rev-parse -q --verify "+name+" || true")
				shell(t, w.throwaway.Remote, "id=$("+script+")\nif [ -n \"$id\" ]; then git update-ref "+name+" $id; else git update-ref -d "+name+"; fi")
			}, func() {
				if was == "" {
					shell(t, w.throwaway.Remote, "git update-ref -d "+name)
					return
				}
				shell(t, w.throwaway.Remote, "git update-ref "+name+" "+was)
			}
	}
	claim := func(identity, repository string) string {
		return fmt.Sprintf(`printf 'object %s\ntype commit\ntag releases/v1.5.0\ntagger A <a@b> 0 +0000\n\nspark v1.5.0\n\nidentity: %s\nrepository: %s\n' | git mktag`, one.Record.Commit, identity, repository)
	}
	edited := `export GIT_INDEX_FILE=$PWD/edited
git read-tree v1.5.0
git update-index --add --cacheinfo 100644,$(printf 'name: spark\nversion: 1.5.0\nappVersion: v1.5.9\n' | git hash-object -w --stdin),charts/spark/Chart.yaml
c=$(git commit-tree -m release -p release-1.5 $(git write-tree)); rm edited
printf 'object %s\ntype commit\ntag v1.5.0\ntagger A <a@b> 0 +0000\n\nspark\n' $c | git mktag`
	type step struct{ do, undo func() }
	drift := func(name, script string) step { do, undo := ref(name, script); return step{do, undo} }

	for name, c := range map[string]struct {
		step
		versions []version.Version
		want     []string
	}{
		"nothing": {step{func() {}, func() {}}, nil, nil},
		"tag moved": {drift("refs/tags/v1.5.0", "git rev-parse main"), []version.Version{v150}, []string{
			fmt.Sprintf("v1.5.0: git tag v1.5.0 differs: %q %q it points to commit %.12s, and the release commit is %.12s", one.Record.Tag, base, base, one.Record.Commit),
			fmt.Sprintf("v1.5.0: tree v1.5.0 differs: %q", one.Record.Tree),
			`v1.5.0: surface VERSION version differs: "v1.5.0" "v1.4.0"`,
			`v1.5.0: surface charts/spark/Chart.yaml version differs: "1.5.0" "1.4.0"`,
			`v1.5.0: surface charts/spark/Chart.yaml appVersion differs: "v1.5.0" "v1.4.0"`,
			`v1.5.0: surface config/kustomization.yaml newTag of acme/spark differs: "v1.5.0" "v1.4.0"`,
		}},
		"tag signed": {drift("refs/tags/v1.5.0", `{ git cat-file tag v1.5.0; printf -- '-----BEGIN PGP SIGNATURE-----\n-----END PGP SIGNATURE-----\n'; } | git hash-object -w -t tag --stdin`), []version.Version{v150}, nil},
		"tag gone": {drift("refs/tags/v1.5.0", "true"), []version.Version{v150}, []string{
			fmt.Sprintf(`v1.5.0: git tag v1.5.0 missing: %q ""`, one.Record.Tag), "v1.5.0: tree v1.5.0 cannot tell",
		}},
		"a surface edited, the tag moved there": {drift("refs/tags/v1.5.0", edited), []version.Version{v150}, []string{
			"v1.5.0: git tag v1.5.0 differs", "v1.5.0: tree v1.5.0 differs",
			`v1.5.0: surface charts/spark/Chart.yaml appVersion differs: "v1.5.0" "v1.5.9"`,
		}},
		"branch rewound": {drift("refs/heads/release-1.5", "git rev-parse v1.5.0^{}"), nil, []string{
			fmt.Sprintf(`v1.5.1: branch release-1.5 differs: "contains %.12s" "no branch contains it; release-1.5 is at %.12s"`, two.Record.Commit, one.Record.Commit),
		}},
		"branch gone": {drift("refs/heads/release-1.5", "true"), []version.Version{v151}, []string{
			fmt.Sprintf(`v1.5.1: branch release-1.5 missing: "contains %.12s" ""`, two.Record.Commit),
		}},
		"claim changed": {drift("refs/releases/v1.5.0", claim("sha256:"+strings.Repeat("0", 64), bundletest.Repository)), []version.Version{v150}, []string{
			fmt.Sprintf("v1.5.0: claim refs/releases/v1.5.0 differs: %q %q", id(one), "sha256:"+strings.Repeat("0", 64)),
		}},
		"claim of another version's content": {drift("refs/releases/v1.5.0", claim(id(two), bundletest.Repository)), []version.Version{v150}, []string{
			fmt.Sprintf("v1.5.0: claim refs/releases/v1.5.0 differs: %q %q", id(one), id(two)),
		}},
		"claim of another repository": {drift("refs/releases/v1.5.0", claim(id(one), "docker.io/acme/elsewhere")), []version.Version{v150}, []string{
			`v1.5.0: claim refs/releases/v1.5.0 repository differs: "docker.io/acme/spark" "docker.io/acme/elsewhere"`,
		}},
		"claim gone": {drift("refs/releases/v1.5.0", "true"), []version.Version{v150}, []string{
			fmt.Sprintf(`v1.5.0: claim refs/releases/v1.5.0 missing: %q ""`, id(one)),
		}},
		"no claim at all": {drift("refs/releases/v1.5.0", "git rev-parse main"), []version.Version{v150}, []string{
			`v1.5.0: claim refs/releases/v1.5.0 differs: "an identity and a repository" "object ` + base[:12],
		}},
		"image tag overwritten": {step{
			func() { w.tag(bundletest.Repository, "v1.5.0", other.Digest) }, func() { w.tag(bundletest.Repository, "v1.5.0", image.Digest) },
		}, nil, []string{fmt.Sprintf("v1.5.0: image docker.io/acme/spark:v1.5.0 differs: %q %q", image.Digest, other.Digest)}},
		"image of a platform gone": {step{
			func() { w.remove(bundletest.Repository, image.Platforms[1].Digest) }, func() { w.push(bundletest.Repository, v150, image.Platforms[1].Digest) },
		}, []version.Version{v150}, []string{fmt.Sprintf(`v1.5.0: platform docker.io/acme/spark:v1.5.0 linux/arm64 missing: %q ""`, image.Platforms[1].Digest)}},
		"chart gone": {step{
			func() { w.remove(charts, chart.Digest) }, func() { w.push(charts, v150, chart.Digest); w.tag(charts, "1.5.0", chart.Digest) },
		}, []version.Version{v150}, []string{fmt.Sprintf(`v1.5.0: chart docker.io/acme/charts/spark:1.5.0 missing: %q ""`, chart.Digest)}},
		"chart overwritten": {step{
			func() { w.tag(charts, "1.5.0", two.Record.OfKind(bundle.KindChart)[0].Digest) }, func() { w.tag(charts, "1.5.0", chart.Digest) },
		}, []version.Version{v150}, []string{
			"v1.5.0: chart docker.io/acme/charts/spark:1.5.0 differs", "v1.5.0: chart docker.io/acme/charts/spark:1.5.0 package differs",
			`v1.5.0: chart docker.io/acme/charts/spark:1.5.0 version differs: "1.5.0" "1.5.1"`, `v1.5.0: chart docker.io/acme/charts/spark:1.5.0 appVersion differs: "v1.5.0" "v1.5.1"`,
		}},
		"the package's blob gone": {step{
			func() { shell(t, ".", "mv "+layer+" "+layer+".away") }, func() { shell(t, ".", "mv "+layer+".away "+layer) },
		}, []version.Version{v150}, []string{fmt.Sprintf(`v1.5.0: chart docker.io/acme/charts/spark:1.5.0 package missing: %q "" blob %s`, chart.Package.Digest, chart.Package.Digest)}},
		"SBOM gone": {step{
			func() { w.remove(bundletest.Repository, sbom.Digest) }, func() { w.push(bundletest.Repository, v150, sbom.Digest) },
		}, []version.Version{v150}, []string{fmt.Sprintf(`v1.5.0: referrer spark-linux-amd64.cdx.json missing: %q "" it is not listed under %s`, sbom.Digest, image.Platforms[0].Digest)}},
		"test result gone": {step{
			func() { w.remove(bundletest.Repository, listed[0].Digest) }, func() { w.push(bundletest.Repository, v150, listed[0].Digest) },
		}, []version.Version{v150}, []string{`v1.5.0: referrer test result of the gate missing: "" "" none is listed under ` + id(one)}},
		"release artifact gone": {step{
			func() { w.remove(bundletest.Repository, one.Identity.Digest) }, func() { w.push(bundletest.Repository, v150, one.Identity.Digest) },
		}, []version.Version{v150}, []string{fmt.Sprintf(`v1.5.0: release artifact docker.io/acme/spark missing: %q ""`, id(one))}},
		"floating tag backwards": {step{
			func() { w.tag(bundletest.Repository, "latest", image.Digest) }, func() { w.tag(bundletest.Repository, "latest", other.Digest) },
		}, nil, []string{fmt.Sprintf("v1.5.1: floating tag docker.io/acme/spark:latest differs: %q %q", other.Digest, image.Digest)}},
		"backup gone": {step{
			func() { shell(t, w.backups, "mv v1.5.0 away") }, func() { shell(t, w.backups, "mv away v1.5.0") },
		}, []version.Version{v150}, []string{fmt.Sprintf(`v1.5.0: backup %s missing: %q ""`, w.backups, id(one))}},
		"backup of other content": {step{
			func() { shell(t, w.backups, "mv v1.5.0 away; cp -r v1.5.1 v1.5.0") }, func() { shell(t, w.backups, "rm -r v1.5.0; mv away v1.5.0") },
		}, []version.Version{v150}, []string{fmt.Sprintf(`v1.5.0: backup %s differs: %q %q`, w.backups, id(one), id(two))}},
		"chart index of other content": {step{
			func() {
				w.index(func(s string) string {
					s = strings.Replace(s, chart.Package.Digest.Encoded(), strings.Repeat("0", 64), 1)
					s = strings.Replace(s, "download/v1.5.1/", "download/v1.5.0/", 1)
					return strings.Replace(s, "version: 1.5.1, appVersion: v1.5.1", "version: 1.5.1, deprecated: true, appVersion: 1.5.1", 1)
				})
			}, func() { w.index(nil) },
		}, nil, []string{
			`v1.5.1: chart index spark 1.5.1 appVersion differs: "v1.5.1" "1.5.1"`,
			`v1.5.1: chart index spark 1.5.1 URL differs: "leads to 1.5.1" "https://example.com/download/v1.5.0/spark-1.5.1.tgz"`,
			`v1.5.1: chart index spark 1.5.1 deprecated differs: "not deprecated" "deprecated" the version is not withdrawn`,
			fmt.Sprintf("v1.5.0: chart index spark 1.5.0 digest differs: %q %q", chart.Package.Digest, "sha256:"+strings.Repeat("0", 64)),
		}},
		"chart index without an entry, and with one of no tag": {step{
			func() {
				w.index(func(s string) string {
					return strings.ReplaceAll(strings.Replace(s, "2026-10-02", "2026-10-04", 1), "1.5.0", "1.5.2")
				})
			}, func() { w.index(nil) },
		}, nil, []string{
			`v1.5.2: git tag v1.5.2 missing: "v1.5.2" ""`,
			`v1.5.0: chart index spark 1.5.0 missing: "1.5.0" ""`,
		}},
		"chart index out of order": {step{
			func() { w.index(func(s string) string { return strings.Replace(s, "2026-10-02", "2026-10-09", 1) }) }, func() { w.index(nil) },
		}, nil, []string{`v1.5.1: chart index spark 1.5.1 created differs: "created after v1.5.0" "created 2026-10-03T12:00:00Z, v1.5.0 was at 2026-10-09T12:00:00Z"`}},
		"chart index that is none": {step{func() { w.index(func(string) string { return "entries: [1" }) }, func() { w.index(nil) }}, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			c.do()
			defer c.undo()
			r, err := Run(ctx, w.options(c.versions...))
			if err != nil {
				t.Fatal(err)
			}
			expect(t, r, c.want...)
			if failed := r.Err(); (failed != nil) != (len(c.want) > 0) {
				t.Errorf("it ends with %v", failed)
			}
		})
	}

	t.Run("no backup, and no claim", func(t *testing.T) {
		do, undo := ref("refs/releases/v1.5.0", "true")
		do()
		defer undo()
		o := w.options(v150)
		o.Backup = nil
		r, err := Run(ctx, o)
		if err != nil || r.Versions[0].Record != w.throwaway.Registry+"/docker.io/acme/spark" {
			t.Fatal(err, r.Versions)
		}
		expect(t, r, fmt.Sprintf(`v1.5.0: claim refs/releases/v1.5.0 missing: %q ""`, id(one)))
		// A claim of something else, and nothing that tells what belongs there.
		other, back := ref("refs/releases/v1.5.0", claim(id(two), bundletest.Repository))
		other()
		move, forth := ref("refs/tags/v1.5.0", "true")
		move()
		if r, err = Run(ctx, o); err != nil {
			t.Fatal(err)
		}
		forth()
		back()
		expect(t, r, fmt.Sprintf(`v1.5.0: release artifact docker.io/acme/spark missing: %q "" its record is of v1.5.1`, id(two)),
			`v1.5.0: claim refs/releases/v1.5.0 cannot tell: "" "" it names `+id(two)+", and no record of the version was found there", `v1.5.0: git tag v1.5.0 missing`)
		// What was made here is what was published if it has the tag that is out.
		o.Registry, o.Bundle = nil, func(version.Version) string { return one.Layout.Dir() }
		if r, err = Run(ctx, o); err != nil {
			t.Fatal(err)
		}
		expect(t, seen(r), fmt.Sprintf(`v1.5.0: claim refs/releases/v1.5.0 missing: %q ""`, id(one)))
		move, forth = ref("refs/tags/v1.5.0", "git rev-parse main")
		move()
		defer forth()
		if r, err = Run(ctx, o); err != nil || r.Versions[0].Record != "" {
			t.Error(err, r.Versions[0].Record)
		}
	})

	t.Run("a clone, which has no claims and no marks", func(t *testing.T) {
		w.tag(bundletest.Repository, "latest", image.Digest)
		defer w.tag(bundletest.Repository, "latest", other.Digest)
		dir := t.TempDir()
		shell(t, dir, "git clone -q "+w.throwaway.Remote+" .")
		o := w.options(v151)
		o.All, o.Backup = false, nil
		if o.Repository, err = git.Open(ctx, dir); err != nil {
			t.Fatal(err)
		}
		r, err := Run(ctx, o)
		if err != nil || r.Err() != nil {
			t.Fatal(err, r.Err())
		}
		expect(t, r, fmt.Sprintf(`v1.5.1: claim refs/releases/v1.5.1 cannot tell: %q "" claims were not fetched from origin; name it by --remote`, id(two)),
			fmt.Sprintf("v1.5.1: floating tag docker.io/acme/spark:latest cannot tell: %q %q whether v1.5.1 is rolled back is not known: marks were not fetched", other.Digest, image.Digest))
	})

	t.Run("release pages", func(t *testing.T) { pagesDrift(t, w) })

	t.Run("signatures", func(t *testing.T) { signaturesDrift(t, w) })

	t.Run("rolled back, and the floating tags stayed", func(t *testing.T) {
		scratch, err := git.Init(ctx, t.TempDir(), git.SHA1)
		if err != nil {
			t.Fatal(err)
		}
		to := scratch.Remote(w.throwaway.Remote)
		by := git.Person{Name: "Ada", Email: "ada@example.com", Time: time.Unix(1767225600, 0)}
		mark, err := journal.Add(ctx, to, v151, journal.Mark{State: journal.Good}, journal.Mark{State: journal.RolledBack, Because: "it loses pods"}, by)
		if err != nil {
			t.Fatal(err)
		}
		r, err := Run(ctx, w.options())
		if err != nil {
			t.Fatal(err)
		}
		const listed = `v1.5.1: chart index spark 1.5.1 differs: "not listed" "listed" the version is rolled back`
		expect(t, r,
			`v1.5.1: floating tag docker.io/acme/spark:latest differs: "v1.5.0" "v1.5.1" v1.5.1 is rolled back`,
			`v1.5.1: floating tag docker.io/acme/spark:v1.5 differs: "v1.5.0" "v1.5.1"`,
			listed,
			fmt.Sprintf("v1.5.0: floating tag docker.io/acme/spark:latest differs: %q %q", image.Digest, other.Digest),
			fmt.Sprintf("v1.5.0: floating tag docker.io/acme/spark:v1.5 differs: %q %q", image.Digest, other.Digest))
		if got := strings.Join(r.Versions[0].Notes, "; "); got != "rolled back by Ada <ada@example.com>: it loses pods" {
			t.Error(got)
		}
		// Once the tags follow, all agrees.
		if _, err := publish.Floating(two.Record, (&publish.Registry{Prefix: w.throwaway.Registry}).Open, to).Do(ctx, v151, true); err != nil {
			t.Fatal(err)
		}
		if r, err = Run(ctx, w.options()); err != nil {
			t.Fatal(err)
		}
		expect(t, r, listed)
		// The pages say nothing of it, until they are marked.
		const warning = "v1.5.1 is rolled back: it loses pods"
		if r, err = Run(ctx, w.withPages()); err != nil {
			t.Fatal(err)
		}
		expect(t, r, fmt.Sprintf(`v1.5.1: release page v1.5.1 warning differs: %q "no warning"`, warning), `v1.5.1: release page v1.5.1 is the latest differs: "v1.5.0" "v1.5.1"`, listed,
			`v1.5.0: release page v1.5.0 is the latest differs: "v1.5.0" "v1.5.1"`)
		if _, err := publish.Marked(ctx, two, mark, to, by, publish.Destinations{Forge: w.forge}); err != nil {
			t.Fatal(err)
		}
		if r, err = Run(ctx, w.withPages()); err != nil {
			t.Fatal(err)
		}
		expect(t, r, listed)
	})

	t.Run("a registry that does not answer, or asks who one is", func(t *testing.T) {
		closed := httptest.NewServer(http.NotFoundHandler())
		closed.Close()
		strict := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }))
		defer strict.Close()
		for server, why := range map[*httptest.Server]string{closed: "cannot be reached", strict: "401"} {
			o := w.options(v150)
			o.Registry = (&publish.Registry{Prefix: strings.TrimPrefix(server.URL, "http://")}).Open
			r, err := Run(ctx, o)
			if err != nil || r.Err() != nil {
				t.Fatal(err, r.Err())
			}
			if got := rows(r); len(got) != 7 || !strings.Contains(got[0], "release artifact docker.io/acme/spark cannot tell") || !strings.Contains(got[0], why) {
				t.Errorf("%s:\n%s", why, strings.Join(got, "\n"))
			}
		}
	})

	t.Run("a remote that does not answer", func(t *testing.T) {
		o := w.options()
		o.Failed = errors.New("no such host")
		if _, err := Run(ctx, o); err == nil || !strings.Contains(err.Error(), "the list of versions cannot be read: no such host") {
			t.Error(err)
		}
		o.Versions = []version.Version{v150}
		r, err := Run(ctx, o)
		if err != nil || r.Err() != nil {
			t.Fatal(err, r.Err())
		}
		expect(t, r, "v1.5.0: claim refs/releases/v1.5.0 cannot tell: \""+id(one), "v1.5.0: branch release-1.5 cannot tell", "v1.5.0: git tag v1.5.0 cannot tell",
			"v1.5.0: tree v1.5.0 cannot tell")
		// With nothing else to look at either, nothing was audited.
		o.Registry, o.Backup = nil, nil
		if r, err = Run(ctx, o); err != nil || r.Err() == nil || !strings.Contains(r.Err().Error(), "nothing could be read") {
			t.Error(err, r.Err())
		}
	})

	t.Run("the record of the folder where it was made", func(t *testing.T) {
		o := w.options(v150)
		o.Registry, o.Backup = nil, nil
		o.Bundle = func(version.Version) string { return one.Layout.Dir() }
		r, err := Run(ctx, o)
		if err != nil || r.Err() != nil || !strings.HasSuffix(one.Layout.Dir(), "/"+r.Versions[0].Record) || filepath.IsAbs(r.Versions[0].Record) {
			t.Fatal(err, r.Err(), r.Versions[0].Record)
		}
	})
}

// TestOtherSize: a blob of another size is not the one that belongs there, and its bytes need not be read to tell.
func TestOtherSize(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "1") }))
	defer server.Close()
	all := registries{open: (&publish.Registry{Prefix: strings.TrimPrefix(server.URL, "http://")}).Open, down: map[string]error{}}
	place, err := all.at(bundletest.Repository)
	if err != nil {
		t.Fatal(err)
	}
	err = place.has(t.Context(), ocispec.DescriptorEmptyJSON)
	if !errors.Is(err, errMissing) || !strings.Contains(err.Error(), "has 1 bytes where 2 belong") {
		t.Error(err)
	}
}
