package git

import (
	"strings"
	"testing"

	"github.com/operator-release/operator-release/ci/refusal"
)

// TestFindWritable: what git fetches from and pushes to at two addresses is refused by its name, and taken by a URL.
func TestFindWritable(t *testing.T) {
	const fetch = "https://example.com/op.git"
	for name, c := range map[string]struct {
		script, user string
		push         string // which is refused; empty: it is taken
		both         string // the address that is taken by the remote's name; empty: the one to fetch from
	}{
		"one address":      {script: "true"},
		"the same pushurl": {script: "git config remote.origin.pushurl " + fetch},
		"a pushurl":        {script: "git config remote.origin.pushurl git@example.com:o", push: "git@example.com:o"},
		"a second URL":     {script: "git remote set-url --add origin /other", push: fetch + " and /other"},
		"pushInsteadOf":    {script: "git config url.ssh://g@.pushInsteadOf https://", both: "ssh://g@example.com/op.git"},
		"the user's": {script: "true", user: "[url \"g@example.com:\"]\n\tpushInsteadOf = https://example.com/\n",
			both: "g@example.com:op.git"},
		"pushInsteadOf to another host": {script: "git config url.ssh://g@other.pushInsteadOf https://example",
			push: "ssh://g@other.com/op.git"},
		"another path by SSH": {script: "git config remote.origin.pushurl ssh://g@example.com:22/fork/op.git",
			push: "ssh://g@example.com:22/fork/op.git"},
		"insteadOf of both": {script: "git config url.ssh://git@.insteadOf https://"},
		"a pushurl that is the same by insteadOf": {
			script: "git config url.https://example.com/.insteadOf short:; git config remote.origin.pushurl short:op.git"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, r := t.Context(), repository(t)
			userSettings(t, c.user)
			sh(t, r.Dir(), "git remote add origin "+fetch+"; git remote add other "+fetch+"; "+c.script)
			for _, given := range []string{"origin", fetch} {
				found, err := r.FindWritable(ctx, given)
				switch {
				case given == fetch || c.push == "":
					want := fetch
					if given == "origin" && c.both != "" {
						want = c.both
					}
					if err != nil || found.URL != want {
						t.Errorf("%s: %v, %v", given, found, err)
					}
				case !refusal.Is(err) || !strings.Contains(err.Error(), "git fetches from "+fetch+" and pushes to "+c.push+", but"):
					t.Errorf("%s: %v", given, err)
				}
			}
			if found, err := r.FindRemote(ctx, ""); err != nil || found != (NamedRemote{"origin", fetch}) {
				t.Errorf("to read: %v, %v", found, err)
			}
		})
	}
}

// TestAURLIsWrittenWhereItIsRead: pushInsteadOf does not split it.
func TestAURLIsWrittenWhereItIsRead(t *testing.T) {
	ctx, r := t.Context(), repository(t)
	remote := t.TempDir()
	userSettings(t, "[url \"/nowhere/\"]\n\tpushInsteadOf = "+remote+"\n")
	sh(t, remote, "git init -q --bare")
	sh(t, r.Dir(), "git config url./nowhere/else/.pushInsteadOf "+remote)
	from, err := r.Scratch(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	head, _, err := r.Head(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := from.Remote(remote).Create(ctx, "refs/heads/main", head.ID); err != nil {
		t.Error(err)
	}
}
