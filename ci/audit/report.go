package audit

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/forge"
	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/version"
)

// State is what was found out about a surface.
type State string

// The states. Missing is a difference too; what is unseen is none.
const (
	Agrees  State = "agrees"
	Differs State = "differs"
	Missing State = "missing"
	Unseen  State = "cannot tell"
)

// The kinds of surfaces.
const (
	KindClaim     = "claim"
	KindRelease   = "release artifact"
	KindTag       = "git tag"
	KindBranch    = "branch"
	KindHistory   = "history"
	KindTree      = "tree"
	KindFile      = "surface"
	KindImage     = "image"
	KindPlatform  = "platform"
	KindChart     = "chart"
	KindFloating  = "floating tag"
	KindReferrer  = "referrer"
	KindSignature = "signature"
	KindBackup    = "backup"
	KindMark      = "mark"
	KindPage      = "release page"
	KindIndex     = "chart index"
)

// kinds are in the order in which a publication writes.
var kinds = []string{KindRelease, KindBackup, KindMark, KindClaim, KindBranch, KindHistory, KindTag, KindTagSignature, KindTree, KindFile, KindImage, KindPlatform, KindReferrer, KindSignature, KindFloating, KindChart, KindPage, KindIndex}

// Surface is one place that carries a version, or is a part of what was published of it.
type Surface struct {
	Kind  string `json:"kind"`
	Name  string `json:"name"`
	State State  `json:"state"`
	Want  string `json:"want,omitempty"`
	Found string `json:"found,omitempty"`
	Note  string `json:"note,omitempty"` // why it cannot be told, or what else one should know
}

// Version is what was found out about one version.
type Version struct {
	Version  version.Version `json:"version"`
	Identity string          `json:"identity,omitempty"` // by the record
	Record   string          `json:"record,omitempty"`   // where the record was read; empty where the surfaces were compared with each other
	Mark     *journal.Mark   `json:"mark,omitempty"`     // newest one
	Surfaces []Surface       `json:"surfaces"`
	Notes    []string        `json:"notes,omitempty"` // no differences

	// What a catalog shows, and a report does not repeat.
	Made  *Made             `json:"-"` // nil where there is no record
	Found []bundle.Artifact `json:"-"` // without a record: images and charts that the version should have, with digests as far as a registry told them
	Page  *forge.Page       `json:"-"` // published release page; nil where none was seen
}

// Count is how many surfaces are in one of the states.
func (v Version) Count(states ...State) int {
	n := 0
	for _, s := range v.Surfaces {
		if slices.Contains(states, s.State) {
			n++
		}
	}
	return n
}

// Report is what an audit found out.
type Report struct {
	Git      string    `json:"git"`                // where refs were read
	Registry string    `json:"registry,omitempty"` // where images and charts were; empty where no registry was asked
	Forge    string    `json:"forge,omitempty"`    // whose release pages were looked at; empty where none was asked
	Versions []Version `json:"versions"`           // the newest first
	Notes    []string  `json:"notes,omitempty"`    // about no version of their own
}

// Err says in short what differs; an audit that could read nothing at all failed as well.
func (r Report) Err() error {
	var differ []string
	seen := len(r.Versions) == 0
	for _, v := range r.Versions {
		if n := v.Count(Differs, Missing); n > 0 {
			differ = append(differ, fmt.Sprintf("%s (%d)", v.Version, n))
		}
		seen = seen || v.Count(Unseen) < len(v.Surfaces)
	}
	switch {
	case !seen:
		return errors.New("audit: nothing could be read; see the reasons above, and run it again")
	case len(differ) == 0:
		return nil
	case len(r.Versions) == 1:
		v := r.Versions[0]
		return fmt.Errorf("audit %s: %d of %d surfaces differ or are missing", v.Version, v.Count(Differs, Missing), len(v.Surfaces))
	}
	return fmt.Errorf("audit: surfaces of %d of %d versions differ or are missing: %s", len(differ), len(r.Versions), strings.Join(differ, ", "))
}

// add adds a surface.
func (v *Version) add(s Surface) { v.Surfaces = append(v.Surfaces, s) }

// compare adds a surface that agrees where want was found, is missing where nothing was, and else differs.
func (v *Version) compare(kind, name, want, found, note string) {
	s := Surface{Kind: kind, Name: name, State: Agrees, Want: want, Found: found, Note: note}
	switch {
	case found == "":
		s.State = Missing
	case found != want:
		s.State = Differs
	}
	v.add(s)
}

// unseen adds a surface that cannot be told.
func (v *Version) unseen(kind, name, want, why string) {
	v.add(Surface{Kind: kind, Name: name, State: Unseen, Want: want, Note: why})
}

// note adds a note once.
func (v *Version) note(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(v.Notes, text) {
		v.Notes = append(v.Notes, text)
	}
}
