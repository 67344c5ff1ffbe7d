package site

import (
	"crypto/sha256"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/operator-release/operator-release/ci/catalog"
)

// maxEntries bounds a feed, and maxEntry the HTML of one entry, in bytes.
const maxEntries, maxEntry = 50, 2500

// atom is a feed by RFC 4287.
type atom struct {
	XMLName xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
	Title   string      `xml:"title"`
	ID      string      `xml:"id"`
	Updated string      `xml:"updated"`
	Author  string      `xml:"author>name"`
	Links   []atomLink  `xml:"link"`
	Entries []atomEntry `xml:"entry"`
}

type atomLink struct {
	Rel  string `xml:"rel,attr"`
	Type string `xml:"type,attr"`
	Href string `xml:"href,attr"`
}

type atomEntry struct {
	Title      string         `xml:"title"`
	ID         string         `xml:"id"`
	Updated    string         `xml:"updated"`
	Published  string         `xml:"published,omitempty"`
	Categories []atomCategory `xml:"category"`
	Link       atomLink       `xml:"link"`
	Content    atomContent    `xml:"content"`
}

type atomCategory struct {
	Term string `xml:"term,attr"`
}

type atomContent struct {
	Type string `xml:"type,attr"`
	Text string `xml:",chardata"`
}

// feed is the newest versions, and those that were marked last: a patch of an old line is as new as any. Its ids depend on nothing that changes while a version stays the same: neither on the address of the site nor on marks.
func (s *site) feed() ([]byte, error) {
	f := atom{Title: Visible(s.Name) + ": versions", ID: s.id("feed"), Author: Visible(s.Name), Links: []atomLink{{"alternate", "text/html", s.Site + "index.html"}}}
	if s.Site != "" {
		f.Links = append(f.Links, atomLink{"self", "application/atom+xml", s.Site + "feed.xml"})
	}
	versions := slices.Clone(s.Versions)
	slices.SortStableFunc(versions, func(a, b catalog.Version) int { return latest(b).Compare(latest(a)) })
	updated := s.Updated
	for _, v := range first(versions, maxEntries) {
		f.Entries = append(f.Entries, s.entry(v))
	}
	if len(versions) > 0 && latest(versions[0]).After(updated) {
		updated = latest(versions[0])
	}
	f.Updated = instant(updated)
	content, err := xml.MarshalIndent(f, "", " ")
	return append([]byte(xml.Header), append(content, '\n')...), err
}

func (s *site) entry(v catalog.Version) atomEntry {
	e := atomEntry{Title: Visible(s.Name) + " " + v.Version.String(), ID: s.id("version", v.Version.String(), v.Commit), Updated: instant(latest(v)), Categories: []atomCategory{{Visible(string(v.Kind))}},
		Link: atomLink{"alternate", "text/html", s.Site + pageOf(v.Version)}, Content: atomContent{Type: "html"}}
	if !v.Time.IsZero() {
		e.Published = instant(v.Time)
	}
	var b strings.Builder
	if !v.Good() {
		is := string(v.Mark.State)
		e.Title += " is " + Visible(is)
		e.Categories = append(e.Categories, atomCategory{Visible(is)})
		fmt.Fprintf(&b, "<p><strong>%s is %s: %s</strong></p>\n", v.Version, escape(is), escape(short(v.Mark.Because, roomy.Words)))
	}
	notes := prose(unwarned(v, v.Notes), v.Version.String(), maxEntry, false)
	b.WriteString(string(notes.HTML))
	if notes.Cut {
		b.WriteString("<p>The rest is on the version's page.</p>\n")
	}
	e.Content.Text = b.String()
	return e
}

// instant is a time as RFC 3339 writes it; Atom wants one where none is known, too.
func instant(t time.Time) string {
	if t.IsZero() {
		t = time.Unix(0, 0)
	}
	return t.UTC().Format(time.RFC3339)
}

// id is a name that nothing else has (RFC 9562, version 8), made of the project's name and of what it names.
func (s *site) id(of ...string) string {
	sum := sha256.Sum256([]byte("operator-release/catalog\x00" + s.Name + "\x00" + strings.Join(of, "\x00")))
	sum[6], sum[8] = sum[6]&0x0f|0x80, sum[8]&0x3f|0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}
