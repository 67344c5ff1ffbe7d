package gittag

import (
	"cmp"
	"slices"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/refusal"
)

// The media types of a referrer, and of the content of its one layer.
const (
	// Type is a signed tag: the content of the tag object.
	Type = "application/vnd.operator-release.git-tag.v1"
	// PublishedType is what the tag on the git remote pointed at when the version was published: the content of a tag
	// object. For a lightweight tag it is the id of the release commit and a line break.
	PublishedType = "application/vnd.operator-release.published-git-tag.v1"
)

// MaxTag bounds a tag object, in bytes.
const MaxTag = 256 << 10

// Accept gives the tag that may stand for the record's own, or a refusal that says why it may not.
//
// The rule: a tag that a person pushed counts where it leads to exactly the release commit and has the version's name.
// It may be lightweight or annotated, and signed or not. The tag names a commit, and the record names the same one:
// no byte of the release depends on who made the tag, or on its message. A published tag is never moved, and the
// identity must not depend on it. So publication leaves the tag as it is, and attaches it to the release artifact.
// A tag on any other commit is other content under the version's name, and is refused.
func Accept(name, commit string, tag git.Object) (git.Object, error) {
	refuse := func(format string, args ...any) (git.Object, error) {
		return tag, refusal.New("its object "+tag.ID+" "+format, args...)
	}
	if tag.Type == "commit" && tag.ID == commit {
		return git.Object{Type: tag.Type, ID: tag.ID}, nil
	}
	header, ok := git.ParseTag(tag.Content)
	switch {
	case tag.Type != "tag" || !ok:
		return refuse("is another %s; the release commit is %s", tag.Type, commit)
	case len(tag.Content) > MaxTag:
		return refuse("has %d bytes; at most %d are accepted", len(tag.Content), MaxTag)
	case header.Type != "commit":
		return refuse("tags a %s; it must tag the release commit %s itself", header.Type, commit)
	case header.Object != commit:
		return refuse("is on commit %s; the release commit is %s", header.Object, commit)
	case header.Name != name:
		return refuse("contains the name %s", header.Name)
	}
	return tag, nil
}

// Read gives the tag that a referrer to a record's release artifact holds, by the type and content of the referrer's
// layer. ok is false where that is no tag of this record: every writer of a registry may attach anything.
func Read(r bundle.Record, mediaType string, content []byte) (tag git.Object, ok bool) {
	if len(content) > MaxTag {
		return tag, false
	}
	tag = git.Object{Type: "tag", ID: git.ID("tag", content, r.Tag), Content: content}
	switch mediaType {
	case Type:
		unsigned, _, format := git.CutSignature(content)
		return tag, format != "" && git.ID("tag", unsigned, r.Tag) == r.Tag
	case PublishedType:
		if strings.TrimSuffix(string(content), "\n") == r.Commit {
			return git.Object{Type: "commit", ID: r.Commit}, true
		}
		tag, err := Accept(r.Version.String(), r.Commit, tag)
		return tag, err == nil
	}
	return tag, false
}

// Attach makes a referrer of a published tag in a layout, and describes it. The layout need not hold the release
// artifact.
func Attach(l *bundle.Layout, identity ocispec.Descriptor, tag git.Object) (ocispec.Descriptor, error) {
	content := tag.Content
	if tag.Type == "commit" {
		content = []byte(tag.ID + "\n")
	}
	return l.Attach(identity, PublishedType, content, nil)
}

// Of is the tag that a bundle holds beside the record's own: a published one, else a signed one, the first of several
// in the order of the referrers' digests. ok is false where it holds none. Nothing is verified here.
// The type of a lightweight tag is commit, and its content is empty.
func Of(b bundle.Bundle) (tag git.Object, ok bool, err error) {
	roots, err := b.Layout.Roots()
	if err != nil {
		return tag, false, err
	}
	rank := map[string]int{PublishedType: 1, Type: 2}
	slices.SortFunc(roots, func(x, y ocispec.Descriptor) int {
		return cmp.Or(rank[x.ArtifactType]-rank[y.ArtifactType], cmp.Compare(x.Digest, y.Digest))
	})
	for _, root := range roots {
		if !Holds(root) {
			continue
		}
		var m ocispec.Manifest
		if err := b.Layout.ReadJSON(root, &m); err != nil {
			return tag, false, err
		}
		if m.Subject == nil || m.Subject.Digest != b.Identity.Digest || !OneLayer(m, root.ArtifactType) {
			continue
		}
		content, err := b.Layout.Read(m.Layers[0])
		if err != nil {
			return tag, false, err
		}
		if tag, ok := Read(b.Record, root.ArtifactType, content); ok {
			return tag, true, nil
		}
	}
	return git.Object{}, false, nil
}

// Holds tells whether a referrer may hold a tag, by how it is listed.
func Holds(root ocispec.Descriptor) bool {
	return (root.ArtifactType == Type || root.ArtifactType == PublishedType) &&
		root.MediaType == ocispec.MediaTypeImageManifest && root.Size <= bundle.MaxManifest
}

// OneLayer tells whether a referrer's manifest has one layer of this type, of a size that a tag object may have.
func OneLayer(m ocispec.Manifest, artifactType string) bool {
	return len(m.Layers) == 1 && m.Layers[0].MediaType == artifactType && m.Layers[0].Size <= MaxTag
}
