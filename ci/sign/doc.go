// Package sign makes and verifies signatures and signed attestations of everything in a bundle: images, platform images, charts and the release artifact.
//
// Each is a Sigstore bundle (https://docs.sigstore.dev/about/bundle/) over an in-toto statement, attached as an OCI referrer to what it speaks of, as
// cosign v3 does: `cosign verify` and `cosign verify-attestation` read what is made here, and what cosign attached is verified here. They lie in the layout
// beside the bundle's other referrers and are no part of the identity. All cryptography is that of sigstore's libraries.
//
// A key signs (Key), or a certificate that a CI's identity is exchanged for (package keyless). Signing again adds nothing where the same signer has said the same.
package sign
