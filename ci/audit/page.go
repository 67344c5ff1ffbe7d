package audit

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/floating"
	"github.com/operator-release/operator-release/ci/forge"
	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/markdown"
	"github.com/operator-release/operator-release/ci/version"
)

// pages are the forge's release pages.
type pages struct {
	why    string // they cannot be read; empty where they can
	of     map[version.Version][]forge.Page
	others int    // pages of tags that are no versions
	latest string // tag of the page that is shown as the latest; empty: none is
	noSuch string // why that cannot be told
}

// readPages reads all release pages, where a forge was named.
func (a *auditor) readPages(ctx context.Context) pages {
	p := pages{of: map[version.Version][]forge.Page{}}
	if a.Forge == nil {
		return p
	}
	all, err := a.Forge.Pages(ctx)
	if err != nil {
		p.why = err.Error()
		return p
	}
	for _, page := range all {
		if v, err := version.Parse(page.Tag); err == nil {
			p.of[v] = append(p.of[v], page)
		} else if !page.Draft {
			p.others++
		}
	}
	latest, _, err := a.Forge.Latest(ctx)
	if p.latest = latest.Tag; err != nil {
		p.noSuch = err.Error()
	}
	return p
}

// versions are those that have a page, or a draft that a publication left.
func (p pages) versions() []version.Version {
	var all []version.Version
	for v, found := range p.of {
		if slices.ContainsFunc(found, func(page forge.Page) bool { return !page.Draft || page.Identity != "" }) {
			all = append(all, v)
		}
	}
	return all
}

// find is the page of a version: the published one, else a draft, rather one that a publication made; and how many other drafts of a publication there are.
func (p pages) find(v version.Version) (page forge.Page, drafts int, ok bool) {
	rank := func(page forge.Page) int {
		switch {
		case !page.Draft:
			return 2
		case page.Identity != "":
			return 1
		}
		return 0
	}
	for i, other := range p.of[v] {
		if rank(other) == 1 {
			drafts++
		}
		if i == 0 || rank(other) > rank(page) {
			page = other
		}
	}
	if rank(page) == 1 {
		drafts--
	}
	return page, drafts, len(p.of[v]) > 0
}

// page compares a version's release page with its record and its mark. What page belongs to a version without a record nobody knows; of one that is there is told what is wrong with any.
func (a *auditor) page(ctx context.Context, v version.Version, k *known, out *Version) {
	if a.Forge == nil {
		return
	}
	const published = "published"
	name := v.String()
	if a.pages.why != "" {
		out.unseen(KindPage, name, published, a.pages.why)
		return
	}
	page, drafts, ok := a.pages.find(v)
	switch {
	case !ok && k == nil:
		out.note("no release page")
		return
	case !ok:
		out.compare(KindPage, name, published, "", "the forge shows drafts only to a token with write access")
		return
	case page.Draft:
		out.compare(KindPage, name, published, "a draft", page.URL)
	default:
		out.Page = &page
		out.compare(KindPage, name, published, published, "")
	}
	if drafts > 0 {
		out.note("%d drafts of the release page are left; delete them", drafts)
	}
	prerelease := map[bool]string{true: "prerelease", false: "no prerelease"}
	_, candidate := v.Candidate()
	out.compare(KindPage, name+" kind", prerelease[candidate], prerelease[page.Prerelease], "")
	switch want := a.identity(v, k); {
	case want != "":
		out.compare(KindPage, name+" identity", want.String(), cmp.Or(page.Identity.String(), "none"), "")
	case page.Identity != "":
		out.unseen(KindPage, name+" identity", "", "it names "+page.Identity.String()+"; no record and no claim says which identity is right")
	}
	if k != nil {
		offered(k.record.Downloads(k.file), page, out)
	}
	a.warning(v, page, out)
	if !page.Draft {
		a.latestPage(v, out)
	}
}

// identity is what names a version's content: its record's, else its claim's; empty where neither is known.
func (a *auditor) identity(v version.Version, k *known) digest.Digest {
	if k != nil {
		return k.identity
	}
	if at, ok := a.refs.claims[v]; ok {
		if claim, err := a.refs.claimed.Claim(at.id); err == nil {
			return claim.Identity
		}
	}
	return ""
}

// offered compares a page's files with those of the record: by digest, or, where the forge does not tell it, by size.
func offered(files []bundle.Download, page forge.Page, out *Version) {
	for _, f := range files {
		at := slices.IndexFunc(page.Assets, func(a forge.Asset) bool { return a.Name == f.Name })
		want, found, note := f.Digest.String(), "", ""
		if at >= 0 {
			asset := page.Assets[at]
			switch {
			case !asset.Complete:
				found = "its upload was not completed"
			case asset.Digest == "":
				want, found, note = fmt.Sprintf("%d bytes", f.Size), fmt.Sprintf("%d bytes", asset.Size), "the forge gives no digest"
			case asset.Digest == f.Digest && asset.Size != f.Size:
				want, found = fmt.Sprintf("%d bytes", f.Size), fmt.Sprintf("%d bytes", asset.Size)
			default:
				found = asset.Digest.String()
			}
		}
		out.compare(KindPage, f.Name, want, found, note)
	}
	for _, asset := range page.Assets {
		if !slices.ContainsFunc(files, func(f bundle.Download) bool { return f.Name == asset.Name }) {
			out.compare(KindPage, asset.Name, "no such file", asset.String(), "")
		}
	}
}

// warning compares what stands above a page's text with the version's mark.
func (a *auditor) warning(v version.Version, page forge.Page, out *Version) {
	name, mark := v.String()+" warning", journal.Mark{State: journal.Good}
	if out.Mark != nil {
		mark = *out.Mark
	}
	want, is := mark.Warning(v), markdown.Warn(page.Body, mark.Warning(v)) == page.Body
	warns := markdown.Warn(page.Body, "") != page.Body
	found := "another warning"
	if !warns {
		found = "no warning"
	}
	switch {
	case is && want == "": // no warning, and none belongs there
	case is:
		out.compare(KindPage, name, want, want, "")
	case a.refs.noMarks != "":
		out.unseen(KindPage, name, want, "whether the version is withdrawn is not known: "+a.refs.noMarks)
	default:
		out.compare(KindPage, name, cmp.Or(want, "no warning"), found, "")
	}
}

// latestPage compares which page is shown as the latest: that of the newest final that is not rolled back. The version whose page it should be tells, and one that is rolled back.
func (a *auditor) latestPage(v version.Version, out *Version) {
	var tags []version.Version
	for other := range a.refs.tags {
		tags = append(tags, other)
	}
	back := func(v version.Version) bool { return a.refs.marks[v].State == journal.RolledBack }
	to := floating.Lead([]string{"latest"}, tags, back)["latest"]
	name, found := v.String()+" is the latest", cmp.Or(a.pages.latest, "none")
	switch unknown := cmp.Or(a.refs.noTags, a.refs.noMarks); {
	case to != v && (!back(v) || a.pages.latest != v.String()):
	case a.pages.noSuch != "":
		out.unseen(KindPage, name, to.String(), a.pages.noSuch)
	case found != to.String() && unknown != "":
		out.unseen(KindPage, name, to.String(), found+" is; whether "+to.String()+" should be is not known: "+unknown)
	case to.IsZero():
		out.compare(KindPage, name, "none", found, v.String()+" is rolled back")
	default:
		out.compare(KindPage, name, to.String(), found, "")
	}
}
