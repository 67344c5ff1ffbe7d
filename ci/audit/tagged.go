package audit

import (
	"context"
	"fmt"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/version"
)

// KindTagSignature is who signed a git tag.
const KindTagSignature = "git tag signature"

// Signers are those whose signatures of git tags count.
type Signers struct {
	Allowed []byte          // content of a file of allowed signers (ssh-keygen(1)); empty: signatures are not verified
	Since   version.Version // the first version whose tag has to be signed; all where it is the zero version
}

// unsigned gives the id that the git tag has without its signature, and the signature's format: none where it is not signed.
func (t *tagged) unsigned(ctx context.Context, r *git.Repository) (id string, format git.Format, err error) {
	if !t.annotated {
		return t.id, "", nil
	}
	return r.Unsigned(ctx, t.id)
}

// isTag tells whether the git tag is the version's: the record's, signed or not, or one that is attached to the release
// artifact.
func (a *auditor) isTag(ctx context.Context, k *known, t *tagged) bool {
	if a.isRecordTag(ctx, k.record, t) {
		return true
	}
	attached, err := k.attached(ctx, t.id)
	return err == nil && attached
}

// isRecordTag tells whether the git tag is the record's, signed or not.
func (a *auditor) isRecordTag(ctx context.Context, r bundle.Record, t *tagged) bool {
	if t.id == r.Tag {
		return true
	}
	unsigned, _, err := t.unsigned(ctx, a.refs.repository)
	return err == nil && unsigned == r.Tag
}

// gitTag compares the git tag with the record. A signature on the tag is no difference, but the audit reports it. A tag
// that a person pushed for the release commit is no difference either, if publication attached it to the artifact.
func (a *auditor) gitTag(ctx context.Context, k *known, t *tagged, out *Version) {
	r, name := k.record, k.record.Version.String()
	switch {
	case !t.there && a.refs.noTags != "":
		out.unseen(KindTag, name, r.Tag, a.refs.noTags)
	case t.there && t.id != r.Tag && a.isRecordTag(ctx, r, t):
		out.compare(KindTag, name, r.Tag, r.Tag, fmt.Sprintf("it is signed, as object %s", t.id))
	case t.there && t.commit != r.Commit:
		out.compare(KindTag, name, r.Tag, t.id, fmt.Sprintf("it points to commit %s, and the release commit is %s", short(t.commit), short(r.Commit)))
	case t.there && t.id != r.Tag:
		a.pushedTag(ctx, k, t, out)
	default:
		out.compare(KindTag, name, r.Tag, t.id, "")
	}
}

// pushedTag compares a git tag on the release commit, which is not the record's, with what is attached to the release
// artifact.
func (a *auditor) pushedTag(ctx context.Context, k *known, t *tagged, out *Version) {
	name := k.record.Version.String()
	attached, err := k.attached(ctx, t.id)
	switch {
	case err != nil:
		out.unseen(KindTag, name, k.record.Tag,
			fmt.Sprintf("whether %s was the tag when the version was published: %v", short(t.id), err))
	case attached:
		out.compare(KindTag, name, t.id, t.id,
			"a person pushed it before the publication; it points to the release commit")
	default:
		out.compare(KindTag, name, k.record.Tag, t.id,
			"it points to the release commit, but the release artifact does not name this tag object")
	}
}

// tagSignature verifies the signature of the git tag.
func (a *auditor) tagSignature(ctx context.Context, v version.Version, t *tagged, out *Version) error {
	if len(a.Signers.Allowed) == 0 || !t.there {
		return nil
	}
	_, format, err := t.unsigned(ctx, a.refs.repository)
	const want = "a signature by one of the allowed signers"
	switch {
	case err != nil:
		return err
	case format == "" && v.Compare(a.Signers.Since) >= 0:
		out.compare(KindTagSignature, v.String(), want, "", "")
	case format == git.OpenPGP:
		out.unseen(KindTagSignature, v.String(), want, "it has an OpenPGP signature: run git verify-tag on a machine with the keyring")
	case format == git.SSH:
		if says, err := a.refs.repository.VerifyTag(ctx, t.id, a.Signers.Allowed); err == nil {
			out.compare(KindTagSignature, v.String(), want, want, says)
		} else if ctx.Err() == nil {
			out.compare(KindTagSignature, v.String(), want, err.Error(), "")
		}
	}
	return nil
}
