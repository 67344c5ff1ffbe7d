package gate

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestCommands(t *testing.T) {
	root := tree(t, "-- file --\nhello\n")
	var log bytes.Buffer
	result := run(t, Options{Tree: root, Env: []string{"PATH=/usr/bin:/bin", "COLOUR=red"}, Log: &log, Commands: []string{
		"cat file; echo $COLOUR$HOME",
		"i=0; while [ $i -lt 100 ]; do i=$((i+1)); echo line $i; done; printf 'no newline' >&2; exit 3",
		"echo never > ran",
	}})
	want := []Status{Passed, Failed, NotChecked}
	for i, c := range result.Checks {
		if c.Status != want[i] {
			t.Errorf("%s: %s, want %s", c.Subject, c.Status, want[i])
		}
	}
	failed := result.Checks[1].Details
	if failed[0] != "exit code 3; the last 40 of 101 lines it printed:" || len(failed) != 41 ||
		failed[1] != "line 62" || failed[40] != "no newline" {
		t.Errorf("details of the failed command:\n%s", strings.Join(failed, "\n"))
	}
	if got := result.Checks[2].Details[0]; !strings.HasPrefix(got, "an earlier command failed: i=0;") {
		t.Errorf("the following command says %q", got)
	}
	if _, err := os.Stat(filepath.Join(root, "ran")); err == nil {
		t.Error("a command ran after one had failed")
	}
	if got := log.String(); !strings.Contains(got, "$ cat file; echo $COLOUR$HOME\nhello\nred\n$ i=0;") || !strings.Contains(got, "line 1\n") {
		t.Errorf("log:\n%s", got)
	}
}

func TestCommandFailures(t *testing.T) {
	for command, want := range map[string]string{
		"exit 1":                    "exit code 1; it printed nothing",
		"kill -9 $$":                `killed by the signal "killed"`,
		"no-such-program":           "exit code 127",
		"echo one; echo two; false": "exit code 1; it printed:\n  one\n  two",
	} {
		result := run(t, Options{Tree: t.TempDir(), Commands: []string{command}})
		if result.Passed() {
			t.Errorf("%s passed", command)
		}
		contains(t, result.Checks, want)
	}
}

// A test suite may leave servers behind that hold its output open.
func TestCommandLeavesProcessBehind(t *testing.T) {
	root := t.TempDir()
	start := time.Now()
	result := run(t, Options{Tree: root, Env: []string{"PATH=/usr/bin:/bin"}, Commands: []string{"sleep 300 & echo $! > pid"}})
	if !result.Passed() || time.Since(start) > time.Minute {
		t.Errorf("took %s:\n%s", time.Since(start), details(result.Checks))
	}
	gone(t, filepath.Join(root, "pid"))
}

func TestStopped(t *testing.T) {
	root := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for {
			if _, err := os.Stat(filepath.Join(root, "pid")); err == nil {
				cancel()
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	result, err := Run(ctx, Options{Tree: root, Env: []string{"PATH=/usr/bin:/bin"}, Commands: []string{
		"true", "(sleep 300 & echo $! > tmp; mv tmp pid; wait); true"}})
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "stopped") {
		t.Errorf("got %v", err)
	}
	if len(result.Checks) != 1 {
		t.Errorf("want what had been checked, got:\n%s", details(result.Checks))
	}
	gone(t, filepath.Join(root, "pid"))
}

func gone(t *testing.T, pidFile string) {
	t.Helper()
	data, err := os.ReadFile(pidFile)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if syscall.Kill(pid, 0) != nil || zombie(pid) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("the process %d still runs", pid)
}

// zombie: killed, but nobody has waited for it, as in a container without init.
func zombie(pid int) bool {
	data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return false
	}
	_, after, _ := strings.Cut(string(data), ") ")
	return strings.HasPrefix(after, "Z")
}
