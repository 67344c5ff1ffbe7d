package clones

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// Git is a git command, by its path. It runs without the settings of user and machine, also in clones of another user.
type Git string

// Environment is the environment for commands that work in a clone: the one of this process, without settings of user
// and machine. Commits get a fixed author and a fixed time.
func Environment() []string {
	env := append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0")
	for _, who := range []string{"GIT_AUTHOR", "GIT_COMMITTER"} {
		env = append(env, who+"_NAME=Ada", who+"_EMAIL=ada@example.com", who+"_DATE=2026-10-01T12:00:00Z")
	}
	return env
}

// Run runs git in a folder and gives its trimmed output.
func (g Git) Run(ctx context.Context, dir string, args ...string) (string, error) {
	return g.input(ctx, dir, "", args...)
}

// content is an object's content.
func (g Git) content(ctx context.Context, dir, kind, id string) ([]byte, error) {
	return g.output(ctx, dir, "", "cat-file", kind, id)
}

func (g Git) input(ctx context.Context, dir, stdin string, args ...string) (string, error) {
	out, err := g.output(ctx, dir, stdin, args...)
	return strings.TrimSpace(string(out)), err
}

func (g Git) output(ctx context.Context, dir, stdin string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, string(g), append([]string{"-c", "safe.directory=*"}, args...)...)
	cmd.Dir, cmd.Env, cmd.Stdin = dir, Environment(), strings.NewReader(stdin)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s %s in %s: %w: %s", g, strings.Join(args, " "), dir, err, stderr.String())
	}
	return out, nil
}
