package bundle

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/operator-release/operator-release/ci/refusal"
)

// What is observed of a bundle after it was built is attached as in-toto statements (https://github.com/in-toto/attestation):
// referrers to what they speak of, kept in the layout and never part of the identity.
const (
	StatementType       = "application/vnd.in-toto+json"
	PredicateAnnotation = "in-toto.io/predicate-type"
	TestResultPredicate = "https://in-toto.io/attestation/test-result/v0.1"
)

// Statement is an in-toto statement about one artifact.
type Statement struct {
	Type          string          `json:"_type"`
	Subject       []Resource      `json:"subject"`
	PredicateType string          `json:"predicateType"`
	Predicate     json.RawMessage `json:"predicate"`
}

// Resource is an in-toto resource descriptor.
type Resource struct {
	Name   string            `json:"name,omitempty"`
	URI    string            `json:"uri,omitempty"`
	Digest map[string]string `json:"digest,omitempty"`
}

// TestResult is the predicate of what a gate found.
type TestResult struct {
	Result        string     `json:"result"` // PASSED, WARNED or FAILED
	Configuration []Resource `json:"configuration"`
	PassedTests   []string   `json:"passedTests,omitempty"`
	WarnedTests   []string   `json:"warnedTests,omitempty"` // not checked
	FailedTests   []string   `json:"failedTests,omitempty"`
}

// Passed tells whether the gate passed; a warning is no failure.
func (r TestResult) Passed() bool { return r.Result == "PASSED" || r.Result == "WARNED" }

// Attest attaches a statement with this predicate about the release artifact. The same statement again changes nothing.
func (b Bundle) Attest(predicateType string, predicate any) error {
	root, err := b.Layout.State(b.Identity, b.Record.Name+" "+b.Record.Version.String(), predicateType, predicate)
	if err != nil {
		return err
	}
	return b.Layout.AddRoot(root)
}

// State stores a statement with this predicate about a subject, as a referrer to it, and describes it as index.json lists it.
func (l *Layout) State(subject ocispec.Descriptor, name, predicateType string, predicate any) (ocispec.Descriptor, error) {
	statement, err := NewStatement(subject.Digest, name, predicateType, predicate)
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	return l.Attach(subject, StatementType, statement, map[string]string{PredicateAnnotation: predicateType})
}

// NewStatement is the JSON of a statement about one subject. The same arguments give the same bytes.
func NewStatement(subject digest.Digest, name, predicateType string, predicate any) ([]byte, error) {
	content, err := json.Marshal(predicate)
	if err != nil {
		return nil, err
	}
	return json.Marshal(Statement{
		Type:          "https://in-toto.io/Statement/v1",
		Subject:       []Resource{{Name: name, Digest: map[string]string{"sha256": subject.Encoded()}}},
		PredicateType: predicateType, Predicate: content,
	})
}

// Attach stores content of a type, in one layer, as a referrer to a subject, and describes it as index.json lists it. It is not listed there yet.
func (l *Layout) Attach(subject ocispec.Descriptor, artifactType string, content []byte, annotations map[string]string) (ocispec.Descriptor, error) {
	layer, err := l.Put(artifactType, bytes.NewReader(content))
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	if _, err := l.Put(ocispec.MediaTypeEmptyJSON, bytes.NewReader(ocispec.DescriptorEmptyJSON.Data)); err != nil {
		return ocispec.Descriptor{}, err
	}
	empty := ocispec.DescriptorEmptyJSON
	empty.Data = nil
	desc, err := l.PutJSON(ocispec.MediaTypeImageManifest, ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest, ArtifactType: artifactType,
		Config: empty, Layers: []ocispec.Descriptor{layer},
		Annotations: annotations,
		Subject:     &ocispec.Descriptor{MediaType: subject.MediaType, Digest: subject.Digest, Size: subject.Size},
	})
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	return l.Referrer(desc)
}

// Referrer is how index.json lists a referrer: by what its own manifest says, whoever listed it before.
func (l *Layout) Referrer(desc ocispec.Descriptor) (ocispec.Descriptor, error) {
	var m ocispec.Manifest
	if err := l.ReadJSON(desc, &m); err != nil {
		return desc, err
	}
	root := ocispec.Descriptor{MediaType: desc.MediaType, Digest: desc.Digest, Size: desc.Size, ArtifactType: m.ArtifactType}
	if predicate, ok := m.Annotations[PredicateAnnotation]; ok {
		root.Annotations = map[string]string{PredicateAnnotation: predicate}
	}
	return root, nil
}

// AddRoot adds a descriptor to index.json unless its digest is there.
func (l *Layout) AddRoot(desc ocispec.Descriptor) error {
	roots, err := l.Roots()
	if err != nil {
		return err
	}
	if slices.ContainsFunc(roots, func(r ocispec.Descriptor) bool { return r.Digest == desc.Digest }) {
		return nil
	}
	return l.SetRoots(append(roots, desc))
}

// statements are the attached ones with this predicate.
func (b Bundle) statements(predicateType string) ([]Statement, error) {
	roots, err := b.Layout.Roots()
	if err != nil {
		return nil, err
	}
	var found []Statement
	for _, root := range roots {
		if root.ArtifactType != StatementType {
			continue
		}
		statement, err := b.statement(root)
		if err != nil {
			return nil, err
		}
		if statement.PredicateType == predicateType {
			found = append(found, statement)
		}
	}
	return found, nil
}

// testResults are the attached test results, by the identity that they speak of.
func (b Bundle) testResults() (map[string][]TestResult, error) {
	statements, err := b.statements(TestResultPredicate)
	if err != nil {
		return nil, err
	}
	results := map[string][]TestResult{}
	for _, statement := range statements {
		var result TestResult
		if err := json.Unmarshal(statement.Predicate, &result); err != nil {
			return nil, refusal.New("read the test result of bundle %s: %w", b.Layout.Dir(), err)
		}
		results[statement.about()] = append(results[statement.about()], result)
	}
	return results, nil
}

// TestResults are the attached test results that speak of this identity, in the order of their digests.
func (b Bundle) TestResults() ([]TestResult, error) {
	results, err := b.testResults()
	return results[b.Identity.Digest.Encoded()], err
}

// GateResult is the attached test result that says this identity passed; without one the bundle is refused.
func (b Bundle) GateResult() (TestResult, error) {
	results, err := b.testResults()
	if err != nil {
		return TestResult{}, err
	}
	own := results[b.Identity.Digest.Encoded()]
	for _, result := range own {
		if result.Passed() {
			return result, nil
		}
	}
	wayOut := "ask it with: operator-release test " + b.Layout.Dir()
	if len(own) > 0 {
		return own[0], refusal.New("publish bundle %s: its gate did not pass; correct what failed and release again", b.Layout.Dir())
	}
	for other := range results {
		return TestResult{}, refusal.New("publish bundle %s: its gate passed on another identity (sha256:%s; this bundle has %s); %s", b.Layout.Dir(), other, b.Identity.Digest, wayOut)
	}
	return TestResult{}, refusal.New("publish bundle %s: its gate was never asked (no test result about %s is in it); %s", b.Layout.Dir(), b.Identity.Digest, wayOut)
}

// about is the sha256 digest of a statement's one subject.
func (s Statement) about() string {
	if len(s.Subject) != 1 {
		return ""
	}
	return s.Subject[0].Digest["sha256"]
}

// statement reads a statement whose manifest is a root.
func (b Bundle) statement(root ocispec.Descriptor) (Statement, error) {
	var m ocispec.Manifest
	var s Statement
	if err := b.Layout.ReadJSON(root, &m); err != nil {
		return s, err
	}
	if len(m.Layers) != 1 || m.Layers[0].MediaType != StatementType {
		return s, refusal.New("read bundle %s: the statement %s does not have one layer of type %s", b.Layout.Dir(), root.Digest, StatementType)
	}
	return s, b.Layout.ReadJSON(m.Layers[0], &s)
}
