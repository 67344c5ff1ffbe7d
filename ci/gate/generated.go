package gate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/process"
)

// notFound is how the shell ends where it does not find a program.
const notFound = "exit code 127"

// mostDifferences bounds how many files one check names.
const mostDifferences = 10

// checkGenerated runs, in the checkout o.Generation, each command that makes files, and compares these files with the
// commit's. A difference fails a final version, and is a warning else. A command that fails tells nothing about its
// files: a final version fails, and for a candidate they are not checked. So does a rule without any file.
func checkGenerated(ctx context.Context, o Options) ([]Check, error) {
	var checks []Check
	for _, g := range o.Generated {
		check := Check{Name: GeneratedCheck, Subject: g.Command, Status: Passed}
		makes, err := g.Matcher()
		if err != nil {
			return checks, err
		}
		before, err := contents(o.Generation, makes)
		if err != nil {
			return checks, err
		}
		for name := range before { // make passes over what is newer than its sources
			if err := os.Chtimes(filepath.Join(o.Generation, name), time.Unix(1, 0), time.Unix(1, 0)); err != nil {
				return checks, err
			}
		}
		fmt.Fprintf(o.Log, "$ %s\n", g.Command)
		out := &process.Tail{Log: o.Log}
		err = process.Run(ctx, o.Generation, o.Env, out, "sh", "-c", g.Command)
		if ctx.Err() != nil {
			return checks, fmt.Errorf("running %q: stopped: %w", g.Command, context.Cause(ctx))
		}
		if err != nil {
			ended, ok := process.Ended(err)
			if !ok {
				return checks, fmt.Errorf("running %q: %w", g.Command, err)
			}
			if check.Status = NotChecked; o.Final {
				check.Status = Failed
			}
			if ended == notFound {
				ended += ", so a tool that it calls is not in PATH"
			}
			check.Details = append([]string{"the command failed, so nothing tells whether the files are current: " + ended +
				"; install what it needs, or take the rule out of `generated`"}, out.Last()...)
			checks = append(checks, check)
			continue
		}
		after, err := contents(o.Generation, makes)
		if err != nil {
			return checks, err
		}
		if len(before)+len(after) == 0 {
			if check.Status = NotChecked; o.Final {
				check.Status = Failed
			}
			check.Details = []string{"no file matches its paths: " + strings.Join(g.Paths, ", ")}
		}
		if differing := differences(before, after); len(differing) > 0 {
			check.Status = Warned
			if o.Final {
				check.Status = Failed
			}
			check.Details = append([]string{fmt.Sprintf("the command gives %d files otherwise than the commit has them; "+
				"run it and commit "+
				"what it changes", len(differing))}, differing[:min(len(differing), mostDifferences)]...)
		}
		checks = append(checks, check)
	}
	return checks, nil
}

// GeneratedOf are the rules of the settings that the gate compares. What it takes by default (go.sum) is left to the go
// command, which refuses a go.sum that lacks something.
func GeneratedOf(rules []config.Generated) []config.Generated {
	return slices.DeleteFunc(slices.Clone(rules), func(g config.Generated) bool { return g.Command == "go mod tidy" })
}

// contents are the regular files of a tree that a rule names.
func contents(tree string, named func(string) bool) (map[string][]byte, error) {
	all := map[string][]byte{}
	err := filepath.WalkDir(tree, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case d.IsDir() && d.Name() == ".git":
			return filepath.SkipDir
		case !d.Type().IsRegular():
			return nil
		}
		name, err := filepath.Rel(tree, path)
		if err != nil || !named(filepath.ToSlash(name)) {
			return err
		}
		all[name], err = os.ReadFile(path)
		return err
	})
	return all, err
}

// differences names the files that one of two has, or both with other bytes, sorted.
func differences(before, after map[string][]byte) []string {
	var names []string
	for name, content := range after {
		if old, ok := before[name]; !ok {
			names = append(names, name+" (the commit does not have it)")
		} else if !bytes.Equal(old, content) {
			names = append(names, name)
		}
	}
	for name := range before {
		if _, ok := after[name]; !ok {
			names = append(names, name+" (the command removes it)")
		}
	}
	slices.SortFunc(names, strings.Compare)
	return names
}
