//go:build keyless

package keyless

import (
	"time"

	"github.com/operator-release/operator-release/ci/sign"
)

// At sets a keyless signer's clock.
func At(s sign.Signer, now time.Time) { s.(*signer).now = func() time.Time { return now } }
