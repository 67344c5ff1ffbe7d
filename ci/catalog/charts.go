package catalog

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"path"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/operator-release/operator-release/ci/chartindex"
	"github.com/operator-release/operator-release/ci/journal"
)

// IndexFile is the name of Helm's index of charts.
const IndexFile = "index.yaml"

// packages is the folder of packages beside the index.
const packages = "charts/"

// Packages give the bytes of packaged charts.
type Packages struct {
	Of     func(Version, Chart) ([]byte, error) // of a version with a record; nil where it is not at hand
	Beside func(name string) ([]byte, error)    // that lie beside the index of now, by the relative address that it says; an error where there is none
}

// AddCharts makes the index of now the site's own: every package that is at hand lies beside it, with the bytes of the record, and charts that it lacks are added. It lists none of
// a version that is rolled back, and those of one that is withdrawn are deprecated. It gives the files, the index among them, and tells each chart of the catalog where its package
// is. An entry whose package should lie beside the index of now and does not is left out, and that is said; so is a package that is not the record's.
func (c *Catalog) AddCharts(index *chartindex.Index, p Packages) (files map[string][]byte, err error) {
	files = map[string][]byte{}
	for i := range c.Versions {
		v := &c.Versions[i]
		for j := range v.Charts {
			if err := v.addChart(&v.Charts[j], index, p, files); err != nil {
				return nil, fmt.Errorf("add chart %s %s to the index: %w", v.Charts[j].Name, v.Charts[j].Version, err)
			}
		}
	}
	listed := c.keepListed(index, p, files)
	for i := range c.Versions {
		for j := range c.Versions[i].Charts {
			chart := &c.Versions[i].Charts[j]
			l, ok := listed[chart.Name+" "+chart.Version]
			if !ok || chart.Package != "" && chart.Package != l.Digest.String() {
				continue
			}
			chart.Indexed, chart.Package = true, l.Digest.String()
			if len(l.URLs) > 0 {
				chart.URL = l.URLs[0]
			}
		}
	}
	if len(listed) == 0 {
		return files, nil
	}
	files[IndexFile], err = index.Bytes()
	return files, err
}

// addChart makes the index say of a version's chart what its mark says, and lays its package beside it.
func (v *Version) addChart(chart *Chart, index *chartindex.Index, p Packages, files map[string][]byte) error {
	if v.Mark != nil && v.Mark.State == journal.RolledBack {
		index.Remove(chart.Name, chart.Version)
		return nil
	}
	if err := v.addPackage(chart, index, p, files); err != nil {
		return err
	}
	if v.Mark != nil && v.Mark.State == journal.Withdrawn && index.Has(chart.Name, chart.Version) {
		_, err := index.Deprecate(chart.Name, chart.Version, true)
		return err
	}
	return nil
}

// addPackage lays a version's package beside the index, and leads the index there. That it is not at hand, or not what the index lists, is said of the version.
func (v *Version) addPackage(chart *Chart, index *chartindex.Index, p Packages, files map[string][]byte) error {
	if chart.Package == "" || chart.File == "" {
		return nil
	}
	content, err := p.Of(*v, *chart)
	if err != nil {
		v.Said = append(v.Said, fmt.Sprintf("the site does not contain the package of chart %s %s: %v", chart.Name, chart.Version, err))
		return nil
	}
	if content == nil {
		return nil
	}
	metadata, err := chartindex.Metadata(bytes.NewReader(content))
	if err != nil {
		return err
	}
	if chart.CRDs, err = hasCRDs(content); err != nil {
		return err
	}
	name := packages + chart.File
	entry := chartindex.Entry{Metadata: metadata, Created: v.Time, Digest: digest.Digest(chart.Package), URL: name}
	if _, err := index.Add(entry); err != nil {
		v.Said = append(v.Said, err.Error()) // another package under this version: the audit tells the rest
		return nil
	}
	index.Lead(chart.Name, chart.Version, name)
	files[name] = content
	return nil
}

// keepListed are the entries of the index, by chart and version, with the packages that lie beside the index of now among the files. An entry without its package is removed.
func (c *Catalog) keepListed(index *chartindex.Index, p Packages, files map[string][]byte) map[string]chartindex.Listed {
	listed := map[string]chartindex.Listed{}
	index.Keep(func(l chartindex.Listed) bool {
		if len(l.URLs) > 0 && isRelative(l.URLs[0]) {
			content, err := p.beside(l, files[l.URLs[0]])
			if err != nil {
				c.Audit.Notes = append(c.Audit.Notes, fmt.Sprintf("the site's index leaves out chart %s %s: %v", l.Chart, l.Version, err))
				return false
			}
			files[l.URLs[0]] = content
		}
		if name := l.Chart + " " + l.Version; listed[name].Chart == "" { // the first of several is the one that Helm takes
			listed[name] = l
		}
		return true
	})
	return listed
}

// hasCRDs tells whether a packaged chart, or a subchart in it, has a folder of them: Helm looks into crds/
// (https://helm.sh/docs/chart_best_practices/custom_resource_definitions).
func hasCRDs(pkg []byte) (bool, error) {
	gz, err := gzip.NewReader(bytes.NewReader(pkg))
	if err != nil {
		return false, err
	}
	defer gz.Close()
	for tr := tar.NewReader(gz); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		parts := strings.Split(path.Clean(h.Name), "/")
		for len(parts) > 4 && parts[1] == "charts" {
			parts = parts[2:]
		}
		if len(parts) > 2 && parts[1] == "crds" {
			return true, nil
		}
	}
}

// beside reads a package that an entry's relative address names, where it is not at hand already.
func (p Packages) beside(l chartindex.Listed, content []byte) (_ []byte, err error) {
	name := l.URLs[0]
	if !fs.ValidPath(name) || !strings.HasSuffix(name, ".tgz") {
		return nil, fmt.Errorf("its address %q is not that of a package", name)
	}
	if content == nil {
		content, err = p.Beside(name)
	}
	if err == nil && l.Digest != "" && digest.FromBytes(content) != l.Digest {
		err = fmt.Errorf("%s has digest %s where the index says %s", name, digest.FromBytes(content), l.Digest)
	}
	return content, err
}

func isRelative(address string) bool {
	u, err := url.Parse(address)
	return err != nil || !u.IsAbs() && u.Host == ""
}
