package publish

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/registry"
	"github.com/operator-release/operator-release/ci/sign/gittag"
	"github.com/operator-release/operator-release/ci/writes"
)

// Tag is the tag that publication of a bundle leaves at a remote, or makes there. It gives the tag's object by its id,
// in a scratch repository in dir. What the remote has with other content is refused.
func Tag(ctx context.Context, b bundle.Bundle, r *Remote, dir string) (scratch *git.Repository, id string, err error) {
	p := &publication{bundle: b, version: b.Record.Version.String(), patience: registry.Usual}
	if err := p.openRemote(ctx, r, dir); err != nil {
		return nil, "", err
	}
	return p.scratch, p.tagID, p.otherTag(ctx)
}

// openTag brings the tag that is published to the scratch repository: the bundle's published or signed tag, else the
// record's own.
func (p *publication) openTag(ctx context.Context) error {
	p.tagID = p.bundle.Record.Tag
	tag, ok, err := gittag.Of(p.bundle)
	if err != nil || !ok {
		return err
	}
	p.tagID = tag.ID
	if tag.Type != "tag" {
		return nil // lightweight: the release commit is there already
	}
	return p.scratch.Import(ctx, []git.Object{tag})
}

// acceptTag refuses the remote's tag unless it is this release's tag: the record's own tag, unsigned or signed, or a
// tag that a person pushed for the release commit. gittag.Accept says why such a tag is accepted.
func (p *publication) acceptTag(ctx context.Context, found string) error {
	if found == p.tagID || found == p.bundle.Record.Tag {
		p.tagID = found
		return nil
	}
	if err := p.remote.Fetch(ctx, p.tagRef()); err != nil {
		return err
	}
	objects, err := p.scratch.Objects(ctx, found)
	if err != nil {
		return fmt.Errorf("read the tag %s of %s: %w; run it again", p.version, p.remote.URL, err)
	}
	if _, ok := gittag.Read(p.bundle.Record, gittag.Type, objects[0].Content); !ok { // else: the record's own, signed
		if _, err := gittag.Accept(p.version, p.bundle.Record.Commit, objects[0]); err != nil {
			return err
		}
	}
	p.tagID = found
	return nil
}

// otherTag refuses where the remote has a tag with other content.
func (p *publication) otherTag(ctx context.Context) error {
	found := p.refs[p.tagRef()]
	if found == "" {
		return nil
	}
	err := p.acceptTag(ctx, found)
	if refusal.Is(err) {
		return refusal.New("publish %s to %s: tag %s is there with other content: %w; "+
			"a version never changes: release the next one. If the tag was pushed by mistake "+
			"and nothing of the version is published, delete it (git push %s :%s) and publish again",
			p.version, p.remote.URL, p.version, err, p.remote.URL, p.tagRef())
	}
	return err
}

func (p *publication) tag(ctx context.Context) error {
	if p.remote == nil {
		return nil
	}
	what, err := p.describeTag(ctx)
	if err != nil {
		return err
	}
	taken, err := p.create(ctx, writes.GitTags, p.tagRef(), p.tagID, what)
	if err != nil {
		return err
	}
	if taken != "" {
		if err := p.acceptTag(ctx, taken); refusal.Is(err) {
			return refusal.New("publish %s to %s: another run or person made the tag meanwhile, with other content: %w",
				p.version, p.remote.URL, err)
		} else if err != nil {
			return err
		}
		if what, err = p.describeTag(ctx); err != nil {
			return err
		}
		p.wrote(writes.GitTags, p.tagRef(), what, There)
	}
	return p.attachTag(ctx)
}

// describeTag says which kind of tag is published, and on which commit.
func (p *publication) describeTag(ctx context.Context) (string, error) {
	kind := "annotated"
	if p.tagID == p.bundle.Record.Commit {
		kind = "lightweight"
	} else if _, format, err := p.scratch.Unsigned(ctx, p.tagID); err != nil {
		return "", err
	} else if format != "" {
		kind = "signed"
	}
	return kind + " tag on " + p.bundle.Record.Commit[:12], nil
}

// attachTag attaches the tag of the remote to the release artifact, at the registry and in the backup, where the bundle
// would bring back another one. The bundle's own folder stays as it is: a rehearsal has a remote of its own.
func (p *publication) attachTag(ctx context.Context) error {
	tag, ok, err := gittag.Of(p.bundle)
	if err != nil || ok && tag.ID == p.tagID || !ok && p.tagID == p.bundle.Record.Tag {
		return err
	}
	objects, err := p.scratch.Objects(ctx, p.tagID)
	if err != nil {
		return err
	}
	layout, err := bundle.Create(filepath.Join(p.scratch.Dir(), "release-tag"))
	if err != nil {
		return err
	}
	defer os.RemoveAll(layout.Dir())
	referrer, err := gittag.Attach(layout, p.bundle.Identity, objects[0])
	if err != nil {
		return err
	}
	b := bundle.Bundle{Layout: layout, Identity: p.bundle.Identity, Record: p.bundle.Record}
	to := Destinations{Registry: p.to.Registry, Backup: p.to.Backup, Patience: p.patience}
	referred, err := Refer(ctx, b, []ocispec.Descriptor{referrer}, to)
	if err != nil {
		return fmt.Errorf("attach the git tag %s: %w", p.tagID, err)
	}
	for _, w := range referred {
		p.wrote(writes.GitTags, w.Target, "the git tag's object", w.Outcome)
	}
	return nil
}

// readTag compares what the remote's tag points at with the bundle.
func (p *publication) readTag(ctx context.Context, found string) error {
	err := errors.New("it is not there")
	if found != "" {
		err = p.acceptTag(ctx, found)
	}
	if err != nil {
		return fmt.Errorf("read back %s of %s: it is %q where %s was written: %w",
			p.tagRef(), p.remote.URL, found, p.tagID, err)
	}
	return nil
}
