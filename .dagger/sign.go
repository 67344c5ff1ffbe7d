package main

import (
	"context"

	"dagger/operator-release/internal/dagger"

	"github.com/operator-release/operator-release/ci/pipeline"
)

// Signing is what a publication is signed with.
type Signing struct {
	// +private
	Key *dagger.Secret
	// +private
	Password *dagger.Secret
	// +private
	GitKey *dagger.Secret
	// +private
	IdentityURL *dagger.Secret
	// +private
	IdentityToken *dagger.Secret
	// +private
	Builder string
	// +private
	Invocation string
}

// Signers are whose signatures count; without keys those that the settings name.
type Signers struct {
	// +private
	Keys []*dagger.File
}

// WithSigningKey signs what is published, as cosign does: images, their platforms, charts and the release artifact, with provenance, SBOMs and test result.
//
// +cache="session"
func (m *OperatorRelease) WithSigningKey(
	// The private key in PEM, such as file://cosign.key.
	key *dagger.Secret,
	// The key's password.
	// +optional
	password *dagger.Secret,
) *OperatorRelease {
	m.Signing.Key, m.Signing.Password = key, password
	return m
}

// WithGitKey signs the git tag of what is published, as git does.
//
// +cache="session"
func (m *OperatorRelease) WithGitKey(
	// The SSH private key, without a passphrase, such as file://~/.ssh/release.
	key *dagger.Secret,
) *OperatorRelease {
	m.Signing.GitKey = key
	return m
}

// WithKeylessSigning signs what is published by the identity that GitHub Actions gives to a job with the permission id-token: write.
//
// +cache="session"
func (m *OperatorRelease) WithKeylessSigning(
	// Where an identity token is asked for: env://ACTIONS_ID_TOKEN_REQUEST_URL.
	requestURL *dagger.Secret,
	// What one asks with: env://ACTIONS_ID_TOKEN_REQUEST_TOKEN.
	requestToken *dagger.Secret,
) *OperatorRelease {
	m.Signing.IdentityURL, m.Signing.IdentityToken = requestURL, requestToken
	return m
}

// WithBuilder says in the provenance on what machines it was built, and in which run.
func (m *OperatorRelease) WithBuilder(
	// An URI of the machines, such as https://github.com/actions/runner/github-hosted.
	id string,
	// An URI of the run, such as https://github.com/OWNER/REPO/actions/runs/ID.
	// +optional
	invocation string,
) *OperatorRelease {
	m.Signing.Builder, m.Signing.Invocation = id, invocation
	return m
}

// WithRequiredSignatures publishes nothing of which anything is not signed by who is trusted: by these keys, or by those that the settings name.
//
// +cache="session"
func (m *OperatorRelease) WithRequiredSignatures(
	// Public keys in PEM, such as cosign.pub.
	// +optional
	publicKeys []*dagger.File,
) *OperatorRelease {
	m.Signers = &Signers{publicKeys}
	return m
}

// Signed is the bundle with signatures of everything in it, by what with-signing-key, with-keyless-signing and with-git-key name. Its identity stays.
//
// +cache="never"
func (b *Bundle) Signed(ctx context.Context) (*Bundle, error) {
	flow, err := b.flow(ctx)
	if err != nil {
		return nil, err
	}
	r, err := b.made(ctx, flow)
	if err != nil {
		return nil, err
	}
	_, signed, err := flow.Sign(ctx, r.Bundled, b.Module.signing())
	return &Bundle{Module: b.Module, Version: b.Version, Opened: signed}, err
}

// signs tells whether something to sign with was named.
func (m *OperatorRelease) signs() bool {
	return m.Signing.Key != nil || m.Signing.IdentityToken != nil || m.Signing.GitKey != nil
}

const signingKeyAt, gitKeyAt = credentials + "signing-key", credentials + "git-key"

func (m *OperatorRelease) signing() pipeline.SignSpec {
	spec := pipeline.SignSpec{Builder: m.Signing.Builder, Invocation: m.Signing.Invocation}
	if m.Signing.Key != nil {
		spec.Key = signingKeyAt
	}
	if m.Signing.GitKey != nil {
		spec.GitKey, spec.TagOnly = gitKeyAt, m.Signing.Key == nil && m.Signing.IdentityToken == nil
	}
	return spec
}

// withSigning gives a container what it signs with.
func (m *OperatorRelease) withSigning(c *dagger.Container) *dagger.Container {
	if m.Signing.IdentityToken != nil {
		c = m.knowingIdentities(c)
	}
	if m.Signing.Key != nil {
		c = c.WithMountedSecret(signingKeyAt, m.Signing.Key, dagger.ContainerWithMountedSecretOpts{Mode: 0o400})
	}
	if m.Signing.GitKey != nil {
		c = c.WithMountedSecret(gitKeyAt, m.Signing.GitKey, dagger.ContainerWithMountedSecretOpts{Mode: 0o400})
	}
	for name, secret := range map[string]*dagger.Secret{
		"COSIGN_PASSWORD": m.Signing.Password, "ACTIONS_ID_TOKEN_REQUEST_URL": m.Signing.IdentityURL, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": m.Signing.IdentityToken,
	} {
		if secret != nil {
			c = c.WithSecretVariable(name, secret)
		}
	}
	return c
}

// trust is whose signatures count where something is published.
func (m *OperatorRelease) trust(ctx context.Context) (pipeline.Trust, error) {
	var trust pipeline.Trust
	if m.Signers == nil {
		return trust, nil
	}
	trust.Required = true
	for _, file := range m.Signers.Keys {
		content, err := file.Contents(ctx)
		if err != nil {
			return trust, err
		}
		trust.Keys = append(trust.Keys, content)
	}
	return trust, nil
}
