package git

import (
	"strings"
	"testing"
)

// TestPersons: authors as old histories have them are read as git log shows them, and git stores what is read.
func TestPersons(t *testing.T) {
	ctx := t.Context()
	r, err := Init(ctx, t.TempDir(), SHA1)
	if err != nil {
		t.Fatal(err)
	}
	tree, err := r.Store(ctx, "tree", nil)
	if err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]string{
		"A <a@example.com> 1700000000 +0200":           "A <a@example.com> 1700000000 +0200",
		"A <a@example.com> 1700000000 -0030":           "A <a@example.com> 1700000000 -0030",
		"A <a@example.com> 0 +0000":                    "A <a@example.com> 0 +0000",
		"A <a@example.com> -100 +0000":                 "A <a@example.com> 0 +0000",
		"A <a@example.com> 99999999999999999999 +0000": "A <a@example.com> 0 +0000",
		"A <a@example.com> 0700000000 +0000":           "A <a@example.com> 700000000 +0000",
		"A <a@example.com>  1700000000 +0000":          "A <a@example.com> 1700000000 +0000",
		"A <a@example.com> 1700000000 +051800":         "A <a@example.com> 1700000000 +0000",
		"A <a@example.com> 1700000000 -7700":           "A <a@example.com> 1700000000 -7700",
		"A <a@example.com>":                            "A <a@example.com> 0 +0000",
		"A<a@example.com> 1700000000 +0000":            "A <a@example.com> 1700000000 +0000",
		"<a@example.com> 1700000000 +0000":             " <a@example.com> 1700000000 +0000",
		"A <> 1700000000 +0000":                        "A <> 1700000000 +0000",
		"A <a <b@example.com>> 1700000000 +0000":       "A <a b@example.com> 1700000000 +0000",
		"A a@example.com 1700000000 +0000":             "A a@example.com <> 1700000000 +0000",
		"":                                             " <> 0 +0000",
	} {
		content := "tree " + tree + "\nauthor " + line + "\ncommitter " + line + "\n\nold\n"
		id, err := r.run(ctx, strings.NewReader(content), nil, "hash-object", "-w", "-t", "commit", "--literally", "--stdin")
		if err != nil {
			t.Fatal(err)
		}
		c, err := r.Commit(ctx, strings.TrimSpace(string(id)))
		if err != nil {
			t.Errorf("%q: %v", line, err)
			continue
		}
		again, err := r.Store(ctx, "commit", c.content())
		if err != nil {
			t.Errorf("%q: %v", line, err)
			continue
		}
		got, err := r.Git(ctx, "log", "-1", "--date=raw", "--format=%an <%ae> %ad|%cn <%ce> %cd", again)
		if err != nil || got != want+"|"+want {
			t.Errorf("%q is read as %q, %v; want %q", line, got, err, want)
		}
	}
}

// FuzzPerson: what is read of a line is stored and read again as the same, and adds no line to a commit.
func FuzzPerson(f *testing.F) {
	for _, line := range []string{"A <a@example.com> 1700000000 +0200", "<>", "A a 1 -1", "A <a>> 1 +0",
		"A <a\x00> 1 +0000"} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		if strings.Contains(line, "\n") {
			t.Skip("a line has none")
		}
		p := parsePerson(line)
		content := string(Commit{Tree: "0", Author: p, Committer: p, Message: "m"}.content())
		if got := strings.Count(content, "\n"); got != 4 {
			t.Fatalf("%q makes %d lines: %q", line, got, content)
		}
		c := parseCommit("0", content)
		if c.Author.Name != p.Name || c.Author.Email != p.Email || !c.Author.Time.Equal(p.Time) {
			t.Errorf("%q is read as %+v, then as %+v", line, p, c.Author)
		}
	})
}
