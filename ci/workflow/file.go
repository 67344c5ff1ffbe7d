package workflow

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// file is a workflow, as far as it is looked at
// (https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax).
type file struct {
	Name        string
	On          events
	Permissions *permissions
	Jobs        map[string]job
}

type job struct {
	Permissions *permissions
	Uses        string // a workflow that the job calls
	Steps       []step
}

type step struct {
	Uses, Run string
	With      map[string]any
}

// permissions are what a token may do: one word for everything, or a word for each scope.
type permissions struct {
	all     string
	byScope map[string]string
}

func (p *permissions) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		return n.Decode(&p.all)
	}
	return n.Decode(&p.byScope)
}

// writing are the scopes with which a workflow can write what a release writes.
var writing = []string{"contents", "packages"}

// writes are what the token may write of a release.
func (p *permissions) writes() []string {
	if p.all == "write-all" {
		return []string{"permissions: write-all"}
	}
	var found []string
	for _, scope := range writing {
		if p.byScope[scope] == "write" {
			found = append(found, scope+": write")
		}
	}
	return found
}

// pushing are commands that write packages, tags or release pages.
var pushing = regexp.MustCompile(`\b(?:(docker|podman|buildah|helm|crane|oras|skopeo|cosign|kustomize)\s+(push|copy|publish)` +
	`|docker\s+buildx\s+[^\n]*--push|imagetools\s+create|gh\s+release\s+(create|upload|edit)|git\s+push|goreleaser\s+release` +
	`|ko\s+(build|publish|resolve|apply)|twine\s+upload|glab\s+release\s+create|release-cli\s+create|kaniko/executor|plugins/(docker|gcr|ecr|kaniko)` +
	`|make\s+[^\n]*(push|publish|release)[\w-]*)` +
	`|\$[({]\w+[)}]\s+(push|buildx\s+[^\n]*--push)\b`) // as kubebuilder's Makefile has it: $(CONTAINER_TOOL) push

// pushers are actions that write packages, tags or release pages.
var pushers = []string{
	"docker/build-push-action", "docker/bake-action", "softprops/action-gh-release", "ncipollo/release-action",
	"goreleaser/goreleaser-action", "helm/chart-releaser-action", "actions/create-release", "stefanprodan/helm-gh-pages",
	"appany/helm-oci-chart-releaser", "redhat-actions/push-to-registry", "svenstaro/upload-release-action",
	"pypa/gh-action-pypi-publish", "peaceiris/actions-gh-pages",
}

// ours is a step that runs this tool.
var ours = regexp.MustCompile(`\boperator-release\b|\bdagger\s+(api\s+)?call\b[^|;]*\bpublish\s+--version\b`)

// writes says why the workflow may write what a release writes.
func (f file) writes(all map[string]file) []string {
	return f.writesBelow(all, nil, map[string]bool{})
}

func (f file) writesBelow(all map[string]file, given *permissions, seen map[string]bool) []string {
	found := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(f.Jobs)) {
		j := f.Jobs[name]
		if slices.ContainsFunc(j.Steps, func(s step) bool { return ours.MatchString(s.text()) }) || ours.MatchString(j.Uses) {
			continue
		}
		held := j.Permissions
		for _, above := range []*permissions{f.Permissions, given} {
			if held == nil {
				held = above
			}
		}
		if held != nil {
			for _, why := range held.writes() {
				found[why] = true
			}
		}
		for _, s := range j.Steps {
			if why := s.pushes(); why != "" && (held == nil || len(held.writes()) > 0 || !s.withToken()) {
				found[why] = true
			}
		}
		called, local := strings.CutPrefix(j.Uses, "./")
		if j.Uses != "" && !local && held == nil { // what it does stands in another repository
			found["calls "+j.Uses] = true
		}
		if local && !seen[called] {
			seen[called] = true
			for _, why := range all[called].writesBelow(all, held, seen) {
				found[why] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

func (s step) text() string {
	text := s.Uses + "\n" + s.Run
	for _, key := range slices.Sorted(maps.Keys(s.With)) {
		text += fmt.Sprintf("\n%v", s.With[key])
	}
	return text
}

// pushes is the command or action with which a step writes; empty where it does not.
func (s step) pushes() string {
	for _, action := range pushers {
		if !strings.HasPrefix(s.Uses, action+"@") {
			continue
		}
		if strings.HasPrefix(action, "docker/") && fmt.Sprint(s.With["push"]) != "true" &&
			!strings.Contains(fmt.Sprint(s.With["outputs"]), "push=true") {
			return ""
		}
		return action
	}
	return strings.Join(strings.Fields(pushing.FindString(s.Run)), " ")
}

// withToken tells whether a step writes with the workflow's own token alone, whose permissions are known.
func (s step) withToken() bool {
	return strings.HasPrefix(s.Run, "gh ") || strings.Contains(s.Run, "\ngh ") || strings.Contains(s.Run, "git push")
}
