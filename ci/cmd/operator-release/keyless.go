//go:build keyless

package main

import (
	"context"
	"os"

	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/pipeline"
	"github.com/operator-release/operator-release/ci/redact"
	"github.com/operator-release/operator-release/ci/sign"
	"github.com/operator-release/operator-release/ci/sign/keyless"
)

// keylessSigner signs by the identity that the CI gives.
func keylessSigner(ctx context.Context, secrets *redact.Secrets, spec pipeline.SignSpec) (sign.Signer, error) {
	return keyless.New(ctx, keyless.Tokens(os.Getenv, secrets), keyless.Services{
		Fulcio: spec.Fulcio, Rekor: spec.Rekor, Timestamp: spec.Timestamp, TrustedRoot: []byte(spec.TrustedRoot),
	})
}

// keylessVerifier trusts identities, by a trusted root (its content), or by that of the public services.
func keylessVerifier(trustedRoot string, identities []config.Identity) (*sign.Verifier, error) {
	material := []byte(trustedRoot)
	if trustedRoot == "" {
		var err error
		if material, err = keyless.PublicRoot(); err != nil {
			return nil, err
		}
	}
	var named []keyless.Identity
	for _, i := range identities {
		named = append(named, keyless.Identity(i))
	}
	return keyless.Identities(material, named...)
}
