//go:build keyless

package keyless_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/digitorus/timestamp"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/testing/ca"
	"github.com/sigstore/sigstore-go/pkg/tlog"
	"github.com/sigstore/sigstore/pkg/cryptoutils"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/bundle/bundletest"
	"github.com/operator-release/operator-release/ci/redact"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/sign"
	"github.com/operator-release/operator-release/ci/sign/keyless"
)

const (
	bearer   = "bearer-of-the-job"
	workflow = "release@example.com"
	issuer   = "https://token.example.com"
)

// sigstore is a local Sigstore over HTTP, of what sigstore-go's test kit makes: a CI's token service, an issuer of certificates, a log, a timestamp authority.
type sigstore struct {
	*httptest.Server
	root         []byte // trusted_root.json
	certificates atomic.Int64
	entries      atomic.Int64
}

func newSigstore(t testing.TB) *sigstore {
	t.Helper()
	must := func(err error) {
		if err != nil {
			t.Helper()
			t.Fatal(err)
		}
	}
	virtual, err := ca.NewVirtualSigstore()
	must(err)
	rootCA, rootKey, err := ca.GenerateRootCa()
	must(err)
	intermediate, intermediateKey, err := ca.GenerateFulcioIntermediate(rootCA, rootKey)
	must(err)
	stampCA, stampCAKey, err := ca.GenerateTSAIntermediate(rootCA, rootKey)
	must(err)
	stampKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	stamp, err := ca.GenerateTSALeafCert(time.Now().Add(-time.Minute), stampKey, stampCA, stampCAKey)
	must(err)

	s := &sigstore{}
	serve := func(err error) {
		if err != nil {
			t.Error(err)
			panic(http.ErrAbortHandler)
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /token", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+bearer || r.URL.Query().Get("audience") != "sigstore" || r.URL.Query().Get("api-version") != "2" {
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		json.NewEncoder(w).Encode(map[string]string{"value": token(workflow)})
	})
	mux.HandleFunc("POST /api/v2/signingCert", func(w http.ResponseWriter, r *http.Request) {
		var asked struct {
			PublicKeyRequest struct {
				PublicKey         struct{ Content string }
				ProofOfPossession []byte
			}
		}
		serve(json.NewDecoder(r.Body).Decode(&asked))
		claims, err := base64.RawURLEncoding.DecodeString(strings.Split(r.Header.Get("Authorization"), ".")[1])
		serve(err)
		var who struct{ Sub string }
		serve(json.Unmarshal(claims, &who))
		block, _ := pem.Decode([]byte(asked.PublicKeyRequest.PublicKey.Content))
		public, err := x509.ParsePKIXPublicKey(block.Bytes)
		serve(err)
		if sum := sha256.Sum256([]byte(who.Sub)); !ecdsa.VerifyASN1(public.(*ecdsa.PublicKey), sum[:], asked.PublicKeyRequest.ProofOfPossession) {
			http.Error(w, "who asks does not have the key", http.StatusBadRequest)
			return
		}
		s.certificates.Add(1)
		leaf, err := ca.GenerateLeafCert(who.Sub, issuer, time.Now(), publicOnly{public}, intermediate, intermediateKey)
		serve(err)
		json.NewEncoder(w).Encode(map[string]any{"signedCertificateEmbeddedSct": map[string]any{"chain": map[string]any{"certificates": []string{
			string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf.Raw}))}}}})
	})
	mux.HandleFunc("POST /api/v1/log/entries", func(w http.ResponseWriter, r *http.Request) {
		var proposed struct {
			Spec struct {
				ProposedContent struct {
					Envelope  string
					Verifiers [][]byte
				}
			}
		}
		serve(json.NewDecoder(r.Body).Decode(&proposed))
		var envelope dsse.Envelope
		serve(json.Unmarshal([]byte(proposed.Spec.ProposedContent.Envelope), &envelope))
		block, _ := pem.Decode(proposed.Spec.ProposedContent.Verifiers[0])
		leaf, err := x509.ParseCertificate(block.Bytes)
		serve(err)
		signature, err := base64.StdEncoding.DecodeString(envelope.Signatures[0].Sig)
		serve(err)
		entry, err := virtual.GenerateTlogEntry(leaf, &envelope, signature, time.Now().Unix(), true)
		serve(err)
		s.entries.Add(1)
		e := entry.TransparencyLogEntry()
		id := hex.EncodeToString(e.LogId.KeyId)
		promise, err := virtual.RekorSignPayload(tlog.RekorPayload{Body: entry.Body(), IntegratedTime: e.IntegratedTime, LogIndex: e.LogIndex, LogID: id})
		serve(err)
		w.Header().Set("ETag", "entry")
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		json.NewEncoder(w).Encode(map[string]any{"entry": map[string]any{
			"body": e.CanonicalizedBody, "integratedTime": e.IntegratedTime, "logID": id, "logIndex": e.LogIndex,
			"verification": map[string]any{"signedEntryTimestamp": promise, "inclusionProof": map[string]any{
				"checkpoint": e.InclusionProof.Checkpoint.Envelope, "hashes": []string{}, "logIndex": e.InclusionProof.LogIndex,
				"rootHash": hex.EncodeToString(e.InclusionProof.RootHash), "treeSize": e.InclusionProof.TreeSize,
			}},
		}})
	})
	mux.HandleFunc("POST /timestamp", func(w http.ResponseWriter, r *http.Request) {
		content, err := io.ReadAll(r.Body)
		serve(err)
		asked, err := timestamp.ParseRequest(content)
		serve(err)
		answer, err := (&timestamp.Timestamp{HashAlgorithm: asked.HashAlgorithm, HashedMessage: asked.HashedMessage, Time: time.Now(), Policy: []int{1, 2}}).
			CreateResponseWithOpts(stamp, stampKey, crypto.SHA256)
		serve(err)
		w.Write(answer)
	})
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)

	from, until := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	logs := virtual.RekorLogs()
	for id, log := range logs {
		log.ID, err = hex.DecodeString(id)
		must(err)
	}
	trusted, err := root.NewTrustedRoot(root.TrustedRootMediaType01,
		[]root.CertificateAuthority{&root.FulcioCertificateAuthority{Root: rootCA, Intermediates: []*x509.Certificate{intermediate}, ValidityPeriodStart: from, ValidityPeriodEnd: until}},
		nil,
		[]root.TimestampingAuthority{&root.SigstoreTimestampingAuthority{Root: rootCA, Intermediates: []*x509.Certificate{stampCA}, Leaf: stamp, ValidityPeriodStart: from, ValidityPeriodEnd: until}},
		logs)
	must(err)
	s.root, err = trusted.MarshalJSON()
	must(err)
	return s
}

// assembled is a small bundle whose gate passed.
func assembled(t *testing.T) bundle.Bundle {
	t.Helper()
	b, err := bundle.Assemble(t.TempDir(), bundletest.Pieces(t, "linux/amd64"))
	if err != nil {
		t.Fatal(err)
	}
	return bundletest.Tested(t, b)
}

// key is a signer by a key of its own.
func key(t *testing.T) sign.Signer {
	t.Helper()
	pem, _, err := cryptoutils.GeneratePEMEncodedECDSAKeyPair(elliptic.P256(), cryptoutils.SkipPassword)
	if err != nil {
		t.Fatal(err)
	}
	s, err := sign.Key(pem, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// publicOnly is what a certificate is made for; who has the other half is not here.
type publicOnly struct{ crypto.PublicKey }

func (p publicOnly) Public() crypto.PublicKey { return p.PublicKey }
func (p publicOnly) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.ErrUnsupported
}

// token is an identity token of which nobody checks the signature here.
func token(subject string) string {
	claims := base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"` + subject + `"}`))
	return "eyJhbGciOiJub25lIn0." + claims + ".c2lnbmF0dXJl"
}

// environment is that of a job in GitHub Actions.
func (s *sigstore) environment(name string) string {
	return map[string]string{"ACTIONS_ID_TOKEN_REQUEST_URL": s.URL + "/token?api-version=2", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": bearer}[name]
}

func TestKeyless(t *testing.T) {
	at := newSigstore(t)
	identity := keyless.Identity{Name: workflow, Issuer: issuer}
	trust := func(of *sigstore, i keyless.Identity) *sign.Verifier {
		v, err := keyless.Identities(of.root, i)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	secrets := &redact.Secrets{}
	for name, services := range map[string]keyless.Services{
		"log":                         {Fulcio: at.URL, Rekor: at.URL, TrustedRoot: at.root},
		"log and timestamp authority": {Fulcio: at.URL, Rekor: at.URL, Timestamp: at.URL + "/timestamp", TrustedRoot: at.root},
	} {
		t.Run(name, func(t *testing.T) {
			certificates, entries := at.certificates.Load(), at.entries.Load()
			s, err := keyless.New(t.Context(), keyless.Tokens(at.environment, secrets), services)
			if err != nil {
				t.Fatal(err)
			}
			b := assembled(t)
			added, err := sign.Bundle(t.Context(), b, s, bundle.Run{})
			if err != nil {
				t.Fatal(err)
			}
			if n, m := at.certificates.Load()-certificates, at.entries.Load()-entries; n != 1 || m != int64(len(added)) || m == 0 {
				t.Errorf("%d certificates and %d entries for %d signatures", n, m, len(added))
			}
			if err := sign.Require(b, trust(at, identity)); err != nil {
				t.Error(err)
			}
			if names := s.Verifier().Names(); !slices.Equal(names, []string{"identity release@example.com of https://token.example.com"}) {
				t.Errorf("%v", names)
			}
			// Another run of the same workflow has nothing to add.
			again, err := keyless.New(t.Context(), keyless.Tokens(at.environment, secrets), services)
			if err != nil {
				t.Fatal(err)
			}
			if added, err := sign.Bundle(t.Context(), b, again, bundle.Run{}); err != nil || added != nil {
				t.Errorf("again: %v, %v", added, err)
			}
			for what, v := range map[string]*sign.Verifier{
				"another identity": trust(at, keyless.Identity{Name: "other@example.com", Issuer: issuer}),
				"another issuer":   trust(at, keyless.Identity{Name: workflow, Issuer: "https://other.example.com"}),
				"another root":     trust(newSigstore(t), identity),
				"a key":            key(t).Verifier(),
			} {
				if err := sign.Require(b, v); !refusal.Is(err) {
					t.Errorf("%s: %v", what, err)
				}
			}
		})
	}
	if shown := secrets.Redact(bearer + " " + token(workflow)); strings.Contains(shown, "eyJ") || strings.Contains(shown, bearer) {
		t.Errorf("shown: %s", shown)
	}

	// Without an entry in the log that the trusted root names, a timestamp is not enough.
	s, err := keyless.New(t.Context(), keyless.Tokens(at.environment, secrets), keyless.Services{Fulcio: at.URL, Timestamp: at.URL + "/timestamp", TrustedRoot: at.root})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sign.Bundle(t.Context(), assembled(t), s, bundle.Run{}); err == nil || !strings.Contains(err.Error(), "log") {
		t.Errorf("no log: %v", err)
	}
	// A key's signature is none of an identity.
	subject := digest.FromString("subject")
	statement, err := bundle.NewStatement(subject, "", sign.SignaturePredicate, struct{}{})
	if err != nil {
		t.Fatal(err)
	}
	content, err := key(t).Sign(t.Context(), statement)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := trust(at, identity).Verify(content, subject); !refusal.Is(err) {
		t.Errorf("by a key: %v", err)
	}
	// Whose signature it is is told to whoever does not trust that identity.
	if s, err = keyless.New(t.Context(), keyless.Tokens(at.environment, secrets), keyless.Services{Fulcio: at.URL, Rekor: at.URL, TrustedRoot: at.root}); err != nil {
		t.Fatal(err)
	}
	if content, err = s.Sign(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
	wanted, err := sign.NewStatement(ocispec.Descriptor{Digest: subject}, "", sign.SignaturePredicate, struct{}{})
	if err != nil {
		t.Fatal(err)
	}
	const name = "identity release@example.com of https://token.example.com"
	if by, why := wanted.Read(content, key(t).Verifier()); by != "" || why != "it is by "+name+", who is not trusted" {
		t.Errorf("%q, %q", by, why)
	}
	if by, why := wanted.Read(content, trust(newSigstore(t), identity)); by != "" || why != "it names "+name+", and does not verify" {
		t.Errorf("%q, %q", by, why)
	}
}

func TestKeylessRefused(t *testing.T) {
	none := func(string) string { return "" }
	own := keyless.Tokens(func(name string) string {
		return map[string]string{"SIGSTORE_ID_TOKEN": " " + token(workflow) + "\n"}[name]
	}, &redact.Secrets{})
	if found, err := own(t.Context()); err != nil || found != token(workflow) {
		t.Errorf("%q, %v", found, err)
	}
	for name, test := range map[string]struct {
		tokens   keyless.TokenSource
		services keyless.Services
		want     string
	}{
		"no token":              {keyless.Tokens(none, &redact.Secrets{}), keyless.Services{}, "nobody gives an identity token"},
		"a log and no Fulcio":   {own, keyless.Services{Rekor: "https://rekor.example.com"}, "and no Fulcio"},
		"nobody tells the time": {own, keyless.Services{Fulcio: "https://fulcio.example.com"}, "ten minutes"},
		"no trusted root":       {own, keyless.Services{Fulcio: "https://fulcio.example.com", Rekor: "https://rekor.example.com"}, "no trusted root"},
		"plain HTTP":            {own, keyless.Services{Fulcio: "http://fulcio.example.com", Rekor: "https://rekor.example.com", TrustedRoot: []byte("{}")}, "plain HTTP"},
		"no address":            {own, keyless.Services{Fulcio: "fulcio", Rekor: "https://rekor.example.com", TrustedRoot: []byte("{}")}, "write it as https://HOST"},
	} {
		if _, err := keyless.New(t.Context(), test.tokens, test.services); !refusal.Is(err) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := keyless.Identities([]byte("{}"), keyless.Identity{}); !refusal.Is(err) {
		t.Errorf("no trusted root: %v", err)
	}

	at := newSigstore(t)
	wrong := func(name string) string {
		if name == "ACTIONS_ID_TOKEN_REQUEST_TOKEN" {
			return "another"
		}
		return at.environment(name)
	}
	_, err := keyless.New(context.Background(), keyless.Tokens(wrong, &redact.Secrets{}), keyless.Services{Fulcio: at.URL, Rekor: at.URL, TrustedRoot: at.root})
	if err == nil || refusal.Is(err) || !strings.Contains(err.Error(), "401 Unauthorized; the job needs the permission id-token: write") {
		t.Errorf("a wrong token: %v", err)
	}
}

// TestKeylessLong: who signs for longer than a certificate lasts gets another one, and stays who it was.
func TestKeylessLong(t *testing.T) {
	at := newSigstore(t)
	who := workflow
	tokens := func(context.Context) (string, error) { return token(who), nil }
	s, err := keyless.New(t.Context(), tokens, keyless.Services{Fulcio: at.URL, Rekor: at.URL, TrustedRoot: at.root})
	if err != nil {
		t.Fatal(err)
	}
	subject := digest.FromString("subject")
	statement, err := bundle.NewStatement(subject, "", sign.SignaturePredicate, struct{}{})
	if err != nil {
		t.Fatal(err)
	}
	for i, test := range []struct {
		later time.Duration
		who   string
		want  int64 // certificates
		fails bool
	}{
		{0, workflow, 1, false},
		{8 * time.Minute, workflow, 1, false},
		{9*time.Minute + 1, workflow, 2, false},
		{9*time.Minute + 1, "other@example.com", 3, true},
	} {
		who = test.who
		keyless.At(s, time.Now().Add(test.later))
		content, err := s.Sign(t.Context(), statement)
		if test.fails {
			if err == nil || !strings.Contains(err.Error(), "is for other@example.com of") {
				t.Errorf("%d: %v", i, err)
			}
		} else if err != nil {
			t.Errorf("%d: %v", i, err)
		} else if _, err := s.Verifier().Verify(content, subject); err != nil {
			t.Errorf("%d: %v", i, err)
		} else if _, err := s.Verifier().Verify(content, digest.FromString("other")); !refusal.Is(err) {
			t.Errorf("%d: of another subject: %v", i, err)
		} else if _, err := s.Verifier().Verify(bytes.Replace(content, []byte(`"payload":"ey`), []byte(`"payload":"fy`), 1), subject); !refusal.Is(err) {
			t.Errorf("%d: with a byte changed: %v", i, err)
		}
		if n := at.certificates.Load(); n != test.want {
			t.Errorf("%d: %d certificates", i, n)
		}
	}
}

// FuzzVerify: whatever somebody attaches, it is verified or refused.
func FuzzVerify(f *testing.F) {
	at := newSigstore(f)
	s, err := keyless.New(f.Context(), keyless.Tokens(at.environment, &redact.Secrets{}), keyless.Services{Fulcio: at.URL, Rekor: at.URL, Timestamp: at.URL + "/timestamp", TrustedRoot: at.root})
	if err != nil {
		f.Fatal(err)
	}
	subject := digest.FromString("subject")
	statement, err := bundle.NewStatement(subject, "", sign.SignaturePredicate, struct{}{})
	if err != nil {
		f.Fatal(err)
	}
	content, err := s.Sign(f.Context(), statement)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(content)
	f.Add([]byte(`{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"certificate":{},"tlogEntries":[{"logId":{}}]},"dsseEnvelope":{"payloadType":"application/vnd.in-toto+json","payload":"e30=","signatures":[{}]}}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		if _, err := s.Verifier().Verify(content, subject); err != nil && !refusal.Is(err) {
			t.Error(err)
		}
	})
}
