package plan

import (
	"context"
	"io/fs"
	"maps"
	"slices"

	"github.com/operator-release/operator-release/ci/compare"
	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/policy"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/surface"
)

// judge compares the version with the final that users come from, and judges whether it may contain what it does.
func (m *maker) judge(ctx context.Context, tree *git.Tree) error {
	p := &m.plan
	p.From = m.place.From
	if p.From.IsZero() {
		if len(m.Accept) > 0 {
			return refusal.New("accept %s for %s: no version is before it, so nothing has to be accepted", slices.Sorted(maps.Keys(m.Accept))[0], p.Version)
		}
		return nil
	}
	changes, err := policy.Changes(ctx, m.Repository, m.tags[p.From], m.base.ID)
	if err != nil {
		return err
	}
	if p.Findings, err = m.compare(ctx); err != nil {
		return err
	}
	q := policy.Question{Version: p.Version, Before: p.From, Policy: *p.Config.Policy, Changes: changes, Findings: p.Findings, Accept: m.Accept, Explain: p.Config.Explain}
	j, err := policy.Judge(q)
	if err != nil {
		return err
	}
	p.Points = j.Points
	if p.Guide, err = m.Guide(tree, *p); err != nil {
		return err
	}
	if m.judged = j; !m.place.Exists && !m.partial { // else checkRepeat decides: a published version stays as it is
		m.applyPolicy()
	}
	for _, id := range slices.Sorted(maps.Keys(m.Accept)) {
		p.Accepted = append(p.Accepted, Accepted{id, m.Accept[id]})
	}
	return nil
}

// applyPolicy adds what the policy says to the plan.
func (m *maker) applyPolicy() {
	p := &m.plan
	p.Against = append(p.Against, m.judged.Against(p.Version)...)
	p.Notices = append(p.Notices, m.judged.Notices()...)
}

// compare gives what differs from the version that users come from.
func (m *maker) compare(ctx context.Context) ([]compare.Finding, error) {
	newer, err := m.side(ctx, m.base.ID, compare.Settings{Name: m.ConfigName, Content: m.Config})
	if err != nil {
		return nil, err
	}
	defer newer.Tree.Close()
	before := compare.Settings{Name: m.ConfigName, Content: m.Config, Later: newer.Settings()}
	if m.OwnBefore {
		before.Content = nil
	}
	older, err := m.side(ctx, m.tags[m.plan.From], before)
	if refusal.Is(err) {
		return []compare.Finding{compare.NothingCompared(err)}, nil
	}
	if err != nil {
		return nil, err
	}
	defer older.Tree.Close()
	values, _, err := surface.Values(older.Tree, older.Config)
	if err != nil {
		return nil, err
	}
	m.plan.Foreign = surface.Foreign(values, m.plan.From)
	return compare.Versions(ctx, older, newer)
}

// checkCompared refuses a version of which a part could not be compared, as it cannot be read.
func (m *maker) checkCompared(context.Context, *git.Tree) error {
	if m.Again || len(m.plan.Against) > 0 { // a reason may be told already
		return nil
	}
	for _, f := range m.plan.Findings {
		if f.Unreadable() {
			m.against("%s: %s", f.What, f.Now)
		}
	}
	return nil
}

func (m *maker) side(ctx context.Context, commit string, settings compare.Settings) (compare.Side, error) {
	return compare.Open(ctx, m.Repository, commit, settings, func(tree fs.FS, image config.Image) ([]string, error) {
		seen, err := m.Examine(tree, image)
		return seen.Bases, err
	})
}
