//go:build keyless

package keyless

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"
	"github.com/sigstore/sigstore-go/pkg/root"
	sigstore "github.com/sigstore/sigstore-go/pkg/sign"
	"github.com/sigstore/sigstore-go/pkg/tuf"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/sign"
)

// Sigstore's public services.
const (
	PublicFulcio = "https://fulcio.sigstore.dev"
	PublicRekor  = "https://rekor.sigstore.dev"
)

// Services are those that sign without a key. The zero value is Sigstore's public ones.
type Services struct {
	// Fulcio exchanges an identity token for a certificate of ten minutes.
	Fulcio string
	// Rekor is the log in which each signature is entered, for everybody to see and for ever (its API of version 1); none where it is empty and Fulcio is not.
	Rekor string
	// Timestamp is the address of a timestamp authority (RFC 3161); none where it is empty. Without a log there has to be one.
	Timestamp string
	// TrustedRoot says, in Sigstore's JSON, whose certificates, entries and timestamps count. Where it is empty, that of the public services is fetched by TUF.
	TrustedRoot []byte
}

// New signs with keys that nobody keeps, certified for the identity of the CI that runs this. It asks for the first certificate at once, so what cannot sign fails
// before anything is written; certificates that are about to end are replaced.
func New(ctx context.Context, tokens TokenSource, s Services) (sign.Signer, error) {
	if tokens == nil {
		return nil, refusal.New("sign without a key: nobody gives an identity token here; in GitHub Actions the job needs the permission id-token: write, elsewhere SIGSTORE_ID_TOKEN one for the audience sigstore")
	}
	if s.Fulcio == "" {
		if s.Rekor != "" || s.Timestamp != "" {
			return nil, refusal.New("sign without a key: a log or a timestamp authority is named, and no Fulcio; name all of them, or none for Sigstore's public ones")
		}
		s.Fulcio, s.Rekor = PublicFulcio, PublicRekor
	} else if s.Rekor == "" && s.Timestamp == "" {
		return nil, refusal.New("sign without a key: neither a log nor a timestamp authority is named, so the signature would count for ten minutes; name one")
	} else if len(s.TrustedRoot) == 0 && s.Fulcio != PublicFulcio {
		return nil, refusal.New("sign without a key: no trusted root is named; certificates of %s are not verified by that of Sigstore's public services", s.Fulcio)
	}
	for what, address := range map[string]string{"Fulcio": s.Fulcio, "log": s.Rekor, "timestamp authority": s.Timestamp} {
		if _, err := secure(what, address); err != nil && address != "" {
			return nil, err
		}
	}
	k := &signer{tokens: tokens, services: s, now: time.Now}
	if _, err := k.current(ctx); err != nil {
		return nil, err
	}
	var err error
	if k.verifier, err = k.identify(); err != nil {
		return nil, err
	}
	return k, nil
}

type signer struct {
	tokens   TokenSource
	services Services
	verifier *sign.Verifier
	now      func() time.Time

	mu       sync.Mutex
	held     *held
	identity Identity
}

// held is a key that lives as long as its certificate.
type held struct {
	sigstore.Keypair
	certificate *x509.Certificate
}

// GetCertificate makes it sigstore-go's CertificateProvider: one certificate serves many signatures.
func (h *held) GetCertificate(context.Context, sigstore.Keypair, *sigstore.CertificateProviderOptions) ([]byte, error) {
	return h.certificate.Raw, nil
}

// Verifier verifies what is signed by the identity that the first certificate was issued to.
func (k *signer) Verifier() *sign.Verifier { return k.verifier }

func (k *signer) identify() (*sign.Verifier, error) {
	if len(k.services.TrustedRoot) > 0 {
		return Identities(k.services.TrustedRoot, k.identity)
	}
	material, err := PublicRoot()
	if err != nil {
		return nil, err
	}
	return Identities(material, k.identity)
}

// PublicRoot fetches the trusted root of Sigstore's public services by TUF. Nothing is kept on the disk.
func PublicRoot() ([]byte, error) {
	trusted, err := root.FetchTrustedRootWithOptions(tuf.DefaultOptions().WithDisableLocalCache())
	if err != nil {
		return nil, fmt.Errorf("fetch the trusted root of Sigstore's public services: %w; name a file with one where they are out of reach", err)
	}
	return trusted.MarshalJSON()
}

// Sign signs with the current key, and has log and timestamp authority say when that was.
func (k *signer) Sign(ctx context.Context, statement []byte) ([]byte, error) {
	h, err := k.current(ctx)
	if err != nil {
		return nil, err
	}
	o := sigstore.BundleOptions{Context: ctx, CertificateProvider: h}
	if k.services.Rekor != "" {
		o.TransparencyLogs = []sigstore.Transparency{sigstore.NewRekor(&sigstore.RekorOptions{BaseURL: k.services.Rekor, Retries: 2})}
	}
	if k.services.Timestamp != "" {
		o.TimestampAuthorities = []*sigstore.TimestampAuthority{sigstore.NewTimestampAuthority(&sigstore.TimestampAuthorityOptions{URL: k.services.Timestamp, Retries: 2})}
	}
	made, err := sigstore.Bundle(&sigstore.DSSEData{Data: statement, PayloadType: bundle.StatementType}, h, o)
	if err != nil {
		return nil, err
	}
	return sign.Marshal(made)
}

// margin is how long a certificate has to be good for, to sign with it.
const margin = time.Minute

// current is the key to sign with; a new one, where the certificate is about to end.
func (k *signer) current(ctx context.Context) (*held, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.held != nil && k.now().Add(margin).Before(k.held.certificate.NotAfter) {
		return k.held, nil
	}
	token, err := k.tokens(ctx)
	if err != nil {
		return nil, err
	}
	pair, err := sigstore.NewEphemeralKeypair(nil)
	if err != nil {
		return nil, err
	}
	der, err := sigstore.NewFulcio(&sigstore.FulcioOptions{BaseURL: k.services.Fulcio, Retries: 2}).GetCertificate(ctx, pair, &sigstore.CertificateProviderOptions{IDToken: token})
	if err != nil {
		return nil, fmt.Errorf("ask %s for a certificate: %w", k.services.Fulcio, err)
	}
	issued, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("ask %s for a certificate: %w", k.services.Fulcio, err)
	}
	summary, err := certificate.SummarizeCertificate(issued)
	if err == nil && (summary.SubjectAlternativeName == "" || summary.Issuer == "") {
		err = errors.New("it names no identity, or no issuer")
	}
	if err != nil {
		return nil, fmt.Errorf("read the certificate of %s: %w", k.services.Fulcio, err)
	}
	identity := Identity{Name: summary.SubjectAlternativeName, Issuer: summary.Issuer}
	if k.held != nil && identity != k.identity {
		return nil, fmt.Errorf("the certificate of %s is for %s of %s, and the one before was for %s of %s", k.services.Fulcio, identity.Name, identity.Issuer, k.identity.Name, k.identity.Issuer)
	}
	k.held, k.identity = &held{pair, issued}, identity
	return k.held, nil
}
