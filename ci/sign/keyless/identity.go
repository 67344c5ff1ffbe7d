//go:build keyless

package keyless

import (
	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	sigstore "github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"

	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/sign"
)

// Identity is who a certificate was issued to. Both have to be equal to what it says.
type Identity struct {
	Name   string // the subject's alternative name, such as https://github.com/OWNER/REPO/.github/workflows/release.yaml@refs/heads/main
	Issuer string // of the identity token, such as https://token.actions.githubusercontent.com
}

// Identities trusts certificates of these identities, by a Sigstore trusted root (JSON, https://github.com/sigstore/root-signing: trusted_root.json). Where
// that names logs of signatures, or of certificates, an entry in one is required; the time of signing has to be vouched for by a log or a timestamp authority.
func Identities(trustedRoot []byte, identities ...Identity) (*sign.Verifier, error) {
	material, err := root.NewTrustedRootFromJSON(trustedRoot)
	if err != nil {
		return nil, refusal.New("read the trusted root: %w; it has to be one of Sigstore, such as trusted_root.json", err)
	}
	options := []verify.VerifierOption{verify.WithObserverTimestamps(1), verify.WithoutStatementPredicate()}
	if len(material.RekorLogs()) > 0 {
		options = append(options, verify.WithTransparencyLog(1))
	}
	if len(material.CTLogs()) > 0 {
		options = append(options, verify.WithSignedCertificateTimestamps(1))
	}
	verifier, err := verify.NewVerifier(material, options...)
	if err != nil {
		return nil, refusal.New("read the trusted root: %w", err)
	}
	var all []sign.Trusted
	for _, i := range identities {
		if i.Name == "" || i.Issuer == "" {
			return nil, refusal.New("trust the identity %q of issuer %q: both have to be named", i.Name, i.Issuer)
		}
		certificate, err := verify.NewShortCertificateIdentity(i.Issuer, "", i.Name, "")
		if err != nil {
			return nil, refusal.New("trust the identity %q of issuer %q: %w", i.Name, i.Issuer, err)
		}
		all = append(all, trusted{sign.IdentityName(i.Name, i.Issuer), verifier, verify.WithCertificateIdentity(certificate)})
	}
	return sign.Trust(all...), nil
}

// trusted is one identity.
type trusted struct {
	name     string
	verifier *verify.Verifier
	policy   verify.PolicyOption
}

// Name is the identity with its issuer.
func (t trusted) Name() string { return t.name }

// Verify verifies certificate, time and signature. What the statement speaks of is not looked at here.
func (t trusted) Verify(b *protobundle.Bundle) error {
	signed, err := sigstore.NewBundle(b)
	if err != nil {
		return err
	}
	_, err = t.verifier.Verify(signed, verify.NewPolicy(verify.WithoutArtifactUnsafe(), t.policy))
	return err
}
