package site

import (
	"bytes"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// checkSite holds every page to what all of them promise.
func checkSite(t *testing.T, dir string, versions int) {
	t.Helper()
	ids, links := map[string]map[string]bool{}, map[string][]string{}
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(p) != ".html" {
			return err
		}
		name, _ := filepath.Rel(dir, p)
		content, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		ids[name], links[name] = checkPage(t, name, content)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(ids) != versions+2 {
		t.Errorf("%d pages of %d versions", len(ids), versions)
	}
	for name, all := range links {
		for _, target := range all {
			u, err := url.Parse(target)
			if err != nil {
				t.Errorf("%s: link to %q: %v", name, target, err)
				continue
			}
			if u.IsAbs() {
				continue
			}
			to := path.Join(path.Dir(name), u.Path)
			if u.Path == "" {
				to = name
			}
			if _, err := os.Stat(filepath.Join(dir, to)); err != nil || strings.HasPrefix(to, "..") {
				t.Errorf("%s: link to %s, which is not there", name, target)
			}
			if to == "upgrade.html" && (strings.HasPrefix(u.Fragment, "to=") || strings.HasPrefix(u.Fragment, "from=")) {
				chosen, _ := url.ParseQuery(u.Fragment)
				for _, v := range slices.Concat(chosen["from"], chosen["to"]) {
					if ids["versions/"+v+".html"] == nil {
						t.Errorf("%s: link to %s, which is no version here", name, target)
					}
				}
			} else if u.Fragment != "" && !ids[to][u.Fragment] {
				t.Errorf("%s: link to %s, where nothing has this id", name, target)
			}
		}
	}
	for _, asset := range []string{"style.css", "picture.css", "script.js", "icon.svg", "feed.xml", "catalog.json", ".nojekyll"} {
		if _, err := os.Stat(filepath.Join(dir, asset)); err != nil {
			t.Error(err)
		}
	}
}

// checkPage gives a page's ids, and where it links to.
func checkPage(t *testing.T, name string, content []byte) (ids map[string]bool, links []string) {
	t.Helper()
	if len(content) >= 200_000 {
		t.Errorf("%s: it has %d bytes", name, len(content))
	}
	if strings.ContainsFunc(string(content), acts) {
		t.Errorf("%s: it holds characters that act", name)
	}
	doc, err := html.Parse(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	ids = map[string]bool{}
	seen := map[string]int{}
	attribute := func(n *html.Node, key string) string {
		for _, a := range n.Attr {
			if a.Key == key {
				return a.Val
			}
		}
		return ""
	}
	var csp string
	level := 0
	for n := range doc.Descendants() {
		if n.Type == html.TextNode && strings.ContainsFunc(n.Data, acts) {
			t.Errorf("%s: it says characters that act: %q", name, n.Data)
		}
		if n.Type != html.ElementNode {
			continue
		}
		if n.Data != "title" || n.Parent.Data == "head" { // those of a picture's parts are others
			seen[n.Data]++
		}
		for _, a := range n.Attr {
			switch {
			case a.Key == "id":
				if ids[a.Val] || a.Val == "" {
					t.Errorf("%s: the id %q comes twice, or is empty", name, a.Val)
				}
				ids[a.Val] = true
			case strings.HasPrefix(a.Key, "on"), a.Key == "style", a.Key == "srcdoc", a.Key == "srcset", a.Key == "action", a.Key == "formaction", a.Key == "background":
				t.Errorf("%s: <%s %s>", name, n.Data, a.Key)
			case a.Key == "src" && (n.Data != "script" || path.Base(a.Val) != "script.js"), a.Key == "href" && n.Data != "a" && n.Data != "link":
				t.Errorf("%s: <%s> loads %s", name, n.Data, a.Val)
			case a.Key == "href" || a.Key == "src" || strings.HasPrefix(a.Key, "data-back"):
				u, err := url.Parse(a.Val)
				if err != nil || u.IsAbs() && (n.Data != "a" || u.Scheme != "https" && u.Scheme != "http") || u.Host != "" && !u.IsAbs() {
					t.Errorf("%s: <%s> leads to %s (%v)", name, n.Data, a.Val, err)
				}
				links = append(links, a.Val)
			}
		}
		switch n.Data {
		case "meta":
			if attribute(n, "http-equiv") == "Content-Security-Policy" {
				csp = attribute(n, "content")
			}
		case "html":
			if attribute(n, "lang") != "en" {
				t.Errorf("%s: it has no language", name)
			}
		case "script":
			if n.FirstChild != nil || attribute(n, "src") == "" {
				t.Errorf("%s: it holds a script", name)
			}
		case "style", "iframe", "img", "object", "embed", "form", "base", "frame", "audio", "video", "math":
			t.Errorf("%s: it holds <%s>", name, n.Data)
		case "a":
			if strings.TrimSpace(textOf(n)) == "" {
				t.Errorf("%s: the link to %s has no text", name, attribute(n, "href"))
			}
		case "button":
			if attribute(n, "type") != "button" {
				t.Errorf("%s: a button is none", name)
			}
		case "select":
			if !strings.Contains(string(content), `for="`+attribute(n, "id")+`"`) {
				t.Errorf("%s: a choice has no label", name)
			}
		case "h1", "h2", "h3", "h4", "h5", "h6":
			if now := int(n.Data[1] - '0'); now > level+1 {
				t.Errorf("%s: %s %q comes behind one of level %d", name, n.Data, textOf(n), level)
			} else {
				level = now
			}
		}
	}
	if csp != "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'" {
		t.Errorf("%s: its policy is %q", name, csp)
	}
	if seen["h1"] != 1 || seen["title"] != 1 || seen["main"] != 1 {
		t.Errorf("%s: %d titles, %d first headings, %d main parts", name, seen["title"], seen["h1"], seen["main"])
	}
	return ids, links
}

// textOf is what a node says; blocks stand apart.
func textOf(n *html.Node) string {
	var b strings.Builder
	for c := range n.Descendants() {
		switch c.Data {
		case "p", "li", "dt", "dd", "th", "td", "h1", "h2", "h3", "section", "code":
			b.WriteByte(' ')
		}
		if c.Type == html.TextNode {
			b.WriteString(c.Data)
		}
	}
	return b.String()
}

// read is a page as text in one line, without its marks.
func read(t *testing.T, dir, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := html.Parse(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(strings.Fields(textOf(doc)), " ")
}
