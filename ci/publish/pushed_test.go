package publish

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/test/long"
)

// pushedTag is a tag of the kind, as a person pushes it: what the ref points at. The repository holds the commit.
func pushedTag(t *testing.T, r *git.Repository, record bundle.Record, kind string) string {
	t.Helper()
	tag := func(object, kind, name, text string) string {
		content := "object " + object + "\ntype " + kind + "\ntag " + name +
			"\ntagger Ada <ada@example.com> 1790000000 +0000\n\n" + text
		id, err := r.Store(t.Context(), "tag", []byte(content))
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	const text = "by hand\n"
	switch kind {
	case "lightweight":
		return record.Commit
	case "annotated":
		return tag(record.Commit, "commit", "v1.5.0", text)
	case "signed":
		return tag(record.Commit, "commit", "v1.5.0", text+
			"-----BEGIN SSH SIGNATURE-----\nYWRh\n-----END SSH SIGNATURE-----\n")
	case "of a tag":
		return tag(tag(record.Commit, "commit", "v1.5.0", text), "tag", "v1.5.0", text)
	case "of another name":
		return tag(record.Commit, "commit", "v1.4.9", text)
	case "too large":
		return tag(record.Commit, "commit", "v1.5.0", strings.Repeat("x", 300<<10))
	case "annotated, on another commit":
		return tag(record.Base, "commit", "v1.5.0", text)
	case "lightweight, on another commit":
		return record.Base
	case "on a tree":
		return record.Tree
	}
	t.Fatal(kind)
	return ""
}

// TestPushedTag: publication keeps a tag that a person pushed for the release commit. Registry and backup restore the
// same object. Any other object under the name is refused before anything is written.
func TestPushedTag(t *testing.T) {
	long.Skip(t)
	ctx, source := held(t), repository(t)
	b := releaseOf(t, source, "v1.5.0", "v1.5.0\n", "linux/amd64")
	signed := copied(t, b)
	signedTag(t, signed, "b3Vycw==")
	at := func(remote string) string {
		t.Helper()
		refs, err := source.Remote(remote).Refs(ctx, "refs/tags/v1.5.0")
		if err != nil {
			t.Fatal(err)
		}
		return refs["refs/tags/v1.5.0"]
	}
	for kind, c := range map[string]struct{ says, refused string }{
		"lightweight":     {"lightweight tag on " + b.Record.Commit[:12], ""},
		"annotated":       {"annotated tag on " + b.Record.Commit[:12], ""},
		"signed":          {"signed tag on " + b.Record.Commit[:12], ""},
		"of a tag":        {"", "tags a tag; it must tag the release commit " + b.Record.Commit + " itself"},
		"of another name": {"", "contains the name v1.4.9"},
		"too large":       {"", "bytes; at most 262144 are accepted"},
		"annotated, on another commit": {"", "is on commit " + b.Record.Base + "; the release commit is " +
			b.Record.Commit},
		"lightweight, on another commit": {"", "is another commit; the release commit is " + b.Record.Commit},
		"on a tree":                      {"", "is another tree; the release commit is " + b.Record.Commit},
	} {
		t.Run(kind, func(t *testing.T) {
			throwaway := newThrowaway(t)
			remote, err := source.Scratch(ctx, filepath.Join(t.TempDir(), "remote.git"))
			if err == nil {
				err = remote.Import(ctx, gitObjects(t, b))
			}
			if err != nil {
				t.Fatal(err)
			}
			id := pushedTag(t, remote, b.Record, kind)
			if _, err := remote.Git(ctx, "update-ref", "refs/tags/v1.5.0", id); err != nil {
				t.Fatal(err)
			}
			to := throwaway.Destinations(source)
			to.Remote, to.Backup = &Remote{URL: remote.Dir(), Source: source}, &Backup{Dir: t.TempDir()}
			to.Forge, to.Index = nil, nil
			r, err := Publish(ctx, b, to)
			if c.refused != "" {
				if !refusal.Is(err) || !strings.Contains(err.Error(), c.refused) || len(r.Writes) > 0 {
					t.Errorf("%v, %+v", err, r.Writes)
				}
				return
			}
			if err != nil || tagWrite(r) != c.says+": "+There || at(remote.Dir()) != id {
				t.Fatalf("%s, %v, the tag is at %s, was %s", tagWrite(r), err, at(remote.Dir()), id)
			}
			for name, again := range map[string]bundle.Bundle{"the same": b, "with a signed tag": signed} {
				r, err := Publish(ctx, again, Destinations{Registry: to.Registry, Remote: to.Remote})
				if err != nil || tagWrite(r) != c.says+": "+There || at(remote.Dir()) != id {
					t.Errorf("%s: %s, %v", name, tagWrite(r), err)
				}
			}
			if r, err := Publish(ctx, b, to); err != nil || r.Changed() {
				t.Errorf("again: %+v, %v", r.Writes, err)
			}
			broughtBack(t, ctx, source, b, to, id)

			// The tag comes while a publication is at the branch: the rule is the same.
			race := newThrowaway(t)
			for name, content := range map[string]string{
				"objects/info/alternates": remote.Dir() + "/objects\n",
				"hooks/post-receive": "#!/bin/sh\nwhile read old new ref; do\n" +
					"case $ref in refs/heads/*) git update-ref refs/tags/v1.5.0 " + id + ";; esac\ndone\n",
			} {
				file := filepath.Join(race.Remote, name)
				if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, []byte(content), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			to = race.Destinations(source)
			to.Backup, to.Forge, to.Index = &Backup{Dir: t.TempDir()}, nil, nil
			if r, err := Publish(ctx, b, to); err != nil || tagWrite(r) != c.says+": "+There {
				t.Errorf("race: %s, %v", tagWrite(r), err)
			}
			broughtBack(t, ctx, source, b, to, id)
		})
	}
}

// broughtBack publishes what registry and backup hold to an empty remote each.
func broughtBack(t *testing.T, ctx context.Context, source *git.Repository, b bundle.Bundle, from Destinations,
	id string) {
	t.Helper()
	kept, err := bundle.Load(filepath.Join(from.Backup.Dir, "v1.5.0"))
	if err != nil {
		t.Fatal(err)
	}
	claim := journal.Claim{Identity: b.Identity.Digest, Repository: b.Record.Config.Artifacts}
	fetched, err := Fetch(ctx, from.Registry, claim, filepath.Join(t.TempDir(), "fetched"))
	if err != nil {
		t.Fatal(err)
	}
	for name, back := range map[string]bundle.Bundle{"backup": kept, "registry": fetched} {
		empty := filepath.Join(t.TempDir(), "empty.git")
		if _, err := git.Init(ctx, empty, git.SHA1); err != nil {
			t.Fatal(err)
		}
		remote := &Remote{URL: empty, Source: source}
		r, err := Publish(ctx, back, Destinations{Remote: remote})
		refs, refsErr := source.Remote(empty).Refs(ctx, "refs/tags/v1.5.0")
		if err != nil || refsErr != nil || refs["refs/tags/v1.5.0"] != id || !strings.HasSuffix(tagWrite(r), Written) {
			t.Errorf("%s: %s, %v, the tag is at %s, was %s", name, tagWrite(r), err, refs["refs/tags/v1.5.0"], id)
		}
	}
}

// tagWrite is what a publication says of the git tag.
func tagWrite(r Report) string {
	for _, w := range r.Writes {
		if w.Target == "refs/tags/v1.5.0" {
			return w.What + ": " + w.Outcome
		}
	}
	return ""
}
