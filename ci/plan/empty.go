package plan

import (
	"bytes"
	"context"

	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/surface"
)

// checkEmpty tells of a release that changes nothing but the version since the version whose notes it continues.
func (m *maker) checkEmpty(ctx context.Context, _ *git.Tree) error {
	since := m.place.Since
	if since.IsZero() || m.place.Exists || m.partial {
		return nil
	}
	changes, err := m.quiet.Changes(ctx, m.from, m.plan.Commit)
	if err != nil {
		return err
	}
	before, err := m.quiet.Tree(ctx, m.from)
	if err != nil {
		return err
	}
	defer before.Close()
	// What the version before would be, had it been released as this one.
	places, err := surface.Rewrite(before, m.plan.Config, m.plan.Version, m.before(ctx))
	if refusal.Is(err) {
		return nil // its places are others: something has changed
	}
	if err != nil {
		return err
	}
	renamed := places.Edits
	after, err := m.quiet.Tree(ctx, m.plan.Commit)
	if err != nil {
		return err
	}
	defer after.Close()
	for name, change := range changes {
		if name == m.plan.Config.ChangelogOf(m.plan.Version) {
			continue
		}
		edited, ok := renamed[name]
		if !ok || change.From.Mode != change.To.Mode {
			return nil
		}
		content, err := after.ReadFile(name)
		if err != nil {
			return err
		}
		if !bytes.Equal(content, edited) {
			return nil
		}
	}
	m.notice("%s changes nothing but the version since %s", m.plan.Version, since)
	return nil
}
