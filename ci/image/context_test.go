package image

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestContextAndIgnore(t *testing.T) {
	tree := map[string]string{
		"Dockerfile":              "FROM scratch\nCOPY . /",
		"docker/Dockerfile.other": "FROM scratch\nCOPY . /",
		"a.md":                    "1", "b/a.md": "2", "b/c/d": "3", "b/c/e": "4", "node/x": "5", "node/keep/y": "6",
		"sub/Dockerfile": "7", "sub/f": "8", "bin/old": "9", "bin/operator": "10",
	}
	for name, test := range map[string]struct {
		change func(*Options)
		files  map[string]string
		want   string
	}{
		"all": {func(o *Options) {}, nil,
			"Dockerfile a.md b/ b/a.md b/c/ b/c/d b/c/e bin/ bin/linux/ bin/linux/amd64/ bin/linux/amd64/operator bin/old bin/operator docker/ docker/Dockerfile.other node/ node/keep/ node/keep/y node/x sub/ sub/Dockerfile sub/f"},
		"ignored": {func(o *Options) {}, map[string]string{".dockerignore": "# a comment\n**/*.md\n/docker\nnode\n!node/keep\nb/c/\nDockerfile\n.dockerignore\nbin\n"},
			"b/ bin/ bin/linux/ bin/linux/amd64/ bin/linux/amd64/operator bin/operator node/ node/keep/ node/keep/y sub/ sub/Dockerfile sub/f"},
		"all but": {func(o *Options) {}, map[string]string{".dockerignore": "*\n!b/c\nb/c/e\n"},
			"b/ b/c/ b/c/d bin/ bin/linux/ bin/linux/amd64/ bin/linux/amd64/operator bin/operator"},
		"the Dockerfile's own": {func(o *Options) { o.Dockerfile = "docker/Dockerfile.other" },
			map[string]string{".dockerignore": "sub", "docker/Dockerfile.other.dockerignore": "*\n!sub"},
			"bin/ bin/linux/ bin/linux/amd64/ bin/linux/amd64/operator bin/operator sub/ sub/Dockerfile sub/f"},
		"other context": {func(o *Options) { o.Context = "b" }, map[string]string{".dockerignore": "c", "b/.dockerignore": "c/e\n.dockerignore"},
			"a.md bin/ bin/linux/ bin/linux/amd64/ bin/linux/amd64/operator bin/operator c/ c/d"},
		"no binaries": {func(o *Options) { o.Binaries, o.Context = nil, "node" }, nil, "keep/ keep/y x"},
	} {
		t.Run(name, func(t *testing.T) {
			all := map[string]string{}
			for _, m := range []map[string]string{tree, test.files} {
				for k, v := range m {
					all[k] = v
				}
			}
			o := options(t, all)
			test.change(&o)
			_, layers := platformOf(t, o.Layout, made(t, o), "linux/amd64")
			var names []string
			for _, line := range strings.Split(layers[0], "\n") {
				fields := strings.Fields(line)
				names = append(names, fields[0])
				if fields[0] == "bin/operator" && fields[1] != "755" {
					t.Errorf("a binary is %s", line)
				}
			}
			if diff := cmp.Diff(test.want, strings.Join(names, " ")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestIgnoredSource(t *testing.T) {
	for copy, want := range map[string]string{
		"d /x":           "d is left out of the build context by .dockerignore",
		"d/x /x":         "d/x is left out of the build context by .dockerignore",
		"bin/other /x":   "bin/other is left out of the build context by .dockerignore",
		"bin/operater /": "bin/operater is not in the build context .; the built binaries are bin/linux/amd64/operator, bin/operator",
	} {
		o := options(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY " + copy, "d/x": "x", "bin/other": "o", ".dockerignore": "d\nbin\n"})
		refusedWith(t, o, "Dockerfile:2: COPY "+copy+": "+want)
	}
	o := options(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY d /", "d": "x", ".dockerignore": "[x\n"})
	refusedWith(t, o, "read .dockerignore: ", "correct the pattern")
	o = options(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY bin/operator /"})
	o.Binaries = nil
	refusedWith(t, o, "no binary was built for this image")
}

func TestOverlayStandsInPlace(t *testing.T) {
	for name, tree := range map[string]map[string]string{
		"a file":            {"bin": "b"},
		"a link":            {"bin": "-> ../elsewhere"},
		"a folder for file": {"bin/operator/x": "b"},
		"a link below":      {"bin/linux": "-> /usr"},
	} {
		t.Run(name, func(t *testing.T) {
			tree["Dockerfile"] = "FROM scratch\nCOPY bin /"
			o := options(t, tree)
			_, layers := platformOf(t, o.Layout, made(t, o), "linux/arm64")
			if diff := cmp.Diff(lines("linux/ 755 0:0", "linux/arm64/ 755 0:0", "linux/arm64/operator 755 0:0 operator for linux/arm64", "operator 755 0:0 operator for linux/arm64"), layers[0]); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTree(t *testing.T) {
	tree := newTree()
	for path, link := range map[string]string{"bin": "usr/bin", "usr/bin/sh": "/bin/dash", "etc/alt": "../usr/./bin", "up": "../../..", "loop": "loop", "usr/bin/dash": ""} {
		tree.put(path, &inode{link: link})
	}
	tree.put("var/empty", &inode{children: map[string]*inode{}})
	for p, want := range map[string]string{
		"/":                "",
		"/bin/sh":          "usr/bin/dash",
		"bin/new/../x":     "usr/bin/x",
		"/etc/alt/":        "usr/bin",
		"/up/var":          "var",
		"/nowhere/at/all":  "nowhere/at/all",
		"/nowhere/../bin":  "usr/bin",
		"/../../etc":       "etc",
		"/loop":            "the symbolic links of /loop lead in circles in the image",
		"/usr/bin/dash/x":  "/usr/bin/dash is a file in the image",
		"/var/empty/a/b/c": "var/empty/a/b/c",
	} {
		got, _, err := tree.resolve(p)
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", p, got, want)
		}
	}
}
