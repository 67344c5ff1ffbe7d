package compare

import (
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// ChartValues compares the values of a chart of two trees, in the folders before and dir: the defaults in its values.yaml, and what its values.schema.json allows. Those of its
// subcharts are not looked at.
//
// A value that merely carries the chart's own version, or an empty tag instead of it, is no finding: the chart's appVersion says the same. A map that is empty on one side,
// or that Kubernetes itself defines (labels, resources, a security context), is one value, as lists are: whatever a user sets there is handed through.
//
// A tree without Chart.yaml, and files that cannot be read as what they are, are refused.
func ChartValues(older fs.FS, before string, newer fs.FS, dir string) ([]Finding, error) {
	was, err := readValues(older, olderSide, before)
	if err != nil {
		return nil, of(olderSide, err)
	}
	now, err := readValues(newer, newerSide, dir)
	if err != nil {
		return nil, of(newerSide, err)
	}
	c := &valuesComparison{was: was, now: now}
	c.maps(nil, was.root, now.root)
	c.renamed()
	c.schemas()
	Sort(c.findings)
	return c.findings, nil
}

// valuesComparison collects what differs.
type valuesComparison struct {
	was, now chartValues
	findings []Finding
	removed  []moved // each with the finding that tells it
	added    []moved
}

func (c *valuesComparison) find(severity Severity, keys []string, became, what string) *Finding {
	key := strings.Join(keys, ".")
	f := New(severity, Values, c.now.chart, key, became)
	f.What = strings.ReplaceAll(what, "KEY", key)
	c.findings = append(c.findings, f)
	return &c.findings[len(c.findings)-1]
}

func (c *valuesComparison) maps(keys []string, older, newer *yaml.Node) {
	was, now := entries(older), entries(newer)
	below := func(key string) []string { return append(slices.Clip(keys), key) }
	for _, e := range inOrder(was) {
		if other, ok := now[e.key]; ok {
			c.values(below(e.key), e, other)
			continue
		}
		what := "the value KEY is gone: setting it has no effect any more"
		if refuses(c.now.schema, below(e.key)) {
			what = "the value KEY is gone: values.schema.json refuses an upgrade that sets it"
		}
		f := c.find(Breaking, below(e.key), "removed", what)
		f.Was, f.File, f.Line, f.Gone = shown(e.value, c.was.own), c.was.file, e.at.Line, true
		c.removed = append(c.removed, moved{below(e.key), e.value, c.was.comment(e.at.Line), len(c.findings) - 1})
	}
	for _, e := range inOrder(now) {
		if _, ok := was[e.key]; !ok {
			f := c.find(Info, below(e.key), "added", "there is a new value KEY")
			f.Now, f.File, f.Line, f.Adds = shown(e.value, c.now.own), c.now.file, e.at.Line, true
			c.new(below(e.key), e)
		}
	}
}

// ofKubernetes are names of values that hold what Kubernetes defines, handed through as it is.
var ofKubernetes = regexp.MustCompile(`(?i)(labels|annotations|nodeSelector|affinity|securityContext)$`)

// whole tells whether a map is one value: a default that anything may be put in place of.
func whole(key string, older, newer *yaml.Node) bool {
	if len(older.Content) == 0 || len(newer.Content) == 0 || ofKubernetes.MatchString(key) {
		return true
	}
	if !strings.EqualFold(key, "resources") {
		return false
	}
	for _, n := range []*yaml.Node{older, newer} { // those of one container
		for name := range entries(n) {
			if name != "limits" && name != "requests" && name != "claims" {
				return false
			}
		}
	}
	return true
}

func (c *valuesComparison) values(keys []string, older, newer entry) {
	was, now := kindOf(older.value), kindOf(newer.value)
	if was == "map" && now == "map" && !whole(newer.key, older.value, newer.value) {
		c.maps(keys, older.value, newer.value)
		return
	}
	if canonical(older.value, c.was.own) == canonical(newer.value, c.now.own) || c.follows(older, c.was.own) && c.follows(newer, c.now.own) {
		return
	}
	var f *Finding
	switch {
	case was != now && was != "" && now != "":
		f = c.find(Breaking, keys, "type-changed", fmt.Sprintf("the value KEY is a %s now, and was a %s: change what you set", now, was))
	case was == "list" && now == "list":
		f = c.find(Notable, keys, "default-changed", "KEY has another default list; a list that you set replaces all of it")
	default:
		f = c.find(Notable, keys, "default-changed", "KEY has another default")
	}
	before, after := older.value, newer.value
	if was == "map" && now == "map" {
		before, after = part(before, after), part(after, before)
	}
	f.Was, f.Now = shown(before, c.was.own), shown(after, c.now.own)
	f.File, f.Line = c.now.file, newer.at.Line
}

// part is a map without what another one has, too.
func part(n, other *yaml.Node) *yaml.Node {
	rest := &yaml.Node{Kind: yaml.MappingNode}
	has := entries(other)
	for _, e := range inOrder(entries(n)) {
		if o, ok := has[e.key]; !ok || canonical(e.value, own{}) != canonical(o.value, own{}) {
			rest.Content = append(rest.Content, e.at, e.value)
		}
	}
	return rest
}

// follows tells whether a tag is that of the chart's own version, said or, where it is empty, implied.
func (c *valuesComparison) follows(e entry, o own) bool {
	if !strings.HasSuffix(strings.ToLower(e.key), "tag") || kindOf(e.value) == "list" || kindOf(e.value) == "map" {
		return false
	}
	return isUnset(e.value) || strings.TrimPrefix(o.unversioned(e.value.Value), "v") == ownMark || e.value.Value == ""
}
