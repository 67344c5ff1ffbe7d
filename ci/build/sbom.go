package build

import (
	"debug/buildinfo"
	"encoding/hex"
	"io"
	"runtime/debug"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// writeSBOM writes a CycloneDX 1.6 document of the modules that are in the binary, as it says itself. Its serial is made
// of the binary's digest and its time is the commit's, so equal binaries have equal documents.
func writeSBOM(target string, o ArchiveOptions, b Binary, info *buildinfo.BuildInfo) error {
	main := component(info.Main, cdx.ComponentTypeApplication)
	main.Name, main.Version = b.Name, o.Version.String()
	main.PackageURL = purl(info.Main.Path, o.Version.String())
	main.BOMRef = main.PackageURL
	main.Hashes = &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: strings.TrimPrefix(b.Digest, "sha256:")}}
	main.Properties = &[]cdx.Property{{Name: "platform", Value: o.Platform}}

	std := component(debug.Module{Path: "std", Version: strings.TrimPrefix(info.GoVersion, "go")}, cdx.ComponentTypeLibrary)
	components := []cdx.Component{std}
	refs := []string{std.BOMRef}
	for _, dep := range info.Deps {
		if dep.Replace != nil {
			dep = dep.Replace
		}
		c := component(*dep, cdx.ComponentTypeLibrary)
		components = append(components, c)
		refs = append(refs, c.BOMRef)
	}
	bom := cdx.NewBOM()
	bom.SerialNumber = serial(b.Digest)
	bom.Metadata = &cdx.Metadata{Timestamp: o.Time.UTC().Format(time.RFC3339), Component: &main}
	bom.Components = &components
	bom.Dependencies = &[]cdx.Dependency{{Ref: main.BOMRef, Dependencies: &refs}}
	return create(target, func(w io.Writer) error {
		return cdx.NewBOMEncoder(w, cdx.BOMFileFormatJSON).SetPretty(true).EncodeVersion(bom, cdx.SpecVersion1_6)
	})
}

func component(m debug.Module, kind cdx.ComponentType) cdx.Component {
	c := cdx.Component{Type: kind, Name: m.Path, Version: m.Version, PackageURL: purl(m.Path, m.Version)}
	c.BOMRef = c.PackageURL
	if m.Sum != "" {
		c.Properties = &[]cdx.Property{{Name: "go.sum", Value: m.Sum}}
	}
	return c
}

// purl is a package URL of type golang: https://github.com/package-url/purl-spec.
func purl(path, version string) string {
	url := "pkg:golang/" + strings.ToLower(path)
	if version != "" && version != "(devel)" {
		url += "@" + version
	}
	return url
}

// serial is a UUID of version 8 (RFC 9562: contents of one's own choice) with the first bytes of the digest.
func serial(digest string) string {
	b, err := hex.DecodeString(strings.TrimPrefix(digest, "sha256:"))
	if err != nil || len(b) < 16 {
		panic("build: " + digest + " is no sha256 digest") // sum makes it
	}
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:16])
	return "urn:uuid:" + strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-")
}
