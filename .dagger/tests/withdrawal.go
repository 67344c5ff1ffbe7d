package main

import (
	"context"
	"fmt"
	"regexp"

	"dagger/tests/internal/dagger"
)

var planned = regexp.MustCompile(`--plan (sha256:[0-9a-f]{64})`)

// Withdrawal withdraws what was published, rolls it back by its plan, and marks it as good again; the audit agrees throughout.
//
// +check
func (t *Tests) Withdrawal(ctx context.Context) error {
	registry, err := t.registry(ctx, "withdrawal")
	if err != nil {
		return err
	}
	remote, err := t.remote(ctx, "withdrawal")
	if err != nil {
		return err
	}
	const because = "it says its version twice"
	m := t.module(t.repository(copied)).WithService("registry", registry).WithService("remote", remote)
	if _, err := m.Publish(ctx, version, dagger.OperatorReleasePublishOpts{Registry: "registry:5000", Remote: url}); err != nil {
		return err
	}
	withdrawn, err := m.Withdraw(ctx, version, because, dagger.OperatorReleaseWithdrawOpts{Registry: "registry:5000", Remote: url})
	if err != nil {
		return err
	}
	if err := has(withdrawn, "tiny v1.0.0-rc.0 is withdrawn: "+because, "✓ 1  refs/withdrawals/v1.0.0-rc.0", "statements beside what was published  written"); err != nil {
		return err
	}
	to := dagger.OperatorReleaseRollbackOpts{Registry: "registry:5000", Remote: url}
	looked, err := m.Rollback(ctx, version, because, to)
	if err != nil {
		return err
	}
	plan := planned.FindStringSubmatch(looked)
	if plan == nil {
		return fmt.Errorf("this names no plan: %s", looked)
	}
	if err := has(looked, "would be rolled back", "a second run found nothing to do, and undone all was as it had been"); err != nil {
		return err
	}
	to.Plan = plan[1]
	back, err := m.Rollback(ctx, version, because, to)
	if err != nil {
		return err
	}
	if err := has(back, "tiny v1.0.0-rc.0 is rolled back: "+because); err != nil {
		return err
	}
	audited, err := m.Audit(ctx, dagger.OperatorReleaseAuditOpts{Registry: "registry:5000", Remote: url})
	if err != nil {
		return err
	}
	if err := has(audited, version, "rolled back by "); err != nil {
		return err
	}
	good, err := m.Withdraw(ctx, version, "it was meant so", dagger.OperatorReleaseWithdrawOpts{Registry: "registry:5000", Remote: url, Undo: true})
	if err != nil {
		return err
	}
	return has(good, "tiny v1.0.0-rc.0 is good: it was meant so")
}
