package publish

import (
	"context"
	"fmt"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/registry"
)

// Refer brings referrers, which the layout holds, to what was published of a version: each to where its subject lies, and to the backup.
func Refer(ctx context.Context, b bundle.Bundle, referrers []ocispec.Descriptor, d Destinations) ([]Write, error) {
	subjects, home := map[digest.Digest]ocispec.Descriptor{}, map[digest.Digest]string{}
	for repository, all := range b.Record.Subjects(b.Identity) {
		for _, subject := range all {
			home[subject.Digest] = repository
		}
	}
	roots := map[string][]ocispec.Descriptor{}
	for _, referrer := range referrers {
		var m ocispec.Manifest
		if err := b.Layout.ReadJSON(referrer, &m); err != nil {
			return nil, err
		}
		if m.Subject == nil || home[m.Subject.Digest] == "" {
			return nil, refusal.New("refer to %s: %s refers to nothing that the record names", b.Record.Version, referrer.Digest)
		}
		subjects[referrer.Digest] = *m.Subject
		repository := home[m.Subject.Digest]
		roots[repository] = append(roots[repository], referrer)
	}
	patience := d.Patience
	if patience == (registry.Patience{}) {
		patience = registry.Usual
	}
	var written []Write
	push := func(name func(string) string, plainHTTP []string) error {
		client, err := registry.NewPatient(patience, plainHTTP...)
		if err != nil {
			return err
		}
		t := &target{bundle: b, name: name, roots: roots, subjects: subjects, client: client, fresh: map[string]map[digest.Digest]bool{}}
		writes, err := t.pushContent(ctx)
		written = append(written, writes...)
		return err
	}
	if k := d.Backup; k != nil && k.Dir != "" {
		w, err := k.refer(ctx, b, referrers)
		if err != nil {
			return nil, err
		}
		written = append(written, w)
	} else if k != nil {
		if err := push(func(string) string { return k.Repository }, k.PlainHTTP); err != nil {
			return written, err
		}
	}
	if d.Registry == nil {
		return written, nil
	}
	return written, push(d.Registry.name, d.Registry.PlainHTTP)
}

// refer adds referrers to the backup of a version.
func (k *Backup) refer(ctx context.Context, b bundle.Bundle, referrers []ocispec.Descriptor) (Write, error) {
	w := Write{Step: 1, Target: k.folder(b.Record.Version), What: "backup", Outcome: There}
	unlock, err := lock(ctx, k.Dir)
	if err != nil {
		return w, fmt.Errorf("add to the backup %s: %w", w.Target, err)
	}
	defer unlock()
	kept, err := bundle.Load(w.Target)
	if err != nil {
		return w, err
	}
	if kept.Identity.Digest != b.Identity.Digest {
		return w, refusal.New("add to the backup %s of %s: its identity is %s, what was published has %s", w.Target, b.Record.Version, kept.Identity.Digest, b.Identity.Digest)
	}
	w.Outcome, err = take(kept.Layout, b.Layout, referrers)
	return w, err
}

// FetchRecord reads the record of what was published, without the content that it names. The layout holds release artifact and record then.
func FetchRecord(ctx context.Context, r *Registry, c journal.Claim, dir string) (bundle.Bundle, error) {
	client, err := registry.New(r.PlainHTTP...)
	if err != nil {
		return bundle.Bundle{}, err
	}
	layout, err := bundle.Create(dir)
	if err != nil {
		return bundle.Bundle{}, err
	}
	f := &fetching{client: client, name: r.name, layout: layout}
	b := bundle.Bundle{Layout: layout}
	if b.Identity, err = f.record(ctx, c); err != nil {
		return b, err
	}
	b.Record, _, err = layout.Record(b.Identity)
	return b, err
}
