package git

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Remote is a repository elsewhere, reached with the user's own git settings: credentials, proxies, SSH.
type Remote struct {
	URL     string
	Silence time.Duration // how long the server may move no byte before git gives up; at first 3 minutes
	from    *Repository   // whose objects are pushed
	top     string        // where git runs; empty: in from's folder
	known   string        // the remote's name in from's settings; empty: each run gives it one
	closed  bool          // no setting of the user's applies
	reading sync.Once
	passed  []setting // of the clone's settings
	unread  error     // why they could not be read
	limits  sync.Once
	limit   []string // settings that end a silence over HTTP
}

// silence is long enough for a server that runs its hooks and checks before it answers a push; git's own servers send a byte every 5 seconds
// meanwhile. Git itself waits for ever.
const silence = 3 * time.Minute

// calls bounds a whole call of git, in silences: an hour. It is the last resort where git knows no limit (SSH, a stuck file system), and
// long enough for a large fetch.
const calls = 20

// ErrStale means that a ref was not as the push expected: somebody else was there first.
var ErrStale = errors.New("the ref is not what it was expected to be")

// Remote reaches url from this repository.
func (r *Repository) Remote(url string) *Remote { return &Remote{URL: url, Silence: silence, from: r} }

// Throwaway reaches the bare repository that lies at path, and that we made. No setting of the user's applies, and
// its owner does not matter.
func (r *Repository) Throwaway(path string) *Remote {
	return &Remote{URL: path, Silence: silence, from: r, closed: true}
}

// Local is the repository that the remote is reached from: what is fetched goes there.
func (m *Remote) Local() *Repository { return m.from }

// run runs git on the remote with the user's settings, but no hooks and no questions: the command and its options, then what comes behind the remote. It ends,
// however silent the server is.
//
// Everybody on the machine sees the arguments of its processes, and a URL may hold a password. So the remote has a name of its own that only this run knows,
// and git learns its URL from the environment; the password, which git itself would pass on to the program that speaks HTTP, comes by a
// credential helper. Errors name the URL as if it had been an argument.
func (m *Remote) run(ctx context.Context, options []string, behind ...string) (string, error) {
	name := "remote-" + rand.Text()
	out, err := m.runAs(ctx, name, nil, options, behind...)
	var failed *Error
	if errors.As(err, &failed) {
		failed.Stderr = strings.ReplaceAll(failed.Stderr, name, m.URL)
	}
	return strings.ReplaceAll(out, name, m.URL), err
}

// runAs is run with a name for the remote, and with standard input.
func (m *Remote) runAs(ctx context.Context, name string, stdin io.Reader, options []string,
	behind ...string) (string, error) {
	env, err := m.environment(ctx, name)
	if err != nil {
		return "", err
	}
	m.limits.Do(func() { m.limit = m.speedLimit(ctx, env) })
	args := func(remote string) []string {
		return slices.Concat(options, []string{"--", remote}, behind)
	}
	closed := []string{
		"-c", "core.hooksPath=/dev/null", "-c", "gc.auto=0", "-c", "maintenance.auto=false", "-c", "protocol.ext.allow=never",
		// What a user may have set for all remotes, and is not asked for here.
		"-c", "push.followTags=false", "-c", "push.recurseSubmodules=no", "-c", "fetch.recurseSubmodules=no", "-c", "fetch.prune=false", "-c", "fetch.pruneTags=false",
	}
	bounded, cancel := context.WithTimeout(ctx, calls*m.Silence)
	defer cancel()
	out, err := m.call(bounded, env, stdin, slices.Concat(closed, m.limit, args(name)), args(m.URL))
	var failed *Error
	if errors.As(err, &failed) && namesOtherFormat(failed.Stderr) {
		err = m.otherFormat(ctx)
	}
	if err != nil && bounded.Err() != nil && ctx.Err() == nil {
		err = fmt.Errorf("given up after %s: %w", calls*m.Silence, err)
	}
	return out, err
}

// speedLimit has git give up on a silent HTTP server, unless the user has limits of their own (in the configuration, for this address or
// all, or in the environment).
func (m *Remote) speedLimit(ctx context.Context, env []string) []string {
	if !strings.HasPrefix(m.URL, "http://") && !strings.HasPrefix(m.URL, "https://") || os.Getenv("GIT_HTTP_LOW_SPEED_TIME") != "" || os.Getenv("GIT_HTTP_LOW_SPEED_LIMIT") != "" {
		return nil
	}
	url, _, err := cutUserInfo(m.URL)
	if err != nil {
		return nil // which the call itself says
	}
	args := []string{"config", "--get-urlmatch", "http", url}
	if own, err := m.call(ctx, env, nil, args, args); err == nil && strings.Contains(own, "http.lowspeed") {
		return nil
	}
	seconds := max(1, int(m.Silence.Seconds()))
	return []string{"-c", "http.lowSpeedLimit=1", "-c", "http.lowSpeedTime=" + strconv.Itoa(seconds)}
}

// call runs git; args are what an error names.
func (m *Remote) call(ctx context.Context, env []string, stdin io.Reader, all, args []string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", all...)
	cmd.Dir = cmp.Or(m.top, m.from.dir)
	if m.from.clone != nil && !m.closed { // relative paths in its settings start here
		cmd.Dir = m.from.clone.dir
	}
	cmd.Env = append(slices.Clip(env), "LC_ALL=C", "GIT_TERMINAL_PROMPT=0", "GIT_DIR="+m.from.dir)
	cmd.WaitDelay = m.Silence // helpers of a git that was ended (HTTP, SSH) may hold its output open
	out, err := output(cmd, stdin, args)
	return strings.TrimRight(string(out), "\n"), err
}

// Refs are the refs of the remote by name, with what they point at: a tag's own id, not its commit's. A remote of
// another object format is refused.
func (m *Remote) Refs(ctx context.Context, names ...string) (map[string]string, error) {
	out, err := m.run(ctx, []string{"ls-remote", "--refs"}, names...)
	if err != nil {
		return nil, fmt.Errorf("read the refs of %s: %w; check address and credentials", m.URL, err)
	}
	refs := map[string]string{}
	for line := range strings.Lines(out) {
		if id, name, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok {
			refs[name] = id
		}
	}
	for _, id := range refs {
		if format, err := m.from.Format(ctx); err != nil {
			return nil, err
		} else if formatOf(id) != format {
			return nil, m.otherFormat(ctx)
		}
		break // a repository has one format
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
	if err := m.completePush(ctx, refspec); err != nil {
		return err
	}
	out, err := m.run(ctx, append([]string{"push", "--porcelain", "--no-verify"}, options...), refspec)
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
	if _, err := m.run(ctx, []string{"fetch", "--quiet", "--no-tags", "--no-write-fetch-head"}, refs...); err != nil {
		return fmt.Errorf("fetch %s from %s: %w", strings.Join(refs, ", "), m.URL, err)
	}
	return nil
}

// Identity is who the user's git settings and environment say that the user is, now; ok is false where they do not say.
func (m *Remote) Identity(ctx context.Context) (by Person, ok bool) {
	args := []string{"-c", "user.useConfigOnly=true", "var", "GIT_COMMITTER_IDENT"}
	env, err := m.environment(ctx, "remote-"+rand.Text())
	if err != nil {
		return by, false
	}
	out, err := m.call(ctx, env, nil, args, args)
	if err != nil {
		return by, false
	}
	return parsePerson(out), true
}
