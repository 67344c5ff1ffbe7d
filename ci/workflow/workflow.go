// Package workflow reads a repository's GitHub Actions workflows, and those of Gitea and Forgejo, which have the same
// form. It tells which of them start when a version is released, and may write what the release writes. Files of other
// CI systems are found by name.
package workflow

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Folder is where GitHub looks for workflows.
const Folder = ".github/workflows"

// folders are where GitHub, Gitea and Forgejo look for workflows.
var folders = []string{Folder, ".gitea/workflows", ".forgejo/workflows"}

// Release is what a publication does that starts workflows.
type Release struct {
	Branch    string   // gets the release commit
	Tags      []string // are created: the version's, and those of modules below the root
	Edits     []string // paths that the release commit changes; none: the branch is not pushed
	Candidate bool     // its release page is a prerelease
}

// Reaction is a workflow that a release starts.
type Reaction struct {
	Path   string
	To     []string // what starts it, such as "a push to release-1.5"
	Writes []string // why it may write, such as "packages: write"
}

func (r Reaction) String() string {
	return fmt.Sprintf("%s starts on %s and may write (%s)", r.Path, strings.Join(r.To, " and "), strings.Join(r.Writes, ", "))
}

// Reactions are the workflows of a tree that the release starts and that may write, ordered by path. Jobs that run
// operator-release do not count. unread names the files that could not be read, each with the reason.
func Reactions(tree fs.FS, r Release) (reactions []Reaction, unread []string, err error) {
	all := map[string]file{}
	for _, folder := range folders {
		files, err := fs.ReadDir(tree, folder)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		for _, f := range files {
			if ext := path.Ext(f.Name()); f.IsDir() || ext != ".yaml" && ext != ".yml" {
				continue
			}
			at := path.Join(folder, f.Name())
			content, err := fs.ReadFile(tree, at)
			if err != nil {
				return nil, nil, err
			}
			var read file
			if err := yaml.Unmarshal(content, &read); err != nil {
				unread = append(unread, fmt.Sprintf("%s: %s", at, strings.Join(strings.Fields(err.Error()), " ")))
				continue
			}
			for _, j := range read.Jobs {
				for i, s := range j.Steps {
					j.Steps[i].Run = scripts(tree, s.Run)
				}
			}
			all[at] = read
		}
	}
	started := map[string][]string{} // by path, what starts it
	for at, f := range all {
		if to := f.On.startedBy(r); len(to) > 0 {
			started[at] = to
		}
	}
	for range all { // a workflow may start after another one, and that one after a third
		for at, f := range all {
			if after := f.startedAfter(all, started, at); len(started[at]) == 0 && after != "" {
				started[at] = []string{after}
			}
		}
	}
	for at, to := range started {
		if writes := all[at].writes(all); len(writes) > 0 {
			reactions = append(reactions, Reaction{Path: at, To: to, Writes: writes})
		}
	}
	slices.SortFunc(reactions, func(a, b Reaction) int { return strings.Compare(a.Path, b.Path) })
	return reactions, unread, nil
}

// startedAfter is the workflow after whose run this one starts, or that dispatches it; empty where a release runs none.
func (f file) startedAfter(all map[string]file, started map[string][]string, own string) string {
	for _, at := range slices.Sorted(maps.Keys(started)) {
		switch name := all[at].Name; {
		case name != "" && slices.Contains(f.On.After, name), slices.Contains(f.On.After, at):
			return "the end of " + at
		case at != own && all[at].dispatches(all, f, own, map[string]bool{}):
			return "a dispatch by " + at
		}
	}
	return ""
}

var (
	// repositoryDispatch is a step that sends the event repository_dispatch.
	repositoryDispatch = regexp.MustCompile(`\brepository-dispatch\b|createDispatchEvent|` +
		`repos/(?:\$\{\{[^}]*\}\}|\$\{?\w+\}?|[^/\s"']+/[^/\s"']+)/dispatches`)
	// workflowDispatch is a step that starts a workflow by its name or file.
	workflowDispatch = regexp.MustCompile(`\bgh\s+workflow\s+run\b|createWorkflowDispatch|` +
		`/workflows/[^\s"']+/dispatches|\bworkflow-dispatch\b`)
)

// dispatches tells whether a step of the workflow, or of one that it calls, starts another workflow by an event.
func (f file) dispatches(all map[string]file, other file, at string, seen map[string]bool) bool {
	takes := func(event string) bool { return slices.Contains(other.On.Others, event) }
	for _, j := range f.Jobs {
		for _, s := range j.Steps {
			text := s.text()
			if takes("repository_dispatch") && repositoryDispatch.MatchString(text) ||
				takes("workflow_dispatch") && workflowDispatch.MatchString(text) &&
					(strings.Contains(text, path.Base(at)) || other.Name != "" && strings.Contains(text, other.Name)) {
				return true
			}
		}
		if called, local := strings.CutPrefix(j.Uses, "./"); local && !seen[called] {
			seen[called] = true
			if all[called].dispatches(all, other, at, seen) {
				return true
			}
		}
	}
	return false
}
