package site

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/operator-release/operator-release/ci/catalog"
)

// TestShowPictures writes pages to look at, where PICTURE_TO names a folder.
func TestShowPictures(t *testing.T) {
	dir := os.Getenv("PICTURE_TO")
	if dir == "" {
		t.Skip("PICTURE_TO names no folder to write pages to")
	}
	page := `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>%s</title>
<link rel="stylesheet" href="page.css"><link rel="stylesheet" href="picture.css"></head><body><main><h1>%[1]s</h1>%s</main></body></html>`
	files := map[string]string{
		"picture.css": pictureStyle(t),
		"page.css":    `:root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;margin:0 auto;max-width:72rem;padding:0 1rem;background:#fdfdfc;color:#1b1f24}@media(prefers-color-scheme:dark){body{background:#15171a;color:#e8eaed}}`,
	}
	for name, c := range samples() {
		files[name+".html"] = fmt.Sprintf(page, name, Picture(c))
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOrigins(t *testing.T) {
	s := newScale([]time.Time{at(1, 1, 0, 0, 0), at(1, 31, 0, 0, 0)}, nil, 0, 300, 0)
	var picks []catalog.Pick
	for _, d := range []int{20, 1, 2, 3, 21} {
		picks = append(picks, catalog.Pick{Made: at(1, d, 0, 0, 0)})
	}
	picks = append(picks, catalog.Pick{}) // made at a time that nobody knows
	for near, want := range map[float64][]float64{5: {0, 10, 20, 190, 200}, 15: {0, 20, 190}, 1000: {0}} {
		if got := origins(picks, s, near); !slices.EqualFunc(got, want, func(a, b float64) bool { return math.Abs(a-b) < 1e-6 }) {
			t.Errorf("with those nearer than %v as one they come from %v, want %v", near, got, want)
		}
	}
}

// A box is where something is drawn.
type box struct {
	what           string
	x0, y0, x1, y1 float64
}

func (b box) overlaps(o box) bool {
	return b.x0 < o.x1 && o.x0 < b.x1 && b.y0 < o.y1 && o.y0 < b.y1
}

// boxes are those of all texts of a drawing.
func boxes(d drawing) (texts []box) {
	sign := func(h head) {
		texts = append(texts, box{"head " + h.Text, float64(h.X), float64(h.Y) - 12, float64(h.X) + h.wide, float64(h.Y) + 12})
	}
	sign(d.Development)
	for _, l := range d.Lanes {
		sign(l.Head)
		for _, m := range l.Marks {
			if m.Name != "" {
				x, y := float64(m.X+m.NameX), float64(l.Y+m.NameY)
				texts = append(texts, box{"name of " + m.Version, x - m.nameWide/2, y - 11, x + m.nameWide/2, y + 3})
			}
		}
	}
	for _, k := range d.Ticks {
		for _, row := range []struct {
			text string
			y    px
		}{{k.Text, d.TickY()}, {k.Within, d.WithinY()}} {
			if row.text != "" {
				w := textWidth(row.text, 11, row.text == k.Within) / 2
				texts = append(texts, box{"tick " + row.text, float64(k.X) - w, float64(row.y) - 9, float64(k.X) + w, float64(row.y) + 3})
			}
		}
	}
	for _, p := range d.Breaks {
		w := textWidth(p.Text, 11, false) / 2
		texts = append(texts, box{"break " + p.Text, float64(p.Middle) - w, 2, float64(p.Middle) + w, 16})
	}
	return texts
}

// TestPictureIsReadable: whatever the catalog, no text stands on another one, versions stand apart and in their order, and all is within the picture.
func TestPictureIsReadable(t *testing.T) {
	all := samples()
	for chance := range uint64(30) {
		c := long(1+int(chance)%10, 1+int(chance*7)%23, 0.001*math.Pow(3, float64(chance%9)), chance)
		r := rand.New(rand.NewPCG(chance, 2))
		for i := range c.Versions {
			switch other := c.Versions[r.IntN(len(c.Versions))].Time; r.IntN(12) {
			case 0:
				c.Versions[i].Time = time.Time{}
			case 1:
				c.Versions[i].Time = other // perhaps before its line forked
			}
		}
		for i := range c.Lines {
			if r.IntN(4) == 0 {
				c.Lines[i].Forked = time.Time{}
			}
		}
		all[fmt.Sprintf("chance %d", chance)] = c
	}
	for name, c := range all {
		t.Run(name, func(t *testing.T) {
			d := draw(c)
			times := map[string]time.Time{}
			for _, v := range c.Versions {
				times[v.Version.String()] = v.Time
			}
			drawn := 0
			for _, l := range d.Lanes {
				for i, m := range l.Marks {
					drawn++
					if r := float64(max(m.Radius, m.Ring)); float64(m.X)-r < 0 || float64(m.X)+r > float64(l.Head.X) {
						t.Errorf("%s is at %v, which is not before the head of its line at %v", m.Version, m.X, l.Head.X)
					}
					if i == 0 {
						continue
					}
					before := l.Marks[i-1]
					if apart := float64(m.X - before.X); apart < markApart-0.1 {
						t.Errorf("%s and %s are %v from each other", before.Version, m.Version, apart)
					}
					if times[m.Version].Before(times[before.Version]) {
						t.Errorf("%s is before %s, which is older", before.Version, m.Version)
					}
				}
			}
			if drawn+len(d.Untimed) != len(c.Versions) {
				t.Errorf("of %d versions %d are drawn and %d are not", len(c.Versions), drawn, len(d.Untimed))
			}
			if len(d.Lanes) == 0 {
				return // a sentence
			}
			for _, l := range d.Lanes {
				for _, m := range l.Marks {
					if m.Ring > 0 && m.Name == "" {
						t.Errorf("%s, the newest of its line, has no name", m.Version)
					}
				}
			}
			texts := boxes(d)
			for i, a := range texts {
				if a.x0 < 0 || a.y0 < 0 || a.x1 > float64(d.Width) || a.y1 > float64(d.Height) {
					t.Errorf("%v is not within %v x %v", a, d.Width, d.Height)
				}
				for _, b := range texts[:i] {
					if a.overlaps(b) {
						t.Errorf("%v is on %v", a, b)
					}
				}
			}
			for i, k := range d.Ticks {
				if i > 0 && k.X <= d.Ticks[i-1].X {
					t.Errorf("tick %v comes after %v", k, d.Ticks[i-1])
				}
			}
		})
	}
}

// TestPictureMarkup: it is well-formed, its ids are its own, no style is in it, and it is the same each time and small.
func TestPictureMarkup(t *testing.T) {
	for name, c := range samples() {
		t.Run(name, func(t *testing.T) {
			markup := string(Picture(c))
			if markup != string(Picture(c)) {
				t.Error("the same catalog gives two pictures")
			}
			if len(markup) > 80_000 {
				t.Errorf("it has %d bytes", len(markup))
			}
			ids, links := map[string]bool{}, 0
			decoder := xml.NewDecoder(strings.NewReader(markup))
			for {
				token, err := decoder.Token()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatalf("%v in\n%s", err, markup)
				}
				element, ok := token.(xml.StartElement)
				if !ok {
					continue
				}
				if slices.Contains([]string{"style", "script", "b"}, element.Name.Local) {
					t.Errorf("there is an element %s", element.Name.Local)
				}
				for _, a := range element.Attr {
					switch {
					case a.Name.Local == "style" || strings.HasPrefix(a.Name.Local, "on"):
						t.Errorf("%s has an attribute %s", element.Name.Local, a.Name.Local)
					case a.Name.Local == "id":
						if ids[a.Value] || !strings.HasPrefix(a.Value, "picture-") {
							t.Errorf("id %q is there twice, or may be another's", a.Value)
						}
						ids[a.Value] = true
					case a.Name.Local == "href":
						links++
						if !regexp.MustCompile(`^versions/v[0-9.]+(-rc\.[0-9]+)?\.html$`).MatchString(a.Value) {
							t.Errorf("a link leads to %q", a.Value)
						}
					}
					if strings.Contains(a.Value, "NaN") || strings.Contains(a.Value, "Inf") || strings.Contains(a.Value, "%!") {
						t.Errorf("%s is %q", a.Name.Local, a.Value)
					}
				}
			}
			if links != len(c.Versions) {
				t.Errorf("%d links for %d versions", links, len(c.Versions))
			}
		})
	}
}

func TestPictureSays(t *testing.T) {
	withUnknown := hours()
	withUnknown.Versions = append(withUnknown.Versions, published("1.4", "v1.4.9", time.Time{}))
	for name, test := range map[string]struct {
		of   catalog.Catalog
		want []string
		not  []string
	}{
		"names, within hours": {hours(), []string{
			`<a class="pic-patch pic-bad" href="versions/v1.5.1.html"`, `<title>v1.5.1, patch, 3 May 2026 13:30:00 UTC, withdrawn, 1 backport</title>`,
			`<title>v1.4.1, patch, 3 May 2026 10:30:00 UTC, rolled back</title>`, `<title>v1.5.0-rc.0, candidate, 3 May 2026 11:45:00 UTC</title>`, `>rc.0</text>`,
			`<title>v1.5.2, patch, 3 May 2026 15:00:00 UTC, newest of line 1.5, 2 backports</title>`, `aria-label="Line 1.5, release-1.5, supported"`,
			"2 release lines with 9 versions, 3 May 2026, 2 of them withdrawn or rolled back.", "Times are UTC.",
		}, []string{"no longer supported", "axis is broken", "Not drawn"}},
		"names, within years": {spark(), []string{
			`<title>v2.0.0, final, 23 September 2024</title>`, `<title>v2.5.1, patch, 14 June 2026, withdrawn, 3 backports</title>`, "no longer supported", ", 3 July 2024 to 31 July 2026, 1 of them",
		}, []string{"UTC"}},
		"what is not drawn":  {withUnknown, []string{`Not drawn, because their time is not known: <a href="versions/v1.4.9.html">v1.4.9</a>.`}, nil},
		"breaks":             {samples()["apart"], []string{"axis is broken", "≈ 3 months"}, nil},
		"what is not plain":  {samples()["odd"], []string{"trunk/⟨U&#43;202E⟩&lt;b&gt;&amp;&#34;very-long-name", "trunk/⟨U&#43;202E⟩", "v1-⟨U&#43;001B⟩[31m&lt;script&gt;", "no time is known of them: line 0."}, []string{"\u202e", "\x1b"}},
		"nothing":            {catalog.Catalog{}, []string{"There is no version yet whose time is known."}, []string{"<svg", "Line"}},
		"a line without any": {samples()["fresh"], []string{`aria-label="Line 1.1, supported"`}, nil},
		"few of many curves": {long(10, 20, 5, 3), []string{"supported lines only"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			markup := string(Picture(test.of))
			for _, want := range test.want {
				if !strings.Contains(markup, want) {
					t.Errorf("it has no %s", want)
				}
			}
			for _, not := range test.not {
				if strings.Contains(markup, not) {
					t.Errorf("it has %q", not)
				}
			}
		})
	}
}

// TestPictureContrast: WCAG 2.2 asks for 4.5:1 where colours are those of text, for 3:1 where they are those of shapes.
func TestPictureContrast(t *testing.T) {
	luminance := func(colour string) float64 {
		sum := 0.0
		for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
			n, err := strconv.ParseUint(colour[1+2*i:3+2*i], 16, 8)
			if err != nil {
				t.Fatal(err)
			}
			v := float64(n) / 255
			if v <= 0.04045 {
				v /= 12.92
			} else {
				v = math.Pow((v+0.055)/1.055, 2.4)
			}
			sum += weight * v
		}
		return sum
	}
	found := regexp.MustCompile(`--pic-([a-z0-9]+): (#[0-9a-f]{6});`).FindAllStringSubmatch(pictureStyle(t), -1)
	background, checked := 0.0, 0
	for _, f := range found {
		l := luminance(f[2])
		if f[1] == "background" {
			background = l
		}
		contrast := (max(l, background) + 0.05) / (min(l, background) + 0.05)
		least := map[string]float64{"background": 0, "faint": 0, "ended": 3}
		want, ok := least[f[1]]
		if !ok {
			want = 4.5
		}
		if checked++; contrast < want {
			t.Errorf("--pic-%s: %s has a contrast of %.2f, want %v", f[1], f[2], contrast, want)
		}
	}
	if checked != 22 {
		t.Errorf("checked %d colours, want 11 light and 11 dark ones", checked)
	}
}

// pictureStyle is the picture's style sheet.
func pictureStyle(t *testing.T) string {
	t.Helper()
	content, err := embedded.ReadFile("picture.css")
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
