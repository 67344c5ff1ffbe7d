package gate

import (
	"slices"
	"strings"
	"testing"

	"github.com/operator-release/operator-release/ci/config"
)

func TestGeneratedFiles(t *testing.T) {
	const otherwise = "the command gives 1 files otherwise than the commit has them; run it and commit what it changes; if " +
		"it changes nothing there, the files follow the version, and no pattern was found that writes it there: " +
		"write one under surfaces, or take the files out of the rule, each by a path that begins with an exclamation mark\n  made/a"
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
		"another":              {"echo other > made/a", true, Failed, otherwise},
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

func TestGeneratedFilesAndVersion(t *testing.T) {
	files := "-- VERSION --\nv1.5.0\n-- made/a --\nimage: x/y:v1.4.2\n-- made/sum --\nx\n-- docs/b --\nb\n"
	rule := func(path, command string) config.Generated {
		return config.Generated{Paths: []string{path}, Command: command}
	}
	install := "echo image: x/y:$(cat VERSION) > made/a"
	const surfaces = "writes the version into 1 files; add these lines to .release.yaml, and the release commit writes " +
		"it there:\n  surfaces:\n  - {path: 'made/a', pattern: 'image: x/y:("
	const others = "the command changes 1 other files of the commit; name them under paths of this rule, or have the " +
		"command leave them: "
	sum := func(command string) config.Generated { return rule("made/sum", command) }
	for name, c := range map[string]struct {
		rules []config.Generated
		want  []Status
		wants string
	}{
		"the version": {[]config.Generated{rule("made/a", install)}, []Status{Failed}, surfaces},
		"what follows it": {[]config.Generated{sum("cksum VERSION > made/sum")}, []Status{Failed},
			"if it changes nothing there, the files follow the version, and no pattern"},
		"another file":   {[]config.Generated{sum("echo c >> docs/b")}, []Status{Warned}, others + "docs/b"},
		"a file less":    {[]config.Generated{sum("rm docs/b")}, []Status{Warned}, others + "docs/b"},
		"another link":   {[]config.Generated{sum("ln -s b docs/l; ln -sfn docs/b VERSION")}, []Status{Warned}, "VERSION"},
		"a new file":     {[]config.Generated{sum("mkdir bin; echo tool > bin/tool")}, []Status{Passed}, ""},
		"a later rule's": {[]config.Generated{sum("echo c > made/a"), rule("made/a", "true")}, []Status{Passed, Failed}, ""},
		"an earlier rule's": {[]config.Generated{sum("true"), rule("made/a", "cp VERSION made/sum")},
			[]Status{Passed, Warned}, others + "made/sum"},
		"told once": {[]config.Generated{sum("echo c >> docs/b"), rule("made/a", "true")}, []Status{Warned, Passed}, "docs/b"},
		"an earlier removal": {[]config.Generated{sum("rm made/a"), rule("made/a", "true")}, []Status{Passed, Failed},
			"made/a (the command removes it)"},
	} {
		t.Run(name, func(t *testing.T) {
			result := run(t, Options{Tree: tree(t, files), Generation: tree(t, files), Generated: c.rules, Final: true,
				Version: "v1.5.0", Env: []string{"PATH=/usr/bin:/bin"}})
			var got []Status
			for _, check := range result.Checks {
				got = append(got, check.Status)
			}
			if !slices.Equal(got, c.want) || !strings.Contains(details(result.Checks), c.wants) {
				t.Errorf("want %v, %q, got:\n%s", c.want, c.wants, details(result.Checks))
			}
		})
	}
}
