package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/operator-release/operator-release/ci/test/clones"
	"github.com/operator-release/operator-release/ci/test/long"
)

var clonesTable = flag.Bool("clones-table", false, "run commands in every kind of clone; print a table in Markdown")

// row is a kind of clone.
type clonesRow struct {
	clones.Form
	whole bool // nothing is missing: no command may refuse it
}

// rows are the kinds of the table.
func rows() []clonesRow {
	var all []clonesRow
	for _, form := range slices.Concat(clones.Whole(), clones.Partial(), clones.Named(), clones.Owned()) {
		all = append(all, clonesRow{form, true})
	}
	for _, form := range clones.Incomplete() {
		all = append(all, clonesRow{form, false})
	}
	return all
}

// column is a command of the table.
type clonesColumn struct {
	name      string
	published bool // the clone's remote has the release
	args      func(*clonesCell) []string
}

func columns() []clonesColumn {
	return []clonesColumn{
		{"plan", false, func(*clonesCell) []string { return []string{"plan", clones.Next} }},
		{"notes", false, func(*clonesCell) []string { return []string{"notes", clones.Newest} }},
		{"backport", false, func(c *clonesCell) []string {
			return []string{"backport", c.pick, "--onto", "1.4", "--push", "--remote", c.Remote}
		}},
		{"backport --status", false, func(*clonesCell) []string { return []string{"backport", "--status"} }},
		{"release", false, func(c *clonesCell) []string {
			return []string{"release", "--version", clones.Next, "-o", filepath.Join(c.Scratch, "bundle")}
		}},
		{"publish", false, func(c *clonesCell) []string { return []string{"publish", c.bundle, "--remote", c.Remote} }},
		{"audit", true, func(c *clonesCell) []string { return []string{"audit", "--all", "--remote", c.Remote} }},
		{"verify-build", true, func(c *clonesCell) []string { return []string{"verify-build", c.bundle} }},
	}
}

// cell is a command in a kind of clone, with a remote of its own.
type clonesCell struct {
	*clones.Clone
	origin
	pick string
}

func (o origin) cell(t *testing.T, form clones.Form, in clonesColumn) *clonesCell {
	t.Helper()
	c := &clonesCell{o.clone(t, o.git), o, ""}
	from := o.remote
	if in.published {
		from = o.published
	}
	c.Remote = filepath.Join(c.Scratch, "remote.git")
	if err := os.CopyFS(c.Remote, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	var err error
	find := []string{"log", "--format=%H", "--fixed-strings", "--grep=" + clones.ToPick, "main"}
	c.pick, err = o.git.Run(t.Context(), c.Remote, find...)
	if err != nil {
		t.Fatal(err)
	}
	if err := form.Make(t.Context(), c.Clone); err != nil {
		t.Fatal(err)
	}
	return c
}

// outcome is what a command did.
type outcome struct {
	code   int
	said   string // its JSON, without what is a cell's own
	errors string // its standard error
	wrote  string // refs of the remote that it made or moved
}

func (o outcome) equal(p outcome) bool {
	return o.code == p.code && o.said == p.said && o.wrote == p.wrote
}

func (c *clonesCell) run(ctx context.Context, t *testing.T, in clonesColumn) outcome {
	t.Helper()
	before := strings.Split(c.refs(t, c.Remote), "\n")
	cmd := exec.CommandContext(ctx, "operator-release", append(in.args(c), "--json", "--quiet")...)
	cmd.Dir = c.Dir
	cmd.Env = append(clones.Environment(), withoutEngine...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	wrote := strings.Split(c.refs(t, c.Remote), "\n")
	wrote = slices.DeleteFunc(wrote, func(ref string) bool { return slices.Contains(before, ref) })
	return outcome{cmd.ProcessState.ExitCode(), c.neutral(t, stdout.Bytes()), stderr.String(), strings.Join(wrote, "\n")}
}

func (c *clonesCell) refs(t *testing.T, dir string) string {
	t.Helper()
	refs, err := c.git.Run(t.Context(), dir, "for-each-ref", "--format=%(refname) %(objectname)")
	if err != nil {
		t.Fatal(err)
	}
	return refs
}

// neutral is what a command said, without the folders of this cell, and without what a plan notes about the clone and
// its remote.
func (c *clonesCell) neutral(t *testing.T, said []byte) string {
	t.Helper()
	text := strings.ReplaceAll(string(said), c.Scratch, "SCRATCH")
	if text == "" {
		return ""
	}
	var value map[string]any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	for _, about := range []map[string]any{value, object(value["plan"])} {
		delete(about, "notices")
		delete(about, "hash")
		delete(about, "remote")
	}
	again, err := json.MarshalIndent(value, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(again)
}

func object(value any) map[string]any {
	m, _ := value.(map[string]any)
	return m
}

// The marks of the table.
const (
	isRight   = "right"
	mended    = "refused, mended"
	unmended  = "refused, no command"
	isTold    = "told" // the answer names the lines that it does not cover
	isWrong   = "WRONG"
	unreached = "failed: no remote"
	unasked   = "–" // the release would be of another commit
)

// judge runs a command in a clone and says what came of it, with the reason.
func (o origin) judge(t *testing.T, kind clonesRow, in clonesColumn, want outcome) (mark, because string) {
	if kind.Name == clones.Older && slices.Contains([]string{"plan", "release"}, in.name) {
		return unasked, ""
	}
	c := o.cell(t, kind.Form, in)
	own := ""
	if !strings.Contains(kind.Name, "owner") {
		own = c.refs(t, c.Dir)
	}
	got := c.run(t.Context(), t, in)
	switch {
	case got.equal(want):
		return isRight, ""
	case got.code == 0 && strings.Contains(got.said, "\"withoutBranch\": [\n"):
		return isTold, got.errors
	case strings.Contains(got.errors, "panic:") || strings.Contains(got.errors, "goroutine "):
		return isWrong, "it crashed: " + got.errors
	case got.code == 1 && got.said == "" && !kind.whole && strings.Contains(kind.Name, "cannot be reached"):
		return unreached, got.errors
	case got.code == 1 && want.code == 0:
		return isWrong, "it failed: " + got.errors
	case got.code != 2:
		return isWrong, fmt.Sprintf("exit code %d, not %d: %s%s", got.code, want.code, got.differs(want), got.errors)
	case kind.whole:
		return isWrong, "nothing is missing, and it refused: " + got.errors
	case got.wrote != "":
		return isWrong, "it refused, and wrote to the remote"
	case own != "" && c.refs(t, c.Dir) != own:
		return isWrong, "it refused, and wrote refs of the clone"
	}
	wayOut := command.FindString(got.errors)
	if wayOut == "" {
		return unmended, got.errors
	}
	shell := exec.CommandContext(t.Context(), "sh", "-c", wayOut)
	shell.Dir, shell.Env = c.Dir, clones.Environment()
	if out, err := shell.CombinedOutput(); err != nil {
		if strings.Contains(kind.Name, "cannot be reached") {
			return unreached, got.errors
		}
		return isWrong, fmt.Sprintf("%sthe command that it names fails: %v: %s", got.errors, err, out)
	}
	if again := c.run(t.Context(), t, in); !again.equal(want) {
		after := fmt.Sprintf("after the command that it names, exit code %d: ", again.code)
		return isWrong, got.errors + after + again.differs(want) + again.errors
	}
	return mended, wayOut
}

// command is the command of git that a refusal names.
var command = regexp.MustCompile(`\bgit (-C \S+ )?(fetch|pull|config|remote)\b[^;,\n]*`)

// differs tells the first line that differs.
func (o outcome) differs(want outcome) string {
	a, b := strings.Split(o.said+o.wrote, "\n"), strings.Split(want.said+want.wrote, "\n")
	for i := range max(len(a), len(b)) {
		var x, y string
		if i < len(a) {
			x = a[i]
		}
		if i < len(b) {
			y = b[i]
		}
		if x != y {
			return fmt.Sprintf("%q where the full clone has %q; ", strings.TrimSpace(x), strings.TrimSpace(y))
		}
	}
	return ""
}

// TestTableOfClones runs commands in every kind of clone. A command is wrong where it gives another result than in a
// full clone without a refusal, refuses a complete clone, or names a command that does not help.
func TestTableOfClones(t *testing.T) {
	if !*clonesTable {
		t.Skip("the table was not asked for: -clones-table")
	}
	o := newOrigin(t, "sha1")
	wants := map[string]outcome{}
	for _, in := range columns() {
		full := in
		full.published = in.name == "audit" // a clone without the release builds it again in any case
		wants[in.name] = o.cell(t, clones.Whole()[0], full).run(t.Context(), t, in)
		if want := wants[in.name]; want.code != 0 && in.name != "audit" {
			t.Fatalf("%s in a full clone: exit code %d: %s", in.name, want.code, want.errors)
		}
	}
	if want := wants["audit"]; want.code != 1 || !strings.Contains(want.said, `"found": "v1.4.0"`) {
		t.Fatalf("audit in a full clone misses the chart that names another version: exit code %d: %s", want.code, want.said)
	}
	marks := map[string]string{}
	var reasons []string
	var mu sync.Mutex
	t.Run("cells", func(t *testing.T) {
		for _, kind := range rows() {
			if strings.Contains(kind.Name, "owner") && os.Getuid() != 0 {
				continue
			}
			for _, in := range columns() {
				t.Run(kind.Name+"/"+in.name, func(t *testing.T) {
					t.Parallel()
					mark, because := o.judge(t, kind, in, wants[in.name])
					mu.Lock()
					defer mu.Unlock()
					marks[kind.Name+"/"+in.name] = mark
					if because != "" {
						text := strings.Join(strings.Fields(because), " ")
						reasons = append(reasons, fmt.Sprintf("%s: %s in %q: %s", mark, in.name, kind.Name, text))
					}
					if mark == isWrong {
						t.Error(because)
					}
				})
			}
		}
	})
	var table strings.Builder
	table.WriteString("| clone |")
	for _, in := range columns() {
		table.WriteString(" " + in.name + " |")
	}
	table.WriteString("\n|---|" + strings.Repeat("---|", len(columns())) + "\n")
	for _, kind := range rows() {
		table.WriteString("| " + kind.Name + " |")
		for _, in := range columns() {
			table.WriteString(" " + marks[kind.Name+"/"+in.name] + " |")
		}
		table.WriteString("\n")
	}
	slices.Sort(reasons)
	fmt.Printf("%s\n%s\n", &table, strings.Join(reasons, "\n"))
}

// TestVerifyBuildInOtherClones builds a version again in clones that lack something of the remote, or have tags of their
// own. The bundle is the same, or the clone is refused with a command that mends it: tags decide what a version is.
func TestVerifyBuildInOtherClones(t *testing.T) {
	long.Skip(t)
	o, columns := newOrigin(t, "sha1"), columns()
	verifyBuild := columns[len(columns)-1]
	want := o.cell(t, clones.Whole()[0], verifyBuild).run(t.Context(), t, verifyBuild)
	if want.code != 0 {
		t.Fatalf("in a full clone: exit code %d: %s", want.code, want.errors)
	}
	for _, form := range clones.Incomplete() {
		t.Run(form.Name, func(t *testing.T) {
			t.Parallel()
			if mark, because := o.judge(t, clonesRow{form, false}, verifyBuild, want); mark == isWrong {
				t.Error(because)
			}
		})
	}
	for _, form := range clones.Tagged() {
		t.Run(form.Name, func(t *testing.T) {
			t.Parallel()
			if mark, because := o.judge(t, clonesRow{form, true}, verifyBuild, want); mark != isRight {
				t.Error(mark, because)
			}
		})
	}
}
