package floating

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/opencontainers/go-digest"
	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote"

	"github.com/operator-release/operator-release/ci/version"
)

// Mover leads floating tags at a registry.
type Mover struct {
	Forms        []string
	Repositories []string // of images
	// Open opens a repository where it lies.
	Open func(repository string) (*remote.Repository, error)
	// Lead tells where each tag leads, as the git remote knows the versions at this moment.
	Lead func(ctx context.Context) (map[string]version.Version, error)
}

// Move is a floating tag of one repository, and where it leads.
type Move struct {
	Target string          `json:"target"` // REPOSITORY:TAG, where it lies
	Tag    string          `json:"tag"`
	To     version.Version `json:"to"` // no version where nothing is left that it could lead to
	Was    digest.Digest   `json:"was,omitempty"`
	Is     digest.Digest   `json:"is,omitempty"` // as it was where the version's own tag is not at this registry

	repo *remote.Repository
}

// Changes tells whether the tag has to be written.
func (m Move) Changes() bool { return m.Is != m.Was }

// Plan looks where the tags of v lead, and where they have to. It writes nothing.
func (m Mover) Plan(ctx context.Context, v version.Version) ([]Move, error) {
	lead, err := m.Lead(ctx)
	if err != nil {
		return nil, err
	}
	return m.look(ctx, Tags(m.Forms, v), lead)
}

func (m Mover) look(ctx context.Context, tags []string, lead map[string]version.Version) ([]Move, error) {
	var moves []Move
	for _, repository := range m.Repositories {
		repo, err := m.Open(repository)
		if err != nil {
			return nil, err
		}
		name := repo.Reference.Registry + "/" + repo.Reference.Repository
		at := func(tag string) (digest.Digest, error) {
			found, err := repo.Resolve(ctx, tag)
			if errors.Is(err, errdef.ErrNotFound) {
				return "", nil
			}
			if err != nil {
				return "", fmt.Errorf("read %s:%s: %w; check address and credentials", name, tag, err)
			}
			return found.Digest, nil
		}
		for _, tag := range tags {
			move := Move{Target: name + ":" + tag, Tag: tag, To: lead[tag], repo: repo}
			if move.Was, err = at(tag); err != nil {
				return nil, err
			}
			move.Is = move.Was
			if !move.To.IsZero() {
				is, err := at(move.To.String())
				if err != nil {
					return nil, err
				}
				if is != "" {
					move.Is = is
				}
			}
			moves = append(moves, move)
		}
	}
	return moves, nil
}

// Do leads the tags of v where they have to; all of them, or, for a publication, those that lead to v alone: what the others lead to is not its
// business. A registry cannot compare and swap, so the git remote is asked again after the writes, until it says what it said before: of two that
// lead a tag elsewhere at once, whoever writes last has asked last.
func (m Mover) Do(ctx context.Context, v version.Version, all bool) ([]Move, error) {
	var first []Move
	mine := map[string]bool{}
	lead, err := m.Lead(ctx)
	for err == nil {
		var tags []string
		for _, tag := range Tags(m.Forms, v) {
			if mine[tag] = mine[tag] || all || lead[tag] == v; mine[tag] {
				tags = append(tags, tag)
			}
		}
		var moves []Move
		if moves, err = m.look(ctx, tags, lead); err != nil {
			break
		}
		for _, move := range moves {
			if !move.Changes() {
				continue
			}
			if err := move.write(ctx); err != nil {
				return first, err
			}
		}
		first = told(first, moves)
		now, failed := m.Lead(ctx)
		if err = failed; err == nil && maps.Equal(now, lead) {
			return first, m.readBack(ctx, tags, lead)
		}
		lead = now
	}
	return first, err
}

func (m Mover) readBack(ctx context.Context, tags []string, lead map[string]version.Version) error {
	moves, err := m.look(ctx, tags, lead)
	for _, move := range moves {
		if move.Changes() {
			return fmt.Errorf("read back %s: it is at %q where %s (%s) was written; run it again", move.Target, move.Was, move.Is, move.To)
		}
	}
	return err
}

// told keeps what each tag was at first, with where it is now.
func told(before, now []Move) []Move {
	for i, move := range now {
		if j := slices.IndexFunc(before, func(b Move) bool { return b.Target == move.Target }); j >= 0 {
			now[i].Was = before[j].Was
		}
	}
	return now
}

func (m Move) write(ctx context.Context) error {
	to, err := m.repo.Resolve(ctx, m.Is.String())
	if err == nil {
		err = m.repo.Tag(ctx, to, m.Tag)
	}
	if err != nil {
		return fmt.Errorf("lead %s to %s: %w; run it again", m.Target, m.To, err)
	}
	return nil
}
