package plan

import (
	"context"
	"fmt"

	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/gomodule"
	"github.com/operator-release/operator-release/ci/tags"
)

// checkRemote adds a blocking problem if the clone does not have all versions and release lines of the git remote. A
// plan from such a clone would name wrong earlier versions.
func (m *maker) checkRemote(ctx context.Context, tree *git.Tree) error {
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
	missing := m.Remote.Missing(known, p.Config.Pattern(), line)
	if missing == "" {
		modules, err := gomodule.Find(tree)
		if err != nil {
			return err
		}
		tagged, err := tags.ReadModules(ctx, m.Repository)
		if err != nil {
			return err
		}
		missing = m.Remote.MissingModules(tagged, gomodule.Prefixes(modules), p.Config.Pattern(), line)
	}
	if tip := m.Remote.Refs["refs/heads/"+p.Branch]; tip != "" {
		there, err := m.Repository.HasCommit(ctx, tip)
		if err != nil {
			return err
		}
		if there {
			m.tip = tip
		} else if missing == "" {
			missing = fmt.Sprintf("no commit %.12s, where branch %s is", tip, p.Branch)
		}
	}
	if missing == "" {
		return nil
	}
	command, err := m.Repository.FetchCommand(ctx, m.Remote.NamedRemote)
	if err != nil {
		return err
	}
	m.partial = true
	p.Remote = m.Remote.String() + " was asked: this clone does not have all of it"
	m.against("this clone does not have what %s has: %s; run: %s", m.Remote, missing, command)
	return nil
}
