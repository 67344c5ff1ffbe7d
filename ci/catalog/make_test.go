package catalog

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/version"
)

// life is a project's history as git fast-import reads it: one commit an hour, on the branch that is named.
type life struct {
	stream strings.Builder
	hours  int
	tips   map[string]string
}

func (l *life) commit(branch, from, message string, merged ...string) string {
	l.hours++
	mark := fmt.Sprintf(":%d", l.hours)
	if from == "" {
		from = l.tips[branch]
	}
	fmt.Fprintf(&l.stream, "commit refs/heads/%s\nmark %s\ncommitter Ada <ada@example.com> %d +0000\ndata %d\n%s\n", branch, mark, l.now().Unix(), len(message), message)
	if from != "" {
		fmt.Fprintf(&l.stream, "from %s\n", from)
	}
	for _, other := range merged {
		fmt.Fprintf(&l.stream, "merge %s\n", other)
	}
	l.stream.WriteString("\n")
	l.tips[branch] = mark
	return mark
}

func (l *life) now() time.Time {
	return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(l.hours) * time.Hour)
}

func (l *life) tag(v, at string) {
	fmt.Fprintf(&l.stream, "tag %s\nfrom %s\ntagger Ada <ada@example.com> %d +0000\ndata 0\n", v, at, l.now().Unix())
}

func (l *life) live(t testing.TB) *git.Repository {
	t.Helper()
	dir := t.TempDir()
	run := func(in string, args ...string) {
		cmd := exec.Command("git", append([]string{"-C", dir}, args...)...)
		cmd.Stdin = strings.NewReader(in)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v: %s", args, err, out)
		}
	}
	run("", "init", "--quiet", "--bare", "--initial-branch=main")
	run(l.stream.String(), "fast-import", "--quiet")
	r, err := git.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func perMinor(t testing.TB) version.Pattern {
	t.Helper()
	p, err := version.ParsePattern("release-{major}.{minor}")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// of are versions of which nothing else is known.
func of(names ...string) []Version {
	var all []Version
	for _, name := range names {
		all = append(all, Version{Version: version.MustParse(name)})
	}
	return all
}

func TestMake(t *testing.T) {
	l := &life{tips: map[string]string{}}
	fork := l.commit("main", "", "feat: the first (#1)")
	rc := l.commit("release-1.4", fork, "chore: release v1.4.0-rc.0")
	l.tag("v1.4.0-rc.0", rc)
	fix := l.commit("main", "", "fix: a leak (#2)")
	l.commit("main", "", "fix: another (#3)")
	l.commit("release-1.4", "", "fix: a leak (#2) (#4)")
	l.tag("v1.4.0", l.commit("release-1.4", "", "chore: release v1.4.0"))
	second := l.commit("main", "", "feat: a second (#5)")
	l.tag("v1.5.0", l.commit("release-1.5", second, "chore: release v1.5.0"))
	l.commit("release-1.4", "", "fix: only here (#6)")
	l.tag("v1.4.1", l.commit("release-1.4", "", "[release-1.4] fix: another (#7)\n\nBackport of #3"))
	l.commit("release-1.6", second, "chore: cut")
	r := l.live(t)
	known := of("v1.5.0", "v1.4.0-rc.0", "v1.4.1", "v1.4.0")
	mark := journal.Mark{State: journal.Withdrawn, Because: "it crashes", Time: l.now().Add(24 * time.Hour)}
	known[2].Mark = &mark
	c, err := Make(t.Context(), Options{Repository: r, Name: "spark", Development: "main", Pattern: perMinor(t), Supported: 2, Versions: known})
	if err != nil {
		t.Fatal(err)
	}
	if c.Schema != Schema || !c.Updated.Equal(mark.Time) {
		t.Errorf("%s, updated %s", c.Schema, c.Updated)
	}
	at := func(mark string) time.Time {
		var n int
		fmt.Sscanf(mark, ":%d", &n)
		return time.Date(2026, 1, 1, n, 0, 0, 0, time.UTC)
	}
	var lines []string
	for _, l := range c.Lines {
		lines = append(lines, fmt.Sprintf("%s %s branch %t forked %s supported %t newest %s", l.Name, l.Branch, l.Tip != "", l.Forked.Format(time.TimeOnly), l.Supported, l.Newest))
	}
	want := []string{
		"1.6 release-1.6 branch true forked " + at(second).Format(time.TimeOnly) + " supported true newest ",
		"1.5 release-1.5 branch true forked " + at(second).Format(time.TimeOnly) + " supported true newest v1.5.0",
		"1.4 release-1.4 branch true forked " + at(fork).Format(time.TimeOnly) + " supported false newest v1.4.0", // v1.4.1 is withdrawn
	}
	if strings.Join(lines, "\n") != strings.Join(want, "\n") {
		t.Errorf("lines:\n%s\nnot\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
	var versions []string
	for _, v := range c.Versions {
		text := fmt.Sprintf("%s %s %s after %s", v.Version, v.Kind, v.Line, v.Previous)
		for _, p := range v.Picks {
			text += fmt.Sprintf("; %s of %s", p.Subject, p.Made.Format(time.TimeOnly))
		}
		if v.Commit == "" || v.Time.IsZero() {
			t.Errorf("%s has commit %q and time %s", v.Version, v.Commit, v.Time)
		}
		versions = append(versions, text)
	}
	want = []string{
		"v1.5.0 final 1.5 after ",
		"v1.4.1 patch 1.4 after v1.4.0; another of " + at(":4").Format(time.TimeOnly),
		"v1.4.0 final 1.4 after v1.4.0-rc.0; a leak of " + at(fix).Format(time.TimeOnly),
		"v1.4.0-rc.0 candidate 1.4 after ",
	}
	if strings.Join(versions, "\n") != strings.Join(want, "\n") {
		t.Errorf("versions:\n%s\nnot\n%s", strings.Join(versions, "\n"), strings.Join(want, "\n"))
	}
	if known[0].Kind != "" {
		t.Error("what was given was changed")
	}
}

// TestMergedBack: a line that is merged into the development branch has not forked where it was merged.
func TestMergedBack(t *testing.T) {
	l := &life{tips: map[string]string{}}
	fork := l.commit("main", "", "feat: the first (#1)")
	forked := l.now()
	tip := l.commit("release-0.1", fork, "chore: release v0.1.0")
	l.tag("v0.1.0", tip)
	l.commit("main", "", "feat: a second (#2)")
	l.commit("main", "", "Merge branch 'release-0.1'", tip)
	c, err := Make(t.Context(), Options{Repository: l.live(t), Name: "spark", Development: "main", Pattern: perMinor(t), Versions: of("v0.1.0")})
	if err != nil || len(c.Lines) != 1 || !c.Lines[0].Forked.Equal(forked) {
		t.Errorf("%+v forked at %s, %v", c.Lines, forked, err)
	}
}

// TestLostCommit: the commit that a record names need not be here; the version is told without its history.
func TestLostCommit(t *testing.T) {
	l := &life{tips: map[string]string{}}
	l.tag("v0.1.0", l.commit("main", "", "feat: the first"))
	known := of("v0.1.0", "v0.2.0")
	known[1].Commit = strings.Repeat("5", 40)
	c, err := Make(t.Context(), Options{Repository: l.live(t), Name: "spark", Development: "main", Pattern: perMinor(t), Versions: known})
	if err != nil || len(c.Lines) != 2 || c.Versions[0].Commit != known[1].Commit || !c.Lines[0].Forked.IsZero() {
		t.Errorf("%+v, %v", c, err)
	}
}

// TestMakeOfLittle: what a repository lacks is absent, and no failure.
func TestMakeOfLittle(t *testing.T) {
	l := &life{tips: map[string]string{}}
	l.tag("v0.1.0", l.commit("other", "", "feat: the first"))
	r := l.live(t)
	c, err := Make(t.Context(), Options{Repository: r, Name: "spark", Development: "main", Pattern: perMinor(t), Supported: 3, Versions: of("v0.1.0", "v0.2.0-rc.0")})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Lines) != 2 || !c.Lines[0].Supported || !c.Lines[1].Supported || !c.Lines[1].Forked.IsZero() || c.Lines[0].Tip != "" || c.Lines[1].Newest != version.MustParse("v0.1.0") {
		t.Errorf("lines: %+v", c.Lines)
	}
	if v := c.Versions[0]; v.Commit != "" || !v.Time.IsZero() {
		t.Errorf("a version without a tag: %+v", v)
	}
	if c, err = Make(t.Context(), Options{Repository: r, Name: "spark", Development: "main", Pattern: perMinor(t)}); err != nil || len(c.Lines)+len(c.Versions) != 0 || !c.Updated.IsZero() {
		t.Errorf("no version at all: %+v, %v", c, err)
	}
}

func TestMakeOfAShallowClone(t *testing.T) {
	l := &life{tips: map[string]string{}}
	l.commit("main", "", "feat: the first")
	l.tag("v0.1.0", l.commit("main", "", "feat: the second"))
	full, dir := l.live(t), filepath.Join(t.TempDir(), "clone")
	if out, err := exec.Command("git", "clone", "--quiet", "--depth=1", "file://"+full.Dir(), dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	r, err := git.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Make(t.Context(), Options{Repository: r, Name: "spark", Development: "main", Pattern: perMinor(t)}); !refusal.Is(err) || !strings.Contains(err.Error(), "--unshallow") {
		t.Errorf("%v", err)
	}
}

// TestTimesOfWrongClocks: git takes times that nothing else can write; they are not known then.
func TestTimesOfWrongClocks(t *testing.T) {
	l := &life{tips: map[string]string{}}
	l.commit("main", "", "feat: begin")
	l.tag("v1.0.0", l.tips["main"])
	l.commit("release-1.0", l.tips["main"], "fix: go on")
	far := strings.ReplaceAll(l.stream.String(), "> 1767", "> 4001767") // in the year 128779
	l.stream.Reset()
	l.stream.WriteString(far)
	versions := of("v1.0.0")
	versions[0].Mark = &journal.Mark{State: journal.Withdrawn, Time: time.Unix(4001767225600, 0)}
	c, err := Make(t.Context(), Options{Repository: l.live(t), Development: "main", Pattern: perMinor(t), Versions: versions})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := json.Marshal(c); err != nil || !c.Versions[0].Time.IsZero() || len(c.Lines) != 1 || !c.Lines[0].Forked.IsZero() || !c.Updated.IsZero() {
		t.Errorf("%v: %+v", err, c)
	}
}
