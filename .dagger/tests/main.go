// The tests of the module operator-release, on a real engine: a small operator's repository is made on the spot, released, and published to
// a registry and a git server that are services beside it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"dagger/tests/internal/dagger"
)

// Tests are checks of the module operator-release.
type Tests struct {
	// +private
	Workspace *dagger.Workspace
	// +private
	GoImage string
	// +private
	DebianImage string
}

// New takes the images that the tests stand on.
func New(
	// The caller's workspace, which the module under test wants as well; Dagger fills it in.
	// +optional
	ws *dagger.Workspace,
	// The image that stages run in; it needs Go and git.
	// +default="golang:1.26.8-bookworm"
	goImage string,
	// The image that services are installed into, and that images are based on; it needs apt-get.
	// +default="debian:bookworm-slim"
	debianImage string,
) *Tests {
	return &Tests{Workspace: ws, GoImage: goImage, DebianImage: debianImage}
}

// files are those of the operator, but for its Dockerfile.
var files = map[string]string{
	"go.mod":                  "module github.com/example/tiny\n\ngo 1.26.1\n\ntoolchain go1.26.8\n",
	"cmd/tiny/main.go":        "package main\n\nimport \"fmt\"\n\nvar version = \"unreleased\"\n\nfunc main() { fmt.Println(version) }\n",
	"cmd/tiny/main_test.go":   "package main\n\nimport \"testing\"\n\nfunc TestVersion(t *testing.T) {\n\tif version == \"\" {\n\t\tt.Error(\"none\")\n\t}\n}\n",
	"VERSION":                 "v0.9.0\n",
	"charts/tiny/Chart.yaml":  "apiVersion: v2\nname: tiny\nversion: 0.9.0\nappVersion: v0.9.0\n",
	"charts/tiny/values.yaml": "image:\n  registry: docker.io\n  repository: example/tiny\n  tag: \"\"\nreplicas: 1\n",
	"charts/tiny/.helmignore": "",
	"charts/tiny/templates/deployment.yaml": `apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
spec:
  replicas: {{ .Values.replicas }}
  selector:
    matchLabels: {app: tiny}
  template:
    metadata:
      labels: {app: tiny}
    spec:
      containers:
      - name: tiny
        image: "{{ .Values.image.registry }}/{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
`,
}

// copied is a Dockerfile that is carried out without an engine.
const copied = "FROM scratch\nARG TARGETOS\nARG TARGETARCH\nCOPY --chmod=0755 bin/${TARGETOS}/${TARGETARCH}/tiny /usr/bin/tiny\nENTRYPOINT [\"/usr/bin/tiny\"]\n"

// repository is the operator's, with one commit.
func (t *Tests) repository(dockerfile string) *dagger.Directory {
	dir := dag.Directory().WithNewFile("Dockerfile", dockerfile)
	for name, content := range files {
		dir = dir.WithNewFile(name, content)
	}
	return t.commit(dir, "feat: a tiny operator")
}

// commit commits everything, at a time that does not change: equal files are an equal commit.
func (t *Tests) commit(dir *dagger.Directory, subject string) *dagger.Directory {
	return dag.Container().From(t.GoImage).
		WithDirectory("/repository", dir).
		WithWorkdir("/repository").
		WithEnvVariable("GIT_AUTHOR_DATE", "2026-03-01T12:00:00Z").
		WithEnvVariable("GIT_COMMITTER_DATE", "2026-03-01T12:00:00Z").
		WithExec([]string{"git", "init", "--quiet", "--initial-branch=main"}).
		WithExec([]string{"git", "add", "--all"}).
		WithExec([]string{"git", "-c", "user.name=Test", "-c", "user.email=test@example.com", "commit", "--quiet", "--message", subject}).
		Directory("/repository")
}

// module is the module under test over a repository.
func (t *Tests) module(repository *dagger.Directory) *dagger.OperatorRelease {
	return t.call(dagger.OperatorReleaseOpts{
		Repository: repository, GoImage: t.GoImage, PlainHTTP: []string{"registry", "locked"},
	})
}

// call calls the module. Dagger 1.0 hands no workspace on from module to module, not even an optional one, so it has to
// be given there. The bindings of Dagger 0.21 have no field for it.
func (t *Tests) call(opts dagger.OperatorReleaseOpts) *dagger.OperatorRelease {
	if ws := reflect.ValueOf(&opts).Elem().FieldByName("Ws"); ws.IsValid() && t.Workspace != nil {
		ws.Set(reflect.ValueOf(t.Workspace))
	}
	return dag.OperatorRelease(opts)
}

// source is the module under test over a reference, which is one branch without the others and their tags.
func (t *Tests) source(repository *dagger.Directory) *dagger.OperatorRelease {
	return t.call(dagger.OperatorReleaseOpts{Source: repository.AsGit().Head(), GoImage: t.GoImage})
}

// has says what a text lacks.
func has(text string, parts ...string) error {
	for _, part := range parts {
		if !strings.Contains(text, part) {
			return fmt.Errorf("this does not say %q:\n%s", part, text)
		}
	}
	return nil
}

// withoutTimes is a report without its end, which says what the call spent.
func withoutTimes(report string) string {
	text, _, _ := strings.Cut(report, "\nCall of ")
	return text
}

// fails says how a call did not fail as it should: with all of these words.
func fails(err error, parts ...string) error {
	if err == nil {
		return fmt.Errorf("it did not fail, with %q", parts)
	}
	text := err.Error()
	var exec *dagger.ExecError
	if errors.As(err, &exec) {
		text += exec.Stdout + exec.Stderr
	}
	return has(text, parts...)
}

// exits says how a call did not fail with an exit code.
func exits(err error, code int) error {
	var exec *dagger.ExecError
	if !errors.As(err, &exec) || exec.ExitCode != code {
		return fmt.Errorf("this is no exit code %d: %w", code, err)
	}
	return nil
}

// told says how a repository's answer to a shell command is another.
func (t *Tests) told(ctx context.Context, repository *dagger.Directory, command, want string) error {
	got, err := t.in(repository, command).Stdout(ctx)
	if err == nil && got != want {
		err = fmt.Errorf("%s: %q, not %q", command, got, want)
	}
	return err
}

// in is a container where a shell command was run in a copy of a repository.
func (t *Tests) in(repository *dagger.Directory, command string) *dagger.Container {
	return dag.Container().From(t.GoImage).WithDirectory("/repository", repository).WithWorkdir("/repository").WithExec([]string{"sh", "-ec", command})
}

// identity is the digest of a bundle's release artifact.
func identity(ctx context.Context, bundle *dagger.Directory) (string, error) {
	content, err := bundle.File("index.json").Contents(ctx)
	if err != nil {
		return "", err
	}
	var index struct {
		Manifests []struct{ ArtifactType, Digest string }
	}
	if err := json.Unmarshal([]byte(content), &index); err != nil {
		return "", err
	}
	for _, m := range index.Manifests {
		if m.ArtifactType == "application/vnd.operator-release.release.v1" {
			return m.Digest, nil
		}
	}
	return "", fmt.Errorf("no release artifact is in %s", content)
}
