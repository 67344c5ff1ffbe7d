package clones

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
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

// run runs git in the scratch folder, a call for each step. A step is the arguments, with spaces between them.
//
// In arguments $CLONE, $REMOTE, $PUBLISHED and $SCRATCH are the folders. $URL is the remote by git's own protocol: from
// a path git would copy files. $FORMAT is the remote's object format. ${NAME} is the commit of its branch or tag NAME.
func (c *Clone) run(ctx context.Context, steps ...string) error {
	for _, step := range steps {
		var args []string
		var unknown error
		for arg := range strings.FieldsSeq(step) {
			args = append(args, os.Expand(arg, func(name string) string {
				known := map[string]string{
					"CLONE": c.Dir, "REMOTE": c.Remote, "PUBLISHED": c.Published, "SCRATCH": c.Scratch,
					"URL": "file://" + filepath.ToSlash(c.Remote),
				}
				if value, ok := known[name]; ok {
					return value
				}
				ask := name + "^{commit}"
				if name == "FORMAT" {
					ask = "--show-object-format"
				}
				id, err := c.Git.Run(ctx, c.Remote, "rev-parse", ask)
				unknown = errors.Join(unknown, err)
				return id
			}))
		}
		if unknown != nil {
			return unknown
		}
		if _, err := c.Git.Run(ctx, c.Scratch, args...); err != nil {
			return err
		}
	}
	return nil
}

// Form is a way to make a clone.
type Form struct {
	Name    string
	Make    func(ctx context.Context, c *Clone) error
	Partial bool // objects may be missing
}

// form is a form by calls of git.
func form(name string, steps ...string) Form {
	return Form{Name: name, Make: func(ctx context.Context, c *Clone) error { return c.run(ctx, steps...) }}
}

// cloned is a form that git clone makes by itself, with these options.
func cloned(name, options string) Form {
	return form(name, "clone --quiet "+options+" $URL $CLONE")
}

// Whole are forms of clones that have everything that the remote has. The first one is a fresh clone.
func Whole() []Form {
	return []Form{
		cloned("fresh clone", ""),
		form("clone of a path, hard links", "clone --quiet $REMOTE $CLONE"),
		form("--no-hardlinks", "clone --quiet --no-hardlinks $REMOTE $CLONE"),
		form("--shared", "clone --quiet --shared $REMOTE $CLONE"),
		form("--reference, to a clone with the release",
			"clone --quiet --mirror $PUBLISHED $SCRATCH/reference.git",
			"clone --quiet --reference $SCRATCH/reference.git $URL $CLONE"),
		form("alternates of alternates",
			"clone --quiet --shared $REMOTE $SCRATCH/between",
			"clone --quiet --shared $SCRATCH/between $CLONE",
			"-C $CLONE remote set-url origin $REMOTE",
			"-C $CLONE fetch --quiet --prune --tags origin"),
		cloned("--bare", "--bare"),
		cloned("--mirror", "--mirror"),
		form("linked work tree",
			"clone --quiet $URL $SCRATCH/main",
			"-C $SCRATCH/main worktree add --quiet --detach $CLONE main"),
		form("linked work tree of a bare repository",
			"clone --quiet --bare $URL $SCRATCH/main.git",
			"-C $SCRATCH/main.git worktree add --quiet $CLONE main"),
		cloned("--separate-git-dir", "--separate-git-dir=$SCRATCH/git-dir"),
		cloned("--sparse", "--sparse"),
		form("git init, fetch and switch",
			"init --quiet --object-format=$FORMAT --initial-branch=other $CLONE",
			"-C $CLONE remote add origin $URL",
			"-C $CLONE fetch --quiet --tags origin",
			"-C $CLONE checkout --quiet -B main origin/main"),
		form("clone of a bundle file",
			"-C $REMOTE bundle create --quiet $SCRATCH/all.bundle --all",
			"clone --quiet --branch=main $SCRATCH/all.bundle $CLONE",
			"-C $CLONE remote set-url origin $URL"),
		form("detached, without branches",
			"clone --quiet $URL $CLONE",
			"-C $CLONE checkout --quiet --detach",
			"-C $CLONE branch --quiet -D main"),
		{Name: "a copy of the folder", Make: func(ctx context.Context, c *Clone) error {
			if err := c.run(ctx, "clone --quiet $URL $SCRATCH/first"); err != nil {
				return err
			}
			return os.CopyFS(c.Dir, os.DirFS(filepath.Join(c.Scratch, "first")))
		}},
	}
}
