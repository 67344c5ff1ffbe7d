package git

import (
	"context"
	"strings"

	"github.com/operator-release/operator-release/ci/refusal"
)

// ObjectFormat is the hash that names a repository's objects, as extensions.objectFormat of git's settings names it.
// A repository has one.
type ObjectFormat string

// The formats that git has.
const (
	SHA1   ObjectFormat = "sha1"
	SHA256 ObjectFormat = "sha256"
)

// formatOf is the format of an object id, by its length.
func formatOf(id string) ObjectFormat {
	if len(id) == 64 {
		return SHA256
	}
	return SHA1
}

// Format is the hash that names this repository's objects.
func (r *Repository) Format(ctx context.Context) (ObjectFormat, error) {
	if r.format != "" {
		return r.format, nil
	}
	_, format, err := r.storage(ctx)
	return format, err
}

// CheckFormat refuses a remote of another object format. Refs does so if the remote has refs. For an empty remote,
// CheckFormat makes a push that writes nothing. It ignores other errors: the calls that need the remote report them.
func (m *Remote) CheckFormat(ctx context.Context) error {
	_, err := m.run(ctx, []string{"push", "--dry-run", "--porcelain", "--no-verify"}, ":refs/releases/none")
	if refusal.Is(err) {
		return err
	}
	return ctx.Err()
}

// namesOtherFormat tells whether git failed because the two repositories have different object formats.
func namesOtherFormat(stderr string) bool {
	for _, text := range []string{
		"mismatched algorithms",
		"does not support this repository's hash algorithm",
		"unexpected capabilities^{}", // git 2.39 with SHA-256 objects, of an empty remote
	} {
		if strings.Contains(stderr, text) {
			return true
		}
	}
	return false
}

func (m *Remote) otherFormat(ctx context.Context) error {
	format, err := m.from.Format(ctx)
	if err != nil {
		return err
	}
	return refusal.New("reach %s: its object format is not %s, the format of this repository, "+
		"and git cannot push between object formats; "+
		"name a remote that was made with: git init --bare --object-format=%s", m.URL, format, format)
}
