package surface

import "testing"

func TestPinned(t *testing.T) {
	const digest = "sha256:0123abcd"
	for name, c := range map[string]struct {
		content string
		line    int
		want    string
	}{
		"behind the tag":       {"a: b\nimg: pi:v1.0.0@" + digest + "\n", 2, digest},
		"beside newTag":        {"images:\n- name: pi\n  newTag: v1.0.0\n  digest: " + digest + "\n", 3, digest},
		"before the tag":       {"image: {digest: '" + digest + "', tag: v1.0.0}\n", 1, digest},
		"of another image":     {"images:\n- name: pi\n  newTag: v1.0.0\n- name: base\n  digest: " + digest + "\n", 3, ""},
		"empty":                {"image:\n  tag: v1.0.0\n  digest: ''\n", 2, ""},
		"no YAML":              {"a: [\nVERSION = v1.0.0\n", 2, ""},
		"no such line":         {"a: b\n", 7, ""},
		"a digest of the file": {"digest: " + digest + "\nimage:\n  tag: v1.0.0\n", 3, ""},
	} {
		if got := Pinned([]byte(c.content), c.line); got != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}
