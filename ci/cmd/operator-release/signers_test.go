package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/operator-release/operator-release/ci/redact"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/sign/gittag"
)

// TestGitKey: which keys are taken, and that a private one is printed nowhere.
func TestGitKey(t *testing.T) {
	const line = "bm8gcHJpdmF0ZSBrZXkgYXQgYWxs"
	const public = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGh5olurFOvyO+lW8SGLAQ4LgpbB/DRWkBwSkBSkkb0A"
	t.Setenv("OF_SSH", "-----BEGIN OPENSSH PRIVATE KEY-----\n"+line+"\n-----END OPENSSH PRIVATE KEY-----")
	t.Setenv("OF_PGP", "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n"+line+"\n-----END PGP PRIVATE KEY BLOCK-----\n")
	file := filepath.Join(t.TempDir(), "key.pub")
	if err := os.WriteFile(file, []byte(public+" ada@example.com\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for where, c := range map[string]struct{ refused, prints string }{
		"env://OF_SSH":        {"", "***"},
		"env://OF_PGP":        {"holds a key of OpenPGP; import it (gpg --import), and name it gpg:ID", "***"},
		"env://OF_NOBODY":     {"the variable OF_NOBODY is not set", line},
		file:                  {"", line},
		"gpg:ada@example.com": {"", line},
		"gpg:":                {`"gpg:" names no key`, line},
		"gpg:--output=x":      {"names no key", line},
	} {
		var secrets redact.Secrets
		_, err := gittag.Key(where, &secrets)
		if err == nil && c.refused != "" || err != nil && (c.refused == "" || !refusal.Is(err) || !strings.Contains(err.Error(), c.refused)) {
			t.Errorf("%s: %v; want %q", where, err, c.refused)
		}
		if got := secrets.Redact(line); got != c.prints {
			t.Errorf("%s: it prints %q", where, got)
		}
		if got := secrets.Redact(public); got != public {
			t.Errorf("%s: of the public key it prints %q", where, got)
		}
	}
}
