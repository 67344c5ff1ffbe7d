package git

import (
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/operator-release/operator-release/ci/refusal"
)

// Format is how a tag is signed, as gpg.format of git's settings names it.
type Format string

// The formats that are known.
const (
	SSH     Format = "ssh"
	OpenPGP Format = "openpgp"
)

// formats are the lines that a signature of each begins and ends with.
var formats = []struct {
	format     Format
	begin, end string
}{
	{SSH, "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"},
	{OpenPGP, "-----BEGIN PGP SIGNATURE-----", "-----END PGP SIGNATURE-----"},
}

// maxSignature bounds a signature, in bytes: the largest keys and certificates that are in use need a tenth of it.
const maxSignature = 64 << 10

// CutSignature splits the content of a tag object where git itself does, at the last line that begins a signature. What is before it is what was signed, and the content that the tag had before it
// was signed. A signature is one of the known formats, of at most 64 KiB, and ends as it has to; without one all of it is unsigned, and the format is empty.
func CutSignature(content []byte) (unsigned, signature []byte, format Format) {
	for at := len(content); at > 0 && len(content)-at <= maxSignature; {
		at = bytes.LastIndexByte(content[:at-1], '\n') + 1
		for _, f := range formats {
			if !bytes.HasPrefix(content[at:], []byte(f.begin)) {
				continue
			}
			lines := strings.Split(strings.TrimSuffix(string(content[at:]), "\n"), "\n")
			last := len(lines) - 1
			dashed := func(line string) bool { return strings.HasPrefix(line, "-----") } // git might cut there
			if len(content)-at > maxSignature || lines[0] != f.begin || lines[last] != f.end || slices.ContainsFunc(lines[1:last], dashed) {
				return content, nil, ""
			}
			return content[:at], content[at:], f.format
		}
	}
	return content, nil, ""
}

// ID is the id of an object with this content in a repository whose other ids look like this one: of SHA-1 or of SHA-256.
func ID(kind string, content []byte, like string) string {
	var h hash.Hash = sha1.New()
	if len(like) == hex.EncodedLen(sha256.Size) {
		h = sha256.New()
	}
	fmt.Fprintf(h, "%s %d\x00", kind, len(content))
	h.Write(content)
	return hex.EncodeToString(h.Sum(nil))
}

// Unsigned is the id that a tag object has without its signature, with the signature's format: its own id and no format where it is not signed, or is no tag object. The object has to be here.
func (r *Repository) Unsigned(ctx context.Context, id string) (string, Format, error) {
	objects, err := r.Objects(ctx, id)
	if err != nil {
		return "", "", err
	}
	unsigned, _, format := CutSignature(objects[0].Content)
	if objects[0].Type != "tag" || format == "" {
		return id, "", nil
	}
	return ID("tag", unsigned, id), format, nil
}

// VerifyTag has git verify the SSH signature of a tag object by a file of allowed signers (ssh-keygen(1), ALLOWED SIGNERS), and gives what git says of who signed it. A signature that does not
// verify is refused.
func (r *Repository) VerifyTag(ctx context.Context, id string, allowedSigners []byte) (string, error) {
	dir, err := os.MkdirTemp("", "release-signers-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "allowed_signers")
	if err := os.WriteFile(file, allowedSigners, 0o600); err != nil {
		return "", err
	}
	// The program is named because a repository's own settings may name another.
	cmd := r.command(ctx, nil, "-c", "gpg.ssh.program=ssh-keygen", "-c", "gpg.ssh.allowedSignersFile="+file, "verify-tag", id)
	said, err := cmd.CombinedOutput()
	text := strings.Join(strings.Fields(strings.ReplaceAll(string(said), file, "the allowed signers")), " ")
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case err != nil && cmd.ProcessState == nil:
		return "", fmt.Errorf("git verify-tag %s: %w", id, err)
	case err != nil:
		return "", refusal.New("verify the signature of tag object %s: %s", id, text)
	}
	return text, nil
}
