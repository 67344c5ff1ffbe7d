package compare

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/operator-release/operator-release/ci/refusal"
)

// ChartValues compares the values of the chart in the folder dir of two trees: the defaults in its values.yaml, and what its values.schema.json allows. Those of its
// subcharts are not looked at.
//
// A value that merely carries the chart's own version, or an empty tag instead of it, is no finding: the chart's appVersion says the same. A map that is empty on one side,
// or that Kubernetes itself defines (labels, resources, a security context), is one value, as lists are: whatever a user sets there is handed through.
//
// A tree without Chart.yaml, and files that cannot be read as what they are, are refused.
func ChartValues(older, newer fs.FS, dir string) ([]Finding, error) {
	was, err := readValues(older, "older", dir)
	if err != nil {
		return nil, err
	}
	now, err := readValues(newer, "newer", dir)
	if err != nil {
		return nil, err
	}
	c := &valuesComparison{was: was, now: now}
	c.maps(nil, was.root, now.root)
	c.renamed()
	c.schemas()
	Sort(c.findings)
	return c.findings, nil
}

// chartValues are the defaults of one version of a chart.
type chartValues struct {
	chart    string
	own      own
	file     string // its values.yaml
	root     *yaml.Node
	lines    []string
	schema   *yaml.Node // nil where there is none
	schemaIn string     // its values.schema.json
}

func readValues(tree fs.FS, side, dir string) (chartValues, error) {
	v := chartValues{file: path.Join(dir, "values.yaml"), schemaIn: path.Join(dir, "values.schema.json")}
	meta := path.Join(dir, "Chart.yaml")
	content, err := fs.ReadFile(tree, meta)
	if errors.Is(err, fs.ErrNotExist) {
		return v, refusal.New("compare the values of the chart %s: the %s version has no %s, so there is nothing to compare with: %w", dir, side, meta, err)
	}
	if err != nil {
		return v, fmt.Errorf("read %s of the %s version: %w", meta, side, err)
	}
	var chart struct {
		Name       string
		Version    string
		AppVersion string `yaml:"appVersion"`
	}
	if err := yaml.Unmarshal(content, &chart); err != nil || chart.Name == "" {
		return v, refusal.New("read %s of the %s version: it is no chart's: %w; give it a name and a version", meta, side, cmpErr(err, "it has no name"))
	}
	v.chart, v.own = chart.Name, ownOf(chart.Version, chart.AppVersion)

	content, err = fs.ReadFile(tree, v.file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return v, fmt.Errorf("read %s of the %s version: %w", v.file, side, err)
	}
	if v.root, err = readMap(v.file, side, content); err != nil {
		return v, err
	}
	v.lines = strings.Split(string(content), "\n")

	content, err = fs.ReadFile(tree, v.schemaIn)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return v, nil
	case err != nil:
		return v, fmt.Errorf("read %s of the %s version: %w", v.schemaIn, side, err)
	}
	v.schema, err = readValuesSchema(v.schemaIn, side, content)
	return v, err
}

func cmpErr(err error, otherwise string) error {
	if err == nil {
		return errors.New(otherwise)
	}
	return err
}

// mostNodes is how much a file of values may unfold to; the largest charts have some ten thousand.
const (
	mostNodes  = 500_000
	mostNested = 1_000
)

// readMap reads a file that holds a map, or nothing. Several documents are one map, as Helm has it.
func readMap(file, side string, content []byte) (*yaml.Node, error) {
	all := &yaml.Node{Kind: yaml.MappingNode, Line: 1}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	for {
		var document yaml.Node
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, refusal.New("read %s of the %s version: %w; correct it", file, side, err)
		}
		budget := mostNodes
		if n := unfold(&document, 0, &budget); n != nil {
			return nil, refusal.New("read %s of the %s version: what line %d holds unfolds to more than %d values, or nests deeper than %d; take aliases out of it",
				file, side, n.Line, mostNodes, mostNested)
		}
		switch root := resolved(&document); {
		case isUnset(root):
		case root.Kind == yaml.MappingNode:
			all.Content = append(all.Content, root.Content...)
		default:
			return nil, refusal.New("read %s of the %s version: line %d begins a %s, where values are a map; correct it", file, side, root.Line, kindOf(root))
		}
	}
}

// unfold follows aliases as long as the budget lasts, and gives the node at which it does no longer.
func unfold(n *yaml.Node, depth int, budget *int) *yaml.Node {
	n = resolved(n)
	if *budget--; *budget < 0 || depth > mostNested {
		return n
	}
	for _, child := range n.Content {
		if found := unfold(child, depth+1, budget); found != nil {
			return found
		}
	}
	return nil
}

// resolved gives what a document or an alias stands for.
func resolved(n *yaml.Node) *yaml.Node {
	for {
		switch {
		case n.Kind == yaml.DocumentNode && len(n.Content) > 0:
			n = n.Content[0]
		case n.Kind == yaml.AliasNode && n.Alias != nil:
			n = n.Alias
		default:
			return n
		}
	}
}

func isUnset(n *yaml.Node) bool {
	return n.Kind == 0 || n.Kind == yaml.DocumentNode || n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null"
}

// kindOf is what a user sets a value to: a scalar, a list or a map; empty where nothing tells.
func kindOf(n *yaml.Node) string {
	switch {
	case isUnset(n):
		return ""
	case n.Kind == yaml.MappingNode:
		return "map"
	case n.Kind == yaml.SequenceNode:
		return "list"
	}
	return "scalar"
}

// entry is one key of a map, with its value.
type entry struct {
	key   string
	at    *yaml.Node // the key
	value *yaml.Node // resolved
}

// entries are those of a map by key, merged ones (<<) included; of a key that stands twice the last one counts, as for Helm.
func entries(n *yaml.Node) map[string]entry {
	all := map[string]entry{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if key, value := n.Content[i], resolved(n.Content[i+1]); isMerge(key) {
			from := []*yaml.Node{value}
			if value.Kind == yaml.SequenceNode {
				from = value.Content
			}
			for _, m := range slices.Backward(from) { // the first of several counts most
				if m = resolved(m); m.Kind == yaml.MappingNode {
					for key, e := range entries(m) {
						all[key] = e
					}
				}
			}
		}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if key := n.Content[i]; !isMerge(key) {
			name := resolved(key)
			text := name.Value
			if name.Kind != yaml.ScalarNode {
				text = shown(name, own{})
			}
			all[text] = entry{text, key, resolved(n.Content[i+1])}
		}
	}
	return all
}

func isMerge(key *yaml.Node) bool {
	return key.Kind == yaml.ScalarNode && key.Value == "<<" && (key.Tag == "" || key.Tag == "!" || key.ShortTag() == "!!merge")
}

// inOrder are the entries of a map by line, then by key.
func inOrder(all map[string]entry) []entry {
	var list []entry
	for _, e := range all {
		list = append(list, e)
	}
	slices.SortFunc(list, func(a, b entry) int {
		if a.at.Line != b.at.Line {
			return a.at.Line - b.at.Line
		}
		return strings.Compare(a.key, b.key)
	})
	return list
}

// shown is a value on one line, not longer than a line may be, the chart's own version marked. Equal values may be shown differently: their maps in another order.
func shown(n *yaml.Node, o own) string {
	const most = 240
	var b strings.Builder
	var write func(n *yaml.Node)
	write = func(n *yaml.Node) {
		n = resolved(n)
		if b.Len() > most {
			return
		}
		switch {
		case isUnset(n):
			b.WriteString("null")
		case n.Kind == yaml.MappingNode:
			b.WriteString("{")
			for i, e := range inOrder(entries(n)) {
				if i > 0 {
					b.WriteString(", ")
				}
				b.WriteString(e.key + ": ")
				write(e.value)
			}
			b.WriteString("}")
		case n.Kind == yaml.SequenceNode:
			b.WriteString("[")
			for i, item := range n.Content {
				if i > 0 {
					b.WriteString(", ")
				}
				write(item)
			}
			b.WriteString("]")
		case n.ShortTag() == "!!str" && !unquoted.MatchString(n.Value):
			b.WriteString(strconv.Quote(o.unversioned(n.Value)))
		case n.ShortTag() == "!!str" && n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 && ambiguous(n.Value):
			b.WriteString(strconv.Quote(n.Value))
		default:
			b.WriteString(o.unversioned(n.Value))
		}
	}
	write(n)
	return shortened(b.String(), most)
}

var unquoted = regexp.MustCompile(`^[A-Za-z0-9/][A-Za-z0-9 ./:@_+=-]*$`)

// ambiguous tells whether a text would be something else without its quotes.
func ambiguous(text string) bool {
	return (&yaml.Node{Kind: yaml.ScalarNode, Value: text}).ShortTag() != "!!str"
}

// canonical is a text that two values share exactly if they are equal, whatever their order, quotes and comments.
func canonical(n *yaml.Node, o own) string {
	var b strings.Builder
	var write func(n *yaml.Node)
	write = func(n *yaml.Node) {
		n = resolved(n)
		switch {
		case isUnset(n):
			b.WriteString("null")
		case n.Kind == yaml.MappingNode:
			b.WriteString("{")
			all := entries(n)
			for _, key := range inOrderOf(all) {
				b.WriteString(strconv.Quote(key) + ":")
				write(all[key].value)
				b.WriteString(",")
			}
			b.WriteString("}")
		case n.Kind == yaml.SequenceNode:
			b.WriteString("[")
			for _, item := range n.Content {
				write(item)
				b.WriteString(",")
			}
			b.WriteString("]")
		case n.ShortTag() == "!!str":
			b.WriteString(strconv.Quote(o.unversioned(n.Value)))
		default:
			b.WriteString(n.ShortTag() + " " + strconv.Quote(o.unversioned(n.Value)))
		}
	}
	write(n)
	return b.String()
}

// valuesComparison collects what differs.
type valuesComparison struct {
	was, now chartValues
	findings []Finding
	removed  []moved // each with the finding that tells it
	added    []moved
}

// moved is a key that only one of the versions has, with what might tell where it went.
type moved struct {
	keys    []string
	value   *yaml.Node
	comment string
	finding int // of a removed one
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
		what := "the value KEY is gone: setting it does nothing any more"
		if refuses(c.now.schema, below(e.key)) {
			what = "the value KEY is gone: an upgrade that sets it is refused, as values.schema.json allows no other values than it names"
		}
		f := c.find(Breaking, below(e.key), "removed", what)
		f.Was, f.File, f.Line, f.Gone = shown(e.value, c.was.own), c.was.file, e.at.Line, true
		c.removed = append(c.removed, moved{below(e.key), e.value, c.was.comment(e.at.Line), len(c.findings) - 1})
	}
	for _, e := range inOrder(now) {
		if _, ok := was[e.key]; !ok {
			f := c.find(Info, below(e.key), "added", "there is a new value KEY")
			f.Now, f.File, f.Line = shown(e.value, c.now.own), c.now.file, e.at.Line
			c.new(below(e.key), e)
		}
	}
}

// new notes an added key and all below it, as what may have gone elsewhere.
func (c *valuesComparison) new(keys []string, e entry) {
	c.added = append(c.added, moved{keys: keys, value: e.value, comment: c.now.comment(e.at.Line)})
	if e.value.Kind == yaml.MappingNode && len(keys) < 20 {
		for _, child := range inOrder(entries(e.value)) {
			c.new(append(slices.Clip(keys), child.key), child)
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
		f = c.find(Breaking, keys, "type-changed", fmt.Sprintf("the value KEY is a %s now, and was a %s: whoever sets it must set it otherwise", now, was))
	case was == "list" && now == "list":
		f = c.find(Notable, keys, "default-changed", "the default of KEY is another list; whoever sets it replaces the whole of it")
	default:
		f = c.find(Notable, keys, "default-changed", "the default of KEY is another")
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

// comment is what stands right above a line, without the marks of a comment.
func (v *chartValues) comment(line int) string {
	var text []string
	for i := line - 2; i >= 0 && i < len(v.lines) && len(text) < 20; i-- {
		above, ok := strings.CutPrefix(strings.TrimSpace(v.lines[i]), "#")
		if !ok {
			break
		}
		text = append(text, strings.TrimSpace(above))
	}
	slices.Reverse(text)
	return strings.Join(text, " ")
}

// renamed puts a hint into what is removed, where exactly one added value looks like it.
func (c *valuesComparison) renamed() {
	const few = 50 // that share a name, a parent or a comment; more tell nothing
	like := map[string][]moved{}
	marks := func(m moved) []string {
		last := len(m.keys) - 1
		marks := []string{"name " + m.keys[last], "parent " + strings.Join(m.keys[:last], ".")}
		if m.comment != "" {
			marks = append(marks, "comment "+m.comment)
		}
		return marks
	}
	for _, m := range c.added {
		for _, mark := range marks(m) {
			like[mark] = append(like[mark], m)
		}
	}
	for _, gone := range c.removed {
		best, least, alone := moved{}, 2, false
		seen := map[string]bool{}
		for _, mark := range marks(gone) {
			candidates := like[mark]
			if len(candidates) > few {
				continue
			}
			for _, m := range candidates {
				if key := strings.Join(m.keys, "\x00"); !seen[key] {
					seen[key] = true
					switch score := c.alike(gone, m); {
					case score > least:
						best, least, alone = m, score, true
					case score == least:
						alone = false
					}
				}
			}
		}
		if alone {
			c.findings[gone.finding].Now = "now " + strings.Join(best.keys, ".") + "?"
		}
	}
}

// alike weighs what speaks for an added value being a removed one. Without an equal default nothing does.
func (c *valuesComparison) alike(gone, m moved) int {
	if kindOf(gone.value) != kindOf(m.value) {
		return 0
	}
	telling := false
	switch kindOf(gone.value) {
	case "map":
		was, now := entries(gone.value), entries(m.value)
		if !slices.Equal(inOrderOf(was), inOrderOf(now)) {
			return 0
		}
		telling = len(was) > 0
	default:
		if canonical(gone.value, c.was.own) != canonical(m.value, c.now.own) {
			return 0
		}
		telling = !slices.Contains([]string{"", "0", "true", "false", "null", "~"}, gone.value.Value) || len(gone.value.Content) > 0
	}
	score := 0
	add := func(points int, speaks bool) {
		if speaks {
			score += points
		}
	}
	was, now := gone.keys[len(gone.keys)-1], m.keys[len(m.keys)-1]
	lower, other := strings.ToLower(was), strings.ToLower(now)
	add(1, true)
	add(1, telling)
	add(2, was == now)
	add(1, slices.Equal(gone.keys[:len(gone.keys)-1], m.keys[:len(m.keys)-1]))
	add(2, gone.comment != "" && gone.comment == m.comment)
	add(1, was != now && (strings.Contains(lower, other) || strings.Contains(other, lower) || refusal.Nearest(was, []string{now}) != ""))
	return score
}
