package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"dagger/operator-release/internal/dagger"
)

// Backport is commits on release lines, each as a branch of its own.
type Backport struct {
	// +private
	Module *OperatorRelease
	// +private
	Arguments []string
}

// Backport picks commits onto release lines, in memory; nothing is pushed unless its push is called.
func (m *OperatorRelease) Backport(
	// The commits, in the order in which they apply.
	commits []string,
	// The lines, such as 1.5,1.4.
	onto []string,
	// Make all commits one branch per line, instead of a branch each.
	// +optional
	together bool,
	// Take along what a conflicting commit needs there first, where it is found.
	// +optional
	withPrerequisites bool,
) *Backport {
	args := append(slices.Clone(commits), "--onto", strings.Join(onto, ","))
	if together {
		args = append(args, "--together")
	}
	if withPrerequisites {
		args = append(args, "--with-prerequisites")
	}
	return &Backport{Module: m, Arguments: args}
}

// made is a container whose copy of the repository has the branches. A conflict is an outcome, and no failure, here.
func (b *Backport) made(ctx context.Context, more ...string) (*dagger.Container, error) {
	c := b.Module.Base.WithDirectory("/repository", b.Module.Repository).WithWorkdir("/repository")
	args := append([]string{"operator-release", "backport", "--quiet"}, append(slices.Clone(b.Arguments), more...)...)
	if b.Module.Settings != nil {
		c = c.WithNewFile("/settings.yaml", *b.Module.Settings)
		args = append(args, "--config", "/settings.yaml")
	}
	c = c.WithExec(args, dagger.ContainerWithExecOpts{Expect: dagger.ReturnTypeAny})
	code, err := c.ExitCode(ctx)
	if err != nil {
		return nil, err
	}
	if code > 1 {
		said, err := c.Stderr(ctx)
		if err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("%s", strings.TrimSpace(said))
	}
	return c, nil
}

// Report says what came of each commit on each line: a branch, there already, nothing to change, or a conflict and what it needs.
func (b *Backport) Report(ctx context.Context) (string, error) {
	c, err := b.made(ctx)
	if err != nil {
		return "", err
	}
	return c.Stdout(ctx)
}

// Directory is the repository with the branches in it.
func (b *Backport) Directory(ctx context.Context) (*dagger.Directory, error) {
	c, err := b.made(ctx)
	if err != nil {
		return nil, err
	}
	return c.Directory("/repository"), nil
}

// Push pushes the branches of these commits, and nothing else; one that is there with other content is refused.
//
// +cache="never"
func (b *Backport) Push(
	ctx context.Context,
	// The git remote: a URL.
	remote string,
) (string, error) {
	c, err := b.made(ctx, "--json")
	if err != nil {
		return "", err
	}
	content, err := c.Stdout(ctx)
	if err != nil {
		return "", err
	}
	var said struct{ Results []struct{ Branch string } }
	if err := json.Unmarshal([]byte(content), &said); err != nil {
		return "", fmt.Errorf("read what the backport said: %w", err)
	}
	args := []string{"git", "push", "--porcelain", "--", remote}
	for _, r := range said.Results {
		ref := "refs/heads/" + r.Branch
		if spec := ref + ":" + ref; r.Branch != "" && !slices.Contains(args, spec) {
			args = append(args, spec)
		}
	}
	if len(args) == 5 {
		return "nothing to push\n", nil
	}
	return b.Module.toTheWorld(b.Module.Base).
		WithDirectory("/repository", c.Directory("/repository")).
		WithWorkdir("/repository").
		WithExec(args).
		Stdout(ctx)
}
