package demo

import (
	"bytes"
	"fmt"
	"go/format"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// tree is what the files of a commit and those before it add up to.
type tree map[string]string

// trees returns the tree of each commit, by its number.
func trees(t *testing.T, commits []commit) map[string]tree {
	t.Helper()
	all := map[string]tree{}
	for _, c := range commits {
		files := tree{}
		maps.Copy(files, all[c.parent])
		for _, path := range c.deletes {
			if _, ok := files[path]; !ok {
				t.Errorf("%s deletes %s, which is not there", c.number, path)
			}
			delete(files, path)
		}
		for _, file := range c.files {
			if files[file.Name] == string(file.Data) {
				t.Errorf("%s has %s, which it does not change", c.number, file.Name)
			}
			files[file.Name] = string(file.Data)
		}
		all[c.number] = files
	}
	return all
}

func embeddedHistory(t *testing.T) []commit {
	t.Helper()
	commits, err := history()
	if err != nil {
		t.Fatal(err)
	}
	return commits
}

// surfaces returns the version on each surface that carries it, with its v.
func (files tree) surfaces(t *testing.T) map[string]string {
	t.Helper()
	const chart = "charts/pi-operator-chart/"
	versions := map[string]string{}
	for name, surface := range map[string]struct{ path, pattern string }{
		"VERSION":          {"VERSION", `^v(.+)\n$`},
		"chart version":    {chart + "Chart.yaml", `(?m)^version: (.+)$`},
		"chart appVersion": {chart + "Chart.yaml", `(?m)^appVersion: v(.+)$`},
		"chart README":     {chart + "README.md", `(?m)^!\[Version: (.+?)\]\(https.*$`},
		"kustomization":    {"config/default/kustomization.yaml", `(?m)^  - name: docker.io/example/pi-operator\n    newTag: v(.+)$`},
		"Python":           {"api/python_api/pi_operator_api/__init__.py", `(?m)^__version__ = "(.+)"$`},
	} {
		match := regexp.MustCompile(surface.pattern).FindStringSubmatch(files[surface.path])
		if match == nil {
			t.Errorf("%s does not have the version where %q looks for it", surface.path, surface.pattern)
			continue
		}
		versions[name] = "v" + match[1]
		if name == "chart README" && !strings.Contains(files[surface.path], "\n"+badge(match[1])+"\n") {
			t.Errorf("%s does not have the badges as helm-docs writes them for %s", surface.path, match[1])
		}
	}
	return versions
}

// badge is the line with the version as helm-docs writes it.
func badge(version string) string {
	escaped := strings.ReplaceAll(version, "-", "--")
	return fmt.Sprintf("![Version: %s](https://img.shields.io/badge/Version-%s-informational?style=flat-square) "+
		"![AppVersion: v%s](https://img.shields.io/badge/AppVersion-v%s-informational?style=flat-square)", version, escaped, version, escaped)
}

func TestSurfacesAgree(t *testing.T) {
	want := "v1.3.2" // What main began with.
	versions := map[string]string{}
	all := trees(t, embeddedHistory(t))
	for _, c := range embeddedHistory(t) {
		surfaces := all[c.number].surfaces(t)
		switch {
		case c.tag != "":
			want = c.tag
		case c.number == "0110":
			want = "v1.4.0"
		case c.parent != "":
			want = versions[c.parent]
		}
		for name, version := range surfaces {
			if version != want {
				t.Errorf("%s: %s says %s, want %s", c.number, name, version, want)
			}
		}
		versions[c.number] = want
	}
}

func TestEveryTree(t *testing.T) {
	const bases, crds = "config/crd/bases/", "charts/pi-operator-chart/crds/"
	commits := embeddedHistory(t)
	for number, files := range trees(t, commits) {
		copies := 0
		for path, data := range files {
			if strings.HasSuffix(path, ".go") {
				formatted, err := format.Source([]byte(data))
				if err != nil || string(formatted) != data {
					t.Errorf("%s: %s is not as gofmt writes it: %v", number, path, err)
				}
			}
			if strings.Contains(data, "\r") || !strings.HasSuffix(data, "\n") {
				t.Errorf("%s: %s has a carriage return, or no newline at its end", number, path)
			}
			if name, ok := strings.CutPrefix(path, bases); ok {
				copies++
				if files[crds+name] != data {
					t.Errorf("%s: the chart's copy of %s differs", number, name)
				}
			}
		}
		if copies == 0 {
			t.Errorf("%s has no CRD", number)
		}
		if strings.Contains(files[".dockerignore"], "\nbin") {
			t.Errorf("%s: the build context lacks the binaries", number)
		}
		for _, want := range []string{"go 1.26.1\n", "toolchain go1.26.8\n"} {
			if !strings.Contains(files["go.mod"], want) || strings.Contains(files["go.mod"], "require") {
				t.Errorf("%s: go.mod is %q", number, files["go.mod"])
			}
		}
	}
}

var subject = regexp.MustCompile(`^((chore|feat|fix|docs|refactor|perf|build|ci|test)(\([a-z]+\))?!?: [a-z].*[^.]|Revert ".*" \(#\d+\))$`)

func TestMessages(t *testing.T) {
	size := 0
	for _, c := range embeddedHistory(t) {
		lines := strings.Split(c.message, "\n")
		if !subject.MatchString(lines[0]) || lines[1] != "" {
			t.Errorf("%s: the subject is %q", c.number, lines[0])
		}
		if isRelease := strings.HasPrefix(lines[0], "chore(release): v"); isRelease != (c.tag != "") || isRelease && !strings.HasSuffix(lines[0], c.tag) {
			t.Errorf("%s: the tag is %q, the subject %q", c.number, c.tag, lines[0])
		}
		if !strings.HasSuffix(c.author.email, "@example.com") || c.author.when.Year() < 2025 || c.committer.when.Before(c.author.when) {
			t.Errorf("%s is by %v and %v", c.number, c.author, c.committer)
		}
		size += len(c.message)
		for _, file := range c.files {
			size += len(file.Name) + len(file.Data)
		}
	}
	if size > 150_000 {
		t.Errorf("the history has %d bytes: it is compiled into the tool, keep it small", size)
	}
}

func TestParse(t *testing.T) {
	got, err := parse("0150-pick.txtar", []byte(`Author: Inês Carvalho <ines@example.com>
Date: 2026-02-05T18:02:11+05:30
Committer: Mara Lindqvist <mara@example.com>
Committed: 2026-03-10T09:41:00Z
Branch: release-1.4
From: 0080
Tag: v1.4.1
Delete: a
Delete: b/c

fix: something

Because.
-- d.sh --
echo
`))
	if err != nil {
		t.Fatal(err)
	}
	if got.author.String() != "Inês Carvalho <ines@example.com> 1770294731 +0530" || got.committer.String() != "Mara Lindqvist <mara@example.com> 1773135660 +0000" {
		t.Errorf("author %v, committer %v", got.author, got.committer)
	}
	if got.number != "0150" || got.branch != "release-1.4" || got.from != "0080" || got.tag != "v1.4.1" || !slices.Equal(got.deletes, []string{"a", "b/c"}) {
		t.Errorf("got %+v", got)
	}
	if got.message != "fix: something\n\nBecause.\n" || len(got.files) != 1 || !bytes.Equal(got.files[0].Data, []byte("echo\n")) {
		t.Errorf("got the message %q and the files %v", got.message, got.files)
	}
}

func TestParseErrors(t *testing.T) {
	const header = "Author: A B <a@example.com>\nDate: 2026-02-05T18:02:11+05:30\nBranch: main\n"
	for _, test := range []struct{ name, data, want string }{
		{"10-x.txtar", header + "\nfix: x\n", "0010-subject.txtar"},
		{"0010-x.txtar", header, "no empty line"},
		{"0010-x.txtar", header + "\n-- a --\n", "no empty line"},
		{"0010-x.txtar", header + "Colour: red\n\nfix: x\n", `the header's Colour is "red": there is no such key`},
		{"0010-x.txtar", header + "Tag\n\nfix: x\n", "not of the form Key: value"},
		{"0010-x.txtar", header + "Branch: main\n\nfix: x\n", "Branch twice"},
		{"0010-x.txtar", "Author: A B <a@example.com>\nBranch: main\n\nfix: x\n", "lacks Date"},
		{"0010-x.txtar", "Author: A B\n\nfix: x\n", `the header's Author is "A B"`},
		{"0010-x.txtar", "Date: today\n\nfix: x\n", `the header's Date is "today"`},
		{"0010-x.txtar", header + "Committer: nobody\n\nfix: x\n", `the header's Committer is "nobody"`},
		{"0010-x.txtar", header + "Committed: today\n\nfix: x\n", `the header's Committed is "today"`},
	} {
		if _, err := parse(test.name, []byte(test.data)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("parse of %q: %v, want %q", test.data, err, test.want)
		}
	}
}

func TestLinkErrors(t *testing.T) {
	first := commit{number: "0010", branch: "main"}
	for _, test := range []struct {
		second commit
		want   string
	}{
		{commit{number: "0010", branch: "main"}, "two commits 0010"},
		{commit{number: "0020", branch: "main", from: "0010"}, "has From, which is for the first one on main"},
		{commit{number: "0020", branch: "other"}, "first one on other and has no From"},
		{commit{number: "0020", branch: "other", from: "0030"}, "From: 0030, which is none before it"},
		{commit{number: "0020", branch: "main", message: "{{commit 0020}}"}, "names 0020, which is none before it"},
	} {
		if err := link([]commit{first, test.second}); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("link of %+v: %v, want %q", test.second, err, test.want)
		}
	}
}
