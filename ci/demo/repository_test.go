package demo

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/refs.txt")

// unpackTo names the folder in the environment of a process that is this test's binary and does nothing but call Repository.
const unpackTo = "DEMO_TEST_UNPACK_TO"

func TestMain(m *testing.M) {
	if dir := os.Getenv(unpackTo); dir != "" {
		if err := Repository(context.Background(), dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	flag.Parse()
	code := m.Run()
	os.RemoveAll(sharedDir)
	os.Exit(code)
}

var (
	sharedDir string
	unpack    = sync.OnceValue(func() error {
		var err error
		if sharedDir, err = os.MkdirTemp("", "pi-operator-"); err != nil {
			return err
		}
		return Repository(context.Background(), sharedDir)
	})
)

// shared returns a repository for tests that only read.
func shared(t *testing.T) string {
	t.Helper()
	if err := unpack(); err != nil {
		t.Fatal(err)
	}
	return sharedDir
}

// tryGit runs git in dir, with the environment of the package and a user.
func tryGit(t *testing.T, dir string, args ...string) (string, error) {
	t.Helper()
	git, err := newGit()
	if err != nil {
		t.Fatal(err)
	}
	cmd := git.command(t.Context(), append([]string{"-C", dir, "-c", "user.name=Test", "-c", "user.email=test@example.com"}, args...)...)
	out, err := cmd.CombinedOutput()
	return strings.TrimSuffix(string(out), "\n"), err
}

func runGit(t *testing.T, dir string, args ...string) string {
	t.Helper()
	out, err := tryGit(t, dir, args...)
	if err != nil {
		t.Fatalf("git %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return out
}

// refs lists HEAD, branches and tags with their ids.
func refs(t *testing.T, dir string) string {
	t.Helper()
	return "HEAD " + runGit(t, dir, "symbolic-ref", "HEAD") + "\n" +
		runGit(t, dir, "for-each-ref", "--format=%(objectname) %(objecttype) %(refname) %(*objectname)") + "\n"
}

const golden = "testdata/refs.txt"

func TestRepository(t *testing.T) {
	dir := shared(t)
	if *update {
		if err := os.WriteFile(golden, []byte(refs(t, dir)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got := refs(t, dir); got != string(want) {
		t.Errorf("the refs are\n%s\nand not, as %s says,\n%s\nIf the history was meant to change: go test ./ci/demo -update", got, golden, want)
	}
	if out := runGit(t, dir, "for-each-ref", "--format=%(refname:short) %(objecttype)"); out !=
		"main commit\nrelease-1.4 commit\nv1.4.0 tag\nv1.4.0-rc.0 tag\nv1.4.1 tag" {
		t.Errorf("branches and tags are\n%s", out)
	}
	checkClean(t, dir)
	runGit(t, dir, "fsck", "--strict", "--no-dangling")
	if out := runGit(t, dir, "config", "--local", "--list"); strings.Contains(out, "worktree") || strings.Contains(out, "user") {
		t.Errorf("the repository's config has what belongs to this machine:\n%s", out)
	}
	for _, branch := range []string{"main", "release-1.4"} {
		for line := range strings.Lines(runGit(t, dir, "ls-tree", "-r", branch)) {
			if strings.HasPrefix(line, "100755 ") != strings.HasSuffix(line, "\thack/verify-crds.sh\n") || strings.HasPrefix(line, "120000 ") {
				t.Errorf("%s has a file of an unexpected mode: %s", branch, line)
			}
		}
	}
}

// checkClean says whether there is a work tree as the last commit has it, and nothing besides.
func checkClean(t *testing.T, dir string) {
	t.Helper()
	if out := runGit(t, dir, "status", "--porcelain", "--ignored"); out != "" {
		t.Errorf("git status says\n%s", out)
	}
	if data, err := os.ReadFile(filepath.Join(dir, "VERSION")); err != nil || string(data) != "v1.4.0\n" {
		t.Errorf("VERSION has %q, %v", data, err)
	}
}

// The user's git config, environment, locale, time zone and umask are as unlike as can be.
func TestSameEverywhere(t *testing.T) {
	home := t.TempDir()
	for path, content := range map[string]string{
		".gitconfig": "[core]\n\tautocrlf = true\n\tfileMode = false\n[commit]\n\tgpgSign = true\n[tag]\n\tgpgSign = true\n[init]\n\tdefaultBranch = trunk\n\ttemplateDir = ~/template\n" +
			"[user]\n\tname = Somebody\n\temail = else@example.org\n[i18n]\n\tcommitEncoding = ISO-8859-1\n[fastimport]\n\tunpackLimit = 1\n",
		".config/git/attributes":     "* text eol=crlf ident\n",
		".config/git/ignore":         "*\n",
		"template/info/exclude":      "*\n",
		"template/hooks/post-commit": "#!/bin/sh\nexit 1\n",
	} {
		path = filepath.Join(home, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "a b", "repository") // Absent, and so is the folder that it is to be in.
	cmd := exec.CommandContext(t.Context(), "sh", "-c", `umask 077; exec "$0"`, executable)
	cmd.Env = []string{
		unpackTo + "=" + dir,
		"PATH=" + os.Getenv("PATH"),
		"HOME=" + home,
		"TZ=Asia/Kathmandu",
		"LC_ALL=tr_TR.ISO-8859-9",
		"GIT_DIR=" + home,
		"GIT_INDEX_FILE=" + filepath.Join(home, "index"),
		"GIT_OBJECT_DIRECTORY=" + home,
		"GIT_DEFAULT_HASH=sha256",
		"GIT_DEFAULT_REF_FORMAT=reftable",
		"GIT_AUTHOR_DATE=2001-01-01T00:00:00Z",
		"GIT_COMMITTER_NAME=Somebody",
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=core.bare", "GIT_CONFIG_VALUE_0=true",
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if got, want := refs(t, dir), refs(t, shared(t)); got != want {
		t.Errorf("the refs are\n%s\nelsewhere they are\n%s", got, want)
	}
	checkClean(t, dir)
}

var pickedFrom = regexp.MustCompile(`(?m)^\(cherry picked from commit ([0-9a-f]{40})\)$`)

func TestShape(t *testing.T) {
	dir := shared(t)
	if base := runGit(t, dir, "merge-base", "main", "release-1.4"); runGit(t, dir, "log", "-1", "--format=%s", base) != "perf(pi): keep the power from term to term (#121)" {
		t.Errorf("release-1.4 starts from %s", base)
	}
	if out := runGit(t, dir, "tag", "--merged", "main"); out != "" {
		t.Errorf("main has the tags %s, which are of release-1.4 only", out)
	}
	if got, want := runGit(t, dir, "rev-parse", "v1.4.1^{commit}"), runGit(t, dir, "rev-parse", "release-1.4"); got != want {
		t.Errorf("v1.4.1 is %s, release-1.4 is at %s", got, want)
	}
	if out := runGit(t, dir, "log", "--all", "--format=%B"); strings.Contains(out, "{{") {
		t.Error("a message has a placeholder left")
	}

	picked := pickedFrom.FindAllStringSubmatch(runGit(t, dir, "log", "--format=%B", "v1.4.0..v1.4.1"), -1)
	if len(picked) != 2 {
		t.Errorf("%d picks between v1.4.0 and v1.4.1, want 2", len(picked))
	}
	for _, match := range picked {
		runGit(t, dir, "merge-base", "--is-ancestor", match[1], "main")
		subject := runGit(t, dir, "log", "-1", "--format=%an %ai %s", match[1])
		if !strings.Contains(runGit(t, dir, "log", "--format=%an %ai %s", "v1.4.0..v1.4.1"), subject) {
			t.Errorf("the pick of %s does not have its author, date and subject: %s", match[1], subject)
		}
	}
	reverted := onMain(t, dir, "feat(controller): remember digits that were computed (#148)")
	if out := runGit(t, dir, "log", "-1", "--format=%B", onMain(t, dir, `Revert "feat(controller)`)); !strings.Contains(out, "This reverts commit "+reverted+".\n") {
		t.Errorf("the revert of %s says\n%s", reverted, out)
	}
}

// onMain returns the commit on main whose subject starts so.
func onMain(t *testing.T, dir, subject string) string {
	t.Helper()
	for line := range strings.Lines(runGit(t, dir, "log", "--format=%H %s", "main")) {
		if id, rest, _ := strings.Cut(line, " "); strings.HasPrefix(rest, subject) {
			return id
		}
	}
	t.Fatalf("no commit on main is called %s", subject)
	return ""
}

// What doc.go promises about picks onto release-1.4.
func TestPicks(t *testing.T) {
	dir := t.TempDir()
	if err := Repository(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	clean := onMain(t, dir, "fix(folder): read each job of a ConfigMap once (#145)")
	refactoring := onMain(t, dir, "refactor(cluster): send requests in one place (#140)")
	needs := onMain(t, dir, "fix(cluster): ask a busy API server again (#151)")
	there := onMain(t, dir, "fix(chart): let the controller patch the status of jobs (#128)")
	adapted := onMain(t, dir, "fix(controller): answer /healthz while a job runs (#134)")

	runGit(t, dir, "checkout", "-q", "release-1.4")
	if out := runGit(t, dir, "cherry", "release-1.4", there, there+"^"); out != "- "+there {
		t.Errorf("the patch of #128 is not on release-1.4: %s", out)
	}
	if out := runGit(t, dir, "cherry", "release-1.4", adapted, adapted+"^"); out != "+ "+adapted {
		t.Errorf("the patch of #134 is on release-1.4 unchanged: %s", out)
	}
	if out, err := tryGit(t, dir, "cherry-pick", there); err == nil || !strings.Contains(out, "The previous cherry-pick is now empty") {
		t.Errorf("the pick of what is there already: %v: %s", err, out)
	}
	runGit(t, dir, "reset", "-q", "--hard")

	runGit(t, dir, "cherry-pick", "-x", clean)
	out, err := tryGit(t, dir, "cherry-pick", "-x", needs)
	if err == nil || !strings.Contains(out, "CONFLICT (content): Merge conflict in internal/cluster/client.go") {
		t.Errorf("the pick without what it needs: %v: %s", err, out)
	}
	runGit(t, dir, "cherry-pick", "--abort")
	runGit(t, dir, "cherry-pick", "-x", refactoring, needs)
	if out := runGit(t, dir, "diff", "--stat", needs, "--", "internal/cluster", "internal/folder"); out != "" {
		t.Errorf("after the picks internal/cluster and internal/folder are not as on main:\n%s", out)
	}
}

func TestRefusals(t *testing.T) {
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "mine.txt"), []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]string{
		full:                                 "create the demo repository in " + full + ": the folder is not empty, it has mine.txt: name an empty one",
		filepath.Join(full, "mine.txt"):      "not a directory: name an empty folder",
		filepath.Join(full, "mine.txt", "x"): "not a directory",
	} {
		if err := Repository(t.Context(), dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Repository(%s): %v, want %q", dir, err, want)
		}
	}
	if entries, err := os.ReadDir(full); err != nil || len(entries) != 1 {
		t.Errorf("a folder that was refused has %v, %v", entries, err)
	}
}

// A failure leaves the folder as it was.
func TestFailures(t *testing.T) {
	stopped, cancel := context.WithCancelCause(t.Context())
	reason := errors.New("enough")
	cancel(reason)

	realGit, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	fake := func(script string) string {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "git"), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
			t.Fatal(err)
		}
		return dir + string(filepath.ListSeparator) + os.Getenv("PATH")
	}
	for _, test := range []struct {
		name, path string
		ctx        context.Context
		want       string
	}{
		{"no git", t.TempDir(), t.Context(), "install git 2.39 or newer"},
		{"old git", fake("echo 'error: unknown option `initial-branch' >&2; exit 129\n"), t.Context(),
			"unknown option `initial-branch: git 2.39 or newer is needed"},
		{"git ends early", fake(`case "$*" in *fast-import*) read line; echo 'fatal: no space' >&2; exit 128;; esac; exec ` + realGit + ` "$@"` + "\n"), t.Context(), "exit status 128: fatal: no space"},
		{"no work tree", fake(`case "$*" in *reset*) mkdir -p "${2#--work-tree=}/half"; echo 'fatal: no space' >&2; exit 128;; esac; exec ` + realGit + ` "$@"` + "\n"), t.Context(), "reset --quiet --hard: exit status 128: fatal: no space"},
		{"stopped", os.Getenv("PATH"), stopped, "enough"},
	} {
		t.Run(test.name, func(t *testing.T) {
			empty := t.TempDir()
			absent := filepath.Join(t.TempDir(), "absent")
			t.Setenv("PATH", test.path)
			for _, dir := range []string{empty, absent} {
				err := Repository(test.ctx, dir)
				if err == nil || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "create the demo repository in "+dir) {
					t.Errorf("Repository: %v, want %q", err, test.want)
				}
				if test.ctx == stopped && !errors.Is(err, reason) {
					t.Errorf("Repository: %v, want the reason for stopping", err)
				}
			}
			if entries, err := os.ReadDir(empty); err != nil || len(entries) != 0 {
				t.Errorf("the empty folder has %v, %v", entries, err)
			}
			if _, err := os.Stat(absent); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the absent folder is there: %v", err)
			}
		})
	}
}

// A folder given by a path that looks like an option, or relative to where one is.
func TestRelative(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := Repository(t.Context(), "-x"); err != nil {
		t.Fatal(err)
	}
	checkClean(t, "./-x")
	if err := os.Mkdir("here", 0o755); err != nil {
		t.Fatal(err)
	}
	t.Chdir("here")
	if err := Repository(t.Context(), "."); err != nil {
		t.Fatal(err)
	}
	checkClean(t, ".")
	var out bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "git", "status", "--porcelain") // The folder one is in is still that folder.
	cmd.Stdout = &out
	if err := cmd.Run(); err != nil || out.Len() != 0 {
		t.Errorf("git status: %v: %s", err, &out)
	}
}
