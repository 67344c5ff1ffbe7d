package sign

import "time"

// At sets a keyless signer's clock.
func At(s Signer, now time.Time) { s.(*keyless).now = func() time.Time { return now } }
