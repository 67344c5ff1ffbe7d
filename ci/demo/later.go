package demo

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
)

// Fix is the name of what is repaired on main once v1.5.0 is out.
const Fix = "0300-fix-metrics-charset.txtar"

// Later makes one of the commits that come after the history, by its name, on the branch that is checked out in the repository in dir.
func Later(ctx context.Context, dir, name string) error {
	data, err := embedded.ReadFile(path.Join("later", name))
	if err != nil {
		return err
	}
	c, err := parse(name, data)
	if err != nil {
		return fmt.Errorf("later/%s: %w", name, err)
	}
	git, err := newGit()
	if err != nil {
		return err
	}
	args := []string{"-C", dir, "add", "--"}
	for _, file := range c.files {
		if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(file.Name)), file.Data, 0o644); err != nil {
			return fmt.Errorf("commit %s: %w", name, err)
		}
		args = append(args, file.Name)
	}
	if err := git.run(ctx, args...); err != nil {
		return err
	}
	stamp := func(p person) string { return fmt.Sprintf("%d %s", p.when.Unix(), p.when.Format("-0700")) }
	git.env = append(git.env,
		"GIT_AUTHOR_NAME="+c.author.name, "GIT_AUTHOR_EMAIL="+c.author.email, "GIT_AUTHOR_DATE="+stamp(c.author),
		"GIT_COMMITTER_NAME="+c.committer.name, "GIT_COMMITTER_EMAIL="+c.committer.email, "GIT_COMMITTER_DATE="+stamp(c.committer))
	return git.run(ctx, "-C", dir, "commit", "--quiet", "--no-verify", "-m", c.message)
}
