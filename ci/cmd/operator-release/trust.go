package main

import (
	"context"
	"errors"
	"os"

	"github.com/spf13/cobra"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/pipeline"
	"github.com/operator-release/operator-release/ci/publish"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/sign"
)

// trusting are the flags that say whose signatures count, beside those that the settings name.
type trusting struct {
	keys        []string
	name        string
	issuer      string
	trustedRoot string
	signers     string
	required    bool
}

func (t *trusting) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVar(&t.keys, "public-key", nil, "trust signatures of this key, a file in PEM, beside those of the settings; may be repeated")
	f.StringVar(&t.name, "certificate-identity", "", "trust signatures of this identity, such as https://github.com/OWNER/REPO/.github/workflows/release.yaml@refs/heads/main")
	f.StringVar(&t.issuer, "certificate-oidc-issuer", "", "who gave that identity, such as https://token.actions.githubusercontent.com")
	f.StringVar(&t.signers, "allowed-signers", "", "trust signatures of git tags by whom this file names (ssh-keygen(1), ALLOWED SIGNERS), instead of those of the settings")
	f.StringVar(&t.trustedRoot, "trusted-root", "", "a file with a Sigstore trusted root, instead of that of the public services")
}

func (t *trusting) trust() (pipeline.Trust, error) {
	trust := pipeline.Trust{Required: t.required}
	for _, file := range t.keys {
		content, err := os.ReadFile(file)
		if err != nil {
			return trust, refusal.New("read a public key: %w", err)
		}
		trust.Keys = append(trust.Keys, string(content))
	}
	if (t.name == "") != (t.issuer == "") {
		return trust, refusal.New("trust an identity: it takes both, --certificate-identity and --certificate-oidc-issuer")
	}
	if t.name != "" {
		trust.Identities = []config.Identity{{Name: t.name, Issuer: t.issuer}}
	}
	if t.trustedRoot != "" {
		content, err := os.ReadFile(t.trustedRoot)
		if err != nil {
			return trust, refusal.New("read the trusted root: %w", err)
		}
		trust.TrustedRoot = string(content)
	}
	if t.signers != "" {
		content, err := os.ReadFile(t.signers)
		if err != nil {
			return trust, refusal.New("read the allowed signers: %w", err)
		}
		trust.Signers = string(content)
	}
	return trust, nil
}

// verifierOf trusts what is named and what the settings name, by the files of the commit that is checked out. It is nil where nobody is.
func verifierOf(ctx context.Context, source *git.Repository, signatures *config.Signatures, trust pipeline.Trust) (*sign.Verifier, error) {
	identities, trustedRoot := trust.Identities, trust.TrustedRoot
	var keys [][]byte
	for _, key := range trust.Keys {
		keys = append(keys, []byte(key))
	}
	if signatures != nil {
		tree, err := source.Tree(ctx, "HEAD")
		if err != nil {
			return nil, err
		}
		defer tree.Close()
		for _, file := range signatures.Keys {
			content, err := tree.ReadFile(file)
			if err != nil {
				return nil, refusal.New("read the public key that signatures.keys names: %w; commit it", err)
			}
			keys = append(keys, content)
		}
		identities = append(identities, signatures.Identities...)
		if trustedRoot == "" && signatures.TrustedRoot != "" {
			content, err := tree.ReadFile(signatures.TrustedRoot)
			if err != nil {
				return nil, refusal.New("read the trusted root that signatures.trustedRoot names: %w; commit it", err)
			}
			trustedRoot = string(content)
		}
	}
	if len(keys) == 0 && len(identities) == 0 {
		return nil, nil
	}
	v, err := sign.Keys(keys...)
	if err != nil || len(identities) == 0 {
		return v, err
	}
	certified, err := keylessVerifier(trustedRoot, identities)
	if err != nil {
		return nil, err
	}
	return v.Or(certified), nil
}

// required refuses a bundle that is not signed, where that is asked for, by flag or settings.
func required(ctx context.Context, source *git.Repository, b bundle.Bundle, remote *publish.Remote,
	spec pipeline.PublishSpec) error {
	var c config.Config
	var unborn *git.Error
	if _, err := source.Git(ctx, "rev-parse", "--verify", "--quiet", "HEAD"); errors.As(err, &unborn) && unborn.Code == 1 && spec.To.Config == nil {
		// Nothing is checked out, so no settings ask for anything; flags may.
	} else if c, err = settings(ctx, source, spec.To.Config); err != nil {
		return err
	}
	if !spec.Trust.Required && (c.Signatures == nil || !c.Signatures.Required) {
		return nil
	}
	v, err := verifierOf(ctx, source, c.Signatures, spec.Trust)
	if err != nil {
		return err
	}
	if v == nil {
		return refusal.New("publish %s signed: by whom? name a key with --public-key, an identity with --certificate-identity, or either in the settings under signatures", b.Record.Version)
	}
	if err := sign.Require(b, v); err != nil {
		return err
	}
	return requiredTag(ctx, source, b, remote, c.Signatures, spec.Trust)
}
