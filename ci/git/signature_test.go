package git

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const (
	unsignedTag = "object 1\ntype commit\ntag v1\ntagger A <a@b> 0 +0000\n\nspark v1\n"
	ofSSH       = "-----BEGIN SSH SIGNATURE-----\nU1NI\n-----END SSH SIGNATURE-----\n"
	ofPGP       = "-----BEGIN PGP SIGNATURE-----\n\niIYE\n=Tytd\n-----END PGP SIGNATURE-----\n"
)

func TestCutSignature(t *testing.T) {
	for name, c := range map[string]struct {
		content string
		before  string // what is before the signature, if there is one
		format  Format
	}{
		"none":                      {unsignedTag, "", ""},
		"empty":                     {"", "", ""},
		"SSH":                       {unsignedTag + ofSSH, unsignedTag, SSH},
		"OpenPGP":                   {unsignedTag + ofPGP, unsignedTag, OpenPGP},
		"nothing before it":         {ofSSH, "", SSH},
		"no last line break":        {unsignedTag + strings.TrimSuffix(ofSSH, "\n"), unsignedTag, SSH},
		"two: the last, as git":     {unsignedTag + ofSSH + ofPGP, unsignedTag + ofSSH, OpenPGP},
		"not at a line's beginning": {unsignedTag + " " + ofSSH, "", ""},
		"something behind it":       {unsignedTag + ofSSH + "more\n", "", ""},
		"an empty line behind it":   {unsignedTag + ofSSH + "\n", "", ""},
		"no end":                    {unsignedTag + "-----BEGIN SSH SIGNATURE-----\nU1NI\n", "", ""},
		"the other's end":           {unsignedTag + "-----BEGIN SSH SIGNATURE-----\nU1NI\n-----END PGP SIGNATURE-----\n", "", ""},
		"its beginning goes on":     {unsignedTag + "-----BEGIN SSH SIGNATURE----- \nU1NI\n-----END SSH SIGNATURE-----\n", "", ""},
		"a form that git knows, too": {unsignedTag + "-----BEGIN SSH SIGNATURE-----\n-----BEGIN SIGNED MESSAGE-----\n-----END SSH SIGNATURE-----\n",
			"", ""},
		"too large":          {unsignedTag + strings.Replace(ofSSH, "U1NI", strings.Repeat("U1NI\n", maxSignature/5), 1), "", ""},
		"as large as can be": {unsignedTag + strings.Replace(ofSSH, "U1NI", strings.Repeat("U", maxSignature-len(ofSSH)+4), 1), unsignedTag, SSH},
	} {
		unsigned, signature, format := CutSignature([]byte(c.content))
		want := c.before
		if c.format == "" {
			want = c.content
		}
		if format != c.format || string(unsigned) != want || string(unsigned)+string(signature) != c.content {
			t.Errorf("%s: %q before %q, format %q", name, unsigned, signature, format)
		}
	}
}

func FuzzCutSignature(f *testing.F) {
	for _, content := range []string{"", "\n", unsignedTag, unsignedTag + ofSSH, unsignedTag + ofPGP, ofPGP + ofSSH, unsignedTag + ofSSH + "\n"} {
		f.Add([]byte(content))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		unsigned, signature, format := CutSignature(content)
		if !bytes.Equal(append(bytes.Clone(unsigned), signature...), content) || (format == "") != (len(signature) == 0) || len(signature) > maxSignature {
			t.Fatalf("%q and %q, %q", unsigned, signature, format)
		}
		if format == "" {
			return
		}
		if len(unsigned) > 0 && unsigned[len(unsigned)-1] != '\n' {
			t.Fatalf("cut within a line: %q", unsigned)
		}
		// Git finds no signature that begins later.
		if i := bytes.Index(signature[1:], []byte("\n-----BEGIN")); i >= 0 {
			t.Fatalf("%q: another begins at %d", signature, i)
		}
	})
}

// TestUnsigned: the ids are those that git computes, in repositories of both hashes.
func TestUnsigned(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	cmd := exec.Command("sh", "-c", `set -e
git init -q --bare --object-format=sha1 one; git init -q --bare --object-format=sha256 two
for r in one two; do
  git --git-dir $r tag -a -m 'spark v1' v1 $(git --git-dir $r commit-tree -m x $(git --git-dir $r mktree </dev/null))
  { git --git-dir $r cat-file tag v1; printf '`+strings.ReplaceAll(ofPGP, "\n", `\n`)+`'; } | git --git-dir $r hash-object -w -t tag --stdin
done`)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@b")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	for i, signed := range strings.Fields(string(out)) {
		r, err := Open(ctx, filepath.Join(dir, []string{"one", "two"}[i]))
		if err != nil {
			t.Fatal(err)
		}
		tag, err := r.Git(ctx, "rev-parse", "v1", "v1^{commit}")
		if err != nil {
			t.Fatal(err)
		}
		want, commit, _ := strings.Cut(tag, "\n")
		for id, c := range map[string]struct {
			id     string
			format Format
		}{signed: {want, OpenPGP}, want: {want, ""}, commit: {commit, ""}} {
			if got, format, err := r.Unsigned(ctx, id); got != c.id || format != c.format || err != nil {
				t.Errorf("%s: %s %q, %v; want %s %q", id, got, format, err, c.id, c.format)
			}
		}
		if _, _, err := r.Unsigned(ctx, strings.Repeat("1", len(want))); err == nil {
			t.Error("an object that is not there")
		}
	}
}
