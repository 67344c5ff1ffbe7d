package bundle

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/operator-release/operator-release/ci/refusal"
)

// Join makes dir one bundle of parts that were built apart, each for some of the platforms, of the same version, commit and
// settings. The result is the bundle that one build for all these platforms makes, byte by byte. Parts of
// different releases, and parts that disagree about a file, are refused.
func Join(dir string, parts []Bundle) (Bundle, error) {
	if len(parts) == 0 {
		return Bundle{}, refusal.New("join parts: none is named")
	}
	p := Pieces{Record: shared(parts[0].Record)}
	p.Record.Platforms = nil
	scratch, err := os.MkdirTemp(filepath.Dir(dir), ".join-")
	if err != nil {
		return Bundle{}, err
	}
	defer os.RemoveAll(scratch)
	merged, err := Create(scratch)
	if err != nil {
		return Bundle{}, err
	}
	j := joining{pieces: &p, merged: merged, files: map[string]Artifact{}, images: map[string][]Artifact{}}
	for _, part := range parts {
		if err := part.Verify(); err != nil {
			return Bundle{}, err
		}
		if err := j.add(parts[0], part); err != nil {
			return Bundle{}, err
		}
	}
	if err := j.mergeImages(parts); err != nil {
		return Bundle{}, err
	}
	slices.Sort(p.Record.Platforms)
	return Assemble(dir, p)
}

// shared is what parts of one release must agree upon.
func shared(r Record) Record {
	r.Artifacts, r.Platforms = nil, nil
	return r
}

type joining struct {
	pieces *Pieces
	merged *Layout
	files  map[string]Artifact
	images map[string][]Artifact // by repository, one of each part
}

func (j *joining) add(first, part Bundle) error {
	if field := difference(shared(first.Record), shared(part.Record)); field != "" {
		return refusal.New("join %s and %s: they are no parts of one release: their records differ in %s; build every part from the same commit, version and settings",
			first.Layout.Dir(), part.Layout.Dir(), field)
	}
	for _, platform := range part.Record.Platforms {
		if slices.Contains(j.pieces.Record.Platforms, platform) {
			return refusal.New("join %s: platform %s is in another part too; name each part once", part.Layout.Dir(), platform)
		}
		j.pieces.Record.Platforms = append(j.pieces.Record.Platforms, platform)
	}
	for _, a := range part.Record.Artifacts {
		if a.Kind == KindImage {
			j.images[a.Repository] = append(j.images[a.Repository], a)
			continue
		}
		if a.Kind == KindChecksums {
			continue // made anew over all files
		}
		if seen, ok := j.files[a.Name]; ok {
			if seen.Digest != a.Digest {
				return refusal.New("join %s: its %s %s has digest %s, another part's has %s; build every part from the same commit with the same version of operator-release",
					part.Layout.Dir(), a.Kind, a.Name, a.Digest, seen.Digest)
			}
			continue
		}
		j.files[a.Name] = a
		if a.Kind == KindChart {
			j.pieces.Charts = append(j.pieces.Charts, Chart{Repository: a.Repository, Tag: a.Tag, File: a.File, Manifest: a.Descriptor(),
				Package: ocispec.Descriptor{Digest: a.Package.Digest, Size: a.Package.Size}, From: part.Layout})
			continue
		}
		j.pieces.Files = append(j.pieces.Files, File{Kind: a.Kind, Name: a.Name, MediaType: a.MediaType,
			Path: part.Layout.Path(a.Digest), Platform: a.Platform, Binary: a.Binary})
	}
	return nil
}

// mergeImages makes one index of the parts' indexes, per image.
func (j *joining) mergeImages(parts []Bundle) error {
	for _, configured := range parts[0].Record.Config.Images {
		artifacts := j.images[configured.Repository]
		if len(artifacts) == 0 {
			continue
		}
		if len(artifacts) != len(parts) {
			return refusal.New("join parts: image %s is in %d of %d parts; build every part with it", configured.Repository, len(artifacts), len(parts))
		}
		image := Image{Repository: configured.Repository, From: j.merged, Binaries: map[string][]string{}}
		var manifests []ocispec.Descriptor
		var annotations map[string]string
		for i, a := range artifacts {
			index, err := j.copyManifests(parts[i], a)
			if err != nil {
				return err
			}
			if i > 0 && !maps.Equal(annotations, index.Annotations) {
				return refusal.New("join parts: the annotations of image %s differ between parts", configured.Repository)
			}
			annotations = index.Annotations
			for _, m := range index.Manifests { // parts may hold the same image of all platforms
				if !slices.ContainsFunc(manifests, func(d ocispec.Descriptor) bool { return d.Digest == m.Digest }) {
					manifests = append(manifests, m)
				}
			}
			for _, base := range a.Bases {
				if !slices.Contains(image.Bases, base) {
					image.Bases = append(image.Bases, base)
				}
			}
			for _, platform := range a.Platforms {
				for _, sbom := range platform.SBOMs {
					image.Binaries[platform.Platform] = append(image.Binaries[platform.Platform], j.files[sbom.File].Binary)
				}
			}
		}
		var err error
		if image.Index, err = j.merged.PutIndex(manifests, annotations); err != nil {
			return err
		}
		j.pieces.Images = append(j.pieces.Images, image)
	}
	return nil
}

func (j *joining) copyManifests(part Bundle, a Artifact) (ocispec.Index, error) {
	var index ocispec.Index
	if err := part.Layout.ReadJSON(a.Descriptor(), &index); err != nil {
		return index, err
	}
	for _, m := range index.Manifests {
		if err := j.merged.Copy(part.Layout, m); err != nil {
			return index, err
		}
	}
	return index, nil
}

// Differs names what differs between what two records were made of, artifacts aside; empty where nothing does.
func (r Record) Differs(o Record) string {
	r.Artifacts, o.Artifacts = nil, nil
	r.Schema, o.Schema = Schema, Schema
	return difference(r, o)
}

// difference names the first field in which two records differ, and both values.
func difference(a, b Record) string {
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	for i := range x.NumField() {
		if reflect.DeepEqual(x.Field(i).Interface(), y.Field(i).Interface()) {
			continue
		}
		name, _, _ := strings.Cut(x.Type().Field(i).Tag.Get("json"), ",")
		one, errOne := json.Marshal(x.Field(i).Interface())
		two, errTwo := json.Marshal(y.Field(i).Interface())
		if errOne != nil || errTwo != nil || string(one) == string(two) {
			continue // the same, once written
		}
		return name + " (" + string(one) + " and " + string(two) + ")"
	}
	return ""
}
