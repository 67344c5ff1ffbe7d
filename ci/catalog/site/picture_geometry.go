package site

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"time"
)

// All lengths are units of the picture's viewBox; one is one CSS pixel where the picture is as wide as it was drawn.

// px is a length in the markup, with one decimal place at most.
type px float64

func (x px) String() string {
	return strconv.FormatFloat(math.Round(float64(x)*10)/10+0, 'f', -1, 64) // + 0 takes the sign off a zero
}

// A timeScale places times on the axis. It is made of pieces that all have the same scale; between two of them lies a break, where a time in which nothing
// happened is drawn short.
type timeScale []piece

// A piece is a part of the axis without a break.
type piece struct {
	from, to time.Time
	x0, x1   float64
}

// newScale shows the times (sorted, at least one) between lo and hi. Behind the times whose indexes are in breaks (sorted) the axis is broken, for gap units each.
// What happened in one instant is in the middle.
func newScale(times []time.Time, breaks []int, lo, hi, gap float64) timeScale {
	var s timeScale
	var whole time.Duration
	first := 0
	for _, last := range append(slices.Clone(breaks), len(times)-1) {
		s = append(s, piece{from: times[first], to: times[last]})
		whole += times[last].Sub(times[first])
		first = last + 1
	}
	if whole == 0 && len(s) == 1 {
		s[0].x0, s[0].x1 = (lo+hi)/2, (lo+hi)/2
		return s
	}
	room := hi - lo - gap*float64(len(s)-1)
	x := lo
	for i := range s {
		s[i].x0 = x
		x += room * share(s[i].to.Sub(s[i].from), whole)
		s[i].x1 = x
		x += gap
	}
	return s
}

// x is where a time is. Times outside of the scale are at its ends.
func (s timeScale) x(t time.Time) float64 {
	for i, p := range s {
		switch {
		case t.Before(p.from) && i > 0: // in the break before this piece
			before := s[i-1]
			return before.x1 + (p.x0-before.x1)*share(t.Sub(before.to), p.from.Sub(before.to))
		case !t.After(p.from):
			return p.x0
		case !t.After(p.to):
			return p.x0 + (p.x1-p.x0)*share(t.Sub(p.from), p.to.Sub(p.from))
		}
	}
	return s[len(s)-1].x1
}

// rate is how many units a second has; 0 where all happened in one instant.
func (s timeScale) rate() float64 {
	var wide, long float64
	for _, p := range s {
		wide += p.x1 - p.x0
		long += p.to.Sub(p.from).Seconds()
	}
	return wide / max(long, 1e-9)
}

func share(part, whole time.Duration) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// maxBreaks keeps the axis readable.
const maxBreaks = 3

// longGaps are the indexes of times (sorted) behind which so long nothing happens that all shorter gaps together have not a quarter of that. There may be none.
func longGaps(times []time.Time) []int {
	type gap struct {
		behind int
		long   time.Duration
	}
	var gaps []gap
	var rest time.Duration
	for i := range len(times) - 1 {
		g := gap{i, times[i+1].Sub(times[i])}
		gaps, rest = append(gaps, g), rest+g.long
	}
	slices.SortStableFunc(gaps, func(a, b gap) int { return cmp.Compare(b.long, a.long) })
	var long []int
	for _, g := range gaps[:min(maxBreaks, len(gaps))] {
		long, rest = append(long, g.behind), rest-g.long
		if rest > 0 && g.long > 4*rest {
			slices.Sort(long)
			return long
		}
	}
	return nil
}

// spread moves what is wanted at places (sorted) as little as possible, by the least squares, until neighbours are apart and all are between lo and hi. The
// order stays. Where there is no room for all, what is too much lies beyond hi.
func spread(want []float64, apart, lo, hi float64) []float64 {
	// Without the distance each needs, neighbours have to be in order only: the pool of adjacent violators does that.
	type pool struct {
		sum float64
		n   int
	}
	var pools []pool
	for i, w := range want {
		pools = append(pools, pool{w - float64(i)*apart, 1})
		for last := len(pools) - 1; last > 0; last-- {
			a, b := pools[last-1], pools[last]
			if a.sum/float64(a.n) <= b.sum/float64(b.n) {
				break
			}
			pools = append(pools[:last-1], pool{a.sum + b.sum, a.n + b.n})
		}
	}
	hi -= float64(len(want)-1) * apart
	var places []float64
	for _, p := range pools {
		for range p.n {
			places = append(places, max(lo, min(hi, p.sum/float64(p.n)))+float64(len(places))*apart)
		}
	}
	return places
}

// A nameRow is where a name is.
type nameRow int

// The rows: a name has no place, or is above or below its lane.
const (
	nowhere nameRow = iota
	above
	below
)

// A nameTag is the name of a mark. Its x is the middle.
type nameTag struct {
	x, wide float64
	rank    int // the lowest is placed first
	prefers nameRow
	row     nameRow
}

// placeNames gives names of one lane (from left to right) a row and moves them, where that saves them or keeps them between lo and hi, a little to the side. Names
// in a row are apart. Those of a high rank for which there is no room are nowhere.
func placeNames(names []nameTag, apart, lo, hi float64) []nameTag {
	placed := slices.Clone(names)
	order := make([]int, len(names))
	for i := range order {
		order[i], placed[i].row = i, nowhere
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(names[a].rank, names[b].rank) })
	for _, i := range order {
		n := names[i]
		rows := []nameRow{above, below}
		if n.prefers == below {
			rows = []nameRow{below, above}
		}
	search:
		for _, aside := range []float64{0, -0.25, 0.25, -0.5, 0.5} {
			for _, r := range rows {
				n.x, n.row = max(lo+n.wide/2, min(hi-n.wide/2, names[i].x+aside*n.wide)), r
				if !slices.ContainsFunc(placed, func(o nameTag) bool {
					return o.row == r && o.x-o.wide/2 < n.x+n.wide/2+apart && n.x-n.wide/2 < o.x+o.wide/2+apart
				}) {
					placed[i] = n
					break search
				}
			}
		}
	}
	return placed
}

// A unit is what the axis counts.
type unit int

// The units. A quarter is a unit because people plan in them.
const (
	second unit = iota
	minute
	hour
	day
	month
	quarter
	year
)

// steps are the distances that ticks may have, the shortest first.
var steps = []struct {
	unit unit
	n    int // of them
}{
	{second, 1}, {second, 5}, {second, 15}, {second, 30}, {minute, 1}, {minute, 5}, {minute, 15}, {minute, 30}, {hour, 1}, {hour, 3}, {hour, 6}, {hour, 12},
	{day, 1}, {day, 2}, {day, 7}, {month, 1}, {quarter, 1}, {year, 1}, {year, 2}, {year, 5}, {year, 10}, {year, 25}, {year, 100},
}

// length is about how long n units are.
func (u unit) length(n int) time.Duration {
	const d = 24 * time.Hour
	return time.Duration(n) * []time.Duration{time.Second, time.Minute, time.Hour, d, 30 * d, 91 * d, 365 * d}[u]
}

// floor is the newest multiple of n units that is not after t. Weeks begin on Monday.
func (u unit) floor(n int, t time.Time) time.Time {
	y, m, _ := t.Date()
	switch u {
	case year:
		return time.Date(y-y%n, time.January, 1, 0, 0, 0, 0, time.UTC)
	case quarter:
		return time.Date(y, m-(m-1)%3, 1, 0, 0, 0, 0, time.UTC)
	case month:
		return time.Date(y, m, 1, 0, 0, 0, 0, time.UTC)
	}
	return t.Truncate(u.length(n)) // since a Monday, at midnight
}

// next is the multiple of n units after t, which is one.
func (u unit) next(n int, t time.Time) time.Time {
	switch u {
	case year:
		return t.AddDate(n, 0, 0)
	case quarter:
		return t.AddDate(0, 3, 0)
	case month:
		return t.AddDate(0, 1, 0)
	}
	return t.Add(u.length(n))
}

// say writes a time as finely as the unit, in two parts: what is said at each tick, and what is said only where it changes.
func (u unit) say(t time.Time) (text, within string) {
	exact := u.floor(1, t).Equal(t)
	switch {
	case u == year && exact:
		return t.Format("2006"), ""
	case u == quarter && exact:
		return "Q" + string(rune('1'+(t.Month()-1)/3)), t.Format("2006")
	case u >= month:
		return t.Format("Jan"), t.Format("2006")
	case u == day:
		return t.Format("2"), t.Format("Jan 2006")
	case u == second:
		return t.Format("15:04:05"), t.Format("2 Jan 2006")
	}
	return t.Format("15:04"), t.Format("2 Jan 2006")
}

// A tick is a mark of the time axis. Its second text is empty where that of a tick before still holds; the last tick of a long axis says it again, for those who see the
// end of it only.
type tick struct {
	X            px
	Text, Within string
}

// ticks are those of a scale, at least apart units from each other, and the unit they count. Each piece of the scale has one at least; one that holds no round time
// has a tick at its begin.
func (s timeScale) ticks(apart float64) ([]tick, unit) {
	u, n := minute, 1
	if rate := s.rate(); rate > 0 {
		for _, step := range steps {
			u, n = step.unit, step.n
			if u.length(n).Seconds()*rate >= apart {
				break
			}
		}
	}
	var all []tick
	said, saidAt := "", px(0)
	add := func(t time.Time) {
		text, within := u.say(t)
		k := tick{X: px(s.x(t)), Text: text}
		if within != said {
			k.Within, said, saidAt = within, within, k.X
		}
		all = append(all, k)
	}
	for _, p := range s {
		before := len(all)
		t := u.floor(n, p.from)
		if t.Before(p.from) {
			t = u.next(n, t)
		}
		for ; !t.After(p.to); t = u.next(n, t) {
			add(t)
		}
		if len(all) == before {
			add(p.from)
		}
	}
	if last := &all[len(all)-1]; last.Within == "" && float64(last.X-saidAt) > 4*apart {
		last.Within = said
	}
	return all, u
}
