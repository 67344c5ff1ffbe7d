package publish

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/sign/gittag"
	"github.com/operator-release/operator-release/ci/version"
)

// gitObjects are those of the bundle's release commit and tag.
func gitObjects(t testing.TB, b bundle.Bundle) []git.Object {
	t.Helper()
	packed, err := b.Layout.Read(b.Record.OfKind(bundle.KindObjects)[0].Descriptor())
	if err != nil {
		t.Fatal(err)
	}
	objects, err := git.ReadObjects(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

// signedTag attaches the bundle's git tag with an invalid signature, which no test here verifies, and gives the signed
// object's id.
func signedTag(t testing.TB, b bundle.Bundle, text string) string {
	t.Helper()
	for _, o := range gitObjects(t, b) {
		if o.ID != b.Record.Tag {
			continue
		}
		content := string(o.Content) + "-----BEGIN SSH SIGNATURE-----\n" + text + "\n-----END SSH SIGNATURE-----\n"
		referrer, err := b.Layout.Attach(b.Identity, gittag.Type, []byte(content), nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Layout.AddRoot(referrer); err != nil {
			t.Fatal(err)
		}
		return git.ID("tag", []byte(content), o.ID)
	}
	t.Fatal("the bundle has no tag object")
	return ""
}

// copied is a bundle of its own with the same content.
func copied(t *testing.T, b bundle.Bundle) bundle.Bundle {
	t.Helper()
	c, err := b.Clone(filepath.Join(t.TempDir(), "copy"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestSignedTag: a signed tag is the release's as an unsigned one is, whoever signed it; what is out stays; other content is refused; and the signature comes back from backup and registry.
func TestSignedTag(t *testing.T) {
	ctx, source := held(t), repository(t)
	plain := releaseOf(t, source, "v1.5.0", "v1.5.0\n", "linux/amd64")
	ours, theirs := copied(t, plain), copied(t, plain)
	id := signedTag(t, ours, "b3Vycw==")
	if signedTag(t, theirs, "dGhlaXJz") == id || id == plain.Record.Tag {
		t.Fatal("the signed tags are one object")
	}
	other := releaseOf(t, source, "v1.5.0", "v1.5.0 other\n", "linux/amd64")
	signedTag(t, other, "b3Vycw==")

	at := func(remote string) string {
		t.Helper()
		refs, err := source.Remote(remote).Refs(ctx, "refs/tags/v1.5.0")
		if err != nil {
			t.Fatal(err)
		}
		return refs["refs/tags/v1.5.0"]
	}
	outcome := func(r Report) string {
		for _, w := range r.Writes {
			if w.Target == "refs/tags/v1.5.0" {
				return w.What[:strings.Index(w.What, " on ")] + ": " + w.Outcome
			}
		}
		return ""
	}
	publish := func(b bundle.Bundle, d Destinations, wantOutcome, wantRef string) {
		t.Helper()
		r, err := Publish(ctx, b, d)
		if err != nil || outcome(r) != wantOutcome || at(d.Remote.URL) != wantRef {
			t.Errorf("%s, %v, the tag is at %s; want %s at %s", outcome(r), err, at(d.Remote.URL), wantOutcome, wantRef)
		}
	}

	first := newThrowaway(t)
	to := first.Destinations(source)
	to.Backup, to.Forge, to.Index = &Backup{Dir: t.TempDir()}, nil, nil
	publish(ours, to, "signed tag: written", id)
	if r, err := Publish(ctx, ours, to); err != nil || r.Changed() {
		t.Errorf("again: %+v, %v", r.Writes, err)
	}
	if r, err := Publish(ctx, plain, Destinations{Remote: to.Remote}); err != nil || r.Changed() {
		t.Errorf("unsigned, behind the signed: %+v, %v", r.Writes, err)
	}
	publish(theirs, to, "signed tag: there already", id)
	if _, err := Publish(ctx, other, Destinations{Remote: to.Remote}); !refusal.Is(err) || !strings.Contains(err.Error(), "claimed already by other content") {
		t.Errorf("other content: %v", err)
	}
	if _, err := source.Git(ctx, "push", "-q", first.Remote, ":refs/releases/v1.5.0"); err != nil {
		t.Fatal(err)
	}
	if _, err := Publish(ctx, other, Destinations{Remote: to.Remote}); !refusal.Is(err) ||
		!strings.Contains(err.Error(), "tag v1.5.0 is there with other content: its object "+id) {
		t.Errorf("other content, without the claim: %v", err)
	}

	// Backup and registry bring the published tag to an empty remote, although both also hold what the second publisher
	// signed.
	kept, err := bundle.Load(filepath.Join(to.Backup.Dir, "v1.5.0"))
	if err != nil {
		t.Fatal(err)
	}
	fetched, err := Fetch(ctx, to.Registry, journal.Claim{Identity: plain.Identity.Digest, Repository: plain.Record.Config.Artifacts}, filepath.Join(t.TempDir(), "fetched"))
	if err != nil {
		t.Fatal(err)
	}
	chosen, ok, err := gittag.Of(kept)
	if err != nil || !ok || chosen.ID != id {
		t.Fatal(chosen.ID, id, ok, err)
	}
	for _, b := range []bundle.Bundle{kept, fetched} {
		empty := filepath.Join(t.TempDir(), "empty.git")
		if _, err := git.Init(ctx, empty, git.SHA1); err != nil {
			t.Fatal(err)
		}
		publish(b, Destinations{Remote: &Remote{URL: empty, Source: source}}, "signed tag: written", chosen.ID)
	}

	// Somebody else signs and publishes it while this run is at the branch.
	race := filepath.Join(t.TempDir(), "race.git")
	between, err := git.Init(ctx, race, git.SHA1)
	if err == nil {
		_, err = between.Git(ctx, "fetch", "-q", "--no-tags", first.Remote, "refs/tags/v1.5.0:refs/kept/v1.5.0")
	}
	if err == nil {
		err = os.Mkdir(filepath.Join(race, "hooks"), 0o755)
	}
	if err == nil {
		hook := "#!/bin/sh\nwhile read old new ref; do case $ref in refs/heads/*) git update-ref refs/tags/v1.5.0 " + id + ";; esac; done\n"
		err = os.WriteFile(filepath.Join(race, "hooks", "post-receive"), []byte(hook), 0o700)
	}
	if err != nil {
		t.Fatal(err)
	}
	publish(theirs, Destinations{Remote: &Remote{URL: race, Source: source}}, "signed tag: there already", id)

	// Unsigned before the signature was made: the tag stays. A release page takes the tag that is there.
	second := newThrowaway(t)
	d := Destinations{Remote: second.Destinations(source).Remote}
	page := Destinations{Forge: second.Destinations(source).Forge}
	publish(plain, d, "annotated tag: written", plain.Record.Tag)
	publish(ours, d, "annotated tag: there already", plain.Record.Tag)
	if _, err := source.Git(ctx, "push", "-q", second.Remote, ":refs/tags/v1.5.0"); err != nil {
		t.Fatal(err)
	}
	publish(ours, d, "signed tag: written", id)
	if _, err := Publish(ctx, plain, page); !refusal.Is(err) || !strings.Contains(err.Error(), "the tag there is "+id) {
		t.Errorf("the page alone, of a bundle that does not know the signature: %v", err)
	}
	publish(plain, Destinations{Remote: d.Remote, Forge: page.Forge}, "signed tag: there already", id)
}

// TestWhatIsNoSignedTag: somebody attached something else under the type's name.
func TestWhatIsNoSignedTag(t *testing.T) {
	b := releaseOf(t, repository(t), "v1.5.0", "v1.5.0\n", "linux/amd64")
	elsewhere := b
	elsewhere.Identity = b.Record.OfKind(bundle.KindImage)[0].Descriptor()
	signedTag(t, elsewhere, "b3Vycw==") // refers to the image
	for name, content := range map[string]string{
		"nothing": "", "no signature": "object 1\n", "another tag": "object 1\ntype commit\ntag v1.5.0\ntagger A <a@b> 0 +0000\n\nspark\n-----BEGIN SSH SIGNATURE-----\n-----END SSH SIGNATURE-----\n",
		"too large": strings.Repeat("x", 300<<10),
	} {
		referrer, err := b.Layout.Attach(b.Identity, gittag.Type, []byte(content), nil)
		if err == nil {
			err = b.Layout.AddRoot(referrer)
		}
		if err != nil {
			t.Fatal(name, err)
		}
	}
	if o, ok, err := gittag.Of(b); ok || err != nil {
		t.Errorf("%+v, %v", o, err)
	}
	id := signedTag(t, b, "b3Vycw==")
	if o, ok, err := gittag.Of(b); !ok || err != nil || o.ID != id || b.Record.Version != version.MustParse("v1.5.0") {
		t.Errorf("%+v, %v, %v", o, ok, err)
	}
}
