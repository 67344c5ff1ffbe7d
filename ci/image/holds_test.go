package image

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/operator-release/operator-release/ci/git"
)

// missingIn is the tree of a new repository with these files, an empty one for each name without content, and its
// missing content. A name that ends in a slash is a submodule, one that ends in ! a Git LFS pointer.
func missingIn(t *testing.T, files map[string]string) (*git.Tree, []git.Entry) {
	t.Helper()
	const pointer = "version https://git-lfs.github.com/spec/v1\n" +
		"oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"
	dir := t.TempDir()
	const commit = " && git add -A && git -c user.name=A -c user.email=a@example.com commit -q --allow-empty -m x"
	script := "git init -q -b main ." + commit
	for name, content := range files {
		if sub, ok := strings.CutSuffix(name, "/"); ok {
			script += " && git update-index --add --cacheinfo 160000,$(git rev-parse HEAD)," + sub
			continue
		}
		if file, ok := strings.CutSuffix(name, "!"); ok {
			name, content = file, pointer
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if to, ok := strings.CutPrefix(content, "-> "); ok {
			if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		} else if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("sh", "-ec", script+strings.TrimPrefix(commit, " && git add -A"))
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	r, err := git.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	tree, err := r.Tree(t.Context(), "HEAD")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tree.Close() })
	missing, err := tree.MissingContent()
	if err != nil {
		t.Fatal(err)
	}
	return tree, missing
}

func TestHolds(t *testing.T) {
	for name, c := range map[string]struct {
		dockerfile, ignore, target string
		args                       map[string]string
		want                       string
	}{
		"all":                       {"COPY . /", "", "", nil, "docs/film sub/lib web/a/logo web/b"},
		"nothing of it":             {"COPY go.mod docs/text /", "", "", nil, ""},
		"a file":                    {"COPY docs/film /", "", "", nil, "docs/film"},
		"a folder":                  {"COPY web /", "", "", nil, "web/a/logo web/b"},
		"a folder, from the root":   {"COPY /web/a/ /", "", "", nil, "web/a/logo"},
		"a pattern":                 {"COPY web/? /", "", "", nil, "web/a/logo web/b"},
		"a pattern of folders":      {"COPY */film /", "", "", nil, "docs/film"},
		"a link":                    {"COPY linked /", "", "", nil, "web/a/logo"},
		"in a submodule":            {"COPY sub/lib/x.txt /", "", "", nil, "sub/lib"},
		"above a submodule":         {"COPY sub /", "", "", nil, "sub/lib"},
		"beside a submodule":        {"COPY sub/library /", "", "", nil, ""},
		"ADD":                       {"ADD web/b /", "", "", nil, "web/b"},
		"ADD of another place":      {"ADD https://example.com/web/b /", "", "", nil, ""},
		"ignored":                   {"COPY . /", "docs\nweb/*\n!web/b\nsub/*", "", nil, "web/b"},
		"all of a submodule is":     {"COPY . /", "sub/lib/**\nweb\ndocs", "", nil, ""},
		"left out by COPY":          {"COPY --exclude=logo --exclude=a/logo web /", "", "", nil, "web/b"},
		"a variable":                {"ARG D=web/a\nCOPY $D /", "", "", nil, "web/a/logo"},
		"a variable that was given": {"ARG D=web/a\nCOPY $D /", "", "", map[string]string{"D": "docs"}, "docs/film"},
		"one that is a placeholder": {"ARG D=x\nCOPY $D/film /", "", "", map[string]string{"D": "{version}"}, "docs/film"},
		"one of the environment":    {"ENV D=docs\nCOPY ${D} /", "", "", nil, "docs/film"},
		"the platform's":            {"ARG TARGETARCH\nCOPY web/${TARGETARCH} /", "", "", nil, "web/a/logo web/b"},
		"from elsewhere":            {"COPY --from=example.com/x web /", "", "", nil, ""},
		"a stage that is needed":    {"COPY docs /\nFROM scratch AS b\nCOPY --from=0 / /", "", "", nil, "docs/film"},
		"its base":                  {"COPY docs /\nFROM first\nENV A=b", "", "", nil, "docs/film"},
		"a stage that is not":       {"COPY docs /\nFROM scratch AS b\nCOPY web/b /", "", "", nil, "web/b"},
		"another target":            {"COPY docs /\nFROM scratch AS b\nCOPY web/b /", "", "first", nil, "docs/film"},
		"a mount":                   {"RUN --mount=type=bind,source=web,target=/web true", "", "", nil, "web/a/logo web/b"},
		"a mount of all": {"RUN --mount=type=bind,target=. true", "", "", nil,
			"docs/film sub/lib web/a/logo web/b"},
		"a mount of a stage": {"COPY docs /\nFROM scratch\nRUN --mount=from=first,target=/x true", "", "", nil,
			"docs/film"},
		"a cache": {"RUN --mount=type=cache,target=/web true", "", "", nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{
				"Dockerfile": "FROM scratch AS first\n" + c.dockerfile + "\n",
				"go.mod":     "", "docs/text": "", "docs/film!": "", "web/index": "",
				"web/a/logo!": "", "web/b!": "", "linked": "-> web/a", "sub/lib/": "", "sub/library": "",
			}
			if c.ignore != "" {
				files[".dockerignore"] = c.ignore
			}
			tree, missing := missingIn(t, files)
			held, err := Holds(tree, ".", "Dockerfile", c.target, c.args, missing)
			var got []string
			for _, e := range held {
				got = append(got, e.Path)
			}
			if s := strings.Join(got, " "); s != c.want || err != nil {
				t.Errorf("%s, %v; want %s", s, err, c.want)
			}
		})
	}
}

// TestHoldsOfAFolder: a context that is a folder of the tree, and one that lies in a submodule.
func TestHoldsOfAFolder(t *testing.T) {
	tree, missing := missingIn(t, map[string]string{
		"op/Dockerfile": "FROM scratch\nCOPY . /\n", "op/Dockerfile.dockerignore": "b",
		"op/a!": "", "op/b!": "", "c!": "", "sub/": "",
	})
	for context, want := range map[string]string{
		"op": "op/a", "./op/": "op/a", "sub": "sub", "sub/x": "sub", ".": "c op/a op/b sub",
	} {
		held, err := Holds(tree, context, "op/Dockerfile", "", nil, missing)
		var got []string
		for _, e := range held {
			got = append(got, e.Path)
		}
		if s := strings.Join(got, " "); s != want || err != nil {
			t.Errorf("%s: %s, %v; want %s", context, s, err, want)
		}
	}
}
