package gate

import (
	"strings"
	"testing"

	"github.com/operator-release/operator-release/ci/config"
)

func TestGeneratedFiles(t *testing.T) {
	rule := func(command string) []config.Generated {
		return []config.Generated{{Paths: []string{"made/**"}, Command: command}}
	}
	for name, c := range map[string]struct {
		command string
		final   bool
		want    Status
		wants   string
	}{
		"the same":             {"cp source made/a", true, Passed, ""},
		"another":              {"echo other > made/a", true, Failed, "the command gives 1 files otherwise than the commit has them; run it and commit what it changes\n  made/a"},
		"one more":             {"cp source made/b", true, Failed, "made/b (the commit does not have it)"},
		"one less":             {"rm made/a", true, Failed, "made/a (the command removes it)"},
		"for a candidate":      {"echo other > made/a", false, Warned, "made/a"},
		"a command that fails": {"echo no tool >&2; exit 3", true, Failed, "the command failed, so nothing tells whether the files are current: exit code 3; install"},
		"for a candidate too":  {"echo no tool >&2; exit 3", false, NotChecked, "are current: exit code 3; install"},
		"no such tool":         {"no-such-tool made/a", true, Failed, "exit code 127, so a tool that it calls is not in PATH; install what it needs"},
		"no such tool of make": {"printf 'all:\n\tno-such-tool\n' > Makefile; make", true, Failed, "no-such-tool"},
	} {
		t.Run(name, func(t *testing.T) {
			files := "-- source --\na\n-- made/a --\na\n-- other --\nb\n"
			result := run(t, Options{Tree: tree(t, files), Generation: tree(t, files), Generated: rule(c.command), Final: c.final, Env: []string{"PATH=/usr/bin:/bin"}})
			if len(result.Checks) != 1 || result.Checks[0].Status != c.want || !strings.Contains(details(result.Checks), c.wants) {
				t.Errorf("want %s, %q, got:\n%s", c.want, c.wants, details(result.Checks))
			}
		})
	}
	for final, want := range map[bool]Status{true: Failed, false: NotChecked} {
		files := "-- source --\na\n"
		result := run(t, Options{Tree: tree(t, files), Generation: tree(t, files), Generated: rule("true"), Final: final, Env: []string{"PATH=/usr/bin:/bin"}})
		if len(result.Checks) != 1 || result.Checks[0].Status != want || !strings.Contains(details(result.Checks), "no file matches its paths: made/**") {
			t.Errorf("without any file: want %s, got:\n%s", want, details(result.Checks))
		}
	}
	if left := GeneratedOf([]config.Generated{{Command: "go mod tidy"}, {Command: "make"}}); len(left) != 1 || left[0].Command != "make" {
		t.Errorf("%v", left)
	}
}
