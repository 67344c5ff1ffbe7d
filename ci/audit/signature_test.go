package audit

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/sigstore/sigstore/pkg/cryptoutils"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/faults"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/publish"
	"github.com/operator-release/operator-release/ci/sign"
	"github.com/operator-release/operator-release/ci/version"
)

func newSigner(t *testing.T) sign.Signer {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pem, err := cryptoutils.MarshalPrivateKeyToPEM(private)
	if err != nil {
		t.Fatal(err)
	}
	s, err := sign.Key(pem, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// signaturesDrift: what is signed, by whom, and what somebody changes of it at the registry.
func signaturesDrift(t *testing.T, w *world) {
	ctx := context.Background()
	one, two := w.bundles["v1.5.0"], w.bundles["v1.5.1"]
	s, other := newSigner(t), newSigner(t)
	added, err := sign.Bundle(ctx, one, s, bundle.Run{Invocation: "https://example.com/1"})
	if err != nil {
		t.Fatal(err)
	}
	here := publish.Destinations{Registry: &publish.Registry{Prefix: w.throwaway.Registry}}
	refer := func(to publish.Destinations, referrers ...ocispec.Descriptor) {
		t.Helper()
		if _, err := publish.Refer(ctx, one, referrers, to); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := publish.Publish(ctx, one, here); err != nil { // of a version that is out
		t.Fatal(err)
	}

	const charts = "docker.io/acme/charts/spark"
	chart := one.Record.OfKind(bundle.KindChart)[0]
	// attached are the manifest and the bundle that was signed of the chart.
	attached := func(predicate string) (m, layer ocispec.Descriptor) {
		for _, m = range added {
			var content ocispec.Manifest
			if err := one.Layout.ReadJSON(m, &content); err != nil {
				t.Fatal(err)
			}
			if content.Subject.Digest == chart.Digest && content.Annotations[predicateType] == predicate {
				return m, content.Layers[0]
			}
		}
		t.Fatalf("the chart has no %s", predicate)
		return
	}
	signature, signatureLayer := attached(sign.SignaturePredicate)
	provenance, _ := attached(bundle.ProvenancePredicate)
	blob := func(d digest.Digest) string {
		return filepath.Join(w.dir, "registry", "blobs", "sha256", d.Encoded())
	}
	flipped := func(content []byte, at int) []byte {
		content = bytes.Clone(content)
		if content[at] == 'B' { // base64
			content[at] = 'C'
		} else {
			content[at] = 'B'
		}
		return content
	}
	signed, err := os.ReadFile(one.Layout.Path(signatureLayer.Digest))
	if err != nil {
		t.Fatal(err)
	}
	// instead lists something else under the chart, and takes it away again.
	instead := func(of ocispec.Descriptor, content []byte, annotations map[string]string) (do, undo func()) {
		m, err := one.Layout.Attach(chart.Descriptor(), sign.BundleType, content, annotations)
		if err != nil {
			t.Fatal(err)
		}
		return func() { w.remove(charts, of.Digest); refer(here, m) }, func() { w.remove(charts, m.Digest); w.push(charts, v150, of.Digest) }
	}
	says := func(by sign.Signer, predicateType string, predicate any) []byte {
		t.Helper()
		statement, err := bundle.NewStatement(chart.Digest, chart.Name, predicateType, predicate)
		if err != nil {
			t.Fatal(err)
		}
		content, err := by.Sign(ctx, statement)
		if err != nil {
			t.Fatal(err)
		}
		return content
	}
	elsewhere, err := two.Provenance(bundle.Run{})
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(signed, []byte(`"sig":"`)) + 40
	type step struct{ do, undo func() }
	swap := func(do, undo func()) step { return step{do, undo} }
	none := step{func() {}, func() {}}
	by := func(s sign.Signer) string { return s.Verifier().Names()[0] }
	row := func(predicate, state, found string) string {
		return fmt.Sprintf(`v1.5.0: signature %s:1.5.0 %s %s: "signed by %s" %q`, charts, predicate, state, by(s), found)
	}
	this := []version.Version{v150}
	// The images of both versions' platforms have the same bytes, and so the signatures of one are the other's; the provenance is not.
	none151 := func(n int) []string { return times(n, "v1.5.1: signature ", ` "" none is attached`) }
	unsigned := slices.Concat(none151(5), times(2, "v1.5.1: signature docker.io/acme/spark:v1.5.1 linux/", ` "attached: it says something else"`), none151(2))
	for name, c := range map[string]struct {
		step
		versions []version.Version
		trust    *sign.Verifier
		since    version.Version
		want     []string // how rows begin; behind a * what they hold
	}{
		"signed":                {none, this, s.Verifier(), version.Version{}, nil},
		"by one of two":         {none, this, other.Verifier().Or(s.Verifier()), version.Version{}, nil},
		"by another key":        {none, this, other.Verifier(), version.Version{}, times(13, "v1.5.0: signature ", fmt.Sprintf(` differs: "signed by %s" "attached: it is by %s, who is not trusted"`, by(other), by(s)))},
		"not signed":            {none, []version.Version{v151}, s.Verifier(), version.Version{}, unsigned},
		"older":                 {none, this, other.Verifier(), v151, nil},
		"signed since then":     {none, []version.Version{v151}, s.Verifier(), v151, unsigned},
		"nobody is trusted":     {none, nil, nil, version.Version{}, nil},
		"a signature was taken": {swap(func() { w.remove(charts, signature.Digest) }, func() { w.push(charts, v150, signature.Digest) }), this, s.Verifier(), version.Version{}, []string{row("signature", "missing", "")}},
		"a byte changed at the registry, which notices": {swap(
			func() { write(t, blob(signatureLayer.Digest), flipped(signed, at)) }, func() { write(t, blob(signatureLayer.Digest), signed) },
		), this, s.Verifier(), version.Version{}, []string{row("signature", "differs", "attached: it is listed, and is not there")}},
		"a byte changed, under its own digest": {swap(instead(signature, flipped(signed, at), nil)), this, s.Verifier(), version.Version{},
			[]string{row("signature", "differs", "attached: it names "+by(s)+", and does not verify")}},
		"no bundle at all": {swap(instead(signature, []byte("{"), map[string]string{predicateType: sign.SignaturePredicate})), this, s.Verifier(), version.Version{},
			[]string{row("signature", "differs", "attached: it cannot be read as a Sigstore bundle of version 0.3 over an in-toto statement")}},
		"provenance of another record": {swap(instead(provenance, says(s, bundle.ProvenancePredicate, elsewhere), nil)), this, s.Verifier(), version.Version{},
			[]string{row("provenance", "differs", "attached: it says something else")}},
		"by both, of whom one is trusted": {swap(instead(ocispec.Descriptor{Digest: signature.Digest}, says(other, sign.SignaturePredicate, struct{}{}), nil)), this, other.Verifier().Or(s.Verifier()), version.Version{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			c.do()
			defer c.undo()
			o := w.options(c.versions...)
			o.Verifier, o.SignedSince = c.trust, c.since
			r, err := Run(ctx, o)
			if err != nil {
				t.Fatal(err)
			}
			signs(t, r, c.want)
			if noted := strings.Contains(strings.Join(r.Notes, ";"), "signatures were not verified"); noted != (c.trust == nil) {
				t.Error(r.Notes)
			}
			n := 0
			for _, found := range r.Versions[0].Surfaces {
				if found.Kind == KindSignature && found.State == Agrees {
					n++
				}
			}
			want := 13 - len(c.want)
			if name == "older" || c.trust == nil {
				want = 0
			}
			if n != want {
				t.Errorf("%d agree where %d belong", n, want)
			}
		})
	}

	through := func(registry string, fault faults.Fault) Options {
		proxy, err := faults.New("http://" + registry)
		if err != nil {
			t.Fatal(err)
		}
		proxy.Add(fault)
		server, address := proxy.Start()
		t.Cleanup(server.Close)
		o := w.options(v150)
		o.Verifier, o.Registry = s.Verifier(), (&publish.Registry{Prefix: address}).Open
		o.RegistryName = address
		return o
	}
	t.Run("a registry without referrers API", func(t *testing.T) {
		empty, err := publish.NewThrowaway(ctx, t.TempDir(), git.SHA1)
		if err != nil {
			t.Fatal(err)
		}
		defer empty.Close()
		o := through(empty.Registry, faults.Fault{Match: "GET .*/referrers/", Do: faults.Status(http.StatusNotFound, 0)})
		if _, err := publish.Publish(ctx, one, publish.Destinations{Registry: &publish.Registry{Prefix: o.RegistryName}}); err != nil {
			t.Fatal(err)
		}
		r, err := Run(ctx, o)
		if err != nil {
			t.Fatal(err)
		}
		signs(t, r, nil)
		o.Verifier = other.Verifier()
		if r, err = Run(ctx, o); err != nil {
			t.Fatal(err)
		}
		signs(t, r, times(13, "v1.5.0: signature ", " differs: "))
	})
	t.Run("a registry that lists without end", func(t *testing.T) {
		list := ocispec.Index{MediaType: ocispec.MediaTypeImageIndex}
		list.SchemaVersion = 2
		for i := range maxReferrers + 1 {
			list.Manifests = append(list.Manifests, ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.FromString(fmt.Sprint(i)), Size: 1, ArtifactType: sign.BundleType})
		}
		body, err := json.Marshal(list)
		if err != nil {
			t.Fatal(err)
		}
		r, err := Run(ctx, through(w.throwaway.Registry, faults.Fault{Match: "GET .*/referrers/", Do: faults.Answer(http.StatusOK, string(body), "Content-Type", ocispec.MediaTypeImageIndex)}))
		if err != nil {
			t.Fatal(err)
		}
		signs(t, r, times(13, "v1.5.0: signature ", ` differs: "signed by `+by(s)+`" "more than 1000 referrers are listed under `))
	})
	t.Run("a byte changed at the registry", func(t *testing.T) {
		r, err := Run(ctx, through(w.throwaway.Registry, faults.Fault{Match: "GET .*" + signatureLayer.Digest.Encoded(), Do: faults.Lie}))
		if err != nil {
			t.Fatal(err)
		}
		signs(t, r, []string{row("signature", "differs", "attached: its bytes are not those of its digest")})
	})
	t.Run("what cannot be told", func(t *testing.T) {
		o := w.options(v150)
		o.Unverified = errors.New("the trusted root is out of reach")
		r, err := Run(ctx, o)
		if err != nil || r.Err() != nil {
			t.Fatal(err, r.Err())
		}
		signs(t, r, times(13, "v1.5.0: signature ", ` cannot tell: "signed by a trusted key or identity" "" the trusted root is out of reach`))
		o.Unverified, o.Verifier, o.Registry = nil, s.Verifier(), nil
		if r, err = Run(ctx, o); err != nil || r.Err() != nil {
			t.Fatal(err, r.Err())
		}
		signs(t, r, times(13, "v1.5.0: signature ", noRegistry))
		r, err = Run(ctx, through(w.throwaway.Registry, faults.Fault{Match: "GET .*" + signatureLayer.Digest.Encoded(), Do: faults.Status(http.StatusForbidden, 0)}))
		if err != nil || r.Err() != nil {
			t.Fatal(err, r.Err())
		}
		signs(t, r, []string{"v1.5.0: signature " + charts + ":1.5.0 signature cannot tell: "})
	})
}

// times is a row that is expected of each surface: how it begins, and what it holds.
func times(n int, begins, holds string) []string {
	all := []string{}
	for range n {
		all = append(all, begins+"*"+holds)
	}
	return all
}

// signs compares the rows of signatures that do not agree.
func signs(t *testing.T, r Report, want []string) {
	t.Helper()
	var got []string
	for _, row := range rows(r) {
		if strings.Contains(row, ": signature ") {
			got = append(got, row)
		}
	}
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			t.Errorf("not found: %s", want[i])
		case i >= len(want):
			t.Errorf("found besides: %s", got[i])
		default:
			begins, holds, _ := strings.Cut(want[i], "*")
			if !strings.HasPrefix(got[i], begins) || !strings.Contains(got[i], holds) {
				t.Errorf("found: %s\nnot:   %s", got[i], want[i])
			}
		}
	}
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}
