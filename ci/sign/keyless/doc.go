//go:build keyless

// Package keyless signs by the identity that a CI gives instead of a key: an identity token is exchanged for a certificate, and a log or a timestamp authority
// says when something was signed. It verifies such signatures, too. It is a room of its own because of what it is made of: sigstore-go brings some 260 packages.
package keyless
