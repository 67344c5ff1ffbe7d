package main

import (
	"context"
	"fmt"

	"dagger/tests/internal/dagger"
)

// Backport picks a fix onto a line and pushes its branch; one that conflicts is told, and becomes no branch.
//
// +check
func (t *Tests) Backport(ctx context.Context) error {
	lined := t.in(t.repository(copied), "git branch release-1.0").Directory("/repository")
	fixed := t.commit(lined.WithNewFile("cmd/tiny/fix.go", "package main\n"), "fix: one (#1)")
	changed := t.commit(fixed.WithNewFile("cmd/tiny/fix.go", "package main\n\nvar changed = true\n"), "fix: two (#2)")
	remote, err := t.remote(ctx, "backport")
	if err != nil {
		return err
	}
	module := t.module(changed).WithService("remote", remote)
	clean := module.Backport([]string{"HEAD~1"}, []string{"1.0"})
	report, err := clean.Report(ctx)
	if err != nil {
		return err
	}
	if err := has(report, "✓", "fix: one (#1)", "branch backport/"); err != nil {
		return err
	}
	// What applies is pushed, also where something else conflicts: the call fails, and names it.
	_, err = module.Backport([]string{"HEAD~1", "HEAD"}, []string{"1.0"}).Push(ctx, url)
	if err := fails(err, "fix: one (#1)", "branch backport/", "✗", "fix: two (#2)", "1 of 2 picks conflict"); err != nil {
		return err
	}
	if err := exits(err, 1); err != nil {
		return err
	}
	first, err := t.heads(ctx, remote)
	if err != nil {
		return err
	}
	if err := has(first, "refs/heads/backport/"); err != nil {
		return err
	}
	if _, err := clean.Push(ctx, url); err != nil {
		return err
	}
	if again, err := t.heads(ctx, remote); err != nil || again != first {
		return fmt.Errorf("pushed again: %s\nbefore: %s (%w)", again, first, err)
	}
	lone := module.Backport([]string{"HEAD"}, []string{"1.0"})
	if report, err = lone.Report(ctx); err != nil {
		return err
	}
	if err := has(report, "✗", "fix: two (#2)", "conflict", "needs", "--with-prerequisites", "git cherry-pick -x"); err != nil {
		return err
	}
	if err := t.told(ctx, lone.Directory(), "git for-each-ref --format='%(refname)'", "refs/heads/main\nrefs/heads/release-1.0\n"); err != nil {
		return err
	}
	taken, err := module.Backport([]string{"HEAD"}, []string{"1.0"}, dagger.OperatorReleaseBackportOpts{WithPrerequisites: true}).Report(ctx)
	if err != nil {
		return err
	}
	_, err = module.Backport([]string{"HEAD"}, []string{"9.9"}).Report(ctx)
	if err := fails(err, "there is no branch of that line"); err != nil {
		return err
	}
	if err := exits(err, 2); err != nil {
		return err
	}
	return has(taken, "✓", "took along", "fix: one (#1)")
}
