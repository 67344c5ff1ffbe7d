package image

import (
	"io"
	"strings"
	"testing"

	"github.com/operator-release/operator-release/ci/refusal"
)

func TestWhatUnpacksIsBounded(t *testing.T) {
	for packed, want := range map[int64]int64{0: 1 << 30, 1 << 20: 1 << 30, 100 << 20: 20_000 << 20, 10 << 30: 64 << 30} {
		if got := limit(packed); got != want {
			t.Errorf("%d bytes may unpack to %d, not %d", packed, got, want)
		}
	}
	for left, fits := range map[int64]bool{5: true, 4: false} {
		if _, err := io.ReadAll(&bounded{strings.NewReader("12345"), left}); fits != (err == nil) || !fits && !refusal.Is(err) {
			t.Errorf("5 bytes where %d are taken: %v", left, err)
		}
	}
}
