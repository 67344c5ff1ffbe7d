package git

import (
	"context"
	"strings"

	"github.com/operator-release/operator-release/ci/refusal"
)

// FindWritable is FindRemote for a command that writes to the remote. It refuses a named remote that git pushes to at
// another address than it fetches from (pushurl, pushInsteadOf, a second url). A claim is read and written at one
// address. A remote that is given by its URL is read and written there.
func (r *Repository) FindWritable(ctx context.Context, given string) (NamedRemote, error) {
	found, err := r.FindRemote(ctx, given)
	if err != nil || found.Name == "" || given != "" && given != found.Name {
		return found, err
	}
	fetch, err := asUser(ctx, r.dir, UserEnvironment(), "remote", "get-url", found.Name)
	if err != nil {
		return found, err
	}
	push, err := asUser(ctx, r.dir, UserEnvironment(), "remote", "get-url", "--push", "--all", found.Name)
	if err != nil || push == fetch {
		return found, err
	}
	pushed := strings.Join(strings.Split(strings.TrimSpace(push), "\n"), " and ")
	return found, refusal.New("write to the git remote %s of %s: git fetches from %s and pushes to %s, "+
		"but claims are read and written at one address; name the one that is meant: --remote URL",
		found.Name, r.dir, strings.TrimSpace(fetch), pushed)
}
