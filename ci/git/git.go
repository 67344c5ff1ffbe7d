package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/operator-release/operator-release/ci/refusal"
)

// Repository is a git repository, with or without a work tree.
type Repository struct {
	dir string // where git runs
	// object directories: the first gets new objects, the others are read; empty: the repository's own
	objects    []string
	format     ObjectFormat // empty: not asked yet
	completion *completion  // of the partial clones whose objects it sees
	clone      *Repository  // the one that a scratch repository was made of; nil: this is none
}

// at is the repository in a folder.
func at(dir string) *Repository { return &Repository{dir: dir, completion: &completion{}} }

// Open finds the repository that dir belongs to; a folder without one is refused.
func Open(ctx context.Context, dir string) (*Repository, error) {
	r := at(dir)
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, refusal.New("open repository %s: there is no such folder; name one with --source", dir)
	}
	said, err := r.Git(ctx, "rev-parse", "--path-format=absolute", "--git-common-dir", "--show-toplevel")
	common, top, _ := strings.Cut(said, "\n")
	if err != nil {
		if top, err = r.Git(ctx, "rev-parse", "--absolute-git-dir"); err != nil {
			if link, unread := os.ReadFile(filepath.Join(dir, ".git")); unread == nil {
				return nil, refusal.New("open repository %s: it is a linked work tree or a submodule, and its repository is not "+
					"here (.git says %q); name a clone that has its own .git folder; git clone makes one",
					dir, strings.TrimSpace(string(link)))
			}
			return nil, refusal.New("open repository %s: %w; name a git repository with --source", dir, err)
		}
	}
	r.dir, r.completion.common = top, common
	return r, nil
}

// Init makes dir a new bare repository whose object ids have a format. No template adds hooks.
func Init(ctx context.Context, dir string, format ObjectFormat) (*Repository, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	r := at(dir)
	r.format = format
	initialize := []string{"init", "--quiet", "--bare", "--template=", "--initial-branch=main",
		"--object-format=" + string(format)}
	if _, err := r.Git(ctx, initialize...); err != nil {
		return nil, err
	}
	var err error
	r.completion.common, err = filepath.Abs(dir)
	return r, err
}

// Dir is the work tree's root, or the bare repository's folder.
func (r *Repository) Dir() string { return r.dir }

// Error is a git command that failed.
type Error struct {
	Args   []string
	Code   int
	Stderr string
}

func (e *Error) Error() string {
	return fmt.Sprintf("git %s: exit code %d: %s", strings.Join(e.Args, " "), e.Code, e.Stderr)
}

// Git runs a git command that reads, or writes to this repository, and gives its trimmed output.
func (r *Repository) Git(ctx context.Context, args ...string) (string, error) {
	out, err := r.run(ctx, nil, nil, args...)
	return strings.TrimRight(string(out), "\n"), err
}

// run runs git in the closed environment.
func (r *Repository) run(ctx context.Context, stdin io.Reader, env []string, args ...string) ([]byte, error) {
	return output(r.command(ctx, env, args...), stdin, args)
}

func (r *Repository) command(ctx context.Context, env []string, args ...string) *exec.Cmd {
	// What the repository's own configuration could run is switched off; it is pointed at by name, so whoever owns it is meant.
	closed := []string{
		"-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false", "-c", "core.attributesFile=/dev/null",
		"-c", "gc.auto=0", "-c", "maintenance.auto=false", "-c", "safe.directory=*", "-c", "protocol.ext.allow=never",
	}
	cmd := exec.CommandContext(ctx, "git", append(closed, args...)...)
	cmd.Dir = r.dir
	cmd.Env = append(closedEnvironment(), env...)
	// Git must not fetch a missing object lazily: complete fetches it before. Git before 2.45 does not know
	// GIT_NO_LAZY_FETCH, so the environment also forbids every protocol.
	cmd.Env = append(cmd.Env, "GIT_NO_LAZY_FETCH=1")
	if !slices.Contains([]string{"clone", "fetch", "push"}, args[0]) {
		cmd.Env = append(cmd.Env, "GIT_ALLOW_PROTOCOL=none")
	}
	if len(r.objects) > 0 {
		cmd.Env = append(cmd.Env, "GIT_OBJECT_DIRECTORY="+r.objects[0],
			"GIT_ALTERNATE_OBJECT_DIRECTORIES="+strings.Join(r.objects[1:], string(os.PathListSeparator)))
	}
	return cmd
}

func output(cmd *exec.Cmd, stdin io.Reader, args []string) ([]byte, error) {
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return stdout.Bytes(), &Error{Args: args, Code: exit.ExitCode(), Stderr: strings.TrimSpace(stderr.String())}
	}
	if err != nil {
		return nil, fmt.Errorf("git %s: %w; git 2.39 or newer is needed", strings.Join(args, " "), err)
	}
	return stdout.Bytes(), nil
}

// Quarantine gives the same repository with new objects going to the folder dir instead.
func (r *Repository) Quarantine(ctx context.Context, dir string) (*Repository, error) {
	folders, format, err := r.storage(ctx)
	if err != nil {
		return nil, err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	quiet := append([]string{dir}, folders...)
	return &Repository{dir: r.dir, objects: quiet, format: format, completion: r.completion, clone: r.clone}, nil
}

// exitCode is the code with which git ended, or -1.
func exitCode(err error) int {
	var failed *Error
	if errors.As(err, &failed) {
		return failed.Code
	}
	return -1
}
