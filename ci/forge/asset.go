package forge

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/go-github/v92/github"
	"github.com/opencontainers/go-digest"
)

// attach brings a file to a draft, where it may be already. What has the name and is something else is replaced. An upload that has not ended may be another publisher's: it is given some time.
func (g *GitHub) attach(ctx context.Context, p Page, f File) (a Asset, wrote bool, err error) {
	what := fmt.Sprintf("upload %s to the draft of %s", f.Name, p.Tag)
	own := false // what has not ended is ours
	var failed error
	for try, waits := 0, 0; ; {
		at := slices.IndexFunc(p.Assets, func(a Asset) bool { return a.Name == f.Name })
		if at >= 0 {
			if a = p.Assets[at]; a.is(f) {
				return a, wrote, nil
			}
			if !a.Complete && !own && waits+1 < g.options.Patience.Tries {
				if err := g.pause(ctx, waits); err != nil {
					return a, wrote, err
				}
				waits++
				if p, err = g.withAssets(ctx, p); err != nil {
					return a, wrote, err
				}
				continue
			}
		}
		if try >= g.options.Patience.Tries {
			return a, wrote, g.failed(what, writeContents, failed)
		}
		wrote = true
		if at >= 0 {
			if err := g.stillDraft(ctx, p); err != nil {
				return a, wrote, err
			}
			if _, err := g.api.Repositories.DeleteReleaseAsset(ctx, g.owner, g.name, a.ID); err != nil && status(err) != http.StatusNotFound {
				return a, wrote, g.failed(fmt.Sprintf("replace %s in the draft of %s", g.clean(a.String()), p.Tag), writeContents, err)
			}
		}
		if a, failed = g.upload(ctx, p, f); failed == nil {
			if a.is(f) {
				return a, wrote, nil
			}
			failed = fmt.Errorf("GitHub has stored %s, where %s of %d bytes, %s, was sent", g.clean(a.String()), f.Name, f.Size, f.Digest)
		} else if !lost(ctx, failed) && !there(failed) && status(failed) != http.StatusNotFound { // not found: another publisher lost patience with our upload, or the draft is gone
			return a, wrote, g.failed(what, writeContents, failed)
		}
		own = lost(ctx, failed)
		if err := g.pause(ctx, try); err != nil {
			return a, wrote, err
		}
		try++
		if p, err = g.withAssets(ctx, p); err != nil {
			return a, wrote, err
		}
	}
}

// stillDraft fails where a page was published meanwhile: its files are touched no more.
func (g *GitHub) stillDraft(ctx context.Context, p Page) error {
	what := "replace a file in the draft of " + p.Tag
	is, _, err := g.api.Repositories.GetRelease(ctx, g.owner, g.name, p.ID)
	if err != nil {
		return g.failed(what, writeContents, err)
	}
	if !is.Draft {
		return &Error{Status: http.StatusConflict, text: fmt.Sprintf("%s at %s: it was published meanwhile; run it again", what, g.repo())}
	}
	return nil
}

// upload sends a file's bytes, if they are those of the release.
func (g *GitHub) upload(ctx context.Context, p Page, f File) (Asset, error) {
	address, _, _ := strings.Cut(p.upload, "{")
	to, err := url.Parse(address)
	if err != nil || !g.ours(to) {
		return Asset{}, refused(fmt.Sprintf("the page wants files to be sent to %q, which is not GitHub's; nothing was sent there", g.clean(address)))
	}
	file, err := os.Open(f.Path)
	if err != nil {
		return Asset{}, refused(err.Error())
	}
	defer file.Close()
	hash := f.Digest.Algorithm().Hash()
	size, err := io.Copy(hash, file)
	if err != nil {
		return Asset{}, refused(err.Error())
	}
	if is := digest.NewDigest(f.Digest.Algorithm(), hash); size != f.Size || is != f.Digest {
		return Asset{}, refused(fmt.Sprintf("%s has %d bytes, %s, where the release has %d, %s; fetch or build it again", f.Path, size, is, f.Size, f.Digest))
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return Asset{}, refused(err.Error())
	}
	made, _, err := g.api.Repositories.UploadReleaseAssetFromRelease(ctx, &github.RepositoryRelease{UploadURL: address}, &github.UploadOptions{Name: f.Name, MediaType: mediaType(f.Name)}, file, size)
	if err != nil {
		return Asset{}, err
	}
	return assetOf(made), nil
}

// mediaTypes are told by name, and here: a machine's own table would make pages differ.
var mediaTypes = map[string]string{
	".gz": "application/gzip", ".tgz": "application/gzip", ".zip": "application/zip", ".tar": "application/x-tar", ".json": "application/json", ".jsonl": "application/jsonl",
	".yaml": "application/yaml", ".yml": "application/yaml", ".md": "text/markdown; charset=utf-8", ".txt": "text/plain; charset=utf-8",
}

func mediaType(name string) string {
	if t := mediaTypes[strings.ToLower(filepath.Ext(name))]; t != "" {
		return t
	}
	if strings.HasSuffix(name, "SUMS") {
		return mediaTypes[".txt"]
	}
	return "application/octet-stream"
}
