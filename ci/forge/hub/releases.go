package hub

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/mod/semver"
)

// maxBody bounds the text of a release, in characters.
const maxBody = 125000

type release struct {
	id                int64
	tag, target       string
	title, body       string
	draft, prerelease bool
	immutable         bool
	never             bool // said to be not the latest
	author            string
	created, updated  time.Time
	published         time.Time
	assets            []*asset
}

type asset struct {
	id               int64
	name, kind       string
	uploaded         bool
	content          []byte
	digest           string
	uploader         string
	created, updated time.Time
}

// sees tells whether whoever asks may see a release: drafts are for those who may write.
func (c *call) sees(r *release) bool { return !r.draft || c.user.Role.may(Write) }

func (h *Hub) release(c *call, id int64) *release {
	for _, r := range h.releases {
		if r.id == id && c.sees(r) {
			return r
		}
	}
	return nil
}

// published is the published release of a tag.
func (h *Hub) published(tag string) *release {
	for _, r := range h.releases {
		if r.tag == tag && !r.draft {
			return r
		}
	}
	return nil
}

// theLatest is the release that was said to be so, else the newest by creation date and then by version; never a draft or a prerelease.
func (h *Hub) theLatest() *release {
	fits := func(r *release) bool { return !r.draft && !r.prerelease }
	if h.latest != nil && fits(h.latest) {
		return h.latest
	}
	var best *release
	for _, r := range h.releases {
		if !fits(r) || r.never {
			continue
		}
		if best == nil || r.created.After(best.created) || r.created.Equal(best.created) && semver.Compare(r.tag, best.tag) > 0 {
			best = r
		}
	}
	return best
}

func (h *Hub) showRelease(c *call) func(*release) object {
	return func(r *release) object {
		url := fmt.Sprintf("%s/releases/%d", h.repo(c), r.id)
		page := r.tag
		if r.draft {
			page = fmt.Sprintf("untagged-%d", r.id)
		}
		shown := object{
			"id": r.id, "node_id": node("Release", r.id), "url": url, "assets_url": url + "/assets",
			"html_url":   fmt.Sprintf("%s/%s/releases/tag/%s", c.base, h.options.Repository, page),
			"upload_url": fmt.Sprintf("%s/api/uploads/repos/%s/releases/%d/assets{?name,label}", c.base, h.options.Repository, r.id),
			"tag_name":   r.tag, "target_commitish": r.target, "name": r.title, "body": r.body, "draft": r.draft, "prerelease": r.prerelease, "immutable": r.immutable,
			"created_at": r.created, "updated_at": r.updated, "published_at": nil, "author": h.person(c, r.author), "tarball_url": nil, "zipball_url": nil,
		}
		if !r.draft {
			shown["published_at"] = r.published
			shown["tarball_url"], shown["zipball_url"] = h.repo(c)+"/tarball/"+r.tag, h.repo(c)+"/zipball/"+r.tag
		}
		assets := []object{}
		for _, a := range r.assets {
			assets = append(assets, h.showAsset(c, r)(a))
		}
		shown["assets"] = assets
		return shown
	}
}

func (h *Hub) showAsset(c *call, r *release) func(*asset) object {
	return func(a *asset) object {
		tag := r.tag
		if r.draft {
			tag = fmt.Sprintf("untagged-%d", r.id)
		}
		shown := object{
			"id": a.id, "node_id": node("ReleaseAsset", a.id), "url": fmt.Sprintf("%s/releases/assets/%d", h.repo(c), a.id), "name": a.name, "label": "", "content_type": a.kind,
			"browser_download_url": fmt.Sprintf("%s/%s/releases/download/%s/%s", c.base, h.options.Repository, tag, a.name),
			"state":                "starter", "size": 0, "digest": nil, "download_count": 0, "created_at": a.created, "updated_at": a.updated, "uploader": h.person(c, a.uploader),
		}
		if a.uploaded {
			shown["state"], shown["size"], shown["digest"] = "uploaded", len(a.content), a.digest
		}
		return shown
	}
}

func (h *Hub) listReleases(c *call) answer {
	var seen []*release
	for _, r := range slices.Backward(h.releases) {
		if c.sees(r) {
			seen = append(seen, r)
		}
	}
	return page(c, seen, h.showRelease(c))
}

func (h *Hub) getRelease(c *call) answer {
	if r := h.release(c, c.number("id")); r != nil {
		return answer{status: http.StatusOK, body: h.showRelease(c)(r)}
	}
	return notFound
}

func (h *Hub) latestRelease(c *call) answer {
	if r := h.theLatest(); r != nil {
		return answer{status: http.StatusOK, body: h.showRelease(c)(r)}
	}
	return notFound
}

// releaseByTag answers /releases/tags/TAG, and /releases/ID/assets, which the router cannot tell apart.
func (h *Hub) releaseByTag(c *call) answer {
	if c.PathValue("id") == "tags" {
		if r := h.published(c.PathValue("what")); r != nil {
			return answer{status: http.StatusOK, body: h.showRelease(c)(r)}
		}
		return notFound
	}
	r := h.release(c, c.number("id"))
	if r == nil || c.PathValue("what") != "assets" {
		return notFound
	}
	return page(c, r.assets, h.showAsset(c, r))
}

// edit is what one may say of a release; what is nil stays.
type edit struct {
	Tag        *string `json:"tag_name"`
	Target     *string `json:"target_commitish"`
	Title      *string `json:"name"`
	Body       *string `json:"body"`
	Draft      *bool   `json:"draft"`
	Prerelease *bool   `json:"prerelease"`
	Latest     *string `json:"make_latest"`
}

func (h *Hub) createRelease(c *call) answer {
	var e edit
	if bad := c.read(&e); bad != nil {
		return *bad
	}
	if e.Tag == nil || *e.Tag == "" {
		return invalid("Release", "missing_field", "tag_name", "")
	}
	r := &release{target: "main", draft: true, author: c.user.Login, created: h.now()}
	if e.Draft == nil {
		e.Draft = new(bool)
	}
	if bad := h.change(c, r, e); bad != nil {
		return *bad
	}
	r.id = h.id()
	h.releases = append(h.releases, r)
	return answer{status: http.StatusCreated, body: h.showRelease(c)(r), header: http.Header{"Location": {fmt.Sprintf("%s/releases/%d", h.repo(c), r.id)}}}
}

func (h *Hub) updateRelease(c *call) answer {
	r := h.release(c, c.number("id"))
	if r == nil {
		return notFound
	}
	var e edit
	if bad := c.read(&e); bad != nil {
		return *bad
	}
	if bad := h.change(c, r, e); bad != nil {
		return *bad
	}
	return answer{status: http.StatusOK, body: h.showRelease(c)(r)}
}

// change edits a release, or says why not, and then nothing is changed.
func (h *Hub) change(c *call, r *release, e edit) *answer {
	refuse := func(a answer) *answer { return &a }
	next := *r
	for field, value := range map[*string]*string{&next.tag: e.Tag, &next.target: e.Target, &next.title: e.Title, &next.body: e.Body} {
		if value != nil {
			*field = *value
		}
	}
	if e.Prerelease != nil {
		next.prerelease = *e.Prerelease
	}
	if e.Draft != nil {
		next.draft = *e.Draft
	}
	publishes := r.draft && !next.draft
	latest := ""
	if e.Latest != nil {
		latest = *e.Latest
	} else if publishes {
		latest = "true"
		if next.prerelease {
			latest = "false"
		}
	}
	switch {
	case utf8.RuneCountInString(next.body) > maxBody:
		return refuse(invalid("Release", "custom", "body", fmt.Sprintf("body is too long (maximum is %d characters)", maxBody)))
	case !slices.Contains([]string{"", "true", "false", "legacy"}, latest):
		return refuse(invalid("Release", "invalid", "make_latest", ""))
	case latest == "true" && e.Latest != nil && (next.draft || next.prerelease):
		return refuse(invalid("Release", "custom", "", "Latest release cannot be draft or prerelease"))
	case r.immutable && (next.tag != r.tag || next.target != r.target || next.draft):
		return refuse(invalid("Release", "custom", "", "An immutable release's tag and target cannot be changed"))
	case !next.draft && h.published(next.tag) != nil && h.published(next.tag) != r:
		return refuse(invalid("Release", "already_exists", "tag_name", ""))
	}
	_, tagged := h.resolve(c, "refs/tags/"+next.tag)
	if r.id == 0 || next.target != r.target || publishes {
		commit, ok := h.resolve(c, next.target)
		if tagged && h.options.Git != nil {
			commit, ok = h.resolve(c, "refs/tags/"+next.tag)
		}
		if !ok {
			return refuse(invalid("Release", "invalid", "target_commitish", ""))
		}
		if h.options.Git != nil {
			if out, err := h.options.Git.Git(c.Context(), "log", "-1", "--format=%ct", commit); err == nil {
				if seconds, err := strconv.ParseInt(strings.TrimSpace(out), 10, 64); err == nil {
					next.created = time.Unix(seconds, 0).UTC()
				}
			}
			if publishes && !tagged { // GitHub makes the tag that is not there
				if _, err := h.options.Git.Git(c.Context(), "update-ref", "refs/tags/"+next.tag, commit, strings.Repeat("0", len(commit))); err != nil {
					return refuse(invalid("Release", "invalid", "tag_name", ""))
				}
			}
		}
	}
	next.updated = h.now()
	if publishes {
		next.published, next.immutable = h.now(), h.options.Immutable
	}
	*r = next
	if !r.draft {
		switch latest {
		case "true":
			h.latest, r.never = r, false
		case "false":
			r.never = true
			if h.latest == r {
				h.latest = nil
			}
		case "legacy":
			h.latest, r.never = nil, false
		}
	}
	return nil
}

func (h *Hub) deleteRelease(c *call) answer {
	r := h.release(c, c.number("id"))
	if r == nil {
		return notFound
	}
	h.releases = slices.DeleteFunc(h.releases, func(other *release) bool { return other == r })
	if h.latest == r {
		h.latest = nil
	}
	return answer{status: http.StatusNoContent}
}

var assetName = regexp.MustCompile(`[^0-9A-Za-z._+-]+`)

// upload takes an asset. While its bytes come it is there, as a starter, and others are served; one that is cut off stays so.
func (h *Hub) upload(c *call) answer {
	r := h.release(c, c.number("id"))
	if r == nil {
		return notFound
	}
	name := strings.Trim(assetName.ReplaceAllString(c.URL.Query().Get("name"), "."), ".")
	switch {
	case name == "":
		return invalid("ReleaseAsset", "missing_field", "name", "")
	case r.immutable:
		return invalid("ReleaseAsset", "custom", "", "Cannot upload assets to an immutable release.")
	case slices.ContainsFunc(r.assets, func(a *asset) bool { return a.name == name }):
		return invalid("ReleaseAsset", "already_exists", "name", "")
	}
	a := &asset{id: h.id(), name: name, kind: c.Header.Get("Content-Type"), uploader: c.user.Login, created: h.now(), updated: h.now()}
	r.assets = append(r.assets, a)
	h.mu.Unlock()
	content, err := io.ReadAll(c.Body)
	h.mu.Lock()
	switch {
	case err != nil:
		panic(http.ErrAbortHandler) // cut off on the way
	case !slices.Contains(r.assets, a):
		return notFound // somebody deleted it meanwhile
	case c.ContentLength < 0:
		r.assets = slices.DeleteFunc(r.assets, func(other *asset) bool { return other == a })
		return *fail(http.StatusBadRequest, "Bad Content-Length")
	case r.immutable:
		return invalid("ReleaseAsset", "custom", "", "Cannot upload assets to an immutable release.")
	}
	sum := sha256.Sum256(content)
	a.content, a.digest, a.uploaded, a.updated = content, "sha256:"+hex.EncodeToString(sum[:]), true, h.now()
	return answer{status: http.StatusCreated, body: h.showAsset(c, r)(a)}
}

func (h *Hub) deleteAsset(c *call) answer {
	id := c.number("id")
	for _, r := range h.releases {
		at := slices.IndexFunc(r.assets, func(a *asset) bool { return a.id == id })
		switch {
		case at < 0:
			continue
		case r.immutable:
			return invalid("ReleaseAsset", "custom", "", "Cannot delete asset from an immutable release.")
		}
		r.assets = slices.Delete(r.assets, at, at+1)
		return answer{status: http.StatusNoContent}
	}
	return notFound
}

// download serves the bytes of an asset of a published release.
func (h *Hub) download(w http.ResponseWriter, r *http.Request) {
	a := h.find(r)
	if a == nil {
		notFound.write(w)
		return
	}
	w.Header().Set("Content-Type", a.kind)
	http.ServeContent(w, r, "", a.updated, bytes.NewReader(a.content))
}

// find gives the asset that a download address names; its bytes change no more.
func (h *Hub) find(r *http.Request) *asset {
	h.mu.Lock()
	defer h.mu.Unlock()
	found := h.published(r.PathValue("tag"))
	if found == nil || !strings.EqualFold(r.PathValue("owner")+"/"+r.PathValue("repo"), h.options.Repository) {
		return nil
	}
	for _, a := range found.assets {
		if a.name == r.PathValue("name") && a.uploaded {
			return a
		}
	}
	return nil
}
