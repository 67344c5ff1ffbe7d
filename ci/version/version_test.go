package version

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/operator-release/operator-release/ci/refusal"
)

func TestParse(t *testing.T) {
	for _, s := range []string{"v0.0.0", "v1.5.0", "v1.5.1", "v1.5.0-rc.0", "v10.20.30-rc.12"} {
		v, err := Parse(s)
		if err != nil || v.String() != s || v.SemVer() != s[1:] {
			t.Errorf("Parse(%q) = %q, %v", s, v, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for s, why := range map[string]string{
		"":                                  "it is empty",
		"1.5.0":                             `does not begin with "v"`,
		"v1.5":                              "2 numbers where three belong",
		"v1.5.0.0":                          "4 numbers",
		"v01.5.0":                           `"01" has a leading zero`,
		"v1.5.0-beta":                       `"-beta" is no candidate`,
		"v1.5.0-":                           `"-" is no candidate`,
		"v1.5.0+meta":                       "build metadata",
		"v1.5.0-rc.0+meta":                  "build metadata",
		"v1.5.0-rc.01":                      `"01" has a leading zero`,
		"v1.5.0-rc":                         `"-rc" is no candidate`,
		"v1..0":                             `"" is not a number`,
		"vx.5.0":                            `"x" is not a number`,
		" v1.5.0":                           "white space",
		"v1.5.0\n":                          "white space",
		"v99999999999999999999.0.0":         "too large",
		"v1.0.0-rc.99999999999999999999":    "too large",
		"v1.5.0" + strings.Repeat("0", 294): "300 characters",
	} {
		_, err := Parse(s)
		if err == nil || !refusal.Is(err) || !strings.Contains(err.Error(), why) {
			t.Errorf("Parse(%q): %v; want a refusal with %q", s, err, why)
		}
	}
}

func TestText(t *testing.T) {
	var v struct{ V Version }
	if err := json.Unmarshal([]byte(`{"V":"v1.5.0-rc.3"}`), &v); err != nil {
		t.Fatal(err)
	}
	if n, ok := v.V.Candidate(); n != 3 || !ok || v.V.Final().String() != "v1.5.0" {
		t.Errorf("got candidate %d %v of %s", n, ok, v.V.Final())
	}
	if v.V != MustParse("v1.5.0-rc.3") {
		t.Error("equal versions are not equal")
	}
	if out, _ := json.Marshal(v); string(out) != `{"V":"v1.5.0-rc.3"}` {
		t.Errorf("got %s", out)
	}
	if err := json.Unmarshal([]byte(`{"V":"1.5.0"}`), &v); err == nil {
		t.Error("a version without v was read")
	}
}

func TestPattern(t *testing.T) {
	v := MustParse("v1.5.1")
	for _, c := range []struct{ pattern, line, branch string }{
		{DefaultPattern, "1.5", "release-1.5"},
		{"release-{major}.x", "1", "release-1.x"},
		{"releases/v{major}-{minor}", "1.5", "releases/v1-5"},
	} {
		p, err := ParsePattern(c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		line, ok := p.LineOf(c.branch)
		if p.Line(v) != c.line || p.Branch(v) != c.branch || !ok || line != c.line {
			t.Errorf("%s: line %s, branch %s, back %s %v", c.pattern, p.Line(v), p.Branch(v), line, ok)
		}
		for _, other := range []string{"main", strings.Replace(c.branch, "1", "99999999999999999999", 1)} {
			if line, ok := p.LineOf(other); ok {
				t.Errorf("%s: %s is line %s", c.pattern, other, line)
			}
		}
	}
	for _, s := range []string{"", "release", "release-{minor}", "{minor}.{major}", "{major}{minor}", "r-{major}.{patch}", "r {major}", "-{major}", "r..{major}", "r/{major}/"} {
		if _, err := ParsePattern(s); err == nil || !refusal.Is(err) {
			t.Errorf("ParsePattern(%q): %v; want a refusal", s, err)
		}
	}
}

func TestFollow(t *testing.T) {
	minor, major := DefaultPattern, "release-{major}.x"
	for _, c := range []struct {
		pattern, existing, v string
		want                 string // previous version, or "!" and part of the refusal
	}{
		{minor, "", "v0.1.0", ""},
		{minor, "", "v1.5.0-rc.0", ""},
		{minor, "v0.1.0-rc.0", "v0.1.0-rc.1", "v0.1.0-rc.0"},
		{minor, "v0.1.0-rc.0", "v0.1.0-rc.2", "!next candidate of v0.1.0 is v0.1.0-rc.1"},
		{minor, "v0.1.0-rc.0", "v0.1.0", "v0.1.0-rc.0"},
		{minor, "v1.0.0-rc.1 v1.0.0-rc.2", "v1.0.0", "v1.0.0-rc.2"},
		{major, "v1.5.0-rc.0", "v1.5.0", "v1.5.0-rc.0"},
		{minor, "v1.5.3-rc.0", "v1.5.3", "v1.5.3-rc.0"},
		{minor, "v0.1.0-rc.0", "v0.2.0-rc.0", "!release v0.1.0 first, " +
			"because the first version is its candidate v0.1.0-rc.0"},
		{minor, "v0.1.0-rc.0", "v0.0.1", "!release v0.1.0 first, because the first version is its candidate v0.1.0-rc.0"},
		{minor, "v0.1.0-rc.0", "v0.1.1", "!release v0.1.0 first, because the first version is its candidate v0.1.0-rc.0"},
		{minor, "v0.1.0-rc.0 v0.1.0", "v0.2.0-rc.0", "v0.1.0"},
		{minor, "v0.1.0-rc.0 v0.1.0", "v1.0.0", "v0.1.0"},
		{minor, "v1.5.3", "v1.6.0", "v1.5.3"}, // a first version may be any
		{minor, "v1.4.0", "v1.5.0-rc.0", "v1.4.0"},
		{minor, "v1.4.0", "v1.5.0-rc.1", "v1.4.0"},
		{minor, "v1.4.0", "v1.5.0-rc.2", "!next candidate of v1.5.0 is v1.5.0-rc.0"},
		{minor, "v1.4.0 v1.5.0-rc.0", "v1.5.0-rc.1", "v1.5.0-rc.0"},
		{minor, "v1.4.0 v1.5.0-rc.0", "v1.5.0-rc.2", "!next candidate of v1.5.0 is v1.5.0-rc.1"},
		{minor, "v1.4.0 v1.5.0-rc.0 v1.5.0-rc.1", "v1.5.0", "v1.5.0-rc.1"},
		{minor, "v1.4.0 v1.4.1", "v1.5.0", "v1.4.1"},
		{minor, "v1.4.0 v1.5.0", "v1.5.0-rc.0", "!its final v1.5.0 is out already"},
		{minor, "v1.4.0 v1.5.0", "v1.5.1", "v1.5.0"},
		{minor, "v1.4.0 v1.5.0", "v1.5.2", "!v1.5.1 is not out"},
		{minor, "v1.4.0 v1.5.0-rc.0", "v1.5.1-rc.0", "!v1.5.0 is not out"},
		{minor, "v1.4.0 v1.5.0", "v1.4.1", "v1.4.0"},
		{minor, "v1.4.0 v1.5.0", "v1.7.0", "!v1.6.0 is not out"},
		{minor, "v1.4.0", "v2.0.0-rc.0", "v1.4.0"},
		{minor, "v1.4.0", "v3.0.0", "!no final version of v2 is out"},
		{minor, "v1.4.0 v1.5.0-rc.0", "v1.6.0-rc.0", "!v1.5.0 is not out"},
		{minor, "v1.4.0 v1.5.0", "v1.5.0", "v1.4.0"},
		{major, "v1.5.0 v1.5.1 v1.5.2 v1.5.3", "v1.6.0", "v1.5.3"},
		{major, "v1.5.0 v1.6.0", "v1.5.1", "!only the newest minor is patched"},
		{major, "v1.5.0 v1.6.0", "v1.6.1", "v1.6.0"},
		{major, "v1.5.0 v1.6.0-rc.0", "v1.5.1", "v1.5.0"},
	} {
		p, err := ParsePattern(c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		var existing []Version
		for _, s := range strings.Fields(c.existing) {
			existing = append(existing, MustParse(s))
		}
		place, err := p.Follow(existing, MustParse(c.v))
		if why, refused := strings.CutPrefix(c.want, "!"); refused {
			if err == nil || !refusal.Is(err) || !strings.Contains(err.Error(), why) {
				t.Errorf("%s after %q: %v; want a refusal with %q", c.v, c.existing, err, why)
			}
			continue
		}
		if err != nil || place.Previous.String() != c.want {
			t.Errorf("%s after %q: previous %q, %v; want %q", c.v, c.existing, place.Previous, err, c.want)
		}
		if place.Exists != strings.Contains(" "+c.existing+" ", " "+c.v+" ") {
			t.Errorf("%s after %q: exists %v", c.v, c.existing, place.Exists)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"v1.5.0", "v1.5.0-rc.0", "v01.5.0", "1.5", "v1.5.0-rc.01", "v1.5.0+meta"} {
		f.Add(s)
	}
	p, _ := ParsePattern(DefaultPattern)
	f.Fuzz(func(t *testing.T, s string) {
		v, err := Parse(s)
		if err != nil {
			if !refusal.Is(err) {
				t.Fatalf("Parse(%q): %v is no refusal", s, err)
			}
			return
		}
		if v.String() != s {
			t.Fatalf("Parse(%q) prints as %q", s, v)
		}
		if line, ok := p.LineOf(p.Branch(v)); !ok || line != p.Line(v) {
			t.Fatalf("line of %q is %q by its branch and %q by itself", s, line, p.Line(v))
		}
		if _, err := p.Follow([]Version{v}, v); err != nil {
			t.Fatal(err)
		}
	})
}

func TestFollowLine(t *testing.T) {
	for _, c := range []struct{ pattern, existing, line, refused string }{
		{DefaultPattern, "", "0.7", ""},
		{DefaultPattern, "1.4 1.3", "1.5", ""},
		{DefaultPattern, "1.9 1.10", "1.11", ""},
		{DefaultPattern, "1.4", "2.0", ""},
		{DefaultPattern, "1.4", "1.6", "the newest line is 1.4, so the next is 1.5 or 2.0"},
		{DefaultPattern, "1.4", "2.1", "so the next is 1.5 or 2.0"},
		{DefaultPattern, "1.4 2.0", "1.5", "the newest line is 2.0"},
		{DefaultPattern, "1.4", "1", "a line is written X.Y"},
		{DefaultPattern, "1.4", "v1.5", "a line is written X.Y"},
		{DefaultPattern, "1.4", "01.5", "a line is written X.Y"},
		{DefaultPattern, "1.4", "99999999999999999999.0", "out of range"},
		{"release-{major}.x", "1", "2", ""},
		{"release-{major}.x", "1", "3", "so the next is 2"},
		{"release-{major}.x", "1", "2.0", "a line is written X, such as 1"},
	} {
		p, err := ParsePattern(c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		err = p.FollowLine(strings.Fields(c.existing), c.line)
		if (err == nil) != (c.refused == "") || err != nil && (!refusal.Is(err) || !strings.Contains(err.Error(), c.refused)) {
			t.Errorf("%s after %s by %s: %v", c.line, c.existing, c.pattern, err)
		}
	}
	if p, _ := ParsePattern(DefaultPattern); !p.LineLess("1.9", "1.10") || p.LineLess("2.0", "1.10") || p.LineLess("1.5", "1.5") {
		t.Error("lines are not in order")
	}
}

// TestSince: which version's notes another one's stand on. Candidates roll up into their final.
func TestSince(t *testing.T) {
	for _, c := range []struct{ pattern, existing, version, since string }{
		{DefaultPattern, "", "v1.0.0", ""},
		{DefaultPattern, "v1.4.0 v1.4.1", "v1.5.0-rc.0", "v1.4.1"},
		{DefaultPattern, "v1.4.0 v1.4.1 v1.5.0-rc.0", "v1.5.0-rc.1", "v1.5.0-rc.0"},
		{DefaultPattern, "v1.4.0 v1.4.1 v1.5.0-rc.0 v1.5.0-rc.1", "v1.5.0", "v1.4.1"},
		{DefaultPattern, "v1.5.0-rc.0 v1.5.0", "v1.5.1-rc.0", "v1.5.0"},
		{DefaultPattern, "v1.5.0 v1.5.1-rc.0", "v1.5.1", "v1.5.0"},
		{DefaultPattern, "v1.4.0 v1.5.0 v1.6.0", "v1.5.1", "v1.5.0"},
		{"release-{major}.x", "v1.5.0 v1.5.3", "v1.6.0-rc.0", "v1.5.3"},
		{"release-{major}.x", "v1.9.0", "v2.0.0", "v1.9.0"},
	} {
		p, err := ParsePattern(c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		var existing []Version
		for text := range strings.FieldsSeq(c.existing) {
			existing = append(existing, MustParse(text))
		}
		place, err := p.Follow(existing, MustParse(c.version))
		if err != nil || place.Since.String() != c.since {
			t.Errorf("%s after %s: since %s, %v", c.version, c.existing, place.Since, err)
		}
	}
}
