package main

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"

	"dagger/tests/internal/dagger"
)

// Signatures publishes nothing unsigned where that is asked for, and signed once a key is there; the audit verifies what was published, and git the tag.
//
// +check
func (t *Tests) Signatures(ctx context.Context) error {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return err
	}
	privateDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return err
	}
	publicDER, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return err
	}
	key := dag.SetSecret("signing-key", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: privateDER})))
	made := t.in(dag.Directory(), "ssh-keygen -q -t ed25519 -N '' -C '' -f git-key && { printf '* namespaces=\"git\" '; cat git-key.pub; } > signers")
	gitKey, err := made.File("git-key").Contents(ctx)
	if err != nil {
		return err
	}
	registry, err := t.registry(ctx, "signatures")
	if err != nil {
		return err
	}
	remote, err := t.remote(ctx, "signatures")
	if err != nil {
		return err
	}
	repository := t.commit(t.repository(copied).
		WithNewFile("cosign.pub", string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: publicDER}))).
		WithFile("signers", made.File("signers")).
		WithNewFile(".release.yaml", "signatures: {keys: [cosign.pub], allowedSigners: signers}\n"), "chore: whose signatures count")
	m := t.module(repository).WithService("registry", registry).WithService("remote", remote).WithRequiredSignatures()
	to := dagger.OperatorReleasePublishOpts{Registry: "registry:5000", Remote: url}
	_, err = m.Publish(ctx, version, to)
	if err := fails(err, "sign the bundle, or name the key that did"); err != nil {
		return err
	}
	if heads, err := t.heads(ctx, remote); err != nil || heads != "" {
		return errors.Join(err, errors.New("it was refused, and made branches: "+heads))
	}
	signing := m.WithSigningKey(key).WithGitKey(dag.SetSecret("git-key", gitKey))
	first, err := signing.Publish(ctx, version, to)
	if err != nil {
		return err
	}
	if err := has(first, "tiny v1.0.0-rc.0 is published\n", "refs/tags/v1.0.0-rc.0"); err != nil {
		return err
	}
	again, err := signing.Publish(ctx, version, to)
	if err != nil {
		return err
	}
	if err := has(again, "is published already: nothing to do"); err != nil {
		return err
	}
	audited, err := m.Audit(ctx, dagger.OperatorReleaseAuditOpts{Version: version, Registry: "registry:5000", Remote: url})
	if err != nil {
		return err
	}
	if err := has(audited, "✓ v1.0.0-rc.0"); err != nil {
		return err
	}
	_, err = dag.Container().From(t.GoImage).WithServiceBinding("remote", remote).WithFile("/signers", made.File("signers")).
		WithExec([]string{"git", "clone", "--quiet", "--branch", version, url, "/clone"}).
		WithExec([]string{"git", "-C", "/clone", "-c", "gpg.ssh.allowedSignersFile=/signers", "verify-tag", version}).
		Sync(ctx)
	return err
}
