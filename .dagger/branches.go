package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"dagger/operator-release/internal/dagger"
)

// Branches are what a command makes in a copy of the repository, for pull requests. Nothing is pushed unless push is called.
type Branches struct {
	// +private
	Module *OperatorRelease
	// +private
	Command string
	// +private
	Arguments []string
	// +private
	Conflicts bool // exit code 1 after a report says that something conflicts, which is an outcome
}

// Branch cuts a release line from the development branch, after asking the gate.
//
// Known for a session only, as every object here that holds the repository: that may be a caller's folder.
//
// +cache="session"
func (m *OperatorRelease) Branch(
	// The line, such as 1.5.
	line string,
) (*Branches, error) {
	return &Branches{Module: m, Command: "branch", Arguments: []string{"--", line}}, m.lines("branch")
}

// Prepare makes the release commit a branch prepare/VERSION, for release branches that want a pull request.
//
// +cache="session"
func (m *OperatorRelease) Prepare(
	// The version: vX.Y.Z or vX.Y.Z-rc.N.
	version string,
) (*Branches, error) {
	return &Branches{Module: m, Command: "prepare", Arguments: append(m.accepting(), "--", version)}, m.lines("prepare")
}

// Followup makes a branch followup/VERSION, which carries a final version's changelog section, and the next version, to the development branch.
//
// +cache="session"
func (m *OperatorRelease) Followup(
	// The version: vX.Y.Z.
	version string,
	// What the development branch says then, such as v1.6.0-rc.0, instead of the version.
	// +optional
	next string,
) (*Branches, error) {
	var args []string
	if next != "" {
		args = append(args, "--next="+next)
	}
	return &Branches{Module: m, Command: "followup", Arguments: append(args, "--", version)}, m.lines("followup")
}

// Backport picks commits onto release lines, each as a branch of its own.
//
// +cache="session"
func (m *OperatorRelease) Backport(
	// The commits, in the order in which they apply; where pull requests are proposed, also #NUMBER, what that pull request brought.
	commits []string,
	// The lines, such as 1.5,1.4.
	onto []string,
	// Make all commits one branch per line, instead of a branch each.
	// +optional
	together bool,
	// Take along what a conflicting commit needs there first, where it is found.
	// +optional
	withPrerequisites bool,
) (*Branches, error) {
	args := []string{"--onto=" + strings.Join(onto, ",")}
	if together {
		args = append(args, "--together")
	}
	if withPrerequisites {
		args = append(args, "--with-prerequisites")
	}
	return &Branches{Module: m, Command: "backport", Arguments: slices.Concat(args, []string{"--"}, commits), Conflicts: true}, m.lines("backport")
}

// made is a container whose copy of the repository has the branches, and what the command said there. What failed is known to no cache, a conflict neither: it may
// be that something could not be regenerated this time.
func (b *Branches) made(ctx context.Context) (*dagger.Container, string, error) {
	c := b.Module.command(b.Module.Base, dagger.ReturnTypeSuccess, b.Command, b.Arguments...)
	said, err := c.Stdout(ctx)
	var failed *dagger.ExecError
	if b.Conflicts && errors.As(err, &failed) && failed.ExitCode == 1 && failed.Stdout != "" {
		return b.Module.command(b.Module.Base, dagger.ReturnTypeAny, b.Command, b.Arguments...), failed.Stdout + "\n", nil
	}
	return c, said, err
}

// Report says what was made: which branches, of what, and what did not become one and why. A backport that conflicts is told, and is no failure here.
func (b *Branches) Report(ctx context.Context) (string, error) {
	_, said, err := b.made(ctx)
	return said, err
}

// Directory is the repository with the branches in it.
func (b *Branches) Directory(ctx context.Context) (*dagger.Directory, error) {
	c, _, err := b.made(ctx)
	if err != nil {
		return nil, err
	}
	return c.Directory(repositoryAt), nil
}

// Push makes the branches and creates them on a remote. One that is there with the same commit is left alone, one with other content is refused. Where a backport
// conflicts it fails, once the branches of what applies are pushed.
//
// +cache="never"
func (b *Branches) Push(
	ctx context.Context,
	// The git remote: a name or a URL.
	remote string,
) (string, error) {
	args := append([]string{"--push", "--remote=" + remote}, b.Arguments...)
	return b.Module.command(b.Module.toTheWorld(b.Module.Base), dagger.ReturnTypeSuccess, b.Command, args...).Stdout(ctx)
}

// Propose pushes the branches of a backport, one for each line, and opens a pull request for each at the repository that with-github names; run again it brings them up to
// date. A branch that is there with other content is left as it is. What conflicts is said once on the pull request that brought it, and fails.
//
// +cache="never"
func (b *Branches) Propose(
	ctx context.Context,
	// The git remote: a name or a URL, instead of the repository's own.
	// +optional
	remote string,
) (string, error) {
	if b.Command != "backport" {
		return "", fmt.Errorf("propose: pull requests are opened of backports; push the branch of %s instead, and open one", b.Command)
	}
	return b.Module.propose(remote, b.Arguments...).Stdout(ctx)
}

// BackportAsked picks what an event of GitHub's asks for, by a comment or a label, and opens pull requests as propose does. An event that asks for nothing, or by somebody who may
// not write, is nothing to do.
//
// +cache="never"
func (m *OperatorRelease) BackportAsked(
	ctx context.Context,
	// What happened, as GITHUB_EVENT_PATH names it.
	event *dagger.File,
	// The git remote: a name or a URL, instead of the repository's own.
	// +optional
	remote string,
) (string, error) {
	if err := m.lines("backport"); err != nil {
		return "", err
	}
	return m.withEvent(event).propose(remote, "--event="+eventAt).Stdout(ctx)
}

const eventAt = "/event.json"

func (m *OperatorRelease) withEvent(event *dagger.File) *OperatorRelease {
	with := *m
	with.Base = m.Base.WithMountedFile(eventAt, event)
	return &with
}

// propose runs a backport that opens pull requests.
func (m *OperatorRelease) propose(remote string, args ...string) *dagger.Container {
	flags := m.github()
	if remote != "" {
		flags = append(flags, "--push", "--remote="+remote)
	}
	return m.command(m.toTheWorld(m.Base), dagger.ReturnTypeSuccess, "backport", append(flags, args...)...)
}
