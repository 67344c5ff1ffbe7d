package publish

import (
	"context"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/forge"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/markdown"
)

// Marked brings a version's newest mark to its release page and to the chart index: a warning above the page's text, charts that are deprecated, or, rolled back, listed no more. Unless the version is only withdrawn, the page
// of the newest version that was not rolled back becomes the latest.
func Marked(ctx context.Context, b bundle.Bundle, m journal.Mark, remote *git.Remote, by git.Person, d Destinations) (writes []Write, err error) {
	record := b.Record
	if d.Forge != nil {
		if writes, err = markedPage(ctx, b, m, remote, d.Forge); err != nil {
			return writes, err
		}
	}
	if !d.lists(record) {
		return writes, nil
	}
	wrote, err := d.Index.mark(ctx, record, m.State, remote, by)
	if err != nil {
		return writes, err
	}
	writes = append(writes, Write{8, d.Index.ref(), "chart index", outcome(wrote)})
	recorded, err := d.Index.record(ctx, remote)
	return append(writes, recorded...), err
}

// CheckMark refuses what Marked could not do at these destinations. It writes nothing.
func CheckMark(ctx context.Context, b bundle.Bundle, state journal.State, remote *git.Remote, d Destinations) error {
	if !d.lists(b.Record) {
		return nil
	}
	return d.Index.checkMark(ctx, b.Record, state, remote)
}

// lists tells whether a chart index lists the version.
func (d Destinations) lists(record bundle.Record) bool {
	return d.Index != nil && len(record.OfKind(bundle.KindChart)) > 0
}

func markedPage(ctx context.Context, b bundle.Bundle, m journal.Mark, remote *git.Remote, f *Forge) (writes []Write, err error) {
	v := b.Record.Version
	page, ok, err := f.Client.Page(ctx, v.String())
	if err != nil {
		return nil, err
	}
	target := f.Name + " release " + v.String()
	if !ok || page.Draft {
		return []Write{{7, target, "no page: nothing to mark", There}}, nil
	}
	body := markdown.Warn(page.Body, m.Warning(v))
	_, wrote, err := f.Client.Edit(ctx, v.String(), forge.Edit{Body: &body, More: More})
	if err != nil {
		return nil, err
	}
	writes = append(writes, Write{7, target, "page: " + string(m.State), outcome(wrote)})
	if m.State == journal.Withdrawn {
		return writes, nil
	}
	lead, err := out(remote, []string{"latest"})(ctx)
	newest, ok := lead["latest"]
	if err != nil || !ok {
		return writes, err
	}
	if at, there, err := f.Client.Page(ctx, newest.String()); err != nil || !there || at.Draft || at.Prerelease {
		return writes, err // it was published elsewhere
	}
	_, wrote, err = f.Client.Edit(ctx, newest.String(), forge.Edit{Latest: forge.LatestYes})
	if err != nil {
		return writes, err
	}
	return append(writes, Write{7, f.Name + " release " + newest.String(), "the latest", outcome(wrote)}), nil
}
