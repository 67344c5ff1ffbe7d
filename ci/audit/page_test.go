package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/forge"
	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/markdown"
	"github.com/operator-release/operator-release/ci/registry"
	"github.com/operator-release/operator-release/ci/version"
)

// withPages are an audit of versions that looks at release pages, too.
func (w *world) withPages(versions ...version.Version) Options {
	o := w.options(versions...)
	o.Forge, o.ForgeName = w.forge.Client, w.forge.Name
	return o
}

// asked asks the hub as somebody who may write, and gives the answer.
func (w *world) asked(method, path string, body io.Reader) (answer *httptest.ResponseRecorder) {
	w.t.Helper()
	req := httptest.NewRequest(method, path, body)
	req.Header.Set("Authorization", "Bearer secret-of-ada")
	answer = httptest.NewRecorder()
	defer func() {
		if cut := recover(); cut == nil && answer.Code >= 300 {
			w.t.Fatalf("%s %s: %d %s", method, path, answer.Code, answer.Body)
		}
	}()
	w.hub.ServeHTTP(answer, req)
	return answer
}

const releases = "/api/v3/repos/acme/spark/releases"

// at is the page of a version, and the address of one of its files, which may be none.
func (w *world) at(v version.Version, file string) (page, asset string) {
	w.t.Helper()
	pages, err := w.forge.Client.Pages(w.t.Context())
	i := slices.IndexFunc(pages, func(p forge.Page) bool { return p.Tag == v.String() })
	if err != nil || i < 0 {
		w.t.Fatal(pages, err)
	}
	for _, a := range pages[i].Assets {
		if a.Name == file {
			asset = fmt.Sprintf("%s/assets/%d", releases, a.ID)
		}
	}
	return fmt.Sprintf("%s/%d", releases, pages[i].ID), asset
}

// edit changes fields of a version's page.
func (w *world) edit(v version.Version, fields map[string]any) {
	w.t.Helper()
	content, err := json.Marshal(fields)
	if err != nil {
		w.t.Fatal(err)
	}
	page, _ := w.at(v, "")
	w.asked("PATCH", page, strings.NewReader(string(content)))
}

// put uploads a file of a version's page instead of the one of this name; nil content takes it away.
func (w *world) put(v version.Version, name string, content io.Reader) {
	w.t.Helper()
	page, asset := w.at(v, name)
	if asset != "" {
		w.asked("DELETE", asset, nil)
	}
	if content != nil {
		w.asked("POST", strings.Replace(page, "/api/v3/", "/api/uploads/", 1)+"/assets?name="+name, content)
	}
}

// cut is a body that breaks off.
type cut struct{}

func (cut) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// pagesDrift: whatever somebody changes of a release page is found. All is as it was at its end.
func pagesDrift(t *testing.T, w *world) {
	ctx := t.Context()
	one, two := w.bundles["v1.5.0"], w.bundles["v1.5.1"]
	run := func(o Options, want ...string) Report {
		t.Helper()
		r, err := Run(ctx, o)
		if err != nil {
			t.Fatal(err)
		}
		expect(t, r, want...)
		return r
	}
	r := run(w.withPages())
	if r.Forge != "acme/spark" || r.Versions[0].Count(Agrees) <= r.Versions[1].Count(Agrees) { // one of them is the latest
		t.Errorf("%s: %d and %d agree", r.Forge, r.Versions[0].Count(Agrees), r.Versions[1].Count(Agrees))
	}

	chart := one.Record.OfKind(bundle.KindChart)[0]
	sums, notes := one.Record.OfKind(bundle.KindChecksums)[0], one.Record.OfKind(bundle.KindNotes)[0]
	body := w.hub.Snapshot().Releases[0].Body
	w.put(v150, chart.File, strings.NewReader("another chart"))
	w.put(v150, sums.File, cut{})
	w.put(v150, notes.File, nil)
	w.put(v150, "more.txt", strings.NewReader("more"))
	w.edit(v150, map[string]any{"prerelease": true, "body": markdown.Warn(strings.ReplaceAll(body, one.Identity.Digest.String(), two.Identity.Digest.String()), "v1.5.0 is withdrawn: it leaks")})
	w.edit(v151, map[string]any{"draft": true})
	w.asked("POST", releases, strings.NewReader(`{"tag_name": "v1.6.0", "target_commitish": "main", "name": "by hand"}`))
	shell(t, w.throwaway.Remote, "git update-ref -d refs/tags/v1.6.0") // which the forge has made
	w.asked("POST", releases, strings.NewReader(`{"tag_name": "v1.7.0", "draft": true, "name": "somebody's notes"}`))
	w.asked("POST", releases, strings.NewReader(`{"tag_name": "spark-0.9", "target_commitish": "main", "name": "of another scheme"}`))
	files := []string{
		fmt.Sprintf("v1.5.0: release page %s differs: %q %q", chart.File, chart.Package.Digest, digest.FromString("another chart")),
		fmt.Sprintf(`v1.5.0: release page %s differs: %q "its upload was not completed"`, sums.File, sums.Digest),
		fmt.Sprintf(`v1.5.0: release page %s missing: %q ""`, notes.File, notes.Digest),
	}
	order := map[string]int{}
	for i, f := range one.Record.Downloads(one.Identity) {
		order[f.Name] = i
	}
	slices.SortFunc(files, func(a, b string) int { return order[strings.Fields(a)[3]] - order[strings.Fields(b)[3]] })
	want := append([]string{
		`v1.6.0: git tag v1.6.0 missing: "v1.6.0" ""`,
		`v1.5.1: release page v1.5.1 differs: "published" "a draft"`,
		`v1.5.0: release page v1.5.0 kind differs: "no prerelease" "prerelease"`,
		fmt.Sprintf("v1.5.0: release page v1.5.0 identity differs: %q %q", one.Identity.Digest, two.Identity.Digest),
	}, files...)
	want = append(want,
		`v1.5.0: release page more.txt differs: "no such file" "more.txt of 4 bytes, sha256:`,
		`v1.5.0: release page v1.5.0 warning differs: "no warning" "another warning"`)
	if r := run(w.withPages(), want...); !slices.Contains(r.Notes, "1 release pages were skipped: they are of no version of this form") {
		t.Error(r.Notes)
	}

	// Back, and another one is the latest; then the page of one is gone.
	for _, p := range []string{"v1.6.0", "v1.7.0"} {
		page, _ := w.at(version.MustParse(p), "")
		w.asked("DELETE", page, nil)
	}
	w.put(v150, "more.txt", nil)
	for _, name := range []string{chart.File, sums.File, notes.File} {
		content, err := os.ReadFile(filepath.Join(one.Layout.Dir(), bundle.FilesDir, name))
		if err != nil {
			t.Fatal(err)
		}
		w.put(v150, name, bytes.NewReader(content))
	}
	w.edit(v150, map[string]any{"prerelease": false, "body": body, "make_latest": "true"})
	w.edit(v151, map[string]any{"draft": false, "make_latest": "false"})
	run(w.withPages(), `v1.5.1: release page v1.5.1 is the latest differs: "v1.5.1" "v1.5.0"`)
	w.edit(v151, map[string]any{"make_latest": "true"})
	run(w.withPages())

	// What cannot be asked is unseen; a version without a record, and without a page, is only told.
	down, err := forge.NewGitHub("acme/elsewhere", forge.Options{URL: "http://127.0.0.1:1", Patience: registry.Patience{Tries: 1, Answer: time.Second, Stall: time.Second}})
	if err != nil {
		t.Fatal(err)
	}
	o := w.withPages(v150)
	o.Forge = down
	run(o, `v1.5.0: release page v1.5.0 cannot tell: "published" "" list the release pages at acme/elsewhere of 127.0.0.1:1: `)
}

// TestPageWithoutDigests: where the forge does not tell a file's digest its size decides; of several pages of a version the published one counts.
func TestPageWithoutDigests(t *testing.T) {
	files := []bundle.Download{{Name: "a", Digest: digest.FromString("a"), Size: 1}, {Name: "b", Digest: digest.FromString("b"), Size: 1}}
	var out Version
	offered(files, forge.Page{Assets: []forge.Asset{{Name: "a", Size: 1, Complete: true}, {Name: "b", Size: 2, Complete: true}}}, &out)
	if len(out.Surfaces) != 2 || out.Surfaces[0].State != Agrees || out.Surfaces[1].State != Differs || out.Surfaces[1].Found != "2 bytes" {
		t.Errorf("%+v", out.Surfaces)
	}
	mine := forge.Page{ID: 2, Draft: true, Identity: digest.FromString("x")}
	all := pages{of: map[version.Version][]forge.Page{v150: {{ID: 1, Draft: true}, mine, {ID: 3}}, v151: {{ID: 4, Draft: true}}}}
	if page, drafts, ok := all.find(v150); page.ID != 3 || drafts != 1 || !ok {
		t.Error(page, drafts, ok)
	}
	if page, drafts, ok := all.find(v151); page.ID != 4 || drafts != 0 || !ok {
		t.Error(page, drafts, ok)
	}
	if got := all.versions(); !slices.Equal(got, []version.Version{v150}) {
		t.Error(got)
	}
}

// TestWarnings: a warning belongs above the page of a marked version, and above no other; where marks are not known, what is there cannot be told.
func TestWarnings(t *testing.T) {
	mark := &journal.Mark{State: journal.Withdrawn, Because: "it *leaks*"}
	warned := markdown.Warn("Notes", mark.Warning(v150))
	for name, c := range map[string]struct {
		mark          *journal.Mark
		body, noMarks string
		want          State
	}{
		"good":              {nil, "Notes", "", ""},
		"good again":        {&journal.Mark{State: journal.Good, Because: "it does not"}, "Notes", "", ""},
		"good, and warned":  {nil, warned, "", Differs},
		"marked":            {mark, warned, "", Agrees},
		"marked, no word":   {mark, "Notes", "", Differs},
		"marked, otherwise": {mark, markdown.Warn("Notes", "v1.5.0 is withdrawn: why not"), "", Differs},
		"who knows":         {nil, warned, "marks were not fetched", Unseen},
	} {
		a, out := auditor{refs: refs{noMarks: c.noMarks}}, Version{Mark: c.mark}
		a.warning(v150, forge.Page{Body: c.body}, &out)
		var got State
		if len(out.Surfaces) > 0 {
			got = out.Surfaces[0].State
		}
		if got != c.want || len(out.Surfaces) > 1 {
			t.Errorf("%s: %+v, want %q", name, out.Surfaces, c.want)
		}
	}
}
