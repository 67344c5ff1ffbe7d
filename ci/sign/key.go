package sign

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"

	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	"github.com/sigstore/sigstore-go/pkg/sign"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/sigstore/sigstore/pkg/signature"
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
	return &key{private, algorithm, string(public), []byte(base64.StdEncoding.EncodeToString(sum[:])), verifier}, nil
}

// key is a private key as a signer, and as sigstore-go's key pair.
type key struct {
	private   crypto.Signer
	algorithm signature.AlgorithmDetails
	public    string // PEM
	hint      []byte // as cosign makes it: the SHA-256 of the public key in DER, in base64
	verifier  *Verifier
}

// Verifier verifies what the key signs.
func (k *key) Verifier() *Verifier { return k.verifier }

// Sign signs with the key alone: no certificate, no log, no timestamp.
func (k *key) Sign(ctx context.Context, statement []byte) ([]byte, error) {
	return makeBundle(statement, k, sign.BundleOptions{Context: ctx})
}

// makeBundle signs a statement and writes the bundle without spaces, which protobuf's own encoder scatters.
func makeBundle(statement []byte, k sign.Keypair, o sign.BundleOptions) ([]byte, error) {
	made, err := sign.Bundle(&sign.DSSEData{Data: statement, PayloadType: bundle.StatementType}, k, o)
	if err != nil {
		return nil, err
	}
	content, err := protojson.Marshal(made)
	if err != nil {
		return nil, err
	}
	var compact bytes.Buffer
	err = json.Compact(&compact, content)
	return compact.Bytes(), err
}

// What follows makes it a sign.Keypair.

// GetHashAlgorithm is what digests are made by.
func (k *key) GetHashAlgorithm() protocommon.HashAlgorithm { return k.algorithm.GetProtoHashType() }

// GetSigningAlgorithm is how it signs.
func (k *key) GetSigningAlgorithm() protocommon.PublicKeyDetails {
	return k.algorithm.GetSignatureAlgorithm()
}

// GetHint tells verifiers which key it was.
func (k *key) GetHint() []byte { return k.hint }

// GetKeyAlgorithm is what Fulcio calls the kind of key.
func (k *key) GetKeyAlgorithm() string {
	switch k.private.Public().(type) {
	case *rsa.PublicKey:
		return "RSA"
	case ed25519.PublicKey:
		return "ED25519"
	}
	return "ECDSA"
}

// GetPublicKey is the public half.
func (k *key) GetPublicKey() crypto.PublicKey { return k.private.Public() }

// GetPublicKeyPem is the public half in PEM.
func (k *key) GetPublicKeyPem() (string, error) { return k.public, nil }

// SignData gives the signature, and what was signed: a digest, or with Ed25519 the data.
func (k *key) SignData(_ context.Context, data []byte) (signed, what []byte, err error) {
	hash := k.algorithm.GetHashType()
	if hash != crypto.Hash(0) {
		sum := hash.New()
		sum.Write(data)
		data = sum.Sum(nil)
	}
	signed, err = k.private.Sign(rand.Reader, data, hash)
	return signed, data, err
}
