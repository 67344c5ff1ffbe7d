package main

import (
	"context"
	"os"

	"github.com/operator-release/operator-release/ci/audit"
	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/pipeline"
	"github.com/operator-release/operator-release/ci/publish"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/sign/gittag"
)

// signersOf are those whose signatures of git tags count: what is named, else what the settings name, by the file of the commit that is checked out.
func signersOf(ctx context.Context, source *git.Repository, signatures *config.Signatures, trust pipeline.Trust) (audit.Signers, error) {
	s := audit.Signers{Allowed: []byte(trust.Signers)}
	if signatures == nil {
		return s, nil
	}
	s.Since = signatures.Since
	if trust.Signers != "" || signatures.AllowedSigners == "" {
		return s, nil
	}
	tree, err := source.Tree(ctx, "HEAD")
	if err != nil {
		return s, err
	}
	defer tree.Close()
	if s.Allowed, err = tree.ReadFile(signatures.AllowedSigners); err != nil {
		err = refusal.New("read the file that signatures.allowedSigners names: %w; commit it", err)
	}
	return s, err
}

// requiredTag refuses to publish where the git tag is not signed by one of the allowed signers, if there are any.
// The tag is the one that the remote has, since that stays, else the one that the bundle brings.
func requiredTag(ctx context.Context, source *git.Repository, b bundle.Bundle, remote *publish.Remote,
	signatures *config.Signatures, trust pipeline.Trust) error {
	signers, err := signersOf(ctx, source, signatures, trust)
	if err != nil || len(signers.Allowed) == 0 {
		return err
	}
	dir, err := os.MkdirTemp("", "release-tag-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	brought, ok, err := gittag.Of(b)
	if err != nil {
		return err
	}
	scratch, id, err := tagToPublish(ctx, source, b, brought, remote, dir)
	if err != nil {
		return err
	}
	if !ok && (id == "" || id == b.Record.Tag) {
		return refusal.New("publish %s signed: the bundle %s has no signed git tag; "+
			"sign it with: operator-release sign %s --git-key FILE", b.Record.Version, b.Layout.Dir(), b.Layout.Dir())
	}
	if _, format, err := scratch.Unsigned(ctx, id); err != nil {
		return err
	} else if format == "" {
		return refusal.New("publish %s signed: the git tag of the remote is not signed (object %s); "+
			"a published tag never changes", b.Record.Version, id)
	}
	if _, err := scratch.VerifyTag(ctx, id, signers.Allowed); err != nil {
		return refusal.New("publish %s signed: %w; name the one who signed it among the allowed signers", b.Record.Version, err)
	}
	return nil
}

// tagToPublish is the id of what the git tag points at after publication: the remote's tag, since that stays, else the
// one that the bundle brings beside the record's own. The repository, in dir, holds the object.
func tagToPublish(ctx context.Context, source *git.Repository, b bundle.Bundle, brought git.Object,
	remote *publish.Remote, dir string) (*git.Repository, string, error) {
	if remote != nil {
		return publish.Tag(ctx, b, remote, dir)
	}
	scratch, err := source.Scratch(ctx, dir)
	if err == nil && brought.Type == "tag" {
		err = scratch.Import(ctx, []git.Object{brought})
	}
	return scratch, brought.ID, err
}
