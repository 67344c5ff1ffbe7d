package version

import (
	"slices"

	"github.com/operator-release/operator-release/ci/refusal"
)

// Place is where a version stands among those that exist.
type Place struct {
	Exists   bool    // it is there already
	OnLine   Version // the newest version before it on its own line; zero where it opens the line
	Previous Version // OnLine, else the newest final before it; zero for a project's first version
	From     Version // the final that users come from: the newest before it on its line, else the newest before it
	Since    Version // what its notes speak of the changes since: for a candidate also the one before, for a final the final before
}

// Follow tells where v stands among the existing versions, in any order, and refuses it where
// it may not follow them: candidates count up from rc.0 (or rc.1), a final closes its candidates, patch, minor and
// major leave no gap, and without {minor} in the pattern only the newest minor is patched.
// A project's first version may be any. Until a final version is out, every version must be of the same final as
// the first candidate.
func (p Pattern) Follow(existing []Version, v Version) (Place, error) {
	var place Place
	for _, e := range existing {
		if e.Compare(v) == 0 {
			place.Exists = true
		}
		if e.Compare(v) >= 0 {
			continue
		}
		if p.Line(e) == p.Line(v) && (place.OnLine.IsZero() || e.Compare(place.OnLine) > 0) {
			place.OnLine = e
		}
		if _, candidate := e.Candidate(); !candidate && (place.Previous.IsZero() || e.Compare(place.Previous) > 0) {
			place.Previous = e
		}
		if _, candidate := e.Candidate(); !candidate && p.Line(e) == p.Line(v) && e.Compare(place.From) > 0 {
			place.From = e
		}
		if p.speaksSince(e, v) && (place.Since.IsZero() || e.Compare(place.Since) > 0) {
			place.Since = e
		}
	}
	if place.From.IsZero() {
		place.From = place.Previous
	}
	if place.Since.IsZero() {
		place.Since = place.Previous
	}
	if !place.OnLine.IsZero() {
		place.Previous = place.OnLine
	}
	if place.Exists || len(existing) == 0 {
		return place, nil
	}
	return place, p.gap(existing, v)
}

// speaksSince tells whether e, which is before v, is one on whose notes those of v stand: on its line, and a final or a candidate of the same final.
// A final rolls its candidates up.
func (p Pattern) speaksSince(e, v Version) bool {
	if p.Line(e) != p.Line(v) {
		return false
	}
	if _, candidate := e.Candidate(); !candidate {
		return true
	}
	_, candidate := v.Candidate()
	return candidate && e.Final() == v.Final()
}

// gap refuses v where something belongs before it, or where its time is over.
func (p Pattern) gap(existing []Version, v Version) error {
	refuse := func(format string, args ...any) error {
		return refusal.New("release %s: "+format, append([]any{v}, args...)...)
	}
	has := func(want Version) bool {
		return slices.ContainsFunc(existing, func(e Version) bool { return e.Compare(want) == 0 })
	}
	final := v.Final()
	if number, candidate := v.Candidate(); candidate {
		if has(final) {
			return refuse("its final %s is out already; the next candidate is %s-rc.0", final, core(v.Major(), v.Minor(), v.Patch()+1))
		}
		newest := int64(-1)
		for _, e := range existing {
			if n, ok := e.Candidate(); ok && e.Final().Compare(final) == 0 {
				newest = max(newest, n)
			}
		}
		if next := newest + 1; number != next && (newest >= 0 || number != 1) {
			return refuse("a gap: the next candidate of %s is %s-rc.%d", final, final, next)
		}
	}
	hasFinal := func(of func(Version) bool) bool {
		return slices.ContainsFunc(existing, func(e Version) bool { return e.rc < 0 && of(e) })
	}
	if first := slices.MinFunc(existing, Version.Compare); !hasFinal(func(Version) bool { return true }) {
		// The final of the first candidate may be any version.
		if final != first.Final() {
			return refuse("a gap: no final version is out; release %s first, because the first version is its candidate %s",
				first.Final(), first)
		}
		return nil
	}
	switch {
	case v.Patch() > 0:
		if before := core(v.Major(), v.Minor(), v.Patch()-1); !has(before) {
			return refuse("a gap: %s is not out; it comes first", before)
		}
	case v.Minor() > 0:
		if !hasFinal(func(e Version) bool { return e.Major() == v.Major() && e.Minor() == v.Minor()-1 }) {
			return refuse("a gap: %s is not out; it comes first", core(v.Major(), v.Minor()-1, 0))
		}
	case v.Major() > 0:
		if !hasFinal(func(e Version) bool { return e.Major() == v.Major()-1 }) {
			return refuse("a gap: no final version of v%d is out; it comes first", v.Major()-1)
		}
	}
	if p.PerMinor() {
		return nil
	}
	for _, e := range existing {
		if e.rc < 0 && e.Major() == v.Major() && e.Minor() > v.Minor() {
			return refuse("with branches named %q only the newest minor is patched, and %s is out; release a patch of that one", p, e)
		}
	}
	return nil
}
