package git

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/operator-release/operator-release/ci/refusal"
)

// TestRedirectingVariables: no variable of git rev-parse --local-env-vars is passed on, except the user's settings.
func TestRedirectingVariables(t *testing.T) {
	out, err := exec.Command("git", "rev-parse", "--local-env-vars").Output()
	if err != nil {
		t.Fatal(err)
	}
	for name := range strings.FieldsSeq(string(out)) {
		if name == "GIT_CONFIG_PARAMETERS" || name == "GIT_CONFIG_COUNT" {
			continue
		}
		if !slices.Contains(redirecting, name) {
			t.Errorf("%s is passed on", name)
		}
	}
	t.Setenv("GIT_DIR", "/elsewhere")
	t.Setenv("GIT_SSH_COMMAND", "ssh -i key")
	env := UserEnvironment()
	if slices.Contains(env, "GIT_DIR=/elsewhere") || !slices.Contains(env, "GIT_SSH_COMMAND=ssh -i key") {
		t.Errorf("the environment is %q", env)
	}
}

func inDist(file string) bool { return strings.HasPrefix(file, "dist/") }

// TestDirtyWhereTheEnvironmentPointsElsewhere: the work tree that is looked at is the repository's, by its own index
// and objects.
func TestDirtyWhereTheEnvironmentPointsElsewhere(t *testing.T) {
	ctx, r, other := t.Context(), repository(t), repository(t)
	if err := os.Mkdir(filepath.Join(r.dir, "dist"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"untracked", "dist/ignored"} {
		if err := os.WriteFile(filepath.Join(r.dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, value := range map[string]string{
		"GIT_DIR": filepath.Join(other.dir, ".git"), "GIT_WORK_TREE": other.dir,
		"GIT_INDEX_FILE": filepath.Join(t.TempDir(), "index"), "GIT_OBJECT_DIRECTORY": t.TempDir(),
		"GIT_COMMON_DIR": filepath.Join(other.dir, ".git"), "GIT_SHALLOW_FILE": filepath.Join(r.dir, "VERSION"),
		"GIT_NAMESPACE": "x", "GIT_LITERAL_PATHSPECS": "1", "GIT_REPLACE_REF_BASE": "refs/heads/",
		"GIT_CEILING_DIRECTORIES": r.dir,
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, value)
			if dirty, err := r.Dirty(ctx, inDist); err != nil || !slices.Equal(dirty, []string{"untracked"}) {
				t.Errorf("not committed are %q, %v", dirty, err)
			}
		})
	}
}

// hostile are settings of a user, each of which stops a push to a repository that has nothing to do with it.
func hostile(t *testing.T) map[string]string {
	hooks := t.TempDir()
	if err := os.WriteFile(filepath.Join(hooks, "pre-receive"), []byte("#!/bin/sh\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"core.hooksPath": hooks, "push.gpgSign": "true", "push.pushOption": "x", "protocol.file.allow": "never",
		"url.https://nowhere.invalid/.insteadOf": "/", "transfer.hideRefs": "refs/releases",
	}
}

// TestThrowaway: the user's settings and redirecting variables do not apply to a repository that we made. The settings
// apply to a repository that the user names.
func TestThrowaway(t *testing.T) {
	ctx, r := t.Context(), repository(t)
	head, _, err := r.Head(ctx)
	if err != nil {
		t.Fatal(err)
	}
	// reached creates, reads and fetches a ref of a new repository.
	reached := func(t *testing.T, open func(*Repository, string) *Remote) error {
		from, err := r.Scratch(ctx, filepath.Join(t.TempDir(), "from"))
		if err != nil {
			t.Fatal(err)
		}
		to, err := Init(ctx, filepath.Join(t.TempDir(), "to.git"), SHA1)
		if err != nil {
			t.Fatal(err)
		}
		remote := open(from, to.dir)
		const ref = "refs/releases/v1.0.0"
		if err := remote.Create(ctx, ref, head.ID); err != nil {
			return err
		}
		if refs, err := remote.Refs(ctx, ref); err != nil || refs[ref] != head.ID {
			t.Errorf("the refs are %q, %v", refs, err)
		}
		if refs, err := to.Refs(ctx, "refs/"); err != nil || refs["releases/v1.0.0"] != head.ID {
			t.Errorf("the throwaway's refs are %q, %v", refs, err)
		}
		return remote.Fetch(ctx, ref)
	}
	for key, value := range hostile(t) {
		t.Run(key, func(t *testing.T) {
			settings := filepath.Join(t.TempDir(), "config")
			if out, err := exec.Command("git", "config", "--file", settings, key, value).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			t.Setenv("GIT_CONFIG_GLOBAL", settings)
			if err := reached(t, (*Repository).Throwaway); err != nil {
				t.Error(err)
			}
			if err := reached(t, (*Repository).Remote); err == nil {
				t.Error("for a remote that the user names, the setting does not count")
			}
		})
	}
	for name, value := range map[string]string{
		"GIT_ALLOW_PROTOCOL": "https", "GIT_PROTOCOL_FROM_USER": "0",
		"GIT_CONFIG_PARAMETERS": "'protocol.file.allow'='never'",
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, value)
			if err := reached(t, (*Repository).Throwaway); err != nil {
				t.Error(err)
			}
		})
	}
	for name, value := range map[string]string{
		"GIT_OBJECT_DIRECTORY": t.TempDir(), "GIT_COMMON_DIR": t.TempDir(),
		"GIT_SHALLOW_FILE": filepath.Join(r.dir, "VERSION"), "GIT_NAMESPACE": "x",
		"GIT_DEFAULT_HASH": "sha256",
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, value)
			for _, open := range []func(*Repository, string) *Remote{(*Repository).Throwaway, (*Repository).Remote} {
				if err := reached(t, open); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// TestGraftsAreSwitchedOff: history is read as it is stored, by every call.
func TestGraftsAreSwitchedOff(t *testing.T) {
	ctx, r := t.Context(), repository(t)
	head, _, err := r.Head(ctx)
	if err != nil {
		t.Fatal(err)
	}
	graft := []byte(head.ID + "\n") // the commit without its parent
	own := filepath.Join(r.dir, ".git", "info", "grafts")
	if err := os.MkdirAll(filepath.Dir(own), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(own, graft, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GIT_GRAFT_FILE", own)
	s, err := r.Scratch(ctx, filepath.Join(t.TempDir(), "scratch"))
	if err == nil {
		err = s.FetchLocal(ctx, r, "refs/heads/main:refs/heads/main")
	}
	if err != nil {
		t.Fatal(err)
	}
	for name, of := range map[string]*Repository{"the clone": r, "a scratch repository": s} {
		if all, err := of.History(ctx, []string{"main"}); err != nil || len(all) != 2 {
			t.Errorf("%s: the history has %d commits, %v", name, len(all), err)
		}
		if is, err := of.Descends(ctx, "main", head.Parents[0]); err != nil || !is {
			t.Errorf("%s: main descends from its parent: %v, %v", name, is, err)
		}
	}
	// A branch is moved forward as the stored history says.
	to, err := Init(ctx, filepath.Join(t.TempDir(), "to.git"), SHA1)
	if err != nil {
		t.Fatal(err)
	}
	info := filepath.Join(s.dir, "info")
	if err := os.MkdirAll(info, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(info, "grafts"), graft, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{head.Parents[0], head.ID} {
		if err := s.Remote(to.dir).Forward(ctx, "refs/heads/main", id); err != nil {
			t.Error(err)
		}
	}
}

// TestAnotherUsersRepository: the repository of another user works, if the caller named it.
func TestAnotherUsersRepository(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root gives a repository to another user")
	}
	ctx, r := t.Context(), repository(t)
	if out, err := exec.Command("chown", "-R", "65534:65534", r.dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	head, _, err := r.Head(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for name, call := range map[string]func(dir string) error{
		"checkout": func(dir string) error { return r.Checkout(ctx, dir, nil, head.ID, "", "", head.Committer.Time) },
		"export":   func(dir string) error { return r.Export(ctx, dir, nil, head.ID, "", "", head.Committer.Time) },
		"fetch": func(dir string) error {
			s, err := r.Scratch(ctx, dir)
			if err != nil {
				return err
			}
			return s.FetchLocal(ctx, r, "refs/tags/*:refs/tags/*")
		},
		"dirty": func(string) error { _, err := r.Dirty(ctx, inDist); return err },
		"push to a throwaway": func(dir string) error {
			to, err := Init(ctx, dir, SHA1)
			if err != nil {
				return err
			}
			if err := exec.Command("chown", "-R", "65534:65534", dir).Run(); err != nil { // as some file systems have it
				return err
			}
			from, err := r.Scratch(ctx, dir+"-from")
			if err != nil {
				return err
			}
			remote := from.Throwaway(to.dir)
			if err := remote.Create(ctx, "refs/heads/main", head.ID); err != nil {
				return err
			}
			_, err = remote.Refs(ctx)
			return err
		},
	} {
		if err := call(filepath.Join(t.TempDir(), "made")); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestObjectFormats: a new repository for another one has the same object format. The default format of git does not
// matter. A remote of another format is refused.
func TestObjectFormats(t *testing.T) {
	for format, other := range map[ObjectFormat]ObjectFormat{SHA1: SHA256, SHA256: SHA1} {
		t.Run(string(format), func(t *testing.T) {
			ctx := t.Context()
			t.Setenv("GIT_DEFAULT_HASH", string(format))
			r := repository(t)
			head, _, err := r.Head(ctx)
			if err != nil {
				t.Fatal(err)
			}
			t.Setenv("GIT_DEFAULT_HASH", string(other))
			checkout, exported := filepath.Join(t.TempDir(), "checkout"), filepath.Join(t.TempDir(), "exported")
			if err := r.Checkout(ctx, checkout, nil, head.ID, "", "", head.Committer.Time); err != nil {
				t.Fatal(err)
			}
			if err := r.Export(ctx, exported, nil, head.ID, "", "", head.Committer.Time); err != nil {
				t.Fatal(err)
			}
			from, err := r.Scratch(ctx, filepath.Join(t.TempDir(), "scratch"))
			if err != nil {
				t.Fatal(err)
			}
			for _, dir := range []string{checkout, exported, from.dir} {
				made, err := Open(ctx, dir)
				if err != nil {
					t.Fatal(err)
				}
				if found, err := made.Format(ctx); err != nil || found != format {
					t.Errorf("%s has the format %s, %v", dir, found, err)
				}
			}
			remotes := map[ObjectFormat]*Remote{}
			for _, of := range []ObjectFormat{SHA1, SHA256} {
				to, err := Init(ctx, filepath.Join(t.TempDir(), "to.git"), of)
				if err != nil {
					t.Fatal(err)
				}
				remotes[of] = from.Remote(to.dir)
			}
			if err := remotes[format].CheckFormat(ctx); err != nil {
				t.Error(err)
			}
			if err := remotes[format].Create(ctx, "refs/heads/main", head.ID); err != nil {
				t.Error(err)
			}
			refused := func(what string, err error) {
				t.Helper()
				if !refusal.Is(err) || !strings.Contains(err.Error(), "git init --bare --object-format="+string(format)) {
					t.Errorf("%s a remote of another format: %v", what, err)
				}
			}
			refused("look at", remotes[other].CheckFormat(ctx))
			refused("push to", remotes[other].Create(ctx, "refs/heads/main", head.ID))
			fill(ctx, t, remotes[other].URL)
			_, err = remotes[other].Refs(ctx)
			refused("read", err)
			refused("fetch from", remotes[other].Fetch(ctx, "refs/heads/main"))
		})
	}
}

// fill gives a bare repository a commit on main.
func fill(ctx context.Context, t *testing.T, dir string) {
	t.Helper()
	r, err := Open(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	id, err := r.NewNote(ctx, nil, scratchPerson, "one\n")
	if err == nil {
		_, err = r.Git(ctx, "update-ref", "refs/heads/main", id)
	}
	if err != nil {
		t.Fatal(err)
	}
}
