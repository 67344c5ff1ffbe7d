package surface

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"go.yaml.in/yaml/v3"

	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/version"
)

// TestCatchIsOneVersion: a group that catches less or more than one version is refused, with the line, the catch, and a
// pattern that catches whole versions in the same file.
func TestCatchIsOneVersion(t *testing.T) {
	for _, c := range []struct{ expr, content, catch, because, right string }{
		{`pi:v(\d+\.\d+\.\d+)`, "x\ndocker pull pi:v1.5.0-rc.0\n", "1.5.0", `is a part of "v1.5.0-rc.0"`,
			`pi:(v?\d+\.\d+\.\d+(?:-rc\.\d+)?)`},
		{`--version (\d+\.\d+\.\d+)`, "--version 1.5.0-rc.0\n", "1.5.0", `is a part of "1.5.0-rc.0"`,
			`--version (v?\d+\.\d+\.\d+(?:-rc\.\d+)?)`},
		{`"version": (\S+)`, `{"version": "1.5.0", "x": 1}`, `"1.5.0",`, "is not exactly one version",
			`"version": "(v?\d+\.\d+\.\d+(?:-rc\.\d+)?)`},
		{`--version (\S+)`, "run `helm install --version 1.5.0`\n", "1.5.0`", "is not exactly one version",
			`--version (v?\d+\.\d+\.\d+(?:-rc\.\d+)?)`},
		{`install (\S+)`, "Please install 1.5.0.\n", "1.5.0.", "is not exactly one version",
			`install (v?\d+\.\d+\.\d+(?:-rc\.\d+)?)`},
		{`=(.*)`, "VERSION=1.5.0 # now\n", "1.5.0 # now", "is not exactly one version",
			`=(v?\d+\.\d+\.\d+(?:-rc\.\d+)?)`},
		{`(\d\.\d\.\d)`, "VERSION=11.5.0\n", "1.5.0", `is a part of "11.5.0"`, `(v?\d+\.\d+\.\d+(?:-rc\.\d+)?)`},
		{`version = "(\d+\.\d+\.\d+)`, "version = \"2.3.0rc3\"\n", "2.3.0", `is a part of "2.3.0rc3"`,
			`version = "(v?\d+\.\d+\.\d+(?:rc\d+)?)`},
		{`version = (?P<is>"[^"]*")`, "version = \"2.3.0\"\n", `"2.3.0"`, "is not exactly one version", `version = "(v?`},
		{`pi ([0-9.]+)`, "pi 1.5.0.2\n", "1.5.0.2", "is not exactly one version", ""},
		{`pi (\d+\.\d+\.\d+)`, "pi 1.5.0.2\n", "1.5.0", `is a part of "1.5.0.2"`, ""},
		{`a=(\d+\.\d+\.\d+)`, "a=1.0.0_beta\n", "1.0.0", `is a part of "1.0.0_beta"`, ""},
		{`a=([0-9.]+)`, "a=1.0.0~rc1\n", "1.0.0", `is a part of "1.0.0~rc1"`, ""},
		{`a=([0-9.]+)`, "a=1.0.0-SNAPSHOT.tgz\n", "1.0.0", `is a part of "1.0.0-SNAPSHOT.tgz"`, ""},
		{`a=(\d+\.\d+\.\d+)`, "a=1.0.0.dev\n", "1.0.0", `is a part of "1.0.0.dev"`, ""},
		{`a=(\d+\.\d+\.\d+)`, "a=1.0.0-5-gabcdef0-linux\n", "1.0.0", `is a part of "1.0.0-5-gabcdef0-linux"`, ""},
		{`a=(\d+\.\d+\.\d+)`, "a=1.0.0-other\n", "1.0.0", `is a part of "1.0.0-other"`, ""},
		{`a=(\d+\.\d+\.\d+)-beta`, "a=1.0.0-beta\n", "1.0.0", `is a part of "1.0.0-beta"`, ""},
		{`pi (\S+)`, "pi main\n", "main", "is not exactly one version", ""},
		{`pi (\S+)`, "pi 1.5.0+build\n", "1.5.0+build", "is not exactly one version", ""},
		{`pi (\S+)`, "pi v1.5.0-beta.1\n", "v1.5.0-beta.1", "is not exactly one version", ""},
	} {
		s := Surface{Path: "file", locate: pattern(c.expr)}
		_, err := s.Read([]byte(c.content))
		if !refusal.Is(err) {
			t.Errorf("%q in %q: %v; want a refusal", c.expr, c.content, err)
			continue
		}
		said := err.Error()
		line := 1 + strings.Count(c.content[:strings.Index(c.content, c.catch)], "\n")
		for _, part := range []string{c.because, "read the version in file: line " + string(rune('0'+line)) + ": "} {
			if !strings.Contains(said, part) {
				t.Errorf("%q in %q: %v; want %q", c.expr, c.content, err, part)
			}
		}
		_, right, ok := strings.Cut(said, "this pattern is right: ")
		if c.right == "" && !ok && strings.Contains(said, "no pattern fits") {
			continue
		}
		if !ok || c.right == "" || !strings.Contains(right, c.right) {
			t.Errorf("%q in %q advises %q; want %q", c.expr, c.content, right, c.right)
			continue
		}
		s.locate = pattern(right)
		for _, v := range []string{"v9.8.7-rc.6", "v9.8.7"} {
			got, err := s.Edit([]byte(c.content), version.MustParse(v), nil)
			if err != nil || strings.Contains(string(got), "5.0") || strings.Contains(string(got), "2.3.0") {
				t.Errorf("%q advises %q, which makes %q: %v", c.expr, right, got, err)
			}
		}
	}
}

// TestPatternThatCatchesOneVersion: whole versions are taken, in the form that the place uses.
func TestPatternThatCatchesOneVersion(t *testing.T) {
	for _, c := range []struct{ expr, before, after string }{
		{`pi:(\S+)`, "image: pi:v1.4.0\n", "image: pi:v1.5.0-rc.2\n"},
		{`pi-(\S+)\.tgz`, "https://x/pi-1.4.0.tgz\n", "https://x/pi-1.5.0-rc.2.tgz\n"},
		{`pi_([^_]+)_`, "pi_1.4.0_linux.tar.gz\n", "pi_1.5.0-rc.2_linux.tar.gz\n"},
		{`pi-(v?\d+\.\d+\.\d+(?:-rc\.\d+)?)`, "pi-1.4.0-linux-amd64.tar.gz\n", "pi-1.5.0-rc.2-linux-amd64.tar.gz\n"},
		{`pi-(v?\d+\.\d+\.\d+(?:-rc\.\d+)?)`, "pi-v1.4.0-rc.1-Darwin.zip\n", "pi-v1.5.0-rc.2-Darwin.zip\n"},
		{`pi:(v?\d+\.\d+\.\d+(?:-rc\.\d+)?)`, "pi:v1.4.0-debug\n", "pi:v1.5.0-rc.2-debug\n"},
		{`pi:(v?\d+\.\d+\.\d+(?:-rc\.\d+)?)`, "pi:1.4.0-scala2.12-java17\n", "pi:1.5.0-rc.2-scala2.12-java17\n"},
		{`pi-(v?\d+\.\d+\.\d+(?:-rc\.\d+)?)`, "pi-1.4.0_checksums.txt\n", "pi-1.5.0-rc.2_checksums.txt\n"},
		{`pi-(.+?)-enterprise`, "pi-1.4.0-enterprise.zip\n", "pi-1.5.0-rc.2-enterprise.zip\n"},
		{`download/([^/]+)/`, "download/v1.4.0-rc.1/install.yaml\n", "download/v1.5.0-rc.2/install.yaml\n"},
		{`version="([^"]+)"`, `version="2.3.0rc3"`, `version="1.5.0rc2"`},
		{`version="([^"]+)"`, `version="2.3.0.rc3"`, `version="1.5.0.rc2"`},
		{`install (v?\d+\.\d+\.\d+(?:-rc\.\d+)?)`, "Please install 1.4.0. Then\n", "Please install 1.5.0-rc.2. Then\n"},
		{`badge/version-(.+?)-blue`, "![](https://img.shields.io/badge/version-v1.4.0-blue)",
			"![](https://img.shields.io/badge/version-v1.5.0--rc.2-blue)"},
	} {
		s := Surface{Path: "file", locate: pattern(c.expr)}
		got, err := s.Edit([]byte(c.before), version.MustParse("v1.5.0-rc.2"), nil)
		if err != nil || string(got) != c.after {
			t.Errorf("%q makes %q of %q: %v", c.expr, got, c.before, err)
		}
	}
}

// TestPatternThatTakesNoCandidate: the refusal names a pattern that takes candidates and finals, and nothing of YAML.
func TestPatternThatTakesNoCandidate(t *testing.T) {
	for _, c := range []struct{ expr, content, because, right string }{
		{`a=(\d+\.\d+\.\d+)`, "a=1.4.0\n", `catches "1.5.0", and that is a part of "1.5.0-rc.2"`,
			`a=(v?\d+\.\d+\.\d+(?:-rc\.\d+)?)`},
		{`pi-(\d+\.\d+\.\d+)-linux`, "pi-1.4.0-linux\n", "matches nothing in it", `pi-(v?\d+\.\d+\.\d+(?:-rc\.\d+)?)-linux`},
		{`(\d+\.\d+\.\d+)$`, "1.4.0", "matches nothing in it", `(v?\d+\.\d+\.\d+(?:-rc\.\d+)?)$`},
	} {
		tree := fstest.MapFS{"a.txt": {Data: []byte(c.content)}}
		found, err := Find(tree, config.Config{Surfaces: []config.Surface{{Path: "a.txt", Pattern: c.expr}}})
		if err != nil || len(found) != 1 {
			t.Fatal(found, err)
		}
		_, err = found[0].Edit([]byte(c.content), version.MustParse("v1.5.0-rc.2"), nil)
		if !refusal.Is(err) {
			t.Errorf("%s: %v; want a refusal", c.expr, err)
			continue
		}
		said := err.Error()
		if !strings.Contains(said, c.because) || !strings.HasSuffix(said, "; this pattern is right: "+c.right) ||
			strings.Contains(said, "scalar") || strings.Count(said, "correct ") != 1 {
			t.Errorf("%s: %v", c.expr, err)
		}
	}
}

// TestPatternsOfOurOwn: each pattern in README and the profiles catches whole versions, with any text behind them.
func TestPatternsOfOurOwn(t *testing.T) {
	var texts []string
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(readme), -1) {
		texts = append(texts, block[1])
	}
	profiles, err := filepath.Glob("../config/profiles/*.yaml")
	if err != nil || len(profiles) == 0 {
		t.Fatal(profiles, err)
	}
	for _, name := range profiles {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(content))
	}
	tried := 0
	for _, text := range texts {
		var settings struct{ Surfaces []struct{ Pattern string } }
		if yaml.Unmarshal([]byte(text), &settings) != nil {
			continue // a fragment
		}
		for _, s := range settings.Surfaces {
			if s.Pattern == "" {
				continue
			}
			before, _ := aroundGroup(s.Pattern)
			for _, now := range []string{"1.4.0", "v1.4.0", "1.4.0-rc.1", "v1.4.0-rc.1"} {
				for _, behind := range []string{"", "\n", "`", `"`, "'", ",", ")", ".", " \\\n"} {
					tried++
					content := before + now + behind
					place := Surface{Path: "file", locate: pattern(s.Pattern)}
					for _, v := range []string{"v1.5.0-rc.0", "v1.5.0"} {
						want := before + Form{V: now[0] == 'v'}.Write(version.MustParse(v)) + behind
						got, err := place.Edit([]byte(content), version.MustParse(v), nil)
						if err != nil || string(got) != want {
							t.Errorf("%s makes %q of %q, want %q: %v", s.Pattern, got, content, want, err)
						}
						content = string(got)
					}
				}
			}
		}
	}
	if tried == 0 {
		t.Error("README names no pattern")
	}
}
