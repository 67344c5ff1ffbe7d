package forge

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/google/go-github/v92/github"

	"github.com/operator-release/operator-release/ci/redact"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/registry"
)

// Options say how a GitHub is reached.
type Options struct {
	// URL is where its API is: https://api.github.com where it is empty. Of GitHub Enterprise Server its host is enough: https://HOST is https://HOST/api/v3/.
	URL string
	// Token gives the token for a request; nil or an empty token: only what is public can be read. It is asked each time, as tokens of apps live an hour.
	Token func(context.Context) (string, error)
	// PlainHTTP are hosts that may be spoken to without TLS; loopback always may.
	PlainHTTP []string
	// Patience with the server; the zero value is the usual one.
	Patience registry.Patience
	// Longest bounds how long one request waits, in all, for GitHub's limits on requests; 0: 15 minutes.
	Longest time.Duration
	// Waiting is told when a limit is waited for, and until when; nil: nobody is.
	Waiting func(why string, until time.Time)
}

// Token is a token that stays.
func Token(token string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return token, nil }
}

// GitHub is a repository at GitHub. It may be used by several goroutines.
type GitHub struct {
	owner, name string
	api         *github.Client
	base        *url.URL
	options     Options
	secrets     *redact.Secrets

	now   func() time.Time
	sleep func(context.Context, time.Duration) error

	mu    sync.Mutex
	token string  // the last one
	self  *string // login of the token's user; empty: an app's
}

var _ Forge = (*GitHub)(nil)

var (
	repository = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}$`)
	loginName  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,100}(\[bot\])?$`)
	revision   = regexp.MustCompile(`^[0-9a-f]{7,64}$`)
)

const (
	longestWait = 15 * time.Minute
	public      = "https://api.github.com/"
)

// NewGitHub opens a repository, OWNER/NAME. Nothing is asked yet.
func NewGitHub(name string, o Options) (*GitHub, error) {
	refuse := func(format string, args ...any) (*GitHub, error) {
		return nil, refusal.New("open %s at GitHub: %w", name, fmt.Errorf(format, args...))
	}
	if !repository.MatchString(name) || strings.HasSuffix(name, "/.") || strings.HasSuffix(name, "/..") {
		return refuse("that is no repository; write it as OWNER/NAME")
	}
	if o.URL == "" {
		o.URL = public
	}
	base, err := url.Parse(o.URL)
	switch {
	case err != nil:
		return refuse("the address of the API is none; write it as https://HOST/api/v3/")
	case base.User != nil || base.RawQuery != "" || base.Fragment != "" || base.Host == "":
		return refuse("the address of the API has more or less than a host and a path; write it as https://HOST/api/v3/, and give the token by itself")
	case base.Scheme == "http" && !registry.PlainHTTP(base.Host, o.PlainHTTP):
		return refuse("%s is plain HTTP; allow it by --plain-http %s", base.Host, base.Host)
	case base.Scheme != "http" && base.Scheme != "https":
		return refuse("its address begins with %s; write it as https://HOST/api/v3/", base.Scheme)
	}
	base.Path = strings.TrimRight(base.Path, "/") + "/"
	if base.Path == "/" && !strings.HasPrefix(base.Host, "api.") {
		base.Path = "/api/v3/"
	}
	if o.Patience == (registry.Patience{}) {
		o.Patience = registry.Usual
	}
	if o.Longest == 0 {
		o.Longest = longestWait
	}
	g := &GitHub{base: base, options: o, secrets: &redact.Secrets{}, now: time.Now, sleep: sleep}
	g.owner, g.name, _ = strings.Cut(name, "/")
	at := base.String()
	// Limits are waited for by the transport, so the library's own bookkeeping about them is off.
	g.api, err = github.NewClient(
		github.WithHTTPClient(&http.Client{Transport: &transport{g: g, next: o.Patience.Watch(http.DefaultTransport)}, CheckRedirect: g.redirect}),
		github.WithURLs(&at, &at), github.WithUserAgent("operator-release"), github.WithDisableRateLimitCheck())
	if err != nil {
		return refuse("%w", err)
	}
	return g, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// learn keeps a token out of what is printed.
func (g *GitHub) learn(token string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.token != token {
		g.token = token
		g.secrets.Add(token)
	}
}

// repo is how messages name the repository.
func (g *GitHub) repo() string { return g.owner + "/" + g.name }

// ours tells whether an address is the API's, or of the host that GitHub takes uploads at: api.X has uploads.X.
func (g *GitHub) ours(u *url.URL) bool {
	if u.Scheme != g.base.Scheme {
		return false
	}
	api := withPort(g.base)
	suffix, of := strings.CutPrefix(api, "api.")
	return withPort(u) == api || of && withPort(u) == "uploads."+suffix
}

// withPort is an address's host and port, in lower case.
func withPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

// redirect follows GitHub to where a repository has moved, and nowhere else: never to another host or to plain HTTP, and never where a write would become a read.
func (g *GitHub) redirect(req *http.Request, via []*http.Request) error {
	switch {
	case len(via) >= 10:
		return refused("it redirects more than ten times")
	case !g.ours(req.URL):
		return refused(fmt.Sprintf("it redirects to %s://%s, which is not its API; nothing was sent there", req.URL.Scheme, req.URL.Host))
	case req.Method != via[0].Method:
		return refused("it redirects a write in a way that makes a read of it; name the repository as it is called now")
	}
	return nil
}

// refused is the error of what is not tried again: a server that leads astray, a file that is not what it was.
type refused string

func (r refused) Error() string { return string(r) }

// status is that of an answer which was an error; 0 where there was none.
func status(err error) int {
	var answer *github.ErrorResponse
	if errors.As(err, &answer) && answer.Response != nil {
		return answer.Response.StatusCode
	}
	return 0
}

// there tells whether GitHub refused something because it exists.
func there(err error) bool {
	var answer *github.ErrorResponse
	if status(err) != http.StatusUnprocessableEntity || !errors.As(err, &answer) {
		return false
	}
	for _, fault := range answer.Errors {
		if fault.Code == "already_exists" || strings.Contains(fault.Message, "already exists") {
			return true
		}
	}
	return false
}

// lost tells whether a request may have been carried out although it failed: its answer did not come, or came from something before the server.
func lost(ctx context.Context, err error) bool {
	if ctx.Err() != nil {
		return false
	}
	var no refused
	var limit *Limited
	if errors.As(err, &no) || errors.As(err, &limit) || refusal.Is(err) {
		return false
	}
	code := status(err)
	return code == 0 || code >= 500 || code == http.StatusRequestTimeout
}

// failed is the error of an operation: what was attempted, where, what GitHub said and what to do. needs is the permission that it takes.
func (g *GitHub) failed(what, needs string, err error) error {
	if err == nil || refusal.Is(err) {
		return err
	}
	prefix := fmt.Sprintf("%s at %s of %s", what, g.repo(), g.base.Host)
	var answer *github.ErrorResponse
	if !errors.As(err, &answer) || answer.Response == nil {
		var transport *url.Error
		if errors.As(err, &transport) {
			err = transport.Err // the address says nothing that a reader needs
		}
		if text := g.clean(err.Error()); text != err.Error() {
			return fmt.Errorf("%s: %s", prefix, text)
		}
		return fmt.Errorf("%s: %w", prefix, err)
	}
	said := answer.Message
	for _, fault := range answer.Errors {
		switch {
		case fault.Message != "":
			said += "; " + fault.Message
		case fault.Field != "":
			said += fmt.Sprintf("; %s is %s", fault.Field, strings.ReplaceAll(fault.Code, "_", " "))
		}
	}
	if said = g.clean(said); said == "" {
		said = http.StatusText(answer.Response.StatusCode)
	}
	if accepted := answer.Response.Header.Get("X-Accepted-GitHub-Permissions"); accepted != "" {
		needs = g.clean(strings.ReplaceAll(accepted, "=", ": "))
	}
	advice := ""
	switch code := answer.Response.StatusCode; {
	case code == http.StatusUnauthorized:
		advice = "; the token is missing, wrong or expired: give one with the permission " + needs
	case code == http.StatusForbidden:
		advice = "; give the token the permission " + needs
		if answer.Response.Header.Get("X-GitHub-SSO") != "" {
			advice += ", and authorize it for the organization's single sign-on"
		}
	case code == http.StatusNotFound:
		advice = "; there is none, or the token may not see it: it needs the permission " + needs
	case code >= 500:
		advice = fmt.Sprintf("; tried %d times; run it again later", g.options.Patience.Tries)
	}
	return &Error{text: fmt.Sprintf("%s: GitHub says %d %s%s", prefix, answer.Response.StatusCode, said, advice), Status: answer.Response.StatusCode}
}

// Error is a request that GitHub answered and did not carry out.
type Error struct {
	Status int // of the answer; 409 also for what was not asked for, because somebody else was faster
	text   string
}

func (e *Error) Error() string { return e.text }

// clean is a server's text without secrets and control characters, and not longer than one reads.
func (g *GitHub) clean(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return ' '
		}
		return r
	}, g.secrets.Redact(text))
	if runes := []rune(text); len(runes) > 500 {
		text = string(runes[:500]) + "…"
	}
	return text
}

// maxPages bounds a list, in pages of a hundred: GitHub itself gives no more than 10,000 releases.
const maxPages = 100

// all collects the pages of a list. Only the number of the next page is taken from the answer, never an address.
func all[T any](get func(github.ListOptions) ([]T, *github.Response, error)) ([]T, error) {
	var list []T
	for at, n := 1, 1; ; n++ {
		part, answer, err := get(github.ListOptions{Page: at, PerPage: 100})
		if err != nil {
			return nil, err
		}
		list = append(list, part...)
		switch next := answer.NextPage; {
		case next == 0:
			return list, nil
		case next <= at:
			return nil, refused(fmt.Sprintf("its list leads in a circle: behind page %d it names page %d", at, next))
		case n == maxPages:
			return nil, refused(fmt.Sprintf("its list has more than %d pages", maxPages))
		default:
			at = next
		}
	}
}

// Permission is what a user may do with the repository; None for a user that is none.
func (g *GitHub) Permission(ctx context.Context, user string) (Permission, error) {
	if !loginName.MatchString(user) {
		return None, refusal.New("ask for the permission of %q: that is no user's name", user)
	}
	level, _, err := g.api.Repositories.GetPermissionLevel(ctx, g.owner, g.name, url.PathEscape(user))
	if status(err) == http.StatusNotFound {
		return None, nil
	}
	if err != nil {
		return None, g.failed("ask for the permission of "+user, "metadata: read", err)
	}
	if role := Permission(level.GetRoleName()); known(role) { // else it is an organization's own role, upon one of the four levels
		return role, nil
	}
	if role := Permission(level.GetPermission()); known(role) {
		return role, nil
	}
	return None, fmt.Errorf("ask for the permission of %s at %s: GitHub says %q, which is none that it documents", user, g.repo(), g.clean(level.GetPermission()))
}

func known(p Permission) bool { return p.Includes(None) }
