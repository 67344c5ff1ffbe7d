package main

import (
	"context"
	"fmt"

	"dagger/tests/internal/dagger"
)

// Lines cuts a release line and pushes it: once, again, and with other content, which is refused.
//
// +check
func (t *Tests) Lines(ctx context.Context) error {
	remote, err := t.remote(ctx, "lines")
	if err != nil {
		return err
	}
	repository := t.repository(copied)
	cut := t.module(repository).WithService("remote", remote).Branch("1.0")
	report, err := cut.Report(ctx)
	if err != nil {
		return err
	}
	if err := has(report, "Line 1.0 is cut from main\n", "✓ branch release-1.0 at ", "✓ command: go test"); err != nil {
		return err
	}
	if err := t.told(ctx, cut.Directory(), "git log --format=%s release-1.0; git status --porcelain", "feat: a tiny operator\n"); err != nil {
		return err
	}
	if before, err := t.heads(ctx, remote); err != nil || before != "" {
		return fmt.Errorf("not pushed, and there: %s (%w)", before, err)
	}
	pushed, err := cut.Push(ctx, url)
	if err != nil {
		return err
	}
	if err := has(pushed, "✓ branch release-1.0 at ", ", pushed\n", "✓ command: go test"); err != nil {
		return err
	}
	first, err := t.heads(ctx, remote)
	if err != nil {
		return err
	}
	if err := has(first, "refs/heads/release-1.0\n"); err != nil {
		return err
	}
	if _, err := cut.Push(ctx, url); err != nil {
		return err
	}
	later := t.commit(repository.WithNewFile("later", ""), "fix: later")
	_, err = t.module(later).WithService("remote", remote).Branch("1.0").Push(ctx, url)
	if err := fails(err, "push branch release-1.0 at ", url+": it is there already, at "); err != nil {
		return err
	}
	if err := exits(err, 2); err != nil {
		return err
	}
	if last, err := t.heads(ctx, remote); err != nil || last != first {
		return fmt.Errorf("the remote has: %s\nat first it had: %s (%w)", last, first, err)
	}
	broken := t.commit(repository.WithNewFile("cmd/tiny/main.go", "package main\n"), "fix: break")
	_, err = t.module(broken).Branch("1.0").Report(ctx)
	return fails(err, "the gate did not pass")
}

// History tells what a version brings and which line lacks which fix, prepares a release, and carries one back to the development branch.
//
// +check
func (t *Tests) History(ctx context.Context) error {
	repository := t.repository(copied)
	prepared := t.module(repository).Prepare(version)
	report, err := prepared.Report(ctx)
	if err != nil {
		return err
	}
	if err := has(report, version+" is prepared\n", "✓ branch prepare/"+version+" at ", "✓ edits VERSION", "merge it into release-1.0"); err != nil {
		return err
	}
	if err := t.told(ctx, prepared.Directory(), "git show prepare/"+version+":VERSION", version+"\n"); err != nil {
		return err
	}
	alone, err := t.module(repository).Notes(ctx, version)
	if err != nil {
		return err
	}
	if err := has(alone, "## ["+version+"](https://github.com/example/tiny/releases/tag/"+version+") (2026-03-01)\n", "a tiny operator"); err != nil {
		return err
	}
	if bundled, err := t.module(repository).Bundle(version).Notes().Contents(ctx); err != nil || bundled != alone {
		return fmt.Errorf("the bundle's notes: %s\nthose asked for: %s (%w)", bundled, alone, err)
	}

	// v1.0.0 is out; its line lacks a fix, and the development branch its version.
	released := t.commit(t.in(repository, "git switch -q -c release-1.0; for f in VERSION charts/tiny/Chart.yaml; do sed -i s/0.9.0/1.0.0/ $f; done").
		Directory("/repository"), "release: v1.0.0")
	back := t.in(released, "git tag v1.0.0; git switch -q main").Directory("/repository")
	fixed := t.module(t.commit(back.WithNewFile("cmd/tiny/fix.go", "package main\n"), "fix: one (#1)"))
	ledger, err := fixed.Ledger(ctx)
	if err != nil {
		return err
	}
	if err := has(ledger, "✗", "1.0 missing  fix: one (#1)", "release-1.0, at ", "lacks 1 of 1 fixes"); err != nil {
		return err
	}
	if named, err := fixed.Ledger(ctx, dagger.OperatorReleaseLedgerOpts{Lines: []string{"1.0"}}); err != nil || named != ledger {
		return fmt.Errorf("of the line by name: %s\nof the supported ones: %s (%w)", named, ledger, err)
	}
	_, err = fixed.Ledger(ctx, dagger.OperatorReleaseLedgerOpts{Lines: []string{"9.9"}})
	if err := fails(err, "there is no branch of that line"); err != nil {
		return err
	}
	// What differs, and the guide: from a tagged version to what would come next.
	guide, err := t.module(t.ahead(repository)).UpgradeGuide(ctx, "v1.0.0", "v1.0.1")
	if err != nil {
		return err
	}
	if err := has(guide, "# tiny: from v1.0.0 to v1.0.1", "Nothing is known to break.", "helm upgrade RELEASE oci://"); err != nil {
		return err
	}
	_, err = t.module(t.ahead(repository)).WhyNot(ctx, "v1.0.1")
	if err := fails(err, "v1.0.1 is a patch, and takes fixes only", "is a feature: feat: more"); err != nil {
		return err
	}
	// A reference has none of the lines: nothing is said of them, rather than something wrong.
	_, err = t.source(repository).Ledger(ctx)
	if err := fails(err, "ledger: a source is one branch"); err != nil {
		return err
	}
	_, err = t.source(repository).Branch("1.0").Report(ctx)
	if err := fails(err, "branch: a source is one branch"); err != nil {
		return err
	}
	following := fixed.Followup("v1.0.0")
	if report, err = following.Report(ctx); err != nil {
		return err
	}
	if err := has(report, "v1.0.0, for main\n", "✓ branch followup/v1.0.0 at ", "✓ edits VERSION"); err != nil {
		return err
	}
	if err := t.told(ctx, following.Directory(), "git show followup/v1.0.0:VERSION", "v1.0.0\n"); err != nil {
		return err
	}
	next := fixed.Followup("v1.0.0", dagger.OperatorReleaseFollowupOpts{Next: "v1.1.0-rc.0"})
	return t.told(ctx, next.Directory(), "git show followup/v1.0.0:VERSION", "v1.1.0-rc.0\n")
}

// ahead has a final version and a feature behind it.
func (t *Tests) ahead(repository *dagger.Directory) *dagger.Directory {
	return t.commit(t.in(repository, "git tag v1.0.0").Directory("/repository").WithNewFile("cmd/tiny/more.go", "package main\n"), "feat: more")
}
