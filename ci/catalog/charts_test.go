package catalog

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/operator-release/operator-release/ci/archive"
	"github.com/operator-release/operator-release/ci/bundle/bundletest"
	"github.com/operator-release/operator-release/ci/chartindex"
	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/version"
)

// packaged is a packaged chart of a version, with more files beside its Chart.yaml.
func packaged(t *testing.T, v string, more ...string) []byte {
	t.Helper()
	entries := []archive.Entry{archive.FromBytes("spark/Chart.yaml", archive.Plain, []byte("apiVersion: v2\nname: spark\nversion: "+v+"\n"))}
	for _, name := range more {
		entries = append(entries, archive.FromBytes(name, archive.Plain, []byte("x")))
	}
	var out bytes.Buffer
	gz := archive.NewGzip(&out)
	if err := errors.Join(archive.Tar(gz, bundletest.Time, entries), gz.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// listing is an index with one entry for each version, its package's address behind it.
func listing(t *testing.T, packages map[string][]byte, addresses ...string) *chartindex.Index {
	t.Helper()
	x, err := chartindex.Parse(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addresses {
		v, address, _ := strings.Cut(a, " ")
		entry := chartindex.Entry{Metadata: []byte("name: spark\nversion: " + v), Created: bundletest.Time, Digest: digest.FromBytes(packages[v]), URL: address}
		if _, err := x.Add(entry); err != nil {
			t.Fatal(err)
		}
	}
	return x
}

func TestAddCharts(t *testing.T) {
	packages := map[string][]byte{}
	for _, v := range []string{"1.0.0", "1.1.0", "1.2.0", "1.3.0", "1.4.0", "1.5.0", "1.6.0", "1.7.0"} {
		packages[v] = packaged(t, v)
	}
	packages["1.5.0"] = packaged(t, "1.5.0", "spark/crds/app.yaml")
	index := listing(t, packages,
		"1.0.0 https://example.com/spark-1.0.0.tgz", // older than any record
		"1.1.0 old/spark-1.1.0.tgz",                 // beside the index of now
		"1.2.0 lost/spark-1.2.0.tgz",                // nowhere
		"1.3.0 ../../etc/passwd",                    // no address of a package
		"1.4.0 https://example.com/spark-1.4.0.tgz", // and of a record
		"1.7.0 https://example.com/other.tgz",       // other than that of the record
	)
	chart := func(v string) Version {
		return Version{Version: version.MustParse("v" + v), Time: bundletest.Time,
			Charts: []Chart{{Name: "spark", Version: v, File: "spark-" + v + ".tgz", Package: digest.FromBytes(packages[v]).String()}}}
	}
	c := Catalog{Versions: []Version{chart("1.7.0"), chart("1.6.0"), chart("1.5.0"), chart("1.4.0"), {Version: version.MustParse("v1.0.0"), Charts: []Chart{{Name: "spark", Version: "1.0.0"}}}}}
	c.Versions[0].Charts[0].Package = digest.FromString("another").String()
	c.Versions[1].Mark = &journal.Mark{State: journal.RolledBack}
	c.Versions[2].Mark = &journal.Mark{State: journal.Withdrawn}
	files, err := c.AddCharts(index, Packages{
		Of: func(_ Version, c Chart) ([]byte, error) {
			if c.Version == "1.7.0" {
				return nil, errors.New("its registry is down")
			}
			return packages[c.Version], nil
		},
		Beside: func(name string) ([]byte, error) {
			if name == "old/spark-1.1.0.tgz" {
				return packages["1.1.0"], nil
			}
			return nil, fmt.Errorf("%s is not there", name)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if names, want := slices.Sorted(maps.Keys(files)), []string{"charts/spark-1.4.0.tgz", "charts/spark-1.5.0.tgz", "index.yaml", "old/spark-1.1.0.tgz"}; !slices.Equal(names, want) {
		t.Errorf("files are %q, not %q", names, want)
	}
	for name, v := range map[string]string{"charts/spark-1.4.0.tgz": "1.4.0", "charts/spark-1.5.0.tgz": "1.5.0", "old/spark-1.1.0.tgz": "1.1.0"} {
		if !bytes.Equal(files[name], packages[v]) {
			t.Errorf("%s has other bytes than the record says", name)
		}
	}
	written, err := chartindex.Parse(files[IndexFile])
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	written.Keep(func(l chartindex.Listed) bool {
		listed = append(listed, l.Version+" "+l.URLs[0])
		return true
	})
	want := []string{"1.7.0 https://example.com/other.tgz", "1.5.0 charts/spark-1.5.0.tgz", "1.4.0 charts/spark-1.4.0.tgz", "1.1.0 old/spark-1.1.0.tgz", "1.0.0 https://example.com/spark-1.0.0.tgz"}
	if !slices.Equal(listed, want) {
		t.Errorf("listed are %q, not %q", listed, want)
	}
	if text := string(files[IndexFile]); strings.Count(text, "deprecated: true") != 1 {
		t.Errorf("one version is withdrawn:\n%s", text)
	}
	if len(c.Audit.Notes) != 2 || !strings.Contains(c.Audit.Notes[0], `"../../etc/passwd" is not that of a package`) || !strings.Contains(c.Audit.Notes[1], "lost/spark-1.2.0.tgz is not there") {
		t.Errorf("left out: %q", c.Audit.Notes)
	}
	if said := c.Versions[0].Said; len(said) != 1 || !strings.Contains(said[0], "its registry is down") {
		t.Errorf("said of v1.7.0: %q", said)
	}
	for i, want := range []string{"false ", "false ", "true charts/spark-1.5.0.tgz CRDs", "true charts/spark-1.4.0.tgz", "true https://example.com/spark-1.0.0.tgz"} {
		chart := c.Versions[i].Charts[0]
		got := fmt.Sprintf("%t %s", chart.Indexed, chart.URL)
		if chart.CRDs {
			got += " CRDs"
		}
		if got != want {
			t.Errorf("%s: %q, not %q", c.Versions[i].Version, got, want)
		}
	}
	if got := c.Versions[4].Charts[0].Package; got != digest.FromBytes(packages["1.0.0"]).String() {
		t.Errorf("the package of a version without a record is %q", got)
	}
}

// TestAddOtherCharts: what the index lists under a record's version and is not the record's stays as it is, and is said.
func TestAddOtherCharts(t *testing.T) {
	index := listing(t, map[string][]byte{"1.0.0": []byte("other")}, "1.0.0 https://example.com/spark-1.0.0.tgz")
	content := packaged(t, "1.0.0")
	c := Catalog{Versions: []Version{{Version: version.MustParse("v1.0.0"), Charts: []Chart{{Name: "spark", Version: "1.0.0", File: "spark-1.0.0.tgz", Package: digest.FromBytes(content).String()}}}}}
	files, err := c.AddCharts(index, Packages{Of: func(Version, Chart) ([]byte, error) { return content, nil }})
	if err != nil || len(files) != 1 || !strings.Contains(string(files[IndexFile]), "https://example.com/spark-1.0.0.tgz") {
		t.Errorf("%q, %v", slices.Sorted(maps.Keys(files)), err)
	}
	if v := c.Versions[0]; len(v.Said) != 1 || !strings.Contains(v.Said[0], "other content") || v.Charts[0].Indexed {
		t.Errorf("%+v", v)
	}
}

// TestMarkedCharts: the index of now may be behind what versions are marked as, and their packages need not be at hand.
func TestMarkedCharts(t *testing.T) {
	index := listing(t, nil, "1.0.0 https://example.com/spark-1.0.0.tgz", "1.1.0 https://example.com/spark-1.1.0.tgz", "1.2.0 https://example.com/spark-1.2.0.tgz")
	c := Catalog{Versions: of("v1.2.0", "v1.1.0", "v1.0.0")}
	for i, state := range []journal.State{journal.RolledBack, journal.Withdrawn, journal.Good} {
		v := &c.Versions[i]
		v.Mark, v.Charts = &journal.Mark{State: state}, []Chart{{Name: "spark", Version: v.Version.SemVer()}}
	}
	files, err := c.AddCharts(index, Packages{})
	if err != nil {
		t.Fatal(err)
	}
	text := string(files[IndexFile])
	if strings.Contains(text, "1.2.0") || strings.Count(text, "deprecated: true") != 1 || strings.Index(text, "deprecated: true") > strings.Index(text, "version: 1.0.0") {
		t.Errorf("v1.2.0 is rolled back, v1.1.0 withdrawn:\n%s", text)
	}
	for i, want := range []bool{false, true, true} {
		if got := c.Versions[i].Charts[0].Indexed; got != want {
			t.Errorf("%s is listed: %t", c.Versions[i].Version, got)
		}
	}
}

// TestNoCharts: without any chart there is no index.
func TestNoCharts(t *testing.T) {
	index, err := chartindex.Parse(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := Catalog{Versions: of("v1.0.0")}
	if files, err := c.AddCharts(index, Packages{}); err != nil || len(files) != 0 {
		t.Errorf("%q, %v", files, err)
	}
}

// TestAddOddCharts: of several entries of one version those go that lead nowhere, and so does one that names no version.
func TestAddOddCharts(t *testing.T) {
	content := packaged(t, "1.0.0")
	sum := digest.FromBytes(content).Encoded()
	index, err := chartindex.Parse([]byte("entries:\n  spark: [{version: 1.0.0, digest: " + sum + ", urls: [a.tgz]}, {version: 1.0.0, digest: " + strings.Repeat("0", 64) + ", urls: [a.tgz]}, " +
		"{version: 1.0.0, urls: [gone.tgz]}, {urls: [gone.tgz]}]\n  gone: [{urls: [gone.tgz]}]\n  none: []\n"))
	if err != nil {
		t.Fatal(err)
	}
	c := Catalog{Versions: []Version{{Version: version.MustParse("v1.0.0"), Charts: []Chart{{Name: "spark", Version: "1.0.0"}}}}}
	files, err := c.AddCharts(index, Packages{Beside: func(name string) ([]byte, error) {
		if name == "a.tgz" {
			return content, nil
		}
		return nil, fmt.Errorf("%s is not there", name)
	}})
	if want := "entries:\n  spark: [{version: 1.0.0, digest: " + sum + ", urls: [a.tgz]}]\n  none: []\n"; err != nil || string(files[IndexFile]) != want || len(files) != 2 {
		t.Errorf("%q, %v, not\n%s", files, err, want)
	}
	if len(c.Audit.Notes) != 4 || !c.Versions[0].Charts[0].Indexed {
		t.Errorf("%q, %+v", c.Audit.Notes, c.Versions[0].Charts)
	}
}
