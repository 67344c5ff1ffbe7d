package clones

import (
	"context"
	"os"
	"path/filepath"
)

// Clone is a clone that is made, or was.
type Clone struct {
	Git       Git
	Remote    string // bare repository that it is a clone of
	Published string // the same, with the release of Next in it
	Scratch   string // folder for what else is needed
	Dir       string // absent before the form makes it
	Env       []string
	Tool      func(ctx context.Context, c *Clone, args ...string) error // runs the command under test in the clone
}

// run runs git in the scratch folder, as a user does who clones.
func (c *Clone) run(ctx context.Context, steps ...[]string) error {
	return c.steps(ctx, c.Scratch, steps)
}

// in runs git in the clone.
func (c *Clone) in(ctx context.Context, steps ...[]string) error { return c.steps(ctx, c.Dir, steps) }

func (c *Clone) steps(ctx context.Context, dir string, steps [][]string) error {
	for _, args := range steps {
		if _, err := c.Git.Run(ctx, dir, args...); err != nil {
			return err
		}
	}
	return nil
}

// url has git use its own protocol, where a path would have it copy files.
func (c *Clone) url() string { return "file://" + filepath.ToSlash(c.Remote) }

// Form is a way to make a clone.
type Form struct {
	Name string
	Make func(ctx context.Context, c *Clone) error
}

// cloned is a form that git clone makes by itself, with options; its remote is named by the URL.
func cloned(name string, options ...string) Form {
	return Form{name, func(ctx context.Context, c *Clone) error {
		return c.run(ctx, append(append([]string{"clone", "--quiet"}, options...), c.url(), c.Dir))
	}}
}

// byPath is cloned, where the remote is named by its path.
func byPath(name string, options ...string) Form {
	return Form{name, func(ctx context.Context, c *Clone) error {
		return c.run(ctx, append(append([]string{"clone", "--quiet"}, options...), c.Remote, c.Dir))
	}}
}

// Whole are forms of clones that have, or can fetch by themselves, everything that the remote has.
func Whole() []Form {
	return []Form{
		cloned("fresh clone"),
		byPath("clone of a path, hard links"),
		byPath("--no-hardlinks", "--no-hardlinks"),
		byPath("--shared", "--shared"),
		{"--reference, to a clone with the release", func(ctx context.Context, c *Clone) error {
			reference := filepath.Join(c.Scratch, "reference.git")
			return c.run(ctx, []string{"clone", "--quiet", "--mirror", c.Published, reference},
				[]string{"clone", "--quiet", "--reference", reference, c.url(), c.Dir})
		}},
		{"alternates of alternates", func(ctx context.Context, c *Clone) error {
			between := filepath.Join(c.Scratch, "between")
			return c.run(ctx, []string{"clone", "--quiet", "--shared", c.Remote, between}, []string{"clone", "--quiet", "--shared", between, c.Dir},
				[]string{"-C", c.Dir, "remote", "set-url", "origin", c.Remote},
				[]string{"-C", c.Dir, "fetch", "--quiet", "--prune", "--tags", "origin"})
		}},
		cloned("--bare", "--bare"),
		cloned("--mirror", "--mirror"),
		{"linked work tree", func(ctx context.Context, c *Clone) error {
			main := filepath.Join(c.Scratch, "main")
			return c.run(ctx, []string{"clone", "--quiet", c.url(), main}, []string{"-C", main, "worktree", "add", "--quiet", "--detach", c.Dir, "main"})
		}},
		{"linked work tree of a bare repository", func(ctx context.Context, c *Clone) error {
			main := filepath.Join(c.Scratch, "main.git")
			return c.run(ctx, []string{"clone", "--quiet", "--bare", c.url(), main}, []string{"-C", main, "worktree", "add", "--quiet", c.Dir, "main"})
		}},
		{"--separate-git-dir", func(ctx context.Context, c *Clone) error {
			return c.run(ctx, []string{"clone", "--quiet", "--separate-git-dir=" + filepath.Join(c.Scratch, "git-dir"), c.url(), c.Dir})
		}},
		cloned("--sparse", "--sparse"),
		{"git init, fetch and switch", func(ctx context.Context, c *Clone) error {
			if err := c.run(ctx, []string{"init", "--quiet", "--initial-branch=other", c.Dir}); err != nil {
				return err
			}
			return c.in(ctx, []string{"remote", "add", "origin", c.url()}, []string{"fetch", "--quiet", "--tags", "origin"},
				[]string{"checkout", "--quiet", "-B", "main", "origin/main"})
		}},
		{"clone of a bundle file", func(ctx context.Context, c *Clone) error {
			file := filepath.Join(c.Scratch, "all.bundle")
			return c.run(ctx, []string{"-C", c.Remote, "bundle", "create", "--quiet", file, "--all"},
				[]string{"clone", "--quiet", "--branch=main", file, c.Dir}, []string{"-C", c.Dir, "remote", "set-url", "origin", c.url()})
		}},
		{"checkout of a pull request's kind, detached", func(ctx context.Context, c *Clone) error {
			return c.run(ctx, []string{"clone", "--quiet", c.url(), c.Dir}, []string{"-C", c.Dir, "checkout", "--quiet", "--detach"},
				[]string{"-C", c.Dir, "branch", "--quiet", "-D", "main"})
		}},
		{"a copy of the folder, by another user's tools", func(ctx context.Context, c *Clone) error {
			first := filepath.Join(c.Scratch, "first")
			if err := c.run(ctx, []string{"clone", "--quiet", c.url(), first}); err != nil {
				return err
			}
			return os.CopyFS(c.Dir, os.DirFS(first))
		}},
	}
}
