package surface

import (
	"fmt"
	"testing"
	"testing/fstest"

	"github.com/operator-release/operator-release/ci/version"
)

// kept is a tree that needs no closing.
type kept struct{ fstest.MapFS }

func (kept) Close() error { return nil }

// TestFollows tells places that follow the version from those that never did.
func TestFollows(t *testing.T) {
	// What __version__ says in the tree of each version.
	trees := map[string]map[string]string{
		"own":       {"v1.0.0": "2017.0.dev1", "v1.1.0": "2017.0.dev1", "v1.2.0": "2017.0.dev1"},
		"follows":   {"v1.0.0": "1.0.0", "v1.1.0": "1.1.0", "v1.2.0": "1.2.0"},
		"pep440":    {"v1.2.0-rc.1": "1.2.0rc1", "v1.2.0": "1.2.0rc1"},
		"dev":       {"v1.1.0": "1.1.0", "v1.2.0": "1.2.0.dev0"},
		"forgotten": {"v0.9.0": "0.9.0", "v1.0.0": "1.0.0", "v1.1.0": "1.0.0", "v1.2.0": "1.0.0"},
		"once":      {"v1.0.0": "1.0.0", "v1.1.0": "1.0.0", "v1.2.0": "1.0.0"},
		"never":     {"v1.0.0": "0.9.0", "v1.1.0": "0.9.0", "v1.2.0": "0.9.0"},
		"first":     {"v1.2.0": "1.2.0"},
		"beginning": {"v1.2.0": "0.1.0"},
	}
	versions := map[string][]string{
		"v0.9.0": nil, "v1.0.0": {"v0.9.0"}, "v1.1.0": {"v1.0.0"}, "v1.2.0-rc.1": {"v1.1.0"},
		"v1.2.0": {"v1.2.0-rc.1", "v1.1.0"},
	}
	parsed := func(names []string) (all []version.Version) {
		for _, name := range names {
			all = append(all, version.MustParse(name))
		}
		return all
	}
	for _, c := range []struct{ of, in, want string }{
		{"own", "v1.2.0", "[]"}, {"own", "v1.0.0", "[]"},
		{"follows", "v1.2.0", "[1.2.0]"}, {"follows", "v1.0.0", "[1.0.0]"},
		{"pep440", "v1.2.0", "[1.2.0rc1]"}, {"pep440", "v1.2.0-rc.1", "[1.2.0rc1]"},
		{"dev", "v1.2.0", "[1.2.0.dev0]"},
		{"forgotten", "v1.2.0", "[1.0.0]"}, {"forgotten", "v1.1.0", "[1.0.0]"},
		{"once", "v1.2.0", "[]"}, {"once", "v1.1.0", "[1.0.0]"},
		{"never", "v1.2.0", "[]"}, {"first", "v1.2.0", "[1.2.0]"}, {"beginning", "v1.2.0", "[]"},
	} {
		s := Surface{Kind: "Python", Path: "version.py", locate: pythonVersion}
		tree := func(v version.Version) (Tree, error) {
			if text := trees[c.of][v.String()]; text != "" {
				return kept{fstest.MapFS{s.Path: {Data: []byte("__version__ = \"" + text + "\"\n")}}}, nil
			}
			return kept{}, nil
		}
		v := version.MustParse(c.in)
		values, err := s.Read([]byte("__version__ = \"" + trees[c.of][c.in] + "\"\n"))
		if err != nil {
			t.Fatal(err)
		}
		follow, others, err := Follows([]Occurrence{{s, values[0]}}, v, Before{Versions: parsed(versions[c.in]), Tree: tree,
			Earlier: func(v version.Version) []version.Version { return parsed(versions[v.String()]) }})
		got := []string{}
		for _, at := range follow {
			got = append(got, at.Text)
		}
		if err != nil || fmt.Sprint(got) != c.want || len(follow)+len(others) != 1 {
			t.Errorf("%s in %s: %s follows, %v; want %s", c.of, c.in, got, err, c.want)
		}
	}
}
