package image

import (
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/operator-release/operator-release/ci/refusal"
)

// automatic are the arguments that BuildKit sets for each platform. Those of the building machine
// (BUILDPLATFORM and its kin) are left out: nothing of it may show in an image.
var automatic = []string{"TARGETPLATFORM", "TARGETOS", "TARGETOSVERSION", "TARGETARCH", "TARGETVARIANT", "TARGETSTAGE"}

// platformArgs are the automatic arguments for a platform; the target is "default" where none is named.
func platformArgs(p ocispec.Platform, target string) map[string]string {
	if target == "" {
		target = "default"
	}
	name := p.OS + "/" + p.Architecture
	if p.Variant != "" {
		name += "/" + p.Variant
	}
	return map[string]string{"TARGETPLATFORM": name, "TARGETOS": p.OS, "TARGETOSVERSION": "", "TARGETARCH": p.Architecture, "TARGETVARIANT": p.Variant, "TARGETSTAGE": target}
}

// variables are what $NAME yields at some place of a Dockerfile; the lexer's view of a map.
type variables map[string]string

func (v variables) Get(name string) (string, bool) { value, ok := v[name]; return value, ok }
func (v variables) Keys() []string                 { return slices.Sorted(maps.Keys(v)) }

// globalArgs are the arguments before the first FROM, on top of the automatic ones: what is given
// wins over the default, and a default sees those before it.
func (d *dockerfile) globalArgs(auto, args map[string]string) (variables, error) {
	all := variables(maps.Clone(auto))
	lex := d.lexer()
	for _, c := range d.globals {
		for _, a := range c.Args {
			if value, given := args[a.Key]; given {
				all[a.Key] = value
			} else if a.Value != nil {
				value, _, err := lex.ProcessWord(*a.Value, all)
				if err != nil {
					return nil, d.refused(c, "correct it", "%v", err)
				}
				all[a.Key] = value
			}
		}
	}
	return all, nil
}

var mention = regexp.MustCompile(`\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)(:?[-+])?)`)

// base is what FROM names. A variable without a value is a problem, unless the reference itself says
// what to take then, as ${BASE:-scratch} does.
func (d *dockerfile) base(s *instructions.Stage, global variables) (string, *Problem) {
	problem := func(why, wayOut string, args ...any) (string, *Problem) {
		p := d.problem(s.Location, s.SourceCode, fmt.Sprintf(why, args...), wayOut)
		return "", &p
	}
	for _, m := range mention.FindAllStringSubmatch(s.BaseName, -1) {
		name := m[1] + m[2]
		if _, ok := global[name]; ok || m[3] != "" {
			continue
		}
		wayOut := "declare it by ARG before FROM"
		for _, c := range d.globals {
			for _, a := range c.Args {
				if a.Key == name {
					return problem("the variable %s has no value: ARG in line %d gives no default, and no build argument of this name was given", "give one of the two", name, first(c.Location()))
				}
			}
		}
		if near := refusal.Nearest(name, global.Keys()); near != "" {
			wayOut = "did you mean " + near + "?"
		}
		return problem("the variable %s is unknown here: FROM sees only ARGs before it", wayOut, name)
	}
	value, _, err := d.lexer().ProcessWord(s.BaseName, global)
	switch {
	case err != nil:
		return problem("%v", "correct it", err)
	case value == "":
		return problem("its base expands to nothing", "name an image, or scratch")
	}
	return value, nil
}
