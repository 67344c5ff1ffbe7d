package compare

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/tools/txtar"

	"github.com/operator-release/operator-release/ci/refusal"
)

const chartYAML = "name: operator\nversion: %s\nappVersion: v%[1]s\n"

// chartTree is a tree whose chart o is of a version; what is no file of it is its values.yaml.
func chartTree(version, files string) fstest.MapFS {
	tree := fstest.MapFS{"o/Chart.yaml": {Data: fmt.Appendf(nil, chartYAML, version)}}
	parsed := txtar.Parse([]byte(files))
	tree["o/values.yaml"] = &fstest.MapFile{Data: parsed.Comment}
	for _, f := range parsed.Files {
		tree["o/"+f.Name] = &fstest.MapFile{Data: f.Data}
	}
	return tree
}

// told are findings on a line each, without what they say.
func told(findings []Finding) []string {
	var lines []string
	for _, f := range findings {
		line := fmt.Sprintf("%s %s", f.Severity, f.ID)
		if f.Was != "" || f.Now != "" {
			line += fmt.Sprintf(" [%s|%s]", f.Was, f.Now)
		}
		if f.Line > 0 {
			line += fmt.Sprintf(" %d", f.Line)
		}
		if f.Gone {
			line += " gone"
		}
		lines = append(lines, line)
	}
	return lines
}

func sameTold(t *testing.T, got []Finding, want []string) {
	t.Helper()
	if lines := told(got); !slices.Equal(lines, want) {
		t.Errorf("told\n\t%s\nnot\n\t%s", strings.Join(lines, "\n\t"), strings.Join(want, "\n\t"))
	}
	ids := map[string]bool{}
	for _, f := range got {
		if ids[f.ID] {
			t.Errorf("%s twice", f.ID)
		}
		ids[f.ID] = true
		if f.What == "" || strings.HasSuffix(f.What, ".") || strings.Contains(f.What, "KEY") || f.File == "" {
			t.Errorf("%+v", f)
		}
	}
}

func TestChartValues(t *testing.T) {
	for name, test := range map[string]struct {
		older, newer string
		there, back  []string // findings from older to newer, and from newer to older
	}{
		"nothing": {"a: 1\nb: [x]\n", "# said\nb: ['x']\n\n\"a\": 1\n", nil, nil},
		"a key": {"a: {b: 1}\n", "a: {b: 1, c.d/e: x}\n",
			[]string{"info values/operator/a.c.d-e/added [|x] 1"},
			[]string{"breaking values/operator/a.c.d-e/removed [x|] 1 gone"}},
		"a branch": {"a:\n  b: 1\n", "a:\n  b: 1\n  c:\n    d: [1, {e: '2'}]\n",
			[]string{`info values/operator/a.c/added [|{d: [1, {e: "2"}]}] 3`},
			[]string{`breaking values/operator/a.c/removed [{d: [1, {e: "2"}]}|] 3 gone`}},
		"a default": {"a: 1\nb: x\n", "a: 2\nb: ''\n",
			[]string{"notable values/operator/a/default-changed [1|2] 1", `notable values/operator/b/default-changed [x|""] 2`},
			[]string{"notable values/operator/a/default-changed [2|1] 1", `notable values/operator/b/default-changed [""|x] 2`}},
		"text and number":  {"a: '1'\n", "a: 1\n", []string{`notable values/operator/a/default-changed ["1"|1] 1`}, []string{`notable values/operator/a/default-changed [1|"1"] 1`}},
		"as Helm reads it": {"a: off\nb: [Yes, 010, 1_000, 1.0]\nc: {on: 1}\n", "a: false\nb: [true, 8, 1000, 1]\nc: {'true': 1}\n", nil, nil},
		"off and its text": {"a: off\nb: {c: 'n'}\n", "a: \"off\"\nb: {c: n}\n",
			[]string{`notable values/operator/a/default-changed [false|"off"] 1`, `notable values/operator/b.c/default-changed ["n"|false] 2`},
			[]string{`notable values/operator/a/default-changed ["off"|false] 1`, `notable values/operator/b.c/default-changed [false|"n"] 2`}},
		"a list": {"a: [x]\n", "a: [x, z]\n", []string{"notable values/operator/a/default-changed [[x]|[x, z]] 1"}, []string{"notable values/operator/a/default-changed [[x, z]|[x]] 1"}},
		"what it is": {"a: []\nb: {x: 1}\nc: 1\nd: ~\n", "a: {}\nb: 1\nc: [1]\nd: {x: 1}\n",
			[]string{"breaking values/operator/a/type-changed [[]|{}] 1", "breaking values/operator/b/type-changed [{x: 1}|1] 2", "breaking values/operator/c/type-changed [1|[1]] 3",
				"notable values/operator/d/default-changed [null|{x: 1}] 4"},
			[]string{"breaking values/operator/a/type-changed [{}|[]] 1", "breaking values/operator/b/type-changed [1|{x: 1}] 2", "breaking values/operator/c/type-changed [[1]|1] 3",
				"notable values/operator/d/default-changed [{x: 1}|null] 4"}},
		"maps for anything": {"env: {}\npodSecurityContext: {runAsUser: 1}\nresources: {limits: {cpu: 1}}\ncommonLabels: {a: b}\n",
			"env: {a: b, c: d}\npodSecurityContext: {fsGroup: 1}\nresources: {requests: {cpu: 1}}\ncommonLabels: {c: d}\n",
			[]string{"notable values/operator/commonLabels/default-changed [{a: b}|{c: d}] 4", "notable values/operator/env/default-changed [{}|{a: b, c: d}] 1",
				"notable values/operator/podSecurityContext/default-changed [{runAsUser: 1}|{fsGroup: 1}] 2", "notable values/operator/resources/default-changed [{limits: {cpu: 1}}|{requests: {cpu: 1}}] 3"},
			[]string{"notable values/operator/commonLabels/default-changed [{c: d}|{a: b}] 4", "notable values/operator/env/default-changed [{a: b, c: d}|{}] 1",
				"notable values/operator/podSecurityContext/default-changed [{fsGroup: 1}|{runAsUser: 1}] 2", "notable values/operator/resources/default-changed [{requests: {cpu: 1}}|{limits: {cpu: 1}}] 3"}},
		"resources of the chart's own": {"resources: {a: 1}\n", "resources: {a: 1, b: 2}\n", []string{"info values/operator/resources.b/added [|2] 1"}, []string{"breaking values/operator/resources.b/removed [2|] 1 gone"}},
		"the chart's own version":      {"image: {tag: v1.4.0, full: docker.io/o:1.4.0-alpine}\nhook: {imageTag: ''}\n", "image: {tag: '', full: docker.io/o:1.5.0-alpine}\nhook: {imageTag: 1.5.0}\n", nil, nil},
		"a tag of another version": {"tag: 1.4.0\nother: 1.4.0\n", "tag: 1.3.9\nother: ''\n",
			[]string{`notable values/operator/other/default-changed [{version}|""] 2`, "notable values/operator/tag/default-changed [{version}|1.3.9] 1"},
			[]string{`notable values/operator/other/default-changed [""|{version}] 2`, "notable values/operator/tag/default-changed [1.3.9|{version}] 1"}},
		"another name": {"a:\n  # Where jobs run.\n  jobNamespaces: [default]\n", "a:\n  x: 1\nspark:\n  # Where jobs run.\n  jobNamespaces: [default]\n",
			[]string{"breaking values/operator/a.jobNamespaces/removed [[default]|now spark.jobNamespaces?] 3 gone", "info values/operator/a.x/added [|1] 2", "info values/operator/spark/added [|{jobNamespaces: [default]}] 3"},
			[]string{"breaking values/operator/a.x/removed [1|] 2 gone", "breaking values/operator/spark/removed [{jobNamespaces: [default]}|] 3 gone", "info values/operator/a.jobNamespaces/added [|[default]] 3"}},
		"another spelling": {"a: {enabled: false}\n", "a: {enable: false}\n",
			[]string{"breaking values/operator/a.enabled/removed [false|now a.enable?] 1 gone", "info values/operator/a.enable/added [|false] 1"},
			[]string{"breaking values/operator/a.enable/removed [false|now a.enabled?] 1 gone", "info values/operator/a.enabled/added [|false] 1"}},
		"two that it may be now": {"x: 1\na: {port: 80}\n", "x: 1\nb: {port: 80}\nc: {port: 80}\n",
			[]string{"breaking values/operator/a/removed [{port: 80}|] 2 gone", "info values/operator/b/added [|{port: 80}] 2", "info values/operator/c/added [|{port: 80}] 3"},
			[]string{"breaking values/operator/b/removed [{port: 80}|now a?] 2 gone", "breaking values/operator/c/removed [{port: 80}|now a?] 3 gone", "info values/operator/a/added [|{port: 80}] 2"}},
		"nothing alike": {"verbose: false\n", "dashboard: false\n", []string{"breaking values/operator/verbose/removed [false|] 1 gone", "info values/operator/dashboard/added [|false] 1"},
			[]string{"breaking values/operator/dashboard/removed [false|] 1 gone", "info values/operator/verbose/added [|false] 1"}},
		"aliases and merges": {"d: &d {a: 1, b: 2}\nx: {<<: *d, b: 3}\ny: *d\n", "d: {a: 1, b: 2}\nx: {a: 1, b: 3}\ny: {a: 1, b: 2}\n", nil, nil},
		"a key twice":        {"a: 1\na: 2\n", "a: 2\n", nil, nil},
		"two documents":      {"a: 1\n---\nb: 2\n", "a: 1\nb: 2\n", nil, nil},
		"no values":          {"", "~\n", nil, nil},
		"a schema": {"a: 1\n", "a: 1\n-- values.schema.json --\n{\"type\": \"object\"}\n",
			[]string{"notable values/operator/(root)/schema-added 1"}, []string{"info values/operator/(root)/schema-removed 1 gone"}},
		"a closed schema": {"a: 1\n", "a: 1\n-- values.schema.json --\n{\"properties\": {\"b\": {\"$ref\": \"#/$defs/b\"}},\n\"$defs\": {\"b\": {\"additionalProperties\": false}}}\n",
			[]string{"breaking values/operator/(root)/schema-added 1"}, []string{"info values/operator/(root)/schema-removed 1 gone"}},
		"required": {"a: 1\n-- values.schema.json --\n{}", "a: 1\n-- values.schema.json --\n{\n\"required\": [\n\"a\",\n\"b\"]}",
			[]string{"breaking values/operator/b/required 4", "info values/operator/a/required 3"}, []string{"info values/operator/a/optional 1", "info values/operator/b/optional 1"}},
		"types": {"-- values.schema.json --\n{\"properties\": {\"a\": {\"type\": \"number\"}, \"b\": {}, \"c\": {\"items\": {\"type\": [\"string\", \"null\"]}}}}",
			"-- values.schema.json --\n{\"properties\":\n{\"a\": {\"type\": \"integer\"},\n\"b\": {\"type\": \"string\"},\n\"c\": {\"items\": {\"type\": \"string\"}}}}",
			[]string{"breaking values/operator/a/type-narrowed [integer, number|integer] 2", "breaking values/operator/b/type-narrowed [|string] 3", "breaking values/operator/c.[]/type-narrowed [null, string|string] 4"},
			[]string{"info values/operator/a/type-widened [integer|integer, number] 1", "info values/operator/b/type-widened [string|] 1", "info values/operator/c.[]/type-widened [string|null, string] 1"}},
		"enums, bounds and patterns": {"-- values.schema.json --\n{\"properties\": {\"a\": {\"enum\": [\"x\", \"y\"], \"minimum\": 1, \"maximum\": 3}}}",
			"-- values.schema.json --\n{\"properties\": {\"a\": {\"const\": \"x\", \"minimum\": 2, \"maximum\": 4, \"pattern\": \"^x\"}}}",
			[]string{`breaking values/operator/a/enum-narrowed ["x", "y"|"x"] 1`, "breaking values/operator/a/minimum-narrowed [1|2] 1", `notable values/operator/a/pattern-changed [|"^x"] 1`,
				"info values/operator/a/maximum-widened [3|4] 1"},
			[]string{"breaking values/operator/a/maximum-narrowed [4|3] 1", `info values/operator/a/enum-widened ["x"|"x", "y"] 1`, "info values/operator/a/minimum-widened [2|1] 1",
				`info values/operator/a/pattern-widened ["^x"|] 1`}},
		"closed": {"a: {b: 1}\n-- values.schema.json --\n{\"properties\": {\"a\": {}, \"hidden\": {}}}", "a: {c: 2}\n-- values.schema.json --\n{\"additionalProperties\": false, \"properties\": {\"a\": {\"additionalProperties\": false, \"properties\": {\"c\": {}}}}}",
			[]string{"breaking values/operator/(root)/closed 1", "breaking values/operator/a.b/removed [1|] 1 gone", "breaking values/operator/a/closed 1", "breaking values/operator/hidden/removed 1 gone", "info values/operator/a.c/added [|2] 1"},
			[]string{"breaking values/operator/a.c/removed [2|] 1 gone", "info values/operator/(root)/opened 1", "info values/operator/a.b/added [|1] 1", "info values/operator/a/opened 1"}},
		"other values": {"-- values.schema.json --\n{\"properties\": {\"a\": {\"additionalProperties\": true}}}", "-- values.schema.json --\n{\"properties\": {\"a\": {\"additionalProperties\": {\"type\": \"string\"}}}}",
			[]string{"breaking values/operator/a/closed 1"}, []string{"info values/operator/a/opened 1"}},
		"a schema that refers to itself": {"-- values.schema.json --\n{\"$ref\": \"#/$defs/a\", \"$defs\": {\"a\": {\"properties\": {\"a\": {\"$ref\": \"#/$defs/a\"}}}}}",
			"-- values.schema.json --\n{\"$ref\": \"#/$defs/a\", \"$defs\": {\"a\": {\"type\": \"object\", \"properties\": {\"a\": {\"$ref\": \"#/$defs/a\"}}}}}",
			[]string{"breaking values/operator/(root)/type-narrowed [|object] 1"}, []string{"info values/operator/(root)/type-widened [object|] 1"}},
	} {
		t.Run(name, func(t *testing.T) {
			older, newer := chartTree("1.4.0", test.older), chartTree("1.5.0", test.newer)
			there, err := ChartValues(older, "o", newer, "o")
			if err != nil {
				t.Fatal(err)
			}
			sameTold(t, there, test.there)
			back, err := ChartValues(newer, "o", older, "o")
			if err != nil {
				t.Fatal(err)
			}
			sameTold(t, back, test.back)
		})
	}
}

func TestRemovedValueIsRefused(t *testing.T) {
	const schema = "-- values.schema.json --\n{\"properties\": {\"a\": {\"additionalProperties\": false, \"patternProperties\": {\"^x\": {}}}}}"
	found, err := ChartValues(chartTree("1.4.0", "a: {b: 1, x1: 1, d: 0}\n"+schema), "o", chartTree("1.4.0", "a: {d: 0}\n"+schema), "o")
	if err != nil || len(found) != 2 || !strings.Contains(found[0].What, "a.b is gone: values.schema.json refuses an upgrade that sets it") || !strings.Contains(found[1].What, "setting it has no effect") {
		t.Errorf("%+v, %v", found, err)
	}
}

func TestWrongValues(t *testing.T) {
	good := chartTree("1.5.0", "a: 1\n")
	for name, test := range map[string]struct{ files, says string }{
		"no YAML":         {"a: b: c\n", "read o/values.yaml of the older version: yaml: "},
		"a list":          {"# x\n- a\n", "o/values.yaml of the older version: line 2 begins a list"},
		"itself":          {"a: &a [*a]\n", "line 1 holds unfolds to more than"},
		"too much":        {"a: &a [" + strings.Repeat("1,", 1000) + "1]\nb: &b [" + strings.Repeat("*a,", 1000) + "1]\nc: [*b,*b]\n", "unfolds to more than"},
		"no JSON":         {"-- values.schema.json --\n{\n\"a\": }\n", "o/values.schema.json of the older version: line 2: invalid character"},
		"no schema":       {"-- values.schema.json --\n[]\n", "it is a list, and no schema"},
		"no chart's":      {"-- Chart.yaml --\nversion: 1\n", "read o/Chart.yaml of the older version: it is no chart's: it has no name"},
		"no chart at all": {"-- Chart.yaml --\n[\n", "read o/Chart.yaml of the older version: it is no chart's: yaml: "},
	} {
		if _, err := ChartValues(chartTree("1.4.0", test.files), "o", good, "o"); !refusal.Is(err) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ChartValues(good, "o", fstest.MapFS{}, "o"); !refusal.Is(err) || !strings.Contains(err.Error(), "the newer version has no o/Chart.yaml") {
		t.Errorf("%v", err)
	}
}

func TestUnversioned(t *testing.T) {
	o := ownOf("1.5.0", "v1.5.0-rc.0+a")
	for text, want := range map[string]string{
		"operator-1.5.0": "operator-{version}", "v1.5.0": "v{version}", "x:1.5.0@y, 1.5.0": "x:{version}@y, {version}", "1.5.0-rc.0_a": "{version}", "v1.5.0-rc.0+a": "v{version}",
		"11.5.0": "11.5.0", "1.5.01": "1.5.01", "1.5.0.1": "1.5.0.1", "o-1.5.0.tgz": "o-{version}.tgz", "2.1.5.0": "2.1.5.0", "": "",
	} {
		if got := o.unversioned(text); got != want {
			t.Errorf("%q is %q, not %q", text, got, want)
		}
	}
	if o := ownOf("1", "v2.0"); o.unversioned("1") != "1" || o.unversioned("v2.0") != "v{version}" || o.unversioned("x-2.0") != "x-2.0" {
		t.Error(o)
	}
}

func FuzzChartValues(f *testing.F) {
	f.Add([]byte("a: 1\nb: {c: [x]}\n"), []byte("{}"))
	f.Add([]byte("a: &a {b: 1}\nc: {<<: *a}\nd: [*a, *a]\n"), []byte(`{"$ref": "#/$defs/a", "$defs": {"a": {"properties": {"a": {"$ref": "#"}}}}}`))
	f.Add([]byte("? [a]\n: b\n"), []byte(`{"additionalProperties": false, "required": ["a"], "enum": [1]}`))
	f.Add([]byte("a: &a [*a]\n"), []byte("true"))
	f.Add([]byte("- x\n---\n"), []byte(`{"minimum": "NaN", "type": ["a", 1, {}]}`))
	f.Add([]byte(strings.Repeat("{a: ", 2000)+strings.Repeat("}", 2000)), []byte(strings.Repeat("[", 2000)))
	f.Add([]byte("a: .nan\nb: !!binary x\n<<: [1, {a: 2}]\n"), []byte("\"\\ud83d\""))
	other := "a: {x: 1}\nb: [1]\nc:\n  # Said.\n  d: x\n-- values.schema.json --\n" +
		`{"properties": {"a": {"type": "object"}, "b": {"enum": [1]}}, "required": ["c"]}`
	f.Fuzz(func(t *testing.T, values, schema []byte) {
		tree := chartTree("1.5.0", "")
		tree["o/values.yaml"] = &fstest.MapFile{Data: values}
		tree["o/values.schema.json"] = &fstest.MapFile{Data: schema}
		found, err := ChartValues(tree, "o", tree, "o")
		if err != nil {
			if !refusal.Is(err) {
				t.Error(err)
			}
			return
		}
		if len(found) > 0 {
			t.Errorf("compared with itself: %+v", found)
		}
		for _, trees := range [][2]fstest.MapFS{{tree, chartTree("1.4.0", other)}, {chartTree("1.4.0", other), tree}} {
			if _, err := ChartValues(trees[0], "o", trees[1], "o"); err != nil {
				t.Error(err)
			}
		}
	})
}
