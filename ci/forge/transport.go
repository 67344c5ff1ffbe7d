package forge

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-github/v92/github"
)

// maxAnswer bounds an answer, in bytes: a page of a hundred releases with the longest texts that GitHub takes.
const maxAnswer = 64 << 20

// transport logs in, waits for limits, repeats what may be repeated, and reads answers whole, within bounds.
type transport struct {
	g    *GitHub
	next http.RoundTripper
}

func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	g, ctx := t.g, req.Context()
	if !g.ours(req.URL) {
		return nil, refused(fmt.Sprintf("%s://%s is not its API; nothing was sent there", req.URL.Scheme, req.URL.Host))
	}
	var waited time.Duration
	for try, limits := 0, 0; ; {
		resp, err := t.once(req)
		if err == nil {
			wait, why := limit(resp, limits, g.now())
			if wait > 0 {
				until := g.now().Add(wait)
				if waited += wait; waited > g.options.Longest {
					return nil, &Limited{why, until, g.options.Longest}
				}
				if g.options.Waiting != nil {
					g.options.Waiting(why, until)
				}
				limits++
				if err := g.sleep(ctx, wait); err != nil {
					return nil, err
				}
				if !rewind(req) {
					return resp, nil
				}
				continue
			}
		}
		passes := err != nil && brokenOnTheWay(ctx, err) || err == nil && (resp.StatusCode >= 500 || resp.StatusCode == http.StatusRequestTimeout)
		if try++; !passes || !repeatable(req) || try >= g.options.Patience.Tries || !rewind(req) {
			return resp, err
		}
		if err := g.pause(ctx, try-1); err != nil {
			return nil, err
		}
	}
}

// pause waits before another try.
func (g *GitHub) pause(ctx context.Context, try int) error { return g.options.Patience.Wait(ctx, try) }

// once asks once.
func (t *transport) once(req *http.Request) (*http.Response, error) {
	out := req.Clone(req.Context())
	if t.g.options.Token != nil {
		token, err := t.g.options.Token(req.Context())
		if err != nil {
			return nil, refused(fmt.Sprintf("get a token: %v", err))
		}
		if token = strings.TrimSpace(token); token != "" {
			t.g.learn(token)
			out.Header.Set("Authorization", "Bearer "+token)
		}
	}
	resp, err := t.next.RoundTrip(out)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, err
	case len(content) > maxAnswer:
		return nil, refused(fmt.Sprintf("the answer has more than %d MiB", maxAnswer>>20))
	}
	resp.Body = io.NopCloser(bytes.NewReader(content))
	resp.Request = req // without the token
	return resp, nil
}

func rewind(req *http.Request) bool {
	if req.Body == nil || req.Body == http.NoBody {
		return true
	}
	if req.GetBody == nil {
		return false
	}
	body, err := req.GetBody()
	req.Body = body
	return err == nil
}

// repeatable tells whether a request may be carried out twice and is as if it were once. What is created is not; whoever creates looks first whether it is there.
func repeatable(req *http.Request) bool {
	if req.Method != http.MethodPost {
		return true
	}
	for _, set := range []string{"/labels", "/assignees", "/requested_reviewers"} {
		if strings.HasSuffix(req.URL.Path, set) {
			return true
		}
	}
	return false
}

func brokenOnTheWay(ctx context.Context, err error) bool {
	var no refused
	var certificate *tls.CertificateVerificationError
	return ctx.Err() == nil && !errors.As(err, &no) && !errors.As(err, &certificate)
}

// Limited is the error of a request that GitHub would take only after a longer wait than was allowed. Nothing was written by it.
type Limited struct {
	Why   string
	Until time.Time
	bound time.Duration
}

func (l *Limited) Error() string {
	return fmt.Sprintf("%s until %s, which is longer than the %s that a request may wait; run it again then", l.Why, l.Until.UTC().Format("15:04:05 MST on 2 January"), l.bound)
}

// limit tells how long to wait before a request is made again that a limit has stopped, and which limit; 0: none has. before is how often it was waited for.
//
// The rules are those of GitHub's documentation, Rate limits for the REST API: with Retry-After as long as it says; with no requests remaining until the time of reset; else a minute, and twice as
// long each time.
func limit(resp *http.Response, before int, now time.Time) (time.Duration, string) {
	if resp.StatusCode != http.StatusForbidden && resp.StatusCode != http.StatusTooManyRequests {
		return 0, ""
	}
	const primary, secondary = "GitHub's limit on requests an hour is used up", "GitHub finds the requests too many or too fast, and takes none"
	if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && seconds >= 0 {
		return max(time.Duration(min(seconds, 1<<30))*time.Second, time.Second), secondary
	}
	if resp.Header.Get("X-RateLimit-Remaining") == "0" {
		if reset, err := strconv.ParseInt(resp.Header.Get("X-RateLimit-Reset"), 10, 64); err == nil {
			if there, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
				now = there // by the clock of the server
			}
			return max(time.Unix(reset, 0).Sub(now), 0) + time.Second, primary
		}
	}
	var abuse *github.AbuseRateLimitError
	err := github.CheckResponse(resp)
	said := strings.ToLower(fmt.Sprint(err))
	if errors.As(err, &abuse) || resp.StatusCode == http.StatusTooManyRequests || strings.Contains(said, "secondary rate limit") || strings.Contains(said, "abuse detection") {
		return time.Minute << min(before, 10), secondary
	}
	return 0, ""
}
