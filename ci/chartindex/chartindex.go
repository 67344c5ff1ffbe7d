// Package chartindex edits Helm's index of a chart repository (https://helm.sh/docs/topics/chart_repository): a version is added once and never changes,
// and may be marked as deprecated. Whatever else an index holds stays as it is.
//
// Where the index lies, and who writes it, is not its business.
package chartindex

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"
	"github.com/opencontainers/go-digest"
	"go.yaml.in/yaml/v3"

	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/version"
)

// Entry is one version of a chart.
type Entry struct {
	Metadata []byte // Chart.yaml of the package
	Created  time.Time
	Digest   digest.Digest // of the package
	URL      string        // of the package; relative to the index, or absolute
	// Line gives the release line of a version. An entry is not created before that of the version before it on its line
	// (Before), so Add moves Created where that one is later.
	Line func(version.Version) string
}

// Before is the version before v on its release line among versions that an index lists, as it is listed; empty where
// there is none. The entry of v is not created before its entry: publication keeps this rule, and audit checks it.
func Before(v version.Version, line func(version.Version) string, listed []string) string {
	var before string
	var newest version.Version
	for _, name := range listed {
		of, err := version.Parse("v" + strings.TrimPrefix(name, "v"))
		if err == nil && line(of) == line(v) && of.Compare(v) < 0 && (newest.IsZero() || of.Compare(newest) > 0) {
			before, newest = name, of
		}
	}
	return before
}

// maxChartYAML bounds the Chart.yaml of a package, in bytes.
const maxChartYAML = 1 << 20

// Metadata reads the Chart.yaml of a packaged chart.
func Metadata(pkg io.Reader) ([]byte, error) {
	gz, err := gzip.NewReader(pkg)
	if err != nil {
		return nil, refusal.New("read a packaged chart: %w", err)
	}
	defer gz.Close()
	for tr := tar.NewReader(gz); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return nil, refusal.New("read a packaged chart: it holds no Chart.yaml")
		}
		if err != nil {
			return nil, refusal.New("read a packaged chart: %w", err)
		}
		if h.Typeflag != tar.TypeReg || path.Base(h.Name) != "Chart.yaml" || strings.Count(path.Clean(h.Name), "/") != 1 {
			continue
		}
		if h.Size > maxChartYAML {
			return nil, refusal.New("read a packaged chart: its Chart.yaml has %d bytes; at most %d are read", h.Size, maxChartYAML)
		}
		return io.ReadAll(tr)
	}
}

// Index is an index that can be edited.
type Index struct{ doc yaml.Node }

// Parse reads an index; nothing at all is an empty one.
func Parse(content []byte) (*Index, error) {
	x := &Index{}
	if len(bytes.TrimSpace(content)) == 0 {
		content = []byte("apiVersion: v1\nentries: {}\n")
	}
	if err := yaml.Unmarshal(content, &x.doc); err != nil {
		return nil, refusal.New("read a chart index: %w", err)
	}
	if x.doc.Kind != yaml.DocumentNode || len(x.doc.Content) != 1 || x.doc.Content[0].Kind != yaml.MappingNode {
		return nil, refusal.New("read a chart index: it is no YAML mapping")
	}
	if a := alias(&x.doc); a != nil {
		return nil, refusal.New("read a chart index: line %d: *%s is an alias, which no entry that changes can be; write what it stands for, as Helm does", a.Line, a.Value)
	}
	if entries := value(x.root(), "entries"); entries != nil && entries.Kind != yaml.MappingNode && entries.Tag != "!!null" {
		return nil, refusal.New("read a chart index: line %d: its entries are no mapping", entries.Line)
	}
	return x, nil
}

// alias is the first alias within a node, or nil.
func alias(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n
	}
	for _, c := range n.Content {
		if a := alias(c); a != nil {
			return a
		}
	}
	return nil
}

func (x *Index) root() *yaml.Node { return x.doc.Content[0] }

// value is what a mapping says of a key, or nil.
func value(mapping *yaml.Node, key string) *yaml.Node {
	for i := 0; mapping != nil && mapping.Kind == yaml.MappingNode && i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i+1]
		}
	}
	return nil
}

// set makes a mapping say something of a key.
func set(mapping *yaml.Node, key string, to *yaml.Node) {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			mapping.Content[i+1] = to
			return
		}
	}
	mapping.Content = append(mapping.Content, scalar(key), to)
}

func scalar(s string) *yaml.Node {
	n := &yaml.Node{}
	n.SetString(s)
	return n
}

func drop(mapping *yaml.Node, key string) (dropped bool) {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			mapping.Content = append(mapping.Content[:i], mapping.Content[i+2:]...)
			return true
		}
	}
	return false
}

// versions is the list of a chart's entries; nil where there is none.
func (x *Index) versions(chart string) *yaml.Node {
	list := value(value(x.root(), "entries"), chart)
	if list == nil || list.Kind != yaml.SequenceNode {
		return nil
	}
	return list
}

// find is the entry of a version, or nil.
func (x *Index) find(chart, version string) *yaml.Node {
	list := x.versions(chart)
	if list == nil {
		return nil
	}
	for _, e := range list.Content {
		if v := value(e, "version"); v != nil && v.Value == version {
			return e
		}
	}
	return nil
}

// Add adds an entry; changed is false where it is there already. Another package under the same version is refused, naming both digests: a version never changes.
func (x *Index) Add(e Entry) (changed bool, err error) {
	var meta yaml.Node
	if err := yaml.Unmarshal(e.Metadata, &meta); err != nil {
		return false, refusal.New("add a chart to an index: read its Chart.yaml: %w", err)
	}
	if meta.Kind != yaml.DocumentNode || meta.Content[0].Kind != yaml.MappingNode {
		return false, refusal.New("add a chart to an index: its Chart.yaml is no mapping")
	}
	entry := meta.Content[0]
	name, version := value(entry, "name"), value(entry, "version")
	if name == nil || version == nil || name.Value == "" {
		return false, refusal.New("add a chart to an index: its Chart.yaml names no name and version")
	}
	v, err := semver.StrictNewVersion(version.Value)
	if err != nil {
		return false, refusal.New("add chart %s to an index: its version %q is no SemVer: %w", name.Value, version.Value, err)
	}
	if there := x.find(name.Value, version.Value); there != nil {
		if d := value(there, "digest"); d != nil && strings.TrimPrefix(d.Value, "sha256:") != e.Digest.Encoded() {
			return false, refusal.New("add chart %s %s to an index: it is there with other content: digest %s, this one's is %s; a version never changes: release the next one",
				name.Value, version.Value, d.Value, e.Digest.Encoded())
		}
		return false, nil
	}
	e.Created = x.created(e, name.Value, version.Value)
	set(entry, "created", scalar(e.Created.UTC().Format(time.RFC3339)))
	set(entry, "digest", scalar(e.Digest.Encoded()))
	set(entry, "urls", &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: []*yaml.Node{scalar(e.URL)}})
	x.insert(name.Value, v, entry)
	x.generated(e.Created)
	return true, nil
}

// created is when the entry of a version is created.
func (x *Index) created(e Entry, chart, name string) time.Time {
	v, err := version.Parse("v" + name)
	if err != nil || e.Line == nil {
		return e.Created
	}
	if said := value(x.find(chart, Before(v, e.Line, x.Versions()[chart])), "created"); said != nil {
		if before, err := time.Parse(time.RFC3339Nano, said.Value); err == nil && before.After(e.Created) {
			return before.Add(time.Second - 1).Truncate(time.Second) // entries are written in whole seconds
		}
	}
	return e.Created
}

// insert puts an entry where it belongs: the newest first, as Helm sorts them.
func (x *Index) insert(chart string, v *semver.Version, entry *yaml.Node) {
	entries := value(x.root(), "entries")
	if entries == nil || entries.Kind != yaml.MappingNode {
		entries = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		set(x.root(), "entries", entries)
	}
	entries.Style = 0 // `{}` of an empty one
	list := x.versions(chart)
	if list == nil {
		list = &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		set(entries, chart, list)
	}
	at := 0
	for ; at < len(list.Content); at++ {
		other := value(list.Content[at], "version")
		if other == nil {
			continue
		}
		if o, err := semver.NewVersion(other.Value); err == nil && o.LessThan(v) {
			break
		}
	}
	list.Content = append(list.Content[:at:at], append([]*yaml.Node{entry}, list.Content[at:]...)...)
}

// generated says when the index was last made, where that is later than it says.
func (x *Index) generated(at time.Time) {
	if was := value(x.root(), "generated"); was != nil {
		if t, err := time.Parse(time.RFC3339Nano, was.Value); err == nil && !t.Before(at) {
			return
		}
	}
	set(x.root(), "generated", scalar(at.UTC().Format(time.RFC3339)))
}

// DoNotUse begins the description of a deprecated entry. `helm search repo` shows the description. No command of Helm 3
// or 4 shows that an entry is deprecated: they warn only if the Chart.yaml in the package says so, which never changes.
const DoNotUse = "WITHDRAWN, do not use."

// Deprecate marks a version, or takes the mark away. The description of a marked entry begins with DoNotUse. changed is
// false where it is so already. A version that the index does not have is refused.
func (x *Index) Deprecate(chart, version string, deprecated bool) (changed bool, err error) {
	e := x.find(chart, version)
	if e == nil {
		return false, refusal.New("mark chart %s %s in an index: it is not there", chart, version)
	}
	described := describe(e, deprecated)
	was := value(e, "deprecated")
	switch {
	case !deprecated:
		return drop(e, "deprecated") || described, nil
	case was != nil && was.Value == "true":
		return described, nil
	}
	set(e, "deprecated", &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: "true"})
	return true, nil
}

// describe begins the description of an entry with DoNotUse, or takes that away.
func describe(e *yaml.Node, deprecated bool) (changed bool) {
	text := value(e, "description")
	if text == nil || text.Kind != yaml.ScalarNode {
		if deprecated {
			set(e, "description", scalar(DoNotUse))
		}
		return deprecated
	}
	rest, marked := strings.CutPrefix(text.Value, DoNotUse)
	switch {
	case marked == deprecated:
		return false
	case deprecated:
		text.Value = DoNotUse + " " + text.Value
	case rest == "":
		drop(e, "description")
	default:
		text.Value = strings.TrimPrefix(rest, " ")
	}
	return true
}

// Versions are the versions that the index lists of each chart. Charts without a version are left out.
func (x *Index) Versions() map[string][]string {
	all := map[string][]string{}
	entries := value(x.root(), "entries")
	for i := 0; entries != nil && entries.Kind == yaml.MappingNode && i+1 < len(entries.Content); i += 2 {
		for _, e := range entries.Content[i+1].Content {
			if v := value(e, "version"); v != nil {
				all[entries.Content[i].Value] = append(all[entries.Content[i].Value], v.Value)
			}
		}
	}
	return all
}

// Has tells whether there is an entry.
func (x *Index) Has(chart, version string) bool { return x.find(chart, version) != nil }

// Listed is what an index says of one version of a chart.
type Listed struct {
	Chart   string
	Version string
	Digest  digest.Digest // of the package; empty where it does not say, or not as it should
	URLs    []string
}

// listed is what an entry says.
func listed(chart string, e *yaml.Node) Listed {
	l := Listed{Chart: chart}
	if v := value(e, "version"); v != nil {
		l.Version = v.Value
	}
	if d := value(e, "digest"); d != nil {
		if parsed := digest.NewDigestFromEncoded(digest.SHA256, strings.TrimPrefix(d.Value, "sha256:")); parsed.Validate() == nil {
			l.Digest = parsed
		}
	}
	if urls := value(e, "urls"); urls != nil && urls.Kind == yaml.SequenceNode {
		for _, u := range urls.Content {
			l.URLs = append(l.URLs, u.Value)
		}
	}
	return l
}

// Keep takes out every entry that keep is false for, also one of several of the same version. Of a chart without any other entry nothing stays.
func (x *Index) Keep(keep func(Listed) bool) {
	entries := value(x.root(), "entries")
	if entries == nil || entries.Kind != yaml.MappingNode {
		return
	}
	var kept []*yaml.Node
	for i := 0; i+1 < len(entries.Content); i += 2 {
		name, list := entries.Content[i], entries.Content[i+1]
		if had := len(list.Content); list.Kind == yaml.SequenceNode && had > 0 {
			list.Content = slices.DeleteFunc(list.Content, func(e *yaml.Node) bool { return !keep(listed(name.Value, e)) })
			if len(list.Content) == 0 {
				continue
			}
		}
		kept = append(kept, name, list)
	}
	entries.Content = kept
}

// Lead makes an entry lead to one address of its package; led is false where there is no such entry.
func (x *Index) Lead(chart, version, url string) (led bool) {
	e := x.find(chart, version)
	if e == nil {
		return false
	}
	set(e, "urls", &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: []*yaml.Node{scalar(url)}})
	return true
}

// Take takes an entry of this package from another index, as it is there; taken is false where there is one here already, or none there.
func (x *Index) Take(from *Index, chart, version string, pkg digest.Digest) (taken bool) {
	e := from.find(chart, version)
	v, err := semver.NewVersion(version)
	if e == nil || err != nil || x.Has(chart, version) {
		return false
	}
	if d := value(e, "digest"); d == nil || strings.TrimPrefix(d.Value, "sha256:") != pkg.Encoded() {
		return false
	}
	x.insert(chart, v, e)
	return true
}

// Remove takes an entry out; removed is false where there is none. Of a chart without any other entry nothing stays.
func (x *Index) Remove(chart, version string) (removed bool) {
	e := x.find(chart, version)
	if e == nil {
		return false
	}
	list := x.versions(chart)
	list.Content = slices.DeleteFunc(list.Content, func(other *yaml.Node) bool { return other == e })
	if len(list.Content) == 0 {
		drop(value(x.root(), "entries"), chart)
	}
	return true
}

// Bytes is the index as it is to be written.
func (x *Index) Bytes() ([]byte, error) {
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	encoder.CompactSeqIndent()
	if err := errors.Join(encoder.Encode(&x.doc), encoder.Close()); err != nil {
		return nil, fmt.Errorf("write a chart index: %w", err)
	}
	return out.Bytes(), nil
}
