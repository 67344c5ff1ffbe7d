package sign_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/sigstore/sigstore/pkg/cryptoutils"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/bundle/bundletest"
	"github.com/operator-release/operator-release/ci/redact"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/sign"
)

// newKey makes a private key's PEM, and its public one.
func newKey(t testing.TB, private crypto.Signer) (pem, public []byte) {
	t.Helper()
	pem, err := cryptoutils.MarshalPrivateKeyToPEM(private)
	if err != nil {
		t.Fatal(err)
	}
	public, err = cryptoutils.MarshalPublicKeyToPEM(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	return pem, public
}

func p256(t testing.TB) crypto.Signer { return ec(t, elliptic.P256()) }

func ec(t testing.TB, curve elliptic.Curve) crypto.Signer {
	t.Helper()
	private, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return private
}

func signer(t testing.TB) sign.Signer {
	t.Helper()
	pem, _ := newKey(t, p256(t))
	s, err := sign.Key(pem, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// assembled is a small bundle whose gate passed.
func assembled(t testing.TB) bundle.Bundle {
	t.Helper()
	b, err := bundle.Assemble(t.TempDir(), bundletest.Pieces(t, "linux/amd64", "linux/arm64"))
	if err != nil {
		t.Fatal(err)
	}
	return bundletest.Tested(t, b)
}

func TestKeys(t *testing.T) {
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsa2048, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	subject := digest.FromString("subject")
	statement, err := bundle.NewStatement(subject, "name", sign.SignaturePredicate, struct{}{})
	if err != nil {
		t.Fatal(err)
	}
	cosign := func(password string) []byte { // as `cosign generate-key-pair` writes it
		pem, _, err := cryptoutils.GeneratePEMEncodedECDSAKeyPair(elliptic.P256(), cryptoutils.StaticPasswordFunc([]byte(password)))
		if err != nil {
			t.Fatal(err)
		}
		return pem
	}
	plain := func(private crypto.Signer) []byte { pem, _ := newKey(t, private); return pem }
	for _, test := range []struct {
		name     string
		pem      []byte
		password string
		refused  string // beginning behind "read the signing key: "
	}{
		{"ECDSA P-256", plain(p256(t)), "", ""},
		{"Ed25519", plain(ed), "", ""},
		{"RSA", plain(rsa2048), "", ""},
		{"cosign's", cosign("secret of the key"), "secret of the key", ""},
		{"a curve that cosign has to be told", plain(ec(t, elliptic.P384())), "", "it is one of the curve P-384"},
		{"no PEM", []byte("MFkwEwYH"), "", "PEM decoding failed"},
		{"a public key", func() []byte { _, public := newKey(t, p256(t)); return public }(), "", "unknown private key PEM file type"},
	} {
		t.Run(test.name, func(t *testing.T) {
			secrets := &redact.Secrets{}
			s, err := sign.Key(test.pem, []byte(test.password), secrets)
			if test.refused != "" {
				if !refusal.Is(err) || !strings.HasPrefix(err.Error(), "read the signing key: "+test.refused) {
					t.Errorf("%v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			line := strings.Split(string(test.pem), "\n")[1]
			if shown := secrets.Redact("key: " + line + " " + test.password); strings.Contains(shown, line) || test.password != "" && strings.Contains(shown, test.password) {
				t.Errorf("it is shown: %s", shown)
			}
			content, err := s.Sign(t.Context(), statement)
			if err != nil {
				t.Fatal(err)
			}
			found, err := s.Verifier().Verify(content, subject)
			if err != nil {
				t.Fatal(err)
			}
			if found.By != s.Verifier().Names()[0] || !strings.HasPrefix(found.By, "key sha256:") || found.Statement.PredicateType != sign.SignaturePredicate {
				t.Errorf("%+v", found)
			}
		})
	}

	if _, err := sign.Key(cosign("one password"), []byte("another password"), nil); !refusal.Is(err) || strings.Contains(err.Error(), "password\"") {
		t.Errorf("a wrong password: %v", err)
	}
	if _, err := sign.Keys([]byte("none")); !refusal.Is(err) {
		t.Errorf("no public key: %v", err)
	}
}

// TestBundle: everything is signed once, and all of it is wanted.
func TestBundle(t *testing.T) {
	b, s := assembled(t), signer(t)
	if err := sign.Require(b, s.Verifier()); !refusal.Is(err) || !strings.Contains(err.Error(), "has no valid https://sigstore.dev/cosign/sign/v1 by [key sha256:") {
		t.Errorf("nothing is signed: %v", err)
	}
	added, err := sign.Bundle(t.Context(), b, s, bundle.Run{Invocation: "https://example.com/1"})
	if err != nil {
		t.Fatal(err)
	}
	checks, err := sign.Verify(b, s.Verifier())
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, c := range checks {
		if !slices.Equal(c.By, s.Verifier().Names()) {
			t.Errorf("%s %s: %v", c.Name, c.PredicateType, c.By)
		}
		said = append(said, c.Name+" "+c.PredicateType)
	}
	release := "docker.io/acme/spark@" + b.Identity.Digest.String()
	var want []string
	for _, about := range []struct {
		name string
		also []string
	}{
		{release, []string{bundle.TestResultPredicate, sign.CycloneDXPredicate, sign.CycloneDXPredicate}},
		{"docker.io/acme/spark:v1.5.0", []string{sign.CycloneDXPredicate, sign.CycloneDXPredicate}},
		{"docker.io/acme/spark:v1.5.0 linux/amd64", []string{sign.CycloneDXPredicate}},
		{"docker.io/acme/spark:v1.5.0 linux/arm64", []string{sign.CycloneDXPredicate}},
		{"docker.io/acme/charts/spark:1.5.0", []string{sign.CycloneDXPredicate, sign.CycloneDXPredicate}},
	} {
		for _, predicate := range append([]string{sign.SignaturePredicate, bundle.ProvenancePredicate}, about.also...) {
			want = append(want, about.name+" "+predicate)
		}
	}
	slices.Sort(said)
	slices.Sort(want)
	if diff := cmp.Diff(want, said); diff != "" {
		t.Error(diff)
	}
	if len(added) != len(want) {
		t.Errorf("%d were added, and %d wanted", len(added), len(want))
	}
	if err := sign.Require(b, s.Verifier()); err != nil {
		t.Error(err)
	}
	if err := b.Verify(); err != nil {
		t.Error(err)
	}

	// Another run of the same signer has nothing to add; another signer has everything.
	if again, err := sign.Bundle(t.Context(), b, s, bundle.Run{Invocation: "https://example.com/2"}); err != nil || again != nil {
		t.Errorf("the second time: %v, %v", again, err)
	}
	other := signer(t)
	if err := sign.Require(b, other.Verifier()); !refusal.Is(err) {
		t.Errorf("by another key: %v", err)
	}
	if again, err := sign.Bundle(t.Context(), b, other, bundle.Run{}); err != nil || len(again) != len(added) {
		t.Errorf("another signer: %d, %v", len(again), err)
	}
	if checks, err = sign.Verify(b, s.Verifier().Or(other.Verifier())); err != nil || len(checks[0].By) != 2 {
		t.Errorf("by two: %v, %v", checks[0].By, err)
	}
}

// TestTamper: one byte, another key or another subject, and a bundle verifies no more.
func TestTamper(t *testing.T) {
	s := signer(t)
	subject, other := digest.FromString("subject"), digest.FromString("other")
	statement, err := bundle.NewStatement(subject, "name", sign.SignaturePredicate, struct{}{})
	if err != nil {
		t.Fatal(err)
	}
	content, err := s.Sign(t.Context(), statement)
	if err != nil {
		t.Fatal(err)
	}
	change := func(edit func(b, envelope, signature map[string]any)) []byte {
		var b map[string]any
		if err := json.Unmarshal(content, &b); err != nil {
			t.Fatal(err)
		}
		envelope := b["dsseEnvelope"].(map[string]any)
		edit(b, envelope, envelope["signatures"].([]any)[0].(map[string]any))
		changed, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		return changed
	}
	flip := func(of map[string]any, field string, at int) {
		raw, err := base64.StdEncoding.DecodeString(of[field].(string))
		if err != nil {
			t.Fatal(err)
		}
		raw[(at+len(raw))%len(raw)] ^= 1
		of[field] = base64.StdEncoding.EncodeToString(raw)
	}
	if _, err := s.Verifier().Verify(change(func(_, _, _ map[string]any) {}), subject); err != nil {
		t.Fatalf("unchanged: %v", err)
	}
	for _, test := range []struct {
		name    string
		content []byte
		by      *sign.Verifier
		subject digest.Digest
	}{
		{"a byte of the statement", change(func(_, e, _ map[string]any) { flip(e, "payload", 70) }), s.Verifier(), subject},
		{"a byte of the signature", change(func(_, _, sig map[string]any) { flip(sig, "sig", -1) }), s.Verifier(), subject},
		{"the payload's type", change(func(_, e, _ map[string]any) { e["payloadType"] = "application/json" }), s.Verifier(), subject},
		{"an older form", change(func(b, _, _ map[string]any) { b["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=0.2" }), s.Verifier(), subject},
		{"no signature", change(func(_, e, _ map[string]any) { e["signatures"] = []any{} }), s.Verifier(), subject},
		{"a signature that is nothing", change(func(_, e, _ map[string]any) { e["signatures"] = []any{nil} }), s.Verifier(), subject},
		{"another key", content, signer(t).Verifier(), subject},
		{"nobody", content, &sign.Verifier{}, subject},
		{"another subject", content, s.Verifier(), other},
		{"no subject", content, s.Verifier(), "sha256:"},
		{"half of it", content[:len(content)/2], s.Verifier(), subject},
		{"too large", append(content, bytes.Repeat([]byte(" "), sign.MaxBundle)...), s.Verifier(), subject},
	} {
		if found, err := test.by.Verify(test.content, test.subject); !refusal.Is(err) {
			t.Errorf("%s: %+v, %v", test.name, found, err)
		}
	}
}

// TestStatementElsewhere: what is signed and attached to something else, or says something else, is no signature of it.
func TestStatementElsewhere(t *testing.T) {
	b, s := assembled(t), signer(t)
	wanted, err := sign.Statements(b, bundle.Run{})
	if err != nil {
		t.Fatal(err)
	}
	lie := func(subject digest.Digest, to ocispec.Descriptor, predicateType, artifactType string, predicate any) {
		statement, err := bundle.NewStatement(subject, "", predicateType, predicate)
		if err != nil {
			t.Fatal(err)
		}
		content, err := s.Sign(t.Context(), statement)
		if err != nil {
			t.Fatal(err)
		}
		desc, err := b.Layout.Attach(to, artifactType, content, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Layout.AddRoot(desc); err != nil {
			t.Fatal(err)
		}
	}
	for _, w := range wanted {
		lie(wanted[0].Subject.Digest, w.Subject, bundle.WithdrawalPredicate, sign.BundleType, struct{}{}) // signed by the right key, but no signature
		lie(digest.FromString("other"), w.Subject, w.PredicateType, sign.BundleType, w.Predicate)
		lie(w.Subject.Digest, w.Subject, w.PredicateType, "application/json", w.Predicate)
		if w.PredicateType != sign.SignaturePredicate {
			lie(w.Subject.Digest, w.Subject, w.PredicateType, sign.BundleType, map[string]any{"other": true})
		}
	}
	junk, err := b.Layout.Attach(b.Identity, sign.BundleType, []byte("{"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Layout.AddRoot(junk); err != nil {
		t.Fatal(err)
	}
	checks, err := sign.Verify(b, s.Verifier())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range checks {
		if len(c.By) > 0 {
			t.Errorf("%s has %s", c.Name, c.PredicateType)
		}
	}
}

// TestRead: what is wrong with what is attached is told; what speaks of something of another kind is none of a statement's.
func TestRead(t *testing.T) {
	s, other := signer(t), signer(t)
	subject := ocispec.Descriptor{Digest: digest.FromString("subject")}
	names := func(s sign.Signer) string { return s.Verifier().Names()[0] }
	state := func(by sign.Signer, about digest.Digest, predicateType string, predicate any) []byte {
		statement, err := bundle.NewStatement(about, "name", predicateType, predicate)
		if err != nil {
			t.Fatal(err)
		}
		content, err := by.Sign(t.Context(), statement)
		if err != nil {
			t.Fatal(err)
		}
		return content
	}
	wanted, err := sign.NewStatement(subject, "name", sign.SignaturePredicate, struct{}{})
	if err != nil {
		t.Fatal(err)
	}
	passed := sign.Passed(subject, "name")
	good := state(s, subject.Digest, sign.SignaturePredicate, struct{}{})
	result := func(says string) []byte {
		return state(s, subject.Digest, bundle.TestResultPredicate, bundle.TestResult{Result: says})
	}
	hint := func(to string) []byte {
		return bytes.Replace(good, []byte(`"hint":"`), []byte(`"hint":"`+to), 1)
	}
	for name, test := range map[string]struct {
		wanted  sign.Statement
		content []byte
		by, why string
	}{
		"signed":                   {wanted, good, names(s), ""},
		"by another key":           {wanted, state(other, subject.Digest, sign.SignaturePredicate, struct{}{}), "", "it is by " + names(other) + ", who is not trusted"},
		"of another subject":       {wanted, state(s, digest.FromString("other"), sign.SignaturePredicate, struct{}{}), "", "it names " + names(s) + ", and does not verify"},
		"by a key of no such name": {wanted, bytes.Replace(state(other, subject.Digest, sign.SignaturePredicate, struct{}{}), []byte(`"hint":"`), []byte(`"hint":"AAAA`), 1), "", "it names nobody who signed it"},
		"the name is a hint":       {wanted, hint("AAAA"), names(s), ""},
		"no bundle":                {wanted, []byte("{"), "", "it cannot be read as a Sigstore bundle of version 0.3 over an in-toto statement"},
		"of another kind":          {wanted, result("PASSED"), "", ""},
		"passed":                   {passed, result("PASSED"), names(s), ""},
		"passed with a warning":    {passed, result("WARNED"), names(s), ""},
		"failed":                   {passed, result("FAILED"), "", "it says something else"},
	} {
		if by, why := test.wanted.Read(test.content, s.Verifier()); by != test.by || why != test.why {
			t.Errorf("%s: %q, %q", name, by, why)
		}
	}
}

// TestDamaged: a layout with a signature whose bytes changed is refused, for nobody can tell what it was.
func TestDamaged(t *testing.T) {
	b, s := assembled(t), signer(t)
	added, err := sign.Bundle(t.Context(), b, s, bundle.Run{})
	if err != nil {
		t.Fatal(err)
	}
	children, err := b.Layout.Children(added[3])
	if err != nil {
		t.Fatal(err)
	}
	path := b.Layout.Path(children[1].Digest)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	content[len(content)/2] ^= 1
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := sign.Verify(b, s.Verifier()); !refusal.Is(err) || !strings.Contains(err.Error(), children[1].Digest.String()) {
		t.Errorf("%v", err)
	}
}

// TestTooMany: a registry that lists signatures without end is refused, and none of them is read.
func TestTooMany(t *testing.T) {
	b, s := assembled(t), signer(t)
	var roots []ocispec.Descriptor
	for i := range 9 { // of which each is as large as may be
		layer := ocispec.Descriptor{MediaType: sign.BundleType, Digest: digest.FromString(string(rune(i))), Size: sign.MaxBundle}
		m, err := b.Layout.PutJSON(ocispec.MediaTypeImageManifest, ocispec.Manifest{MediaType: ocispec.MediaTypeImageManifest, ArtifactType: sign.BundleType,
			Config: ocispec.DescriptorEmptyJSON, Layers: []ocispec.Descriptor{layer}, Subject: &b.Identity})
		if err != nil {
			t.Fatal(err)
		}
		m.ArtifactType = sign.BundleType
		roots = append(roots, m)
	}
	there, err := b.Layout.Roots()
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Layout.SetRoots(append(there, roots...)); err != nil {
		t.Fatal(err)
	}
	if _, err := sign.Verify(b, s.Verifier()); !refusal.Is(err) || !strings.Contains(err.Error(), "more than 268435456 bytes, refer to "+b.Identity.Digest.String()) {
		t.Errorf("%v", err)
	}
}

// TestStopped: what stops before its end lists nothing, and is completed by the next run.
func TestStopped(t *testing.T) {
	b, s := assembled(t), signer(t)
	before, err := b.Layout.Roots()
	if err != nil {
		t.Fatal(err)
	}
	stopping := &stopping{Signer: s, after: 4}
	if _, err := sign.Bundle(t.Context(), b, stopping, bundle.Run{}); err == nil || !strings.Contains(err.Error(), "sign docker.io/acme/spark") {
		t.Fatalf("%v", err)
	}
	after, err := b.Layout.Roots()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Error(diff)
	}
	if _, err := sign.Bundle(t.Context(), b, s, bundle.Run{}); err != nil {
		t.Fatal(err)
	}
	if err := sign.Require(b, s.Verifier()); err != nil {
		t.Error(err)
	}
}

// stopping fails after some signatures.
type stopping struct {
	sign.Signer
	after int
}

func (s *stopping) Sign(ctx context.Context, statement []byte) ([]byte, error) {
	if s.after--; s.after < 0 {
		return nil, context.Canceled
	}
	return s.Signer.Sign(ctx, statement)
}

// FuzzVerify: whatever somebody attaches, it is verified or refused.
func FuzzVerify(f *testing.F) {
	s := signer(f)
	subject := digest.FromString("subject")
	statement, err := bundle.NewStatement(subject, "name", sign.SignaturePredicate, struct{}{})
	if err != nil {
		f.Fatal(err)
	}
	content, err := s.Sign(f.Context(), statement)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(content)
	f.Add([]byte(`{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"certificate":{}},"dsseEnvelope":{"payloadType":"application/vnd.in-toto+json","payload":"e30=","signatures":[{}]}}`))
	f.Add([]byte(`{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"publicKey":{},"tlogEntries":[{"logId":{}}]},"messageSignature":{}}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		if _, err := s.Verifier().Verify(content, subject); err != nil && !refusal.Is(err) {
			t.Error(err)
		}
	})
}
