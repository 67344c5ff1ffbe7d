package sign

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protodsse "github.com/sigstore/protobuf-specs/gen/pb-go/dsse"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/sigstore/sigstore/pkg/signature/options"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/redact"
	"github.com/operator-release/operator-release/ci/refusal"
)

// Signer signs statements. It may be used by several goroutines.
type Signer interface {
	// Sign gives a Sigstore bundle (JSON) over an in-toto statement (JSON).
	Sign(ctx context.Context, statement []byte) ([]byte, error)
	// Verifier verifies what this signer signs, and nothing else.
	Verifier() *Verifier
}

// Key signs with a private key in PEM: cosign's, which a password protects, PKCS #8, or a traditional one of EC or RSA. Without a password pass nil. Key and
// password are made known to secrets, if there are any to add to, so that nothing prints them.
//
// ECDSA P-256, Ed25519 and RSA of 2048, 3072 or 4096 bits are taken: what cosign verifies without being told a digest algorithm. Any other key is refused.
func Key(pem, password []byte, secrets *redact.Secrets) (Signer, error) {
	if secrets != nil {
		secrets.Add(string(pem))
		secrets.Add(string(password))
	}
	private, err := cryptoutils.UnmarshalPEMToPrivateKey(pem, func(bool) ([]byte, error) {
		if password == nil {
			password = []byte{} // cosign's keys without a password are encrypted with the empty one
		}
		return password, nil
	})
	if err != nil {
		return nil, refusal.New("read the signing key: %w; it has to be a private key in PEM, such as `cosign generate-key-pair` makes, and the password has to be its own", err)
	}
	signer, ok := private.(crypto.Signer)
	if !ok {
		return nil, refusal.New("read the signing key: a %T does not sign", private)
	}
	return newKey(signer)
}

func newKey(private crypto.Signer) (*key, error) {
	algorithm, err := signature.GetDefaultAlgorithmDetails(private.Public())
	if ec, ok := private.Public().(*ecdsa.PublicKey); ok && ec.Curve != elliptic.P256() {
		err = fmt.Errorf("it is one of the curve %s", ec.Curve.Params().Name)
	}
	if err != nil {
		return nil, refusal.New("read the signing key: %w; take ECDSA P-256, Ed25519, or RSA of 2048, 3072 or 4096 bits", err)
	}
	signer, err := signature.LoadSignerFromAlgorithmDetails(private, algorithm)
	if err != nil {
		return nil, refusal.New("read the signing key: %w", err)
	}
	public, err := cryptoutils.MarshalPublicKeyToPEM(private.Public())
	if err != nil {
		return nil, err
	}
	der, err := cryptoutils.MarshalPublicKeyToDER(private.Public())
	if err != nil {
		return nil, err
	}
	verifier, err := Keys(public)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(der)
	return &key{signer, base64.StdEncoding.EncodeToString(sum[:]), verifier}, nil
}

// key is a private key.
type key struct {
	signer   signature.Signer
	hint     string // as cosign makes it: the SHA-256 of the public key in DER, in base64
	verifier *Verifier
}

// Verifier verifies what the key signs.
func (k *key) Verifier() *Verifier { return k.verifier }

// Sign signs with the key alone: no certificate, no log, no timestamp.
func (k *key) Sign(ctx context.Context, statement []byte) ([]byte, error) {
	signed, err := k.signer.SignMessage(bytes.NewReader(dsse.PAE(bundle.StatementType, statement)), options.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	return Marshal(&protobundle.Bundle{
		MediaType:            BundleType,
		VerificationMaterial: &protobundle.VerificationMaterial{Content: &protobundle.VerificationMaterial_PublicKey{PublicKey: &protocommon.PublicKeyIdentifier{Hint: k.hint}}},
		Content: &protobundle.Bundle_DsseEnvelope{DsseEnvelope: &protodsse.Envelope{
			Payload: statement, PayloadType: bundle.StatementType, Signatures: []*protodsse.Signature{{Sig: signed}},
		}},
	})
}

// Marshal writes a Sigstore bundle without spaces, which protobuf's own encoder scatters.
func Marshal(b *protobundle.Bundle) ([]byte, error) {
	content, err := protojson.Marshal(b)
	if err != nil {
		return nil, err
	}
	var compact bytes.Buffer
	err = json.Compact(&compact, content)
	return compact.Bytes(), err
}
