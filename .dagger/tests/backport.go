package main

import (
	"context"
	"fmt"

	"dagger/tests/internal/dagger"
)

// Backport picks a fix onto a line and pushes its branch; one that conflicts is told, and pushes nothing.
//
// +check
func (t *Tests) Backport(ctx context.Context) error {
	base := t.repository(copied)
	lined := dag.Container().From(t.GoImage).WithDirectory("/repository", base).WithWorkdir("/repository").
		WithExec([]string{"git", "branch", "release-1.0"}).Directory("/repository")
	fixed := t.commit(lined.WithNewFile("cmd/tiny/fix.go", "package main\n"), "fix: one (#1)")
	changed := t.commit(fixed.WithNewFile("cmd/tiny/fix.go", "package main\n\nvar changed = true\n"), "fix: two (#2)")
	remote, err := t.remote(ctx, "backport")
	if err != nil {
		return err
	}
	module := dag.OperatorRelease(dagger.OperatorReleaseOpts{Repository: changed, GoImage: t.GoImage}).WithService("remote", remote)
	clean := module.Backport([]string{"HEAD~1"}, []string{"1.0"})
	report, err := clean.Report(ctx)
	if err != nil {
		return err
	}
	if err := has(report, "✓", "fix: one (#1)", "branch backport/"); err != nil {
		return err
	}
	pushed, err := clean.Push(ctx, "git://remote/tiny.git")
	if err != nil {
		return err
	}
	if err := has(pushed, "refs/heads/backport/", "[new branch]"); err != nil {
		return err
	}
	lone := module.Backport([]string{"HEAD"}, []string{"1.0"})
	if report, err = lone.Report(ctx); err != nil {
		return err
	}
	if err := has(report, "✗", "fix: two (#2)", "conflict", "needs", "--with-prerequisites", "git cherry-pick -x"); err != nil {
		return err
	}
	if pushed, err = lone.Push(ctx, "git://remote/tiny.git"); err != nil || pushed != "nothing to push\n" {
		return fmt.Errorf("a conflict was pushed: %s (%w)", pushed, err)
	}
	taken, err := module.Backport([]string{"HEAD"}, []string{"1.0"}, dagger.OperatorReleaseBackportOpts{WithPrerequisites: true}).Report(ctx)
	if err != nil {
		return err
	}
	_, err = module.Backport([]string{"HEAD"}, []string{"9.9"}).Report(ctx)
	if err := fails(err, "there is no branch of that line"); err != nil {
		return err
	}
	return has(taken, "✓", "took along", "fix: one (#1)")
}
