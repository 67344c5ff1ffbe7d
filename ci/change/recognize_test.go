package change

import (
	"strings"
	"testing"

	"github.com/operator-release/operator-release/ci/git"
)

func TestRemaining(t *testing.T) {
	all := map[string]git.Commit{
		"a":  {ID: "aaaaaaaa00", Message: "feat: a (#1)\n"},
		"b":  {ID: "bbbbbbbb00", Message: "fix: b (#2)\n"},
		"ra": {ID: "cccccccc00", Message: "Revert \"feat: a (#1)\" (#3)\n\nThis reverts commit aaaaaaaa00.\n"},
		"rs": {ID: "dddddddd00", Message: "Revert \"feat: a (#1)\" (#4)\n"},
		"rr": {ID: "eeeeeeee00", Message: "Revert \"Revert \"feat: a (#1)\" (#3)\" (#5)\n\nThis reverts commit cccccccc.\n"},
		"ro": {ID: "ffffffff00", Message: "revert: something older\n\nThis reverts commit 1234567890.\n"},
		"sq": {ID: "9999999900", Message: "Cherry-pick (#9)\n\n* Revert \"feat: a (#1)\" (#3)\n\nThis reverts commit aaaaaaaa00.\n"},
	}
	for history, want := range map[string]string{
		"a b":       "a b",
		"a b ra":    "b",
		"a rs b":    "b",
		"a ra rr b": "a b",
		"a rs a":    "a",
		"ro b":      "ro b",
		"ra a":      "ra a", // nothing takes back what comes later
		"a sq":      "a sq", // its items speak for themselves
		"":          "",
	} {
		var commits []git.Commit
		for name := range strings.FieldsSeq(history) {
			commits = append(commits, all[name])
		}
		var got []string
		for _, c := range Remaining(commits) {
			for name, known := range all {
				if known.ID == c.ID {
					got = append(got, name)
				}
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("of %q stays %q, not %q", history, got, want)
		}
	}
}
