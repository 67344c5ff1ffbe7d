package audit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/floating"
	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/sign/gittag"
	"github.com/operator-release/operator-release/ci/version"
)

// known is a version's record.
type known struct {
	record   bundle.Record
	identity digest.Digest
	file     ocispec.Descriptor // of the record itself
	from     string             // where it was read
	read     reader
	// attached tells whether a git tag that points at the object is attached to the release artifact.
	attached func(ctx context.Context, object string) (bool, error)
}

// reader reads content that a record names and that belongs into a repository.
type reader func(ctx context.Context, repository string, desc ocispec.Descriptor) ([]byte, error)

// Made is the record of a version, with what is at hand beside it.
type Made struct {
	Record bundle.Record
	File   ocispec.Descriptor // the record itself
	read   reader
}

// Read reads content that the record names, of at most 16 MiB: a file, which lies in the repository of the release artifact, or a chart's package, which lies in the chart's.
// It comes from where the record was read, and has the digest that the descriptor says.
func (m *Made) Read(ctx context.Context, repository string, desc ocispec.Descriptor) ([]byte, error) {
	if desc.Size > most {
		return nil, fmt.Errorf("read %s of %s: it has %d bytes; at most %d are read", desc.Digest, m.Record.Version, desc.Size, int64(most))
	}
	return m.read(ctx, repository, desc)
}

// local is the record of a bundle that lies in a folder.
func local(dir, name string) (*known, error) {
	b, err := bundle.Load(dir)
	if err != nil {
		return nil, err
	}
	_, file, err := b.Layout.Record(b.Identity)
	read := func(_ context.Context, _ string, desc ocispec.Descriptor) ([]byte, error) { return b.Layout.Read(desc) }
	attached := func(_ context.Context, object string) (bool, error) {
		tag, ok, err := gittag.Of(b)
		return ok && tag.ID == object, err
	}
	return &known{b.Record, b.Identity.Digest, file, name, read, attached}, err
}

// record finds a version's record: at the registry, where its claim leads to, else in the backup, else in the folder where it was made. Claim, release artifact
// and backup are compared on the way. Without a record it gives nil.
func (a *auditor) record(ctx context.Context, v version.Version, t *tagged, out *Version) (*known, error) {
	name := journal.ClaimRef(v)
	at, claimed := a.refs.claims[v]
	var claim journal.Claim
	if claimed {
		var err error
		if claim, err = a.refs.claimed.Claim(at.id); err != nil {
			out.add(Surface{Kind: KindClaim, Name: name, State: Differs, Want: "an identity and a repository", Found: "object " + short(at.id), Note: err.Error()})
			claimed = false
		}
	}
	var k *known
	var released error // why the claim's release artifact is not this version's record
	if claimed {
		if k, released = a.published(ctx, claim.Repository, claim.Identity); k != nil && k.record.Version != v {
			k, released = nil, fmt.Errorf("its record is of %s: %w", k.record.Version, errMissing)
		}
	}
	kept, keptErr := a.keptBundle(ctx, v)
	if k == nil && kept != nil && kept.record.Version == v {
		k = kept
	}
	dir := a.Bundle(v)
	in := filepath.Join(filepath.Base(filepath.Dir(dir)), filepath.Base(dir)) // where that is on this machine is nobody's business
	if made, err := local(dir, in); err == nil && k == nil && made.record.Version == v {
		if claimed && made.identity == claim.Identity || !claimed && (a.refs.noClaims != "" || a.isTag(ctx, made, t)) {
			k = made
		}
	}
	if k == nil {
		k = a.underImage(ctx, v, t)
	}
	switch {
	case k == nil && claimed:
		out.unseen(KindClaim, name, "", "it names "+claim.Identity.String()+", and no record of the version was found there")
		out.found(KindRelease, claim.Repository, claim.Identity.String(), ocispec.Descriptor{}, released)
		return nil, nil
	case k == nil && at.id == "" && a.refs.noClaims != "":
		out.unseen(KindClaim, name, "", a.refs.noClaims)
		return nil, nil
	case k == nil:
		if at.id == "" {
			out.note("no claim: another tool published this version, so its surfaces were compared with each other")
		}
		return nil, nil
	case claimed:
		out.compare(KindClaim, name, k.identity.String(), claim.Identity.String(), "")
		out.compare(KindClaim, name+" repository", k.record.Config.Artifacts, claim.Repository, "")
		out.compare(KindClaim, name+" commit", k.record.Commit, at.commit, "")
	case at.id == "" && a.refs.noClaims != "":
		out.unseen(KindClaim, name, k.identity.String(), a.refs.noClaims)
	case at.id == "":
		out.compare(KindClaim, name, k.identity.String(), "", "")
	}
	a.release(ctx, k, out)
	if a.Backup != nil {
		switch {
		case kept != nil:
			out.compare(KindBackup, a.Backup.Name, k.identity.String(), kept.identity.String(), "")
		default:
			out.found(KindBackup, a.Backup.Name, k.identity.String(), ocispec.Descriptor{}, keptErr)
		}
	}
	return k, nil
}

// published reads the record of a release artifact at the registry.
func (a *auditor) published(ctx context.Context, repository string, identity digest.Digest) (*known, error) {
	place, err := a.registries.at(repository)
	if err != nil {
		return nil, err
	}
	return place.record(ctx, identity)
}

// underImage looks for the release artifact where registries show it, under the image: a version whose claim is gone, or was not fetched, is found by it.
func (a *auditor) underImage(ctx context.Context, v version.Version, t *tagged) *known {
	if t.files == nil || t.refused != nil || t.settings.Artifacts == "" {
		return nil
	}
	place, err := a.registries.at(t.settings.Artifacts)
	if err != nil {
		return nil // whoever looks at the image itself tells
	}
	image, err := place.resolve(ctx, v.String())
	if err != nil {
		return nil
	}
	listed, _ := place.referrers(ctx, image)
	for _, desc := range listed {
		if kind, _, err := place.says(ctx, desc); err != nil || kind != bundle.ReleaseType {
			continue
		}
		if k, err := place.record(ctx, desc.Digest); err == nil && k.record.Version == v {
			return k
		}
	}
	return nil
}

// keptBundle reads the record in the backup.
func (a *auditor) keptBundle(ctx context.Context, v version.Version) (*known, error) {
	switch {
	case a.Backup == nil:
		return nil, nil
	case a.Backup.Open == nil:
		k, err := local(filepath.Join(a.Backup.Dir, v.String()), a.Backup.Name)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errMissing, err)
		}
		return k, nil
	}
	repo, err := a.Backup.Open()
	if err != nil {
		return nil, unseenError{err}
	}
	place := &place{&a.registries, repo}
	desc, err := place.resolve(ctx, v.String())
	if err != nil {
		return nil, err
	}
	k, err := place.record(ctx, desc.Digest)
	if err != nil {
		return nil, err
	}
	k.from = a.Backup.Name
	k.read = func(ctx context.Context, _ string, desc ocispec.Descriptor) ([]byte, error) {
		return place.read(ctx, desc)
	}
	return k, nil
}

// release compares the release artifact at the registry, and that what the artifact consists of is there.
func (a *auditor) release(ctx context.Context, k *known, out *Version) {
	repository, want := k.record.Config.Artifacts, k.identity.String()
	place, err := a.registries.at(repository)
	if err != nil {
		out.found(KindRelease, repository, want, ocispec.Descriptor{}, err)
		return
	}
	desc, m, err := place.manifest(ctx, want)
	if err == nil {
		err = place.has(ctx, append(m.Layers, m.Config)...)
	}
	out.found(KindRelease, repository, want, desc, err)
	if err != nil {
		return
	}
	tested, err := place.tested(ctx, desc)
	out.found(KindReferrer, "test result of the gate", tested.Digest.String(), tested, err)
}

// tested finds the gate's test result among what a registry lists under the release artifact.
func (p *place) tested(ctx context.Context, identity ocispec.Descriptor) (ocispec.Descriptor, error) {
	listed, err := p.referrers(ctx, identity)
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	for _, desc := range listed {
		kind, annotations, err := p.says(ctx, desc)
		if err != nil {
			return desc, err
		}
		if kind == bundle.StatementType && annotations[bundle.PredicateAnnotation] == bundle.TestResultPredicate {
			return desc, nil
		}
	}
	return ocispec.Descriptor{}, fmt.Errorf("none is listed under %s: %w", identity.Digest, errMissing)
}

// byRecord compares what a version consists of with its record.
func (a *auditor) byRecord(ctx context.Context, k *known, t *tagged, out *Version) {
	r := k.record
	a.gitTag(ctx, k, t, out)
	a.moduleTags(r, out)
	if t.files == nil {
		out.unseen(KindTree, r.Version.String(), r.Tree, "no tag leads to a tree")
	} else {
		out.compare(KindTree, r.Version.String(), r.Tree, t.tree, "")
		a.files(r, t, out)
	}
	for _, image := range r.OfKind(bundle.KindImage) {
		a.image(ctx, image, out)
		a.floating(ctx, r, image, out)
	}
	for _, o := range r.Omitted {
		a.omitted(ctx, r, t, o, out)
	}
	for _, chart := range r.OfKind(bundle.KindChart) {
		a.chart(ctx, r, chart, t, out)
	}
	a.signatures(ctx, k, out)
}

// files compares the surfaces in the tagged tree.
func (a *auditor) files(r bundle.Record, t *tagged, out *Version) {
	values, unread, err := t.values(r.Config)
	for _, s := range r.Surfaces {
		name := s.Path + " " + s.Name
		if err := cmp.Or(err, unread[s.Path]); err != nil {
			out.unseen(KindFile, name, s.Value, err.Error())
			continue
		}
		found := ""
		for i, value := range values { // of several of one name, each is taken once
			if value.Path == s.Path && value.Name == s.Name {
				found = value.Text
				values = slices.Delete(values, i, i+1)
				break
			}
		}
		out.compare(KindFile, name, s.Value, found, "")
	}
}

// image compares an image's tag, and the images of its platforms in what the tag leads to.
func (a *auditor) image(ctx context.Context, image bundle.Artifact, out *Version) {
	place, err := a.registries.at(image.Repository)
	var desc ocispec.Descriptor
	var index manifest
	if err == nil {
		desc, index, err = place.manifest(ctx, image.Tag)
	}
	out.found(KindImage, image.Name, image.Digest.String(), desc, err)
	for _, p := range image.Platforms {
		name, want := image.Name+" "+p.Platform, p.Digest.String()
		if err != nil {
			out.found(KindPlatform, name, want, ocispec.Descriptor{}, err)
			continue
		}
		at := slices.IndexFunc(index.Manifests, func(d ocispec.Descriptor) bool { return bundle.PlatformName(d.Platform) == p.Platform })
		if at < 0 {
			out.compare(KindPlatform, name, want, "", "the image index of the tag does not list the platform")
			continue
		}
		found, m, err := place.manifest(ctx, index.Manifests[at].Digest.String())
		if err == nil {
			err = place.has(ctx, append(m.Layers, m.Config)...)
		}
		out.found(KindPlatform, name, want, found, err)
		if err == nil {
			a.sboms(ctx, place, p, out)
		}
	}
}

// sboms compares the SBOMs that are listed under a platform's image.
func (a *auditor) sboms(ctx context.Context, place *place, p bundle.PlatformImage, out *Version) {
	if len(p.SBOMs) == 0 {
		return
	}
	listed, err := place.referrers(ctx, ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: p.Digest, Size: p.Size})
	for _, s := range p.SBOMs {
		var found ocispec.Descriptor
		missing := err
		if at := slices.IndexFunc(listed, func(d ocispec.Descriptor) bool { return d.Digest == s.Digest }); at >= 0 {
			found = listed[at]
		} else if err == nil {
			missing = fmt.Errorf("it is not listed under %s: %w", p.Digest, errMissing)
		}
		out.found(KindReferrer, s.File, s.Digest.String(), found, missing)
	}
}

// chart compares a chart's tag, its package, and what the chart says of itself.
func (a *auditor) chart(ctx context.Context, r bundle.Record, chart bundle.Artifact, t *tagged, out *Version) {
	place, err := a.registries.at(chart.Repository)
	var desc ocispec.Descriptor
	var m manifest
	if err == nil {
		desc, m, err = place.manifest(ctx, chart.Tag)
	}
	out.found(KindChart, chart.Name, chart.Digest.String(), desc, err)
	if err != nil {
		return // what the tag would lead to is no surface of its own
	}
	var pack ocispec.Descriptor
	if len(m.Layers) > 0 {
		pack = m.Layers[0]
		err = place.has(ctx, pack)
	}
	out.found(KindChart, chart.Name+" package", chart.Package.Digest.String(), pack, err)
	says, err := place.chart(ctx, m)
	name := path.Base(chart.Repository)
	for _, value := range []struct{ name, want, found string }{
		{"name", name, says.Name}, {"version", r.Version.SemVer(), says.Version},
		{"appVersion", t.appVersion(r, name), says.AppVersion},
	} {
		if err != nil {
			out.found(KindChart, chart.Name+" "+value.name, value.want, ocispec.Descriptor{}, err)
		} else {
			out.compare(KindChart, chart.Name+" "+value.name, value.want, value.found, "")
		}
	}
}

// floating compares where the floating tags lead that a version bears as the newest, or bore until it was rolled back.
func (a *auditor) floating(ctx context.Context, r bundle.Record, image bundle.Artifact, out *Version) {
	var versions []version.Version
	for v := range a.refs.tags {
		versions = append(versions, v)
	}
	back := func(v version.Version) bool { return a.refs.marks[v].State == journal.RolledBack }
	lead := floating.Lead(r.Config.Floating, versions, back)
	for _, tag := range floating.Tags(r.Config.Floating, r.Version) {
		to, name := lead[tag], image.Repository+":"+tag
		if to != r.Version && (to.IsZero() || !back(r.Version)) {
			continue // the version that it leads to tells
		}
		var desc ocispec.Descriptor
		place, err := a.registries.at(image.Repository)
		if err == nil {
			desc, err = place.resolve(ctx, tag)
		}
		leads := desc.Digest == image.Digest
		switch {
		case to == r.Version && err == nil && !leads && a.refs.noMarks != "":
			out.add(Surface{Kind: KindFloating, Name: name, State: Unseen, Want: image.Digest.String(), Found: desc.Digest.String(), Note: "whether " + to.String() + " is rolled back is not known: " + a.refs.noMarks})
		case to == r.Version:
			out.found(KindFloating, name, image.Digest.String(), desc, err)
		case err != nil && !errors.Is(err, errMissing):
			out.found(KindFloating, name, "", desc, err)
		case leads:
			out.compare(KindFloating, name, to.String(), r.Version.String(), r.Version.String()+" is rolled back")
		default:
			out.compare(KindFloating, name, "not "+r.Version.String(), "not "+r.Version.String(), "")
		}
	}
}
