package git

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/operator-release/operator-release/ci/faults"
	"github.com/operator-release/operator-release/ci/test/long"
)

// authorized is a server that records the Authorization headers of its last request, and that lets pass only what
// handler lets pass. Without a handler it lets nothing pass.
func authorized(t *testing.T, handler http.Handler) (host string, last func() []string) {
	t.Helper()
	var mu sync.Mutex
	var headers []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		headers = append(r.Header.Values("Authorization"), r.Header.Values("Proxy-Authorization")...)
		mu.Unlock()
		if handler != nil && len(headers) > 0 {
			handler.ServeHTTP(w, r)
			return
		}
		w.Header().Set("WWW-Authenticate", "Basic realm=git")
		w.WriteHeader(http.StatusUnauthorized)
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String(), func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(headers)
	}
}

// TestTheClonesSettingsCount for a remote that a scratch repository reaches, as they do for git in the clone.
func TestTheClonesSettingsCount(t *testing.T) {
	long.Skip(t)
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("ada:canary-secret"))
	const header = "Authorization: Basic canary-secret"
	const sent = "Basic canary-secret"
	const helper = "printf 'username=ada\\npassword=canary-secret\\n'"
	for name, c := range map[string]struct {
		script string // in the clone: HOST, OTHER a folder, GLOBAL the user's settings
		url    string // empty: http://HOST/r.git
		count  []string
		want   []string
	}{
		"a header": {script: `git config http.extraheader "` + header + `"`, want: []string{sent}},
		"a header for the server": {script: `git config http.http://HOST/.extraheader "` + header + `"`,
			want: []string{sent}},
		"a reset of the user's header": {
			script: `git config --file GLOBAL http.extraheader "Authorization: wrong"; git config http.extraheader ""
				git config --add http.extraheader "` + header + `"`, want: []string{sent}},
		"a header beside the user's": {
			script: `git config --file GLOBAL http.extraheader "Authorization: mine"
				git config http.extraheader "` + header + `"`, want: []string{"mine", sent}},
		"the environment comes last": {script: `git config http.extraheader "` + header + `"`,
			count: []string{"http.extraheader", "", "http.extraheader", "Authorization: mine"}, want: []string{"mine"}},
		"an included file": {script: `git config --file OTHER/more http.extraheader "` + header + `"
				git config include.path OTHER/more`, want: []string{sent}},
		"a file included from home": {script: `git config --file OTHER/more http.extraheader "` + header + `"
				git config include.path '~/more'`, want: []string{sent}},
		"a file included for the clone": {script: `git config --file OTHER/more http.extraheader "` + header + `"
				git config "includeIf.gitdir:$(git rev-parse --absolute-git-dir).path" OTHER/more`, want: []string{sent}},
		"a file included for another": {script: `git config --file OTHER/more http.extraheader "` + header + `"
				git config "includeIf.gitdir:/nowhere/.path" OTHER/more`},
		"a file that the user includes for the clone": {
			script: `git config --file OTHER/more http.extraheader "` + header + `"
				git config --file GLOBAL http.extraheader "Authorization: mine"
				git config --file GLOBAL "includeIf.gitdir:$PWD/.path" OTHER/more`, want: []string{"mine", sent}},
		"the work tree": {script: `git config extensions.worktreeConfig true
				git config --worktree http.extraheader "` + header + `"`, want: []string{sent}},
		"a credential helper": {script: `git config credential.helper "!f() { ` + helper + `; }; f"`,
			want: []string{basic}},
		"a credential helper in the work tree": {
			script: `printf '#!/bin/sh\n%s\n' "` + helper + `" > ask.sh; chmod +x ask.sh
				git config credential.http://HOST.helper '!./ask.sh'`, want: []string{basic}},
		"an askpass program": {script: `printf '#!/bin/sh\necho canary-secret\n' > ask.sh; chmod +x ask.sh
				git config core.askPass ./ask.sh; git config credential.username ada`, want: []string{basic}},
		"another address": {script: `git config http.extraheader "` + header + `"
				git config url.http://HOST/.insteadOf https://example.invalid/`,
			url: "https://example.invalid/r.git", want: []string{sent}},
		"a proxy": {script: `git config http.extraheader "` + header + `"; git config http.proxy http://HOST`,
			url: "http://example.invalid/r.git", want: []string{sent}},
		"the remote's proxy": {script: `git config http.extraheader "` + header + `"
				git remote add up http://example.invalid/r.git; git config remote.up.proxy http://HOST`,
			url: "http://example.invalid/r.git", want: []string{sent}},
	} {
		t.Run(name, func(t *testing.T) {
			host, last := authorized(t, nil)
			r := repository(t)
			other, trace := t.TempDir(), filepath.Join(t.TempDir(), "trace")
			t.Setenv("HOME", other)
			unset(t, "GIT_ASKPASS", "SSH_ASKPASS")
			userSettings(t, "")
			sh(t, r.Dir(), strings.NewReplacer("HOST", host, "OTHER", other, "GLOBAL", os.Getenv("GIT_CONFIG_GLOBAL")).
				Replace(c.script))
			for i := 0; i < len(c.count); i += 2 {
				t.Setenv("GIT_CONFIG_COUNT", string(rune('1'+i/2)))
				t.Setenv("GIT_CONFIG_KEY_"+string(rune('0'+i/2)), c.count[i])
				t.Setenv("GIT_CONFIG_VALUE_"+string(rune('0'+i/2)), c.count[i+1])
			}
			t.Setenv("GIT_TRACE", trace)
			t.Setenv("GIT_TRACE_REDACT", "0")
			url := c.url
			if url == "" {
				url = "http://" + host + "/r.git"
			}
			for kind, from := range scratches(t, r) {
				if _, err := from.Remote(url).Refs(t.Context()); err == nil {
					t.Errorf("%s: let in", kind)
				}
				if got := last(); !slices.Equal(got, c.want) {
					t.Errorf("%s: sent %q, want %q", kind, got, c.want)
				}
			}
			said, err := os.ReadFile(trace)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(said), "remote-http") {
				t.Errorf("this is no trace: %s", said)
			}
			for line := range strings.Lines(string(said)) { // git runs a helper of one line as an argument itself
				if strings.Contains(line, "canary-secret") && !strings.Contains(line, "printf") {
					t.Errorf("the secret is an argument: %s", line)
				}
			}
		})
	}
}

// unset takes variables out of the environment of a test.
func unset(t *testing.T, variables ...string) {
	t.Helper()
	for _, variable := range variables {
		t.Setenv(variable, "") // which puts it back at the end
		if err := os.Unsetenv(variable); err != nil {
			t.Fatal(err)
		}
	}
}

// scratches are scratch repositories of every kind that are made of a clone.
func scratches(t *testing.T, r *Repository) map[string]*Repository {
	t.Helper()
	all := map[string]*Repository{}
	add := func(name string, s *Repository, err error) {
		if err != nil {
			t.Fatal(err)
		}
		all[name] = s
	}
	s, err := r.Scratch(t.Context(), t.TempDir())
	add("a scratch", s, err)
	s, err = s.Scratch(t.Context(), t.TempDir())
	add("a scratch of a scratch", s, err)
	q, err := r.Quarantine(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s, err = q.Scratch(t.Context(), t.TempDir())
	add("a scratch of a quarantine", s, err)
	s, err = r.EmptyScratch(t.Context(), t.TempDir())
	add("an empty scratch", s, err)
	return all
}

// TestTheClonesSSHCommandCounts, and it starts in the work tree.
func TestTheClonesSSHCommandCounts(t *testing.T) {
	r := repository(t)
	userSettings(t, "")
	unset(t, "GIT_SSH_COMMAND", "GIT_SSH", "GIT_SSH_VARIANT")
	sh(t, r.Dir(), `printf '#!/bin/sh\necho "$@" >> called; exit 1\n' > ssh.sh; chmod +x ssh.sh
		git config core.sshCommand ./ssh.sh; git config ssh.variant simple`)
	from, err := r.Scratch(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := from.Remote("ssh://git@example.invalid/r.git").Refs(t.Context()); err == nil {
		t.Error("let in")
	}
	if said, err := os.ReadFile(filepath.Join(r.Dir(), "called")); err != nil ||
		!strings.HasPrefix(string(said), "git@example.invalid git-upload-pack") {
		t.Errorf("called with %q, %v", said, err)
	}
}

// TestAThrowawayHasNoneOfTheClonesSettings.
func TestAThrowawayHasNoneOfTheClonesSettings(t *testing.T) {
	r := repository(t)
	remote := filepath.Join(t.TempDir(), "remote.git")
	sh(t, r.Dir(), "git clone -q --bare . "+remote+`; git config url.http://example.invalid/.insteadOf /
		git config protocol.file.allow never`)
	from, err := r.Scratch(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if refs, err := from.Throwaway(remote).Refs(t.Context()); err != nil || refs["refs/heads/main"] == "" {
		t.Errorf("refs %v, %v", refs, err)
	}
	if _, err := from.Remote(remote).Refs(t.Context()); err == nil {
		t.Error("the settings of the clone do not count")
	}
}

// TestAPartialCloneSendsOneHeader: its own fetch runs in the clone, and the settings are not passed on twice.
func TestAPartialCloneSendsOneHeader(t *testing.T) {
	ctx, remote := t.Context(), promising(t)
	userSettings(t, "")
	handler, err := faults.Git(filepath.Dir(remote))
	if err != nil {
		t.Fatal(err)
	}
	host, last := authorized(t, handler)
	dir := filepath.Join(t.TempDir(), "clone")
	sh(t, filepath.Dir(dir), `git -c http.extraheader="Authorization: once" clone -q --no-checkout --filter=blob:none `+
		"http://"+host+"/remote.git clone; git -C clone config http.extraheader 'Authorization: once'")
	r, err := Open(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	from, err := r.Scratch(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	head, _, err := r.Head(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for name, read := range map[string]func() error{
		"the clone":   func() error { return r.Complete(ctx, head.ID) },
		"the scratch": func() error { return from.Complete(ctx, head.ID+"^") },
	} {
		if err := read(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := last(); !slices.Equal(got, []string{"once"}) {
			t.Errorf("%s sends %q", name, got)
		}
	}
}

// TestTheClonesPersonCounts for who writes a mark.
func TestTheClonesPersonCounts(t *testing.T) {
	r := repository(t)
	userSettings(t, "[user]\n\tname = Bob\n\temail = bob@example.com\n")
	unset(t, "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", "EMAIL")
	from, err := r.Scratch(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if by, ok := from.Remote("/nowhere").Identity(t.Context()); !ok || by.Name != "Ada" || by.Email != "ada@example.com" {
		t.Errorf("got %v, %v", by, ok)
	}
}
