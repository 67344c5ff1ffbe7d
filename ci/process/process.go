// Package process runs programs that are not ours, such as a repository's own commands, and leaves nothing of them behind.
package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"syscall"
	"time"
)

const (
	tailLines = 40
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

// Tail passes output on to Log and keeps its last lines.
type Tail struct {
	Log   io.Writer
	kept  []string
	part  []byte
	total int
}

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
	t.kept = append(t.kept, string(bytes.TrimRight(t.part, "\r")))
	if len(t.kept) > tailLines {
		t.kept = t.kept[1:]
	}
	t.part = t.part[:0]
	t.total++
}

// Last are the last lines, at most 40.
func (t *Tail) Last() []string {
	if len(t.part) > 0 {
		t.flush()
	}
	return t.kept
}

// Describe says how much of the output Last gives.
func (t *Tail) Describe() string {
	switch kept := len(t.Last()); {
	case kept == 0:
		return "it printed nothing"
	case kept < t.total:
		return fmt.Sprintf("the last %d of %d lines it printed:", kept, t.total)
	default:
		return "it printed:"
	}
}
