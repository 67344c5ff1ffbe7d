package process

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestRun(t *testing.T) {
	for script, want := range map[string]struct {
		ended string
		lines []string
	}{
		"echo $COLOUR$HOME; printf 'no newline' >&2": {"", []string{"red", "no newline"}},
		"echo one; exit 3":                           {"exit code 3", []string{"one"}},
		"kill -9 $$":                                 {`killed by the signal "killed"`, nil},
	} {
		out := &Tail{Log: io.Discard}
		ended, _ := Ended(Run(t.Context(), t.TempDir(), []string{"COLOUR=red"}, out, "/bin/sh", "-c", script))
		if ended != want.ended || !slices.Equal(out.Last(), want.lines) {
			t.Errorf("%s: %q, %q", script, ended, out.Last())
		}
	}
	err := Run(t.Context(), t.TempDir(), nil, io.Discard, "/no/such/program")
	if _, ran := Ended(err); err == nil || ran {
		t.Errorf("what never ran: %v", err)
	}
}

// What is left in the background, and holds the output open, is stopped with the command.
func TestRunLeavesNothingBehind(t *testing.T) {
	begun := time.Now()
	if err := Run(t.Context(), t.TempDir(), []string{"PATH=/usr/bin:/bin"}, &Tail{Log: io.Discard}, "sh", "-c", "sleep 300 &"); err != nil || time.Since(begun) > time.Minute {
		t.Errorf("%v after %s", err, time.Since(begun))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := Run(ctx, t.TempDir(), []string{"PATH=/usr/bin:/bin"}, io.Discard, "sh", "-c", "sleep 300; true"); err == nil || time.Since(begun) > time.Minute {
		t.Errorf("stopped: %v after %s", err, time.Since(begun))
	}
}

func TestTail(t *testing.T) {
	var log bytes.Buffer
	out := &Tail{Log: &log}
	if got := out.Describe(); got != "it printed nothing" {
		t.Error(got)
	}
	text := strings.Repeat("line\r\n", 50) + strings.Repeat("x", 3000)
	for rest := text; rest != ""; rest = rest[min(7, len(rest)):] {
		_, _ = out.Write([]byte(rest[:min(7, len(rest))]))
	}
	if got := out.Describe(); got != "the last 40 of 51 lines it printed:" || log.String() != text {
		t.Errorf("%s; %d bytes passed on", got, log.Len())
	}
	if last := out.Last(); len(last) != 40 || last[0] != "line" || len(last[39]) != 2000 {
		t.Errorf("%q", last)
	}
}

func TestTailOfFailures(t *testing.T) {
	const failed = "--- FAIL: TestPi (0.01s)\n    pi_test.go:9: 3 digits, want 4"
	more := "\n" + strings.Repeat("ok\tpackage\n", 45)
	about := func(lines, last, all int) string {
		return fmt.Sprintf("%d lines about failures, and the last %d of %d lines it printed:", lines, last, all)
	}
	for name, c := range map[string]struct {
		text, describe, first string
		lines                 int
	}{
		"before the last lines": {"ok\n" + failed + more, about(7, 40, 48), "--- FAIL: TestPi (0.01s)", 47},
		"among the last lines":  {more + failed, "the last 40 of 48 lines it printed:", "ok\tpackage", 40},
		"a compiler's":          {"a.c:3: error: no ;" + more, about(6, 40, 46), "a.c:3: error: no ;", 46},
		"Ginkgo's":              {"  [FAILED] in [It]" + more, about(6, 40, 46), "  [FAILED] in [It]", 46},
		"no failure":            {"errors: none FAILing" + more, "the last 40 of 46 lines it printed:", "ok\tpackage", 40},
		"very many":             {strings.Repeat(failed+"\n", 90), about(40, 40, 180), "--- FAIL: TestPi (0.01s)", 80},
	} {
		out := &Tail{Log: io.Discard}
		_, _ = out.Write([]byte(c.text))
		last := out.Last()
		if out.Describe() != c.describe || len(last) != c.lines || last[0] != c.first {
			t.Errorf("%s: %s\n%d lines: %q", name, out.Describe(), len(last), last)
		}
	}
}
