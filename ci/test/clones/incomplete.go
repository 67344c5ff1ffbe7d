package clones

import (
	"context"
	"os/exec"
)

// Partial are forms of clones that fetch missing objects when a command reads them.
func Partial() []Form {
	forms := []Form{
		cloned("blobless", "--filter=blob:none"),
		cloned("treeless", "--filter=tree:0"),
		cloned("blobless and bare", "--filter=blob:none --bare"),
		cloned("partial by size", "--filter=blob:limit=10"),
	}
	for i := range forms {
		forms[i].Partial = true
	}
	return forms
}

// Named are forms of whole clones whose remote has another name, or is not the only one.
func Named() []Form {
	return []Form{
		cloned("the remote is called upstream", "--origin=upstream"),
		form("origin is an old fork, main tracks upstream",
			"init --quiet --object-format=$FORMAT --bare --initial-branch=main $SCRATCH/fork.git",
			"-C $REMOTE push --quiet $SCRATCH/fork.git v1.3.0^{}:refs/heads/main v1.3.0",
			"clone --quiet --origin=upstream $URL $CLONE",
			"-C $CLONE remote add origin $SCRATCH/fork.git",
			"-C $CLONE fetch --quiet origin"),
	}
}

// Owned are forms of whole clones that belong to another user. They need the rights to give files away.
func Owned() []Form {
	return []Form{{Name: "another owner", Make: func(ctx context.Context, c *Clone) error {
		if err := c.run(ctx, "clone --quiet $URL $CLONE"); err != nil {
			return err
		}
		return exec.CommandContext(ctx, "chown", "-R", "65534:65534", c.Dir).Run()
	}}}
}

// Tagged are forms of whole clones with tags that the remote does not have.
func Tagged() []Form {
	const fresh = "clone --quiet $URL $CLONE"
	return []Form{
		form("an older version of its own", fresh, "-C $CLONE tag v1.3.7 v1.3.0^{}"),
		form("a version before of its own", fresh, "-C $CLONE tag v1.4.9 v1.4.0^{}"),
		form("candidates of its own", fresh, "-C $CLONE tag v1.4.0-rc.7 v1.3.0^{}", "-C $CLONE tag v1.4.1-rc.0 v1.4.0^{}"),
		form("a newer version of its own", fresh, "-C $CLONE tag v9.0.0 HEAD"),
		form("a tag of another scheme", fresh, "-C $CLONE tag tried HEAD"),
	}
}

// Older is a form of clones without the newest commit of main at the remote. A release from it has another commit.
const Older = "cloned before the newest commit"

// Incomplete are forms of clones without something that the remote has.
func Incomplete() []Form {
	const (
		fresh = "clone --quiet $URL $CLONE"
		begin = "init --quiet --object-format=$FORMAT $CLONE"
		add   = "-C $CLONE remote add origin $URL"
		gone  = "-C $CLONE remote set-url origin file:///nonexistent/remote.git"
	)
	return []Form{
		cloned("shallow", "--depth=1"),
		cloned("shallow, every branch", "--depth=1 --no-single-branch"),
		cloned("depth 2, every branch", "--depth=2 --no-single-branch"),
		cloned("a depth that exceeds the history", "--depth=1000"),
		cloned("shallow and blobless", "--depth=1 --filter=blob:none"),
		cloned("no tags", "--no-tags"),
		form("without the newest tag", fresh, "-C $CLONE tag -d "+Newest),
		form("without an older tag", fresh, "-C $CLONE tag -d v1.4.0"),
		form("tags of another content", fresh, "-C $CLONE tag -f v1.4.0 v1.3.0^{}"),
		cloned("single-branch", "--single-branch"),
		form("single-branch, every tag", "clone --quiet --single-branch $URL $CLONE", "-C $CLONE fetch --quiet --tags"),
		{Name: "grafted", Make: func(ctx context.Context, c *Clone) error {
			if err := c.run(ctx, fresh); err != nil {
				return err
			}
			parent, err := c.Git.Run(ctx, c.Dir, "rev-parse", "HEAD~1")
			if err != nil {
				return err
			}
			return c.write(ctx, "info/grafts", parent+"\n", 0o644)
		}},
		form("cloned before the newest version",
			"clone --quiet --mirror $REMOTE $SCRATCH/old.git",
			"-C $SCRATCH/old.git tag -d "+Newest,
			"-C $SCRATCH/old.git branch -D "+Line,
			"clone --quiet file://$SCRATCH/old.git $CLONE",
			"-C $CLONE remote set-url origin $URL"),
		form(Older,
			"clone --quiet --mirror $REMOTE $SCRATCH/old.git",
			"-C $SCRATCH/old.git update-ref refs/heads/main main~1",
			"-C $SCRATCH/old.git update-ref -d refs/heads/release-1.5", // it stands on the newest commit
			"clone --quiet --no-tags file://$SCRATCH/old.git $CLONE",
			"-C $CLONE remote set-url origin $URL",
			"-C $CLONE fetch --quiet origin refs/tags/v1.3.0:refs/tags/v1.3.0 refs/tags/v1.4.0:refs/tags/v1.4.0",
			"-C $CLONE fetch --quiet origin refs/tags/"+Newest+":refs/tags/"+Newest),
		form("actions/checkout", begin, add,
			"-C $CLONE fetch --quiet --no-tags --prune --depth=1 origin +${main}:refs/remotes/origin/main",
			"-C $CLONE checkout --quiet --force -B main refs/remotes/origin/main"),
		form("actions/checkout of a tag", begin, add,
			"-C $CLONE fetch --quiet --no-tags --prune --depth=1 origin +${main}:refs/tags/"+Newest,
			"-C $CLONE checkout --quiet --force refs/tags/"+Newest),
		form("actions/checkout of a tag, fetch-depth: 0", begin, add,
			"-C $CLONE fetch --quiet origin +refs/heads/*:refs/remotes/origin/* +refs/tags/*:refs/tags/*",
			"-C $CLONE fetch --quiet --no-tags origin +${"+Newest+"}:refs/tags/"+Newest,
			"-C $CLONE checkout --quiet --force ${main}"),
		form("git init, one commit", begin, add,
			"-C $CLONE fetch --quiet --depth=1 origin ${main}",
			"-C $CLONE checkout --quiet FETCH_HEAD"),
		form("git init, one commit with its history", begin, add,
			"-C $CLONE fetch --quiet origin ${main}",
			"-C $CLONE checkout --quiet FETCH_HEAD"),
		form("no remote", fresh, "-C $CLONE remote remove origin"),
		form("the remote cannot be reached", fresh, gone),
		form("blobless, the remote cannot be reached", "clone --quiet --filter=blob:none $URL $CLONE", gone),
		form("treeless, the remote cannot be reached", "clone --quiet --filter=tree:0 $URL $CLONE", gone),
	}
}
