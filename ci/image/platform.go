package image

import (
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/refusal"
)

// parsePlatform reads a platform that images are made for: a Linux port of Go, arm with its variant. Each has
// one spelling, so that a name compares as text.
func parsePlatform(name string) (ocispec.Platform, error) {
	p, err := config.ParsePlatform(name)
	if err != nil {
		return ocispec.Platform{}, err
	}
	parsed := ocispec.Platform{OS: p.OS, Architecture: p.Arch, Variant: p.Variant}
	switch spelling := platformName(parsed); {
	case p.OS != "linux":
		return ocispec.Platform{}, refusal.New("platform %q: images are made for Linux", name)
	case spelling != name:
		return ocispec.Platform{}, refusal.New("platform %q: write it as %s", name, spelling)
	}
	return parsed, nil
}

// platformName is the one spelling of a platform; a variant that its architecture implies is left out.
func platformName(p ocispec.Platform) string {
	name := p.OS + "/" + p.Architecture
	if v := variant(p); v != "" {
		name += "/" + v
	}
	return name
}

func variant(p ocispec.Platform) string {
	switch {
	case p.Architecture == "arm64" && p.Variant == "v8", p.Architecture == "amd64" && p.Variant == "v1":
		return ""
	case p.Architecture == "arm" && p.Variant == "":
		return "v7" // what an image for plain arm has always meant
	}
	return p.Variant
}

// fitting are the platforms whose images run on p, best first: p itself, and lower variants of arm.
func fitting(p ocispec.Platform) []string {
	names := []string{platformName(p)}
	if p.Architecture == "arm" {
		for _, v := range []string{"v6", "v5"} {
			if v < variant(p) {
				names = append(names, p.OS+"/arm/"+v)
			}
		}
	}
	return names
}
