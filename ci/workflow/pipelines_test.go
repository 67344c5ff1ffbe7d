package workflow

import (
	"strings"
	"testing"
	"testing/fstest"
)

func TestPipelines(t *testing.T) {
	tree := fstest.MapFS{
		".gitlab-ci.yml":             {Data: []byte("release:\n  only: [tags]\n  script:\n  - docker push example/pi:$CI_COMMIT_TAG\n")},
		".gitlab/ci/kaniko.yml":      {Data: []byte("build:\n  script: /kaniko/executor --destination example/pi\n")},
		"Jenkinsfile":                {Data: []byte("pipeline { stages { stage('a') { steps { sh 'make docker-push' } } } }")},
		".circleci/config.yml":       {Data: []byte("# docker push x\njobs: {a: {steps: [{run: go test ./...}]}}")},
		".drone.yml":                 {Data: []byte("steps: [{name: a, image: plugins/docker, settings: {repo: example/pi}}]")},
		".woodpecker/publish.yaml":   {Data: []byte("steps: [{name: a, commands: ['operator-release publish v1.0.0']}]")},
		".woodpecker/both.yaml":      {Data: []byte("steps: [{commands: ['operator-release plan v1.0.0', 'helm push x']}]")},
		".tekton/README.md":          {Data: []byte("docker push")},
		".github/workflows/ci.yaml":  {Data: []byte("on: push")},
		"docs/azure-pipelines.yml":   {Data: []byte("docker push")},
		".builds/debian.yml":         {Data: []byte("tasks: [{a: 'gh release create x'}]")},
		".buildkite/hooks/pre-exit":  {Data: []byte("true")},
		"deploy/.gitlab-ci.yml/note": {Data: []byte("docker push")},
	}
	found, err := Pipelines(tree)
	var got []string
	for _, p := range found {
		got = append(got, p.Path+" "+p.System+" "+p.Writes)
	}
	want := []string{
		".buildkite/hooks/pre-exit Buildkite ", ".builds/debian.yml SourceHut gh release create",
		".circleci/config.yml CircleCI ", ".drone.yml Drone plugins/docker", ".gitlab-ci.yml GitLab CI docker push",
		".gitlab/ci/kaniko.yml GitLab CI kaniko/executor", ".woodpecker/both.yaml Woodpecker helm push",
		"Jenkinsfile Jenkins make docker-push",
	}
	if err != nil || strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%v: got\n%s\nwant\n%s", err, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if found, err := Pipelines(fstest.MapFS{"a": {}}); len(found) > 0 || err != nil {
		t.Errorf("none: %v, %v", found, err)
	}
}

// TestOtherForges: Gitea and Forgejo read the same files, in folders of their own.
func TestOtherForges(t *testing.T) {
	const pushes = "on: {push: {tags: [v*]}}\njobs: {a: {steps: [{run: docker push example/pi}]}}"
	found, unread, err := Reactions(fstest.MapFS{".gitea/workflows/a.yaml": {Data: []byte(pushes)},
		".forgejo/workflows/b.yml": {Data: []byte(pushes)}}, release)
	if err != nil || len(unread) > 0 || len(found) != 2 || found[0].Path != ".forgejo/workflows/b.yml" ||
		found[1].Path != ".gitea/workflows/a.yaml" {
		t.Errorf("%v, %v, %v", found, unread, err)
	}
}
