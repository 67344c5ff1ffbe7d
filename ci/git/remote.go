package git

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Remote is a repository elsewhere, reached with the user's own git settings: credentials, proxies, SSH.
type Remote struct {
	URL  string
	from *Repository // whose objects are pushed
}

// ErrStale means that a ref was not as the push expected: somebody else was there first.
var ErrStale = errors.New("the ref is not what it was expected to be")

// Remote reaches url from this repository.
func (r *Repository) Remote(url string) *Remote { return &Remote{URL: url, from: r} }

// Local is the repository that the remote is reached from: what is fetched goes there.
func (m *Remote) Local() *Repository { return m.from }

// Scratch makes dir a bare repository that sees the objects of this one without copying them.
func (r *Repository) Scratch(ctx context.Context, dir string) (*Repository, error) {
	own, err := r.Git(ctx, "rev-parse", "--git-path", "objects")
	if err != nil {
		return nil, err
	}
	if !filepath.IsAbs(own) {
		own = filepath.Join(r.dir, own)
	}
	s, err := Init(ctx, dir)
	if err != nil {
		return nil, err
	}
	return s, os.WriteFile(filepath.Join(dir, "objects", "info", "alternates"), []byte(own+"\n"), 0o644)
}

// run runs git in the scratch repository with the user's settings, but no hooks and no questions.
func (m *Remote) run(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-c", "core.hooksPath=/dev/null", "-c", "gc.auto=0", "-c", "protocol.ext.allow=never"}, args...)...)
	cmd.Dir = m.from.dir
	cmd.Env = append(os.Environ(), "LC_ALL=C", "GIT_TERMINAL_PROMPT=0", "GIT_DIR="+m.from.dir)
	out, err := output(cmd, nil, args)
	return strings.TrimRight(string(out), "\n"), err
}

// Refs are the refs of the remote by name, with what they point at: a tag's own id, not its commit's.
func (m *Remote) Refs(ctx context.Context, names ...string) (map[string]string, error) {
	out, err := m.run(ctx, append([]string{"ls-remote", "--refs", "--", m.URL}, names...)...)
	if err != nil {
		return nil, fmt.Errorf("read the refs of %s: %w; check address and credentials", m.URL, err)
	}
	refs := map[string]string{}
	for line := range strings.Lines(out) {
		if id, name, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok {
			refs[name] = id
		}
	}
	return refs, nil
}

// Create makes a ref that does not exist yet; where it exists the error is ErrStale.
func (m *Remote) Create(ctx context.Context, ref, id string) error {
	return m.Swap(ctx, ref, "", id)
}

// Swap makes a ref that points to before, or does not exist where before is empty, point to id; where it is otherwise the error is ErrStale. Git
// itself compares and swaps.
func (m *Remote) Swap(ctx context.Context, ref, before, id string) error {
	return m.push(ctx, id+":"+ref, "--force-with-lease="+ref+":"+before)
}

// Forward moves a branch forward, or makes it. Where that would leave something behind the error is ErrStale.
func (m *Remote) Forward(ctx context.Context, ref, id string) error {
	return m.push(ctx, id+":"+ref)
}

func (m *Remote) push(ctx context.Context, refspec string, options ...string) error {
	args := append([]string{"push", "--porcelain", "--no-verify"}, options...)
	out, err := m.run(ctx, append(args, "--", m.URL, refspec)...)
	if err == nil {
		return nil
	}
	// --porcelain says per ref: flag TAB from:to TAB summary (reason).
	for line := range strings.Lines(out) {
		if strings.HasPrefix(line, "!") && (strings.Contains(line, "(stale info)") || strings.Contains(line, "(non-fast-forward)") || strings.Contains(line, "(fetch first)") || strings.Contains(line, "(already exists)")) {
			return fmt.Errorf("push %s to %s: %w", refspec, m.URL, ErrStale)
		}
	}
	return fmt.Errorf("push %s to %s: %w %s", refspec, m.URL, err, strings.TrimSpace(out))
}

// Fetch brings the objects of refs, or of ids where the remote allows it.
func (m *Remote) Fetch(ctx context.Context, refs ...string) error {
	if _, err := m.run(ctx, append([]string{"fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--", m.URL}, refs...)...); err != nil {
		return fmt.Errorf("fetch %s from %s: %w", strings.Join(refs, ", "), m.URL, err)
	}
	return nil
}

// Identity is who the user's git settings and environment say that the user is, now; ok is false where they do not say.
func (m *Remote) Identity(ctx context.Context) (by Person, ok bool) {
	out, err := m.run(ctx, "-c", "user.useConfigOnly=true", "var", "GIT_COMMITTER_IDENT")
	if err != nil {
		return by, false
	}
	by, err = parsePerson(out)
	return by, err == nil
}
