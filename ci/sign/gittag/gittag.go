// Package gittag makes and finds the git tag of a bundle, where it is not the unsigned tag object that the record
// names. There are two kinds. A signed tag is the record's tag object with a signature behind its message.
// A published tag is what a person had pushed before the version was published; see published.go for the rule.
// Each is a referrer to the release artifact, so registry, backup and restore carry it, and the identity stays.
package gittag

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/redact"
	"github.com/operator-release/operator-release/ci/refusal"
)

// unsigned is the content of the tag object that the record names.
func unsigned(b bundle.Bundle) ([]byte, error) {
	for _, a := range b.Record.OfKind(bundle.KindObjects) {
		packed, err := b.Layout.Read(a.Descriptor())
		if err != nil {
			return nil, err
		}
		objects, err := git.ReadObjects(bytes.NewReader(packed))
		if err != nil {
			return nil, err
		}
		for _, o := range objects {
			if o.Type == "tag" && o.ID == b.Record.Tag && git.ID("tag", o.Content, o.ID) == o.ID {
				return o.Content, nil
			}
		}
	}
	return nil, refusal.New("sign the git tag of %s: the bundle %s does not hold the tag object %s; build the version again", b.Record.Version, b.Layout.Dir(), b.Record.Tag)
}

// Signer signs what git signs of a tag.
type Signer struct {
	key  []byte // of OpenSSH; nil: id counts
	pub  []byte // that lay beside it, if any
	id   string // of a key that GnuPG knows
	name string // of the key, for people
}

// gpgPrefix is what the name of a key in GnuPG's keyring begins with.
const gpgPrefix = "gpg:"

// Key opens a key: gpg:ID, which GnuPG has in its keyring; env://NAME, a variable that holds a private key of OpenSSH; or a file with one. A file with a public key stands for the private one that
// the SSH agent has. A private key is made known to secrets, so that nothing prints it.
func Key(where string, secrets *redact.Secrets) (*Signer, error) {
	s := &Signer{name: where}
	if id, ok := strings.CutPrefix(where, gpgPrefix); ok {
		if s.id = id; id == "" || strings.HasPrefix(id, "-") {
			return nil, refusal.New("open the key of the git tag: %q names no key; write %sID, as gpg --list-secret-keys tells it", where, gpgPrefix)
		}
		return s, nil
	}
	if name, ok := strings.CutPrefix(where, "env://"); ok {
		if s.key = []byte(os.Getenv(name)); len(s.key) == 0 {
			return nil, refusal.New("open the key of the git tag: the variable %s is not set", name)
		}
	} else {
		var err error
		if s.key, err = os.ReadFile(where); err != nil {
			return nil, refusal.New("open the key of the git tag: %w; name a private key of OpenSSH, or %sID", err, gpgPrefix)
		}
		s.pub, _ = os.ReadFile(where + ".pub") // keys of older forms do not hold it
	}
	private := bytes.Contains(s.key, []byte("PRIVATE KEY"))
	if private && secrets != nil {
		secrets.Add(string(s.key))
	}
	switch {
	case bytes.Contains(s.key, []byte("BEGIN PGP")):
		return nil, refusal.New("open the key of the git tag: %s holds a key of OpenPGP; import it (gpg --import), and name it %sID", where, gpgPrefix)
	case !private && !bytes.HasPrefix(s.key, []byte("ssh-")) && !bytes.HasPrefix(s.key, []byte("ecdsa-")) && !bytes.HasPrefix(s.key, []byte("sk-")):
		return nil, refusal.New("open the key of the git tag: %s holds no key of OpenSSH; make one with: ssh-keygen -t ed25519", where)
	}
	s.key = append(bytes.TrimSpace(s.key), '\n') // a variable's value often lost its last line break, without which ssh-keygen does not read it
	return s, nil
}

// Sign signs a bundle's git tag and attaches it. If the bundle has a signed or published tag already, Sign keeps that
// tag, and added is false.
func (s *Signer) Sign(ctx context.Context, b bundle.Bundle) (referrer ocispec.Descriptor, added bool, err error) {
	if _, there, err := Of(b); err != nil || there {
		return referrer, false, err
	}
	content, err := unsigned(b)
	if err != nil {
		return referrer, false, err
	}
	signature, err := s.sign(ctx, content)
	if err != nil {
		return referrer, false, fmt.Errorf("sign the git tag of %s with %s: %w", b.Record.Version, s.name, err)
	}
	signed := slices.Concat(content, signature)
	if cut, _, format := git.CutSignature(signed); format == "" || !bytes.Equal(cut, content) || len(signed) > MaxTag {
		return referrer, false, fmt.Errorf("sign the git tag of %s with %s: what came is no signature that git would find", b.Record.Version, s.name)
	}
	if referrer, err = b.Layout.Attach(b.Identity, Type, signed, nil); err != nil {
		return referrer, false, err
	}
	return referrer, true, b.Layout.AddRoot(referrer)
}

// sign runs the program that git would run, on what git would give it. The agents, keyrings and settings are the user's.
func (s *Signer) sign(ctx context.Context, content []byte) ([]byte, error) {
	if s.key == nil {
		return run(ctx, content, "gpg", "--batch", "--status-fd=2", "-bsau", s.id)
	}
	dir, err := os.MkdirTemp("", "release-key-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "key") // a copy, since ssh-keygen takes none that others may read
	for name, content := range map[string][]byte{file: s.key, file + ".pub": s.pub} {
		if content == nil {
			continue
		}
		if err := os.WriteFile(name, content, 0o600); err != nil {
			return nil, err
		}
	}
	signature, err := run(ctx, content, "ssh-keygen", "-Y", "sign", "-n", "git", "-f", file)
	if err != nil {
		err = errors.New(strings.ReplaceAll(err.Error(), file, s.name) + "; a key that a passphrase protects has to be in the SSH agent")
	}
	return signature, err
}

// run runs a program that signs what it reads. It has no terminal, so that it asks nothing.
func run(ctx context.Context, content []byte, name string, args ...string) ([]byte, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(content), &stdout, &stderr
	cmd.Env = append(os.Environ(), "LC_ALL=C", "SSH_ASKPASS_REQUIRE=never")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s: %w: %s", name, err, strings.Join(strings.Fields(stderr.String()), " "))
	}
	return stdout.Bytes(), nil
}
