// Package tags reads which versions a repository's tags name, and where another one stands among them. Tags of other schemes are no
// versions and do not disturb. It writes nothing.
package tags

import (
	"context"
	"slices"

	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/version"
)

// Tags are the tagged versions, with the commits that they name.
type Tags map[version.Version]string

// Read gives the versions that a repository's tags name.
func Read(ctx context.Context, r *git.Repository) (Tags, error) {
	refs, err := r.Refs(ctx, "refs/tags/")
	if err != nil {
		return nil, err
	}
	t := Tags{}
	for name, commit := range refs {
		if v, err := version.Parse(name); err == nil {
			t[v] = commit
		}
	}
	return t, nil
}

// Versions are the tagged ones, the newest first.
func (t Tags) Versions() []version.Version {
	var all []version.Version
	for v := range t {
		all = append(all, v)
	}
	slices.SortFunc(all, func(a, b version.Version) int { return b.Compare(a) })
	return all
}

// Place tells where v, made of the commit base, stands. Of the versions on other lines it takes those whose commits are not younger than base:
// what is released elsewhere later changes nothing about v. A version that may not follow the tagged ones is refused, and its place is told all the same.
func (t Tags) Place(ctx context.Context, r *git.Repository, pattern version.Pattern, v version.Version, base git.Commit) (version.Place, error) {
	place, refused := pattern.Follow(t.Versions(), v)
	if refused != nil && !refusal.Is(refused) {
		return place, refused
	}
	var before []version.Version
	for _, e := range t.Versions() {
		if pattern.Line(e) != pattern.Line(v) && e.Compare(v) < 0 {
			c, err := r.Commit(ctx, t[e])
			if err != nil {
				return place, err
			}
			if c.Committer.Time.After(base.Committer.Time) {
				continue
			}
			if _, candidate := e.Candidate(); !candidate {
				before = append(before, e)
				break // the newest of them is all that counts
			}
		}
		before = append(before, e)
	}
	exists := place.Exists
	place, err := pattern.Follow(before, v)
	if err != nil && !refusal.Is(err) {
		return place, err
	}
	place.Exists = exists
	return place, refused
}

// Before are the versions before a tagged one, on its line or elsewhere; none where it is not tagged, or the first.
func (t Tags) Before(pattern version.Pattern, v version.Version) []version.Version {
	if _, tagged := t[v]; !tagged {
		return nil
	}
	place, _ := pattern.Follow(t.Versions(), v) // a gap before it does not matter
	var before []version.Version
	for _, e := range []version.Version{place.Previous, place.From, place.Since} {
		if !e.IsZero() && !slices.Contains(before, e) {
			before = append(before, e)
		}
	}
	return before
}

// Since is the tag, and its commit, that the changes of a version made of base are told since: the version that its place names, else, for a project's first version,
// the nearest tag of another scheme. Both are empty where there is none.
func (t Tags) Since(ctx context.Context, r *git.Repository, place version.Place, base string) (tag, commit string, err error) {
	if !place.Since.IsZero() {
		return place.Since.String(), t[place.Since], nil
	}
	var versions []string
	for v := range t {
		versions = append(versions, v.String())
	}
	if tag, err = r.NearestTag(ctx, base, versions); err != nil || tag == "" {
		return "", "", err
	}
	c, err := r.Commit(ctx, "refs/tags/"+tag)
	return tag, c.ID, err
}
