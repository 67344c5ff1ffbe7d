package sign

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/refusal"
)

// BundleType is the media type of what is attached.
const BundleType = "application/vnd.dev.sigstore.bundle.v0.3+json"

// SignaturePredicate is that of a signature, which says nothing else of its subject. CycloneDXPredicate is that of an SBOM; cosign calls it cyclonedx.
const (
	SignaturePredicate = "https://sigstore.dev/cosign/sign/v1"
	CycloneDXPredicate = "https://cyclonedx.org/bom"
)

// Statement is something that is to be signed of a bundle.
type Statement struct {
	Subject       ocispec.Descriptor
	Name          string // of the subject, for people: a reference, with a platform's image its platform
	PredicateType string
	Predicate     json.RawMessage // without spaces
}

// NewStatement says something of a subject; the predicate becomes JSON.
func NewStatement(subject ocispec.Descriptor, name, predicateType string, predicate any) (Statement, error) {
	content, err := json.Marshal(predicate)
	if err != nil {
		return Statement{}, fmt.Errorf("state %s of %s: %w", predicateType, name, err)
	}
	return Statement{ocispec.Descriptor{MediaType: subject.MediaType, Digest: subject.Digest, Size: subject.Size}, name, predicateType, content}, nil
}

// Passed says that the gate passed on a release artifact, and leaves open what else it said: whoever asks for it has no test result to compare with.
func Passed(subject ocispec.Descriptor, name string) Statement {
	return Statement{Subject: subject, Name: name, PredicateType: bundle.TestResultPredicate}
}

// Statements are what a bundle is signed by: a signature and the provenance for the release artifact, each image, each platform's image and each chart; the SBOMs for
// platforms' images, and again for what leads to them (cosign asks where a tag leads) and for the charts, which install them; test results for the release artifact.
func Statements(b bundle.Bundle, run bundle.Run) ([]Statement, error) {
	provenance, err := b.Provenance(run)
	if err != nil {
		return nil, err
	}
	a := &statements{bundle: b, provenance: provenance}
	release := b.Identity
	name := b.Record.Config.Artifacts + "@" + release.Digest.String()
	a.about(release, name)
	results, err := b.TestResults()
	if err != nil {
		return nil, err
	}
	for _, result := range results {
		a.add(release, name, bundle.TestResultPredicate, result)
	}
	for _, artifact := range b.Record.Artifacts {
		if artifact.Repository == "" {
			continue
		}
		a.about(artifact.Descriptor(), artifact.Name)
		for _, p := range artifact.Platforms {
			image := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: p.Digest, Size: p.Size}
			of := artifact.Name + " " + p.Platform
			a.about(image, of)
			for _, s := range p.SBOMs {
				content, err := a.sbom(s)
				if err != nil {
					return nil, err
				}
				a.add(image, of, CycloneDXPredicate, content)
				a.add(artifact.Descriptor(), artifact.Name, CycloneDXPredicate, content)
				a.add(release, name, CycloneDXPredicate, content)
				for _, chart := range b.Record.OfKind(bundle.KindChart) {
					a.add(chart.Descriptor(), chart.Name, CycloneDXPredicate, content)
				}
			}
		}
	}
	return a.all, a.err
}

type statements struct {
	bundle     bundle.Bundle
	provenance bundle.Provenance
	all        []Statement
	err        error
}

// about adds what is said of everything.
func (a *statements) about(subject ocispec.Descriptor, name string) {
	a.add(subject, name, SignaturePredicate, struct{}{})
	a.add(subject, name, bundle.ProvenancePredicate, a.provenance)
}

// add adds a statement once.
func (a *statements) add(subject ocispec.Descriptor, name, predicateType string, predicate any) {
	s, err := NewStatement(subject, name, predicateType, predicate)
	a.err = errors.Join(a.err, err)
	if !slices.ContainsFunc(a.all, func(o Statement) bool {
		return o.Subject.Digest == s.Subject.Digest && o.PredicateType == s.PredicateType && bytes.Equal(o.Predicate, s.Predicate)
	}) {
		a.all = append(a.all, s)
	}
}

// sbom reads the document that a referrer attaches.
func (a *statements) sbom(s bundle.SBOM) (json.RawMessage, error) {
	children, err := a.bundle.Layout.Children(s.Descriptor())
	if err != nil {
		return nil, err
	}
	for _, child := range children {
		if child.MediaType == ocispec.MediaTypeEmptyJSON || child.Size > MaxBundle/2 { // base64, and what is around it
			continue
		}
		content, err := a.bundle.Layout.Read(child)
		if err != nil {
			return nil, err
		}
		if !json.Valid(content) {
			return nil, refusal.New("sign the SBOM %s: it is no JSON", s.File)
		}
		return content, nil
	}
	return nil, refusal.New("sign the SBOM %s: %s attaches no document of at most %d bytes", s.File, s.Digest, MaxBundle/2)
}

// Bundle signs everything in a bundle (Statements) that the signer has not signed yet, and lists it in the layout. What was added is given, to be brought to where the
// bundle was published before. When it fails, what was signed until then is not listed; running it again completes it.
func Bundle(ctx context.Context, b bundle.Bundle, s Signer, run bundle.Run) ([]ocispec.Descriptor, error) {
	wanted, err := Statements(b, run)
	if err != nil {
		return nil, err
	}
	there, err := read(b.Layout)
	if err != nil {
		return nil, err
	}
	var added []ocispec.Descriptor
	for _, w := range wanted {
		if by, err := there.by(w, s.Verifier()); err != nil || len(by) > 0 {
			if err != nil {
				return nil, err
			}
			continue
		}
		desc, err := attach(ctx, b.Layout, w, s)
		if err != nil {
			return nil, fmt.Errorf("sign %s (%s): %w", w.Name, w.PredicateType, err)
		}
		added = append(added, desc)
	}
	if len(added) == 0 {
		return nil, nil
	}
	roots, err := b.Layout.Roots()
	if err != nil {
		return nil, err
	}
	return added, b.Layout.SetRoots(append(roots, added...))
}

// attach signs one statement and stores it as a referrer to its subject.
func attach(ctx context.Context, l *bundle.Layout, w Statement, s Signer) (ocispec.Descriptor, error) {
	statement, err := bundle.NewStatement(w.Subject.Digest, w.Name, w.PredicateType, w.Predicate)
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	content, err := s.Sign(ctx, statement)
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	// What does not verify here does nowhere.
	if _, err := s.Verifier().Verify(content, w.Subject.Digest); err != nil {
		return ocispec.Descriptor{}, err
	}
	return l.Attach(w.Subject, BundleType, content, map[string]string{ // as cosign annotates them, without the time
		"dev.sigstore.bundle.content": "dsse-envelope", "dev.sigstore.bundle.predicateType": w.PredicateType,
	})
}

// Check is a statement that a bundle is signed by, and by whom it is.
type Check struct {
	Statement
	By []string // keys and identities, as Verified.By names them; none where nobody signed it who is trusted
}

// Verify tells of everything that a bundle is to be signed by (Statements) who of the trusted signed it. Of a provenance the build definition and the record count: who ran it
// may differ. A layout whose bytes are not those of their names is refused; a signature that does not verify is none.
func Verify(b bundle.Bundle, v *Verifier) ([]Check, error) {
	wanted, err := Statements(b, bundle.Run{})
	if err != nil {
		return nil, err
	}
	there, err := read(b.Layout)
	if err != nil {
		return nil, err
	}
	var checks []Check
	for _, w := range wanted {
		by, err := there.by(w, v)
		if err != nil {
			return nil, err
		}
		checks = append(checks, Check{w, by})
	}
	return checks, nil
}

// Require refuses a bundle of which anything is not signed by the trusted, and names that.
func Require(b bundle.Bundle, v *Verifier) error {
	checks, err := Verify(b, v)
	if err != nil {
		return err
	}
	for _, c := range checks {
		if len(c.By) == 0 {
			return refusal.New("bundle %s: %s has no valid %s by %v; sign the bundle, or name the key that did", b.Layout.Dir(), c.Name, c.PredicateType, v.Names())
		}
	}
	return nil
}

// attached are the layers with Sigstore bundles in a layout, by what their manifests refer to.
type attached struct {
	layout *bundle.Layout
	layers map[digest.Digest][]ocispec.Descriptor
}

// What a layout may hold for one subject: a registry that lists more lies.
const (
	maxAttached = 1_000
	maxBytes    = 256 << 20
)

// read finds what is attached. What is too large, or no bundle, is passed over: whoever may write to a registry may attach anything.
func read(l *bundle.Layout) (*attached, error) {
	roots, err := l.Roots()
	if err != nil {
		return nil, err
	}
	a := &attached{l, map[digest.Digest][]ocispec.Descriptor{}}
	sizes := map[digest.Digest]int64{}
	for _, r := range roots {
		if !IsBundle(r.ArtifactType) || r.MediaType != ocispec.MediaTypeImageManifest || r.Size > bundle.MaxManifest {
			continue
		}
		var m ocispec.Manifest
		if err := l.ReadJSON(r, &m); err != nil {
			return nil, err
		}
		if m.Subject == nil || len(m.Layers) != 1 || !IsBundle(m.Layers[0].MediaType) || m.Layers[0].Size > MaxBundle {
			continue
		}
		about := m.Subject.Digest
		a.layers[about] = append(a.layers[about], m.Layers[0])
		if sizes[about] += m.Layers[0].Size; len(a.layers[about]) > maxAttached || sizes[about] > maxBytes {
			return nil, refusal.New("read the signatures in bundle %s: more than %d, or more than %d bytes, refer to %s", l.Dir(), maxAttached, maxBytes, about)
		}
	}
	return a, nil
}

// by are those of the trusted who signed a statement, each once, in order.
func (a *attached) by(w Statement, v *Verifier) ([]string, error) {
	found := map[string]bool{}
	for _, layer := range a.layers[w.Subject.Digest] {
		content, err := a.layout.Read(layer)
		if err != nil {
			return nil, err
		}
		if by, _ := w.Read(content, v); by != "" {
			found[by] = true
		}
	}
	return slices.Sorted(maps.Keys(found)), nil
}

// Read tells who of the trusted signed the statement, by a Sigstore bundle that is attached to its subject. Where nobody did, why says what is wrong with the bundle; it is
// empty where the bundle says something of another kind, and so is none of the statement's.
func (w Statement) Read(content []byte, v *Verifier) (by, why string) {
	signed, err := parse(content)
	var s bundle.Statement
	if err == nil {
		err = json.Unmarshal(signed.GetDsseEnvelope().GetPayload(), &s)
	}
	if err != nil { // which repeats what anybody may have attached
		return "", "it cannot be read as a Sigstore bundle of version 0.3 over an in-toto statement"
	}
	if s.PredicateType != w.PredicateType {
		return "", ""
	}
	if !w.says(s) {
		return "", "it says something else"
	}
	found, err := v.verify(signed, w.Subject.Digest)
	if err == nil {
		return found.By, ""
	}
	switch name := claimed(signed); {
	case name == "":
		return "", "it names nobody who signed it"
	case slices.Contains(v.Names(), name):
		return "", "it names " + name + ", and does not verify"
	default:
		return "", "it is by " + name + ", who is not trusted"
	}
}

// says tells whether it is the statement, whoever signed it.
func (w Statement) says(s bundle.Statement) bool {
	switch w.PredicateType {
	case SignaturePredicate:
		return true // whatever cosign adds
	case bundle.ProvenancePredicate:
		var one, two bundle.Provenance
		if json.Unmarshal(s.Predicate, &one) != nil || json.Unmarshal(w.Predicate, &two) != nil {
			return false
		}
		return reflect.DeepEqual(one.BuildDefinition, two.BuildDefinition) && reflect.DeepEqual(one.RunDetails.Byproducts, two.RunDetails.Byproducts)
	case bundle.TestResultPredicate:
		if len(w.Predicate) == 0 {
			var result bundle.TestResult
			return json.Unmarshal(s.Predicate, &result) == nil && result.Passed()
		}
	}
	var compact bytes.Buffer
	return json.Compact(&compact, s.Predicate) == nil && bytes.Equal(compact.Bytes(), w.Predicate)
}
