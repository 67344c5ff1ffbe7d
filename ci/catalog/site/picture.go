package site

import (
	"html/template"
	"slices"
	"strings"

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
