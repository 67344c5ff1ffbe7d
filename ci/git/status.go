package git

import (
	"context"
	"os/exec"
	"strings"
)

// Dirty lists what in the work tree is not committed. Of files that git does not track it leaves out those that leftOut
// tells. It is asked about files relative to the root, slash-separated; a repository in the work tree is one that ends
// with a slash. A bare repository is never dirty.
func (r *Repository) Dirty(ctx context.Context, leftOut func(file string) bool) ([]string, error) {
	if bare, err := r.Git(ctx, "rev-parse", "--is-bare-repository"); err != nil || bare == "true" {
		return nil, err
	}
	if err := r.CompleteTrees(ctx, "HEAD"); err != nil {
		return nil, err
	}
	// By the user's own settings: a checkout with other line ends is no change.
	args := []string{"-c", "core.fsmonitor=false", "-c", "safe.directory=*", "status",
		"--porcelain", "-z", "--untracked-files=all", "--no-renames", "--", "."}
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir, cmd.Env = r.dir, append(UserEnvironment(), "LC_ALL=C", "GIT_OPTIONAL_LOCKS=0")
	stdout, err := output(cmd, nil, args)
	out := string(stdout)
	if err != nil || out == "" {
		return nil, err
	}
	var paths []string
	for entry := range strings.SplitSeq(strings.TrimSuffix(out, "\x00"), "\x00") {
		state, name := entry[:2], entry[3:]
		if state != "??" || !leftOut(name) {
			paths = append(paths, name)
		}
	}
	return paths, nil
}

// Ignored tells whether git ignores a folder of the work tree, by the user's settings too. It is named relative to the
// root and slash-separated.
func (r *Repository) Ignored(ctx context.Context, folder string) (bool, error) {
	args := []string{"-c", "core.fsmonitor=false", "-c", "safe.directory=*", "check-ignore", "--quiet", "--", folder + "/"}
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir, cmd.Env = r.dir, append(UserEnvironment(), "LC_ALL=C", "GIT_OPTIONAL_LOCKS=0")
	_, err := output(cmd, nil, args)
	if exitCode(err) == 1 {
		return false, nil
	}
	return err == nil, err
}
