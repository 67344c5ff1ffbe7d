package changelog

import (
	"bytes"
	"strings"
	"testing"

	"github.com/operator-release/operator-release/ci/version"
)

func TestEnter(t *testing.T) {
	const section = "## v1.5.0 (2026-03-01)\n\n### Fixes\n\n- b\n"
	for name, test := range map[string]struct{ before, version, after string }{
		"an empty one":   {"", "v1.5.0", "# Changelog\n\n" + section},
		"a title":        {"# Changes\n", "v1.5.0", "# Changes\n\n" + section},
		"no end of line": {"# Changes", "v1.5.0", "# Changes\n\n" + section},
		"before the version before": {"# Changes\n\n## [v1.4.1](https://x) (2026-02-01)\n\n- a\n", "v1.5.0",
			"# Changes\n\n" + section + "\n## [v1.4.1](https://x) (2026-02-01)\n\n- a\n"},
		"what is not released yet stays above": {"# Changes\n\n## [Unreleased]\n\n- soon\n\n## 1.4.1\n\n- a\n", "v1.5.0",
			"# Changes\n\n## [Unreleased]\n\n- soon\n\n" + section + "\n## 1.4.1\n\n- a\n"},
		"behind newer ones": {"# C\n\n## v1.6.0\n\n- c\n\n## v1.4.1\n", "v1.5.0", "# C\n\n## v1.6.0\n\n- c\n\n" + section + "\n## v1.4.1\n"},
		"behind all":        {"# C\n\n## v1.6.0\n\n- c\n\n# More\n", "v1.5.0", "# C\n\n## v1.6.0\n\n- c\n\n" + section + "\n# More\n"},
		"candidates are rolled up": {"# Changes\n\n## v1.5.0-rc.1 (x)\n\n- b2\n\n## v1.5.0-rc.0\n\n- b\n\n## v1.4.1\n\n- a\n", "v1.5.0",
			"# Changes\n\n" + section + "\n## v1.4.1\n\n- a\n"},
		"other candidates are not": {"## v1.4.0-rc.0\n\n- a\n", "v1.5.0", section + "\n## v1.4.0-rc.0\n\n- a\n"},
		"a candidate rolls nothing up": {"## v1.5.0-rc.0\n\n- a\n", "v1.5.0-rc.1",
			section + "\n## v1.5.0-rc.0\n\n- a\n"},
		"there already":        {"## v1.5.0\n\n- by hand\n", "v1.5.0", "## v1.5.0\n\n- by hand\n"},
		"headings in code":     {"# C\n\n```\n## v1.0.0\n```\n\n## v1.4.1\n", "v1.5.0", "# C\n\n```\n## v1.0.0\n```\n\n" + section + "\n## v1.4.1\n"},
		"other schemes' names": {"## v1beta2-1.6.2-3.5.0\n\n- old\n", "v1.5.0", "## v1beta2-1.6.2-3.5.0\n\n- old\n\n" + section},
		"line ends":            {"# C\r\n\r\n## v1.4.1\r\n", "v1.5.0", "# C\r\n\r\n" + strings.ReplaceAll(section, "\n", "\r\n") + "\r\n## v1.4.1\r\n"},
	} {
		v := version.MustParse(test.version)
		got := Enter([]byte(test.before), v, section)
		if string(got) != test.after {
			t.Errorf("%s:\n%q, not\n%q", name, got, test.after)
		}
		if v.String() == "v1.5.0" && string(Enter(got, v, section)) != string(got) {
			t.Errorf("%s: twice is not once", name)
		}
		if v.String() == "v1.5.0" && name != "there already" {
			if s := Section(got, v); strings.ReplaceAll(s, "\r\n", "\n") != section {
				t.Errorf("%s: the section reads %q", name, s)
			}
		}
	}
}

func TestUnreleased(t *testing.T) {
	const made = "## v1.5.0 (2026-03-01)\n\nChanges since v1.4.1.\n\n### Fixes\n\n- b\n"
	for name, c := range map[string]struct{ before, text, after, section string }{
		"none":  {before: "# C\n\n## 1.4.1\n\n- a\n"},
		"empty": {before: "# C\n\n## [Unreleased]\n\n### Added\n\n<!-- write\nhere -->\n\n## 1.4.1\n"},
		"links": {before: "# C\n\n## [Unreleased]\n\n[Unreleased]: https://example.com\n"},
		"as asked": {"# C\n\n## [Unreleased]\n\n### Added\n\n- by hand\n  (#7)\n\n## [1.4.1] - 2026-01-01\n\n- a\n", "### Added\n\n- by hand\n  (#7)\n",
			"# C\n\n## [Unreleased]\n\n## [1.4.1] - 2026-01-01\n\n- a\n", "## v1.5.0 (2026-03-01)\n\nChanges since v1.4.1.\n\n### Added\n\n- by hand\n  (#7)\n"},
		"without brackets, other line ends": {"## unreleased\r\n\r\n- by hand\r\n\r\n## 1.4.1\r\n", "- by hand\n", "## unreleased\r\n\r\n## 1.4.1\r\n",
			"## v1.5.0 (2026-03-01)\n\nChanges since v1.4.1.\n\n- by hand\n"},
		"in code": {before: "```\n## Unreleased\n- x\n```\n"},
	} {
		if got := Unreleased([]byte(c.before)); got != c.text {
			t.Errorf("%s: %q", name, got)
		}
		rest, section, ok := Take([]byte(c.before), made)
		switch {
		case ok != (c.text != ""):
			t.Errorf("%s: %v", name, ok)
		case ok && (string(rest) != c.after || section != c.section):
			t.Errorf("%s: %q, %q", name, rest, section)
		case !ok && (string(rest) != c.before || section != made):
			t.Errorf("%s: %q, %q", name, rest, section)
		}
		if dropped := Drop([]byte(c.before), section); ok && string(dropped) != c.after {
			t.Errorf("%s: drops to %q", name, dropped)
		}
	}
	const two = "## Unreleased\n\n### Added\n\n- one\n- two\n\n## 1.4.1\n"
	if got := string(Drop([]byte(two), "## v1.5.0\n\n### Added\n\n- one\n")); got != "## Unreleased\n\n### Added\n\n- two\n\n## 1.4.1\n" {
		t.Errorf("%q", got)
	}
}

func FuzzEnter(f *testing.F) {
	f.Add([]byte("# C\n\n## v1.4.1\n\n- a\n"))
	f.Add([]byte("## v1.5.0-rc.0\r\n"))
	f.Add([]byte("```\n## v1.5.0"))
	f.Fuzz(func(t *testing.T, changelog []byte) {
		v := version.MustParse("v1.5.0")
		if Section(changelog, v) != "" {
			if !bytes.Equal(Enter(changelog, v, "## v1.5.0\n"), changelog) {
				t.Error("a section that is there was touched")
			}
			return
		}
		after := Enter(changelog, v, "## v1.5.0\n\n- a\n")
		if !bytes.Contains(after, []byte("## v1.5.0")) {
			t.Errorf("%q has no section", after)
		}
		if !bytes.Contains(changelog, []byte("1.5.0-rc")) { // nothing is lost but candidates
			taken, section, _ := Take(changelog, "## v1.5.0\n\n- a\n")
			all := string(taken) + section
			for line := range strings.Lines(string(changelog)) {
				if !bytes.Contains(after, []byte(strings.TrimRight(line, "\r\n"))) {
					t.Errorf("%q lost %q", after, line)
				}
				if text := strings.TrimRight(line, "\r\n"); !strings.Contains(all, text) {
					t.Errorf("%q lost %q", all, line)
				}
			}
		}
	})
}
