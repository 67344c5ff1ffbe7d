package site

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/sourcegraph/conc/pool"

	"github.com/operator-release/operator-release/ci/catalog"
	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/markdown"
	"github.com/operator-release/operator-release/ci/version"
)

//go:embed pages/*.html style.css picture.css script.js icon.svg
var embedded embed.FS

// assets are the files that are the same for every catalog.
var assets = []string{"style.css", "picture.css", "script.js", "icon.svg"}

var pages = template.Must(template.New("").Funcs(template.FuncMap{
	"size": size, "counted": counted, "link": link, "anchor": anchor, "address": func(s string) string { a, _ := address(s); return a },
	"join": strings.Join, "who": who, "sum": func(digest any) string { return strings.TrimPrefix(fmt.Sprint(digest), "sha256:") }, "commit": func(id string) string { return id[:min(12, len(id))] },
}).ParseFS(embedded, "pages/*.html"))

// maxPage is as large as a page may be, in bytes. What a catalog says of its versions is cut until it fits; which versions there are is said in any case.
const maxPage = 190_000

// Write makes the site of a catalog in dir, a folder that exists: index.html, upgrade.html, versions/VERSION.html for each version, feed.xml, catalog.json, and what these need.
// Other files there stay. A catalog that names a version twice, or none in its place, is an error, and so is a file that cannot be written.
func Write(dir string, c catalog.Catalog) error {
	s, err := newSite(c)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(dir, "versions"), 0o755); err != nil {
		return fmt.Errorf("make the site's folder: %w", err)
	}
	all := pool.New().WithErrors().WithFirstError().WithMaxGoroutines(runtime.GOMAXPROCS(0))
	add := func(name string, content func() ([]byte, error)) {
		all.Go(func() error {
			made, err := content()
			if err != nil {
				return fmt.Errorf("make %s of the site: %w", name, err)
			}
			return put(filepath.Join(dir, filepath.FromSlash(name)), made)
		})
	}
	add("index.html", s.index)
	add("upgrade.html", s.upgrade)
	add("feed.xml", s.feed)
	add(catalog.JSONFile, func() ([]byte, error) {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		err := e.Encode(c)
		return b.Bytes(), err
	})
	add(".nojekyll", func() ([]byte, error) { return nil, nil }) // GitHub Pages shows the files as they are
	for _, name := range assets {
		add(name, func() ([]byte, error) { return embedded.ReadFile(name) })
	}
	for i, v := range c.Versions {
		add(pageOf(v.Version), func() ([]byte, error) { return s.version(i) })
	}
	return all.Wait()
}

// put writes a file, which appears whole.
func put(path string, content []byte) error {
	half := path + ".new"
	if err := os.WriteFile(half, content, 0o644); err != nil {
		return err
	}
	return os.Rename(half, path)
}

// site is a catalog with what several pages need to know of it.
type site struct {
	catalog.Catalog
	at    map[version.Version]int // in Versions
	lines []catalog.Line          // those of the catalog, and those that only versions name
	home  string                  // of the source, where its addresses are like GitHub's
	slug  string
	guide []func() document // of Versions, rendered once
}

func newSite(c catalog.Catalog) (*site, error) {
	s := &site{Catalog: c, at: map[version.Version]int{}, lines: append([]catalog.Line(nil), c.Lines...), home: home(c.URL), slug: slug(c.Name)}
	named := map[string]bool{}
	for _, l := range s.lines {
		named[l.Name] = true
	}
	for i, v := range c.Versions {
		if _, twice := s.at[v.Version]; twice || v.Version.IsZero() {
			return nil, fmt.Errorf("make the site of %s: entry %d of its versions is %q, which is no version or comes twice", c.Name, i+1, v.Version)
		}
		s.at[v.Version] = i
		s.guide = append(s.guide, sync.OnceValue(func() document { return prose(unwarned(v, v.Guide), v.Version.String(), roomy.Text, true) }))
		if !named[v.Line] {
			named[v.Line] = true
			s.lines = append(s.lines, catalog.Line{Name: v.Line})
		}
	}
	return s, nil
}

// page is what every page is made of.
type page struct {
	*site
	Title string
	Here  string // which page it is
	Root  string // the way to the site's folder
}

// bounds are how much of a catalog a page shows.
type bounds struct {
	Text  int // bytes of HTML of one text
	Rows  int // of one table
	Words int // characters of one remark; names, digests and addresses are no remarks
}

// roomy are the bounds of nearly every page.
var roomy = bounds{Text: 64_000, Rows: 200, Words: 600}

// fitting makes a page by the template of that name that is no larger than maxPage: with ever tighter bounds.
func fitting(name string, data func(bounds) any) ([]byte, error) {
	for b := roomy; ; b = (bounds{b.Text / 2, b.Rows / 2, max(b.Words/2, 100)}) {
		var out bytes.Buffer
		if err := pages.ExecuteTemplate(&out, name, data(b)); err != nil {
			return nil, err
		}
		shown := Visible(out.String())
		if len(shown) <= maxPage || b.Rows <= 3 {
			return []byte(shown), nil
		}
	}
}

// within is a value with no more of it than the bounds allow: lists of so many rows, texts of so many characters.
func within[T any](b bounds, of T) T {
	v := reflect.New(reflect.TypeFor[T]()).Elem()
	v.Set(reflect.ValueOf(of))
	b.cut(v)
	return v.Interface().(T)
}

func (b bounds) cut(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		most := b.Words
		if !strings.ContainsAny(v.String(), " \t\n") { // half an address leads elsewhere, and half a name is another one
			most = roomy.Words
		}
		v.SetString(short(v.String(), most))
	case reflect.Slice:
		all := reflect.MakeSlice(v.Type(), min(v.Len(), b.Rows), min(v.Len(), b.Rows))
		reflect.Copy(all, v)
		for i := range all.Len() {
			b.cut(all.Index(i))
		}
		if !v.IsNil() {
			v.Set(all)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			copied := reflect.New(v.Type().Elem())
			copied.Elem().Set(v.Elem())
			b.cut(copied.Elem())
			v.Set(copied)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				b.cut(v.Field(i))
			}
		}
	}
}

// pageOf is where a version's page is.
func pageOf(v version.Version) string { return "versions/" + v.String() + ".html" }

// state is what a version is marked as.
func state(v catalog.Version) journal.State {
	if v.Good() {
		return journal.Good
	}
	return v.Mark.State
}

// shownState is a state in words, and its name for the style.
type shownState struct {
	Word, Class string
}

func stateOf(v catalog.Version) shownState {
	switch s := state(v); s {
	case journal.Good:
		return shownState{string(s), "good"}
	case journal.RolledBack:
		return shownState{string(s), "rolled-back"}
	default:
		return shownState{string(s), "withdrawn"}
	}
}

// unwarned is a text of a bad version without the warning that markdown.Warn put before it: pages say it themselves.
func unwarned(v catalog.Version, text string) string {
	if v.Good() {
		return text
	}
	return markdown.Warn(text, "")
}

// canRun tells whether one may run a version: it is final, and not marked as bad.
func canRun(v catalog.Version) bool {
	_, candidate := v.Version.Candidate()
	return !candidate && v.Good()
}

// newest is the newest version that one may run among those that belong; nil where there is none.
func (s *site) newest(belongs func(catalog.Version) bool) *catalog.Version {
	var found *catalog.Version
	for i := range s.Versions {
		if v := &s.Versions[i]; canRun(*v) && belongs(*v) && (found == nil || v.Version.Compare(found.Version) > 0) {
			found = v
		}
	}
	return found
}

// ofLine are the versions of a line, in the catalog's order.
func (s *site) ofLine(name string) []catalog.Version {
	var all []catalog.Version
	for _, v := range s.Versions {
		if v.Line == name {
			all = append(all, v)
		}
	}
	return all
}

// latest is when anything of a version was last said: its own time, or that of its mark.
func latest(v catalog.Version) time.Time {
	if v.Mark != nil && v.Mark.Time.After(v.Time) {
		return v.Mark.Time
	}
	return v.Time
}

// audited is what an audit found of a version, in words.
type audited struct {
	Word, Class string
}

func auditOf(v catalog.Version) audited {
	n := map[catalog.State]int{}
	for _, f := range v.Findings {
		n[f.State]++
	}
	var parts []string
	add := func(state catalog.State, word string) {
		if n[state] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n[state], word))
		}
	}
	add(catalog.Differs, "differ")
	add(catalog.Missing, "missing")
	class := "untold"
	if len(parts) > 0 {
		class = "differs"
	} else if v.Agree > 0 {
		class = "agrees"
	}
	if v.Agree > 0 {
		parts = append(parts, fmt.Sprintf("%d agree", v.Agree))
	}
	add(catalog.Unseen, "not checked")
	if len(parts) == 0 {
		return audited{"not audited", class}
	}
	return audited{strings.Join(parts, ", "), class}
}

// SourceOf is where a commit is shown; empty where that is not known.
func (s *site) SourceOf(commit string) string {
	if s.home == "" || commit == "" {
		return ""
	}
	return s.home + "/commit/" + url.PathEscape(commit)
}

// link is an address that somebody else named, with its text.
func link(target, text string) template.HTML {
	shown := "<bdi>" + template.HTMLEscapeString(text) + "</bdi>"
	if target, ok := address(target); ok {
		shown = `<a href="` + template.HTMLEscapeString(target) + `" rel="noopener nofollow">` + shown + "</a>"
	}
	return template.HTML(shown)
}
