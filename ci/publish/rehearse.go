package publish

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/journal"
)

// Rehearsal is a publication to throwaway destinations, made twice: the second must find nothing to do.
type Rehearsal struct {
	Report
	Again bool `json:"again"` // the second run found everything there
}

// Rehearse publishes the bundle to new throwaway destinations below dir. Their remote starts with the objects, version
// tags and marks of source, as the real remote does. So the rehearsal pushes only new objects. A tag of the version
// itself is copied, too.
func Rehearse(ctx context.Context, b bundle.Bundle, source *git.Repository, dir string) (Rehearsal, error) {
	remote, err := source.Scratch(ctx, filepath.Join(dir, "remote.git"))
	if err != nil {
		return Rehearsal{}, err
	}
	if err := remote.FetchLocal(ctx, source, "refs/tags/v*:refs/tags/v*",
		journal.Marks+"*:"+journal.Marks+"*"); err != nil {
		return Rehearsal{}, fmt.Errorf("rehearse %s: fetch the tags of versions: %w", b.Record.Version, err)
	}
	format, err := source.Format(ctx)
	if err != nil {
		return Rehearsal{}, err
	}
	t, err := NewThrowaway(ctx, dir, format)
	if err != nil {
		return Rehearsal{}, err
	}
	defer t.Close()
	first, err := Publish(ctx, b, t.Destinations(source))
	if err != nil {
		return Rehearsal{Report: first}, err
	}
	second, err := Publish(ctx, b, t.Destinations(source))
	// The throwaway's address is chance; what is reported is the same on every machine.
	for i := range first.Writes {
		first.Writes[i].Target = strings.TrimPrefix(first.Writes[i].Target, t.Registry+"/")
	}
	return Rehearsal{Report: first, Again: err == nil && !second.Changed()}, err
}
