package plan

import (
	"context"

	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/workflow"
)

// checkWorkflows names the repository's own workflows that the release starts and that may write what it writes.
func (m *maker) checkWorkflows(_ context.Context, tree *git.Tree) error {
	p := &m.plan
	_, candidate := p.Version.Candidate()
	tags := []string{p.Version.String()}
	for _, module := range p.Modules {
		tags = append(tags, module.Tag)
	}
	found, unread, err := workflow.Reactions(tree, workflow.Release{
		Branch: p.Branch, Tags: tags, Edits: p.Edits(), Candidate: candidate,
	})
	if err != nil {
		return err
	}
	for _, r := range found {
		m.notice("%s; remove it or change its triggers: only one of the two may publish", r)
	}
	for _, u := range unread {
		m.notice("whether a workflow publishes too is not known: %s", u)
	}
	others, err := workflow.Pipelines(tree)
	if err != nil {
		return err
	}
	for _, o := range others {
		m.notice("%s; if it publishes releases, remove that part: only one of the two may publish", o)
	}
	return nil
}
