package git

import (
	"context"
	"strings"

	"github.com/operator-release/operator-release/ci/refusal"
)

// FindWritable is FindRemote for a command that writes to the remote. It refuses a named remote that git pushes to at
// another address than it fetches from (pushurl, pushInsteadOf, a second url). A claim is read and written at one
// address. Where both addresses are of one repository, by HTTPS and by SSH, the one to push to is taken for both.
// A remote that is given by its URL is read and written there.
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
	if sameRepository(fetch, push) {
		found.URL = strings.TrimSpace(push)
		return found, nil
	}
	pushed := strings.Join(strings.Split(strings.TrimSpace(push), "\n"), " and ")
	return found, refusal.New("write to the git remote %s of %s: git fetches from %s and pushes to %s, "+
		"but claims are read and written at one address; name the one that is meant: --remote URL",
		found.Name, r.dir, strings.TrimSpace(fetch), pushed)
}

// sameRepository tells whether two addresses have the same host and path. Protocol, user and port do not matter.
func sameRepository(a, b string) bool {
	return !strings.Contains(strings.TrimSpace(b), "\n") && placeOf(a) == placeOf(b)
}

// placeOf is the host and the path of an address. A path on this machine stays what it is.
func placeOf(url string) string {
	url = strings.TrimSpace(url)
	if _, rest, ok := strings.Cut(url, "://"); ok {
		url = rest
	} else if host, path, scp := strings.Cut(url, ":"); scp && !strings.Contains(host, "/") { // HOST:PATH, by SSH
		url = host + "/" + strings.TrimPrefix(path, "/")
	} else {
		return url
	}
	host, path, _ := strings.Cut(url, "/")
	host = host[strings.LastIndexByte(host, '@')+1:]
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
		host = host[:i]
	}
	return strings.ToLower(host) + "/" + strings.TrimSuffix(strings.Trim(path, "/"), ".git")
}
