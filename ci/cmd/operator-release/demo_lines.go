package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/operator-release/operator-release/ci/demo"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/pipeline"
	"github.com/operator-release/operator-release/ci/plan"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/report"
)

// run does what a maintainer would type, in the demo's repository.
func (s *story) run(ctx context.Context, args ...string) error {
	s.say(report.Shell, "operator-release %s", strings.Join(args, " "))
	inner := &app{secrets: s.app.secrets, stdout: s.app.stdout, stderr: s.app.stderr}
	cmd := inner.command()
	args = append(args, "--source", s.repository())
	if s.app.json {
		inner.stdout = s.app.stderr // the demo's own result is one JSON value
	}
	if s.app.quiet {
		args = append(args, "--quiet")
	}
	cmd.SetArgs(args)
	return cmd.ExecuteContext(ctx)
}

// repair carries v1.5.0 to main, fixes something there, picks the fix onto both lines, and releases it from one.
func (s *story) repair(ctx context.Context) error {
	if err := s.git(ctx, "reset", "--quiet", "--hard", "origin/release-1.5"); err != nil {
		return err
	}
	if err := s.run(ctx, "followup", "v1.5.0"); err != nil {
		return err
	}
	for _, args := range [][]string{{"switch", "--quiet", "main"}, {"merge", "--quiet", "--ff-only", "followup/v1.5.0"}} {
		if err := s.git(ctx, args...); err != nil {
			return err
		}
	}
	if err := demo.Later(ctx, s.repository(), demo.Fix); err != nil {
		return err
	}
	r, err := git.Open(ctx, s.repository())
	if err != nil {
		return err
	}
	fix, _, err := r.Head(ctx)
	if err != nil {
		return err
	}
	subject, _, _ := strings.Cut(fix.Message, "\n")
	s.say(report.Note, "on main a fix is merged: %.12s %s", fix.ID, subject)
	if err := s.run(ctx, "backport", fix.ID[:12], "--onto", "1.5,1.4"); err != nil {
		return err
	}
	for _, args := range [][]string{{"switch", "--quiet", "release-1.5"}, {"merge", "--quiet", "--ff-only", fmt.Sprintf("backport/%.12s-1.5", fix.ID)}} {
		if err := s.git(ctx, args...); err != nil {
			return err
		}
	}
	if err := s.run(ctx, "notes", "v1.5.1"); err != nil {
		return err
	}
	_, published, err := s.release(ctx, "v1.5.1")
	if err != nil {
		return err
	}
	s.releases = append(s.releases, published)
	s.writes(published)
	if err := s.git(ctx, "fetch", "--quiet", "--tags", "origin"); err != nil {
		return err
	}
	if err := s.git(ctx, "push", "--quiet", "origin", "main"); err != nil {
		return err
	}
	return s.run(ctx, "backport", "--status")
}

// content shows what differs for users, a patch that is refused for it, and the guide.
func (s *story) content(ctx context.Context) error {
	if err := s.run(ctx, "plan", "v1.5.0", "--why-not"); err != nil {
		return err
	}
	if err := s.git(ctx, "switch", "--quiet", "--detach", "release-1.4"); err != nil {
		return err
	}
	if err := s.git(ctx, "commit", "--quiet", "--allow-empty", "-m", "feat: one more thing"); err != nil {
		return err
	}
	s.say(report.Shell, "operator-release plan v1.4.2")
	inner := *s.app
	inner.source, inner.config = s.repository(), ""
	var p plan.Plan
	in := pipeline.Inputs[string]{Subject: "v1.4.2", Spec: pipeline.PlanSpec{Version: "v1.4.2"}, Trees: inner.repository()}
	if err := inner.alone(ctx, pipeline.Plan, in, &p); err != nil {
		return err
	}
	refused := p.Refused()
	if !refusal.Is(refused) {
		return errors.New("a feature in a patch was not refused")
	}
	s.say(report.Done, "a patch takes fixes only: %s", refused)
	if err := s.git(ctx, "switch", "--quiet", "main"); err != nil {
		return err
	}
	return s.run(ctx, "upgrade-guide", "v1.4.1", "v1.5.0")
}
