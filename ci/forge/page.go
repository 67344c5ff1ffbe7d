package forge

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/google/go-github/v92/github"
	"github.com/opencontainers/go-digest"

	"github.com/operator-release/operator-release/ci/refusal"
)

func pageOf(r *github.RepositoryRelease) Page {
	p := Page{
		ID: r.ID, Tag: r.TagName, Title: r.GetName(), Draft: r.Draft, Prerelease: r.Prerelease, Immutable: r.GetImmutable(), URL: r.HTMLURL, target: r.TargetCommitish, upload: r.UploadURL,
	}
	var key string
	if p.Body, key = unmark(r.GetBody()); digest.Digest(key).Validate() == nil {
		p.Identity = digest.Digest(key)
	}
	return p
}

func assetOf(a *github.ReleaseAsset) Asset {
	return Asset{ID: a.GetID(), Name: a.GetName(), Size: int64(a.GetSize()), Digest: digest.Digest(a.GetDigest()), Complete: a.GetState() == "uploaded", URL: a.GetBrowserDownloadURL()}
}

// is tells whether an asset is a file. Where the forge does not say its digest, the size decides.
func (a Asset) is(f File) bool {
	return a.Complete && a.Name == f.Name && a.Size == f.Size && (a.Digest == "" || a.Digest == f.Digest)
}

// String names an asset by all that is known of it.
func (a Asset) String() string {
	switch {
	case !a.Complete:
		return a.Name + ", whose upload did not end"
	case a.Digest == "":
		return fmt.Sprintf("%s of %d bytes", a.Name, a.Size)
	}
	return fmt.Sprintf("%s of %d bytes, %s", a.Name, a.Size, a.Digest)
}

// withAssets gives a page with its assets.
func (g *GitHub) withAssets(ctx context.Context, p Page) (Page, error) {
	listed, err := all(func(o github.ListOptions) ([]*github.ReleaseAsset, *github.Response, error) {
		return g.api.Repositories.ListReleaseAssets(ctx, g.owner, g.name, p.ID, &o)
	})
	if err != nil {
		return p, g.failed(fmt.Sprintf("list the files of the page of %s", p.Tag), "contents: read", err)
	}
	p.Assets = nil
	for _, a := range listed {
		p.Assets = append(p.Assets, assetOf(a))
	}
	slices.SortFunc(p.Assets, func(a, b Asset) int { return strings.Compare(a.Name, b.Name) })
	return p, nil
}

// published finds the published page of a tag, without its assets.
func (g *GitHub) published(ctx context.Context, tag string) (Page, bool, error) {
	if !tagName.MatchString(tag) {
		return Page{}, false, refusal.New("look for the page of %q at %s: that is no version's tag", tag, g.repo())
	}
	r, _, err := g.api.Repositories.GetReleaseByTag(ctx, g.owner, g.name, url.PathEscape(tag))
	if status(err) == http.StatusNotFound {
		return Page{}, false, nil
	}
	if err != nil {
		return Page{}, false, g.failed("look for the page of "+tag, "contents: read", err)
	}
	p := pageOf(r)
	if p.Draft || p.Tag != tag {
		return p, false, fmt.Errorf("look for the page of %s at %s: GitHub gave another one, of %s", tag, g.repo(), g.clean(p.Tag))
	}
	return p, true, nil
}

// list are all pages that may be seen. needs is the permission that seeing them takes.
func (g *GitHub) list(ctx context.Context, needs string) ([]*github.RepositoryRelease, error) {
	listed, err := all(func(o github.ListOptions) ([]*github.RepositoryRelease, *github.Response, error) {
		return g.api.Repositories.ListReleases(ctx, g.owner, g.name, &o)
	})
	return listed, g.failed("list the release pages", needs, err)
}

// Pages are all pages with their files, the newest first.
func (g *GitHub) Pages(ctx context.Context) ([]Page, error) {
	listed, err := g.list(ctx, "contents: read")
	var pages []Page
	for _, r := range listed {
		if slices.ContainsFunc(pages, func(p Page) bool { return p.ID == r.ID }) {
			continue // a list that grew meanwhile tells some twice
		}
		p := pageOf(r)
		for _, a := range r.Assets {
			p.Assets = append(p.Assets, assetOf(a))
		}
		slices.SortFunc(p.Assets, func(a, b Asset) int { return strings.Compare(a.Name, b.Name) })
		pages = append(pages, p)
	}
	return pages, err
}

// drafts are those of a tag, without their assets, the oldest first. They are found in the list of all pages only.
func (g *GitHub) drafts(ctx context.Context, tag string) ([]Page, error) {
	listed, err := g.list(ctx, writeContents)
	if err != nil {
		return nil, err
	}
	var found []Page
	for _, r := range listed {
		if r.Draft && r.TagName == tag {
			found = append(found, pageOf(r))
		}
	}
	slices.SortFunc(found, func(a, b Page) int { return int(a.ID - b.ID) })
	return slices.CompactFunc(found, func(a, b Page) bool { return a.ID == b.ID }), nil // a list that grew meanwhile tells some twice
}

// Page finds the page of a tag.
func (g *GitHub) Page(ctx context.Context, tag string) (Page, bool, error) {
	p, ok, err := g.published(ctx, tag)
	if err != nil {
		return p, false, err
	}
	if !ok {
		drafts, err := g.drafts(ctx, tag)
		if err != nil || len(drafts) == 0 {
			return p, false, err
		}
		p = drafts[max(0, slices.IndexFunc(drafts, func(p Page) bool { return p.Identity != "" }))]
	}
	p, err = g.withAssets(ctx, p)
	return p, err == nil, err
}

// Latest finds the page that GitHub shows as the latest, without its assets.
func (g *GitHub) Latest(ctx context.Context) (Page, bool, error) {
	r, _, err := g.api.Repositories.GetLatestRelease(ctx, g.owner, g.name)
	if status(err) == http.StatusNotFound {
		return Page{}, false, nil
	}
	if err != nil {
		return Page{}, false, g.failed("look for the latest page", "contents: read", err)
	}
	return pageOf(r), true, nil
}
