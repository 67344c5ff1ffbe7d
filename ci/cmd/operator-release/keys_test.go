package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
)

// key-pair NAME [PASSWORD]: the files NAME.pem, in PKCS #8 or with a password as cosign writes it, and NAME.pub. The private key is in the variable NAME as well, and is a canary.
func keyPair(ts *testscript.TestScript, _ bool, args []string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	private, err := cryptoutils.MarshalPrivateKeyToPEM(key)
	ts.Check(err)
	public, err := cryptoutils.MarshalPublicKeyToPEM(key.Public())
	ts.Check(err)
	if len(args) == 2 {
		private, public, err = cryptoutils.GeneratePEMEncodedECDSAKeyPair(elliptic.P256(), cryptoutils.StaticPasswordFunc([]byte(args[1])))
		ts.Check(err)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".pem"), private, 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".pub"), public, 0o600))
	ts.Setenv(args[0], string(private))
	f, err := os.OpenFile(filepath.Join(ts.Getenv("WORK"), canaries), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	ts.Check(err)
	_, err = io.WriteString(f, strings.Split(string(private), "\n")[2]+"\n") // a line that is full, and is no other key's
	ts.Check(errors.Join(err, f.Close()))
}
