package report

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestPage(t *testing.T) {
	var out bytes.Buffer
	p := New(&out)
	p.Title("Release of %s", "v1.5.0")
	p.Heading("Images")
	p.Table([]Row{{Done, []string{"docker.io/a/b", "sha256:1"}}, {None, []string{"ä", "left out"}}, {"", []string{"no\n  ✓ mark"}}})
	p.Line(Note, "a subject with \x1b[31mcolour\u202e\u200f and\nits own break")
	want := "Release of v1.5.0\n\nImages\n  ✓ docker.io/a/b  sha256:1\n  – ä              left out\n  no\ufffd  ✓ mark\n  ! a subject with \ufffd[31mcolour\ufffd\ufffd and\n    its own break\n"
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

func TestColour(t *testing.T) {
	var out bytes.Buffer
	p := &Page{w: &out, colour: true}
	p.Line(Fail, "no")
	if out.String() != "  \x1b[31m✗\x1b[0m no\n" {
		t.Errorf("got %q", out.String())
	}
}

func TestWrap(t *testing.T) {
	if got := strings.Join(wrap("one two three fourfivesix\n  indented line\n\nend", 10), "|"); got != "one two|three|fourfivesix|  indented|  line||end" {
		t.Errorf("got %q", got)
	}
}

func TestProgressWithoutTerminal(t *testing.T) {
	var out bytes.Buffer
	p := NewProgress(&out)
	one, two := p.Begin("build linux/amd64"), p.Begin("chart")
	two.End(errors.New("broken"))
	p.Say(Note, "between")
	one.End(nil)
	p.Close()
	lines := strings.Split(out.String(), "\n")
	if len(lines) != 4 || !strings.HasPrefix(lines[0], "  ✗ chart  ") || lines[1] != "  ! between" || !strings.HasPrefix(lines[2], "  ✓ build linux/amd64  ") {
		t.Errorf("got %q", lines)
	}
}
