package config

import (
	"slices"
	"strings"

	"github.com/operator-release/operator-release/ci/refusal"
)

// architectures are the pairs of `go tool dist list` (Go 1.26) on which an operator or its command can run.
var architectures = map[string][]string{
	"linux":   {"386", "amd64", "arm", "arm64", "loong64", "mips", "mips64", "mips64le", "mipsle", "ppc64", "ppc64le", "riscv64", "s390x"},
	"darwin":  {"amd64", "arm64"},
	"windows": {"386", "amd64", "arm64"},
	"freebsd": {"386", "amd64", "arm", "arm64", "riscv64"},
	"netbsd":  {"386", "amd64", "arm", "arm64"},
	"openbsd": {"386", "amd64", "arm", "arm64", "ppc64", "riscv64"},
}

// variants are the third parts that Go builds for, with the setting each stands for.
var variants = map[string]map[string]string{
	"arm":   {"v5": "GOARM=5", "v6": "GOARM=6", "v7": "GOARM=7"},
	"amd64": {"v1": "GOAMD64=v1", "v2": "GOAMD64=v2", "v3": "GOAMD64=v3", "v4": "GOAMD64=v4"},
	"arm64": {"v8": "GOARM64=v8.0"},
}

// Platform is an operating system and architecture, as OCI and Go both name them.
type Platform struct{ OS, Arch, Variant string }

// ParsePlatform reads os/arch or os/arch/variant; what Go cannot build for is refused.
func ParsePlatform(s string) (Platform, error) {
	parts := strings.Split(s, "/")
	if len(parts) < 2 || len(parts) > 3 {
		return Platform{}, refusal.New("read platform %q: it is not of the form os/arch or os/arch/variant; write linux/amd64 or the like", s)
	}
	p := Platform{OS: parts[0], Arch: parts[1]}
	if !slices.Contains(architectures[p.OS], p.Arch) {
		var known []string
		for os, archs := range architectures {
			for _, arch := range archs {
				known = append(known, os+"/"+arch)
			}
		}
		slices.Sort(known)
		return Platform{}, refusal.New("read platform %q: Go does not build for %s/%s%s", s, p.OS, p.Arch, refusal.Meant(s, known))
	}
	if len(parts) == 3 {
		p.Variant = parts[2]
		if variants[p.Arch][p.Variant] == "" {
			return Platform{}, refusal.New("read platform %q: Go knows no variant %q of %s", s, p.Variant, p.Arch)
		}
	}
	return p, nil
}

// String is os/arch or os/arch/variant.
func (p Platform) String() string {
	if p.Variant == "" {
		return p.OS + "/" + p.Arch
	}
	return p.OS + "/" + p.Arch + "/" + p.Variant
}

// Slug is the platform in file names: linux-amd64.
func (p Platform) Slug() string { return strings.ReplaceAll(p.String(), "/", "-") }

// GoEnv are the settings of the go command that build for this platform.
func (p Platform) GoEnv() []string {
	env := []string{"GOOS=" + p.OS, "GOARCH=" + p.Arch}
	if setting := variants[p.Arch][p.Variant]; setting != "" {
		env = append(env, setting)
	}
	return env
}
