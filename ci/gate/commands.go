package gate

import (
	"context"
	"fmt"

	"github.com/operator-release/operator-release/ci/process"
)

// runCommands stops at the first failing command: later ones tend to need what
// earlier ones made, and their failures would bury the first.
func runCommands(ctx context.Context, o Options) ([]Check, error) {
	var checks []Check
	failed := ""
	for _, command := range o.Commands {
		check := Check{Name: CommandCheck, Subject: command, Status: Passed}
		if failed != "" {
			check.Status = NotChecked
			check.Details = []string{fmt.Sprintf("an earlier command failed: %s", failed)}
			checks = append(checks, check)
			continue
		}
		fmt.Fprintf(o.Log, "$ %s\n", command)
		out := &process.Tail{Log: o.Log}
		err := process.Run(ctx, o.Tree, o.Env, out, "sh", "-c", command)
		if ctx.Err() != nil {
			return checks, fmt.Errorf("running %q in %s: stopped: %w", command, o.Tree, context.Cause(ctx))
		}
		if err != nil {
			ended, ok := process.Ended(err)
			if !ok {
				return checks, fmt.Errorf("running %q in %s: %w", command, o.Tree, err)
			}
			failed = command
			check.Status = Failed
			check.Details = append([]string{ended + "; " + out.Describe()}, out.Last()...)
		}
		checks = append(checks, check)
	}
	return checks, nil
}
