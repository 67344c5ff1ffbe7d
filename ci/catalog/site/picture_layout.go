package site

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/operator-release/operator-release/ci/catalog"
)

// draw measures the picture.
func draw(c catalog.Catalog) drawing {
	lines, unplaced, untimed := drawnLines(c)
	d := drawing{Unplaced: unplaced, Untimed: untimed}
	if len(lines) == 0 {
		return d
	}

	// The heads need room at the right, the fullest lane needs some in all.
	d.Development = newHead(c.Development, true)
	heads, most := d.Development.wide, 0
	for _, l := range lines {
		heads, most = max(heads, newHead(l.Name, true).wide), max(most, len(l.versions))
	}
	times := moments(lines)
	width := max(pictureWidth, edge+float64(most+1)*markApart+forkApart+headApart+heads)
	end := width - heads - 4
	scale := scaleFor(lines, times, end)
	for far := furthest(lines, scale, end); far > farMoved && width*1.25 < widest; {
		wider := width * 1.25
		s := scaleFor(lines, times, wider-heads-4)
		less := furthest(lines, s, wider-heads-4)
		if less > far*0.9 {
			break // they were made at the same time
		}
		width, end, scale, far = wider, wider-heads-4, s, less
	}
	ticks, unit := scale.ticks(tickApart)
	d.Ticks, d.Shows.Clock = ticks, unit < day

	for i, l := range lines {
		d.addLane(l, i, scale, end, width)
	}
	axis := trunkY + lanePitch*float64(len(lines)) + 46
	d.Width, d.Height, d.AxisY, d.Wide = px(width), px(axis+42), px(axis), width > pictureWidth
	d.addCurves(lines, scale)
	d.Trunk = fmt.Sprintf("M8 %vH%v", px(trunkY), px(end))
	d.Development.X, d.Development.Y = px(end), px(trunkY)
	d.addAxis(scale, end)
	d.About = summary(lines, times)
	return d
}

// addLane puts the next line into the picture: its curve from the development branch, its versions and their names, its head.
func (d *drawing) addLane(l drawnLine, index int, s timeScale, end, width float64) {
	y := trunkY + lanePitch*float64(index+1)
	n := lane{Y: px(y), Class: "pic-ended", Head: newHead(l.Name, l.Supported)}
	state := "no longer supported"
	if l.Supported {
		n.Class, state = fmt.Sprintf("pic-hue%d", index%hues+1), "supported"
	}
	d.Shows.Supported, d.Shows.Ended = d.Shows.Supported || l.Supported, d.Shows.Ended || !l.Supported
	n.About = join("Line "+Visible(l.Name), Visible(l.Branch), state)

	fork, at, far := l.places(s, end)
	d.Shows.Moved = d.Shows.Moved || far > 6
	begin := fork + 2*bend
	last := begin
	if len(at) > 0 {
		last = at[len(at)-1]
		if begin = at[0]; !l.Forked.IsZero() {
			begin = min(begin, fork+2*bend)
		}
	}
	if !l.Supported {
		end = last + headApart
	}
	if !l.Forked.IsZero() {
		n.Path = fmt.Sprintf("M%v %vq%v 0 %[3]v %[3]vV%vq0 %[3]v %[3]v %[3]v", px(fork), px(trunkY), px(bend), px(y-bend))
	}
	n.Path += fmt.Sprintf("M%v %vH%v", px(begin), px(y), px(end))
	n.Head.X, n.Head.Y = px(end), px(y)

	var tags []nameTag
	for i, v := range l.versions {
		m, tag := newMark(v, l.Line, d.Shows.Clock)
		m.X, tag.x = px(at[i]), at[i]
		d.Shows.add(v, m)
		n.Marks, tags = append(n.Marks, m), append(tags, tag)
	}
	left := 4.0
	if !l.Forked.IsZero() && fork < begin {
		left = fork + bend + 4 // the curve of the fork is beside the first name
	}
	for i, tag := range placeNames(tags, nameApart, left, width-4) {
		m := &n.Marks[i]
		m.NameX, m.nameWide = px(tag.x-at[i]), tag.wide
		switch tag.row {
		case nowhere:
			m.Name = ""
		case above:
			m.NameY = nameAbove
		case below:
			m.NameY = nameBelow
		}
	}
	d.Lanes = append(d.Lanes, n)
}

// Where the names are: their base line, from the lane.
const (
	nameAbove = -18
	nameBelow = 27
)

// newMark is how a version looks and what is said of it, wherever it will be.
func newMark(v catalog.Version, l catalog.Line, clock bool) (mark, nameTag) {
	m := mark{Version: v.Version.String(), Name: v.Version.String(), Class: "pic-patch", Radius: 6}
	tag, size, bold := nameTag{rank: 2, prefers: above}, 12.0, false
	switch v.Kind {
	case catalog.Candidate:
		m.Class, m.Radius, tag.rank, size = "pic-candidate", 4, 3, 11
		if _, number, ok := strings.Cut(m.Name, "-"); ok {
			m.Name = number // it stands before its final
		}
	case catalog.Final:
		m.Class, m.Radius, tag.rank, size, bold = "pic-final", 8, 1, 13, true
	}
	made := v.Time.UTC().Format("2 January 2006")
	if clock {
		made = v.Time.UTC().Format("2 January 2006 15:04:05 UTC")
	}
	state, newest, picks := "", "", ""
	if m.Bad = !v.Good(); m.Bad {
		m.Class, state = m.Class+" pic-bad", Visible(string(v.Mark.State))
	}
	if l.Supported && v.Version == l.Newest {
		m.Class, m.Ring, newest = m.Class+" pic-newest", m.Radius+4, "newest of line "+Visible(l.Name)
		tag.rank, bold = 0, true
	}
	if len(v.Picks) > 0 {
		picks, tag.prefers = counted(len(v.Picks), "backport"), below // their curves come from above
	}
	m.About = join(m.Version, string(v.Kind), made, state, newest, picks)
	tag.wide = textWidth(m.Name, size, bold)
	return m, tag
}

// add notes what a version needs to be explained.
func (s *shows) add(v catalog.Version, m mark) {
	switch v.Kind {
	case catalog.Candidate:
		s.Candidate = true
	case catalog.Final:
		s.Final = true
	default:
		s.Patch = true
	}
	s.Bad, s.Newest = s.Bad || m.Bad, s.Newest || m.Ring > 0
}

// addCurves draws backports. Where they are more than maxCurves, those that were made at about the same time for a version are one; and where that is not enough, those of
// lines that are no longer supported are left out.
func (d *drawing) addCurves(lines []drawnLine, s timeScale) {
	type curve struct {
		from float64
		lane *lane
		to   mark
	}
	var curves []curve
	for near := 8.0; ; near *= 2 {
		d.Shows.Fewer = near > float64(d.Width)
		curves = nil
		for i, l := range lines {
			for k, v := range l.versions {
				if l.Supported || !d.Shows.Fewer {
					for _, from := range origins(v.Picks, s, near) {
						curves = append(curves, curve{from, &d.Lanes[i], d.Lanes[i].Marks[k]})
					}
				}
			}
		}
		if len(curves) <= maxCurves || d.Shows.Fewer {
			break
		}
	}
	for _, c := range curves {
		x, y := float64(c.to.X), float64(c.lane.Y-max(c.to.Radius, c.to.Ring)-2)
		c.lane.Curves = append(c.lane.Curves, fmt.Sprintf("M%v %vC%v %v %v %v %v %v", px(c.from), px(trunkY), px(c.from+(x-c.from)*0.45), px(trunkY), px(x), px(y-(y-trunkY)*0.7), px(x), px(y)))
		d.Origins = append(d.Origins, px(c.from))
		d.Shows.Pick = true
	}
	slices.Sort(d.Origins)
	d.Origins = slices.CompactFunc(d.Origins, func(a, b px) bool { return math.Abs(float64(b-a)) < 2 })
}

// origins are where picks were made, each further than near from the one before.
func origins(picks []catalog.Pick, s timeScale, near float64) []float64 {
	var all, few []float64
	for _, p := range picks {
		if !p.Made.IsZero() {
			all = append(all, s.x(p.Made))
		}
	}
	slices.Sort(all)
	for _, x := range all {
		if len(few) == 0 || x-few[len(few)-1] > near {
			few = append(few, x)
		}
	}
	return few
}

// addAxis draws the axis, broken where the scale is.
func (d *drawing) addAxis(s timeScale, end float64) {
	y := d.AxisY
	d.Axis = fmt.Sprintf("M8 %v", y)
	for i := 1; i < len(s); i++ {
		before, after := s[i-1], s[i]
		middle := px((before.x1 + after.x0) / 2)
		d.Breaks = append(d.Breaks, pause{X: middle - 14, Wide: 28, Middle: middle, Text: "≈ " + lasting(after.from.Sub(before.to))})
		d.Axis += fmt.Sprintf("H%vm1 6 8-12m0 12 8-12M%v %v", middle-9, middle+9, y)
	}
	d.Axis += fmt.Sprintf("H%v", px(end))
	d.Shows.Break = len(s) > 1
}

// lasting is about how long a break is.
func lasting(long time.Duration) string {
	for u := year; u > second; u-- {
		if u == quarter {
			continue
		}
		if n := int(math.Round(float64(long) / float64(u.length(1)))); long >= u.length(1) {
			return counted(n, [...]string{minute: "minute", hour: "hour", day: "day", month: "month", year: "year"}[u])
		}
	}
	return counted(max(1, int(long.Seconds())), "second")
}

// summary is the picture in a sentence.
func summary(lines []drawnLine, times []time.Time) string {
	n, bad := 0, 0
	for _, l := range lines {
		n += len(l.versions)
		for _, v := range l.versions {
			if m, _ := newMark(v, l.Line, false); m.Bad {
				bad++
			}
		}
	}
	from, to := times[0].Format("2 January 2006"), times[len(times)-1].Format("2 January 2006")
	text := counted(len(lines), "release line") + " with " + counted(n, "version") + ", " + from
	if to != from {
		text += " to " + to
	}
	if bad > 0 {
		text += fmt.Sprintf(", %d of them withdrawn or rolled back", bad)
	}
	return text + "."
}

// newHead is the sign of a branch, which points on where the branch runs on.
func newHead(name string, on bool) head {
	h := head{Full: Visible(name), Text: Visible(name)}
	if r := []rune(h.Text); len(r) > 16 {
		h.Text = string(r[:15]) + "…"
	}
	h.wide = textWidth(h.Text, 13, true) + 26
	h.TextX = px(h.wide/2 - 3)
	if on {
		h.Outline = fmt.Sprintf("M5-12H%vL%v 0 %[1]v 12H5q-5 0-5-5V-7q0-5 5-5Z", px(h.wide-10), px(h.wide))
	} else {
		h.TextX = px(h.wide/2 - 4)
		h.Outline = fmt.Sprintf("M5-11H%vq5 0 5 5V6q0 5-5 5H5q-5 0-5-5V-6q0-5 5-5Z", px(h.wide-13))
	}
	return h
}

// textWidth is at least as wide as a text is in the usual fonts, which nobody can measure here.
func textWidth(text string, size float64, bold bool) float64 {
	em := 0.0
	for _, r := range text {
		switch {
		case strings.ContainsRune(".,:;-'|!ijlrft/()[] ", r):
			em += 0.4
		case r < utf8.RuneSelf && r != 'm' && r != 'w' && r != 'M' && r != 'W' && r != '@' && r != '%':
			em += 0.64
		default:
			em++
		}
	}
	if bold {
		em *= 1.1
	}
	return em * size
}

// join joins what is not empty by commas.
func join(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), ", ")
}
