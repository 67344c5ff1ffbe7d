package site

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/catalog"
	"github.com/operator-release/operator-release/ci/version"
)

// versionPage is everything about one version.
type versionPage struct {
	page
	V             catalog.Version // as much of it as there is room for
	State         shownState
	Audit         audited
	Before, After *catalog.Version // on its line
	Instead       *catalog.Version // what to run where it is bad
	Bad           bool
	Pinned        []pinned
	Bases         []bundle.Base
	SBOMs         []sbom
	Verify        []string // commands
	ByKey         bool     // commands need the project's public key
	Notes, Guide  document
	Bound         int64 // of Notes and Guide, in bytes
	More          more
}

// more is how many of each there are that the page has no room for.
type more struct {
	Images, Charts, Files, Picks, Findings, Said, Signatures int
}

// pinned is an image by its digest.
type pinned struct {
	catalog.Image
	Repository string
}

// sbom is a bill of materials that is attached to the image of a platform.
type sbom struct {
	Image, Platform, File, Digest string
}

func (s *site) version(i int) ([]byte, error) {
	v := s.Versions[i]
	p := versionPage{page: page{s, s.Name + " " + v.Version.String(), "version", "../"}, State: stateOf(v), Audit: auditOf(v), Bad: !v.Good()}
	same := s.ofLine(v.Line)
	slices.SortFunc(same, func(a, b catalog.Version) int { return a.Version.Compare(b.Version) })
	at := slices.IndexFunc(same, func(o catalog.Version) bool { return o.Version == v.Version })
	if at > 0 {
		p.Before = &same[at-1]
	}
	if at+1 < len(same) {
		p.After = &same[at+1]
	}
	if p.Bad {
		p.Instead = s.instead(v)
	}
	return fitting("version.html", func(b bounds) any {
		shown := v
		shown.Notes, shown.Guide = "", ""
		p.V, p.Bound = within(b, shown), int64(b.Text)
		p.Notes = prose(unwarned(v, v.Notes), v.Version.String(), b.Text, false)
		if p.Guide = s.guide[i](); len(p.Guide.HTML) > b.Text {
			p.Guide = prose(unwarned(v, v.Guide), v.Version.String(), b.Text, true)
		}
		p.More = more{len(v.Images) - len(p.V.Images), len(v.Charts) - len(p.V.Charts), len(v.Files) - len(p.V.Files), len(v.Picks) - len(p.V.Picks), len(v.Findings) - len(p.V.Findings),
			len(v.Said) - len(p.V.Said), len(v.Signatures) - len(p.V.Signatures)}
		p.images()
		p.verify()
		return p
	})
}

// images are the version's, with what they are built upon and what describes them.
func (p *versionPage) images() {
	p.Pinned, p.Bases, p.SBOMs = nil, nil, nil
	for _, image := range p.V.Images {
		p.Pinned = append(p.Pinned, pinned{image, repository(image.Name)})
		for _, b := range image.Bases {
			if !slices.Contains(p.Bases, b) {
				p.Bases = append(p.Bases, b)
			}
		}
		for _, of := range image.Platforms {
			for _, b := range of.SBOMs {
				p.SBOMs = append(p.SBOMs, sbom{image.Name, of.Platform, b.File, b.Digest.String()})
			}
		}
	}
}

func first[T any](all []T, most int) []T { return all[:min(len(all), most)] }

// instead is what to run instead of a bad version: the newest good one of its line, else of the next line that has one, else the newest before it.
func (s *site) instead(v catalog.Version) *catalog.Version {
	if same := s.newest(func(o catalog.Version) bool { return o.Line == v.Line }); same != nil {
		return same
	}
	var next *catalog.Version
	for _, o := range s.Versions {
		if o.Line != v.Line && canRun(o) && o.Version.Compare(v.Version) > 0 && (next == nil || o.Version.Compare(next.Version) < 0) {
			next = &o
		}
	}
	if next != nil {
		return s.newest(func(o catalog.Version) bool { return o.Line == next.Line })
	}
	return s.newest(func(o catalog.Version) bool { return o.Version.Compare(v.Version) < 0 })
}

// repository is a reference without its tag.
func repository(reference string) string {
	if at := strings.LastIndexByte(reference, ':'); at > strings.LastIndexByte(reference, '/') {
		return reference[:at]
	}
	return reference
}

var byIdentity = regexp.MustCompile(`identity (\S+) of (https?://[^\s,]+)`)

// verify are the commands that verify the images of which an audit found that somebody signed them who is trusted.
func (p *versionPage) verify() {
	p.Verify, p.ByKey = nil, false
	for _, image := range p.Pinned {
		at := slices.IndexFunc(p.V.Signatures, func(s catalog.Signature) bool {
			rest, ok := strings.CutPrefix(s.Name, image.Name)
			return ok && s.State == catalog.Agrees && (rest == "" || rest == " signature")
		})
		if at < 0 || image.Digest == "" {
			continue
		}
		by := ""
		if found := byIdentity.FindStringSubmatch(p.V.Signatures[at].By); found != nil {
			by = "--certificate-identity " + word(found[1]) + " --certificate-oidc-issuer " + word(found[2])
		} else if strings.Contains(p.V.Signatures[at].By, "key ") {
			by, p.ByKey = "--key cosign.pub --insecure-ignore-tlog", true // a signature by a key is in no public log
		} else {
			continue
		}
		p.Verify = append(p.Verify, "cosign verify "+by+" "+word(image.Repository+"@"+image.Digest))
	}
}

// Install is the command that installs a chart.
func (p versionPage) Install(c catalog.Chart) string {
	return install(reference(c), c)
}

// InstallIndexed is the command that installs a chart of the chart index.
func (p versionPage) InstallIndexed(c catalog.Chart) string {
	return install(p.indexed(c), c)
}

func install(from string, c catalog.Chart) string {
	return "helm install RELEASE " + word(from) + " --version " + word(c.Version) + " --namespace NAMESPACE --create-namespace"
}

// Rest says where the rest of a text is.
func (p versionPage) Rest(file string) string {
	for _, f := range p.Versions[p.at[p.V.Version]].Files {
		if f.Name == file {
			return fmt.Sprintf("the file %s of this version, and in catalog.json", file)
		}
	}
	return "catalog.json"
}

// Known tells whether the site has a page of a version.
func (p versionPage) Known(v version.Version) bool { _, ok := p.at[v]; return ok }

// NotesFile is the name of the file with the notes.
func (p versionPage) NotesFile() string { return bundle.NotesFile }

// GuideFile is the name of the file with the upgrade guide.
func (p versionPage) GuideFile() string { return bundle.GuideFile }
