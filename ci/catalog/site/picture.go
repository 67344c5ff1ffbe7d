package site

import (
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/operator-release/operator-release/ci/catalog"
	"github.com/operator-release/operator-release/ci/version"
)

// Picture shows the release lines over time as one SVG within HTML: the development branch at the top, each line below, the newest first, versions where they were made.
// Each version is a link to versions/VERSION.html. What has no known time is left out of the drawing and named beneath. It needs the style sheet picture.css, no script and
// no style of its own; its ids begin with "picture-", its classes with "pic-". The same catalog gives the same markup.
func Picture(c catalog.Catalog) template.HTML {
	var b strings.Builder
	if err := pictureTemplate.Execute(&b, draw(c)); err != nil {
		panic(err) // a builder takes everything: the template is wrong
	}
	return template.HTML(b.String())
}

// Measures of the picture.
const (
	pictureWidth = 960.0  // at least
	widest       = 1600.0 // where it does not have to be
	farMoved     = 32.0   // from its time: a wider picture is better
	edge         = 40.0   // left of the first time
	trunkY       = 36.0   // of the development branch
	lanePitch    = 66.0   // between lanes: the name below one and the name above the next
	bend         = 14.0   // radius of the curves of a fork
	forkApart    = 16.0   // from a fork to the first mark, beside markApart
	markApart    = 18.0   // between the middles of neighbours on a lane
	nameApart    = 5.0
	breakWidth   = 84.0
	tickApart    = 84.0
	runOn        = 48.0 // from the newest time to the heads of lines that run on
	headApart    = 18.0 // from a mark to the head
	maxCurves    = 60   // of backports
	hues         = 4    // that the style sheet has
)

// A drawing is a catalog's picture, measured.
type drawing struct {
	Width, Height, AxisY px
	Wide                 bool // wider than pictureWidth
	About                string
	Trunk, Axis          string // paths
	Development          head
	Origins              []px   // of backports, on the development branch
	Lanes                []lane // the newest first
	Breaks               []pause
	Ticks                []tick
	Shows                shows
	Untimed              []version.Version
	Unplaced             []string // names of lines
}

// shows is what occurs in a drawing, and so has to be explained.
type shows struct{ Candidate, Final, Patch, Bad, Newest, Pick, Supported, Ended, Break, Moved, Fewer, Clock bool }

// A lane is a release line.
type lane struct {
	Y            px
	About, Class string
	Path         string
	Curves       []string // paths of backports
	Head         head
	Marks        []mark
}

// A mark is a version.
type mark struct {
	X            px
	Version      string
	About, Class string
	Radius, Ring px // there may be no ring
	Bad          bool
	Name         string // as it is shown; empty where there is no room
	NameX, NameY px     // from the middle of the mark
	nameWide     float64
}

// A head is the sign at the end of a branch.
type head struct {
	X, Y, TextX px
	Text, Full  string // the one is short
	Outline     string // path, from X and Y
	wide        float64
}

// A pause is a break of the axis.
type pause struct {
	X, Wide, Middle px
	Text            string
}

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

// pictureTemplate writes a drawing. The container scrolls by itself on small screens, so the keyboard must reach it.
var pictureTemplate = template.Must(template.New("picture").Parse(`
{{- define "name"}}{{if .Name}}<text x="{{.NameX}}" y="{{.NameY}}">{{.Name}}</text>{{end}}{{end -}}

{{- define "head"}}<g class="pic-head" transform="translate({{.X}} {{.Y}})"><title>{{.Full}}</title><path d="{{.Outline}}"/><text x="{{.TextX}}" y="4.5">{{.Text}}</text></g>{{end -}}

<div class="pic">
{{- if .Lanes}}
<div class="picture" tabindex="0" role="region" aria-label="Release lines over time">
<svg{{if .Wide}} class="pic-wide" width="{{.Width}}" height="{{.Height}}"{{end}} viewBox="0 0 {{.Width}} {{.Height}}" role="group" aria-labelledby="picture-svg-title" aria-describedby="picture-svg-about" xmlns="http://www.w3.org/2000/svg">
<title id="picture-svg-title">Release lines</title><desc id="picture-svg-about">{{.About}}</desc>
<g class="pic-back" aria-hidden="true">
{{- range .Ticks}}<path class="pic-grid" d="M{{.X}} 20V{{$.AxisY}}"/>{{end}}
{{- range .Breaks}}<rect class="pic-break" x="{{.X}}" y="18" width="{{.Wide}}" height="{{$.BreakHeight}}"/><text x="{{.Middle}}" y="13">{{.Text}}</text>{{end -}}
</g>
<g aria-hidden="true">
{{- range .Reversed}}<path class="pic-lane {{.Class}}" d="{{.Path}}"/>{{end}}<path class="pic-trunk" d="{{.Trunk}}"/>
{{- range .Lanes}}{{if .Curves}}<g class="pic-curves {{.Class}}">{{range .Curves}}<path d="{{.}}"/>{{end}}</g>{{end}}{{end}}
{{- range .Origins}}<circle class="pic-origin" cx="{{.}}" cy="{{$.Development.Y}}" r="3"/>{{end -}}
</g>
<g class="pic-development" role="img" aria-label="Development branch {{.Development.Full}}">{{template "head" .Development}}</g>
{{range .Lanes}}<g class="pic-marks {{.Class}}" role="group" aria-label="{{.About}}"><g aria-hidden="true">{{template "head" .Head}}</g>
{{- $y := .Y}}{{range .Marks}}
<a class="{{.Class}}" href="versions/{{.Version}}.html" transform="translate({{.X}} {{$y}})"><title>{{.About}}</title><circle class="pic-hit" r="9"/>
{{- if .Ring}}<circle class="pic-ring" r="{{.Ring}}"/>{{end}}<circle r="{{.Radius}}"/>{{if .Bad}}<path d="M-8-8 8 8M8-8-8 8"/>{{end}}{{template "name" .}}</a>
{{- end}}</g>
{{end -}}
<g class="pic-axis" aria-hidden="true"><path d="{{.Axis}}"/>
{{- range .Ticks}}<path d="M{{.X}} {{$.AxisY}}v6"/><text x="{{.X}}" y="{{$.TickY}}">{{.Text}}</text>{{if .Within}}<text class="pic-within" x="{{.X}}" y="{{$.WithinY}}">{{.Within}}</text>{{end}}{{end -}}
</g>
</svg>
</div>
<ul class="pic-legend">
{{- with .Shows}}
{{- if .Final}}<li><svg class="pic-key pic-hue1" viewBox="-12 -12 24 24" aria-hidden="true"><g class="pic-final"><circle r="8"/></g></svg>final version</li>{{end}}
{{- if .Patch}}<li><svg class="pic-key pic-hue1" viewBox="-12 -12 24 24" aria-hidden="true"><g class="pic-patch"><circle r="6"/></g></svg>patch</li>{{end}}
{{- if .Candidate}}<li><svg class="pic-key pic-hue1" viewBox="-12 -12 24 24" aria-hidden="true"><g class="pic-candidate"><circle r="4"/></g></svg>candidate</li>{{end}}
{{- if .Newest}}<li><svg class="pic-key pic-hue1" viewBox="-12 -12 24 24" aria-hidden="true"><g class="pic-patch"><circle class="pic-ring" r="10"/><circle r="6"/></g></svg>newest good version of a supported line</li>{{end}}
{{- if .Bad}}<li><svg class="pic-key pic-hue1" viewBox="-12 -12 24 24" aria-hidden="true"><g class="pic-patch pic-bad"><circle r="6"/><path d="M-8-8 8 8M8-8-8 8"/></g></svg>withdrawn or rolled back</li>{{end}}
{{- if .Pick}}<li><svg class="pic-key pic-hue1" viewBox="-12 -12 24 24" aria-hidden="true"><g class="pic-curves"><path d="M-11-8C4-8 8-2 8 10"/></g></svg>backport from the development branch</li>{{end}}
{{- if .Supported}}<li><svg class="pic-key pic-hue1" viewBox="-12 -12 24 24" aria-hidden="true"><g class="pic-head"><path d="M-11-7H4L11 0 4 7H-11Z"/></g></svg>supported line</li>{{end}}
{{- if .Ended}}<li><svg class="pic-key pic-ended" viewBox="-12 -12 24 24" aria-hidden="true"><g class="pic-head"><path d="M-11-7H11V7H-11Z"/></g></svg>line that is no longer supported</li>{{end}}
{{- end}}
</ul>
{{- with .Notes}}
<p class="pic-note">{{range $i, $n := .}}{{if $i}} {{end}}{{$n}}{{end}}</p>{{end}}
{{- else}}
<p class="pic-note">There is no version yet whose time is known.</p>
{{- end}}
{{- with .Untimed}}
<p class="pic-note">Not drawn, because their time is not known:{{range $i, $v := .}}{{if $i}},{{end}} <a href="versions/{{$v}}.html">{{$v}}</a>{{end}}.</p>{{end}}
{{- with .Unplaced}}
<p class="pic-note">Not drawn, because no time is known of them: {{range $i, $l := .}}{{if $i}}, {{end}}line {{$l}}{{end}}.</p>{{end}}
</div>
`))

// Reversed are the lanes, the oldest first: the newest is drawn over them.
func (d drawing) Reversed() []lane {
	r := slices.Clone(d.Lanes)
	slices.Reverse(r)
	return r
}

// TickY is the base line of what ticks say.
func (d drawing) TickY() px { return d.AxisY + 20 }

// WithinY is the base line of what ticks say only where it changes.
func (d drawing) WithinY() px { return d.AxisY + 36 }

// BreakHeight is how long the band of a break is.
func (d drawing) BreakHeight() px { return d.AxisY - 18 + 8 }

// Notes say how to read the axis, where that is not plain.
func (d drawing) Notes() []string {
	var notes []string
	if d.Shows.Clock {
		notes = append(notes, "Times are UTC.")
	}
	if d.Shows.Break {
		notes = append(notes, "Where the axis is broken a time in which nothing happened is drawn short.")
	}
	if d.Shows.Moved {
		notes = append(notes, "Versions made at almost the same time are drawn side by side; their pages tell when.")
	}
	if d.Shows.Fewer {
		notes = append(notes, "Backports are drawn for supported lines only: there are many.")
	}
	return notes
}
