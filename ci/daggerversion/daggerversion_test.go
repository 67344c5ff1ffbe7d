package daggerversion

import (
	"strings"
	"testing"

	"github.com/operator-release/operator-release/ci/refusal"
)

func TestCheck(t *testing.T) {
	for engine, want := range map[string]string{
		"v0.21.8":                       "",
		"v1.0.0-beta.10":                "",
		"v0.21.9":                       "not among",
		"v0.22.0":                       "not among",
		"v1.0.0-beta.9":                 "not among",
		"v1.0.0-beta.11":                "is newer than",
		"v1.0.0":                        "is newer than",
		"v2.3.4":                        "is newer than",
		"v0.21.8-260101000000-dev-1234": "not among",
		"development":                   "the version of this engine is development",
		"":                              "the version of this engine is ",
	} {
		note, err := Check(engine)
		if err != nil || !strings.Contains(note, want) || (note == "") != (want == "") {
			t.Errorf("%q: note %q, error %v; want %q", engine, note, err, want)
		}
		if note != "" && !strings.Contains(note, "v0.21.8 and v1.0.0-beta.10") {
			t.Errorf("%q: the note does not name what is tested: %s", engine, note)
		}
	}
	for _, engine := range []string{"v0.21.7", "v0.20.8", "v0.9.9", "0.19.0", "v0.21.7-rc.1"} {
		_, err := Check(engine)
		if !refusal.Is(err) {
			t.Errorf("%q is not refused: %v", engine, err)
			continue
		}
		for _, part := range []string{engine + " is too old", "v0.21.8 and v1.0.0-beta.10", "DAGGER_VERSION=0.21.8"} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q: %v does not say %q", engine, err, part)
			}
		}
	}
}
