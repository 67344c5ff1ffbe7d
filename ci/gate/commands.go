package gate

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

// runCommands stops at the first failing command: later ones tend to need what
// earlier ones made, and their failures would bury the first.
func runCommands(ctx context.Context, o Options) ([]Check, error) {
	var checks []Check
	failed := ""
	for _, command := range o.Commands {
		check := Check{Name: CommandCheck, Subject: command, Status: Passed}
		if failed != "" {
			check.Status = NotChecked
			check.Details = []string{fmt.Sprintf("an earlier command failed: %s", failed)}
			checks = append(checks, check)
			continue
		}
		fmt.Fprintf(o.Log, "$ %s\n", command)
		out := &tail{log: o.Log}
		err := execute(ctx, o.Tree, o.Env, out, "sh", "-c", command)
		if ctx.Err() != nil {
			return checks, fmt.Errorf("running %q in %s: stopped: %w", command, o.Tree, context.Cause(ctx))
		}
		if err != nil {
			ended, ok := howItEnded(err)
			if !ok {
				return checks, fmt.Errorf("running %q in %s: %w", command, o.Tree, err)
			}
			failed = command
			check.Status = Failed
			check.Details = append([]string{ended + "; " + out.describe()}, out.last()...)
		}
		checks = append(checks, check)
	}
	return checks, nil
}

// execute runs a program in a process group of its own and leaves nothing of
// this group behind, however it ends.
func execute(ctx context.Context, dir string, env []string, out io.Writer, name string, args ...string) error {
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

// howItEnded describes an unsuccessful end; false when the program never ran.
func howItEnded(err error) (string, bool) {
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return "", false
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return fmt.Sprintf("killed by the signal %q", status.Signal()), true
	}
	return fmt.Sprintf("exit code %d", exit.ExitCode()), true
}

// tail passes output on and keeps its last lines.
type tail struct {
	log   io.Writer
	kept  []string
	part  []byte
	total int
}

// Write never fails: a log that cannot be written must not fail the command.
func (t *tail) Write(p []byte) (int, error) {
	_, _ = t.log.Write(p)
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

func (t *tail) flush() {
	t.kept = append(t.kept, string(bytes.TrimRight(t.part, "\r")))
	if len(t.kept) > tailLines {
		t.kept = t.kept[1:]
	}
	t.part = t.part[:0]
	t.total++
}

func (t *tail) last() []string {
	if len(t.part) > 0 {
		t.flush()
	}
	return t.kept
}

func (t *tail) describe() string {
	switch kept := len(t.last()); {
	case kept == 0:
		return "it printed nothing"
	case kept < t.total:
		return fmt.Sprintf("the last %d of %d lines it printed:", kept, t.total)
	default:
		return "it printed:"
	}
}
