package site

import (
	"encoding/xml"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/operator-release/operator-release/ci/catalog"
	"github.com/operator-release/operator-release/ci/journal"
)

func TestFeed(t *testing.T) {
	parsed := func(c catalog.Catalog) atom {
		t.Helper()
		content, err := os.ReadFile(filepath.Join(made(t, c), "feed.xml"))
		if err != nil {
			t.Fatal(err)
		}
		var f atom
		if err := xml.Unmarshal(content, &f); err != nil {
			t.Fatal(err)
		}
		for _, e := range f.Entries {
			checkHarmless(t, e.Content.Text)
			for _, at := range []string{e.Updated, f.Updated} {
				if _, err := time.Parse(time.RFC3339, at); err != nil {
					t.Error(err)
				}
			}
		}
		return f
	}
	c := small()
	with := parsed(c)
	c.Site = ""
	without := parsed(c)
	if len(with.Entries) != 16 || with.ID != without.ID || with.Links[0].Href != "https://example.github.io/pi-operator/index.html" || without.Links[0].Href != "index.html" {
		t.Errorf("%+v\n%+v", with, without)
	}
	ids := map[string]bool{}
	for i, e := range with.Entries {
		ids[e.ID] = true
		if other := without.Entries[i]; other.ID != e.ID || e.Link.Href != "https://example.github.io/pi-operator/"+other.Link.Href {
			t.Errorf("%+v is not %+v", e, other)
		}
		if i > 0 && e.Updated > with.Entries[i-1].Updated {
			t.Errorf("%s is newer than what stands above it", e.Title)
		}
	}
	if len(ids) != 16 {
		t.Errorf("%d ids", len(ids))
	}
	at := slices.IndexFunc(with.Entries, func(e atomEntry) bool { return strings.Contains(e.Title, "v1.2.1") })
	want := atomEntry{Title: "pi-operator v1.2.1 is withdrawn", ID: with.Entries[at].ID, Updated: "2023-12-05T09:30:00Z", Published: "2023-12-04T09:30:00Z", Categories: []atomCategory{{"patch"}, {"withdrawn"}},
		Link: atomLink{"alternate", "text/html", "https://example.github.io/pi-operator/versions/v1.2.1.html"}, Content: with.Entries[at].Content}
	if got := with.Entries[at]; !reflect.DeepEqual(got, want) || !strings.HasPrefix(got.Content.Text, "<p><strong>v1.2.1 is withdrawn: it logs every request, with its authorization header</strong></p>\n<p>Changes since") {
		t.Errorf("%+v\nnot\n%+v", got, want)
	}
	if last := with.Entries[15]; last.Title != "pi-operator v2.0.0-rc.0" || last.Updated != "1970-01-01T00:00:00Z" {
		t.Errorf("of which no time is known: %+v", last)
	}
	parsed(poisoned(small()))
	c.Versions[0].Mark = &journal.Mark{State: journal.Withdrawn, Because: strings.Repeat("it crashes, ", 1000)}
	for _, e := range parsed(c).Entries {
		if len(e.Content.Text) > 2*maxEntry {
			t.Errorf("%s has %d bytes", e.Title, len(e.Content.Text))
		}
	}
	if many := parsed(sample(3, 20)); len(many.Entries) != 50 {
		t.Errorf("%d entries", len(many.Entries))
	}
}
