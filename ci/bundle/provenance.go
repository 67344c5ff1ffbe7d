package bundle

import (
	"encoding/json"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/operator-release/operator-release/ci/refusal"
)

// ProvenancePredicate is what a statement says of how something was built: https://slsa.dev/spec/v1.0/provenance.
const ProvenancePredicate = "https://slsa.dev/provenance/v1"

// BuildType names the form of the parameters in Provenance; README's section of this name explains it.
const BuildType = "https://github.com/operator-release/operator-release#provenance"

// Tool is who builds, where nobody says on what machines that was.
const Tool = "https://github.com/operator-release/operator-release"

// Provenance is the predicate of how everything in a bundle was built. It is the same for all of it.
type Provenance struct {
	BuildDefinition BuildDefinition `json:"buildDefinition"`
	RunDetails      RunDetails      `json:"runDetails"`
}

// BuildDefinition is what was built, of what.
type BuildDefinition struct {
	BuildType            string     `json:"buildType"`
	ExternalParameters   Parameters `json:"externalParameters"`
	ResolvedDependencies []Resource `json:"resolvedDependencies"`
}

// Parameters are what somebody asked for.
type Parameters struct {
	Version    string     `json:"version"`
	Repository string     `json:"repository,omitempty"` // URL of the source
	Platforms  []string   `json:"platforms"`
	Settings   Resource   `json:"settings"` // the digest of the record's settings, as JSON without spaces
	Given      bool       `json:"given,omitempty"`
	Accepted   []Accepted `json:"accepted,omitempty"`
}

// RunDetails are by whom it was built, and what tells more.
type RunDetails struct {
	Builder    Builder    `json:"builder"`
	Metadata   *Metadata  `json:"metadata,omitempty"`
	Byproducts []Resource `json:"byproducts"` // the record
}

// Builder is who built: what one has to trust.
type Builder struct {
	ID      string            `json:"id"`
	Version map[string]string `json:"version"`
}

// Metadata is what tells one run from another.
type Metadata struct {
	InvocationID string     `json:"invocationId,omitempty"`
	StartedOn    *time.Time `json:"startedOn,omitempty"`
	FinishedOn   *time.Time `json:"finishedOn,omitempty"`
}

// Run is what no record knows. The zero value gives the same bytes on every machine.
type Run struct {
	Builder           string // an URI of the machines that built, such as a CI's; Tool where it is empty
	Invocation        string // an URI of the run
	Started, Finished time.Time
}

// Provenance says how the bundle was built, by its record alone and what is given of the run.
func (b Bundle) Provenance(run Run) (Provenance, error) {
	_, record, err := b.Layout.Record(b.Identity)
	if err != nil {
		return Provenance{}, err
	}
	return b.Record.Provenance(record.Digest, run)
}

// Provenance says the same of a bundle whose record alone is known, by the digest of the record's bytes.
func (r Record) Provenance(record digest.Digest, run Run) (Provenance, error) {
	settings, err := json.Marshal(r.Config)
	if err != nil {
		return Provenance{}, err
	}
	dependencies, err := r.dependencies()
	if err != nil {
		return Provenance{}, err
	}
	p := Provenance{
		BuildDefinition: BuildDefinition{
			BuildType: BuildType,
			ExternalParameters: Parameters{
				Version: r.Version.String(), Repository: r.Config.URL, Platforms: r.Platforms,
				Settings: Resource{Digest: map[string]string{"sha256": digest.FromBytes(settings).Encoded()}},
				Given:    r.Given, Accepted: r.Accepted,
			},
			ResolvedDependencies: dependencies,
		},
		RunDetails: RunDetails{
			Builder:    Builder{ID: run.Builder, Version: map[string]string{"operator-release": r.Tool}},
			Byproducts: []Resource{{Name: RecordFile, Digest: map[string]string{"sha256": record.Encoded()}}},
		},
	}
	if p.RunDetails.Builder.ID == "" {
		p.RunDetails.Builder.ID = Tool
	}
	if run.Invocation != "" || !run.Started.IsZero() || !run.Finished.IsZero() {
		p.RunDetails.Metadata = &Metadata{InvocationID: run.Invocation, StartedOn: whole(run.Started), FinishedOn: whole(run.Finished)}
	}
	return p, nil
}

// whole is a time in UTC without fractions of a second, or nil for none.
func whole(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC().Truncate(time.Second)
	return &t
}

// dependencies are the commit that was released, the one that it stands on where that is another, Go, and the images' bases, each once.
func (r Record) dependencies() ([]Resource, error) {
	commit := func(name, id, ref string) Resource {
		d := Resource{Name: name, Digest: map[string]string{"gitCommit": id}}
		if r.Config.URL != "" {
			d.URI = "git+" + r.Config.URL + ref
		}
		return d
	}
	all := []Resource{commit("source", r.Commit, "@refs/tags/"+r.Version.String())}
	if r.Base != "" && r.Base != r.Commit {
		all = append(all, commit("base", r.Base, ""))
	}
	if r.Toolchain != "" {
		all = append(all, Resource{Name: "toolchain", URI: "https://go.dev/dl/#" + r.Toolchain})
	}
	seen := map[Base]bool{}
	for _, image := range r.OfKind(KindImage) {
		for _, base := range image.Bases {
			if err := base.Digest.Validate(); err != nil {
				return nil, refusal.New("say how %s was built: the digest of its base image %s is %q: %w", image.Name, base.Reference, base.Digest, err)
			}
			if !seen[base] {
				seen[base] = true
				all = append(all, Resource{Name: "base image", URI: "oci://" + base.Reference, Digest: map[string]string{base.Digest.Algorithm().String(): base.Digest.Encoded()}})
			}
		}
	}
	return all, nil
}
