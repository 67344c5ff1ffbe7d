package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// unpacking is where the repository is made, inside of its later folder: it appears at once, when .git gets its name.
const unpacking = ".unpacking"

// Repository creates, in the empty or absent folder dir, the demo operator's git repository with its history, branches and tags, main checked out.
func Repository(ctx context.Context, dir string) (err error) {
	name := dir
	defer func() {
		if err != nil {
			err = fmt.Errorf("create the demo repository in %s: %w", name, err)
		}
	}()

	if dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	git, err := newGit()
	if err != nil {
		return err
	}
	commits, err := history()
	if err != nil {
		return fmt.Errorf("%w: this is a fault of operator-release", err)
	}

	absent := false
	switch entries, err := os.ReadDir(dir); {
	case errors.Is(err, fs.ErrNotExist):
		absent = true
	case err != nil:
		return fmt.Errorf("%w: name an empty folder, or one that does not exist", err)
	case len(entries) > 0:
		return fmt.Errorf("the folder is not empty, it has %s: name an empty one, or one that does not exist", entries[0].Name())
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("%w: name a folder that can be written to", err)
	}
	if err := os.Mkdir(filepath.Join(dir, unpacking), 0o777); err != nil {
		return fmt.Errorf("%w: name a folder that can be written to, and that nobody else uses", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, clean(dir, absent))
		}
	}()

	repository := filepath.Join(dir, unpacking)
	if err := git.run(ctx, "init", "--quiet", "--initial-branch=main", "--object-format=sha1", "--template=", repository); err != nil {
		return err
	}
	gitDir := filepath.Join(repository, ".git")
	if err := git.load(ctx, gitDir, commits); err != nil {
		return err
	}
	if err := git.run(ctx, "--git-dir="+gitDir, "--work-tree="+dir, "reset", "--quiet", "--hard"); err != nil {
		return err
	}
	if err := os.Rename(gitDir, filepath.Join(dir, ".git")); err != nil {
		return err
	}
	return os.Remove(repository)
}

// clean takes away what a failure left: all that is in dir, which was empty, and dir itself if it was absent.
func clean(dir string, absent bool) error {
	if absent {
		return os.RemoveAll(dir)
	}
	entries, err := os.ReadDir(dir)
	for _, entry := range entries {
		err = errors.Join(err, os.RemoveAll(filepath.Join(dir, entry.Name())))
	}
	return err
}

// gitCommand runs git in an environment that says nothing about this machine and its user.
type gitCommand struct {
	path string
	env  []string
}

func newGit() (gitCommand, error) {
	path, err := exec.LookPath("git")
	if err != nil {
		return gitCommand{}, fmt.Errorf("%w: install git 2.39 or newer", err)
	}
	env := []string{
		"GIT_CONFIG_GLOBAL=" + os.DevNull,
		"GIT_CONFIG_NOSYSTEM=1",
		"GIT_ATTR_NOSYSTEM=1",
		"GIT_DEFAULT_REF_FORMAT=files",
		"GIT_TERMINAL_PROMPT=0",
		"LC_ALL=C",
		"TZ=UTC",
	}
	for _, name := range []string{"PATH", "SystemRoot", "TMPDIR"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return gitCommand{path: path, env: env}, nil
}

func (g gitCommand) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, g.path, args...)
	cmd.Env = g.env
	return cmd
}

func (g gitCommand) run(ctx context.Context, args ...string) error {
	cmd := g.command(ctx, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	return failure(ctx, cmd, cmd.Run(), &stderr)
}

// failure explains why git failed, if it did.
func failure(ctx context.Context, cmd *exec.Cmd, err error, stderr *bytes.Buffer) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return fmt.Errorf("git %s: %w: %s: git 2.39 or newer is needed (see git --version), and free disk space",
		strings.Join(cmd.Args[1:], " "), err, strings.TrimSpace(stderr.String()))
}
