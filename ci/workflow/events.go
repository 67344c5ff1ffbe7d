package workflow

import (
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// events are what starts a workflow: `on`.
type events struct {
	Push    *filters
	Release *types
	Create  bool
	After   []string // names or paths of workflows, of workflow_run
	Others  []string // names of all other events
}

// consequences are the events that follow from what a release writes, beside pushes, new tags and release pages
// (https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows).
var consequences = map[string]string{
	"registry_package":  "a package that it writes to ghcr.io",
	"package":           "a package that it writes to ghcr.io",
	"page_build":        "a build of pages, as of a chart index",
	"deployment":        "a deployment of pages, as of a chart index",
	"deployment_status": "a deployment of pages, as of a chart index",
	"status":            "a check of its commit",
	"check_run":         "a check of its commit",
	"check_suite":       "a check of its commit",
}

type filters struct {
	Branches, Tags, Paths []string
	BranchesIgnore        []string `yaml:"branches-ignore"`
	TagsIgnore            []string `yaml:"tags-ignore"`
	PathsIgnore           []string `yaml:"paths-ignore"`
}

type types struct{ Types list }

// list is one word, or several.
type list []string

func (l *list) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*l = list{n.Value}
		return nil
	}
	return n.Decode((*[]string)(l))
}

// UnmarshalYAML reads one event, a list of events, or a mapping of events to what they are restricted to.
func (e *events) UnmarshalYAML(n *yaml.Node) error {
	switch n.Kind {
	case yaml.ScalarNode:
		e.add(n.Value)
		return nil
	case yaml.SequenceNode:
		for _, name := range n.Content {
			e.add(name.Value)
		}
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		e.addOther(n.Content[i].Value)
	}
	var m struct {
		Push    yaml.Node
		Release yaml.Node
		Create  yaml.Node
		Run     struct{ Workflows list } `yaml:"workflow_run"`
	}
	if err := n.Decode(&m); err != nil {
		return err
	}
	e.Create, e.After = m.Create.Kind != 0, m.Run.Workflows
	if m.Push.Kind != 0 {
		e.add("push")
		if err := m.Push.Decode(e.Push); err != nil {
			return err
		}
	}
	if m.Release.Kind != 0 {
		e.add("release")
		return m.Release.Decode(e.Release)
	}
	return nil
}

func (e *events) add(name string) {
	switch name {
	case "push":
		e.Push = &filters{}
	case "release":
		e.Release = &types{}
	case "create":
		e.Create = true
	}
	e.addOther(name)
}

// addOther notes an event of which no filter is read.
func (e *events) addOther(name string) {
	if name != "push" && name != "release" && name != "create" && name != "workflow_run" {
		e.Others = append(e.Others, name)
	}
}

// startedBy is what of a release starts the workflow.
func (e events) startedBy(r Release) (to []string) {
	if f := e.Push; f != nil {
		onlyTags := f.Branches == nil && f.BranchesIgnore == nil && (f.Tags != nil || f.TagsIgnore != nil)
		onlyBranches := f.Tags == nil && f.TagsIgnore == nil && (f.Branches != nil || f.BranchesIgnore != nil)
		if len(r.Edits) > 0 && !onlyTags && passes(f.Branches, f.BranchesIgnore, r.Branch) && f.changes(r.Edits) {
			to = append(to, "a push to "+r.Branch)
		}
		passing := func(tag string) bool { return !onlyBranches && passes(f.Tags, f.TagsIgnore, tag) }
		if i := slices.IndexFunc(r.Tags, passing); i >= 0 { // paths do not count for tags
			to = append(to, "tag "+r.Tags[i])
		}
	}
	if e.Create {
		to = append(to, "a new tag")
	}
	if e.Release != nil {
		kinds := []string{"published", "released"}
		if r.Candidate {
			kinds[1] = "prereleased"
		}
		if len(e.Release.Types) == 0 || slices.ContainsFunc(kinds, func(k string) bool { return slices.Contains(e.Release.Types, k) }) {
			to = append(to, "its release page")
		}
	}
	for _, name := range e.Others {
		if why := consequences[name]; why != "" && !slices.Contains(to, why) {
			to = append(to, why)
		}
	}
	return to
}

// changes tells whether a push that changes these paths starts the workflow.
func (f filters) changes(paths []string) bool {
	return slices.ContainsFunc(paths, func(p string) bool { return passes(f.Paths, f.PathsIgnore, p) })
}

// passes tells whether a name is among those that are wanted, and not among those that are ignored. Of wanted patterns
// the last one that matches decides; one with ! takes names out.
func passes(wanted, ignored []string, name string) bool {
	for _, pattern := range ignored {
		if matches(pattern, name) {
			return false
		}
	}
	if wanted == nil {
		return true
	}
	in := false
	for _, pattern := range wanted {
		if rest, out := strings.CutPrefix(pattern, "!"); out && matches(rest, name) {
			in = false
		} else if !out && matches(pattern, name) {
			in = true
		}
	}
	return in
}

// matches tells whether a name matches a filter pattern of GitHub: * does not match a slash, ** does, ? and + repeat
// the character before
// (https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#filter-pattern-cheat-sheet). A
// pattern that cannot be read matches everything.
func matches(pattern, name string) bool {
	var b strings.Builder
	b.WriteString("^")
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case strings.HasPrefix(pattern[i:], "**/"):
			b.WriteString("(.*/)?")
			i += 2
		case strings.HasPrefix(pattern[i:], "**"):
			b.WriteString(".*")
			i++
		case c == '*':
			b.WriteString("[^/]*")
		case strings.IndexByte("?+[]", c) >= 0:
			b.WriteByte(c)
		case c == '\\' && i+1 < len(pattern):
			i++
			b.WriteString(regexp.QuoteMeta(pattern[i : i+1]))
		default:
			b.WriteString(regexp.QuoteMeta(pattern[i : i+1]))
		}
	}
	re, err := regexp.Compile(b.String() + "$")
	return err != nil || re.MatchString(name)
}
