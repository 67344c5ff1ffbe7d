package workflow

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// systems are the CI systems whose files are found by name: a file, or a folder that holds some. Their triggers are
// not read.
var systems = []struct{ at, name string }{
	{".gitlab-ci.yml", "GitLab CI"}, {".gitlab-ci.yaml", "GitLab CI"}, {".gitlab/ci", "GitLab CI"},
	{".circleci/config.yml", "CircleCI"}, {"Jenkinsfile", "Jenkins"}, {".travis.yml", "Travis CI"},
	{".drone.yml", "Drone"}, {".drone.yaml", "Drone"}, {".drone.star", "Drone"}, {".drone.jsonnet", "Drone"},
	{".woodpecker.yml", "Woodpecker"}, {".woodpecker.yaml", "Woodpecker"}, {".woodpecker", "Woodpecker"},
	{"azure-pipelines.yml", "Azure Pipelines"}, {"azure-pipelines.yaml", "Azure Pipelines"},
	{".azure-pipelines", "Azure Pipelines"}, {".vsts-ci.yml", "Azure Pipelines"},
	{"bitbucket-pipelines.yml", "Bitbucket Pipelines"}, {".buildkite", "Buildkite"}, {".cirrus.yml", "Cirrus CI"},
	{".semaphore", "Semaphore"}, {"appveyor.yml", "AppVeyor"}, {".appveyor.yml", "AppVeyor"}, {".tekton", "Tekton"},
	{"cloudbuild.yaml", "Google Cloud Build"}, {"cloudbuild.yml", "Google Cloud Build"}, {"buildspec.yml", "AWS CodeBuild"},
	{".prow.yaml", "Prow"}, {".zuul.yaml", "Zuul"}, {".zuul.d", "Zuul"}, {".builds", "SourceHut"}, {".build.yml", "SourceHut"},
}

// Pipeline is a file of another CI system. Its text was looked through for commands that publish. What starts it was
// not read.
type Pipeline struct {
	Path, System string
	Writes       string // the first command that publishes; empty if none was found
}

func (p Pipeline) String() string {
	if p.Writes == "" {
		return fmt.Sprintf("%s is a file of %s, and was not read as a pipeline; no command in it is known to publish", p.Path,
			p.System)
	}
	return fmt.Sprintf("%s is a file of %s, and has %q; what starts it was not read", p.Path, p.System, p.Writes)
}

// Pipelines are the files of CI systems other than GitHub Actions in a tree, by path. A file that runs this tool, and
// nothing else that publishes, does not count.
func Pipelines(tree fs.FS) ([]Pipeline, error) {
	var found []Pipeline
	for _, system := range systems {
		err := fs.WalkDir(tree, system.at, func(at string, d fs.DirEntry, err error) error {
			switch {
			case errors.Is(err, fs.ErrNotExist):
				return nil
			case err != nil:
				return err
			case !d.Type().IsRegular(), at != system.at && !slices.Contains([]string{".yml", ".yaml", ".star", ".jsonnet",
				".sh", ""}, path.Ext(at)):
				return nil
			}
			content, err := fs.ReadFile(tree, at)
			if err != nil {
				return err
			}
			text := scripts(tree, withoutComments(string(content)))
			writes := strings.Join(strings.Fields(pushing.FindString(text)), " ")
			if writes != "" || !ours.MatchString(text) {
				found = append(found, Pipeline{at, system.name, writes})
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("look for files of %s: %w", system.name, err)
		}
	}
	slices.SortFunc(found, func(a, b Pipeline) int { return strings.Compare(a.Path, b.Path) })
	return found, nil
}

// withoutComments leaves out lines that are comments, of YAML, shell and Groovy.
func withoutComments(text string) string {
	var kept strings.Builder
	for line := range strings.Lines(text) {
		if trimmed := strings.TrimSpace(line); !strings.HasPrefix(trimmed, "#") && !strings.HasPrefix(trimmed, "//") {
			kept.WriteString(line)
		}
	}
	return kept.String()
}
