package bundle

import (
	"encoding/json"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/version"
)

// WithdrawalPredicate is what a statement says that marks a version as bad, or as good again.
const WithdrawalPredicate = "https://github.com/operator-release/operator-release/withdrawal/v1"

// Withdrawal is a mark of a version as a statement about what was published of it. The git remote decides which mark is the newest; statements tell those who
// see a registry alone.
type Withdrawal struct {
	Version version.Version `json:"version"`
	State   string          `json:"state"` // withdrawn, rolled back or good
	Because string          `json:"because"`
	By      string          `json:"by"`
	Time    time.Time       `json:"time"`
	// Marks are the commits that say it, as git stores them, the oldest first: from a backup they can be brought back to a remote that lost them.
	Marks []string `json:"marks"`
}

// Subjects are what a withdrawal speaks of: the release artifact, images and charts, by the repository that each lies in.
func (r Record) Subjects(identity ocispec.Descriptor) map[string][]ocispec.Descriptor {
	subjects := map[string][]ocispec.Descriptor{r.Config.Artifacts: {identity}}
	for _, a := range r.Artifacts {
		if a.Repository != "" {
			subjects[a.Repository] = append(subjects[a.Repository], a.Descriptor())
		}
	}
	return subjects
}

// Withdrawal is the attached mark with the longest history; ok is false where none is attached.
func (b Bundle) Withdrawal() (w Withdrawal, ok bool, err error) {
	statements, err := b.statements(WithdrawalPredicate)
	for _, statement := range statements {
		var one Withdrawal
		if err := json.Unmarshal(statement.Predicate, &one); err != nil {
			return w, false, refusal.New("read the withdrawal of bundle %s: %w", b.Layout.Dir(), err)
		}
		if one.Version == b.Record.Version && len(one.Marks) > len(w.Marks) {
			w, ok = one, true
		}
	}
	return w, ok, err
}
