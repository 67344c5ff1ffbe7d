package publish

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/forge"
	"github.com/operator-release/operator-release/ci/markdown"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/sign/gittag"
	"github.com/operator-release/operator-release/ci/writes"
)

// Forge is where release pages are.
type Forge struct {
	Client forge.Forge
	Name   string // OWNER/REPO, for people
}

// More ends a page that is shortened.
const More = "All of it is in the file " + bundle.NotesFile + " below."

// imagesTitle and chartsTitle are what the part of a page begins with that pins by digest.
const imagesTitle, chartsTitle = "\n### Images\n\n", "\n### Charts\n\n"

// Pinned is the part of a page's text behind the notes: images and charts by digest.
func Pinned(body string) string {
	for _, title := range []string{imagesTitle, chartsTitle} {
		if at := strings.LastIndex(body, title); at >= 0 {
			return body[at:]
		}
	}
	return ""
}

// Page is the release page of a bundle: notes, digests, and every file but git's own objects.
func Page(b bundle.Bundle) (forge.Release, error) {
	record := b.Record
	_, candidate := record.Version.Candidate()
	r := forge.Release{Tag: record.Version.String(), Object: record.Tag, Commit: record.Commit, Identity: b.Identity.Digest, Title: record.Version.String(), Prerelease: candidate,
		More: More}
	if signed, ok, err := gittag.Of(b); err != nil {
		return r, err
	} else if ok {
		r.Signed = signed.ID
	}
	var body strings.Builder
	for _, a := range record.Artifacts {
		if a.Kind == bundle.KindNotes {
			notes, err := b.Layout.Read(a.Descriptor())
			if err != nil {
				return r, err
			}
			_, rest, _ := strings.Cut(string(notes), "\n") // the page has a title of its own
			body.WriteString(strings.TrimSpace(rest) + "\n")
		}
	}
	pinned := func(title, prefix, kind string) {
		for i, a := range record.OfKind(kind) {
			if i == 0 {
				body.WriteString(title)
			}
			fmt.Fprintf(&body, "- `%s%s@%s`\n", prefix, a.Name, a.Digest)
		}
	}
	pinned(imagesTitle, "", bundle.KindImage)
	pinned(chartsTitle, "oci://", bundle.KindChart)
	r.Body = strings.TrimSpace(body.String()) + "\n"
	_, at, err := b.Layout.Record(b.Identity)
	if err != nil {
		return r, err
	}
	for _, f := range record.Downloads(at) {
		r.Files = append(r.Files, forge.File{Name: f.Name, Path: filepath.Join(b.Layout.Dir(), bundle.FilesDir, f.Name), Size: f.Size, Digest: f.Digest})
	}
	return r, nil
}

// otherPage refuses where the version's page is out with other content.
func (p *publication) otherPage(ctx context.Context) error {
	if p.forge == nil {
		return nil
	}
	page, ok, err := p.forge.Client.Page(ctx, p.version)
	if err != nil || !ok || page.Draft || page.Identity == p.bundle.Identity.Digest {
		return err
	}
	says := "it names no identity: somebody made it by hand"
	if page.Identity != "" {
		says = "it is of identity " + page.Identity.String()
	}
	return refusal.New("publish %s at %s: its page %s is out (%s; this bundle has identity %s); a version never changes: release the next one", p.version, p.forge.Name, page.URL, says, p.bundle.Identity.Digest)
}

// page makes the release page: a draft with all files, then published.
func (p *publication) page(ctx context.Context) error {
	if p.forge == nil {
		return nil
	}
	r, err := Page(p.bundle)
	if err != nil {
		return err
	}
	if p.remote != nil {
		r.Object = p.tagID // as the tag is there, whoever signed it
	}
	if p.report.Mark != nil { // a version that was withdrawn, and is published again
		r.Body = markdown.Warn(r.Body, p.report.Mark.Warning(p.bundle.Record.Version))
	}
	target := writes.PageOf(p.forge.Name, p.bundle.Record.Version)
	_, wrote, err := p.forge.Client.Prepare(ctx, r)
	if err != nil {
		return err
	}
	p.wrote(writes.Page, target, fmt.Sprintf("draft with %d files", len(r.Files)), outcome(wrote))
	latest, err := p.latest(ctx)
	if err != nil {
		return err
	}
	_, wrote, err = p.forge.Client.Publish(ctx, r, latest)
	if err != nil {
		return err
	}
	what := "page"
	if latest == forge.LatestYes {
		what += ", the latest"
	}
	p.wrote(writes.Page, target, what, outcome(wrote))
	return nil
}

// readPage compares the page's files with the bundle's, as far as the forge tells their digests.
func (p *publication) readPage(ctx context.Context) error {
	if p.forge == nil {
		return nil
	}
	r, err := Page(p.bundle)
	if err != nil {
		return err
	}
	page, ok, err := p.forge.Client.Page(ctx, p.version)
	if err != nil {
		return err
	}
	if !ok || page.Draft || page.Identity != p.bundle.Identity.Digest {
		return fmt.Errorf("read back the page of %s at %s: it is not there, is a draft, or is of identity %q", p.version, p.forge.Name, page.Identity)
	}
	for _, f := range r.Files {
		i := slices.IndexFunc(page.Assets, func(a forge.Asset) bool { return a.Name == f.Name })
		if i < 0 || !page.Assets[i].Complete || page.Assets[i].Size != f.Size || page.Assets[i].Digest != "" && page.Assets[i].Digest != f.Digest {
			return fmt.Errorf("read back the page of %s at %s: its file %s is not there, or has other bytes", p.version, p.forge.Name, f.Name)
		}
		p.report.Read++
	}
	return nil
}

// latest tells whether the page is to be the one that the forge shows as the latest: that of the newest final.
func (p *publication) latest(ctx context.Context) (forge.Latest, error) {
	if _, candidate := p.bundle.Record.Version.Candidate(); candidate {
		return forge.LatestNo, nil
	}
	if p.remote == nil {
		return forge.LatestLegacy, nil
	}
	lead, err := out(p.remote, []string{"latest"})(ctx)
	if err != nil || lead["latest"] != p.bundle.Record.Version {
		return forge.LatestNo, err
	}
	return forge.LatestYes, nil
}

func outcome(wrote bool) string {
	if wrote {
		return Written
	}
	return There
}
