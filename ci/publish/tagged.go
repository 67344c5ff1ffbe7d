package publish

import (
	"context"
	"errors"
	"fmt"

	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/sign/gittag"
)

// openTag brings the tag that is published to the scratch repository: the signed one where the bundle has one.
func (p *publication) openTag(ctx context.Context) error {
	p.tagID = p.bundle.Record.Tag
	signed, ok, err := gittag.Of(p.bundle)
	if err != nil || !ok {
		return err
	}
	p.tagID = signed.ID
	return p.scratch.Import(ctx, []git.Object{signed})
}

// isTag tells whether what the remote's tag points at is this release's tag: unsigned, or signed by whomever. Two publishers of one bundle may sign it differently; the first tag stays.
func (p *publication) isTag(ctx context.Context, found string) (bool, error) {
	if found == p.tagID || found == p.bundle.Record.Tag {
		p.tagID = found
		return true, nil
	}
	if err := p.remote.Fetch(ctx, p.tagRef()); err != nil {
		return false, err
	}
	unsigned, _, err := p.scratch.Unsigned(ctx, found)
	if err != nil {
		return false, fmt.Errorf("read the tag %s of %s: %w; run it again", p.version, p.remote.URL, err)
	}
	if unsigned == p.bundle.Record.Tag {
		p.tagID = found
		return true, nil
	}
	return false, nil
}

// otherTag refuses where the remote has a tag with other content.
func (p *publication) otherTag(ctx context.Context) error {
	found := p.refs[p.tagRef()]
	if found == "" {
		return nil
	}
	if same, err := p.isTag(ctx, found); err != nil || same {
		return err
	}
	return refusal.New("publish %s to %s: tag %s is there with other content: its object is %s, this bundle's is %s; a version never changes: release the next one",
		p.version, p.remote.URL, p.version, found, p.bundle.Record.Tag)
}

func (p *publication) tag(ctx context.Context) error {
	if p.remote == nil {
		return nil
	}
	what := "annotated tag on " + p.bundle.Record.Commit[:12]
	if p.tagID != p.bundle.Record.Tag {
		what = "signed tag on " + p.bundle.Record.Commit[:12]
	}
	taken, err := p.create(ctx, 6, p.tagRef(), p.tagID, what)
	if taken == "" {
		return err
	}
	if same, err := p.isTag(ctx, taken); err != nil {
		return err
	} else if !same {
		return refusal.New("publish %s to %s: somebody else made the tag meanwhile, with other content (%s; this bundle's is %s)", p.version, p.remote.URL, taken, p.bundle.Record.Tag)
	}
	p.wrote(6, p.tagRef(), what, There)
	return nil
}

// readTag compares what the remote's tag points at with the bundle.
func (p *publication) readTag(ctx context.Context, found string) error {
	same := false
	var err error
	if found != "" {
		same, err = p.isTag(ctx, found)
	}
	if err != nil || !same {
		return errors.Join(err, fmt.Errorf("read back %s of %s: it is %q where %s was written", p.tagRef(), p.remote.URL, found, p.tagID))
	}
	return nil
}
