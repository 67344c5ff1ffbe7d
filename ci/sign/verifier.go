package sign

import (
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/sigstore/sigstore/pkg/signature"
	adapter "github.com/sigstore/sigstore/pkg/signature/dsse"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/refusal"
)

// MaxBundle bounds one Sigstore bundle, in bytes. The largest hold an SBOM.
const MaxBundle = 32 << 20

// Verifier tells whose signatures count. It may be used by several goroutines.
type Verifier struct{ trusted []Trusted }

// Trusted is somebody whose signatures count.
type Trusted interface {
	// Name is how Verified.By says who it is.
	Name() string
	// Verify fails unless the bundle's one signature over its in-toto statement is theirs.
	Verify(b *protobundle.Bundle) error
}

// Trust verifies what any of them signed.
func Trust(who ...Trusted) *Verifier { return &Verifier{who} }

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
		sum := sha256.Sum256(der)
		v.trusted = append(v.trusted, publicKey{keyName(sum[:]), public, check})
	}
	return v, nil
}

// publicKey is one key. Whatever key a bundle says it is by, it is this one that has to verify it.
type publicKey struct {
	name   string
	public crypto.PublicKey
	check  signature.Verifier
}

// Name is the digest of the key.
func (k publicKey) Name() string { return k.name }

// Verify verifies an envelope that is signed by a key, and by no certificate.
func (k publicKey) Verify(b *protobundle.Bundle) error {
	if b.GetVerificationMaterial().GetPublicKey() == nil {
		return errors.New("it is not signed by a key")
	}
	envelope := b.GetDsseEnvelope()
	signed := &dsse.Envelope{PayloadType: envelope.GetPayloadType(), Payload: base64.StdEncoding.EncodeToString(envelope.GetPayload())}
	for _, s := range envelope.GetSignatures() {
		signed.Signatures = append(signed.Signatures, dsse.Signature{Sig: base64.StdEncoding.EncodeToString(s.GetSig())})
	}
	verifier, err := dsse.NewEnvelopeVerifier(&adapter.VerifierAdapter{SignatureVerifier: k.check, Pub: k.public})
	if err != nil {
		return err
	}
	_, err = verifier.Verify(context.Background(), signed)
	return err
}

// Or trusts what either of two trusts.
func (v *Verifier) Or(o *Verifier) *Verifier {
	return &Verifier{slices.Concat(v.trusted, o.trusted)}
}

// Names are the keys and identities that are trusted, as Verified.By names them.
func (v *Verifier) Names() []string {
	var names []string
	for _, t := range v.trusted {
		names = append(names, t.Name())
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
	b, err := parse(content)
	if err != nil {
		return Verified{}, refusal.New("verify a signature of %s: %w", subject, err)
	}
	return v.verify(b, subject)
}

func (v *Verifier) verify(b *protobundle.Bundle, subject digest.Digest) (Verified, error) {
	refuse := func(err error) (Verified, error) {
		return Verified{}, refusal.New("verify a signature of %s: %w", subject, err)
	}
	if err := subject.Validate(); err != nil {
		return refuse(err)
	}
	failed := errors.New("no key and no identity is trusted")
	for _, t := range v.trusted {
		if err := t.Verify(b); err != nil {
			failed = err
			continue
		}
		found := Verified{By: t.Name()}
		if err := json.Unmarshal(b.GetDsseEnvelope().GetPayload(), &found.Statement); err != nil {
			return refuse(err)
		}
		if !slices.ContainsFunc(found.Statement.Subject, func(r bundle.Resource) bool {
			return r.Digest[subject.Algorithm().String()] == subject.Encoded()
		}) {
			return refuse(errors.New("it is signed, but speaks of something else"))
		}
		return found, nil
	}
	return refuse(failed)
}

// parse reads a bundle of version 0.3 that is over an in-toto statement, with one signature.
func parse(content []byte) (*protobundle.Bundle, error) {
	if len(content) > MaxBundle {
		return nil, refusal.New("a Sigstore bundle has at most %d bytes, and this one %d", MaxBundle, len(content))
	}
	b := &protobundle.Bundle{}
	if err := protojson.Unmarshal(content, b); err != nil {
		return nil, err
	}
	if b.GetMediaType() != BundleType && b.GetMediaType() != "application/vnd.dev.sigstore.bundle+json;version=0.3" {
		return nil, refusal.New("it is no Sigstore bundle of version 0.3, but %q", b.GetMediaType())
	}
	envelope := b.GetDsseEnvelope()
	if envelope == nil || envelope.GetPayloadType() != bundle.StatementType {
		return nil, refusal.New("it signs no in-toto statement, but %q", envelope.GetPayloadType())
	}
	if len(envelope.GetSignatures()) != 1 {
		return nil, refusal.New("it has %d signatures where one belongs", len(envelope.GetSignatures()))
	}
	return b, nil
}

// claimed is who a bundle says it is signed by, named as Names does; nobody has verified it. It is empty where the bundle does not say.
func claimed(b *protobundle.Bundle) string {
	material := b.GetVerificationMaterial()
	if key := material.GetPublicKey(); key != nil {
		sum, err := base64.StdEncoding.DecodeString(key.GetHint())
		if err != nil || len(sum) != sha256.Size {
			return ""
		}
		return keyName(sum)
	}
	issued, err := x509.ParseCertificate(material.GetCertificate().GetRawBytes())
	if err != nil {
		return ""
	}
	summary, err := certificate.SummarizeCertificate(issued)
	if err != nil || summary.SubjectAlternativeName == "" || len(summary.SubjectAlternativeName)+len(summary.Issuer) > maxName {
		return ""
	}
	return IdentityName(summary.SubjectAlternativeName, summary.Issuer)
}

// maxName bounds the name of who is not known, in bytes.
const maxName = 1_000

// keyName names a key by the SHA-256 of the public key in DER.
func keyName(sum []byte) string { return "key sha256:" + hex.EncodeToString(sum) }

// IdentityName names who a certificate was issued to.
func IdentityName(name, issuer string) string { return "identity " + name + " of " + issuer }

// IsBundle tells whether a type is that of a Sigstore bundle, of whatever version.
func IsBundle(mediaType string) bool {
	return strings.HasPrefix(mediaType, "application/vnd.dev.sigstore.bundle")
}
