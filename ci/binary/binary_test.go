package binary

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/refusal"
)

// compile builds a program of the module github.com/example/tiny.
func compile(t *testing.T, source, platform string, flags ...string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{"go.mod": "module github.com/example/tiny\n\ngo 1.26\n",
		"main.go": source} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	os, arch, _ := strings.Cut(platform, "/")
	cmd := exec.Command("go", append(append([]string{"build", "-o", "program"}, flags...), ".")...)
	cmd.Dir, cmd.Env = dir, append(cmd.Environ(), "CGO_ENABLED=0", "GOOS="+os, "GOARCH="+arch)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return filepath.Join(dir, "program")
}

const variable = "package main\n\nvar version = \"unreleased\"\n\nfunc main() { println(version) }\n"

// here is the platform that the tests compile for: its standard library is compiled already.
const here = runtime.GOOS + "/" + runtime.GOARCH

func TestCheck(t *testing.T) {
	right := compile(t, variable, here, "-ldflags=-s -w -X main.version=v1.5.0")
	dirty := compile(t, variable, here, "-ldflags=-X main.version=v1.5.0-dirty")
	capital := compile(t, variable, here, "-ldflags=-X main.version=V1.5.0x")
	candidate := compile(t, variable, here, "-trimpath", "-ldflags=-X main.version=v1.5.0-rc.1")
	number := compile(t, variable, here, "-ldflags=-X main.version=1.5.0")
	unstamped := compile(t, variable, here)
	constant := compile(t, "package main\n\nconst version = \"v1.5.0\"\n\nfunc main() { println(\"Version:\", "+
		"version) }\n", here)
	for name, c := range map[string]struct {
		file, platform, module, version string
		holds                           string
		err                             string
	}{
		"the right one":      {right, here, "github.com/example/tiny", "v1.5.0", "v1.5.0", ""},
		"a number without v": {number, here, "github.com/example/tiny", "v1.5.0", "1.5.0", ""},
		"a constant":         {constant, here, "github.com/example/tiny", "v1.5.0", "v1.5.0", ""},
		"no version at all":  {unstamped, here, "github.com/example/tiny", "v1.5.0", "", ""},
		"no version asked":   {right, here, "", "", "", ""},
		"another architecture": {right, "linux/riscv64", "github.com/example/tiny", "v1.5.0", "",
			"compiled with GOARCH=" + runtime.GOARCH + "; compile it with GOARCH=riscv64"},
		"another module": {right, here, "github.com/example/tiny/v2", "v1.5.0", "",
			"of the module github.com/example/tiny, and this repository has github.com/example/tiny/v2"},
		"another version": {right, here, "github.com/example/tiny", "v1.6.0", "",
			"it was linked with the version v1.5.0, and v1.6.0 is released"},
		"a build after the version, with its flags": {dirty, here, "github.com/example/tiny", "v1.5.0", "",
			"it was linked with the version v1.5.0-dirty"},
		"a capital, and a letter after": {capital, here, "github.com/example/tiny", "v1.5.0", "",
			"it was linked with the version V1.5.0x"},
		"a candidate for the final": {candidate, here, "github.com/example/tiny", "v1.5.0", "",
			"it was linked with the version v1.5.0-rc.1"},
		"a final for the candidate": {right, here, "github.com/example/tiny", "v1.5.0-rc.1", "",
			"it was linked with the version v1.5.0"},
		"no program": {filepath.Join(filepath.Dir(right), "go.mod"), here, "", "", "",
			"read its build information"},
	} {
		t.Run(name, func(t *testing.T) {
			platform, err := config.ParsePlatform(c.platform)
			if err != nil {
				t.Fatal(err)
			}
			want := Want{Platform: platform, Version: c.version}
			if c.module != "" {
				want.Modules = []string{c.module}
			}
			said, err := want.Check(c.file)
			switch {
			case c.err == "" && err != nil:
				t.Fatal(err)
			case c.err != "" && (!refusal.Is(err) || !strings.Contains(err.Error(), c.err)):
				t.Fatalf("got %v, want %s", err, c.err)
			case said.Version != c.holds:
				t.Errorf("holds the version %q", said.Version)
			}
		})
	}
}

func TestHolds(t *testing.T) {
	for content, want := range map[string]string{
		"a\x00v1.5.0\x00b":                          "string v1.5.0",
		"packedv1.5.0strings":                       "v1.5.0",
		"v1.5.0-rc.0\x00":                           "other v1.5.0-rc.0",
		"\x00v1.5.0-dirty\x00":                      "other v1.5.0-dirty",
		"\x00v1.5.0-5-gabcdef0\x00":                 "other v1.5.0-5-gabcdef0",
		"\x00v1.5.0-SNAPSHOT\x00":                   "other v1.5.0-SNAPSHOT",
		"\x00v1.5.0.post1\x00":                      "other v1.5.0.post1",
		"\x00v1.5.0_hotfix\x00":                     "other v1.5.0_hotfix",
		"\x00v1.5.0\x00v1.5.0-dirty\x00":            "string v1.5.0",
		"xv1.5.0-flag needs a value":                "v1.5.0",
		"v11.5.0\x00":                               "other v11.5.0",
		"v1.5.01 v1.5.0.4":                          "",
		"dep\tgithub.com/x/y\tv1.5.0\th1:a=\n":      "",
		"=>\tgithub.com/x/y\tv1.5.0\th1:a=\n":       "",
		"path\ta\nmod\tgithub.com/x\tv1.5.0\th1:\n": "v1.5.0",
		"go1.26.8\x00 127.0.0.1\x00":                "",
		"a\x003.5.1\x00":                            "",
		"a\x00v3.5.1\x00":                           "",
		"a\x003.5.1\x00v1.4.0\x00":                  "other v1.4.0",
		"a\x003.5.12\x00":                           "other 3.5.12",
		// What is said is what stands there.
		"\x001.5.0\x00":                                  "string 1.5.0",
		"\x001.5.0\x00v1.5.0\x00":                        "string v1.5.0",
		"\x001.5.0\x00 packedv1.5.0strings":              "v1.5.0",
		"packed1.5.0strings":                             "1.5.0",
		"release 1.5.0.\x00":                             "1.5.0",
		"\nbuild\t-ldflags=\"-X main.version=v1.5.0\"\n": "",
		"\nbuild\t-ldflags=\"-X main.version=v1.5.0-dirty\"\nv1.5.0-dirty\x00": "other v1.5.0-dirty",
		"RECV1.5.0strings":  "1.5.0",
		"\x00V1.5.0\x00":    "other V1.5.0",
		"\x00V1.5.0x\x00":   "other V1.5.0x",
		"\x00v1.5.0rc1\x00": "other v1.5.0rc1",
		"\x001.5.0beta\x00": "other 1.5.0beta",
		"\x001.4.0rc2\x00":  "other 1.4.0rc2",
	} {
		found, own, other := holds([]byte(content), "v1.5.0", []string{"3.5.1"})
		got := found
		switch {
		case own:
			got = "string " + found
		case other != "":
			got = "other " + other
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", content, got, want)
		}
	}
}
