package catalog

import (
	"time"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/output"
	"github.com/operator-release/operator-release/ci/version"
)

// Schema names the form of the catalog; another form gets another name.
const Schema = output.CatalogSchema + "v1"

// JSONFile is the catalog's own name in a site.
const JSONFile = output.CatalogFile

// Catalog is everything that is known about a project's versions. It holds no time of its making: the same world gives the same catalog.
type Catalog struct {
	Schema      string    `json:"schema"`
	Name        string    `json:"name"`
	URL         string    `json:"url,omitempty"`    // of the source
	Site        string    `json:"site,omitempty"`   // where the site will be, with a slash at its end; empty where that is not known
	Development string    `json:"development"`      // the branch
	Updated     time.Time `json:"updated,omitzero"` // when the newest version or mark was made
	Audit       Audit     `json:"audit"`
	Lines       []Line    `json:"lines"`    // the newest first
	Versions    []Version `json:"versions"` // the newest first
}

// Audit is where an audit looked, and what it said about no version of its own.
type Audit struct {
	Git      string   `json:"git"`
	Registry string   `json:"registry,omitempty"` // empty where none was asked
	Forge    string   `json:"forge,omitempty"`    // empty where none was asked
	Notes    []string `json:"notes,omitempty"`
}

// Line is a release line.
type Line struct {
	Name      string          `json:"name"`
	Branch    string          `json:"branch"`          // by the pattern of branches
	Tip       string          `json:"tip,omitempty"`   // of the branch; empty where there is none
	Forked    time.Time       `json:"forked,omitzero"` // when the line's history left the development branch; zero where it did not
	Supported bool            `json:"supported"`
	Newest    version.Version `json:"newest,omitzero"` // the newest final version that is not marked as bad
}

// Kind is what a version is.
type Kind string

// The kinds. A final version is the first of its minor; what follows it are patches.
const (
	Candidate Kind = "candidate"
	Final     Kind = "final"
	Patch     Kind = "patch"
)

// Version is one version.
type Version struct {
	Version    version.Version `json:"version"`
	Kind       Kind            `json:"kind"`
	Line       string          `json:"line"`
	Time       time.Time       `json:"time,omitzero"`      // of its record, else of its tag
	Commit     string          `json:"commit,omitempty"`   // release commit
	Previous   version.Version `json:"previous,omitzero"`  // on its line
	From       version.Version `json:"from,omitzero"`      // that users come from: what the guide is told from
	Mark       *journal.Mark   `json:"mark,omitempty"`     // newest one, where it was ever marked
	Record     string          `json:"record,omitempty"`   // where its record was read; empty where there is none
	Identity   string          `json:"identity,omitempty"` // digest of its release artifact
	Artifact   string          `json:"artifact,omitempty"` // repository of its release artifact
	Page       string          `json:"page,omitempty"`     // address of its release page at the forge
	Platforms  []string        `json:"platforms,omitempty"`
	Images     []Image         `json:"images,omitempty"`
	Charts     []Chart         `json:"charts,omitempty"`
	Files      []File          `json:"files,omitempty"`    // that the version offers by name: archives, SBOMs, checksums, notes, the record
	Picks      []Pick          `json:"picks,omitempty"`    // backports, the oldest first
	Notes      string          `json:"notes,omitempty"`    // Markdown
	Guide      string          `json:"guide,omitempty"`    // Markdown, from From; empty where there is nothing to come from
	Asks       []string        `json:"asks,omitempty"`     // what the guide asks of users before an upgrade, each a line of Markdown
	Findings   []Finding       `json:"findings,omitempty"` // what the audit found to differ, to be missing or not to be told
	Agree      int             `json:"agree"`              // how many surfaces agree
	Said       []string        `json:"said,omitempty"`     // what else the audit says about it
	Signatures []Signature     `json:"signatures,omitempty"`
}

// Image is an image of a version.
type Image struct {
	Name      string                 `json:"name"`             // reference: repository:tag
	Digest    string                 `json:"digest,omitempty"` // of its index, or of its manifest where it has no index; empty where it is not known
	Platforms []bundle.PlatformImage `json:"platforms,omitempty"`
	Bases     []bundle.Base          `json:"bases,omitempty"`
}

// Chart is a chart of a version.
type Chart struct {
	Name      string `json:"name"`
	Version   string `json:"version"`
	Reference string `json:"reference"`         // oci://REPOSITORY, as helm takes it; empty where that is not known
	CRDs      bool   `json:"crds,omitempty"`    // it has a folder of them, which Helm installs once
	Digest    string `json:"digest,omitempty"`  // of its manifest; empty where it is not known
	Package   string `json:"package,omitempty"` // digest of its tgz; empty where it is not known
	File      string `json:"file,omitempty"`    // name of its tgz
	URL       string `json:"url,omitempty"`     // of the package: absolute, or relative to the site; empty where that is not known
	Indexed   bool   `json:"indexed,omitempty"` // the catalog's index.yaml lists it
}

// File is a file that a version offers.
type File struct {
	Kind     string `json:"kind"` // as in the record
	Name     string `json:"name"`
	Digest   string `json:"digest"`
	Size     int64  `json:"size"` // in bytes
	Platform string `json:"platform,omitempty"`
	URL      string `json:"url,omitempty"` // where it can be downloaded; empty where that is not known
}

// Pick is a commit of the development branch that a version has by a backport.
type Pick struct {
	Commit  string    `json:"commit"`        // on the line
	Origin  string    `json:"origin"`        // that it was picked from
	Made    time.Time `json:"made,omitzero"` // the origin; zero where the repository has it not
	Subject string    `json:"subject"`
}

// State is what an audit found out about a surface.
type State string

// The states. Missing is a difference, too; what is unseen is none.
const (
	Agrees  State = "agrees"
	Differs State = "differs"
	Missing State = "missing"
	Unseen  State = "cannot tell"
)

// Finding is a surface that does not agree with the record, or of which that cannot be told.
type Finding struct {
	Kind  string `json:"kind"`
	Name  string `json:"name"`
	State State  `json:"state"`
	Want  string `json:"want,omitempty"`
	Found string `json:"found,omitempty"`
	Note  string `json:"note,omitempty"`
}

// Signature is something that somebody who is trusted signed, or should have.
type Signature struct {
	Name  string `json:"name"` // what is signed
	State State  `json:"state"`
	By    string `json:"by,omitempty"` // keys or identities that the audit trusts, as it names them; else what is wrong
}
