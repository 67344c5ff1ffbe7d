package refusal

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"
)

func TestIs(t *testing.T) {
	refused := New("read %s: %w", "x", fs.ErrNotExist)
	for err, want := range map[error]bool{
		refused:                              true,
		fmt.Errorf("around: %w", refused):    true,
		errors.Join(fs.ErrClosed, refused):   true,
		fs.ErrNotExist:                       false,
		fmt.Errorf("no: %w", fs.ErrNotExist): false,
	} {
		if Is(err) != want {
			t.Errorf("%v: %v", err, !want)
		}
	}
	if !errors.Is(refused, fs.ErrNotExist) || refused.Error() != "read x: file does not exist" {
		t.Errorf("%v", refused)
	}
}

func TestNearest(t *testing.T) {
	names := []string{"branches", "binaries", "images"}
	for name, want := range map[string]string{"branch": "branches", "BINARYS": "binaries", "image": "images", "zzzzzz": "", "": ""} {
		if got := Nearest(name, names); got != want {
			t.Errorf("%q is nearest to %q, want %q", name, got, want)
		}
	}
	if Meant("imagess", names) != `; did you mean "images"?` || Meant("zzzzzz", names) != "" {
		t.Error(Meant("imagess", names))
	}
}
