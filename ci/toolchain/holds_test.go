package toolchain

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/operator-release/operator-release/ci/git"
)

func TestHolds(t *testing.T) {
	const mod = "module example.com/op\n\ngo 1.26\n\nreplace example.com/lib => ./lib\n\nreplace example.com/far " +
		"v1.0.0 => example.com/near v1.0.0\n"
	entry := func(path string) git.Entry {
		if sub, ok := strings.CutSuffix(path, "/"); ok {
			return git.Entry{Path: sub, Mode: "160000"}
		}
		return git.Entry{Path: path, Mode: "100644"}
	}
	main := func(text string) map[string]string {
		return map[string]string{"cmd/op/main.go": "package main\n\n" + text}
	}
	for name, c := range map[string]struct {
		files   map[string]string
		mains   string
		missing string
		want    string
	}{
		"nothing": {main(""), "./cmd/op", "web/logo sub/", ""},
		"embedded": {main("//go:embed web/*.png all:data\n"), "./cmd/op",
			"cmd/op/web/a.png cmd/op/web/a.jpg cmd/op/data/x/y web/a.png", "cmd/op/web/a.png cmd/op/data/x/y"},
		"not by a test": {map[string]string{"cmd/op/main_test.go": "//go:embed x\n"}, "./cmd/op", "cmd/op/x", ""},
		"not by another package": {map[string]string{"cmd/other/main.go": "//go:embed x\n"}, "./cmd/op", "cmd/other/x",
			""},
		"by one that is imported": {map[string]string{"cmd/op/main.go": "package main\n\nimport " +
			"(\n\t\"fmt\"\n\t\"example.com/op/a\"\n)\n", "a/a.go": "package a\n\nimport _ " +
			"\"example.com/op/b\"\n", "b/b.go": "package b\n\n//go:embed x\n"}, "./cmd/op", "a/x b/x", "b/x"},
		"packages in circles": {map[string]string{"cmd/op/main.go": "package main\n\nimport _ " +
			"\"example.com/op/cmd/op\"\n"}, "./cmd/op", "cmd/op/x.s", "cmd/op/x.s"},
		"a package in a submodule": {main("import _ \"example.com/op/sub/pkg\"\n"), "./cmd/op", "sub/ su/", "sub"},
		"an embedded submodule":    {main("//go:embed web\n"), "./cmd/op", "cmd/op/web/", "cmd/op/web"},
		"embedded out of one":      {main("//go:embed web/a/b.txt\n"), "./cmd/op", "cmd/op/web/", "cmd/op/web"},
		"a replaced module":        {main(""), "./cmd/op", "lib/", "lib"},
		"a package of it": {map[string]string{"cmd/op/main.go": "package main\n\nimport _ " +
			"\"example.com/lib/p\"\n", "lib/p/p.go": "package p\n\n//go:embed x\n"}, "./cmd/op", "lib/p/x", "lib/p/x"},
		"vendored": {main(""), "./cmd/op", "vendor/", "vendor"},
		"sources": {main(""), "./cmd/op",
			"cmd/op/a.s cmd/op/a_test.go cmd/op/a.png cmd/b.go go.sum a/go.sum", "cmd/op/a.s go.sum"},
		"the root":                  {map[string]string{"main.go": "package main\n\n//go:embed x\n"}, ".", "x y", "x"},
		"a main by its import path": {main("//go:embed x\n"), "example.com/op/cmd/op", "cmd/op/x", "cmd/op/x"},
		"a main by its file":        {main("//go:embed x\n"), "./cmd/op/main.go", "cmd/op/x", "cmd/op/x"},
		"no such package":           {main(""), "./cmd/none", "x", ""},
		"a submodule of the main":   {main(""), "./sub/cmd", "sub/", "sub"},
	} {
		tree := fstest.MapFS{"go.mod": {Data: []byte(mod)}}
		for file, content := range c.files {
			tree[file] = &fstest.MapFile{Data: []byte(content)}
		}
		var missing []git.Entry
		for path := range strings.FieldsSeq(c.missing) {
			missing = append(missing, entry(path))
		}
		held, err := Holds(tree, []string{c.mains}, missing)
		var got []string
		for _, e := range held {
			got = append(got, e.Path)
		}
		if s := strings.Join(got, " "); s != c.want || err != nil {
			t.Errorf("%s: %s, %v; want %s", name, s, err, c.want)
		}
	}
}
