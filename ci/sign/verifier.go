package sign

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
	sigstore "github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/sigstore/sigstore/pkg/signature"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/refusal"
)

// MaxBundle bounds one Sigstore bundle, in bytes. The largest hold an SBOM.
const MaxBundle = 32 << 20

// Verifier tells whose signatures count. It may be used by several goroutines.
type Verifier struct{ trusted []trusted }

// trusted is one key, or one identity.
type trusted struct {
	name     string // where the bundle does not say it better
	verifier *verify.Verifier
	policy   verify.PolicyOption
}

// Keys trusts public keys in PEM, as `cosign generate-key-pair` writes them. Each argument holds one.
func Keys(pems ...[]byte) (*Verifier, error) {
	v := &Verifier{}
	for _, pem := range pems {
		public, err := cryptoutils.UnmarshalPEMToPublicKey(pem)
		if err != nil {
			return nil, refusal.New("read a public key: %w; it has to be one in PEM, such as cosign.pub", err)
		}
		check, err := signature.LoadDefaultVerifier(public)
		if err != nil {
			return nil, refusal.New("read a public key: %w", err)
		}
		der, err := cryptoutils.MarshalPublicKeyToDER(public)
		if err != nil {
			return nil, refusal.New("read a public key: %w", err)
		}
		// Whatever key the bundle says it is by, it is this one that has to verify it.
		expiring := root.NewExpiringKey(check, time.Time{}, time.Time{})
		material := root.NewTrustedPublicKeyMaterial(func(string) (root.TimeConstrainedVerifier, error) { return expiring, nil })
		verifier, err := verify.NewVerifier(material, verify.WithNoObserverTimestamps(), verify.WithoutStatementPredicate())
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(der)
		v.trusted = append(v.trusted, trusted{"key sha256:" + hex.EncodeToString(sum[:]), verifier, verify.WithKey()})
	}
	return v, nil
}

// Identity is who a certificate was issued to. Both have to be equal to what it says.
type Identity struct {
	Name   string // the subject's alternative name, such as https://github.com/OWNER/REPO/.github/workflows/release.yaml@refs/heads/main
	Issuer string // of the identity token, such as https://token.actions.githubusercontent.com
}

// Identities trusts certificates of these identities, by a Sigstore trusted root (JSON, https://github.com/sigstore/root-signing: trusted_root.json). Where
// that names logs of signatures, or of certificates, an entry in one is required; the time of signing has to be vouched for by a log or a timestamp authority.
func Identities(trustedRoot []byte, identities ...Identity) (*Verifier, error) {
	material, err := root.NewTrustedRootFromJSON(trustedRoot)
	if err != nil {
		return nil, refusal.New("read the trusted root: %w; it has to be one of Sigstore, such as trusted_root.json", err)
	}
	return identify(material, identities...)
}

func identify(material root.TrustedMaterial, identities ...Identity) (*Verifier, error) {
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
	v := &Verifier{}
	for _, i := range identities {
		if i.Name == "" || i.Issuer == "" {
			return nil, refusal.New("trust the identity %q of issuer %q: both have to be named", i.Name, i.Issuer)
		}
		certificate, err := verify.NewShortCertificateIdentity(i.Issuer, "", i.Name, "")
		if err != nil {
			return nil, refusal.New("trust the identity %q of issuer %q: %w", i.Name, i.Issuer, err)
		}
		v.trusted = append(v.trusted, trusted{"identity " + i.Name + " of " + i.Issuer, verifier, verify.WithCertificateIdentity(certificate)})
	}
	return v, nil
}

// Or trusts what either of two trusts.
func (v *Verifier) Or(o *Verifier) *Verifier {
	return &Verifier{append(append([]trusted{}, v.trusted...), o.trusted...)}
}

// Names are the keys and identities that are trusted, as Verified.By names them.
func (v *Verifier) Names() []string {
	var names []string
	for _, t := range v.trusted {
		names = append(names, t.name)
	}
	return names
}

// Verified is a statement whose signature was verified.
type Verified struct {
	By        string // the key or identity: key sha256:HEX (of the public key in DER), or identity NAME of ISSUER
	Statement bundle.Statement
}

// Verify reads a Sigstore bundle over an in-toto statement about the subject and finds who of the trusted signed it. A bundle that nobody of them signed, that speaks
// of something else or is none, is refused.
func (v *Verifier) Verify(content []byte, subject digest.Digest) (Verified, error) {
	refuse := func(err error) (Verified, error) {
		return Verified{}, refusal.New("verify a signature of %s: %w", subject, err)
	}
	if err := subject.Validate(); err != nil {
		return refuse(err)
	}
	signed, payload, err := parse(content)
	if err != nil {
		return refuse(err)
	}
	about, err := hex.DecodeString(subject.Encoded())
	if err != nil {
		return refuse(err)
	}
	failed := errors.New("no key and no identity is trusted")
	for _, t := range v.trusted {
		_, err := t.verifier.Verify(signed, verify.NewPolicy(verify.WithArtifactDigest(subject.Algorithm().String(), about), t.policy))
		if err != nil {
			failed = err
			continue
		}
		found := Verified{By: t.name}
		if err := json.Unmarshal(payload, &found.Statement); err != nil {
			return refuse(err)
		}
		return found, nil
	}
	return refuse(failed)
}

// parse reads a bundle of version 0.3 and gives the statement that it is over.
func parse(content []byte) (*sigstore.Bundle, []byte, error) {
	if len(content) > MaxBundle {
		return nil, nil, refusal.New("a Sigstore bundle has at most %d bytes, and this one %d", MaxBundle, len(content))
	}
	b := &sigstore.Bundle{}
	if err := b.UnmarshalJSON(content); err != nil {
		return nil, nil, err
	}
	if !b.MinVersion("v0.3") {
		return nil, nil, refusal.New("it is a Sigstore bundle of an older form, %s", b.GetMediaType())
	}
	envelope := b.GetDsseEnvelope()
	if envelope == nil || envelope.GetPayloadType() != bundle.StatementType {
		return nil, nil, refusal.New("it signs no in-toto statement, but %q", envelope.GetPayloadType())
	}
	return b, envelope.GetPayload(), nil
}

// isBundle tells whether a type is that of a Sigstore bundle, of whatever version.
func isBundle(mediaType string) bool {
	return strings.HasPrefix(mediaType, "application/vnd.dev.sigstore.bundle")
}
