// Package compare tells what differs for users between two versions of an operator, from their trees alone: the schemas of its CRDs, what it may do (RBAC), the values
// and objects of its charts, its webhooks, images and base images, its Go toolchain and dependencies.
//
// It judges how much a difference matters to whoever upgrades, and decides nothing: which version may contain what is the plan's business.
package compare

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// Severity is how much a difference matters to whoever upgrades.
type Severity string

// The severities, the gravest first.
const (
	Breaking Severity = "breaking" // something that worked before may not work any more, or needs a hand
	Notable  Severity = "notable"  // what the operator may do, needs or offers is another
	Info     Severity = "info"     // to know
)

// The subjects of findings.
const (
	CRD     = "crd"
	RBAC    = "rbac"
	Values  = "values"
	Objects = "objects"
	Webhook = "webhook"
	Image   = "image"
	Go      = "go"
	Flags   = "flags" // of the command line of released binaries
)

// Finding is one difference.
type Finding struct {
	ID       string   `json:"id"` // stable: SUBJECT/WHAT IT IS ABOUT/WHAT BECAME OF IT, such as crd/pijobs.demo.example.com/v1alpha1/spec.digits/narrowed; no version of the project is in it
	Subject  string   `json:"subject"`
	Severity Severity `json:"severity"`
	What     string   `json:"what"` // a sentence without its full stop
	Was      string   `json:"was,omitempty"`
	Now      string   `json:"now,omitempty"`
	File     string   `json:"file"`           // in the newer tree; of what is gone, in the older one
	Line     int      `json:"line,omitempty"` // from 1; 0 where no line says it
	Gone     bool     `json:"gone,omitempty"` // File and Line are those of the older tree
	Object   string   `json:"object,omitempty"`
	Reach    *Reach   `json:"reach,omitempty"`  // of a CRD: how it comes into a cluster
	Stored   *Stored  `json:"stored,omitempty"` // of a version of a CRD that is gone
	// NotCompared: it is no difference, but a part of one version that could not be read.
	NotCompared bool `json:"notCompared,omitempty"`
	Forward     bool `json:"forward,omitempty"` // it cannot be taken back by going back: what the newer version stores the older one does not know
	// Adds: it offers something new, such as a value, a flag or a field. It is a feature, whatever commits say.
	Adds bool `json:"adds,omitempty"`
}

// Stored is a version of a CRD in which clusters may have stored objects. An API server refuses a CRD without it while
// the CRD's status.storedVersions lists it.
type Stored struct {
	CRD     string `json:"crd"`
	Version string `json:"version"`
	Now     string `json:"now,omitempty"` // the version in which the older CRD stores objects; empty if it is Version itself
}

// New makes a finding of a subject; the parts of its id are joined by slashes, whatever in them is a slash, a blank or a control character is written as a dash.
func New(severity Severity, subject string, parts ...string) Finding {
	id := subject
	for _, part := range parts {
		id += "/" + strings.Map(func(r rune) rune {
			if r <= ' ' || r == '/' || r == 0x7f {
				return '-'
			}
			return r
		}, part)
	}
	return Finding{ID: id, Subject: subject, Severity: severity}
}

// NothingCompared is the only finding where the older version cannot be read.
func NothingCompared(err error) Finding {
	f := New(Notable, Go, "version", "not-compared", olderSide)
	f.What, f.Now = "nothing is compared: the older version cannot be read", strings.Join(strings.Fields(err.Error()), " ")
	f.NotCompared = true
	return f
}

// Unreadable tells whether the finding is a part of the newer version that could not be read.
func (f Finding) Unreadable() bool {
	return f.NotCompared && f.Severity == Notable && strings.HasSuffix(f.ID, "/not-compared/"+newerSide)
}

var graveness = []Severity{Breaking, Notable, Info}

// Sort orders findings: the gravest first, then by id.
func Sort(findings []Finding) {
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(slices.Index(graveness, a.Severity)-slices.Index(graveness, b.Severity), strings.Compare(a.ID, b.ID))
	})
}

// most is how many characters of a value a finding shows.
const most = 80

func shortened(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}

func inOrderOf[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
