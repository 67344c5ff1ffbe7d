package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/operator-release/operator-release/ci/audit"
	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/catalog"
	"github.com/operator-release/operator-release/ci/chartindex"
	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/pipeline"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/tags"
	"github.com/operator-release/operator-release/ci/upgrade"
	"github.com/operator-release/operator-release/ci/version"
)

// looking is where a catalog finds out about versions, beside what the audit said.
type looking struct {
	repository *git.Repository
	config     config.Config
	settings   *string // content of a settings file that replaces those of the tagged trees
	tagged     tags.Tags
}

// version is what is known of a version: by its record, or, without one, by git alone. What cannot be told is said beside what the audit said.
// Where the reason is that objects are missing in this clone, that is an error.
func (l looking) version(ctx context.Context, a audit.Version) (catalog.Version, error) {
	v := catalog.Version{Version: a.Version, Mark: a.Mark, Record: a.Record, Identity: a.Identity, Said: a.Notes, Agree: a.Count(audit.Agrees)}
	for _, s := range a.Surfaces {
		if s.Kind == audit.KindSignature || s.Kind == audit.KindTagSignature {
			v.Signatures = append(v.Signatures, catalog.Signature{Name: s.Name, State: auditStates[s.State], By: strings.TrimPrefix(s.Found, "signed by ")})
		}
		if s.State != audit.Agrees {
			v.Findings = append(v.Findings, catalog.Finding{Kind: s.Kind, Name: s.Name, State: auditStates[s.State], Want: s.Want, Found: s.Found, Note: s.Note})
		}
	}
	if a.Page != nil {
		v.Page = a.Page.URL
	}
	switch {
	case a.Made != nil:
		byRecord(ctx, a, &v)
	case l.tagged[a.Version] != "":
		v.AddArtifacts(a.Found)
		if err := l.byGit(ctx, &v); err != nil {
			return v, err
		}
	}
	v.Asks = upgrade.Asks(v.Guide)
	return v, nil
}

// auditStates are an audit's states in a catalog's words.
var auditStates = map[audit.State]catalog.State{audit.Agrees: catalog.Agrees, audit.Differs: catalog.Differs, audit.Missing: catalog.Missing, audit.Unseen: catalog.Unseen}

// byRecord adds what the record tells.
func byRecord(ctx context.Context, a audit.Version, v *catalog.Version) {
	r := a.Made.Record
	v.Time, v.Commit, v.From, v.Artifact, v.Platforms = r.Time, r.Commit, r.From, r.Config.Artifacts, r.Platforms
	v.AddArtifacts(r.Artifacts)
	urls := map[string]string{}
	if a.Page != nil {
		for _, asset := range a.Page.Assets {
			if asset.Complete {
				urls[asset.Name] = asset.URL
			}
		}
	}
	v.AddDownloads(r, a.Made.File, urls)
	text := func(kind string) string {
		all := r.OfKind(kind)
		if len(all) == 0 {
			return ""
		}
		content, err := a.Made.Read(ctx, r.Config.Artifacts, all[0].Descriptor())
		if err != nil {
			v.Said = append(v.Said, fmt.Sprintf("%s cannot be shown: %v", all[0].Name, err))
		}
		return string(content)
	}
	v.Notes, v.Guide = text(bundle.KindNotes), text(bundle.KindGuide)
}

// byGit adds the notes of a tagged version, what its charts install, and the guide from the version before.
func (l looking) byGit(ctx context.Context, v *catalog.Version) error {
	unknown := func(what string, err error) error {
		if errors.Is(err, git.ErrIncomplete) {
			return err
		}
		v.Said = append(v.Said, fmt.Sprintf("%s could not be read: %v", what, err))
		return nil
	}
	n, place, err := notesOf(ctx, l.repository, l.config, l.tagged, v.Version)
	if err != nil {
		return unknown("the changes of the version", err)
	}
	v.Notes, v.From = n.Markdown(), place.From
	if err := l.charts(ctx, v); err != nil {
		if err := unknown("the CRDs of its charts", err); err != nil {
			return err
		}
	}
	from := l.tagged[v.From]
	if from == "" {
		return nil
	}
	g, err := guideBetween(ctx, l.repository, guided{From: v.From, To: v.Version}, from, l.tagged[v.Version], pipeline.UpgradeSpec{Config: l.settings})
	if err != nil {
		return unknown("the differences from "+v.From.String(), err)
	}
	v.Guide = g.Guide
	return nil
}

// charts tells which charts of a tagged version have CRDs that Helm installs once.
func (l looking) charts(ctx context.Context, v *catalog.Version) error {
	if len(v.Charts) == 0 {
		return nil
	}
	tree, err := l.repository.Tree(ctx, l.tagged[v.Version])
	if err != nil {
		return err
	}
	defer tree.Close()
	c, err := settingsOf(tree, l.settings)
	if err != nil {
		return err
	}
	charts, err := chartsOf(tree, c)
	if err != nil {
		return err
	}
	for at, chart := range charts { // in the order of the settings
		entries, err := fs.ReadDir(tree, path.Join(c.Charts[at].Path, "crds"))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		for i := range v.Charts {
			v.Charts[i].CRDs = v.Charts[i].CRDs || v.Charts[i].Name == chart.Name && len(entries) > 0
		}
	}
	return nil
}

// maxBeside is the most that is read of a branch with a chart index, in bytes: its index, or a package.
const maxBeside = 32 << 20

// chartFiles are Helm's index and the packaged charts that lie in the site; the charts of the catalog are told where theirs is.
func chartFiles(ctx context.Context, o audit.Options, audited audit.Report, about *catalog.Catalog) (map[string][]byte, error) {
	made := map[version.Version]*audit.Made{}
	for _, v := range audited.Versions {
		made[v.Version] = v.Made
	}
	beside := func(string) ([]byte, error) { return nil, fs.ErrNotExist }
	branch := cmp.Or(o.Index, audit.UsualIndex)
	branches, err := o.Repository.Branches(ctx)
	if err != nil {
		return nil, err
	}
	tip, err := o.Repository.Newest(ctx, branch)
	if served := branches.Fetched[branch]; refusal.Is(err) && served != "" {
		tip, err = served, nil // the clone's own went another way: the remote's is served, as the audit has it
	}
	if err != nil {
		return nil, err
	}
	if tip != "" {
		tree, err := o.Repository.Tree(ctx, tip)
		if err != nil {
			return nil, err
		}
		defer tree.Close()
		beside = func(name string) ([]byte, error) {
			info, err := tree.Stat(name)
			if err != nil {
				return nil, err
			}
			if info.Size() > maxBeside {
				return nil, fmt.Errorf("%s has %d bytes; at most %d are read", name, info.Size(), maxBeside)
			}
			return tree.ReadFile(name)
		}
	}
	content, err := beside(catalog.IndexFile)
	var index *chartindex.Index
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		index, err = chartindex.Parse(content)
	}
	if err != nil { // a site without what it lists would take charts away
		return nil, fmt.Errorf("take over %s of branch %s: %w", catalog.IndexFile, branch, err)
	}
	return about.AddCharts(index, catalog.Packages{Beside: beside, Of: func(v catalog.Version, c catalog.Chart) ([]byte, error) {
		m := made[v.Version]
		if m == nil {
			return nil, nil
		}
		for _, a := range m.Record.OfKind(bundle.KindChart) {
			if a.Package != nil && a.Package.Digest.String() == c.Package {
				return m.Read(ctx, a.Repository, ocispec.Descriptor{Digest: a.Package.Digest, Size: a.Package.Size})
			}
		}
		return nil, nil
	}})
}
