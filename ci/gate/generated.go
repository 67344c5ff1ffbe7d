package gate

import (
	"bytes"
	"context"
	"crypto/sha256"
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
	"github.com/operator-release/operator-release/ci/surface"
	"github.com/operator-release/operator-release/ci/version"
)

// notFound is how the shell ends where it does not find a program.
const notFound = "exit code 127"

// mostDifferences bounds how many files one check names.
const mostDifferences = 10

// checkGenerated runs, in the checkout o.Generation, each command that makes files, and compares these files with the
// commit's. A difference fails a final version, and is a warning else. A command that fails tells nothing about its
// files: a final version fails, and for a candidate they are not checked. So does a rule without any file. A command
// that changes files of the commit that neither its rule nor a later one names is a warning.
func checkGenerated(ctx context.Context, o Options) ([]Check, error) {
	if len(o.Generated) == 0 {
		return nil, nil
	}
	var rules []func(string) bool
	for _, g := range o.Generated {
		makes, err := g.Matcher()
		if err != nil {
			return nil, err
		}
		rules = append(rules, makes)
	}
	committed, err := contents(o.Generation, func(name string) bool {
		return slices.ContainsFunc(rules, func(makes func(string) bool) bool { return makes(name) })
	})
	if err != nil {
		return nil, err
	}
	state, err := digests(o.Generation)
	if err != nil {
		return nil, err
	}
	var checks []Check
	for i, g := range o.Generated {
		check, err := o.checkRule(ctx, g, rules[i], committed)
		if err != nil {
			return checks, err
		}
		now, err := digests(o.Generation)
		if err != nil {
			return checks, err
		}
		later := func(name string) bool {
			return slices.ContainsFunc(rules[i:], func(makes func(string) bool) bool { return makes(name) })
		}
		if others := changed(state, now, later); len(others) > 0 {
			if check.Status == Passed {
				check.Status = Warned
			}
			check.Details = append(check.Details, fmt.Sprintf("the command changes %d other files of the commit; name them "+
				"under paths of this rule, or have the command leave them: %s", len(others), few(others)))
		}
		for name := range state { // only the files of the commit
			if digest, ok := now[name]; ok {
				state[name] = digest
			} else {
				delete(state, name)
			}
		}
		checks = append(checks, check)
	}
	return checks, nil
}

// checkRule runs the command of one rule, and compares the files of the rule with the commit's.
func (o Options) checkRule(ctx context.Context, g config.Generated, makes func(string) bool,
	committed map[string][]byte) (Check, error) {
	check := Check{Name: GeneratedCheck, Subject: g.Command, Status: Passed}
	before := map[string][]byte{}
	for name, content := range committed {
		if !makes(name) {
			continue
		}
		before[name] = content
		// make passes over what is newer than its sources
		err := os.Chtimes(filepath.Join(o.Generation, name), time.Unix(1, 0), time.Unix(1, 0))
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // an earlier command removed it
			return check, err
		}
	}
	fmt.Fprintf(o.Log, "$ %s\n", g.Command)
	out := &process.Tail{Log: o.Log}
	err := process.Run(ctx, o.Generation, o.Env, out, "sh", "-c", g.Command)
	if ctx.Err() != nil {
		return check, fmt.Errorf("running %q: stopped: %w", g.Command, context.Cause(ctx))
	}
	if err != nil {
		ended, ok := process.Ended(err)
		if !ok {
			return check, fmt.Errorf("running %q: %w", g.Command, err)
		}
		if check.Status = NotChecked; o.Final {
			check.Status = Failed
		}
		if ended == notFound {
			ended += ", so a tool that it calls is not in PATH"
		}
		check.Details = append([]string{"the command failed, so nothing tells whether the files are current: " + ended +
			"; install what it needs, or take the rule out of `generated`"}, out.Last()...)
		return check, nil
	}
	after, err := contents(o.Generation, makes)
	if err != nil {
		return check, err
	}
	if len(before)+len(after) == 0 {
		if check.Status = NotChecked; o.Final {
			check.Status = Failed
		}
		check.Details = []string{"no file matches its paths: " + strings.Join(g.Paths, ", ")}
	}
	if details := o.tellDifferences(before, after); len(details) > 0 {
		check.Status = Warned
		if o.Final {
			check.Status = Failed
		}
		check.Details = details
	}
	return check, nil
}

// tellDifferences says which files of a rule differ from the commit's, and what to do. A file that differs only in the
// version is written by the release commit if the settings name it under surfaces.
func (o Options) tellDifferences(before, after map[string][]byte) []string {
	var details, stale []string
	var surfaces []config.Surface
	following := 0
	v, err := version.Parse(o.Version)
	for _, d := range differences(before, after) {
		var proposed []config.Surface
		if err == nil && d.how == "" {
			proposed = surface.Propose(filepath.ToSlash(d.name), before[d.name], after[d.name], v)
		}
		if len(proposed) == 0 {
			stale = append(stale, d.name+d.how)
			continue
		}
		following++
		surfaces = append(surfaces, proposed...)
	}
	if len(stale) > 0 {
		details = append(details, fmt.Sprintf("the command gives %d files otherwise than the commit has them; run it and "+
			"commit what it changes; if it changes nothing there, the files follow the version, and no pattern was found "+
			"that writes it there: write one under surfaces, or take the files out of the rule, each by a path that begins "+
			"with an exclamation mark", len(stale)))
		details = append(details, stale[:min(len(stale), mostDifferences)]...)
	}
	if following > 0 {
		details = append(details, fmt.Sprintf("the command writes the version into %d files; add these lines to %s, and the "+
			"release commit writes it there:", following, config.File), "surfaces:")
		for _, s := range surfaces {
			details = append(details, fmt.Sprintf("- {path: %s, pattern: %s}", quoted(s.Path), quoted(s.Pattern)))
		}
	}
	return details
}

// quoted is a text as a YAML scalar in single quotes.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// few lists names, the first ones only.
func few(names []string) string {
	if n := len(names); n > mostDifferences {
		return strings.Join(names[:mostDifferences], ", ") + fmt.Sprintf(" and %d more", n-mostDifferences)
	}
	return strings.Join(names, ", ")
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

// digests are what the files of a tree hold, and where its links lead.
func digests(tree string) (map[string][sha256.Size]byte, error) {
	all := map[string][sha256.Size]byte{}
	err := filepath.WalkDir(tree, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == ".git":
			return filepath.SkipDir
		case d.IsDir():
			return nil
		}
		name, err := filepath.Rel(tree, path)
		if err != nil {
			return err
		}
		var content []byte
		switch {
		case d.Type().IsRegular():
			content, err = os.ReadFile(path)
		case d.Type()&fs.ModeSymlink != 0:
			var to string
			to, err = os.Readlink(path)
			content = []byte(to)
		}
		all[filepath.ToSlash(name)] = sha256.Sum256(content)
		return err
	})
	return all, err
}

// changed are the files that differ or are gone, sorted, without those that a function tells.
func changed(before, after map[string][sha256.Size]byte, without func(string) bool) []string {
	var names []string
	for name, digest := range before {
		if now, ok := after[name]; (!ok || now != digest) && !without(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// difference is a file that one of two trees has, or both with other bytes.
type difference struct{ name, how string }

// differences names the files that one of two has, or both with other bytes, sorted.
func differences(before, after map[string][]byte) []difference {
	var all []difference
	for name, content := range after {
		if old, ok := before[name]; !ok {
			all = append(all, difference{name, " (the commit does not have it)"})
		} else if !bytes.Equal(old, content) {
			all = append(all, difference{name, ""})
		}
	}
	for name := range before {
		if _, ok := after[name]; !ok {
			all = append(all, difference{name, " (the command removes it)"})
		}
	}
	slices.SortFunc(all, func(a, b difference) int { return strings.Compare(a.name, b.name) })
	return all
}
