package toolchain

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestReads(t *testing.T) {
	tree := fstest.MapFS{}
	for name, content := range map[string]string{
		"go.mod": "", "go.sum": "", "README.md": "", "charts/x/values.yaml": "", "main.go": "package main\n\n//go:embed profiles/*.yaml \"with space\" all:history\n//go:embed  `raw.txt`\nvar f embed.FS\n",
		"profiles/a.yaml": "", "profiles/a.json": "", "profiles/sub/b.yaml": "", "with space/x": "", "history/.hidden/y": "", "history/z": "", "raw.txt": "", "other.txt": "",
		"main_test.go": "//go:embed testdata\n", "testdata/t": "", "asm.s": "", "cmd/op/default.pgo": "", "vendor/modules.txt": "", "api/vendor/x/y.txt": "", "api/go.mod": "",
		"docs/x.go": "package docs\n\nconst text = `\n//go:embed quoted\n`\n", "docs/quoted": "",
	} {
		tree[name] = &fstest.MapFile{Data: []byte(content)}
	}
	got, err := Reads(tree, slices.Sorted(maps.Keys(tree)))
	if err != nil {
		t.Fatal(err)
	}
	want := "api/go.mod api/vendor/x/y.txt asm.s cmd/op/default.pgo docs/quoted docs/x.go go.mod go.sum history/.hidden/y history/z main.go profiles/a.yaml raw.txt vendor/modules.txt with space/x"
	if s := strings.Join(got, " "); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
}

func TestReadsTooMuchRatherThanTooLittle(t *testing.T) {
	tree := fstest.MapFS{"a/x.go": {Data: []byte("package a\n\n//go:embed \"broken\n")}, "a/data": {}, "b/data": {}}
	got, err := Reads(tree, []string{"a/data", "a/x.go", "b/data"})
	if s := strings.Join(got, " "); s != "a/data a/x.go" || err != nil {
		t.Errorf("%s, %v", s, err)
	}
	tree["x.go"] = &fstest.MapFile{Data: []byte("package x\n\n//go:embed [\n")}
	if got, err = Reads(tree, []string{"a/data", "a/x.go", "b/data", "x.go"}); len(got) != 4 || err != nil {
		t.Errorf("%v, %v", got, err)
	}
}

// FuzzReads: whatever stands in a source, what is given is among what was asked, in order, and holds every source.
func FuzzReads(f *testing.F) {
	for _, seed := range []string{"//go:embed a/*.txt", "//go:embed \"a b\" `c`", "//go:embed all:", "//go:embed [", "//go:embed ../x", "//go:embed \"\\x", "\r\n//go:embed\t*\r\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, content string) {
		names := []string{"a/x.txt", "b/data", "main.go", "main_test.go"}
		got, err := Reads(fstest.MapFS{"main.go": {Data: []byte(content)}}, names)
		if err != nil || !slices.IsSorted(got) || !slices.Contains(got, "main.go") || slices.Contains(got, "main_test.go") && !strings.Contains(content, "go:embed") {
			t.Errorf("%v, %v", got, err)
		}
		for _, name := range got {
			if !slices.Contains(names, name) {
				t.Errorf("gave %s", name)
			}
		}
	})
}
