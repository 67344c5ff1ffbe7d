package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/operator-release/operator-release/ci/plan"
	"github.com/operator-release/operator-release/ci/publish"
	"github.com/operator-release/operator-release/ci/writes"
)

// same-writes PLAN PUBLICATION: what a plan lists, as JSON, is what a publication reported, as JSON, by step and name.
func sameWrites(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: same-writes PLAN PUBLICATION")
	}
	var planned plan.Plan
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &planned))
	var published publish.Report
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[1])), &published))
	var want, got []string
	for _, w := range planned.Writes {
		want = append(want, fmt.Sprint(w.Step, " ", w.Target))
	}
	for _, w := range published.Writes {
		got = append(got, fmt.Sprint(w.Step, " ", w.Target))
		if w.Outcome != publish.Written && w.Step > writes.Content {
			ts.Fatalf("%s is %s", w.Target, w.Outcome)
		}
	}
	if strings.Join(want, "\n") != strings.Join(got, "\n") || len(got) == 0 {
		ts.Fatalf("the plan lists\n%s\nthe publication wrote\n%s", strings.Join(want, "\n"), strings.Join(got, "\n"))
	}
}
