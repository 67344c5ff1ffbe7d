package git

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/operator-release/operator-release/ci/faults"
	"github.com/operator-release/operator-release/ci/refusal"
)

// served gives the address of git's own server of the repositories below dir, which lets in who knows user and password.
func served(t *testing.T, dir, user, password string) string {
	t.Helper()
	handler, err := faults.Git(dir)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if u, p, _ := r.BasicAuth(); u != user || p != password {
			w.Header().Set("WWW-Authenticate", "Basic realm=git")
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// userSettings makes the user's own git settings those of a file, and nothing else.
func userSettings(t *testing.T, text string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "gitconfig")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GIT_CONFIG_GLOBAL", file)
	t.Setenv("GIT_CONFIG_NOSYSTEM", "1")
}

func TestRemoteByTheEnvironment(t *testing.T) {
	ctx, r := t.Context(), repository(t)
	root := t.TempDir()
	if _, err := Init(ctx, filepath.Join(root, "remote.git"), SHA1); err != nil {
		t.Fatal(err)
	}
	trace := filepath.Join(t.TempDir(), "trace")
	t.Setenv("GIT_TRACE", trace)
	t.Setenv("GIT_TRACE_REDACT", "0")
	stored := filepath.Join(t.TempDir(), "stored")
	host := served(t, root, "ada", "ge@heim/nis")
	// What would send tags along, or take the password of another, or keep this one, is not asked; what the environment has of settings stays.
	userSettings(t, fmt.Sprintf("[push]\n\tfollowTags = true\n[credential]\n\thelper = !echo password=wrong\n\thelper = store --file %s\n[url \"http://%s/remote.git\"]\n\tinsteadOf = short:\n", stored, host))
	t.Setenv("GIT_CONFIG_COUNT", "1")
	t.Setenv("GIT_CONFIG_KEY_0", "http.userAgent")
	t.Setenv("GIT_CONFIG_VALUE_0", "the-environment")
	from, err := r.Scratch(ctx, filepath.Join(t.TempDir(), "scratch"))
	if err != nil {
		t.Fatal(err)
	}
	head, _, err := r.Head(ctx)
	if err != nil {
		t.Fatal(err)
	}
	remote := from.Remote("http://ada:ge%40heim%2Fnis@" + host + "/remote.git")
	if err := remote.Create(ctx, "refs/heads/main", head.ID); err != nil {
		t.Fatal(err)
	}
	if err := remote.Create(ctx, "refs/heads/main", head.Parents[0]); !errors.Is(err, ErrStale) {
		t.Errorf("created twice: %v", err)
	}
	refs, err := remote.Refs(ctx)
	if err != nil || len(refs) != 1 || refs["refs/heads/main"] != head.ID {
		t.Errorf("refs %v, %v", refs, err)
	}
	if err := remote.Fetch(ctx, "refs/heads/main"); err != nil {
		t.Error(err)
	}
	if refs, err := from.Git(ctx, "for-each-ref"); err != nil || refs != "" {
		t.Errorf("the repository has %q, %v", refs, err)
	}
	if _, err := os.Stat(stored); err == nil {
		t.Error("the password was stored")
	}

	_, err = from.Remote("http://ada:false-password@"+host+"/remote.git").Refs(ctx, "refs/heads/main")
	if err == nil || !strings.Contains(err.Error(), "git ls-remote --refs -- http://ada:false-password@"+host+"/remote.git refs/heads/main: exit code 128") || strings.Contains(err.Error(), "remote-") {
		t.Errorf("got %v", err)
	}
	for _, token := range []string{"a-lone-token", "a-lone-token:", "a-lone-token:x-oauth-basic"} {
		if _, err := from.Remote("http://" + token + "@" + host + "/remote.git").Refs(ctx); err == nil {
			t.Errorf("%s: let in", token)
		}
	}
	// git's own programs run each other.
	said, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"ge@heim", "ge%40heim", "false-password", "a-lone-token"} {
		if strings.Contains(string(said), secret) {
			t.Errorf("%s is an argument", secret)
		}
	}
	if !strings.Contains(string(said), "remote-http") || !strings.Contains(string(said), "http://ada@"+host) {
		t.Errorf("this is no trace: %s", said)
	}
}

// TestRemoteTakesTheUsersSettings: what fits a URL in the user's settings fits it here.
func TestRemoteTakesTheUsersSettings(t *testing.T) {
	ctx, r := t.Context(), repository(t)
	root := t.TempDir()
	for _, name := range []string{"plain.git", "user.git"} {
		if _, err := Init(ctx, filepath.Join(root, name), SHA1); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command("git", "-C", r.Dir(), "push", "-q", filepath.Join(root, "user.git"), "main:user").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if out, err := exec.Command("git", "-C", r.Dir(), "push", "-q", filepath.Join(root, "plain.git"), "main:plain").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	userSettings(t, fmt.Sprintf("[url \"%s/\"]\n\tinsteadOf = https://example.invalid/\n[url \"%s/user.git\"]\n\tinsteadOf = https://ada@example.invalid/plain.git\n", root, root))
	dir := t.TempDir()
	from, err := r.Scratch(ctx, filepath.Join(dir, "scratch"))
	if err != nil {
		t.Fatal(err)
	}
	beside, err := filepath.Rel(r.Dir(), root) // as git has it in the clone
	if err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]string{
		"https://example.invalid/plain.git": "refs/heads/plain", "https://ada:secret@example.invalid/plain.git": "refs/heads/user",
		beside + "/plain.git": "refs/heads/plain", "file://" + root + "/user.git": "refs/heads/user",
	} {
		if refs, err := from.Remote(url).Refs(ctx); err != nil || refs[want] == "" {
			t.Errorf("%s has %v, %v", url, refs, err)
		}
	}
	for _, url := range []string{"ext::sh -c 'touch pwned'", "--upload-pack=touch pwned", "ssh://-oProxyCommand=touch/x", "nowhere"} {
		if _, err := from.Remote(url).Refs(ctx); err == nil || !strings.Contains(err.Error(), "read the refs of "+url) {
			t.Errorf("%s: %v", url, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "scratch", "pwned")); err == nil {
		t.Error("a command in a URL was run")
	}
	if _, err := from.Remote("https://ada:a%0Ahost=b@example.invalid/x").Refs(ctx); !refusal.Is(errors.Unwrap(err)) {
		t.Errorf("a line break: %v", err)
	}
	t.Setenv("GIT_CONFIG_COUNT", "many")
	if _, err := from.Remote("nowhere").Refs(ctx); err == nil || !strings.Contains(err.Error(), `GIT_CONFIG_COUNT is "many"`) {
		t.Errorf("got %v", err)
	}
}
