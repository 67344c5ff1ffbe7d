package site

import (
	"math"
	"slices"
	"time"

	"github.com/operator-release/operator-release/ci/catalog"
	"github.com/operator-release/operator-release/ci/version"
)

// A drawnLine is a line with those of its versions whose time is known, the oldest first.
type drawnLine struct {
	catalog.Line
	versions []catalog.Version
}

// drawnLines sorts versions to their lines. A version without a time, and a line of which no time is known at all, cannot be drawn.
func drawnLines(c catalog.Catalog) (lines []drawnLine, unplaced []string, untimed []version.Version) {
	all := slices.Clone(c.Lines)
	for _, v := range c.Versions {
		if !slices.ContainsFunc(all, func(l catalog.Line) bool { return l.Name == v.Line }) {
			all = append(all, catalog.Line{Name: v.Line})
		}
		if v.Time.IsZero() {
			untimed = append(untimed, v.Version)
		}
	}
	for _, l := range all {
		line := drawnLine{Line: l}
		for _, v := range c.Versions {
			if v.Line == l.Name && !v.Time.IsZero() {
				line.versions = append(line.versions, v)
			}
		}
		slices.SortStableFunc(line.versions, func(a, b catalog.Version) int {
			if d := a.Time.Compare(b.Time); d != 0 {
				return d
			}
			return a.Version.Compare(b.Version)
		})
		if len(line.versions) == 0 && line.Forked.IsZero() {
			unplaced = append(unplaced, Visible(l.Name))
			continue
		}
		lines = append(lines, line)
	}
	return lines, unplaced, untimed
}

// moments are all times of the drawing, sorted, each once.
func moments(lines []drawnLine) []time.Time {
	var all []time.Time
	for _, l := range lines {
		all = append(all, l.Forked)
		for _, v := range l.versions {
			all = append(all, v.Time)
			for _, p := range v.Picks {
				all = append(all, p.Made)
			}
		}
	}
	all = slices.DeleteFunc(all, time.Time.IsZero)
	for i, t := range all {
		all[i] = t.UTC()
	}
	slices.SortFunc(all, time.Time.Compare)
	return slices.CompactFunc(all, time.Time.Equal)
}

// scaleFor is the scale of a picture whose lines run to the end, broken only where versions could not be told apart without.
func scaleFor(lines []drawnLine, times []time.Time, end float64) timeScale {
	s := newScale(times, nil, edge, end-runOn, breakWidth)
	if crowded(lines, s) {
		s = newScale(times, longGaps(times), edge, end-runOn, breakWidth)
	}
	return s
}

// crowded tells whether versions of a line would be so near to each other that they have to be moved.
func crowded(lines []drawnLine, s timeScale) bool {
	return slices.ContainsFunc(lines, func(l drawnLine) bool {
		for i := 1; i < len(l.versions); i++ {
			if s.x(l.versions[i].Time)-s.x(l.versions[i-1].Time) < markApart {
				return true
			}
		}
		return false
	})
}

// places are where the line forks and where its versions are, in a picture whose lines run to the end, and how far the furthest of them is from its time. A fork
// comes before the first version, by the length of its curve; one that was made later joins the line somewhere.
func (l drawnLine) places(s timeScale, end float64) (fork float64, at []float64, far float64) {
	fork = s.x(l.Forked)
	var want []float64
	left := edge
	leads := !l.Forked.IsZero() && (len(l.versions) == 0 || !l.versions[0].Time.Before(l.Forked))
	if leads {
		want, left = append(want, fork+forkApart), edge+forkApart
	}
	for _, v := range l.versions {
		want = append(want, s.x(v.Time))
	}
	at = spread(want, markApart, left, end-headApart)
	for i := range at {
		far = max(far, math.Abs(at[i]-want[i]))
	}
	if leads {
		fork, at = at[0]-forkApart, at[1:]
	}
	return fork, at, far
}

// furthest is how far the furthest version of all is from its time.
func furthest(lines []drawnLine, s timeScale, end float64) float64 {
	far := 0.0
	for _, l := range lines {
		_, _, f := l.places(s, end)
		far = max(far, f)
	}
	return far
}
