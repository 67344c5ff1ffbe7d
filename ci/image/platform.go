package image

import (
	"slices"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/operator-release/operator-release/ci/refusal"
)

// platforms are those that an image can be made for: Go's Linux ports (go tool dist list), where
// arm is told apart by its variant. Each has one spelling, so that a name compares as text.
var platforms = []string{
	"linux/386", "linux/amd64", "linux/arm/v5", "linux/arm/v6", "linux/arm/v7", "linux/arm64", "linux/loong64",
	"linux/mips", "linux/mips64", "linux/mips64le", "linux/mipsle", "linux/ppc64", "linux/ppc64le", "linux/riscv64", "linux/s390x",
}

func parsePlatform(name string) (ocispec.Platform, error) {
	if !slices.Contains(platforms, name) {
		hint := "known are " + strings.Join(platforms, ", ")
		if near := nearest(name, platforms); near != "" {
			hint = "did you mean " + near + "?"
		}
		return ocispec.Platform{}, refusal.New("platform %q: images are made for Go's Linux platforms, and this is none; %s", name, hint)
	}
	parts := append(strings.Split(name, "/"), "")
	return ocispec.Platform{OS: parts[0], Architecture: parts[1], Variant: parts[2]}, nil
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
