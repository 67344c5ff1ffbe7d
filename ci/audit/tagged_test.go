package audit

import (
	"strings"
	"testing"

	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/version"
)

// TestTagSignature: from a version on every tag has to be signed; who signed by OpenPGP cannot be told. What ssh-keygen signs is verified in the command's scenarios.
func TestTagSignature(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	ids := strings.Fields(shell(t, dir, `git init -q --bare .
c=$(git commit-tree -m x $(git mktree </dev/null))
git tag -a -m 'spark v1.5.0' v1.5.0 $c
echo $c; git rev-parse v1.5.0
for kind in PGP SSH; do
  { git cat-file tag v1.5.0; printf -- "-----BEGIN $kind SIGNATURE-----\n-----END $kind SIGNATURE-----\n"; } | git hash-object -w -t tag --stdin
done`))
	repository, err := git.Open(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		id    string
		since version.Version
		none  string // instead of allowed signers
		want  string
	}{
		"lightweight":             {ids[0], v150, "", "missing"},
		"unsigned":                {ids[1], v150, "", "missing"},
		"unsigned, all have to":   {ids[1], version.Version{}, "", "missing"},
		"unsigned, before that":   {ids[1], v151, "", ""},
		"OpenPGP":                 {ids[2], v150, "", "cannot tell"},
		"OpenPGP, before that":    {ids[2], v151, "", "cannot tell"},
		"no signature, says SSH":  {ids[3], v151, "", "differs"},
		"nobody is to be trusted": {ids[3], v150, "nobody", ""},
	} {
		a := &auditor{Options: Options{Signers: Signers{Allowed: []byte("ada@example.com ssh-ed25519 AAAA\n"), Since: c.since}}, refs: refs{repository: repository}}
		if c.none != "" {
			a.Signers.Allowed = nil
		}
		var out Version
		err := a.tagSignature(ctx, v150, &tagged{ref: ref{id: c.id, annotated: c.id != ids[0]}, there: true}, &out)
		got := ""
		for _, s := range out.Surfaces {
			got += string(s.State)
		}
		if err != nil || got != c.want {
			t.Errorf("%s: %q, %v; want %q", name, got, err, c.want)
		}
	}
}
