package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/operator-release/operator-release/ci/config"
)

// Cut is what was said on the way to a new line: where it begins, and what the gate found there. Of a line that is there already the gate is not asked.
type Cut struct {
	Branch json.RawMessage `json:"branch"`
	Test   json.RawMessage `json:"test,omitempty"`
}

// Cut asks whether a line may be cut, and then the gate about the commit that it would begin with. Whoever asks makes the branch.
func (f *Flow[T]) Cut(ctx context.Context, spec BranchSpec) (Cut, error) {
	said, err := f.Runner.Run(ctx, Branch, Inputs[T]{Subject: spec.Line, Spec: spec, Trees: f.repository()})
	if err != nil {
		return Cut{}, err
	}
	var cut struct {
		There     bool          `json:"there"`
		Commit    string        `json:"commit"`
		Time      time.Time     `json:"time"`
		Toolchain string        `json:"toolchain"`
		Config    config.Config `json:"config"`
	}
	if err := json.Unmarshal(said.Report, &cut); err != nil {
		return Cut{}, fmt.Errorf("read where line %s begins: %w", spec.Line, err)
	}
	if cut.There {
		return Cut{Branch: said.Report}, nil
	}
	tested, err := f.Runner.Run(ctx, Test, Inputs[T]{
		Subject: short(cut.Commit), Spec: NewTestSpec(cut.Config, "", cut.Commit, cut.Time, cut.Toolchain), Trees: f.repository(),
	})
	return Cut{Branch: said.Report, Test: tested.Report}, err
}
