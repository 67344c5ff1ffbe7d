package publish

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/operator-release/operator-release/ci/faults"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/test/long"
)

// ofModules is a repository of a Go module, with another one in api/ that it requires.
func ofModules(t *testing.T) *git.Repository {
	t.Helper()
	source := repository(t)
	for name, content := range map[string]string{
		"go.mod": "module github.com/acme/spark\n\ngo 1.24\n\nrequire github.com/acme/spark/api v1.5.0\n\n" +
			"replace github.com/acme/spark/api => ./api\n",
		"api/go.mod": "module github.com/acme/spark/api\n\ngo 1.24\n",
		"api/a.go":   "package api\n\nconst Pi = 3\n",
		"a.go":       "package spark\n\nimport \"github.com/acme/spark/api\"\n\nconst Tau = 2 * api.Pi\n",
	} {
		file := filepath.Join(source.Dir(), name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	run(t, source.Dir(), "git add -A && git -c user.name=A -c user.email=a@example.com commit -q -m modules")
	return source
}

func run(t *testing.T, dir, script string, env ...string) string {
	t.Helper()
	cmd := exec.Command("sh", "-c", script)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", script, err, out)
	}
	return string(out)
}

// TestTheGoCommandTakesWhatIsPublished: git's own server serves the remote, and the go command without a proxy finds
// both modules at the version and builds what imports them.
func TestTheGoCommandTakesWhatIsPublished(t *testing.T) {
	long.Skip(t)
	ctx, source := t.Context(), ofModules(t)
	destination := newThrowaway(t)
	served := t.TempDir()
	remote := filepath.Join(served, "acme", "spark")
	run(t, served, "git init -q --bare -b main "+remote+" && git -C "+source.Dir()+" push -q "+remote+" main")
	handler, err := faults.Git(served)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	defer server.Close()
	d := destination.Destinations(source)
	d.Remote, d.Forge = &Remote{URL: server.URL + "/acme/spark", Source: source}, nil
	r, err := Publish(ctx, releaseOf(t, source, "v1.5.0", "v1.5.0\n", "linux/amd64"), d)
	if err != nil {
		t.Fatal(err)
	}
	commit, _, _ := strings.Cut(run(t, remote, "git rev-parse refs/heads/release-1.5"), "\n")
	for _, tag := range []string{"v1.5.0", "api/v1.5.0"} {
		got := run(t, remote, "git cat-file -t refs/tags/"+tag+" && git rev-parse 'refs/tags/"+tag+"^{}'")
		if got != "tag\n"+commit+"\n" {
			t.Errorf("%s is %s", tag, got)
		}
	}
	home := t.TempDir()
	settings := filepath.Join(home, "gitconfig")
	instead := "[url \"" + server.URL + "/\"]\n\tinsteadOf = https://github.com/\n"
	if err := os.WriteFile(settings, []byte(instead), 0o644); err != nil {
		t.Fatal(err)
	}
	env := []string{
		"HOME=" + home, "GOPATH=" + filepath.Join(home, "go"), "GOMODCACHE=" + filepath.Join(home, "mod"),
		"GOPROXY=direct", "GOPRIVATE=*", "GOVCS=*:git", "GOFLAGS=-modcacherw", "GOWORK=off",
		"GIT_CONFIG_GLOBAL=" + settings, "GIT_TERMINAL_PROMPT=0",
	}
	if err := os.MkdirAll(filepath.Join(home, "user"), 0o755); err != nil {
		t.Fatal(err)
	}
	user := filepath.Join(home, "user")
	for file, content := range map[string]string{
		"go.mod": "module example.com/user\n\ngo 1.24\n",
		"u.go":   "package user\n\nimport \"github.com/acme/spark\"\n\nconst Two = spark.Tau\n",
	} {
		if err := os.WriteFile(filepath.Join(user, file), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, module := range []string{"github.com/acme/spark", "github.com/acme/spark/api"} {
		if got := run(t, user, "go list -m "+module+"@v1.5.0", env...); got != module+" v1.5.0\n" {
			t.Errorf("go list -m %s@v1.5.0: %s", module, got)
		}
	}
	run(t, user, "go get github.com/acme/spark@v1.5.0 && go build ./...", env...)

	// A run that stopped before the tags is completed by another one; a third finds nothing to do.
	b := releaseOf(t, source, "v1.5.0", "v1.5.0\n", "linux/amd64")
	run(t, remote, "git update-ref -d refs/tags/api/v1.5.0 && git update-ref -d refs/tags/v1.5.0")
	if r, err = Publish(ctx, b, d); err != nil || !r.Changed() {
		t.Fatalf("%+v, %v", r, err)
	}
	if r, err = Publish(ctx, b, d); err != nil || r.Changed() {
		t.Errorf("%+v, %v", r.Writes, err)
	}
}

// TestTagsOfModulesNeverMove: a module's tag that leads elsewhere is refused before anything is written; one that a
// person pushed for the release commit stays.
func TestTagsOfModulesNeverMove(t *testing.T) {
	ctx, source := t.Context(), ofModules(t)
	destination := newThrowaway(t)
	b := releaseOf(t, source, "v1.5.0", "v1.5.0\n", "linux/amd64")
	d := destination.Destinations(source)
	run(t, source.Dir(), "git push -q "+destination.Remote+" HEAD:refs/heads/main HEAD:refs/tags/api/v1.5.0")
	_, err := Publish(ctx, b, d)
	if !refusal.Is(err) || !strings.Contains(err.Error(),
		"the tag api/v1.5.0 of Go module github.com/acme/spark/api is there with other content") {
		t.Errorf("%v", err)
	}
	got := run(t, destination.Remote, "git for-each-ref --format='%(refname)'")
	if got != "refs/heads/main\nrefs/tags/api/v1.5.0\n" {
		t.Errorf("written all the same: %s", got)
	}
	for _, by := range []string{
		"git tag api/v1.5.0 COMMIT",
		"git -c user.name=A -c user.email=a@example.com tag -a -m mine api/v1.5.0 COMMIT",
	} {
		run(t, destination.Remote, "git update-ref -d refs/tags/api/v1.5.0")
		for _, o := range gitObjects(t, b) {
			if o.Type != "tag" {
				file := filepath.Join(t.TempDir(), "object")
				if err := os.WriteFile(file, o.Content, 0o644); err != nil {
					t.Fatal(err)
				}
				run(t, destination.Remote, "git hash-object -w -t "+o.Type+" "+file)
			}
		}
		run(t, destination.Remote, strings.ReplaceAll(by, "COMMIT", b.Record.Commit))
		before := run(t, destination.Remote, "git rev-parse api/v1.5.0")
		r, err := Publish(ctx, b, d)
		if err != nil {
			t.Fatal(err)
		}
		if run(t, destination.Remote, "git rev-parse api/v1.5.0") != before {
			t.Errorf("%s: the tag has moved: %+v", by, r.Writes)
		}
	}
}
