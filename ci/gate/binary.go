package gate

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/operator-release/operator-release/ci/process"
)

const binaryTimeLimit = 10 * time.Second

// versionQuestions are the usual ways to ask, the commonest first.
var versionQuestions = [][]string{{"version"}, {"--version"}, {"version", "--short"}, {"-version"}}

// checkBinaries asks each binary for its version. An operator that ignores its
// arguments starts to run instead, so each question has a time limit.
func checkBinaries(ctx context.Context, o Options, limit time.Duration) ([]Check, error) {
	var checks []Check
	for _, b := range o.Binaries {
		check := Check{Name: BinaryCheck, Subject: b.Name, Status: NotChecked}
		if o.Version == "" {
			check.Details = []string{"there is no version to compare with"}
			checks = append(checks, check)
			continue
		}
		fmt.Fprintf(o.Log, "asking %s for its version\n", b.Name)
		check, err := o.askVersion(ctx, b, limit)
		if err != nil {
			return checks, err
		}
		checks = append(checks, check)
	}
	return checks, nil
}

func (o Options) askVersion(ctx context.Context, b Binary, limit time.Duration) (Check, error) {
	check := Check{Name: BinaryCheck, Subject: b.Name, Status: NotChecked}
	// An empty directory: a binary that starts to work must not do so in the tree.
	dir, err := os.MkdirTemp("", "operator-release-binary-")
	if err != nil {
		return check, fmt.Errorf("asking %s for its version: %w", b.Name, err)
	}
	defer os.RemoveAll(dir)

	details := []string{"does not say its version"}
	for _, args := range versionQuestions {
		question := fmt.Sprintf("`%s %s`", b.Name, strings.Join(args, " "))
		output, ended, err := ask(ctx, b, dir, o.Env, args, limit)
		switch {
		case ctx.Err() != nil:
			return check, fmt.Errorf("running %s: stopped: %w", question, context.Cause(ctx))
		case err != nil:
			check.Status = Failed
			check.Details = []string{fmt.Sprintf("running %s: %v; name an executable for the machine that tests it", question, err)}
			return check, nil
		case ended != "":
			details = append(details, question+": "+ended)
			continue
		}
		a := judge(output, b.Name, o.Version, o.ForeignVersions...)
		switch {
		case a.right:
			check.Status = Passed
			check.Details = []string{fmt.Sprintf("%s prints %q", question, a.line)}
			return check, nil
		case a.found != "":
			check.Status = Failed
			check.Details = []string{fmt.Sprintf("%s prints %q: found %s, expected %s%s", question, a.line, a.found, o.Version,
				remedy(a.found, o.Version))}
			return check, nil
		}
		details = append(details, fmt.Sprintf("%s: no version in its output, which begins with %q", question, firstLine(output)))
	}
	check.Details = details
	return check, nil
}

func remedy(found, version string) string {
	if strings.HasPrefix(withoutV(found), withoutV(version)+"+") {
		return "; it was built from another commit, or without knowing the tag: pass the version to the linker as it is (-ldflags -X)"
	}
	return "; correct the file or the linker flag (-ldflags -X) that sets it, and build again; if it is the version of " +
		"something else, add it to foreignVersions in .release.yaml"
}

// ask returns the output, or how the program ended if not well, or an error if
// it could not be started.
func ask(ctx context.Context, b Binary, dir string, env, args []string, limit time.Duration) (output, ended string, err error) {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var out capped
	err = process.Run(limited, dir, env, &out, b.Path, args...)
	if limited.Err() != nil {
		return "", fmt.Sprintf("still running after %s", limit), nil
	}
	if err != nil {
		if ended, ok := process.Ended(err); ok {
			return "", ended, nil
		}
		return "", "", err
	}
	return out.String(), "", nil
}

// capped keeps the beginning of an output, where a version stands.
type capped struct{ strings.Builder }

func (c *capped) Write(p []byte) (int, error) {
	if room := 1<<16 - c.Len(); room > 0 {
		c.Builder.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}
