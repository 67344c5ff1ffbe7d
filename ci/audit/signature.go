package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/sign"
)

// maxSigned bounds what is read of the signatures of one subject, in bytes.
const maxSigned = 128 << 20

// excess is more than anybody is asked to read. Where signatures are looked for it is a difference: who floods a registry must not leave open whether something is signed.
type excess struct{ error }

// signed is something that is to be signed, where it lies.
type signed struct {
	repository string
	subject    ocispec.Descriptor
	name       string
	sboms      []bundle.SBOM
	tested     bool
}

// toSign is what is to be signed of a version: the release artifact, images, their platforms and charts.
func toSign(k *known) []signed {
	r := k.record
	manifest := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: k.identity}
	all := []signed{{repository: r.Config.Artifacts, subject: manifest, name: r.Config.Artifacts + "@" + k.identity.String(), tested: true}}
	for _, a := range r.Artifacts {
		if a.Repository == "" {
			continue
		}
		all = append(all, signed{repository: a.Repository, subject: a.Descriptor(), name: a.Name})
		for _, p := range a.Platforms {
			image := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: p.Digest, Size: p.Size}
			all = append(all, signed{repository: a.Repository, subject: image, name: a.Name + " " + p.Platform, sboms: p.SBOMs})
		}
	}
	return all
}

// signatures verifies what the trusted say of a version, as the registry lists it under what it speaks of.
func (a *auditor) signatures(ctx context.Context, k *known, out *Version) {
	if a.Verifier == nil && a.Unverified == nil || !a.SignedSince.IsZero() && k.record.Version.Compare(a.SignedSince) < 0 {
		return
	}
	provenance, err := k.record.Provenance(k.file.Digest, bundle.Run{})
	for _, s := range toSign(k) {
		place, placeErr := a.registries.at(s.repository)
		var wants []*wanted
		want := func(what, predicateType string, predicate any, err error) {
			w := &wanted{name: s.name + " " + what, err: err}
			if err == nil {
				w.Statement, w.err = sign.NewStatement(s.subject, s.name, predicateType, predicate)
			}
			wants = append(wants, w)
		}
		want("signature", sign.SignaturePredicate, struct{}{}, nil)
		want("provenance", bundle.ProvenancePredicate, provenance, err)
		for _, sbom := range s.sboms {
			var text json.RawMessage
			err := placeErr
			if err == nil && a.Unverified == nil {
				text, err = place.document(ctx, sbom)
			}
			want("SBOM "+sbom.File, sign.CycloneDXPredicate, text, err)
		}
		if s.tested {
			wants = append(wants, &wanted{name: s.name + " test result", Statement: sign.Passed(s.subject, s.name)})
		}
		switch {
		case a.Unverified != nil:
			placeErr = unseenError{a.Unverified}
		case placeErr == nil:
			placeErr = place.signed(ctx, s.subject, wants, a.Verifier)
		}
		for _, w := range wants {
			w.tell(placeErr, a.Verifier, out)
		}
	}
}

// wanted is a statement that somebody who is trusted has to have signed.
type wanted struct {
	sign.Statement
	name string
	err  error    // why nobody knows what it should say
	by   []string // of the trusted
	why  []string // what is wrong with what else is attached
}

// tell adds the surface; err is why not all that is attached could be read.
func (w *wanted) tell(err error, v *sign.Verifier, out *Version) {
	want := "signed by a trusted key or identity"
	if v != nil {
		want = "signed by " + few(v.Names())
	}
	if err == nil {
		err = w.err
	}
	var much excess
	switch {
	case len(w.by) > 0:
		out.add(Surface{Kind: KindSignature, Name: w.name, State: Agrees, Want: want, Found: "signed by " + few(w.by)})
	case errors.As(err, &much):
		out.compare(KindSignature, w.name, want, much.Error(), "")
	case err != nil:
		out.found(KindSignature, w.name, want, ocispec.Descriptor{}, err)
	case len(w.why) > 0:
		out.compare(KindSignature, w.name, want, "attached: "+few(w.why), "")
	default:
		out.compare(KindSignature, w.name, want, "", "none is attached")
	}
}

// document reads the SBOM that a referrer attaches.
func (p *place) document(ctx context.Context, s bundle.SBOM) (json.RawMessage, error) {
	var m manifest
	if err := p.readJSON(ctx, s.Descriptor(), &m); err != nil {
		return nil, err
	}
	if len(m.Layers) == 0 {
		return nil, unseenError{fmt.Errorf("the SBOM %s attaches no document", s.Digest)}
	}
	var text json.RawMessage
	err := p.readJSON(ctx, m.Layers[0], &text)
	return text, err
}

// signed reads the Sigstore bundles that are listed under a subject, and adds to the statements who of the trusted signed them. What is too large, or no bundle, is passed over.
func (p *place) signed(ctx context.Context, subject ocispec.Descriptor, wants []*wanted, v *sign.Verifier) error {
	listed, err := p.referrers(ctx, subject)
	if err != nil {
		return err
	}
	var unread error
	sum := int64(0)
	for _, desc := range listed {
		if desc.MediaType != ocispec.MediaTypeImageManifest || desc.Size > bundle.MaxManifest {
			continue
		}
		var m manifest
		text, err := p.read(ctx, desc)
		wrong, err := damaged(err)
		switch {
		case err != nil:
			unread = err
			continue
		case wrong != "" && sign.IsBundle(desc.ArtifactType):
			blame(wants, wrong)
			continue
		case wrong != "" || json.Unmarshal(text, &m) != nil:
			continue
		}
		said := m.Annotations[predicateType]
		if !sign.IsBundle(m.ArtifactType) || len(m.Layers) != 1 || !sign.IsBundle(m.Layers[0].MediaType) || m.Layers[0].Size > sign.MaxBundle ||
			said != "" && !slices.ContainsFunc(wants, func(w *wanted) bool { return w.PredicateType == said }) {
			continue
		}
		if sum += m.Layers[0].Size; sum > maxSigned {
			return unseenError{excess{fmt.Errorf("more than %d bytes of signatures are listed under %s", maxSigned, subject.Digest)}}
		}
		text, err = p.readUpTo(ctx, m.Layers[0], sign.MaxBundle)
		if wrong, err = damaged(err); err != nil {
			unread = err
			continue
		}
		if wrong != "" {
			blame(slices.DeleteFunc(slices.Clone(wants), func(w *wanted) bool { return said != "" && w.PredicateType != said }), wrong)
			continue
		}
		for _, w := range wants {
			if w.err != nil {
				continue
			}
			by, why := w.Read(text, v)
			if by != "" && !slices.Contains(w.by, by) {
				w.by = append(w.by, by)
			}
			if why != "" {
				blame([]*wanted{w}, why)
			}
		}
	}
	return unread
}

// predicateType is the annotation by which cosign, and this tool, tell what an attached bundle is about.
const predicateType = "dev.sigstore.bundle.predicateType"

// blame adds once what is wrong with something that is attached.
func blame(wants []*wanted, why string) {
	for _, w := range wants {
		if !slices.Contains(w.why, why) {
			w.why = append(w.why, why)
		}
	}
}

// damaged tells what a registry lost, or changed, of what it lists, from errors that leave open what it has.
func damaged(err error) (wrong string, _ error) {
	switch {
	case errors.Is(err, errMissing):
		return "it is listed, and is not there", nil
	case errors.Is(err, content.ErrMismatchedDigest), errors.Is(err, content.ErrTrailingData):
		return "its bytes are not those of its digest", nil
	}
	return "", err
}
