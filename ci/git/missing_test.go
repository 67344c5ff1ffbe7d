package git

import (
	"strings"
	"testing"
)

// TestMissingContent: a blob in the form of a pointer is one, whether or not the attributes say so. A submodule is
// found.
func TestMissingContent(t *testing.T) {
	ctx := t.Context()
	r, err := Init(ctx, t.TempDir(), SHA1)
	if err != nil {
		t.Fatal(err)
	}
	const first = "version https://git-lfs.github.com/spec/v1\n"
	const oid = "oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\n"
	files := map[string]string{
		"pointer": first + oid + "size 0\n", "large": first + oid + "size 1234567890123\n",
		"extended":   first + "ext-0-foo sha256:" + strings.Repeat("a", 64) + "\n" + oid + "size 1\n",
		"too-large":  first + oid + "size 1\n" + strings.Repeat("x", 1024),
		"no-oid":     first + strings.Repeat("a text about Git LFS\n", 10),
		"other":      "version https://example.com/spec/v1\n" + oid + "size 1\n" + strings.Repeat("x", 100),
		"later":      "\n" + first + oid + "size 1\n",
		"attributed": strings.Repeat("plain text\n", 15), ".gitattributes": "* filter=lfs diff=lfs merge=lfs -text\n",
	}
	listed := ""
	for name, content := range files {
		id, err := r.Store(ctx, "blob", []byte(content))
		if err != nil {
			t.Fatal(err)
		}
		listed += "100644 blob " + id + "\t" + name + "\n"
	}
	link, err := r.Store(ctx, "blob", []byte(files["pointer"]))
	if err != nil {
		t.Fatal(err)
	}
	listed += "120000 blob " + link + "\tlink\n160000 commit " + strings.Repeat("1", 40) + "\tsub\n"
	made, err := r.run(ctx, strings.NewReader(listed), nil, "mktree")
	if err != nil {
		t.Fatal(err)
	}
	tree, err := r.Tree(ctx, strings.TrimSpace(string(made)))
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	missing, err := tree.MissingContent()
	var got []string
	for _, e := range missing {
		got = append(got, e.Path)
	}
	if s := strings.Join(got, " "); s != "extended large pointer sub" || err != nil {
		t.Errorf("%s, %v", s, err)
	}
}
