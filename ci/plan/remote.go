package plan

import (
	"context"
	"fmt"

	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/tags"
)

// checkRemote speaks against a clone that does not know what the git remote has: the version would stand on other
// ones than it says.
func (m *maker) checkRemote(ctx context.Context, _ *git.Tree) error {
	p := &m.plan
	if m.Remote == nil {
		p.Remote = "the git remote was not asked which versions and release lines it has"
		if m.NotAsked != "" {
			p.Remote += ": " + m.NotAsked
		}
		return nil
	}
	p.Remote = m.Remote.String() + " was asked: this clone has every version and release line of it"
	line := ""
	if m.Alone {
		line = p.Line
	}
	known, err := tags.ReadClone(ctx, m.Repository, m.Remote.NamedRemote)
	if err != nil {
		return err
	}
	lacks := m.Remote.Lacks(known, p.Config.Pattern(), line)
	if tip := m.Remote.Refs["refs/heads/"+p.Branch]; tip != "" {
		there, err := m.Repository.HasCommit(ctx, tip)
		if err != nil {
			return err
		}
		if there {
			m.tip = tip
		} else if lacks == "" {
			lacks = fmt.Sprintf("no commit %.12s, where branch %s is", tip, p.Branch)
		}
	}
	if lacks == "" {
		return nil
	}
	command, err := m.Repository.FetchCommand(ctx, m.Remote.NamedRemote)
	if err != nil {
		return err
	}
	p.Remote = m.Remote.String() + " was asked: this clone does not have all of it"
	m.against("this clone does not have what %s has: %s; run: %s", m.Remote, lacks, command)
	return nil
}
