package git

import (
	"bytes"
	"path"
	"slices"
	"strings"

	"github.com/operator-release/operator-release/ci/refusal"
)

// Submodule tells whether the entry is a submodule: a commit of another repository, whose files this one does not hold.
func (e Entry) Submodule() bool { return e.Mode == "160000" }

// The first line of a Git LFS pointer, and the bounds of a pointer's size in bytes. The smallest has an oid and a size
// line; the specification asks for less than 1024 bytes (https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md).
const (
	lfsVersion    = "version https://git-lfs.github.com/spec/v1\n"
	smallestLFS   = len(lfsVersion) + len("oid sha256:") + 64 + len("\nsize 0\n")
	tooLargeAsLFS = 1024
)

// isPointer tells whether a blob's content is a Git LFS pointer.
func isPointer(content []byte) bool {
	return bytes.HasPrefix(content, []byte(lfsVersion)) && bytes.Contains(content, []byte("\noid "))
}

// readHere are the names of files that this tool reads itself, and the beginnings of such names.
var (
	readHere       = []string{"Chart.yaml", "values.yaml", "go.mod", "go.sum", ".release.yaml", "VERSION"}
	readHereBegins = []string{"Dockerfile", "CHANGELOG"}
)

// checkPointer refuses to read a Git LFS pointer as what the file's name promises. Other files may be pointers: whether
// an artifact needs them is asked elsewhere.
func checkPointer(name string, content []byte) error {
	base := path.Base(name)
	begins := func(prefix string) bool { return strings.HasPrefix(base, prefix) }
	if len(content) >= tooLargeAsLFS || !isPointer(content) ||
		!slices.Contains(readHere, base) && !slices.ContainsFunc(readHereBegins, begins) {
		return nil
	}
	return refusal.New("it is a Git LFS pointer, so the repository does not hold its content; "+
		"commit the file itself: git lfs untrack %s && git add --renormalize %s", name, name)
}

// MissingContent are the files of the tree whose content git does not hold, ordered by path: submodules, and blobs that
// are Git LFS pointers. What .gitattributes says does not matter.
func (t *Tree) MissingContent() ([]Entry, error) {
	var missing []Entry
	for _, e := range t.Entries() {
		switch {
		case e.Submodule():
			missing = append(missing, e)
		case e.Mode != "120000" && e.Size >= int64(smallestLFS) && e.Size < tooLargeAsLFS:
			content, err := t.blobs.read(e.ID)
			if err != nil {
				return nil, err
			}
			if isPointer(content) {
				missing = append(missing, e)
			}
		}
	}
	return missing, nil
}

// Resolve is the path that a path of the tree leads to, symbolic links followed. What is there is not looked at.
func (t *Tree) Resolve(name string) (string, error) { return t.resolve("resolve", name) }
