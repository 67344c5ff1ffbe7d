package tags

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/version"
)

// Modules are the tags of Go modules below the root, such as api/v1.5.0, with the commits that they name.
type Modules map[string]string

// ReadModules gives the tags of Go modules that a repository has.
func ReadModules(ctx context.Context, r *git.Repository) (Modules, error) {
	refs, err := r.Refs(ctx, "refs/tags/")
	return modulesOf(refs, ""), err
}

// Modules are the tags of Go modules that the remote has.
func (r Remote) Modules() Modules { return modulesOf(r.Refs, "refs/tags/") }

func modulesOf(refs map[string]string, place string) Modules {
	m := Modules{}
	for name, commit := range refs {
		tag, ok := strings.CutPrefix(name, place)
		if _, _, nested := CutModule(tag); ok && nested {
			m[tag] = commit
		}
	}
	return m
}

// CutModule splits the tag of a module below the root, such as api/v1.5.0, into its prefix api/ and the version.
func CutModule(tag string) (prefix string, v version.Version, ok bool) {
	at := strings.LastIndexByte(tag, '/') + 1
	v, err := version.Parse(tag[at:])
	return tag[:at], v, at > 1 && err == nil
}

// MissingModules describes the tags with one of the prefixes that a clone does not have, and those that are on another
// commit. With a line it describes that line only. It is empty if the clone has all.
func (r Remote) MissingModules(known Modules, prefixes []string, pattern version.Pattern, line string) string {
	var missing, moved []string
	there := r.Modules()
	for _, tag := range slices.Sorted(maps.Keys(there)) {
		prefix, v, _ := CutModule(tag)
		if here, ok := known[tag]; !slices.Contains(prefixes, prefix) || line != "" && pattern.Line(v) != line {
			continue
		} else if !ok {
			missing = append(missing, tag)
		} else if here != there[tag] {
			moved = append(moved, movedTag(tag, there[tag], here))
		}
	}
	return listMissing(missing, moved, nil)
}
