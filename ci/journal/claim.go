package journal

import (
	"context"
	"fmt"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/version"
)

// ClaimRefs is where claims are on the git remote.
const ClaimRefs = "refs/releases/"

// ClaimRef is where a version's claim is.
func ClaimRef(v version.Version) string { return ClaimRefs + v.String() }

// Claim says which content a version has, and where its release artifact lies.
type Claim struct {
	Identity   digest.Digest
	Repository string
}

// Message is the text of the claim's object.
func (c Claim) Message(name string, v version.Version) string {
	return fmt.Sprintf("%s %s\n\nidentity: %s\nrepository: %s\n", name, v, c.Identity, c.Repository)
}

// parseClaim reads the text of a claim's object.
func parseClaim(text string) (Claim, error) {
	var c Claim
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if s, ok := strings.CutPrefix(line, "identity: "); ok {
			c.Identity = digest.Digest(s)
		}
		if s, ok := strings.CutPrefix(line, "repository: "); ok {
			c.Repository = s
		}
	}
	if err := c.Identity.Validate(); err != nil || c.Repository == "" {
		return c, refusal.New("read a claim: it names no identity and repository: %q", text)
	}
	return c, nil
}

// ReadClaim reads a claim's object, which the repository has.
func ReadClaim(ctx context.Context, r *git.Repository, id string) (Claim, error) {
	all, err := ReadClaims(ctx, r, []string{id})
	if err != nil {
		return Claim{}, err
	}
	return all.Claim(id)
}

// Claims are claims' objects that were read at once.
type Claims struct{ texts map[string]string }

// ReadClaims reads claims' objects.
func ReadClaims(ctx context.Context, r *git.Repository, ids []string) (Claims, error) {
	texts, err := r.TagTexts(ctx, ids)
	return Claims{texts}, err
}

// Claim is the claim that an object says; one that says none is refused.
func (c Claims) Claim(id string) (Claim, error) {
	text, ok := c.texts[id]
	if !ok {
		return Claim{}, refusal.New("read the claim %s: it is no annotated tag, or it is not here", id)
	}
	return parseClaim(text)
}

// FindClaim reads a version's claim from a git remote; ok is false where there is none. The claim's object goes to the remote's own repository.
func FindClaim(ctx context.Context, remote *git.Remote, v version.Version) (c Claim, ok bool, err error) {
	refs, err := remote.Refs(ctx, ClaimRef(v))
	if err != nil {
		return c, false, err
	}
	id, ok := refs[ClaimRef(v)]
	if !ok {
		return c, false, nil
	}
	if err := remote.Fetch(ctx, ClaimRef(v)); err != nil {
		return c, false, err
	}
	if c, err = ReadClaim(ctx, remote.Local(), id); err != nil {
		return c, false, fmt.Errorf("%s of %s: %w", ClaimRef(v), remote.URL, err)
	}
	return c, true, nil
}
