package surface

import (
	"strings"
	"testing"

	"github.com/operator-release/operator-release/ci/version"
)

func TestPropose(t *testing.T) {
	v := version.MustParse("v1.5.0")
	for name, c := range map[string]struct {
		content, wanted string
		patterns        int // 0: no pattern does it
	}{
		"a line of its own":        {"v1.4.2\n", "v1.5.0\n", 1},
		"without a line end":       {"1.4.2", "1.5.0", 1},
		"an image":                 {"a: 1.4.2\nimage: x/y:v1.4.2\n", "a: 1.4.2\nimage: x/y:v1.5.0\n", 1},
		"one pattern for two":      {"a: x/y:v1.4.2\nb\n  a: x/y:v1.4.2\n", "a: x/y:v1.5.0\nb\n  a: x/y:v1.5.0\n", 1},
		"two on one line":          {"from v1.4.2 as 1.4.2 x\n", "from v1.5.0 as 1.5.0 x\n", 2},
		"one of two on a line":     {"v1.4.2 from 1.4.2\n", "v1.5.0 from 1.4.2\n", 1},
		"a candidate before":       {"tag=v1.5.0-rc.1\n", "tag=v1.5.0\n", 1},
		"in quotes":                {"it's '1.4.2'\n", "it's '1.5.0'\n", 1},
		"a place that stays":       {"go: 1.4.2\nme: 1.4.2\n", "go: 1.4.2\nme: 1.5.0\n", 1},
		"the same words elsewhere": {"x: 1.4.2\nx: 1.4.2\n", "x: 1.4.2\nx: 1.5.0\n", 0},
		"another form":             {"1.4.2\n", "v1.5.0\n", 0},
		"other words":              {"a v1.4.2\n", "b v1.5.0\n", 0},
		"a line more":              {"v1.4.2\n", "v1.5.0\nx\n", 0},
		"an address": {"https://x/v1.4.2/pi_1.4.2_linux.tgz?sum=(1.4.2)*[1.4.2]\n",
			"https://x/v1.5.0/pi_1.5.0_linux.tgz?sum=(1.5.0)*[1.5.0]\n", 4},
		"one between that stays": {`{"v":"1.4.2","deps":["x@1.4.2","pi@1.4.2"]}` + "\n",
			`{"v":"1.5.0","deps":["x@1.4.2","pi@1.5.0"]}` + "\n", 2},
		"a version that follows another one": {"go1.4.2 pi v1.4.2\n", "go1.4.2 pi v1.5.0\n", 1},
		"a digest":                           {"sha256:ab\n", "sha256:cd\n", 0},
	} {
		t.Run(name, func(t *testing.T) {
			proposed := Propose("x/f.txt", []byte(c.content), []byte(c.wanted), v)
			if len(proposed) != c.patterns {
				t.Fatalf("got %+v", proposed)
			}
			content := []byte(c.content)
			for _, to := range []string{"v1.5.0", "v1.5.1", "v2.0.0"} {
				for _, p := range proposed {
					var err error
					s := Surface{Kind: patternKind, Path: p.Path, locate: pattern(p.Pattern)}
					if content, err = s.Edit(content, version.MustParse(to), nil); err != nil {
						t.Fatal(err)
					}
				}
				want := strings.ReplaceAll(c.wanted, "1.5.0", to[1:])
				if len(proposed) > 0 && string(content) != want {
					t.Errorf("%s: %+v give %q", to, proposed, content)
				}
			}
		})
	}
}
