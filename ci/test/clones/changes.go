package clones

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Change is what happened to a clone since it was made.
type Change struct {
	Name  string
	Do    func(ctx context.Context, c *Clone) error
	Whole bool // it needs every object
}

// git is a change by calls of git in the clone.
func git(name string, steps ...string) Change {
	for i, step := range steps {
		steps[i] = "-C $CLONE " + step
	}
	return Change{Name: name, Do: func(ctx context.Context, c *Clone) error { return c.run(ctx, steps...) }}
}

// whole is the change for clones that have every object.
func whole(c Change) Change {
	c.Whole = true
	return c
}

// planted is a change that stores objects of these types, which the release made, as any other commit may have.
func planted(name string, kinds ...string) Change {
	return Change{Name: name, Do: func(ctx context.Context, c *Clone) error { return c.plant(ctx, kinds...) }}
}

// Changes are what happens to clones, and changes nothing of what they are clones of.
// What makes later calls of git fail comes last.
func Changes() []Change {
	return []Change{
		git("it fetched the release",
			"fetch --quiet --tags $PUBLISHED refs/heads/*:refs/remotes/published/* refs/releases/*:refs/releases/*"),
		git("it fetched the release, and forgot it",
			"fetch --quiet --no-tags --no-write-fetch-head $PUBLISHED refs/tags/"+Next),
		{Name: "prepare ran", Do: func(ctx context.Context, c *Clone) error { return c.Tool(ctx, c, "prepare", Next) }},
		{Name: "it was built there before", Do: func(ctx context.Context, c *Clone) error {
			return c.Tool(ctx, c, "build", Next, "-o", filepath.Join(c.Scratch, "before"))
		}},
		planted("it holds blobs of the release by chance", "blob"),
		planted("it holds trees and blobs of the release", "blob", "tree"),
		planted("it holds every object of the release", "blob", "tree", "commit", "tag"),
		git("gc", "-c repack.writeBitmaps=false gc --quiet --prune=now"), // bitmaps need every object
		whole(git("one pack with a bitmap", "repack -a -d -f -q --write-bitmap-index")),
		{"loose objects", loosen, true},
		git("commit graph with changed paths", "commit-graph write --no-progress --reachable --changed-paths"),
		git("multi-pack index", "repack -a -d -q --no-write-bitmap-index", "multi-pack-index write"),
		git("packed refs", "pack-refs --all"),
		git("a replaced commit", "replace HEAD v1.3.0^{}"),
		git("a tag named main", "tag main v1.3.0^{}"),
		git("a branch named as a tag", "branch "+Newest+" v1.3.0"),
		git("notes on commits", "notes add -m note v1.4.0^{}"),
		{Name: "attributes of its own", Do: func(ctx context.Context, c *Clone) error {
			attributes := "* text eol=crlf ident export-ignore filter=odd -diff merge=binary\n"
			return c.write(ctx, "info/attributes", attributes, 0o644)
		}},
		{Name: "hooks that fail", Do: func(ctx context.Context, c *Clone) error {
			hooks := "pre-commit commit-msg reference-transaction post-checkout pre-push pre-auto-gc post-index-change"
			for hook := range strings.FieldsSeq(hooks) {
				if err := c.write(ctx, "hooks/"+hook, "#!/bin/sh\nexit 1\n", 0o755); err != nil {
					return err
				}
			}
			return nil
		}},
		{Name: "settings of another taste", Do: func(ctx context.Context, c *Clone) error {
			return c.set(ctx, Settings()...)
		}},
		{Name: "git's default is SHA-256", Do: func(_ context.Context, c *Clone) error {
			c.Env = append(c.Env, "GIT_DEFAULT_HASH=sha256")
			return nil
		}},
	}
}

// path is where git keeps a file of the clone.
func (c *Clone) path(ctx context.Context, name string) (string, error) {
	return c.Git.Run(ctx, c.Dir, "rev-parse", "--path-format=absolute", "--git-path", name)
}

// write makes a file among those that git keeps of the clone.
func (c *Clone) write(ctx context.Context, name, content string, mode os.FileMode) error {
	file, err := c.path(ctx, name)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(content), mode)
}

// set sets NAME=VALUE settings of the clone.
func (c *Clone) set(ctx context.Context, settings ...string) error {
	for _, setting := range settings {
		name, value, _ := strings.Cut(setting, "=")
		if _, err := c.Git.Run(ctx, c.Dir, "config", "--add", name, value); err != nil {
			return err
		}
	}
	return nil
}

// plant stores the release's objects of these types.
func (c *Clone) plant(ctx context.Context, kinds ...string) error {
	made, err := c.Git.Run(ctx, c.Published, "rev-list", "--objects", "--no-object-names", Next, "--not", "main", Line)
	if err != nil {
		return err
	}
	tag, err := c.Git.Run(ctx, c.Published, "rev-parse", "refs/tags/"+Next)
	if err != nil {
		return err
	}
	for _, kind := range kinds {
		for _, id := range append(strings.Fields(made), tag) {
			found, err := c.Git.Run(ctx, c.Published, "cat-file", "-t", id)
			if err != nil {
				return err
			}
			if found != kind {
				continue
			}
			file := filepath.Join(c.Scratch, "object-"+id)
			content, err := c.Git.content(ctx, c.Published, kind, id)
			if err != nil {
				return err
			}
			if err := os.WriteFile(file, content, 0o644); err != nil {
				return err
			}
			stored, err := c.Git.Run(ctx, c.Dir, "hash-object", "-w", "-t", kind, "--no-filters", file)
			if err != nil {
				return err
			}
			if stored != id {
				return fmt.Errorf("plant %s %s in %s: it got the id %s", kind, id, c.Dir, stored)
			}
		}
	}
	return nil
}

// loosen unpacks every pack of the clone.
func loosen(ctx context.Context, c *Clone) error {
	folder, err := c.path(ctx, "objects/pack")
	if err != nil {
		return err
	}
	packs, err := filepath.Glob(filepath.Join(folder, "*.pack"))
	if err != nil {
		return err
	}
	for _, pack := range packs {
		content, err := os.ReadFile(pack)
		if err != nil {
			return err
		}
		// git unpacks only what is not there.
		siblings, err := filepath.Glob(strings.TrimSuffix(pack, ".pack") + ".*")
		if err != nil {
			return err
		}
		for _, file := range siblings {
			if err := os.Remove(file); err != nil {
				return err
			}
		}
		if _, err := c.Git.input(ctx, c.Dir, string(content), "unpack-objects", "-q"); err != nil {
			return err
		}
	}
	return nil
}
