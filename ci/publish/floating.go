package publish

import (
	"context"

	"oras.land/oras-go/v2/registry/remote"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/floating"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/version"
	"github.com/operator-release/operator-release/ci/writes"
)

// Floating leads the floating tags that a record names, at a registry, by what a git remote says of versions.
func Floating(record bundle.Record, open func(repository string) (*remote.Repository, error), from *git.Remote) floating.Mover {
	forms := record.Config.Floating
	m := floating.Mover{Forms: forms, Open: open, Lead: out(from, forms)}
	for _, a := range record.OfKind(bundle.KindImage) {
		m.Repositories = append(m.Repositories, a.Repository)
	}
	return m
}

// out asks a git remote where floating tags lead.
func out(from *git.Remote, forms []string) func(context.Context) (map[string]version.Version, error) {
	return func(ctx context.Context) (map[string]version.Version, error) {
		out, marks, err := journal.Out(ctx, from)
		return floating.Lead(forms, out, func(v version.Version) bool { return marks[v].State == journal.RolledBack }), err
	}
}

// floatingTags leads to this version the floating tags of which it is the newest.
func (p *publication) floatingTags(ctx context.Context) error {
	record := p.bundle.Record
	if p.registry == nil || len(floating.Tags(record.Config.Floating, record.Version)) == 0 {
		return nil
	}
	if p.remote == nil {
		p.report.Skipped = append(p.report.Skipped, "floating tags (which version is the newest is known to the git remote)")
		return nil
	}
	moves, err := Floating(record, p.registry.open, p.remote).Do(ctx, record.Version, false)
	for _, move := range moves {
		outcome, what := There, "floating tag"
		if move.Changes() {
			outcome = Written
			if move.Was != "" {
				what += ", was at " + move.Was.String()[:19]
			}
		}
		p.wrote(writes.FloatingTags, move.Target, what, outcome)
	}
	return err
}
