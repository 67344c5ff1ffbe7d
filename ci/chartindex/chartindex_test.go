package chartindex

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/version"
)

var at = time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC)

func entry(version, content string) Entry {
	return Entry{Metadata: []byte("apiVersion: v2\nname: spark\nversion: " + version + "\nappVersion: v" + version + "\n"),
		Created: at, Digest: digest.FromString(content), URL: "https://example.com/spark-" + version + ".tgz"}
}

func text(t *testing.T, x *Index) string {
	t.Helper()
	content, err := x.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestAnEmptyIndexTakesAChart(t *testing.T) {
	x, err := Parse(nil)
	if err != nil {
		t.Fatal(err)
	}
	if changed, err := x.Add(entry("1.5.0", "a")); err != nil || !changed {
		t.Fatal(changed, err)
	}
	want := `apiVersion: v1
entries:
  spark:
  - apiVersion: v2
    name: spark
    version: 1.5.0
    appVersion: v1.5.0
    created: "2026-10-01T12:00:00Z"
    digest: ` + digest.FromString("a").Encoded() + `
    urls:
    - https://example.com/spark-1.5.0.tgz
generated: "2026-10-01T12:00:00Z"
`
	if got := text(t, x); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// before is an index as Helm writes it.
const before = `apiVersion: v1
entries:
  other:
  - version: 0.1.0
    urls:
    - other.tgz
  spark:
  - apiVersion: v2
    appVersion: 1.6.0
    created: "2026-07-31T17:28:17.278748523Z"
    description: 'A chart: of Spark'
    digest: 1bb6f4389594bd718875ec860ac30ffab0829166c90f43f5debf66808e3101c4
    name: spark
    urls:
    - https://example.com/spark-1.6.0.tgz
    version: 1.6.0
  - name: spark
    version: 1.4.0
generated: "2026-11-30T00:00:00Z"
`

func TestWhatIsThereStays(t *testing.T) {
	x, err := Parse([]byte(before))
	if err != nil {
		t.Fatal(err)
	}
	if got := text(t, x); got != before {
		t.Errorf("untouched it is\n%s", got)
	}
	for _, v := range []string{"1.5.0", "1.5.1-rc.0", "1.7.0"} {
		if changed, err := x.Add(entry(v, v)); err != nil || !changed {
			t.Fatal(v, changed, err)
		}
	}
	var order []string
	for line := range strings.Lines(text(t, x)) {
		if v, ok := strings.CutPrefix(strings.TrimLeft(line, " -"), "version: "); ok {
			order = append(order, strings.TrimSpace(v))
		}
	}
	if got := strings.Join(order, " "); got != "0.1.0 1.7.0 1.6.0 1.5.1-rc.0 1.5.0 1.4.0" {
		t.Errorf("the order is %s", got)
	}
	if !strings.Contains(text(t, x), `generated: "2026-11-30T00:00:00Z"`) {
		t.Errorf("it was generated later than that: %s", text(t, x))
	}
	again := text(t, x)
	if changed, err := x.Add(entry("1.5.0", "1.5.0")); err != nil || changed || text(t, x) != again {
		t.Errorf("again: %v, %v", changed, err)
	}
	if _, err := x.Add(entry("1.6.0", "other")); !refusal.Is(err) || !strings.Contains(err.Error(), "1bb6f4389594") || !strings.Contains(err.Error(), digest.FromString("other").Encoded()) {
		t.Errorf("other content: %v", err)
	}
}

// TestCreated: an entry is not created before that of the version before it on its line, and keeps its own time else.
func TestCreated(t *testing.T) {
	const listed = "entries:\n  spark:\n  - {version: 1.6.0, created: 2026-12-24T00:00:00Z}\n" +
		"  - {version: 1.5.1, created: \"2026-11-30T10:11:12.5+01:00\"}\n  - {version: 1.5.0}\n  - {version: 1.4.0, created: nonsense}\n"
	line := func(v version.Version) string { return fmt.Sprintf("%d.%d", v.Major(), v.Minor()) }
	for chart, want := range map[string]string{
		"1.5.2":      "2026-11-30T09:11:13Z", // the version before was created later, by hand or by another tool
		"1.5.2-rc.0": "2026-11-30T09:11:13Z",
		"1.7.0":      "2026-10-01T12:00:00Z", // on a line of its own
		"1.4.1":      "2026-10-01T12:00:00Z",
		"1.3.0":      "2026-10-01T12:00:00Z",
	} {
		x, err := Parse([]byte(listed))
		if err != nil {
			t.Fatal(err)
		}
		e := Entry{Metadata: []byte("name: spark\nversion: " + chart + "\n"), Created: time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC),
			Digest: digest.FromString(chart), URL: "x.tgz", Line: line}
		if _, err := x.Add(e); err != nil || !strings.Contains(text(t, x), "created: \""+want+"\"") {
			t.Errorf("%s: %v: want %s in\n%s", chart, err, want, text(t, x))
		}
	}
}

func TestDeprecated(t *testing.T) {
	for version, shown := range map[string]string{
		"1.4.0": "description: WITHDRAWN, do not use.\n",
		"1.6.0": "description: 'WITHDRAWN, do not use. A chart: of Spark'\n",
	} {
		content := before
		for i, c := range []struct{ is, changed bool }{{false, false}, {true, true}, {true, false}, {false, true}, {false, false}} {
			x, err := Parse([]byte(content))
			if err != nil {
				t.Fatal(err)
			}
			changed, err := x.Deprecate("spark", version, c.is)
			content = text(t, x)
			if err != nil || changed != c.changed || strings.Contains(content, "deprecated: true") != c.is || strings.Contains(content, shown) != c.is {
				t.Errorf("%s, %d: %v, %v\n%s", version, i, changed, err, content)
			}
		}
		if content != before {
			t.Errorf("%s: taken back it is\n%s", version, content)
		}
	}
	x, err := Parse([]byte(strings.Replace(before, "    version: 1.6.0\n", "    version: 1.6.0\n    deprecated: true\n", 1)))
	if err != nil {
		t.Fatal(err)
	}
	if changed, err := x.Deprecate("spark", "1.6.0", true); err != nil || !changed || !strings.Contains(text(t, x), DoNotUse) {
		t.Errorf("deprecated, and not described so: %v, %v\n%s", changed, err, text(t, x))
	}
	if _, err := x.Deprecate("spark", "9.9.9", true); !refusal.Is(err) {
		t.Errorf("a version that is not there: %v", err)
	}
}

func TestRemoved(t *testing.T) {
	x, err := Parse([]byte(before))
	if err != nil {
		t.Fatal(err)
	}
	if x.Remove("spark", "9.9.9") || x.Remove("other", "1.4.0") || text(t, x) != before {
		t.Errorf("what is not there was removed: %s", text(t, x))
	}
	if !x.Remove("spark", "1.6.0") || x.Remove("spark", "1.6.0") || strings.Contains(text(t, x), "version: 1.6.0") {
		t.Errorf("it is still there: %s", text(t, x))
	}
	from, err := Parse([]byte(before))
	if err != nil {
		t.Fatal(err)
	}
	const pkg = digest.Digest("sha256:1bb6f4389594bd718875ec860ac30ffab0829166c90f43f5debf66808e3101c4")
	for i, taken := range []bool{false, true, false} {
		if x.Take(from, "spark", "1.6.0", []digest.Digest{digest.FromString("other"), pkg, pkg}[i]) != taken {
			t.Errorf("%d: taken is not %v", i, taken)
		}
	}
	if text(t, x) != before || x.Take(from, "spark", "1.4.0", pkg) {
		t.Errorf("taken again it is\n%s", text(t, x))
	}
	if _, err := x.Add(entry("1.7.0", "1.7.0")); err != nil || !x.Remove("spark", "1.7.0") {
		t.Errorf("%v: %s", err, text(t, x))
	}
}

// TestList: whatever an index says is listed as far as it can be told, and an entry leads where it was told to.
func TestList(t *testing.T) {
	x, err := Parse([]byte("entries:\n  other: none\n  spark:\n  - version: 1.1.0\n    digest: sha256:" + digest.FromString("a").Encoded() + "\n    urls: [old.tgz, older.tgz]\n  - version: 1.0.0\n    digest: short\n    urls: none\n  - text\n"))
	if err != nil {
		t.Fatal(err)
	}
	if !x.Lead("spark", "1.1.0", "new.tgz") || x.Lead("spark", "2.0.0", "new.tgz") || x.Lead("other", "1.1.0", "new.tgz") {
		t.Error("only what is listed leads somewhere")
	}
	want := []Listed{{Chart: "spark", Version: "1.1.0", Digest: digest.FromString("a"), URLs: []string{"new.tgz"}}, {Chart: "spark", Version: "1.0.0"}, {Chart: "spark"}}
	var got []Listed
	x.Keep(func(l Listed) bool {
		got = append(got, l)
		return true
	})
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, not %+v", got, want)
	}
}

func TestWhatIsNoIndexIsRefused(t *testing.T) {
	for _, content := range []string{"[]", "a: b: c", "entries: []", "text"} {
		if _, err := Parse([]byte(content)); !refusal.Is(err) {
			t.Errorf("%q: %v", content, err)
		}
	}
	for _, meta := range []string{"[]", "name: x\n", "name: x\nversion: v1\n", "version: 1.0.0\n", ""} {
		x, err := Parse(nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := x.Add(Entry{Metadata: []byte(meta), Digest: digest.FromString("")}); !refusal.Is(err) {
			t.Errorf("%q: %v", meta, err)
		}
	}
}

func TestMetadata(t *testing.T) {
	pack := func(names ...string) []byte {
		var out bytes.Buffer
		gz := gzip.NewWriter(&out)
		tw := tar.NewWriter(gz)
		for _, name := range names {
			tw.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Size: int64(len(name)), Mode: 0o644})
			tw.Write([]byte(name))
		}
		tw.Close()
		gz.Close()
		return out.Bytes()
	}
	if got, err := Metadata(bytes.NewReader(pack("x/templates/Chart.yaml", "x/charts/y/Chart.yaml", "x/Chart.yaml"))); err != nil || string(got) != "x/Chart.yaml" {
		t.Errorf("%q, %v", got, err)
	}
	for _, content := range [][]byte{nil, []byte("no gzip"), pack("Chart.yaml"), pack()} {
		if _, err := Metadata(bytes.NewReader(content)); !refusal.Is(err) {
			t.Errorf("%.20q: %v", content, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(before))
	f.Add([]byte("entries: {spark: [{version: 1.0.0}, &a {version: *a}]}"))
	f.Fuzz(func(t *testing.T, content []byte) {
		x, err := Parse(content)
		if err != nil {
			return
		}
		if _, err := x.Add(entry("1.5.0", "a")); err != nil {
			return
		}
		out, err := x.Bytes()
		if err != nil {
			return
		}
		y, err := Parse(out)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v\n%s", err, out)
		}
		if changed, err := y.Add(entry("1.5.0", "a")); err != nil || changed {
			t.Fatalf("it is not there again: %v, %v\n%s", changed, err, out)
		}
	})
}

// TestAliases: an index whose entries stand elsewhere in it cannot be edited without breaking it.
func TestAliases(t *testing.T) {
	if _, err := Parse([]byte("x: &e {version: 1.0.0}\nentries:\n  spark: [*e]\n")); !refusal.Is(err) || !strings.Contains(err.Error(), "line 3: *e is an alias") {
		t.Error(err)
	}
}
