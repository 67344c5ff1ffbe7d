package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/operator-release/operator-release/ci/floating"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/pipeline"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/report"
)

// audit reads back all versions that this tool published; somebody moves a tag, and the next audit tells.
func (s *story) audit(ctx context.Context) error {
	to := strings.Fields(s.flags())
	if err := s.run(ctx, append([]string{"audit", "--all", "--since", "v1.5.0-rc.0"}, to...)...); err != nil {
		return err
	}
	r, err := git.Open(ctx, s.repository())
	if err != nil {
		return err
	}
	was, err := r.Git(ctx, "rev-parse", "refs/tags/v1.5.0")
	if err != nil {
		return err
	}
	s.say(report.Note, "somebody moves a tag that was out already")
	if err := s.git(ctx, "push", "--quiet", "--force", "origin", "v1.5.1:refs/tags/v1.5.0"); err != nil {
		return err
	}
	drift := s.run(ctx, append([]string{"audit", "v1.5.0"}, to...)...)
	if drift == nil || refusal.Is(drift) {
		return fmt.Errorf("the moved tag was not found: %w", drift)
	}
	s.say(report.Done, "exit code 1: %s", drift)
	return s.git(ctx, "push", "--quiet", "--force", "origin", was+":refs/tags/v1.5.0")
}

// catalog makes the site about all versions.
func (s *story) catalog(ctx context.Context) error {
	return s.run(ctx, append([]string{"catalog", "-o", s.site()}, strings.Fields(s.flags())...)...)
}

// takeBack rolls v1.5.1 back, by its plan, and undoes that.
func (s *story) takeBack(ctx context.Context) error {
	const because = "it logs every request"
	inner := *s.app
	inner.source, inner.config = s.repository(), ""
	w, err := inner.begin("")
	if err != nil {
		return err
	}
	defer w.end()
	flow := &pipeline.Flow[string]{Runner: w.runner, Repository: s.repository()}
	spec := pipeline.RollbackSpec{Version: "v1.5.1", State: string(journal.RolledBack), Because: because, To: s.to()}
	to := s.flags()
	s.say(report.Shell, "operator-release rollback v1.5.1 --because %q %s", because, to)
	before, err := s.destination.Tags()
	if err != nil {
		return err
	}
	b, err := flow.RollBack(ctx, spec, "")
	if err != nil {
		return err
	}
	if !s.app.json {
		if err := inner.printBack(b); err != nil {
			return err
		}
	}
	var looked struct {
		Hash  string
		Moves []floating.Move
	}
	if err := json.Unmarshal(b.Look, &looked); err != nil {
		return err
	}
	s.say(report.Shell, "operator-release rollback v1.5.1 --because %q %s --plan %s", because, to, looked.Hash)
	if b, err = flow.RollBack(ctx, spec, looked.Hash); err != nil {
		return err
	}
	if err := s.marked(&inner, b.Done); err != nil {
		return err
	}
	spec.State, spec.Because = string(journal.Good), "the cluster's settings asked for it"
	s.say(report.Shell, "operator-release withdraw v1.5.1 --undo --because %q %s", spec.Because, to)
	undone, err := flow.Mark(ctx, spec)
	if err != nil {
		return err
	}
	if err := s.marked(&inner, undone); err != nil {
		return err
	}
	after, err := s.destination.Tags()
	if err != nil {
		return err
	}
	if fmt.Sprint(before) != fmt.Sprint(after) {
		return errors.New("undone, the registry's tags are not what they were")
	}
	s.say(report.Done, "undone, all %d tags of the registry are what they were", len(after))
	return nil
}

func (s *story) marked(inner *app, said json.RawMessage) error {
	if s.app.json {
		return nil
	}
	return inner.printMarked(said)
}
