package pipeline

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/operator-release/operator-release/ci/refusal"
)

// Back is everything that was said about leading back from a version.
type Back struct {
	Look json.RawMessage `json:"look,omitempty"`
	Try  json.RawMessage `json:"try,omitempty"`
	Done json.RawMessage `json:"done,omitempty"`
}

// looked is what this package reads of the report of look-back.
type looked struct {
	Before string `json:"before"`
	Hash   string `json:"hash"`
}

// RollBack looks what marking the version would do, and does it on throwaway destinations with what was published of it and of the version before. With the
// hash of what was looked at it is done; where the world has moved since it is refused.
func (f *Flow[T]) RollBack(ctx context.Context, spec RollbackSpec, hash string) (Back, error) {
	var b Back
	look, err := f.back(ctx, LookBack, spec)
	if err != nil {
		return b, err
	}
	var l looked
	if err := json.Unmarshal(look, &l); err != nil {
		return b, fmt.Errorf("read what rolling back would do: %w", err)
	}
	b.Look = look
	if hash == "" {
		b.Try, err = f.tryBack(ctx, spec, l.Before)
		return b, err
	}
	if hash != l.Hash {
		return b, refusal.New("mark %s as %s by plan %s: the world has moved, the plan is %s now; look at it (the same command without --plan) and name that one", spec.Version, spec.State, hash, l.Hash)
	}
	b.Done, err = f.Mark(ctx, spec)
	return b, err
}

// Mark marks the version at once.
func (f *Flow[T]) Mark(ctx context.Context, spec RollbackSpec) (json.RawMessage, error) {
	return f.back(ctx, Rollback, spec)
}

func (f *Flow[T]) back(ctx context.Context, stage Stage, spec RollbackSpec) (json.RawMessage, error) {
	said, err := f.Runner.Run(ctx, stage, Inputs[T]{Subject: spec.Version, Spec: spec, Trees: f.repository()})
	return said.Report, err
}

func (f *Flow[T]) tryBack(ctx context.Context, spec RollbackSpec, before string) (json.RawMessage, error) {
	trees := f.repository()
	for name, version := range map[string]string{Bundled: spec.Version, Before: before} {
		if version == "" {
			continue
		}
		published, err := f.Runner.Run(ctx, Claim, Inputs[T]{Subject: version, Spec: ClaimSpec{Version: version, To: spec.To}, Trees: f.repository()})
		if err != nil {
			return nil, err
		}
		r, claimed, err := published.release()
		if err != nil {
			return nil, err
		}
		if claimed { // what is older than claims cannot be published again
			trees[name] = Whole(r.Bundled)
		}
	}
	said, err := f.Runner.Run(ctx, TryBack, Inputs[T]{Subject: spec.Version, Spec: spec, Trees: trees})
	return said.Report, err
}
