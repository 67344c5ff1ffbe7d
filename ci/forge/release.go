package forge

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/google/go-github/v92/github"

	"github.com/operator-release/operator-release/ci/refusal"
)

const writeContents = "contents: write"

var (
	fileName = regexp.MustCompile(`^[0-9A-Za-z_+-](?:[0-9A-Za-z._+-]*[0-9A-Za-z_+-])?$`)
	tagName  = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z._+-]*$`)
)

// check refuses a release that cannot have a page.
func (r Release) check() error {
	if !tagName.MatchString(r.Tag) || !revision.MatchString(r.Commit) {
		return refusal.New("make the page of %q: that, or its commit %q, is none", r.Tag, r.Commit)
	}
	if err := r.Identity.Validate(); err != nil {
		return refusal.New("make the page of %s: its identity %q is no digest", r.Tag, r.Identity)
	}
	names := map[string]bool{}
	for _, f := range r.Files {
		if err := f.Digest.Validate(); err != nil {
			return refusal.New("make the page of %s: the digest %q of %s is none", r.Tag, f.Digest, f.Name)
		}
		if !fileName.MatchString(f.Name) {
			return refusal.New("make the page of %s: GitHub would rename the file %q; names have letters, digits and ._+-, and no dot at either end", r.Tag, f.Name)
		}
		if names[f.Name] {
			return refusal.New("make the page of %s: it has two files called %s", r.Tag, f.Name)
		}
		names[f.Name] = true
	}
	return nil
}

// same refuses a page that holds other content than the release.
func (g *GitHub) same(r Release, p Page) error {
	kind := "the published page"
	if p.Draft {
		kind = "a draft"
	}
	if p.Identity != "" && p.Identity != r.Identity {
		advice := "a version that is out never changes; release the next one"
		if p.Draft {
			advice = "let its publisher end, or delete the draft at " + g.clean(p.URL)
		}
		return refusal.New("make the page of %s at %s: %s of it is there with other content, %s (this one's is %s); %s", r.Tag, g.repo(), kind, p.Identity, r.Identity, advice)
	}
	if p.Draft {
		return nil
	}
	for _, f := range r.Files {
		at := slices.IndexFunc(p.Assets, func(a Asset) bool { return a.Name == f.Name })
		switch {
		case at < 0:
			return refusal.New("make the page of %s at %s: %s is out and does not hold %s (%s); files of a published page are never added", r.Tag, g.repo(), kind, f.Name, f.Digest)
		case !p.Assets[at].is(f):
			return refusal.New("make the page of %s at %s: %s holds %s, where this release has %d bytes, %s; a version that is out never changes", r.Tag, g.repo(), kind, g.clean(p.Assets[at].String()), f.Size, f.Digest)
		}
	}
	return g.onlyThese(r, p)
}

// onlyThese refuses a page with a file that is not of the release.
func (g *GitHub) onlyThese(r Release, p Page) error {
	for _, a := range p.Assets {
		if !slices.ContainsFunc(r.Files, func(f File) bool { return f.Name == a.Name }) {
			return refusal.New("make the page of %s at %s: it holds %s, which is no file of the release; look who put it there, and delete it at %s", r.Tag, g.repo(), g.clean(a.String()), g.clean(p.URL))
		}
	}
	return nil
}

// out finds the published page of a release, and refuses it where it holds other content.
func (g *GitHub) out(ctx context.Context, r Release) (Page, bool, error) {
	p, ok, err := g.published(ctx, r.Tag)
	if err != nil || !ok {
		return p, false, err
	}
	if p, err = g.withAssets(ctx, p); err != nil {
		return p, false, err
	}
	return p, true, g.same(r, p)
}

// draft finds the draft of a release. The oldest of those that say an identity decides; spare are others with this release's identity. Drafts that say none are somebody's notes, and stay.
func (g *GitHub) draft(ctx context.Context, r Release) (p Page, ok bool, spare []Page, err error) {
	drafts, err := g.drafts(ctx, r.Tag)
	if err != nil {
		return p, false, nil, err
	}
	drafts = slices.DeleteFunc(drafts, func(p Page) bool { return p.Identity == "" })
	if len(drafts) == 0 {
		return p, false, nil, nil
	}
	for _, other := range drafts[1:] {
		if other.Identity == r.Identity {
			spare = append(spare, other)
		}
	}
	return drafts[0], true, spare, g.same(r, drafts[0])
}

// Prepare makes the draft with all its files.
func (g *GitHub) Prepare(ctx context.Context, r Release) (Page, bool, error) {
	if err := r.check(); err != nil {
		return Page{}, false, err
	}
	if p, ok, err := g.out(ctx, r); err != nil || ok {
		return p, false, err
	}
	return g.unlessOut(ctx, r)(g.prepare(ctx, r))
}

// unlessOut gives what became of a draft; where GitHub did not do as it was asked because another publisher has published the draft meanwhile, the page is as it should be,
// or the refusal says what it is.
func (g *GitHub) unlessOut(ctx context.Context, r Release) func(Page, bool, error) (Page, bool, error) {
	return func(p Page, wrote bool, err error) (Page, bool, error) {
		var answered *Error
		if errors.As(err, &answered) {
			if p, ok, other := g.out(ctx, r); ok {
				return p, wrote, other
			}
		}
		return p, wrote, err
	}
}

func (g *GitHub) prepare(ctx context.Context, r Release) (Page, bool, error) {
	body, err := mark(fit(r.Body, maxPage-len(hidden(r.Identity.String())), r.More), r.Identity.String())
	if err != nil {
		return Page{}, false, err
	}
	for _, f := range r.Files {
		if info, err := os.Stat(f.Path); err != nil || info.Size() != f.Size {
			return Page{}, false, refusal.New("make the page of %s: %s is no file of %d bytes; fetch or build it again", r.Tag, f.Path, f.Size)
		}
	}
	wrote := false
	p, ok, spare, err := g.draft(ctx, r)
	if err == nil && !ok {
		wrote = true
		p, spare, err = g.create(ctx, r, body)
	}
	if err := errors.Join(err, g.discard(ctx, spare)); err != nil || !p.Draft {
		return p, wrote, err
	}
	wrote = wrote || len(spare) > 0
	if p, err = g.withAssets(ctx, p); err != nil {
		return p, wrote, err
	}
	if err := g.onlyThese(r, p); err != nil {
		return p, wrote, err
	}
	if plain, _ := unmark(body); p.Body != plain || p.Title != r.Title || p.Prerelease != r.Prerelease || p.target != r.Commit {
		wrote = true
		changed, _, err := g.api.Repositories.UpdateRelease(ctx, g.owner, g.name, p.ID, github.UpdateReleaseRequest{Name: &r.Title, Body: &body, Prerelease: &r.Prerelease, TargetCommitish: &r.Commit})
		if err != nil {
			return p, wrote, g.failed("bring the draft of "+r.Tag+" up to date", writeContents, err)
		}
		assets := p.Assets
		p = pageOf(changed)
		p.Assets = assets
	}
	for _, f := range r.Files {
		a, uploaded, err := g.attach(ctx, p, f)
		wrote = wrote || uploaded
		if err != nil {
			return p, wrote, err
		}
		p.Assets = append(slices.DeleteFunc(p.Assets, func(other Asset) bool { return other.Name == f.Name }), a)
	}
	slices.SortFunc(p.Assets, func(a, b Asset) int { return strings.Compare(a.Name, b.Name) })
	return p, wrote, nil
}

// create makes a draft. Of two who do so at once the older draft stays, or what became of it: each looks again, and whoever made the younger one takes it back. So a
// draft that was made although its answer was lost is no double either. The page is published where somebody else has done it all meanwhile.
func (g *GitHub) create(ctx context.Context, r Release, body string) (p Page, spare []Page, err error) {
	draft := true
	what := "make the draft of " + r.Tag
	for try := 0; ; try++ {
		made, _, failed := g.api.Repositories.CreateRelease(ctx, g.owner, g.name, github.CreateReleaseRequest{
			TagName: r.Tag, TargetCommitish: &r.Commit, Name: &r.Title, Body: &body, Draft: &draft, Prerelease: &r.Prerelease,
		})
		if failed != nil && !lost(ctx, failed) {
			return p, nil, g.failed(what, writeContents, failed)
		}
		if failed != nil {
			if err := g.pause(ctx, try); err != nil {
				return p, nil, err
			}
		}
		found, ok, spare, err := g.draft(ctx, r)
		// Only now: a draft that was published before the list was made is not in it.
		p, out, other := g.out(ctx, r)
		if out && failed == nil && p.ID != made.ID {
			other = errors.Join(other, g.discard(ctx, []Page{pageOf(made)}))
		}
		if out || other != nil {
			return p, nil, other
		}
		switch {
		case err != nil:
			if refusal.Is(err) && failed == nil { // another one's is older
				spare = append(spare, pageOf(made))
			}
			return p, spare, err
		case failed == nil && (!ok || found.ID >= made.ID): // the list may not tell of it yet
			return pageOf(made), slices.DeleteFunc(spare, func(p Page) bool { return p.ID == made.ID }), nil
		case failed == nil:
			if !slices.ContainsFunc(spare, func(p Page) bool { return p.ID == made.ID }) {
				spare = append(spare, pageOf(made))
			}
			return found, spare, nil
		case ok:
			return found, spare, nil
		case try+1 >= g.options.Patience.Tries:
			return p, nil, g.failed(what, writeContents, failed)
		}
	}
}

// discard deletes drafts; one that is gone is deleted, and one that somebody has published stays.
func (g *GitHub) discard(ctx context.Context, drafts []Page) error {
	for _, p := range drafts {
		what := "delete a second draft of " + p.Tag
		is, _, err := g.api.Repositories.GetRelease(ctx, g.owner, g.name, p.ID)
		if status(err) == http.StatusNotFound {
			continue
		}
		if err != nil {
			return g.failed(what, writeContents, err)
		}
		if !is.Draft {
			continue
		}
		if _, err := g.api.Repositories.DeleteRelease(ctx, g.owner, g.name, p.ID); err != nil && status(err) != http.StatusNotFound {
			return g.failed(what, writeContents, err)
		}
	}
	return nil
}

// Publish makes the draft visible, once everything is there.
func (g *GitHub) Publish(ctx context.Context, r Release, latest Latest) (Page, bool, error) {
	if err := r.check(); err != nil {
		return Page{}, false, err
	}
	if r.Prerelease && latest == LatestYes || !slices.Contains([]Latest{LatestYes, LatestNo, LatestLegacy}, latest) {
		return Page{}, false, refusal.New("publish the page of %s at %s: latest is %q; a candidate never is the latest, else it is %s, %s or %s", r.Tag, g.repo(), latest, LatestYes, LatestNo, LatestLegacy)
	}
	if p, ok, err := g.out(ctx, r); err != nil || ok {
		if err != nil {
			return p, false, err
		}
		drafts, err := g.drafts(ctx, r.Tag) // of a publisher who came too late, and stopped
		if err != nil {
			return p, false, err
		}
		drafts = slices.DeleteFunc(drafts, func(other Page) bool { return other.Identity != r.Identity })
		return p, len(drafts) > 0, g.discard(ctx, drafts)
	}
	return g.unlessOut(ctx, r)(g.publish(ctx, r, latest))
}

func (g *GitHub) publish(ctx context.Context, r Release, latest Latest) (Page, bool, error) {
	what := "publish the page of " + r.Tag
	unprepared := func(why string) error {
		return &Error{Status: http.StatusConflict, text: fmt.Sprintf("%s at %s: %s; prepare it first", what, g.repo(), why)}
	}
	p, ok, spare, err := g.draft(ctx, r)
	if err != nil {
		return p, false, err
	}
	if !ok {
		return p, false, unprepared("it has no draft")
	}
	if p, err = g.withAssets(ctx, p); err != nil {
		return p, false, err
	}
	for _, f := range r.Files {
		if !slices.ContainsFunc(p.Assets, func(a Asset) bool { return a.is(f) }) {
			return p, false, unprepared(fmt.Sprintf("the draft does not hold %s (%s) yet", f.Name, f.Digest))
		}
	}
	if err := g.onlyThese(r, p); err != nil {
		return p, false, err
	}
	if err := g.tagged(ctx, r); err != nil {
		return p, false, err
	}
	draft, makeLatest := false, string(latest)
	visible, _, err := g.api.Repositories.UpdateRelease(ctx, g.owner, g.name, p.ID, github.UpdateReleaseRequest{Draft: &draft, Prerelease: &r.Prerelease, MakeLatest: &makeLatest})
	if err != nil {
		failed := g.failed(what, writeContents, err)
		if there(err) { // another draft of the tag is out
			failed = errors.Join(failed, g.discard(ctx, append(spare, p)))
		}
		return p, false, failed
	}
	assets := p.Assets
	p = pageOf(visible)
	p.Assets = assets
	for i := range p.Assets { // their addresses are known with the page's
		for _, a := range visible.Assets {
			if a.GetID() == p.Assets[i].ID {
				p.Assets[i] = assetOf(a)
			}
		}
	}
	return p, true, g.discard(ctx, spare)
}

// tagged refuses a release whose tag is not there, or is another one: GitHub would make a tag of its own.
func (g *GitHub) tagged(ctx context.Context, r Release) error {
	ref, _, err := g.api.Git.GetRef(ctx, g.owner, g.name, "tags/"+r.Tag)
	switch {
	case status(err) == http.StatusNotFound:
		return refusal.New("publish the page of %s at %s: the tag is not there, and GitHub would make one of its own; push it first", r.Tag, g.repo())
	case err != nil:
		return g.failed("look for the tag "+r.Tag, "contents: read", err)
	case ref.Ref == nil || *ref.Ref != "refs/tags/"+r.Tag || r.Object != "" && ref.Object.GetSHA() != r.Object && ref.Object.GetSHA() != r.Signed:
		return refusal.New("publish the page of %s at %s: the tag there is %s, where this release's is %s; look who made it", r.Tag, g.repo(), g.clean(ref.Object.GetSHA()), r.Object)
	}
	return nil
}

// Edit changes the text of a published page, or whether it is the latest.
func (g *GitHub) Edit(ctx context.Context, tag string, e Edit) (Page, bool, error) {
	p, ok, err := g.published(ctx, tag)
	if err != nil {
		return p, false, err
	}
	if !ok {
		return p, false, refusal.New("edit the page of %s at %s: there is none that is published", tag, g.repo())
	}
	if e.Latest == LatestYes && p.Prerelease {
		return p, false, refusal.New("edit the page of %s at %s: a candidate never is the latest", tag, g.repo())
	}
	var change github.UpdateReleaseRequest
	if e.Title != nil && *e.Title != p.Title {
		change.Name = e.Title
	}
	if e.Body != nil {
		key := p.Identity.String()
		body := fit(*e.Body, maxPage-len(hidden(key)), e.More)
		if body != p.Body {
			if key != "" {
				if body, err = mark(body, key); err != nil {
					return p, false, err
				}
			}
			change.Body = &body
		}
	}
	if e.Latest != "" {
		latest, ok, err := g.Latest(ctx)
		if err != nil {
			return p, false, err
		}
		if is := ok && latest.ID == p.ID; e.Latest == LatestLegacy || is != (e.Latest == LatestYes) {
			makeLatest := string(e.Latest)
			change.MakeLatest = &makeLatest
		}
	}
	wrote := change != (github.UpdateReleaseRequest{})
	if wrote {
		changed, _, err := g.api.Repositories.UpdateRelease(ctx, g.owner, g.name, p.ID, change)
		if err != nil {
			return p, false, g.failed("edit the page of "+tag, writeContents, err)
		}
		p = pageOf(changed)
	}
	p, err = g.withAssets(ctx, p)
	return p, wrote, err
}
