package site

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/catalog"
	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/output"
	"github.com/operator-release/operator-release/ci/version"
)

// hostile is what somebody could write into anything that a page shows.
const hostile = "\u202e\x1b[31m\"'><script>alert(1)</script><img src=x onerror=alert(1)> [a](javascript:alert(1)) ![b](https://b.example/b.png) &lt;script&gt; {{.}} `c` ]]> --> \u2028\xff"

// poisoned is a catalog in which everything that is text is hostile.
func poisoned(c catalog.Catalog) catalog.Catalog {
	poison(reflect.ValueOf(&c).Elem())
	c.Site = "https://example.github.io/pi-operator/"
	return c
}

func poison(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			copied := reflect.New(v.Type().Elem()) // samples share marks
			copied.Elem().Set(v.Elem())
			v.Set(copied)
			poison(copied.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				poison(v.Field(i))
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			poison(v.Index(i))
		}
	case reflect.String:
		v.SetString(v.String() + hostile)
	}
}

// small is a catalog in which there is something of everything.
func small() catalog.Catalog {
	c := sample(3, 5)
	c.Lines = append([]catalog.Line{{Name: "1.9", Branch: "release-1.9", Supported: true}}, c.Lines...)                                      // without versions
	c.Versions = append([]catalog.Version{{Version: version.MustParse("v2.0.0-rc.0"), Kind: catalog.Candidate, Line: "2.0"}}, c.Versions...) // of which little is known
	c.Versions[5].Signatures[2].By = "signed by identity https://github.com/example/pi-operator/.github/workflows/release.yaml@refs/heads/main of https://token.actions.githubusercontent.com"
	c.Versions[3].Mark = &journal.Mark{State: journal.Good, Because: "it was another one's fault", By: "Ada Example <ada@example.com>", Time: c.Versions[3].Time} // again
	return c
}

func TestPages(t *testing.T) {
	few := small()
	few.Site, few.URL = "", "/srv/pi-operator.git"
	bad := sample(2, 5)
	for i := range bad.Versions {
		bad.Versions[i].Mark = &journal.Mark{State: journal.Withdrawn, Because: "all of it"}
	}
	for name, c := range map[string]catalog.Catalog{"small": small(), "unknown": few, "hostile": poisoned(small()), "bad": bad, "empty": {Schema: catalog.Schema, Name: "pi-operator"}} {
		t.Run(name, func(t *testing.T) { checkSite(t, made(t, c), len(c.Versions)) })
	}
}

func TestAnswers(t *testing.T) {
	c := small()
	dir := made(t, c)
	for name, wants := range map[string][]string{
		// v1.2.2 is good, v1.2.1 withdrawn; v1.1.2 rolled back
		"index.html": {"should I run? v1.2.2 It is the newest good final version, released on 13 December 2023. On an older supported line, run v1.1.1 on 1.1.", "Line 1.1 supported",
			"Line 1.0 not supported", "v1.1.2 patch 2023-08-12 rolled back 37 agree", "2 candidates of released versions", "1 differ, 1 missing, 31 agree, 1 not checked", "Line 1.9 supported Newest none that is good",
			"helm repo add pi-operator https://example.github.io/pi-operator/", "14 tags were skipped", "v2.0.0-rc.0 candidate not known good not audited"},
		"versions/v1.2.1.html": {"v1.2.1 is withdrawn it logs every request, with its authorization header Said by Ada Example on 5 December 2023. Run v1.2.2 instead.", "Before it v1.2.0", "After it v1.2.2",
			"helm install RELEASE oci://docker.io/example/charts/pi-operator --version 1.2.1 --namespace NAMESPACE", "helm install RELEASE pi-operator/pi-operator --version 1.2.1",
			"cosign verify --key cosign.pub --insecure-ignore-tlog docker.io/example/pi-operator@" + digestOf("index", version.MustParse("v1.2.1")), "2.9 MiB", "Backports in it"},
		"versions/v1.2.0-rc.0.html": {"cosign verify --certificate-identity https://github.com/example/pi-operator/.github/workflows/release.yaml@refs/heads/main --certificate-oidc-issuer https://token.actions.githubusercontent.com docker.io/example/pi-operator@sha256:"},
		"versions/v1.2.0.html":      {"v1.2.0 final good", "It was marked as bad, and is good again: it was another one's fault"},
		"versions/v1.1.2.html":      {"v1.1.2 is rolled back", "Run v1.1.1 instead."},
		"versions/v1.2.2.html":      {"1 differ, 1 missing, 31 agree, 1 not checked", "image docker.io/example/pi-operator:v1.2.2 differs", "its image tags lack the v"},
		"upgrade.html": {"To 1.1: v1.1.1", "helm show crds oci://docker.io/example/charts/pi-operator --version 1.1.1 | kubectl apply --server-side --force-conflicts --filename -",
			"helm upgrade RELEASE oci://docker.io/example/charts/pi-operator --version 1.1.1 --namespace NAMESPACE --reset-then-reuse-values", "To 2.0 has no good final version",
			"v1.1.2 rolled back the controller deletes jobs"},
	} {
		said := read(t, dir, name)
		for _, want := range wants {
			if !strings.Contains(said, want) {
				t.Errorf("%s does not say %q:\n%s", name, want, said)
			}
		}
	}
}

// TestSteps: the script of the page stands on numbers and marks, not on reading versions.
func TestSteps(t *testing.T) {
	c := small()
	for i := range c.Versions { // one chart became two
		if v := &c.Versions[i]; v.Version == version.MustParse("v1.1.1") {
			v.Charts = append(v.Charts, catalog.Chart{Name: "crds", Version: "1.1.1", Reference: "oci://docker.io/example/charts/crds"})
		}
	}
	content, err := os.ReadFile(filepath.Join(made(t, c), "upgrade.html"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`<section class="step" id="to-1.1" aria-labelledby="title-1.1" data-series="1.1" data-to="v1.1.1">`,
		"<div class=\"commands\" data-in=\"6 7 8 10\" hidden>", "<div class=\"commands\" data-in=\"9\">",
		`<li data-n="6" data-v="v1.1.0-rc.0" data-asks="2" data-rc="1" hidden data-back="versions/v1.1.0-rc.0.html#going-back"><a href="versions/v1.1.0-rc.0.html#upgrade">`,
		`<li data-n="10" data-v="v1.1.2" data-asks="0" data-bad="rolled back"`, `<select id="to" data-run="v1.2.2">`, `<option value="v1.1.2">v1.1.2 (rolled back)</option>`,
	} {
		if !strings.Contains(string(content), want) {
			t.Errorf("it has no %s", want)
		}
	}
}

func TestInstead(t *testing.T) {
	c := sample(3, 4) // v1.N.0-rc.0, v1.N.0-rc.1, v1.N.0, v1.N.1
	for name, test := range map[string]struct {
		of, want string
		bad      []string
	}{
		"the newest of its line":    {"v1.1.0", "v1.1.1", []string{"v1.1.0"}},
		"the one before, on it":     {"v1.1.1", "v1.1.0", []string{"v1.1.1"}},
		"of the next line":          {"v1.0.1", "v1.1.1", []string{"v1.0.0", "v1.0.1"}},
		"the newest before it":      {"v1.2.0", "v1.1.1", []string{"v1.2.0", "v1.2.1"}},
		"a candidate's final":       {"v1.1.0-rc.1", "v1.1.1", []string{"v1.1.0-rc.1"}},
		"the line after the next":   {"v1.0.0", "v1.2.1", []string{"v1.0.0", "v1.0.1", "v1.1.0", "v1.1.1"}},
		"none, as all of it is bad": {"v1.0.0", "", []string{"v1.0.0", "v1.0.1", "v1.1.0", "v1.1.1", "v1.2.0", "v1.2.1"}},
	} {
		marked := c
		marked.Versions = slices.Clone(c.Versions)
		for i := range marked.Versions {
			marked.Versions[i].Mark = nil
			if slices.Contains(test.bad, marked.Versions[i].Version.String()) {
				marked.Versions[i].Mark = &journal.Mark{State: journal.Withdrawn}
			}
		}
		s, err := newSite(marked)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if found := s.instead(s.Versions[s.at[version.MustParse(test.of)]]); found != nil {
			got = found.Version.String()
		}
		if got != test.want {
			t.Errorf("%s: %s, not %s", name, got, test.want)
		}
	}
}

// TestWrite: the same catalog gives the same bytes, over what is there; the catalog is there again.
// TestFilesAreKnown: a file that the site does not know as its own makes a work tree dirty.
func TestFilesAreKnown(t *testing.T) {
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "pages"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := Write(filepath.Join(root, "pages"), small()); err != nil {
		t.Fatal(err)
	}
	written := output.Written(root)
	err := filepath.WalkDir(root, func(at string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(root, at)
		if err == nil && !written(filepath.ToSlash(name)) {
			t.Errorf("%s is not known", name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestWrite(t *testing.T) {
	c := small()
	dir := made(t, c)
	before := contents(t, dir)
	var again catalog.Catalog
	if err := json.Unmarshal([]byte(before["catalog.json"]), &again); err != nil || !reflect.DeepEqual(again, c) {
		t.Errorf("the catalog is another one (%v)", err)
	}
	if err := Write(dir, again); err != nil {
		t.Fatal(err)
	}
	if after := contents(t, dir); !reflect.DeepEqual(before, after) {
		t.Error("the same catalog gives other bytes")
	}
	c.Versions = append(c.Versions, c.Versions[0])
	if err := Write(dir, c); err == nil || !strings.Contains(err.Error(), `entry 17 of its versions is "v2.0.0-rc.0"`) {
		t.Errorf("a version twice: %v", err)
	}
	if err := Write(filepath.Join(dir, "index.html"), small()); err == nil {
		t.Error("a file is no folder")
	}
}

func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(p)
		name, _ := filepath.Rel(dir, p)
		all[name] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestLarge: whatever a catalog holds, a page stays one that a phone can load.
func TestLarge(t *testing.T) {
	c := sample(2, 6)
	v := &c.Versions[0]
	v.Notes, v.Guide = strings.Repeat(hostile+"\n\n", 500), strings.Repeat("- "+hostile+"\n", 500)
	for i := range 300 {
		v.Files = append(v.Files, catalog.File{Name: fmt.Sprint(hostile, i), Digest: hostile, URL: "https://x.example/" + url.PathEscape(hostile)})
		v.Findings = append(v.Findings, catalog.Finding{Kind: "image", State: "differs", Name: strings.Repeat(hostile, 10), Note: strings.Repeat(hostile, 10), Want: strings.Repeat(hostile, 10)})
		v.Picks = append(v.Picks, catalog.Pick{Commit: hostile, Origin: hostile, Subject: strings.Repeat(hostile, 10)})
		v.Images[0].Platforms = append(v.Images[0].Platforms, bundle.PlatformImage{Platform: hostile})
		v.Asks = append(v.Asks, strings.Repeat(hostile, 10))
		v.Said = append(v.Said, strings.Repeat(hostile, 10))
		c.Audit.Notes = append(c.Audit.Notes, strings.Repeat(hostile, 10))
	}
	v.Charts[0].Reference = "oci://docker.io/" + strings.Repeat("long/", 50) + "charts/pi-operator"
	dir := made(t, c)
	checkSite(t, dir, 12)
	said := read(t, dir, "versions/"+v.Version.String()+".html")
	for _, want := range []string{"of the notes are shown.", "All of them are in the release page and the file NOTES.md of this version", "of the guide are shown.", "more, in catalog.json",
		"helm install RELEASE " + v.Charts[0].Reference + " --version"} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q", want)
		}
	}
	if said := read(t, dir, "index.html"); !strings.Contains(said, "more, in catalog.json. Last change") {
		t.Error("what was left out of the first page is not said there")
	}
}

// TestMany: as many versions as a project has after ten years.
func TestMany(t *testing.T) {
	dir := made(t, sample(10, 20))
	checkSite(t, dir, 200)
	if info, err := os.Stat(filepath.Join(dir, "feed.xml")); err != nil || info.Size() > 200_000 {
		t.Errorf("the feed has %d bytes (%v)", info.Size(), err)
	}
}

func BenchmarkSite(b *testing.B) {
	c, dir := sample(10, 20), b.TempDir()
	for b.Loop() {
		if err := Write(dir, c); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	largest := int64(0)
	if err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(p) != ".html" {
			return err
		}
		info, err := d.Info()
		largest = max(largest, info.Size())
		return err
	}); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(largest), "bytes/page-max")
}

// TestStepsWithoutCharts: a step without a command says why.
func TestStepsWithoutCharts(t *testing.T) {
	dir, without := t.TempDir(), []catalog.Version{{Version: version.MustParse("v1.1.0"), Line: "1.1"}, {Version: version.MustParse("v1.0.0-rc.0"), Line: "1.0"}}
	if err := Write(dir, catalog.Catalog{Name: "spark", Versions: without}); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(dir, "upgrade.html"))
	if err != nil {
		t.Fatal(err)
	}
	if shown, hidden := strings.Count(string(content), `<p class="light unknown">It is not known`), strings.Count(string(content), `<p class="light unknown" hidden>`); shown != 1 || hidden != 1 {
		t.Errorf("said of %d steps, and ready to be said of %d:\n%s", shown, hidden, content)
	}
}
