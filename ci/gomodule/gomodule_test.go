package gomodule

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/operator-release/operator-release/ci/version"
)

func TestFind(t *testing.T) {
	tree := fstest.MapFS{}
	for name, path := range map[string]string{
		"go.mod": "example.com/op", "api/go.mod": "example.com/op/api", "api/v2/go.mod": "example.com/op/api/v2",
		"test/e2e/go.mod": "e2e", "vendor/x/go.mod": "x", "api/testdata/go.mod": "x", ".tools/go.mod": "x",
		"_old/go.mod":     "x",
		"api-docs/go.mod": "example.com/op/api-docs",
	} {
		tree[name] = &fstest.MapFile{Data: []byte("module " + path + "\n")}
	}
	tree["empty/go.mod"] = &fstest.MapFile{Data: []byte("go 1.24\n")}
	found, err := Find(tree)
	want := "[{. example.com/op} {api example.com/op/api} {api-docs example.com/op/api-docs} " +
		"{api/v2 example.com/op/api/v2} {test/e2e e2e}]"
	if err != nil || fmt.Sprint(found) != want {
		t.Errorf("%v, %v", found, err)
	}
	if got := fmt.Sprint(Prefixes(found)); got != "[api/ api-docs/ api/]" {
		t.Error(got)
	}
}

func TestRetracted(t *testing.T) {
	for text, want := range map[string]int{
		"":                                      0,
		"retract v1.5.0":                        3,
		"retract v1.4.0":                        0,
		"retract [v1.4.0, v1.6.0] // all of it": 3,
		"retract (\n\tv1.4.0\n\tv1.5.0 // bad\n)": 5,
		"retract [v1.5.1, v1.6.0]":                0,
		"retract v1.5.0-rc.0":                     0,
		"// retract v1.5.0":                       0,
		"retract one":                             0,
	} {
		content := []byte("module example.com/op\n\n" + text + "\n")
		if got := Retracted(content, version.MustParse("v1.5.0")); got != want {
			t.Errorf("%q: line %d, want %d", text, got, want)
		}
	}
}

func TestMajors(t *testing.T) {
	for path, want := range map[string]string{
		"example.com/op": "v0 and v1", "example.com/op/v2": "v2", "gopkg.in/op.v3": "v3",
	} {
		if got := (Module{".", path}).Majors(); got != want {
			t.Errorf("%s: %s", path, got)
		}
	}
}

// TestPrefix holds the prefix of a module's tags to where Go looks for them.
func TestPrefix(t *testing.T) {
	for _, c := range []struct{ root, dir, path, want string }{
		{"example.com/op", ".", "example.com/op", ""},
		{"example.com/op", "api", "example.com/op/api", "api/"},
		{"example.com/op/v2", "api", "example.com/op/api/v2", "api/"},
		{"example.com/op", "api/v2", "example.com/op/api/v2", "api/"},
		{"example.com/op", "v2", "example.com/op/v2", ""},
		{"example.com/op", "pkg/apis", "example.com/op/pkg/apis", "pkg/apis/"},
		{"gopkg.in/op.v3", ".", "gopkg.in/op.v3", ""},
		{"", "api", "example.com/op/api", "api/"},
		{"", "api", "api", "api/"},
		{"example.com/op", "api", "example.com/api", "-"},
		{"example.com/op", "api", "example.com/op/apis", "-"},
		{"example.com/op", "test/e2e", "e2e", "-"},
		{"example.com/op", "client", "example.com/operator/client", "-"},
		{"", "api", "example.com/op", "-"},
	} {
		got, err := Module{c.dir, c.path}.Prefix(Module{".", c.root})
		if err != nil {
			got = "-"
		}
		if got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

// TestCheck holds majors of versions to the paths of modules, by Go's own rules.
func TestCheck(t *testing.T) {
	const advice = "change the path there and in all imports, or release a version of major "
	for _, c := range []struct{ path, version, want string }{
		{"example.com/op", "v0.4.0", ""},
		{"example.com/op", "v1.5.0-rc.0", ""},
		{"example.com/op/v2", "v2.0.0", ""},
		{"gopkg.in/op.v1", "v1.2.0", ""},
		{"gopkg.in/op.v3", "v3.0.0", ""},
		{"gopkg.in/op.v0", "v0.1.0", ""},
		{"example.com/op", "v2.0.0", "has the path example.com/op/v2; " + advice + "0 or 1"},
		{"example.com/op/api", "v2.9.0-rc.0", "has the path example.com/op/api/v2;"},
		{"example.com/op/v2", "v3.0.0", "has the path example.com/op/v3; " + advice + "2"},
		{"example.com/op/v2", "v1.0.0", "has the path example.com/op;"},
		{"gopkg.in/op.v1", "v2.0.0", "has the path gopkg.in/op.v2;"},
		{"example.com/op/v1", "v1.0.0", "ends with no major version that Go takes"},
		{"gopkg.in/op", "v1.0.0", "ends with no major version that Go takes"},
	} {
		err := Module{".", c.path}.Check(version.MustParse(c.version))
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s of %s: %v", c.version, c.path, err)
		}
	}
}
