package git

import (
	"context"
	"strings"
)

// WebAddress is the page on GitHub of the default remote, such as https://github.com/OWNER/NAME; empty where there is
// no such remote, or where it is elsewhere.
func (r *Repository) WebAddress(ctx context.Context) (string, error) {
	name, err := r.DefaultRemote(ctx)
	if err != nil || name == "" {
		return "", nil // of several remotes none is meant
	}
	found, err := r.FindRemote(ctx, name)
	if err != nil {
		return "", err
	}
	place := placeOf(found.URL)
	if strings.HasPrefix(place, "github.com/") && strings.Count(place, "/") == 2 {
		return "https://" + place, nil
	}
	return "", nil
}
