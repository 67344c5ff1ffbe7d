// Package process runs programs that are not ours, such as a repository's own commands, and leaves nothing of them
// behind.
package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"syscall"
	"time"
)

const (
	tailLines = 40
	// failureLines are kept of each failure, with its first one.
	failureLines = 8
	// A line longer than this is no line for a report (a progress bar, a dump).
	tailLineBytes = 2000
)

// Run runs a program in dir, in a process group of its own, and leaves nothing of
// this group behind, however it ends. Env is its whole environment: nothing is
// inherited. Ended tells of the error whether it ran at all; when ctx is done, the
// group is killed.
func Run(ctx context.Context, dir string, env []string, out io.Writer, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append([]string{}, env...) // not nil: that would inherit this process's own
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	killGroup := func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.Cancel = killGroup
	// A process left in the background may hold the output open for ever.
	cmd.WaitDelay = 2 * time.Second
	if err := cmd.Start(); err != nil {
		return err
	}
	err := cmd.Wait()
	_ = killGroup()
	if errors.Is(err, exec.ErrWaitDelay) {
		return nil
	}
	return err
}

// Ended describes an unsuccessful end; false when the program never ran.
func Ended(err error) (string, bool) {
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return "", false
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return fmt.Sprintf("killed by the signal %q", status.Signal()), true
	}
	return fmt.Sprintf("exit code %d", exit.ExitCode()), true
}

// Tail passes output on to Log. It keeps the last lines, and of the lines before them those that tell of a failure.
type Tail struct {
	Log    io.Writer
	kept   []string
	failed []numbered
	about  int // how many more lines belong to a failure
	part   []byte
	total  int
}

// numbered is a line, and how many were before it.
type numbered struct {
	before int
	text   string
}

// failure finds the first line of a failure, as Go's tests, Ginkgo, TAP, make and compilers write it.
var failure = regexp.MustCompile(`^\s*(?:--- FAIL|FAIL\b|panic:|fatal\b|not ok\b|make(?:\[\d+\])?: \*\*\*)|` +
	`\[FAIL(?:ED)?\]|\b(?:[Ee]rror|ERROR):`)

// Write never fails: a log that cannot be written must not fail the command.
func (t *Tail) Write(p []byte) (int, error) {
	_, _ = t.Log.Write(p)
	for rest := p; len(rest) > 0; {
		line, after, ended := bytes.Cut(rest, []byte("\n"))
		if room := tailLineBytes - len(t.part); room > 0 {
			t.part = append(t.part, line[:min(room, len(line))]...)
		}
		if ended {
			t.flush()
		}
		rest = after
	}
	return len(p), nil
}

func (t *Tail) flush() {
	line := string(bytes.TrimRight(t.part, "\r"))
	if failure.MatchString(line) {
		t.about = failureLines
	}
	if t.about > 0 && len(t.failed) < tailLines {
		t.failed = append(t.failed, numbered{t.total, line})
	}
	t.about = max(0, t.about-1)
	t.kept = append(t.kept, line)
	if len(t.kept) > tailLines {
		t.kept = t.kept[1:]
	}
	t.part = t.part[:0]
	t.total++
}

// Last are the last lines, at most 40. Before them stand at most 40 lines that tell of a failure: its first line and
// the next ones.
func (t *Tail) Last() []string {
	return append(t.earlier(), t.kept...)
}

// earlier are the lines of failures that are not among the last.
func (t *Tail) earlier() []string {
	if len(t.part) > 0 {
		t.flush()
	}
	var lines []string
	for _, l := range t.failed {
		if l.before < t.total-len(t.kept) {
			lines = append(lines, l.text)
		}
	}
	return lines
}

// Describe says how much of the output Last gives.
func (t *Tail) Describe() string {
	earlier := len(t.earlier())
	switch kept := len(t.kept); {
	case kept == 0:
		return "it printed nothing"
	case earlier > 0:
		return fmt.Sprintf("%d lines about failures, and the last %d of %d lines it printed:", earlier, kept, t.total)
	case kept < t.total:
		return fmt.Sprintf("the last %d of %d lines it printed:", kept, t.total)
	default:
		return "it printed:"
	}
}
