package catalog

import (
	"cmp"
	"path"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/operator-release/operator-release/ci/bundle"
)

// AddArtifacts adds images and charts to what is known of the version: those of its record, or those that it should have, with digests as far as they are known.
func (v *Version) AddArtifacts(all []bundle.Artifact) {
	for _, a := range all {
		switch a.Kind {
		case bundle.KindImage:
			v.Images = append(v.Images, Image{Name: a.Name, Digest: a.Digest.String(), Platforms: a.Platforms, Bases: a.Bases})
		case bundle.KindChart:
			c := Chart{Name: path.Base(cmp.Or(a.Repository, a.Name)), Version: a.Tag, Digest: a.Digest.String(), File: a.File}
			if a.Repository != "" {
				c.Reference = "oci://" + a.Repository
			}
			if a.Package != nil {
				c.Package = a.Package.Digest.String()
			}
			v.Charts = append(v.Charts, c)
		}
	}
}

// AddDownloads adds the files that a version offers by name: those of its release page, by the record, which is described as it lies in the bundle. Addresses are told by name.
func (v *Version) AddDownloads(r bundle.Record, record ocispec.Descriptor, addresses map[string]string) {
	kinds := map[string]bundle.Artifact{bundle.RecordFile: {Kind: "record"}}
	for _, a := range r.Artifacts {
		kinds[a.File] = a
	}
	for _, d := range r.Downloads(record) {
		v.Files = append(v.Files, File{Kind: kinds[d.Name].Kind, Name: d.Name, Digest: d.Digest.String(), Size: d.Size, Platform: kinds[d.Name].Platform, URL: addresses[d.Name]})
	}
}
